/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/seen/show.c - see show.h.  Start with on_wants(), in mid-run, and
 * on_serve(), where it stands.
 *
 * Back by time.  A process of the past can be sent to a count of instructions;
 * so counts are noted from time to time, of each machine, and the way back to
 * an instant is to the last count before it, and from there forwards (struct
 * kept: until).
 *
 * Of several machines the one that is shown is the one that is driven.
 */
#include "sim/seen/show.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/vga.h"
#include "sim/check.h"
#include "sim/digest.h"
#include "sim/scenario/session_internal.h"
#include "sim/seen/seen.h"
#include "sim/seen/wire.h"

#define FRAME_NS    UINT64_C(33000000)
#define LATE_MAX_NS 100000000
#define PLACES      4096
#define SPANS       20000 /* of a lane, kept for the window */

/* Keys and moves, noted in memory that all processes of a run share: one that
 * goes on from an earlier instant types them again. */
#define HANDS_MAX 8192
struct hand_log {
	size_t count;
	struct session_input input[HANDS_MAX];
};

/* What a process that becomes the run has to know. */
struct kept {
	uint32_t speed;
	uint32_t orders; /* taken: struct wire_head */
	ps_t until;      /* goes on to there; 0: stands */
};

/* When a machine had retired how much. */
struct places {
	size_t count;
	struct {
		ps_t now;
		uint64_t retired;
	} place[PLACES];
};

struct show {
	struct debug_front front;
	struct session_driver driver, under;
	struct session_hands hands;
	struct show_options options;
	struct kept kept;
	struct seen *seen;
	/* Of each machine; NULL: it was not asked for yet. */
	struct story *story[SEEN_MACHINES];
	struct seen_names *names[SEEN_MACHINES];
	int fd; /* -1: nobody is there */
	bool begun, drawing;
	uint64_t frame_ns, screen;
	ps_t pace_at;
	uint64_t pace_ns;
	struct places places[SEEN_MACHINES];
	struct hand_log *log;
	size_t typed;                /* of the log, by this process */
	struct wire_order held[256]; /* not yet typed */
	size_t held_count;
	int status; /* that who shows it wants it to end with */
};

/* --- sending ---
 *
 * Whoever is gone may have said before that the run is to end: what cannot be
 * sent is nothing, and that nobody is there is found by take_order(). */

static struct machine *machine_of(struct debug *d)
{
	return debug_session(d)->machine;
}

static void gone(struct show *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void send_screen(struct show *s, struct machine *m)
{
	struct device *vga = machine_device(m, "vga0");
	struct wire_head head = {.kind = WIRE_SCREEN};
	struct wire_screen size;
	struct vga_picture p = {0};
	uint64_t digest;
	size_t bytes;

	if (vga)
		vga_picture(vga, &p);
	bytes = (size_t)p.width * p.height * 3;
	digest = digest_fold(p.width, p.rgb, bytes);
	if (digest != s->screen) {
		s->screen = digest;
		head.bytes = (uint32_t)(sizeof(size) + bytes);
		size.width = p.width;
		size.height = p.height;
		(void)(wire_put(s->fd, &head, sizeof(head)) &&
		       wire_put(s->fd, &size, sizeof(size)) &&
		       wire_put(s->fd, p.rgb, bytes));
	}
	free(p.rgb);
}

static struct story *story_of(struct show *s, unsigned machine)
{
	if (!s->story[machine])
		s->story[machine] = story_create(SPANS, true);
	return s->story[machine];
}

static struct seen_names *names_of(struct show *s, unsigned machine)
{
	if (!s->names[machine])
		s->names[machine] = seen_names_create();
	return s->names[machine];
}

/* It has ended, and nothing is left to go on with. */
static bool is_over(struct debug *d)
{
	return debug_stopped(d)->why == DEBUG_ENDED && !debug_can_go_on(d);
}

/* Why it stands; `refused`: why what was asked for cannot be done. */
static void send_seen(struct show *s, struct debug *d, bool stands,
		      const char *refused)
{
	const char *why = refused ? refused : debug_stopped(d)->text;
	const struct wire_head head = {.kind = WIRE_SEEN,
				       .bytes = sizeof(*s->seen),
				       .orders = s->kept.orders};
	struct session *of = debug_session(d);

	seen_fill(s->seen, of, story_of(s, of->index),
		  stands ? names_of(s, of->index) : NULL);
	s->seen->speed = s->kept.speed;
	s->seen->can_go_back = debug_has_past(d);
	if (stands) {
		s->seen->state = is_over(d) ? SEEN_OVER : SEEN_STANDS;
		snprintf(s->seen->why, sizeof(s->seen->why), "%.*s",
			 (int)strcspn(why, "\n"), why);
	}
	send_screen(s, of->machine);
	if (s->fd >= 0)
		(void)wire_send(s->fd, &head, s->seen);
	s->drawing = !stands;
	s->frame_ns = session_host_ns();
}

/* --- orders --- */

static bool take_order(struct show *s, struct wire_order *o)
{
	if (!wire_get(s->fd, o, sizeof(*o))) {
		gone(s);
		return false;
	}
	s->kept.orders += wire_is_answered(o->what);
	if (o->what == WIRE_QUIT)
		s->status = (int)o->arg;
	return true;
}

static void hold(struct show *s, const struct wire_order *o)
{
	if (s->held_count < ARRAY_LEN(s->held))
		s->held[s->held_count++] = *o;
}

/* Those that may come at any time. */
static void always(struct show *s, struct debug *d, const struct wire_order *o)
{
	switch (o->what) {
	case WIRE_DREW:
		s->drawing = false;
		break;
	case WIRE_SPEED:
		s->kept.speed = (uint32_t)o->arg;
		s->pace_ns = 0;
		break;
	case WIRE_MACHINE:
		debug_drive(d, (unsigned)o->arg);
		s->screen = 0; /* the other one's */
		break;
	case WIRE_KEYS:
	case WIRE_MOUSE:
		hold(s, o);
		break;
	default:
		break;
	}
}

/* --- in mid-run --- */

static void note_place(struct places *p, struct machine *m)
{
	ps_t now = machine_now(m);

	if (p->count && p->place[p->count - 1].now >= now)
		return;
	if (p->count == PLACES) {
		for (size_t i = 0; i < PLACES / 2; i++)
			p->place[i] = p->place[2 * i];
		p->count = PLACES / 2;
	}
	p->place[p->count].now = now;
	p->place[p->count++].retired = machine_retired(m);
}

static void note_places(struct show *s, const struct session *first)
{
	for (const struct session *m = first; m; m = m->next)
		note_place(&s->places[m->index], m->machine);
}

static void run_command(struct debug *d, const char *line)
{
	FILE *nowhere = fopen("/dev/null", "w");

	CHECK(nowhere);
	debug_command(d, (struct debug_id){DEBUG_MACHINE, 1}, line, nowhere);
	fclose(nowhere);
}

static void stop_at(struct debug *d, ps_t when)
{
	char line[64];

	snprintf(line, sizeof(line), "break-at %" PRIu64 "ps", when);
	run_command(d, line);
}

static void begin(struct show *s, struct debug *d)
{
	if (s->begun)
		return;
	s->begun = true;
	if (s->options.stop_at)
		stop_at(d, s->options.stop_at);
}

/* How long the host's clock has to be waited for, in ms. */
static int ahead_ms(struct show *s, ps_t now)
{
	uint64_t host = session_host_ns();
	int64_t ahead;

	if (!s->kept.speed)
		return 0;
	ahead = (int64_t)((now - s->pace_at) / PS_PER_NS * 100 /
			  s->kept.speed) -
		(int64_t)(host - s->pace_ns);
	if (!s->pace_ns || ahead < -LATE_MAX_NS || now < s->pace_at) {
		s->pace_at = now;
		s->pace_ns = host;
		return 0;
	}
	return ahead > 0 ? (int)(ahead / 1000000) : 0;
}

/* True: it is to stand. */
static bool orders(struct show *s, struct debug *d, int timeout_ms)
{
	struct wire_order o;

	while (s->fd >= 0 && wire_waits(s->fd, timeout_ms)) {
		timeout_ms = 0;
		if (!take_order(s, &o) || o.what == WIRE_QUIT) {
			debug_kill(d);
			return false;
		}
		if (o.what == WIRE_PAUSE)
			return true;
		always(s, d, &o);
	}
	return false;
}

static bool on_wants(void *owner, struct debug *d)
{
	struct show *s = owner;
	ps_t now = session_now(debug_session(d));
	int ahead;

	begin(s, d);
	do {
		if (!s->drawing && s->fd >= 0 &&
		    session_host_ns() - s->frame_ns > FRAME_NS)
			send_seen(s, d, false, NULL);
		ahead = ahead_ms(s, now);
		if (orders(s, d, ahead < 30 ? ahead : 30))
			return true;
	} while (ahead && s->fd >= 0);
	return false;
}

/* --- where it stands --- */

static void resume(struct debug *d, enum debug_how how)
{
	const struct debug_plan plan = {
		.how = how,
		.id = {DEBUG_MACHINE, debug_stopped(d)->cpu + 1},
	};

	debug_resume(d, &plan);
}

/* Does not return if a process stands there. */
static void back_by(struct show *s, struct debug *d, ps_t by)
{
	ps_t now = machine_now(machine_of(d)), to = now > by ? now - by : 0;
	struct debug_plan plan = {
		.how = DEBUG_BACK_TO,
		.id = {DEBUG_MACHINE, debug_stopped(d)->cpu + 1},
	};
	const struct places *p = &s->places[debug_session(d)->index];
	size_t i = p->count;

	while (i && p->place[i - 1].now > to)
		i--;
	plan.low = i ? p->place[i - 1].retired : 0;
	s->kept.until = to;
	debug_resume(d, &plan);
}

/* Why a step cannot be done; NULL: it can. */
static const char *no_step(struct debug *d, enum wire_what what)
{
	if (what != WIRE_BACK_SWITCH && !debug_is_on(d))
		return "this machine is off: the others can go on, or choose "
		       "one of them to step";
	if (what != WIRE_STEP && partition_view_opaque(debug_session(d)->view))
		return "this machine has no partitions, so there is no next "
		       "switch";
	return NULL;
}

/* True: the machine goes on, or the run ends. */
static bool obey(struct show *s, struct debug *d, const struct wire_order *o)
{
	switch (o->what) {
	case WIRE_GO:
		s->pace_ns = 0;
		resume(d, DEBUG_CONTINUE);
		return true;
	case WIRE_STEP:
	case WIRE_STEP_SWITCH:
	case WIRE_BACK_SWITCH:
		if (no_step(d, o->what)) {
			send_seen(s, d, true, no_step(d, o->what));
			return false;
		}
		if (o->what != WIRE_STEP)
			run_command(d, "step-switch");
		resume(d, o->what == WIRE_STEP          ? DEBUG_STEP
			  : o->what == WIRE_STEP_SWITCH ? DEBUG_CONTINUE
							: DEBUG_BACK_CONTINUE);
		return true;
	case WIRE_BACK_STEP:
		resume(d, DEBUG_BACK_STEP);
		return true;
	case WIRE_BACK_TIME:
		back_by(s, d, o->arg);
		return true;
	default:
		always(s, d, o);
		if (wire_is_answered(o->what))
			send_seen(s, d, true, NULL);
		return false;
	}
}

static void on_serve(void *owner, struct debug *d)
{
	struct show *s = owner;
	ps_t now = machine_now(machine_of(d)), until = s->kept.until;
	struct wire_order o;

	run_command(d, "delete");
	s->kept.until = 0;
	begin(s, d);
	note_places(s, debug_session(d)->first);
	if (until > now && debug_stopped(d)->why != DEBUG_ENDED) {
		stop_at(d, until);
		resume(d, DEBUG_CONTINUE);
		return;
	}
	if (s->fd >= 0)
		send_seen(s, d, true, NULL);
	while (s->fd >= 0 && take_order(s, &o) && o.what != WIRE_QUIT) {
		if (is_over(d) && (o.what == WIRE_GO || o.what == WIRE_STEP ||
				   o.what == WIRE_STEP_SWITCH))
			break; /* there is nothing to go on with */
		if (obey(s, d, &o))
			return;
	}
	if (is_over(d))
		debug_let_go(d);
	else
		debug_kill(d);
}

static void on_end(void *owner, struct debug *d, int status)
{
	(void)d;
	(void)status;
	gone(owner);
}

/* --- going back --- */

static size_t on_save(void *owner, void *to, int *fd)
{
	const struct show *s = owner;

	memcpy(to, &s->kept, sizeof(s->kept));
	*fd = s->fd;
	return sizeof(s->kept);
}

static void on_load(void *owner, const void *from, size_t bytes, int fd)
{
	struct show *s = owner;

	CHECK(bytes == sizeof(s->kept));
	memcpy(&s->kept, from, sizeof(s->kept));
	s->fd = fd;
	s->screen = 0; /* whatever was sent last */
	s->held_count = 0;
	s->drawing = false;
}

static void on_away(void *owner)
{
	gone(owner);
}

/* --- hands --- */

static void to_input(const struct wire_order *o, ps_t now,
		     struct session_input *in)
{
	memset(in, 0, sizeof(*in));
	in->when = now;
	in->machine = (unsigned)o->arg;
	in->serial = o->what == WIRE_KEYS ? SESSION_KEYS : SESSION_MOUSE;
	in->bytes = (uint16_t)(o->bytes < WIRE_ORDER_BYTES ? o->bytes
							   : WIRE_ORDER_BYTES);
	memcpy(in->data, o->data, in->bytes);
}

/* What was typed at this instant before is typed again; new keys make another
 * future, in which what was typed later is not. */
static bool on_hands(void *owner, ps_t now, struct session_input *in)
{
	struct show *s = owner;
	struct hand_log *l = s->log;

	while (s->typed < l->count && l->input[s->typed].when < now)
		s->typed++;
	if (s->typed < l->count && l->input[s->typed].when == now) {
		*in = l->input[s->typed++];
		return true;
	}
	if (s->fd < 0 || !s->held_count)
		return false;
	if (s->typed == HANDS_MAX) {
		s->held_count = 0; /* more than anybody types */
		return false;
	}
	to_input(&s->held[0], now, in);
	memmove(s->held, s->held + 1, --s->held_count * sizeof(s->held[0]));
	l->input[s->typed++] = *in;
	l->count = s->typed;
	return true;
}

/* --- the driver --- */

static enum machine_stop on_run(void *owner, struct session *session,
				ps_t until)
{
	struct show *s = owner;

	/* On the way to a place of the past, too. */
	note_places(s, session->first);
	return s->under.run(s->under.owner, session, until);
}

static void on_record(void *owner, unsigned machine,
		      const struct trace_record *r)
{
	struct show *s = owner;

	story_note(story_of(s, machine), r);
	s->under.record(s->under.owner, machine, r);
}

/* Until the other end has seen that it is over and is gone. */
static void leave(struct show *s)
{
	struct wire_order o;

	if (s->fd < 0)
		return;
	shutdown(s->fd, SHUT_WR);
	while (s->fd >= 0 && take_order(s, &o))
		; /* whatever was still pressed */
}

static void on_over(void *owner, struct session *session,
		    const struct error *err)
{
	struct show *s = owner;

	s->under.over(s->under.owner, session, err);
	leave(s);
}

static void on_went_back(void *owner)
{
	struct show *s = owner;

	s->under.went_back(s->under.owner);
}

const struct session_driver *show_driver(struct show *s, struct debug *d)
{
	s->under = *debug_driver(d);
	s->driver = (struct session_driver){
		.run = on_run,
		.record = on_record,
		.went_back = on_went_back,
		.over = on_over,
		.owner = s,
	};
	return &s->driver;
}

const struct debug_front *show_front(struct show *s)
{
	return &s->front;
}

const struct session_hands *show_hands(struct show *s)
{
	return &s->hands;
}

struct show *show_create(int fd, const struct show_options *o)
{
	struct show *s = calloc(1, sizeof(*s));

	CHECK_MSG(s, "out of memory for the show");
	s->fd = fd;
	s->options = *o;
	s->kept.speed = o->speed;
	s->seen = calloc(1, sizeof(*s->seen));
	s->log = mmap(NULL, sizeof(*s->log), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK_MSG(s->seen && s->log != MAP_FAILED, "out of memory");
	s->hands = (struct session_hands){.next = on_hands, .owner = s};
	s->front = (struct debug_front){
		.serve = on_serve,
		.wants = on_wants,
		.end = on_end,
		.save = on_save,
		.load = on_load,
		.away = on_away,
		.drives = true,
		.owner = s,
	};
	return s;
}

int show_status(const struct show *s)
{
	return s->status;
}

void show_destroy(struct show *s)
{
	if (!s)
		return;
	gone(s);
	for (size_t i = 0; i < SEEN_MACHINES; i++) {
		story_free(s->story[i]);
		seen_names_free(s->names[i]);
	}
	munmap(s->log, sizeof(*s->log));
	free(s->seen);
	free(s);
}
