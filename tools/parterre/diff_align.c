/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/diff_align.c - see diff_align.h. */
#include "tools/parterre/diff_align.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/digest.h"

#define INSNS_MAX    4096 /* of a function; what is behind is not looked at */
#define CODE_BYTES   16
#define OBJECT_BYTES 65536 /* of a variable that are compared */
#define FORM         256
#define SMALL        4096 /* no address in any program */

/* --- names --- */

void align_plain_name(char *to, size_t bytes, const char *name)
{
	size_t n = strcspn(name, ".");

	snprintf(to, bytes, "%.*s", (int)(n ? n : strlen(name)), name);
}

static bool same_plain(const char *a, const char *b)
{
	char s[ALIGN_TEXT], t[ALIGN_TEXT];

	align_plain_name(s, sizeof(s), a);
	align_plain_name(t, sizeof(t), b);
	return strcmp(s, t) == 0;
}

/* --- what an address means --- */

struct form {
	const struct symbols *program;
	const char *function; /* the one that is written */
	bool registers;       /* with regard to them */
	char *text;
	size_t n;
	char *data; /* ALIGN_TEXT: the variable or text; may be NULL */
};

static void PRINTF_LIKE(2, 3) put(struct form *f, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(f->text + f->n, FORM - f->n, fmt, args);
	va_end(args);
	f->n += (size_t)n;
	if (f->n >= FORM)
		f->n = FORM - 1;
}

/* A word of data: an address by what it names, as those lie elsewhere. */
static uint64_t fold_word(const struct symbols *p, uint64_t hash, uint64_t word)
{
	char name[ALIGN_TEXT];
	uint64_t offset, bytes;
	const char *s = NULL;

	if (word >= SMALL) {
		s = symbols_function(p, word, &offset);
		if (!s)
			s = symbols_object(p, word, &offset, &bytes);
	}
	if (!s)
		return digest_fold(hash, &word, sizeof(word));
	align_plain_name(name, sizeof(name), s);
	return digest_fold(hash, name, strlen(name));
}

static bool names_something(const struct symbols *p, uint64_t word)
{
	uint64_t offset, bytes;

	return word >= SMALL && (symbols_function(p, word, &offset) ||
				 symbols_object(p, word, &offset, &bytes));
}

static uint64_t contents(const struct symbols *p, vaddr_t va, uint64_t bytes)
{
	uint64_t hash = bytes, word;

	if (bytes > OBJECT_BYTES)
		bytes = OBJECT_BYTES;
	for (uint64_t i = 0; i < bytes; i += sizeof(word)) {
		size_t n = bytes - i < sizeof(word) ? (size_t)(bytes - i)
						    : sizeof(word);

		word = 0;
		if (!symbols_code(p, va + i, &word, n))
			break; /* not initialised */
		hash = fold_word(p, hash, word);
	}
	return hash;
}

static bool put_text_constant(struct form *f, vaddr_t va)
{
	char text[64];
	size_t n = symbols_code(f->program, va, text, sizeof(text) - 1), i = 0;

	while (i < n && (isprint((unsigned char)text[i]) || text[i] == '\n'))
		i++;
	if (!i || (i < n && text[i]))
		return false;
	text[i] = '\0';
	put(f, "\"%s\"", text);
	if (f->data)
		snprintf(f->data, ALIGN_TEXT, "the text \"%.*s\"",
			 (int)strcspn(text, "\n"), text);
	return true;
}

/* False: it is no address in the program. */
static bool put_address(struct form *f, uint64_t va)
{
	uint64_t offset, bytes, word = 0;
	const char *name;
	char plain[ALIGN_TEXT];

	if (va < SMALL)
		return false;
	name = symbols_object(f->program, va, &offset, &bytes);
	if (name) {
		align_plain_name(plain, sizeof(plain), name);
		put(f, "{%s+%" PRIx64 " %" PRIx64 "}", plain, offset,
		    contents(f->program, va - offset, bytes));
		if (f->data)
			snprintf(f->data, ALIGN_TEXT, "%s", plain);
		return true;
	}
	name = symbols_function(f->program, va, &offset);
	if (name) {
		align_plain_name(plain, sizeof(plain), name);
		if (strcmp(name, f->function) == 0)
			put(f, "{here}");
		else
			put(f, "{%s+%" PRIx64 "}", plain, offset);
		return true;
	}
	if (!symbols_code(f->program, va, &word, sizeof(word)))
		return false;
	/* A table of jumps looks like a text. */
	if (names_something(f->program, word) || !put_text_constant(f, va))
		put(f, "{%" PRIx64 "}", fold_word(f->program, 0, word));
	return true;
}

/* --- the form of an instruction --- */

/* Its width in bits; 0: no register of the sixteen. */
static unsigned register_bits(const char *name, size_t n)
{
	static const char *const old[] = {"ax", "bx", "cx", "dx",
					  "si", "di", "bp"};
	char c = n ? name[n - 1] : 0;

	if (n >= 2 && name[0] == 'r' && isdigit((unsigned char)name[1]))
		return c == 'd' ? 32 : c == 'w' ? 16 : c == 'b' ? 8 : 64;
	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		if (n == 3 && memcmp(name + 1, old[i], 2) == 0 &&
		    (*name == 'r' || *name == 'e'))
			return *name == 'r' ? 64 : 32;
		if (n == 2 && memcmp(name, old[i], 2) == 0)
			return 16;
		if (n == 3 && memcmp(name, old[i], 2) == 0 && c == 'l')
			return 8;
	}
	if (n == 2 && strchr("abcd", name[0]) && (c == 'l' || c == 'h'))
		return 8;
	return 0;
}

static void put_word(struct form *f, const char *word, size_t n)
{
	unsigned bits = f->registers ? 0 : register_bits(word, n);

	if (bits)
		put(f, "%%%u", bits);
	else
		put(f, "%.*s", (int)n, word);
}

/* `behind`: the address of the instruction behind it. */
static void write_form(struct form *f, const struct align_insn *in)
{
	const char *s = in->text;
	vaddr_t behind = in->va + in->bytes;

	f->n = 0;
	f->text[0] = '\0';
	while (*s) {
		size_t n = 0;

		while (isalpha((unsigned char)s[n]) ||
		       (n && isalnum((unsigned char)s[n])))
			n++;
		if (n == 3 && memcmp(s, "rip", 3) == 0 && strlen(s) > 6 &&
		    isdigit((unsigned char)s[6])) { /* "rip + 0x12" */
			char *end;
			uint64_t off = strtoull(s + 6, &end, 0);
			uint64_t va = s[4] == '-' ? behind - off : behind + off;

			if (!put_address(f, va))
				put(f, "{?}");
			s = end;
		} else if (n == 3 && memcmp(s, "rsp", 3) == 0 &&
			   !f->registers) { /* where on the stack */
			put(f, "rsp");
			s += n;
			n = strspn(s, " +-,");
			if (isdigit((unsigned char)s[n]))
				(void)strtoull(s + n, (char **)(uintptr_t)&s,
					       0);
		} else if (n) {
			put_word(f, s, n);
			s += n;
		} else if (isdigit((unsigned char)*s)) {
			char *end;
			uint64_t number = strtoull(s, &end, 0);
			bool minus = s - in->text > 1 && s[-2] == '-';

			if (!put_address(f, minus ? 0 - number : number))
				put(f, "%" PRIx64, number);
			s = end;
		} else {
			put(f, "%c", *s++);
		}
	}
}

/* Only carries a value from one place to another: where it is kept differs
 * when anything else does. */
static bool is_carrying(const char *form)
{
	static const char *const forms[] = {
		"mov %64, %64", "mov %32, %32", "mov %16, %16", "mov %8, %8",
		"push %64",     "pop %64",      "nop",
	};
	const char *at = strstr(form, "[rsp]");

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strncmp(form, forms[i], strlen(forms[i])) == 0)
			return true;
	}
	return strncmp(form, "mov", 3) == 0 && at &&
	       (strchr(form, '%') || strchr(at, '%'));
}

/* --- a function --- */

static void read_side(struct align_side *s, struct decoder *d,
		      const char *function)
{
	uint64_t offset = 0;
	size_t room = 0;
	vaddr_t va = s->begin;

	while (s->count < INSNS_MAX) {
		const char *name = symbols_function(s->program, va, &offset);
		uint8_t code[CODE_BYTES];
		struct decoded in = {0};
		size_t n;

		if (!name || strcmp(name, function) != 0 ||
		    offset != va - s->begin)
			return;
		n = symbols_code(s->program, va, code, sizeof(code));
		if (n)
			decoder_look(d, code, n, va, &in);
		if (!in.bytes)
			return;
		if (s->count == room) {
			room = room ? 2 * room : 64;
			s->insn = realloc(s->insn, room * sizeof(*s->insn));
			CHECK(s->insn);
		}
		s->insn[s->count] = (struct align_insn){
			.va = va, .bytes = in.bytes, .other = SIZE_MAX};
		memcpy(s->insn[s->count].text, in.text, sizeof(in.text));
		s->count++;
		va += in.bytes;
	}
}

static uint64_t *forms(struct align_side *s, const char *function,
		       bool registers)
{
	uint64_t *hash = calloc(s->count + 1, sizeof(*hash));
	char text[FORM];
	struct form f = {.program = s->program,
			 .function = function,
			 .registers = registers,
			 .text = text};

	CHECK(hash && s->step);
	s->steps = 0;
	for (size_t i = 0; i < s->count; i++) {
		f.data = s->insn[i].data;
		write_form(&f, &s->insn[i]);
		if (!registers && is_carrying(text))
			continue;
		s->step[s->steps] = i;
		hash[s->steps++] = digest_fold(0, text, f.n);
	}
	return hash;
}

/* --- what is the same --- */

/* Steps [i, a) of one and [j, b) of the other have nothing in common: they are
 * each other's. */
static void differ(struct alignment *al, size_t i, size_t a, size_t j, size_t b)
{
	struct align_side *x = &al->side[0], *y = &al->side[1];

	if (i < a || j < b)
		al->same = false;
	for (size_t k = i; k < a; k++) {
		x->insn[x->step[k]].differs = true;
		if (j + (k - i) < b)
			x->insn[x->step[k]].other = y->step[j + (k - i)];
	}
	for (size_t k = j; k < b; k++) {
		y->insn[y->step[k]].differs = true;
		if (i + (k - j) < a)
			y->insn[y->step[k]].other = x->step[i + (k - j)];
	}
}

/* lengths[(i, j)]: of the longest common sequence of x from i on and y from j
 * on. */
static uint16_t *common(const uint64_t *x, size_t n, const uint64_t *y,
			size_t m)
{
	size_t wide = m + 1;
	uint16_t *length = calloc((n + 1) * wide, sizeof(*length));

	CHECK_MSG(length, "out of memory for a comparison");
	for (size_t i = n; i-- > 0;) {
		for (size_t j = m; j-- > 0;) {
			uint16_t down = length[(i + 1) * wide + j];
			uint16_t right = length[i * wide + j + 1];
			uint16_t both = length[(i + 1) * wide + j + 1];

			length[i * wide + j] = x[i] == y[j]
						       ? (uint16_t)(both + 1)
					       : down > right ? down
							      : right;
		}
	}
	return length;
}

static void align(struct alignment *al, const uint64_t *x, const uint64_t *y)
{
	size_t n = al->side[0].steps, m = al->side[1].steps, from = 0;
	size_t i = 0, j = 0, gap = 0, gap2 = 0, wide;
	uint16_t *length;

	while (from < n && from < m && x[from] == y[from])
		from++;
	while (n > from && m > from && x[n - 1] == y[m - 1])
		n--, m--;
	x += from;
	y += from;
	n -= from;
	m -= from;
	wide = m + 1;
	length = common(x, n, y, m);
	while (i < n && j < m) {
		if (x[i] == y[j]) {
			differ(al, from + gap, from + i, from + gap2, from + j);
			gap = ++i;
			gap2 = ++j;
		} else if (length[(i + 1) * wide + j] >=
			   length[i * wide + j + 1]) {
			i++;
		} else {
			j++;
		}
	}
	differ(al, from + gap, from + n, from + gap2, from + m);
	free(length);
}

static void align_by(struct alignment *al, const char *name, const char *other,
		     bool registers)
{
	uint64_t *x = forms(&al->side[0], name, registers);
	uint64_t *y = forms(&al->side[1], other, registers);

	align(al, x, y);
	free(x);
	free(y);
}

struct alignment *align_functions(struct decoder *d, const struct symbols *p,
				  vaddr_t a, const struct symbols *q, vaddr_t b)
{
	struct alignment *al = calloc(1, sizeof(*al));
	uint64_t offset;
	const char *name = symbols_function(p, a, &offset);
	const char *other = symbols_function(q, b, &offset);

	CHECK(al && name && other && same_plain(name, other));
	al->same = true;
	al->side[0] = (struct align_side){.program = p, .begin = a};
	al->side[1] = (struct align_side){.program = q, .begin = b};
	read_side(&al->side[0], d, name);
	read_side(&al->side[1], d, other);
	for (int i = 0; i < 2; i++) {
		al->side[i].step = calloc(al->side[i].count + 1,
					  sizeof(*al->side[i].step));
		CHECK(al->side[i].step);
	}
	align_by(al, name, other, false);
	if (al->same)
		align_by(al, name, other, true);
	return al;
}

void align_free(struct alignment *al)
{
	for (int i = 0; i < 2; i++) {
		free(al->side[i].insn);
		free(al->side[i].step);
	}
	free(al);
}

const struct align_insn *align_at(const struct align_side *s, vaddr_t va)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->insn[middle].va < va)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->count && s->insn[low].va == va ? &s->insn[low] : NULL;
}
