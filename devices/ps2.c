/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/ps2.c - answers of PS/2 devices; see ps2.h. */
#include "devices/ps2.h"

#include <string.h>

void ps2_answer(struct ps2_answers *a, uint8_t byte)
{
	/* A device that is not read forgets its oldest answer. */
	if (a->count == PS2_ANSWERS)
		(void)ps2_answer_take(a);
	a->byte[a->count++] = byte;
}

void ps2_hold(struct ps2_answers *a, ps_t when)
{
	a->held_until = when;
	a->free = a->count;
}

ps_t ps2_answer_when(const struct ps2_answers *a)
{
	if (!a->count)
		return PS_NEVER;
	return a->free ? 0 : a->held_until;
}

uint8_t ps2_answer_take(struct ps2_answers *a)
{
	uint8_t byte = a->byte[0];

	memmove(a->byte, a->byte + 1, --a->count);
	a->byte[a->count] = 0;
	if (a->free)
		a->free--;
	else
		a->held_until = 0;
	return byte;
}
