/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/load.c - requests of the kernel's own, so many under way at once:
 * what the way to the disk can do (tests/bench/io).
 *
 *   load=N      so many requests; 0: none
 *   depth=N     under way at once, at most CLIENT_ENTRIES less those reserved;
 *               CLIENT_OUTSTANDING of them are with the server
 *   op=write    writes; without it, reads
 *   span=N      the blocks that they go to, in an order that is none
 */
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/view.h"

#define ROUNDS 16 /* at most, before others have their turn */
#define STRIDE 97 /* prime to what a span usually is */

static struct {
	uint64_t wanted, depth, span;
	bool write;
	uint64_t made, ended, failed;
	uint64_t began_ns;
} load;

void load_begin(void)
{
	load.wanted = view_arg("load", 0);
	load.depth = view_arg("depth", 32);
	load.span = view_arg("span", 1024);
	load.write = view_arg_word("op=write") != 0;
}

void load_done(uint32_t status)
{
	load.ended++;
	load.failed += status != BLOCK_OK;
}

bool load_ended(void)
{
	return load.ended >= load.wanted;
}

static bool make_one(void)
{
	uint64_t block = load.made * STRIDE % load.span, *data;

	if (!load.write)
		return client_read(&client, block, COOKIE_LOAD);
	data = client_write_place(&client, block, 0, 0, 0, COOKIE_LOAD);
	if (data != NULL)
		data[0] = load.made; /* the rest is what it was */
	return data != NULL;
}

bool load_run(uint64_t now)
{
	bool any = false;

	if (load.wanted == 0 || client.path != PATH_OPENED)
		return false;
	if (load.made == 0) {
		load.began_ns = now;
		logf_("load: begins");
	}
	for (unsigned n = 0; n < ROUNDS; n++) {
		bool moved;

		while (load.made < load.wanted &&
		       load.made - load.ended < load.depth && make_one())
			load.made++;
		moved = client_run(&client, now);
		any |= moved;
		if (!moved)
			break;
	}
	if (load.ended >= load.wanted) {
		logf_("load: %lu %s in %lu ns, %lu failed", load.ended,
		      load.write ? "writes" : "reads", now - load.began_ns,
		      load.failed);
		load.wanted = 0;
	}
	return any;
}
