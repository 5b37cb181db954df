/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/part.c - partitions: what is known, and how one is made.
 *
 * A partition's frames: blocks of 2 MiB for its memory, its own; one frame for
 * the user frame, its own; monitor frames, view and control channel, the
 * ultravisor's.  Whatever a partition gets is scrubbed first (load.c), so what
 * a former owner left is never seen.
 *
 * uv_part is what is at hand of each partition that has an instance.  It can be
 * made again from the database: part_know(); part_forget() undoes that.
 *
 * Next: part_start.c, then part_end.c.
 */
#include "ultravisor/uv.h"

#include "boot/stage/image.h"
#include "lib/string.h"
#include "lib/sys.h"

struct uv_part uv_part[PART_SLOTS];

/* ---- what is known ------------------------------------------------------ */

struct uv_part *uv_part_of(uint64_t number)
{
	for (unsigned s = 0; number && s < PART_SLOTS; s++)
		if (uv_part[s].number == number)
			return &uv_part[s];
	return NULL;
}

bool part_running(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	return part && part->state == PART_STATE_RUNNING;
}

uint32_t part_kind(uint64_t number)
{
	const struct part_desc *desc = db_desc(&db, number);

	return desc ? (uint32_t)desc->kind : PART_NONE;
}

const char *part_name(uint64_t number)
{
	const struct part_desc *desc = db_desc(&db, number);

	return desc ? desc->name : "nobody";
}

/* Idle has one on each CPU, all others have one. */
unsigned part_vcpus(uint64_t number)
{
	return part_kind(number) == PART_IDLE ? lead->cpu_count : 1;
}

uint32_t part_slot(const struct db_part *part, unsigned vcpu)
{
	return vcpu ? PART_SLOTS - vcpu : part->slot;
}

/* A partition that can be told to start, stop and so on, as a copy to change.
 */
struct db_part *part_mutable(uint64_t number, int *status)
{
	uint32_t kind = part_kind(number);
	struct db_part *part = NULL;

	*status = CONTROL_OK;
	if (kind == PART_NONE)
		*status = CONTROL_ENOENT;
	else if (kind == PART_ULTRAVISOR || kind == PART_AVAILABLE)
		*status = CONTROL_EVALUE;
	else
		part = db_part_mut(&db, number);
	if (!part && !*status)
		*status = CONTROL_ELIMIT;
	return part;
}

/* ---- create ------------------------------------------------------------- */

const struct db_chan *part_control(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->type == CHANNEL_CONTROL && c->client == number)
			return c;
	}
	return NULL;
}

void part_know(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = &uv_part[part->slot];

	memset(p, 0, sizeof(*p));
	p->number = part->number;
	memcpy(p->name, part_name(part->number), sizeof(p->name));
	p->view = mem_map(part->view_pfn, PART_VIEW_PAGES, PROT_R | PROT_W);
	if (number != uv_number)
		p->control_pages =
			mem_map(part_control(part->number)->pfn,
				CONTROL_CHANNEL_PAGES, PROT_R | PROT_W);
}

void part_forget(struct uv_part *p)
{
	iommu_forget(p->number);
	mem_unmap(p->view, PART_VIEW_PAGES);
	mem_unmap(p->control_pages, CONTROL_CHANNEL_PAGES);
	memset(p, 0, sizeof(*p));
	view_publish(uv_number);
	part_publish_schedule();
}

static void effect_create(const struct effect *e)
{
	part_know(e->a);
	load_begin(uv_part_of(e->a));
	view_publish(uv_number);
}

static bool name_good(const char name[16])
{
	bool ended = false;

	for (unsigned i = 0; i < 16; i++) {
		if (!name[i])
			ended = true;
		else if (ended || name[i] <= ' ' || name[i] > '~')
			return false;
	}
	return ended && name[0];
}

/* Are the modules there, and does it all fit? */
int part_check_image(const char module_name[16], const char data_name[16],
		     uint64_t blocks)
{
	uint64_t bytes = blocks * BLOCK_FRAMES * ABI_PAGE_BYTES;
	const struct boot_module *module = mem_module(module_name);
	const struct boot_module *data = mem_module(data_name);
	struct image im;

	if (!module || (data_name[0] && !data))
		return CONTROL_ENOENT;
	if (data && (data->bytes > MODULE_BYTES_MAX || data->bytes > bytes))
		return CONTROL_EVALUE;
	if (data)
		bytes -= MEM_PAGES(data->bytes) * ABI_PAGE_BYTES;
	if (module->bytes > MODULE_BYTES_MAX ||
	    !image_check(mem_module_map(module), module->bytes, bytes, &im))
		return CONTROL_EIMAGE;
	return CONTROL_OK;
}

int part_free_slot(uint32_t *slot)
{
	uint32_t used = 0;

	for (unsigned i = 0; i < DB_PARTS; i++) {
		const struct db_part *p = db_part_at(&db, i);

		if (p && p->slot < PART_SLOTS)
			used |= 1u << p->slot;
	}
	for (unsigned i = 1; i < lead->cpu_count; i++)
		used |= 1u << (PART_SLOTS - i); /* idle's on the others */
	if (used == ~0u)
		return CONTROL_ELIMIT;
	*slot = (uint32_t)__builtin_ctz(~used);
	return CONTROL_OK;
}

int part_take_memory(struct db_part *part, uint64_t blocks)
{
	uint64_t number = part->number;
	int status;

	part->memory_frames = blocks * BLOCK_FRAMES;
	part->monitor_frames = 32 + blocks < LEAD_MONITOR_FRAMES
				       ? LEAD_MONITOR_FRAMES
				       : 32 + blocks;
	part->monitor_frames *= part_vcpus(number);
	status = db_alloc(&db, available_number, part->memory_frames,
			  BLOCK_FRAMES, number, &part->memory_pfn);
	if (!status)
		status = db_alloc(&db, available_number, part->monitor_frames,
				  1, uv_number, &part->monitor_pfn);
	return status;
}

/* Its frames, in the open transaction. */
int part_take_frames(struct db_part *part, uint64_t blocks)
{
	uint64_t number = part->number, frame;
	int status = part_take_memory(part, blocks);

	if (!status)
		status = db_alloc(&db, available_number, VIEW_FRAMES, 1,
				  uv_number, &part->view_pfn);
	frame = part->view_pfn + PART_VIEW_PAGES;
	return status ? status : db_map_set(&db, frame, 1, number);
}

/* The three that are made at the start are made by nobody else. */
static bool kind_good(uint32_t kind, uint64_t requester)
{
	switch (kind) {
	case PART_BOOT:
		return requester == uv_number;
	case PART_IDLE:
	case PART_IO:
	case PART_COMMAND:
	case PART_OPERATIONS:
	case PART_DIAGNOSTICS:
	case PART_GUEST:
		return true;
	default:
		return false;
	}
}

/* What it is told, and how it is scheduled until somebody says otherwise. */
static int configure(struct db_part *part, const struct control_message *m)
{
	struct db_conf *conf = db_conf_mut(&db, part->number);

	if (!conf)
		return CONTROL_ELIMIT;
	memcpy(conf->data, m->create.data, sizeof(conf->data));
	if (m->create.kind == PART_BOOT)
		memcpy(conf->args, boot->args, sizeof(conf->args));
	part->load_serial = db.shadow->serial;
	part->cpu = m->create.cpu;
	part_schedule_default(part, (uint32_t)m->create.kind);
	return CONTROL_OK;
}
_Static_assert(sizeof(((struct db_conf *)0)->args) ==
		       sizeof(((struct boot_info *)0)->args),
	       "the words fit");

/* Whoever never wants a CPU and never lacks one owns them all. */
static int own_processors(uint64_t idle)
{
	for (unsigned i = 0; i < lead->cpu_count; i++) {
		struct db_cpu *c = db_cpu_mut(&db, i);

		if (!c)
			return CONTROL_ELIMIT;
		c->owner = idle;
		if (!state_settle(&c->flags, RES_RUNNING))
			return CONTROL_ESTATE;
	}
	return CONTROL_OK;
}

int part_create(struct txn *t, const struct control_message *m,
		uint64_t *result)
{
	struct db_part *part;
	struct db_chan *c;
	uint64_t number;
	int status;

	if (!name_good(m->create.name) || !m->create.blocks ||
	    m->create.blocks > PART_BLOCKS_MAX ||
	    m->create.cpu >= lead->cpu_count ||
	    !kind_good(m->create.kind, t->requester))
		return CONTROL_EVALUE;
	status = part_check_image(m->create.module, m->create.data,
				  m->create.blocks);
	if (!status)
		status = db_part_create(&db, m->create.name, m->create.module,
					m->create.kind, &number);
	if (status)
		return status;
	part = db_part_mut(&db, number);
	status = part_free_slot(&part->slot);
	if (!status)
		status = part_take_frames(part, m->create.blocks);
	if (!status)
		status = configure(part, m);
	if (!status && m->create.kind == PART_IDLE)
		status = own_processors(number);
	if (!status)
		status = db_chan_create(&db, &c);
	if (!status)
		status = chan_new(c, number, uv_number, CHANNEL_CONTROL,
				  CONTROL_CHANNEL_PAGES);
	if (status)
		return status;
	c->server_handle = (uint8_t)part->slot;
	status = state_change(&c->flags, RES_RUNNING);
	*result = number;
	return status ? status : txn_effect(t, effect_create, number, 0, NULL);
}
