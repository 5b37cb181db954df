/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/view.c - the partition's read-only view: the only thing that the
 * monitor goes by, and the channel and device windows, which must never show
 * more than it gives.
 *
 * The view is untouched while its partition runs: the ultravisor, which writes
 * it, is another partition on the same CPU.  A window page that the view no
 * longer gives is dropped at the next switch to the partition, whether its
 * program lets go or not.
 */
#include "monitor/monitor.h"

#define HEAD ((const volatile struct view_head *)INSTANCE_VIEW_VA)

const struct view *view_now(void)
{
	return (const struct view *)(INSTANCE_VIEW_VA + 4096 +
				     (HEAD->active & 1) * 4096);
}

int64_t view_frame(const struct view *v, uint64_t pfn)
{
	uint64_t index = 0;

	for (uint32_t i = 0; i < v->extents && i < VIEW_EXTENTS; i++) {
		if (pfn - v->extent[i].pfn < v->extent[i].frames)
			return (int64_t)(index + (pfn - v->extent[i].pfn));
		index += v->extent[i].frames;
	}
	return -1;
}

bool view_pfn(const struct view *v, uint64_t page, uint64_t *pfn)
{
	for (uint32_t i = 0; i < v->extents && i < VIEW_EXTENTS; i++) {
		if (page < v->extent[i].frames) {
			*pfn = v->extent[i].pfn + page;
			return true;
		}
		page -= v->extent[i].frames;
	}
	return false;
}

/* ---- channels ----------------------------------------------------------- */

static uint64_t channel_va(uint64_t handle)
{
	return CHANNEL_WINDOW_VA + handle * CHANNEL_SLOT_BYTES;
}

static void set(uint64_t va, uint64_t entry)
{
	uint64_t *e = kernel_pte(va);

	if (!e) /* lead_create() makes these tables */
		return;
	*e = entry;
	invlpg(va);
}

static void channel_drop(unsigned handle)
{
	for (uint32_t i = 0; i < VCPU->channel_pages[handle]; i++)
		set(channel_va(handle) + i * 4096ull, 0);
	VCPU->channel_pfn[handle] = 0;
	VCPU->channel_pages[handle] = 0;
}

int64_t sys_channel_map(uint64_t handle, uint64_t b, uint64_t c, uint64_t d,
			uint64_t e, uint64_t n)
{
	const struct view_channel *ch;

	(void)b, (void)c, (void)d, (void)e, (void)n;
	if (handle >= CHANNEL_SLOTS)
		return -SYS_EINVAL;
	ch = &view_now()->channel[handle];
	if (!ch->id)
		return -SYS_ENOENT;
	if (!ch->pages || ch->pages > CHANNEL_SLOT_BYTES / 4096)
		return -SYS_EPERM;
	if (VCPU->channel_pfn[handle])
		return (int64_t)channel_va(handle);
	for (uint32_t i = 0; i < ch->pages; i++)
		set(channel_va(handle) + i * 4096ull,
		    PTE(ch->pfn + i, PTE_P | PTE_W | PTE_U | PTE_NX));
	VCPU->channel_pfn[handle] = ch->pfn;
	VCPU->channel_pages[handle] = ch->pages;
	return (int64_t)channel_va(handle);
}

int64_t sys_channel_unmap(uint64_t handle, uint64_t b, uint64_t c, uint64_t d,
			  uint64_t e, uint64_t n)
{
	(void)b, (void)c, (void)d, (void)e, (void)n;
	if (handle >= CHANNEL_SLOTS)
		return -SYS_EINVAL;
	if (!VCPU->channel_pfn[handle])
		return -SYS_ENOENT;
	channel_drop((unsigned)handle);
	return 0;
}

/* ---- devices ------------------------------------------------------------ */

static uint64_t device_va(uint64_t index)
{
	return DEVICE_WINDOW_VA + index * DEVICE_SLOT_BYTES;
}

static void device_drop(unsigned index)
{
	for (uint64_t at = 0; at < DEVICE_SLOT_BYTES; at += 4096)
		set(device_va(index) + at, 0);
	VCPU->device_pfn[index] = 0;
}

/* Page 1 + i shows page i of the BAR; where the MSI-X table and its pending
 * bits lie nothing is mapped, for whoever writes there chooses vectors. */
int64_t sys_device_map(uint64_t index, uint64_t b, uint64_t c, uint64_t d,
		       uint64_t e, uint64_t n)
{
	const uint64_t flags = PTE_P | PTE_U | PTE_NX | PTE_PCD | PTE_PWT;
	const struct view_device *dev;
	uint64_t va = device_va(index);

	(void)b, (void)c, (void)d, (void)e, (void)n;
	if (index >= DEVICE_SLOTS)
		return -SYS_EINVAL;
	dev = &view_now()->device[index];
	if (!dev->id)
		return -SYS_ENOENT;
	if (dev->bar_pages > DEVICE_SLOT_BYTES / 4096 - 1)
		return -SYS_EPERM;
	if (VCPU->device_pfn[index])
		return (int64_t)va;
	set(va, PTE(dev->config_pfn, flags));
	for (uint32_t i = 0; i < dev->bar_pages; i++)
		if (i - dev->msix_page >= dev->msix_pages)
			set(va + 4096 * (i + 1ull),
			    PTE(dev->bar_pfn + i, flags | PTE_W));
	VCPU->device_pfn[index] = dev->config_pfn;
	return (int64_t)va;
}

/* ---- a new view --------------------------------------------------------- */

void view_refresh(void)
{
	const struct view *v = view_now();

	if (VCPU->view_seen == HEAD->generation)
		return;
	VCPU->view_seen = HEAD->generation;
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++)
		if (VCPU->channel_pfn[i] &&
		    (!v->channel[i].id ||
		     v->channel[i].pfn != VCPU->channel_pfn[i] ||
		     v->channel[i].pages != VCPU->channel_pages[i]))
			channel_drop(i);
	for (unsigned i = 0; i < DEVICE_SLOTS; i++)
		if (VCPU->device_pfn[i] &&
		    (!v->device[i].id ||
		     v->device[i].config_pfn != VCPU->device_pfn[i]))
			device_drop(i);
}
