/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_input.c - what people type while a run is under way.
 *
 * The host decides when that is, so it goes through one door: at multiples of
 * SESSION_INPUT_PS of virtual time whatever is there is taken, and noted with
 * its instant and place.  A run that is given these notes (--input, replay)
 * does not ask the host and is the same run.
 *
 * input.txt: "parterre-input 1", then a line for each taking: "input PS MACHINE
 * SERIAL HEX" (machines are numbered from 0), or "quit PS".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "devices/i8042.h"
#include "sim/check.h"
#include "sim/scenario/session_internal.h"

#define HEADER "parterre-input 1"

/* --- notes --- */

void session_input_put(FILE *to, const struct session_input *in)
{
	if (in->quit) {
		fprintf(to, "quit %" PRIu64 "\n", in->when);
		return;
	}
	fprintf(to, "input %" PRIu64 " %u %u ", in->when, in->machine,
		in->serial);
	for (unsigned i = 0; i < in->bytes; i++)
		fprintf(to, "%02x", in->data[i]);
	fprintf(to, "\n");
}

bool session_input_parse(const char *line, struct session_input *in)
{
	int at = 0;

	memset(in, 0, sizeof(*in));
	if (sscanf(line, "quit %" SCNu64 "%n", &in->when, &at) == 1 && at) {
		in->quit = true;
		return !line[at];
	}
	if (sscanf(line, "input %" SCNu64 " %u %u %n", &in->when, &in->machine,
		   &in->serial, &at) != 3 ||
	    !at || in->machine >= SESSION_MACHINES_MAX ||
	    in->serial > SESSION_MOUSE)
		return false;
	for (; line[at] && in->bytes < SESSION_INPUT_BYTES; at += 2) {
		unsigned value;

		if (strspn(line + at, "0123456789abcdef") < 2 ||
		    sscanf(line + at, "%2x", &value) != 1)
			return false;
		in->data[in->bytes++] = (uint8_t)value;
	}
	return !line[at] && in->bytes;
}

void session_inputs_add(struct session_inputs *to,
			const struct session_input *in)
{
	if ((to->count & (to->count + 1)) == 0) {
		to->input = reallocarray(to->input, 2 * to->count + 2,
					 sizeof(*to->input));
		CHECK_MSG(to->input, "out of memory for input");
	}
	to->input[to->count++] = *in;
}

void session_inputs_free(struct session_inputs *i)
{
	free(i->input);
	*i = (struct session_inputs){.input = NULL};
}

bool session_inputs_read(struct session_inputs *to, const char *path,
			 struct error *err)
{
	char line[64 + 2 * SESSION_INPUT_BYTES];
	struct session_input in;
	unsigned number = 0;
	FILE *f = fopen(path, "r");
	bool ok = true;

	if (!f)
		return error_set(err, EXIT_USAGE, "%s: cannot be read: %s",
				 path, strerror(errno));
	while (ok && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		ok = number++ ? session_input_parse(line, &in)
			      : strcmp(line, HEADER) == 0;
		if (ok && number > 1)
			session_inputs_add(to, &in);
	}
	fclose(f);
	if (ok && number)
		return true;
	session_inputs_free(to);
	return error_set(err, EXIT_USAGE,
			 "%s:%u: not input of version 1; give the input.txt "
			 "of a run",
			 path, number ? number : 1);
}

/* --- the file --- */

static bool open_notes(struct session *f, struct error *err)
{
	char path[PATH_MAX];

	if (f->input_file)
		return true;
	if (!session_join(path, f->out, "input.txt", err))
		return false;
	f->input_file = fopen(path, "w");
	if (!f->input_file)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	fprintf(f->input_file, HEADER "\n");
	return true;
}

static bool has_hands(const struct session_inputs *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->input[i].serial >= MACHINE_SERIALS)
			return true;
	}
	return false;
}

bool session_input_begin(struct session *s, struct error *err)
{
	struct session *f = s->first;

	if (f->options.hands || (s == f && has_hands(&f->options.replay))) {
		f->hands = true;
		if (!open_notes(f, err))
			return false;
	}
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		if (s->line_to[i].kind == SESSION_TO_FILE)
			continue;
		f->interactive = true;
		if (!open_notes(f, err) ||
		    (!f->options.replays && !session_live_open(s, i, err)))
			return false;
	}
	return true;
}

bool session_input_end(struct session *f, struct error *err)
{
	FILE *notes = f->input_file;

	for (struct session *m = f; m; m = m->next)
		session_live_close(m);
	f->input_file = NULL;
	return !notes || fclose(notes) == 0 ||
	       error_set(err, EXIT_HOST, "%s/input.txt: cannot be written: %s",
			 f->out, strerror(errno));
}

/* --- taking --- */

static void note(struct session *f, const struct session_input *in)
{
	session_inputs_add(&f->taken, in);
	session_input_put(f->input_file, in);
	fflush(f->input_file);
}

void session_input_take(struct session *s, unsigned serial, const uint8_t *p,
			size_t bytes, size_t *taken)
{
	struct session_input in = {
		.when = session_now(s),
		.machine = s->index,
		.serial = serial,
	};

	*taken = 0;
	if (bytes > SESSION_INPUT_BYTES)
		bytes = SESSION_INPUT_BYTES;
	if (session_is_on(s) && bytes)
		*taken = machine_serial_input(s->machine, serial, p, bytes);
	if (!*taken)
		return;
	in.bytes = (uint16_t)*taken;
	memcpy(in.data, p, *taken);
	note(s->first, &in);
}

/* At the keyboard or the mouse of a machine that has them. */
static void take_hands(struct session *s, const struct session_input *in)
{
	struct device *kbc =
		session_is_on(s) ? machine_device(s->machine, "kbc0") : NULL;
	struct session_input noted = *in;

	if (!kbc)
		return;
	if (in->serial == SESSION_KEYS)
		noted.bytes = (uint16_t)i8042_scan(kbc, in->data, in->bytes);
	else if (in->bytes == 4)
		i8042_mouse(kbc, (int8_t)in->data[0], (int8_t)in->data[1],
			    (int8_t)in->data[2], in->data[3] & 7);
	else
		noted.bytes = 0;
	noted.when = session_now(s);
	noted.machine = s->index;
	if (noted.bytes)
		note(s->first, &noted);
}

void session_input_quit(struct session *f)
{
	struct session_input in = {.when = session_now(f), .quit = true};

	note(f, &in);
	f->left = true;
}

static void take_noted(struct session *f, const struct session_input *in)
{
	size_t taken;

	if (in->quit) {
		session_input_quit(f);
		return;
	}
	for (struct session *m = f; m; m = m->next) {
		if (m->index == in->machine && in->serial >= MACHINE_SERIALS)
			take_hands(m, in);
		else if (m->index == in->machine)
			session_input_take(m, in->serial, in->data, in->bytes,
					   &taken);
	}
}

void session_input_poll(struct session *f)
{
	const struct session_inputs *r = &f->options.replay;
	ps_t now = session_now(f);

	if ((!f->interactive && !f->hands) || now % SESSION_INPUT_PS ||
	    now == f->polled)
		return;
	f->polled = now;
	if (f->options.hands && !f->options.replays) {
		const struct session_hands *h = f->options.hands;
		struct session_input in;

		while (h->next(h->owner, now, &in))
			take_noted(f, &in);
	}
	if (!f->options.replays) {
		session_live_poll(f);
		return;
	}
	/* What lies behind belongs to another run; the digests will tell. */
	while (f->replayed < r->count && r->input[f->replayed].when <= now) {
		const struct session_input *in = &r->input[f->replayed++];

		if (in->when == now)
			take_noted(f, in);
	}
}
