/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/layout.h - where things lie in every partition's address spaces.
 *
 * Low half: ring 3 (user) pages, the partition's own.  High half: ring 0
 * (supervisor) pages, the partition's monitor instance.
 *
 *   0x0000000000200000  view         3 pages, read-only (abi/view.h)
 *   0x0000000000210000  user frame   1 page, read-write (abi/syscall.h)
 *   0x0000000000400000  partition memory: image first, then the rest of the
 *                       partition's blocks, in the order of view.extent[]
 *   0x0000000020000000  channel window: 32 slots of 128 KiB, by handle
 *   0x0000000030000000  device window: 4 slots of 128 KiB, by device index
 *   0xffffffff80000000  monitor text and constants, shared, read-only
 *
 * These are addresses of the partition's kernel address space (number 0).
 * User address spaces of a guest hold what the guest's kernel maps in them,
 * below USER_SPACE_END, and nothing of the above low-half windows.
 *
 * Includable from assembly and from the simulator.
 */
#ifndef PARTERRE_ABI_LAYOUT_H
#define PARTERRE_ABI_LAYOUT_H

#define ABI_PAGE_BYTES 4096
#define ABI_PAGE_SHIFT 12

#define PART_VIEW_VA 0x200000
#define PART_VIEW_PAGES 3
#define PART_FRAME_VA 0x210000
#define PART_MEMORY_VA 0x400000

#define CHANNEL_WINDOW_VA 0x20000000
#define CHANNEL_SLOT_BYTES 0x100000 /* 256 pages: the largest channel */
#define CHANNEL_SLOTS 32            /* handles 0 to 31 */

#define DEVICE_WINDOW_VA 0x30000000
#define DEVICE_SLOT_BYTES 0x20000
#define DEVICE_SLOTS 4

#define USER_SPACE_START 0x1000
#define USER_SPACE_END 0x800000000000

#define MONITOR_VA 0xffffffff80000000

/* Partition slots: the monitor's dense numbering of live instances. */
#define PART_SLOTS 32
#define ABI_CPUS 8

#endif
