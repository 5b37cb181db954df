/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/journal.c - the log, asked of diagnostics on a log channel, and
 * shown line by line as it comes. */
#include "operations/operations.h"

#include "lib/log.h"
#include "lib/report.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define LINES_USUAL 20
#define LINES_MAX   1000

static struct channel channel;
static bool waiting;
static uint64_t shown;

bool journal_attach(const struct control_message *event)
{
	uint64_t handle = event->attach.handle;
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[handle % CHANNEL_SLOTS];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	int64_t va;

	if (handle == 0 || handle >= CHANNEL_SLOTS || vc->id == 0 ||
	    vc->server || vc->type != CHANNEL_LOG)
		return false;
	channel_close(&channel);
	if (waiting)
		logf_("error: log: diagnostics went away: try again");
	waiting = false;
	if (event->id != EVT_CHANNEL_RESUME)
		return true;
	va = sys_channel_map((unsigned)handle);
	if (va >= 0)
		(void)channel_attach(&channel, (void *)(uintptr_t)va,
				     (unsigned)handle, CHANNEL_LOG, &who);
	return true;
}

/* log [NAME] [N] */
void journal_log(const struct words *w)
{
	struct log_request r = {.count = LINES_USUAL};
	const char *last = w->word[w->count - 1];
	bool counted = w->count > 1 && last[0] >= '0' && last[0] <= '9';

	if (w->count > 3 || (w->count == 3 && !counted)) {
		logf_("error: write: log [NAME] [N]");
		return;
	}
	if (counted && !number(last, LINES_MAX, &r.count))
		return;
	if (w->count - counted == 2)
		str_field(r.name, w->word[1], sizeof(r.name));
	if (channel.header == NULL || !queue_insert(&channel.queue[0], &r)) {
		logf_("error: there is no diagnostics partition that keeps a "
		      "log: try list");
		return;
	}
	waiting = true;
	shown = 0;
}

static void show(const struct log_entry *e)
{
	char name[16], text[LOG_TEXT_BYTES];

	if (e->type == LOG_END) {
		logf_("%lu lines", shown);
		waiting = false;
		return;
	}
	str_field(name, e->name, sizeof(name));
	str_field(text, e->text, sizeof(text));
	logf_("%8llu us %s: %s", e->time_ns / US, name, text);
	shown++;
}

bool journal_serve(void)
{
	struct log_entry e;

	/* One at a time: the console is slower than this. */
	if (channel.header == NULL || !queue_remove(&channel.queue[1], &e))
		return false;
	report_quiet(true);
	if (waiting)
		show(&e);
	report_quiet(false);
	return true;
}

bool journal_sleep(void)
{
	return channel.header == NULL || queue_sleep(&channel.queue[1]);
}

void journal_awake(void)
{
	if (channel.header != NULL)
		queue_awake(&channel.queue[1]);
}

bool journal_waiting(void)
{
	return waiting;
}
