/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/lead.c - the lead monitor: instances made and unmade, interrupts
 * bound, ends reported.  Only the ultravisor's calls come here (and the boot
 * stage, which makes the ultravisor's own instance in the same way).
 *
 * No decision about a resource is taken: frames, numbers and vectors are the
 * ultravisor's choice; what is checked is that the choice can do no harm to
 * another instance, and that a partition gets only what its view gives.
 */
#include "monitor/monitor.h"

#include "abi/database.h"

struct lead_area lead_area __attribute__((aligned(4096)));
struct cpu cpus[ABI_CPUS];
struct tss tsses[ABI_CPUS];
struct cpu_stacks stacks[ABI_CPUS];
uint64_t gdt[SEL_TSS / 8 + 2 * ABI_CPUS] __attribute__((aligned(16)));
uint64_t idt[256][2] __attribute__((aligned(4096)));
uint64_t shared_pt[512] __attribute__((aligned(4096)));
struct lead_private lead_private[PART_SLOTS];
uint64_t max_pfn;
struct lead_ram lead_ram;

uint64_t lead_pml4[512] __attribute__((aligned(4096)));
uint64_t lead_pdpt[512] __attribute__((aligned(4096)));
uint64_t lead_pd[512] __attribute__((aligned(4096)));

/* Who hears of ends, and of device interrupts. */
static struct {
	uint32_t slot, bit;
	bool bound;
} report, bound[VECTOR_DEVICES];

extern char image_end[];

static bool is_device_frame(uint64_t pfn)
{
	return pfn == 0xfee00 || pfn == 0xfec00; /* LAPIC, IOAPIC */
}

/* Does [pfn, pfn + n) meet memory that only monitors may see? */
static bool is_privileged(uint64_t pfn, uint64_t n)
{
	uint64_t first = IMAGE_PA >> 12;
	uint64_t frames = ((uint64_t)image_end - MONITOR_VA) >> 12;

	if (pfn < first + frames && first < pfn + n)
		return true;
	for (uint64_t i = 0; i < n; i++)
		if (is_device_frame(pfn + i))
			return true;
	for (uint32_t s = 0; s < PART_SLOTS; s++)
		if (lead_area.slot[s].state != SLOT_FREE &&
		    pfn < lead_private[s].monitor_pfn +
				    lead_private[s].monitor_frames &&
		    lead_private[s].monitor_pfn < pfn + n)
			return true;
	return false;
}

static bool frames_sane(uint64_t pfn, uint64_t n)
{
	return n && n <= 0x10000 && pfn && pfn < max_pfn - n;
}

/* A monitor reads and writes nothing else: registers of a device would be
 * disturbed, and what is not there is no page table. */
static bool frames_ram(uint64_t pfn, uint64_t n)
{
	for (uint32_t i = 0; i < lead_ram.ranges; i++) {
		uint64_t at = pfn - lead_ram.range[i].pfn;

		if (at < lead_ram.range[i].frames &&
		    n <= lead_ram.range[i].frames - at)
			return frames_sane(pfn, n);
	}
	return false;
}

static bool meet(uint64_t a, uint64_t an, uint64_t b, uint64_t bn)
{
	return a < b + bn && b < a + an;
}

/* Does any partition have one of these frames by its view? */
static bool is_given(uint64_t pfn, uint64_t n)
{
	for (uint32_t s = 0; s < PART_SLOTS; s++) {
		const struct lead_private *p = &lead_private[s];
		const struct view *v;

		if (lead_area.slot[s].state == SLOT_FREE)
			continue;
		if (meet(pfn, n, p->view_pfn, PART_VIEW_PAGES) ||
		    meet(pfn, n, p->frame_pfn, 1))
			return true;
		v = slot_view(s);
		for (uint32_t i = 0; i < v->extents && i < VIEW_EXTENTS; i++)
			if (meet(pfn, n, v->extent[i].pfn, v->extent[i].frames))
				return true;
		for (uint32_t i = 0; i < CHANNEL_SLOTS; i++)
			if (v->channel[i].id && meet(pfn, n, v->channel[i].pfn,
						     v->channel[i].pages))
				return true;
	}
	return false;
}

/* ---- create ------------------------------------------------------------- */

/* The tables that make an address space out of zeroed frames. */
static void create_tables(const struct lead_create *lc)
{
	const uint64_t base = lc->monitor_pfn;
	const uint64_t table = PTE_P | PTE_W;
	const uint64_t image_pd =
		PTE_PFN((uint64_t)shared_pt - MONITOR_VA) + (IMAGE_PA >> 12);
	uint64_t *t;

	t = window(0, base + INST_PML4);
	t[0] = PTE(base + INST_PDPT_LOW, PTE_TABLE);
	t[511] = PTE(base + INST_PDPT_HIGH, table);
	t = window(0, base + INST_PDPT_HIGH);
	t[510] = PTE(base + INST_PD_HIGH, table);
	t = window(0, base + INST_PD_HIGH);
	t[0] = PTE(image_pd, table);
	t[1] = PTE(base + INST_PT, table);
	t = window(0, base + INST_PDPT_LOW);
	t[0] = PTE(base + INST_PD_LOW, PTE_TABLE);

	t = window(0, base + INST_PT);
	for (uint64_t i = 0; i < lc->monitor_frames; i++)
		if (i != INST_GUARD)
			t[i] = PTE(base + i, PTE_P | PTE_W | PTE_NX);
	for (uint64_t i = 0; i < PART_VIEW_PAGES; i++)
		t[((INSTANCE_VIEW_VA >> 12) & 511) + i] =
			PTE(lc->view_pfn + i, PTE_P | PTE_NX);
	t[(INSTANCE_FRAME_VA >> 12) & 511] =
		PTE(lc->frame_pfn, PTE_P | PTE_W | PTE_NX);
}

static void create_windows(uint32_t slot, const struct lead_create *lc)
{
	for (uint64_t i = 0; i < PART_VIEW_PAGES; i++)
		*slot_pte(slot, PART_VIEW_VA + i * 4096, true) =
			PTE(lc->view_pfn + i, PTE_P | PTE_U | PTE_NX);
	*slot_pte(slot, PART_FRAME_VA, true) =
		PTE(lc->frame_pfn, PTE_P | PTE_W | PTE_U | PTE_NX);
	/* Tables only: what they show changes while the partition runs. */
	for (uint64_t va = CHANNEL_WINDOW_VA;
	     va < CHANNEL_WINDOW_VA + CHANNEL_SLOTS * CHANNEL_SLOT_BYTES;
	     va += 0x200000)
		(void)slot_pte(slot, va, true);
	(void)slot_pte(slot, DEVICE_WINDOW_VA, true);
}

int64_t lead_create(const struct lead_create *lc)
{
	struct lead_private *p;
	struct lead_slot *s;
	struct vcpu *v;
	uint32_t slot = 0;

	if (lc->monitor_frames < LEAD_MONITOR_FRAMES ||
	    lc->monitor_frames > INSTANCE_MAX ||
	    !frames_ram(lc->monitor_pfn, lc->monitor_frames) ||
	    !frames_ram(lc->view_pfn, PART_VIEW_PAGES) ||
	    !frames_ram(lc->frame_pfn, 1) || !lc->number ||
	    meet(lc->monitor_pfn, lc->monitor_frames, lc->view_pfn,
		 PART_VIEW_PAGES) ||
	    meet(lc->monitor_pfn, lc->monitor_frames, lc->frame_pfn, 1))
		return -SYS_EINVAL;
	if (is_privileged(lc->monitor_pfn, lc->monitor_frames) ||
	    is_privileged(lc->view_pfn, PART_VIEW_PAGES) ||
	    is_privileged(lc->frame_pfn, 1) ||
	    is_given(lc->monitor_pfn, lc->monitor_frames) ||
	    restart_needs(lc->monitor_pfn, lc->monitor_frames) ||
	    restart_needs(lc->frame_pfn, 1) ||
	    (lc->kind == PART_ULTRAVISOR && lead_area.root_pfn))
		return -SYS_EPERM;
	if (lc->slot) {
		slot = lc->slot - 1;
		if (slot >= PART_SLOTS)
			return -SYS_EINVAL;
		if (lead_area.slot[slot].state != SLOT_FREE)
			return -SYS_EEXIST;
	}
	while (lead_area.slot[slot].state != SLOT_FREE)
		if (++slot == PART_SLOTS)
			return -SYS_EAGAIN;
	p = &lead_private[slot];
	s = &lead_area.slot[slot];
	for (uint64_t i = 0; i < lc->monitor_frames; i++)
		memset(window(0, lc->monitor_pfn + i), 0, 4096);
	create_tables(lc);
	v = window(1, lc->monitor_pfn + INST_VCPU);
	v->slot = slot;
	v->kind = lc->kind;
	v->monitor_pfn = lc->monitor_pfn;
	v->monitor_frames = lc->monitor_frames;
	v->tables = INST_TABLES;
	v->cr3 = (lc->monitor_pfn + INST_PML4) << 12;
	memset(p, 0, sizeof(*p));
	p->on = CPU_NONE;
	p->alarm_ns = NEVER;
	p->monitor_pfn = lc->monitor_pfn;
	p->monitor_frames = lc->monitor_frames;
	p->view_pfn = lc->view_pfn;
	p->frame_pfn = lc->frame_pfn;
	memset(s, 0, sizeof(*s));
	s->number = lc->number;
	s->kind = lc->kind;
	s->incarnation = lc->incarnation;
	s->cr3 = (lc->monitor_pfn + INST_PML4) << 12;
	s->deadline_ns = NEVER;
	memcpy(s->name, lc->name, sizeof(s->name));
	s->name[sizeof(s->name) - 1] = 0;
	s->state = SLOT_CREATED;
	create_windows(slot, lc);
	return slot;
}

/* ---- map ---------------------------------------------------------------- */

int64_t lead_map(const struct lead_map *lm)
{
	uint64_t flags = prot_flags(lm->prot);
	struct memory m;

	if (lm->slot >= PART_SLOTS || !prot_valid(lm->prot) ||
	    (lm->prot & PROT_DEVICE) ||
	    ((lm->prot & PROT_W) && (lm->prot & PROT_X)) || (lm->va & 4095) ||
	    lm->va < PART_MEMORY_VA || lm->va >= CHANNEL_WINDOW_VA ||
	    !frames_sane(lm->pfn, lm->frames) ||
	    lm->frames > (CHANNEL_WINDOW_VA - lm->va) / 4096)
		return -SYS_EINVAL;
	if (is_privileged(lm->pfn, lm->frames))
		return -SYS_EPERM;
	if (lead_area.slot[lm->slot].state != SLOT_CREATED)
		return -SYS_ESTATE;
	memory_of(&m, slot_view(lm->slot));
	for (uint64_t i = 0; i < lm->frames; i++) {
		uint64_t va = lm->va + i * 4096;
		uint64_t *e;

		/* Each frame at its one place: space.c relies on it. */
		if (memory_page(&m, lm->pfn + i) !=
		    (int64_t)((va - PART_MEMORY_VA) / 4096))
			return -SYS_EPERM;
		e = slot_pte(lm->slot, va, true);
		if (!e)
			return -SYS_ENOTABLE;
		if (!space_plain(*e))
			return -SYS_ESTATE;
		*e = flags ? PTE(lm->pfn + i, flags) : 0;
	}
	return 0;
}

/* ---- start and end ------------------------------------------------------ */

/* Touches the first of its frames alone. */
void vcpu_begin(struct vcpu *v, uint64_t rip, uint64_t rsp)
{
	uint16_t *fcw = (uint16_t *)&v->fx.byte[0];
	uint32_t *mxcsr = (uint32_t *)&v->fx.byte[24];

	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.rip = rip;
	v->regs.rsp = rsp;
	v->regs.cs = SEL_USER_CODE;
	v->regs.ss = SEL_USER_DATA;
	v->regs.rflags = 0x202;
	v->waiting = 0;
	v->in_user = 0;
	v->upcall_entry = 0;
	v->attention = 0;
	v->fs_base = v->gs_base = 0;
	v->ds = v->es = v->fs = v->gs = 0;
	memset(&v->fx, 0, sizeof(v->fx));
	_Static_assert(offsetof(struct vcpu, fx) + 32 <= 4096, "first frame");
	*fcw = 0x37f;
	*mxcsr = 0x1f80;
}

int64_t lead_start(uint64_t slot, uint64_t rip, uint64_t rsp)
{
	struct lead_slot *s;
	struct vcpu *v;

	if (slot >= PART_SLOTS || rip >= CHANNEL_WINDOW_VA ||
	    rsp > CHANNEL_WINDOW_VA)
		return -SYS_EINVAL;
	s = &lead_area.slot[slot];
	if (s->state != SLOT_CREATED && s->state != SLOT_STOPPED &&
	    s->state != SLOT_CRASHED)
		return -SYS_ESTATE;
	while (!sched_left_behind((uint32_t)slot)) /* it has just ended */
		__builtin_ia32_pause();
	v = window(0, lead_private[slot].monitor_pfn + INST_VCPU);
	vcpu_begin(v, rip, rsp);
	v->cr3 = s->cr3;
	s->pending = 0;
	s->wait_mask = 0;
	s->deadline_ns = NEVER;
	s->vector = s->error = s->address = s->rip = s->stop_ns = 0;
	lead_lock();
	lead_private[slot].alarm_ns = NEVER;
	sched_runnable((uint32_t)slot);
	lead_unlock();
	return 0;
}

static void ended(uint32_t slot, uint32_t state)
{
	bool tell;

	lead_lock();
	lead_area.slot[slot].stop_ns = now_ns();
	lead_area.slot[slot].state = state;
	lead_area.slot[slot].wait_mask = 0;
	lead_area.slot[slot].deadline_ns = NEVER;
	lead_private[slot].alarm_ns = NEVER;
	sched_blocked(slot);
	tell = report.bound && report.slot != slot;
	lead_unlock();
	if (tell)
		(void)sched_post(report.slot, 0, 1ull << report.bit);
}

void lead_crash(uint32_t slot, uint64_t vector, uint64_t error,
		uint64_t address, uint64_t rip)
{
	struct lead_slot *s = &lead_area.slot[slot];

	s->vector = vector;
	s->error = error;
	s->address = address;
	s->rip = rip;
	log_line("%s crashed: vector %u error %x address %x rip %x", s->name,
		 vector, error, address, rip);
	if (!lead_restart(slot))
		ended(slot, SLOT_CRASHED);
}

void lead_exit(uint32_t slot, uint64_t code)
{
	lead_area.slot[slot].vector = 0;
	lead_area.slot[slot].error = code;
	if (!lead_restart(slot))
		ended(slot, SLOT_STOPPED);
}

_Noreturn void machine_off(uint32_t code)
{
	log_drain();
	outl(0xf4, code);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* ---- device interrupts -------------------------------------------------- */

void lead_device_interrupt(unsigned vector)
{
	unsigned i = vector - VECTOR_DEVICE;

	if (i < VECTOR_DEVICES && bound[i].bound)
		(void)sched_post(bound[i].slot, 0, 1ull << bound[i].bit);
}

static int64_t lead_bind(uint64_t vector, uint64_t slot, uint64_t bit)
{
	uint64_t i = vector - VECTOR_DEVICE;

	if (i >= VECTOR_DEVICES || bit >= 64)
		return -SYS_EINVAL;
	if (slot != LEAD_SLOT_NONE && slot >= PART_SLOTS)
		return -SYS_EINVAL;
	if (slot != LEAD_SLOT_NONE && lead_area.slot[slot].state == SLOT_FREE)
		return -SYS_ENOENT;
	/* An interrupt may come to another CPU between these. */
	bound[i].bound = false;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	bound[i].slot = (uint32_t)slot;
	bound[i].bit = (uint32_t)bit;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	bound[i].bound = slot != LEAD_SLOT_NONE;
	return 0;
}

/* ---- the other calls ---------------------------------------------------- */

static bool can_end(uint32_t state)
{
	return state == SLOT_READY || state == SLOT_RUNNING ||
	       state == SLOT_WAITING || state == SLOT_PAUSED;
}

/* Stopped or paused, wherever it is: another CPU leaves it at its next look,
 * which is at once, for interrupts are off only within a monitor. */
static int64_t lead_end(uint64_t slot, uint32_t state)
{
	uint32_t was;
	bool possible;

	if (slot >= PART_SLOTS)
		return -SYS_EINVAL;
	if (slot == VCPU->slot)
		return -SYS_EPERM;
	lead_lock();
	was = lead_area.slot[slot].state;
	possible =
		can_end(was) || (was == SLOT_CREATED && state == SLOT_STOPPED);
	if (possible && was != state)
		(void)sched_end((uint32_t)slot, state);
	lead_unlock();
	/* Of a slot that was never used nothing is known. */
	while (was != SLOT_FREE && !sched_left_behind((uint32_t)slot))
		__builtin_ia32_pause();
	return possible ? 0 : -SYS_ESTATE;
}

static int64_t lead_resume(uint64_t slot)
{
	bool paused;

	if (slot >= PART_SLOTS)
		return -SYS_EINVAL;
	lead_lock();
	paused = sched_resume((uint32_t)slot);
	lead_unlock();
	return paused ? 0 : -SYS_ESTATE;
}

/* Returns when the partition's monitor goes by the view as it is now: if it
 * runs nowhere it will when it is switched to. */
static int64_t lead_sync(uint64_t slot)
{
	struct lead_private *p;
	uint32_t want;
	bool remote;

	if (slot >= PART_SLOTS)
		return -SYS_EINVAL;
	p = &lead_private[slot];
	if (slot == VCPU->slot) {
		view_refresh();
		(void)sched_post((uint32_t)slot, 0, EVENT_VIEW);
		return 0;
	}
	lead_lock();
	remote = p->on != CPU_NONE;
	if (remote)
		p->sync_want++;
	want = p->sync_want;
	lead_unlock();
	/* The event makes its CPU look. */
	if (!sched_post((uint32_t)slot, 0, EVENT_VIEW))
		return -SYS_ENOENT;
	while (remote && !sched_left_behind((uint32_t)slot) &&
	       __atomic_load_n(&p->sync_done, __ATOMIC_ACQUIRE) != want)
		__builtin_ia32_pause();
	return 0;
}

static int64_t lead_destroy(uint64_t slot)
{
	struct lead_slot *s;

	if (slot >= PART_SLOTS)
		return -SYS_EINVAL;
	s = &lead_area.slot[slot];
	if (s->state != SLOT_CREATED && s->state != SLOT_STOPPED &&
	    s->state != SLOT_CRASHED)
		return -SYS_ESTATE;
	while (!sched_left_behind((uint32_t)slot)) /* it has just crashed */
		__builtin_ia32_pause();
	lead_lock();
	for (unsigned i = 0; i < VECTOR_DEVICES; i++)
		if (bound[i].slot == slot)
			bound[i].bound = false;
	memset(s, 0, sizeof(*s));
	memset(&lead_private[slot], 0, sizeof(lead_private[slot]));
	lead_private[slot].on = CPU_NONE;
	lead_private[slot].alarm_ns = NEVER;
	lead_unlock();
	return 0;
}

/* Nobody else could ever publish another one. */
static bool leaves_me_time(const struct lead_schedule *s)
{
	uint32_t cpu = CPU_NONE, i;

	for (i = 0; i < PART_SLOTS && s->entry[i].slot < PART_SLOTS; i++)
		if (s->entry[i].slot == VCPU->slot)
			cpu = s->entry[i].standing ? s->entry[i].cpu : CPU_NONE;
	if (cpu >= lead_area.cpu_count)
		return false;
	for (i = 0; i < SCHEDULE_WINDOWS && sched_window(s, cpu, i); i++)
		if (s->window[cpu][i].slot >= PART_SLOTS ||
		    s->window[cpu][i].slot == VCPU->slot)
			return true;
	return !i;
}

static int64_t lead_schedule(uint64_t pfn)
{
	/* Whoever has that frame may change it meanwhile. */
	static struct lead_schedule s;

	if (!frames_ram(pfn, 1))
		return -SYS_EINVAL;
	if (is_privileged(pfn, 1))
		return -SYS_EPERM;
	memcpy(&s, window(0, pfn), sizeof(s));
	if (!leaves_me_time(&s))
		return -SYS_EINVAL;
	lead_area.schedule_pfn = pfn;
	sched_publish(&s);
	return 0;
}

/* What the ultravisor still sees of frames that it gave to a monitor. */
static void lead_unsee(uint64_t pfn, uint64_t n)
{
	for (uint64_t va = LEAD_WINDOW_VA;
	     va < LEAD_WINDOW_VA + LEAD_WINDOW_BYTES; va += 4096) {
		uint64_t *e = kernel_pte(va);

		if (!e || !(*e & PTE_P) || PTE_PFN(*e) - pfn >= n)
			continue;
		*e = 0;
		invlpg(va);
	}
}

/* The ultravisor's window onto frames that it manages: pages of its kernel
 * address space between its devices and the end of the first GiB. */
static int64_t lead_frames(uint64_t va, uint64_t pfn, uint64_t n, uint64_t prot)
{
	const uint64_t area =
		((uint64_t)&lead_area - MONITOR_VA + IMAGE_PA) >> 12;
	uint64_t flags = prot_flags(prot);
	bool seen = prot == PROT_R && pfn >= area &&
		    pfn + n <= area + (sizeof(lead_area) + 4095) / 4096;

	if (!prot_valid(prot) || (prot & PROT_X) || (va & 4095) ||
	    va < LEAD_WINDOW_VA || n > LEAD_WINDOW_BYTES / 4096 ||
	    va > LEAD_WINDOW_VA + LEAD_WINDOW_BYTES - n * 4096 ||
	    (flags && !frames_sane(pfn, n)))
		return -SYS_EINVAL;
	if ((flags && !seen && is_privileged(pfn, n)) ||
	    ((flags & PTE_W) && restart_needs(pfn, n)))
		return -SYS_EPERM;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *e = slot_pte(VCPU->slot, va + i * 4096, true);

		if (!e)
			return -SYS_ENOTABLE;
		*e = flags ? PTE(pfn + i, flags) : 0;
		invlpg(va + i * 4096);
	}
	return 0;
}

static int64_t lead_report(uint64_t slot, uint64_t bit)
{
	if (slot >= PART_SLOTS || bit >= 64)
		return -SYS_EINVAL;
	report.slot = (uint32_t)slot;
	report.bit = (uint32_t)bit;
	report.bound = true;
	return 0;
}

static int64_t lead_notify(uint64_t slot, uint64_t events)
{
	if (slot >= PART_SLOTS)
		return -SYS_EINVAL;
	return sched_post((uint32_t)slot, 0, events) ? 0 : -SYS_ENOENT;
}

int64_t sys_lead(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		 uint64_t number)
{
	struct lead_create create;
	struct lead_map map;
	int64_t slot;

	(void)e;
	if (VCPU->kind != PART_ULTRAVISOR)
		return -SYS_ENOSYS;
	switch (number) {
	case SYS_LEAD_CREATE:
		if (!copy_in(&create, a, sizeof(create)))
			return -SYS_EFAULT;
		slot = lead_create(&create);
		if (slot >= 0)
			lead_unsee(create.monitor_pfn, create.monitor_frames);
		return slot;
	case SYS_LEAD_MAP:
		if (!copy_in(&map, a, sizeof(map)))
			return -SYS_EFAULT;
		return lead_map(&map);
	case SYS_LEAD_START:
		return lead_start(a, b, c);
	case SYS_LEAD_STOP:
		return lead_end(a, SLOT_STOPPED);
	case SYS_LEAD_PAUSE:
		return lead_end(a, SLOT_PAUSED);
	case SYS_LEAD_RESUME:
		return lead_resume(a);
	case SYS_LEAD_SYNC:
		return lead_sync(a);
	case SYS_LEAD_SAVE:
		return lead_save(a, b);
	case SYS_LEAD_RESTORE:
		return lead_restore(a, b, c);
	case SYS_LEAD_DESTROY:
		return lead_destroy(a);
	case SYS_LEAD_SCHEDULE:
		return lead_schedule(a);
	case SYS_LEAD_BIND:
		return lead_bind(a, b, c);
	case SYS_LEAD_ROOT:
		if (lead_area.root_pfn)
			return -SYS_EEXIST;
		lead_area.root_pfn = a;
		return 0;
	case SYS_LEAD_REPORT:
		return lead_report(a, b);
	case SYS_LEAD_FRAMES:
		return lead_frames(a, b, c, d);
	case SYS_LEAD_NOTIFY:
		return lead_notify(a, b);
	case SYS_LEAD_OFF:
		machine_off((uint32_t)a);
	default:
		return -SYS_ENOSYS;
	}
}
