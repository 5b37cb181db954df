/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owners, addresses, containment, faults in a partition's text. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/elfimage.h"
#include "sim/fault.h"
#include "sim/partition_internal.h"
#include "world.h"

#define FAR_VA 0x600000

static uint32_t index_of(struct world *w, const char *name)
{
	struct partition_info info;
	struct error err;

	cr_assert(partition_view_find(w->view, name, &info, &err));
	return info.index;
}

Test(memory, the_owner_takes_as_many_reads_as_tiers)
{
	struct world *w = world_default();
	unsigned steps;

	cr_assert_eq(partition_view_owner(w->view, 0x40000 + 5, &steps),
		     index_of(w, "ultravisor"));
	cr_assert_eq(steps, 1);
	cr_assert_eq(
		partition_view_owner(w->view, MEMORY_PFN + 0x600 + 3, &steps),
		index_of(w, "guest1"));
	cr_assert_eq(steps, 2);
	cr_assert_eq(partition_view_owner(w->view, DIAG_PFN, &steps),
		     index_of(w, "ultravisor"));
	cr_assert_eq(steps, 3);
	cr_assert_eq(partition_view_owner(w->view, 0x50, NULL), 0);
	cr_assert_eq(partition_view_owner(w->view, UINT64_MAX, NULL), 0);
	cr_assert_eq(partition_view_owner(
			     w->view, (UINT64_C(1) << 27) + MEMORY_PFN, NULL),
		     0, "a frame past the map");
	world_destroy(w);
}

Test(memory, extents)
{
	struct partition_extent e[PARTITION_EXTENTS_MAX];
	struct world *w = world_default();
	size_t n = partition_view_extents(w->view, index_of(w, "io.a"), e,
					  ARRAY_LEN(e));

	cr_assert_eq(n, 7);
	cr_assert_str_eq(e[0].what, "memory");
	cr_assert_eq(e[0].pfn, MEMORY_PFN + MEMORY_FRAMES);
	cr_assert_str_eq(e[3].what, "channel");
	cr_assert_eq(e[3].pfn, BLOCK_PFN);
	cr_assert_str_eq(e[6].what, "device");
	cr_assert_eq(e[6].pfn, NVME_PFN);
	cr_assert_eq(partition_view_extents(w->view, index_of(w, "io.a"), e, 2),
		     2);
	n = partition_view_extents(w->view, index_of(w, "guest1"), e,
				   ARRAY_LEN(e));
	cr_assert_eq(n, 7);
	cr_assert_str_eq(e[6].what, "channel", "it has no device");
	world_destroy(w);
}

Test(memory, reads_follow_the_partitions_own_tables)
{
	struct world *w = world_default();
	uint8_t *a, *b, got[8];
	struct error err;
	paddr_t pa;

	/* Two pages that lie apart. */
	world_map(w, GUEST, FAR_VA, MEMORY_PFN + 0x600 + 40, MAP_P | MAP_U);
	world_map(w, GUEST, FAR_VA + PAGE_BYTES, MEMORY_PFN + 0x600 + 20,
		  MAP_P | MAP_U);
	a = world_frame(w, MEMORY_PFN + 0x600 + 40);
	b = world_frame(w, MEMORY_PFN + 0x600 + 20);
	memcpy(a + PAGE_BYTES - 4, "abcd", 4);
	memcpy(b, "efgh", 4);
	cr_assert(partition_view_read(w->view, "guest1",
				      FAR_VA + PAGE_BYTES - 4, got, 8, &err));
	cr_assert_arr_eq(got, "abcdefgh", 8);
	cr_assert(partition_view_translate(w->view, "guest1", FAR_VA + 5, &pa,
					   &err));
	cr_assert_eq(pa, (MEMORY_PFN + 0x600 + 40) * PAGE_BYTES + 5);
	cr_assert_not(partition_view_translate(w->view, "guest1", 0x7000000,
					       &pa, &err));
	cr_assert(strstr(err.text, "0x7000000") && strstr(err.text, "guest1"),
		  "%s", err.text);
	cr_assert_not(partition_view_translate(w->view, "guest1", MONITOR_VA,
					       &pa, &err),
		      "a monitor's page is not the partition's");
	world_destroy(w);
}

/* --- containment --- */

static bool contained(struct world *w, struct partition_violation *x)
{
	world_commit(w); /* all is looked at again */
	world_switch(w, GUEST);
	world_switch(w, IO_A);
	world_switch(w, IO_B);
	world_switch(w, UV);
	world_switch(w, GUEST);
	return partition_view_check(w->view, x);
}

static void must_break(enum world_part p, uint64_t va, uint64_t pfn,
		       uint64_t flags, const char *text)
{
	struct world *w = world_default();
	struct partition_violation x;

	cr_assert(contained(w, &x));
	world_map(w, p, va, pfn, flags);
	cr_assert_not(contained(w, &x), "%s", text);
	cr_assert_eq(x.pfn, pfn);
	cr_assert_eq(x.va, va);
	cr_assert(strstr(x.text, text), "%s", x.text);
	world_destroy(w);
}

static void must_hold(enum world_part p, uint64_t va, uint64_t pfn,
		      uint64_t flags)
{
	struct world *w = world_default();
	struct partition_violation x;

	world_map(w, p, va, pfn, flags);
	cr_assert(contained(w, &x), "%s", x.text);
	world_destroy(w);
}

Test(containment, what_is_given)
{
	must_hold(GUEST, FAR_VA, MEMORY_PFN + 0x600 + 100,
		  MAP_P | MAP_W | MAP_U);
	must_hold(GUEST, FAR_VA, BLOCK_PFN + 3, MAP_P | MAP_W | MAP_U);
	must_hold(IO_A, FAR_VA, BLOCK_PFN + 3, MAP_P | MAP_W | MAP_U);
	must_hold(IO_A, FAR_VA, NVME_PFN + 1, MAP_P | MAP_W | MAP_U);
	must_hold(IO_A, FAR_VA, 0xb0018, MAP_P | MAP_U);
	must_hold(UV, FAR_VA, LEAD_PFN, MAP_P | MAP_U);
	must_hold(UV, FAR_VA, MEMORY_PFN + 0x600, MAP_P | MAP_W | MAP_U);
	/* Not for ring 3. */
	must_hold(GUEST, FAR_VA, MEMORY_PFN, MAP_P | MAP_W);
	must_hold(GUEST, FAR_VA, MEMORY_PFN, MAP_U | MAP_W);
}

Test(containment, what_is_not)
{
	must_break(GUEST, FAR_VA, MEMORY_PFN + 0x200, MAP_P | MAP_U,
		   "(of io.a)");
	must_break(GUEST, PART_VIEW_VA, VIEW_PFN + 4 * GUEST,
		   MAP_P | MAP_W | MAP_U, "view, writable");
	must_break(GUEST, FAR_VA, VIEW_PFN + 4 * IO_A, MAP_P | MAP_U,
		   "guest1 has a frame that it was not given");
	must_break(GUEST, FAR_VA, TEXT_PFN, MAP_P | MAP_U, "monitor");
	must_break(GUEST, FAR_VA, MONITOR_PFN + 0x20 * GUEST + 9,
		   MAP_P | MAP_W | MAP_U, "monitor");
	must_break(GUEST, FAR_VA, LEAD_PFN, MAP_P | MAP_U, "monitor");
	must_break(UV, FAR_VA, LEAD_PFN, MAP_P | MAP_W | MAP_U, "monitor");
	must_break(UV, FAR_VA, MONITOR_PFN + 0x20 * GUEST, MAP_P | MAP_U,
		   "monitor");
	must_break(GUEST, FAR_VA, NVME_PFN + 1, MAP_P | MAP_U, "nobody");
	must_break(IO_A, FAR_VA, NVME_PFN + 2, MAP_P | MAP_U, "not given");
	must_break(IO_A, FAR_VA, 0xb0018, MAP_P | MAP_W | MAP_U, "not given");
	must_break(IO_A, FAR_VA, 0xfee00, MAP_P | MAP_W | MAP_U, "interrupt");
	must_break(IO_B, FAR_VA, BLOCK_PFN, MAP_P | MAP_W | MAP_U, "not given");
}

Test(containment, a_window_is_looked_at_when_its_call_returns)
{
	struct world *w = world_default();
	struct partition_violation x;
	struct cpu_regs regs;

	cr_assert(contained(w, &x));
	cpu_regs_get(machine_cpu(w->m, 0), &regs);
	regs.gpr[CPU_RDI] = 3; /* the handle */
	cpu_regs_set(machine_cpu(w->m, 0), &regs);
	world_fire(w, CPU_CTX_SYSCALL, SYS_CHANNEL_MAP);
	world_fire(w, CPU_CTX_RING, 0);
	world_map(w, GUEST, CHANNEL_WINDOW_VA + 3 * CHANNEL_SLOT_BYTES + 4096,
		  MEMORY_PFN, MAP_P | MAP_U);
	world_fire(w, CPU_CTX_RING, 3);
	cr_assert_not(partition_view_check(w->view, &x));
	world_destroy(w);
}

/* What a client writes for the disk is kept where the server has no hand. */
Test(containment, a_server_has_not_what_is_its_clients_to_write)
{
	const uint64_t last = BLOCK_CHANNEL_PAGES - BLOCK_WRITE_PAGES - 1;
	struct world *w = world_default();
	struct partition_violation x;

	world_map(w, IO_A, CHANNEL_WINDOW_VA, BLOCK_PFN + last,
		  MAP_P | MAP_W | MAP_U);
	world_switch(w, IO_A);
	cr_assert(contained(w, &x), "%s", x.text);
	world_destroy(w);
	w = world_default();
	world_map(w, IO_A, CHANNEL_WINDOW_VA, BLOCK_PFN + last + 1,
		  MAP_P | MAP_W | MAP_U);
	world_switch(w, IO_A);
	cr_assert_not(contained(w, &x));
	cr_assert(strstr(x.text, "io.a has a frame that it was not given"),
		  "%s", x.text);
	world_destroy(w);
	w = world_default();
	world_map(w, GUEST, CHANNEL_WINDOW_VA, BLOCK_PFN + last + 1,
		  MAP_P | MAP_W | MAP_U);
	world_switch(w, GUEST);
	cr_assert(contained(w, &x), "%s", x.text);
	world_destroy(w);
}

/* io.a, on the second CPU, has the block channel by its view and in its tables;
 * the ultravisor, on the first, has moved the channel to io.b. */
static struct world *moved(void)
{
	struct world *w = world_default();
	struct partition_violation x;

	world_map(w, IO_A, CHANNEL_WINDOW_VA, BLOCK_PFN, MAP_P | MAP_W | MAP_U);
	world_publish(w, IO_A, &w->chan[0]);
	world_publish(w, IO_B, NULL);
	cr_assert(contained(w, &x), "%s", x.text);
	w->cpu = 1;
	world_switch(w, IO_A);
	w->cpu = 0;
	world_switch(w, UV);
	w->chan[0].server = world_number(IO_B);
	world_commit(w);
	world_call(w);
	return w;
}

Test(containment, until_it_is_told_a_partition_may_have_what_was_taken)
{
	struct world *w = moved();
	struct partition_violation x;

	w->cpu = 1;
	world_call(w);
	w->cpu = 0;
	world_publish(w, IO_A, NULL);
	w->cpu = 1;
	world_call(w);
	cr_assert(partition_view_check(w->view, &x), "%s", x.text);
	w->cpu = 0;
	world_sync(w, IO_A); /* returns, but its monitor did nothing */
	cr_assert_not(partition_view_check(w->view, &x));
	cr_assert(strstr(x.text, "io.a has a frame that it was not given"),
		  "%s", x.text);
	world_destroy(w);
}

Test(containment, what_was_taken_is_nobody_elses_until_then)
{
	struct world *w = moved();
	struct partition_violation x;

	world_map(w, IO_B, CHANNEL_WINDOW_VA, BLOCK_PFN, MAP_P | MAP_W | MAP_U);
	w->lead->slot[UV].state = SLOT_READY; /* its CPU was taken */
	world_switch(w, IO_B);
	cr_assert_not(partition_view_check(w->view, &x));
	cr_assert(strstr(x.text, "io.b has a frame that another may still"),
		  "%s", x.text);
	world_destroy(w);

	/* In the right order. */
	w = moved();
	world_map(w, IO_A, CHANNEL_WINDOW_VA, BLOCK_PFN, 0);
	world_publish(w, IO_A, NULL);
	world_sync(w, IO_A);
	world_map(w, IO_B, CHANNEL_WINDOW_VA, BLOCK_PFN, MAP_P | MAP_W | MAP_U);
	world_switch(w, IO_B);
	cr_assert(partition_view_check(w->view, &x), "%s", x.text);
	world_destroy(w);

	/* Or the old owner runs nowhere any more. */
	w = moved();
	w->lead->slot[IO_A].state = SLOT_STOPPED;
	w->cpu = 1;
	world_switch(w, GUEST);
	w->cpu = 0;
	world_map(w, IO_B, CHANNEL_WINDOW_VA, BLOCK_PFN, MAP_P | MAP_W | MAP_U);
	w->lead->slot[UV].state = SLOT_READY;
	world_switch(w, IO_B);
	cr_assert(partition_view_check(w->view, &x), "%s", x.text);
	world_destroy(w);
}

Test(containment, the_other_end_keeps_a_channel_that_moves)
{
	struct world *w = moved();
	struct partition_violation x;

	/* The guest is its client, by its view too. */
	world_map(w, GUEST, CHANNEL_WINDOW_VA, BLOCK_PFN,
		  MAP_P | MAP_W | MAP_U);
	world_publish(w, GUEST, &w->chan[0]);
	w->chan[0].server = world_number(IO_A);
	cr_assert(contained(w, &x), "%s", x.text);
	w->cpu = 1;
	world_switch(w, IO_A);
	w->cpu = 0;
	world_switch(w, UV);
	world_sync(w, GUEST);
	w->chan[0].server = world_number(IO_B);
	world_commit(w);
	world_call(w);
	w->lead->slot[UV].state = SLOT_READY;
	world_switch(w, GUEST);
	cr_assert(partition_view_check(w->view, &x), "%s", x.text);
	world_destroy(w);
}

Test(containment, a_sleeping_ultravisor_has_told_everybody)
{
	struct world *w = moved();
	struct partition_violation x;

	w->lead->slot[UV].state = SLOT_READY;
	world_switch(w, GUEST);
	cr_assert(partition_view_check(w->view, &x), "%s", x.text);
	w->lead->slot[UV].state = SLOT_WAITING;
	world_call(w); /* io.a runs on the other CPU all the while */
	cr_assert_not(partition_view_check(w->view, &x));
	cr_assert(strstr(x.text, "io.a"), "%s", x.text);
	world_destroy(w);
}

Test(containment, tables_that_refer_to_themselves_end, .timeout = 20)
{
	struct world *w = world_default();
	/* A table of a guest's own frames that is its own page, too. */
	uint64_t self = (MEMORY_PFN + 0x600 + 7) * PAGE_BYTES;
	uint64_t *root = world_frame(w, self / PAGE_BYTES);
	struct partition_violation x;
	uint64_t spaces, pages;

	for (unsigned i = 0; i < 512; i++)
		root[i] = self | MAP_P | MAP_W | MAP_U;
	world_switch(w, GUEST);
	world_fire(w, CPU_CTX_RING, 0);
	world_fire(w, CPU_CTX_CR3, self);
	world_fire(w, CPU_CTX_RING, 3);
	cr_assert(partition_view_check(w->view, &x));
	partition_view_checked(w->view, &spaces, &pages);
	cr_assert(pages < 2 << 20, "%lu", (unsigned long)pages);
	cr_assert(pages > 1 << 20);
	world_destroy(w);
}

/* --- images and faults --- */

static struct world *with_images(void)
{
	struct note_layout note = world_note();
	struct world *w = world_create(&note);
	struct error err;

	w->config.module[0] =
		(struct machine_module){PARTERRE_HV "/io.elf", "x/io.elf a=1"};
	w->config.module_count = 1;
	cr_assert(world_view(w, &err), "%s", err.text);
	partition_view_look(w->view);
	w->seen = w->events;
	return w;
}

Test(fault, symbols_come_from_the_partitions_module)
{
	struct world *w = with_images();
	vaddr_t va, text;
	uint64_t bytes, text_bytes;
	struct error err;

	cr_assert(partition_view_symbol(w->view, "io.a", "partition_main", &va,
					&bytes, &err),
		  "%s", err.text);
	cr_assert(
		partition_view_text(w->view, "io.a", &text, &text_bytes, &err));
	cr_assert_eq(text, PART_MEMORY_VA);
	cr_assert(va >= text && va + bytes <= text + text_bytes && bytes);
	cr_assert_not(partition_view_symbol(w->view, "io.a", "no_such", &va,
					    &bytes, &err));
	cr_assert(strstr(err.text, "no_such"), "%s", err.text);
	cr_assert_not(partition_view_symbol(w->view, "guest1", "main", &va,
					    &bytes, &err));
	cr_assert(strstr(err.text, "module 'guest'"), "%s", err.text);
	world_destroy(w);
}

static uint8_t text_byte(struct world *w, vaddr_t va)
{
	struct error err;
	uint8_t c;

	cr_assert(partition_view_read(w->view, "io.a", va, &c, 1, &err), "%s",
		  err.text);
	return c;
}

/* The pages that the image's text has. */
static uint64_t text_pages(struct world *w)
{
	struct error err;
	uint64_t bytes;
	vaddr_t va;

	cr_assert(partition_view_text(w->view, "io.a", &va, &bytes, &err));
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
		world_map(w, IO_A, va + i,
			  MEMORY_PFN + MEMORY_FRAMES + i / PAGE_BYTES,
			  MAP_P | MAP_U);
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

Test(fault, crash_is_an_invalid_opcode_at_every_byte)
{
	struct world *w = with_images();
	uint64_t pages = text_pages(w);
	const struct seen_event *e;
	struct error err;

	cr_assert(fault_partition_text(w->view, "io.a", "crash", &err), "%s",
		  err.text);
	for (uint64_t i = 0; i < pages * PAGE_BYTES; i++)
		cr_assert_eq(text_byte(w, PART_MEMORY_VA + i), 0x06);
	e = world_next(w, TRACE_EV_FAULT);
	cr_assert(e);
	cr_assert_str_eq(e->text, "io.a.text crash");
	cr_assert_eq(e->value[2], pages * PAGE_BYTES);
	world_destroy(w);
}

Test(fault, hang_goes_on_for_ever_from_every_byte)
{
	struct world *w = with_images();
	int64_t bytes = (int64_t)(text_pages(w) * PAGE_BYTES);
	static uint8_t text[1 << 20];
	struct error err;

	cr_assert(fault_partition_text(w->view, "io.a", "hang", &err), "%s",
		  err.text);
	cr_assert(bytes <= (int64_t)sizeof(text));
	for (int64_t i = 0; i < bytes; i++)
		text[i] = text_byte(w, PART_MEMORY_VA + (uint64_t)i);
	for (int64_t from = 0; from < bytes - 1; from++) {
		int64_t at = from;

		for (unsigned step = 0; step < 1000; step++) {
			cr_assert(at >= 0 && at < bytes - 1,
				  "from %ld it leaves the text", (long)from);
			if (text[at] == 0x90)
				at++;
			else if (text[at] == 0xeb)
				at += 2 + (int8_t)text[at + 1];
			else
				cr_assert_fail("byte %02x", text[at]);
		}
	}
	world_destroy(w);
}

Test(fault, errors_name_what_to_do)
{
	struct world *w = with_images();
	struct error err;

	(void)text_pages(w);
	cr_assert_not(fault_partition_text(w->view, "io.z", "crash", &err));
	cr_assert(strstr(err.text, "io.z"), "%s", err.text);
	cr_assert_not(fault_partition_text(w->view, "io.a", "burn", &err));
	cr_assert(strstr(err.text, "crash, hang"), "%s", err.text);
	w->part[IO_A].state = PART_STATE_STOPPED;
	world_commit(w);
	partition_view_look(w->view);
	cr_assert_not(fault_partition_text(w->view, "io.a", "crash", &err));
	cr_assert(strstr(err.text, "stopped"), "%s", err.text);
	cr_assert_not(fault_ram(w->m, UINT64_C(1) << 40, "x", 1, &err));
	cr_assert(fault_ram(w->m, 0x5000, "x", 1, &err));
	cr_assert_eq(*(uint8_t *)world_frame(w, 5), 'x');
	cr_assert_not(fault_device(w->m, "nvme9", "x", 0, &err));
	cr_assert(strstr(err.text, "nvme9") && strstr(err.text, "uart0"), "%s",
		  err.text);
	cr_assert_not(fault_device(w->m, "uart0", "no such", 0, &err));
	world_destroy(w);
}

/* Cut anywhere, with any byte changed: no crash. */
static void torture(const char *path)
{
	struct elf_image whole, e;
	uint64_t a, b, x = 1;
	struct error err;

	cr_assert(elf_image_read(&whole, path, &err));
	e.file = malloc(whole.bytes);
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t note[64];

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		e.bytes = round & 1 ? whole.bytes : x % whole.bytes;
		e.file = realloc(e.file, e.bytes ? e.bytes : 1);
		memcpy(e.file, whole.file, e.bytes);
		for (unsigned i = 0; i < 8 && e.bytes; i++) {
			uint64_t at = (x >> 8) % 600 % e.bytes;

			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			/* Headers at either end of the file. */
			e.file[x & 1 ? at : e.bytes - 1 - at] =
				(uint8_t)(x >> 40);
		}
		(void)elf_image_symbol(&e, "partition_main", &a, &b);
		(void)elf_image_text(&e, &a, &b);
		(void)elf_image_note(&e, "Parterre", 1, note, sizeof(note));
	}
	elf_image_free(&e);
	elf_image_free(&whole);
}

Test(fault, hostile_images, .timeout = 60)
{
	struct world *w = world_default();

	torture(PARTERRE_HV "/io.elf");
	torture(w->kernel); /* the note */
	world_destroy(w);
}

/* --- conformance --- */

static bool refused(const char *code, unsigned bytes)
{
	return conform_refuses((const uint8_t *)code, bytes, true);
}
#define REFUSED(code) refused(code, sizeof(code) - 1)

Test(conformance, what_does_not_virtualize)
{
	cr_assert(REFUSED("\x0f\x01\x04\x24"), "SGDT");
	cr_assert(REFUSED("\x0f\x01\x0c\x24"), "SIDT");
	cr_assert(REFUSED("\x0f\x00\xc0"), "SLDT");
	cr_assert(REFUSED("\x48\x0f\x00\xc8"), "STR");
	cr_assert(REFUSED("\x0f\x01\x20") && REFUSED("\x0f\x01\xe0"), "SMSW");
	cr_assert(REFUSED("\x9c") && REFUSED("\x66\x9d"), "PUSHF, POPF");
	cr_assert(REFUSED("\x0f\x02\xc1") && REFUSED("\x0f\x03\xc1"));
	cr_assert(REFUSED("\x0f\x00\xe0") && REFUSED("\x0f\x00\xe8"));
	cr_assert(REFUSED("\x48\xff\x18") && REFUSED("\xff\x28"), "far");
	cr_assert(REFUSED("\x48\xcb") && REFUSED("\xca\x08\x00"), "far RET");
	cr_assert(REFUSED("\xcd\x80") && REFUSED("\x48\xcf"));
	cr_assert(REFUSED("\x8c\xc8") && REFUSED("\x8e\xd8"));
	cr_assert(REFUSED("\x0f\xa0") && REFUSED("\x0f\xa9"));
	cr_assert(REFUSED("\x0f\xb2\x04\x24") && REFUSED("\x48\x0f\xb4\x00"));
	/* In other modes than 64-bit. */
	cr_assert(conform_refuses((const uint8_t *)"\x0e", 1, false));
	cr_assert(
		conform_refuses((const uint8_t *)"\x9a\0\0\0\0\0\0", 7, false));
}

Test(conformance, what_does)
{
	cr_assert_not(REFUSED("\x0f\x05"), "SYSCALL");
	cr_assert_not(REFUSED("\x0f\x01\xf9"), "RDTSCP");
	cr_assert_not(REFUSED("\x0f\x01\x10"), "LGDT faults");
	cr_assert_not(REFUSED("\x0f\x01\x38"), "so does INVLPG");
	cr_assert_not(REFUSED("\x0f\x00\xd8"), "so does LTR");
	cr_assert_not(REFUSED("\xff\x10") || REFUSED("\xff\xe0"), "near");
	cr_assert_not(REFUSED("\xc3"), "near RET");
	cr_assert_not(REFUSED("\xfa"), "CLI faults");
	cr_assert_not(REFUSED("\xb8\x9c\x9d\x0f\x01"), "an immediate");
	cr_assert_not(REFUSED("\xc5\xf8\x77"), "VEX");
	cr_assert_not(REFUSED("\x66\x66"), "prefixes alone");
	cr_assert_not(REFUSED("\x40\x9f"), "LAHF");
}
