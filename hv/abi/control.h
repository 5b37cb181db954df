/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/control.h - the control channel: how a partition and the ultravisor
 * talk.  Each partition has exactly one, at handle 0.
 *
 * Four queues of 64 messages of 128 bytes: requests and answers of the
 * partition's own, events from the ultravisor and their acknowledgements.
 * Every request is answered once on RESPONSE, every event acknowledged once on
 * ACK, matched by handle.
 *
 * Transactions: operations (TXN_*) of the same handle gather until one without
 * CONTROL_MORE arrives; then all are done or none, and one response names the
 * first that failed.  Only partitions of kind BOOT, COMMAND and OPERATIONS may
 * ask; DIAGNOSTICS may ask questions.
 */
#ifndef PARTERRE_ABI_CONTROL_H
#define PARTERRE_ABI_CONTROL_H

#include <stdint.h>

#define CONTROL_QUEUE_REQUEST 0  /* partition -> ultravisor */
#define CONTROL_QUEUE_RESPONSE 1 /* ultravisor -> partition */
#define CONTROL_QUEUE_EVENT 2    /* ultravisor -> partition */
#define CONTROL_QUEUE_ACK 3      /* partition -> ultravisor */
#define CONTROL_SLOTS 64
#define CONTROL_CHANNEL_PAGES 9
#define CONTROL_HANDLE 0 /* of the partition's end */

/* Flags. */
#define CONTROL_FAILED 1
#define CONTROL_MORE 2 /* more operations of this transaction follow */

#define TXN_OPS_MAX 16
/* In place of a partition number or channel id: result of operation n of the
 * same transaction. */
#define TXN_RESULT(n) (0xffffffffffff0000ull | (n))

/* Transaction operations: message ids of REQUEST. */
#define TXN_PARTITION_CREATE 0x0601 /* create -> number */
#define TXN_PARTITION_START 0x0602  /* number */
#define TXN_PARTITION_STOP 0x0603   /* number */
#define TXN_PARTITION_RESTART 0x0604 /* number: memory scrubbed, image loaded
                                        again, devices reset, its channel ends
                                        initialised anew, started */
#define TXN_PARTITION_DESTROY 0x0605 /* number */
#define TXN_PARTITION_MARK 0x0606 /* mark, state = PART_STATE_DEAD: declared
                                     dead; stopped and its devices fenced; the
                                     cause (MARK_*) is kept until its next
                                     start.  EBUSY: it has beaten after `beat` on
                                     the requester's heartbeat channel; or it
                                     could run, but has not had `ran_ns` of CPU
                                     time altogether: now it gets some.  0:
                                     whatever they are */
#define TXN_PARTITION_ARGS 0x0607 /* args: words for view.args, before start */
#define TXN_PARTITION_PAUSE 0x0608 /* number: lets go of its channels, then stands
                                      still.  Answered when it does */
#define TXN_PARTITION_RESUME 0x0609 /* number: goes on where it was */
#define TXN_PARTITION_SAVE 0x060a /* number, a guest that is paused: what its
                                     instance holds is kept, the instance, its
                                     slot and its view are no more */
#define TXN_PARTITION_RESTORE 0x060b /* number: over other frames, in another
                                        instance, paused.  Answered when it is */
#define TXN_CHANNEL_CREATE 0x0611 /* channel -> id */
#define TXN_CHANNEL_MOVE 0x0612   /* id, to: the server end to another */
#define TXN_CHANNEL_DESTROY 0x0613 /* id */
#define TXN_CHANNEL_CONFIGURE 0x0614 /* configure: id and extent, of one on hold;
                                        its server learns of it at once */
#define TXN_CHANNEL_STATE 0x0615  /* id, value: RES_PAUSED: the client keeps off
                                     and the server lets go of it and begins
                                     anew; RES_RUNNING: the client comes back */
/* A bus holds channels of one client: they are its devices.  One with devices on
 * it is not destroyed, nor a partition that has a bus or a channel. */
#define TXN_BUS_CREATE 0x0671    /* bus -> id */
#define TXN_BUS_DESTROY 0x0672   /* id */
#define TXN_BUS_CONFIGURE 0x0673 /* id, to: the server of devices to come */
#define TXN_BUS_STATE 0x0674     /* id, value: as TXN_CHANNEL_STATE, all of it */
#define TXN_DEVICE_ASSIGN 0x0621  /* id or, when 0, the nth (value) of class_code
                                     that is free; to.  With DEVICE_IF_ANY in
                                     value nothing is done when there is none */
#define DEVICE_IF_ANY (1ull << 32)
#define TXN_DEVICE_RELEASE 0x0622 /* id: of one that doesn't run */
#define TXN_SCHEDULE 0x0631       /* schedule; 0: as it is */
#define TXN_FRAME 0x0632          /* frame: a window of a CPU's cyclic frame.  Those
                                     of one CPU follow each other, index 0 first;
                                     they replace the frame it had.  Length 0 at
                                     index 0: no frame */
#define TXN_MACHINE_OFF 0x0641    /* value = exit code */
#define TXN_MEMORY_ASSIGN 0x0661  /* number, value: so many more blocks of 2 MiB,
                                     from its next start on: it has ended */
#define TXN_MEMORY_RELEASE 0x0662 /* number, value: so many less */
/* A question, alone in its transaction. */
#define TXN_QUERY 0x0651 /* what (QUERY_*), index -> a row in the answer; index
                            counts the rows there are; past the last: ENOENT */
#define QUERY_PARTITION 1 /* number, kind, state (of one declared dead, why in
                             the upper half), incarnation, flags, frames, name in
                             row[6] and [7] */
#define QUERY_CHANNEL 2 /* id, type, client, server, generation, flags,
                           extent_block, extent_blocks */
#define QUERY_DEVICE 3  /* id, bdf, owner, class_code, flags, vector */
#define QUERY_MEMORY 4  /* frames: total, free */
#define QUERY_SCHEDULE 5 /* number, cpu, standing, quantum_us, weight, cap, run_ns,
                            stolen_ns */
#define QUERY_FRAME 6 /* cpu, index, number (0: shared), length_us */
#define QUERY_SCAN 7 /* every invariant of the database; 0: all hold, else all
                        eight words are text, NUL-padded */
#define QUERY_BUS 8 /* id, client, server, number, flags, devices */

/* Why a partition was declared dead. */
#define MARK_SILENT 0    /* it does not beat */
#define MARK_COMPLAINT 1 /* its clients complain */
#define MARK_STRAY 2     /* a device of its strays */
#define MARKS 3

/* A complaint: not a transaction, and the client of any block channel may make
 * it.  slow: id, generation, waited_ns: so long has a request waited for this
 * channel's server.  Command is told, at most once in COMPLAINT_GAP_NS for one
 * partition.  ENOENT: it is client of no such channel; EVALUE: of another type, or
 * nothing has waited so long since the machine began;
 * ESTATE: its server has changed, or it is on its way; EBUSY: too soon, or nobody
 * to tell. */
#define COMPLAIN_SLOW 0x0681
#define COMPLAINT_GAP_NS 10000000

/* Events: message ids of EVENT. */
#define EVT_PARTITION_STATE 0x0701 /* to boot, command, operations, diagnostics:
                                      number, state, vector, error, address, rip,
                                      time, name */
#define EVT_CHANNEL_ATTACH 0x0711  /* to a server: handle: yours now; initialise,
                                      set READY, then acknowledge */
#define EVT_CHANNEL_DETACH 0x0712  /* to a server: finish or drop what you hold of
                                      it, never touch it again, set DRAINED, unmap,
                                      acknowledge */
#define EVT_CHANNEL_PAUSE 0x0713   /* to a client: touch it no more, acknowledge */
#define EVT_CHANNEL_RESUME 0x0714  /* to a client: initialised anew and READY;
                                      attach and replay */
#define EVT_CHANNEL_SLOW 0x0715    /* to command: a client complained of a channel:
                                      slow, all of it */
#define EVT_STOP 0x0721            /* orderly stop */
#define EVT_DMA_FAULT 0x0731       /* to diagnostics and command: the IOMMU refused a
                                      DMA of a device: id, its owner, address,
                                      reason (VT-d's), write, bdf */
#define DMA_NO_DOMAIN 2 /* reasons up to here: it is of no domain, fenced that is
                           (VT-d 3.3, table 29: no root entry, no context entry) */

/* Completion status, grouped by hundreds. */
#define CONTROL_OK 0
#define CONTROL_EBUSY 2        /* an object with one unanswered already */
#define CONTROL_EPERM 3        /* not for this kind of partition */
#define CONTROL_ENOMEM 201     /* no free memory of that tier */
#define CONTROL_ELIMIT 202     /* a table is full */
#define CONTROL_EID 500        /* no such message id */
#define CONTROL_EVALUE 501     /* a parameter is out of range */
#define CONTROL_ENOENT 502     /* no such partition, channel, device, module */
#define CONTROL_EEXIST 503     /* name or object there already */
#define CONTROL_ESTATE 504     /* not in a state that allows it */
#define CONTROL_EIMAGE 505     /* the module is not a partition image */
#define CONTROL_EDEVICE 1401   /* the device does not answer */

struct control_message { /* 128 bytes */
	uint32_t id;
	uint32_t bytes; /* 128 */
	uint32_t status;
	uint32_t flags;
	uint64_t handle;
	uint64_t time_ns;
	uint64_t failed_op; /* in a response: index of the operation at fault */
	uint64_t result;    /* in a response: of the last operation */
	union { /* 80 bytes */
		uint64_t word[10];
		struct {
			char name[16], module[16], data[16]; /* data: module or "" */
			uint32_t kind;
			uint32_t blocks; /* of 2 MiB */
			uint32_t cpu;    /* where it runs; idle: on all */
		} create;
		struct {
			uint64_t number;
			char text[72]; /* appended to view.args */
		} args;
		struct {
			uint64_t number; /* or channel id, device id */
			uint64_t to;
			uint64_t value;
			uint64_t weight;
			uint64_t class_code;
		} target;
		struct {
			uint64_t number;
			uint64_t reserved;
			uint32_t quantum_us;
			uint32_t standing; /* 1 to 99 */
			uint32_t weight;   /* share of the CPU's round */
			uint32_t cap;      /* 1/1000 of the CPU at most */
			uint32_t cpu;      /* its index + 1 */
		} schedule;
		struct {
			uint64_t number;
			uint64_t cause; /* MARK_* */
			uint64_t state; /* PART_STATE_DEAD */
			uint64_t ran_ns;
			uint64_t beat;
		} mark;
		struct {
			uint64_t number; /* whose window; 0: shared by those
			                    that have none on this CPU */
			uint64_t reserved;
			uint32_t cpu, index;
			uint32_t length_us; /* at most 1000000 */
		} frame;
		struct {
			uint64_t client, server;
			uint32_t type, pages;
			uint64_t extent_block, extent_blocks;
			uint64_t bus; /* id; 0: none */
		} channel;
		struct {
			uint64_t client, server; /* server 0: none yet */
			uint64_t number; /* 1 to 65535, one of each client's */
		} bus;
		struct {
			uint64_t id;
			uint64_t reserved;
			uint64_t extent_block, extent_blocks;
		} configure;
		struct {
			uint64_t number;
			uint64_t state; /* PART_STATE_* */
			uint64_t vector, error, address, rip;
			uint64_t time_ns;
			char name[16];
		} partition;
		struct {
			uint64_t handle, id, generation;
		} attach;
		struct {
			uint64_t device; /* id; 0: of none that is known */
			uint64_t number; /* its owner; 0: none */
			uint64_t address, reason, write, bdf;
			uint64_t time_ns;
			char name[16]; /* its owner's */
		} dma;
		struct {
			uint64_t id, generation, waited_ns;
			uint64_t client, server; /* the ultravisor says these */
			uint64_t time_ns;
		} slow;
		struct {
			uint64_t what, index;
			uint64_t row[8];
		} query;
	};
};
_Static_assert(sizeof(struct control_message) == 128, "control message layout");
_Static_assert(1 + 4 * CONTROL_SLOTS * sizeof(struct control_message) / 4096 ==
		       CONTROL_CHANNEL_PAGES,
	       "control channel");

#endif
