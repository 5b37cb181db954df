/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/database.h - the ultravisor's resource database, as it lies in memory.
 *
 * One root page whose word `current` names the version page now in force.  A
 * transaction copies the pages it changes, fills a new version page, and
 * commits by one aligned 8-byte store to `current`: it holds or has left no
 * mark.  Readers (the simulator's partition view, a restarted ultravisor)
 * follow `current` and see one consistent version.
 *
 * Memory map, tiers with factor 2^9: the version's map page is the index page
 * of tier G (512 words, one for each 1 GiB); a word is free, a whole block's
 * owner, or points to the index page of the next lower tier (M: 2 MiB words,
 * K: 4 KiB words).  Owner of any frame: at most three reads.
 *
 * A partition's number is [G,M,K]: the three 9-bit indices, which together are
 * the frame number of its descriptor page.
 *
 * Besides what there is, a version says what is demanded and not yet done: what
 * an ultravisor that begins anew has to finish (hv/ultravisor/adopt.c).  Some
 * words of it are notes: changed in place, one store each, in the version in
 * force, by the ultravisor alone, while no transaction is open.
 *
 * All words little-endian, 8 bytes, aligned.
 */
#ifndef PARTERRE_ABI_DATABASE_H
#define PARTERRE_ABI_DATABASE_H

#include <stdint.h>

#define TIER_SHIFT 9
#define TIER_WORDS 512

/* A map word. */
#define MAP_KIND_MASK 3ull
#define MAP_NONE 0ull  /* no RAM here (hole, device, firmware) */
#define MAP_OWNED 1ull /* bits 12..38: number of the owner, for the whole block */
#define MAP_INDEX 2ull /* bits 12..: frame of the next tier's index page */
#define MAP_TARGET_SHIFT 12
#define MAP_WORD(kind, target) ((kind) | ((uint64_t)(target) << MAP_TARGET_SHIFT))
#define MAP_KIND(word) ((word)&MAP_KIND_MASK)
#define MAP_TARGET(word) ((word) >> MAP_TARGET_SHIFT)

#define NUMBER(g, m, k)                                                        \
	(((uint64_t)(g) << 18) | ((uint64_t)(m) << 9) | (uint64_t)(k))
#define NUMBER_G(n) ((unsigned)((n) >> 18) & 511)
#define NUMBER_M(n) ((unsigned)((n) >> 9) & 511)
#define NUMBER_K(n) ((unsigned)(n)&511)

#define DB_MAGIC 0x31424456415254ull /* "TRAVDB1" */

struct db_root {
	uint64_t magic;
	uint64_t current; /* frame of the struct db_version in force */
};

/* An answer that is owed for a transaction that holds. */
#define DB_ANSWERS 16
struct db_answer { /* 40 bytes */
	uint64_t requester; /* 0: none.  A note: 0 when it was given */
	uint64_t handle, result;
	uint64_t serial; /* given when nothing is loaded for that transaction;
	                    0: at once */
	uint32_t id;     /* of the last operation */
	uint32_t reserved;
};

struct db_version {
	uint64_t magic;
	uint64_t generation; /* +1 each committed transaction */
	uint64_t map_pfn;    /* index page of tier G */
	uint64_t parts_pfn;  /* struct db_part[DB_PARTS] */
	uint64_t chans_pfn;  /* struct db_chan[DB_CHANS] */
	uint64_t devs_pfn;   /* struct db_dev[DB_DEVS] */
	uint64_t frames_total, frames_free;
	uint64_t txn_requester; /* number of the partition that asked */
	uint64_t txn_handle;
	uint64_t available; /* number of the partition that owns what is free */
	uint64_t cpus_pfn; /* struct db_cpu[DB_CPUS], by index */
	uint64_t irqs_pfn; /* struct db_irq[DB_IRQS], by vector */
	uint64_t buses_pfn; /* struct db_bus[DB_BUSES] */
	uint64_t moves_pfn;    /* struct db_move[DB_CHANS], rows as the channels' */
	uint64_t schedule_pfn; /* frame of the schedule */
	uint64_t serial;       /* +1 each transaction that was asked for */
	uint64_t off;          /* the machine is to go off: its code + 1 */
	struct db_answer answer[DB_ANSWERS];
	uint64_t iommu_pfn; /* DB_IOMMU_FRAMES for its tables, the ultravisor's; 0:
	                       there is none */
};
#define DB_IOMMU_FRAMES 128

/* The eight state flags of a resource, and the named sets. */
#define RES_ENABLED 0x01   /* exists */
#define RES_ACTIVE 0x02    /* assigned to an active partition */
#define RES_ALIVE 0x04     /* configured at its server */
#define RES_REVOKED 0x08   /* being taken away */
#define RES_ALLOCATED 0x10 /* memory or number chosen */
#define RES_KNOWN 0x20     /* the partition was told */
#define RES_READY 0x40     /* the partition answered */
#define RES_OPERATING 0x80
#define RES_RUNNING 0xf7 /* all but revoked */
#define RES_PAUSED 0x77  /* running without operating */
#define RES_STANDBY 0x73 /* paused without alive: the server is lost */
#define RES_FREE 0x01    /* a device that is nobody's */
#define RES_MADE 0x11    /* a partition that has not been started */
#define RES_SAVED 0x31   /* a partition without an instance (PART_STATE_SAVED) */

/* Kinds of partition. */
#define PART_NONE 0
#define PART_BOOT 1
#define PART_ULTRAVISOR 2
#define PART_IDLE 3
#define PART_AVAILABLE 4 /* owner of record of what is free; never runs */
#define PART_IO 5
#define PART_COMMAND 6
#define PART_OPERATIONS 7
#define PART_GUEST 8
#define PART_DIAGNOSTICS 9

/* Run states of a partition. */
#define PART_STATE_DEFINED 0
#define PART_STATE_RUNNING 1
#define PART_STATE_STOPPED 2
#define PART_STATE_CRASHED 3
#define PART_STATE_DEAD 4 /* declared dead: no heartbeat */
#define PART_STATE_SAVED 5 /* what it was lies in its frames */

/* The descriptor page: identity, never changes while the number lives. */
struct part_desc {
	uint64_t magic; /* PART_DESC_MAGIC */
	uint64_t number;
	char name[16]; /* NUL-padded: "ultravisor", "io.a", "guest1" */
	uint64_t kind;
	char module[16]; /* boot module that its image came from */
};
#define PART_DESC_MAGIC 0x4353454454524150ull /* "PARTDESC" */

#define DB_PARTS 32
struct db_part { /* 128 bytes */
	uint64_t number; /* 0: slot free */
	uint32_t flags;  /* RES_* */
	uint32_t state;  /* PART_STATE_* */
	uint32_t slot;   /* of the monitor instance; ~0 when there is none */
	uint32_t incarnation; /* +1 each (re)start */
	uint64_t memory_pfn;  /* first extent, in frames */
	uint64_t memory_frames;
	uint64_t monitor_pfn; /* the instance's private frames */
	uint64_t monitor_frames;
	uint64_t view_pfn; /* 3 pages, owned by the ultravisor */
	uint64_t conf_pfn; /* struct db_conf */
	/* How it is scheduled (struct lead_schedule). */
	uint32_t cpu; /* idle: on all */
	uint32_t standing, quantum_us, weight, cap;
	uint32_t untold;     /* a note: its end, or another state, is to be told */
	uint64_t stop_by_ns; /* an orderly stop is awaited until then; 0: none */
	uint64_t keep_pfn; /* what was saved of it: KEEP_FRAMES, the ultravisor's;
	                      0: nothing */
	uint64_t load_serial; /* of the transaction that its instance is for */
	uint32_t mark; /* DEAD: why (MARK_*, abi/control.h) */
	uint32_t reserved[1];
};

/* Of a saved partition: the first frame is a struct lead_state (abi/lead.h), the
 * second its user frame.  Its memory stays in the frames that the state names,
 * also while it is being restored over others. */
#define KEEP_FRAMES 2

/* What a partition was told, a page of each one's. */
struct db_conf {
	char data[16]; /* boot module that lies in its memory; "": none */
	char args[128]; /* view.args */
};

#define DB_CHANS 64
struct db_chan { /* 64 bytes */
	uint32_t id;   /* 1..; 0: slot free */
	uint32_t type; /* CHANNEL_* (abi/channel.h) */
	uint64_t client, server; /* numbers; server 0 while none */
	uint64_t pfn;            /* frames are contiguous, owned by the ultravisor */
	uint32_t pages;
	uint32_t flags; /* RES_* */
	uint8_t client_handle, server_handle;
	uint8_t bus;  /* id; 0: on none */
	uint8_t held; /* paused until somebody says otherwise */
	uint32_t generation; /* +1 each time the server end moves */
	uint64_t extent_block, extent_blocks; /* of a block channel: the part of the
	                                         disk, in BLOCK_BYTES */
};

/* A bus: channels of one client, its devices, that are paused and resumed
 * together. */
#define DB_BUSES 64
struct db_bus { /* 64 bytes */
	uint64_t client; /* number; 0: slot free.  The id is the slot's index + 1 */
	uint64_t server; /* of a device for which none is named; 0: none */
	uint32_t number; /* the client's: one of each */
	uint32_t flags;  /* RES_RUNNING or RES_PAUSED */
	uint64_t reserved[5];
};

#define DB_DEVS 64
struct db_dev { /* 64 bytes */
	uint32_t id;  /* 1..; 0: slot free */
	uint32_t bdf; /* bus << 8 | device << 3 | function */
	uint64_t owner; /* number */
	uint64_t config_pfn; /* its page of the enhanced configuration space */
	uint64_t bar_pfn;    /* the BAR of its registers */
	uint32_t bar_pages;
	uint32_t class_code; /* 24 bits: 0x010802 is NVMe */
	uint32_t msix_page;  /* first page of it with the MSI-X table, which may */
	uint32_t msix_pages; /* also lie in another BAR: 0 */
	uint32_t vector; /* interrupt vector of MSI-X entry 0; n more follow */
	uint32_t flags;
	uint32_t vectors; /* MSI-X entries in use, and so many vectors */
	uint32_t index;   /* its place in its owner's view and window */
};

/* What a channel goes through (hv/ultravisor/chan.c). */
struct db_move { /* 64 bytes */
	uint32_t id;            /* of the channel */
	uint8_t phase, flags;   /* notes, where they change no owner */
	uint8_t server, client; /* notes: what each end has yet to do */
	uint64_t to;            /* the new server */
	uint64_t server_event, client_event; /* notes: handles of events sent */
	uint64_t reserved[4];
};

#define DB_CPUS 8
#define DB_WINDOWS 16
struct db_cpu { /* 512 bytes */
	uint64_t owner;   /* number; 0: no such CPU */
	uint32_t apic_id;
	uint32_t flags; /* RES_* */
	uint64_t reserved[30];
	/* Its cyclic frame: windows of a partition, or, number 0, shared by those
	 * without one; length 0 ends it. */
	struct db_window {
		uint64_t number;
		uint64_t length_us;
	} window[DB_WINDOWS];
};

/* Interrupt vectors, the same on all CPUs. */
#define DB_IRQS 256
struct db_irq { /* 16 bytes */
	uint64_t owner;  /* number: who gets it, at last */
	uint32_t device; /* id of the one that sends it; 0: none */
	uint16_t entry;  /* of its MSI-X table */
	uint16_t flags;  /* RES_* */
};

_Static_assert(sizeof(struct db_part) * DB_PARTS == 4096, "db_part layout");
_Static_assert(sizeof(struct db_chan) * DB_CHANS == 4096, "db_chan layout");
_Static_assert(sizeof(struct db_bus) * DB_BUSES == 4096, "db_bus layout");
_Static_assert(sizeof(struct db_move) * DB_CHANS == 4096, "db_move layout");
_Static_assert(sizeof(struct db_dev) * DB_DEVS == 4096, "db_dev layout");
_Static_assert(sizeof(struct db_cpu) * DB_CPUS == 4096, "db_cpu layout");
_Static_assert(sizeof(struct db_irq) * DB_IRQS == 4096, "db_irq layout");
_Static_assert(sizeof(struct db_conf) <= 4096, "a page");
_Static_assert(sizeof(struct db_version) <= 4096, "a page");

#endif
