/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/summary.c - what a run comes to, for people and programs. */
#include <inttypes.h>
#include <stdio.h>

#include "sim/text.h"
#include "tools/parterre/parterre.h"

static double us(ps_t t)
{
	return (double)t / (double)PS_PER_US;
}

static void name_of(const struct session *s, char *name, size_t bytes)
{
	session_name(s->options.scenario, name, bytes);
}

static void print_boot(const struct session *s)
{
	const struct timeline *t = &s->timeline;

	printf("boot order (first instruction, us)\n");
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct timeline_partition *p = &t->partition[i];

		if (p->first_run == PS_NEVER)
			printf("  %-12s %12s\n", p->name, "never");
		else
			printf("  %-12s %12.3f\n", p->name, us(p->first_run));
	}
}

static void print_step(const char *what, ps_t at, ps_t since)
{
	if (at == PS_NEVER)
		return;
	printf("  %-26s %12.3f  %+12.3f\n", what, us(at), us(at - since));
}

static void print_fault(const struct session *s, const struct timeline_fault *f)
{
	char text[80];

	printf("fault: %s (us; since the fault)\n", f->what);
	print_step("injected", f->injected, f->injected);
	print_step("death", f->death, f->injected);
	print_step(f->by_report ? "detected, by report"
				: "detected, by time-out",
		   f->detected, f->injected);
	print_step("decision", f->decision, f->injected);
	snprintf(text, sizeof(text), "channel %u to %s", f->channel,
		 timeline_name(&s->timeline, f->to));
	print_step(text, f->moved, f->injected);
	print_step("first I/O there", f->first_io, f->injected);
	print_step("restarted", f->restarted, f->injected);
	print_step("load back", f->back, f->injected);
}

static double mips(const struct session *s)
{
	return s->host_ns ? (double)s->sum.retired * 1e3 / (double)s->host_ns
			  : 0;
}

/* What partitions did; a kernel without them has nothing of it. */
static void print_partitions(const struct session *s,
			     const struct oracle_report *o)
{
	const struct timeline *t = &s->timeline;

	print_boot(s);
	for (size_t i = 0; i < t->fault_count; i++)
		print_fault(s, &t->fault[i]);
	printf("I/O: requests %" PRIu64 ", answered %" PRIu64
	       ", replayed %" PRIu64 "; records issued %" PRIu64
	       ", acknowledged %" PRIu64 "\n",
	       t->requests, t->responses, t->replays, t->issued, t->committed);
	if (o && o->streams)
		printf("disk: lost %" PRIu64 ", doubled %" PRIu64
		       ", torn %" PRIu64 ", out of order %" PRIu64 "\n",
		       o->lost, o->doubled, o->torn, o->misordered);
	for (size_t i = 0; o && i < o->notes; i++)
		printf("  %s\n", o->note[i]);
}

/* A kernel without partitions: what it said last. */
static void print_opaque(const struct session *s)
{
	printf("%u CPU%s; console of %zu lines", s->config.cpu_count,
	       s->config.cpu_count > 1 ? "s" : "", s->line_count);
	if (s->line_count)
		printf(", the last at %.6f ms: %s",
		       (double)s->line[s->line_count - 1].time /
			       (double)PS_PER_MS,
		       s->line[s->line_count - 1].text);
	printf("\n");
	for (size_t i = 0; i < s->timeline.fault_count; i++)
		printf("fault: %s at %.3f us\n", s->timeline.fault[i].what,
		       us(s->timeline.fault[i].injected));
}

static void print_machine(const struct session *s,
			  const struct oracle_report *o)
{
	if (s->opaque)
		print_opaque(s);
	else
		print_partitions(s, o);
	if (s->off)
		printf("switched off by the guest, code %" PRIu32 "\n",
		       s->off_code);
}

static const char *how_it_ended(const struct session *s)
{
	ps_t until = s->options.until;

	if (session_left_by())
		return "left by a signal";
	if (!s->left)
		return "held";
	return until && s->sum.end >= until ? "left at --until"
					    : "left by its user";
}

void summary_text(const struct session *s, const struct oracle_report *o,
		  int status)
{
	char name[256];

	name_of(s, name, sizeof(name));
	if (status)
		printf("%s: failed, status %d\n", name, status);
	else
		printf("%s: %s\n", name, how_it_ended(s));
	for (const struct session *m = s; m; m = m->next) {
		if (s->next)
			printf("machine %s: %.6f ms, %" PRIu64
			       " instructions, chain %016" PRIx64 "\n",
			       m->name[0] ? m->name : "(the first)",
			       (double)m->own.end / (double)PS_PER_MS,
			       m->own.retired, m->own.chain);
		print_machine(m, m == s ? o : NULL);
	}
	printf("virtual time %.6f ms, %" PRIu64
	       " instructions retired, %.1f MIPS on this host\n",
	       (double)s->sum.end / (double)PS_PER_MS, s->sum.retired, mips(s));
	printf("digest %016" PRIx64 ", chain %016" PRIx64 "\n", s->sum.digest,
	       s->sum.chain);
	if (s->options.classes)
		printf("trace %s/trace, %" PRIu64 " events, digest %016" PRIx64
		       "\n",
		       s->out, s->sum.trace_count, s->sum.trace_digest);
	if (s->sum.deep_count)
		printf("and %" PRIu64 " packed: blocks, or instructions\n",
		       s->sum.deep_count);
}

/* --- JSON --- */

/* Instants are integers of picoseconds; null: it did not happen. */
static void json_time(const char *key, ps_t t)
{
	if (t == PS_NEVER)
		printf(", \"%s\": null", key);
	else
		printf(", \"%s\": %" PRIu64, key, t);
}

static void json_faults(const struct timeline *t)
{
	printf("  \"faults\": [");
	for (size_t i = 0; i < t->fault_count; i++) {
		const struct timeline_fault *f = &t->fault[i];

		printf("%s\n    {\"what\": ", i ? "," : "");
		text_put_json(stdout, f->what);
		json_time("injected", f->injected);
		json_time("death", f->death);
		json_time("detected", f->detected);
		printf(", \"by_report\": %s", f->by_report ? "true" : "false");
		json_time("decision", f->decision);
		json_time("moved", f->moved);
		json_time("first_io", f->first_io);
		json_time("restarted", f->restarted);
		json_time("back", f->back);
		printf("}");
	}
	printf("],\n");
}

static void json_machines(const struct session *s)
{
	printf("  \"machines\": [");
	for (const struct session *m = s; m; m = m->next) {
		printf("%s\n    {\"name\": ", m == s ? "" : ",");
		text_put_json(stdout, m->name);
		printf(", \"cpus\": %u, \"time_ps\": %" PRIu64
		       ", \"retired\": %" PRIu64 ", \"console_lines\": %zu",
		       m->config.cpu_count, m->own.end, m->own.retired,
		       m->line_count);
		if (m->off)
			printf(", \"off\": %" PRIu32, m->off_code);
		else
			printf(", \"off\": null");
		printf(", \"digest\": \"%016" PRIx64
		       "\", \"chain\": \"%016" PRIx64
		       "\", \"trace_digest\": \"%016" PRIx64
		       "\", \"events\": %" PRIu64 "}",
		       m->own.digest, m->own.chain, m->own.trace_digest,
		       m->own.trace_count);
	}
	printf("],\n");
}

void summary_json(const struct session *s, const struct oracle_report *o,
		  int status)
{
	const struct timeline *t = &s->timeline;
	char name[256];

	name_of(s, name, sizeof(name));
	printf("{\n  \"scenario\": ");
	text_put_json(stdout, name);
	printf(",\n  \"status\": %d,\n  \"boot\": [", status);
	for (size_t i = 0; i < t->partition_count; i++) {
		printf("%s\n    {\"name\": ", i ? "," : "");
		text_put_json(stdout, t->partition[i].name);
		json_time("first_run", t->partition[i].first_run);
		printf("}");
	}
	printf("],\n");
	json_faults(t);
	json_machines(s);
	printf("  \"requests\": %" PRIu64 ", \"responses\": %" PRIu64
	       ", \"replayed\": %" PRIu64 ", \"issued\": %" PRIu64
	       ", \"acknowledged\": %" PRIu64 ",\n",
	       t->requests, t->responses, t->replays, t->issued, t->committed);
	printf("  \"lost\": %" PRIu64 ", \"doubled\": %" PRIu64
	       ", \"torn\": %" PRIu64 ", \"misordered\": %" PRIu64 ",\n",
	       o->lost, o->doubled, o->torn, o->misordered);
	printf("  \"time_ps\": %" PRIu64 ", \"retired\": %" PRIu64
	       ", \"mips\": %.1f,\n",
	       s->sum.end, s->sum.retired, mips(s));
	printf("  \"digest\": \"%016" PRIx64 "\", \"chain\": \"%016" PRIx64
	       "\", \"trace_digest\": \"%016" PRIx64 "\", \"events\": %" PRIu64
	       ",\n  \"out\": ",
	       s->sum.digest, s->sum.chain, s->sum.trace_digest,
	       s->sum.trace_count);
	text_put_json(stdout, s->out);
	printf("\n}\n");
}
