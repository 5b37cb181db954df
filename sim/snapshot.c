/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/snapshot.c - see snapshot.h.  Each part has a put and a get, in the same
 * order; a mark between them finds a get that reads more or less than was put.
 */
#include "sim/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/digest.h"
#include "sim/machine_internal.h"
#include "sim/ramscan.h"
#include "sim/snapshot_internal.h"

#define MAGIC       "parterre machine"
#define MAGIC_BYTES 16
#define VERSION     6
#define TEXT_MAX    65536
#define HIDDEN_MAX  (UINT64_C(1) << 25) /* words of one CPU */
#define NO_PAGE     UINT64_MAX
#define MARK        UINT64_C(0x6b72616d20646e65)

/* --- configuration, as text --- */

static uint64_t fields_hash(const struct device_class *class)
{
	uint64_t hash = class->save != NULL;

	for (const struct device_field *f = class->fields; f && f->name; f++) {
		uint32_t size[2] = {f->bytes, f->count};

		hash = digest_fold(hash, f->name, strlen(f->name));
		hash = digest_fold(hash, size, sizeof(size));
	}
	return hash;
}

/* What must be equal for a snapshot to fit, a line each. */
static char *describe(struct machine *m)
{
	const struct machine_config *c = &m->config;
	size_t bytes;
	char *text;
	FILE *f = open_memstream(&text, &bytes);

	CHECK_MSG(f, "out of memory for a snapshot");
	fprintf(f, "RAM %" PRIu64 " bytes\n", c->ram_bytes);
	fprintf(f, "%u CPUs at %" PRIu64 " Hz, quantum %" PRIu64 " ps\n",
		c->cpu_count, c->cpu_hz, c->quantum_ps);
	fprintf(f, "digest interval %" PRIu64 "\n", c->digest_interval);
	fprintf(f, "seed %" PRIu64 "\n", c->seed);
	fprintf(f,
		"disk: read %" PRIu64 " ps, write %" PRIu64
		" ps, flush %" PRIu64 " ps (0: as ever)\n",
		c->disk_read_ps, c->disk_write_ps, c->disk_flush_ps);
	for (size_t i = 0; i < m->device_count; i++)
		fprintf(f, "device %s, class %s, fields %016" PRIx64 "\n",
			m->device[i]->name, m->device[i]->class->name,
			fields_hash(m->device[i]->class));
	CHECK(fclose(f) == 0);
	CHECK(bytes < TEXT_MAX);
	return text;
}

/* The first line in which they differ. */
static bool same_machine(const char *theirs, const char *ours, const char *name,
			 struct error *err)
{
	size_t i = 0, line = 0;

	for (; theirs[i] == ours[i]; i++) {
		if (!theirs[i])
			return true;
		if (theirs[i] == '\n')
			line = i + 1;
	}
	return error_set(err, EXIT_USAGE,
			 "snapshot %s is of another machine: it has '%.*s', "
			 "this one '%.*s'; give it the same configuration",
			 name, (int)strcspn(theirs + line, "\n"), theirs + line,
			 (int)strcspn(ours + line, "\n"), ours + line);
}

/* --- the machine's own --- */

struct clocks {
	uint64_t turn, worked, quantum_end, stood, chain, unmapped;
	uint64_t timing, profile; /* the model, what it knows the CPUs by */
};

struct vcpu_clocks {
	uint64_t base_ps, base_retired, base_ticks, next_fold, tsc_adjust;
	uint64_t partition, intr, nmi, wait_sipi;
};

static void put_cpus(struct machine *m, struct snapshot_writer *w)
{
	struct cpu_regs regs;

	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		const struct vcpu *v = &m->vcpu[i];
		const struct vcpu_clocks c = {
			.base_ps = v->base_ps,
			.base_retired = v->base_retired,
			.base_ticks = v->base_ticks,
			.next_fold = v->next_fold,
			.tsc_adjust = v->tsc_adjust,
			.partition = v->partition,
			.intr = v->intr,
			.nmi = v->nmi,
			.wait_sipi = v->wait_sipi,
		};
		size_t count;
		uint64_t *hidden = cpu_hidden_get(v->cpu, &count);

		CHECK(!v->cost && !v->init_pending);
		snapshot_put(w, &c, sizeof(c));
		cpu_regs_get(v->cpu, &regs);
		snapshot_put(w, &regs, sizeof(regs));
		snapshot_put_u64(w, count);
		snapshot_put(w, hidden, count * sizeof(*hidden));
		free(hidden);
	}
}

static bool get_hidden(struct cpu *cpu, struct snapshot_reader *r)
{
	uint64_t count = snapshot_get_u64(r), *hidden;
	bool good;

	if (count > HIDDEN_MAX)
		return false;
	hidden = calloc(count + 1, sizeof(*hidden));
	CHECK_MSG(hidden, "out of memory for a snapshot");
	snapshot_get(r, hidden, count * sizeof(*hidden));
	good = cpu_hidden_set(cpu, hidden, count);
	free(hidden);
	return good;
}

/* RAM is there already: what a CPU remembers of it is entered anew. */
static bool get_cpus(struct machine *m, struct snapshot_reader *r)
{
	struct cpu_regs regs;
	bool good = true;

	for (unsigned i = 0; good && i < m->config.cpu_count; i++) {
		struct vcpu *v = &m->vcpu[i];
		struct vcpu_clocks c;

		snapshot_get(r, &c, sizeof(c));
		v->base_ps = c.base_ps;
		v->base_retired = c.base_retired;
		v->base_ticks = c.base_ticks;
		v->next_fold = c.next_fold;
		v->tsc_adjust = c.tsc_adjust;
		v->partition = (uint32_t)c.partition;
		v->intr = c.intr;
		v->nmi = c.nmi;
		v->wait_sipi = c.wait_sipi;
		v->init_pending = false;
		v->cost = 0;
		snapshot_get(r, &regs, sizeof(regs));
		cpu_regs_set(v->cpu, &regs);
		cpu_set_intr(v->cpu, v->intr);
		good = get_hidden(v->cpu, r);
	}
	return good;
}

/* --- RAM: pages that are not zero --- */

static void put_ram(struct machine *m, struct snapshot_writer *w)
{
	struct cpu_ram ram[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(m->bus, ram);
	struct ramscan scan;
	const uint8_t *page;
	paddr_t pa;

	for (size_t i = 0; i < count; i++) {
		ramscan_begin(&scan, &ram[i]);
		while ((page = ramscan_next(&scan, &pa))) {
			snapshot_put_u64(w, pa);
			snapshot_put(w, page, PAGE_BYTES);
		}
		ramscan_end(&scan);
	}
	snapshot_put_u64(w, NO_PAGE);
}

/* Pages that stay as they are keep their translated code. */
static void set_page(struct machine *m, const struct cpu_ram *ram, paddr_t pa,
		     const uint8_t *page)
{
	uint8_t *have = ram->host + (pa - ram->base);

	if (!memcmp(have, page, PAGE_BYTES))
		return;
	cpu_ram_will_change(m->complex, pa, PAGE_BYTES);
	memcpy(have, page, PAGE_BYTES); /* ROM, too */
	cpu_ram_changed(m->complex, pa, PAGE_BYTES);
}

static bool get_ram(struct machine *m, struct snapshot_reader *r)
{
	static const uint8_t zero[PAGE_BYTES];
	struct cpu_ram ram[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(m->bus, ram);
	uint64_t next = snapshot_get_u64(r);
	uint8_t page[PAGE_BYTES];
	struct ramscan scan;
	paddr_t pa;

	for (size_t i = 0; i < count; i++) {
		paddr_t end = ram[i].base + ram[i].bytes;
		bool more;

		/* What is not zero here, and what is not zero there. */
		ramscan_begin(&scan, &ram[i]);
		do {
			more = ramscan_next(&scan, &pa);
			while (next < (more ? pa : end)) {
				if (next < ram[i].base || next % PAGE_BYTES)
					goto out_end;
				snapshot_get(r, page, PAGE_BYTES);
				set_page(m, &ram[i], next, page);
				next = snapshot_get_u64(r);
			}
			if (more && next == pa) {
				snapshot_get(r, page, PAGE_BYTES);
				set_page(m, &ram[i], pa, page);
				next = snapshot_get_u64(r);
			} else if (more) {
				set_page(m, &ram[i], pa, zero);
			}
		} while (more && snapshot_good(r));
		ramscan_end(&scan);
	}
	return next == NO_PAGE;

out_end:
	ramscan_end(&scan);
	return false;
}

/* --- devices --- */

/* Is the field one of the device's large memories? */
static bool is_memory(struct device *d, const struct device_field *f)
{
	uint64_t bytes;
	uint8_t *at;

	for (unsigned n = 0;
	     d->class->memory && d->class->memory(d, n, &at, &bytes); n++) {
		if (at == (uint8_t *)d + f->offset)
			return true;
	}
	return false;
}

static void put_devices(struct machine *m, struct snapshot_writer *w)
{
	for (size_t i = 0; i < m->device_count; i++) {
		struct device *d = m->device[i];
		const struct device_field *f = d->class->fields;

		for (; f && f->name; f++) {
			if (snapshot_keeps_memory(w) && is_memory(d, f))
				continue;
			snapshot_put(w, (const char *)d + f->offset,
				     (size_t)f->bytes * f->count);
		}
		if (d->class->save)
			d->class->save(d, w);
		snapshot_put_u64(w, MARK);
	}
}

static bool get_devices(struct machine *m, struct snapshot_reader *r,
			struct error *err)
{
	for (size_t i = 0; i < m->device_count; i++) {
		struct device *d = m->device[i];
		const struct device_field *f = d->class->fields;

		for (; f && f->name; f++) {
			if (snapshot_restores_memory(r) && is_memory(d, f))
				continue;
			snapshot_get(r, (char *)d + f->offset,
				     (size_t)f->bytes * f->count);
		}
		if (d->class->load && !d->class->load(d, r, err))
			return false;
		CHECK_MSG(snapshot_get_u64(r) == MARK || !snapshot_good(r),
			  "device %s loads other than it saved", d->name);
	}
	return true;
}

/* --- the whole --- */

void snapshot_put_machine(struct machine *m, struct snapshot_writer *w)
{
	const struct clocks c = {
		.turn = m->turn,
		.worked = m->worked ? (uint64_t)(m->worked - m->vcpu) + 1 : 0,
		.quantum_end = m->quantum_end,
		.stood = m->stood,
		.chain = m->chain,
		.unmapped = bus_unmapped_count(m->bus),
		.timing = m->timing,
		.profile = cpu_complex_profile(m->complex),
	};

	snapshot_put(w, &c, sizeof(c));
	evq_save(m->evq, w);
	if (!snapshot_keeps_memory(w))
		put_ram(m, w);
	put_cpus(m, w);
	snapshot_put_u64(w, MARK);
	put_devices(m, w);
}

/* The model that it was saved with, and the same CPUs. */
static bool get_timing(struct machine *m, const struct clocks *c,
		       struct error *err)
{
	if (c->timing >= TIMING_MODEL_COUNT)
		return false;
	if (c->timing != m->timing &&
	    !cpu_complex_set_timing(m->complex, (enum timing_model)c->timing,
				    m->config.profile, err))
		return false;
	m->timing = (enum timing_model)c->timing;
	for (unsigned i = 0; i < m->config.cpu_count; i++)
		cpu_set_ticks_deadline(m->vcpu[i].cpu, UINT64_MAX);
	return cpu_complex_profile(m->complex) == c->profile ||
	       error_set(err, EXIT_USAGE,
			 "it counts time by another CPU profile; give it the "
			 "same");
}

bool snapshot_get_machine(struct machine *m, struct snapshot_reader *r,
			  struct error *err)
{
	struct clocks c;

	snapshot_get(r, &c, sizeof(c));
	if (c.turn >= m->config.cpu_count || c.worked > m->config.cpu_count)
		return false;
	m->turn = (unsigned)c.turn;
	m->worked = c.worked ? &m->vcpu[c.worked - 1] : NULL;
	m->quantum_end = c.quantum_end;
	m->stood = c.stood;
	m->chain = c.chain;
	m->stop_requested = false;
	m->off = false;
	m->shutdown = false;
	m->reset = false;
	m->reset_cause = NULL;
	m->off_code = 0;
	bus_unmapped_set(m->bus, c.unmapped);
	if (!get_timing(m, &c, err))
		return false;
	if (!evq_load(m->evq, r) ||
	    (!snapshot_restores_memory(r) && !get_ram(m, r)) ||
	    !get_cpus(m, r) || snapshot_get_u64(r) != MARK ||
	    !get_devices(m, r, err) || !snapshot_good(r))
		return false;
	for (size_t i = 0; i < m->device_count; i++) {
		if (m->device[i]->class->restored)
			m->device[i]->class->restored(m->device[i]);
	}
	if (m->accounts)
		machine_account(m);
	return true;
}

static bool get_all(struct machine *m, struct snapshot_reader *r,
		    const char *name, struct error *err)
{
	struct error e = {0};

	if (snapshot_get_machine(m, r, &e))
		return true;
	/* Half of it is another's. */
	if (!e.code)
		error_set(&e, EXIT_USAGE,
			  "its checksum is right but its contents are not: it "
			  "was made by another program; make it again");
	machine_host_failed(m, "snapshot %s was loaded in part: %s", name,
			    e.text);
	return error_set(err, e.code, "snapshot %s: %s", name, e.text);
}

bool snapshot_can_be(const struct machine *m, const char *name,
		     struct error *err)
{
	return (!m->off && !m->shutdown && !m->reset && !m->reset_cause &&
		!m->broken) ||
	       error_set(err, EXIT_USAGE,
			 "snapshot %s: the machine has ended; take it before",
			 name);
}

bool machine_save(struct machine *m, FILE *to, const char *name,
		  struct error *err)
{
	uint32_t head[2] = {VERSION, 0};
	struct snapshot_writer *w;
	char *text;

	CHECK_MSG(!m->in_run, "machine_save() from within a run");
	if (!snapshot_can_be(m, name, err))
		return false;
	text = describe(m);
	head[1] = (uint32_t)strlen(text);
	w = snapshot_writer_create(to);
	snapshot_plain(w, MAGIC, MAGIC_BYTES);
	snapshot_plain(w, head, sizeof(head));
	snapshot_plain(w, text, head[1]);
	free(text);
	snapshot_put_machine(m, w);
	return snapshot_writer_end(w, name, err);
}

static bool damaged(const char *name, struct error *err)
{
	return error_set(err, EXIT_USAGE,
			 "snapshot %s is cut short or damaged; make it again",
			 name);
}

/* Magic, version, checksum; the description, malloc(), with `from` behind it,
 * at the frame.  NULL: *err. */
static char *read_head(FILE *from, const char *name, struct error *err)
{
	char magic[MAGIC_BYTES], *text;
	uint32_t head[2];

	if (fread(magic, sizeof(magic), 1, from) != 1 ||
	    memcmp(magic, MAGIC, sizeof(magic)) != 0) {
		error_set(err, EXIT_USAGE,
			  "%s is no snapshot of a machine; `parterre snapshot "
			  "take` makes one",
			  name);
		return NULL;
	}
	if (fread(head, sizeof(head), 1, from) != 1) {
		damaged(name, err);
		return NULL;
	}
	if (head[0] != VERSION) {
		error_set(err, EXIT_USAGE,
			  "snapshot %s has version %u, this program reads "
			  "version %u; make it again",
			  name, head[0], VERSION);
		return NULL;
	}
	if (head[1] >= TEXT_MAX || !snapshot_intact(from) ||
	    fseek(from, MAGIC_BYTES + sizeof(head), SEEK_SET) != 0) {
		damaged(name, err);
		return NULL;
	}
	text = calloc(1, head[1] + 1);
	CHECK_MSG(text, "out of memory for a snapshot");
	if (fread(text, 1, head[1], from) != head[1]) {
		free(text);
		damaged(name, err);
		return NULL;
	}
	return text;
}

static bool check_head(struct machine *m, FILE *from, const char *name,
		       struct error *err)
{
	char *theirs = read_head(from, name, err), *ours;
	bool same;

	if (!theirs)
		return false;
	ours = describe(m);
	same = same_machine(theirs, ours, name, err);
	free(theirs);
	free(ours);
	return same;
}

static FILE *open_to_read(const char *path, struct error *err)
{
	FILE *f = fopen(path, "rbe");

	if (!f)
		error_set(err, EXIT_USAGE,
			  "snapshot %s: cannot be read: %s; parterre snapshot "
			  "take writes one",
			  path, strerror(errno));
	return f;
}

char *snapshot_describe_file(const char *path, struct error *err)
{
	FILE *f = open_to_read(path, err);
	char *text;

	if (!f)
		return NULL;
	text = read_head(f, path, err);
	fclose(f);
	return text;
}

bool machine_load(struct machine *m, FILE *from, const char *name,
		  struct error *err)
{
	struct snapshot_reader *r;
	bool good;

	CHECK_MSG(!m->in_run, "machine_load() from within a run");
	if (!check_head(m, from, name, err))
		return false;
	r = snapshot_reader_create(from);
	good = get_all(m, r, name, err);
	snapshot_reader_destroy(r);
	return good;
}

/* Written beside it and renamed: what was there stays whole until then.  So a
 * folder or a device (/dev/null, for root) must not be what is replaced. */
bool machine_save_file(struct machine *m, const char *path, struct error *err)
{
	char part[PATH_MAX];
	struct stat there;
	FILE *f;
	bool good;

	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
		return error_set(err, EXIT_USAGE,
				 "snapshot %s: there is something that is no "
				 "file; give another name",
				 path);

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return error_set(err, EXIT_USAGE,
				 "snapshot %s: the name is too long", path);
	f = fopen(part, "wbe");
	if (!f)
		return error_set(err, EXIT_USAGE,
				 "snapshot %s: cannot be written: %s; give a "
				 "name in a folder that is there and may be "
				 "written",
				 path, strerror(errno));
	good = machine_save(m, f, path, err);
	if ((fclose(f) != 0 || rename(part, path) != 0) && good)
		good = error_set(err, EXIT_HOST, "snapshot %s: %s", path,
				 strerror(errno));
	if (!good)
		unlink(part);
	return good;
}

bool machine_load_file(struct machine *m, const char *path, struct error *err)
{
	FILE *f = open_to_read(path, err);
	bool good;

	if (!f)
		return false;
	good = machine_load(m, f, path, err);
	fclose(f);
	return good;
}
