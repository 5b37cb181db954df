/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_run.c - running: pieces, progress, how a machine ends.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"

#define LIVE_SLICE   (2 * PS_PER_MS)
#define LIVE_HOST_NS 100000000

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What each partition does: its share of the CPU since the line before, or its
 * state when it cannot run. */
static void live_line(struct session *s)
{
	ps_t now = machine_now(s->machine), since = now - s->live_at;
	struct partition_info p;
	char who[160] = "", word[40];
	size_t n = 0;

	for (size_t i = 0; i < partition_view_count(s->view); i++) {
		partition_view_info(s->view, i, &p);
		if (p.gone || !p.switches)
			continue;
		snprintf(word, sizeof(word), "%s",
			 partition_state_text(p.state));
		if (strcmp(word, "running") == 0)
			snprintf(word, sizeof(word), "%u%%",
				 (unsigned)((p.ran - s->live_ran[i]) * 100 /
					    (since ? since : 1)));
		s->live_ran[i] = p.ran;
		if (n < sizeof(who))
			n += (size_t)snprintf(who + n, sizeof(who) - n,
					      "  %s %s", p.name, word);
	}
	s->live_at = now;
	fprintf(stderr, "\r\033[K%10.3f ms%s", (double)now / (double)PS_PER_MS,
		who);
}

static ps_t next_sample(const struct session *s)
{
	return (s->sample_count + 1) * SESSION_SAMPLE_PS;
}

static void take_sample(struct session *s)
{
	if (machine_now(s->machine) < next_sample(s))
		return;
	s->sample =
		realloc(s->sample, (s->sample_count + 1) * sizeof(*s->sample));
	CHECK(s->sample);
	s->sample[s->sample_count++] = machine_chain(s->machine);
}

static ps_t next_cut(struct session *s, ps_t until)
{
	ps_t now = machine_now(s->machine), slice = LIVE_SLICE;

	if (until > next_sample(s))
		until = next_sample(s);
	if (s->options.pieces) {
		s->cut = s->cut * UINT64_C(6364136223846793005) +
			 UINT64_C(1442695040888963407);
		/* From single instructions to hundreds of microseconds. */
		slice = (s->cut >> 16) % (PS_PER_NS << (s->cut >> 60) * 5 / 4);
	}
	return until - now < slice ? until : now + slice;
}

/* The hypervisor ends with these codes when nothing can go on: its boot failed,
 * or the lead monitor had a fault of its own.  An opaque kernel's codes are its
 * own affair. */
static bool guest_gave_up(struct session *s, struct error *err)
{
	uint32_t code = machine_off_code(s->machine);
	const char *what = code == 0x7e ? "it could not boot"
					: "a fault in the lead monitor";

	if (partition_view_opaque(s->view) || (code != 0x7e && code != 0x7f))
		return true;
	return error_set(err, EXIT_GUEST,
			 "the hypervisor gave up (code 0x%" PRIx32
			 "): %s; its last line: %s",
			 code, what,
			 s->line_count ? s->line[s->line_count - 1].text
				       : "none");
}

static bool bad_end(struct session *s, struct error *err)
{
	switch (s->stop) {
	case MACHINE_SHUTDOWN:
		return error_set(err, EXIT_GUEST,
				 "triple fault on CPU %u, the machine shut "
				 "down; its last console lines are in "
				 "%s/console.txt",
				 machine_stopped_cpu(s->machine), s->out);
	case MACHINE_DEADLOCK:
		return error_set(err, EXIT_LIVENESS,
				 "all CPUs halt and nothing will ever wake "
				 "them");
	case MACHINE_BROKEN:
		return error_set(err, EXIT_HOST, "%s",
				 machine_broken_text(s->machine));
	case MACHINE_OFF:
		return guest_gave_up(s, err);
	default:
		return true;
	}
}

bool session_advance(struct session *s, ps_t until, struct error *err)
{
	uint64_t began = host_ns();
	ps_t limit = s->options.until ? s->options.until : PS_NEVER;

	CHECK(s->machine);
	if (until > limit)
		until = limit;
	s->stop = MACHINE_UNTIL;
	while (s->stop == MACHINE_UNTIL && machine_now(s->machine) < until) {
		s->stop = machine_run(s->machine, next_cut(s, until));
		if (s->stop == MACHINE_UNTIL)
			take_sample(s);
		if (s->options.live &&
		    host_ns() - s->live_host_ns > LIVE_HOST_NS) {
			s->live_host_ns = host_ns();
			live_line(s);
		}
	}
	s->host_ns += host_ns() - began;
	return bad_end(s, err);
}
