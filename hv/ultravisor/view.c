/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/view.c - a partition's view, written from the version in
 * force.
 *
 * The buffer that is not active is brought up to date, word by word so that
 * what stays the same is never seen otherwise by a program that still reads it,
 * and then published by one store.  SYS_LEAD_SYNC returns when the partition's
 * monitor enforces it; the program hears of it by EVENT_VIEW.
 */
#include "ultravisor/uv.h"

#include "lib/channel.h"
#include "lib/string.h"
#include "lib/sys.h"

static void fill_channel(struct view_channel *vc, const struct db_chan *c,
			 bool server)
{
	const struct db_part *peer =
		db_part(&db, server ? c->client : c->server);

	vc->id = c->id;
	vc->type = c->type;
	vc->pfn = c->pfn;
	vc->client_pages = server ? channel_type(c->type)->client_pages : 0;
	vc->pages = c->pages - vc->client_pages;
	vc->server = server;
	vc->flags = (uint16_t)c->flags;
	vc->generation = c->generation;
	vc->peer_handle = server ? c->client_handle : c->server_handle;
	vc->peer_slot = peer ? peer->slot : SLOT_NO_SLOT;
	vc->peer = peer ? peer->number : 0;
	vc->extent_block = c->extent_block;
	vc->extent_blocks = c->extent_blocks;
}

static void fill_device(struct view_device *vd, const struct db_dev *d)
{
	vd->id = d->id;
	vd->bdf = d->bdf;
	vd->config_pfn = d->config_pfn;
	vd->bar_pfn = d->bar_pfn;
	vd->bar_pages = d->bar_pages;
	vd->msix_page = d->msix_page;
	vd->msix_pages = d->msix_pages;
	vd->class_code = d->class_code;
	vd->vectors = d->vectors;
	vd->flags = d->flags;
}

static void fill(struct view *v, const struct db_part *part,
		 const struct uv_part *p)
{
	memset(v, 0, sizeof(*v));
	v->number = part->number;
	memcpy(v->name, p->name, sizeof(v->name));
	v->kind = part_kind(part->number);
	v->incarnation = part->incarnation;
	v->cpus = lead->cpu_count;
	v->extents = 1;
	v->extent[0].pfn = part->memory_pfn;
	v->extent[0].frames = part->memory_frames;
	v->data_va = p->data_va;
	v->data_bytes = p->data_bytes;
	memcpy(v->args, db_conf(&db, part->number)->args, sizeof(v->args));
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->client == part->number)
			fill_channel(&v->channel[c->client_handle], c, false);
		/* One that was saved has no slot for its control channel. */
		if (c && c->server == part->number && chan_seen_by_server(i) &&
		    !(c->type == CHANNEL_CONTROL &&
		      db_part(&db, c->client)->slot >= PART_SLOTS))
			fill_channel(&v->channel[c->server_handle], c, true);
	}
	for (unsigned i = 0; i < DB_DEVS; i++) {
		const struct db_dev *d = db_dev_at(&db, i);

		if (d && d->owner == part->number && d->bar_pages &&
		    !device_withheld(d))
			fill_device(&v->device[d->index], d);
	}
}

#define VIEW_WORDS (sizeof(struct view) / 8)
_Static_assert(sizeof(struct view) % 8 == 0, "a view is words");
static union {
	struct view view;
	uint64_t word[VIEW_WORDS];
} fresh;

const struct view *view_make(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = uv_part_of(number);

	if (!part || !p)
		return NULL;
	fill(&fresh.view, part, p);
	return &fresh.view;
}

void view_publish(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = uv_part_of(number);
	volatile struct view_head *head;
	volatile uint64_t *to;
	uint64_t next;

	if (!view_make(number))
		return;
	head = (volatile struct view_head *)p->view;
	next = !(head->active & 1);
	iommu_view(&fresh.view);
	to = (volatile uint64_t *)(p->view + ABI_PAGE_BYTES * (1 + next));
	for (unsigned i = 0; i < VIEW_WORDS; i++)
		if (to[i] != fresh.word[i])
			to[i] = fresh.word[i];
	__atomic_thread_fence(__ATOMIC_RELEASE);
	head->active = next;
	head->generation = db_version(&db)->generation;
	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_sync(part_slot(part, i));
}

void view_publish_peers(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (!c || c->type == CHANNEL_CONTROL)
			continue;
		if (c->client == number)
			view_publish(c->server);
		if (c->server == number)
			view_publish(c->client);
	}
}
