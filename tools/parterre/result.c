/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/parterre/result.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/parterre/parterre.h"

#define HEADER     "parterre-result 1"
#define LINE_BYTES (PATH_MAX + 64)

/* --- writing --- */

static void put_number(FILE *f, const char *key, uint64_t n)
{
	fprintf(f, "%s %" PRIu64 "\n", key, n);
}

static void put_digest(FILE *f, const char *key, uint64_t n)
{
	fprintf(f, "%s %016" PRIx64 "\n", key, n);
}

static void put_expected(FILE *f, const struct expected *e)
{
	const char *line = strrchr(e->place, ':');

	fprintf(f, "expected %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %lu %s\n",
		e->failed ? "failed" : "held", e->count, e->first, e->last,
		line ? strtoul(line + 1, NULL, 10) : 0, e->text);
}

static void put(FILE *f, const struct session *s,
		const struct oracle_report *oracle, int status,
		const struct error *why)
{
	fprintf(f, HEADER "\nscenario %s\n", s->options.scenario);
	fprintf(f, "status %d\n", status);
	if (status)
		fprintf(f, "text %.*s\n", (int)strcspn(why->text, "\n"),
			why->text);
	if (s->off)
		put_number(f, "off", s->off_code);
	put_number(f, "seed", s->config.seed);
	put_number(f, "end", s->sum.end);
	put_number(f, "retired", s->sum.retired);
	put_digest(f, "digest", s->sum.digest);
	put_digest(f, "chain", s->sum.chain);
	if (s->options.classes) {
		put_digest(f, "trace_digest", s->sum.trace_digest);
		put_number(f, "events", s->sum.trace_count);
	}
	if (oracle->streams) {
		put_number(f, "lost", oracle->lost);
		put_number(f, "doubled", oracle->doubled);
		put_number(f, "torn", oracle->torn);
		put_number(f, "misordered", oracle->misordered);
	}
	if (s->name[0])
		fprintf(f, "first %s\n", s->name);
	for (const struct session *m = s->next; m; m = m->next)
		fprintf(f, "machine %s\n", m->name);
	for (size_t i = 0; i < s->expected.count; i++)
		put_expected(f, &s->expected.item[i]);
}

bool result_write(const struct session *s, const struct oracle_report *oracle,
		  int status, const struct error *why, struct error *err)
{
	char path[PATH_MAX];
	FILE *f;

	if (!path_in(path, s->out, "result"))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 s->out);
	f = fopen(path, "w");
	if (f)
		put(f, s, oracle, status, why);
	if (!f || fclose(f))
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	return true;
}

/* --- reading --- */

static bool take_expected(struct result *r, const char *text)
{
	struct result_expected *e = &r->expected[r->expected_count];
	char how[8];
	int at = 0;

	if (r->expected_count == ARRAY_LEN(r->expected) ||
	    sscanf(text, "%7s %" SCNu64 " %" SCNu64 " %" SCNu64 " %u %n", how,
		   &e->count, &e->first, &e->last, &e->line, &at) != 5 ||
	    !at)
		return false;
	e->failed = strcmp(how, "failed") == 0;
	snprintf(e->text, sizeof(e->text), "%s", text + at);
	r->expected_count++;
	return e->failed || strcmp(how, "held") == 0;
}

static bool take_number(struct result *r, const char *key, const char *text)
{
	const struct {
		const char *key;
		uint64_t *to;
	} field[] = {
		{"off", &r->off_code},
		{"seed", &r->seed},
		{"end", &r->end},
		{"retired", &r->retired},
		{"events", &r->events},
		{"lost", &r->lost},
		{"doubled", &r->doubled},
		{"torn", &r->torn},
		{"misordered", &r->misordered},
	};
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		if (strcmp(key, field[i].key) != 0)
			continue;
		*field[i].to = strtoull(text, &end, 10);
		r->off |= strcmp(key, "off") == 0;
		r->judged |= strcmp(key, "lost") == 0;
		return *text >= '0' && *text <= '9' && !*end;
	}
	return false;
}

static bool take_text(char *to, size_t bytes, const char *text)
{
	return (size_t)snprintf(to, bytes, "%s", text) < bytes;
}

static bool take(struct result *r, const char *key, const char *text)
{
	if (strcmp(key, "scenario") == 0)
		return take_text(r->scenario, sizeof(r->scenario), text);
	if (strcmp(key, "text") == 0)
		return take_text(r->text, sizeof(r->text), text);
	if (strcmp(key, "digest") == 0)
		return take_text(r->digest, sizeof(r->digest), text);
	if (strcmp(key, "chain") == 0)
		return take_text(r->chain, sizeof(r->chain), text);
	if (strcmp(key, "trace_digest") == 0)
		return take_text(r->trace_digest, sizeof(r->trace_digest),
				 text);
	if (strcmp(key, "status") == 0)
		return sscanf(text, "%d", &r->status) == 1;
	if (strcmp(key, "first") == 0)
		return take_text(r->first, sizeof(r->first), text);
	if (strcmp(key, "machine") == 0)
		return r->machine_count < ARRAY_LEN(r->machine) &&
		       take_text(r->machine[r->machine_count++],
				 SESSION_NAME_BYTES, text);
	if (strcmp(key, "expected") == 0)
		return take_expected(r, text);
	return take_number(r, key, text);
}

bool result_read(struct result *r, const char *dir, struct error *err)
{
	char path[PATH_MAX], line[LINE_BYTES];
	unsigned number = 0;
	bool ok = true;
	FILE *f;

	memset(r, 0, sizeof(*r));
	if (!path_in(path, dir, "result"))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 dir);
	f = fopen(path, "r");
	if (!f)
		return error_set(err, EXIT_USAGE,
				 "%s: %s; give the directory that a run left "
				 "(parterre run --out)",
				 path, strerror(errno));
	while (ok && fgets(line, sizeof(line), f)) {
		char *text = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (!number++) {
			ok = strcmp(line, HEADER) == 0;
			continue;
		}
		if (text)
			*text++ = '\0';
		ok = text && take(r, line, text);
	}
	fclose(f);
	if (ok && number)
		return true;
	return error_set(err, EXIT_USAGE,
			 "%s:%u: not a result of version 1; run the scenario "
			 "again with this program",
			 path, number ? number : 1);
}
