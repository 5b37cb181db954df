/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_line.c - see policy_line.h. */
#include "command/policy_line.h"

#include "lib/format.h"
#include "lib/string.h"

bool line_fail(const struct line *l, const char *what, const char *detail)
{
	l->error->line = l->number;
	(void)format(l->error->text, sizeof(l->error->text), what, detail);
	return false;
}

bool word_is(const struct word *w, const char *text)
{
	return strlen(text) == w->bytes && memcmp(w->at, text, w->bytes) == 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool line_name(const struct line *l, unsigned n, char *name)
{
	const struct word *w = &l->word[n];

	if (w->bytes >= POLICY_NAME_BYTES)
		return line_fail(
			l, "a name is too long: at most 15 characters%s", "");
	memset(name, 0, POLICY_NAME_BYTES);
	memcpy(name, w->at, w->bytes);
	return true;
}

bool line_number(const struct line *l, unsigned n, uint64_t low, uint64_t high,
		 uint64_t *number)
{
	const struct word *w = &l->word[n];
	char range[64];
	uint64_t value = 0;
	bool good = w->bytes > 0 && w->bytes <= 12;

	for (size_t i = 0; good && i < w->bytes; i++) {
		good = w->at[i] >= '0' && w->at[i] <= '9';
		value = value * 10 + (uint64_t)(w->at[i] - '0');
	}
	if (good && value >= low && value <= high) {
		*number = value;
		return true;
	}
	(void)format(range, sizeof(range),
		     "word %u: write a number, %lu to %lu", n + 1, low, high);
	return line_fail(l, "%s", range);
}

/* The words of text[0..bytes-1], which holds no line end. */
bool line_split(struct line *l, const char *text, size_t bytes)
{
	size_t at = 0, end = bytes;

	l->words = 0;
	l->more = false;
	l->rest = NULL;
	l->rest_bytes = 0;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '#') {
			end = i;
			break;
		}
		if (!blank(text[i]) && (text[i] < ' ' || text[i] > '~'))
			return line_fail(l,
					 "not a printable character: policies "
					 "are plain ASCII%s",
					 "");
	}
	while (end > 0 && blank(text[end - 1]))
		end--;
	for (;;) {
		size_t start;

		while (at < end && blank(text[at]))
			at++;
		if (at == end)
			return true;
		start = at;
		while (at < end && !blank(text[at]))
			at++;
		if (l->words == 2) {
			l->rest = text + start;
			l->rest_bytes = end - start;
		}
		if (at - start > WORD_BYTES_MAX)
			return line_fail(l,
					 "a word is too long: at most 71 "
					 "characters%s",
					 "");
		/* `args` lines may have more; they use the rest as a whole. */
		if (l->words < WORDS_MAX) {
			l->word[l->words].at = text + start;
			l->word[l->words].bytes = at - start;
			l->words++;
		} else {
			l->more = true;
		}
	}
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
