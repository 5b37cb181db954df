/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/network/io.c - in the place of io: what an I/O partition reaches
 * on its network card when it has nothing else to do.  Sends frames of its own
 * to everybody, by the driver that io has, without end. */
#include "abi/channel.h"
#include "io/external.h"
#include "io/virtio_net.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define FRAMES_A_PASS 32 /* between two looks at the card */

void partition_main(void);

static const struct external_card *card;

void external_use(const struct external_card *now)
{
	card = now;
}

void switch_frame(unsigned from, const struct frame *f)
{
	(void)from, (void)f;
}

void partition_main(void)
{
	static uint8_t payload[NET_PAYLOAD_MAX];
	static const uint8_t header[NET_HEADER_BYTES] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 8, 8, 0};
	const struct frame f = {header, payload, sizeof(payload)};

	virtio_net_look();
	logf_("bench: %s", card != NULL ? "begins" : "no card");
	log_drain();
	while (card != NULL) {
		for (unsigned i = 0; i < FRAMES_A_PASS && card->send(&f); i++)
			;
		(void)card->run();
	}
	sys_exit(1);
}
