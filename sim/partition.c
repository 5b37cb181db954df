/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition.c - the partition view is made, and looks when a CPU changes
 * its context.  Start with on_context().
 *
 * What a look costs counts: there are a million context events in a run of some
 * seconds.  So each kind of event looks only at what can have changed by it:
 * queues at entries to ring 0, by the partition that leaves ring 3; the lead
 * area and the database's word `current` at switches and returns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/elfimage.h"
#include "sim/partition_internal.h"
#include "sim/trace/trace.h"

/* --- made and unmade --- */

static char *copy(const char *s)
{
	char *to = strdup(s ? s : "");

	CHECK_MSG(to, "out of memory for the partition view");
	return to;
}

static bool read_note(struct partition_view *v, struct error *err)
{
	struct elf_image image;
	bool found;

	if (!elf_image_read(&image, v->kernel, err))
		return false;
	found = elf_image_note(&image, NOTE_NAME, NOTE_LAYOUT, &v->note,
			       sizeof(v->note));
	elf_image_free(&image);
	if (!found)
		return true;
	if (v->note.version != NOTE_VERSION)
		return error_set(err, EXIT_USAGE,
				 "%s: its layout note is of version %u; this "
				 "program knows version %u: rebuild the image "
				 "or use the program of its tree",
				 v->kernel, v->note.version, NOTE_VERSION);
	v->lead = (const struct lead_area *)bus_ram(
		v->bus, v->note.lead_area_pa, sizeof(*v->lead));
	if (!v->lead || v->note.lead_area_pa % PAGE_BYTES)
		return error_set(err, EXIT_USAGE,
				 "%s: its layout note puts the lead area at "
				 "0x%" PRIx64 ", where there is no RAM; give "
				 "the machine more RAM",
				 v->kernel, v->note.lead_area_pa);
	v->opaque = false;
	return true;
}

static void on_context(void *owner, struct machine *m, struct cpu *cpu,
		       const struct cpu_context_record *r);
static void on_reset(void *owner, struct machine *m);
static void on_turn_over(void *owner, struct machine *m, struct cpu *cpu);
static void on_block(void *owner, struct machine *m, struct cpu *cpu,
		     const struct cpu_block *b);

struct partition_view *partition_view_create(struct machine *m,
					     const struct machine_config *c,
					     struct error *err)
{
	struct partition_view *v = calloc(1, sizeof(*v));

	CHECK_MSG(v, "out of memory for the partition view");
	v->m = m;
	v->bus = machine_bus(m);
	v->kernel = copy(c->kernel);
	v->opaque = true;
	v->module_count = c->module_count;
	for (size_t i = 0; i < c->module_count; i++) {
		v->module[i].path = copy(c->module[i].path);
		v->module[i].string = copy(c->module[i].string);
	}
	for (unsigned i = 0; i < CPU_COUNT_MAX; i++)
		v->cpu[i].slot = LEAD_SLOT_NONE;
	if (c->kernel && !read_note(v, err)) {
		partition_view_destroy(v);
		return NULL;
	}
	partition_view_moved(v, m);
	return v;
}

void partition_view_moved(struct partition_view *v, struct machine *m)
{
	v->m = m;
	v->bus = machine_bus(m);
	if (!v->opaque)
		machine_set_observer(
			m, &(struct machine_observer){.context = on_context,
						      .reset = on_reset,
						      .turn_over = on_turn_over,
						      .block = on_block,
						      .owner = v});
}

/* All that changes lies in it itself. */
void *partition_view_keep(const struct partition_view *v)
{
	struct partition_view *kept = malloc(sizeof(*v));

	CHECK_MSG(kept, "out of memory for the partition view");
	*kept = *v;
	return kept;
}

void partition_view_back(struct partition_view *v, const void *kept)
{
	*v = *(const struct partition_view *)kept;
}

void partition_view_destroy(struct partition_view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->module_count; i++) {
		free(v->module[i].path);
		free(v->module[i].string);
	}
	free(v->kernel);
	free(v);
}

bool partition_view_opaque(const struct partition_view *v)
{
	return v->opaque;
}

struct machine *partition_view_machine(const struct partition_view *v)
{
	return v->m;
}

const uint8_t *view_frames(const struct partition_view *v, uint64_t pfn,
			   uint64_t frames)
{
	if (pfn >= BUS_RAM_MAX / PAGE_BYTES * 2 ||
	    frames > BUS_RAM_MAX / PAGE_BYTES)
		return NULL;
	return bus_ram(v->bus, pfn * PAGE_BYTES, frames * PAGE_BYTES);
}

/* --- time --- */

static void charge(struct partition_times *t, struct partition *p, bool started,
		   uint32_t ring, ps_t dt)
{
	if (!started) {
		t->boot += dt;
	} else if (!p || p->info.kind == PART_IDLE) {
		t->idle += dt;
		if (p)
			p->info.ran += dt;
	} else if (ring) {
		t->partitions += dt;
		p->info.ran += dt;
	} else {
		t->monitor += dt;
	}
}

static void account(struct partition_view *v, struct cpu_seen *c, ps_t now)
{
	if (now <= c->since)
		return;
	charge(&v->times, partition_at(v, c->current), v->started, c->ring,
	       now - c->since);
	c->since = now;
}

void partition_view_times(const struct partition_view *v,
			  struct partition_times *t)
{
	*t = v->times;
	for (unsigned i = 0; i < machine_cpu_count(v->m); i++) {
		const struct cpu_seen *c = &v->cpu[i];
		ps_t now = machine_cpu_now(v->m, i);
		struct partition copy_of, *p = NULL;

		if (partition_of(v, c->current)) {
			copy_of = *partition_of(v, c->current);
			p = &copy_of;
		}
		if (now > c->since)
			charge(t, p, v->started, c->ring, now - c->since);
	}
}

/* --- who runs --- */

static uint32_t slot_known(struct partition_view *v, uint32_t slot)
{
	const struct lead_slot *s = &v->lead->slot[slot];

	if (s->state == SLOT_FREE || !s->number)
		return 0;
	return view_partition(v, s->number, s->name, s->kind, slot);
}

/* Where a partition's run state is worth a record at once: its end.  One that
 * the database has ended already (stopped, declared dead) says nothing new. */
static void slot_ended(struct partition_view *v, uint32_t slot, uint32_t state)
{
	uint32_t index = v->slot_index[slot];
	const struct partition *p = partition_at(v, index);

	if (!p || p->info.state > PART_STATE_RUNNING)
		return;
	if (state == SLOT_CRASHED)
		view_state(v, index, PART_STATE_CRASHED, &v->lead->slot[slot]);
	else if (state == SLOT_STOPPED)
		view_state(v, index, PART_STATE_STOPPED, &v->lead->slot[slot]);
}

/* The ultravisor ends without its slot ever showing it: its monitor gives it
 * another program at once.  That it runs again, the database says. */
static void slot_renewed(struct partition_view *v, uint32_t slot)
{
	const struct lead_slot *s = &v->lead->slot[slot];
	uint32_t before = v->slot_incarnation[slot];

	v->slot_incarnation[slot] = s->incarnation;
	if (s->kind == PART_ULTRAVISOR && before && s->incarnation > before)
		view_state(v, v->slot_index[slot], PART_STATE_CRASHED, s);
}

static void look_at_slots(struct partition_view *v)
{
	for (uint32_t i = 0; i < PART_SLOTS; i++) {
		uint32_t state = v->lead->slot[i].state;

		if (state == SLOT_FREE) {
			v->slot_index[i] = 0;
		} else if (!v->slot_index[i] ||
			   v->partition[v->slot_index[i] - 1].info.number !=
				   v->lead->slot[i].number) {
			v->slot_index[i] = slot_known(v, i);
		}
		if (state != v->slot_state[i])
			slot_ended(v, i, state);
		v->slot_state[i] = state;
		slot_renewed(v, i);
	}
}

static void emit_switch(struct partition_view *v, uint32_t from, uint32_t to,
			uint32_t reason)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_SWITCH),
		.value = {{.u = from}, {.u = to}, {.u = reason}},
	};

	machine_emit(v->m, &r);
}

/* lead_cpu.current: has this CPU another partition now? */
static void look_at_cpu(struct partition_view *v, unsigned i)
{
	const struct lead_cpu *lc = &v->lead->cpu[i];
	struct cpu_seen *c = &v->cpu[i];
	uint32_t slot = lc->current, index = 0;

	if (slot == c->slot)
		return;
	if (slot < PART_SLOTS) {
		index = v->slot_index[slot];
		if (!index)
			index = v->slot_index[slot] = slot_known(v, slot);
	}
	c->slot = slot;
	if (index == c->current)
		return;
	emit_switch(v, c->current, index, lc->last_reason);
	c->current = index;
	if (index) {
		v->started = true;
		v->partition[index - 1].info.switches++;
	}
	machine_set_partition(v->m, i, index);
}

static bool lead_is_there(const struct partition_view *v)
{
	return !v->opaque && v->lead->magic == LEAD_MAGIC;
}

static void look_at_lead(struct partition_view *v, unsigned cpu)
{
	if (!lead_is_there(v))
		return;
	if (v->cpu[cpu].look) {
		v->cpu[cpu].look = false;
		look_at_slots(v);
	}
	look_at_cpu(v, cpu);
	view_database(v);
	view_settled(v);
}

/* The kernel address space of the virtual processor on this CPU: idle has
 * several, each with a monitor instance of its own. */
static uint64_t kernel_root(const struct partition_view *v,
			    const struct cpu_seen *c)
{
	if (c->slot >= PART_SLOTS)
		return 0;
	return v->lead->slot[c->slot].cr3 & ~(PAGE_BYTES - 1);
}

/* --- system calls --- */

static uint64_t page_up(uint64_t n)
{
	return n < 65536 ? n : 65536;
}

/* What a call can change is looked at when it returns. */
static void note_call(struct cpu_seen *c, struct partition *p, struct cpu *cpu,
		      uint64_t number)
{
	switch (number) {
	case SYS_CHANNEL_MAP:
		p->opened = CHANNEL_WINDOW_VA + cpu_gpr(cpu, CPU_RDI) %
							CHANNEL_SLOTS *
							CHANNEL_SLOT_BYTES;
		p->opened_pages = CHANNEL_SLOT_BYTES / PAGE_BYTES;
		break;
	case SYS_LEAD_FRAMES:
		p->opened = cpu_gpr(cpu, CPU_RDI) & ~(PAGE_BYTES - 1);
		p->opened_pages = page_up(cpu_gpr(cpu, CPU_RDX));
		break;
	case SYS_LEAD_SYNC:
		if (p->info.kind == PART_ULTRAVISOR &&
		    cpu_gpr(cpu, CPU_RDI) < PART_SLOTS)
			c->sync = (uint32_t)cpu_gpr(cpu, CPU_RDI) + 1;
		break;
	case SYS_CONTROL:
	case SYS_DEVICE_MAP:
	case SYS_AS_TABLE:
	case SYS_AS_MAP:
	case SYS_AS_CREATE:
	case SYS_AS_DESTROY:
		p->tables++;
		break;
	default:
		break;
	}
	c->look |= number >= SYS_LEAD_CREATE || number == SYS_EXIT;
}

static void on_syscall(struct partition_view *v, unsigned i, struct cpu *cpu,
		       uint64_t number)
{
	struct cpu_seen *c = &v->cpu[i];
	struct partition *p = partition_at(v, c->current);
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_SYSCALL)};

	/* A guest's process calls its kernel, not its monitor. */
	if (!p || c->root != kernel_root(v, c))
		return;
	note_call(c, p, cpu, number);
	r.value[0].u = number;
	r.value[1].u = cpu_gpr(cpu, CPU_RDI);
	r.value[2].u = cpu_gpr(cpu, CPU_RSI);
	r.value[3].u = cpu_gpr(cpu, CPU_RDX);
	machine_emit(v->m, &r);
}

/* --- context events --- */

static void leave_ring3(struct partition_view *v, struct cpu_seen *c)
{
	const struct partition *p = partition_at(v, c->current);

	if (c->ring != 3 || !p)
		return;
	if (p->info.kind == PART_ULTRAVISOR && lead_is_there(v))
		view_database(v); /* what it has committed is its own doing */
	view_channels(v, p->channels);
}

static void enter_ring3(struct partition_view *v, struct cpu_seen *c,
			unsigned i)
{
	struct partition *p;

	look_at_lead(v, i);
	p = partition_at(v, c->current);
	if (!p)
		return;
	if (c->sync && p->info.kind == PART_ULTRAVISOR) {
		view_synced(v, c->sync - 1);
		c->sync = 0;
	}
	view_check_space(v, c->current, c->root);
	if (p->opened_pages && c->root == kernel_root(v, c)) {
		view_check_window(v, c->current, c->root, p->opened,
				  p->opened_pages);
		p->opened_pages = 0;
	}
}

static void on_context(void *owner, struct machine *m, struct cpu *cpu,
		       const struct cpu_context_record *r)
{
	struct partition_view *v = owner;
	unsigned i = cpu_index(cpu);
	struct cpu_seen *c = &v->cpu[i];

	switch (r->what) {
	case CPU_CTX_SYSCALL:
		leave_ring3(v, c);
		on_syscall(v, i, cpu, r->value);
		break;
	case CPU_CTX_EXCEPTION:
		c->look = true;
		leave_ring3(v, c);
		break;
	case CPU_CTX_INTERRUPT:
	case CPU_CTX_SOFTINT:
		leave_ring3(v, c);
		break;
	case CPU_CTX_CR3:
		account(v, c, machine_now(m));
		c->root = r->value & ~(PAGE_BYTES - 1);
		c->look = true;
		look_at_lead(v, i);
		break;
	case CPU_CTX_RING:
		account(v, c, machine_now(m));
		c->ring = (uint32_t)r->value;
		if (c->ring == 3)
			enter_ring3(v, c, i);
		break;
	}
}

/* Another CPU is about to work.  What this one's partition has sent must be
 * read now: its peer may run there, take it, and the slots be used again before
 * either of them enters its monitor. */
static void on_turn_over(void *owner, struct machine *m, struct cpu *cpu)
{
	struct partition_view *v = owner;

	(void)m;
	leave_ring3(v, &v->cpu[cpu_index(cpu)]);
}

static void on_block(void *owner, struct machine *m, struct cpu *cpu,
		     const struct cpu_block *b)
{
	struct partition_view *v = owner;

	(void)m;
	view_code(v, &v->cpu[cpu_index(cpu)], cpu, b);
}

/* The platform is reset: nobody runs, nothing that was known is there any more.
 * The trace knows that; the records of the next boot get new indices. */
static void on_reset(void *owner, struct machine *m)
{
	struct partition_view *v = owner;

	for (unsigned i = 0; i < machine_cpu_count(m); i++) {
		struct cpu_seen *c = &v->cpu[i];

		account(v, c, machine_now(m));
		*c = (struct cpu_seen){.slot = LEAD_SLOT_NONE,
				       .since = c->since};
		machine_set_partition(m, i, 0);
	}
	for (size_t i = 0; i < v->count; i++) {
		struct partition *p = &v->partition[i];

		if (!p->info.gone)
			view_state(v, p->info.index, PART_STATE_DEAD, NULL);
		p->info.gone = true;
		p->info.slot = PARTITION_NO_SLOT;
		p->row = DB_PARTS;
		p->channels = 0;
	}
	v->root = NULL;
	v->root_pfn = v->version_pfn = 0;
	v->started = false;
	v->version = (struct db_version){0};
	memset(v->part, 0, sizeof(v->part));
	memset(v->dev, 0, sizeof(v->dev));
	memset(v->chan, 0, sizeof(v->chan));
	memset(v->slot_index, 0, sizeof(v->slot_index));
	memset(v->slot_state, 0, sizeof(v->slot_state));
	memset(v->checked, 0, sizeof(v->checked));
	memset(v->space, 0, sizeof(v->space));
	v->taken_count = 0;
}

void partition_view_look(struct partition_view *v)
{
	if (!lead_is_there(v))
		return;
	for (unsigned i = 0; i < machine_cpu_count(v->m); i++) {
		v->cpu[i].look = true;
		look_at_lead(v, i);
	}
	view_channels(v, UINT64_MAX);
}

uint32_t partition_view_current(const struct partition_view *v, unsigned cpu)
{
	CHECK(cpu < CPU_COUNT_MAX);
	return v->cpu[cpu].current;
}

/* --- console --- */

/* "[name] text" -> index of that partition. */
static uint32_t line_owner(const struct partition_view *v)
{
	const char *end = memchr(v->line, ']', v->line_bytes);
	size_t bytes = end ? (size_t)(end - v->line) - 1 : 0;

	if (v->line[0] != '[' || !end || bytes >= PARTITION_NAME_BYTES)
		return 0;
	for (size_t i = v->count; i-- > 0;) {
		const struct partition_info *p = &v->partition[i].info;

		if (!p->gone && strlen(p->name) == bytes &&
		    !memcmp(p->name, v->line + 1, bytes))
			return p->index;
	}
	return 0;
}

static void emit_line(struct partition_view *v)
{
	unsigned cpu = machine_accessing_cpu(v->m);
	uint32_t runs = machine_partition(v->m, cpu);
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_CONSOLE),
		.value = {{.s = v->line}},
	};

	v->line[v->line_bytes] = 0;
	r.partition = line_owner(v);
	/* The record is of who wrote the line, not of who runs while the UART
	 * sends its last byte. */
	machine_set_partition(v->m, cpu, r.partition);
	machine_emit(v->m, &r);
	machine_set_partition(v->m, cpu, runs);
	v->line_bytes = 0;
}

void partition_view_console_byte(void *owner, unsigned serial, ps_t when,
				 uint8_t c)
{
	struct partition_view *v = owner;

	(void)when; /* the machine's own now */
	if (c == '\r' || serial)
		return;
	if (c == '\n') {
		emit_line(v);
		return;
	}
	v->line[v->line_bytes++] = c >= ' ' && c < 0x7f ? (char)c : '?';
	if (v->line_bytes == sizeof(v->line) - 1)
		emit_line(v);
}
