/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMU from its registers: tables, caches, faults, the queue. */
#include "devices/vtd.h"

#include "devices/lapic.h"
#include "devices/pci.h"
#include "harness.h"

/* Tables, in RAM. */
#define ROOT    UINT64_C(0x100000)
#define CONTEXT UINT64_C(0x101000)
#define TOP     UINT64_C(0x102000)
#define MIDDLE  UINT64_C(0x103000)
#define BOTTOM  UINT64_C(0x104000)
#define QUEUE   UINT64_C(0x105000)
#define DONE    UINT64_C(0x106000)
#define PAGE_A  UINT64_C(0x200000)
#define PAGE_B  UINT64_C(0x201000)

#define IOVA      UINT64_C(0x40003000)
#define REQUESTER 0x10 /* 00:02.0 */
#define DOMAIN    5
#define R         UINT64_C(1)
#define W         UINT64_C(2)
#define LARGE     UINT64_C(0x80)

static uint32_t get(struct rig *r, unsigned reg)
{
	return (uint32_t)rig_read(r, VTD_BASE + reg, 4);
}

static void put(struct rig *r, unsigned reg, uint32_t value)
{
	rig_write(r, VTD_BASE + reg, 4, value);
}

static uint64_t get64(struct rig *r, unsigned reg)
{
	return rig_read(r, VTD_BASE + reg, 8);
}

static void put64(struct rig *r, unsigned reg, uint64_t value)
{
	rig_write(r, VTD_BASE + reg, 8, value);
}

static void word(struct rig *r, paddr_t at, uint64_t value)
{
	cr_assert(bus_poke(r->bus, at, &value, sizeof(value)));
}

static struct pci_function *nvme(struct rig *r, unsigned n)
{
	return (struct pci_function *)machine_device(r->m,
						     n ? "nvme1" : "nvme0");
}

static void settle(struct rig *r)
{
	rig_run(r, VTD_COMMAND_PS);
}

static void context_entry(struct rig *r, unsigned requester, uint64_t low,
			  uint64_t high)
{
	word(r, CONTEXT + 16ul * requester, low);
	word(r, CONTEXT + 16ul * requester + 8, high);
}

static void invalidate_contexts(struct rig *r)
{
	put64(r, VTD_CCMD, VTD_CCMD_ICC | UINT64_C(1) << 61);
	settle(r);
}

/* 1: all, 2: the domain, 3: the page. */
static void invalidate_pages(struct rig *r, unsigned what, uint64_t address)
{
	put64(r, VTD_IVA, address);
	put64(r, VTD_IOTLB,
	      VTD_IOTLB_IVT | (uint64_t)what << 60 | (uint64_t)DOMAIN << 32);
	settle(r);
}

static void enable(struct rig *r)
{
	put64(r, VTD_RTADDR, ROOT);
	put(r, VTD_GCMD, VTD_SRTP);
	settle(r);
	put(r, VTD_GCMD, VTD_TE);
	settle(r);
}

/* nvme0's domain: 39 bits, IOVA leads to PAGE_A.  Translation is on. */
static void start(struct rig *r)
{
	rig_iommu_start(r, 1);
	rig_lapic_on(r);
	rig_write(r, PCI_ECAM_BASE + (2 << 15) + PCI_COMMAND, 2, 6);
	rig_write(r, PCI_ECAM_BASE + (3 << 15) + PCI_COMMAND, 2, 6);
	word(r, ROOT, CONTEXT | 1);
	context_entry(r, REQUESTER, TOP | 1, DOMAIN << 8 | 1);
	word(r, TOP + 8ul * (IOVA >> 30), MIDDLE | R | W);
	word(r, MIDDLE, BOTTOM | R | W);
	word(r, BOTTOM + 8ul * (IOVA >> 12 & 511), PAGE_A | R | W);
	enable(r);
}

static bool writes(struct rig *r, unsigned n, paddr_t at, uint32_t value)
{
	return pci_dma_write(nvme(r, n), at, &value, sizeof(value));
}

static uint32_t at(struct rig *r, paddr_t pa)
{
	uint32_t value = 0;

	cr_assert(bus_peek(r->bus, pa, &value, sizeof(value)));
	return value;
}

/* The oldest fault is that one; it is taken. */
static void fault_is(struct rig *r, unsigned n, unsigned reason,
		     uint64_t address, bool read)
{
	uint64_t low = get64(r, VTD_FRCD + 16 * n),
		 high = get64(r, VTD_FRCD + 16 * n + 8);

	cr_expect_eq(high >> 63, 1, "reason %u", reason);
	cr_expect_eq(high >> 62 & 1, read);
	cr_expect_eq(high >> 32 & 0xFF, reason, "%llx, not %u",
		     (unsigned long long)(high >> 32 & 0xFF), reason);
	cr_expect_eq(high & 0xFFFF, REQUESTER);
	cr_expect_eq(low, address & ~UINT64_C(0xFFF));
	put(r, VTD_FRCD + 16 * n + 12, 0x80000000);
	cr_expect_eq(get64(r, VTD_FRCD + 16 * n + 8) >> 63, 0);
}

Test(vtd, what_it_says_of_itself)
{
	struct rig r;
	uint64_t cap, ecap;

	rig_iommu_start(&r, 1);
	cap = get64(&r, VTD_CAP);
	ecap = get64(&r, VTD_ECAP);
	cr_expect_eq(get(&r, VTD_VER), 0x10);
	cr_expect_eq(cap >> 8 & 31, 6, "39 and 48 bits");
	cr_expect_eq((cap >> 24 & 0x3FF) * 16, VTD_FRCD);
	cr_expect_eq((cap >> 40 & 0xFF) + 1, VTD_FAULTS);
	cr_expect_eq(cap & 0x80, 0, "no caching mode");
	cr_expect_eq((ecap >> 8 & 0x3FF) * 16, VTD_IVA);
	cr_expect(ecap & 2, "queued invalidation");
	cr_expect_not(ecap & 8, "no interrupt remapping");
	cr_expect_eq(get(&r, VTD_CAP), (uint32_t)cap, "halves");
	cr_expect_eq(get(&r, VTD_CAP + 4), cap >> 32);
	cr_expect_eq(get(&r, VTD_GSTS), 0);
	cr_expect_eq(get(&r, VTD_FECTL), VTD_EVENT_IM);
	put(&r, VTD_CAP, 0);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(vtd, the_status_follows_the_command)
{
	struct rig r;

	rig_iommu_start(&r, 1);
	put64(&r, VTD_RTADDR, ROOT);
	put(&r, VTD_GCMD, VTD_SRTP);
	cr_expect_eq(get(&r, VTD_GSTS), 0);
	rig_run(&r, VTD_COMMAND_PS - 1);
	cr_expect_eq(get(&r, VTD_GSTS), 0);
	rig_run(&r, 1);
	cr_expect_eq(get(&r, VTD_GSTS), VTD_SRTP);
	put(&r, VTD_GCMD, VTD_TE);
	cr_expect_eq(get(&r, VTD_GSTS), VTD_SRTP);
	settle(&r);
	cr_expect_eq(get(&r, VTD_GSTS), VTD_SRTP | VTD_TE);
	put(&r, VTD_GCMD, VTD_TE | VTD_SRTP);
	cr_expect_eq(get(&r, VTD_GSTS), VTD_TE, "a new root is on its way");
	cr_expect_eq(r.odds, 0);
	put(&r, VTD_GCMD, 0);
	cr_expect_eq(r.odds, 1, "one at a time");
	settle(&r);
	cr_expect_eq(get(&r, VTD_GSTS), VTD_SRTP);
	rig_stop(&r);
}

Test(vtd, dma_goes_by_the_tables_of_its_requester)
{
	struct rig r;

	start(&r);
	cr_expect(writes(&r, 0, IOVA + 0x10, 0x11111111));
	cr_expect_eq(at(&r, PAGE_A + 0x10), 0x11111111);
	cr_expect_not(writes(&r, 1, IOVA + 0x10, 0x22222222));
	cr_expect_not(writes(&r, 0, PAGE_A, 0x33333333));
	cr_expect_eq(at(&r, PAGE_A), 0);
	cr_expect_eq(r.dma_faults, 2);
	/* Off: all as without it. */
	put(&r, VTD_GCMD, 0);
	settle(&r);
	cr_expect(writes(&r, 1, PAGE_A, 0x44444444));
	cr_expect_eq(at(&r, PAGE_A), 0x44444444);
	rig_stop(&r);
}

Test(vtd, a_dma_over_pages_goes_page_by_page)
{
	struct rig r;
	uint8_t bytes[0x1100], back[sizeof(bytes)];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	start(&r);
	/* The pages lie the other way round. */
	word(&r, BOTTOM + 8ul * (IOVA >> 12 & 511), PAGE_B | R | W);
	word(&r, BOTTOM + 8ul * ((IOVA >> 12 & 511) + 1), PAGE_A | R | W);
	cr_expect(pci_dma_write(nvme(&r, 0), IOVA + 0xF80, bytes,
				sizeof(bytes)) == false);
	cr_expect_eq(r.dma_faults, 1, "the third page");
	cr_expect(pci_dma_write(nvme(&r, 0), IOVA + 0xF80, bytes, 0x1080));
	cr_expect(bus_peek(r.bus, PAGE_B + 0xF80, back, 0x80));
	cr_expect_arr_eq(back, bytes, 0x80);
	cr_expect(bus_peek(r.bus, PAGE_A, back, 0x1000));
	cr_expect_arr_eq(back, bytes + 0x80, 0x1000);
	memset(back, 0, sizeof(back));
	cr_expect(pci_dma_read(nvme(&r, 0), IOVA + 0xF80, back, 0x1080));
	cr_expect_arr_eq(back, bytes, 0x1080);
	rig_stop(&r);
}

Test(vtd, large_pages_four_levels_and_pass_through)
{
	struct rig r;

	start(&r);
	word(&r, MIDDLE, 0x200000 | LARGE | R | W);
	cr_expect(writes(&r, 0, IOVA, 1));
	cr_expect_eq(at(&r, 0x203000), 1);
	invalidate_pages(&r, 1, 0);
	word(&r, TOP + 8, 0 | LARGE | R | W); /* 1 GiB */
	cr_expect(writes(&r, 0, 0x40000000 + PAGE_B, 2));
	cr_expect_eq(at(&r, PAGE_B), 2);
	/* 48 bits: one level more. */
	context_entry(&r, REQUESTER, QUEUE | 1, DOMAIN << 8 | 2);
	word(&r, QUEUE + 8, TOP | R | W);
	invalidate_contexts(&r);
	invalidate_pages(&r, 1, 0);
	cr_expect(writes(&r, 0, (UINT64_C(1) << 39) + 0x40000000 + PAGE_B, 3));
	cr_expect_eq(at(&r, PAGE_B), 3);
	context_entry(&r, REQUESTER, 2 << 2 | 1, DOMAIN << 8 | 1);
	invalidate_contexts(&r);
	cr_expect(writes(&r, 0, PAGE_B, 4));
	cr_expect_eq(at(&r, PAGE_B), 4);
	cr_expect_not(writes(&r, 0, UINT64_C(1) << 39, 5), "beyond 39 bits");
	rig_stop(&r);
}

Test(vtd, each_reason_for_a_fault)
{
	struct rig r;
	uint64_t pte = BOTTOM + 8ul * (IOVA >> 12 & 511);
	uint32_t value;
	unsigned n = 0;

	start(&r);
#define REFUSED(reason)                                                        \
	do {                                                                   \
		invalidate_contexts(&r);                                       \
		invalidate_pages(&r, 1, 0);                                    \
		cr_expect_not(writes(&r, 0, IOVA, 1));                         \
		fault_is(&r, n++ % VTD_FAULTS, reason, IOVA, false);           \
	} while (0)
	word(&r, pte, PAGE_A | R);
	REFUSED(VTD_NO_WRITE);
	word(&r, pte, PAGE_A | W);
	invalidate_pages(&r, 1, 0);
	cr_expect_not(pci_dma_read(nvme(&r, 0), IOVA, &value, 4));
	fault_is(&r, n++ % VTD_FAULTS, VTD_NO_READ, IOVA, true);
	word(&r, pte, 0);
	REFUSED(VTD_NO_WRITE);
	word(&r, pte, (UINT64_C(1) << VTD_HOST_BITS) | R | W);
	REFUSED(VTD_TABLE_RESERVED);
	word(&r, MIDDLE, 0x201000 | LARGE | R | W);
	REFUSED(VTD_TABLE_RESERVED);
	word(&r, MIDDLE, UINT64_C(0x8000000000) | R | W);
	REFUSED(VTD_TABLE_ACCESS);
	context_entry(&r, REQUESTER, TOP | 1, DOMAIN << 8 | 3);
	REFUSED(VTD_BAD_CONTEXT);
	context_entry(&r, REQUESTER, TOP | 1 << 2 | 1, DOMAIN << 8 | 1);
	REFUSED(VTD_BAD_CONTEXT);
	context_entry(&r, REQUESTER, TOP | 1, 1 << 24 | 1);
	REFUSED(VTD_CONTEXT_RESERVED);
	context_entry(&r, REQUESTER, TOP, DOMAIN << 8 | 1);
	REFUSED(VTD_NO_CONTEXT);
	word(&r, ROOT, CONTEXT | 3);
	REFUSED(VTD_ROOT_RESERVED);
	word(&r, ROOT, UINT64_C(0x8000000001));
	REFUSED(VTD_CONTEXT_ACCESS);
	word(&r, ROOT, 0);
	REFUSED(VTD_NO_ROOT);
	put64(&r, VTD_RTADDR, UINT64_C(0x8000000000));
	put(&r, VTD_GCMD, VTD_TE | VTD_SRTP);
	settle(&r);
	REFUSED(VTD_ROOT_ACCESS);
#undef REFUSED
	cr_expect_eq(r.dma_faults, n);
	rig_stop(&r);
}

Test(vtd, what_is_cached_counts_until_it_is_invalidated)
{
	struct rig r;
	uint64_t pte = BOTTOM + 8ul * (IOVA >> 12 & 511);

	start(&r);
	cr_expect_not(writes(&r, 0, IOVA + 0x1000, 1));
	word(&r, pte + 8, PAGE_B | R | W);
	cr_expect(writes(&r, 0, IOVA + 0x1000, 1),
		  "what is not present is not cached");
	cr_expect(writes(&r, 0, IOVA, 1));
	word(&r, pte, 0);
	word(&r, pte + 8, 0);
	cr_expect(writes(&r, 0, IOVA, 2));
	cr_expect_eq(at(&r, PAGE_A), 2, "still cached");
	put64(&r, VTD_IVA, IOVA);
	put64(&r, VTD_IOTLB,
	      VTD_IOTLB_IVT | UINT64_C(3) << 60 | (uint64_t)DOMAIN << 32);
	cr_expect_eq(get64(&r, VTD_IOTLB) >> 63, 1);
	cr_expect(writes(&r, 0, IOVA, 3), "not yet");
	settle(&r);
	cr_expect_eq(get64(&r, VTD_IOTLB) >> 63, 0);
	cr_expect_eq(get64(&r, VTD_IOTLB) >> 57 & 3, 3, "as asked for");
	cr_expect_not(writes(&r, 0, IOVA, 4));
	cr_expect(writes(&r, 0, IOVA + 0x1000, 5), "another page");
	invalidate_pages(&r, 3, (IOVA + 0x5000) | 2); /* four pages of it */
	cr_expect(writes(&r, 0, IOVA + 0x1000, 5));
	invalidate_pages(&r, 3, (IOVA & ~UINT64_C(0x7FFF)) | 3); /* eight */
	cr_expect_not(writes(&r, 0, IOVA + 0x1000, 6));
	/* A context: its domain's, the device's. */
	word(&r, pte, PAGE_A | R | W);
	cr_expect(writes(&r, 0, IOVA, 7));
	context_entry(&r, REQUESTER, 0, 0);
	cr_expect(writes(&r, 0, IOVA, 8));
	put64(&r, VTD_CCMD, VTD_CCMD_ICC | UINT64_C(2) << 61 | 6);
	settle(&r);
	cr_expect(writes(&r, 0, IOVA, 9), "another domain");
	put64(&r, VTD_CCMD,
	      VTD_CCMD_ICC | UINT64_C(3) << 61 | (REQUESTER + 8) << 16 |
		      DOMAIN);
	settle(&r);
	cr_expect(writes(&r, 0, IOVA, 10), "another device");
	put64(&r, VTD_CCMD,
	      VTD_CCMD_ICC | UINT64_C(3) << 61 | REQUESTER << 16 | DOMAIN);
	settle(&r);
	cr_expect_not(writes(&r, 0, IOVA, 11));
	cr_expect_eq(at(&r, PAGE_A), 10);
	rig_stop(&r);
}

Test(vtd, the_first_fault_sends_a_message_and_four_are_kept)
{
	struct rig r;

	start(&r);
	put(&r, VTD_FEDATA, 0x51);
	put(&r, VTD_FEADDR, 0xFEE00000);
	cr_expect_not(writes(&r, 0, IOVA + 0x10000, 1));
	cr_expect_eq(get(&r, VTD_FECTL), VTD_EVENT_IM | VTD_EVENT_IP);
	cr_expect_eq(lapic_ack(r.m, 0), -1, "masked");
	put(&r, VTD_FECTL, 0);
	cr_expect_eq(get(&r, VTD_FECTL), 0);
	cr_expect_eq(lapic_ack(r.m, 0), 0x51);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	for (unsigned i = 1; i < VTD_FAULTS; i++)
		cr_expect_not(writes(&r, 0, IOVA + 0x10000 * (1 + i), 1));
	cr_expect_eq(lapic_ack(r.m, 0), -1, "told already");
	cr_expect_eq(get(&r, VTD_FSTS), VTD_FSTS_PPF);
	cr_expect_not(writes(&r, 0, IOVA + 0x90000, 1));
	cr_expect_eq(get(&r, VTD_FSTS), VTD_FSTS_PPF | VTD_FSTS_PFO);
	for (unsigned i = 0; i < VTD_FAULTS; i++)
		fault_is(&r, i, VTD_NO_WRITE, IOVA + 0x10000 * (1 + i), false);
	cr_expect_eq(get(&r, VTD_FSTS), VTD_FSTS_PFO);
	cr_expect_not(writes(&r, 0, IOVA + 0x10000, 1));
	cr_expect_eq(get64(&r, VTD_FRCD + 8) >> 63, 0,
		     "after an overflow none is kept");
	put(&r, VTD_FSTS, VTD_FSTS_PFO);
	cr_expect_eq(get(&r, VTD_FSTS), 0);
	cr_expect_not(writes(&r, 0, IOVA + 0x20000, 1));
	cr_expect_eq(lapic_ack(r.m, 0), 0x51);
	fault_is(&r, 0, VTD_NO_WRITE, IOVA + 0x20000, false);
	/* A context may ask for silence. */
	context_entry(&r, REQUESTER, TOP | 3, DOMAIN << 8 | 1);
	invalidate_contexts(&r);
	cr_expect_not(writes(&r, 0, IOVA + 0x20000, 1));
	cr_expect_eq(get(&r, VTD_FSTS) & VTD_FSTS_PPF, 0);
	rig_stop(&r);
}

static void descriptor(struct rig *r, unsigned n, uint64_t low, uint64_t high)
{
	word(r, QUEUE + 16ul * n, low);
	word(r, QUEUE + 16ul * n + 8, high);
}

Test(vtd, the_queue)
{
	struct rig r;
	uint64_t pte = BOTTOM + 8ul * (IOVA >> 12 & 511);

	start(&r);
	put64(&r, VTD_IQA, QUEUE);
	put64(&r, VTD_IQT, 0);
	put(&r, VTD_GCMD, VTD_TE | VTD_QIE);
	settle(&r);
	cr_expect_eq(get(&r, VTD_GSTS), VTD_TE | VTD_QIE | VTD_SRTP);
	put(&r, VTD_IEDATA, 0x52);
	put(&r, VTD_IEADDR, 0xFEE00000);
	put(&r, VTD_IECTL, 0);
	cr_expect(writes(&r, 0, IOVA, 1));
	word(&r, pte, 0);
	descriptor(&r, 0, (uint64_t)DOMAIN << 16 | 3 << 4 | 2, IOVA);
	descriptor(&r, 1, UINT64_C(0xABCD) << 32 | 3 << 4 | 5, DONE);
	put64(&r, VTD_IQT, 0x20);
	cr_expect_eq(get64(&r, VTD_IQH), 0);
	cr_expect(writes(&r, 0, IOVA, 2), "not yet");
	settle(&r);
	cr_expect_eq(get64(&r, VTD_IQH), 0x10);
	cr_expect_not(writes(&r, 0, IOVA, 3));
	cr_expect_eq(at(&r, DONE), 0);
	settle(&r);
	cr_expect_eq(get64(&r, VTD_IQH), 0x20);
	cr_expect_eq(at(&r, DONE), 0xABCD);
	cr_expect_eq(get(&r, VTD_ICS), VTD_ICS_IWC);
	cr_expect_eq(lapic_ack(r.m, 0), 0x52);
	rig_write(&r, RIG_LAPIC + 0xB0, 4, 0);
	put(&r, VTD_ICS, VTD_ICS_IWC);
	cr_expect_eq(get(&r, VTD_ICS), 0);
	/* The context, round the end of the queue. */
	word(&r, pte, PAGE_A | R | W);
	cr_expect(writes(&r, 0, IOVA, 4));
	context_entry(&r, REQUESTER, 0, 0);
	for (unsigned i = 2; i < 256; i++)
		descriptor(&r, i, 1 << 4 | 2, 0);
	descriptor(&r, 0, 1 << 4 | 1, 0);
	put64(&r, VTD_IQT, 0x10);
	rig_run(&r, 254 * VTD_COMMAND_PS);
	cr_expect_eq(get64(&r, VTD_IQH), 0);
	cr_expect(writes(&r, 0, IOVA, 5));
	settle(&r);
	cr_expect_not(writes(&r, 0, IOVA, 6));
	cr_expect_eq(r.odds, 0);
	rig_stop(&r);
}

Test(vtd, a_bad_descriptor_stops_the_queue)
{
	struct rig r;

	start(&r);
	put(&r, VTD_FEDATA, 0x53);
	put(&r, VTD_FEADDR, 0xFEE00000);
	put(&r, VTD_FECTL, 0);
	put64(&r, VTD_IQA, QUEUE);
	put(&r, VTD_GCMD, VTD_TE | VTD_QIE);
	settle(&r);
	descriptor(&r, 0, 4, 0); /* of interrupt remapping */
	descriptor(&r, 1, UINT64_C(7) << 32 | 1 << 5 | 5, DONE);
	put64(&r, VTD_IQT, 0x20);
	rig_run(&r, 10 * VTD_COMMAND_PS);
	cr_expect_eq(get64(&r, VTD_IQH), 0);
	cr_expect_eq(get(&r, VTD_FSTS), VTD_FSTS_IQE);
	cr_expect_eq(lapic_ack(r.m, 0), 0x53);
	descriptor(&r, 0, 1 << 4 | 2, 0);
	put(&r, VTD_FSTS, VTD_FSTS_IQE);
	rig_run(&r, 10 * VTD_COMMAND_PS);
	cr_expect_eq(get64(&r, VTD_IQH), 0x20);
	cr_expect_eq(at(&r, DONE), 7);
	/* Registers are not to be used beside it. */
	invalidate_contexts(&r);
	cr_expect_eq(r.odds, 1);
	rig_stop(&r);
}

Test(vtd, messages_are_no_dma)
{
	struct rig r;
	struct error err;

	start(&r);
	context_entry(&r, REQUESTER, 0, 0);
	invalidate_contexts(&r);
	cr_expect(device_fault(machine_device(r.m, "nvme0"), "msi-spurious",
			       0x54, &err));
	cr_expect_eq(lapic_ack(r.m, 0), 0x54);
	cr_expect_eq(r.dma_faults, 0);
	rig_stop(&r);
}

Test(vtd, a_reset_lets_everything_through_again)
{
	struct rig r;
	struct device *d;

	start(&r);
	cr_expect(writes(&r, 0, IOVA, 1));
	d = machine_device(r.m, "iommu0");
	d->class->reset(d);
	cr_expect_eq(get(&r, VTD_GSTS), 0);
	cr_expect(writes(&r, 0, PAGE_B, 2));
	cr_expect_eq(at(&r, PAGE_B), 2);
	word(&r, BOTTOM + 8ul * (IOVA >> 12 & 511), 0);
	enable(&r);
	cr_expect_not(writes(&r, 0, IOVA, 3), "nothing is left cached");
	rig_stop(&r);
}
