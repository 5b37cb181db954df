/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/places.c - see places.h. */
#include "sim/debug/places.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/debug/debug_internal.h"

#define KERNEL_HALF  UINT64_C(0xffff800000000000)
#define PROCESS_BASE UINT64_C(0x10000000) /* hv/guest/process/process.ld */
#define PROCESS_END  UINT64_C(0x40000000)
#define SYMBOL_BYTES 64

/* --- programs --- */

/* Files are read once; one that cannot be is kept without symbols. */
static const struct symbols *program_of(struct debug *d, const char *path)
{
	struct debug_program *p;
	struct error ignored;

	for (p = d->programs; p; p = p->next) {
		if (strcmp(p->path, path) == 0)
			return p->symbols;
	}
	p = calloc(1, sizeof(*p));
	CHECK_MSG(p, "out of memory for symbols");
	snprintf(p->path, sizeof(p->path), "%s", path);
	p->symbols = symbols_read(path, &ignored);
	p->next = d->programs;
	d->programs = p;
	return p->symbols;
}

void debug_places_free(struct debug *d)
{
	while (d->programs) {
		struct debug_program *p = d->programs;

		d->programs = p->next;
		symbols_free(p->symbols);
		free(p);
	}
}

/* The partition of a process, or that which a CPU runs; 0: none. */
static uint32_t partition_of(struct debug *d, struct debug_id id)
{
	if (id.pid != DEBUG_MACHINE)
		return id.pid - DEBUG_MACHINE;
	if (!id.tid || id.tid > machine_cpu_count(d->s->machine))
		return 0;
	return partition_view_current(d->s->view, id.tid - 1);
}

static const struct symbols *of_partition(struct debug *d, uint32_t index)
{
	const char *path = partition_view_program(d->s->view, index);

	return path ? program_of(d, path) : NULL;
}

/* A guest's processes lie in its own image; a file of theirs lies beside it. */
static const struct symbols *of_processes(struct debug *d, uint32_t index)
{
	const char *path = partition_view_program(d->s->view, index);
	const char *slash = path ? strrchr(path, '/') : NULL;
	char beside[PATH_MAX];

	if (!slash || strcmp(slash, "/guest.elf") != 0 ||
	    snprintf(beside, sizeof(beside), "%.*s/process.elf",
		     (int)(slash - path), path) >= (int)sizeof(beside))
		return NULL;
	return program_of(d, beside);
}

const struct symbols *debug_symbols(struct debug *d, struct debug_id id,
				    vaddr_t va)
{
	uint32_t index = partition_of(d, id);
	const struct symbols *s;

	if (va >= KERNEL_HALF || !index || partition_view_opaque(d->s->view))
		return of_partition(d, 0);
	if (va >= PROCESS_BASE && va < PROCESS_END) {
		s = of_processes(d, index);
		if (s)
			return s;
	}
	return of_partition(d, index);
}

const char *debug_space_name(struct debug *d, struct debug_id id, vaddr_t va)
{
	uint32_t index = partition_of(d, id);

	if (partition_view_opaque(d->s->view))
		return "kernel";
	return partition_view_name(d->s->view, va >= KERNEL_HALF ? 0 : index);
}

/* --- from a name --- */

static bool hex_or_decimal(const char *text, uint64_t *n)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*n = strtoull(text, &end, 0);
	return !*end;
}

/* SYMBOL or SYMBOL+OFFSET. */
static bool symbol_in(const struct symbols *s, const char *text, vaddr_t *va)
{
	char name[SYMBOL_BYTES];
	const char *plus = strchr(text, '+');
	size_t n = plus ? (size_t)(plus - text) : strlen(text);
	uint64_t offset = 0, bytes;

	if (!s || !n || n >= sizeof(name) ||
	    (plus && !hex_or_decimal(plus + 1, &offset)))
		return false;
	memcpy(name, text, n);
	name[n] = '\0';
	if (!symbols_find(s, name, 0, va) &&
	    !symbols_variable(s, name, va, &bytes))
		return false;
	*va += offset;
	return true;
}

/* FILE:LINE. */
static bool line_in(const struct symbols *s, const char *text, vaddr_t *va)
{
	const char *colon = strrchr(text, ':');
	char file[256];
	uint64_t n;
	uint32_t line;

	if (!s || !colon || !hex_or_decimal(colon + 1, &n) || n > UINT32_MAX ||
	    (size_t)(colon - text) >= sizeof(file))
		return false;
	memcpy(file, text, (size_t)(colon - text));
	file[colon - text] = '\0';
	line = (uint32_t)n;
	return symbols_line_find(s, file, &line, va);
}

static bool in_program(const struct symbols *s, const char *text, vaddr_t *va)
{
	return symbol_in(s, text, va) || line_in(s, text, va);
}

/* In the programs of a process: its own, its processes', the monitor's. */
static bool in_process(struct debug *d, uint32_t pid, const char *text,
		       struct debug_at *at)
{
	uint32_t index = pid - DEBUG_MACHINE;

	at->pid = pid;
	return (index && (in_program(of_partition(d, index), text, &at->va) ||
			  in_program(of_processes(d, index), text, &at->va))) ||
	       in_program(of_partition(d, 0), text, &at->va);
}

/* Takes "PARTITION:" off; false: there is none, or no such partition. */
static bool prefix(struct debug *d, const char **text, uint32_t *pid)
{
	const char *colon = strchr(*text, ':');
	char name[PARTITION_NAME_BYTES];
	struct partition_info info;
	struct error ignored;
	size_t n = colon ? (size_t)(colon - *text) : 0;

	if (!n || n >= sizeof(name))
		return false;
	memcpy(name, *text, n);
	name[n] = '\0';
	if (strcmp(name, "monitor") == 0)
		*pid = DEBUG_MACHINE;
	else if (partition_view_find(d->s->view, name, &info, &ignored))
		*pid = DEBUG_MACHINE + info.index;
	else
		return false;
	*text = colon + 1;
	return true;
}

/* Who else has it, for the message. */
static const char *elsewhere(struct debug *d, const char *text)
{
	struct partition_info info;
	vaddr_t va;

	for (size_t i = 0; i < partition_view_count(d->s->view); i++) {
		partition_view_info(d->s->view, i, &info);
		if (!info.gone &&
		    in_program(of_partition(d, info.index), text, &va))
			return partition_view_name(d->s->view, info.index);
	}
	return NULL;
}

/* An address of ring 3: others have something else there. */
static bool is_of_program(struct debug *d, struct debug_id cpu,
			  const struct debug_at *at)
{
	return at->va < KERNEL_HALF &&
	       cpu_cpl(machine_cpu(d->s->machine, cpu.tid - 1)) == 3;
}

bool debug_place_find(struct debug *d, struct debug_id id, const char *text,
		      struct debug_at *at, struct error *err)
{
	const char *rest = text + (*text == '*'), *other;
	uint32_t pid, running;
	bool given = prefix(d, &rest, &pid);

	if (!given)
		pid = id.pid;
	*at = (struct debug_at){.pid = pid};
	/* A CPU's thread: what runs there. */
	running = given ? 0 : partition_of(d, id);
	if (hex_or_decimal(rest, &at->va)) {
		if (pid == DEBUG_MACHINE && running && is_of_program(d, id, at))
			at->pid = DEBUG_MACHINE + running;
		return true;
	}
	if (in_process(d, pid, rest, at))
		return true;
	if (pid == DEBUG_MACHINE && running &&
	    in_process(d, DEBUG_MACHINE + running, rest, at))
		return true;
	other = given ? NULL : elsewhere(d, rest);
	return error_set(err, EXIT_USAGE,
			 "%s: no such function, variable or line%s%s%s%s%s",
			 text, other ? "; " : "", other ? other : "",
			 other ? " has it: " : "", other ? other : "",
			 other ? ":..." : "");
}

/* --- to a name --- */

bool debug_place_text(struct debug *d, struct debug_id id, vaddr_t va,
		      char *text, size_t bytes)
{
	const struct symbols *s = debug_symbols(d, id, va);
	uint64_t offset;
	const char *name = s ? symbols_function(s, va, &offset) : NULL;
	const char *file;
	uint32_t line;

	*text = '\0';
	if (!name)
		return false;
	if (symbols_line(s, va, &file, &line))
		snprintf(text, bytes, "%s+%#" PRIx64 " (%s:%u)", name, offset,
			 file, line);
	else
		snprintf(text, bytes, "%s+%#" PRIx64, name, offset);
	return true;
}

/* Images are BUILD/PRESET/hv, three folders below their sources. */
static FILE *open_source(struct debug *d, const char *file)
{
	char path[PATH_MAX];
	FILE *f = NULL;

	if (*file != '/' &&
	    snprintf(path, sizeof(path), "%s/../../../%s", d->s->options.images,
		     file) < (int)sizeof(path))
		f = fopen(path, "re");
	return f ? f : fopen(file, "re");
}

bool debug_source_line(struct debug *d, const char *file, uint32_t line,
		       char *text, size_t bytes)
{
	FILE *f = open_source(d, file);
	char whole[512];
	uint32_t at = 0;
	bool found = false;

	while (f && at < line && fgets(whole, sizeof(whole), f)) {
		/* A longer one comes in pieces. */
		at += strchr(whole, '\n') != NULL;
		found = at == line;
	}
	if (f)
		fclose(f);
	if (!found)
		return false;
	whole[strcspn(whole, "\n")] = '\0';
	snprintf(text, bytes, "%s", whole);
	return true;
}

/* --- threads --- */

static bool known_thread(struct debug *d, struct debug_id id, const char *text,
			 struct error *err)
{
	return debug_thread_alive(d, id) ||
	       error_set(err, EXIT_USAGE,
			 "%s: no such thread now; `threads` lists them", text);
}

bool debug_thread_find(struct debug *d, const char *text, struct debug_id *id,
		       struct error *err)
{
	struct partition_info info;
	uint32_t tid[PART_SLOTS];
	size_t count;
	int n = 0;

	if (sscanf(text, "cpu%u%n", &id->tid, &n) == 1 && !text[n]) {
		*id = (struct debug_id){DEBUG_MACHINE, id->tid + 1};
		return known_thread(d, *id, text, err);
	}
	if (sscanf(text, "%u.%u%n", &id->pid, &id->tid, &n) == 2 && !text[n])
		return known_thread(d, *id, text, err);
	if (!partition_view_find(d->s->view, text, &info, err))
		return false;
	id->pid = DEBUG_MACHINE + info.index;
	id->tid = 0;
	count = debug_threads(d, id->pid, tid, ARRAY_LEN(tid));
	for (size_t i = 0; i < count; i++) {
		id->tid = tid[i];
		if (debug_thread_cpu(d, *id) < CPU_COUNT_MAX)
			return true;
	}
	if (count)
		id->tid = tid[0];
	return known_thread(d, *id, text, err);
}

/* --- lists --- */

static void each_of(const struct symbols *s, debug_name_fn *fn, void *to)
{
	const char *name;

	for (size_t i = 0; s && (name = symbols_nth(s, i)); i++)
		fn(to, name);
}

void debug_places_each(struct debug *d, struct debug_id id, debug_name_fn *fn,
		       void *to)
{
	uint32_t index = partition_of(d, id);
	struct partition_info info;

	each_of(of_partition(d, 0), fn, to);
	if (index)
		each_of(of_partition(d, index), fn, to);
	for (size_t i = 0; i < partition_view_count(d->s->view); i++) {
		partition_view_info(d->s->view, i, &info);
		fn(to, info.name);
	}
}
