/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb.c - packets of gdb's remote protocol: what each asks, what is
 * answered.
 *
 * An unknown packet gets the empty answer (the gdb manual, E.1), one with wrong
 * contents an E and a number: 01 no such thread or register, 02 malformed, 03
 * there is no room for more, 0e memory that cannot be reached.
 */
#include "sim/debug/gdb.h"

#include <string.h>

#define MEMORY_MAX   0x1f00 /* bytes of one m packet: its answer fits a frame */
#define ERROR_THREAD "E01"
#define ERROR_FORM   "E02"
#define ERROR_FULL   "E03"
#define ERROR_MEMORY "E0e"

struct call {
	struct gdb_state *g;
	struct debug *d;
	const char *p, *end;
	struct packet_text *out;
};

static enum gdb_then say(struct call *c, const char *text)
{
	packet_put(c->out, "%s", text);
	return GDB_ANSWERED;
}

void gdb_state_reset(struct gdb_state *g)
{
	memset(g, 0, sizeof(*g));
	g->attached[DEBUG_MACHINE] = true;
	g->general = g->resume = (struct debug_id){DEBUG_MACHINE, 1};
}

/* --- threads --- */

static bool is_attached(const struct gdb_state *g, uint32_t pid)
{
	return pid < GDB_PIDS_MAX && g->attached[pid];
}

bool gdb_attached(const struct gdb_state *g)
{
	for (uint32_t pid = 1; pid < GDB_PIDS_MAX; pid++) {
		if (g->attached[pid])
			return true;
	}
	return false;
}

static uint32_t first_attached(const struct gdb_state *g)
{
	for (uint32_t pid = 1; pid < GDB_PIDS_MAX; pid++) {
		if (g->attached[pid])
			return pid;
	}
	return DEBUG_MACHINE;
}

/* A thread that is on a CPU rather than one that is not. */
static struct debug_id any_thread(struct debug *d, uint32_t pid)
{
	uint32_t tid[64];
	size_t count = debug_threads(d, pid, tid, ARRAY_LEN(tid));
	struct debug_id id = {pid, 0};

	for (size_t i = 0; i < count; i++) {
		id.tid = tid[i];
		if (debug_thread_cpu(d, id) < CPU_COUNT_MAX)
			return id;
	}
	id.tid = count ? tid[0] : 0;
	return id;
}

static bool is_any(uint32_t part)
{
	return !part || part == PACKET_ALL;
}

struct debug_id gdb_thread(struct gdb_state *g, struct debug *d,
			   struct debug_id id)
{
	if (is_any(id.pid))
		id.pid = is_attached(g, g->general.pid) ? g->general.pid
							: first_attached(g);
	if (is_any(id.tid))
		return any_thread(d, id.pid);
	return id;
}

/* What the id names is there: a process, and the thread if it says which. */
static bool exists(struct call *c, struct debug_id id)
{
	struct debug_process p;

	if (!is_any(id.pid) && !debug_process(c->d, id.pid, &p))
		return false;
	return is_any(id.tid) ||
	       debug_thread_alive(c->d, gdb_thread(c->g, c->d, id));
}

static enum gdb_then set_thread(struct call *c)
{
	char which = *c->p++;
	struct debug_id id;

	if ((which != 'g' && which != 'c') || !packet_id(&c->p, &id) || *c->p)
		return say(c, ERROR_FORM);
	if (!id.pid && !id.tid)
		return say(c, "OK"); /* any: the one that it is */
	if (!exists(c, id))
		return say(c, ERROR_THREAD);
	if (which == 'g')
		c->g->general = id;
	else
		c->g->resume = id;
	return say(c, "OK");
}

static enum gdb_then thread_alive(struct call *c)
{
	struct debug_id id;

	if (!packet_id(&c->p, &id) || *c->p)
		return say(c, ERROR_FORM);
	return say(c, debug_thread_alive(c->d, id) ? "OK" : ERROR_THREAD);
}

/* --- registers and memory --- */

static struct debug_id general(struct call *c)
{
	return gdb_thread(c->g, c->d, c->g->general);
}

static enum gdb_then read_regs(struct call *c)
{
	gdb_regs_read(c->d, general(c), c->out);
	return GDB_ANSWERED;
}

static enum gdb_then write_regs(struct call *c)
{
	return say(c, gdb_regs_write(c->d, general(c), c->p) ? "OK"
							     : ERROR_THREAD);
}

static enum gdb_then read_reg(struct call *c)
{
	uint64_t number;

	if (!packet_number(&c->p, &number) || *c->p)
		return say(c, ERROR_FORM);
	gdb_reg_read(c->d, general(c), number, c->out);
	return GDB_ANSWERED;
}

static enum gdb_then write_reg(struct call *c)
{
	uint64_t number;

	if (!packet_number(&c->p, &number) || !packet_char(&c->p, '='))
		return say(c, ERROR_FORM);
	return say(c, gdb_reg_write(c->d, general(c), number, c->p)
			      ? "OK"
			      : ERROR_THREAD);
}

static bool span(struct call *c, uint64_t *va, uint64_t *bytes)
{
	return packet_number(&c->p, va) && packet_char(&c->p, ',') &&
	       packet_number(&c->p, bytes);
}

static enum gdb_then read_memory(struct call *c)
{
	uint8_t data[MEMORY_MAX];
	uint64_t va, bytes;
	size_t got;

	if (!span(c, &va, &bytes) || *c->p)
		return say(c, ERROR_FORM);
	if (bytes > sizeof(data))
		bytes = sizeof(data);
	got = debug_read(c->d, general(c), va, data, bytes);
	if (!got && bytes)
		return say(c, ERROR_MEMORY);
	packet_put_hex(c->out, data, got);
	return GDB_ANSWERED;
}

static enum gdb_then write_memory(struct call *c)
{
	uint8_t data[PACKET_MAX / 2];
	uint64_t va, bytes;

	if (!span(c, &va, &bytes) || !packet_char(&c->p, ':') ||
	    packet_hex(&c->p, data, sizeof(data)) != bytes || *c->p)
		return say(c, ERROR_FORM);
	return say(c, debug_write(c->d, general(c), va, data, bytes)
			      ? "OK"
			      : ERROR_MEMORY);
}

static enum gdb_then write_binary(struct call *c)
{
	uint64_t va, bytes;

	if (!span(c, &va, &bytes) || !packet_char(&c->p, ':') ||
	    (uint64_t)(c->end - c->p) != bytes)
		return say(c, ERROR_FORM);
	return say(c, debug_write(c->d, general(c), va, c->p, bytes)
			      ? "OK"
			      : ERROR_MEMORY);
}

/* --- breakpoints --- */

/* The translator holds them, not the guest's memory: software and hardware ones
 * are the same. */
static enum gdb_then breakpoint(struct call *c, bool set)
{
	static const unsigned kinds[] = {0, 0, CPU_WATCH_WRITE, CPU_WATCH_READ,
					 CPU_WATCH_READ | CPU_WATCH_WRITE};
	uint32_t pid = gdb_thread(c->g, c->d, c->g->general).pid;
	uint64_t type, va, bytes;
	bool good = true;

	if (!packet_number(&c->p, &type) || !packet_char(&c->p, ',') ||
	    !span(c, &va, &bytes) || (*c->p && *c->p != ';'))
		return say(c, ERROR_FORM);
	if (type >= ARRAY_LEN(kinds))
		return GDB_ANSWERED; /* not supported */
	if (kinds[type] &&
	    (!bytes || bytes > PAGE_BYTES || va + (bytes - 1) < va))
		return say(c, ERROR_FORM);
	if (kinds[type] && set)
		good = debug_watch_add(c->d, pid, va, bytes, kinds[type]);
	else if (kinds[type])
		debug_watch_remove(c->d, pid, va, bytes);
	else if (set)
		good = debug_break_add(c->d, pid, va);
	else
		debug_break_remove(c->d, pid, va);
	return say(c, good ? "OK" : ERROR_FULL);
}

/* --- going on --- */

static enum gdb_then go(struct call *c, enum debug_how how, struct debug_id id,
			vaddr_t low, vaddr_t high)
{
	struct debug_plan plan = {how, id, low, high};

	/* Only a thread that is there comes to the end of a step. */
	if (how != DEBUG_CONTINUE && how != DEBUG_BACK_CONTINUE &&
	    !debug_thread_alive(c->d, id))
		return say(c, ERROR_THREAD);
	debug_resume(c->d, &plan);
	return GDB_RUNS;
}

/* bs, bc: not there when the run has no past.  gdb says "any thread" before
 * them and means the one that it looks at. */
static enum gdb_then go_back(struct call *c)
{
	struct debug_id id = gdb_thread(
		c->g, c->d, c->g->resume.tid ? c->g->resume : c->g->general);
	bool step = packet_char(&c->p, 's');

	if (!debug_has_past(c->d))
		return GDB_ANSWERED;
	if ((!step && !packet_char(&c->p, 'c')) || *c->p)
		return say(c, ERROR_FORM);
	return go(c, step ? DEBUG_BACK_STEP : DEBUG_BACK_CONTINUE, id, 0, 0);
}

/* c, s, C, S: an address to go on at is not taken. */
static enum gdb_then go_plain(struct call *c, enum debug_how how,
			      bool with_signal)
{
	struct debug_id id = gdb_thread(c->g, c->d, c->g->resume);
	uint64_t signal;

	if (with_signal && !packet_number(&c->p, &signal))
		return say(c, ERROR_FORM);
	return *c->p ? say(c, ERROR_FORM) : go(c, how, id, 0, 0);
}

static bool action(struct call *c, struct debug_plan *plan)
{
	uint64_t signal;

	*plan = (struct debug_plan){.how = DEBUG_CONTINUE};
	switch (*c->p++) {
	case 'c':
		return true;
	case 'C':
		return packet_number(&c->p, &signal);
	case 's':
		plan->how = DEBUG_STEP;
		return true;
	case 'S':
		plan->how = DEBUG_STEP;
		return packet_number(&c->p, &signal);
	case 'r':
		plan->how = DEBUG_RANGE;
		return packet_number(&c->p, &plan->low) &&
		       packet_char(&c->p, ',') &&
		       packet_number(&c->p, &plan->high);
	default:
		return false;
	}
}

/* The machine goes on as a whole: the thread that steps, if there is one,
 * decides how far; of the others none can be held back. */
static enum gdb_then go_each(struct call *c)
{
	struct debug_plan chosen = {.how = DEBUG_CONTINUE}, plan;
	bool any = false;

	while (packet_char(&c->p, ';')) {
		if (!action(c, &plan))
			return say(c, ERROR_FORM);
		if (packet_char(&c->p, ':') && !packet_id(&c->p, &plan.id))
			return say(c, ERROR_FORM);
		if (!exists(c, plan.id))
			return say(c, ERROR_THREAD);
		if (!any || (plan.how != DEBUG_CONTINUE &&
			     chosen.how == DEBUG_CONTINUE))
			chosen = plan;
		any = true;
	}
	if (!any || *c->p)
		return say(c, ERROR_FORM);
	chosen.id = gdb_thread(c->g, c->d, chosen.id);
	return go(c, chosen.how, chosen.id, chosen.low, chosen.high);
}

/* --- coming and going --- */

static struct debug_id whose_stop(struct gdb_state *g, struct debug *d)
{
	const struct debug_stop *s = debug_stopped(d);
	uint32_t pid;
	struct debug_id id;

	if (is_attached(g, s->id.pid) && debug_thread_alive(d, s->id))
		return s->id;
	pid = first_attached(g);
	id = debug_thread_on(d, pid, s->cpu);
	return id.tid ? id : any_thread(d, pid);
}

static const char *watch_word(unsigned kinds)
{
	if (kinds == CPU_WATCH_WRITE)
		return "watch";
	return kinds == CPU_WATCH_READ ? "rwatch" : "awatch";
}

void gdb_stop_reply(struct gdb_state *g, struct debug *d,
		    struct packet_text *out)
{
	const struct debug_stop *s = debug_stopped(d);
	struct debug_id id = whose_stop(g, d);

	g->general = g->resume = id;
	packet_put(out, "T%02x", s->why == DEBUG_ASKED ? 2 : 5);
	if (s->why == DEBUG_WATCH)
		packet_put(out, "%s:%llx;", watch_word(s->kind),
			   (unsigned long long)s->va);
	if (s->why == DEBUG_BREAK && g->tells_break)
		packet_put(out, "swbreak:;");
	if (s->why == DEBUG_PAST_ENDS)
		packet_put(out, "replaylog:begin;");
	packet_put(out, "thread:");
	packet_put_id(out, id);
	packet_put(out, ";core:%x;", s->cpu);
}

static enum gdb_then attach(struct call *c)
{
	struct debug_process process;
	uint64_t pid;

	if (!packet_char(&c->p, ';') || !packet_number(&c->p, &pid) || *c->p)
		return say(c, ERROR_FORM);
	if (pid >= GDB_PIDS_MAX ||
	    !debug_process(c->d, (uint32_t)pid, &process) ||
	    !any_thread(c->d, (uint32_t)pid).tid)
		return say(c, ERROR_THREAD);
	c->g->attached[pid] = true;
	c->g->general = any_thread(c->d, (uint32_t)pid);
	packet_put(c->out, "T05thread:");
	packet_put_id(c->out, c->g->general);
	packet_put(c->out, ";");
	return GDB_ANSWERED;
}

static enum gdb_then detach(struct call *c)
{
	uint64_t pid;

	if (!*c->p) {
		memset(c->g->attached, 0, sizeof(c->g->attached));
	} else {
		if (!packet_char(&c->p, ';') || !packet_number(&c->p, &pid) ||
		    *c->p || pid >= GDB_PIDS_MAX)
			return say(c, ERROR_FORM);
		if (!c->g->attached[pid])
			return say(c, ERROR_THREAD);
		c->g->attached[pid] = false;
	}
	packet_put(c->out, "OK");
	if (gdb_attached(c->g))
		return GDB_ANSWERED;
	debug_break_forget(c->d);
	return GDB_LEFT;
}

/* Whichever process it names: the machine is no more without any of them. */
static enum gdb_then kill_one(struct call *c)
{
	uint64_t pid;

	if (!packet_char(&c->p, ';') || !packet_number(&c->p, &pid) || *c->p)
		return say(c, ERROR_FORM);
	if (pid >= GDB_PIDS_MAX || !c->g->attached[pid])
		return say(c, ERROR_THREAD);
	c->g->attached[pid] = false;
	packet_put(c->out, "OK");
	return GDB_KILLED;
}

static enum gdb_then letter_v(struct call *c)
{
	size_t n = strcspn(c->p, ";:?");
	const char *word = c->p;

	c->p += n;
	if (n == 4 && !strncmp(word, "Cont", n)) {
		if (*c->p == '?')
			return say(c, "vCont;c;C;s;S;r");
		return go_each(c);
	}
	if (n == 6 && !strncmp(word, "Attach", n))
		return attach(c);
	if (n == 4 && !strncmp(word, "Kill", n))
		return kill_one(c);
	/* No program is started from here: gdb would ask by R instead. */
	if (n == 3 && !strncmp(word, "Run", n))
		return say(c, ERROR_THREAD);
	return GDB_ANSWERED; /* vMustReplyEmpty, and what is not supported */
}

static enum gdb_then letter_q(struct call *c)
{
	if (!gdb_query(c->g, c->d, c->p - 1, c->out))
		c->out->bytes = 0;
	return GDB_ANSWERED;
}

enum gdb_then gdb_packet(struct gdb_state *g, struct debug *d, const char *p,
			 size_t bytes, struct packet_text *out)
{
	struct call c = {g, d, p + 1, p + bytes, out};

	if (!bytes)
		return GDB_ANSWERED;
	switch (*p) {
	case '!':
		g->extended = true;
		return say(&c, "OK");
	case '?':
		gdb_stop_reply(g, d, out);
		return GDB_ANSWERED;
	case 'b':
		return go_back(&c);
	case 'c':
	case 'C':
		return go_plain(&c, DEBUG_CONTINUE, *p == 'C');
	case 's':
	case 'S':
		return go_plain(&c, DEBUG_STEP, *p == 'S');
	case 'D':
		return detach(&c);
	case 'g':
		return read_regs(&c);
	case 'G':
		return write_regs(&c);
	case 'H':
		return set_thread(&c);
	case 'k':
		return bytes == 1 ? GDB_KILLED : say(&c, ERROR_FORM);
	case 'm':
		return read_memory(&c);
	case 'M':
		return write_memory(&c);
	case 'p':
		return read_reg(&c);
	case 'P':
		return write_reg(&c);
	case 'q':
	case 'Q':
		return letter_q(&c);
	case 'T':
		return thread_alive(&c);
	case 'v':
		return letter_v(&c);
	case 'X':
		return write_binary(&c);
	case 'z':
		return breakpoint(&c, false);
	case 'Z':
		return breakpoint(&c, true);
	default:
		return GDB_ANSWERED;
	}
}
