/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/external.h - the switch's external port: the network card that this
 * partition was given, if it was given one.  Without a card it is down. */
#ifndef PARTERRE_IO_EXTERNAL_H
#define PARTERRE_IO_EXTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "io/switch.h"

/* What a card's driver does. */
struct external_card {
	bool (*up)(void);                    /* its link */
	bool (*send)(const struct frame *f); /* false: no room */
	/* Gives what has come to switch_frame(); true if anything moved. */
	bool (*run)(void);
	bool (*sleep)(void); /* false: something has come */
	void (*awake)(void);
};

/* The card is ready; NULL: it is lost. */
void external_use(const struct external_card *card);

bool external_up(void);
bool external_send(const struct frame *f); /* false: the frame is lost */

bool external_run(void);
bool external_sleep(void);
void external_awake(void);

#endif
