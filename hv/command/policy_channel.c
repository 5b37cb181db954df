/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/policy_channel.c - lines on channels and devices.
 *
 * docs/policy.md: channel, device.  A guest has one channel of a type to a
 * server, and one network; a device has one partition.
 */
#include "command/policy_line.h"

#include "lib/string.h"

/* XX:XX:XX:XX:XX:XX; not a group's address */
static bool get_mac(const struct word *w, uint64_t *mac)
{
	*mac = 0;
	if (w->bytes != 17)
		return false;
	for (unsigned i = 0; i < 17; i++) {
		int digit = hex_digit(w->at[i]);

		if (i % 3 == 2) {
			if (w->at[i] != ':')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		*mac = *mac << 4 | (unsigned)digit;
	}
	return *mac != 0 && !(*mac >> 40 & 1);
}

/* What comes after channel GUEST network IO. */
static bool network_rest(const struct line *l, struct policy_channel *c)
{
	unsigned at = 4;

	if (!is_io(&l->word[3]))
		return line_fail(l, "networks are served by io.a and io.b%s",
				 "");
	if (at + 1 < l->words && word_is(&l->word[at], "fallback")) {
		if (!is_io(&l->word[at + 1]))
			return line_fail(l, "the fallback is io.a or io.b%s",
					 "");
		(void)line_name(l, at + 1, c->fallback);
		at += 2;
	}
	if (at + 1 < l->words && word_is(&l->word[at], "mac")) {
		if (!get_mac(&l->word[at + 1], &c->mac))
			return line_fail(
				l,
				"write a card's address, in small letters, "
				"as mac 02:50:00:00:00:01%s",
				"");
		at += 2;
	}
	return at == l->words ||
	       line_fail(l,
			 "write: channel GUEST network IO [fallback IO] "
			 "[mac ADDRESS]%s",
			 "");
}

static bool channel_twice(const struct policy *p,
			  const struct policy_channel *c)
{
	for (unsigned i = 0; i < p->channels; i++) {
		const struct policy_channel *o = &p->channel[i];

		if (strcmp(o->client, c->client) == 0 &&
		    strcmp(o->type, c->type) == 0 &&
		    (strcmp(o->server, c->server) == 0 ||
		     strcmp(c->type, "network") == 0))
			return true;
	}
	return false;
}

/* channel CLIENT TYPE SERVER... */
bool do_channel(const struct line *l, struct policy *p)
{
	struct policy_channel *c = &p->channel[p->channels];

	if (l->words < 4 || (l->words > 4 && !word_is(&l->word[2], "network")))
		return line_fail(
			l,
			"write: channel GUEST console|network|diagnostics "
			"SERVER%s",
			"");
	if (find_guest(p, &l->word[1]) == NULL)
		return line_fail(l,
				 "no such guest: a `guest` line has to come "
				 "first%s",
				 "");
	if (!word_is(&l->word[2], "console") &&
	    !word_is(&l->word[2], "network") &&
	    !word_is(&l->word[2], "diagnostics"))
		return line_fail(
			l,
			"no such type: console, network or diagnostics; "
			"disks have `disk` lines%s",
			"");
	if (word_is(&l->word[2], "console") &&
	    !word_is(&l->word[3], "operations"))
		return line_fail(l, "consoles are served by operations%s", "");
	if (word_is(&l->word[2], "diagnostics") &&
	    !word_is(&l->word[3], "diagnostics"))
		return line_fail(l,
				 "diagnostics channels are served by "
				 "diagnostics%s",
				 "");
	if (p->channels == POLICY_CHANNELS_MAX)
		return line_fail(l, "too many channels: at most 16%s", "");
	memset(c, 0, sizeof(*c));
	(void)line_name(l, 1, c->client);
	(void)line_name(l, 2, c->type);
	(void)line_name(l, 3, c->server);
	if (word_is(&l->word[2], "network") && !network_rest(l, c))
		return false;
	if (channel_twice(p, c))
		return line_fail(l, "%s has this channel already", c->client);
	p->channels++;
	return true;
}

/* BB:DD.F, as lspci has it */
static bool get_bdf(const struct word *w, uint32_t *bdf)
{
	int d[7];

	if (w->bytes != 7 || w->at[2] != ':' || w->at[5] != '.')
		return false;
	for (unsigned i = 0; i < 7; i++)
		d[i] = hex_digit(w->at[i]);
	if (d[0] < 0 || d[1] < 0 || d[3] < 0 || d[3] > 1 || d[4] < 0 ||
	    d[6] < 0 || d[6] > 7)
		return false;
	*bdf = (uint32_t)(d[0] << 12 | d[1] << 8 | (d[3] << 4 | d[4]) << 3 |
			  d[6]);
	return true;
}

/* device NAME BB:DD.F */
bool do_device(const struct line *l, struct policy *p)
{
	struct policy_device *d = &p->device[p->devices];

	if (l->words != 3)
		return line_fail(l, "write: device NAME BB:DD.F%s", "");
	if (!is_io(&l->word[1]))
		return line_fail(
			l,
			"only io.a and io.b have devices: guests reach "
			"them by channels%s",
			"");
	if (p->devices == POLICY_DEVICES_MAX)
		return line_fail(l, "too many devices: at most 8%s", "");
	if (!get_bdf(&l->word[2], &d->bdf))
		return line_fail(l,
				 "word 3: write bus, device and function, in "
				 "hexadecimal: 00:04.0%s",
				 "");
	for (unsigned i = 0; i < p->devices; i++) {
		if (p->device[i].bdf == d->bdf)
			return line_fail(l, "this device is %s's already",
					 p->device[i].name);
	}
	(void)line_name(l, 1, d->name);
	p->devices++;
	return true;
}
