/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/learned.c - see learned.h. */
#include "io/learned.h"

#include "lib/string.h"

static struct {
	bool used;
	uint8_t mac[6];
	unsigned uplink;
	uint64_t seen_ns;
} row[LEARNED_MAX];

static unsigned doubted;
static uint64_t doubt_until_ns;

void learned_put(const uint8_t mac[6], unsigned uplink, uint64_t now_ns)
{
	unsigned at = 0;

	if (mac[0] & 1)
		return; /* nobody's address */
	if (uplink == doubted && now_ns < doubt_until_ns)
		return;
	for (unsigned i = 0; i < LEARNED_MAX; i++) {
		if (row[i].used && memcmp(row[i].mac, mac, 6) == 0) {
			at = i;
			break;
		}
		if (row[at].used &&
		    (!row[i].used || row[i].seen_ns < row[at].seen_ns))
			at = i;
	}
	row[at].used = true;
	memcpy(row[at].mac, mac, 6);
	row[at].uplink = uplink;
	row[at].seen_ns = now_ns;
}

bool learned_find(const uint8_t mac[6], unsigned *uplink, uint64_t now_ns)
{
	for (unsigned i = 0; i < LEARNED_MAX; i++) {
		if (!row[i].used || memcmp(row[i].mac, mac, 6) != 0)
			continue;
		*uplink = row[i].uplink;
		return now_ns - row[i].seen_ns < LEARNED_AGE_NS;
	}
	return false;
}

void learned_forget(unsigned uplink)
{
	for (unsigned i = 0; i < LEARNED_MAX; i++)
		row[i].used &= row[i].uplink != uplink;
}

void learned_doubt(unsigned uplink, uint64_t now_ns)
{
	doubted = uplink;
	doubt_until_ns = now_ns + LEARNED_DOUBT_NS;
	learned_forget(uplink);
}
