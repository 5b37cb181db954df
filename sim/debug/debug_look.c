/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/debug_look.c - processes and threads of a machine that stands,
 * their registers and memory.
 */
#include <stdio.h>
#include <string.h>

#include "cpu/walk.h"
#include "sim/bus.h"
#include "sim/debug/debug_internal.h"

#include "abi/layout.h"

#define SPACES_MAX 32
#define CR0_PG     (UINT64_C(1) << 31)

/* --- processes --- */

static void machine_process(struct debug *d, struct debug_process *p)
{
	*p = (struct debug_process){
		.pid = DEBUG_MACHINE,
		.name = "machine",
		.program = partition_view_program(d->s->view, 0),
	};
}

static void partition_process(struct debug *d, size_t position,
			      struct debug_process *p)
{
	struct partition_info info;

	partition_view_info(d->s->view, position, &info);
	*p = (struct debug_process){
		.pid = DEBUG_MACHINE + info.index,
		.program = partition_view_program(d->s->view, info.index),
		.gone = info.gone,
	};
	snprintf(p->name, sizeof(p->name), "%s", info.name);
}

size_t debug_process_count(struct debug *d)
{
	return 1 + partition_view_count(d->s->view);
}

bool debug_process_at(struct debug *d, size_t position, struct debug_process *p)
{
	if (position >= debug_process_count(d))
		return false;
	if (position)
		partition_process(d, position - 1, p);
	else
		machine_process(d, p);
	return true;
}

bool debug_process(struct debug *d, uint32_t pid, struct debug_process *p)
{
	return pid >= DEBUG_MACHINE &&
	       debug_process_at(d, pid - DEBUG_MACHINE, p);
}

/* --- threads --- */

static bool has_slot(struct debug *d, uint32_t pid, uint32_t slot)
{
	uint32_t state, cpu;

	return slot < PART_SLOTS &&
	       partition_view_slot(d->s->view, slot, &state, &cpu) ==
		       pid - DEBUG_MACHINE;
}

size_t debug_threads(struct debug *d, uint32_t pid, uint32_t *tid, size_t max)
{
	size_t count = 0;

	if (pid == DEBUG_MACHINE) {
		for (unsigned i = 0; i < machine_cpu_count(d->s->machine); i++)
			if (count < max)
				tid[count++] = i + 1;
		return count;
	}
	for (uint32_t slot = 0; slot < PART_SLOTS; slot++) {
		if (count < max && has_slot(d, pid, slot))
			tid[count++] = slot + 1;
	}
	return count;
}

bool debug_thread_alive(struct debug *d, struct debug_id id)
{
	if (!id.pid || !id.tid)
		return false;
	if (id.pid == DEBUG_MACHINE)
		return id.tid <= machine_cpu_count(d->s->machine);
	return has_slot(d, id.pid, id.tid - 1);
}

unsigned debug_thread_cpu(struct debug *d, struct debug_id id)
{
	uint32_t cpu;

	if (!debug_thread_alive(d, id))
		return CPU_COUNT_MAX;
	if (id.pid == DEBUG_MACHINE)
		return id.tid - 1;
	cpu = partition_view_slot_cpu(d->s->view, id.tid - 1);
	return cpu == PARTITION_NO_CPU ? CPU_COUNT_MAX : cpu;
}

struct debug_id debug_thread_on(struct debug *d, uint32_t pid, unsigned cpu)
{
	uint32_t slot;

	if (pid == DEBUG_MACHINE)
		return (struct debug_id){pid, cpu + 1};
	slot = partition_view_cpu_slot(d->s->view, cpu);
	if (slot == PARTITION_NO_SLOT || !has_slot(d, pid, slot))
		return (struct debug_id){pid, 0};
	return (struct debug_id){pid, slot + 1};
}

struct debug_id debug_teller(struct debug *d, uint32_t pid, unsigned cpu)
{
	struct debug_id id = debug_thread_on(d, pid, cpu);

	return id.tid ? id : (struct debug_id){DEBUG_MACHINE, cpu + 1};
}

void debug_thread_text(struct debug *d, struct debug_id id, char *to,
		       size_t bytes)
{
	struct partition_view *v = d->s->view;
	uint32_t state = 0, cpu = 0;
	unsigned at = debug_thread_cpu(d, id);

	if (id.pid == DEBUG_MACHINE) {
		struct cpu *c = machine_cpu(d->s->machine, id.tid - 1);

		snprintf(to, bytes, "cpu%u, ring %u, %s%s", id.tid - 1,
			 cpu_cpl(c),
			 partition_view_name(
				 v, partition_view_current(v, id.tid - 1)),
			 cpu_halted(c) ? ", halted" : "");
		return;
	}
	partition_view_slot(v, id.tid - 1, &state, &cpu);
	if (at < CPU_COUNT_MAX)
		snprintf(to, bytes, "%s, on cpu%u",
			 partition_view_name(v, id.pid - DEBUG_MACHINE), at);
	else
		snprintf(to, bytes, "%s, %s",
			 partition_view_name(v, id.pid - DEBUG_MACHINE),
			 partition_run_text(state));
}

/* --- registers --- */

static void from_saved(const struct partition_saved *saved,
		       struct cpu_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	memcpy(regs->gpr, saved->gpr, sizeof(regs->gpr));
	regs->rip = saved->rip;
	regs->rflags = saved->rflags;
	regs->seg[CPU_CS].selector = (uint16_t)saved->cs;
	regs->seg[CPU_SS].selector = (uint16_t)saved->ss;
	regs->cr3 = saved->cr3;
}

bool debug_regs_get(struct debug *d, struct debug_id id, struct cpu_regs *regs,
		    bool *partial)
{
	unsigned cpu = debug_thread_cpu(d, id);
	struct partition_saved saved;

	*partial = cpu == CPU_COUNT_MAX;
	if (!*partial) {
		cpu_regs_get(machine_cpu(d->s->machine, cpu), regs);
		return true;
	}
	if (!debug_thread_alive(d, id) ||
	    !partition_view_saved(d->s->view, id.tid - 1, &saved))
		return false;
	from_saved(&saved, regs);
	return true;
}

bool debug_regs_set(struct debug *d, struct debug_id id,
		    const struct cpu_regs *regs)
{
	unsigned cpu = debug_thread_cpu(d, id);

	if (cpu == CPU_COUNT_MAX)
		return false;
	cpu_regs_set(machine_cpu(d->s->machine, cpu), regs);
	d->changed = d->written = true;
	return true;
}

uint64_t debug_linear_rip(struct cpu *cpu)
{
	struct cpu_regs regs;

	cpu_regs_get(cpu, &regs);
	return regs.seg[CPU_CS].base + regs.rip;
}

/* --- memory --- */

static bool read64(void *owner, paddr_t pa, uint64_t *value)
{
	return bus_peek(owner, pa, value, sizeof(*value));
}

static bool walk_for(struct debug *d, const struct cpu_regs *r, uint64_t cr3,
		     vaddr_t va, paddr_t *pa)
{
	struct walk_root root = {
		.cr0 = r->cr0,
		.cr3 = cr3,
		.cr4 = r->cr4,
		.efer = r->efer,
		.read64 = read64,
		.owner = machine_bus(d->s->machine),
	};
	struct walk_result w;

	if (!walk(&root, va, &w))
		return false;
	*pa = w.pa;
	return true;
}

/* One without a CPU: by its kernel's page tables, then by those of its
 * processes. */
static bool translate_saved(struct debug *d, struct debug_id id,
			    const struct cpu_regs *saved, vaddr_t va,
			    paddr_t *pa)
{
	uint64_t root[SPACES_MAX];
	struct cpu_regs mode;
	size_t count = partition_view_spaces(d->s->view, id.pid - DEBUG_MACHINE,
					     root, SPACES_MAX);

	cpu_regs_get(machine_cpu(d->s->machine, 0), &mode);
	if (!(mode.cr0 & CR0_PG))
		return false;
	if (saved->cr3 && walk_for(d, &mode, saved->cr3, va, pa))
		return true;
	for (size_t i = 0; i < count; i++) {
		if (walk_for(d, &mode, root[i], va, pa))
			return true;
	}
	return false;
}

bool debug_translate(struct debug *d, struct debug_id id, vaddr_t va,
		     paddr_t *pa)
{
	struct cpu_regs regs;
	bool partial;

	if (!debug_regs_get(d, id, &regs, &partial)) {
		if (id.pid == DEBUG_MACHINE)
			return false;
		memset(&regs, 0, sizeof(regs));
		partial = true;
	}
	if (!partial && walk_for(d, &regs, regs.cr3, va, pa))
		return true;
	/* A process of the guest runs: its kernel's memory is seen as well. */
	return id.pid != DEBUG_MACHINE && translate_saved(d, id, &regs, va, pa);
}

size_t debug_read(struct debug *d, struct debug_id id, vaddr_t va, void *to,
		  size_t bytes)
{
	size_t done = 0;
	paddr_t pa;

	while (done < bytes) {
		size_t piece = PAGE_BYTES - (va + done) % PAGE_BYTES;

		if (piece > bytes - done)
			piece = bytes - done;
		if (!debug_translate(d, id, va + done, &pa) ||
		    !bus_peek(machine_bus(d->s->machine), pa,
			      (uint8_t *)to + done, piece))
			break;
		done += piece;
	}
	return done;
}

bool debug_write(struct debug *d, struct debug_id id, vaddr_t va,
		 const void *from, size_t bytes)
{
	size_t done = 0;
	paddr_t pa;

	while (done < bytes) {
		size_t piece = PAGE_BYTES - (va + done) % PAGE_BYTES;

		if (piece > bytes - done)
			piece = bytes - done;
		if (!debug_translate(d, id, va + done, &pa) ||
		    !bus_poke(machine_bus(d->s->machine), pa,
			      (const uint8_t *)from + done, piece))
			return false;
		d->changed = d->written = true;
		done += piece;
	}
	return true;
}
