/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/record.c - parterre record and replay.
 *
 * A recording is a text of a few KB, one "key value..." a line, in this order:
 *
 *   parterre-recording 1
 *   scenario HASH PATH        file HASH PATH (each image and other input)
 *   seed N                    that --seed gave; absent: the scenario's
 *   timing MODEL, profile PATH   that were given so
 *   inject WHAT @ WHEN        (each)
 *   classes N                 of trace events: partition 1, machine 2
 *   select WHAT ARG           (each) of --trace-WHAT
 *   until PS                  where it was left by --until or by a signal
 *   engine TEXT               named where a replay differs; not compared
 *   end PS   status N   retired N   chain HEX   digest HEX
 *   events N   trace HEX
 *   sample PS HEX             the chain at instants, to find where runs part
 *   input PS MACHINE SERIAL HEX   what was typed
 *   quit PS                   the run was left by its user
 *   end-of-recording
 *
 * Numbers and digests are those of all machines together, in their order.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "sim/check.h"
#include "sim/digest.h"
#include "sim/trace/trace.h"
#include "sim/whole_file.h"
#include "tools/parterre/golden.h"
#include "tools/parterre/parterre.h"

#define FILES_MAX (SESSION_MACHINES_MAX * (MACHINE_MODULES_MAX + 3))

struct recorded_file {
	char path[PATH_MAX];
	uint64_t hash;
};

struct recording {
	struct recorded_file scenario;
	size_t file_count;
	struct recorded_file file[FILES_MAX];
	const char *firmware, *profile;
	const char *engine; /* NULL: it does not say */
	bool timing_given;
	enum timing_model timing;
	const char *parameter[SESSION_PARAMETERS_MAX];
	size_t parameter_count;
	const char *plan[SESSION_PLAN_MAX];
	size_t plan_count;
	struct session_select select[SESSION_SELECTS_MAX];
	size_t select_count;
	bool seed_given;
	uint64_t seed, classes, until;
	uint64_t end, status, retired, chain, digest, events, trace;
	size_t sample_count;
	uint64_t *sample;
	struct session_inputs input;
};

static bool hash_file(const char *path, uint64_t *hash, struct error *err)
{
	static char buf[1 << 16];
	FILE *f = fopen(path, "rb");
	struct digest *d;
	size_t n;

	if (!f)
		return error_set(err, EXIT_USAGE, "%s: cannot be read: %s",
				 path, strerror(errno));
	d = digest_create();
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		digest_feed(d, buf, n);
	*hash = digest_value(d);
	digest_destroy(d);
	fclose(f);
	return true;
}

/* --- writing --- */

static bool write_file_line(FILE *to, const char *key, const char *path,
			    struct error *err)
{
	uint64_t hash = 0;

	if (!hash_file(path, &hash, err))
		return false;
	fprintf(to, "%s %016" PRIx64 " %s\n", key, hash, path);
	return true;
}

/* All that a machine reads. */
static bool write_files(FILE *to, const struct session *s, struct error *err)
{
	const struct machine_config *c = &s->config;

	if (!write_file_line(to, "file", c->firmware ? c->firmware : c->kernel,
			     err))
		return false;
	if (c->initrd && !write_file_line(to, "file", c->initrd, err))
		return false;
	if (c->profile && !write_file_line(to, "file", c->profile, err))
		return false;
	for (size_t i = 0; i < c->module_count; i++) {
		if (!write_file_line(to, "file", c->module[i].path, err))
			return false;
	}
	return !s->disk_image[0] ||
	       write_file_line(to, "file", s->disk_image, err);
}

static bool write_recording(FILE *to, const struct session *s, int status,
			    struct error *err)
{
	bool ok;

	fprintf(to, "parterre-recording 1\n");
	ok = write_file_line(to, "scenario", s->options.scenario, err);
	for (const struct session *m = s; ok && m; m = m->next)
		ok = write_files(to, m, err);
	if (s->options.seed_given)
		fprintf(to, "seed %" PRIu64 "\n", s->options.seed);
	if (s->options.firmware)
		fprintf(to, "firmware %s\n", s->options.firmware);
	if (s->options.timing_given)
		fprintf(to, "timing %s\n",
			timing_model_name[s->options.timing]);
	if (s->options.profile)
		fprintf(to, "profile %s\n", s->options.profile);
	for (size_t i = 0; i < s->options.parameter_count; i++)
		fprintf(to, "set %s\n", s->options.parameter[i]);
	for (size_t i = 0; i < s->options.plan_count; i++)
		fprintf(to, "inject %s\n", s->options.plan[i]);
	for (size_t i = 0; i < s->options.select_count; i++)
		fprintf(to, "select %s %s\n", s->options.select[i].what,
			s->options.select[i].arg);
	if (s->options.until)
		fprintf(to, "until %" PRIu64 "\n", s->options.until);
	fprintf(to, "classes %u\nengine %s\n", s->options.classes & TRACE_PLAIN,
		cpu_engine_text());
	fprintf(to, "end %" PRIu64 "\nstatus %d\nretired %" PRIu64 "\n",
		s->sum.end, status, s->sum.retired);
	fprintf(to, "chain %016" PRIx64 "\ndigest %016" PRIx64 "\n",
		s->sum.chain, s->sum.digest);
	fprintf(to, "events %" PRIu64 "\ntrace %016" PRIx64 "\n",
		s->sum.trace_count, s->sum.trace_digest);
	for (size_t i = 0; i < s->sample_count; i++)
		fprintf(to, "sample %" PRIu64 " %016" PRIx64 "\n",
			(uint64_t)(i + 1) * SESSION_SAMPLE_PS, s->sample[i]);
	for (size_t i = 0; i < s->taken.count; i++)
		session_input_put(to, &s->taken.input[i]);
	fprintf(to, "end-of-recording\n");
	return ok;
}

static const char record_help[] =
	"usage: parterre record [OPTION...] -o FILE SCENARIO\n"
	"Runs the scenario and writes to FILE what reproduces and identifies "
	"the run, and\nits golden trace beside it: NAME.golden of NAME.rec.\n";

/* Beside the recording; a run without a trace has none, nor has what was not to
 * end there. */
static bool write_golden(const char *recording, const struct session *s,
			 struct error *err)
{
	size_t n = strlen(recording);
	char path[PATH_MAX];
	char *text;
	bool good;

	if (!s->options.classes || session_left_by())
		return true;
	if (n > 4 && strcmp(recording + n - 4, ".rec") == 0)
		n -= 4;
	if (snprintf(path, sizeof(path), "%.*s.golden", (int)n, recording) >=
	    (int)sizeof(path))
		return error_set(err, EXIT_USAGE, "%s: the path is too long",
				 recording);
	text = golden_make(s, err);
	good = text && golden_write(path, text, err);
	free(text);
	return good;
}

int main_record(int argc, char **argv)
{
	static struct session s;
	static struct oracle_report oracle;
	static struct whole_file file;
	struct run_options o;
	struct error err = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, record_help, 1, &status))
		return status;
	if (!o.file)
		return usage_error("record", "-o FILE is missing");
	/* Rather now than after an hour. */
	if (!whole_file_open(&file, o.file, &err))
		return complain("record", &err);
	session_heed_signals(true);
	status = run_session(&s, &o.session, &oracle, &err);
	if (status)
		complain("record", &err);
	/* A run that fails is worth recording, too; one that never began isn't.
	 */
	if (s.sum.end) {
		if (!write_recording(file.to, &s, status, &err) ||
		    !whole_file_close(&file, &err) ||
		    (whole_file_is_file(&file) &&
		     !write_golden(o.file, &s, &err)))
			status = complain("record", &err);
		else if (!o.quiet)
			printf("recorded %.6f ms, chain %016" PRIx64
			       ", to %s%s\n",
			       (double)s.sum.end / (double)PS_PER_MS,
			       s.sum.chain, o.file,
			       session_left_by() ? ": left by a signal, so "
						   "without a golden trace"
						 : "");
	}
	whole_file_drop(&file);
	session_close(&s);
	session_end_by_signal();
	return status;
}

/* --- reading --- */

struct reader {
	const char *path;
	FILE *from;
	unsigned line;
	char text[PATH_MAX + 64];
};

static bool bad_line(struct reader *r, const char *what, struct error *err)
{
	return error_set(err, EXIT_USAGE,
			 "%s:%u: %s; record the run again (parterre record)",
			 r->path, r->line, what);
}

static bool read_number(const char *text, int base, uint64_t *n)
{
	char *end;

	if (!*text || *text == '-' || *text == ' ')
		return false;
	errno = 0;
	*n = strtoull(text, &end, base);
	return !*end && !errno;
}

/* "HASH PATH" */
static bool read_hashed(const char *text, struct recorded_file *f)
{
	char hash[17];

	if (strlen(text) < 18 || text[16] != ' ' || strlen(text) > PATH_MAX)
		return false;
	memcpy(hash, text, 16);
	hash[16] = '\0';
	snprintf(f->path, sizeof(f->path), "%s", text + 17);
	return read_number(hash, 16, &f->hash);
}

static bool read_sample(struct recording *rec, char *text)
{
	char *hash = strchr(text, ' ');
	uint64_t when;

	if (!hash || rec->sample_count == SESSION_SAMPLES)
		return false;
	*hash++ = '\0';
	return read_number(text, 10, &when) &&
	       when == (rec->sample_count + 1) * SESSION_SAMPLE_PS &&
	       read_number(hash, 16, &rec->sample[rec->sample_count++]);
}

/* "WHAT ARG"; whether they are any is seen when they are taken. */
static bool read_select(struct recording *rec, char *text)
{
	struct session_select *s = &rec->select[rec->select_count];
	char *arg = strchr(text, ' ');

	if (!arg || rec->select_count == SESSION_SELECTS_MAX)
		return false;
	*arg++ = '\0';
	s->what = strdup(text);
	s->arg = strdup(arg);
	return s->what && s->arg && ++rec->select_count;
}

static bool read_line(struct recording *rec, const char *key, char *value)
{
	const struct {
		const char *key;
		int base;
		uint64_t *to;
	} numbers[] = {
		{"seed", 10, &rec->seed},     {"classes", 10, &rec->classes},
		{"end", 10, &rec->end},       {"status", 10, &rec->status},
		{"until", 10, &rec->until},   {"retired", 10, &rec->retired},
		{"chain", 16, &rec->chain},   {"digest", 16, &rec->digest},
		{"events", 10, &rec->events}, {"trace", 16, &rec->trace},
	};

	if (strcmp(key, "scenario") == 0)
		return read_hashed(value, &rec->scenario);
	if (strcmp(key, "file") == 0)
		return rec->file_count < FILES_MAX &&
		       read_hashed(value, &rec->file[rec->file_count++]);
	if (strcmp(key, "firmware") == 0)
		return (rec->firmware = strdup(value)) != NULL;
	if (strcmp(key, "timing") == 0)
		return (rec->timing_given =
				timing_model_find(value, &rec->timing));
	if (strcmp(key, "profile") == 0)
		return (rec->profile = strdup(value)) != NULL;
	if (strcmp(key, "set") == 0)
		return rec->parameter_count < SESSION_PARAMETERS_MAX &&
		       (rec->parameter[rec->parameter_count++] =
				strdup(value)) != NULL;
	if (strcmp(key, "inject") == 0)
		return rec->plan_count < SESSION_PLAN_MAX &&
		       (rec->plan[rec->plan_count++] = strdup(value)) != NULL;
	if (strcmp(key, "select") == 0)
		return read_select(rec, value);
	if (strcmp(key, "engine") == 0)
		return (rec->engine = strdup(value)) != NULL;
	if (strcmp(key, "sample") == 0)
		return read_sample(rec, value);
	rec->seed_given |= strcmp(key, "seed") == 0;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strcmp(key, numbers[i].key) == 0)
			return read_number(value, numbers[i].base,
					   numbers[i].to);
	}
	return false;
}

static bool next_line(struct reader *r)
{
	if (!fgets(r->text, sizeof(r->text), r->from))
		return false;
	r->line++;
	r->text[strcspn(r->text, "\n")] = '\0';
	return true;
}

static bool read_lines(struct reader *r, struct recording *rec,
		       struct error *err)
{
	if (!next_line(r) || strcmp(r->text, "parterre-recording 1") != 0) {
		r->line = 1;
		return bad_line(r, "this is no recording of version 1", err);
	}
	while (next_line(r)) {
		char *value = strchr(r->text, ' ');
		struct session_input in;

		if (session_input_parse(r->text, &in)) {
			session_inputs_add(&rec->input, &in);
			continue;
		}
		if (strcmp(r->text, "end-of-recording") == 0)
			return rec->scenario.path[0] ||
			       bad_line(r, "no scenario was named", err);
		if (!value)
			return bad_line(r, "a key without a value", err);
		*value++ = '\0';
		if (!read_line(rec, r->text, value))
			return bad_line(r, "not a line of a recording", err);
	}
	r->line++;
	return bad_line(r, "the recording is cut off", err);
}

static bool read_recording(const char *path, struct recording *rec,
			   struct error *err)
{
	struct reader r = {.path = path, .from = fopen(path, "r")};
	bool ok;

	memset(rec, 0, sizeof(*rec));
	if (!r.from)
		return error_set(err, EXIT_USAGE, "%s: cannot be read: %s",
				 path, strerror(errno));
	rec->sample = calloc(SESSION_SAMPLES, sizeof(*rec->sample));
	ok = rec->sample && read_lines(&r, rec, err);
	fclose(r.from);
	return ok;
}

/* --- replay --- */

static bool same_file(const struct recorded_file *f, const char *path,
		      struct error *err)
{
	uint64_t hash = 0;

	if (!hash_file(path, &hash, err))
		return false;
	return hash == f->hash ||
	       error_set(err, EXIT_USAGE,
			 "%s: is not what was recorded (%016" PRIx64
			 ", recorded %016" PRIx64
			 "); take that version, or record anew",
			 path, hash, f->hash);
}

/* Before the run, as far as it can be told: the scenario says the rest. */
static bool same_inputs(const struct recording *rec, const char *images,
			struct error *err)
{
	char path[PATH_MAX];

	if (!same_file(&rec->scenario, rec->scenario.path, err))
		return false;
	for (size_t i = 0; i < rec->file_count; i++) {
		const char *base = strrchr(rec->file[i].path, '/');
		size_t n = strlen(rec->file[i].path);

		base = base ? base + 1 : rec->file[i].path;
		snprintf(path, sizeof(path), "%s", rec->file[i].path);
		if (n > 4 && strcmp(rec->file[i].path + n - 4, ".elf") == 0 &&
		    !path_in(path, images, base))
			return error_set(err, EXIT_USAGE,
					 "%s: the path is too long", images);
		if (!same_file(&rec->file[i], path, err))
			return false;
	}
	return true;
}

static bool differs(struct error *err, const char *what, uint64_t recorded,
		    uint64_t now)
{
	return error_set(err, EXIT_TRACE,
			 "%s is %016" PRIx64 ", recorded %016" PRIx64, what,
			 now, recorded);
}

static bool compare(const struct recording *rec, const struct session *s,
		    int status, struct error *err)
{
	for (size_t i = 0; i < rec->sample_count && i < s->sample_count; i++) {
		if (rec->sample[i] == s->sample[i])
			continue;
		return error_set(err, EXIT_TRACE,
				 "the runs part between %.3f and %.3f ms; "
				 "`parterre check` with a trace of the "
				 "recorded run names the event",
				 (double)(i * SESSION_SAMPLE_PS) /
					 (double)PS_PER_MS,
				 (double)((i + 1) * SESSION_SAMPLE_PS) /
					 (double)PS_PER_MS);
	}
	if (s->sum.end != rec->end)
		return error_set(err, EXIT_TRACE,
				 "the run ends at %" PRIu64
				 " ps, recorded %" PRIu64 " ps",
				 s->sum.end, rec->end);
	if (s->sum.retired != rec->retired)
		return error_set(err, EXIT_TRACE,
				 "%" PRIu64 " instructions retired, recorded "
				 "%" PRIu64,
				 s->sum.retired, rec->retired);
	if (s->sum.chain != rec->chain)
		return differs(err, "the chain", rec->chain, s->sum.chain);
	if (s->sum.digest != rec->digest)
		return differs(err, "the digest", rec->digest, s->sum.digest);
	if (s->sum.trace_digest != rec->trace ||
	    s->sum.trace_count != rec->events)
		return differs(err, "the trace's digest", rec->trace,
			       s->sum.trace_digest);
	return (uint64_t)status == rec->status ||
	       error_set(err, EXIT_TRACE,
			 "the run's status is %d, recorded %" PRIu64, status,
			 rec->status);
}

bool recording_is(const char *path)
{
	static const char magic[] = "parterre-recording ";
	char first[sizeof(magic)] = "";
	FILE *f = fopen(path, "r");
	bool is = f && fgets(first, sizeof(first), f) && !strcmp(first, magic);

	if (f)
		fclose(f);
	return is;
}

size_t recording_samples(const struct recording *rec, const uint64_t **sample,
			 uint64_t *chain, ps_t *end)
{
	*sample = rec->sample;
	*chain = rec->chain;
	*end = rec->end;
	return rec->sample_count;
}

bool recording_images(const char *path, char *dir, struct error *err)
{
	struct recording *rec = calloc(1, sizeof(*rec));
	const char *slash;
	bool good;

	CHECK(rec);
	good = read_recording(path, rec, err);
	snprintf(dir, PATH_MAX, "%s", default_images());
	for (size_t i = 0; good && i < rec->file_count; i++) {
		const char *file = rec->file[i].path;
		size_t n = strlen(file);

		slash = strrchr(file, '/');
		if (slash && n > 4 && strcmp(file + n - 4, ".elf") == 0) {
			snprintf(dir, PATH_MAX, "%.*s", (int)(slash - file),
				 file);
			break;
		}
	}
	recording_close(rec);
	return good;
}

void recording_close(struct recording *rec)
{
	if (!rec)
		return;
	session_inputs_free(&rec->input);
	free(rec->sample);
	free(rec);
}

struct recording *recording_open(const char *path, struct session_options *o,
				 struct error *err)
{
	struct recording *rec = calloc(1, sizeof(*rec));

	CHECK(rec);
	if (!read_recording(path, rec, err) ||
	    !same_inputs(rec, o->images, err)) {
		recording_close(rec);
		return NULL;
	}
	o->scenario = rec->scenario.path;
	o->firmware = rec->firmware;
	o->timing_given = rec->timing_given;
	o->timing = rec->timing;
	o->profile = rec->profile;
	memcpy(o->parameter, rec->parameter, sizeof(rec->parameter));
	o->parameter_count = rec->parameter_count;
	memcpy(o->plan, rec->plan, sizeof(rec->plan));
	o->plan_count = rec->plan_count;
	o->seed_given = rec->seed_given;
	o->seed = rec->seed;
	if (rec->until && (!o->until || rec->until < o->until))
		o->until = rec->until;
	o->classes = (unsigned)rec->classes & TRACE_PLAIN;
	o->classes_given = true;
	o->select_count = 0;
	for (size_t i = 0; i < rec->select_count; i++) {
		if (session_select_add(o, rec->select[i].what,
				       rec->select[i].arg))
			continue;
		error_set(err, EXIT_USAGE,
			  "%s: 'select %s %s' is nothing that can be "
			  "selected; record the run again",
			  path, rec->select[i].what, rec->select[i].arg);
		recording_close(rec);
		return NULL;
	}
	o->input = NULL;
	o->replays = true;
	o->replay = rec->input;
	return rec;
}

static const char replay_help[] =
	"usage: parterre replay [OPTION...] FILE\n"
	"Runs a recording again and compares, bit for bit; ends with status 6 "
	"if it\ndiffers.  --seed, --set, --input, --firmware, --timing, "
	"--profile and\n--trace are the recording's.\n";

/* Of a run that its user left there is nothing to compare. */
static int left_early(const struct session *s, struct error *err)
{
	error_set(err, EXIT_HOST,
		  "left by a signal at %.6f ms; nothing is compared",
		  (double)s->sum.end / (double)PS_PER_MS);
	return complain("replay", err);
}

int main_replay(int argc, char **argv)
{
	static struct session s;
	static struct oracle_report oracle;
	struct recording *rec;
	struct run_options o;
	struct error err = {0};
	int status;

	if (!run_options_parse(&o, argc, argv, replay_help, 1, &status))
		return status;
	rec = recording_open(o.operand[0], &o.session, &err);
	if (!rec)
		return complain("replay", &err);
	session_heed_signals(true);
	status = run_session(&s, &o.session, &oracle, &err);
	if (session_left_by()) {
		status = left_early(&s, &err);
	} else if (s.sum.end && compare(rec, &s, status, &err)) {
		status = EXIT_HELD;
		if (!o.quiet)
			printf("replayed %.6f ms, chain %016" PRIx64
			       ": bit for bit the same\n",
			       (double)s.sum.end / (double)PS_PER_MS,
			       s.sum.chain);
	} else {
		status = complain("replay", &err);
		if (status == EXIT_TRACE && rec->engine &&
		    strcmp(rec->engine, cpu_engine_text()) != 0)
			fprintf(stderr,
				"parterre replay: it was recorded with %s, "
				"this is %s: that alone may be why\n",
				rec->engine, cpu_engine_text());
	}
	session_close(&s);
	recording_close(rec);
	session_end_by_signal();
	return status;
}
