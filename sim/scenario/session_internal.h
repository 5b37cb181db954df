/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_internal.h - a session as its own files know it:
 * session.c (begin, end and directory), session_machine.c (the machine and what
 * is seen of it), session_disk.c (its disk), session_run.c (running),
 * session_watch.c and session_plan.c (who wants it to stand where),
 * session_console.c, session_input.c and session_live.c (its serial lines),
 * session_memory.c (RAM of another host), and session_cycles.c (who spent its
 * cycles).
 */
#ifndef PARTERRE_SCENARIO_SESSION_INTERNAL_H
#define PARTERRE_SCENARIO_SESSION_INTERNAL_H

#include "sim/scenario/session.h"

/* session_disk.c: files.  `to` has PATH_MAX bytes. */
bool session_join(char *to, const char *dir, const char *name,
		  struct error *err);
bool session_copy_file(const char *from, const char *to, struct error *err);
bool session_same_file(const char *a, const char *b);
/* A disk of zeroes of that name in the session's directory. */
bool session_make_more_disk(struct session *s, const char *name, uint64_t bytes,
			    char *path, struct error *err);
/* Makes disk.img in the session's directory; its path goes to `path`. */
bool session_make_disk(struct session *s, const struct session_machine *d,
		       char *path, struct error *err);

/* The disks of this machine in memory, or in their files again. */
bool session_media(struct session *s, bool in_memory, struct error *err);

/* session.c: "sh command" repeats the run as far as it is known now. */
bool session_write_command(struct session *first, struct error *err);

/* session_cycles.c: writes cycles.txt. */
bool session_cycles(struct session *s, struct error *err);
/* The next instant behind `now` at which accounting begins or ends. */
ps_t session_cycles_cut(const struct session *f, ps_t now);
/* All machines stand: does it begin or end here? */
bool session_cycles_reached(struct session *f, struct error *err);

/* session_console.c: the serial lines' output. */
bool session_console_open(struct session *s, struct error *err);
bool session_console_close(struct session *s, struct error *err);
void session_console_forget(struct session *s);
void session_console_byte(void *owner, unsigned serial, ps_t when,
			  uint8_t byte);
extern const char *const session_console_files[MACHINE_SERIALS];

/* session_input.c: what comes from outside while the run is under way. */
bool session_inputs_read(struct session_inputs *to, const char *path,
			 struct error *err);
/* When s->line_to is known; after the machine was made. */
bool session_input_begin(struct session *s, struct error *err);
bool session_input_end(struct session *first, struct error *err);
/* After all machines came to a common instant. */
void session_input_poll(struct session *first);
/* Types and notes it; *taken may be less than `bytes`. */
void session_input_take(struct session *s, unsigned serial, const uint8_t *p,
			size_t bytes, size_t *taken);
void session_input_quit(struct session *first);

/* session_live.c: terminal and sockets.  Closing twice is fine. */
bool session_live_open(struct session *s, unsigned serial, struct error *err);
void session_live_close(struct session *s);
void session_live_output(struct session *s, unsigned serial, uint8_t byte);
void session_live_poll(struct session *first);

/* session_memory.c: RAM as of another host; the machine stands for ever. */
bool session_memory(struct session *s, const char *path, struct error *err);

/* session_run.c: the host's clock, for progress and pace alone. */
uint64_t session_host_ns(void);
/* session_run.c: the chain of all machines together. */
uint64_t session_chain(const struct session *first);

/* session_watch.c */
void session_watch_begin(struct session *first);
uint64_t session_watch_count(const struct session *s);
ps_t session_watch_cut(const struct session *first, ps_t now, ps_t until);
void session_watch_note(struct session *s, const struct trace_record *r);
/* All machines stand at a common instant: is it one that was wanted? */
bool session_watch_cut_reached(struct session *first, struct error *err);
/* The machine stands where somebody wanted it. */
bool session_watch_reached(struct session *s, struct error *err);

/* session_back.c: all that were taken. */
void session_forget_all(struct session *s);

/* session_plan.c: a copy of the plan, malloc(); NULL: there is none yet.  And
 * back to that. */
struct session_plan *session_plan_keep(const struct session *first);
void session_plan_back(struct session *first, const struct session_plan *kept);

/* session_plan.c: what options.plan says, when all machines are known. */
bool session_plan_begin(struct session *first, struct error *err);
void session_plan_end(struct session *first);

/* session.c: may a machine be called so? */
bool session_is_name(const char *name);

/* session_machine.c: through a snapshot into a new machine. */
bool session_move(struct session *s, struct error *err);

#endif
