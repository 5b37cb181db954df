/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/iommu.c - what devices reach: the tables of the IOMMU.
 *
 * Where the machine has DMA remapping units (VT-d), an I/O partition's devices
 * reach the partition's memory and the data pages of its channels, at their
 * machine addresses, and nothing else; a device that no partition uses reaches
 * nothing.  The source is the same view that the partition's monitor goes by,
 * and is taken over at the same moment (view.c).
 *
 * A domain for each partition with devices: what it holds is kept as ranges, so
 * a new view costs what differs.  What is taken away is gone from the unit's
 * caches when iommu_view() or iommu_detach() returns.
 *
 * The tables lie in frames that the database names, in two halves of which one
 * is in force.  A program begun anew does not trust what it finds there: it
 * makes all tables again in the other half, out of the database, and then lets
 * the units go over, so that devices at work are never without.  RTADDR says
 * which half that is; it is written when the half is complete.
 *
 * Intel Virtualization Technology for Directed I/O, revision 3.4: 3.4
 * (requester to domain), 6.5.1 (invalidation by registers), 7 (faults), 9
 * (entries), 11 (registers).  No caching mode: what was not present needs no
 * invalidation.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define CAP     0x08
#define ECAP    0x10
#define GCMD    0x18
#define GSTS    0x1c
#define RTADDR  0x20
#define CCMD    0x28
#define FSTS    0x34
#define FECTL   0x38
#define FEDATA  0x3c
#define FEADDR  0x40
#define FEUADDR 0x44

#define CAP_RWBF      (1ull << 4)
#define CAP_39        (1ull << 9)
#define CAP_48        (1ull << 10)
#define CAP_LARGE     (1ull << 34)
#define ECAP_COHERENT 1ull

#define TE         0x80000000u /* GCMD, GSTS */
#define SRTP       0x40000000u
#define WBF        0x08000000u
#define GSTS_STAYS 0x96ffffffu /* of it, what a command has to repeat */
#define FSTS_PFO   1u
#define FRCD_F     0x80000000u /* of the last word */

#define CCMD_GO      (1ull << 63)
#define CCMD_ALL     (1ull << 61)
#define CCMD_DOMAIN  (2ull << 61)
#define IOTLB_GO     (1ull << 63)
#define IOTLB_ALL    (1ull << 60)
#define IOTLB_DOMAIN (2ull << 60)
#define IOTLB_DRAIN  (3ull << 48)

#define ENTRY_R      1ull
#define ENTRY_W      2ull
#define ENTRY_LARGE  0x80ull
#define CONTEXT_P    1ull
#define CONTEXT_FPD  2ull /* its faults are not to be told */
#define ENTRY_PFN(e) (((e)&0xffffffffff000ull) >> 12)

#define WAIT_NS 10000000
#define HALF    (DB_IOMMU_FRAMES / 2)
#define DOMAINS 7 /* in each half; with 0 they fit 16 numbers */
#define RANGES  (VIEW_EXTENTS + 2 * CHANNEL_SLOTS)
#define TOLD    16 /* faults of a device, then it is quiet */

static struct {
	volatile uint8_t *regs;
	uint32_t iotlb, faults, fault_count;
} unit[BOOT_IOMMUS];
static unsigned units; /* 0: no IOMMU */
static uint64_t tables_pfn;
static uint64_t (*tables)[512]; /* all of them, by index */
static unsigned first;          /* of the half; its root */
static bool taken[DB_IOMMU_FRAMES];
static uint16_t entries[DB_IOMMU_FRAMES]; /* present, of a second-level table */
/* What all units have. */
static bool coherent, large, writes_back;
static unsigned levels;

struct range {
	uint64_t pfn, frames;
	bool read_only;
};
static struct domain {
	uint64_t number; /* 0: free */
	unsigned top;    /* index of its first table */
	unsigned ranges;
	struct range range[RANGES];
} domain[DOMAINS];
static uint32_t told[DB_DEVS + 1]; /* by id */

/* ---- registers ---------------------------------------------------------- */

static uint32_t read32(unsigned u, unsigned at)
{
	return *(volatile uint32_t *)(unit[u].regs + at);
}

static uint64_t read64(unsigned u, unsigned at)
{
	return read32(u, at) | (uint64_t)read32(u, at + 4) << 32;
}

static void write32(unsigned u, unsigned at, uint32_t v)
{
	*(volatile uint32_t *)(unit[u].regs + at) = v;
}

/* The high half last: it holds what starts a command. */
static void write64(unsigned u, unsigned at, uint64_t v)
{
	write32(u, at, (uint32_t)v);
	write32(u, at + 4, (uint32_t)(v >> 32));
}

static void wait(unsigned u, unsigned at, uint32_t mask, uint32_t value)
{
	uint64_t until = sys_time() + WAIT_NS;

	while ((read32(u, at) & mask) != value) {
		if (sys_time() >= until) {
			logf_("IOMMU %u does not answer", u);
			return;
		}
		__builtin_ia32_pause();
	}
}

static void command(unsigned u, uint32_t bit, uint32_t done)
{
	write32(u, GCMD, (read32(u, GSTS) & GSTS_STAYS) | bit);
	wait(u, GSTS, bit, done);
}

static void flush_writes(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned u = 0; u < units && writes_back; u++)
		command(u, WBF, 0);
}

/* Contexts, then translations: of one domain, or all. */
static void invalidate(bool contexts, unsigned id)
{
	uint64_t of_context = id ? CCMD_DOMAIN | id : CCMD_ALL;
	uint64_t of_page = id ? IOTLB_DOMAIN | (uint64_t)id << 32 : IOTLB_ALL;

	flush_writes();
	for (unsigned u = 0; u < units; u++) {
		if (contexts) {
			write64(u, CCMD, CCMD_GO | of_context);
			wait(u, CCMD + 4, CCMD_GO >> 32, 0);
		}
		write64(u, unit[u].iotlb, IOTLB_GO | IOTLB_DRAIN | of_page);
		wait(u, unit[u].iotlb + 4, IOTLB_GO >> 32, 0);
	}
}

/* ---- tables ------------------------------------------------------------- */

static uint64_t pfn_of(unsigned table)
{
	return tables_pfn + table;
}

static void set(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	if (!coherent)
		__asm__ volatile("clflush %0" : "+m"(*entry));
}

/* Empty; 0, which is never one: there is none left. */
static unsigned table_new(void)
{
	for (unsigned i = first + 1; i < first + HALF; i++) {
		if (taken[i])
			continue;
		taken[i] = true;
		entries[i] = 0;
		for (unsigned n = 0; n < 512; n++)
			set(&tables[i][n], 0);
		return i;
	}
	logf_("the IOMMU's tables are full");
	return 0;
}

static unsigned index_at(uint64_t pfn, unsigned level)
{
	return pfn >> 9 * (level - 1) & 511;
}

static void second_level_set(unsigned table, unsigned index, uint64_t value)
{
	entries[table] =
		(uint16_t)(entries[table] + !!value - !!tables[table][index]);
	set(&tables[table][index], value);
}

/* The entry of `level` for a frame; tables on the way are made. */
static bool put(unsigned top, uint64_t pfn, unsigned level, uint64_t value)
{
	unsigned table = top;

	for (unsigned l = levels; l > level; l--) {
		uint64_t e = tables[table][index_at(pfn, l)];
		unsigned below = (unsigned)(ENTRY_PFN(e) - tables_pfn);

		if (!e) {
			below = table_new();
			if (!below)
				return false;
			second_level_set(table, index_at(pfn, l),
					 pfn_of(below) << 12 | ENTRY_R |
						 ENTRY_W);
		}
		table = below;
	}
	second_level_set(table, index_at(pfn, level), value);
	return true;
}

static unsigned level_of(const struct range *r)
{
	return large && !((r->pfn | r->frames) & (BLOCK_FRAMES - 1)) ? 2 : 1;
}

static bool map(const struct domain *d, const struct range *r)
{
	unsigned level = level_of(r);
	uint64_t step = level == 2 ? BLOCK_FRAMES : 1;
	uint64_t rights = ENTRY_R | (r->read_only ? 0 : ENTRY_W) |
			  (level == 2 ? ENTRY_LARGE : 0);

	for (uint64_t at = r->pfn; at < r->pfn + r->frames; at += step)
		if (!put(d->top, at, level, at << 12 | rights))
			return false;
	return true;
}

/* Tables that are empty then stay until sweep(). */
static void unmap(const struct domain *d, const struct range *r)
{
	unsigned level = level_of(r);
	uint64_t step = level == 2 ? BLOCK_FRAMES : 1;

	for (uint64_t at = r->pfn; at < r->pfn + r->frames; at += step)
		(void)put(d->top, at, level, 0);
}

/* Takes out the empty tables below this one and keeps them apart. */
static void prune(unsigned table, unsigned level, unsigned *empty,
		  unsigned *count)
{
	for (unsigned i = 0; level > 1 && i < 512; i++) {
		uint64_t e = tables[table][i];
		unsigned below = (unsigned)(ENTRY_PFN(e) - tables_pfn);

		if (!e || (e & ENTRY_LARGE))
			continue;
		prune(below, level - 1, empty, count);
		if (entries[below])
			continue;
		second_level_set(table, i, 0);
		empty[(*count)++] = below;
	}
}

/* ---- domains ------------------------------------------------------------ */

/* Of the other half none is the same: what is still cached is not taken for
 * another's.  0 is nobody's. */
static unsigned id_of(const struct domain *d)
{
	return (unsigned)(d - domain) + 1 + (first ? DOMAINS : 0);
}

static struct domain *domain_of(uint64_t number)
{
	for (unsigned i = 0; i < DOMAINS; i++)
		if (domain[i].number == number)
			return &domain[i];
	return NULL;
}

static bool has_devices(uint64_t number)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == number)
			return true;
	}
	return false;
}

static struct domain *domain_new(uint64_t number)
{
	struct domain *d = domain_of(0);
	unsigned top = d ? table_new() : 0;

	if (!top)
		return NULL;
	*d = (struct domain){.number = number, .top = top};
	return d;
}

static bool holds(const struct range *r, unsigned count,
		  const struct range *what)
{
	for (unsigned i = 0; i < count; i++)
		if (r[i].pfn == what->pfn && r[i].frames == what->frames &&
		    r[i].read_only == what->read_only)
			return true;
	return false;
}

/* Its memory, and the data pages of its channels; those that are a client's to
 * write, only to be read. */
static unsigned wanted(const struct view *v, struct range r[RANGES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < v->extents; i++)
		r[n++] = (struct range){.pfn = v->extent[i].pfn,
					.frames = v->extent[i].frames};
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		const struct view_channel *c = &v->channel[i];
		const struct channel_type *type = channel_type(c->type);
		uint32_t data;

		if (!c->id || !type || !type->data_pages)
			continue;
		data = channel_offset(type, type->queues) / ABI_PAGE_BYTES;
		r[n++] = (struct range){.pfn = c->pfn + data,
					.frames = type->data_pages -
						  c->client_pages};
		if (c->client_pages)
			r[n++] = (struct range){.pfn = c->pfn + c->pages,
						.frames = c->client_pages,
						.read_only = true};
	}
	return n;
}

static void take_away(struct domain *d, const struct range *keep,
		      unsigned count)
{
	unsigned empty[HALF], n = 0, left = 0;

	for (unsigned i = 0; i < d->ranges; i++) {
		if (holds(keep, count, &d->range[i]))
			d->range[left++] = d->range[i];
		else
			unmap(d, &d->range[i]);
	}
	if (left == d->ranges)
		return;
	d->ranges = left;
	prune(d->top, levels, empty, &n);
	invalidate(false, id_of(d));
	while (n) /* nobody goes through them any more */
		taken[empty[--n]] = false;
}

void iommu_view(const struct view *v)
{
	struct range r[RANGES];
	struct domain *d;
	unsigned n;

	if (!units || v->kind != PART_IO || v->number == 0)
		return;
	d = domain_of(v->number);
	if (!d && has_devices(v->number))
		d = domain_new(v->number);
	if (!d)
		return;
	n = wanted(v, r);
	take_away(d, r, n);
	for (unsigned i = 0; i < n; i++)
		if (!holds(d->range, d->ranges, &r[i]) && map(d, &r[i]))
			d->range[d->ranges++] = r[i];
	flush_writes();
}

void iommu_forget(uint64_t number)
{
	struct domain *d = units && number ? domain_of(number) : NULL;

	if (!d)
		return;
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *dev = db_dev_at(&db, i);

		if (dev && dev->owner == number)
			iommu_detach(dev);
	}
	take_away(d, NULL, 0);
	taken[d->top] = false;
	*d = (struct domain){.number = 0};
}

/* ---- devices ------------------------------------------------------------ */

/* NULL: there is no table for its bus, and none was made. */
static uint64_t *context_of(uint32_t bdf, bool make)
{
	uint64_t *root = &tables[first][2 * (bdf >> 8)];

	if (!*root && make) {
		unsigned table = table_new();

		if (table)
			set(root, pfn_of(table) << 12 | CONTEXT_P);
	}
	return *root ? &tables[ENTRY_PFN(*root) - tables_pfn][2 * (bdf & 255)]
		     : NULL;
}

bool iommu_attach(const struct db_dev *dev)
{
	const struct domain *d = units ? domain_of(dev->owner) : NULL;
	uint64_t *context;

	if (!units)
		return true;
	context = d ? context_of(dev->bdf, true) : NULL;
	if (!context) {
		logf_("device %u stays out: no room in the IOMMU", dev->id);
		return false;
	}
	iommu_detach(dev);
	told[dev->id] = 0;
	/* Width 1 is three levels, 2 is four. */
	set(&context[1], (uint64_t)id_of(d) << 8 | (levels - 2));
	set(&context[0], pfn_of(d->top) << 12 | CONTEXT_P);
	flush_writes();
	return true;
}

void iommu_detach(const struct db_dev *dev)
{
	uint64_t *context = units ? context_of(dev->bdf, false) : NULL;

	if (!context || !context[0])
		return;
	set(&context[0], 0);
	invalidate(true, (unsigned)(context[1] >> 8));
	set(&context[1], 0);
}

/* ---- faults ------------------------------------------------------------- */

static const struct db_dev *device_at(uint32_t bdf)
{
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->bdf == bdf)
			return d;
	}
	return NULL;
}

static void tell(const struct control_message *fault)
{
	static const uint32_t kinds[] = {PART_DIAGNOSTICS, PART_COMMAND};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t to = db_part_by_kind(&db, kinds[i]);
		struct control_message m = *fault;

		if (to && part_running(to) && !control_event_send(to, &m))
			logf_("%s missed an event", part_name(to));
	}
}

/* From then on the unit refuses without a word. */
static void quiet(const struct db_dev *d)
{
	uint64_t *context = context_of(d->bdf, false);

	if (!context || !context[0])
		return;
	set(&context[0], context[0] | CONTEXT_FPD);
	invalidate(true, (unsigned)(context[1] >> 8));
}

static void report(uint64_t low, uint64_t high)
{
	uint32_t bdf = (uint32_t)high & 0xffff;
	const struct db_dev *d = device_at(bdf);
	const struct db_part *part = d ? db_part(&db, d->owner) : NULL;
	struct control_message m = {.id = EVT_DMA_FAULT};

	m.dma.device = d ? d->id : 0;
	m.dma.number = part ? part->number : 0;
	m.dma.address = low;
	m.dma.reason = high >> 32 & 0xff;
	m.dma.write = !(high >> 62 & 1);
	m.dma.bdf = bdf;
	m.dma.time_ns = sys_time();
	if (part)
		memcpy(m.dma.name, part_name(part->number), 16);
	if (d && told[d->id]++ == TOLD)
		quiet(d);
	if (!d || told[d->id] <= TOLD)
		tell(&m);
}

void iommu_faults(void)
{
	for (unsigned u = 0; u < units; u++) {
		for (unsigned i = 0; i < unit[u].fault_count; i++) {
			unsigned at = unit[u].faults + 16 * i;
			uint64_t low, high;

			/* With F set nothing of it changes. */
			if (!(read32(u, at + 12) & FRCD_F))
				continue;
			low = read64(u, at);
			high = read64(u, at + 8);
			write32(u, at + 12, FRCD_F);
			report(low, high);
		}
		/* Those that found no room are not known. */
		if (read32(u, FSTS) & FSTS_PFO)
			write32(u, FSTS, FSTS_PFO);
	}
}

/* ---- from the start, and begun anew ------------------------------------- */

static bool unit_good(unsigned u)
{
	uint64_t cap = read64(u, CAP), ecap = read64(u, ECAP);

	unit[u].iotlb = (uint32_t)(ecap >> 8 & 0x3ff) * 16 + 8;
	unit[u].faults = (uint32_t)(cap >> 24 & 0x3ff) * 16;
	unit[u].fault_count = (cap >> 40 & 0xff) + 1;
	coherent &= (ecap & ECAP_COHERENT) != 0;
	large &= (cap & CAP_LARGE) != 0;
	writes_back |= (cap & CAP_RWBF) != 0;
	if (levels == 3 && !(cap & CAP_39))
		levels = 4;
	return (cap & (levels == 3 ? CAP_39 : CAP_48)) &&
	       unit[u].iotlb + 8 <= ABI_PAGE_BYTES &&
	       unit[u].faults + 16 * unit[u].fault_count <= ABI_PAGE_BYTES;
}

/* Three levels reach 512 GiB. */
static unsigned levels_for_ram(void)
{
	for (uint32_t i = 0; i < boot->ranges; i++)
		if (boot->range[i].pfn + boot->range[i].frames > 1ull << 27)
			return 4;
	return 3;
}

static bool units_open(void)
{
	coherent = large = true;
	levels = levels_for_ram();
	for (unsigned u = 0; u < boot->iommus; u++)
		unit[u].regs = mem_map(boot->iommu_pfn[u], 1,
				       PROT_R | PROT_W | PROT_DEVICE);
	for (unsigned u = 0; u < boot->iommus; u++)
		if (!unit_good(u)) {
			logf_("IOMMU %u can't be used", u);
			return false;
		}
	return boot->iommus > 0;
}

static void half_begin(unsigned half)
{
	first = half * HALF;
	for (unsigned n = 0; n < 512; n++)
		set(&tables[first][n], 0);
}

static uint32_t apic_id(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

/* What RTADDR names is complete. */
static void roots_set(void)
{
	for (unsigned u = 0; u < units; u++)
		command(u, SRTP, SRTP);
	invalidate(true, 0);
}

static void go_over(void)
{
	flush_writes();
	for (unsigned u = 0; u < units; u++)
		write64(u, RTADDR, pfn_of(first) << 12);
	roots_set();
	for (unsigned u = 0; u < units; u++) {
		if (!(read32(u, GSTS) & TE))
			command(u, TE, TE);
		(void)sys_lead_bind(IOMMU_VECTOR, UV_SLOT, IOMMU_EVENT_BIT);
		write32(u, FEDATA, IOMMU_VECTOR);
		write32(u, FEADDR, 0xfee00000 | apic_id() << 12);
		write32(u, FEUADDR, 0);
		write32(u, FECTL, 0); /* not masked */
	}
}

static void tables_map(uint64_t pfn)
{
	tables_pfn = pfn;
	tables = mem_map(pfn, DB_IOMMU_FRAMES, PROT_R | PROT_W);
}

void iommu_start(void)
{
	struct db_irq *irq = db_irq_mut(&db, IOMMU_VECTOR);
	uint64_t pfn;

	if (!irq || !units_open() ||
	    db_alloc(&db, available_number, DB_IOMMU_FRAMES, 1, uv_number,
		     &pfn))
		return;
	db.shadow->iommu_pfn = pfn;
	irq->owner = uv_number;
	irq->flags = RES_RUNNING;
	units = boot->iommus;
	tables_map(pfn);
	half_begin(0);
	go_over();
	logf_("IOMMU: %u units, %u levels, tables at %lx", units, levels, pfn);
}

void iommu_adopt(void)
{
	uint64_t pfn = db_version(&db)->iommu_pfn;

	if (!pfn || !units_open())
		return;
	units = boot->iommus;
	tables_map(pfn);
	roots_set();
	half_begin((read64(0, RTADDR) >> 12) - pfn < HALF);
}

void iommu_adopted(void)
{
	for (unsigned i = 0; i < DB_DEVS && units; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && device_masters(d))
			(void)iommu_attach(d);
	}
	if (!units)
		return;
	go_over();
	iommu_faults();
}
