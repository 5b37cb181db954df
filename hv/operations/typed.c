/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/typed.c - the server's end of the guests' console channels:
 * what the operator types for a guest goes there, a line at a time.  What a
 * guest says is on the machine's console anyway.
 *
 * Nobody waits for a guest: one that does not read has room for CONSOLE_SLOTS -
 * 1 lines, and the next one is refused.
 */
#include "command/policy.h"
#include "operations/operations.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

static struct {
	struct channel channel;
	uint64_t client; /* its number */
} consoles[POLICY_GUESTS_MAX];
#define CONSOLES (sizeof(consoles) / sizeof(consoles[0]))

static uint64_t diverted_to;
static char diverted_name[16];

/* ---- channels ----------------------------------------------------------- */

uint32_t typed_attach(const struct control_attachment *a)
{
	for (unsigned i = 0; i < CONSOLES; i++) {
		if (consoles[i].channel.header != NULL)
			continue;
		if (channel_serve(&consoles[i].channel, a->at, a->handle,
				  CHANNEL_CONSOLE, &a->who) != CHANNEL_OPEN)
			return CONTROL_EVALUE;
		consoles[i].client = a->who.client;
		return CONTROL_OK;
	}
	return CONTROL_ELIMIT;
}

void typed_detach(uint64_t handle)
{
	for (unsigned i = 0; i < CONSOLES; i++) {
		struct channel *ch = &consoles[i].channel;

		if (ch->header == NULL || ch->handle != handle)
			continue;
		channel_drained(ch);
		channel_close(ch);
	}
}

static struct channel *console_of(uint64_t client)
{
	for (unsigned i = 0; i < CONSOLES; i++) {
		if (consoles[i].channel.header != NULL &&
		    consoles[i].client == client)
			return &consoles[i].channel;
	}
	return NULL;
}

/* ---- lines -------------------------------------------------------------- */

/* By name; false, and said: there is no such guest. */
static bool ask_guest(const char *name, uint64_t row[8])
{
	if (!ask_partition(name, row))
		return false;
	if (row[1] != PART_GUEST)
		logf_("error: %s is no guest", name);
	return row[1] == PART_GUEST;
}

/* False, and said: it does not get there. */
static bool send_line(uint64_t client, const char *name, const char *text)
{
	struct channel *ch = console_of(client);
	struct console_line line = {.bytes = (uint32_t)strlen(text)};

	if (ch == NULL) {
		logf_("error: %s has no console open: its policy needs "
		      "\"channel %s console operations\"",
		      name, name);
		return false;
	}
	if (line.bytes > CONSOLE_TEXT_BYTES) {
		logf_("error: a line for a guest has at most %u characters",
		      CONSOLE_TEXT_BYTES);
		return true;
	}
	memcpy(line.text, text, line.bytes);
	if (queue_insert(&ch->queue[0], &line))
		return true;
	logf_("error: %s reads nothing: %u lines wait for it", name,
	      CONSOLE_SLOTS - 1);
	return false;
}

/* type NAME WORD... */
void typed_type(const struct words *w)
{
	char text[LINE_BYTES];
	uint64_t row[8];
	size_t n = 0;

	if (w->count < 3) {
		logf_("error: write: type NAME WORD ...");
		return;
	}
	if (!ask_guest(w->word[1], row))
		return;
	for (unsigned i = 2; i < w->count; i++) {
		for (const char *c = w->word[i]; *c != '\0'; c++)
			text[n++] = *c;
		text[n++] = ' ';
	}
	text[n - 1] = '\0';
	(void)send_line(row[0], w->word[1], text);
}

static bool divert_line(const char *text)
{
	if (strcmp(text, ".") == 0) {
		logf_("the operator's console again");
		return false;
	}
	return send_line(diverted_to, diverted_name, text);
}

/* console NAME */
void typed_console(const struct words *w)
{
	uint64_t row[8];

	if (w->count != 2) {
		logf_("error: write: console NAME");
		return;
	}
	if (!ask_guest(w->word[1], row))
		return;
	if (console_of(row[0]) == NULL) {
		(void)send_line(row[0], w->word[1], "");
		return;
	}
	diverted_to = row[0];
	str_field(diverted_name, w->word[1], sizeof(diverted_name));
	logf_("lines go to %s; one with . alone ends that, or Ctrl-C",
	      diverted_name);
	console_divert(divert_line);
}
