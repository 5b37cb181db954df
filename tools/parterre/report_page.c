/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/report_page.c - the report's sections, in their order.  Start
 * with report_page(), at the end. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "sim/partition.h"
#include "sim/seen/palette.h"
#include "tools/parterre/report.h"

#define US(t) ((double)(t) / (double)PS_PER_US)
#define MS(t) ((double)(t) / (double)PS_PER_MS)

/* Lines of the console at the end that are shown. */
#define CONSOLE_LINES 200

void report_escape(FILE *f, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", f);
		else if (c == '>')
			fputs("&gt;", f);
		else if (c == '&')
			fputs("&amp;", f);
		else if (c == '"')
			fputs("&quot;", f);
		else if ((c < 0x20 && c != '\n' && c != '\t') || c > 0x7e)
			fputc('.', f); /* the console's may be anything */
		else
			fputc(c, f);
	}
}

static void put_lines(FILE *f, const char *const *line)
{
	for (; *line; line++)
		fputs(*line, f);
}

/* --- who --- */

const char *report_colour(const struct story *s, uint32_t who,
			  char to[COLOUR_BYTES])
{
	if (s->partition[who].idle)
		return "var(--idle)";
	if (!who)
		return "var(--none)";
	snprintf(to, COLOUR_BYTES, "#%06" PRIx32, palette_colour(who));
	return to;
}

const char *report_name(const struct story *s, uint32_t who)
{
	if (who)
		return story_name(s, who);
	return palette_nobody(s->partitions > 0);
}

bool report_ran(const struct story *s, uint32_t who)
{
	const struct story_partition *p = &s->partition[who];

	return p->own || p->monitor || p->given;
}

static void put_key(FILE *f, const char *colour)
{
	fprintf(f, "<span class=\"key\" style=\"background:%s\"></span>",
		colour);
}

/* --- head --- */

static void put_title(FILE *f, const struct report *r)
{
	char name[128];

	session_name(r->result.scenario, name, sizeof(name));
	report_escape(f, name);
}

static void tile(FILE *f, const char *what, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

static void tile(FILE *f, const char *what, const char *fmt, ...)
{
	va_list ap;

	fprintf(f, "<div class=\"tile\"><span class=\"soft\">%s</span><b>",
		what);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fprintf(f, "</b></div>\n");
}

static void put_summary(FILE *f, const struct report *r)
{
	const struct result *e = &r->result;
	const struct story *s = r->machine[0].story;
	size_t failed = 0;

	for (size_t i = 0; i < e->expected_count; i++)
		failed += e->expected[i].failed;
	fprintf(f, "<h1>");
	put_title(f, r);
	fprintf(f, " <span class=\"badge %s\">%s</span></h1>\n",
		e->status ? "failed" : "held", e->status ? "failed" : "held");
	if (e->status) {
		fprintf(f, "<p class=\"bad\">status %d: ", e->status);
		report_escape(f, e->text);
		fprintf(f, "</p>\n");
	}
	fprintf(f, "<div class=\"tiles\">\n");
	tile(f, "virtual time", "%.6f ms", MS(e->end));
	tile(f, "instructions retired", "%" PRIu64, e->retired);
	tile(f, "events in the trace", "%" PRIu64, e->events);
	tile(f, "lines that expect something", "%zu, %zu failed",
	     e->expected_count, failed);
	if (s->faults.requests)
		tile(f, "block requests", "%" PRIu64 ", %" PRIu64 " replayed",
		     s->faults.requests, s->faults.replays);
	if (s->faults.issued)
		tile(f, "records acknowledged",
		     "%" PRIu64 " of %" PRIu64 " issued", s->faults.committed,
		     s->faults.issued);
	if (e->judged)
		tile(f, "disk", "%" PRIu64 " lost, %" PRIu64 " doubled",
		     e->lost + e->torn, e->doubled + e->misordered);
	if (e->off)
		tile(f, "switched off by the guest", "code %" PRIu64,
		     e->off_code);
	fprintf(f, "</div>\n");
}

/* --- a machine --- */

static void put_legend(FILE *f, const struct story *s, size_t machine)
{
	fprintf(f, "<div class=\"legend\" id=\"legend%zu\">\n", machine);
	for (uint32_t i = 0; i <= s->partitions; i++) {
		char colour[COLOUR_BYTES];

		if (!report_ran(s, i))
			continue;
		fprintf(f, "<button type=\"button\" data-who=\"%" PRIu32 "\">",
			i);
		put_key(f, report_colour(s, i, colour));
		report_escape(f, report_name(s, i));
		fprintf(f, "</button>\n");
	}
	fprintf(f, "</div>\n");
}

static void put_timeline(FILE *f, const struct story *s, size_t machine)
{
	fprintf(f,
		"<h2>Who had which CPU</h2>\n"
		"<p class=\"soft\">Wheel, + and - zoom, dragging and the arrow "
		"keys move, Home or a double click shows all; a name shows its "
		"time alone. Triangles are what happened, below: "
		"<span class=\"bad\">faults, violations and partitions that "
		"end</span>, <span class=\"good\">that run</span>, <span "
		"class=\"moved\">channels that move</span>; grey is the "
		"machine's.</p>\n"
		"<canvas class=\"lanes\" id=\"lanes%zu\" tabindex=\"0\" "
		"aria-label=\"timeline of partitions per CPU\"></canvas>\n"
		"<noscript><p>The timeline needs JavaScript; the tables below "
		"do not.</p></noscript>\n",
		machine);
	put_legend(f, s, machine);
}

static void put_fault(FILE *f, const struct story *s,
		      const struct timeline_fault *t, size_t machine)
{
	struct anatomy_step step[ANATOMY_STEPS];
	ps_t end = t->first_io != PS_NEVER ? t->first_io : t->injected;
	char colour[COLOUR_BYTES];

	fprintf(f, "<h3>");
	report_escape(f, t->what);
	if (end > t->injected)
		fprintf(f,
			": first I/O on the other path after %.3f us <a "
			"href=\"#lanes%zu\" "
			"data-view=\"lanes%zu\" data-from=\"%" PRIu64
			"\" data-to=\"%" PRIu64 "\">in the timeline</a>",
			US(end - t->injected), machine, machine, t->injected,
			end);
	fprintf(f, "</h3>\n");
	chart_anatomy(f, t);
	fprintf(f, "<table><tr><th>what</th><th class=\"n\">at, us</th>"
		   "<th class=\"n\">since the fault, us</th></tr>\n");
	anatomy_steps(s, t, step);
	for (size_t i = 0; i < ANATOMY_STEPS; i++) {
		if (step[i].at == PS_NEVER)
			continue;
		fprintf(f, "<tr><td>");
		if (i && i < ANATOMY_SHOWN) {
			snprintf(colour, sizeof(colour), "var(--s%zu)", i);
			put_key(f, colour);
		}
		report_escape(f, step[i].text);
		fprintf(f,
			"</td><td class=\"n\">%.3f</td>"
			"<td class=\"n\">%+.3f</td></tr>\n",
			US(step[i].at), US(step[i].at - t->injected));
	}
	fprintf(f, "</table>\n");
}

static void put_faults(FILE *f, const struct story *s, size_t machine)
{
	if (!s->faults.fault_count)
		return;
	fprintf(f, "<h2>%s</h2>\n",
		s->partitions ? "Anatomy of the failover" : "Faults");
	for (size_t i = 0; i < s->faults.fault_count; i++)
		put_fault(f, s, &s->faults.fault[i], machine);
}

/* All of idle's time is idle, whichever ring it halts in. */
static void time_row(FILE *f, const struct story *s, uint32_t who, double all)
{
	const struct story_partition *p = &s->partition[who];
	const ps_t t[2] = {p->own, p->monitor};
	char colour[COLOUR_BYTES];

	fprintf(f, "<tr><td>");
	put_key(f, report_colour(s, who, colour));
	report_escape(f, report_name(s, who));
	fprintf(f, "</td><td class=\"n\"%s", p->idle ? " colspan=\"2\"" : "");
	for (size_t i = 0; i < (p->idle ? 1 : 2); i++)
		fprintf(f, "%s>%s%" PRIu64 ".%03" PRIu64,
			i ? "</td><td class=\"n\"" : "",
			p->idle ? "in either ring " : "", t[i] / PS_PER_US,
			t[i] / PS_PER_NS % 1000);
	fprintf(f, "</td><td class=\"n\">%.1f %%</td>",
		(double)(t[0] + t[1]) / all * 100);
	if (s->partitions)
		fprintf(f, "<td class=\"n\">%" PRIu64 "</td>", p->given);
	fprintf(f, "</tr>\n");
}

static void put_time(FILE *f, const struct story *s)
{
	double all = 0;

	for (uint32_t i = 0; i <= s->partitions; i++)
		all += (double)(s->partition[i].own + s->partition[i].monitor);
	if (all <= 0)
		return;
	fprintf(f, "<h2>Where the time went</h2>\n");
	if (!s->rings)
		fprintf(f, "<p class=\"soft\">The trace has no events of class "
			   "machine: ring 0 is counted with ring 3.</p>\n");
	else if (!s->partitions)
		fprintf(f, "<p class=\"soft\">Ring 0 has the time in which a "
			   "CPU stood halted, too.</p>\n");
	chart_time(f, s);
	fprintf(f,
		"<table><tr><th>%s</th><th class=\"n\">in ring 3, us</th>"
		"<th class=\"n\">",
		s->partitions ? "partition" : "");
	put_key(f, "var(--monitor)");
	fprintf(f, "in ring 0, %sus</th><th class=\"n\">share</th>",
		s->partitions ? "its monitor, " : "");
	if (s->partitions)
		fprintf(f, "<th class=\"n\">was given a CPU</th>");
	fprintf(f, "</tr>\n");
	for (uint32_t i = 0; i <= s->partitions; i++) {
		if (report_ran(s, i))
			time_row(f, s, i, all);
	}
	fprintf(f, "</table>\n");
}

static void put_channel(FILE *f, const struct story *s, struct story_channel *c,
			size_t id)
{
	fprintf(f, "<h3>channel %zu, %s, ", id,
		partition_channel_type_text((uint32_t)c->type));
	report_escape(f, story_name(s, c->client));
	fprintf(f, " to ");
	report_escape(f, story_name(s, c->server));
	fprintf(f,
		": %" PRIu64 " requests, %" PRIu64 " answers, %" PRIu64
		" replayed</h3>\n<p class=\"soft\">from the first asking to "
		"the answer: half below %.3f us, 99 %% below %.3f us, at most "
		"%.3f us</p>\n",
		c->requests, c->answers, c->replays, US(story_took(c, 500)),
		US(story_took(c, 990)), US(story_took(c, 1000)));
	chart_latency(f, c);
}

static void put_channels(FILE *f, struct story *s)
{
	bool any = false;

	for (size_t i = 0; i < STORY_CHANNELS; i++) {
		if (!s->channel[i].took_count)
			continue;
		if (!any)
			fprintf(f, "<h2>How long requests took</h2>\n");
		any = true;
		put_channel(f, s, &s->channel[i], i);
	}
}

static void put_marks(FILE *f, const struct story *s)
{
	if (!s->mark_count)
		return;
	fprintf(f, "<h2>What happened</h2>\n<div class=\"scroll\"><table>"
		   "<tr><th class=\"n\">at, us</th><th>CPU</th><th>what</th>"
		   "<th class=\"rest\"></th></tr>\n");
	for (size_t i = 0; i < s->mark_count; i++) {
		const struct story_mark *m = &s->mark[i];

		fprintf(f,
			"<tr><td class=\"n\">%.3f</td><td>%" PRIu32
			"</td><td>%s</td><td>",
			US(m->time), m->cpu, story_mark_text(m->kind));
		report_escape(f, m->text);
		fprintf(f, "</td></tr>\n");
	}
	fprintf(f, "</table></div>\n");
	if (s->marks_left_out)
		fprintf(f, "<p class=\"soft\">and %" PRIu64 " more</p>\n",
			s->marks_left_out);
}

static const char *last_lines(const char *text)
{
	const char *p = text + strlen(text);

	for (unsigned n = 0; p > text; p--) {
		if (p[-1] == '\n' && p[0] && n++ == CONSOLE_LINES)
			break;
	}
	return p;
}

static void put_console(FILE *f, const struct report_machine *m)
{
	if (!m->console || !*m->console)
		return;
	fprintf(f, "<h2>Console</h2>\n<details><summary>its last lines"
		   "</summary><pre class=\"scroll\">");
	report_escape(f, last_lines(m->console));
	fprintf(f, "</pre></details>\n");
}

static void put_machine(FILE *f, const struct report *r, size_t i)
{
	const struct report_machine *m = &r->machine[i];

	if (r->machine_count > 1) {
		fprintf(f, "<h2 class=\"machine\">Machine ");
		report_escape(f, m->name[0] ? m->name : "(the first)");
		fprintf(f, "</h2>\n");
	}
	put_timeline(f, m->story, i);
	put_faults(f, m->story, i);
	put_time(f, m->story);
	report_cycles(f, &m->cycles);
	put_channels(f, m->story);
	put_marks(f, m->story);
	put_console(f, m);
}

/* --- expectations --- */

/* Line `number` of a text, from 1 on; its length. */
static const char *line_of(const char *text, unsigned number, size_t *bytes)
{
	while (text && --number) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	*bytes = text ? strcspn(text, "\n") : 0;
	return text ? text : "";
}

static void put_line(FILE *f, const char *line, size_t bytes)
{
	char copy[400];

	snprintf(copy, sizeof(copy), "%.*s", (int)bytes, line);
	report_escape(f, copy);
}

static void put_expectation(FILE *f, const struct report *r,
			    const struct result_expected *e)
{
	size_t bytes = 0;
	const char *line = line_of(r->scenario, e->line, &bytes);

	fprintf(f,
		"<tr><td class=\"%s\">%s</td><td class=\"n\"><a "
		"href=\"#L%u\">%u</a></td><td><code>",
		e->failed ? "bad" : "good", e->failed ? "failed" : "held",
		e->line, e->line);
	put_line(f, line + strspn(line, " \t"),
		 bytes - (bytes ? strspn(line, " \t") : 0));
	fprintf(f, "</code></td><td>");
	report_escape(f, e->text);
	fprintf(f,
		"</td><td class=\"n\">%" PRIu64
		"</td><td class=\"n\">%.6f</td></tr>\n",
		e->count, MS(e->last));
}

static const struct result_expected *expected_at(const struct result *r,
						 unsigned line)
{
	for (size_t i = 0; i < r->expected_count; i++) {
		if (r->expected[i].line == line)
			return &r->expected[i];
	}
	return NULL;
}

static void put_source(FILE *f, const struct report *r)
{
	const char *text = r->scenario;

	fprintf(f,
		"<details%s><summary>the scenario</summary><pre "
		"class=\"scroll\">",
		r->result.status ? " open" : "");
	for (unsigned n = 1; text && *text; n++) {
		const struct result_expected *e = expected_at(&r->result, n);
		size_t bytes = strcspn(text, "\n");

		fprintf(f, "<span class=\"line%s\" id=\"L%u\"><i>%u</i>",
			!e          ? ""
			: e->failed ? " failed"
				    : " held",
			n, n);
		put_line(f, text, bytes);
		fprintf(f, "</span>");
		text += bytes + (text[bytes] == '\n');
	}
	fprintf(f, "</pre></details>\n");
}

static void put_expectations(FILE *f, const struct report *r)
{
	const struct result *e = &r->result;

	fprintf(f, "<h2>What was expected</h2>\n");
	if (e->expected_count) {
		fprintf(f, "<table><tr><th></th><th class=\"n\">line</th><th>"
			   "of the scenario</th><th></th><th class=\"n\">"
			   "times</th><th class=\"n\">last at, ms</th></tr>\n");
		for (size_t i = 0; i < e->expected_count; i++)
			put_expectation(f, r, &e->expected[i]);
		fprintf(f, "</table>\n");
	} else {
		fprintf(f, "<p>Nothing, but that no machine breaks.</p>\n");
	}
	if (r->scenario)
		put_source(f, r);
}

/* --- again --- */

static void put_again(FILE *f, const struct report *r)
{
	const struct result *e = &r->result;

	fprintf(f, "<h2>The same run again</h2>\n<pre class=\"again\">");
	if (r->command)
		report_escape(f, r->command);
	fprintf(f, "</pre>\n<table>\n");
	fprintf(f, "<tr><td>seed</td><td><code>%" PRIu64 "</code></td></tr>\n",
		e->seed);
	fprintf(f,
		"<tr><td>digest of the machine at the end</td><td><code>%s"
		"</code></td></tr>\n<tr><td>chain</td><td><code>%s</code></td>"
		"</tr>\n<tr><td>digest of the trace</td><td><code>%s</code>"
		"</td></tr>\n</table>\n",
		e->digest, e->chain, e->trace_digest);
}

void report_page(FILE *f, struct report *r)
{
	fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		   "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
		   "content=\"width=device-width, initial-scale=1\">\n"
		   "<title>");
	put_title(f, r);
	fprintf(f, " - Parterre</title>\n<style>\n");
	put_lines(f, report_css);
	fprintf(f, "</style>\n</head>\n<body>\n");
	put_summary(f, r);
	for (size_t i = 0; i < r->machine_count; i++)
		put_machine(f, r, i);
	put_expectations(f, r);
	put_again(f, r);
	fprintf(f, "<div id=\"tip\" role=\"status\"></div>\n<script>\n");
	report_data(f, r);
	put_lines(f, report_js);
	fprintf(f, "</script>\n</body>\n</html>\n");
}
