/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/part/main.c - the boot partition: starts the infrastructure in its
 * order (idle, I/O, command, operations) by transactions, then retires.
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

#define NVME_CLASS  0x010802
#define ANSWER_NS   (2000 * MS)
#define EXIT_FAILED 0x7c

void partition_main(void);

static struct control control;

static struct control_message ops[TXN_OPS_MAX];
static unsigned count;

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
	uint32_t status =
		control_transact(&control, ops, count, &answer, ANSWER_NS);

	acknowledge();
	count = 0;
	if (!status) {
		logf_("%s started at %llu us", what, sys_time() / US);
		return answer.result;
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

/* With the first NVMe controller that is still free. */
static uint64_t start_io(const char *name, uint32_t turn)
{
	struct control_message *m;

	create(name, "io", PART_IO, turn);
	m = op(TXN_DEVICE_ASSIGN);
	m->target.class_code = NVME_CLASS;
	m->target.to = TXN_RESULT(0);
	give_arguments();
	start();
	return commit(name);
}

static void heartbeat(uint64_t server)
{
	struct control_message *m = op(TXN_CHANNEL_CREATE);

	m->channel.client = TXN_RESULT(0);
	m->channel.server = server;
	m->channel.type = CHANNEL_HEARTBEAT;
	m->channel.pages = HEARTBEAT_CHANNEL_PAGES;
}

static uint64_t start_command(uint64_t io_a, uint64_t io_b)
{
	create("command", "command", PART_COMMAND, 3);
	heartbeat(io_a);
	if (io_b)
		heartbeat(io_b);
	give_arguments();
	start();
	return commit("command");
}

static void start_operations(uint64_t command)
{
	struct control_message *m;

	create("operations", "operations", PART_OPERATIONS, 0);
	str_field(ops[0].create.data, "policy", sizeof(ops[0].create.data));
	m = op(TXN_CHANNEL_CREATE);
	m->channel.client = command;
	m->channel.server = TXN_RESULT(0);
	m->channel.type = CHANNEL_POLICY;
	m->channel.pages = POLICY_CHANNEL_PAGES;
	give_arguments();
	start();
	(void)commit("operations");
}

void partition_main(void)
{
	uint64_t io_a, io_b = 0;

	if (!control_open(&control)) {
		logf_("the control channel doesn't fit");
		sys_exit(1);
	}
	start_idle();
	io_a = start_io("io.a", 1);
	if (view_arg("io", 2) != 1)
		io_b = start_io("io.b", 2);
	start_operations(start_command(io_a, io_b));
	logf_("retires at %llu us", sys_time() / US);
	log_drain();
}
