/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/partition_saved.c - virtual processors that have no CPU: registers, what
 * they wait for.
 *
 * Every monitor instance has its own at the same address; which one is seen
 * there is the page-table root's affair.
 */
#include <strings.h>

#include "cpu/walk.h"
#include "sim/bus.h"
#include "sim/partition_internal.h"

#define TSS_RSP0 4 /* SDM 3A figure 7-11 */

static bool read64(void *owner, paddr_t pa, uint64_t *value)
{
	const struct partition_view *v = owner;

	return bus_peek(v->bus, pa, value, sizeof(*value));
}

/* Supervisor pages, too. */
static bool read_linear(const struct partition_view *v, uint64_t cr3,
			vaddr_t va, void *to, size_t bytes)
{
	struct walk_root root = {
		.cr0 = WALK_CR0_PG,
		.cr3 = cr3,
		.cr4 = WALK_CR4_PAE,
		.efer = WALK_EFER_LMA | WALK_EFER_NXE,
		.read64 = read64,
		.owner = (void *)(uintptr_t)v,
	};
	struct walk_result w;
	uint8_t *out = to;

	for (size_t i = 0; i < bytes; i++) {
		if (!walk(&root, va + i, &w) ||
		    !bus_peek(v->bus, w.pa, out + i, 1))
			return false;
	}
	return true;
}

static const struct lead_slot *slot_of(const struct partition_view *v,
				       uint32_t slot)
{
	if (v->opaque || v->lead->magic != LEAD_MAGIC || slot >= PART_SLOTS ||
	    v->lead->slot[slot].state == SLOT_FREE)
		return NULL;
	return &v->lead->slot[slot];
}

bool partition_view_saved(const struct partition_view *v, uint32_t slot,
			  struct partition_saved *saved)
{
	/* struct lead_state's regs: r15 to rdi, vector, error, then what the
	 * CPU pushed. */
	static const enum cpu_gpr order[] = {
		CPU_R15, CPU_R14, CPU_R13, CPU_R12, CPU_RBP,
		CPU_RBX, CPU_R11, CPU_R10, CPU_R9,  CPU_R8,
		CPU_RAX, CPU_RCX, CPU_RDX, CPU_RSI, CPU_RDI,
	};
	const struct lead_slot *s = slot_of(v, slot);
	uint64_t regs[LEAD_STATE_REGS], rsp0;
	struct cpu_regs cpu;

	if (!s || !s->cr3)
		return false;
	cpu_regs_get(machine_cpu(v->m, 0), &cpu);
	if (!read_linear(v, s->cr3, cpu.tr.base + TSS_RSP0, &rsp0,
			 sizeof(rsp0)) ||
	    !read_linear(v, s->cr3, rsp0 - sizeof(regs), regs, sizeof(regs)))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		saved->gpr[order[i]] = regs[i];
	saved->rip = regs[17];
	saved->cs = regs[18];
	saved->rflags = regs[19];
	saved->gpr[CPU_RSP] = regs[20];
	saved->ss = regs[21];
	saved->cr3 = s->cr3;
	return (saved->cs & 3) == 3;
}

uint32_t partition_view_slot_cpu(const struct partition_view *v, uint32_t slot)
{
	for (unsigned i = 0; i < machine_cpu_count(v->m); i++) {
		if (v->cpu[i].slot == slot && slot < PART_SLOTS)
			return i;
	}
	return PARTITION_NO_CPU;
}

uint32_t partition_view_cpu_slot(const struct partition_view *v, unsigned cpu)
{
	uint32_t slot = v->cpu[cpu].slot;

	return slot < PART_SLOTS ? slot : PARTITION_NO_SLOT;
}

bool partition_view_waits(const struct partition_view *v, uint32_t slot,
			  uint64_t *mask, uint64_t *deadline_ns)
{
	const struct lead_slot *s = slot_of(v, slot);

	if (!s || s->state != SLOT_WAITING)
		return false;
	*mask = s->wait_mask;
	*deadline_ns = s->deadline_ns;
	return true;
}

uint32_t partition_view_reason(const struct partition_view *v, unsigned cpu)
{
	if (v->opaque || v->lead->magic != LEAD_MAGIC)
		return 0;
	return v->lead->cpu[cpu].last_reason;
}

const char *partition_switch_text(uint32_t reason)
{
	static const char *const text[] = {
		[SWITCH_QUANTUM] = "the one before used up its quantum",
		[SWITCH_WAIT] = "the one before waited",
		[SWITCH_YIELD] = "the one before yielded",
		[SWITCH_WAKE] = "it woke",
		[SWITCH_STOP] = "the one before stopped",
		[SWITCH_CRASH] = "the one before crashed",
		[SWITCH_WINDOW] = "a window began",
		[SWITCH_PAUSE] = "the one before was paused",
	};

	return reason < ARRAY_LEN(text) && text[reason] ? text[reason]
							: "the machine began";
}

#define CALL(name) [SYS_##name] = #name
static const char *const calls[] = {
	CALL(NULL),        CALL(YIELD),         CALL(WAIT),
	CALL(TIME),        CALL(LOG),           CALL(SIGNAL),
	CALL(CHANNEL_MAP), CALL(CHANNEL_UNMAP), CALL(DEVICE_MAP),
	CALL(EXIT),        CALL(SURRENDER),     CALL(CONTROL),
	CALL(VTIME),       CALL(CONSOLE_READ),  CALL(AS_CREATE),
	CALL(AS_TABLE),    CALL(AS_MAP),        CALL(AS_DESTROY),
	CALL(USER_RUN),    CALL(UPCALL),        CALL(UPCALL_RETURN),
	CALL(UPCALL_POLL), CALL(ALARM),         CALL(HALT),
	CALL(LEAD_CREATE), CALL(LEAD_MAP),      CALL(LEAD_START),
	CALL(LEAD_STOP),   CALL(LEAD_DESTROY),  CALL(LEAD_SCHEDULE),
	CALL(LEAD_BIND),   CALL(LEAD_ROOT),     CALL(LEAD_REPORT),
	CALL(LEAD_FRAMES), CALL(LEAD_NOTIFY),   CALL(LEAD_OFF),
	CALL(LEAD_SYNC),   CALL(LEAD_PAUSE),    CALL(LEAD_RESUME),
	CALL(LEAD_SAVE),   CALL(LEAD_RESTORE)};
#undef CALL

const char *partition_call_text(uint64_t number)
{
	return number < ARRAY_LEN(calls) && calls[number] ? calls[number] : "?";
}

bool partition_call_find(const char *name, uint64_t *number)
{
	for (uint64_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (!calls[i] || strcasecmp(calls[i], name) != 0)
			continue;
		*number = i;
		return true;
	}
	return false;
}
