/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/sweep_report.c - what a sweep found, as text, as JSON, and a
 * line for each instant. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/text.h"
#include "tools/parterre/sweep.h"

#define BINS       16
#define BAR        40
#define SHOWN_MAX  10
#define REPLAY_MAX 8

static double us(ps_t t)
{
	return (double)t / (double)PS_PER_US;
}

/* Of all instants: counts, and the least, the sum and the most of a time. */
struct range {
	size_t count;
	ps_t least, most;
	double sum;
};

static void range_add(struct range *r, ps_t t)
{
	if (!r->count || t < r->least)
		r->least = t;
	if (!r->count || t > r->most)
		r->most = t;
	r->sum += us(t);
	r->count++;
}

struct tally {
	size_t failed, hung, uncontained, by_report, by_timeout;
	uint64_t lost, doubled, torn, misordered, most_replayed, instants;
	uint64_t most_instants; /* that one run stands for */
	struct range detected, stall;
	struct sweep_beside_sum beside;
};

static struct tally tally_of(const struct sweep_sum *s)
{
	struct tally t = {0};

	for (size_t i = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];

		t.instants += 1 + r->same;
		if (1 + r->same > t.most_instants)
			t.most_instants = 1 + r->same;
		t.failed += r->status != EXIT_HELD;
		t.hung += r->status == EXIT_LIVENESS;
		t.uncontained += !r->contained;
		t.lost += r->lost;
		t.doubled += r->doubled;
		t.torn += r->torn;
		t.misordered += r->misordered;
		if (r->replayed > t.most_replayed)
			t.most_replayed = r->replayed;
		if (r->detected != PS_NEVER) {
			t.by_report += r->by_report;
			t.by_timeout += !r->by_report;
			range_add(&t.detected, r->detected - r->at);
		}
		if (r->first_io != PS_NEVER)
			range_add(&t.stall, r->first_io - r->at);
	}
	sweep_beside_compare(s, &t.beside);
	return t;
}

/* ---- outcomes ---- */

#define OUTCOMES_MAX 8

/* Instants of the same outcome: those that stand for others count as all. */
struct outcome {
	const char *name;
	uint64_t instants, first, last; /* the last run's own */
};

/* In the order in which they were seen first. */
static size_t outcomes_of(const struct sweep_sum *s,
			  struct outcome o[OUTCOMES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];
		size_t k = 0;

		if (!r->outcome[0])
			continue;
		while (k < n && strcmp(o[k].name, r->outcome) != 0)
			k++;
		if (k == OUTCOMES_MAX)
			continue;
		if (k == n)
			o[n++] = (struct outcome){.name = r->outcome,
						  .first = r->retired};
		o[k].instants += 1 + r->same;
		o[k].last = r->retired;
	}
	return n;
}

size_t sweep_failed(const struct sweep_sum *s)
{
	struct tally t = tally_of(s);

	return t.failed + t.beside.differ;
}

/* ---- text ---- */

static void print_outcomes(const struct sweep_sum *s)
{
	struct outcome o[OUTCOMES_MAX];
	size_t n = outcomes_of(s, o);

	for (size_t i = 0; i < n; i++)
		printf("  outcome '%s': %" PRIu64 " instants, %" PRIu64
		       "i to %" PRIu64 "i\n",
		       o[i].name, o[i].instants, o[i].first, o[i].last);
}

static void print_histogram(const struct sweep_sum *s, const struct range *all)
{
	ps_t width = (all->most - all->least) / BINS + 1;
	size_t count[BINS] = {0}, most = 1;

	for (size_t i = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];
		size_t bin;

		if (r->first_io == PS_NEVER)
			continue;
		bin = (r->first_io - r->at - all->least) / width;
		if (++count[bin] > most)
			most = count[bin];
	}
	printf("  stall: from the fault to the first I/O completed on the "
	       "other "
	       "path, us\n");
	for (size_t i = 0; i < BINS; i++) {
		char bar[BAR + 1] = "";

		memset(bar, '#', (count[i] * BAR + most - 1) / most);
		printf("    %10.3f  %8zu  %s\n", us(all->least + i * width),
		       count[i], bar);
	}
	printf("    %10.3f  at most; %.3f on average; none: %zu\n",
	       us(all->most), all->sum / (double)all->count,
	       s->count - all->count);
}

static void print_replayed(const struct sweep_sum *s)
{
	size_t count[REPLAY_MAX + 1] = {0};

	for (size_t i = 0; i < s->count; i++)
		count[s->result[i].replayed < REPLAY_MAX ? s->result[i].replayed
							 : REPLAY_MAX]++;
	printf("  requests sent again:");
	for (size_t i = 0; i <= REPLAY_MAX; i++) {
		if (count[i])
			printf(" %zu%s: %zu;", i, i == REPLAY_MAX ? "+" : "",
			       count[i]);
	}
	printf("\n");
}

static void print_groups(const struct sweep_sum *s, const struct tally *t)
{
	if (!s->left_by || !s->count)
		return;
	printf("  groups %zu, of at most %" PRIu64 " instants; %" PRIu64
	       " frames looked at\n",
	       s->count, t->most_instants, s->looked_at);
	if (!s->beside)
		return;
	printf("  beside: %zu pairs of runs within groups: %zu came to "
	       "something else, "
	       "%zu are the same event by event; stalls differ by at most "
	       "%.3f us\n",
	       s->beside->count, t->beside.differ, t->beside.alike,
	       us(t->beside.apart));
	if (t->beside.differ)
		printf("  %s\n", t->beside.text);
}

static void print_failures(const struct sweep_sum *s)
{
	size_t shown = 0;

	for (size_t i = 0; i < s->count && shown < SHOWN_MAX; i++) {
		const struct sweep_result *r = &s->result[i];

		if (!r->status)
			continue;
		shown++;
		printf("  status %d: %s\n    %s --inject '%s @ %" PRIu64 "i'\n",
		       r->status, r->text, s->repeat, s->fault, r->retired);
	}
}

void sweep_print(const struct sweep_sum *s)
{
	struct tally t = tally_of(s);

	printf("%s: %s at %" PRIu64 " instants", s->scenario, s->fault,
	       t.instants);
	if (t.instants != s->count)
		printf(" (%zu different runs)", s->count);
	if (s->count)
		printf(", %.6f to %.6f ms", us(s->result[0].at) / 1e3,
		       us(s->result[s->count - 1].at) / 1e3);
	if (!s->every)
		printf(", at each event");
	else if (s->every > 1)
		printf(", one of %" PRIu64 " instruction boundaries", s->every);
	printf("\n");
	if (s->status)
		printf("  without a fault the scenario fails, status %d: %s\n",
		       s->status, s->text);
	printf("  held %zu, failed %zu: lost %" PRIu64 ", doubled %" PRIu64
	       ", torn %" PRIu64 ", out of order %" PRIu64
	       ", hung %zu, not contained %zu\n",
	       s->count - t.failed, t.failed, t.lost, t.doubled, t.torn,
	       t.misordered, t.hung, t.uncontained);
	print_groups(s, &t);
	print_outcomes(s);
	if (t.detected.count)
		printf("  detected: by report %zu, by time-out %zu; within "
		       "%.3f us\n",
		       t.by_report, t.by_timeout, us(t.detected.most));
	if (s->count)
		print_replayed(s);
	if (t.stall.count)
		print_histogram(s, &t.stall);
	print_failures(s);
}

/* ---- JSON ---- */

static void json_range(const char *key, const struct range *r)
{
	if (!r->count)
		printf("  \"%s\": null,\n", key);
	else
		printf("  \"%s\": {\"count\": %zu, \"least_ps\": %" PRIu64
		       ", \"most_ps\": %" PRIu64 ", \"mean_us\": %.3f},\n",
		       key, r->count, r->least, r->most,
		       r->sum / (double)r->count);
}

static void json_outcomes(const struct sweep_sum *s)
{
	struct outcome o[OUTCOMES_MAX];
	size_t n = outcomes_of(s, o);

	printf("  \"outcomes\": [");
	for (size_t i = 0; i < n; i++) {
		printf("%s\n    {\"outcome\": ", i ? "," : "");
		text_put_json(stdout, o[i].name);
		printf(", \"instants\": %" PRIu64 ", \"first\": %" PRIu64
		       ", \"last\": %" PRIu64 "}",
		       o[i].instants, o[i].first, o[i].last);
	}
	printf("],\n");
}

static void json_groups(const struct sweep_sum *s, const struct tally *t)
{
	if (!s->left_by)
		return;
	printf("  \"groups\": %zu, \"most_instants\": %" PRIu64
	       ", \"frames\": %" PRIu64 ",\n",
	       s->count, t->most_instants, s->looked_at);
	if (!s->beside)
		return;
	printf("  \"beside\": {\"pairs\": %zu, \"differ\": %zu, "
	       "\"alike\": %zu, \"apart_ps\": %" PRIu64 ", \"text\": ",
	       s->beside->count, t->beside.differ, t->beside.alike,
	       t->beside.apart);
	text_put_json(stdout, t->beside.text);
	printf("},\n");
}

void sweep_print_json(const struct sweep_sum *s)
{
	struct tally t = tally_of(s);

	printf("{\n  \"scenario\": ");
	text_put_json(stdout, s->scenario);
	printf(",\n  \"fault\": ");
	text_put_json(stdout, s->fault);
	printf(",\n  \"every\": %" PRIu64 ", \"instants\": %" PRIu64
	       ", \"runs\": %zu, \"failed\": "
	       "%zu,\n  \"lost\": %" PRIu64 ", \"doubled\": %" PRIu64
	       ", \"torn\": %" PRIu64 ", \"misordered\": %" PRIu64
	       ", \"hung\": %zu, \"uncontained\": %zu,\n",
	       s->every, t.instants, s->count, t.failed, t.lost, t.doubled,
	       t.torn, t.misordered, t.hung, t.uncontained);
	printf("  \"by_report\": %zu, \"by_timeout\": %zu, "
	       "\"most_replayed\": %" PRIu64 ",\n",
	       t.by_report, t.by_timeout, t.most_replayed);
	json_range("detected", &t.detected);
	json_range("stall", &t.stall);
	json_outcomes(s);
	json_groups(s, &t);
	printf("  \"status_without_fault\": %d,\n  \"failures\": [", s->status);
	for (size_t i = 0, n = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];

		if (!r->status)
			continue;
		printf("%s\n    {\"retired\": %" PRIu64 ", \"status\": %d, "
		       "\"text\": ",
		       n++ ? "," : "", r->retired, r->status);
		text_put_json(stdout, r->text);
		printf("}");
	}
	printf("]\n}\n");
}

/* ---- the table ---- */

/* Empty: it did not happen. */
static void put_since(FILE *f, ps_t t, ps_t since)
{
	if (t == PS_NEVER)
		fputc(',', f);
	else
		fprintf(f, ",%" PRIu64, t - since);
}

bool sweep_write_table(const struct sweep_sum *s, const char *path,
		       struct error *err)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	fprintf(f,
		"retired,same,at_ps,who,status,by_report,detected_ps,moved_ps,"
		"stall_ps,replayed,lost,doubled,torn,misordered,contained,"
		"chain,outcome\n");
	for (size_t i = 0; i < s->count; i++) {
		const struct sweep_result *r = &s->result[i];

		fprintf(f, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%d,%d",
			r->retired, r->same, r->at, r->who, r->status,
			r->by_report);
		put_since(f, r->detected, r->at);
		put_since(f, r->moved, r->at);
		put_since(f, r->first_io, r->at);
		fprintf(f,
			",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
			",%" PRIu64 ",%d,%016" PRIx64 ",%s\n",
			r->replayed, r->lost, r->doubled, r->torn,
			r->misordered, r->contained, r->chain, r->outcome);
	}
	return fclose(f) == 0 ||
	       error_set(err, EXIT_HOST, "%s: cannot be written: %s", path,
			 strerror(errno));
}
