/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/view.c - the partition's read-only view: the only thing that the
 * monitor goes by, and the channel and device windows, which must never show
 * more than it gives.
 *
 * The ultravisor, which writes it, may run on another CPU, and nothing stops it
 * from writing to a view that is in force: so what is checked is read once.  A
 * window page that the view no longer gives is dropped at the next switch to
 * the partition, or when its CPU is asked to look, whether its program lets go
 * or not.
 */
#include "monitor/monitor.h"

#define HEAD ((const volatile struct view_head *)INSTANCE_VIEW_VA)

const struct view *view_now(void)
{
	return (const struct view *)(INSTANCE_VIEW_VA + 4096 +
				     (HEAD->active & 1) * 4096);
}

void memory_take(struct memory *m, uint64_t extents,
		 const volatile struct view_extent *from)
{
	m->extents = extents < VIEW_EXTENTS ? extents : VIEW_EXTENTS;
	for (uint64_t i = 0; i < m->extents; i++)
		m->extent[i] =
			(struct view_extent){from[i].pfn, from[i].frames};
}

void memory_of(struct memory *m, const struct view *v)
{
	memory_take(m, *(const volatile uint32_t *)&v->extents, v->extent);
}

int64_t memory_page(const struct memory *m, uint64_t pfn)
{
	uint64_t page = 0;

	for (uint64_t i = 0; i < m->extents; i++) {
		if (pfn - m->extent[i].pfn < m->extent[i].frames)
			return (int64_t)(page + (pfn - m->extent[i].pfn));
		page += m->extent[i].frames;
	}
	return -1;
}

bool memory_pfn(const struct memory *m, uint64_t page, uint64_t *pfn)
{
	for (uint64_t i = 0; i < m->extents; i++) {
		if (page < m->extent[i].frames) {
			*pfn = m->extent[i].pfn + page;
			return true;
		}
		page -= m->extent[i].frames;
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
	/* Not farther, whatever is in there now. */
	for (uint32_t i = 0;
	     i < VCPU->channel_pages[handle] && i < CHANNEL_SLOT_BYTES / 4096;
	     i++)
		set(channel_va(handle) + i * 4096ull, 0);
	VCPU->channel_pfn[handle] = 0;
	VCPU->channel_pages[handle] = 0;
}

int64_t sys_channel_map(uint64_t handle, uint64_t b, uint64_t c, uint64_t d,
			uint64_t e, uint64_t n)
{
	const volatile struct view_channel *ch;
	uint64_t pfn;
	uint32_t pages;

	(void)b, (void)c, (void)d, (void)e, (void)n;
	if (handle >= CHANNEL_SLOTS)
		return -SYS_EINVAL;
	ch = &view_now()->channel[handle];
	pfn = ch->pfn;
	pages = ch->pages;
	if (!ch->id)
		return -SYS_ENOENT;
	if (!pages || pages > CHANNEL_SLOT_BYTES / 4096)
		return -SYS_EPERM;
	if (VCPU->channel_pfn[handle])
		return (int64_t)channel_va(handle);
	for (uint32_t i = 0; i < pages; i++)
		set(channel_va(handle) + i * 4096ull,
		    PTE(pfn + i, PTE_P | PTE_W | PTE_U | PTE_NX));
	VCPU->channel_pfn[handle] = pfn;
	VCPU->channel_pages[handle] = pages;
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
	const volatile struct view_device *dev;
	uint64_t va = device_va(index);
	uint32_t pages;

	(void)b, (void)c, (void)d, (void)e, (void)n;
	if (index >= DEVICE_SLOTS)
		return -SYS_EINVAL;
	dev = &view_now()->device[index];
	if (!dev->id)
		return -SYS_ENOENT;
	pages = dev->bar_pages;
	if (pages > DEVICE_SLOT_BYTES / 4096 - 1)
		return -SYS_EPERM;
	if (VCPU->device_pfn[index])
		return (int64_t)va;
	set(va, PTE(dev->config_pfn, flags));
	for (uint32_t i = 0; i < pages; i++)
		if (i - dev->msix_page >= dev->msix_pages)
			set(va + 4096 * (i + 1ull),
			    PTE(dev->bar_pfn + i, flags | PTE_W));
	VCPU->device_pfn[index] = dev->config_pfn;
	return (int64_t)va;
}

/* ---- a new view --------------------------------------------------------- */

void view_adopt(void)
{
	const struct view *v = view_now();

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
