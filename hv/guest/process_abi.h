/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process_abi.h - what the guest's kernel offers to its processes.
 *
 * Instruction SYSCALL; number in RAX; arguments in RDI, RSI; result in RAX:
 * zero or positive is success, negative is -PROC_E*.  RCX and R11 are
 * clobbered.  The monitor ends the run of the process there and the guest's
 * kernel does the work; nothing in the monitor knows these numbers.
 *
 *   PROC_IMAGE_VA   the image, which begins with a struct process_image
 *   PROC_HEAP_VA    zero pages that come into being when they are touched, as
 *                   many as PROC_HEAP allowed
 *   PROC_STACK_END  the stack ends here; the kernel has put a struct
 *                   process_args there, to which RDI points at the start
 */
#ifndef PARTERRE_GUEST_PROCESS_ABI_H
#define PARTERRE_GUEST_PROCESS_ABI_H

#define PROC_IMAGE_VA    0x10000000
#define PROC_HEAP_VA     0x10100000
#define PROC_HEAP_PAGES  224 /* at most */
#define PROC_STACK_END   0x10200000
#define PROC_STACK_PAGES 4

/* Records (hv/abi/record.h). */
#define PROC_WRITE                                                             \
	1            /* (block, page): write the record in that page of its    \
			memory; done later, PROC_FLUSH tells how it went */
#define PROC_READ  2 /* (block, page): waits for the data */
#define PROC_FLUSH 3 /* (): waits until all writes before it are durable */
#define PROC_COMMIT                                                            \
	4 /* (): the records written since the last commit count as            \
	     durable, and others may rely on it */
#define PROC_AWAIT                                                             \
	5            /* (n): waits until more than n records are committed or  \
			the writer has ended -> how many are */
#define PROC_LOG   6 /* (text, bytes): one line, with the process's number */
#define PROC_TIME  7 /* () -> ns */
#define PROC_YIELD 8 /* () */
#define PROC_EXIT  9 /* (code, count): ends; count goes into the summary */

#define PROC_PRINT     10 /* (text, bytes): one line */
#define PROC_READ_LINE 11 /* (text, bytes): waits for a line of the console */
#define PROC_SPAWN     12 /* (command, bytes) -> id: a process of its own */
#define PROC_WAIT      13 /* (id) -> its exit code, when it has ended */
#define PROC_KILL      14 /* (id) */
#define PROC_SLEEP     15 /* (ns) */
#define PROC_SELF      16 /* () -> its id */
#define PROC_HEAP      17 /* (pages) how far its heap may grow */
#define PROC_LIST      18 /* (struct process_row *, n) -> how many there are */
#define PROC_MEMORY    19 /* (struct process_memory *) */
#define PROC_PUT       20 /* (block, page): write that page; waits */
#define PROC_VTIME     21 /* (struct vcpu_time *), of the partition */
#define PROC_STORE                                                             \
	40 /* (block, page): as PROC_WRITE, but through the disk's cache;      \
	      waits until the record is durable */

#define PROC_EINVAL 1
#define PROC_EIO    2 /* a block could not be read, written or made durable */
#define PROC_ENOENT 3 /* no such process or program */
#define PROC_ENOMEM 4 /* no room for another process */

#define PROC_MAGIC 0x434f525054524150 /* "PARTPROC" */

#define PROC_COMMAND_BYTES 64  /* the NUL included */
#define PROC_KILLED        137 /* the exit code of a killed process */
#define PROC_FAULTED       139 /* of one that did what it must not */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct process_image { /* addresses; the blob holds image_start..data_end */
	uint64_t magic;
	uint64_t entry;
	/* Page-aligned: what is before is read-only, then executable, then
	 * read-write. */
	uint64_t text_start;
	uint64_t data_start;
	uint64_t data_end;
	uint64_t bss_end;
};

struct process_args {
	char command[PROC_COMMAND_BYTES]; /* program and its words */
	/* Of "writer" and "reader", from the partition's arguments: */
	uint64_t stream;
	uint64_t records; /* how many to write */
	uint64_t slots;   /* blocks to write them to, in turn */
	uint64_t flush;   /* writes between flushes */
	uint64_t seed;    /* of the pauses between records */
	uint64_t think;   /* the longest pause, in loop turns */
	uint64_t read;    /* the reader checks every n-th record; 0: none */
	uint64_t early;   /* commit before the flush: wrong, on purpose */
	uint64_t fua;     /* PROC_STORE, each committed, and no flush */
};

struct process_row { /* of PROC_LIST */
	uint64_t id;
	uint64_t state; /* 'R' runs, 'W' waits, 'S' sleeps, 'E' ended */
	uint64_t pages;
	uint64_t code; /* if ended */
	uint64_t run_ns;
	char command[PROC_COMMAND_BYTES];
};

struct process_memory { /* pages of 4 KiB */
	uint64_t total, kernel, free;
};
#endif
#endif
