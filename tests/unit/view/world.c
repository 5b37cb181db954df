/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/machine_internal.h"

#define EVENTS 4096

static const char *const names[WORLD_PARTS] = {"ultravisor", "io.a", "io.b",
					       "guest1"};
static const char *const modules[WORLD_PARTS] = {"uv", "io", "io", "guest"};
static const uint32_t kinds[WORLD_PARTS] = {PART_ULTRAVISOR, PART_IO, PART_IO,
					    PART_GUEST};

/* --- the image --- */

static void write_kernel(const char *path, const struct note_layout *note)
{
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p;
		Elf64_Nhdr n;
		char name[12];
		struct note_layout note;
	} f = {0};
	FILE *to = fopen(path, "wb");

	memcpy(f.h.e_ident, ELFMAG, SELFMAG);
	f.h.e_ident[EI_CLASS] = ELFCLASS64;
	f.h.e_ident[EI_DATA] = ELFDATA2LSB;
	f.h.e_machine = EM_X86_64;
	f.h.e_phoff = sizeof(f.h);
	f.h.e_phentsize = sizeof(f.p);
	f.h.e_phnum = 1;
	f.p.p_type = PT_NOTE;
	f.p.p_offset = offsetof(__typeof__(f), n);
	f.p.p_filesz = sizeof(f.n) + sizeof(f.name) + sizeof(f.note);
	f.n.n_namesz = 9;
	f.n.n_descsz = sizeof(f.note);
	f.n.n_type = NOTE_LAYOUT;
	strcpy(f.name, note ? NOTE_NAME : "Somebody");
	if (note)
		f.note = *note;
	CHECK(to && fwrite(&f, sizeof(f), 1, to) == 1 && !fclose(to));
}

struct note_layout world_note(void)
{
	return (struct note_layout){
		.version = NOTE_VERSION,
		.lead_area_pa = LEAD_PFN * PAGE_BYTES,
		.monitor_text_pa = TEXT_PFN * PAGE_BYTES,
		.monitor_text_bytes = PAGE_BYTES,
		.monitor_data_pa = LEAD_PFN * PAGE_BYTES,
		.monitor_data_bytes = LEAD_FRAMES * PAGE_BYTES,
	};
}

/* --- RAM --- */

void *world_frame(struct world *w, uint64_t pfn)
{
	uint8_t *p = bus_ram(machine_bus(w->m), pfn * PAGE_BYTES, PAGE_BYTES);

	CHECK(p);
	return p;
}

uint64_t world_cr3(enum world_part p)
{
	return (uint64_t)(MONITOR_PFN + 0x20 * p) * PAGE_BYTES;
}

uint64_t world_number(enum world_part p)
{
	return DESC_PFN + p;
}

void world_map(struct world *w, enum world_part p, uint64_t va, uint64_t pfn,
	       uint64_t flags)
{
	uint64_t *table = world_frame(w, world_cr3(p) / PAGE_BYTES);

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t *e = &table[va >> shift & 511];

		if (!*e)
			*e = w->tables++ * PAGE_BYTES | MAP_P | MAP_W | MAP_U;
		table = world_frame(w, *e / PAGE_BYTES);
	}
	table[va >> 12 & 511] = pfn * PAGE_BYTES | flags;
}

static void own(struct world *w, uint64_t pfn, uint64_t frames, uint64_t owner)
{
	uint64_t *k = world_frame(w, MAP_PFN + 2);
	uint64_t *m = world_frame(w, MAP_PFN + 1);

	for (; frames; frames--, pfn++) {
		if (pfn < 512)
			k[pfn] = MAP_WORD(MAP_OWNED, owner);
		else
			m[pfn >> 9] = MAP_WORD(MAP_OWNED, owner);
	}
}

static void make_part(struct world *w, enum world_part p)
{
	struct part_desc *d = world_frame(w, DESC_PFN + p);
	struct lead_slot *s = &w->lead->slot[p];

	*d = (struct part_desc){.magic = PART_DESC_MAGIC,
				.number = world_number(p),
				.kind = kinds[p]};
	strcpy(d->name, names[p]);
	strcpy(d->module, modules[p]);
	w->part[p] = (struct db_part){
		.number = world_number(p),
		.state = PART_STATE_RUNNING,
		.slot = p,
		.incarnation = 1,
		.memory_pfn = MEMORY_PFN + MEMORY_FRAMES * p,
		.memory_frames = MEMORY_FRAMES,
		.monitor_pfn = MONITOR_PFN + 0x20 * p,
		.monitor_frames = 0x20,
		.view_pfn = VIEW_PFN + 4 * p,
	};
	*s = (struct lead_slot){.number = world_number(p),
				.state = SLOT_WAITING,
				.kind = kinds[p],
				.cr3 = world_cr3(p)};
	strcpy(s->name, names[p]);
	own(w, w->part[p].memory_pfn, MEMORY_FRAMES, world_number(p));
	for (unsigned i = 0; i < 16; i++)
		world_map(w, p, PART_MEMORY_VA + i * PAGE_BYTES,
			  w->part[p].memory_pfn + i, MAP_P | MAP_W | MAP_U);
	world_map(w, p, PART_VIEW_VA, w->part[p].view_pfn, MAP_P | MAP_U);
	world_map(w, p, PART_FRAME_VA, w->part[p].view_pfn + PART_VIEW_PAGES,
		  MAP_P | MAP_W | MAP_U);
	world_map(w, p, MONITOR_VA, TEXT_PFN, MAP_P);
}

static void make_chan(struct world *w, uint32_t id, uint32_t type,
		      enum world_part client, enum world_part server,
		      uint64_t pfn, uint32_t pages)
{
	w->chan[id - 1] = (struct db_chan){
		.id = id,
		.type = type,
		.client = world_number(client),
		.server = world_number(server),
		.pfn = pfn,
		.pages = pages,
		.generation = 1,
	};
	world_format(w, pfn, type, 1);
}

static void make_database(struct world *w)
{
	uint64_t *g = world_frame(w, MAP_PFN);
	uint64_t *m = world_frame(w, MAP_PFN + 1);

	g[0] = MAP_WORD(MAP_INDEX, MAP_PFN + 1);
	g[1] = MAP_WORD(MAP_OWNED, world_number(UV)); /* a whole GiB */
	m[0] = MAP_WORD(MAP_INDEX, MAP_PFN + 2);
	own(w, 0x100, 0x100, world_number(UV));
	own(w, BLOCK_PFN, BLOCK_CHANNEL_PAGES, world_number(UV));
	for (unsigned p = 0; p < WORLD_PARTS; p++)
		make_part(w, p);
	make_chan(w, 1, CHANNEL_BLOCK, GUEST, IO_A, BLOCK_PFN,
		  BLOCK_CHANNEL_PAGES);
	make_chan(w, 2, CHANNEL_DIAG, GUEST, IO_B, DIAG_PFN,
		  DIAG_CHANNEL_PAGES);
	make_chan(w, 3, CHANNEL_CONTROL, GUEST, UV, CONTROL_PFN,
		  CONTROL_CHANNEL_PAGES);
	make_chan(w, 4, CHANNEL_HEARTBEAT, GUEST, IO_A, BEAT_PFN,
		  HEARTBEAT_CHANNEL_PAGES);
	w->dev[0] = (struct db_dev){.id = 1,
				    .owner = world_number(IO_A),
				    .config_pfn = 0xb0018,
				    .bar_pfn = NVME_PFN,
				    .bar_pages = 4,
				    .msix_page = 2,
				    .msix_pages = 2};
	w->root->magic = DB_MAGIC;
	w->lead->root_pfn = ROOT_PFN;
	world_commit(w);
}

void world_commit(struct world *w)
{
	struct db_version *old = w->version[w->in_force], *now;

	w->in_force ^= 1;
	now = w->version[w->in_force];
	*now = (struct db_version){
		.magic = DB_MAGIC,
		.generation = old->generation + 1,
		.map_pfn = MAP_PFN,
		.parts_pfn = PARTS_PFN,
		.chans_pfn = CHANS_PFN,
		.devs_pfn = DEVS_PFN,
		.txn_requester = world_number(UV),
		.txn_handle = 77,
	};
	w->root->current = VERSION_PFN + w->in_force;
}

/* --- the machine --- */

static void on_event(void *owner, const struct trace_record *r)
{
	struct world *w = owner;
	struct seen_event *e = &w->event[w->events];

	CHECK(w->events < EVENTS);
	w->events++;
	e->number = r->kind->number;
	e->partition = r->partition;
	for (unsigned i = 0; i < r->kind->field_count; i++) {
		if (r->kind->field[i].kind == TRACE_STR)
			snprintf(e->text, sizeof(e->text), "%s", r->value[i].s);
		else
			e->value[i] = r->value[i].u;
	}
}

struct world *world_create(const struct note_layout *note)
{
	struct world *w = calloc(1, sizeof(*w));
	struct error err;

	CHECK(w);
	w->event = calloc(EVENTS, sizeof(*w->event));
	CHECK(w->event);
	snprintf(w->kernel, sizeof(w->kernel), "/tmp/parterre-view-%d.elf",
		 getpid());
	write_kernel(w->kernel, note);
	w->trace = trace_create(
		NULL, TRACE_CLASS_PARTITION | TRACE_CLASS_MACHINE, &err);
	CHECK(w->trace);
	trace_listen(w->trace, on_event, w);
	machine_config_defaults(&w->config);
	w->config.ram_bytes = UINT64_C(16) << 20;
	w->config.cpu_count = 2;
	w->m = machine_create(&w->config, w->trace, &err);
	CHECK_MSG(w->m, "%s", err.text);
	w->config.kernel = w->kernel; /* of the view, not of the loader */
	w->tables = 0xf00;
	w->lead = (struct lead_area *)bus_ram(
		machine_bus(w->m), LEAD_PFN * PAGE_BYTES, sizeof(*w->lead));
	w->lead->magic = LEAD_MAGIC;
	for (unsigned i = 0; i < ABI_CPUS; i++)
		w->lead->cpu[i].current = LEAD_SLOT_NONE;
	w->root = world_frame(w, ROOT_PFN);
	w->version[0] = world_frame(w, VERSION_PFN);
	w->version[1] = world_frame(w, VERSION_PFN + 1);
	w->part = world_frame(w, PARTS_PFN);
	w->chan = world_frame(w, CHANS_PFN);
	w->dev = world_frame(w, DEVS_PFN);
	make_database(w);
	return w;
}

bool world_view(struct world *w, struct error *err)
{
	w->view = partition_view_create(w->m, &w->config, err);
	return w->view;
}

struct world *world_default(void)
{
	struct note_layout note = world_note();
	struct world *w = world_create(&note);
	struct error err;

	CHECK_MSG(world_view(w, &err), "%s", err.text);
	partition_view_look(w->view);
	w->seen = w->events;
	return w;
}

void world_destroy(struct world *w)
{
	struct error err;

	partition_view_destroy(w->view);
	machine_destroy(w->m);
	CHECK(trace_close(w->trace, &err));
	unlink(w->kernel);
	free(w->event);
	free(w);
}

/* --- what happens --- */

void world_fire(struct world *w, enum cpu_context_event what, uint64_t value)
{
	struct cpu_context_record r = {.what = what, .value = value};

	w->m->running = &w->m->vcpu[w->cpu];
	w->m->observing = true;
	w->m->observer.context(w->m->observer.owner, w->m,
			       machine_cpu(w->m, w->cpu), &r);
	w->m->observing = false;
	w->m->running = NULL;
}

void world_switch(struct world *w, enum world_part p)
{
	world_fire(w, CPU_CTX_INTERRUPT, 0);
	world_fire(w, CPU_CTX_RING, 0);
	if (w->lead->cpu[w->cpu].current < WORLD_PARTS &&
	    w->lead->slot[w->lead->cpu[w->cpu].current].state == SLOT_RUNNING)
		w->lead->slot[w->lead->cpu[w->cpu].current].state =
			SLOT_WAITING;
	w->lead->slot[p].state = SLOT_RUNNING;
	w->lead->cpu[w->cpu].current = p;
	w->lead->cpu[w->cpu].last_reason = SWITCH_WAKE;
	world_fire(w, CPU_CTX_CR3, world_cr3(p));
	world_fire(w, CPU_CTX_RING, 3);
}

void world_turn_over(struct world *w)
{
	w->m->running = &w->m->vcpu[w->cpu];
	w->m->observing = true;
	w->m->observer.turn_over(w->m->observer.owner, w->m,
				 machine_cpu(w->m, w->cpu));
	w->m->observing = false;
	w->m->running = NULL;
}

void world_publish(struct world *w, enum world_part p,
		   const struct db_chan *row)
{
	uint64_t view_pfn = VIEW_PFN + 4 * (uint64_t)p;
	struct view_head *head = world_frame(w, view_pfn);
	uint64_t next = !head->active;
	struct view *v = world_frame(w, view_pfn + 1 + next);

	memset(v, 0, sizeof(*v));
	v->number = world_number(p);
	if (row)
		v->channel[0] = (struct view_channel){
			.id = row->id, .pfn = row->pfn, .pages = row->pages};
	head->active = next;
}

void world_sync(struct world *w, enum world_part p)
{
	struct cpu_regs regs;

	cpu_regs_get(machine_cpu(w->m, w->cpu), &regs);
	regs.gpr[CPU_RDI] = p; /* its slot */
	cpu_regs_set(machine_cpu(w->m, w->cpu), &regs);
	world_fire(w, CPU_CTX_SYSCALL, SYS_LEAD_SYNC);
	world_fire(w, CPU_CTX_RING, 0);
	world_fire(w, CPU_CTX_RING, 3);
}

void world_call(struct world *w)
{
	world_fire(w, CPU_CTX_SYSCALL, SYS_NULL);
	world_fire(w, CPU_CTX_RING, 0);
	world_fire(w, CPU_CTX_RING, 3);
}

const struct seen_event *world_next(struct world *w, uint16_t number)
{
	while (w->seen < w->events) {
		if (w->event[w->seen++].number == number)
			return &w->event[w->seen - 1];
	}
	return NULL;
}

size_t world_count(const struct world *w, uint16_t number)
{
	size_t n = 0;

	for (size_t i = w->seen; i < w->events; i++)
		n += w->event[i].number == number;
	return n;
}

/* --- channels --- */

void world_format(struct world *w, uint64_t pfn, uint32_t type,
		  uint32_t generation)
{
	struct channel_header *h = world_frame(w, pfn);

	memset(h, 0, PAGE_BYTES);
	h->signature = CHANNEL_SIGNATURE;
	h->type = type;
	h->generation = generation;
	h->server_state = CHANNEL_SERVER_READY;
	h->client_state = CHANNEL_CLIENT_ATTACHED;
}

void world_send(struct world *w, uint64_t pfn, unsigned queue, uint64_t offset,
		uint32_t slots, uint32_t bytes, const void *signal)
{
	struct queue_header *q =
		(struct queue_header *)((uint8_t *)world_frame(w, pfn) + 128 +
					128 * queue);
	uint32_t next = (q->head + 1) % slots;

	CHECK(bus_poke(machine_bus(w->m),
		       pfn * PAGE_BYTES + offset + (uint64_t)next * bytes,
		       signal, bytes));
	q->head = next;
	q->sent++;
}

void world_block(struct world *w, uint64_t sequence, uint32_t replay)
{
	struct block_request r = {.sequence = sequence,
				  .block = sequence % 7,
				  .op = BLOCK_WRITE,
				  .flags = BLOCK_FLAG_FUA,
				  .replay = replay,
				  .tag = {5, sequence + 100}};

	world_send(w, BLOCK_PFN, BLOCK_QUEUE_REQUEST, PAGE_BYTES, BLOCK_SLOTS,
		   sizeof(r), &r);
}
