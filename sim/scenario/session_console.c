/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_console.c - what came over the serial lines: into files,
 * to whoever sits at them, and kept for waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"

const char *const session_console_files[MACHINE_SERIALS] = {"console.txt",
							    "console1.txt"};

bool session_console_open(struct session *s, struct error *err)
{
	char path[PATH_MAX];

	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		if (!session_join(path, s->out, session_console_files[i], err))
			return false;
		s->console[i].file = fopen(path, "wb");
		if (!s->console[i].file)
			return error_set(err, EXIT_HOST,
					 "%s: cannot be written: %s", path,
					 strerror(errno));
	}
	return true;
}

bool session_console_close(struct session *s, struct error *err)
{
	bool ok = true;

	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		FILE *f = s->console[i].file;

		s->console[i].file = NULL;
		if (f && fclose(f) != 0 && ok)
			ok = error_set(err, EXIT_HOST,
				       "%s/%s: cannot be written: %s", s->out,
				       session_console_files[i],
				       strerror(errno));
	}
	return ok;
}

void session_console_forget(struct session *s)
{
	for (unsigned i = 0; i < MACHINE_SERIALS; i++) {
		free(s->console[i].text);
		s->console[i] = (struct session_console){.file = NULL};
	}
}

static void keep(struct session_console *c, uint8_t byte)
{
	if (c->bytes == c->room) {
		c->room = c->room ? 2 * c->room : 4096;
		c->text = realloc(c->text, c->room);
		CHECK_MSG(c->text, "out of memory for the console");
	}
	c->text[c->bytes++] = (char)byte;
}

void session_console_byte(void *owner, unsigned serial, ps_t when, uint8_t byte)
{
	struct session *s = owner;
	struct session_console *c = &s->console[serial];

	fputc(byte, c->file);
	keep(c, byte);
	session_live_output(s, serial, byte);
	partition_view_console_byte(s->view, serial, when, byte);
	if (s->wait_console == c) {
		s->told = true;
		machine_request_stop(s->machine);
	}
}
