/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vtd.h - DMA remapping unit (Intel Virtualization Technology for
 * Directed I/O, revision 3.4; sections and register names are its): one unit
 * for all functions of PCI segment 0, which the ACPI table DMAR tells of.
 *
 * While translation is enabled (GSTS.TES), each DMA of a PCI function goes by
 * its requester ID through root table, context table and second-level page
 * tables of three or four levels (39 or 48 bits) with pages of 4 KiB, 2 MiB and
 * 1 GiB, or is passed through.  What is refused is recorded and told by a
 * message.  Writes to FEExxxxx are messages and are not remapped.
 *
 * Present entries are cached, contexts and translations each: a table that is
 * changed counts when the cache was invalidated, by registers or by the queue,
 * as on hardware without caching mode.  What is not present is never cached.
 * Commands take VTD_COMMAND_PS each; until then the status shows the old.
 *
 * Page walks see the CPUs' caches (ECAP.C), so nothing has to be flushed.
 *
 * Not modelled: interrupt remapping (not advertised), device TLBs, scalable
 * mode and PASIDs, advanced fault logging, protected memory regions, caching
 * mode, zero-length reads, snoop control, IQERCD, the performance monitor;
 * a requester's faults are never collapsed into one.
 */
#ifndef PARTERRE_DEVICES_VTD_H
#define PARTERRE_DEVICES_VTD_H

#include "cpu/walk.h"
#include "sim/base.h"

#define VTD_BASE  UINT64_C(0xFED90000)
#define VTD_BYTES UINT64_C(0x1000)
/* Bits of an address that it can reach: those of the CPUs. */
#define VTD_HOST_BITS WALK_PA_BITS

#define VTD_COMMAND_PS (200 * PS_PER_NS)

/* Registers (chapter 11). */
enum {
	VTD_VER = 0x00,
	VTD_CAP = 0x08,
	VTD_ECAP = 0x10,
	VTD_GCMD = 0x18,
	VTD_GSTS = 0x1C,
	VTD_RTADDR = 0x20,
	VTD_CCMD = 0x28,
	VTD_FSTS = 0x34,
	VTD_FECTL = 0x38,
	VTD_FEDATA = 0x3C,
	VTD_FEADDR = 0x40,
	VTD_FEUADDR = 0x44,
	VTD_IQH = 0x80,
	VTD_IQT = 0x88,
	VTD_IQA = 0x90,
	VTD_ICS = 0x9C,
	VTD_IECTL = 0xA0,
	VTD_IEDATA = 0xA4,
	VTD_IEADDR = 0xA8,
	VTD_IEUADDR = 0xAC,
	VTD_IVA = 0x100, /* ECAP.IRO */
	VTD_IOTLB = 0x108,
	VTD_FRCD = 0x200, /* CAP.FRO */
};

/* Of GCMD and GSTS. */
#define VTD_TE   UINT32_C(0x80000000)
#define VTD_SRTP UINT32_C(0x40000000)
#define VTD_WBF  UINT32_C(0x08000000)
#define VTD_QIE  UINT32_C(0x04000000)

#define VTD_FSTS_PFO UINT32_C(0x01)
#define VTD_FSTS_PPF UINT32_C(0x02)
#define VTD_FSTS_IQE UINT32_C(0x10)
#define VTD_EVENT_IM UINT32_C(0x80000000) /* FECTL, IECTL */
#define VTD_EVENT_IP UINT32_C(0x40000000)
#define VTD_ICS_IWC  UINT32_C(0x01)

/* 64-bit registers. */
#define VTD_CCMD_ICC  (UINT64_C(1) << 63)
#define VTD_IOTLB_IVT (UINT64_C(1) << 63)

#define VTD_FAULTS 4 /* fault recording registers */

/* Why a DMA was refused (table 25). */
enum vtd_reason {
	VTD_NO_ROOT = 0x1,     /* entry not present */
	VTD_NO_CONTEXT = 0x2,  /* the same */
	VTD_BAD_CONTEXT = 0x3, /* AW, TT */
	VTD_BEYOND = 0x4,      /* the address has too many bits */
	VTD_NO_WRITE = 0x5,
	VTD_NO_READ = 0x6,
	VTD_TABLE_ACCESS = 0x7, /* the next table is not in RAM */
	VTD_ROOT_ACCESS = 0x8,
	VTD_CONTEXT_ACCESS = 0x9,
	VTD_ROOT_RESERVED = 0xA,
	VTD_CONTEXT_RESERVED = 0xB,
	VTD_TABLE_RESERVED = 0xC,
};

#endif
