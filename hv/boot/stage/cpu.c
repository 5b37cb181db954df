/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/cpu.c - what the CPU must have, and the lead monitor's tables:
 * GDT, IDT, TSS, the shared page table, the SYSCALL registers.
 *
 * SDM 2A CPUID; 3A 3.4.5 (descriptors), 6.14.1 (gates), 7.7 (64-bit TSS),
 * 5.8.8 (SYSCALL registers).
 */
#include "boot/stage/stage.h"

#define MSR_STAR  0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084

/* Cleared by SYSCALL: IF and TF; DF, as C expects; NT, with which IRETQ would
 * fault; AC, RF, IOPL. */
#define FLAGS_MASKED 0x57700

/* monitor.ld, entry.S */
extern char monitor_text[], monitor_text_bytes[];
extern char monitor_data[], monitor_data_bytes[];
extern uint64_t boot_pt[512];

static void cpuid(uint32_t leaf, uint32_t r[4])
{
	__asm__("cpuid"
		: "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
		: "a"(leaf), "c"(0));
}

void cpu_check(void)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} need[] = {/* CPUID.1:EDX */
		    {4, "TSC"},   {5, "MSR"},  {9, "APIC"},
		    {13, "PGE"},  {7, "MCE"},  {14, "MCA"},
		    {24, "FXSR"}, {25, "SSE"}, {26, "SSE2"}};
	uint32_t r[4];

	cpuid(1, r);
	for (unsigned i = 0; i < ARRAY_LEN(need); i++)
		if (!(r[3] >> need[i].bit & 1))
			boot_fail("this CPU lacks ", need[i].name);
	max_pfn = 1ull << (36 - 12);
	cpuid(0x80000000, r);
	if (r[0] >= 0x80000008) {
		cpuid(0x80000008, r);
		max_pfn = 1ull << ((r[0] & 63) - 12);
	}
}

static void gdt_init(void)
{
	const uint64_t present = 1ull << 47, user = 3ull << 45;
	const uint64_t code = 0x00209a0000000000 & ~present;
	const uint64_t data = 0x0000920000000000 & ~present;

	gdt[SEL_CODE / 8] = code | present;
	gdt[SEL_DATA / 8] = data | present;
	gdt[SEL_USER_DATA / 8] = data | present | user;
	gdt[SEL_USER_CODE / 8] = code | present | user;
	for (unsigned i = 0; i < ABI_CPUS; i++) {
		struct tss *t = &tsses[i];
		uint64_t base = (uint64_t)t;
		uint64_t *d = &gdt[SEL_TSS / 8 + 2 * i];
		struct cpu_stacks *s = &stacks[i];

		t->rsp[0] = VCPU_VA + REGS_BYTES;
		t->ist[IST_FAULT - 1] = (uint64_t)s->fault + sizeof(s->fault);
		t->ist[IST_DOUBLE - 1] = (uint64_t)s->twice + sizeof(s->twice);
		t->ist[IST_NMI - 1] = (uint64_t)s->nmi + sizeof(s->nmi);
		t->ist[IST_CHECK - 1] = (uint64_t)s->check + sizeof(s->check);
		t->iomap = sizeof(*t);
		d[0] = (sizeof(*t) - 1) | (base & 0xffffff) << 16 |
		       0x89ull << 40 | (base >> 24 & 0xff) << 56;
		d[1] = base >> 32;
	}
}

static void idt_init(void)
{
	for (unsigned v = 0; v < 256; v++) {
		uint64_t at = vector_stub[v];
		uint64_t ist = v == 2    ? IST_NMI
			       : v == 8  ? IST_DOUBLE
			       : v == 18 ? IST_CHECK
			       : v < 32  ? IST_FAULT
					 : 0;

		idt[v][0] = (at & 0xffff) | (uint64_t)SEL_CODE << 16 |
			    ist << 32 | 0x8eull << 40 |
			    (at >> 16 & 0xffff) << 48;
		idt[v][1] = at >> 32;
	}
}

/* What all address spaces share: text executable, constants read-only, the
 * lead monitor's data.  The boot stage itself isn't in it. */
static void shared_init(void)
{
	uint64_t text = (uint64_t)monitor_text, data = (uint64_t)monitor_data;
	uint64_t text_end = text + (uint64_t)monitor_text_bytes;

	for (uint64_t va = text; va < data + (uint64_t)monitor_data_bytes;
	     va += 4096) {
		uint64_t flags = PTE_P | PTE_G;

		if (va >= text_end)
			flags |= PTE_NX;
		if (va >= data)
			flags |= PTE_W;
		shared_pt[(va >> 12) & 511] =
			PTE((va - MONITOR_VA + IMAGE_PA) >> 12, flags);
	}
	shared_pt[(SHARED_LAPIC_VA >> 12) & 511] =
		PTE(platform.lapic_pa >> 12,
		    PTE_P | PTE_W | PTE_G | PTE_NX | PTE_PCD | PTE_PWT);
	lead_pd[0] = PTE(((uint64_t)shared_pt - MONITOR_VA + IMAGE_PA) >> 12,
			 PTE_P | PTE_W);
	lead_pdpt[510] = PTE(((uint64_t)lead_pd - MONITOR_VA + IMAGE_PA) >> 12,
			     PTE_P | PTE_W);
	lead_pml4[511] =
		PTE(((uint64_t)lead_pdpt - MONITOR_VA + IMAGE_PA) >> 12,
		    PTE_P | PTE_W);
	boot_pt[(SHARED_LAPIC_VA >> 12) & 511] =
		shared_pt[(SHARED_LAPIC_VA >> 12) & 511];
	invlpg(SHARED_LAPIC_VA);
}

void cpu_init(void)
{
	gdt_init();
	idt_init();
	shared_init();
	cpu_load(0);
}

void cpu_load(uint32_t index)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) to_gdt = {sizeof(gdt) - 1, (uint64_t)gdt},
				  to_idt = {sizeof(idt) - 1, (uint64_t)idt};

	/* CS and SS hold its selectors from the entry on. */
	__asm__ volatile("lgdt %0" : : "m"(to_gdt));
	__asm__ volatile("lidt %0" : : "m"(to_idt));
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS + 16 * index));
	check_init();
	wrmsr(MSR_STAR, (uint64_t)SEL_SYSRET << 48 | (uint64_t)SEL_CODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_FMASK, FLAGS_MASKED);
}
