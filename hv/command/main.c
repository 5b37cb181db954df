/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/main.c - the command partition: decides, by the policy, and asks
 * the ultravisor for it in transactions.  Start reading here; then command.h.
 *
 * It knows the machine by three ways: it asks for all partitions and channels
 * when it starts (TXN_QUERY), it hears of their ends (EVT_PARTITION_STATE), and
 * it watches the beats of the I/O partitions.
 */
#include "command/command.h"

#include "lib/log.h"
#include "lib/report.h"
#include "lib/view.h"

#define ATTACH_NS       (50 * US)
#define EXIT_NO_CONTROL 1

void partition_main(void);
void command_main_loop(void);

struct control control;
uint64_t view_seen = ~0ull;

/* ---- channels of this partition ----------------------------------------- */

static struct part *part_of_beat(uint64_t handle)
{
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && handle != 0 &&
		    parts[i].beat_handle == handle)
			return &parts[i];
	}
	return NULL;
}

static bool attach(struct channel *ch, unsigned handle, uint32_t type)
{
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	int64_t va = sys_channel_map(handle);

	if (va < 0)
		return false;
	return channel_attach(ch, (void *)(uintptr_t)va, handle, type, &who) ==
	       CHANNEL_OPEN;
}

/* Find what the view gives, attach what is ready.  False: something isn't. */
static bool attach_all(void)
{
	const struct view *view = view_now();
	bool look_again = view_seen != view_generation();
	bool all;

	view_seen = view_generation();
	for (unsigned h = 1; look_again && h < CHANNEL_SLOTS; h++) {
		const struct view_channel *vc = &view->channel[h];
		struct part *p = find_number(vc->peer);

		if (vc->id == 0 || vc->server)
			continue;
		if (vc->type == CHANNEL_POLICY)
			rules_found(h);
		if (vc->type == CHANNEL_HEARTBEAT && p != NULL)
			p->beat_handle = h;
	}
	all = rules_attach();
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		struct part *p = &parts[i];

		if (!p->used || p->beat_handle == 0 || p->beat_paused ||
		    p->beat.header != NULL)
			continue;
		if (!attach(&p->beat, p->beat_handle, CHANNEL_HEARTBEAT))
			all = false;
		else
			beats_begin(p);
	}
	return all;
}

static uint32_t on_pause(const struct control_message *event)
{
	uint64_t handle = event->attach.handle;
	bool pause = event->id == EVT_CHANNEL_PAUSE;
	struct part *p = part_of_beat(handle);

	if (report_event(event) || rules_pause(handle, pause))
		return CONTROL_OK;
	if (p == NULL)
		return CONTROL_ENOENT;
	p->beat_paused = pause;
	channel_close(&p->beat);
	return CONTROL_OK;
}

static bool serve_control(void)
{
	struct control_message message;
	bool any = false;

	while (control_event(&control, &message)) {
		uint32_t status = CONTROL_OK;

		any = true;
		switch (message.id) {
		case EVT_PARTITION_STATE:
			on_state(&message);
			break;
		case EVT_CHANNEL_SLOW:
			on_complaint(&message);
			break;
		case EVT_DMA_FAULT:
			on_dma_fault(&message);
			break;
		case EVT_CHANNEL_PAUSE:
		case EVT_CHANNEL_RESUME:
			(void)attach_all(); /* so that the handle is known */
			status = on_pause(&message);
			break;
		case EVT_STOP:
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
	while (control_response(&control, &message)) {
		any = true;
		on_response(&message);
	}
	return any;
}

/* ---- the loop ----------------------------------------------------------- */

/* While a question has to wait for an answer (a guest is being made, say), what
 * is known of the I/O partitions is enough to act on. */
static void decide(uint64_t now)
{
	if (have_policy) {
		decide_complaints(now);
		decide_io(now);
	}
	if (learn_due)
		return;
	decide_restarts(now);
	if (!have_policy)
		return;
	decide_schedule(now);
	decide_trunk();
	decide_guests(now);
	decide_off(now);
}

/* When something that was put off is due: a restart is not to wait for the next
 * look at the beats. */
static uint64_t due(uint64_t now)
{
	uint64_t at = guests_due(now), complaints = complaints_due();

	at = complaints < at ? complaints : at;

	for (unsigned i = 0; i < PARTS_MAX; i++) {
		if (parts[i].used && parts[i].again_ns > now &&
		    parts[i].again_ns < at)
			at = parts[i].again_ns;
	}
	return at;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

__attribute__((noinline)) void command_main_loop(void)
{
	for (;;) {
		uint64_t now = sys_time();
		uint64_t deadline = now + (uint64_t)policy.heartbeat_us * US;
		bool busy, empty;

		busy = serve_control();
		if (learn_due && !unanswered()) {
			learn_due = false;
			learn();
		}
		if (!attach_all())
			deadline = now + ATTACH_NS;
		busy |= rules_serve(now);
		decide(now);
		deadline = sooner(deadline, due(now));
		if (have_policy)
			deadline = sooner(deadline, look_ns);
		if (!log_flush())
			deadline = sooner(deadline, now + LOG_RETRY_NS);
		if (busy)
			continue;
		empty = control_sleep(&control);
		empty &= rules_sleep();
		if (empty)
			(void)sys_wait(~0ull, deadline);
		control_awake(&control);
		rules_awake();
	}
}

void partition_main(void)
{
	if (!control_open(&control)) {
		logf_("command: control channel doesn't fit");
		log_drain();
		sys_exit(EXIT_NO_CONTROL);
	}
	policy.heartbeat_us = 250; /* until the policy says */
	learn();
	logf_("command: ready");
	command_main_loop();
}
