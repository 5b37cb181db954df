/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/semantic.c - an event without when and where: name and fields,
 * partitions by name; no handle, address or instant of this one run.
 *
 * What depends on time alone is left out: switches, heartbeats, system calls
 * (a partition polls, asks for the time), the hardware's events, and a channel
 * whose client is about to attach: it is seen on the way or is not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/parterre/golden.h"

/* Fields that name a partition by its index. */
static bool names_partition(const char *field)
{
	return strcmp(field, "of") == 0 || strcmp(field, "client") == 0 ||
	       strcmp(field, "server") == 0;
}

static bool left_out(const char *field)
{
	static const char *const names[] = {
		"address", "rip", "handle",    "error", "generation", "w0",
		"w1",      "w2",  "w3",        "w4",    "w5",         "p0",
		"p1",      "p2",  "requester", "number"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(field, names[i]) == 0)
			return true;
	}
	return false;
}

#define ATTACHING 2 /* hv/abi/channel.h */

static bool attaching(const struct trace_record *r)
{
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (strcmp(r->kind->field[i].name, "client_state") == 0)
			return r->value[i].u == ATTACHING;
	}
	return false;
}

static bool is_semantic(const struct trace_record *r, bool *landmark)
{
	*landmark = false;
	switch (r->kind->number) {
	case TRACE_EV_CHANNEL:
		*landmark = !attaching(r);
		return *landmark;
	case TRACE_EV_PARTITION:
	case TRACE_EV_STATE:
	case TRACE_EV_DONE:
	case TRACE_EV_CONSOLE:
	case TRACE_EV_FAULT:
	case TRACE_EV_VIOLATION:
	case TRACE_EV_OFF:
	case TRACE_EV_RESET:
		*landmark = true;
		return true;
	case TRACE_EV_TRANSACTION:
	case TRACE_EV_MESSAGE:
	case TRACE_EV_BLOCK_REQUEST:
	case TRACE_EV_BLOCK_RESPONSE:
	case TRACE_EV_ISSUED:
	case TRACE_EV_COMMITTED:
	case TRACE_EV_CONTROL:
		return true;
	default:
		return false;
	}
}

/* A line of text, quoted; an instant in it ("at 15585 us") is only when. */
static size_t put_text(char *to, size_t bytes, const char *text)
{
	size_t n = 0;

	if (bytes)
		to[n++] = '"';
	while (*text && n + 2 < bytes) {
		size_t digits = strspn(text, "0123456789");
		const char *unit = text + digits;

		if (digits && unit[0] == ' ' && unit[1] && unit[2] == 's' &&
		    strchr("num", unit[1])) {
			to[n++] = '#';
			text = unit;
		} else if (digits) {
			while (digits-- && n + 2 < bytes)
				to[n++] = *text++;
		} else {
			to[n++] = *text >= ' ' && *text <= '~' ? *text : '?';
			text++;
		}
	}
	if (n + 1 < bytes) {
		to[n++] = '"';
		to[n] = '\0';
	}
	return n;
}

bool semantic_text(const struct source *s, const struct trace_record *r,
		   char *text, size_t bytes, bool *landmark)
{
	size_t n;

	if (!is_semantic(r, landmark))
		return false;
	n = (size_t)snprintf(text, bytes, "%s", r->kind->name);
	for (unsigned i = 0; i < r->kind->field_count && n < bytes; i++) {
		const struct trace_field *f = &r->kind->field[i];

		if (left_out(f->name))
			continue;
		n += (size_t)snprintf(text + n, bytes - n, " %s=", f->name);
		if (n >= bytes)
			break;
		if (f->kind == TRACE_STR)
			n += put_text(text + n, bytes - n, r->value[i].s);
		else if (s && names_partition(f->name))
			n += (size_t)snprintf(text + n, bytes - n, "%s",
					      source_name(s, r->value[i].u));
		else
			n += (size_t)snprintf(text + n, bytes - n, "%" PRIu64,
					      r->value[i].u);
	}
	return true;
}
