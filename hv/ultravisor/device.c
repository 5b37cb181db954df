/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/device.c - PCI functions: found, given, fenced.
 *
 * A function is free when it can be given to a partition safely: its registers
 * are pages of memory that are no other's, and it has an MSI-X table.  All
 * others are recorded as the ultravisor's, and so nobody's to use.  The
 * partition gets the BAR of its registers (pci.h) but for the pages of the
 * table and its pending bits, if they lie there, and no other BAR: whoever
 * writes there chooses interrupt vectors, and that is the ultravisor.  The
 * configuration space it may only read, so bus mastering stays in the
 * ultravisor's hand too.
 *
 * The fence.  When a partition has come to its end, the IOMMU, where there is
 * one, lets its devices reach nothing any more, bus mastering goes off and what
 * the device had under way is made to end: an NVMe controller is reset (CC.EN =
 * 0, until CSTS.RDY = 0), a virtio device too (its status 0).  After that no
 * DMA can happen, not even when bus mastering is on again for the partition's
 * next program, and no write can reach the medium.  Only then may anything else
 * be done with what the partition served.
 *
 * PCI Express Base 3.0, 7.2.2 (ECAM); SDM 3A 10.11 (messages); NVMe 1.4, 3.1
 * (registers), 7.6.2 (shutdown and reset); VIRTIO 1.2, 4.1.4.3 (status).
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/sys.h"
#include "ultravisor/pci.h"

#define CLASS_NVME 0x010802
#define NVME_CC    0x14
#define NVME_CSTS  0x1c
#define CC_EN      1
#define CSTS_RDY   1

#define VIRTIO_STATUS 0x14

#define VECTORS_EACH  2
#define RESET_WAIT_NS 10000000

static volatile uint8_t *config_of[DB_DEVS + 1]; /* by id */
static bool withheld[DB_DEVS + 1];               /* the same */

/* ---- enumeration -------------------------------------------------------- */

/* The pages of the registers' BAR in which the table lies, or its pending bits.
 */
static void keep_msix(struct db_dev *d, volatile uint8_t *c, unsigned msix,
		      uint32_t entries)
{
	const struct {
		unsigned at;
		uint64_t bytes;
	} part[] = {{4, entries * 16}, {8, (entries + 63) / 64 * 8}};
	uint64_t first = ~0ull, end = 0;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t from = pci_msix_offset(c, msix, part[i].at) >> 12;
		uint64_t to = pci_msix_offset(c, msix, part[i].at) +
			      part[i].bytes + 4095;

		if (pci_msix_bar(c, msix, part[i].at) != pci_registers(c))
			continue;
		first = from < first ? from : first;
		end = to >> 12 > end ? to >> 12 : end;
	}
	d->msix_page = end ? (uint32_t)first : 0;
	d->msix_pages = end ? (uint32_t)(end - first) : 0;
}

static int record(uint32_t bdf, uint64_t pfn, volatile uint8_t *c)
{
	unsigned msix = pci_msix(c), n = pci_registers(c);
	uint32_t entries = (pci_read16(c, msix + 2) & 0x7ffu) + 1;
	uint64_t bytes = pci_bar_bytes(c, n);
	struct db_dev *d;
	int status;

	status = db_dev_create(&db, &d);
	if (status)
		return status;
	d->bdf = bdf;
	d->config_pfn = pfn;
	d->bar_pfn = pci_bar(c, n) >> 12;
	d->bar_pages = (uint32_t)(bytes >> 12);
	d->class_code = pci_read32(c, PCI_CLASS) >> 8;
	keep_msix(d, c, msix, entries);
	d->vectors = entries < VECTORS_EACH ? entries : VECTORS_EACH;
	d->vector = DEVICE_VECTOR_FIRST + (d->id - 1) * VECTORS_EACH;
	config_of[d->id] = c;
	return db_dev_give(&db, d->id, available_number, RES_FREE);
}

/* The bus is gone through twice: first for what is free, which so has the
 * lowest ids, then for the rest. */
static bool rest;
static int scan_bus(unsigned bus);

static int record_kept(uint32_t bdf, uint64_t pfn, volatile uint8_t *c)
{
	struct db_dev *d;
	int status = db_dev_create(&db, &d);

	if (status)
		return status;
	d->bdf = bdf;
	d->config_pfn = pfn;
	d->class_code = pci_read32(c, PCI_CLASS) >> 8;
	return db_dev_give(&db, d->id, uv_number, RES_ENABLED);
}

static bool recorded(uint32_t bdf)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->bdf == bdf)
			return true;
	}
	return false;
}

/* Are its registers whole pages, and does it have an MSI-X table? */
static bool can_be_given(volatile uint8_t *c)
{
	unsigned msix = pci_msix(c), n = pci_registers(c);

	return !(c[PCI_HEADER] & 0x7f) && msix && pci_bar(c, n) &&
	       pci_bar_bytes(c, n) >= ABI_PAGE_BYTES &&
	       pci_bar(c, pci_msix_bar(c, msix, 4));
}

/* `c`: mapped for the moment; a function that is free gets its own mapping. */
static int scan_function(uint32_t bdf, uint64_t pfn, volatile uint8_t *c)
{
	if (rest && !recorded(bdf)) {
		int status = record_kept(bdf, pfn, c);

		if (status)
			return status;
	}

	if ((c[PCI_HEADER] & 0x7f) == 1) {
		unsigned below = pci_read32(c, PCI_BUSES) >> 8 & 0xff;

		return below > bdf >> 8 ? scan_bus(below) : CONTROL_OK;
	}
	if (rest || !can_be_given(c))
		return CONTROL_OK;
	return record(bdf, pfn, mem_map(pfn, 1, PROT_R | PROT_W | PROT_DEVICE));
}

static int scan_bus(unsigned bus)
{
	if (bus < boot->ecam_bus_first || bus > boot->ecam_bus_last)
		return CONTROL_OK;
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		uint32_t bdf = bus << 8 | devfn;
		uint64_t pfn = boot->ecam_pfn + bdf;
		volatile uint8_t *c =
			mem_temp(0, pfn, 1, PROT_R | PROT_W | PROT_DEVICE);
		bool many = c[PCI_HEADER] & 0x80;
		int status;

		if (pci_read16(c, 0) == 0xffff) {
			if (!(devfn & 7))
				devfn += 7;
			continue;
		}
		status = scan_function(bdf, pfn, c);
		if (status)
			return status;
		if (!(devfn & 7) && !many)
			devfn += 7;
	}
	return CONTROL_OK;
}

int device_enumerate(void)
{
	int n = 0;

	if (!boot->ecam_pfn || scan_bus(boot->ecam_bus_first))
		return 0;
	rest = true;
	if (scan_bus(boot->ecam_bus_first))
		return 0;
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->class_code == CLASS_NVME)
			n++;
	}
	return n;
}

/* ---- a device in use ---------------------------------------------------- */

static uint32_t apic_id(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

/* Whatever it has under way ends. */
static void stop_nvme(volatile uint8_t *regs)
{
	pci_write32(regs, NVME_CC,
		    pci_read32(regs, NVME_CC) & ~(uint32_t)CC_EN);
}

/* All ones: it was pulled out, and does no harm any more. */
static bool nvme_runs(volatile uint8_t *regs)
{
	uint32_t status = pci_read32(regs, NVME_CSTS);

	return status != ~0u && (status & CSTS_RDY);
}

static void stop_virtio(volatile uint8_t *regs)
{
	regs[VIRTIO_STATUS] = 0;
}

static bool virtio_runs(volatile uint8_t *regs)
{
	uint8_t status = regs[VIRTIO_STATUS];

	return status != 0xff && status;
}

static void reset(const struct db_dev *d, uint64_t offset,
		  void (*stop)(volatile uint8_t *regs),
		  bool (*runs)(volatile uint8_t *regs))
{
	volatile uint8_t *regs = mem_temp(0, d->bar_pfn + (offset >> 12), 1,
					  PROT_R | PROT_W | PROT_DEVICE);
	uint64_t until = sys_time() + RESET_WAIT_NS;

	regs += offset & 4095;
	stop(regs);
	while (runs(regs) && sys_time() < until)
		__builtin_ia32_pause();
	if (runs(regs))
		logf_("device %u does not reset", d->id);
}

/* With bus mastering off. */
static void end_all(const struct db_dev *d)
{
	uint64_t common;

	if (d->class_code == CLASS_NVME)
		reset(d, 0, stop_nvme, nvme_runs);
	else if (pci_virtio_common(config_of[d->id], &common))
		reset(d, common, stop_virtio, virtio_runs);
}

static void enable(const struct db_dev *d, uint32_t slot)
{
	volatile uint8_t *c = config_of[d->id];
	unsigned msix = pci_msix(c);
	uint64_t table = pci_bar(c, pci_msix_bar(c, msix, 4)) +
			 pci_msix_offset(c, msix, 4);
	volatile uint8_t *t;

	withheld[d->id] = false;
	pci_command(c, 0, COMMAND_MEMORY);
	end_all(d); /* what firmware has begun, too */
	pci_write16(c, msix + 2, MSIX_ENABLE | MSIX_MASK_ALL);
	t = mem_temp(0, table >> 12, 1, PROT_R | PROT_W | PROT_DEVICE);
	t += table & 4095;
	for (uint32_t i = 0; i < d->vectors; i++, t += 16) {
		(void)sys_lead_bind(d->vector + i, slot, 32 + d->index);
		pci_write32(t, 0, 0xfee00000 | apic_id() << 12);
		pci_write32(t, 4, 0);
		pci_write32(t, 8, d->vector + i);
		pci_write32(t, 12, 0); /* not masked */
	}
	pci_write16(c, msix + 2, MSIX_ENABLE);
	if (iommu_attach(d))
		pci_command(c, 0, COMMAND_MASTER);
}

/* False: it was fenced already. */
static bool fence(const struct db_dev *d)
{
	volatile uint8_t *c = config_of[d->id];
	bool on = pci_read16(c, PCI_COMMAND) & COMMAND_MASTER;

	iommu_detach(d);
	pci_command(c, COMMAND_MASTER, COMMAND_MEMORY);
	end_all(d);
	pci_write16(c, pci_msix(c) + 2, MSIX_MASK_ALL);
	for (uint32_t i = 0; i < d->vectors; i++)
		(void)sys_lead_bind(d->vector + i, LEAD_SLOT_NONE, 0);
	return on;
}

void device_fence_all(uint64_t number)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (!d || d->owner != number)
			continue;
		if (fence(d))
			logf_("%s: device %u fenced at %lu us",
			      part_name(number), d->id, sys_time() / 1000);
	}
}

void device_enable_all(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && part && d->owner == number)
			enable(d, part->slot);
	}
}

/* ---- begun anew --------------------------------------------------------- */

void device_adopt(void)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (!d || !d->vectors)
			continue;
		config_of[d->id] = mem_map(d->config_pfn, 1,
					   PROT_R | PROT_W | PROT_DEVICE);
		if (d->owner == available_number)
			(void)fence(d);
	}
}

/* Bus mastering is the last thing that enable() does, and only the ultravisor
 * can. */
static bool masters(const struct db_dev *d)
{
	return pci_read16(config_of[d->id], PCI_COMMAND) & COMMAND_MASTER;
}

void device_withhold_rest(uint64_t number)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == number && d->vectors && !masters(d))
			withheld[d->id] = true;
	}
}

bool device_withheld(const struct db_dev *d)
{
	return withheld[d->id];
}

void device_enable_rest(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == number && !masters(d))
			enable(d, part->slot);
	}
}

bool device_masters(const struct db_dev *d)
{
	return d->vectors && part_running(d->owner) && masters(d);
}

/* ---- in transactions ---------------------------------------------------- */

int device_state(uint64_t number, uint32_t flags)
{
	int status = CONTROL_OK;

	for (unsigned i = 0; i < DB_DEVS && !status; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == number)
			status = db_dev_give(&db, d->id, number, flags);
	}
	return status;
}

int device_release_all(uint64_t number)
{
	int status = CONTROL_OK;

	for (unsigned i = 0; i < DB_DEVS && !status; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == number)
			status = db_dev_give(&db, d->id, available_number,
					     RES_FREE);
	}
	return status;
}

/* A place in its owner's window, the same for as long as it is its. */
static bool take_index(struct db_dev *dev)
{
	uint32_t taken = 0;

	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d != dev && d->owner == dev->owner && d->bar_pages)
			taken |= 1u << d->index;
	}
	dev->index = (uint32_t)__builtin_ctz(~taken);
	return dev->index < DEVICE_SLOTS;
}

static void effect_assign(const struct effect *e)
{
	const struct db_dev *d = db_dev(&db, (uint32_t)e->a);
	const struct db_part *part = db_part(&db, e->b);
	const struct view *view = view_make(e->b);

	/* One that runs drives it as soon as it sees it: it has to be ready by
	 * then, and is not made ready a second time, which would reset it. Else
	 * that is done at the start. */
	if (view)
		iommu_view(view); /* its domain may be new */
	if (d && part_running(e->b) && !masters(d))
		enable(d, part->slot);
	view_publish(e->b);
}

/* The nth of that class that is free. */
static const struct db_dev *find_free(uint64_t class_code, uint64_t n)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == available_number &&
		    d->class_code == class_code && !n--)
			return d;
	}
	return NULL;
}

int device_assign(struct txn *t, const struct control_message *m,
		  uint64_t *result)
{
	const struct db_dev *d = db_dev(&db, (uint32_t)m->target.number);
	const struct db_part *part = db_part(&db, m->target.to);
	int status;

	if (m->target.number >> 32)
		return CONTROL_ENOENT;
	if (!m->target.number)
		d = find_free(m->target.class_code,
			      m->target.value & ~DEVICE_IF_ANY);
	if (!d && part && !m->target.number &&
	    (m->target.value & DEVICE_IF_ANY))
		return CONTROL_OK;
	if (!d || !part)
		return CONTROL_ENOENT;
	if (d->owner != available_number)
		return CONTROL_ESTATE;
	if (part_kind(m->target.to) != PART_IO)
		return CONTROL_EVALUE;
	*result = d->id;
	status = db_dev_give(&db, d->id, m->target.to,
			     part->state == PART_STATE_RUNNING ? RES_RUNNING
							       : RES_STANDBY);
	if (status)
		return status;
	if (!take_index(db_dev_mut(&db, (uint32_t)*result)))
		return CONTROL_ELIMIT;
	return txn_effect(t, effect_assign, *result, m->target.to, NULL);
}

static void effect_release(const struct effect *e)
{
	const struct db_dev *d = db_dev(&db, (uint32_t)e->a);

	(void)fence(d);
	view_publish(e->b);
}

/* Its owner has ended, or the table has no way from there. */
int device_release(struct txn *t, const struct control_message *m,
		   uint64_t *result)
{
	const struct db_dev *d = db_dev(&db, (uint32_t)m->target.number);
	uint64_t owner;
	int status;

	if (m->target.number >> 32 || !d)
		return CONTROL_ENOENT;
	if (d->owner == available_number)
		return CONTROL_ESTATE;
	owner = d->owner;
	*result = d->id;
	status = db_dev_give(&db, d->id, available_number, RES_FREE);
	return status ? status
		      : txn_effect(t, effect_release, *result, owner, NULL);
}
