/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/main.c - the operations partition: keeps the policy, gathers
 * diagnostics.
 *
 * The policy is the module that the partition was given (view.data_va); on a
 * policy channel it is handed to whoever asks.  What it says is the command
 * partition's business alone.
 *
 * On diagnostics channels it takes every record as soon as it can, so that no
 * client has to wait for room, and counts them by stream.
 */
#include <stdbool.h>
#include <stddef.h>

#include "lib/channel.h"
#include "lib/control.h"
#include "lib/crc.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define STREAMS          16
#define POLICY_BYTES_MAX (POLICY_DATA_PAGES * ABI_PAGE_BYTES)

void partition_main(void);
void operations_main_loop(void);

static struct control control;
static struct channel served[CHANNEL_SLOTS];
static struct {
	bool used;
	uint64_t stream, issued, committed;
} streams[STREAMS];
static uint64_t notes, records;
static bool stopping;

static uint32_t on_attach(const struct control_message *event)
{
	struct control_attachment a;
	uint32_t status = control_attach(event, &a);

	if (status != CONTROL_OK)
		return status;
	if ((a.row->type != CHANNEL_POLICY && a.row->type != CHANNEL_DIAG) ||
	    channel_serve(&served[a.handle], a.at, a.handle, a.row->type,
			  &a.who) != CHANNEL_OPEN)
		return CONTROL_EVALUE;
	return CONTROL_OK;
}

/* ---- diagnostics ---- */

static unsigned stream_of(uint64_t number)
{
	unsigned i = 0;

	while (i < STREAMS - 1 && streams[i].used &&
	       streams[i].stream != number)
		i++;
	streams[i].used = true;
	streams[i].stream = number;
	return i;
}

static void on_record(const struct diag_record *r)
{
	unsigned i;

	records++;
	switch (r->type) {
	case DIAG_ISSUED:
		streams[stream_of(r->stream)].issued++;
		break;
	case DIAG_COMMITTED:
		streams[stream_of(r->stream)].committed++;
		break;
	case DIAG_DONE:
		i = stream_of(r->stream);
		logf_("operations: stream %lu: %lu issued, %lu committed",
		      r->stream, streams[i].issued, streams[i].committed);
		break;
	default:
		notes++;
		break;
	}
}

static bool drain(struct channel *ch)
{
	struct diag_record r;
	bool any = false;

	for (unsigned i = 0; i < DIAG_SLOTS; i++) {
		if (!queue_remove(&ch->queue[0], &r))
			break;
		on_record(&r);
		any = true;
	}
	return any;
}

/* ---- policy ---- */

static void send_policy(struct channel *ch)
{
	const struct view *view = view_now();
	uint64_t bytes = view->data_bytes;
	struct policy_message answer = {.type = POLICY_TEXT};

	if (bytes > POLICY_BYTES_MAX) {
		logf_("operations: policy of %lu bytes, only %u fit", bytes,
		      POLICY_BYTES_MAX);
		bytes = 0;
	}
	if (bytes > 0)
		memcpy(channel_data(ch, 0),
		       (const void *)(uintptr_t)view->data_va, bytes);
	answer.bytes = (uint32_t)bytes;
	answer.version = crc32c(0, channel_data(ch, 0), bytes);
	/* With no room the client has not taken earlier answers; it will ask
	 * again. */
	(void)queue_insert(&ch->queue[1], &answer);
}

static bool serve_policy(struct channel *ch)
{
	struct policy_message message;
	bool any = false;

	for (unsigned i = 0; i < POLICY_SLOTS; i++) {
		if (!queue_remove(&ch->queue[0], &message))
			break;
		if (message.type == POLICY_GET)
			send_policy(ch);
		any = true;
	}
	return any;
}

/* ---- the loop ---- */

static bool serve_channel(struct channel *ch)
{
	if (ch->header == NULL)
		return false;
	return ch->type == CHANNEL_DIAG ? drain(ch) : serve_policy(ch);
}

static bool serve_control(void)
{
	struct control_message message;
	bool any = false;

	while (control_event(&control, &message)) {
		uint32_t status = CONTROL_OK;
		uint64_t handle = message.attach.handle;

		any = true;
		switch (message.id) {
		case EVT_CHANNEL_ATTACH:
			status = on_attach(&message);
			break;
		case EVT_CHANNEL_DETACH:
			if (handle >= CHANNEL_SLOTS) {
				status = CONTROL_EVALUE;
				break;
			}
			if (served[handle].header != NULL) {
				while (served[handle].type == CHANNEL_DIAG &&
				       drain(&served[handle]))
					;
				channel_drained(&served[handle]);
				channel_close(&served[handle]);
			}
			(void)sys_channel_unmap((unsigned)handle);
			break;
		case EVT_STOP:
			stopping = true;
			break;
		default:
			status = CONTROL_EID;
			break;
		}
		control_ack(&control, &message, status);
	}
	while (control_response(&control, &message))
		any = true;
	return any;
}

__attribute__((noinline)) void operations_main_loop(void)
{
	for (;;) {
		bool busy = serve_control(), empty = true;
		uint64_t deadline = TIME_NEVER;

		for (unsigned h = 0; h < CHANNEL_SLOTS; h++)
			busy |= serve_channel(&served[h]);
		if (!log_flush())
			deadline = sys_time() + LOG_RETRY_NS;
		if (busy)
			continue;
		if (stopping) {
			logf_("operations: stops after %lu records, %lu notes",
			      records, notes);
			log_drain();
			sys_exit(0);
		}
		for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
			if (served[h].header != NULL)
				empty &= queue_sleep(&served[h].queue[0]);
		}
		empty &= control_sleep(&control);
		if (empty) {
			uint64_t events = sys_wait(~0ull, deadline);

			stopping |= (events & EVENT_STOP) != 0;
		}
		for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
			if (served[h].header != NULL)
				queue_awake(&served[h].queue[0]);
		}
		control_awake(&control);
	}
}

void partition_main(void)
{
	if (!control_open(&control)) {
		logf_("operations: control channel doesn't fit");
		log_drain();
		sys_exit(1);
	}
	logf_("operations: ready, policy of %lu bytes", view_now()->data_bytes);
	operations_main_loop();
}
