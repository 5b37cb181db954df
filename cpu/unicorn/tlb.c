/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/tlb.c - the hidden state of a vCPU as words (cpu_hidden_get()).
 *
 * Its order: retired, NMI pending, NMI blocked, #MC pending, ticks, those
 * of memory that are not charged yet; of a block
 * under way (timed.h) its number of instructions, or 0, then start, pc, bytes,
 * for each instruction its offset and until, and the code, 8 bytes a word; the
 * number of words, 0 without a timing model, and what is known of branches
 * (branch.h); the same of memory (memory.h), the first CPU's with what all
 * share; then for each mode of the TLB
 * its slots, the most in use since it was resized, the next victim, the number
 * of entries; then for each entry: linear page with the kinds of access allowed
 * in its low bits, physical page with its place in the low bits (0: its slot;
 * n: victim n - 1).  Entries of the slots come after the victims.
 *
 * The library's own pointers and flags are not kept: each entry is entered
 * anew, as if it had just been walked, into its slot, and victims are moved on
 * from there.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/unicorn/engine.h"
#include "sim/check.h"

#define HEAD_WORDS  7
#define WAY_WORDS   5
#define KNOWN_WORDS (sizeof(struct branch_predictor) / 8)
#define MODE_WORDS  4
#define ENTRY_WORDS 2
#define SLOTS_MIN   2
#define SLOTS_MAX   (1u << 22)
#define SIZE_SHIFT  3
#define PAGE_MASK   (~UINT64_C(0xfff))

static char *desc_of(struct cpu *cpu, unsigned mode)
{
	return (char *)cpu->cs + X86_TLB_DESC + TLB_DESC_BYTES * mode;
}

static char *fast_of(struct cpu *cpu, unsigned mode)
{
	return (char *)cpu->cs + X86_TLB_FAST + TLB_FAST_BYTES * mode;
}

static uint64_t slots_of(struct cpu *cpu, unsigned mode)
{
	return AT(fast_of(cpu, mode), uint64_t, TLB_FAST_MASK) /
		       TLB_ENTRY_BYTES +
	       1;
}

/* --- entering --- */

static bool is_of(const char *entry, uint64_t va)
{
	for (unsigned i = 0; i < 3; i++) {
		if ((AT(entry, uint64_t, 8 * i) & (PAGE_MASK | TLB_INVALID)) ==
		    va)
			return true;
	}
	return false;
}

static bool is_empty(const char *entry)
{
	return (AT(entry, uint64_t, TLB_ENTRY_READ) &
		AT(entry, uint64_t, TLB_ENTRY_WRITE) &
		AT(entry, uint64_t, TLB_ENTRY_CODE)) == UINT64_MAX;
}

/* Bits 0 to 2: read, write, execute. */
static unsigned allowed(const char *entry, uint64_t *page)
{
	unsigned prot = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t address = AT(entry, uint64_t, 8 * i);

		if (address & TLB_INVALID)
			continue;
		prot |= 1u << i;
		*page = address & PAGE_MASK;
	}
	return prot;
}

/* What the library does for a page of RAM, without asking it where that is. */
static void enter_ram(struct cpu *cpu, uint64_t va, struct ram *ram, paddr_t pa,
		      int prot, unsigned mode, uint32_t attrs)
{
	char *desc = desc_of(cpu, mode), *fast = fast_of(cpu, mode);
	uint64_t *used = &AT(desc, uint64_t, TLB_DESC_USED),
		 at = pa - ram->r.base;
	uint64_t offset = (va / PAGE_BYTES * TLB_ENTRY_BYTES) &
			  AT(fast, uint64_t, TLB_FAST_MASK);
	char *entry = AT(fast, char *, TLB_FAST_TABLE) + offset;
	char *io = AT(desc, char *, TLB_DESC_IO) +
		   offset / TLB_ENTRY_BYTES * TLB_IO_BYTES;
	uint64_t flags =
		ram_minds_stores(ram, at / PAGE_BYTES) ? TLB_NOTDIRTY : 0;

	for (unsigned v = 0; v < TLB_VICTIMS; v++) {
		char *victim = desc + TLB_DESC_VICTIM + TLB_ENTRY_BYTES * v;

		if (is_of(victim, va)) {
			memset(victim, 0xff, TLB_ENTRY_BYTES);
			--*used;
		}
	}
	if (!is_of(entry, va) && !is_empty(entry)) {
		uint64_t v = AT(desc, uint64_t, TLB_DESC_NEXT_VICTIM)++ %
			     TLB_VICTIMS;

		memcpy(desc + TLB_DESC_VICTIM + TLB_ENTRY_BYTES * v, entry,
		       TLB_ENTRY_BYTES);
		memcpy(desc + TLB_DESC_VICTIM_IO + TLB_IO_BYTES * v, io,
		       TLB_IO_BYTES);
		--*used;
	}
	AT(io, uint64_t, 0) = ram->ram_addr + at - va;
	AT(io, uint32_t, TLB_IO_ATTRS) = attrs;
	AT(entry, uint64_t, TLB_ENTRY_READ) =
		prot & PAGE_READ ? va : UINT64_MAX;
	AT(entry, uint64_t, TLB_ENTRY_WRITE) =
		prot & PAGE_WRITE ? va | flags : UINT64_MAX;
	AT(entry, uint64_t, TLB_ENTRY_CODE) =
		prot & PAGE_EXEC ? va : UINT64_MAX;
	AT(entry, uint64_t, TLB_ENTRY_ADDEND) =
		(uintptr_t)ram->r.host + at - va;
	++*used;
}

/* Pages whose stores nobody minds take them at full speed; ROM takes none. */
static void tune_stores(struct cpu *cpu, uint64_t va, struct ram *ram,
			paddr_t pa, unsigned mode)
{
	char *fast = fast_of(cpu, mode);
	uint64_t offset = (va / PAGE_BYTES * TLB_ENTRY_BYTES) &
			  AT(fast, uint64_t, TLB_FAST_MASK);
	uint64_t *write = &AT(AT(fast, char *, TLB_FAST_TABLE) + offset,
			      uint64_t, TLB_ENTRY_WRITE);

	if ((*write & PAGE_MASK) != va)
		return;
	if (ram->r.read_only)
		*write |= TLB_DISCARD_WRITE;
	else if (!ram_minds_stores(ram, (pa - ram->r.base) / PAGE_BYTES) &&
		 (*write & TLB_SPECIAL) == TLB_NOTDIRTY)
		*write &= ~(uint64_t)TLB_NOTDIRTY;
}

/* Of the guest's page, as entries and snapshots have it. */
static const uint64_t page_sizes[] = {PAGE_BYTES, UINT64_C(2) << 20,
				      UINT64_C(4) << 20, UINT64_C(1) << 30};

static void note_stretch(struct cpu *cpu, uint64_t va)
{
	uint64_t stretch = va / page_sizes[1] % LARGE_BITS;

	cpu->large[stretch / 64] |= UINT64_C(1) << stretch % 64;
}

static uint32_t size_of_page(struct cpu *cpu, uint64_t va, uint64_t page_bytes)
{
	uint32_t size = 0;

	if (page_bytes == PAGE_BYTES)
		return 0;
	while (page_sizes[size] != page_bytes)
		CHECK(++size < ARRAY_LEN(page_sizes));
	if (size == 3) {
		cpu->huge |= UINT64_C(1) << (va >> 30) % 64;
	} else {
		note_stretch(cpu, va);
		if (size == 2) /* the other half of 4 MiB */
			note_stretch(cpu, va ^ page_sizes[1]);
	}
	return size;
}

/* Entries of 4 KiB whatever the page: those of larger ones would make INVLPG
 * flush all. */
void engine_tlb_enter(struct cpu *cpu, uint64_t va, paddr_t pa, int prot,
		      int mmu_idx, uint64_t page_bytes)
{
	uint32_t attrs = size_of_page(cpu, va, page_bytes) << TLB_IO_SIZE_SHIFT;
	struct ram *ram = ram_of_paddr(cpu->complex, pa);
	uint32_t gap = ram ? 0 : engine_gap_of_paddr(cpu->complex, pa);
	unsigned mode = (unsigned)mmu_idx;

	va &= PAGE_MASK;
	pa &= PAGE_MASK;
	/* The first of a mode tells the library that there is something to
	 * flush. */
	if (ram && !ram->r.read_only && !cpu->debug_data && !cpu->watch_count &&
	    cpu->observe != CPU_OBSERVE_INSTRUCTIONS &&
	    AT(desc_of(cpu, mode), uint64_t, TLB_DESC_USED)) {
		enter_ram(cpu, va, ram, pa, prot, mode, attrs);
		return;
	}
	CHECK(gap <= TLB_IO_GAP_MASK);
	originals.set_page(cpu->cs, va, pa, gap << TLB_IO_ATTRS_SHIFT | attrs,
			   prot, mmu_idx, PAGE_BYTES);
	if (ram)
		tune_stores(cpu, va, ram, pa, mode);
}

static uint32_t size_in(const char *io)
{
	return AT(io, uint32_t, TLB_IO_ATTRS) >> TLB_IO_SIZE_SHIFT &
	       TLB_IO_SIZE_MASK;
}

/* Is it an entry of a large page that has `va`?  Then `page` is the entry's. */
static bool is_of_large(const char *entry, const char *io, uint64_t va,
			uint64_t *page)
{
	uint32_t size = is_empty(entry) ? 0 : size_in(io);

	return size && allowed(entry, page) &&
	       !((*page ^ va) & ~(page_sizes[size] - 1));
}

void engine_tlb_forget_large(struct cpu *cpu, uint64_t va)
{
	uint64_t stretch = va / page_sizes[1] % LARGE_BITS, page;

	if (!(cpu->large[stretch / 64] >> stretch % 64 & 1) &&
	    !(cpu->huge >> (va >> 30) % 64 & 1))
		return;
	for (unsigned mode = 0; mode < TLB_MODES; mode++) {
		const char *desc = desc_of(cpu, mode);
		const char *table =
			AT(fast_of(cpu, mode), char *, TLB_FAST_TABLE);
		const char *io = AT(desc, char *, TLB_DESC_IO);
		uint64_t slots = slots_of(cpu, mode);

		for (uint64_t i = 0; i < slots; i++) {
			if (is_of_large(table + TLB_ENTRY_BYTES * i,
					io + TLB_IO_BYTES * i, va, &page))
				originals.tlb_flush_page(cpu->cs, page);
		}
		for (unsigned v = 0; v < TLB_VICTIMS; v++) {
			if (is_of_large(desc + TLB_DESC_VICTIM +
						TLB_ENTRY_BYTES * v,
					desc + TLB_DESC_VICTIM_IO +
						TLB_IO_BYTES * v,
					va, &page))
				originals.tlb_flush_page(cpu->cs, page);
		}
	}
}

bool tlb_layout_ok(char *cs)
{
	originals.tlb_flush(cs);
	for (unsigned mode = 0; mode < TLB_MODES; mode++) {
		const char *d = cs + X86_TLB_DESC + TLB_DESC_BYTES * mode;
		const char *f = cs + X86_TLB_FAST + TLB_FAST_BYTES * mode;
		uint64_t mask = AT(f, uint64_t, TLB_FAST_MASK);

		if (AT(d, uint64_t, TLB_DESC_LARGE) != UINT64_MAX ||
		    AT(d, uint64_t, TLB_DESC_LARGE + 8) != UINT64_MAX ||
		    AT(d, uint64_t, TLB_DESC_USED) ||
		    AT(d, uint64_t, TLB_DESC_NEXT_VICTIM) ||
		    !AT(d, void *, TLB_DESC_IO) || !mask ||
		    mask % TLB_ENTRY_BYTES || !AT(f, void *, TLB_FAST_TABLE))
			return false;
		for (unsigned i = 0; i < TLB_VICTIMS * TLB_ENTRY_BYTES / 8;
		     i++) {
			if (AT(d, uint64_t, TLB_DESC_VICTIM + 8 * i) !=
			    UINT64_MAX)
				return false;
		}
	}
	return true;
}

/* --- getting --- */

struct words {
	uint64_t *word;
	size_t count, space;
};

static void add(struct words *w, uint64_t value)
{
	if (w->count == w->space) {
		w->space = w->space ? 2 * w->space : 256;
		w->word = reallocarray(w->word, w->space, sizeof(uint64_t));
		CHECK_MSG(w->word, "out of memory for a snapshot");
	}
	w->word[w->count++] = value;
}

static paddr_t paddr_of(struct cpu *cpu, const char *entry, const char *io,
			uint64_t va)
{
	struct cpu_complex *cx = cpu->complex;
	uint64_t host = va + AT(entry, uint64_t, TLB_ENTRY_ADDEND);
	uint32_t gap;

	for (size_t i = 0; i < cx->ram_count; i++) {
		uint64_t at = host - (uintptr_t)cx->ram[i].r.host;

		if (at < cx->ram[i].r.bytes)
			return cx->ram[i].r.base + at;
	}
	gap = AT(io, uint32_t, TLB_IO_ATTRS) >> TLB_IO_ATTRS_SHIFT &
	      TLB_IO_GAP_MASK;
	CHECK(gap <= cx->ram_count);
	return engine_gap_base(cx, gap) +
	       ((AT(io, uint64_t, 0) + va) & PAGE_MASK);
}

static bool add_entry(struct cpu *cpu, struct words *w, const char *entry,
		      const char *io, unsigned place)
{
	uint64_t va = 0;
	unsigned prot = allowed(entry, &va);

	if (!prot)
		return false;
	add(w, va | prot | size_in(io) << SIZE_SHIFT);
	add(w, paddr_of(cpu, entry, io, va) | place);
	return true;
}

static void add_mode(struct cpu *cpu, struct words *w, unsigned mode)
{
	const char *desc = desc_of(cpu, mode);
	const char *table = AT(fast_of(cpu, mode), char *, TLB_FAST_TABLE);
	const char *io = AT(desc, char *, TLB_DESC_IO);
	uint64_t slots = slots_of(cpu, mode), entries = 0;
	size_t count_at;

	add(w, slots);
	add(w, AT(desc, uint64_t, TLB_DESC_WINDOW_MAX));
	add(w, AT(desc, uint64_t, TLB_DESC_NEXT_VICTIM));
	count_at = w->count;
	add(w, 0);
	for (unsigned v = 0; v < TLB_VICTIMS; v++)
		entries += add_entry(
			cpu, w, desc + TLB_DESC_VICTIM + TLB_ENTRY_BYTES * v,
			desc + TLB_DESC_VICTIM_IO + TLB_IO_BYTES * v, v + 1);
	for (uint64_t i = 0; i < slots; i++)
		entries += add_entry(cpu, w, table + TLB_ENTRY_BYTES * i,
				     io + TLB_IO_BYTES * i, 0);
	w->word[count_at] = entries;
}

static void add_way(struct words *w, const struct under_way *way)
{
	add(w, way->on ? way->count : 0);
	if (!way->on)
		return;
	add(w, way->start);
	add(w, way->pc);
	add(w, way->bytes);
	add(w, (uint64_t)way->branch.again << 32 | way->branch.taken);
	add(w, (uint64_t)way->branch.ramp << 32 | way->branch.cost |
		       (uint64_t)way->branch.by_loads << 63);
	for (uint32_t i = 0; i < way->count; i++)
		add(w, (uint64_t)way->waits[i] << 63 |
			       (uint64_t)way->until[i] << 16 | way->offset[i]);
	for (uint32_t i = 0; i < way->bytes; i += 8) {
		uint64_t word = 0;

		memcpy(&word, way->code + i,
		       way->bytes - i < 8 ? way->bytes - i : 8);
		add(w, word);
	}
}

static void add_branches(struct words *w, struct cpu *cpu)
{
	uint64_t word;

	add(w, cpu->complex->timing ? KNOWN_WORDS : 0);
	if (!cpu->complex->timing)
		return;
	for (size_t i = 0; i < KNOWN_WORDS; i++) {
		memcpy(&word, (char *)&cpu->predictor + 8 * i, 8);
		add(w, word);
	}
}

static void add_memory(struct words *w, struct cpu *cpu)
{
	size_t n = cpu->memory ? memory_words(cpu->memory, !cpu->index) : 0;

	add(w, n);
	if (!n)
		return;
	w->space = w->count + n;
	w->word = reallocarray(w->word, w->space, sizeof(uint64_t));
	CHECK_MSG(w->word, "out of memory for a snapshot");
	memory_save(cpu->memory, !cpu->index, w->word + w->count);
	w->count += n;
}

uint64_t *cpu_hidden_get(struct cpu *cpu, size_t *count)
{
	struct words w = {0};

	CHECK(!cpu->running);
	add(&w, engine_retired(cpu));
	add(&w, cpu->nmi);
	add(&w, (AT(cpu->env, uint32_t, ENV_HFLAGS2) & HF2_NMI_MASK) != 0);
	add(&w, cpu->check);
	add(&w, engine_ticks(cpu));
	add(&w, AT(cpu->env, uint32_t, ENV_PENDING));
	add_way(&w, &cpu->way);
	add_branches(&w, cpu);
	add_memory(&w, cpu);
	for (unsigned mode = 0; mode < TLB_MODES; mode++)
		add_mode(cpu, &w, mode);
	*count = w.count;
	return w.word;
}

/* --- setting --- */

/* As many slots as the TLB had grown to, all empty. */
static void resize(struct cpu *cpu, unsigned mode, uint64_t slots)
{
	char *desc = desc_of(cpu, mode), *fast = fast_of(cpu, mode);

	if (slots != slots_of(cpu, mode)) {
		free(AT(fast, void *, TLB_FAST_TABLE));
		free(AT(desc, void *, TLB_DESC_IO));
		AT(fast, void *, TLB_FAST_TABLE) =
			malloc(slots * TLB_ENTRY_BYTES);
		AT(desc, void *, TLB_DESC_IO) = calloc(slots, TLB_IO_BYTES);
		AT(fast, uint64_t, TLB_FAST_MASK) =
			(slots - 1) * TLB_ENTRY_BYTES;
	}
	CHECK_MSG(AT(fast, void *, TLB_FAST_TABLE) &&
			  AT(desc, void *, TLB_DESC_IO),
		  "out of memory for a TLB");
	memset(AT(fast, void *, TLB_FAST_TABLE), 0xff, slots * TLB_ENTRY_BYTES);
}

/* From its slot to the victims. */
static void move_on(struct cpu *cpu, unsigned mode, uint64_t va,
		    unsigned victim)
{
	char *desc = desc_of(cpu, mode);
	uint64_t slot = (va / PAGE_BYTES) & (slots_of(cpu, mode) - 1);
	char *entry = AT(fast_of(cpu, mode), char *, TLB_FAST_TABLE) +
		      slot * TLB_ENTRY_BYTES;
	char *io = AT(desc, char *, TLB_DESC_IO) + slot * TLB_IO_BYTES;

	memcpy(desc + TLB_DESC_VICTIM + victim * TLB_ENTRY_BYTES, entry,
	       TLB_ENTRY_BYTES);
	memcpy(desc + TLB_DESC_VICTIM_IO + victim * TLB_IO_BYTES, io,
	       TLB_IO_BYTES);
	memset(entry, 0xff, TLB_ENTRY_BYTES);
}

/* The first words of `p` as a mode's; NULL: they are not. */
static const uint64_t *set_mode(struct cpu *cpu, unsigned mode,
				const uint64_t *p, const uint64_t *end)
{
	char *desc = desc_of(cpu, mode);
	uint64_t slots, entries, used = 0, window, next;

	if (end - p < MODE_WORDS)
		return NULL;
	slots = p[0];
	window = p[1];
	next = p[2];
	entries = p[3];
	p += MODE_WORDS;
	if (slots < SLOTS_MIN || slots > SLOTS_MAX || (slots & (slots - 1)) ||
	    entries > slots + TLB_VICTIMS ||
	    (uint64_t)(end - p) < entries * ENTRY_WORDS)
		return NULL;
	resize(cpu, mode, slots);
	for (; entries; entries--, p += ENTRY_WORDS) {
		uint64_t va = p[0] & PAGE_MASK, place = p[1] & ~PAGE_MASK;

		if (place > TLB_VICTIMS)
			return NULL;
		engine_tlb_enter(cpu, va, p[1] & PAGE_MASK, (int)(p[0] & 7),
				 (int)mode, page_sizes[p[0] >> SIZE_SHIFT & 3]);
		if (place)
			move_on(cpu, mode, va, (unsigned)place - 1);
		else
			used++;
	}
	AT(desc, uint64_t, TLB_DESC_WINDOW_MAX) = window;
	AT(desc, uint64_t, TLB_DESC_USED) = used;
	AT(desc, uint64_t, TLB_DESC_NEXT_VICTIM) = next;
	return p;
}

/* `p`: the words after the number of instructions; NULL: they are not. */
static const uint64_t *set_way(struct under_way *way, uint64_t count,
			       const uint64_t *p, const uint64_t *end)
{
	way->on = way->is_split = false;
	if (!count)
		return p;
	if (count > TIMING_BLOCK_MAX || end - p < WAY_WORDS ||
	    p[2] > sizeof(way->code) ||
	    (uint64_t)(end - p) < WAY_WORDS + count + (p[2] + 7) / 8)
		return NULL;
	way->start = p[0];
	way->pc = p[1];
	way->bytes = (uint32_t)p[2];
	way->branch =
		(struct branch){.taken = (uint32_t)p[3],
				.again = (uint32_t)(p[3] >> 32),
				.cost = (uint32_t)p[4],
				.ramp = (uint32_t)(p[4] >> 32) & INT32_MAX,
				.by_loads = p[4] >> 63};
	way->count = (uint32_t)count;
	p += WAY_WORDS;
	for (uint64_t i = 0; i < count; i++, p++) {
		way->offset[i] = (uint16_t)*p;
		way->until[i] = (uint32_t)(*p >> 16);
		way->waits[i] = *p >> 63;
		if (way->offset[i] >= way->bytes)
			return NULL;
	}
	memcpy(way->code, p, way->bytes);
	way->on = true;
	return p + (way->bytes + 7) / 8;
}

static const uint64_t *set_branches(struct cpu *cpu, const uint64_t *p,
				    const uint64_t *end)
{
	if (!p || p == end)
		return NULL;
	if (!*p)
		return p + 1;
	if (*p != KNOWN_WORDS || (size_t)(end - p) < KNOWN_WORDS + 1)
		return NULL;
	memcpy(&cpu->predictor, p + 1, sizeof(cpu->predictor));
	return p + 1 + KNOWN_WORDS;
}

static const uint64_t *set_memory(struct cpu *cpu, const uint64_t *p,
				  const uint64_t *end)
{
	size_t n = cpu->memory ? memory_words(cpu->memory, !cpu->index) : 0;

	if (!p || p == end || *p != n || (size_t)(end - p) < n + 1)
		return NULL;
	if (n)
		memory_load(cpu->memory, !cpu->index, p + 1);
	return p + 1 + n;
}

bool cpu_hidden_set(struct cpu *cpu, const uint64_t *words, size_t count)
{
	const uint64_t *p = words + HEAD_WORDS, *end = words + count;

	CHECK(!cpu->running && !engine_running);
	if (count < HEAD_WORDS)
		return false;
	cpu->deadline = words[0];
	cpu->attend = false;
	cpu->pass_break = false;
	cpu->look_up_at = UINT64_MAX;
	engine_retired_set(cpu, words[0]);
	engine_ticks_set(cpu, words[4]);
	AT(cpu->env, uint32_t, ENV_PENDING) = (uint32_t)words[5];
	p = set_way(&cpu->way, words[6], p, end);
	p = set_branches(cpu, p, end);
	p = set_memory(cpu, p, end);
	engine_no_block(cpu);
	cpu->nmi = words[1];
	cpu->check = words[3] <= CHECK_FATAL ? words[3] : CHECK_NONE;
	if (words[2])
		AT(cpu->env, uint32_t, ENV_HFLAGS2) |= HF2_NMI_MASK;
	originals.tlb_flush(cpu->cs);
	engine_running = cpu; /* whose breakpoints the entries are marked by */
	for (unsigned mode = 0; p && mode < TLB_MODES; mode++)
		p = set_mode(cpu, mode, p, end);
	engine_running = NULL;
	if (p != end)
		originals.tlb_flush(cpu->cs);
	return p == end;
}
