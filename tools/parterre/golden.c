/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/golden.c - see golden.h.
 *
 * A trace is read once; each partition's layers grow side by side and are put
 * one behind the other at the end.
 *
 * The semantic layer holds no order that time alone decides: of a partition's
 * landmarks that of landmarks, of its console lines that of lines (they come
 * out of the serial line when it has sent them), of its other events that in
 * each conversation (a queue of a channel, the requests of one partition;
 * notices by their sort). Which of two clients a server answers first is when,
 * not what.
 */
#include "tools/parterre/golden.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/digest.h"
#include "sim/whole_file.h"
#include "tools/parterre/parterre.h"

#define MAGIC "parterre-golden 2"
#define LINE  2048

/* Events of a kind that are in order among themselves. */
struct conversation {
	uint32_t kind;
	uint64_t with, fold;
};

/* Lines that grow. */
struct text {
	FILE *to; /* NULL: none yet */
	char *text;
	size_t bytes;
};

struct part {
	struct text landmarks, console;
	uint64_t kinds[256];
	struct conversation *talk;
	size_t talks;
	uint64_t calls, exceptions, digest;
};

struct making {
	struct source source;
	struct part part[SOURCE_PARTITIONS];
	FILE *timed;
	char *timed_text;
	size_t timed_bytes;
};

/* --- making one --- */

static bool fold_file(const char *path, uint64_t *hash)
{
	static char buf[1 << 16];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return false;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		*hash = digest_fold(*hash, buf, n);
	fclose(f);
	return true;
}

static uint64_t images_hash(const struct session *m)
{
	const struct machine_config *c = &m->config;
	uint64_t hash = 0;

	if (c->kernel)
		fold_file(c->kernel, &hash);
	if (c->firmware)
		fold_file(c->firmware, &hash);
	if (c->initrd)
		fold_file(c->initrd, &hash);
	for (size_t i = 0; i < c->module_count; i++)
		fold_file(c->module[i].path, &hash);
	return hash;
}

static FILE *lines(struct text *t)
{
	if (!t->to) {
		t->to = open_memstream(&t->text, &t->bytes);
		CHECK(t->to);
	}
	return t->to;
}

static void put_lines(struct text *t, FILE *to)
{
	if (!t->to)
		return;
	fflush(t->to);
	fputs(t->text, to);
}

static void free_lines(struct text *t)
{
	if (t->to)
		fclose(t->to);
	free(t->text);
}

/* Of each kind, how many there were and a hash of all conversations. */
static void put_talks(const struct part *p, FILE *to)
{
	for (const struct trace_kind *k = trace_kinds; k->name; k++) {
		uint64_t sum = 0;

		if (!p->kinds[k->number])
			continue;
		for (size_t i = 0; i < p->talks; i++) {
			uint64_t fold = p->talk[i].fold;

			if (p->talk[i].kind == k->number)
				sum += digest_fold(0, &fold, sizeof(fold));
		}
		fprintf(to, "  + %" PRIu64 " %s %016" PRIx64 "\n",
			p->kinds[k->number], k->name, sum);
	}
}

#define NOTICES 2 /* queue of a control channel; behind it their answers */

/* Which conversation the event belongs to, as one number for all of its kind.
 * Notices come unasked, each sort for a reason of its own. */
static uint64_t with_whom(const struct trace_record *r)
{
	uint64_t with = 0, queue = 0, id = 0;

	for (unsigned i = 0; i < r->kind->field_count; i++) {
		const char *field = r->kind->field[i].name;

		if (strcmp(field, "channel") == 0 ||
		    strcmp(field, "requester") == 0 ||
		    strcmp(field, "stream") == 0)
			with = r->value[i].u;
		else if (strcmp(field, "queue") == 0)
			queue = r->value[i].u;
		else if (strcmp(field, "id") == 0)
			id = r->value[i].u;
	}
	return with << 24 ^ queue << 16 ^ (queue >= NOTICES ? id : 0);
}

static void note_talk(struct part *p, const struct trace_record *r,
		      const char *text)
{
	uint64_t with = with_whom(r);
	size_t i = 0;

	while (i < p->talks &&
	       (p->talk[i].kind != r->kind->number || p->talk[i].with != with))
		i++;
	if (i == p->talks) {
		p->talk = reallocarray(p->talk, ++p->talks, sizeof(*p->talk));
		CHECK(p->talk);
		p->talk[i] = (struct conversation){.kind = r->kind->number,
						   .with = with};
	}
	p->talk[i].fold = digest_fold(p->talk[i].fold, text, strlen(text));
	p->kinds[r->kind->number]++;
}

/* Whose line of the console it is: "[io.a] ready"; else `partition`, which ran
 * when the serial line had sent it. */
static uint32_t owner_of(const struct making *m, const char *line,
			 uint32_t partition)
{
	for (uint32_t i = 0; i < SOURCE_PARTITIONS && line[0] == '['; i++) {
		const char *name = source_name(&m->source, i);
		size_t n = strlen(name);

		if (n && strncmp(line + 1, name, n) == 0 && line[1 + n] == ']')
			return i;
	}
	return partition;
}

static void note_semantic(struct making *m, const struct trace_record *r)
{
	bool console = r->kind->number == TRACE_EV_CONSOLE;
	uint32_t partition = console ? owner_of(m, r->value[0].s, r->partition)
				     : r->partition;
	struct part *p = &m->part[partition % SOURCE_PARTITIONS];
	const char *name = source_name(&m->source, r->partition);
	char text[LINE];
	bool landmark;

	if (!semantic_text(&m->source, r, text, sizeof(text), &landmark))
		return;
	if (!landmark) {
		note_talk(p, r, text);
		return;
	}
	fprintf(lines(console ? &p->console : &p->landmarks), "  %s\n", text);
	fprintf(m->timed, "%" PRIu64 ".%012" PRIu64 " %s i=%" PRIu64 " %s\n",
		r->time / PS_PER_S, r->time % PS_PER_S, name, r->retired, text);
}

/* Numbers and what they are called with, but for times and addresses. */
static void note_architectural(struct making *m, const struct trace_record *r)
{
	struct part *p = &m->part[r->partition % SOURCE_PARTITIONS];
	uint64_t what[3] = {r->kind->number, r->value[0].u, r->value[1].u};

	if (r->kind->number == TRACE_EV_SYSCALL)
		p->calls++;
	else if (r->kind->number == TRACE_EV_EXCEPTION)
		p->exceptions++;
	else
		return;
	p->digest = digest_fold(p->digest, what, sizeof(what));
}

static void put_layers(struct making *m, const struct session *of, FILE *to)
{
	const struct session_sum *sum = &of->own;
	uint64_t profile = 0;

	if (of->config.profile)
		fold_file(of->config.profile, &profile);

	fprintf(to,
		"machine %s\nimages %016" PRIx64 "\ntiming %s %016" PRIx64
		"\n[semantic]\n",
		of->name[0] ? of->name : "-", images_hash(of),
		timing_model_name[of->config.timing], profile);
	for (uint32_t i = 0; i < SOURCE_PARTITIONS; i++) {
		struct part *p = &m->part[i];

		if (!p->landmarks.to && !p->console.to && !p->talks)
			continue;
		fprintf(to, "%s\n", source_name(&m->source, i));
		put_lines(&p->landmarks, to);
		put_lines(&p->console, to);
		put_talks(p, to);
	}
	fprintf(to, "[architectural]\n");
	for (uint32_t i = 0; i < SOURCE_PARTITIONS; i++) {
		const struct part *p = &m->part[i];

		if (p->calls || p->exceptions)
			fprintf(to,
				"%s %" PRIu64 " syscall %" PRIu64
				" exception %016" PRIx64 "\n",
				source_name(&m->source, i), p->calls,
				p->exceptions, p->digest);
	}
	fflush(m->timed);
	fprintf(to,
		"[timed]\n%send %" PRIu64 " retired %" PRIu64
		" chain %016" PRIx64 " digest %016" PRIx64 " events %" PRIu64
		" trace %016" PRIx64 "\n",
		m->timed_text, sum->end, sum->retired, sum->chain, sum->digest,
		sum->trace_count, sum->trace_digest);
}

static bool make_machine(const struct session *of, FILE *to, struct error *err)
{
	struct making *m = calloc(1, sizeof(*m));
	char dir[PATH_MAX];
	struct trace_record r;
	int state = -1;

	CHECK(m);
	m->timed = open_memstream(&m->timed_text, &m->timed_bytes);
	CHECK(m->timed);
	if (path_in(dir, of->out, "trace") &&
	    source_open(&m->source, dir, NULL, err)) {
		trace_plain(m->source.reader);
		while ((state = source_next(&m->source, &r, err)) == 1) {
			note_semantic(m, &r);
			note_architectural(m, &r);
		}
		if (state == 0)
			put_layers(m, of, to);
		source_close(&m->source);
	}
	for (size_t i = 0; i < SOURCE_PARTITIONS; i++) {
		free_lines(&m->part[i].landmarks);
		free_lines(&m->part[i].console);
		free(m->part[i].talk);
	}
	fclose(m->timed);
	free(m->timed_text);
	free(m);
	return state == 0;
}

char *golden_make(const struct session *first, struct error *err)
{
	char *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);
	bool good = true;

	CHECK(to);
	fprintf(to, MAGIC "\n");
	for (const struct session *m = first; m && good; m = m->next)
		good = make_machine(m, to, err);
	fclose(to);
	if (!good) {
		free(text);
		text = NULL;
	}
	return text;
}

/* --- files --- */

char *golden_read(const char *path, struct error *err)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (!f || getdelim(&text, &room, '\0', f) < 0) {
		error_set(err, EXIT_USAGE,
			  "%s: cannot be read: %s; `parterre record` makes it",
			  path, f ? "it is empty" : strerror(errno));
		free(text);
		text = NULL;
	}
	if (f)
		fclose(f);
	return text;
}

bool golden_whole(const char *path, struct error *err)
{
	char *text = golden_read(path, err);
	const char *end = text;
	bool whole = false;

	for (const char *at = text; at; at = strstr(at, "\nend "))
		end = ++at;
	if (text && strncmp(text, MAGIC "\n", sizeof(MAGIC)) != 0)
		error_set(err, EXIT_USAGE,
			  "%s: is no golden trace of version %s; `parterre "
			  "record` makes one%s",
			  path, strrchr(MAGIC, ' ') + 1,
			  recording_is(path) ? ", and `parterre replay` runs "
					       "this recording again"
					     : "");
	else if (text && (strncmp(end, "end ", 4) != 0 ||
			  end[strcspn(end, "\n")] != '\n'))
		error_set(err, EXIT_USAGE,
			  "%s: the golden trace is cut off; `parterre record` "
			  "makes it anew",
			  path);
	else
		whole = text != NULL;
	free(text);
	return whole;
}

bool golden_write(const char *path, const char *text, struct error *err)
{
	static struct whole_file file;

	if (!whole_file_open(&file, path, err))
		return false;
	fputs(text, file.to);
	return whole_file_close(&file, err);
}

/* --- comparing --- */

static const char *const layers[] = {"semantic", "architectural", "timed"};
#define CONTEXT 3

/* A walk over the lines of one layer. */
struct walk {
	const char *at;
	bool inside;
	unsigned number; /* of the line, from 1 on */
	char line[LINE], owner[64], machine[64];
};

static bool next_line(struct walk *w)
{
	size_t n = strcspn(w->at, "\n");

	if (!*w->at)
		return false;
	snprintf(w->line, sizeof(w->line), "%.*s", (int)n, w->at);
	w->at += n + (w->at[n] == '\n');
	w->number++;
	return true;
}

static bool next_of(struct walk *w, const char *layer)
{
	size_t n = strlen(layer);

	while (next_line(w)) {
		if (strncmp(w->line, "machine ", 8) == 0) {
			snprintf(w->machine, sizeof(w->machine), "%.60s",
				 w->line + 8);
			w->inside = false;
		} else if (w->line[0] == '[') {
			w->inside = strncmp(w->line + 1, layer, n) == 0;
		} else if (w->inside) {
			if (w->line[0] != ' ')
				snprintf(w->owner, sizeof(w->owner), "%.60s",
					 w->line);
			return true;
		}
	}
	return false;
}

static int compare_layer(const char *recorded, const char *fresh,
			 const char *layer)
{
	static struct walk a, b;
	static char past[CONTEXT][LINE];
	unsigned n = 0;
	bool more_a, more_b;

	a = (struct walk){.at = recorded};
	b = (struct walk){.at = fresh};
	for (;; n++) {
		more_a = next_of(&a, layer);
		more_b = next_of(&b, layer);
		if (!more_a && !more_b)
			return EXIT_HELD;
		if (!more_a || !more_b || strcmp(a.line, b.line) != 0)
			break;
		snprintf(past[n % CONTEXT], LINE, "%s", a.line);
	}
	printf("the %s layer differs first, at line %u of the golden trace"
	       " (%s)\n",
	       layer, a.number, a.owner);
	for (unsigned i = n < CONTEXT ? 0 : n - CONTEXT; i < n; i++)
		printf("both      %s\n", past[i % CONTEXT]);
	printf("recorded  %s\n", more_a ? a.line : "(nothing more)");
	printf("fresh     %s\n", more_b ? b.line : "(nothing more)");
	return EXIT_TRACE;
}

/* Of each machine the line that begins with `key`, "\nimages ". */
static bool same(const char *a, const char *b, const char *key)
{
	for (;;) {
		const char *x = strstr(a, key), *y = strstr(b, key);
		size_t n;

		if (!x || !y)
			return !x && !y;
		n = 1 + strcspn(x + 1, "\n");
		if (strncmp(x, y, n + 1) != 0)
			return false;
		a = x + 1;
		b = y + 1;
	}
}

int golden_compare(const char *recorded, const char *fresh)
{
	bool images = same(recorded, fresh, "\nimages ");
	bool timing = same(recorded, fresh, "\ntiming ");
	size_t count = images && timing ? ARRAY_LEN(layers) : 1;

	for (size_t i = 0; i < count; i++) {
		if (compare_layer(recorded, fresh, layers[i]))
			return EXIT_TRACE;
	}
	if (images && timing)
		printf("semantic, architectural and timed layer are the "
		       "same\n");
	else
		printf("semantic layer is the same; %s, so the architectural "
		       "and timed layers are not compared\n",
		       images ? "time is counted otherwise"
			      : "the images are others");
	return EXIT_HELD;
}
