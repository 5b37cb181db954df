/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/main.c - the I/O partition: one image, run as io.a and as io.b.
 *
 * It owns one NVMe controller and serves block channels from it; it switches
 * frames between its network channels and the network card that it was given,
 * if it was given one, at once or later; on its heartbeat channel it counts
 * server_beat up.  The beat is made by the main loop and nowhere else: a
 * program that no longer comes round its loop no longer beats.
 *
 * It does what the ultravisor's events say and decides nothing.  When its
 * controller is lost it stops: its guests are better off on the other path.
 */
#include "io/block.h"
#include "io/nvme.h"
#include "io/port.h"
#include "io/trunk.h"
#include "io/virtio_net.h"
#include "lib/channel.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/report.h"
#include "lib/sys.h"
#include "lib/view.h"

/* A sleeper beats so often; one at work sooner, so that the CPU time that it
 * has had since its last beat is never much (hv/command/failover.c). */
#define BEAT_NS          HEARTBEAT_NS
#define BEAT_BUSY_NS     (25 * US)
#define BLOCKED_RETRY_NS (20 * US)

/* Exit codes. */
#define EXIT_NO_DISK    2
#define EXIT_DISK_LOST  3
#define EXIT_NO_CONTROL 4

void partition_main(void);
void io_main_loop(void);

static struct control control;

/* One for each channel handle: heartbeat ends, and events not yet answered. */
static struct channel heartbeat[CHANNEL_SLOTS];
static struct {
	bool asked;
	struct control_message event;
} detach[CHANNEL_SLOTS];
static unsigned detaching; /* of these: asked */

static uint64_t beat_ns; /* the last */
static bool stopping;

static uint32_t on_attach(const struct control_message *event)
{
	struct control_attachment a;
	uint32_t status = control_attach(event, &a);

	if (status != CONTROL_OK)
		return status;
	switch (a.row->type) {
	case CHANNEL_BLOCK:
		if (!block_attach(a.handle, a.at, view_now()))
			return CONTROL_EVALUE;
		break;
	case CHANNEL_NETWORK:
		if (!port_attach(a.handle, a.at, view_now()))
			return CONTROL_EVALUE;
		break;
	case CHANNEL_HEARTBEAT:
		if (channel_serve(&heartbeat[a.handle], a.at, a.handle,
				  CHANNEL_HEARTBEAT, &a.who) != CHANNEL_OPEN)
			return CONTROL_EVALUE;
		break;
	default:
		return CONTROL_EVALUE;
	}
	return CONTROL_OK;
}

/* Acknowledge the detachments whose last disk command has ended. */
static bool finish_detaches(void)
{
	bool any = false;

	for (unsigned h = 0; detaching > 0 && h < CHANNEL_SLOTS; h++) {
		if (!detach[h].asked || !block_drained(h) || !port_drained(h))
			continue;
		if (heartbeat[h].header != NULL) {
			channel_drained(&heartbeat[h]);
			channel_close(&heartbeat[h]);
		}
		(void)sys_channel_unmap(h);
		control_ack(&control, &detach[h].event, CONTROL_OK);
		detach[h].asked = false;
		detaching--;
		any = true;
	}
	return any;
}

static bool serve_control(void)
{
	struct control_message message;
	bool any = false;

	while (control_event(&control, &message)) {
		any = true;
		switch (message.id) {
		case EVT_CHANNEL_ATTACH:
			control_ack(&control, &message, on_attach(&message));
			break;
		case EVT_CHANNEL_DETACH:
			if (message.attach.handle >= CHANNEL_SLOTS) {
				control_ack(&control, &message, CONTROL_EVALUE);
				break;
			}
			block_detach((unsigned)message.attach.handle);
			port_detach((unsigned)message.attach.handle);
			detaching += !detach[message.attach.handle].asked;
			detach[message.attach.handle].asked = true;
			detach[message.attach.handle].event = message;
			break;
		case EVT_CHANNEL_PAUSE:
		case EVT_CHANNEL_RESUME:
			control_ack(&control, &message,
				    report_event(&message) ||
						    trunk_event(&message)
					    ? CONTROL_OK
					    : CONTROL_ENOENT);
			break;
		case EVT_STOP:
			stopping = true;
			control_ack(&control, &message, CONTROL_OK);
			break;
		default:
			control_ack(&control, &message, CONTROL_EID);
			break;
		}
	}
	/* Nothing is asked here; answers to others would fill the queue. */
	while (control_response(&control, &message))
		any = true;
	return any;
}

static void beat(uint64_t now)
{
	struct vcpu_time t;

	if (now < beat_ns + BEAT_BUSY_NS)
		return;
	beat_ns = now;
	(void)sys_vtime(&t);
	for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
		volatile struct channel_header *header = heartbeat[h].header;

		if (header == NULL)
			continue;
		header->server_beat_ns = t.now_ns + t.offset_ns;
		header->server_ran_ns = t.run_ns;
		header->server_beat = header->server_beat + 1;
	}
}

static void stop(uint64_t code)
{
	logf_("io: stops after %lu requests", block_answered());
	log_drain();
	sys_exit(code);
}

/* Everything that an I/O partition does happens in here. */
__attribute__((noinline)) void io_main_loop(void)
{
	for (;;) {
		bool busy = false, empty;
		uint64_t deadline, now = sys_time();

		beat(now);
		busy |= serve_control();
		if (!nvme_poll(now, block_done))
			stop(EXIT_DISK_LOST);
		busy |= block_run(now);
		busy |= switch_run();
		busy |= finish_detaches();
		if (stopping && nvme_outstanding() == 0) {
			nvme_close();
			virtio_net_close();
			stop(0);
		}
		deadline = beat_ns + BEAT_NS;
		if (!log_flush() && now + LOG_RETRY_NS < deadline)
			deadline = now + LOG_RETRY_NS;
		if ((block_blocked() || ports_blocked() || trunk_wanted()) &&
		    now + BLOCKED_RETRY_NS < deadline)
			deadline = now + BLOCKED_RETRY_NS;
		if (busy)
			continue;
		/* Both must ask for events, whatever the first finds. */
		empty = block_sleep();
		empty &= switch_sleep();
		empty &= control_sleep(&control);
		if (empty) {
			uint64_t events = sys_wait(~0ull, deadline);

			stopping |= (events & EVENT_STOP) != 0;
			if (events & EVENT_VIEW)
				virtio_net_look();
		}
		block_awake();
		switch_awake();
		control_awake(&control);
	}
}

void partition_main(void)
{
	const struct view *view = view_now();
	unsigned index = 0;

	if (!control_open(&control)) {
		logf_("io: control channel doesn't fit");
		stop(EXIT_NO_CONTROL);
	}
	while (index < DEVICE_SLOTS &&
	       (view->device[index].id == 0 ||
		view->device[index].class_code != NVME_CLASS))
		index++;
	if (index == DEVICE_SLOTS) {
		logf_("io: no NVMe controller was given");
		stop(EXIT_NO_DISK);
	}
	if (!nvme_open(index))
		stop(EXIT_NO_DISK);
	virtio_net_look();
	logf_("io: ready");
	io_main_loop();
}
