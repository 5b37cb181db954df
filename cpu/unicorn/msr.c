/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/msr.c - the CPU's own model-specific registers (SDM volume 4).
 *
 * What isn't here is asked of the platform; what it hasn't either is #GP.
 */
#include "cpu/unicorn/engine.h"
#include "cpu/walk.h"

#define EFER_SCE UINT64_C(1)
#define EFER_LME (UINT64_C(1) << 8)

#define MSR_MTRR_DEF_TYPE 0x2ff

enum rule {
	ANY,
	CANONICAL,
	LOW32,
	TYPES,     /* eight memory types, a byte each: PAT */
	MTRR_TYPE, /* the same without UC-: MTRR fixed ranges */
	MTRR_BASE,
	MTRR_MASK,
	MTRR_DEF,
	FIXED,     /* reads `value`; writes change nothing */
	READ_ONLY, /* reads `value` */
};

/* Where the register lives in CPUX86State, `bytes` wide; offset 0: its value
 * is `value`. */
static const struct msr {
	uint32_t number;
	enum rule rule;
	uint32_t offset, bytes;
	uint64_t value;
} msrs[] = {
	{0x0017, READ_ONLY, 0, 0, 0},      /* PLATFORM_ID */
	{0x008b, FIXED, 0, 0, 0},          /* BIOS_SIGN_ID: no microcode */
	{0x00fe, READ_ONLY, 0, 0, 0x0508}, /* MTRRCAP: WC, fixed, 8 variable */
	{0x0174, LOW32, ENV_SYSENTER_CS, 4, 0},
	{0x0175, CANONICAL, ENV_SYSENTER_ESP, 8, 0},
	{0x0176, CANONICAL, ENV_SYSENTER_EIP, 8, 0},
	{0x0179, READ_ONLY, 0, 0, 1},  /* MCG_CAP: one bank */
	{0x01a0, FIXED, 0, 0, 0x1801}, /* MISC_ENABLE: no BTS, no PEBS */
	{0x01d9, FIXED, 0, 0, 0},      /* DEBUGCTL */
	{0x0277, TYPES, ENV_PAT, 8, 0},
	{0xc0000081, ANY, ENV_STAR, 8, 0},
	{0xc0000082, CANONICAL, ENV_LSTAR, 8, 0},
	{0xc0000083, CANONICAL, ENV_CSTAR, 8, 0},
	{0xc0000084, LOW32, ENV_FMASK, 8, 0},
	{0xc0000100, CANONICAL, ENV_SEGS + 24 * CPU_FS + 8, 8, 0},
	{0xc0000101, CANONICAL, ENV_SEGS + 24 * CPU_GS + 8, 8, 0},
	{0xc0000102, CANONICAL, ENV_KERNELGSBASE, 8, 0},
	{0xc0000103, LOW32, ENV_TSC_AUX, 8, 0},
};

static const struct msr *msr_find(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(msrs); i++) {
		if (msrs[i].number == number)
			return &msrs[i];
	}
	return NULL;
}

/* Index in cpu->mtrr and rule; false when it is none. */
static bool mtrr_find(uint32_t number, unsigned *index, enum rule *rule)
{
	static const uint16_t fixed[] = {0x250, 0x258, 0x259, 0x268,
					 0x269, 0x26a, 0x26b, 0x26c,
					 0x26d, 0x26e, 0x26f};

	*rule = MTRR_DEF;
	*index = 0;
	if (number == MSR_MTRR_DEF_TYPE)
		return true;
	*rule = MTRR_TYPE;
	for (*index = 1; *index <= ARRAY_LEN(fixed); ++*index) {
		if (fixed[*index - 1] == number)
			return true;
	}
	*rule = number & 1 ? MTRR_MASK : MTRR_BASE;
	*index += number - 0x200;
	return number >= 0x200 && *index < CPU_MTRR_COUNT;
}

/* Index in cpu->mca; false when it is none. */
static bool mca_find(uint32_t number, unsigned *index)
{
	if (number == 0x17a)
		*index = CPU_MCG_STATUS;
	else if (number >= 0x400 && number <= 0x403)
		*index = CPU_MC0_CTL + (number - 0x400);
	else
		return false;
	return true;
}

/* Software enables what is reported, and clears what was (SDM 3B 15.3.2). */
static bool mca_write(struct cpu *cpu, unsigned index, uint64_t v)
{
	if (index == CPU_MCG_STATUS ? v & ~UINT64_C(7)
				    : index != CPU_MC0_CTL && v)
		return false;
	cpu->mca[index] = v;
	return true;
}

static bool type_ok(uint64_t type, bool pat)
{
	return type <= 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

static bool allowed(enum rule rule, uint64_t v)
{
	const uint64_t beyond = ~((UINT64_C(1) << WALK_PA_BITS) - 1);

	switch (rule) {
	case ANY:
	case FIXED:
		return true;
	case READ_ONLY:
		return false;
	case LOW32:
		return v <= UINT32_MAX;
	case CANONICAL:
		return (uint64_t)((int64_t)(v << 16) >> 16) == v;
	case TYPES:
	case MTRR_TYPE:
		for (unsigned i = 0; i < 64; i += 8) {
			if (!type_ok(v >> i & 0xff, rule == TYPES))
				return false;
		}
		return true;
	case MTRR_BASE:
		return type_ok(v & 0xff, false) && !(v & (beyond | 0xf00));
	case MTRR_MASK:
		return !(v & (beyond | 0x7ff));
	case MTRR_DEF:
		return type_ok(v & 0xff, false) && !(v & ~UINT64_C(0xcff));
	}
	return false;
}

/* LMA is the processor's; LME can't change under paging; the rest isn't
 * offered. */
static bool efer_write(struct cpu *cpu, uint64_t v)
{
	uint64_t was = AT(cpu->env, uint64_t, ENV_EFER);

	if (v & ~(EFER_SCE | EFER_LME | WALK_EFER_LMA | WALK_EFER_NXE))
		return false;
	if (((v ^ was) & EFER_LME) &&
	    (AT(cpu->env, uint64_t, ENV_CR) & WALK_CR0_PG))
		return false;
	AT(cpu->env, uint64_t, ENV_EFER) =
		(v & ~WALK_EFER_LMA) | (was & WALK_EFER_LMA);
	if ((v ^ was) & WALK_EFER_NXE)
		originals.tlb_flush(cpu->cs);
	return true;
}

bool msr_read(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	const struct cpu_ops *ops = cpu->complex->ops;
	const struct msr *m = msr_find(msr);
	unsigned index;
	enum rule rule;

	if (msr == 0xc0000080)
		*value = AT(cpu->env, uint64_t, ENV_EFER);
	else if (mtrr_find(msr, &index, &rule))
		*value = cpu->mtrr[index];
	else if (mca_find(msr, &index))
		*value = cpu->mca[index];
	else if (!m)
		return ops->msr_read(cpu->complex->owner, cpu, msr, value);
	else if (!m->bytes)
		*value = m->value;
	else
		*value = m->bytes == 4 ? AT(cpu->env, uint32_t, m->offset)
				       : AT(cpu->env, uint64_t, m->offset);
	return true;
}

bool msr_write(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	const struct cpu_ops *ops = cpu->complex->ops;
	const struct msr *m = msr_find(msr);
	unsigned index;
	enum rule rule;

	if (msr == 0xc0000080)
		return efer_write(cpu, value);
	if (mtrr_find(msr, &index, &rule)) {
		if (!allowed(rule, value))
			return false;
		cpu->mtrr[index] = value;
		return true;
	}
	if (mca_find(msr, &index))
		return mca_write(cpu, index, value);
	if (!m)
		return ops->msr_write(cpu->complex->owner, cpu, msr, value);
	if (!allowed(m->rule, value))
		return false;
	if (m->bytes == 4)
		AT(cpu->env, uint32_t, m->offset) = (uint32_t)value;
	else if (m->bytes)
		AT(cpu->env, uint64_t, m->offset) = value;
	return true;
}
