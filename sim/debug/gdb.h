/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb.h - the debugger as gdb knows it: the remote serial protocol
 * (the gdb manual, appendix E), multiprocess, all-stop.
 *
 *   gdb.c         packets, one by one: what each asks and what is answered
 *   gdb_query.c   q and Q packets, and what qXfer transfers
 *   gdb_regs.c    registers and their description
 *   gdb_over.c    packets behind the run's end
 *   gdb_wire.c    the connection, and the front end (debug.h) over it
 *
 * Processes are the machine and its partitions, see debug.h.  The machine is
 * attached to when gdb connects; partitions by `attach PID`, `info os
 * processes` lists them.
 *
 * In extended mode a gdb that is attached to nothing any more stays connected,
 * while the machine runs and behind its end: what it asks then is answered, and
 * `attach` comes back.
 *
 * Not modelled: non-stop mode, vRun and R (start parterre
 * anew), file transfer (gdb takes programs from its own host).
 */
#ifndef PARTERRE_DEBUG_GDB_H
#define PARTERRE_DEBUG_GDB_H

#include "sim/debug/debug.h"
#include "sim/debug/packet.h"
#include "sim/status.h"

#define GDB_PIDS_MAX (PARTITION_VIEW_MAX + 2)

/* Plain: what this connection has agreed on. */
struct gdb_state {
	bool no_ack, multiprocess, tells_break;
	bool extended; /* it stays connected without a process (!) */
	struct debug_id general, resume; /* of Hg and Hc */
	bool attached[GDB_PIDS_MAX];
};

enum gdb_then {
	GDB_ANSWERED, /* the reply is to be sent */
	GDB_RUNS,     /* no reply before it stops again */
	GDB_LEFT,     /* reply; nothing is attached any more */
	GDB_KILLED,   /* reply, if there is any; the run ends */
};

void gdb_state_reset(struct gdb_state *g);
/* A packet's data, with a NUL behind it.  `out` is empty before. */
enum gdb_then gdb_packet(struct gdb_state *g, struct debug *d, const char *p,
			 size_t bytes, struct packet_text *out);
/* Is this connection's gdb attached to anything? */
bool gdb_attached(const struct gdb_state *g);
/* Why it stands, as the answer to what let it run. */
void gdb_stop_reply(struct gdb_state *g, struct debug *d,
		    struct packet_text *out);
/* The thread that it is about; tid 0: there is none. */
struct debug_id gdb_thread(struct gdb_state *g, struct debug *d,
			   struct debug_id id);

/* gdb_over.c: the run is over.  That a process which gdb is attached to has
 * exited, one after the other; and a packet. */
void gdb_exit_reply(struct gdb_state *g, int status, struct packet_text *out);
enum gdb_then gdb_packet_over(struct gdb_state *g, int status, const char *p,
			      struct packet_text *out);

/* gdb_query.c: false: not one that is known. */
bool gdb_query(struct gdb_state *g, struct debug *d, const char *p,
	       struct packet_text *out);
/* gdb_regs.c */
void gdb_target_xml(struct packet_text *out);
/* The nth register, in gdb's order; false: no more. */
#define GDB_REG_RIP      16
#define GDB_REGS_GENERAL 24 /* the first so many: integers, rip, segments */
struct gdb_reg_value {
	uint64_t number;
	const char *name, *group; /* "", "float", "vector", "system" */
	bool known;               /* not of a thread that has no CPU */
	unsigned bytes;
	uint8_t value[16]; /* little-endian */
};
bool gdb_reg_nth(uint64_t n, const struct cpu_regs *regs, bool partial,
		 struct gdb_reg_value *r);
void gdb_regs_read(struct debug *d, struct debug_id id,
		   struct packet_text *out);
bool gdb_regs_write(struct debug *d, struct debug_id id, const char *p);
void gdb_reg_read(struct debug *d, struct debug_id id, uint64_t number,
		  struct packet_text *out);
bool gdb_reg_write(struct debug *d, struct debug_id id, uint64_t number,
		   const char *p);

/* gdb_wire.c: `where`: "tcp:PORT" (of localhost) or "unix:PATH". */
struct gdb_wire;
struct gdb_wire *gdb_listen(const char *where, struct error *err) MUST_USE;
const struct debug_front *gdb_front(struct gdb_wire *w);
void gdb_close(struct gdb_wire *w);

#endif
