/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process_abi.h - what the guest's kernel offers to its processes.
 *
 * Instruction SYSCALL; number in RAX; arguments in RDI, RSI; result in RAX:
 * zero or positive is success, negative is -PROC_E*.  RCX and R11 are
 * clobbered.  The monitor ends the run of the process there and the guest's
 * kernel does the work; nothing in the monitor knows these numbers.
 *
 * A process image is linked at PROC_IMAGE_VA and begins with a struct
 * process_image; its stack ends at PROC_STACK_END, where the kernel has put a
 * struct process_args that RDI points to at the start.
 */
#ifndef PARTERRE_GUEST_PROCESS_ABI_H
#define PARTERRE_GUEST_PROCESS_ABI_H

#define PROC_IMAGE_VA    0x10000000
#define PROC_STACK_END   0x10200000
#define PROC_STACK_PAGES 4

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
#define PROC_LOG   6 /* (text, bytes): one line */
#define PROC_TIME  7 /* () -> ns */
#define PROC_YIELD 8 /* () */
#define PROC_EXIT  9 /* (code, count): ends; count goes into the summary */

#define PROC_EINVAL 1
#define PROC_EIO    2 /* a block could not be read, written or made durable */

#define PROC_MAGIC 0x434f525054524150 /* "PARTPROC" */

#define ROLE_WRITER 0
#define ROLE_READER 1

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
	uint64_t role;
	uint64_t stream;
	uint64_t records; /* how many to write */
	uint64_t slots;   /* blocks to write them to, in turn */
	uint64_t flush;   /* writes between flushes */
	uint64_t seed;    /* of the pauses between records */
	uint64_t think;   /* the longest pause, in loop turns */
	uint64_t read;    /* the reader checks every n-th record; 0: none */
	uint64_t early;   /* commit before the flush: wrong, on purpose */
};
#endif
#endif
