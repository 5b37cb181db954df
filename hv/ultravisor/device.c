/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/device.c - PCI functions: found, given, fenced.
 *
 * A function is free when it can be given to a partition safely: a 64-bit
 * memory BAR 0 in which its MSI-X table lies.  All others are recorded as the
 * ultravisor's, and so nobody's to use.  The partition gets the BAR but
 * for the pages of the table and its pending bits: whoever writes there chooses
 * interrupt vectors, and that is the ultravisor.  The configuration space it
 * may only read, so bus mastering stays in the ultravisor's hand too.
 *
 * The fence.  When a partition has come to its end, the IOMMU, where there is
 * one, lets its devices reach nothing any more, bus mastering goes off and an
 * NVMe controller is reset (CC.EN = 0, until CSTS.RDY = 0): after that no DMA
 * of its commands can happen and none of its writes can reach the medium.
 * Only then may anything else be done with what the partition served.
 *
 * PCI Local Bus 3.0, 6.1-6.2 (header, BARs), 6.8.2 (MSI-X); PCI Express Base
 * 3.0, 7.2.2 (ECAM); SDM 3A 10.11 (messages); NVMe 1.4, 3.1 (registers), 7.6.2
 * (shutdown and reset).
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/sys.h"

#define CONFIG_COMMAND 0x04
#define COMMAND_MEMORY 0x0002
#define COMMAND_MASTER 0x0004
#define CONFIG_STATUS  0x06
#define STATUS_CAPS    0x10
#define CONFIG_CLASS   0x08
#define CONFIG_HEADER  0x0e
#define CONFIG_BAR0    0x10
#define CONFIG_BUSES   0x18
#define CONFIG_CAPS    0x34
#define CAP_MSIX       0x11
#define MSIX_ENABLE    0x8000
#define MSIX_MASK_ALL  0x4000
#define BAR_64_MEMORY  0x4

#define CLASS_NVME 0x010802
#define NVME_CC    0x14
#define NVME_CSTS  0x1c
#define CC_EN      1
#define CSTS_RDY   1

#define VECTORS_EACH  2
#define RESET_WAIT_NS 10000000

static volatile uint8_t *config_of[DB_DEVS + 1]; /* by id */

static uint32_t read32(volatile uint8_t *c, unsigned at)
{
	return *(volatile uint32_t *)(c + at);
}

static uint16_t read16(volatile uint8_t *c, unsigned at)
{
	return *(volatile uint16_t *)(c + at);
}

static void write32(volatile uint8_t *c, unsigned at, uint32_t v)
{
	*(volatile uint32_t *)(c + at) = v;
}

static void write16(volatile uint8_t *c, unsigned at, uint16_t v)
{
	*(volatile uint16_t *)(c + at) = v;
}

static void command(volatile uint8_t *c, uint16_t clear, uint16_t set)
{
	write16(c, CONFIG_COMMAND,
		(uint16_t)((read16(c, CONFIG_COMMAND) & ~clear) | set));
}

/* ---- enumeration -------------------------------------------------------- */

static unsigned find_msix(volatile uint8_t *c)
{
	unsigned at = c[CONFIG_CAPS] & 0xfc;

	if (!(read16(c, CONFIG_STATUS) & STATUS_CAPS))
		return 0;
	for (unsigned n = 0; at && n < 48; n++) {
		if (c[at] == CAP_MSIX)
			return at;
		at = c[at + 1] & 0xfc;
	}
	return 0;
}

/* Bytes of the 64-bit BAR 0: its writable bits, found with decoding off. */
static uint64_t bar_bytes(volatile uint8_t *c)
{
	uint32_t low = read32(c, CONFIG_BAR0),
		 high = read32(c, CONFIG_BAR0 + 4);
	uint64_t mask;

	command(c, COMMAND_MEMORY | COMMAND_MASTER, 0);
	write32(c, CONFIG_BAR0, ~0u);
	write32(c, CONFIG_BAR0 + 4, ~0u);
	mask = (uint64_t)read32(c, CONFIG_BAR0 + 4) << 32 |
	       (read32(c, CONFIG_BAR0) & ~15u);
	write32(c, CONFIG_BAR0, low);
	write32(c, CONFIG_BAR0 + 4, high);
	return ~mask + 1;
}

static int record(uint32_t bdf, uint64_t pfn, volatile uint8_t *c,
		  unsigned msix)
{
	uint32_t table = read32(c, msix + 4), pba = read32(c, msix + 8);
	uint32_t entries = (read16(c, msix + 2) & 0x7ffu) + 1;
	uint64_t bar = (uint64_t)read32(c, CONFIG_BAR0 + 4) << 32 |
		       (read32(c, CONFIG_BAR0) & ~15u);
	uint32_t first, last, end;
	struct db_dev *d;
	int status;

	if ((table & 7) || (pba & 7) || !bar)
		return CONTROL_OK; /* the table isn't in BAR 0 */
	status = db_dev_create(&db, &d);
	if (status)
		return status;
	first = table < pba ? table : pba;
	last = table + entries * 16;
	end = pba + (entries + 63) / 64 * 8;
	if (end > last)
		last = end;
	d->bdf = bdf;
	d->config_pfn = pfn;
	d->bar_pfn = bar >> 12;
	d->bar_pages = (uint32_t)(bar_bytes(c) >> 12);
	d->class_code = read32(c, CONFIG_CLASS) >> 8;
	d->msix_page = first >> 12;
	d->msix_pages = ((last + 4095) >> 12) - d->msix_page;
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
	d->class_code = read32(c, CONFIG_CLASS) >> 8;
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

/* `c`: mapped for the moment; a function that is free gets its own mapping. */
static int scan_function(uint32_t bdf, uint64_t pfn, volatile uint8_t *c)
{
	unsigned msix;

	if (rest && !recorded(bdf)) {
		int status = record_kept(bdf, pfn, c);

		if (status)
			return status;
	}

	if ((c[CONFIG_HEADER] & 0x7f) == 1) {
		unsigned below = read32(c, CONFIG_BUSES) >> 8 & 0xff;

		return below > bdf >> 8 ? scan_bus(below) : CONTROL_OK;
	}
	msix = find_msix(c);
	if (rest || (c[CONFIG_HEADER] & 0x7f) || !msix ||
	    (read32(c, CONFIG_BAR0) & 7) != BAR_64_MEMORY)
		return CONTROL_OK;
	return record(bdf, pfn, mem_map(pfn, 1, PROT_R | PROT_W | PROT_DEVICE),
		      msix);
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
		bool many = c[CONFIG_HEADER] & 0x80;
		int status;

		if (read16(c, 0) == 0xffff) {
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

static unsigned index_of(const struct db_dev *dev)
{
	unsigned index = 0;

	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d == dev)
			break;
		if (d && d->owner == dev->owner)
			index++;
	}
	return index;
}

static uint32_t apic_id(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

static void enable(const struct db_dev *d, uint32_t slot)
{
	volatile uint8_t *c = config_of[d->id];
	unsigned msix = find_msix(c);
	uint32_t table = read32(c, msix + 4) & ~7u;
	volatile uint8_t *t;

	command(c, 0, COMMAND_MEMORY);
	write16(c, msix + 2, MSIX_ENABLE | MSIX_MASK_ALL);
	t = mem_temp(0, d->bar_pfn + (table >> 12), 1,
		     PROT_R | PROT_W | PROT_DEVICE);
	t += table & 4095;
	for (uint32_t i = 0; i < d->vectors; i++, t += 16) {
		(void)sys_lead_bind(d->vector + i, slot, 32 + index_of(d));
		write32(t, 0, 0xfee00000 | apic_id() << 12);
		write32(t, 4, 0);
		write32(t, 8, d->vector + i);
		write32(t, 12, 0); /* not masked */
	}
	write16(c, msix + 2, MSIX_ENABLE);
	if (iommu_attach(d))
		command(c, 0, COMMAND_MASTER);
}

/* All ones: it was pulled out, and does no harm any more. */
static bool still_ready(volatile uint8_t *regs)
{
	uint32_t status = read32(regs, NVME_CSTS);

	return status != ~0u && (status & CSTS_RDY);
}

/* False: it was fenced already. */
static bool fence(const struct db_dev *d)
{
	volatile uint8_t *c = config_of[d->id];
	uint64_t until = sys_time() + RESET_WAIT_NS;
	bool on = read16(c, CONFIG_COMMAND) & COMMAND_MASTER;
	volatile uint8_t *regs;

	iommu_detach(d);
	command(c, COMMAND_MASTER, COMMAND_MEMORY);
	if (d->class_code == CLASS_NVME) {
		regs = mem_temp(0, d->bar_pfn, 1,
				PROT_R | PROT_W | PROT_DEVICE);
		write32(regs, NVME_CC,
			read32(regs, NVME_CC) & ~(uint32_t)CC_EN);
		while (still_ready(regs) && sys_time() < until)
			__builtin_ia32_pause();
		if (still_ready(regs))
			logf_("device %u does not reset", d->id);
	}
	write16(c, find_msix(c) + 2, MSIX_MASK_ALL);
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
void device_enable_rest(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == number &&
		    !(read16(config_of[d->id], CONFIG_COMMAND) &
		      COMMAND_MASTER))
			enable(d, part->slot);
	}
}

bool device_masters(const struct db_dev *d)
{
	return d->vectors && part_running(d->owner) &&
	       (read16(config_of[d->id], CONFIG_COMMAND) & COMMAND_MASTER);
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

static void effect_assign(const struct effect *e)
{
	const struct db_dev *d = db_dev(&db, (uint32_t)e->a);
	const struct db_part *part = db_part(&db, e->b);

	view_publish(e->b);
	if (d && part_running(e->b)) /* else when it is started */
		enable(d, part->slot);
}

int device_assign(struct txn *t, const struct control_message *m,
		  uint64_t *result)
{
	const struct db_dev *d = db_dev(&db, (uint32_t)m->target.number);
	const struct db_part *part = db_part(&db, m->target.to);
	uint64_t left = m->target.value;
	int status;

	if (m->target.number >> 32)
		return CONTROL_ENOENT;
	for (unsigned i = 0; i < DB_DEVS && !m->target.number && !d; i++) {
		const struct db_dev *at = db_dev_at(&db, i);

		if (at && at->owner == available_number &&
		    at->class_code == m->target.class_code && !left--)
			d = at;
	}
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
	if (index_of(db_dev(&db, (uint32_t)*result)) >= DEVICE_SLOTS)
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
