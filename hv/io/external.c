/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/external.c - see external.h. */
#include "io/external.h"

#include "io/learned.h"

static const struct external_card *card;

void external_use(const struct external_card *now)
{
	card = now;
	learned_forget(SWITCH_EXTERNAL);
}

bool external_up(void)
{
	return card != NULL && card->up();
}

bool external_send(const struct frame *f)
{
	return external_up() && card->send(f);
}

bool external_run(void)
{
	return card != NULL && card->run();
}

bool external_sleep(void)
{
	return card == NULL || card->sleep();
}

void external_awake(void)
{
	if (card != NULL)
		card->awake();
}
