/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_internal.h - a session as its own files know it:
 * session.c (begin, end and directory), session_machine.c (the machine and what
 * is seen of it), session_disk.c (its disk), session_run.c (running).
 */
#ifndef PARTERRE_SCENARIO_SESSION_INTERNAL_H
#define PARTERRE_SCENARIO_SESSION_INTERNAL_H

#include "sim/scenario/session.h"

/* session_disk.c: files.  `to` has PATH_MAX bytes. */
bool session_join(char *to, const char *dir, const char *name,
		  struct error *err);
bool session_copy_file(const char *from, const char *to, struct error *err);
bool session_same_file(const char *a, const char *b);
/* Makes disk.img in the session's directory; its path goes to `path`. */
/* A disk of zeroes of that name in the session's directory. */
bool session_make_more_disk(struct session *s, const char *name, uint64_t bytes,
			    char *path, struct error *err);
bool session_make_disk(struct session *s, const struct session_machine *d,
		       char *path, struct error *err);

/* Makes `path` and what is missing above it. */
bool session_make_dir(const char *path, struct error *err);

/* session_run.c: the chain of all machines together. */
uint64_t session_chain(const struct session *first);

/* session_machine.c: through a snapshot into a new machine. */
bool session_move(struct session *s, struct error *err);

#endif
