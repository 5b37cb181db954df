/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/view.h - what a partition and its monitor may know of the database.
 *
 * Three pages owned by the ultravisor, mapped read-only at PART_VIEW_VA: a
 * head, and two buffers.  The ultravisor fills the buffer that is not active,
 * then publishes it by one store to head.active; a reader takes head.active
 * once and reads that buffer.  This is all that a monitor enforces: it keeps
 * no list of its own.
 */
#ifndef PARTERRE_ABI_VIEW_H
#define PARTERRE_ABI_VIEW_H

#include <stdint.h>

#include "abi/layout.h"

struct view_head {
	uint64_t active;     /* 0 or 1: page 1 or page 2 */
	uint64_t generation; /* of the database version that it shows */
};

struct view_extent {
	uint64_t pfn, frames;
};

#define VIEW_EXTENTS 16

/* A channel end of this partition, at index = handle. */
struct view_channel { /* 64 bytes */
	uint32_t id;      /* 0: no channel at this handle */
	uint32_t type;
	uint64_t pfn;
	uint32_t pages;   /* that this partition may map */
	uint16_t server;  /* 1: this partition is the server end */
	uint16_t flags;   /* RES_* */
	uint32_t generation;
	uint8_t peer_handle;
	uint8_t reserved[3];
	uint32_t peer_slot; /* ~0: no peer; the monitor signals by it */
	/* Of a server: so many pages more lie behind those, the client's alone to
	 * write; this partition's devices may read them. */
	uint32_t client_pages;
	uint64_t peer; /* number */
	/* Of a block channel; of a network channel the first is the client's
	 * address (NET_MAC_BYTE). */
	uint64_t extent_block, extent_blocks;
};

struct view_device { /* 48 bytes */
	uint32_t id; /* 0: none */
	uint32_t bdf;
	uint64_t config_pfn, bar_pfn;
	uint32_t bar_pages;
	uint32_t msix_page, msix_pages;
	uint32_t class_code;
	uint32_t vectors; /* how many MSI-X entries are bound to EVENT_DEVICE */
	uint32_t flags;
};

struct view {
	uint64_t number;
	char name[16];
	uint32_t kind;
	uint32_t incarnation;
	uint32_t extents;
	uint32_t cpus; /* of the machine that run partitions */
	/* A module given to the partition: inside its memory; 0 when none. */
	uint64_t data_va, data_bytes;
	char args[128]; /* NUL-terminated words, from the policy */
	struct view_extent extent[VIEW_EXTENTS];
	struct view_device device[DEVICE_SLOTS];
	struct view_channel channel[CHANNEL_SLOTS];
};

_Static_assert(sizeof(struct view_channel) == 64, "view_channel layout");
_Static_assert(sizeof(struct view_device) == 48, "view_device layout");
_Static_assert(sizeof(struct view) <= 4096, "a view is one page");

#endif
