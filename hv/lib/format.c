/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/format.c - see format.h. */
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
	char *to;
	size_t room; /* the NUL included */
	size_t count;
};

static void put(struct out *o, char c)
{
	if (o->count + 1 < o->room)
		o->to[o->count] = c;
	o->count++;
}

static void put_field(struct out *o, const char *text, int length, int width,
		      bool left, char pad)
{
	int fill = width > length ? width - length : 0;

	for (int i = 0; !left && i < fill; i++)
		put(o, pad);
	for (int i = 0; i < length; i++)
		put(o, text[i]);
	for (int i = 0; left && i < fill; i++)
		put(o, ' ');
}

/* Digits of value, ending at end; returns where they begin. */
static char *digits(char *end, uint64_t value, unsigned base)
{
	do {
		*--end = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	return end;
}

int vformat(char *to, size_t bytes, const char *text, va_list args)
{
	struct out o = {.to = to, .room = bytes};

	for (; *text != '\0'; text++) {
		char buffer[24];
		char *end = buffer + sizeof(buffer), *start;
		const char *begin = text;
		bool left = false, negative = false;
		char pad = ' ';
		int width = 0, precision = -1, wide = 0;
		uint64_t value;

		if (*text != '%') {
			put(&o, *text);
			continue;
		}
		for (text++; *text == '-' || *text == '0'; text++) {
			left |= *text == '-';
			pad = *text == '0' ? '0' : pad;
		}
		for (; *text >= '0' && *text <= '9'; text++)
			width = width * 10 + (*text - '0');
		if (*text == '.') {
			precision = 0;
			for (text++; *text >= '0' && *text <= '9'; text++)
				precision = precision * 10 + (*text - '0');
		}
		for (; *text == 'l' || *text == 'z'; text++)
			wide = 1;
		switch (*text) {
		case 's': {
			const char *s = va_arg(args, const char *);
			int length = 0;

			s = s == NULL ? "(null)" : s;
			while ((precision < 0 || length < precision) &&
			       s[length] != '\0')
				length++;
			put_field(&o, s, length, width, left, ' ');
			break;
		}
		case 'c':
			buffer[0] = (char)va_arg(args, int);
			put_field(&o, buffer, 1, width, left, ' ');
			break;
		case 'd': {
			int64_t number =
				wide ? va_arg(args, long) : va_arg(args, int);

			negative = number < 0;
			value = negative ? 0 - (uint64_t)number
					 : (uint64_t)number;
			start = digits(end, value, 10);
			if (negative && pad == '0') {
				put(&o, '-');
				width--;
			} else if (negative) {
				*--start = '-';
			}
			put_field(&o, start, (int)(end - start), width, left,
				  left ? ' ' : pad);
			break;
		}
		case 'u':
		case 'x':
			value = wide ? va_arg(args, unsigned long)
				     : va_arg(args, unsigned);
			start = digits(end, value, *text == 'u' ? 10 : 16);
			put_field(&o, start, (int)(end - start), width, left,
				  left ? ' ' : pad);
			break;
		case '%':
			put(&o, '%');
			break;
		default: /* not ours: as it stands */
			for (; begin <= text && *begin != '\0'; begin++)
				put(&o, *begin);
			if (*text == '\0')
				text--;
			break;
		}
	}
	if (bytes > 0)
		to[o.count < bytes ? o.count : bytes - 1] = '\0';
	return (int)o.count;
}

int format(char *to, size_t bytes, const char *text, ...)
{
	va_list args;
	int count;

	va_start(args, text);
	count = vformat(to, bytes, text, args);
	va_end(args);
	return count;
}
