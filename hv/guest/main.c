/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/main.c - the guest's kernel: an event loop that is not preempted,
 * around the run of its processes.
 *
 * It runs in ring 3 like they do, in an address space of its own, and holds
 * none of the instructions that don't virtualize (patent-family.md, section 7):
 * processes are entered and left by SYS_USER_RUN alone, interrupts are events.
 *
 * A process is RUNNING, waits for something, or has a call that could not be
 * done yet for want of room: that call is tried again on each pass.
 *
 * Arguments (view.args): stream= records= slots= flush= seed= think= read=
 * ack=early; docs/policy.md has them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "abi/record.h"
#include "guest/client.h"
#include "guest/diag.h"
#include "guest/process_abi.h"
#include "guest/space.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define PROCESSES 2
#define WRITER    0
#define READER    1

#define SLICE_NS  (200 * US) /* of a process */
#define ATTACH_NS (50 * US)  /* between looks at a channel not ready */
#define ROOM_NS   (20 * US)  /* between tries of a call without room */
#define WATCH_NS  (50 * MS)  /* so that the client can watch over time */

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80

void partition_main(void);
void guest_main_loop(void);

enum process_state {
	PROC_RUNNING,
	PROC_RETRY,       /* its call, again */
	PROC_WAIT_DISK,   /* a read or a flush */
	PROC_WAIT_COMMIT, /* until more than `await` are committed */
	PROC_ENDED,
};

struct process {
	enum process_state state;
	struct space space;
	struct user_frame frame;
	bool issued;          /* PROC_WRITE: DIAG_ISSUED is posted */
	uint64_t await;       /* PROC_AWAIT */
	uint64_t code, count; /* of PROC_EXIT */
};

/* A record written but not yet committed. */
struct uncommitted {
	uint64_t record, block, check;
};
#define UNCOMMITTED_MAX 128

static struct control control;
static struct client client;
static struct diag diag;
static uint8_t client_data[CLIENT_ENTRIES][BLOCK_BYTES]
	__attribute__((aligned(BLOCK_BYTES)));
static struct process process[PROCESSES];
static unsigned in_frame = PROCESSES; /* whose context the user frame holds */

static struct uncommitted uncommitted[UNCOMMITTED_MAX];
static unsigned uncommitted_count;
static uint64_t committed;    /* records */
static unsigned write_errors; /* since the last flush */
static uint64_t stream;

/* A channel of this guest, as a client. */
enum end_state {
	END_ABSENT,
	END_WANTED,
	END_ATTACHED,
	END_PAUSED
};
struct end {
	uint32_t type;
	unsigned handle;
	enum end_state state;
};
static struct end disk_end = {.type = CHANNEL_BLOCK};
static struct end diag_end = {.type = CHANNEL_DIAG};

extern const uint8_t process_blob[], process_blob_end[];

/* ---- channels ---- */

static void find_end(struct end *end)
{
	const struct view *view = view_now();

	for (unsigned h = 0; end->state == END_ABSENT && h < CHANNEL_SLOTS;
	     h++) {
		const struct view_channel *vc = &view->channel[h];

		if (vc->id != 0 && vc->type == end->type && !vc->server) {
			end->handle = h;
			end->state = END_WANTED;
		}
	}
}

static void attach_end(struct end *end)
{
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[end->handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	enum channel_result result;
	int64_t va;

	if (end->state != END_WANTED)
		return;
	va = sys_channel_map(end->handle);
	if (va < 0)
		return;
	if (end == &disk_end)
		result = client_resume(&client, (void *)(uintptr_t)va,
				       end->handle, &who);
	else
		result = channel_attach(&diag.channel, (void *)(uintptr_t)va,
					end->handle, end->type, &who);
	if (result == CHANNEL_NOT_READY)
		return;
	if (result == CHANNEL_MISFIT) {
		/* Not to be used; what comes next is another resume. */
		logf_("guest: channel %u refused, its header doesn't fit",
		      end->handle);
		end->state = END_PAUSED;
		return;
	}
	end->state = END_ATTACHED;
}

static struct end *end_of(uint64_t handle)
{
	if (disk_end.state != END_ABSENT && disk_end.handle == handle)
		return &disk_end;
	if (diag_end.state != END_ABSENT && diag_end.handle == handle)
		return &diag_end;
	return NULL;
}

static void serve_control(void)
{
	struct control_message message;
	struct end *end;

	while (control_event(&control, &message)) {
		uint32_t status = CONTROL_OK;

		find_end(&disk_end);
		find_end(&diag_end);
		end = end_of(message.attach.handle);
		switch (message.id) {
		case EVT_CHANNEL_PAUSE:
			if (end == &disk_end)
				client_pause(&client);
			if (end == &diag_end)
				channel_close(&diag.channel);
			if (end != NULL)
				end->state = END_PAUSED;
			else
				status = CONTROL_ENOENT;
			break;
		case EVT_CHANNEL_RESUME:
			if (end == NULL) {
				status = CONTROL_ENOENT;
				break;
			}
			/* Attach and replay first: until the answer, this
			 * partition goes before others. */
			end->state = END_WANTED;
			attach_end(end);
			if (end == &disk_end)
				(void)client_run(&client, sys_time());
			break;
		case EVT_STOP:
			logf_("guest: stops");
			control_ack(&control, &message, CONTROL_OK);
			log_drain();
			sys_exit(0);
			break;
		default:
			status = CONTROL_EID;
			break;
		}
		control_ack(&control, &message, status);
	}
	while (control_response(&control, &message))
		;
}

/* ---- calls of processes ---- */

static void reply(struct process *p, int64_t result)
{
	p->frame.rax = (uint64_t)result;
	p->state = PROC_RUNNING;
}

/* The cookie of a write; of others it is the process's index. */
#define COOKIE_WRITE 0x100

static void on_done(uint32_t cookie, uint32_t status, const void *data)
{
	struct process *p = &process[cookie & 0xff];

	if (cookie & COOKIE_WRITE) {
		if (status != BLOCK_OK)
			write_errors++;
		return;
	}
	if (data != NULL)
		memcpy(space_at(&p->space, p->frame.rsi, true), data,
		       BLOCK_BYTES);
	/* A read brings no data along when it failed; a flush never does. */
	if (p->frame.rax == PROC_FLUSH && write_errors > 0) {
		write_errors = 0;
		status = BLOCK_EIO;
	}
	reply(p, status == BLOCK_OK ? 0 : -PROC_EIO);
}

static void call_write(unsigned n, struct process *p)
{
	const uint8_t *data = p->frame.rsi % BLOCK_BYTES == 0
				      ? space_at(&p->space, p->frame.rsi, false)
				      : NULL;
	struct record head;

	if (data == NULL || uncommitted_count == UNCOMMITTED_MAX) {
		reply(p, -PROC_EINVAL);
		return;
	}
	memcpy(&head, data, offsetof(struct record, payload));
	/* Observers hear of a record before the disk does. */
	if (!p->issued)
		p->issued = diag_post(&diag, DIAG_ISSUED, head.stream,
				      head.record, p->frame.rdi, head.crc);
	if (!p->issued ||
	    !client_write(&client, p->frame.rdi, data, 0, head.stream,
			  head.record, n | COOKIE_WRITE)) {
		p->state = PROC_RETRY;
		return;
	}
	p->issued = false;
	uncommitted[uncommitted_count++] = (struct uncommitted){
		.record = head.record,
		.block = p->frame.rdi,
		.check = head.crc,
	};
	reply(p, 0);
}

static void call_read(unsigned n, struct process *p)
{
	if (p->frame.rsi % BLOCK_BYTES != 0 ||
	    space_at(&p->space, p->frame.rsi, true) == NULL)
		reply(p, -PROC_EINVAL);
	else if (client_read(&client, p->frame.rdi, n))
		p->state = PROC_WAIT_DISK;
	else
		p->state = PROC_RETRY;
}

static void call_commit(struct process *p)
{
	unsigned posted = 0;

	while (posted < uncommitted_count) {
		const struct uncommitted *u = &uncommitted[posted];

		if (!diag_post(&diag, DIAG_COMMITTED, stream, u->record,
			       u->block, u->check))
			break;
		posted++;
	}
	committed += posted;
	uncommitted_count -= posted;
	memmove(uncommitted, uncommitted + posted,
		uncommitted_count * sizeof(uncommitted[0]));
	if (uncommitted_count > 0)
		p->state = PROC_RETRY;
	else
		reply(p, 0);
}

static void call_log(struct process *p)
{
	char text[128];
	uint64_t bytes = p->frame.rsi;

	if (bytes >= sizeof(text)) {
		reply(p, -PROC_EINVAL);
		return;
	}
	for (uint64_t i = 0; i < bytes; i++) {
		const uint8_t *at =
			space_at(&p->space, p->frame.rdi + i, false);

		if (at == NULL) {
			reply(p, -PROC_EINVAL);
			return;
		}
		text[i] = (char)*at;
	}
	text[bytes] = '\0';
	logf_("guest: process %u: %s", p->space.as, text);
	reply(p, 0);
}

/* The call in the process's frame, for the first time or again. */
static void do_call(unsigned n)
{
	struct process *p = &process[n];

	switch (p->frame.rax) {
	case PROC_WRITE:
		call_write(n, p);
		break;
	case PROC_READ:
		call_read(n, p);
		break;
	case PROC_FLUSH:
		p->state =
			client_flush(&client, n) ? PROC_WAIT_DISK : PROC_RETRY;
		break;
	case PROC_COMMIT:
		call_commit(p);
		break;
	case PROC_AWAIT:
		p->await = p->frame.rdi;
		p->state = PROC_WAIT_COMMIT;
		break;
	case PROC_LOG:
		call_log(p);
		break;
	case PROC_TIME:
		reply(p, (int64_t)sys_time());
		break;
	case PROC_YIELD:
		reply(p, 0);
		break;
	case PROC_EXIT:
		p->code = p->frame.rdi;
		p->count = p->frame.rsi;
		p->state = PROC_ENDED;
		break;
	default:
		reply(p, -PROC_EINVAL);
		break;
	}
}

/* ---- running them ---- */

static void start_process(unsigned n, const struct process_args *args)
{
	struct process *p = &process[n];
	uint64_t entry =
		space_load(&p->space, n + 1, process_blob,
			   (uint64_t)(process_blob_end - process_blob));
	uint64_t at = PROC_STACK_END - ((sizeof(*args) + 15) & ~15ull);

	if (entry == 0) {
		p->state = PROC_ENDED;
		p->code = 1;
		return;
	}
	memcpy(space_at(&p->space, at, true), args, sizeof(*args));
	p->frame.rip = entry;
	p->frame.rsp = at;
	p->frame.rdi = at;
	p->frame.fxsave[0] = FCW_DEFAULT & 0xff;
	p->frame.fxsave[1] = FCW_DEFAULT >> 8;
	p->frame.fxsave[24] = MXCSR_DEFAULT & 0xff;
	p->frame.fxsave[25] = MXCSR_DEFAULT >> 8;
	p->state = PROC_RUNNING;
}

static void run_process(unsigned n, uint64_t mask)
{
	struct user_frame *frame = (struct user_frame *)PART_FRAME_VA;
	struct process *p = &process[n];
	int64_t why;

	/* The frame keeps the context of who ran last; only RAX changes while
	 * it is away. */
	if (in_frame != n) {
		memcpy(frame, &p->frame, sizeof(*frame));
		in_frame = n;
	} else {
		frame->rax = p->frame.rax;
	}
	why = sys_user_run(p->space.as, sys_time() + SLICE_NS, mask);
	memcpy(&p->frame, frame, sizeof(*frame));
	switch (why) {
	case USER_EXIT_SYSCALL:
		do_call(n);
		break;
	case USER_EXIT_EVENT:
	case USER_EXIT_DEADLINE:
		break;
	case USER_EXIT_FAULT:
		logf_("guest: process %u fault %lu error %lx at %lx",
		      p->space.as, p->frame.vector, p->frame.error,
		      p->frame.rip);
		p->code = 1;
		p->state = PROC_ENDED;
		break;
	default:
		logf_("guest: process %u can't run, error %ld", p->space.as,
		      -why);
		p->code = 1;
		p->state = PROC_ENDED;
		break;
	}
}

/* Calls that had no room, and awaits that are fulfilled.  True if any process
 * went on. */
static bool wake_processes(void)
{
	bool any = false;

	for (unsigned n = 0; n < PROCESSES; n++) {
		struct process *p = &process[n];

		if (p->state == PROC_RETRY)
			do_call(n);
		else if (p->state == PROC_WAIT_COMMIT &&
			 (committed > p->await ||
			  process[WRITER].state == PROC_ENDED))
			reply(p, (int64_t)committed);
		else
			continue;
		any |= p->state == PROC_RUNNING;
	}
	return any;
}

static bool is_any(enum process_state state)
{
	for (unsigned n = 0; n < PROCESSES; n++) {
		if (process[n].state == state)
			return true;
	}
	return false;
}

/* Both processes have ended: say so, then stop.  Returns only when there was
 * no room to say it. */
static void finish(void)
{
	uint64_t code = process[WRITER].code | process[READER].code;

	if (!diag_post(&diag, DIAG_DONE, stream, process[WRITER].count, 0, 0))
		return;
	logf_("guest: stream %lu: %lu written, %lu flushes, %lu verified, "
	      "%lu replayed, %lu errors",
	      stream, client.writes, client.flushes, process[READER].count,
	      client.replayed, client.errors);
	log_drain();
	sys_exit(code);
}

static bool all_ended(void)
{
	return process[WRITER].state == PROC_ENDED &&
	       process[READER].state == PROC_ENDED;
}

static uint64_t sleep_until(uint64_t now)
{
	uint64_t until = TIME_NEVER;

	if (client_waiting(&client) > 0)
		until = now + WATCH_NS;
	if (disk_end.state == END_WANTED || diag_end.state == END_WANTED)
		until = now + ATTACH_NS;
	if (!log_flush())
		until = now + LOG_RETRY_NS;
	if (is_any(PROC_RETRY) || all_ended())
		until = now + ROOM_NS;
	return until;
}

__attribute__((noinline)) void guest_main_loop(void)
{
	unsigned turn = 0;

	for (;;) {
		bool busy = false, empty;

		serve_control();
		attach_end(&disk_end);
		attach_end(&diag_end);
		busy |= client_run(&client, sys_time());
		busy |= wake_processes();
		if (all_ended())
			finish();

		/* From here on an event ends the run of a process or the
		 * sleep; what came before it is found now. */
		empty = client_sleep(&client);
		empty &= control_sleep(&control);
		if (empty && is_any(PROC_RUNNING)) {
			do
				turn = (turn + 1) % PROCESSES;
			while (process[turn].state != PROC_RUNNING);
			run_process(turn, ~0ull);
			(void)sys_wait(~0ull, 0);
		} else if (empty && !busy) {
			(void)sys_wait(~0ull, sleep_until(sys_time()));
		}
		client_awake(&client);
		control_awake(&control);
		find_end(&disk_end);
		find_end(&diag_end);
	}
}

void partition_main(void)
{
	struct process_args args;

	if (!control_open(&control)) {
		logf_("guest: control channel doesn't fit");
		log_drain();
		sys_exit(1);
	}
	stream = view_arg("stream", 1);
	memset(&args, 0, sizeof(args));
	args.stream = stream;
	args.records = view_arg("records", 100);
	args.slots = view_arg("slots", 64);
	args.flush = view_arg("flush", 8);
	args.seed = view_arg("seed", 1);
	args.think = view_arg("think", 0);
	args.read = view_arg("read", 1);
	args.early = (uint64_t)view_arg_word("ack=early");
	args.slots = args.slots == 0 ? 1 : args.slots;
	args.flush = args.flush == 0 ? 1 : args.flush;
	if (args.flush > UNCOMMITTED_MAX)
		args.flush = UNCOMMITTED_MAX;

	client_init(&client, client_data, on_done);
	find_end(&disk_end);
	find_end(&diag_end);
	diag.given = diag_end.state != END_ABSENT;
	for (unsigned n = 0; n < PROCESSES; n++) {
		args.role = n == WRITER ? ROLE_WRITER : ROLE_READER;
		start_process(n, &args);
	}
	logf_("guest: stream %lu: %lu records to %lu blocks", stream,
	      args.records, args.slots);
	guest_main_loop();
}
