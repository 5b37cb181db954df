/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/info.h - what the boot stage found and made, for the ultravisor.
 *
 * One struct, as the data module of the ultravisor's view (view.data_va).
 * Everything is a number or a name: no pointers.
 */
#ifndef PARTERRE_BOOT_INFO_H
#define PARTERRE_BOOT_INFO_H

#include <stdint.h>

#define BOOT_INFO_MAGIC 0x4f464e49544f4f42ull /* "BOOTINFO" */
#define BOOT_RANGES     32
#define BOOT_MODULES    16
#define BOOT_IOMMUS     4

struct boot_range {
	uint64_t pfn, frames;
};

struct boot_module {
	char name[16];
	uint64_t pa, bytes;
};

struct boot_info {
	uint64_t magic;
	uint32_t ranges, modules;
	struct boot_range range[BOOT_RANGES]; /* RAM above 1 MiB */
	struct boot_module module[BOOT_MODULES];
	struct boot_range image; /* boot stage and monitors */
	uint64_t lead_area_pfn, lead_area_frames;
	/* The ultravisor's own instance, in slot 0. */
	uint64_t number;
	struct boot_range memory, monitor, view, frame;
	struct boot_range pool; /* for the database's first pages */
	/* Enhanced configuration space (PCI Firmware Specification, MCFG);
	 * pfn 0: none. */
	uint64_t ecam_pfn;
	uint32_t ecam_bus_first, ecam_bus_last;
	/* Register pages of DMA remapping units (VT-d, DMAR). */
	uint64_t iommu_pfn[BOOT_IOMMUS];
	uint32_t iommus, reserved;
	char args[128];
};

#endif
