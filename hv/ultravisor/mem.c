/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/mem.c - frames that the ultravisor looks at.
 *
 * It has no map of physical memory either: SYS_LEAD_FRAMES shows it frames in
 * LEAD_WINDOW, and refuses any that belong to a live monitor instance.
 *
 *   pages 0..511       the database's pool
 *   pages 512..1535    mapped for long: control channels, views, configuration
 *   pages 1536..2047   two halves for passing use: loading, scrubbing
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define LONG_FIRST 512
#define LONG_PAGES 1024
#define TEMP_FIRST 1536

static bool taken[LONG_PAGES];

static uint64_t page_va(uint64_t page)
{
	return LEAD_WINDOW_VA + page * ABI_PAGE_BYTES;
}

void mem_init(void)
{
	(void)sys_lead_frames(page_va(0), boot->pool.pfn, boot->pool.frames,
			      PROT_R | PROT_W);
	lead = mem_map(boot->lead_area_pfn, boot->lead_area_frames, PROT_R);
	if (!lead->root_pfn) /* no database in it yet */
		memset((void *)page_va(0), 0,
		       boot->pool.frames * ABI_PAGE_BYTES);
}

static uint64_t find_run(uint64_t frames)
{
	uint64_t free = 0;

	for (uint64_t i = 0; i < LONG_PAGES; i++) {
		free = taken[i] ? 0 : free + 1;
		if (free == frames)
			return i + 1 - frames;
	}
	return LONG_PAGES;
}

/* Cannot fail for want of room: 32 partitions need 12 pages each, 64 devices
 * one each. */
void *mem_map(uint64_t pfn, uint64_t frames, unsigned prot)
{
	uint64_t at = find_run(frames);
	uint64_t va = page_va(LONG_FIRST + at);

	if (at == LONG_PAGES || sys_lead_frames(va, pfn, frames, prot) < 0) {
		logf_("cannot map frames %lx", pfn);
		log_drain();
		sys_exit(1);
	}
	memset(taken + at, true, frames);
	return (void *)va;
}

void mem_unmap(const void *va, uint64_t frames)
{
	uint64_t at = ((uint64_t)va - page_va(LONG_FIRST)) / ABI_PAGE_BYTES;

	(void)sys_lead_frames((uint64_t)va, 0, frames, 0);
	memset(taken + at, false, frames);
}

void *mem_temp(unsigned half, uint64_t pfn, uint64_t frames, unsigned prot)
{
	uint64_t va = page_va(TEMP_FIRST + half * MEM_TEMP_FRAMES);

	if (sys_lead_frames(va, pfn, frames, prot) < 0) {
		logf_("cannot look at frames %lx", pfn);
		log_drain();
		sys_exit(1);
	}
	return (void *)va;
}

void mem_scrub(uint64_t pfn, uint64_t frames)
{
	memset(mem_temp(0, pfn, frames, PROT_R | PROT_W), 0,
	       frames * ABI_PAGE_BYTES);
}

const struct boot_module *mem_module(const char name[16])
{
	for (uint32_t i = 0; i < boot->modules; i++)
		if (!memcmp(boot->module[i].name, name, 16))
			return &boot->module[i];
	return NULL;
}

const void *mem_module_map(const struct boot_module *m)
{
	return mem_temp(1, m->pa >> 12, MEM_PAGES(m->bytes), PROT_R);
}
