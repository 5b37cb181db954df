/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/conformance/x87.c - states, operands and results of x87 and MMX forms.
 *
 * Not compared (docs/cpu.md, "Compared with hardware", says what differs): the
 * exception flags and C1; the pointers to the last instruction and operand;
 * words that the manual reserves in the saved environment; the exponents of
 * registers that MMX wrote.  Exceptions are masked; no instruction meets an
 * empty register that it reads or a full one that it pushes on; no number is a
 * pseudo-denormal.  Where the operands of a form are kept to a range, form.h
 * names it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "form.h"

#define INTEGER_BIT (UINT64_C(1) << 63)
#define BIAS        0x3fff

struct real80 {
	uint64_t mantissa;
	uint16_t exponent; /* and sign */
};

static uint16_t word(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static struct real80 real_get(const uint8_t *at)
{
	struct real80 r = {.exponent = word(at + 8)};

	memcpy(&r.mantissa, at, 8);
	return r;
}

static void real_put(uint8_t *at, struct real80 r)
{
	memcpy(at, &r.mantissa, 8);
	memcpy(at + 8, &r.exponent, 2);
}

/* Of any class: numbers, NaNs, denormals, unsupported encodings. */
static struct real80 any_real(void)
{
	static const struct real80 edges[] = {
		{0, 0x0000},
		{1, 0x0000},
		{INT64_MAX, 0x0000},
		{INTEGER_BIT, 0x0001},
		{INTEGER_BIT, 0x3ffe},
		{UINT64_MAX, 0x3ffe},
		{INTEGER_BIT, 0x3fff},
		{0xc90fdaa22168c235, 0x4000},
		{INT64_MAX, 0x4000}, /* unsupported */
		{0xa000000000000000, 0x4002},
		{UINT64_MAX, 0x403d},
		{INTEGER_BIT, 0x403e},
		{UINT64_MAX, 0x403e},
		{UINT64_MAX, 0x7ffe},
		{INTEGER_BIT, 0x7fff},
		{0xc000000000000000, 0x7fff},
		{0xc000000000000001, 0x7fff},
		{0xa000000000000001, 0x7fff}, /* signalling */
		{1, 0x7fff},                  /* unsupported */
	};
	struct real80 r = {.mantissa = draw() | INTEGER_BIT};
	unsigned k;

	switch (below(5)) {
	case 0:
		r = edges[below(sizeof(edges) / sizeof(edges[0]))];
		break;
	case 1: /* an integer */
		k = below(64);
		r.mantissa = r.mantissa >> k << k;
		r.exponent = (uint16_t)(BIAS + 63 - k);
		break;
	case 2: /* few bits */
		r.mantissa = (INTEGER_BIT | 1) | (uint64_t)below(8)
							 << (8 + below(52));
		r.exponent = (uint16_t)(BIAS - 15 + below(96));
		break;
	case 3:
		r.exponent = (uint16_t)(BIAS - 80 + below(160));
		break;
	default:
		r.exponent = (uint16_t)(1 + below(0x7ffe));
	}
	if (below(2))
		r.exponent |= 0x8000;
	return r;
}

/* Normal, with an exponent of `least` or up to `span - 1` more. */
static struct real80 normal(int least, unsigned span)
{
	struct real80 r = any_real();

	r.mantissa |= INTEGER_BIT;
	r.exponent = (uint16_t)((r.exponent & 0x8000) |
				(BIAS + least + (int)below(span)));
	return r;
}

static void quiet(uint8_t *at)
{
	struct real80 r = real_get(at);

	if ((r.exponent & 0x7fff) == 0x7fff && r.mantissa << 1)
		r.mantissa |= UINT64_C(3) << 62;
	real_put(at, r);
}

/* The operands that the form is tried with: ST(0) and ST(1). */
static void choose(const struct form *f, uint8_t *st0, uint8_t *st1)
{
	struct real80 a = real_get(st0), b = real_get(st1);

	switch (f->flags & RANGE) {
	case QUIET:
		quiet(st0);
		return;
	case CLASSES:
		if (a.exponent & 0x7fff)
			a.mantissa |= INTEGER_BIT;
		break;
	case INTEGER:
		a = normal(-4, 34);
		break;
	case DECIMAL:
		a = normal(0, 59);
		break;
	case FINITE:
		a = normal(-0x3000, 0x6000);
		break;
	case SCALE:
		a = normal(-0x1000, 0x2000);
		b = normal(-4, 16);
		break;
	case SHORT:
		a = normal(0, 12);
		b = normal(-13, 12);
		a.mantissa = a.mantissa >> 40 << 40;
		b.mantissa = b.mantissa >> 40 << 40;
		break;
	case ANGLE:
		a = normal(-12, 12);
		break;
	case UNIT:
		a = normal(-12, 12);
		break;
	case LOG:
		a = normal(below(2) ? 1 : -100, 99);
		a.exponent &= 0x7fff;
		b = normal(-100, 200);
		break;
	case LOG1:
		a = normal(-12, 10);
		b = normal(-100, 200);
		break;
	case ATAN:
		a = normal(-100, 10);
		b = normal(-105, 20);
		break;
	default:
		break;
	}
	real_put(st0, a);
	real_put(st1, b);
}

void x87_fill(const struct form *f, const struct insn *i, uint8_t fx[512])
{
	unsigned precision = below(3), rounding = below(4);
	unsigned status = (unsigned)draw() & 0x7f7f, top, control;
	uint32_t range = f->flags & RANGE;

	if (range == NEAREST)
		rounding = 0;
	if (range == SCALE)
		precision = 2;
	if (range == ENTERED)
		status &= ~0x3800u;
	top = status >> 11 & 7;
	/* Single, double, extended: 0, 2, 3. */
	control = 0x7f | (precision + (precision > 0)) << 8 | rounding << 10;
	fx[0] = (uint8_t)control;
	fx[1] = (uint8_t)(control >> 8);
	fx[2] = (uint8_t)status;
	fx[3] = (uint8_t)(status >> 8);
	fx[4] = below(4) ? (uint8_t)draw() : 0xff;
	if (range == ENTERED)
		fx[4] = 0xff;
	if (!(f->flags & STATUS)) {
		unsigned used = 1u << top | 1u << ((top + 1) & 7) |
				1u << ((top + i->index) & 7);

		fx[4] = (uint8_t)(fx[4] | used);
		if (f->flags & PUSH)
			fx[4] &= (uint8_t) ~(1u << ((top + 7) & 7));
	}
	for (unsigned k = 0; k < 8; k++)
		real_put(fx + 32 + 16 * k, any_real());
	choose(f, fx + 32, fx + 48);
}

static void packed_decimal(uint8_t *at)
{
	for (unsigned k = 0; k < 9; k++)
		at[k] = (uint8_t)(below(10) << 4 | below(10));
	at[9] = below(2) ? 0x80 : 0;
	if (below(2))
		memset(at + below(9), 0, 1);
	if (below(8) == 0)
		memset(at, 0, 9);
}

/* Words of an environment in memory; what the registers would be of FRSTOR. */
static void environment(uint8_t *at)
{
	memset(at, 0, 28);
	at[0] = 0x7f;
	at[1] = (uint8_t)(below(4) << 2 | 3);
	at[2] = at[3] = at[6] = at[7] = 0xff;
	at[4] = (uint8_t)below(128);
	at[5] = (uint8_t)below(128);
	at[8] = (uint8_t)draw();
	at[9] = (uint8_t)draw();
	for (unsigned k = 0; k < 8; k++)
		real_put(at + 28 + 10 * k, any_real());
}

static uint8_t *operand(const struct insn *i, struct state *s)
{
	return s->data + (s->gpr[i->base] - DATA_VA) + i->displacement;
}

void x87_operand(const struct form *f, const struct insn *i, struct state *s)
{
	uint8_t *at = operand(i, s);

	switch (f->flags & MEMORY) {
	case M80:
		real_put(at, any_real());
		break;
	case BCD:
		packed_decimal(at);
		break;
	case SAVED:
		environment(at);
		break;
	case FXAREA:
		memset(at, 0, 512);
		x87_fill(f, i, at);
		at[24] = 0x80; /* MXCSR 1F80h, any rounding */
		at[25] = (uint8_t)(0x1f | below(4) << 5);
		for (unsigned k = 160; k < 416; k += 8) {
			uint64_t v = lane();

			memcpy(at + k, &v, 8);
		}
		break;
	default:
		if (f->opcode == 0xd9 && f->digit == 5) { /* FLDCW */
			at[0] = 0x7f;
			at[1] &= 0x1f;
		}
		/* No signalling NaN of either size. */
		if ((f->flags & RANGE) == QUIET && (at[3] & 0x7f) == 0x7f)
			at[2] |= 0x40;
		if ((f->flags & RANGE) == QUIET && (at[7] & 0x7f) == 0x7f)
			at[6] |= 0x08;
	}
}

void x87_blank(const struct form *f, const struct insn *i, struct state *a,
	       struct state *b)
{
	uint8_t *at[2] = {operand(i, a), operand(i, b)};

	for (unsigned k = 0; k < 2; k++) {
		switch (f->flags & MEMORY) {
		case ENV:
			memset(at[k] + 2, 0, 2);
			memset(at[k] + 6, 0, 2);
			memset(at[k] + 10, 0, 18);
			break;
		case FXAREA:
			memset(at[k] + 6, 0, 18);
			memset(at[k] + 28, 0, 4); /* MXCSR_MASK */
			break;
		default:
			return;
		}
	}
}

static long double number(const uint8_t *at)
{
	long double x = 0;

	memcpy(&x, at, 10);
	return x;
}

/* What is computed in double precision; zero has no sign after FPREM. */
static bool near(const struct form *f, const uint8_t *x, const uint8_t *y)
{
	long double a = number(x), b = number(y), off = fabsl(a - b);

	switch (f->flags & RANGE) {
	case SHORT:
		return off == 0;
	case ANGLE:
	case UNIT:
		return off <= ldexpl(1, -50);
	case LOG:
	case ATAN:
		return off <= ldexpl(fabsl(a), -50);
	case LOG1:
		return off <= ldexpl(fabsl(a), -40);
	default:
		return false;
	}
}

const char *x87_differs(const struct form *f, const struct state *native,
			const struct state *ours)
{
	static char text[120];
	const uint8_t *a = native->fx, *b = ours->fx;
	unsigned status = 0x3800;

	if (f->flags & CODE1)
		status |= 0x0200;
	if (f->flags & CODES)
		status |= 0x4500;
	if (f->flags & STATUS)
		status = 0xfdff;
	for (unsigned i = 0; i < 8; i++) {
		const uint8_t *x = a + 32 + 16 * i, *y = b + 32 + 16 * i;

		if (memcmp(x, y, f->flags & MMX ? 8 : 10) == 0 || near(f, x, y))
			continue;
		snprintf(text, sizeof(text),
			 "st(%u): %04x:%016" PRIx64 ", native %04x:%016" PRIx64,
			 i, word(y + 8), real_get(y).mantissa, word(x + 8),
			 real_get(x).mantissa);
		return text;
	}
	if (word(a) != word(b))
		snprintf(text, sizeof(text), "FCW %04x, native %04x", word(b),
			 word(a));
	else if ((word(a + 2) ^ word(b + 2)) & status)
		snprintf(text, sizeof(text), "FSW %04x, native %04x",
			 word(b + 2) & status, word(a + 2) & status);
	else if (a[4] != b[4])
		snprintf(text, sizeof(text), "tags %02x, native %02x", b[4],
			 a[4]);
	else
		return NULL;
	return text;
}

void x87_print(const struct form *f, const struct insn *i,
	       const struct state *s)
{
	const uint8_t *at = s->fx;

	printf("  FCW %04x FSW %04x tags %02x, st", word(at), word(at + 2),
	       at[4]);
	for (unsigned k = 0; k < 2; k++)
		printf(" %04x:%016" PRIx64, word(at + 40 + 16 * k),
		       real_get(at + 32 + 16 * k).mantissa);
	if (f->operands == T) {
		at = operand(i, (struct state *)s);
		printf(", memory");
		for (unsigned k = 0; k < 10; k++)
			printf(" %02x", at[k]);
	}
	printf("\n");
}
