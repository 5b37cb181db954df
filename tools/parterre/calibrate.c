/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/calibrate.c - parterre calibrate: a CPU profile of this host.
 *
 * A cycle is what an addition of a chain takes, timed by the time stamp counter
 * before and after each round of a probe; rounds in which these two differ by
 * more than 2 %, or this thread lost its CPU, were disturbed and don't count;
 * of the others the least does. No performance counter is asked: a hypervisor
 * may hide them.  What ring 3 cannot time stays as in the generic profile,
 * which the text begins with.
 */
#include "tools/parterre/calibrate.h"

#include <cpuid.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#include "cpu/timing/profile.h"
#include "sim/check.h"
#include "sim/seen/progress.h"
#include "tools/parterre/parterre.h"

#define ROUNDS_MAX   100
#define TRIES        20 /* for each round that counts */
#define REFERENCES   200
#define LOOPS        300
#define BRANCHES     UINT64_C(65536)
#define LINE         UINT64_C(64)
#define LINES        UINT64_C(2048)  /* a round: less than the host's slice */
#define IN_ORDER     UINT64_C(16384) /* so that rounds go around */
#define AT_RANDOM    UINT64_C(65536) /* the first ones are no measure */
#define FIRST_BYTES  UINT64_C(8192)
#define PAGES        UINT64_C(8192) /* more than TLBs know of */
#define STLB_CYCLES  7              /* as in the generic profile */
#define STRING_LONG  UINT64_C(4096)
#define STRING_SHORT UINT64_C(64)
#define OTHERS       32    /* measurements that are no probe; at most */
#define LLC_KIB_MAX  65536 /* a snapshot holds the state of all its lines */

/* Where the last round came to. */
struct place {
	void *at;
	uint64_t x, line;
};

/* A run of something, `n` times over. */
struct task {
	const char *name;
	const struct probe *probe; /* NULL: one of those below */
	void (*special)(const struct task *t);
	uint64_t n, bytes;
	uint8_t *area;
	struct place *place;
	enum probe_string string;
};

struct calibration {
	uint8_t *area, *pages; /* of large pages, of small ones */
	unsigned rounds;
	unsigned disturbed, good; /* rounds, over all */
	double noise[PROBE_COUNT + OTHERS];
	unsigned noises;
	const char *failed; /* the first of which no round counts */
	double cycles[PROBE_COUNT];
	double load; /* from pointer to pointer in the first cache */
};

/* --- timing --- */

static void perform(const struct task *t)
{
	if (t->probe)
		t->probe->run(t->n, t->area);
	else
		t->special(t);
}

static double time_of(const struct task *t)
{
	uint64_t before;

	_mm_lfence();
	before = __rdtsc();
	_mm_lfence();
	perform(t);
	_mm_lfence();
	return (double)(__rdtsc() - before);
}

/* In counts of the time stamp counter. */
static double cycle(const struct calibration *c)
{
	const struct task t = {.probe = &probes[PROBE_ADD_CHAIN],
			       .n = REFERENCES,
			       .area = c->area};
	double least = time_of(&t);

	for (unsigned i = 0; i < 2; i++) {
		double again = time_of(&t);

		if (again < least)
			least = again;
	}
	return least / (REFERENCES * PROBE_TIMES);
}

/* How often this thread lost its CPU. */
static long switched(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nivcsw;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Cycles of one time over; 0: no round counts. */
static double cycles_of(struct calibration *c, const struct task *t)
{
	double all[ROUNDS_MAX];
	unsigned good = 0;

	/* Between two measurements, so that it is in none of them. */
	progress(t->name, c->noises * 1000 / (PROBE_COUNT + OTHERS));
	perform(t);
	for (unsigned i = 0; good < c->rounds && i < TRIES * c->rounds; i++) {
		long switches = switched();
		double before = cycle(c), took = time_of(t), after = cycle(c);

		if (before > 1.02 * after || after > 1.02 * before ||
		    switched() != switches) {
			c->disturbed++;
			continue;
		}
		all[good++] = took / ((before + after) / 2) / (double)t->n;
	}
	c->good += good;
	if (!good) {
		c->failed = c->failed ? c->failed : t->name;
		return 0;
	}
	qsort(all, good, sizeof(*all), ascending);
	c->noise[c->noises++] = 100 * (all[good / 2] / all[0] - 1);
	return all[0];
}

/* --- tasks that are no instruction --- */

static void branches(const struct task *t)
{
	probe_branches(t->n, t->area);
}

static void string(const struct task *t)
{
	probe_string(t->string, t->n, t->area, t->bytes);
}

static void chase(const struct task *t)
{
	t->place->at = probe_chase(t->n, t->place->at);
}

static void at_random(const struct task *t)
{
	t->place->x = probe_random(t->n, t->area, t->place->x, t->bytes - 1);
}

static void in_pages(const struct task *t)
{
	t->place->x = probe_pages(t->n, t->area, t->place->x, PAGES);
}

static void lines(const struct task *t)
{
	probe_lines(t->n, t->area, t->place->line, t->bytes - 1);
	t->place->line += t->n;
}

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t line_at(uint64_t i)
{
	return i * LINE;
}

static uint64_t page_at(uint64_t i)
{
	return PROBE_PAGE(i);
}

/* All of so many places in one cycle without order (S. Sattolo, 1986). */
static void link_all(uint8_t *area, uint64_t count, uint64_t (*at)(uint64_t i))
{
	uint64_t state = 0x2545f4914f6cdd1d;

	for (uint64_t i = 0; i < count; i++)
		*(void **)(area + at(i)) = area + at(i);
	for (uint64_t i = count - 1; i > 0; i--) {
		void **a = (void **)(area + at(i));
		void **b = (void **)(area + at(draw(&state) % i));
		void *swap = *a;

		*a = *b;
		*b = swap;
	}
}

static void link_lines(uint8_t *area, uint64_t bytes)
{
	link_all(area, bytes / LINE, line_at);
}

static double special_in(struct calibration *c, uint8_t *area, const char *name,
			 void (*what)(const struct task *t), uint64_t n,
			 uint64_t bytes)
{
	struct place place = {.at = area};
	const struct task t = {.name = name,
			       .place = &place,
			       .special = what,
			       .n = n,
			       .bytes = bytes,
			       .area = area};

	return cycles_of(c, &t);
}

static double special(struct calibration *c, const char *name,
		      void (*what)(const struct task *t), uint64_t n,
		      uint64_t bytes)
{
	return special_in(c, c->area, name, what, n, bytes);
}

/* --- the profile --- */

static unsigned units(double cycles)
{
	double n = cycles > 0 ? 1 / cycles + 0.5 : 1;

	return n < 1 ? 1 : n > 16 ? 16 : (unsigned)n;
}

static double at_least(double x, double least)
{
	return x < least ? least : x;
}

/* Slots of dispatch: what needs no unit, or what some cores do without one. */
static unsigned width_of(const struct calibration *c)
{
	unsigned move = units(c->cycles[PROBE_MOVE]);
	unsigned add = units(c->cycles[PROBE_ADD]);

	return move > add ? move : add;
}

/* Of chains that begin anew, each that much later than the one before: the sum
 * over all of how long it waits, from dispatch on, by how often the chain comes
 * (cpu/timing/block.c). */
static double room_to_wait(const struct calibration *c, double cycles,
			   double latency)
{
	double wait = 0, slot = 1.0 / width_of(c);

	for (unsigned i = 0; i + 1 < PROBE_WAIT; i++)
		wait += at_least(i * latency - (i + 1) * slot, 0);
	return at_least(cycles > 0 ? wait / cycles : 1, 1);
}

static void write_core(struct calibration *c, FILE *f)
{
	const double *v = c->cycles;
	unsigned width = width_of(c);

	fprintf(f, "set width %u\n", width);
	fprintf(f, "set load %.3f\n", c->load);
	fprintf(f, "set scheduler %.3f\n",
		room_to_wait(c, v[PROBE_WAIT_ADD], 1));
	fprintf(f, "set loads %.3f\n",
		room_to_wait(c, v[PROBE_WAIT_LOAD], c->load));
	fprintf(f, "set forward %.3f\nset forward_vector %.3f\n",
		at_least(v[PROBE_FORWARD_CHAIN] - 1, 0),
		v[PROBE_FORWARD_VECTOR]);
	fprintf(f, "set forward_update %.3f\n",
		at_least(v[PROBE_FORWARD_UPDATE] - 1, 0));
	fprintf(f, "set store_with_loads %.3f\n",
		at_least(v[PROBE_STORE_WITH_LOADS] * units(v[PROBE_STORE]), 1));
	fprintf(f, "set taken %.3f\n", v[PROBE_JUMP]);
	fprintf(f, "port alu %u\nport shift %u\nport mul %u\n",
		units(v[PROBE_ADD]), units(v[PROBE_SHIFT]),
		units(v[PROBE_IMUL]));
	fprintf(f, "port load %u\nport load_vector %u\nport store %u\n",
		units(v[PROBE_LOAD]), units(v[PROBE_LOAD_VECTOR]),
		units(v[PROBE_STORE]));
	fprintf(f, "port vector %u\nport shuffle %u\nport vshift %u\n",
		units(v[PROBE_PADDD]), units(v[PROBE_PSHUFD]),
		units(v[PROBE_PSLLD]));
	fprintf(f, "port vmul %u\nport fadd %u\nport fmul %u\n",
		units(v[PROBE_PMULUDQ]), units(v[PROBE_ADDPS]),
		units(v[PROBE_MULPS]));
	/* What is added while it is renamed takes no unit. */
	fprintf(f, "class add_small latency %.3f%s\n", v[PROBE_SMALL_CHAIN],
		v[PROBE_SMALL_CHAIN] < 0.5 ? "" : " alu:1");
	fprintf(f, "class nop latency 0 ops %.3f\n", v[PROBE_NOP] * width);
	fprintf(f, "class imul latency %.3f alu:1 mul:1\n",
		v[PROBE_IMUL_CHAIN]);
	fprintf(f, "class lea2 latency %.3f alu:1\n", v[PROBE_LEA_CHAIN]);
	fprintf(f, "class bits latency %.3f alu:1\n", v[PROBE_POPCNT_CHAIN]);
	fprintf(f, "class fadd latency %.3f fadd:1 vector:1\n",
		v[PROBE_ADDSD_CHAIN]);
	fprintf(f, "class fmul latency %.3f fmul:1 vector:1\n",
		v[PROBE_MULSD_CHAIN]);
	fprintf(f, "class vmul latency %.3f vmul:1 vector:1\n",
		v[PROBE_PMULUDQ_CHAIN]);
	fprintf(f, "class vshuffle latency %.3f shuffle:1 vector:1\n",
		v[PROBE_PSHUFD_CHAIN]);
	fprintf(f, "class fdivd latency %.3f fdiv:%.3f\n",
		at_least(v[PROBE_DIVSD_CHAIN] - v[PROBE_MULSD_CHAIN], 1),
		v[PROBE_DIVSD]);
	fprintf(f, "class fsqrtd latency %.3f fdiv:%.3f\n",
		at_least(v[PROBE_SQRTSD_CHAIN] - v[PROBE_ADDSD_CHAIN], 1),
		v[PROBE_SQRTSD]);
	/* With an OR in their chains. */
	fprintf(f, "class div latency %.3f ops 2 alu:1 div:%.3f\n",
		at_least(v[PROBE_DIV_CHAIN] - 1, 1), v[PROBE_DIV]);
	fprintf(f, "class div32 latency %.3f ops 2 alu:1 div:%.3f\n",
		at_least(v[PROBE_DIV32_CHAIN] - 1, 1), v[PROBE_DIV32]);
	fprintf(f, "class transfer latency %.3f transfer:1\n",
		v[PROBE_TRANSFER_CHAIN] / 2);
	fprintf(f, "class convert2 latency %.3f ops 2 fadd:1 vector:1\n",
		v[PROBE_CONVERT_CHAIN] / 2);
	fprintf(f, "class lock latency 0 ops 4 serial %.3f\n",
		at_least(v[PROBE_LOCK] - 1, 0));
}

static void write_branches(struct calibration *c, FILE *f)
{
	uint64_t state = 88172645463325252;
	double surely, randomly;

	memset(c->area, 0, BRANCHES);
	surely = special(c, "branches, foreseen", branches, BRANCHES, 0);
	for (uint64_t i = 0; i < BRANCHES; i++)
		c->area[i] = (uint8_t)(draw(&state) >> 30);
	randomly = special(c, "branches at random", branches, BRANCHES, 0);
	/* Of those, half are not foreseen. */
	fprintf(f, "set mispredict %.3f\n",
		at_least(2 * (randomly - surely), 1));
}

/* A line through a short one and a long one. */
static void write_strings(struct calibration *c, FILE *f)
{
	static const struct {
		const char *class, *name;
		unsigned unit; /* bytes that `ops` is of */
	} strings[PROBE_STRINGS] = {
		[PROBE_MOVSB] = {"rep_movsb", "REP MOVSB", 1},
		[PROBE_MOVSQ] = {"rep_movs", "REP MOVSQ", 1},
		[PROBE_STOSB] = {"rep_stosb", "REP STOSB", 1},
		[PROBE_STOSQ] = {"rep_stos", "REP STOSQ", 1},
		[PROBE_CMPSB] = {"rep_compare", "REPE CMPSB", 1},
		[PROBE_LODSQ] = {"rep_load", "REP LODSQ", 8},
	};

	memset(c->area, 0, 2 * STRING_LONG);
	for (unsigned i = 0; i < PROBE_STRINGS; i++) {
		struct task t = {.name = strings[i].name,
				 .special = string,
				 .string = (enum probe_string)i,
				 .n = LOOPS,
				 .bytes = STRING_LONG,
				 .area = c->area};
		double many = cycles_of(c, &t), few, each;

		t.bytes = STRING_SHORT;
		few = cycles_of(c, &t);
		each = at_least((many - few) / (STRING_LONG - STRING_SHORT), 0);
		fprintf(f, "class %s ops %.3f start %.3f\n", strings[i].class,
			each * strings[i].unit * width_of(c),
			at_least(few - each * STRING_SHORT, 0));
	}
}

struct level {
	const char *name;
	unsigned long kib, ways;
	double latency, line, random;
	uint64_t bytes; /* that were looked at */
};

#define INTEL_CACHES   4u
#define AMD_CACHES     0x8000001du
#define AMD_EXTENSIONS 0x80000001u
#define AMD_TOPOEXT    (1u << 22)
#define CACHE_DATA     1
#define CACHE_CODE     2
#define WAYS_MAX       64

/* One of the caches that CPUID tells of (SDM 2A, CPUID, leaf 4; APM 3, leaf
 * 8000_001D); the number of sets made a power of two.  False: it doesn't. */
static bool ask(struct level *l, unsigned level, unsigned not_type)
{
	unsigned a, b, c, d, leaf = INTEL_CACHES;

	if (__get_cpuid(AMD_EXTENSIONS, &a, &b, &c, &d) && (c & AMD_TOPOEXT))
		leaf = AMD_CACHES;
	for (unsigned i = 0; i < 8; i++) {
		unsigned long sets = 1;

		if (!__get_cpuid_count(leaf, i, &a, &b, &c, &d) || !(a & 31))
			return false;
		if ((a >> 5 & 7) != level || (a & 31) == not_type)
			continue;
		l->ways = (b >> 22) + 1;
		l->kib = l->ways * ((b >> 12 & 1023) + 1) * ((b & 4095) + 1) *
			 (c + 1ul) / 1024;
		if (l->ways > WAYS_MAX || l->kib > LLC_KIB_MAX)
			l->ways = 16;
		if (l->kib > LLC_KIB_MAX)
			l->kib = LLC_KIB_MAX;
		while (2 * sets * l->ways * LINE <= l->kib * 1024)
			sets *= 2;
		l->kib = sets * l->ways * LINE / 1024;
		return l->kib > 0;
	}
	return false;
}

/* In the level: four times as much as the one before holds, or half of this
 * one. */
static void look_at(struct calibration *c, struct level *l,
		    unsigned long before)
{
	uint64_t bytes = UINT64_C(4096), most = UINT64_C(4096) * before;

	if (most > l->kib * 512)
		most = l->kib * 512;
	while (2 * bytes <= most && 2 * bytes <= PROBE_AREA)
		bytes *= 2;
	link_lines(c->area, bytes);
	l->latency = special(c, "chase", chase, LINES, bytes);
	l->line = special(c, "lines", lines, IN_ORDER, bytes);
	l->random = special(c, "random loads", at_random, AT_RANDOM, bytes);
	l->bytes = bytes;
}

/* Of random loads, those that the cache before does not have; what these and
 * the others take, by what a load takes on the average. */
static double misses(const struct level *l, const struct level *before)
{
	double part = (double)before->kib * 1024 / (double)l->bytes;

	part = part > 1 ? 1 : part;
	return at_least(l->random > 0 ? (part * before->latency +
					 (1 - part) * l->latency) /
						l->random
				      : 1,
			1);
}

/* A word in each of many pages, from one to the other, and at random: its line
 * and that of its page's entry come from the second cache. */
static void write_walks(struct calibration *c, const struct level *l2, FILE *f)
{
	double chased, random, beside;

	link_all(c->pages, PAGES, page_at);
	chased =
		special_in(c, c->pages, "chase through pages", chase, LINES, 0);
	random = special_in(c, c->pages, "random pages", in_pages, LINES, 0);
	beside = l2->latency + (l2->latency - c->load);
	fprintf(f, "set walk %.3f\nset walks %.3f\n",
		at_least(chased - beside - STLB_CYCLES, 1),
		at_least(random > 0 ? (chased - c->load) / random : 1, 1));
}

static void write_memory(struct calibration *c, FILE *f)
{
	struct level l1d = {.name = "l1d"}, l1i = {.name = "l1i"};
	struct level l2 = {.name = "l2"}, llc = {.name = "llc"};
	double load = c->load;

	if (!ask(&l1d, 1, CACHE_CODE) || !ask(&l1i, 1, CACHE_DATA) ||
	    !ask(&l2, 2, 0) || !ask(&llc, 3, 0)) {
		fprintf(f, "# the host does not say how large its caches are: "
			   "memory as in the generic profile\n");
		return;
	}
	look_at(c, &l2, l1d.kib);
	look_at(c, &llc, l2.kib);
	fprintf(f, "cache l1i %lu %lu 0\ncache l1d %lu %lu 0\n", l1i.kib,
		l1i.ways, l1d.kib, l1d.ways);
	fprintf(f, "cache l2 %lu %lu %.3f\n", l2.kib, l2.ways,
		at_least(l2.latency - load, 1));
	fprintf(f, "cache llc %lu %lu %.3f\n", llc.kib, llc.ways,
		at_least(llc.latency - load, 1));
	fprintf(f, "set line_l2 %.3f\nset line_llc %.3f\n", l2.line, llc.line);
	fprintf(f, "set misses %.3f\n", misses(&llc, &l2));
	write_walks(c, &l2, f);
	if (llc.kib * 2048 > PROBE_AREA) {
		fprintf(f, "# the last cache is too large to look behind it: "
			   "DRAM as in the generic profile\n");
		return;
	}
	llc.kib = PROBE_AREA / 512;
	look_at(c, &llc, PROBE_AREA / 4096);
	fprintf(f, "set dram %.3f\nset line_dram %.3f\n",
		at_least(llc.latency - load, 1), llc.line);
}

static void write_profile(struct calibration *c, FILE *f)
{
	fwrite(timing_generic_profile, 1,
	       (size_t)(timing_generic_profile_end - timing_generic_profile),
	       f);
	fprintf(f, "\n# --- measured by parterre calibrate ---\n"
		   "name fitted to a host by parterre calibrate\n");
	*(void **)c->area = c->area; /* for loads that wait */
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		const struct task t = {.name = probes[i].name,
				       .probe = &probes[i],
				       .n = LOOPS,
				       .area = c->area};

		c->cycles[i] =
			cycles_of(c, &t) / (PROBE_TIMES * probes[i].each);
	}
	link_lines(c->area, FIRST_BYTES);
	c->load = special(c, "chase in the first cache", chase, LINES,
			  FIRST_BYTES);
	write_core(c, f);
	write_branches(c, f);
	write_strings(c, f);
	write_memory(c, f);
	progress_end();
	qsort(c->noise, c->noises, sizeof(*c->noise), ascending);
	fprintf(f,
		"# noise: half of a probe's rounds took more than %.1f %% "
		"longer than the least\n# (the median of %u probes); %u of %u "
		"rounds were disturbed and don't count\n",
		c->noises ? c->noise[c->noises / 2] : 0, c->noises,
		c->disturbed, c->disturbed + c->good);
}

static int calibrate(struct calibration *c, const char *path)
{
	struct error err = {0};
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	FILE *to = stdout;

	CHECK(f);
	write_profile(c, f);
	fclose(f);
	if (c->failed)
		error_set(&err, EXIT_HOST,
			  "the host was disturbed in each round of '%s'; try "
			  "again when it has less to do",
			  c->failed);
	else if (path && !(to = fopen(path, "w")))
		error_set(&err, EXIT_USAGE,
			  "%s: %s; give a file that can be written (-o)", path,
			  strerror(errno));
	else if (fwrite(text, 1, bytes, to) != bytes ||
		 (path && fclose(to) != 0))
		error_set(&err, EXIT_HOST, "%s: cannot be written",
			  path ? path : "the profile");
	if (!err.code)
		fprintf(stderr, "%s", strstr(text, "# noise: "));
	free(text);
	return err.code ? complain("calibrate", &err) : EXIT_HELD;
}

/* Lives as long as the process. */
static uint8_t *area_of(uint64_t bytes, int advice)
{
	void *memory = mmap(NULL, bytes + PROBE_AREA, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *area;

	CHECK_MSG(memory != MAP_FAILED, "out of memory for the probes");
	area = (uint8_t *)(((uintptr_t)memory + PROBE_AREA - 1) &
			   ~(PROBE_AREA - 1));
	madvise(area, bytes, advice);
	memset(area, 1, bytes);
	return area;
}

int main_calibrate(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"rounds", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	struct calibration c = {.rounds = 15};
	const char *path = NULL;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
		if (option == 'h') {
			printf("usage: parterre calibrate [-o FILE] "
			       "[--rounds N]\n"
			       "Times small pieces of code on this host and "
			       "writes a CPU profile of it, for\nrun --timing "
			       "MODEL --profile FILE; says how noisy it "
			       "was.\n");
			return EXIT_HELD;
		}
		if (option == 'o')
			path = optarg;
		else if (option == 'r')
			c.rounds = (unsigned)strtoul(optarg, NULL, 10);
		else
			return usage_error("calibrate",
					   "%s: no such option, or its "
					   "argument is missing",
					   argv[optind - 1]);
	}
	if (optind != argc)
		return usage_error("calibrate", "'%s' is no option",
				   argv[optind]);
	if (!c.rounds || c.rounds > ROUNDS_MAX)
		return usage_error("calibrate", "--rounds is from 1 to %d",
				   ROUNDS_MAX);
	c.area = area_of(PROBE_AREA, MADV_HUGEPAGE);
	c.pages = area_of(PAGES * 4096, MADV_NOHUGEPAGE);
	return calibrate(&c, path);
}
