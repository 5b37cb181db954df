/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_database.c - which partitions and channels there are, as the
 * version of the database in force says (hv/abi/database.h).
 */
#include <stdio.h>
#include <string.h>

#include "sim/partition_internal.h"
#include "sim/trace/trace.h"

/* --- partitions --- */

uint32_t view_index(const struct partition_view *v, uint64_t number)
{
	if (!number)
		return 0;
	for (size_t i = v->count; i-- > 0;) {
		const struct partition_info *p = &v->partition[i].info;

		if (p->number == number && !p->gone)
			return p->index;
	}
	return 0;
}

/* Names come from guest memory and go to traces and messages. */
static void take_name(char to[NAME_BYTES + 1], const char from[NAME_BYTES])
{
	unsigned n = 0;

	for (; n < NAME_BYTES && from[n]; n++)
		to[n] = from[n] > ' ' && from[n] < 0x7f ? from[n] : '?';
	to[n] = 0;
}

static void emit_partition(struct partition_view *v,
			   const struct partition_info *p)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_PARTITION),
		.value = {{.u = p->index},
			  {.u = p->number},
			  {.s = p->name},
			  {.u = p->kind},
			  {.u = p->slot}},
	};

	machine_emit(v->m, &r);
}

uint32_t view_partition(struct partition_view *v, uint64_t number,
			const char name[NAME_BYTES], uint32_t kind,
			uint32_t slot)
{
	uint32_t index = view_index(v, number);
	char clean[NAME_BYTES + 1];
	struct partition *p = partition_at(v, index);

	take_name(clean, name);
	if (p && (p->info.kind != kind || strcmp(p->info.name, clean))) {
		p->info.gone = true; /* its number is another's now */
		p = NULL;
	}
	if (!p) {
		if (!number || v->count == PARTITION_VIEW_MAX)
			return 0;
		p = &v->partition[v->count++];
		p->row = DB_PARTS;
		p->info.index = (uint32_t)v->count;
		p->info.number = number;
		p->info.kind = kind;
		p->info.slot = slot;
		memcpy(p->info.name, clean, sizeof(clean));
		if (kind == PART_ULTRAVISOR)
			v->ultravisor = p->info.index;
		emit_partition(v, &p->info);
	}
	/* Idle has a slot for each CPU: the first that was seen speaks for it.
	 */
	if (kind != PART_IDLE || p->info.slot >= PART_SLOTS)
		p->info.slot = slot;
	return p->info.index;
}

void view_state(struct partition_view *v, uint32_t index, uint32_t state,
		const struct lead_slot *why)
{
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_STATE)};
	struct partition *p = partition_at(v, index);

	if (!p || p->info.state == state)
		return;
	r.value[0].u = index;
	r.value[1].u = p->info.state;
	r.value[2].u = state;
	if (why) {
		p->info.vector = r.value[3].u = why->vector;
		p->info.error = r.value[4].u = why->error;
		p->info.address = r.value[5].u = why->address;
		p->info.rip = r.value[6].u = why->rip;
	}
	p->info.state = state;
	machine_emit(v->m, &r);
}

/* A row's partition: what its descriptor page says. */
static uint32_t row_partition(struct partition_view *v,
			      const struct db_part *row)
{
	const struct part_desc *d =
		(const struct part_desc *)view_frames(v, row->number, 1);
	uint32_t index;

	if (!d || d->magic != PART_DESC_MAGIC || d->number != row->number)
		return 0;
	index = view_partition(v, row->number, d->name, (uint32_t)d->kind,
			       row->slot < PART_SLOTS ? row->slot
						      : PARTITION_NO_SLOT);
	if (index)
		take_name(v->partition[index - 1].module, d->module);
	return index;
}

/* Returns the index; 0: a row that makes no sense. */
static uint32_t take_row(struct partition_view *v, unsigned i,
			 const struct db_part *row)
{
	uint32_t index = row_partition(v, row);
	struct partition *p = partition_at(v, index);
	bool first, renewed;

	if (!p)
		return 0;
	first = !p->in_database;
	renewed = row->incarnation != p->info.incarnation;
	p->in_database = true;
	p->row = i;
	p->info.incarnation = row->incarnation;
	p->info.frames = row->memory_frames;
	if (first || renewed || row->state != p->db_state) {
		p->db_state = row->state;
		view_state(v, index, row->state, NULL);
	}
	return index;
}

static void take_parts(struct partition_view *v, const struct db_part *now)
{
	bool there[PARTITION_VIEW_MAX] = {false};

	memcpy(v->part, now, sizeof(v->part));
	for (unsigned i = 0; i < DB_PARTS; i++) {
		uint32_t index = 0;

		if (v->part[i].number)
			index = take_row(v, i, &v->part[i]);
		if (index)
			there[index - 1] = true;
	}
	for (size_t p = 0; p < v->count; p++) {
		if (there[p] || !v->partition[p].in_database)
			continue;
		v->partition[p].info.gone = true;
		v->partition[p].info.slot = PARTITION_NO_SLOT;
		v->partition[p].row = DB_PARTS;
	}
}

/* --- channels --- */

static void take_chans(struct partition_view *v, const struct db_chan *now)
{
	for (unsigned i = 0; i < DB_CHANS; i++)
		channel_row(v, i, &now[i]);
	for (size_t p = 0; p < v->count; p++) {
		struct partition *part = &v->partition[p];

		part->channels = 0;
		/* It wipes them all, so what it did is looked for in all. */
		if (part->info.kind == PART_ULTRAVISOR)
			part->channels = UINT64_MAX;
		for (unsigned i = 0; i < DB_CHANS; i++) {
			if (v->chan[i].client == part->info.index ||
			    v->chan[i].server == part->info.index)
				part->channels |= UINT64_C(1) << i;
		}
	}
}

/* --- the version in force --- */

static void emit_transaction(struct partition_view *v)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_TRANSACTION),
		.value = {{.u = v->version.generation},
			  {.u = v->version.txn_requester},
			  {.u = v->version.txn_handle}},
	};

	machine_emit(v->m, &r);
}

static void take_version(struct partition_view *v, uint64_t pfn)
{
	const struct db_version *version =
		(const struct db_version *)view_frames(v, pfn, 1);
	const uint8_t *parts, *chans, *devs;
	bool moved;

	v->version_pfn = pfn;
	if (!version || version->magic != DB_MAGIC)
		return;
	parts = view_frames(v, version->parts_pfn, 1);
	chans = view_frames(v, version->chans_pfn, 1);
	devs = view_frames(v, version->devs_pfn, 1);
	if (!parts || !chans || !devs)
		return;
	moved = version->generation != v->version.generation;
	v->version = *version;
	if (moved)
		emit_transaction(v);
	memcpy(v->dev, devs, sizeof(v->dev));
	take_parts(v, (const struct db_part *)parts);
	take_chans(v, (const struct db_chan *)chans);
	if (moved)
		view_taken(v);
}
_Static_assert(sizeof(struct db_part) * DB_PARTS == PAGE_BYTES, "one page");
_Static_assert(sizeof(struct db_chan) * DB_CHANS == PAGE_BYTES, "one page");
_Static_assert(sizeof(struct db_dev) * DB_DEVS == PAGE_BYTES, "one page");

/* Two commits between two looks may bring a version page back into force: its
 * generation says that it is another version. */
static bool version_known(const struct partition_view *v)
{
	const struct db_version *now =
		(const struct db_version *)view_frames(v, v->version_pfn, 1);

	return v->root->current == v->version_pfn &&
	       (!now || now->generation == v->version.generation);
}

void view_database(struct partition_view *v)
{
	if (v->lead->root_pfn != v->root_pfn) {
		v->root_pfn = v->lead->root_pfn;
		v->version_pfn = 0;
		v->root =
			(const struct db_root *)view_frames(v, v->root_pfn, 1);
	}
	if (!v->root || !v->root_pfn || v->root->magic != DB_MAGIC ||
	    version_known(v))
		return;
	take_version(v, v->root->current);
}

/* --- inspection --- */

uint64_t view_cr3(const struct partition_view *v, uint32_t index)
{
	const struct partition *p = partition_of(v, index);
	const struct lead_slot *s;

	if (!p || p->info.slot >= PART_SLOTS)
		return 0;
	s = &v->lead->slot[p->info.slot];
	return s->number == p->info.number && s->state != SLOT_FREE
		       ? s->cr3 & ~(PAGE_BYTES - 1)
		       : 0;
}

size_t partition_view_count(const struct partition_view *v)
{
	return v->count;
}

void partition_view_info(const struct partition_view *v, size_t position,
			 struct partition_info *info)
{
	*info = (struct partition_info){.slot = PARTITION_NO_SLOT};
	if (position >= v->count)
		return;
	*info = v->partition[position].info;
	if (v->partition[position].row < DB_PARTS)
		info->paused =
			info->state == PART_STATE_RUNNING &&
			v->part[v->partition[position].row].flags == RES_PAUSED;
	info->cr3 = view_cr3(v, info->index);
	if (info->slot < PART_SLOTS &&
	    v->lead->slot[info->slot].number == info->number) {
		const struct lead_slot *s = &v->lead->slot[info->slot];

		info->run = s->state;
		info->cpu = s->cpu;
		info->run_ns = s->run_ns;
		info->stolen_ns = s->stolen_ns;
		info->offset_ns = s->offset_ns;
		info->checks = s->checks;
	}
}

static void list_names(const struct partition_view *v, char *to, size_t bytes)
{
	size_t n = 0;

	snprintf(to, bytes, "none");
	for (size_t i = 0; i < v->count && n < bytes; i++) {
		if (!v->partition[i].info.gone)
			n += (size_t)snprintf(to + n, bytes - n, "%s%s",
					      n ? ", " : "",
					      v->partition[i].info.name);
	}
}

bool partition_view_find(const struct partition_view *v, const char *name,
			 struct partition_info *info, struct error *err)
{
	char names[600];

	for (int gone = 0; gone < 2; gone++) {
		for (size_t i = v->count; i-- > 0;) {
			if (v->partition[i].info.gone != gone ||
			    strcmp(v->partition[i].info.name, name))
				continue;
			partition_view_info(v, i, info);
			return true;
		}
	}
	list_names(v, names, sizeof(names));
	return error_set(err, EXIT_USAGE,
			 "no partition '%s' now; there are: %s%s", name, names,
			 v->opaque ? " (the image has no layout note)" : "");
}

const char *partition_view_name(const struct partition_view *v, uint32_t index)
{
	const struct partition *p = partition_of(v, index);

	return !index ? "monitor" : p ? p->info.name : "?";
}

const char *partition_kind_text(uint32_t kind)
{
	static const char *const text[] = {
		[PART_NONE] = "none",
		[PART_BOOT] = "boot",
		[PART_ULTRAVISOR] = "ultravisor",
		[PART_IDLE] = "idle",
		[PART_AVAILABLE] = "available",
		[PART_IO] = "io",
		[PART_COMMAND] = "command",
		[PART_OPERATIONS] = "operations",
		[PART_GUEST] = "guest",
		[PART_DIAGNOSTICS] = "diagnostics",
	};

	return kind < ARRAY_LEN(text) ? text[kind] : "?";
}

const char *partition_state_text(uint32_t state)
{
	static const char *const text[] = {
		[PART_STATE_DEFINED] = "defined",
		[PART_STATE_RUNNING] = "running",
		[PART_STATE_STOPPED] = "stopped",
		[PART_STATE_CRASHED] = "crashed",
		[PART_STATE_DEAD] = "dead",
		[PART_STATE_SAVED] = "saved",
	};

	return state < ARRAY_LEN(text) ? text[state] : "?";
}

const char *partition_info_state(const struct partition_info *info)
{
	if (info->gone)
		return "gone";
	return info->paused ? "paused" : partition_state_text(info->state);
}
