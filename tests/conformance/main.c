/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/conformance/main.c - random user-mode instructions, compared.
 *
 * usage: conformance CASES [SEED]
 * Prints each form that differed, with the first case; ends with status 1 if
 * any did.  A seed gives the same cases on every host.
 *
 * Not compared: flags that the manual leaves undefined; the exception flags of
 * MXCSR (docs/cpu.md); RFLAGS.RF after a fault; of the x87, what x87.c says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form.h"

static const struct form forms[] = {
#define FORM(name, prefix, map, opcode, digit, operands, immediate, flags)     \
	{name,  prefix,   map,       (uint8_t)(opcode),                        \
	 digit, operands, immediate, flags},
#include "forms.h"
#include "forms_x87.h"
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

static uint64_t seed;

uint64_t draw(void)
{
	uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

unsigned below(unsigned n)
{
	return (unsigned)(draw() % n);
}

/* Numbers at the edges are likelier than chance would have them. */
static uint64_t value(void)
{
	static const uint64_t edges[] = {0,          1,
					 2,          0x7f,
					 0x80,       0xff,
					 0x7fff,     0x8000,
					 0xffff,     0x7fffffff,
					 0x80000000, 0xffffffff,
					 INT64_MAX,  (uint64_t)INT64_MIN,
					 UINT64_MAX};

	switch (below(4)) {
	case 0:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return draw() >> below(64);
	default:
		return draw();
	}
}

/* Vectors hold numbers that floats like: of any kind, NaN and tiny included. */
uint64_t lane(void)
{
	static const uint64_t doubles[] = {
		0x3ff0000000000000, 0xbff0000000000000, 0x4024000000000000,
		0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001,
		0x7ff0000000000001, 0x0000000000000001, 0x000fffffffffffff,
		0x7fefffffffffffff, 0x41dfffffffc00000, 0xc1e0000000000000};
	static const uint32_t floats[] = {
		0x3f800000, 0xc0490fdb, 0x7f800000, 0xff800000, 0x7fc00001,
		0x7f800001, 0x00000001, 0x807fffff, 0x7f7fffff, 0x4f000000};

	switch (below(4)) {
	case 0:
		return doubles[below(sizeof(doubles) / 8)];
	case 1:
		return (uint64_t)floats[below(sizeof(floats) / 4)] << 32 |
		       floats[below(sizeof(floats) / 4)];
	default:
		return value();
	}
}

static void byte(struct insn *i, unsigned b)
{
	i->bytes[i->count++] = (uint8_t)b;
}

static void operand_bytes(struct insn *i, const struct form *f, bool memory)
{
	unsigned reg = f->digit < 0 ? below(8) : (unsigned)f->digit;
	/* Pointers: RBX, RBP, RSI, RDI. */
	static const uint8_t bases[] = {3, 5, 6, 7};

	if (f->operands == T) {
		/* Of up to 512 bytes: from the first two. */
		i->base = bases[below(2)];
		i->displacement = 16 * below(8);
		byte(i, 0x40 | reg << 3 | i->base);
		byte(i, i->displacement);
	} else if (f->operands == K) {
		byte(i, f->immediate);
	} else if (f->operands == R && !memory) {
		/* FLD ST(7) would read what it pushes on. */
		i->index = below(f->flags & PUSH ? 7 : 8);
		byte(i, 0xc0 | reg << 3 | i->index);
	} else if (memory) {
		byte(i, 0x40 | reg << 3 | bases[below(4)]);
		byte(i, f->operands == X || f->operands == M || f->operands == R
				? 16 * below(8)
				: below(128));
	} else {
		byte(i, 0xc0 | reg << 3 | below(8));
	}
}

static struct insn make(const struct form *f)
{
	struct insn i = {.size = 4};
	unsigned rex = 0;
	bool memory = f->operands == M || below(3) == 0, string;

	if (f->operands == R && (!(f->flags & MMX) || f->digit >= 0))
		memory = false;

	string = f->map == 1 && f->operands == N && f->opcode >= 0xa4 &&
		 f->opcode <= 0xaf;
	if (f->operands == V || string ||
	    (f->operands == N && !(f->flags & X87) && below(2)))
		i.size = 2u << below(3);
	if (f->operands == B)
		i.size = 1;
	if (f->map == 2 && f->opcode == 0xb1 && i.size == 4)
		i.size = 8; /* CMPXCHG of 32 bits: docs/cpu.md */
	if (i.size == 2 && f->prefix != 0x66)
		byte(&i, 0x66);
	if (string && below(2))
		byte(&i, below(2) ? 0xf3 : 0xf2);
	if (f->prefix)
		byte(&i, f->prefix);
	if (i.size == 8 || (f->operands == G && below(2)))
		rex = 0x48;
	if (f->opcode == 0x9e || f->opcode == 0x9f)
		rex = 0; /* LAHF, SAHF: docs/cpu.md */
	/* Registers 8 to 15; as a base only those that point. */
	if (f->operands != N && !(f->flags & X87) && below(2))
		rex |= 0x40 | (f->digit < 0 ? below(2) << 2 : 0) |
		       (memory ? 0 : below(2));
	if (rex)
		byte(&i, rex);
	if (f->map > 1)
		byte(&i, 0x0f);
	if (f->map > 2)
		byte(&i, f->map == 3 ? 0x38 : 0x3a);
	byte(&i, f->opcode);
	if (f->operands != N)
		operand_bytes(&i, f, memory);
	i.by_cl = f->opcode == 0xd2 || f->opcode == 0xd3;
	if (f->immediate && f->operands != K) {
		unsigned n = f->immediate == 9 ? (i.size == 2 ? 2 : 4)
					       : f->immediate;

		i.immediate = (uint8_t)draw();
		/* Reserved predicates of CMPPS would be AVX's. */
		if (f->map == 2 && f->opcode == 0xc2)
			i.immediate &= 7;
		byte(&i, i.immediate);
		while (--n)
			byte(&i, (unsigned)draw() & 255);
	}
	return i;
}

static void fill(struct state *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 16; i++)
		s->gpr[i] = value();
	/* What points, points into the data. */
	s->gpr[3] = DATA_VA + 16 * below(16);
	s->gpr[5] = DATA_VA + 16 * below(16);
	s->gpr[6] = DATA_VA + 256 + 16 * below(16);
	s->gpr[7] = DATA_VA + 512 + 16 * below(16);
	s->gpr[1] &= 31; /* REP */
	s->rflags = (draw() & 0xcd5) | 0x202;
	s->fx[0] = 0x7f; /* FCW 037Fh */
	s->fx[1] = 0x03;
	s->fx[24] = 0x80; /* MXCSR 1F80h, any rounding */
	s->fx[25] = (uint8_t)(0x1f | below(4) << 5);
	s->fx[28] = s->fx[29] = 0xff;
	for (unsigned i = 0; i < 32; i++) {
		uint64_t v = lane();

		memcpy(s->fx + 160 + 8 * i, &v, 8);
	}
	for (unsigned i = 0; i < DATA_BYTES / 8; i++) {
		uint64_t v = lane();

		memcpy(s->data + 8 * i, &v, 8);
	}
}

/* SDM volume 2, SAL/SAR/SHL/SHR and RCL/RCR/ROL/ROR: by the masked count. */
static uint32_t defined(const struct form *f, const struct insn *i,
			const struct state *before)
{
	unsigned count = 1;

	if (!(f->flags & (SHIFT | ROTATE)))
		return f->flags & ALL;
	if (i->by_cl)
		count = (unsigned)before->gpr[1];
	else if (f->immediate)
		count = i->immediate;
	count &= i->size == 8 ? 63 : 31;
	if (count == 0)
		return ALL;
	if (f->flags & ROTATE)
		return (ALL & ~(uint32_t)O) | (count == 1 ? O : 0);
	return P | Z | S | D | (count == 1 ? O : 0) |
	       (count <= 8 * i->size ? C : 0);
}

static bool is_nan32(uint32_t x)
{
	return (x & 0x7fffffff) > 0x7f800000;
}

static bool is_nan64(uint64_t x)
{
	return (x & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

/* Which NaN comes out of two is the engine's weak side (docs/cpu.md). */
static bool same_but_nan(const uint8_t *x, const uint8_t *y)
{
	uint64_t a[2], b[2];

	memcpy(a, x, 16);
	memcpy(b, y, 16);
	for (unsigned i = 0; i < 2; i++) {
		if (is_nan64(a[i]) && is_nan64(b[i]))
			continue;
		for (unsigned k = 0; k < 64; k += 32) {
			uint32_t l = (uint32_t)(a[i] >> k);
			uint32_t r = (uint32_t)(b[i] >> k);

			if (l != r && !(is_nan32(l) && is_nan32(r)))
				return false;
		}
	}
	return true;
}

/* The first thing that differs, or NULL. */
static const char *differs(const struct state *a, const struct state *b,
			   uint32_t flags, bool nan)
{
	static char text[80];

	if (a->vector != b->vector) {
		snprintf(text, sizeof(text), "vector %d, native %d",
			 (int)b->vector, (int)a->vector);
		return text;
	}
	for (unsigned i = 0; i < 16; i++) {
		if (a->gpr[i] != b->gpr[i]) {
			snprintf(text, sizeof(text),
				 "register %u: %" PRIx64 ", native %" PRIx64, i,
				 b->gpr[i], a->gpr[i]);
			return text;
		}
	}
	if (a->vector == NO_VECTOR && ((a->rflags ^ b->rflags) & flags)) {
		snprintf(text, sizeof(text),
			 "flags %" PRIx64 ", native %" PRIx64,
			 b->rflags & flags, a->rflags & flags);
		return text;
	}
	for (unsigned i = 0; i < 16; i++) {
		const uint8_t *x = a->fx + 160 + 16 * i;
		const uint8_t *y = b->fx + 160 + 16 * i;
		uint64_t v[4];

		if (memcmp(x, y, 16) == 0 || (nan && same_but_nan(x, y)))
			continue;
		memcpy(v, y, 16);
		memcpy(v + 2, x, 16);
		snprintf(text, sizeof(text),
			 "xmm%u: %" PRIx64 ":%" PRIx64 ", native %" PRIx64
			 ":%" PRIx64,
			 i, v[1], v[0], v[3], v[2]);
		return text;
	}
	for (unsigned i = 0; i < DATA_BYTES; i += 8) {
		uint64_t v[2];

		if (memcmp(a->data + i, b->data + i, 8) == 0)
			continue;
		memcpy(&v[0], b->data + i, 8);
		memcpy(&v[1], a->data + i, 8);
		snprintf(text, sizeof(text),
			 "memory at %x: %" PRIx64 ", native %" PRIx64, i, v[0],
			 v[1]);
		return text;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static uint64_t bad[FORMS];
	static struct state start, native, ours;
	uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, total = 0;

	if (argc < 2 || argc > 3 || !cases) {
		fprintf(stderr, "usage: conformance CASES [SEED]\n");
		return 2;
	}
	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (!native_open() || !ours_open())
		return 7;
	for (uint64_t n = 0; n < cases; n++) {
		const struct form *f = &forms[n % FORMS];
		struct insn i = make(f);
		const char *what;

		fill(&start);
		if (f->flags & X87)
			x87_fill(f, &i, start.fx);
		if (f->operands == T)
			x87_operand(f, &i, &start);
		native = ours = start;
		native_run(&native, i.bytes, i.count);
		ours_run(&ours, i.bytes, i.count);
		if (f->operands == T)
			x87_blank(f, &i, &native, &ours);
		what = differs(&native, &ours, defined(f, &i, &start),
			       f->flags & FLOAT);
		if (!what)
			what = x87_differs(f, &native, &ours);
		if (!what)
			continue;
		total++;
		if (bad[f - forms]++)
			continue;
		printf("case %" PRIu64 ": %s:", n, f->name);
		for (size_t k = 0; k < i.count; k++)
			printf(" %02x", i.bytes[k]);
		printf(": %s\n", what);
		if (f->flags & X87)
			x87_print(f, &i, &start);
	}
	for (size_t k = 0; k < FORMS; k++) {
		if (bad[k])
			printf("%8" PRIu64 "  %s\n", bad[k], forms[k].name);
	}
	printf("%" PRIu64 " cases of %zu forms, %" PRIu64 " differ\n", cases,
	       FORMS, total);
	return total != 0;
}
