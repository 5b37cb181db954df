/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session.c */
#include "sim/scenario/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/loader.h"
#include "sim/trace/trace.h"

#define LIVE_SLICE   (2 * PS_PER_MS)
#define LIVE_HOST_NS 100000000

void session_name(const char *scenario, char *name, size_t bytes)
{
	const char *base = strrchr(scenario, '/');
	size_t n;

	base = base ? base + 1 : scenario;
	n = strlen(base);
	if (n > 4 && strcmp(base + n - 4, ".lua") == 0)
		n -= 4;
	snprintf(name, bytes, "%.*s", (int)n, base);
}

/* --- the directory --- */

static bool join(char *to, const char *dir, const char *name, struct error *err)
{
	int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);

	return (n > 0 && n < PATH_MAX) ||
	       error_set(err, EXIT_USAGE, "%s/%s: the path is too long", dir,
			 name);
}

static bool make_dir(const char *path, struct error *err)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1;; p++) {
		bool end = !*p;

		if (!end && *p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return error_set(err, EXIT_HOST,
					 "%s: cannot make the directory: %s; "
					 "give another by --out DIR",
					 part, strerror(errno));
		if (end)
			return true;
		*p = '/';
	}
}

static bool copy_file(const char *from, const char *to, struct error *err)
{
	static char buf[1 << 16];
	FILE *in = fopen(from, "rb");
	FILE *out;
	size_t n;
	bool ok;

	if (!in)
		return error_set(err, EXIT_USAGE, "%s: cannot be read: %s",
				 from, strerror(errno));
	out = fopen(to, "wb");
	if (!out) {
		fclose(in);
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 to, strerror(errno));
	}
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, out);
	ok = !ferror(in) && !ferror(out);
	fclose(in);
	ok = fclose(out) == 0 && ok;
	return ok || error_set(err, EXIT_HOST, "%s: cannot be copied to %s",
			       from, to);
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* One word of a shell's line, whatever is in it. */
static void put_word(FILE *f, const char *text)
{
	fputs(" '", f);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", f);
		else
			fputc(*text, f);
	}
	fputc('\'', f);
}

/* Repeats the run from wherever it is called; more options may follow. */
static bool write_command(struct session *s, struct error *err)
{
	const struct session_options *o = &s->options;
	char path[PATH_MAX], here[PATH_MAX], program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	FILE *f;

	program[n > 0 ? n : 0] = '\0';
	if (!join(path, s->out, "command", err))
		return false;
	if (!getcwd(here, sizeof(here)))
		return error_set(err, EXIT_HOST,
				 "the folder that this is called in is gone: "
				 "%s; call it in another",
				 strerror(errno));
	f = fopen(path, "w");
	if (!f)
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 path, strerror(errno));
	fputs("cd --", f);
	put_word(f, here);
	fputs(" && exec", f);
	put_word(f, program);
	fputs(" run", f);
	put_word(f, o->scenario);
	fputs(" --images", f);
	put_word(f, o->images);
	if (o->seed_given)
		fprintf(f, " --seed %" PRIu64, o->seed);
	if (o->pieces)
		fprintf(f, " --pieces %" PRIu64, o->pieces);
	if (o->classes == TRACE_CLASS_PARTITION)
		fprintf(f, " --trace partition");
	else if (!o->classes)
		fprintf(f, " --trace none");
	if (o->until)
		fprintf(f, " --until %" PRIu64 "ps", o->until);
	fprintf(f, " \"$@\"\n");
	fclose(f);
	return true;
}

/* What an earlier run left would pass for this one's.  The disk stays until
 * it is known that the new one is not a copy of it. */
static bool remove_old(struct session *s, struct error *err)
{
	static const char *const files[] = {"console.txt", "trace/metadata",
					    "trace/stream"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (!join(path, s->out, files[i], err))
			return false;
		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
			return error_set(err, EXIT_HOST,
					 "%s: cannot be replaced: %s; give "
					 "another folder by --out DIR",
					 path, strerror(errno));
	}
	return true;
}

bool session_open(struct session *s, const struct session_options *o,
		  struct error *err)
{
	char name[256], path[PATH_MAX];

	memset(s, 0, sizeof(*s));
	s->options = *o;
	s->contained = true;
	s->cut = o->pieces;
	session_name(o->scenario, name, sizeof(name));
	if (o->out)
		snprintf(s->out, sizeof(s->out), "%s", o->out);
	else
		snprintf(s->out, sizeof(s->out), "parterre.out/%s", name);
	if (!make_dir(s->out, err) ||
	    !join(path, s->out, "scenario.lua", err) ||
	    (!same_file(o->scenario, path) &&
	     !copy_file(o->scenario, path, err)) ||
	    !remove_old(s, err) || !write_command(s, err) ||
	    !join(path, s->out, "console.txt", err))
		return false;
	s->console = fopen(path, "wb");
	return s->console ||
	       error_set(err, EXIT_HOST, "%s: cannot be written: %s", path,
			 strerror(errno));
}

/* --- the machine --- */

static bool make_disk(struct session *s, const struct session_machine *d,
		      char *path, struct error *err)
{
	struct stat st;
	int fd;

	if (!join(path, s->out, "disk.img", err))
		return false;
	if (d->disk_image[0] && same_file(d->disk_image, path))
		return error_set(err, EXIT_USAGE,
				 "%s: the run leaves its own disk there; copy "
				 "it elsewhere, or give another folder by "
				 "--out DIR",
				 d->disk_image);
	unlink(path);
	if (d->disk_image[0]) {
		snprintf(s->disk_image, sizeof(s->disk_image), "%s",
			 d->disk_image);
		if (!copy_file(d->disk_image, path, err))
			return false;
		if (stat(path, &st) == 0 &&
		    (uint64_t)st.st_size != d->disk_bytes)
			return error_set(err, EXIT_USAGE,
					 "%s: the disk image has %" PRIu64
					 " bytes, disk says %" PRIu64
					 "; give the size that it has",
					 d->disk_image, (uint64_t)st.st_size,
					 d->disk_bytes);
		return true;
	}
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, (off_t)d->disk_bytes) < 0) {
		if (fd >= 0)
			close(fd);
		return error_set(err, EXIT_HOST,
				 "%s: cannot make a disk of %" PRIu64
				 " bytes: %s",
				 path, d->disk_bytes, strerror(errno));
	}
	close(fd);
	return true;
}

static bool image_path(struct session *s, const char *name, char *path,
		       struct error *err)
{
	char file[80];

	snprintf(file, sizeof(file), "%s.elf", name);
	if (!join(path, s->options.images, file, err))
		return false;
	return access(path, R_OK) == 0 ||
	       error_set(
		       err, EXIT_USAGE,
		       "%s: no image of that name (%s); build it (tools/build "
		       "fast), or give its folder by --images DIR",
		       path, strerror(errno));
}

static bool fill_config(struct session *s, const struct session_machine *d,
			struct error *err)
{
	struct machine_config *c = &s->config;
	size_t n = 0;

	*c = d->config;
	if (s->options.seed_given)
		c->seed = s->options.seed;
	if (!image_path(s, d->kernel, s->path[n], err))
		return false;
	c->kernel = s->path[n++];
	c->module_count = 0;
	for (size_t i = 0; i < d->module_count; i++) {
		if (!image_path(s, d->module[i], s->path[n], err))
			return false;
		snprintf(s->module_name[i], sizeof(s->module_name[i]),
			 "%.59s.elf", d->module[i]);
		c->module[c->module_count].path = s->path[n++];
		c->module[c->module_count++].string = s->module_name[i];
	}
	if (d->policy[0]) {
		snprintf(s->path[n], PATH_MAX, "%s", d->policy);
		c->module[c->module_count].path = s->path[n++];
		c->module[c->module_count++].string = "policy.txt";
	}
	snprintf(s->path[n], PATH_MAX, "%s", d->cmdline);
	c->cmdline = s->path[n++];
	if (d->disk_bytes) {
		if (!make_disk(s, d, s->path[n], err))
			return false;
		c->disk_path = s->path[n++];
	}
	return true;
}

static void on_byte(void *owner, ps_t when, uint8_t byte)
{
	struct session *s = owner;

	fputc(byte, s->console);
	partition_view_console_byte(s->view, when, byte);
}

static void keep_line(struct session *s, const struct trace_record *r)
{
	const char *text = r->value[0].s, *end = strstr(text, "] ");

	if ((s->line_count & (s->line_count + 1)) == 0) {
		s->line = realloc(s->line,
				  (2 * s->line_count + 2) * sizeof(*s->line));
		CHECK(s->line);
	}
	if (text[0] == '[' && end)
		text = end + 2;
	s->line[s->line_count++] = (struct session_line){
		.time = r->time,
		.partition = r->partition,
		.text = strdup(text),
	};
}

static void on_record(void *owner, const struct trace_record *r)
{
	struct session *s = owner;

	timeline_note(&s->timeline, r);
	if (r->kind->number == TRACE_EV_CONSOLE)
		keep_line(s, r);
	if (s->wait && s->wait(s->wait_owner, r)) {
		s->wait = NULL;
		machine_request_stop(s->machine);
	}
}

bool session_machine(struct session *s, const struct session_machine *d,
		     struct error *err)
{
	char path[PATH_MAX];
	unsigned classes = s->options.classes;

	if (!fill_config(s, d, err) || !join(path, s->out, "trace", err))
		return false;
	/* Without a trace on disk, events are still seen. */
	s->trace = trace_create(classes ? path : NULL,
				classes ? classes : TRACE_CLASS_PARTITION, err);
	if (!s->trace)
		return false;
	trace_listen(s->trace, on_record, s);
	s->machine = machine_create(&s->config, s->trace, err);
	if (!s->machine || !loader_boot(s->machine, &s->config, err))
		return false;
	s->view = partition_view_create(s->machine, &s->config, err);
	if (!s->view)
		return false;
	machine_set_console(s->machine, on_byte, s);
	return true;
}

/* --- running --- */

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

bool session_finish(struct session *s, struct error *err)
{
	bool ok = true;

	if (s->options.live)
		fprintf(stderr, "\r\033[K");
	if (s->machine) {
		partition_view_look(s->view);
		s->contained = partition_view_check(s->view, &s->violation);
		s->end = machine_now(s->machine);
		s->retired = machine_retired(s->machine);
		s->chain = machine_chain(s->machine);
		s->digest = machine_digest(s->machine);
		partition_view_destroy(s->view);
		machine_destroy(s->machine);
		s->machine = NULL;
		s->view = NULL;
	}
	if (s->trace) {
		s->trace_digest = trace_digest(s->trace);
		s->trace_count = trace_count(s->trace);
		ok = trace_close(s->trace, err);
		s->trace = NULL;
	}
	if (s->console && fclose(s->console) != 0 && ok)
		ok = error_set(err, EXIT_HOST,
			       "%s/console.txt: cannot be written: %s", s->out,
			       strerror(errno));
	s->console = NULL;
	return ok;
}

void session_close(struct session *s)
{
	struct error ignored;

	/* Whoever wants to know has finished it before. */
	if (!session_finish(s, &ignored))
		CHECK(ignored.code != EXIT_HELD);
	for (size_t i = 0; i < s->line_count; i++)
		free(s->line[i].text);
	free(s->line);
	free(s->sample);
	s->line = NULL;
	s->sample = NULL;
	s->line_count = s->sample_count = 0;
}
