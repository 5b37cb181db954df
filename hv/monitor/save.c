/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/save.c - what an instance holds of its partition, out of a paused
 * one and into one that was made for it.
 *
 * The state was in the ultravisor's hands, and its memory may have been changed
 * there: all of it is made harmless, as if the partition had written it.
 */
#include "monitor/monitor.h"

#include "abi/control.h"

_Static_assert(sizeof(struct regs) == LEAD_STATE_REGS * 8, "regs");

/* Both frames of a slot's virtual processor, through windows 0 and 1. */
static struct vcpu *slot_vcpu(uint32_t slot)
{
	uint64_t pfn = lead_private[slot].monitor_pfn + INST_VCPU;

	(void)window(1, pfn + 1);
	return window(0, pfn);
}

static bool paused(uint64_t slot)
{
	return slot < PART_SLOTS && lead_area.slot[slot].state == SLOT_PAUSED &&
	       sched_left_behind((uint32_t)slot);
}

int64_t lead_save(uint64_t slot, uint64_t state_va)
{
	static struct lead_state st; /* the ultravisor's monitor is one */
	const struct lead_private *p = &lead_private[slot];
	const struct lead_slot *s = &lead_area.slot[slot];
	const struct vcpu *v;
	struct memory m;

	if (!paused(slot))
		return -SYS_ESTATE;
	memset(&st, 0, sizeof(st));
	memory_of(&m, slot_view((uint32_t)slot));
	v = slot_vcpu((uint32_t)slot);
	if (v->slot != slot) /* it crashes when it goes on */
		return -SYS_ESTATE;
	st.magic = LEAD_STATE_MAGIC;
	st.saved_ns = now_ns();
	memcpy(st.regs, &v->regs, sizeof(st.regs));
	memcpy(st.kernel, &v->kernel, sizeof(st.kernel));
	st.in_user = v->in_user;
	st.waiting = v->waiting == VCPU_WAITING;
	st.control_mapped = v->channel_pfn[CONTROL_HANDLE] != 0;
	st.user_as = v->user_as;
	st.user_mask = v->user_mask;
	st.wait_mask = s->wait_mask;
	st.pending = pending_of(s);
	st.deadline_ns = s->deadline_ns;
	st.alarm_ns = p->alarm_ns;
	st.offset_ns = s->offset_ns;
	st.run_ns = s->run_ns;
	st.stolen_ns = s->stolen_ns;
	st.upcall_entry = v->upcall_entry;
	st.upcall_mask = v->upcall_mask;
	st.fs_base = v->fs_base;
	st.gs_base = v->gs_base;
	st.ds = v->ds;
	st.es = v->es;
	st.fs = v->fs;
	st.gs = v->gs;
	memcpy(st.fx, &v->fx, sizeof(st.fx));
	memcpy(st.kernel_fx, &v->kernel_fx, sizeof(st.kernel_fx));
	st.extents = m.extents;
	memcpy(st.extent, m.extent, m.extents * sizeof(m.extent[0]));
	for (unsigned as = 1; as < AS_COUNT; as++) {
		if (!v->space[as].root_pfn)
			continue;
		st.root[as] =
			(uint64_t)memory_page(&m, v->space[as].root_pfn) + 1;
		st.dying[as] = v->space[as].dying;
	}
	return copy_out(state_va, &st, sizeof(st)) ? 0 : -SYS_EFAULT;
}

/* ---- back --------------------------------------------------------------- */

static bool regs_good(struct regs *r, const uint64_t from[LEAD_STATE_REGS])
{
	memcpy(r, from, sizeof(*r));
	r->cs = SEL_USER_CODE;
	r->ss = SEL_USER_DATA;
	r->rflags = (r->rflags & RFLAGS_USER) | RFLAGS_RUN;
	return r->rip < USER_SPACE_END && canonical(r->rsp);
}

static void fx_good(struct fx *fx, const uint8_t from[512])
{
	uint32_t mxcsr;

	memcpy(fx, from, sizeof(*fx));
	memcpy(&mxcsr, &fx->byte[24], 4);
	mxcsr &= 0xffbf; /* as in user.c */
	memcpy(&fx->byte[24], &mxcsr, 4);
}

static uint16_t selector_good(uint16_t selector)
{
	return selector == SEL_USER_DATA ? selector : 0;
}

/* So much later that no time seems to have passed. */
static uint64_t later(uint64_t ns, uint64_t by)
{
	return ns + by < ns ? NEVER : ns + by;
}

/* Its program goes on as if it had never let go of the channel that it asks for
 * the others by. */
static bool map_control(uint32_t slot)
{
	const struct view_channel ch = slot_view(slot)->channel[CONTROL_HANDLE];
	const uint64_t va =
		CHANNEL_WINDOW_VA + CONTROL_HANDLE * CHANNEL_SLOT_BYTES;
	struct vcpu *v;

	if (!ch.id || !ch.pages || ch.pages > CHANNEL_SLOT_BYTES / 4096)
		return false;
	for (uint32_t i = 0; i < ch.pages; i++)
		*slot_pte(slot, va + i * 4096ull, true) =
			PTE(ch.pfn + i, PTE_P | PTE_W | PTE_U | PTE_NX);
	v = slot_vcpu(slot);
	v->channel_pfn[CONTROL_HANDLE] = ch.pfn;
	v->channel_pages[CONTROL_HANDLE] = ch.pages;
	return true;
}

static bool restore_vcpu(uint32_t slot, const struct lead_state *st)
{
	struct vcpu *v = slot_vcpu(slot);
	bool good = regs_good(&v->regs, st->regs) &&
		    regs_good(&v->kernel, st->kernel) &&
		    canonical(st->fs_base) && canonical(st->gs_base) &&
		    st->upcall_entry < CHANNEL_WINDOW_VA;

	v->in_user = st->in_user != 0;
	v->waiting = st->waiting && !v->in_user ? VCPU_WAITING : 0;
	v->attention = 0;
	v->user_as = st->user_as;
	v->user_mask = st->user_mask;
	v->upcall_entry = st->upcall_entry;
	v->upcall_mask = st->upcall_mask;
	v->fs_base = st->fs_base;
	v->gs_base = st->gs_base;
	v->ds = selector_good(st->ds);
	v->es = selector_good(st->es);
	v->fs = selector_good(st->fs);
	v->gs = selector_good(st->gs);
	fx_good(&v->fx, st->fx);
	fx_good(&v->kernel_fx, st->kernel_fx);
	v->cr3 = lead_area.slot[slot].cr3;
	if (v->in_user) {
		if (st->user_as < 1 || st->user_as >= AS_COUNT ||
		    !v->space[st->user_as].root_pfn)
			return false;
		v->cr3 = v->space[st->user_as].root_pfn << 12;
	}
	return good;
}

static void restore_slot(uint32_t slot, const struct lead_state *st)
{
	struct lead_private *p = &lead_private[slot];
	struct lead_slot *s = &lead_area.slot[slot];
	uint64_t now = now_ns();
	uint64_t away = now > st->saved_ns ? now - st->saved_ns : 0;

	lead_lock();
	s->pending = st->pending;
	s->wait_mask = st->waiting ? st->wait_mask : 0;
	s->deadline_ns = later(st->deadline_ns, away);
	p->alarm_ns = later(st->alarm_ns, away);
	s->offset_ns = st->offset_ns + away;
	s->run_ns = st->run_ns;
	s->stolen_ns = st->stolen_ns;
	p->ready_ns = now;
	p->paused = st->waiting ? SLOT_WAITING : SLOT_READY;
	s->state = SLOT_PAUSED;
	lead_unlock();
}

int64_t lead_restore(uint64_t slot, uint64_t state_va, uint64_t part)
{
	static struct lead_state st;

	if (slot >= PART_SLOTS || part >= AS_COUNT)
		return -SYS_EINVAL;
	if (lead_area.slot[slot].state != SLOT_CREATED)
		return -SYS_ESTATE;
	if (!copy_in(&st, state_va, sizeof(st)))
		return -SYS_EFAULT;
	if (st.magic != LEAD_STATE_MAGIC)
		return -SYS_EINVAL;
	if (part)
		return space_adopt((uint32_t)slot, part, &st);
	if (!restore_vcpu((uint32_t)slot, &st) ||
	    (st.control_mapped && !map_control((uint32_t)slot)))
		return -SYS_EINVAL;
	restore_slot((uint32_t)slot, &st);
	return 0;
}
