/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/guest/bench.c - the kernels of tests/bench/speed.
 *
 * The command line is "NAME N": which kernel, how much of it.  Each prints a
 * number that depends on all that it did, so that two simulators that print the
 * same did the same.
 */
#include <stddef.h>
#include <stdint.h>

extern uint64_t top[512], pointers[512], system_calls;
void user_loop(uint64_t n);
int main(const uint32_t *info);
void map_page(uint64_t address);

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put(const char *s)
{
	for (; *s; s++) {
		while (!(in8(0x3FD) & 0x20))
			;
		out8(0x3F8, (uint8_t)*s);
	}
}

static uint64_t random_state = 88172645463325252;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* --- straight arithmetic --- */

static uint64_t alu(uint64_t n)
{
	uint64_t a = 1, b = 2, c = 3, d = 5;

	for (uint64_t i = 0; i < n; i++) {
		a += b ^ (c << 3);
		b = (b >> 7 | b << 57) + i;
		c ^= a * 31;
		d = (d + c) ^ (b >> 2);
		a -= d & 0xff00ff;
		b ^= d << 5;
		c += a >> 11;
		d *= 17;
	}
	return a ^ b ^ c ^ d;
}

/* --- branches that no one can foresee, calls, jumps through tables --- */

__attribute__((noinline)) static uint64_t step_even(uint64_t x)
{
	return x >> 1;
}

__attribute__((noinline)) static uint64_t step_odd(uint64_t x)
{
	return 3 * x + 1;
}

__attribute__((noinline)) static uint64_t visit(uint64_t (*f)(uint64_t),
						uint64_t x)
{
	return f(x);
}

static uint64_t branchy(uint64_t n)
{
	static uint64_t (*const steps[2])(uint64_t) = {step_even, step_odd};
	uint64_t sum = 0;

	for (uint64_t i = 1; i <= n; i++) {
		for (uint64_t x = draw() & 0xffff; x > 1;) {
			x = visit(steps[x & 1], x);
			if (x & 8)
				sum += x;
			else if (x & 2)
				sum ^= x;
			switch (x & 7) {
			case 0:
				sum++;
				break;
			case 3:
				sum ^= 0x55;
				break;
			case 5:
				sum += 7;
				break;
			default:
				break;
			}
		}
	}
	return sum;
}

/* --- loads and stores over 4 MiB --- */

#define WORDS (1u << 19)
static uint64_t words[WORDS];

static uint64_t memory(uint64_t n)
{
	uint64_t sum = 0, at = 0;

	for (size_t i = 0; i < WORDS; i++)
		words[i] = draw();
	for (uint64_t k = 0; k < n; k++) {
		for (size_t i = 0; i + 4 < WORDS; i += 4) {
			words[i] += words[i + 1];
			words[i + 2] = words[i] ^ words[i + 3];
		}
		for (size_t i = 0; i < WORDS / 8; i++) {
			at = (words[at] + i) % WORDS;
			sum += at;
		}
		for (size_t i = 0; i < WORDS / 2; i++)
			((uint8_t *)words)[i] = (uint8_t)(sum + i);
	}
	return sum;
}

/* --- system calls --- */

static uint64_t syscalls(uint64_t n)
{
	user_loop(n);
	return system_calls;
}

/* --- page faults: 512 pages at 4 GiB, taken away again and again --- */

#define FAR_PAGE UINT64_C(0x100000000)
static uint64_t far_directory[512] __attribute__((aligned(4096)));
static uint64_t far_table[512] __attribute__((aligned(4096)));
static uint8_t frames[512][4096] __attribute__((aligned(4096)));
static uint64_t page_faults;

void map_page(uint64_t address)
{
	size_t i = address >> 12 & 511;

	far_table[i] = (uintptr_t)frames[i] | 3;
	page_faults++;
}

static void map_far(uint64_t *root)
{
	((uint64_t *)(root[0] & ~UINT64_C(0xfff)))[4] =
		(uintptr_t)far_directory | 3;
	far_directory[0] = (uintptr_t)far_table | 3;
}

static uint64_t pagefaults(uint64_t n)
{
	uint64_t sum = 0;

	map_far(top);
	for (uint64_t k = 0; k < n; k++) {
		for (size_t i = 0; i < 512; i++) {
			volatile uint64_t *p =
				(uint64_t *)(FAR_PAGE + i * 4096);

			*p += k;
			sum += *p;
		}
		for (size_t i = 0; i < 512; i++) {
			far_table[i] = 0;
			__asm__ volatile("invlpg (%0)"
					 :
					 : "r"(FAR_PAGE + i * 4096)
					 : "memory");
		}
	}
	return sum ^ page_faults;
}

/* --- two address spaces by turns, each with 32 pages to look at --- */

static uint64_t other_top[512] __attribute__((aligned(4096)));

static uint64_t switches(uint64_t n)
{
	uint64_t sum = 0;
	uint64_t *roots[2] = {top, other_top};

	for (size_t i = 0; i < 512; i++)
		other_top[i] = top[i];
	map_far(top);
	for (size_t i = 0; i < 512; i++)
		map_page(FAR_PAGE + i * 4096);
	for (uint64_t k = 0; k < n; k++) {
		__asm__ volatile("mov %0, %%cr3"
				 :
				 : "r"(roots[k & 1])
				 : "memory");
		for (size_t i = 0; i < 32; i++) {
			volatile uint64_t *p =
				(uint64_t *)(FAR_PAGE + i * 4096);

			for (size_t j = 0; j < 4; j++)
				p[j] += k + j;
			sum += p[1];
		}
	}
	return sum;
}

/* --- a program of the usual kind: lists, matrices, states, checksums --- */

struct node {
	struct node *next;
	int16_t key, value;
};

static struct node nodes[256];

static struct node *sorted(struct node *list)
{
	for (size_t width = 1;; width *= 2) {
		struct node *p = list, *tail = NULL;
		size_t merges = 0;

		list = NULL;
		while (p) {
			struct node *q = p;
			size_t left = 0, right = width;

			merges++;
			for (; left < width && q; left++)
				q = q->next;
			while (left || (right && q)) {
				struct node *e;

				if (!left || (right && q && q->key < p->key)) {
					e = q;
					q = q->next;
					right--;
				} else {
					e = p;
					p = p->next;
					left--;
				}
				if (tail)
					tail->next = e;
				else
					list = e;
				tail = e;
			}
			p = q;
		}
		tail->next = NULL;
		if (merges <= 1)
			return list;
	}
}

static uint16_t crc(uint16_t c, uint16_t data)
{
	for (unsigned i = 0; i < 16; i++) {
		c = (uint16_t)((c ^ data) & 1 ? c >> 1 ^ 0xA001 : c >> 1);
		data >>= 1;
	}
	return c;
}

#define SIDE 16

static uint16_t matrices(uint16_t c, uint64_t k)
{
	static int16_t a[SIDE][SIDE], b[SIDE][SIDE];
	static int32_t r[SIDE][SIDE];

	for (size_t i = 0; i < SIDE; i++) {
		for (size_t j = 0; j < SIDE; j++) {
			a[i][j] = (int16_t)(i * j + k);
			b[i][j] = (int16_t)(i - j + k);
		}
	}
	for (size_t i = 0; i < SIDE; i++) {
		for (size_t j = 0; j < SIDE; j++) {
			int32_t sum = 0;

			for (size_t l = 0; l < SIDE; l++)
				sum += a[i][l] * b[l][j];
			r[i][j] = sum;
		}
	}
	for (size_t i = 0; i < SIDE; i++)
		c = crc(c, (uint16_t)r[i][SIDE - 1 - i]);
	return c;
}

static uint16_t states(uint16_t c)
{
	static const char text[] =
		"5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,"
		"5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,"
		"1T3.4e4z,34.0e-T^,";
	enum {
		START,
		INTEGER,
		FRACTION,
		EXPONENT,
		BAD,
		COUNT
	} state = START;
	uint16_t seen[COUNT] = {0};

	for (const char *p = text; *p; p++) {
		seen[state]++;
		if (*p == ',') {
			state = START;
			continue;
		}
		switch (state) {
		case START:
			state = *p == '+' || *p == '-' ||
						(*p >= '0' && *p <= '9')
					? INTEGER
				: *p == '.' ? FRACTION
					    : BAD;
			break;
		case INTEGER:
			if (*p == '.')
				state = FRACTION;
			else if (*p == 'e')
				state = EXPONENT;
			else if (*p < '0' || *p > '9')
				state = BAD;
			break;
		case FRACTION:
			if (*p == 'e')
				state = EXPONENT;
			else if (*p < '0' || *p > '9')
				state = BAD;
			break;
		case EXPONENT:
			if (*p != '+' && *p != '-' && (*p < '0' || *p > '9'))
				state = BAD;
			break;
		default:
			break;
		}
	}
	for (size_t i = 0; i < COUNT; i++)
		c = crc(c, seen[i]);
	return c;
}

static uint64_t program(uint64_t n)
{
	uint16_t c = 0xffff;

	for (uint64_t k = 0; k < n; k++) {
		struct node *list = NULL;

		for (size_t i = 0; i < 256; i++) {
			nodes[i].key = (int16_t)draw();
			nodes[i].value = (int16_t)(i ^ k);
			nodes[i].next = list;
			list = &nodes[i];
		}
		for (list = sorted(list); list; list = list->next)
			c = (uint16_t)(c * 31 + list->value);
		for (unsigned i = 0; i < 4; i++)
			c = states(matrices(c, k + i));
	}
	return c;
}

static const struct {
	const char *name;
	uint64_t (*run)(uint64_t n);
} kernels[] = {
	{"alu", alu},
	{"branchy", branchy},
	{"memory", memory},
	{"syscalls", syscalls},
	{"pagefaults", pagefaults},
	{"switches", switches},
	{"program", program},
};

/* QEMU puts the kernel's path before the command line: take the last two
 * words. */
int main(const uint32_t *info)
{
	const char *line = (const char *)(uintptr_t)info[4];
	const char *name = line, *number = line;
	uint64_t n = 0, value;
	char text[20];

	for (const char *p = line; *p; p++) {
		if (*p == ' ') {
			name = number;
			number = p + 1;
		}
	}
	for (; *number >= '0' && *number <= '9'; number++)
		n = 10 * n + (uint64_t)(*number - '0');
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		size_t at = 0;

		while (kernels[i].name[at] && kernels[i].name[at] == name[at])
			at++;
		if (kernels[i].name[at] || name[at] != ' ')
			continue;
		value = kernels[i].run(n);
		for (size_t k = 0; k < 16; k++)
			text[k] =
				"0123456789abcdef"[value >> (60 - 4 * k) & 15];
		text[16] = '\n';
		text[17] = 0;
		put(text);
		return 0;
	}
	put("no such kernel\n");
	return 1;
}
