/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/guest.h - what the files of the guest's kernel share.
 *
 *   main.c     start, arguments, the loop      ends.c     its channels
 *   process.c  processes: made, run, ended     client.c   the block client
 *   calls.c    what they can call              diag.c     what observers hear
 *   records.c  records, written and committed  space.c    pages and spaces
 *   net.c      the network: card, stack, what processes call
 *   load.c     requests of its disk at a depth, for measurements
 *   files.c    the FAT32 volume on its disk, what processes call
 */
#ifndef PARTERRE_GUEST_GUEST_H
#define PARTERRE_GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/client.h"
#include "guest/diag.h"
#include "guest/process_abi.h"
#include "guest/space.h"
#include "lib/control.h"
#include "lib/sys.h"
#include "net/nic.h"

/* ---- process.c ---------------------------------------------------------- */

#define PROCESSES (AS_COUNT - 1) /* process n has address space n + 1 */
#define WRITER    0              /* of the workload, if there is one */
#define READER    1

enum process_state {
	PROCESS_FREE,
	PROCESS_RUNNING,
	PROCESS_RETRY,       /* its call, again */
	PROCESS_WAIT_DISK,   /* a read, a put or a flush */
	PROCESS_WAIT_COMMIT, /* until more than `await` are committed */
	PROCESS_WAIT_LINE,
	PROCESS_WAIT_FILES,
	PROCESS_WAIT_NET,   /* until something changes there, or `until` */
	PROCESS_WAIT_CHILD, /* number `await` */
	PROCESS_SLEEPING,   /* until `until` */
	PROCESS_ENDED,      /* its code waits for who asks */
};

struct process {
	enum process_state state;
	uint64_t id; /* never used again */
	char command[PROC_COMMAND_BYTES];
	struct space space;
	struct user_frame frame;
	uint64_t heap_pages; /* how far the heap may grow */
	uint64_t run_ns;
	bool issued; /* PROC_WRITE: DIAG_ISSUED is posted */
	uint64_t await, until;
	uint64_t code, count; /* of PROC_EXIT */
};
extern struct process process[PROCESSES];

/* In that place, or in any that is free (PROCESSES).  Its id; 0: no room. */
uint64_t process_start(unsigned n, const struct process_args *args);
void process_run(unsigned n, uint64_t mask); /* one slice */
/* The same, of so much time; false: it did not end with a call. */
bool process_goes_on(unsigned n, uint64_t ns);
void process_end(struct process *p, uint64_t code);
struct process *process_of(uint64_t id); /* NULL: none */
bool process_any(enum process_state state);
/* Those whose wait is over, or whose call had no room, go on.  True if any. */
bool process_wake(uint64_t now);
uint64_t process_next_wake(void); /* TIME_NEVER: nobody sleeps */

/* ---- calls.c ------------------------------------------------------------ */

/* The call in its frame, for the first time or again. */
void call_do(unsigned n);
void call_reply(struct process *p, int64_t result);
/* A request of the client's ended. */
void call_done(uint32_t cookie, uint32_t status, const void *data);
uint32_t call_cookie(unsigned n);
#define COOKIE_RECORD 0x100 /* a record's write: nobody waits for it */
#define COOKIE_LOAD   0x400 /* load.c's */
#define COOKIE_FILES  0x200 /* the volume's; with COOKIE_RECORD: a write */

/* ---- records.c ---------------------------------------------------------- */

extern uint64_t records_stream, records_committed;
#define UNCOMMITTED_MAX 128
void records_write(unsigned n, struct process *p, bool through);
void records_commit(struct process *p);
void records_failed(void);    /* a write of one */
bool records_flush_bad(void); /* since the last flush; forgets it */

/* ---- net.c -------------------------------------------------------------- */

extern struct nic nic;
void net_open(void); /* there is a network channel */
bool net_run(uint64_t now);
uint64_t net_next(void);      /* TIME_NEVER: nothing is due */
bool net_lingers(void);       /* something isn't acknowledged yet */
bool net_news(uint64_t seen); /* has anything changed since? */
void net_call(struct process *p);
void net_close(const struct process *p); /* its sockets */

/* ---- load.c ------------------------------------------------------------- */

void load_begin(void); /* if an argument says so */
void load_done(uint32_t status);
bool load_run(uint64_t now);
bool load_ended(void); /* or there is none */

/* ---- files.c ------------------------------------------------------------ */

/* Those in PROCESS_WAIT_FILES have their calls done.  True if any went on. */
void files_call(struct process *p); /* it waits from now on */
bool files_run(void);
void files_done(uint32_t cookie, uint32_t status, const void *data);
void files_close(const struct process *p); /* what it has open */
/* From now on no call is begun: all that was written becomes durable.  True
 * when it is, or can't be. */
bool files_closed(void);

/* ---- ends.c ------------------------------------------------------------- */

extern struct control control;
extern struct client client;
extern struct diag diag;

void ends_find(void);     /* what the view gives */
void ends_attach(void);   /* what is ready */
bool ends_wanted(void);   /* some are not ready */
void ends_serve(void);    /* the control channel */
void ends_complain(void); /* of a disk that isn't served, when it is time */
/* A line that was typed for this guest; false: none. */
bool ends_line(char *to, size_t bytes);
bool ends_sleep(void); /* as queue_sleep(), all of them */
void ends_awake(void);

#endif
