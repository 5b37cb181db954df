/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/vtd.c - see vtd.h. */
#include "devices/vtd.h"

#include <stdio.h>
#include <string.h>

#include "devices/pci.h"
#include "sim/check.h"
#include "sim/trace/trace.h"

/* 10.4.2: 256 domains, 39 and 48 bits, address width 48, large pages, page
 * selective invalidation of up to 1 GiB, draining. */
#define DOMAIN_BITS  8
#define ADDRESS_BITS 48
#define MASK_MAX     18
#define CAP_VALUE                                                              \
	(UINT64_C(2) | UINT64_C(6) << 8 | (uint64_t)(ADDRESS_BITS - 1) << 16 | \
	 (uint64_t)(VTD_FRCD / 16) << 24 | UINT64_C(3) << 34 |                 \
	 UINT64_C(1) << 39 | (uint64_t)(VTD_FAULTS - 1) << 40 |                \
	 (uint64_t)MASK_MAX << 48 | UINT64_C(3) << 54)
/* Coherent walks, queued invalidation, pass-through. */
#define ECAP_VALUE                                                             \
	(UINT64_C(1) | UINT64_C(1) << 1 | UINT64_C(1) << 6 |                   \
	 (uint64_t)(VTD_IVA / 16) << 8)
#define VERSION_1_0 0x10

#define CONTEXTS 16
#define PAGES    64 /* translations cached */
#define VALID    UINT64_C(1)

#define READ  1u /* of an entry: bit 0 */
#define WRITE 2u

struct vtd {
	struct device device;
	uint32_t gcmd, gsts; /* asked for; what is so */
	uint32_t fsts, fectl, fedata, feaddr, feuaddr;
	uint32_t ics, iectl, iedata, ieaddr, ieuaddr;
	uint64_t rtaddr, root; /* written; in force */
	uint64_t ccmd, iva, iotlb, iqh, iqt, iqa;
	uint64_t frcd[2 * VTD_FAULTS];
	uint32_t fault_next;
	/* The caches; the next to be replaced. */
	uint32_t context_next, page_next;
	uint64_t context_tag[CONTEXTS]; /* requester << 1 | VALID */
	uint64_t context[2 * CONTEXTS];
	uint64_t page_tag[PAGES]; /* address | domain << 1 | VALID */
	uint64_t page[PAGES];     /* where it leads | READ | WRITE */
	uint8_t page_shift[PAGES];
	/* Wiring. */
	struct event global, context_done, iotlb_done, queue;
	char name[4][24];
};

static const struct device_field vtd_fields[] = {
	DEVICE_FIELD(struct vtd, gcmd),
	DEVICE_FIELD(struct vtd, gsts),
	DEVICE_FIELD(struct vtd, fsts),
	DEVICE_FIELD(struct vtd, fectl),
	DEVICE_FIELD(struct vtd, fedata),
	DEVICE_FIELD(struct vtd, feaddr),
	DEVICE_FIELD(struct vtd, feuaddr),
	DEVICE_FIELD(struct vtd, ics),
	DEVICE_FIELD(struct vtd, iectl),
	DEVICE_FIELD(struct vtd, iedata),
	DEVICE_FIELD(struct vtd, ieaddr),
	DEVICE_FIELD(struct vtd, ieuaddr),
	DEVICE_FIELD(struct vtd, rtaddr),
	DEVICE_FIELD(struct vtd, root),
	DEVICE_FIELD(struct vtd, ccmd),
	DEVICE_FIELD(struct vtd, iva),
	DEVICE_FIELD(struct vtd, iotlb),
	DEVICE_FIELD(struct vtd, iqh),
	DEVICE_FIELD(struct vtd, iqt),
	DEVICE_FIELD(struct vtd, iqa),
	DEVICE_ARRAY(struct vtd, frcd),
	DEVICE_FIELD(struct vtd, fault_next),
	DEVICE_FIELD(struct vtd, context_next),
	DEVICE_FIELD(struct vtd, page_next),
	DEVICE_ARRAY(struct vtd, context_tag),
	DEVICE_ARRAY(struct vtd, context),
	DEVICE_ARRAY(struct vtd, page_tag),
	DEVICE_ARRAY(struct vtd, page),
	DEVICE_ARRAY(struct vtd, page_shift),
	{NULL, 0, 0, 0},
};

static const struct device_register vtd_registers[] = {
	{"VER", VTD_VER, 4},
	{"CAP", VTD_CAP, 8},
	{"ECAP", VTD_ECAP, 8},
	{"GCMD", VTD_GCMD, 4},
	{"GSTS", VTD_GSTS, 4},
	{"RTADDR", VTD_RTADDR, 8},
	{"CCMD", VTD_CCMD, 8},
	{"FSTS", VTD_FSTS, 4},
	{"FECTL", VTD_FECTL, 4},
	{"FEDATA", VTD_FEDATA, 4},
	{"FEADDR", VTD_FEADDR, 4},
	{"FEUADDR", VTD_FEUADDR, 4},
	{"IQH", VTD_IQH, 8},
	{"IQT", VTD_IQT, 8},
	{"IQA", VTD_IQA, 8},
	{"ICS", VTD_ICS, 4},
	{"IECTL", VTD_IECTL, 4},
	{"IEDATA", VTD_IEDATA, 4},
	{"IEADDR", VTD_IEADDR, 4},
	{"IEUADDR", VTD_IEUADDR, 4},
	{"IVA", VTD_IVA, 8},
	{"IOTLB", VTD_IOTLB, 8},
	{NULL, 0, 0},
};

static struct evq *queue_of(struct vtd *v)
{
	return machine_evq(v->device.machine);
}

/* RAM as the unit's own accesses see it. */
static bool fetch(struct vtd *v, paddr_t at, uint64_t *entry, unsigned words)
{
	bus_dma_seen(machine_bus(v->device.machine), at, 8ul * words);
	return bus_peek(machine_bus(v->device.machine), at, entry, 8ul * words);
}

static void message(struct vtd *v, uint32_t *control, uint32_t high,
		    uint32_t low, uint32_t data)
{
	if (*control & VTD_EVENT_IM) {
		*control |= VTD_EVENT_IP;
		return;
	}
	*control &= ~VTD_EVENT_IP;
	bus_msi(machine_bus(v->device.machine), &v->device,
		(uint64_t)high << 32 | low, data);
}

/* ---- faults (7.2, 7.3) ---- */

#define FSTS_EVENTS (VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE)
#define FRCD_F      (UINT64_C(1) << 63)
#define FRCD_READ   (UINT64_C(1) << 62)

/* 7.3: a message only for the first of what is to be looked at. */
static void status_set(struct vtd *v, uint32_t bits)
{
	bool first = !(v->fsts & FSTS_EVENTS);

	v->fsts |= bits;
	if (first)
		message(v, &v->fectl, v->feuaddr, v->feaddr, v->fedata);
}

static void status_settle(struct vtd *v)
{
	uint32_t pending = 0;

	for (unsigned i = 0; i < VTD_FAULTS; i++)
		pending |= v->frcd[2 * i + 1] & FRCD_F ? VTD_FSTS_PPF : 0;
	v->fsts = (v->fsts & ~VTD_FSTS_PPF) | pending;
	if (!(v->fsts & FSTS_EVENTS))
		v->fectl &= ~VTD_EVENT_IP;
}

static void record(struct vtd *v, uint16_t requester, paddr_t at, bool write,
		   unsigned reason)
{
	uint64_t *r = &v->frcd[2 * v->fault_next];

	if (v->fsts & VTD_FSTS_PFO)
		return;
	if (r[1] & FRCD_F) {
		status_set(v, VTD_FSTS_PFO);
		return;
	}
	r[0] = at & ~(PAGE_BYTES - 1);
	r[1] = FRCD_F | (write ? 0 : FRCD_READ) | (uint64_t)reason << 32 |
	       requester;
	if (!(v->fsts & VTD_FSTS_PPF))
		v->fsts = (v->fsts & ~UINT32_C(0xFF00)) | v->fault_next << 8;
	v->fault_next = (v->fault_next + 1) % VTD_FAULTS;
	status_set(v, VTD_FSTS_PPF);
}

/* ---- tables (9.1, 9.3, 9.8) ---- */

#define PRESENT       UINT64_C(1)
#define CONTEXT_FPD   UINT64_C(2)
#define CONTEXT_TT(c) ((c)[0] >> 2 & 3)
#define TT_TABLES     0
#define TT_PASS       2
#define CONTEXT_AW(c) ((c)[1] & 7)
#define DOMAIN(c)     ((c)[1] >> 8 & ((1u << DOMAIN_BITS) - 1))
#define AW_39         1
#define AW_48         2
#define PTE_LARGE     UINT64_C(0x80)
#define PTE_SNOOP     (UINT64_C(1) << 11)
#define PTE_TRANSIENT (UINT64_C(1) << 62)
#define TABLE         (((UINT64_C(1) << 52) - 1) & ~(PAGE_BYTES - 1))
#define TOO_HIGH                                                               \
	(((UINT64_C(1) << 52) - 1) & ~((UINT64_C(1) << VTD_HOST_BITS) - 1))
#define LEGACY_MODE 0 /* RTADDR bits 11:10 */

static unsigned context_fetch(struct vtd *v, uint16_t requester, uint64_t c[2])
{
	uint64_t root[2];

	if ((v->root >> 10 & 3) != LEGACY_MODE ||
	    !fetch(v, (v->root & TABLE) + 16ul * (requester >> 8), root, 2))
		return VTD_ROOT_ACCESS;
	if (!(root[0] & PRESENT))
		return VTD_NO_ROOT;
	if ((root[0] & (0xFFE | TOO_HIGH)) || root[1])
		return VTD_ROOT_RESERVED;
	if (!fetch(v, (root[0] & TABLE) + 16ul * (requester & 0xFF), c, 2))
		return VTD_CONTEXT_ACCESS;
	if (!(c[0] & PRESENT))
		return VTD_NO_CONTEXT;
	if ((c[0] & (0xFF0 | TOO_HIGH)) || (c[1] & ~UINT64_C(0xFFFF7F)) ||
	    c[1] >> 8 >> DOMAIN_BITS)
		return VTD_CONTEXT_RESERVED;
	if ((CONTEXT_TT(c) != TT_TABLES && CONTEXT_TT(c) != TT_PASS) ||
	    (CONTEXT_AW(c) != AW_39 && CONTEXT_AW(c) != AW_48))
		return VTD_BAD_CONTEXT;
	return 0;
}

static unsigned context_of(struct vtd *v, uint16_t requester, uint64_t c[2])
{
	uint64_t tag = (uint64_t)requester << 1 | VALID;
	unsigned reason, at;

	for (unsigned i = 0; i < CONTEXTS; i++) {
		if (v->context_tag[i] == tag) {
			memcpy(c, &v->context[2 * i], 16);
			return 0;
		}
	}
	reason = context_fetch(v, requester, c);
	if (reason)
		return reason;
	at = v->context_next++ % CONTEXTS;
	v->context_tag[at] = tag;
	memcpy(&v->context[2 * at], c, 16);
	return 0;
}

static uint64_t page_tag(const uint64_t c[2], paddr_t at, unsigned shift)
{
	return at >> shift << shift | DOMAIN(c) << 1 | VALID;
}

/* Goes down the tables: *to and *shift describe the page, with its rights. */
static unsigned descend(struct vtd *v, const uint64_t c[2], paddr_t at,
			uint64_t *to, unsigned *shift)
{
	unsigned level = CONTEXT_AW(c) == AW_39 ? 3 : 4, rights = READ | WRITE;
	paddr_t table = c[0] & TABLE;

	for (;; level--) {
		uint64_t e, low;

		*shift = 12 + 9 * (level - 1);
		if (!fetch(v, table + 8 * (at >> *shift & 511), &e, 1))
			return VTD_TABLE_ACCESS;
		rights &= e & (READ | WRITE);
		if (!(e & (READ | WRITE))) {
			*to = 0;
			return 0;
		}
		low = (UINT64_C(1) << *shift) -
		      PAGE_BYTES; /* of a large page */
		if ((e & (PTE_SNOOP | PTE_TRANSIENT | TOO_HIGH)) ||
		    (level > 1 && (e & PTE_LARGE) && (level > 3 || (e & low))))
			return VTD_TABLE_RESERVED;
		if (level == 1 || (e & PTE_LARGE)) {
			*to = (e & TABLE) | rights;
			return 0;
		}
		table = e & TABLE;
	}
}

static unsigned page_of(struct vtd *v, const uint64_t c[2], paddr_t at,
			uint64_t *to, unsigned *shift)
{
	unsigned reason, n;

	for (unsigned i = 0; i < PAGES; i++) {
		if (v->page_tag[i] == page_tag(c, at, v->page_shift[i])) {
			*to = v->page[i];
			*shift = v->page_shift[i];
			return 0;
		}
	}
	reason = descend(v, c, at, to, shift);
	if (reason || !*to)
		return reason;
	n = v->page_next++ % PAGES;
	v->page_tag[n] = page_tag(c, at, *shift);
	v->page[n] = *to;
	v->page_shift[n] = (uint8_t)*shift;
	return 0;
}

static unsigned translate(struct vtd *v, const uint64_t c[2], paddr_t at,
			  bool write, paddr_t *to)
{
	unsigned bits = CONTEXT_AW(c) == AW_39 ? 39 : 48, shift, reason;
	uint64_t page;

	if (at >> bits)
		return VTD_BEYOND;
	if (CONTEXT_TT(c) == TT_PASS) {
		*to = at;
		return 0;
	}
	reason = page_of(v, c, at, &page, &shift);
	if (reason)
		return reason;
	if (!(page & (write ? WRITE : READ)))
		return write ? VTD_NO_WRITE : VTD_NO_READ;
	*to = (page & TABLE) | (at & ((UINT64_C(1) << shift) - 1));
	return 0;
}

/* For pci.h; `at` up to the end of its page. */
static bool remap(struct device *d, const struct device *from,
		  uint16_t requester, paddr_t at, bool write, paddr_t *to)
{
	struct vtd *v = (struct vtd *)d;
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_DMA_FAULT)};
	uint64_t c[2] = {0};
	unsigned reason;

	*to = at;
	if (!(v->gsts & VTD_TE) || at >> 20 == 0xFEE)
		return true;
	reason = context_of(v, requester, c);
	if (!reason)
		reason = translate(v, c, at, write, to);
	if (!reason)
		return true;
	r.value[0].s = from->name;
	r.value[1].u = requester;
	r.value[2].u = at;
	r.value[3].u = write;
	r.value[4].u = reason;
	machine_emit(d->machine, &r);
	if (!((c[0] & PRESENT) && (c[0] & CONTEXT_FPD)))
		record(v, requester, at, write, reason);
	return false;
}

/* ---- invalidation (6.5) ---- */

enum {
	ALL = 1,
	OF_DOMAIN = 2,
	OF_ONE = 3 /* device, page */
};

/* The two granularity fields have the same meaning in registers and queue.
 * `function_mask`: how many low bits of the function don't count. */
static bool contexts_forget(struct vtd *v, unsigned what, unsigned domain,
			    uint16_t requester, unsigned function_mask)
{
	uint16_t mask = (uint16_t) ~((1u << function_mask) - 1);

	for (unsigned i = 0; i < CONTEXTS; i++) {
		const uint64_t *c = &v->context[2 * i];
		uint16_t of = (uint16_t)(v->context_tag[i] >> 1);

		if (what == ALL || (what == OF_DOMAIN && DOMAIN(c) == domain) ||
		    (what == OF_ONE && DOMAIN(c) == domain &&
		     !((of ^ requester) & mask)))
			v->context_tag[i] = 0;
	}
	return what != 0;
}

static bool pages_forget(struct vtd *v, unsigned what, unsigned domain,
			 paddr_t at, unsigned mask)
{
	uint64_t bytes = PAGE_BYTES << (mask < MASK_MAX ? mask : MASK_MAX);

	at &= ~(bytes - 1);
	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t size = UINT64_C(1) << v->page_shift[i];
		paddr_t from = v->page_tag[i] & ~(PAGE_BYTES - 1);
		bool same = (v->page_tag[i] >> 1 & ((1u << DOMAIN_BITS) - 1)) ==
			    domain;
		bool meets = from < at + bytes && at < from + size;

		if (what == ALL || (what == OF_DOMAIN && same) ||
		    (what == OF_ONE && same && meets))
			v->page_tag[i] = 0;
	}
	return what != 0;
}

static void context_fire(void *owner, ps_t when)
{
	struct vtd *v = owner;
	unsigned what = v->ccmd >> 61 & 3;

	(void)when;
	(void)contexts_forget(v, what, v->ccmd & 0xFFFF,
			      (uint16_t)(v->ccmd >> 16), v->ccmd >> 32 & 3);
	v->ccmd &= ~(VTD_CCMD_ICC | UINT64_C(3) << 59);
	v->ccmd |= (uint64_t)what << 59; /* done as asked for */
}

static void iotlb_fire(void *owner, ps_t when)
{
	struct vtd *v = owner;
	unsigned what = v->iotlb >> 60 & 3;

	(void)when;
	(void)pages_forget(v, what, v->iotlb >> 32 & 0xFFFF,
			   v->iva & ~(PAGE_BYTES - 1), v->iva & 0x3F);
	v->iotlb &= ~(VTD_IOTLB_IVT | UINT64_C(3) << 57);
	v->iotlb |= (uint64_t)what << 57;
}

static void invalidation_ask(struct vtd *v, struct event *ev, uint64_t off)
{
	if (v->gsts & VTD_QIE)
		machine_odd(&v->device,
			    "invalidation by register beside the queue", off,
			    0);
	evq_schedule(queue_of(v), ev,
		     machine_now(v->device.machine) + VTD_COMMAND_PS);
}

/* ---- the queue (6.5.2) ---- */

#define DESCRIPTOR_BYTES 16

static uint64_t queue_bytes(const struct vtd *v)
{
	return PAGE_BYTES << (v->iqa & 7);
}

static bool wait_done(struct vtd *v, const uint64_t d[2])
{
	uint32_t data = (uint32_t)(d[0] >> 32);

	if ((d[0] & 0x20) &&
	    !bus_dma_write(machine_bus(v->device.machine), &v->device,
			   d[1] & ~UINT64_C(3), &data, 4))
		return false;
	if (d[0] & 0x10 && !(v->ics & VTD_ICS_IWC)) {
		v->ics |= VTD_ICS_IWC;
		message(v, &v->iectl, v->ieuaddr, v->ieaddr, v->iedata);
	}
	return true;
}

/* False: there is no such descriptor, or it can't be done. */
static bool descriptor(struct vtd *v, const uint64_t d[2])
{
	unsigned what = d[0] >> 4 & 3, domain = d[0] >> 16 & 0xFFFF;

	switch (d[0] & 0xE0F) {
	case 1:
		return contexts_forget(v, what, domain, (uint16_t)(d[0] >> 32),
				       d[0] >> 48 & 3);
	case 2:
		return pages_forget(v, what, domain, d[1] & ~(PAGE_BYTES - 1),
				    d[1] & 0x3F);
	case 5:
		return wait_done(v, d);
	default:
		return false;
	}
}

static void queue_go(struct vtd *v)
{
	if ((v->gsts & VTD_QIE) && !(v->fsts & VTD_FSTS_IQE) &&
	    v->iqh != v->iqt && !evq_pending(&v->queue))
		evq_schedule(queue_of(v), &v->queue,
			     machine_now(v->device.machine) + VTD_COMMAND_PS);
}

static void queue_fire(void *owner, ps_t when)
{
	struct vtd *v = owner;
	uint64_t d[2];

	(void)when;
	if (!fetch(v, (v->iqa & TABLE) + v->iqh, d, 2) || !descriptor(v, d)) {
		status_set(v, VTD_FSTS_IQE); /* the head stays where it is */
		return;
	}
	v->iqh = (v->iqh + DESCRIPTOR_BYTES) % queue_bytes(v);
	queue_go(v);
}

/* ---- commands (11.4.4) ---- */

static void global_fire(void *owner, ps_t when)
{
	struct vtd *v = owner;
	const uint32_t kept = VTD_TE | VTD_QIE;

	(void)when;
	if ((v->gcmd & VTD_QIE) && !(v->gsts & VTD_QIE))
		v->iqh = 0;
	v->gsts = (v->gsts & ~kept) | (v->gcmd & kept);
	if (v->gcmd & VTD_SRTP) {
		v->root = v->rtaddr;
		v->gsts |= VTD_SRTP;
	}
	queue_go(v);
}

static void command(struct vtd *v, uint32_t value)
{
	const uint32_t known = VTD_TE | VTD_SRTP | VTD_WBF | VTD_QIE;

	if (value & ~known)
		machine_odd(&v->device, "command not modelled", VTD_GCMD,
			    value);
	/* One at a time: what was asked for is done before. */
	if (evq_pending(&v->global)) {
		machine_odd(&v->device, "command while one is under way",
			    VTD_GCMD, value);
		evq_cancel(queue_of(v), &v->global);
		global_fire(v, 0);
	}
	v->gcmd = value;
	if (value & VTD_SRTP)
		v->gsts &= ~VTD_SRTP;
	evq_schedule(queue_of(v), &v->global,
		     machine_now(v->device.machine) + VTD_COMMAND_PS);
}

/* ---- registers ---- */

static uint32_t half(uint64_t reg, uint64_t off)
{
	return (uint32_t)(reg >> (off & 4 ? 32 : 0));
}

static uint32_t reg_read(struct vtd *v, uint64_t off)
{
	switch (off) {
	case VTD_VER:
		return VERSION_1_0;
	case VTD_CAP ... VTD_CAP + 4:
		return half(CAP_VALUE, off - VTD_CAP);
	case VTD_ECAP ... VTD_ECAP + 4:
		return half(ECAP_VALUE, off - VTD_ECAP);
	case VTD_GSTS:
		return v->gsts;
	case VTD_RTADDR ... VTD_RTADDR + 4:
		return half(v->rtaddr, off - VTD_RTADDR);
	case VTD_CCMD ... VTD_CCMD + 4:
		return half(v->ccmd, off - VTD_CCMD);
	case VTD_FSTS:
		return v->fsts;
	case VTD_FECTL:
		return v->fectl;
	case VTD_FEDATA:
		return v->fedata;
	case VTD_FEADDR:
		return v->feaddr;
	case VTD_FEUADDR:
		return v->feuaddr;
	case VTD_IQH ... VTD_IQH + 4:
		return half(v->iqh, off - VTD_IQH);
	case VTD_IQT ... VTD_IQT + 4:
		return half(v->iqt, off - VTD_IQT);
	case VTD_IQA ... VTD_IQA + 4:
		return half(v->iqa, off - VTD_IQA);
	case VTD_ICS:
		return v->ics;
	case VTD_IECTL:
		return v->iectl;
	case VTD_IEDATA:
		return v->iedata;
	case VTD_IEADDR:
		return v->ieaddr;
	case VTD_IEUADDR:
		return v->ieuaddr;
	case VTD_IOTLB ... VTD_IOTLB + 4:
		return half(v->iotlb, off - VTD_IOTLB);
	case VTD_FRCD ... VTD_FRCD + 16 * VTD_FAULTS - 4:
		return half(v->frcd[(off - VTD_FRCD) / 8], off);
	default: /* write-only, reserved, what is left out */
		return 0;
	}
}

static void half_write(uint64_t *reg, uint64_t off, uint32_t value,
		       uint64_t writable)
{
	unsigned shift = off & 4 ? 32 : 0;
	uint64_t mask = UINT64_C(0xFFFFFFFF) << shift & writable;

	*reg = (*reg & ~mask) | ((uint64_t)value << shift & mask);
}

/* Unmasked with something pending: it goes out. */
static void control_write(struct vtd *v, uint32_t *control, uint32_t high,
			  uint32_t low, uint32_t data, uint32_t value)
{
	*control = (*control & ~VTD_EVENT_IM) | (value & VTD_EVENT_IM);
	if (!(value & VTD_EVENT_IM) && (*control & VTD_EVENT_IP))
		message(v, control, high, low, data);
}

static void status_write(struct vtd *v, uint32_t value)
{
	v->fsts &= ~(value & (VTD_FSTS_PFO | VTD_FSTS_IQE));
	status_settle(v);
	queue_go(v);
}

static void fault_write(struct vtd *v, uint64_t off, uint32_t value)
{
	unsigned i = (unsigned)(off - VTD_FRCD) / 4;

	if (i % 4 == 3 && (value & (FRCD_F >> 32)))
		v->frcd[i / 2] &= ~FRCD_F;
	status_settle(v);
}

static void reg_write(struct vtd *v, uint64_t off, uint32_t value)
{
	switch (off) {
	case VTD_GCMD:
		command(v, value);
		break;
	case VTD_RTADDR ... VTD_RTADDR + 4:
		half_write(&v->rtaddr, off - VTD_RTADDR, value,
			   ~UINT64_C(0x3FF));
		break;
	case VTD_CCMD ... VTD_CCMD + 4:
		half_write(&v->ccmd, off - VTD_CCMD, value,
			   UINT64_C(0xE0000003FFFFFFFF));
		if (off != VTD_CCMD && (v->ccmd & VTD_CCMD_ICC))
			invalidation_ask(v, &v->context_done, off);
		break;
	case VTD_FSTS:
		status_write(v, value);
		break;
	case VTD_FECTL:
		control_write(v, &v->fectl, v->feuaddr, v->feaddr, v->fedata,
			      value);
		break;
	case VTD_FEDATA:
		v->fedata = value;
		break;
	case VTD_FEADDR:
		v->feaddr = value & ~UINT32_C(3);
		break;
	case VTD_FEUADDR:
		v->feuaddr = value;
		break;
	case VTD_IQT:
		v->iqt = value & 0x7FFF0 & (queue_bytes(v) - 1);
		queue_go(v);
		break;
	case VTD_IQA ... VTD_IQA + 4:
		half_write(&v->iqa, off - VTD_IQA, value, TABLE | 7);
		v->iqt &= queue_bytes(v) - 1;
		break;
	case VTD_ICS:
		v->ics &= ~(value & VTD_ICS_IWC);
		if (!v->ics)
			v->iectl &= ~VTD_EVENT_IP;
		break;
	case VTD_IECTL:
		control_write(v, &v->iectl, v->ieuaddr, v->ieaddr, v->iedata,
			      value);
		break;
	case VTD_IEDATA:
		v->iedata = value;
		break;
	case VTD_IEADDR:
		v->ieaddr = value & ~UINT32_C(3);
		break;
	case VTD_IEUADDR:
		v->ieuaddr = value;
		break;
	case VTD_IVA ... VTD_IVA + 4:
		half_write(&v->iva, off - VTD_IVA, value, ~UINT64_C(0xF80));
		break;
	case VTD_IOTLB ... VTD_IOTLB + 4:
		half_write(&v->iotlb, off - VTD_IOTLB, value,
			   UINT64_C(0xB003FFFF00000000));
		if (off != VTD_IOTLB && (v->iotlb & VTD_IOTLB_IVT))
			invalidation_ask(v, &v->iotlb_done, off);
		break;
	case VTD_FRCD ... VTD_FRCD + 16 * VTD_FAULTS - 4:
		fault_write(v, off, value);
		break;
	case VTD_IQT + 4:
		break;
	default:
		machine_odd(&v->device,
			    "write to no register or a read-only one", off,
			    value);
		break;
	}
}

static uint64_t vtd_read(struct device *d, uint64_t off, unsigned size)
{
	struct vtd *v = (struct vtd *)d;
	uint64_t value = reg_read(v, off);

	if (size == 8)
		value |= (uint64_t)reg_read(v, off + 4) << 32;
	return value;
}

static void vtd_write(struct device *d, uint64_t off, unsigned size,
		      uint64_t value)
{
	struct vtd *v = (struct vtd *)d;

	reg_write(v, off, (uint32_t)value);
	if (size == 8)
		reg_write(v, off + 4, (uint32_t)(value >> 32));
}

/* ---- life ---- */

static void vtd_reset(struct device *d)
{
	struct vtd *v = (struct vtd *)d;
	struct event *const events[] = {&v->global, &v->context_done,
					&v->iotlb_done, &v->queue};

	for (unsigned i = 0; i < ARRAY_LEN(events); i++)
		evq_cancel(queue_of(v), events[i]);
	for (const struct device_field *f = vtd_fields; f->name; f++)
		memset((uint8_t *)v + f->offset, 0,
		       (size_t)f->bytes * f->count);
	v->fectl = v->iectl = VTD_EVENT_IM;
}

static bool vtd_init(struct device *d, const struct device_prop *props,
		     size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {vtd_read, vtd_write, 4, 8};
	static const char *const what[] = {"global", "context", "iotlb",
					   "queue"};
	static void (*const fire[])(void *, ps_t) = {global_fire, context_fire,
						     iotlb_fire, queue_fire};
	struct vtd *v = (struct vtd *)d;
	struct event *const events[] = {&v->global, &v->context_done,
					&v->iotlb_done, &v->queue};

	(void)props;
	(void)prop_count;
	for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
		snprintf(v->name[i], sizeof(v->name[i]), "%s.%s", d->name,
			 what[i]);
		*events[i] = (struct event){.name = v->name[i],
					    .fire = fire[i],
					    .owner = v,
					    .rank = EVQ_DEVICE};
		evq_register(queue_of(v), events[i]);
	}
	pci_remap_by(d, remap);
	return bus_map_mmio(
		machine_bus(d->machine),
		&(struct bus_range){VTD_BASE, VTD_BYTES, &ops, d, d->name},
		err);
}

const struct device_class vtd_class = {
	.name = "vtd",
	.summary = "DMA remapping unit (Intel VT-d, legacy mode)",
	.object_bytes = sizeof(struct vtd),
	.fields = vtd_fields,
	.registers = vtd_registers,
	.init = vtd_init,
	.reset = vtd_reset,
};
