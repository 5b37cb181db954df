/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/part/main.c - the boot partition: starts the infrastructure in its
 * order (idle, I/O, command, diagnostics, operations) by transactions, then
 * retires.
 *
 * It is in control only because it is first: nothing here is done by a
 * privilege that the command partition doesn't have too.  The word `io=1` on
 * the command line leaves out io.b.  Guests are the command partition's to
 * start.
 */
#include "abi/control.h"
#include "abi/database.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define NVME_CLASS     0x010802
#define ETHERNET_CLASS 0x020000
#define ANSWER_NS      (2000 * MS)
#define EXIT_FAILED    0x7c

void partition_main(void);

static struct control control;

static struct control_message ops[TXN_OPS_MAX];
static unsigned count;
static bool may_be_absent; /* what the next transaction makes */

static struct control_message *op(uint32_t id)
{
	struct control_message *m = &ops[count++];

	memset(m, 0, sizeof(*m));
	m->id = id;
	return m;
}

/* Events pile up if nobody answers them. */
static void acknowledge(void)
{
	struct control_message event;

	while (control_event(&control, &event))
		control_ack(&control, &event, CONTROL_OK);
}

/* The transaction gathered so far; the result of its last operation.  Whatever
 * is missing here, the machine is of no use. */
static uint64_t commit(const char *what)
{
	struct control_message answer = {.failed_op = 0};
	bool optional;
	uint32_t status =
		control_transact(&control, ops, count, &answer, ANSWER_NS);

	acknowledge();
	count = 0;
	optional = may_be_absent;
	may_be_absent = false;
	if (!status) {
		logf_("%s started at %llu us", what, sys_time() / US);
		return answer.result;
	}
	if (optional && status == CONTROL_ENOENT) {
		logf_("no %s: its module isn't there", what);
		return 0;
	}
	logf_("cannot start %s: %s, operation %lu", what,
	      control_status_name(status), answer.failed_op);
	log_drain();
	op(TXN_MACHINE_OFF)->target.value = EXIT_FAILED;
	(void)control_transact(&control, ops, 1, &answer, ANSWER_NS);
	sys_exit(1);
}

/* `turn` spreads them over the CPUs there are. */
static void create(const char *name, const char *module, uint32_t kind,
		   uint32_t turn)
{
	struct control_message *m = op(TXN_PARTITION_CREATE);

	str_field(m->create.name, name, sizeof(m->create.name));
	str_field(m->create.module, module, sizeof(m->create.module));
	m->create.kind = kind;
	m->create.blocks = 1;
	m->create.cpu = turn % view_now()->cpus;
}

/* Operation 0 of the same transaction made it. */
static void start(void)
{
	op(TXN_PARTITION_START)->target.number = TXN_RESULT(0);
}

static void give_arguments(void)
{
	struct control_message *m = op(TXN_PARTITION_ARGS);

	m->args.number = TXN_RESULT(0);
	str_field(m->args.text, view_now()->args, sizeof(m->args.text));
}

static void start_idle(void)
{
	create("idle", "idle", PART_IDLE, 0);
	start();
	(void)commit("idle");
}

static void device(uint64_t class_code, uint64_t which)
{
	struct control_message *m = op(TXN_DEVICE_ASSIGN);

	m->target.class_code = class_code;
	m->target.value = which;
	m->target.to = TXN_RESULT(0);
}

/* With the first NVMe controller that is still free, and the first network
 * card, if there is one. */
static uint64_t start_io(const char *name, uint32_t turn)
{
	create(name, "io", PART_IO, turn);
	device(NVME_CLASS, 0);
	device(ETHERNET_CLASS, DEVICE_IF_ANY);
	give_arguments();
	start();
	return commit(name);
}

static void channel(uint64_t client, uint64_t server, uint32_t type,
		    uint32_t pages)
{
	struct control_message *m = op(TXN_CHANNEL_CREATE);

	m->channel.client = client;
	m->channel.server = server;
	m->channel.type = type;
	m->channel.pages = pages;
}

static uint64_t start_command(uint64_t io_a, uint64_t io_b)
{
	create("command", "command", PART_COMMAND, 3);
	channel(TXN_RESULT(0), io_a, CHANNEL_HEARTBEAT,
		HEARTBEAT_CHANNEL_PAGES);
	if (io_b)
		channel(TXN_RESULT(0), io_b, CHANNEL_HEARTBEAT,
			HEARTBEAT_CHANNEL_PAGES);
	give_arguments();
	start();
	return commit("command");
}

/* Without its module there is none, and the others report to nobody. */
static uint64_t start_diagnostics(uint64_t io_a, uint64_t io_b,
				  uint64_t command)
{
	const uint64_t clients[] = {io_a, io_b, command};

	create("diagnostics", "diagnostics", PART_DIAGNOSTICS, 0);
	for (unsigned i = 0; i < 3; i++)
		if (clients[i])
			channel(clients[i], TXN_RESULT(0), CHANNEL_DIAG,
				DIAG_CHANNEL_PAGES);
	give_arguments();
	start();
	may_be_absent = true;
	return commit("diagnostics");
}

static void start_operations(uint64_t command, uint64_t diagnostics)
{

	create("operations", "operations", PART_OPERATIONS, 0);
	str_field(ops[0].create.data, "policy", sizeof(ops[0].create.data));
	channel(command, TXN_RESULT(0), CHANNEL_POLICY, POLICY_CHANNEL_PAGES);
	if (diagnostics) {
		channel(TXN_RESULT(0), diagnostics, CHANNEL_DIAG,
			DIAG_CHANNEL_PAGES);
		channel(TXN_RESULT(0), diagnostics, CHANNEL_LOG,
			LOG_CHANNEL_PAGES);
	}
	give_arguments();
	start();
	(void)commit("operations");
}

void partition_main(void)
{
	uint64_t io_a, io_b = 0, command;

	if (!control_open(&control)) {
		logf_("the control channel doesn't fit");
		sys_exit(1);
	}
	start_idle();
	io_a = start_io("io.a", 1);
	if (view_arg("io", 2) != 1)
		io_b = start_io("io.b", 2);
	command = start_command(io_a, io_b);
	start_operations(command, start_diagnostics(io_a, io_b, command));
	logf_("retires at %llu us", sys_time() / US);
	log_drain();
}
