/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes, as JSON and XML: characters stay, what is none is told. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/text.h"

static void gives(void (*put)(FILE *, const char *), const char *text,
		  const char *want)
{
	char *got = NULL;
	size_t bytes;
	FILE *f = open_memstream(&got, &bytes);

	put(f, text);
	fclose(f);
	cr_assert_str_eq(got, want);
	free(got);
}

Test(text, characters)
{
	static const struct {
		const char *text;
		size_t bytes;
	} all[] = {
		{"", 0},
		{"a", 1},
		{"\x7f", 1},
		{"\xc3\xa4", 2},
		{"\xe2\x82\xac", 3},
		{"\xf0\x9f\x98\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\x80", 0},
		{"\xff", 0},
		{"\xc3", 0},             /* cut */
		{"\xe2\x82", 0},         /* cut */
		{"\xc0\x80", 0},         /* longer than need be */
		{"\xc1\xbf", 0},         /* the same */
		{"\xe0\x9f\xbf", 0},     /* the same */
		{"\xf0\x8f\xbf\xbf", 0}, /* the same */
		{"\xed\xa0\x80", 0},     /* a surrogate */
		{"\xf4\x90\x80\x80", 0}, /* beyond the last */
		{"\xf5\x80\x80\x80", 0},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_assert_eq(text_character(all[i].text), all[i].bytes,
			     "row %zu", i);
}

Test(text, as_json_and_xml)
{
	gives(text_put_json, "a\"\\\n\x7f\xc3\xa4\xff<",
	      "\"a\\\"\\\\\\u000a\\u007f\xc3\xa4\\u00ff<\"");
	gives(text_put_xml, "a\"&<>\n\t\x01\x7f\xc3\xa4\xc3",
	      "a&quot;&amp;&lt;&gt;\n\t??\xc3\xa4?");
	gives(text_put_xml, "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd",
	      "??\xef\xbf\xbd");
}
