/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults in memory by their names (docs/faults.md): each changes what it says,
 * to the byte, and nothing else in all RAM, and its trace event says where. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fault.h"
#include "world.h"

#define FROM                                                                   \
	(UINT64_C(1) << 20) /* below lies a hole, and nothing of the world */
#define RAM_BYTES ((UINT64_C(16) << 20) - FROM)
#define IO_A_PFN  ((uint64_t)MEMORY_PFN + MEMORY_FRAMES)
#define IO_A_PA   (IO_A_PFN * PAGE_BYTES)

static const uint8_t *ram(const struct world *w)
{
	const uint8_t *all = bus_ram(machine_bus(w->m), FROM, RAM_BYTES);

	cr_assert(all);
	return all;
}

/* io.a's first four pages hold a pattern that no fault here writes. */
static struct world *patterned_world(void)
{
	struct note_layout note = world_note();
	struct world *w = world_create(&note);
	struct error err;

	w->config.module[0] =
		(struct machine_module){PARTERRE_HV "/io.elf", "x/io.elf a=1"};
	w->config.module_count = 1;
	cr_assert(world_view(w, &err), "%s", err.text);
	for (uint64_t i = 0; i < 4 * PAGE_BYTES; i++)
		((uint8_t *)world_frame(w, IO_A_PFN))[i] =
			(uint8_t)(i % 61 + 100);
	partition_view_look(w->view);
	w->seen = w->events;
	return w;
}

/* The fault changes `bytes` bytes from `pa` on to `want`, and tells it so. */
static void changes(struct world *w, const char *fault, const char *told,
		    paddr_t pa, const uint8_t *want, uint64_t bytes)
{
	static uint8_t after[RAM_BYTES];
	const struct seen_event *e;
	struct error err;

	memcpy(after, ram(w), RAM_BYTES);
	cr_assert(memcmp(after + (pa - FROM), want, bytes) != 0,
		  "'%s' would change nothing", fault);
	memcpy(after + (pa - FROM), want, bytes);
	cr_assert(fault_inject(w->view, fault, &err), "%s", err.text);
	for (uint64_t i = 0; i < RAM_BYTES; i++)
		cr_assert_eq(ram(w)[i], after[i],
			     "'%s': %02x at 0x%" PRIx64 ", not %02x", fault,
			     ram(w)[i], FROM + i, after[i]);
	e = world_next(w, TRACE_EV_FAULT);
	cr_assert(e, "'%s' tells nothing", fault);
	cr_expect_str_eq(e->text, told);
	cr_expect_eq(e->value[1], pa, "'%s': told of 0x%" PRIx64, fault,
		     e->value[1]);
	cr_expect_eq(e->value[2], bytes, "'%s': told of %" PRIu64 " bytes",
		     fault, e->value[2]);
	cr_expect_null(world_next(w, TRACE_EV_FAULT), "'%s' tells more", fault);
}

/* It changes nothing, and tells nothing but the reason. */
static void refuses(struct world *w, const char *fault, const char *why)
{
	static uint8_t before[RAM_BYTES];
	struct error err = {0};

	memcpy(before, ram(w), RAM_BYTES);
	cr_expect_not(fault_inject(w->view, fault, &err), "%s", fault);
	cr_expect(strstr(err.text, why), "'%s': %s", fault, err.text);
	cr_expect_eq(memcmp(before, ram(w), RAM_BYTES), 0, "%s", fault);
	cr_expect_null(world_next(w, TRACE_EV_FAULT), "%s", fault);
}

/* One bit of it and no other, of the byte that the bit is in. */
static void flips(struct world *w, const char *where, paddr_t pa, unsigned bit)
{
	uint8_t want = ram(w)[pa + bit / 8 - FROM] ^ (uint8_t)(1u << bit % 8);
	char fault[80];

	snprintf(fault, sizeof(fault), "flip io.a %s %u", where, bit);
	changes(w, fault, "io.a.ram", pa + bit / 8, &want, 1);
}

Test(fault, flip_changes_one_bit)
{
	struct world *w = patterned_world();

	for (unsigned bit = 0; bit < 64; bit++)
		flips(w, "0x400123", IO_A_PA + 0x123, bit);
	flips(w, "0x400000", IO_A_PA, 8 * PAGE_BYTES); /* of the next page */
	flips(w, "4194304", IO_A_PA, 5);
	flips(w, "4194304", IO_A_PA, 5); /* and back */
	cr_assert_eq(ram(w)[IO_A_PA - FROM], 100);
	refuses(w, "flip io.a 0x400123", "has to be flip PARTITION WHERE BIT");
	refuses(w, "flip io.a 0x400123 x", "'x' is not a number");
	refuses(w, "flip io.a 0x40 3", "io.a");
	refuses(w, "flip io.z 0x400123 3", "io.z");
	world_destroy(w);
}

Test(fault, flip_finds_a_symbol_and_its_end)
{
	struct world *w = patterned_world();
	uint64_t bytes;
	vaddr_t va;
	struct error err;
	char fault[80], why[80];
	paddr_t pa;

	cr_assert(partition_view_symbol(w->view, "io.a", "io_main_loop", &va,
					&bytes, &err),
		  "%s", err.text);
	for (vaddr_t page = va & ~(PAGE_BYTES - 1); page < va + bytes;
	     page += PAGE_BYTES)
		world_map(w, IO_A, page,
			  IO_A_PFN + (page - PART_MEMORY_VA) / PAGE_BYTES,
			  MAP_P | MAP_U);
	pa = IO_A_PA + (va - PART_MEMORY_VA);
	flips(w, "io_main_loop", pa, 3);
	flips(w, "io_main_loop", pa, (unsigned)bytes * 8 - 1);
	snprintf(fault, sizeof(fault), "flip io.a io_main_loop %" PRIu64,
		 bytes * 8);
	snprintf(why, sizeof(why), "has %" PRIu64 " bits", bytes * 8);
	refuses(w, fault, why);
	refuses(w, "flip io.a no_such 3", "no_such");
	world_destroy(w);
}

Test(fault, page_fills_the_page_there)
{
	struct world *w = patterned_world();
	static uint8_t want[PAGE_BYTES];

	memset(want, 0xa5, sizeof(want));
	changes(w, "page io.a 0x402000 0xa5", "io.a.ram",
		IO_A_PA + 2 * PAGE_BYTES, want, PAGE_BYTES);
	/* Wherever in it the address is. */
	changes(w, "page io.a 0x401fff 165", "io.a.ram", IO_A_PA + PAGE_BYTES,
		want, PAGE_BYTES);
	memset(want, 0, sizeof(want));
	changes(w, "page io.a 0x401001 0", "io.a.ram", IO_A_PA + PAGE_BYTES,
		want, PAGE_BYTES);
	refuses(w, "page io.a 0x401000", "has to be page PARTITION WHERE BYTE");
	refuses(w, "page io.a 0x401000 full", "'full' is not a number");
	refuses(w, "page io.a 0x40000000000 1", "io.a");
	world_destroy(w);
}

Test(fault, word_is_eight_bytes)
{
	struct world *w = patterned_world();

	changes(w, "word io.a 0x401003 0x0102030405060708", "io.a.ram",
		IO_A_PA + 0x1003, (const uint8_t[]){8, 7, 6, 5, 4, 3, 2, 1}, 8);
	refuses(w, "word io.a 0x401ff9 1", "leave the page");
	world_destroy(w);
}

Test(fault, bytes_changes_those_that_are_so)
{
	struct world *w = patterned_world();
	static uint8_t want[61];
	/* The pattern's bytes 100, 101, ... from there. */
	const uint64_t at = 61 * 20;

	memcpy(want, ram(w) + (IO_A_PA + at - FROM), sizeof(want));
	want[7] = 0xee;
	changes(w, "bytes io.a 0x4004c4 61 107 0xee", "io.a.ram", IO_A_PA + at,
		want, sizeof(want));
	refuses(w, "bytes io.a 0x400000 0 1 2", "1 to 4096 bytes");
	refuses(w, "bytes io.a 0x400000 4097 1 2", "1 to 4096 bytes");
	world_destroy(w);
}

Test(fault, instance_is_a_frame_of_the_monitors)
{
	struct world *w = patterned_world();
	static uint8_t want[PAGE_BYTES];

	memset(want, 0x3f, sizeof(want));
	changes(w, "instance io.a 6 0x3f", "io.a.instance",
		(MONITOR_PFN + 0x20 * IO_A + 6) * PAGE_BYTES, want, PAGE_BYTES);
	refuses(w, "instance io.a 0x20 0", "no frame 32");
	world_destroy(w);
}

Test(fault, check_and_stall_name_a_cpu)
{
	struct world *w = patterned_world();
	static const struct {
		const char *how;
		uint64_t status;
	} check[] = {
		/* VAL, EN, ADDRV and a memory read; UC; PCC (SDM 3B, 15.3.2) */
		{"corrected", 0x940000000000009f},
		{"uncorrected", 0xb40000000000009f},
		{"fatal", 0xb60000000000009f},
	};
	const struct seen_event *e;
	char text[80];
	struct error err;

	for (size_t i = 0; i < sizeof(check) / sizeof(check[0]); i++) {
		snprintf(text, sizeof(text), "check 1 0x5008 %s", check[i].how);
		cr_assert(fault_inject(w->view, text, &err), "%s", err.text);
		e = world_next(w, TRACE_EV_FAULT);
		cr_assert(e);
		snprintf(text, sizeof(text), "cpu1 check %s", check[i].how);
		cr_expect_str_eq(e->text, text);
		cr_expect_eq(e->value[1], 0x5008);
		cr_expect_eq(e->value[2], check[i].status, "%s: %" PRIx64,
			     check[i].how, e->value[2]);
	}
	refuses(w, "check 2 0x5008 fatal", "no CPU 2; there are 2");
	refuses(w, "check 0 0x5008 badly", "corrected, uncorrected, fatal");
	refuses(w, "check 0 0x8000000000 fatal", "not RAM");
	cr_assert(fault_inject(w->view, "stall 1 900", &err), "%s", err.text);
	e = world_next(w, TRACE_EV_FAULT);
	cr_assert(e);
	cr_expect_str_eq(e->text, "cpu1 stall");
	cr_expect_eq(e->value[2], 900 * PS_PER_NS);
	refuses(w, "stall 7 900", "no CPU 7; there are 2");
	world_destroy(w);
}
