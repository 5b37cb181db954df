/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/whole_file.h - a file that is there whole or not at all: it is written
 * beside its place, as PATH.part, and put there at the end.  What was there
 * stays if the disk is full or the program is ended.
 *
 * What is no file (a terminal, /dev/null, a pipe) is written as it is; of a
 * symbolic link the file that it names.
 */
#ifndef PARTERRE_SIM_WHOLE_FILE_H
#define PARTERRE_SIM_WHOLE_FILE_H

#include <limits.h>
#include <stdio.h>

#include "sim/status.h"

struct whole_file {
	FILE *to; /* NULL: closed */
	char path[PATH_MAX];
	char part[PATH_MAX]; /* empty: it is no file */
};

/* False: *err, and nothing has changed. */
bool whole_file_open(struct whole_file *w, const char *path,
		     struct error *err) MUST_USE;
bool whole_file_is_file(const struct whole_file *w);
/* Puts it there.  False: *err, and what was there is. */
bool whole_file_close(struct whole_file *w, struct error *err) MUST_USE;
/* Nothing has been; after a close, too. */
void whole_file_drop(struct whole_file *w);

#endif
