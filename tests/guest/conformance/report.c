/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/report.c */
#include "report.h"

#include <stdbool.h>

#define COM1 0x3f8
#define EXIT 0xf4

#define LINE_MAX   1024
#define EVENTS_MAX 24

word test_from, test_go_on, test_skip;

static char line[LINE_MAX];
static unsigned line_length, events;
static const char *wanted;

/* What came, as a test may name it: events; with their places; with notes. */
enum view {
	EVENTS = 1,
	PLACES = 2,
	NOTES = 4
};
static struct {
	char text[LINE_MAX];
	unsigned length;
} seen[3];

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* Sixteen bytes at a time, as many as the FIFO holds.  Looking at the port
 * costs much more host time than counting does. */
static void transmit(const char *text, unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		while (i % 16 == 0 && !(in8(COM1 + 5) & 0x20)) {
			for (volatile unsigned k = 0; k < 10000; k++)
				;
		}
		out8(COM1, (uint8_t)text[i]);
	}
}

void report_open(void)
{
	out8(0x21, 0xff); /* no interrupts from the 8259s */
	out8(0xa1, 0xff);
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 0x83);
	out8(COM1, 1); /* 115200 baud */
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 3);
	out8(COM1 + 2, 7);
}

static void put(char c)
{
	if (line_length < LINE_MAX - 1)
		line[line_length++] = c;
}

static void put_text(const char *text)
{
	while (*text)
		put(*text++);
}

static void put_hex(word value, unsigned digits)
{
	unsigned n = 2 * sizeof(word);

	while (n > digits && !(value >> (4 * (n - 1))))
		n--;
	while (n--)
		put("0123456789abcdef"[value >> (4 * n) & 15]);
}

static void put_named(const char *name, word value)
{
	put_text(name);
	put_hex(value, 1);
}

/* What stands in the line from there on goes into those views; `apart`: as a
 * word of its own. */
static void put_seen(unsigned from, unsigned views, bool apart)
{
	for (unsigned v = 0; v < 3; v++) {
		if (!(views >> v & 1))
			continue;
		if (apart && seen[v].length)
			seen[v].text[seen[v].length++] = ' ';
		for (unsigned i = from; i < line_length; i++)
			seen[v].text[seen[v].length++] = line[i];
		seen[v].text[seen[v].length] = 0;
	}
}

void report_begin(const char *name, const char *wants)
{
	line_length = events = 0;
	for (unsigned v = 0; v < 3; v++)
		seen[v].length = seen[v].text[0] = 0;
	wanted = wants;
	test_go_on = test_skip = 0;
	put_text(name);
	put(':');
}

void report_note(word value)
{
	unsigned from;

	put_text(events++ ? ", " : " ");
	from = line_length;
	put_named("=", value);
	put_seen(from, NOTES, true);
}

/* Words of the frame, from the stack that it lies on. */
static unsigned frame_words(const word *frame)
{
	word at = (word)frame;

	for (unsigned i = 0; stack_tops[i]; i++) {
		if (stack_tops[i] - at <= 64 * sizeof(word))
			return (unsigned)((stack_tops[i] - at) / sizeof(word));
	}
	return 0;
}

static void put_dr6(void)
{
	word value;

	__asm__ volatile("mov %%db6, %0" : "=r"(value));
	put_named(" dr6 ", value);
	__asm__ volatile("mov %0, %%db6" : : "r"((word)0xffff0ff0));
}

/* How far behind the test's first instruction. */
static void put_place(word ip)
{
	unsigned from;

	put(' ');
	from = line_length;
	put(ip < test_from ? '-' : '+');
	put_hex(ip < test_from ? test_from - ip : ip - test_from, 1);
	put_seen(from, PLACES, false);
}

enum then report_event(word vector, word *frame)
{
	unsigned words = frame_words(frame), from;
	word at = (word)frame;
	bool error =
		vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
	word value;

	put_text(events++ ? ", " : " ");
	from = line_length;
	put_hex(vector, 2);
	if (error) {
		put(':');
		put_hex(*frame++, 4);
	}
	put_seen(from, EVENTS | PLACES | NOTES, true);
	put_place(frame[0]);
	put_named(" cs", frame[1] & 0xffff);
	put_named(" fl", frame[2]);
	put_named(" n", words);
	if (sizeof(word) == 8)
		put_named(" a", at & 15);
	if (sizeof(word) == 8 || words - error >= 5) {
		put_named(" sp", frame[3]);
		put_named(" ss", frame[4] & 0xffff);
	}
	if (sizeof(word) == 4 && words - error == 9) {
		for (unsigned i = 5; i < 9; i++)
			put_named(" ", frame[i] & 0xffff);
	}
	if (vector == 14) {
		__asm__ volatile("mov %%cr2, %0" : "=r"(value));
		put_named(" cr2 ", value);
	}
	if (vector == 1)
		put_dr6();
	if (events >= EVENTS_MAX || vector >= 32 || !(test_go_on >> vector & 1))
		return ESCAPE;
	frame[0] += test_skip;
	return error ? GO_ON_POPPING : GO_ON;
}

enum then report_event16(word vector, uint16_t *frame, word sp, word ss,
			 word error)
{
	unsigned from;

	put_text(events++ ? ", " : " ");
	from = line_length;
	put_hex(vector, 2);
	if (error) {
		put(':');
		put_hex(*frame++, 4);
	}
	put_seen(from, EVENTS | PLACES | NOTES, true);
	put_place(frame[0]);
	put_named(" cs", frame[1]);
	put_named(" fl", frame[2]);
	put_named(" sp", sp);
	put_named(" ss", ss & 0xffff);
	if (vector == 1)
		put_dr6();
	if (events >= EVENTS_MAX || vector >= 32 || !(test_go_on >> vector & 1))
		return ESCAPE;
	frame[0] = (uint16_t)(frame[0] + test_skip);
	return GO_ON;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

void report_end(void)
{
	bool right = wanted[0] == '?';

	for (unsigned v = 0; v < 3; v++)
		right = right || same(wanted, seen[v].text);
	if (!right) {
		put_text(" !manual wants ");
		put_text(*wanted ? wanted : "nothing");
	}
	put('\n');
	transmit(line, line_length);
}

void report_close(word code)
{
	transmit("end\n", 4);
	while (!(in8(COM1 + 5) & 0x40))
		;
	for (;;) {
		__asm__ volatile("outl %0, %1"
				 :
				 : "a"((uint32_t)code), "Nd"((uint16_t)EXIT));
		__asm__ volatile("hlt");
	}
}
