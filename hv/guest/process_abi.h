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

/* Files of the FAT32 volume on its disk (docs/guest.md).  Numbers of files are
 * those of one process.  What is written is durable when the file was closed,
 * or after PROC_SYNC. */
#define PROC_OPEN       41 /* (struct process_path *, PROC_CREATE..) -> file */
#define PROC_FILE_CLOSE 42 /* (file): durable if it was written */
#define PROC_FILE_READ  43 /* (struct process_io *) -> bytes; 0: the end */
#define PROC_FILE_WRITE 44 /* (struct process_io *) -> bytes */
#define PROC_STAT       45 /* (struct process_entry *): its path's */
#define PROC_LIST_FILES                                                        \
	46 /* (struct process_entry *) -> 1: the next of the directory         \
	      `path`, from `cursor` on, which is 0 at first; 0: no more */
#define PROC_MKDIR  47 /* (struct process_path *) */
#define PROC_REMOVE 48 /* (struct process_path *): or an empty directory */
#define PROC_RENAME 49 /* (struct process_path *): to `to` */
#define PROC_SYNC   50 /* (): all that was written is durable */
#define PROC_VOLUME 51 /* (struct process_volume *) */

#define PROC_CREATE   1
#define PROC_TRUNCATE 2
#define PROC_NEW      4 /* it must not be there */

#define PROC_PATH_BYTES 256 /* UTF-8, the NUL included */

/* The network: sockets are numbers, and those of one process. */
#define PROC_SOCKET  22 /* (PROC_ICMP.., ) -> socket */
#define PROC_BIND    23 /* (socket, port); 0: any that is free */
#define PROC_CONNECT 24 /* (struct process_transfer *); TCP waits for it */
#define PROC_LISTEN  25 /* (socket) */
#define PROC_ACCEPT  26 /* (socket) -> another; waits for a connection */
#define PROC_SEND    27 /* (struct process_transfer *) -> bytes; waits */
#define PROC_RECEIVE                                                           \
	28 /* (struct process_transfer *) -> bytes; waits; 0 of TCP:           \
	      the other side sends no more.  Says from whom */
#define PROC_SHUTDOWN 29 /* (socket): sends no more */
#define PROC_CLOSE    30 /* (socket) */
#define PROC_KEEP                                                              \
	31 /* (socket, ns): probes after so long a silence; 0: none            \
	    */
#define PROC_NETWORK 32 /* (struct process_network *) */

#define PROC_ICMP 1 /* echo: the port of a request is its sequence number */
#define PROC_UDP  2
#define PROC_TCP  3

#define PROC_EINVAL    1
#define PROC_EIO       2 /* a block could not be read, written or made durable */
#define PROC_ENOENT    3 /* no such process or program */
#define PROC_ENOMEM    4 /* no room for another process, or socket */
#define PROC_ERESET    5 /* the other side refused, or reset the connection */
#define PROC_ETIME     6 /* it took longer than was allowed */
#define PROC_ENET      7 /* this guest has no network */
#define PROC_ESTATE    8 /* not connected, or closed on this side */
#define PROC_EINUSE    9 /* the port is another's */
#define PROC_EEXIST    10
#define PROC_ENOTDIR   11
#define PROC_EISDIR    12
#define PROC_ENOTEMPTY 13
#define PROC_ENOSPC    14 /* the volume is full */
#define PROC_EBAD      15 /* no FAT32 volume, or a damaged one */
#define PROC_EBUSY     16 /* it is open, or too many are */
#define PROC_EREADONLY 17
#define PROC_EFBIG     18

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

struct process_transfer {
	uint64_t socket;
	uint64_t at, bytes;     /* at most PROC_TRANSFER_BYTES */
	uint64_t address, port; /* of the other side; 0 to send: whom it is
				   connected to */
	uint64_t wait_ns;       /* at most; 0: as long as it takes */
};
#define PROC_TRANSFER_BYTES 4096

struct process_network {
	uint8_t mac[8];
	uint64_t up, address, prefix, gateway;
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
	uint64_t bad, ignored, dropped;
	uint64_t segments_again, fast_again, timeouts, ahead;
	uint64_t attached; /* how often a server was attached to */
	uint64_t lost;     /* frames under way when one went */
	uint64_t busy, refused, odd;
};

struct process_path {
	char path[PROC_PATH_BYTES];
	char to[PROC_PATH_BYTES]; /* of PROC_RENAME */
};

struct process_io {
	uint64_t file;
	uint64_t at, bytes; /* at most PROC_TRANSFER_BYTES */
	uint64_t offset;    /* in the file */
};

struct process_entry {
	char path[PROC_PATH_BYTES];
	uint64_t cursor;
	char name[PROC_PATH_BYTES];
	uint64_t attributes; /* PROC_DIRECTORY.. */
	uint64_t size;
	uint64_t changed; /* as FAT has it: date << 16 | time */
};
#define PROC_READ_ONLY 0x01
#define PROC_DIRECTORY 0x10

struct process_volume {
	uint64_t cluster_bytes, clusters, free;
	uint64_t was_clean; /* when it was mounted */
};

struct process_memory { /* pages of 4 KiB */
	uint64_t total, kernel, free;
};
#endif
#endif
