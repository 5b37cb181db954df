/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/expected.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"

static struct expected *of_place(struct expected_list *l, const char *place)
{
	for (size_t i = 0; i < l->count; i++) {
		if (strcmp(l->item[i].place, place) == 0)
			return &l->item[i];
	}
	if (l->count == EXPECTED_MAX)
		return NULL;
	/* Room for a power of two of them. */
	if ((l->count & (l->count + 1)) == 0) {
		l->item = reallocarray(l->item, 2 * l->count + 2,
				       sizeof(*l->item));
		CHECK_MSG(l->item, "out of memory for expectations");
	}
	l->item[l->count] = (struct expected){.count = 0};
	snprintf(l->item[l->count].place, sizeof(l->item[0].place), "%s",
		 place);
	return &l->item[l->count++];
}

void expected_note(struct expected_list *l, const char *place, ps_t when,
		   bool failed, const char *text)
{
	struct expected *e = of_place(l, place);

	if (!e)
		return;
	if (!e->count++)
		e->first = when;
	e->last = when;
	e->failed = failed;
	snprintf(e->text, sizeof(e->text), "%.*s", (int)strcspn(text, "\n"),
		 text);
}

void expected_free(struct expected_list *l)
{
	free(l->item);
	*l = (struct expected_list){.item = NULL};
}
