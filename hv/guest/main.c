/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/main.c - the guest's kernel: an event loop that is not preempted,
 * around the run of its processes.  Start here; guest.h names the other files.
 *
 * It runs in ring 3 like they do, in an address space of its own, and holds
 * none of the instructions that don't virtualize (cpu/decode.h, checked by the
 * build): processes are entered and left by SYS_USER_RUN alone, interrupts are
 * events.
 *
 * What it runs is said by its arguments (view.args; docs/guest.md has them):
 * the workload of a writer and a reader of records, a shell, other programs.
 */
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

#define ATTACH_NS (50 * US) /* between looks at a channel not ready */
#define ROOM_NS   (20 * US) /* between tries of a call without room */
#define WATCH_NS  (50 * MS) /* so that the client can watch over time */

#define FRAMES_TOGETHER 8
#define UNTOLD_NS       (5 * US) /* that one at most waits for the next */

void partition_main(void);
void guest_main_loop(void);

static bool workload;        /* of writer and reader */
static uint64_t attended[8]; /* ids of the others that it ends with */
static unsigned attended_count;

/* ---- the end ------------------------------------------------------------ */

static bool all_ended(void)
{
	if (net_lingers())
		return false;
	if (workload && (process[WRITER].state != PROCESS_ENDED ||
			 process[READER].state != PROCESS_ENDED))
		return false;
	for (unsigned i = 0; i < attended_count; i++) {
		const struct process *p = process_of(attended[i]);

		if (p != NULL && p->state != PROCESS_ENDED)
			return false;
	}
	return load_ended() && files_closed();
}

/* Everything that was asked for has ended: say so, then stop.  Returns only
 * when there was no room to say it. */
static void finish(void)
{
	uint64_t code = 0;

	if (workload) {
		code = process[WRITER].code | process[READER].code;
		if (!diag_post(&diag, DIAG_DONE, records_stream,
			       process[WRITER].count, 0, 0))
			return;
		logf_("guest: stream %lu: %lu written, %lu flushes, %lu "
		      "verified, %lu replayed, %lu errors",
		      records_stream, client.writes, client.flushes,
		      process[READER].count, client.replayed, client.errors);
	}
	for (unsigned i = 0; i < attended_count; i++) {
		const struct process *p = process_of(attended[i]);

		code |= p != NULL ? p->code : 0;
	}
	log_drain();
	sys_exit(code);
}

/* One slice of the process whose turn it is.  One that sends frame after frame
 * has some slices more, as long as nothing else comes: the card is told of all
 * together. */
static void run_processes(void)
{
	static unsigned turn;

	do
		turn = (turn + 1) % PROCESSES;
	while (process[turn].state != PROCESS_RUNNING);
	process_run(turn, ~0ull);
	for (unsigned n = 1; n < FRAMES_TOGETHER && nic_untold(&nic) &&
			     process[turn].state == PROCESS_RUNNING;
	     n++) {
		if (!process_goes_on(turn, UNTOLD_NS))
			break;
	}
	nic_tell(&nic);
}

/* ---- the loop ----------------------------------------------------------- */

static uint64_t sleep_until(uint64_t now)
{
	uint64_t until = process_next_wake();
	uint64_t net = net_next();
	uint64_t slow = client_complaint_due(&client);

	until = net < until ? net : until;
	until = slow < until ? slow : until;
	if (client_waiting(&client) > 0 && now + WATCH_NS < until)
		until = now + WATCH_NS;
	if (ends_wanted() && now + ATTACH_NS < until)
		until = now + ATTACH_NS;
	if (!log_flush() && now + LOG_RETRY_NS < until)
		until = now + LOG_RETRY_NS;
	if ((process_any(PROCESS_RETRY) || all_ended()) &&
	    now + ROOM_NS < until)
		until = now + ROOM_NS;
	return until;
}

static void hear(uint64_t events)
{
	if (events & EVENT_CHECK)
		logf_("guest: machine check: some memory of this guest failed");
}

__attribute__((noinline)) void guest_main_loop(void)
{
	for (;;) {
		bool busy = false, empty;
		uint64_t now;

		ends_serve();
		ends_attach();
		now = sys_time();
		busy |= client_run(&client, now);
		ends_complain();
		busy |= load_run(now);
		busy |= files_run();
		busy |= net_run(now);
		busy |= process_wake(now);
		if (all_ended())
			finish();

		/* From here on an event ends the run of a process or the
		 * sleep; what came before it is found now. */
		empty = ends_sleep();
		if (empty && process_any(PROCESS_RUNNING)) {
			run_processes();
			hear(sys_wait(~0ull, 0));
		} else if (empty && !busy) {
			hear(sys_wait(~0ull, sleep_until(sys_time())));
		}
		ends_awake();
		ends_find();
	}
}

/* ---- the start ---------------------------------------------------------- */

static void start_workload(void)
{
	struct process_args args = {
		.stream = records_stream,
		.records = view_arg("records", 100),
		.slots = view_arg("slots", 64),
		.flush = view_arg("flush", 8),
		.seed = view_arg("seed", 1),
		.think = view_arg("think", 0),
		.read = view_arg("read", 1),
		.early = (uint64_t)view_arg_word("ack=early"),
		.fua = view_arg("fua", 0),
	};

	args.slots = args.slots == 0 ? 1 : args.slots;
	args.flush = args.flush == 0 ? 1 : args.flush;
	if (args.flush > UNCOMMITTED_MAX)
		args.flush = UNCOMMITTED_MAX;
	str_field(args.command, "writer", sizeof(args.command));
	if (process_start(WRITER, &args) == 0)
		process_end(&process[WRITER], 1);
	str_field(args.command, "reader", sizeof(args.command));
	if (process_start(READER, &args) == 0)
		process_end(&process[READER], 1);
	logf_("guest: stream %lu: %lu records to %lu blocks", records_stream,
	      args.records, args.slots);
}

/* A program with its words; the guest ends when it and the others have. */
static void start_program(const char *command, size_t bytes)
{
	struct process_args args = {.stream = records_stream};
	uint64_t id = 0;

	if (bytes < sizeof(args.command)) {
		for (size_t i = 0; i < bytes; i++)
			args.command[i] = command[i] == ',' ? ' ' : command[i];
		id = process_start(PROCESSES, &args);
	}
	if (id == 0)
		logf_("guest: %s can't be started", args.command);
	else if (attended_count < sizeof(attended) / sizeof(attended[0]))
		attended[attended_count++] = id;
}

/* Each word run=PROGRAM,WORD,WORD of the arguments. */
static void start_programs(void)
{
	static const char run[] = "run=";
	const char *at = view_now()->args;

	while (*at != '\0') {
		size_t n = 0;

		while (at[n] != ' ' && at[n] != '\0')
			n++;
		if (n > 4 && strncmp(at, run, 4) == 0)
			start_program(at + 4, n - 4);
		at += n;
		while (*at == ' ')
			at++;
	}
}

void partition_main(void)
{
	if (!control_open(&control)) {
		logf_("guest: control channel doesn't fit");
		log_drain();
		sys_exit(1);
	}
	client_init(&client, call_done);
	client.slow_ns = view_arg("slow", CLIENT_SLOW_NS / US) * US;
	ends_find();
	records_stream = view_arg("stream", 1);
	workload = view_arg("records", 100) > 0;
	if (workload)
		start_workload();
	start_programs();
	load_begin();
	guest_main_loop();
}
