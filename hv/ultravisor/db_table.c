/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db_table.c - the tables: partitions, channels, devices, CPUs,
 * interrupts.  Each is one page of rows; see abi/database.h.
 */
#include "ultravisor/db_pages.h"
#include "ultravisor/state.h"

static const struct db_part *parts(const struct db *db)
{
	return db_page_at(db, db_version(db)->parts_pfn);
}

static const struct db_chan *chans(const struct db *db)
{
	return db_page_at(db, db_version(db)->chans_pfn);
}

static const struct db_dev *devs(const struct db *db)
{
	return db_page_at(db, db_version(db)->devs_pfn);
}

const struct db_part *db_part_at(const struct db *db, unsigned index)
{
	return index < DB_PARTS && parts(db)[index].number ? &parts(db)[index]
							   : NULL;
}

const struct db_chan *db_chan_at(const struct db *db, unsigned index)
{
	return index < DB_CHANS && chans(db)[index].id ? &chans(db)[index]
						       : NULL;
}

const struct db_dev *db_dev_at(const struct db *db, unsigned index)
{
	return index < DB_DEVS && devs(db)[index].id ? &devs(db)[index] : NULL;
}

const struct db_part *db_part(const struct db *db, uint64_t number)
{
	const struct db_part *row = parts(db);

	for (unsigned i = 0; number && i < DB_PARTS; i++) {
		if (row[i].number == number)
			return &row[i];
	}
	return NULL;
}

const struct db_chan *db_chan(const struct db *db, uint32_t id)
{
	for (unsigned i = 0; id && i < DB_CHANS; i++) {
		if (chans(db)[i].id == id)
			return &chans(db)[i];
	}
	return NULL;
}

const struct db_dev *db_dev(const struct db *db, uint32_t id)
{
	for (unsigned i = 0; id && i < DB_DEVS; i++) {
		if (devs(db)[i].id == id)
			return &devs(db)[i];
	}
	return NULL;
}

struct db_part *db_part_mut(struct db *db, uint64_t number)
{
	const struct db_part *old = db_part(db, number);
	ptrdiff_t index = old ? old - parts(db) : 0;
	struct db_part *page;

	if (!old)
		return NULL;
	page = db_page_mut(db, &db->shadow->parts_pfn, 0);
	return page ? page + index : NULL;
}

struct db_chan *db_chan_mut(struct db *db, uint32_t id)
{
	const struct db_chan *old = db_chan(db, id);
	ptrdiff_t index = old ? old - chans(db) : 0;
	struct db_chan *page;

	if (!old)
		return NULL;
	page = db_page_mut(db, &db->shadow->chans_pfn, 0);
	return page ? page + index : NULL;
}

struct db_dev *db_dev_mut(struct db *db, uint32_t id)
{
	const struct db_dev *old = db_dev(db, id);
	ptrdiff_t index = old ? old - devs(db) : 0;
	struct db_dev *page;

	if (!old)
		return NULL;
	page = db_page_mut(db, &db->shadow->devs_pfn, 0);
	return page ? page + index : NULL;
}

/* One more than the highest id in use, so that an id is not soon reused. */
int db_chan_create(struct db *db, struct db_chan **chan)
{
	struct db_chan *page = db_page_mut(db, &db->shadow->chans_pfn, 0);
	struct db_chan *row = NULL;
	uint32_t id = 0;

	if (!page)
		return CONTROL_ELIMIT;
	for (unsigned i = 0; i < DB_CHANS; i++) {
		if (page[i].id > id)
			id = page[i].id;
		if (!page[i].id && !row)
			row = &page[i];
	}
	if (!row)
		return CONTROL_ELIMIT;
	memset(row, 0, sizeof(*row));
	row->id = id + 1;
	*chan = row;
	return CONTROL_OK;
}

int db_dev_create(struct db *db, struct db_dev **dev)
{
	struct db_dev *page = db_page_mut(db, &db->shadow->devs_pfn, 0);

	if (!page)
		return CONTROL_ELIMIT;
	for (unsigned i = 0; i < DB_DEVS; i++) {
		if (page[i].id)
			continue;
		memset(&page[i], 0, sizeof(page[i]));
		page[i].id = i + 1;
		*dev = &page[i];
		return CONTROL_OK;
	}
	return CONTROL_ELIMIT;
}

/* Its interrupts are its owner's. */
int db_dev_give(struct db *db, uint32_t id, uint64_t owner, uint32_t flags)
{
	struct db_dev *d = db_dev_mut(db, id);
	struct db_irq *irq;

	if (!d)
		return CONTROL_ELIMIT;
	if (!state_settle(&d->flags, flags))
		return CONTROL_ESTATE;
	d->owner = owner;
	for (uint32_t i = 0; i < d->vectors; i++) {
		irq = db_irq_mut(db, d->vector + i);
		if (!irq)
			return CONTROL_ELIMIT;
		irq->owner = owner;
		irq->device = id;
		irq->entry = (uint16_t)i;
		irq->flags = (uint16_t)flags;
	}
	return CONTROL_OK;
}

/* --- buses --- */

const struct db_bus *db_bus(const struct db *db, uint64_t id)
{
	const struct db_bus *bus = db_page_at(db, db_version(db)->buses_pfn);

	return id && id <= DB_BUSES && bus[id - 1].client ? &bus[id - 1] : NULL;
}

struct db_bus *db_bus_mut(struct db *db, uint64_t id)
{
	struct db_bus *page;

	if (!db_bus(db, id))
		return NULL;
	page = db_page_mut(db, &db->shadow->buses_pfn, 0);
	return page ? page + id - 1 : NULL;
}

int db_bus_create(struct db *db, uint64_t *id, struct db_bus **bus)
{
	struct db_bus *page = db_page_mut(db, &db->shadow->buses_pfn, 0);

	for (unsigned i = 0; page && i < DB_BUSES; i++) {
		if (page[i].client)
			continue;
		memset(&page[i], 0, sizeof(page[i]));
		*id = i + 1;
		*bus = &page[i];
		return CONTROL_OK;
	}
	return CONTROL_ELIMIT;
}

/* --- CPUs and interrupts --- */

const struct db_cpu *db_cpu(const struct db *db, unsigned index)
{
	const struct db_cpu *cpus = db_page_at(db, db_version(db)->cpus_pfn);

	return index < DB_CPUS && cpus[index].owner ? &cpus[index] : NULL;
}

struct db_cpu *db_cpu_mut(struct db *db, unsigned index)
{
	struct db_cpu *page;

	if (!db_cpu(db, index))
		return NULL;
	page = db_page_mut(db, &db->shadow->cpus_pfn, 0);
	return page ? page + index : NULL;
}

int db_cpu_create(struct db *db, unsigned index, uint32_t apic_id,
		  uint64_t owner)
{
	struct db_cpu *page = db_page_mut(db, &db->shadow->cpus_pfn, 0);

	if (!page || index >= DB_CPUS)
		return CONTROL_ELIMIT;
	page[index].owner = owner;
	page[index].apic_id = apic_id;
	page[index].flags = RES_MADE;
	return CONTROL_OK;
}

const struct db_irq *db_irq(const struct db *db, unsigned vector)
{
	const struct db_irq *irqs = db_page_at(db, db_version(db)->irqs_pfn);

	return vector < DB_IRQS ? &irqs[vector] : NULL;
}

struct db_irq *db_irq_mut(struct db *db, unsigned vector)
{
	struct db_irq *page;

	if (vector >= DB_IRQS)
		return NULL;
	page = db_page_mut(db, &db->shadow->irqs_pfn, 0);
	return page ? page + vector : NULL;
}

/* --- partitions --- */

const struct part_desc *db_desc(const struct db *db, uint64_t number)
{
	return db_part(db, number) ? db_page_at(db, number) : NULL;
}

static bool name_is(const char name[16], const char *other)
{
	for (unsigned i = 0; i < 16; i++) {
		if (name[i] != other[i])
			return false;
		if (!name[i])
			return true;
	}
	return !other[16];
}

uint64_t db_part_by_name(const struct db *db, const char *name)
{
	for (unsigned i = 0; i < DB_PARTS; i++) {
		uint64_t number = parts(db)[i].number;

		if (number && name_is(db_desc(db, number)->name, name))
			return number;
	}
	return 0;
}

uint64_t db_part_by_kind(const struct db *db, uint32_t kind)
{
	for (unsigned i = 0; i < DB_PARTS; i++) {
		uint64_t number = parts(db)[i].number;

		if (number && db_desc(db, number)->kind == kind)
			return number;
	}
	return 0;
}

/* `*number`: the descriptor's page if it is given, else 0. */
static int part_add(struct db *db, const char name[16], const char module[16],
		    uint32_t kind, uint64_t *number)
{
	struct part_desc *desc = NULL;
	struct db_part *page;
	void *conf;

	if (!name[0] || name[15])
		return CONTROL_EVALUE;
	if (db_part_by_name(db, name))
		return CONTROL_EEXIST;
	if (*number) {
		if (!db_in_pool(db, *number) ||
		    *db_use_of(db, *number) != DB_PAGE_FREE)
			return CONTROL_EVALUE;
		*db_use_of(db, *number) = DB_PAGE_FRESH;
		desc = memset(db_page_at(db, *number), 0, PAGE);
	}
	page = db_page_mut(db, &db->shadow->parts_pfn, 0);
	if (!page)
		return CONTROL_ELIMIT;
	for (unsigned i = 0; i < DB_PARTS; i++) {
		if (page[i].number)
			continue;
		if (!desc)
			desc = db_page_alloc(db);
		conf = desc ? db_page_alloc(db) : NULL;
		if (!conf)
			return CONTROL_ELIMIT;
		desc->magic = PART_DESC_MAGIC;
		desc->number = db_pfn_of(db, desc);
		memcpy(desc->name, name, 16);
		desc->kind = kind;
		memcpy(desc->module, module, 16);
		memset(&page[i], 0, sizeof(page[i]));
		page[i].number = desc->number;
		page[i].flags = RES_MADE;
		page[i].state = PART_STATE_DEFINED;
		page[i].slot = UINT32_MAX;
		page[i].conf_pfn = db_pfn_of(db, conf);
		if (kind == PART_AVAILABLE)
			db->shadow->available = desc->number;
		*number = desc->number;
		return CONTROL_OK;
	}
	return CONTROL_ELIMIT;
}

int db_part_create(struct db *db, const char name[16], const char module[16],
		   uint32_t kind, uint64_t *number)
{
	*number = 0;
	return part_add(db, name, module, kind, number);
}

int db_part_create_at(struct db *db, const char name[16], const char module[16],
		      uint32_t kind, uint64_t number)
{
	return part_add(db, name, module, kind, &number);
}

/* The windows of one that is gone are everybody's. */
static int forget_windows(struct db *db, uint64_t number)
{
	struct db_cpu *page = db_page_mut(db, &db->shadow->cpus_pfn, 0);

	for (unsigned i = 0; page && i < DB_CPUS * DB_WINDOWS; i++) {
		struct db_window *w =
			&page[i / DB_WINDOWS].window[i % DB_WINDOWS];

		if (w->number == number)
			w->number = 0;
	}
	return page ? CONTROL_OK : CONTROL_ELIMIT;
}

const struct db_conf *db_conf(const struct db *db, uint64_t number)
{
	const struct db_part *row = db_part(db, number);

	return row ? db_page_at(db, row->conf_pfn) : NULL;
}

struct db_conf *db_conf_mut(struct db *db, uint64_t number)
{
	struct db_part *row = db_part_mut(db, number);

	return row ? db_page_mut(db, &row->conf_pfn, 0) : NULL;
}

int db_part_destroy(struct db *db, uint64_t number)
{
	struct db_part *row = db_part_mut(db, number);
	int status;

	if (!row)
		return CONTROL_ENOENT;
	if (db_frames_of(db, number))
		return CONTROL_ESTATE; /* its memory must have a new owner */
	status = forget_windows(db, number);
	if (status)
		return status;
	db_page_drop(db, row->conf_pfn);
	memset(row, 0, sizeof(*row));
	db_page_drop(db, number);
	return CONTROL_OK;
}
