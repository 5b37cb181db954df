/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/text.h"

#include <stdbool.h>
#include <string.h>

size_t text_character(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n;

	if (*p < 0x80)
		return *p != 0;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Longer than need be, surrogates, beyond the last. */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void text_put_json(FILE *to, const char *text)
{
	putc('"', to);
	for (size_t n; *text; text += n) {
		unsigned char c = (unsigned char)*text;

		n = text_character(text);
		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (!n || c < 0x20 || c == 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fwrite(text, 1, n, to);
		n += !n;
	}
	putc('"', to);
}

/* Of ASCII; and U+FFFE and U+FFFF are no characters of XML. */
static bool xml_takes(const char *text, size_t n)
{
	return n == 1 ? (*text >= ' ' && *text != 0x7f) || *text == '\n' ||
				*text == '\t'
		      : n && memcmp(text, "\xef\xbf\xbe", 3) != 0 &&
				memcmp(text, "\xef\xbf\xbf", 3) != 0;
}

void text_put_xml(FILE *to, const char *text)
{
	for (size_t n; *text; text += n) {
		n = text_character(text);
		if (*text == '<')
			fputs("&lt;", to);
		else if (*text == '>')
			fputs("&gt;", to);
		else if (*text == '&')
			fputs("&amp;", to);
		else if (*text == '"')
			fputs("&quot;", to);
		else if (xml_takes(text, n))
			fwrite(text, 1, n, to);
		else
			putc('?', to);
		n += !n;
	}
}
