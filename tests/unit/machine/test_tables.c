/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MSRs and CPUID leaves as a guest meets them (tests/guest/sim/tables.S):
 * each MSR's value after reset, which values it takes, that all others are
 * #GP(0); each leaf of the table on each CPU, and what lies outside of it.
 *
 * The rules stand here once more, from SDM volume 4, chapter 2, and volume 3A,
 * 10.4.4, 10.12 and 11.11; the leaves from volume 2A, CPUID. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpuid.h"
#include "sim/loader.h"
#include "sim/machine.h"

#define LISTS      UINT64_C(0x400000) /* tables.S */
#define LIST_BYTES 0x400000
#define LIST_MAX   (LIST_BYTES / sizeof(struct request) - 1)
#define CPUS       2
#define HZ         UINT64_C(1200000000)
#define LEFT       UINT64_C(0x5a5a5a5aa5a5a5a5) /* what a fault leaves */

enum op {
	RDMSR = 1,
	WRMSR,
	CPUID
};

struct request {
	uint32_t op, ecx, eax, edx, ebx, fault, pad[2];
};

#define GP0 0x10du

struct list {
	struct request *r;
	size_t count;
};

static struct request *add(struct list *l, enum op op, uint32_t ecx,
			   uint64_t value)
{
	struct request *r = &l->r[l->count++];

	cr_assert_lt(l->count, LIST_MAX);
	*r = (struct request){.op = op,
			      .ecx = ecx,
			      .eax = (uint32_t)value,
			      .edx = (uint32_t)(value >> 32)};
	return r;
}

static uint64_t value_of(const struct request *r)
{
	return (uint64_t)r->edx << 32 | r->eax;
}

static void make(struct list l[CPUS])
{
	for (unsigned i = 0; i < CPUS; i++) {
		l[i].r = calloc(LIST_MAX + 1, sizeof(*l[i].r));
		l[i].count = 0;
		cr_assert(l[i].r);
	}
}

static void drop(struct list l[CPUS])
{
	for (unsigned i = 0; i < CPUS; i++)
		free(l[i].r);
}

static void run(struct list l[CPUS])
{
	struct machine_config c;
	struct machine *m;
	struct error err;

	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.cpu_count = CPUS;
	c.cpu_hz = HZ;
	c.controllers = 0;
	c.kernel = GUEST_DIR "/tables.elf";
	m = machine_create(&c, NULL, &err);
	cr_assert(m, "%s", err.text);
	cr_assert(loader_boot(m, &c, &err), "%s", err.text);
	for (unsigned i = 0; i < CPUS; i++)
		cr_assert(bus_poke(machine_bus(m), LISTS + i * LIST_BYTES,
				   l[i].r, (l[i].count + 1) * sizeof(*l[i].r)));
	cr_assert_eq(machine_run(m, PS_PER_S), MACHINE_OFF);
	cr_assert_eq(machine_off_code(m), 7);
	for (unsigned i = 0; i < CPUS; i++)
		cr_assert(bus_peek(machine_bus(m), LISTS + i * LIST_BYTES,
				   l[i].r, l[i].count * sizeof(*l[i].r)));
	machine_destroy(m);
}

/* --- MSRs --- */

enum kind {
	BITS,      /* those of `mask` */
	CANONICAL, /* an address of 48 bits */
	TYPES, /* memory types, a byte each; of `mask`, which bytes have one,
		  and bits beside */
	READ_ONLY,
	IGNORED, /* what is written is lost */
};

#define ALL     UINT64_MAX
#define LOW32   UINT64_C(0xffffffff)
#define ADDRESS UINT64_C(0xfffffff000) /* 40 bits */

static const struct msr {
	uint32_t number;
	enum kind kind;
	uint64_t mask, reset;
} msrs[] = {
	{0x017, READ_ONLY, 0, 0},      /* IA32_PLATFORM_ID */
	{0x03b, BITS, ALL, 0},         /* IA32_TSC_ADJUST */
	{0x08b, IGNORED, 0, 0},        /* IA32_BIOS_SIGN_ID */
	{0x0fe, READ_ONLY, 0, 0x0508}, /* IA32_MTRRCAP */
	{0x174, BITS, LOW32, 0},       /* IA32_SYSENTER_CS, ESP, EIP */
	{0x175, CANONICAL, 0, 0},
	{0x176, CANONICAL, 0, 0},
	{0x179, READ_ONLY, 0, 1},    /* IA32_MCG_CAP: one bank */
	{0x17a, BITS, 7, 0},         /* IA32_MCG_STATUS */
	{0x1a0, IGNORED, 0, 0x1801}, /* IA32_MISC_ENABLE */
	{0x1d9, IGNORED, 0, 0},      /* IA32_DEBUGCTL */
	/* Firmware has set the MTRRs: RAM and ROM WB, the adapter's memory UC,
	 * WP from C0000h on, from 2 GiB to 4 GiB UC. */
	{0x200, TYPES, ADDRESS | 0xff, 0x80000000},
	{0x201, BITS, ADDRESS | 0x800, 0xff80000800},
	{0x202, TYPES, ADDRESS | 0xff, 0},
	{0x203, BITS, ADDRESS | 0x800, 0},
	{0x204, TYPES, ADDRESS | 0xff, 0},
	{0x205, BITS, ADDRESS | 0x800, 0},
	{0x206, TYPES, ADDRESS | 0xff, 0},
	{0x207, BITS, ADDRESS | 0x800, 0},
	{0x208, TYPES, ADDRESS | 0xff, 0},
	{0x209, BITS, ADDRESS | 0x800, 0},
	{0x20a, TYPES, ADDRESS | 0xff, 0},
	{0x20b, BITS, ADDRESS | 0x800, 0},
	{0x20c, TYPES, ADDRESS | 0xff, 0},
	{0x20d, BITS, ADDRESS | 0x800, 0},
	{0x20e, TYPES, ADDRESS | 0xff, 0},
	{0x20f, BITS, ADDRESS | 0x800, 0},
	{0x250, TYPES, ALL, 0x0606060606060606},
	{0x258, TYPES, ALL, 0x0606060606060606},
	{0x259, TYPES, ALL, 0},
	{0x268, TYPES, ALL, 0x0505050505050505},
	{0x269, TYPES, ALL, 0x0505050505050505},
	{0x26a, TYPES, ALL, 0x0505050505050505},
	{0x26b, TYPES, ALL, 0x0505050505050505},
	{0x26c, TYPES, ALL, 0x0505050505050505},
	{0x26d, TYPES, ALL, 0x0505050505050505},
	{0x26e, TYPES, ALL, 0x0505050505050505},
	{0x26f, TYPES, ALL, 0x0505050505050505},
	{0x277, TYPES, ALL, 0x0007040600070406}, /* IA32_PAT */
	{0x2ff, TYPES, 0xcff, 0xc06},            /* IA32_MTRR_DEF_TYPE */
	{0x400, BITS, ALL, 0},                   /* IA32_MC0_CTL */
	{0x401, BITS, 0, 0}, /* IA32_MC0_STATUS, ADDR, MISC: take 0 */
	{0x402, BITS, 0, 0},
	{0x403, BITS, 0, 0},
	{0x6e0, IGNORED, 0, 0}, /* IA32_TSC_DEADLINE: no timer in that mode */
	{0xc0000081, BITS, ALL, 0}, /* IA32_STAR, LSTAR, CSTAR, FMASK */
	{0xc0000082, CANONICAL, 0, 0},
	{0xc0000083, CANONICAL, 0, 0},
	{0xc0000084, BITS, LOW32, 0},
	{0xc0000100, CANONICAL, 0, 0}, /* FS, GS, kernel GS base */
	{0xc0000101, CANONICAL, 0, 0},
	{0xc0000102, CANONICAL, 0, 0},
	{0xc0000103, BITS, LOW32, 0}, /* IA32_TSC_AUX */
};

/* Tried apart: TSC, APIC base, EFER. */
static bool known(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(msrs); i++) {
		if (msrs[i].number == number)
			return true;
	}
	return number == 0x10 || number == 0x1b || number == 0xc0000080;
}

static bool legal(const struct msr *m, uint64_t v)
{
	switch (m->kind) {
	case BITS:
		return !(v & ~m->mask);
	case CANONICAL:
		return v >> 47 == 0 || v >> 47 == 0x1ffff;
	case TYPES:
		for (unsigned k = 0; k < 64; k += 8) {
			uint64_t type = v >> k & 0xff;
			bool uc_minus = m->number == 0x277 && type == 7;

			if ((m->mask >> k & 0xff) == 0xff &&
			    (k == 0 || m->mask == ALL) && type != 0 &&
			    type != 1 && type != 4 && type != 5 && type != 6 &&
			    !uc_minus)
				return false;
		}
		return !(v & ~m->mask);
	case READ_ONLY:
		return false;
	case IGNORED:
		return true;
	}
	return false;
}

/* What is written to each, in this order. */
static size_t samples(const struct msr *m, uint64_t v[])
{
	size_t n = 0;

	v[n++] = 0;
	v[n++] = m->reset;
	v[n++] = ALL;
	v[n++] = UINT64_C(0xffff800000000000);
	v[n++] = UINT64_C(0x00007fffffffffff);
	v[n++] = UINT64_C(0x0000800000000000);
	for (unsigned bit = 0; bit < 64; bit++) {
		v[n++] = UINT64_C(1) << bit;
		v[n++] = m->reset ^ UINT64_C(1) << bit;
	}
	for (unsigned k = 0; m->kind == TYPES && k < 64; k += 8) {
		for (uint64_t type = 0; type < 256; type++)
			v[n++] =
				(m->reset & ~(UINT64_C(0xff) << k)) | type << k;
	}
	v[n++] = m->reset;
	return n;
}

Test(tables, each_msr_takes_what_it_should)
{
	static uint64_t v[4096];
	struct list l[CPUS];
	size_t at = 0;

	make(l);
	for (size_t i = 0; i < ARRAY_LEN(msrs); i++) {
		size_t n = samples(&msrs[i], v);

		add(&l[0], RDMSR, msrs[i].number, LEFT);
		add(&l[1], RDMSR, msrs[i].number, LEFT);
		for (size_t k = 0; k < n; k++) {
			add(&l[0], WRMSR, msrs[i].number, v[k]);
			add(&l[0], RDMSR, msrs[i].number, LEFT);
		}
	}
	run(l);
	for (size_t i = 0; i < ARRAY_LEN(msrs); i++) {
		const struct msr *m = &msrs[i];
		size_t n = samples(m, v);
		uint64_t is = m->reset;
		const struct request *r = &l[0].r[at++];

		cr_expect_eq(r->fault, 0, "%x: fault %x", m->number, r->fault);
		cr_expect_eq(value_of(r), m->reset, "%x after reset: %lx",
			     m->number, value_of(r));
		cr_expect_eq(value_of(&l[1].r[i]), m->reset, "%x of CPU 1: %lx",
			     m->number, value_of(&l[1].r[i]));
		for (size_t k = 0; k < n; k++) {
			bool takes = legal(m, v[k]);

			r = &l[0].r[at++];
			cr_expect_eq(r->fault, takes ? 0 : GP0,
				     "%x takes %lx: fault %x", m->number, v[k],
				     r->fault);
			r = &l[0].r[at++];
			if (takes && m->kind != IGNORED)
				is = v[k];
			cr_expect_eq(r->fault, 0);
			/* IA32_TSC_ADJUST moves the TSC alone. */
			cr_expect_eq(value_of(r), is, "%x after %lx: %lx",
				     m->number, v[k], value_of(r));
		}
	}
	drop(l);
}

/* Mode bits are left alone: they are in the next tests. */
Test(tables, efer_and_apic_base_and_tsc)
{
	struct list l[CPUS];
	const struct request *r;
	const uint64_t base = UINT64_C(0xfee00900);
	size_t at = 0;

	make(l);
	for (unsigned bit = 0; bit < 64; bit++) {
		add(&l[0], WRMSR, 0xc0000080, UINT64_C(1) << bit);
		add(&l[0], RDMSR, 0xc0000080, LEFT);
	}
	add(&l[0], WRMSR, 0xc0000080, 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (bit == 10 || bit == 11)
			continue;
		add(&l[0], WRMSR, 0x1b, base ^ UINT64_C(1) << bit);
		add(&l[0], RDMSR, 0x1b, LEFT);
	}
	add(&l[0], RDMSR, 0x10, LEFT);
	add(&l[0], RDMSR, 0x10, LEFT);
	add(&l[0], WRMSR, 0x10, UINT64_C(0x8000000000000000));
	add(&l[0], RDMSR, 0x10, LEFT);
	add(&l[0], RDMSR, 0x3b, LEFT);
	add(&l[0], WRMSR, 0x3b, 0);
	add(&l[0], RDMSR, 0x10, LEFT);
	add(&l[1], RDMSR, 0x1b, LEFT);
	run(l);
	for (unsigned bit = 0; bit < 64; bit++) {
		/* SCE, LME, NXE; LMA is the processor's. */
		uint64_t takes = UINT64_C(0x901) & UINT64_C(1) << bit;

		r = &l[0].r[at];
		cr_expect_eq(r[0].fault, takes || bit == 10 ? 0 : GP0,
			     "EFER bit %u: fault %x", bit, r[0].fault);
		/* A refused write leaves what was before. */
		if (r[0].fault == 0)
			cr_expect_eq(value_of(&r[1]), takes, "EFER bit %u",
				     bit);
		at += 2;
	}
	at++;
	for (unsigned bit = 0; bit < 64; bit++) {
		bool takes = bit == 8 || (bit >= 12 && bit < 40);

		if (bit == 10 || bit == 11)
			continue;
		r = &l[0].r[at];
		cr_expect_eq(r[0].fault, takes ? 0 : GP0,
			     "APIC base bit %u: fault %x", bit, r[0].fault);
		cr_expect_eq(value_of(&r[1]), base, "the page does not move");
		at += 2;
	}
	r = &l[0].r[at];
	cr_expect_gt(value_of(&r[1]), value_of(&r[0]), "the TSC goes on");
	cr_expect_eq(value_of(&r[3]) >> 32, 0x80000000u);
	cr_expect_gt(value_of(&r[4]), UINT64_C(0x7fffffff00000000));
	cr_expect_lt(value_of(&r[6]), UINT64_C(1) << 32);
	cr_expect_eq(value_of(&l[1].r[0]), UINT64_C(0xfee00800), "no BSP");
	drop(l);
}

static const struct {
	uint32_t first, last;
} swept[] = {
	{0, 0x1fff},              /* the platform's; x2APIC's, not enabled */
	{0x40000000, 0x400000ff}, /* hypervisors' */
	{0xc0000000, 0xc0001fff}, /* AMD's */
	{0xc0010000, 0xc001021f},
	{0x7fffff00, 0x800000ff},
	{0xffffff00, 0xffffffff},
};

Test(tables, other_msrs_are_gp)
{
	struct list l[CPUS];

	make(l);
	for (size_t i = 0; i < ARRAY_LEN(swept); i++) {
		uint32_t number = swept[i].first;

		do {
			for (unsigned k = 0; k < CPUS; k++) {
				add(&l[k], RDMSR, number, LEFT);
				if (!known(number))
					add(&l[k], WRMSR, number, 0);
			}
		} while (number++ != swept[i].last);
	}
	run(l);
	for (unsigned k = 0; k < CPUS; k++) {
		for (size_t i = 0; i < l[k].count; i++) {
			const struct request *r = &l[k].r[i];

			if (known(r->ecx)) {
				cr_expect_eq(r->fault, 0, "%x", r->ecx);
				continue;
			}
			cr_expect_eq(r->fault, GP0, "CPU %u, %s %x: fault %x",
				     k, r->op == RDMSR ? "read" : "write",
				     r->ecx, r->fault);
			if (r->op == RDMSR)
				cr_expect_eq(value_of(r), LEFT, "%x", r->ecx);
		}
	}
	drop(l);
}

/* SDM 3A, table 10-6. */
static bool x2apic_has(uint32_t number, enum op op)
{
	switch (number) {
	case 0x802: /* ID */
	case 0x803: /* version */
	case 0x80a: /* PPR */
	case 0x80d: /* LDR */
	case 0x810 ... 0x827:
	case 0x839: /* current count */
		return op == RDMSR;
	case 0x80b: /* EOI */
	case 0x83f: /* self IPI */
		return op == WRMSR;
	case 0x808: /* TPR */
	case 0x80f: /* SVR */
	case 0x828: /* ESR */
	case 0x830: /* ICR */
	case 0x832 ... 0x838:
	case 0x83e:
		return true;
	default:
		return false;
	}
}

Test(tables, x2apic_registers)
{
	struct list l[CPUS];

	make(l);
	for (unsigned k = 0; k < CPUS; k++) {
		add(&l[k], WRMSR, 0x1b, 0xfee00400); /* EXTD without EN */
		add(&l[k], WRMSR, 0x1b, 0xfee00c00);
		for (uint32_t number = 0x800; number < 0xc00; number++) {
			add(&l[k], RDMSR, number, LEFT);
			/* 0 to the ICR would be an IPI. */
			if (number == 0x830)
				add(&l[k], WRMSR, number, 0x4000);
			else
				add(&l[k], WRMSR, number,
				    number == 0x83f ? 0x40 : 0);
			/* Bits 63-32 are reserved but in the ICR. */
			if (number != 0x830)
				add(&l[k], WRMSR, number, UINT64_C(1) << 32);
		}
		add(&l[k], WRMSR, 0x1b, 0xfee00800); /* back to xAPIC */
		add(&l[k], RDMSR, 0x802, LEFT);
		add(&l[k], CPUID, 0, 0x0b);
	}
	run(l);
	for (unsigned k = 0; k < CPUS; k++) {
		const struct request *r = l[k].r + 2;
		const struct request *end = l[k].r + l[k].count - 3;

		cr_expect_eq(r[-2].fault, GP0);
		cr_expect_eq(r[-1].fault, 0);
		for (; r < end; r++) {
			bool wide = r->op == WRMSR && r->edx;

			cr_expect_eq(r->fault,
				     !wide && x2apic_has(r->ecx, r->op) ? 0
									: GP0,
				     "CPU %u: %s %x (%lx): fault %x", k,
				     r->op == RDMSR ? "read" : "write", r->ecx,
				     value_of(r), r->fault);
			if (r->ecx == 0x802 && r->op == RDMSR)
				cr_expect_eq(r->eax, end[2].edx, "its ID");
		}
		cr_expect_eq(end[0].fault, GP0, "x2APIC goes by disabling");
		cr_expect_eq(end[1].fault, 0);
	}
	drop(l);
}

/* --- CPUID --- */

static const uint32_t outside[] = {
	0x17,       0x40,       0x20000000, 0x40000000, 0x40000001, 0x7fffffff,
	0x80000009, 0x8000001f, 0x80860000, 0xc0000000, 0xffffffff};

static void leaf(struct list *l, uint32_t leaf, uint32_t sub)
{
	add(l, CPUID, sub, (uint64_t)0xdddddddd << 32 | leaf)->ebx = 0xbbbbbbbb;
}

static struct cpuid_leaf got(const struct request *r)
{
	return (struct cpuid_leaf){r->eax, r->ebx, r->ecx, r->edx};
}

/* The leaf as the CPU was told it. */
static struct cpuid_leaf find(const struct list *asked, const struct list *told,
			      uint32_t leaf, uint32_t sub)
{
	size_t i = 0;

	while (asked->r[i].eax != leaf || asked->r[i].ecx != sub)
		cr_assert_lt(++i, asked->count, "leaf %x was not asked", leaf);
	return got(&told->r[i]);
}

static void same_leaf(struct cpuid_leaf a, struct cpuid_leaf b, uint32_t leaf,
		      uint32_t sub, unsigned cpu)
{
	cr_expect_eq(memcmp(&a, &b, sizeof(a)), 0,
		     "CPU %u, leaf %x.%x: %x %x %x %x, not %x %x %x %x", cpu,
		     leaf, sub, a.eax, a.ebx, a.ecx, a.edx, b.eax, b.ebx, b.ecx,
		     b.edx);
}

/* What the manual says, whatever is in the table. */
static void by_the_manual(const struct list *asked, const struct list *told,
			  unsigned cpu)
{
	const struct cpuid_leaf nothing = {0};
	struct cpuid_leaf v = find(asked, told, 0, 0);
	char name[13] = "";

	memcpy(name, &v.ebx, 4);
	memcpy(name + 4, &v.edx, 4);
	memcpy(name + 8, &v.ecx, 4);
	cr_expect_str_eq(name, "GenuineIntel");
	cr_expect_eq(v.eax, 0x16);
	v = find(asked, told, 1, 0);
	cr_expect_eq(v.eax, 0x30661);
	cr_expect_eq(v.ebx >> 24, cpu, "its APIC ID");
	cr_expect_eq(v.ebx >> 16 & 0xff, CPUS);
	cr_expect_eq(v.ebx >> 8 & 0xff, 8, "CLFLUSH: 64 bytes");
	cr_expect_eq(v.ecx, CPUID_1_ECX);
	cr_expect_eq(v.edx, CPUID_1_EDX | 1u << 28);
	cr_expect_eq(v.ecx & (1u << 27 | 1u << 28 | 1u << 3 | 1u << 5), 0,
		     "no OSXSAVE, AVX, MONITOR, VMX");
	/* No AVX, no XSAVE: no state components.  No MONITOR.  No sensors. */
	for (uint32_t n = 2; n < 0x16; n++) {
		if (n != 7 && n != 0xb && n != 0x15)
			same_leaf(find(asked, told, n, 0), nothing, n, 0, cpu);
	}
	same_leaf(find(asked, told, 7, 0),
		  (struct cpuid_leaf){0, CPUID_7_EBX, 0, 0}, 7, 0, cpu);
	same_leaf(find(asked, told, 7, 1), nothing, 7, 1, cpu);
	same_leaf(find(asked, told, 0xb, 0),
		  (struct cpuid_leaf){0, 1, 0x100, cpu}, 0xb, 0, cpu);
	same_leaf(find(asked, told, 0xb, 1),
		  (struct cpuid_leaf){1, CPUS, 0x201, cpu}, 0xb, 1, cpu);
	/* Beyond the last level: ECX[7:0] and EDX alone. */
	same_leaf(find(asked, told, 0xb, 2), (struct cpuid_leaf){0, 0, 2, cpu},
		  0xb, 2, cpu);
	v = find(asked, told, 0x15, 0);
	cr_expect_eq((uint64_t)v.ecx * v.ebx / v.eax, HZ);
	cr_expect_eq(find(asked, told, 0x16, 0).eax, 1200);
	v = find(asked, told, 0x80000000, 0);
	cr_expect_eq(v.eax, 0x80000008);
	v = find(asked, told, 0x80000001, 0);
	cr_expect_eq(v.ecx, CPUID_80000001_ECX);
	cr_expect_eq(v.edx, CPUID_80000001_EDX);
	v = find(asked, told, 0x80000002, 0);
	cr_expect_str_eq((const char *)&v, "Parterre vCPU");
	same_leaf(find(asked, told, 0x80000003, 0), nothing, 0x80000003, 0,
		  cpu);
	cr_expect_eq(find(asked, told, 0x80000007, 0).edx, 0x100,
		     "the TSC's rate is constant");
	cr_expect_eq(find(asked, told, 0x80000008, 0).eax, 0x3028,
		     "48 and 40 bits");
	/* Outside: as the highest basic leaf, if not reserved between. */
	for (size_t i = 0; i < ARRAY_LEN(outside); i++)
		same_leaf(find(asked, told, outside[i], 0),
			  find(asked, told, 0x16, 0), outside[i], 0, cpu);
}

Test(tables, each_cpuid_leaf_on_each_cpu)
{
	struct list asked[CPUS], told[CPUS];

	make(asked);
	make(told);
	for (unsigned k = 0; k < CPUS; k++) {
		for (uint32_t sub = 0; sub < 4; sub++) {
			for (uint32_t n = 0; n <= 0x20; n++)
				leaf(&asked[k], n, sub);
			for (uint32_t n = 0; n <= 0x20; n++)
				leaf(&asked[k], 0x80000000 + n, sub);
			for (size_t i = 0; i < ARRAY_LEN(outside); i++)
				leaf(&asked[k], outside[i], sub);
		}
		memcpy(told[k].r, asked[k].r,
		       asked[k].count * sizeof(*asked[k].r));
		told[k].count = asked[k].count;
	}
	run(told);
	for (unsigned k = 0; k < CPUS; k++) {
		const struct cpuid_of who = {k, CPUS, HZ};

		for (size_t i = 0; i < asked[k].count; i++) {
			struct cpuid_leaf table;
			const struct request *r = &asked[k].r[i];

			cpuid_read(r->eax, r->ecx, &who, &table);
			cr_expect_eq(told[k].r[i].fault, 0);
			same_leaf(got(&told[k].r[i]), table, r->eax, r->ecx, k);
		}
		by_the_manual(&asked[k], &told[k], k);
	}
	drop(asked);
	drop(told);
}
