/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/main.c - the operations partition: keeps the policy, and is the
 * operator's console.  Start reading here; then operations.h.
 *
 * The policy is the module that the partition was given (view.data_va), or what
 * the operator loaded since; on a policy channel it is handed to whoever asks.
 * What it says is the command partition's business alone: a new text is kept
 * only when command has taken it.  When this partition was started anew,
 * command tells which text it goes by.
 */
#include "operations/operations.h"

#include "lib/crc.h"
#include "lib/log.h"
#include "lib/report.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define EXIT_NO_CONTROL 1

void partition_main(void);
void operations_main_loop(void);

struct control control;
char policy_text[POLICY_BYTES_MAX];
uint32_t policy_bytes;

static struct channel policy_channel;
static char offered[POLICY_BYTES_MAX]; /* to command, unanswered */
static uint32_t offered_bytes;
static bool stopping;

/* ---- policy ------------------------------------------------------------- */

bool policy_send(uint32_t type, uint64_t version, const char *bytes,
		 uint32_t count)
{
	struct policy_message m = {
		.type = type, .bytes = count, .version = version};

	if (policy_channel.header == NULL)
		return false;
	memcpy(channel_data(&policy_channel, 0), bytes, count);
	if (type == POLICY_LOAD) {
		memcpy(offered, bytes, count);
		offered_bytes = count;
	}
	return queue_insert(&policy_channel.queue[1], &m);
}

static void keep(const char *text, uint32_t bytes)
{
	memcpy(policy_text, text, bytes);
	policy_bytes = bytes;
}

static void on_policy(const struct policy_message *m)
{
	char sentence[180];
	const void *at = channel_data(&policy_channel, POLICY_TEXT_PAGES);
	uint32_t n =
		m->bytes < sizeof(sentence) ? m->bytes : sizeof(sentence) - 1;

	switch (m->type) {
	case POLICY_GET:
		/* With no room command has not taken earlier answers; it will
		 * ask again. */
		(void)policy_send(POLICY_TEXT,
				  crc32c(0, policy_text, policy_bytes),
				  policy_text, policy_bytes);
		break;
	case POLICY_HELD:
		if (m->bytes <= sizeof(policy_text))
			keep(at, m->bytes);
		break;
	case POLICY_DONE:
		memcpy(sentence, at, n);
		sentence[n] = '\0';
		if (m->status == 0 && offered_bytes > 0)
			keep(offered, offered_bytes);
		offered_bytes = 0;
		ask_done(m, sentence);
		break;
	default:
		break;
	}
}

static bool serve_policy(void)
{
	struct policy_message m;
	bool any = false;

	while (policy_channel.header != NULL &&
	       queue_remove(&policy_channel.queue[0], &m)) {
		on_policy(&m);
		any = true;
	}
	return any;
}

/* ---- channels ----------------------------------------------------------- */

static uint32_t on_attach(const struct control_message *event)
{
	struct control_attachment a;
	uint32_t status = control_attach(event, &a);

	if (status != CONTROL_OK)
		return status;
	if (a.row->type == CHANNEL_CONSOLE)
		return typed_attach(&a);
	if (a.row->type != CHANNEL_POLICY ||
	    channel_serve(&policy_channel, a.at, a.handle, a.row->type,
			  &a.who) != CHANNEL_OPEN)
		return CONTROL_EVALUE;
	return CONTROL_OK;
}

static uint32_t on_detach(uint64_t handle)
{
	if (handle >= CHANNEL_SLOTS)
		return CONTROL_EVALUE;
	if (policy_channel.header != NULL && policy_channel.handle == handle) {
		channel_drained(&policy_channel);
		channel_close(&policy_channel);
	}
	typed_detach(handle);
	(void)sys_channel_unmap((unsigned)handle);
	return CONTROL_OK;
}

static bool serve_control(void)
{
	struct control_message m;
	bool any = false;

	while (control_event(&control, &m)) {
		uint32_t status = CONTROL_OK;

		any = true;
		switch (m.id) {
		case EVT_PARTITION_STATE: /* diagnostics tells of it */
			break;
		case EVT_CHANNEL_ATTACH:
			status = on_attach(&m);
			break;
		case EVT_CHANNEL_DETACH:
			status = on_detach(m.attach.handle);
			break;
		case EVT_CHANNEL_PAUSE:
		case EVT_CHANNEL_RESUME:
			if (!report_event(&m) && !journal_attach(&m))
				status = CONTROL_ENOENT;
			break;
		case EVT_STOP:
			stopping = true;
			break;
		default:
			status = CONTROL_EID;
			break;
		}
		control_ack(&control, &m, status);
	}
	while (control_response(&control, &m)) {
		any = true;
		ask_response(&m);
	}
	return any;
}

/* ---- the loop ----------------------------------------------------------- */

static void stop(void)
{
	logf_("operations: stops");
	log_drain();
	sys_exit(0);
}

__attribute__((noinline)) void operations_main_loop(void)
{
	for (;;) {
		bool busy = serve_control(), empty;
		uint64_t deadline;

		busy |= serve_policy();
		busy |= journal_serve();
		busy |= console_serve();
		deadline = ask_deadline(sys_time());
		if (!log_flush() && sys_time() + LOG_RETRY_NS < deadline)
			deadline = sys_time() + LOG_RETRY_NS;
		if (busy)
			continue;
		if (stopping)
			stop();
		empty = control_sleep(&control);
		empty &= journal_sleep();
		if (policy_channel.header != NULL)
			empty &= queue_sleep(&policy_channel.queue[0]);
		if (empty) {
			uint64_t events = sys_wait(~0ull, deadline);

			stopping |= (events & EVENT_STOP) != 0;
		}
		if (policy_channel.header != NULL)
			queue_awake(&policy_channel.queue[0]);
		journal_awake();
		control_awake(&control);
	}
}

void partition_main(void)
{
	const struct view *view = view_now();

	if (!control_open(&control)) {
		logf_("operations: control channel doesn't fit");
		log_drain();
		sys_exit(EXIT_NO_CONTROL);
	}
	if (view->data_bytes > sizeof(policy_text))
		logf_("operations: policy of %lu bytes, only %u fit",
		      view->data_bytes, POLICY_BYTES_MAX);
	else if (view->data_bytes > 0)
		keep((const char *)(uintptr_t)view->data_va,
		     (uint32_t)view->data_bytes);
	logf_("operations: ready, policy of %u bytes", policy_bytes);
	operations_main_loop();
}
