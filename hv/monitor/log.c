/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/monitor/log.c - the console: a ring of lines, drained to a 16550 by its
 * "transmitter empty" interrupt, up to a FIFO of 16 bytes at a time; and what
 * is typed there, kept until the operations partition asks for it.  When that
 * takes no more, neither does the UART, and who types has to wait.
 *
 * Lines are whole or absent: one that finds no room is refused (a partition's;
 * it tries again) or counted (the monitor's own).
 *
 * The 16550 raises its interrupt at the moment the transmitter becomes empty.
 * So `busy` says that an interrupt is on its way; whoever appends while it is
 * not sends the first burst itself.
 *
 * Interrupt controllers see its line's edge alone, so an interrupt is not left
 * before the line is low: a byte that came while the transmitter was being
 * filled would be the last of which anybody hears.
 *
 * The ring and the UART have a lock of their own, the last that anybody takes.
 *
 * PC16550D data sheet, table II.
 */
#include "monitor/monitor.h"

#include "abi/database.h"

#define UART     0x3f8
#define UART_THR (UART + 0)
#define UART_RBR (UART + 0)
#define UART_IER (UART + 1)
#define UART_IIR (UART + 2)
#define UART_MCR (UART + 4)
#define UART_LSR (UART + 5)
#define IER_THRE 0x02
#define IER_BOTH 0x03 /* received bytes, too */
#define IIR_NONE 0x01
#define LSR_DR   0x01
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define MCR_DEAF 0x09 /* OUT2 and DTR; without RTS the far end is to wait */
#define MCR_OPEN 0x0b
#define FIFO     16

#define RING 16384 /* a power of two */
static char ring[RING];
static bool busy;
static bool taken;

#define TYPED 256 /* a power of two; what finds no room stays in the UART */
static char typed[TYPED];
static uint32_t typed_in, typed_out;
static bool deaf;

static void take(void)
{
	while (__atomic_test_and_set(&taken, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static void give(void)
{
	__atomic_clear(&taken, __ATOMIC_RELEASE);
}

static void burst(void)
{
	unsigned n = 0;

	busy = lead_area.log_drained != lead_area.log_written;
	while (n < FIFO && lead_area.log_drained != lead_area.log_written) {
		outb(UART_THR, (uint8_t)ring[lead_area.log_drained % RING]);
		lead_area.log_drained++;
		n++;
	}
}

/* With its interrupt enabled anew, bytes that wait raise it at once. */
static void listen(bool on)
{
	deaf = !on;
	outb(UART_MCR, on ? MCR_OPEN : MCR_DEAF);
	outb(UART_IER, on ? IER_BOTH : IER_THRE);
}

void log_interrupt(void)
{
	bool any = false;
	uint8_t lsr;

	take();
	while (!(inb(UART_IIR) & IIR_NONE)) {
		while (((lsr = inb(UART_LSR)) & LSR_DR) &&
		       typed_in - typed_out < TYPED) {
			typed[typed_in++ % TYPED] = (char)inb(UART_RBR);
			any = true;
		}
		if ((lsr & LSR_DR) && !deaf)
			listen(false);
		if (lsr & LSR_THRE)
			burst();
	}
	give();
	for (uint32_t s = 0; any && s < PART_SLOTS; s++)
		if (lead_area.slot[s].kind == PART_OPERATIONS)
			(void)sched_post(s, 0, EVENT_CONSOLE);
}

size_t console_read(char *to, size_t bytes)
{
	size_t n = 0;

	take();
	while (n < bytes && typed_out != typed_in)
		to[n++] = typed[typed_out++ % TYPED];
	if (n && deaf)
		listen(true);
	give();
	return n;
}

void log_drain(void)
{
	take();
	while (lead_area.log_drained != lead_area.log_written) {
		while (!(inb(UART_LSR) & LSR_THRE))
			__builtin_ia32_pause();
		burst();
	}
	while (!(inb(UART_LSR) & LSR_TEMT))
		__builtin_ia32_pause();
	give();
}

static void put(char c)
{
	ring[lead_area.log_written++ % RING] = c;
}

bool log_append(const char *tag, const char *text, size_t bytes)
{
	size_t tag_bytes = 0;

	while (tag_bytes < 16 && tag[tag_bytes])
		tag_bytes++;
	take();
	if (RING - (lead_area.log_written - lead_area.log_drained) <
	    tag_bytes + bytes + 4) {
		give();
		return false;
	}
	put('[');
	for (size_t i = 0; i < tag_bytes; i++)
		put(tag[i]);
	put(']');
	put(' ');
	for (size_t i = 0; i < bytes; i++)
		put(text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?');
	put('\n');
	if (!busy && (inb(UART_LSR) & LSR_THRE))
		burst();
	give();
	return true;
}

struct line {
	char text[160];
	unsigned n;
};

static void line_char(struct line *l, char c)
{
	if (l->n < sizeof(l->text))
		l->text[l->n++] = c;
}

static void line_number(struct line *l, uint64_t v, unsigned base)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		line_char(l, digits[--n]);
}

void log_line(const char *format, ...)
{
	struct line l = {.n = 0};
	__builtin_va_list args;

	__builtin_va_start(args, format);
	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			line_char(&l, *f);
			continue;
		}
		f++;
		if (*f == 's') {
			const char *s = __builtin_va_arg(args, const char *);

			while (*s)
				line_char(&l, *s++);
		} else {
			line_number(&l, __builtin_va_arg(args, uint64_t),
				    *f == 'x' ? 16 : 10);
		}
	}
	__builtin_va_end(args);
	if (!log_append("monitor", l.text, l.n))
		lead_area.log_dropped += l.n;
}
