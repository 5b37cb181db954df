/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who runs, in what state, what crosses the channels. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/machine_internal.h"
#include "world.h"

static uint32_t index_of(struct world *w, const char *name)
{
	struct partition_info info;
	struct error err;

	cr_assert(partition_view_find(w->view, name, &info, &err), "%s",
		  err.text);
	return info.index;
}

Test(view, an_image_without_note_is_opaque)
{
	struct world *w = world_create(NULL);
	const struct seen_event *e;
	struct error err;

	cr_assert(world_view(w, &err));
	cr_assert(partition_view_opaque(w->view));
	partition_view_look(w->view);
	cr_assert_eq(partition_view_count(w->view), 0);
	for (const char *s = "Linux\r\n"; *s; s++)
		partition_view_console_byte(w->view, 0, 0, (uint8_t)*s);
	e = world_next(w, TRACE_EV_CONSOLE);
	cr_assert(e);
	cr_assert_str_eq(e->text, "Linux");
	cr_assert_not(partition_view_find(w->view, "io.a",
					  &(struct partition_info){0}, &err));
	cr_assert(strstr(err.text, "no layout note"), "%s", err.text);
	world_destroy(w);
}

Test(view, a_note_that_is_not_known_is_refused)
{
	struct note_layout note = world_note();
	struct world *w;
	struct error err;

	note.version = 9;
	w = world_create(&note);
	cr_assert_not(world_view(w, &err));
	cr_assert_eq(err.code, EXIT_USAGE);
	cr_assert(strstr(err.text, w->kernel) && strstr(err.text, "version 9"),
		  "%s", err.text);
	world_destroy(w);

	note = world_note();
	note.lead_area_pa = UINT64_C(1) << 40;
	w = world_create(&note);
	cr_assert_not(world_view(w, &err));
	cr_assert(strstr(err.text, "no RAM"), "%s", err.text);
	world_destroy(w);
}

Test(view, partitions_become_known)
{
	struct note_layout note = world_note();
	struct world *w = world_create(&note);
	struct partition_info info;
	const struct seen_event *e;
	struct error err;

	cr_assert(world_view(w, &err));
	partition_view_look(w->view);
	for (uint32_t i = 1; i <= WORLD_PARTS; i++) {
		e = world_next(w, TRACE_EV_PARTITION);
		cr_assert(e);
		cr_assert_eq(e->value[0], i);
		cr_assert_eq(e->value[1], world_number(i - 1));
	}
	cr_assert_not(world_next(w, TRACE_EV_PARTITION));
	cr_assert(partition_view_find(w->view, "io.b", &info, &err));
	cr_assert_eq(info.kind, PART_IO);
	cr_assert_eq(info.slot, IO_B);
	cr_assert_eq(info.state, PART_STATE_RUNNING);
	cr_assert_eq(info.cr3, world_cr3(IO_B));
	cr_assert_eq(info.frames, MEMORY_FRAMES);
	cr_assert_not(partition_view_find(w->view, "io.c", &info, &err));
	cr_assert(strstr(err.text, "io.c") && strstr(err.text, "io.b"), "%s",
		  err.text);
	world_destroy(w);
}

Test(view, a_switch_is_seen_and_records_bear_the_partition)
{
	struct world *w = world_default();
	const struct seen_event *e;

	world_switch(w, GUEST);
	e = world_next(w, TRACE_EV_SWITCH);
	cr_assert(e);
	cr_assert_eq(e->value[0], 0);
	cr_assert_eq(e->value[1], index_of(w, "guest1"));
	cr_assert_eq(e->value[2], SWITCH_WAKE);
	cr_assert_eq(machine_partition(w->m, 0), index_of(w, "guest1"));
	world_switch(w, IO_A);
	e = world_next(w, TRACE_EV_SWITCH);
	cr_assert_eq(e->value[0], index_of(w, "guest1"));
	cr_assert_eq(e->partition, index_of(w, "guest1"));
	cr_assert_eq(e->value[1], index_of(w, "io.a"));
	world_destroy(w);
}

Test(view, each_cpu_has_its_own_partition)
{
	struct world *w = world_default();
	const struct seen_event *e;
	struct partition_info info;

	world_switch(w, GUEST);
	w->cpu = 1;
	world_switch(w, IO_A);
	cr_assert_eq(partition_view_current(w->view, 0), index_of(w, "guest1"));
	cr_assert_eq(partition_view_current(w->view, 1), index_of(w, "io.a"));
	world_next(w, TRACE_EV_SWITCH);
	e = world_next(w, TRACE_EV_SWITCH);
	cr_assert_eq(e->value[0], 0, "the second CPU had nobody");
	cr_assert_eq(e->value[1], index_of(w, "io.a"));
	world_fire(w, CPU_CTX_SYSCALL, SYS_TIME);
	cr_assert_eq(world_next(w, TRACE_EV_SYSCALL)->partition,
		     index_of(w, "io.a"));
	world_fire(w, CPU_CTX_RING, 0);
	w->cpu = 0;
	world_fire(w, CPU_CTX_SYSCALL, SYS_TIME);
	cr_assert_eq(world_next(w, TRACE_EV_SYSCALL)->partition,
		     index_of(w, "guest1"));
	partition_view_info(w->view, index_of(w, "guest1") - 1, &info);
	cr_assert_eq(info.switches, 1);
	world_destroy(w);
}

/* A partition with a slot, and an instance, for each CPU. */
Test(view, idle_is_one_partition_on_all_cpus)
{
	struct note_layout note = world_note();
	struct world *w = world_create(&note);
	struct lead_slot *other = &w->lead->slot[PART_SLOTS - 1];
	struct part_desc *d = world_frame(w, DESC_PFN + GUEST);
	struct error err;

	d->kind = w->lead->slot[GUEST].kind = PART_IDLE;
	*other = w->lead->slot[GUEST];
	other->cr3 = 0xa00000;
	cr_assert(world_view(w, &err));
	world_switch(w, GUEST);
	w->cpu = 1;
	w->lead->cpu[1].current = PART_SLOTS - 1;
	world_fire(w, CPU_CTX_CR3, other->cr3);
	world_fire(w, CPU_CTX_RING, 3);
	cr_assert_eq(partition_view_current(w->view, 1),
		     partition_view_current(w->view, 0));
	w->seen = w->events;
	world_fire(w, CPU_CTX_SYSCALL, SYS_HALT);
	cr_assert(world_next(w, TRACE_EV_SYSCALL),
		  "its kernel called, by its own address space");
	world_destroy(w);
}

/* Neither end enters its monitor while the queue goes round. */
Test(view, with_two_cpus_no_message_is_missed)
{
	struct world *w = world_default();
	struct queue_header *q =
		(struct queue_header *)((uint8_t *)world_frame(w, BLOCK_PFN) +
					128);
	const struct seen_event *e;
	uint64_t expected = 0;

	world_format(w, BLOCK_PFN, CHANNEL_BLOCK, 1);
	w->cpu = 1;
	world_switch(w, IO_A);
	w->cpu = 0;
	world_switch(w, GUEST);
	world_call(w);
	w->seen = w->events;
	for (unsigned turn = 0; turn < 4; turn++) {
		for (unsigned i = 0; i < BLOCK_SLOTS - 1; i++)
			world_block(w, turn * (BLOCK_SLOTS - 1) + i, 0);
		world_turn_over(w);
		w->cpu = 1;
		q->tail = q->head;
		world_turn_over(w);
		w->cpu = 0;
	}
	cr_assert_eq(world_count(w, TRACE_EV_ODD), 0);
	while ((e = world_next(w, TRACE_EV_BLOCK_REQUEST))) {
		cr_assert_eq(e->value[1], expected++);
		cr_assert_eq(e->partition, index_of(w, "guest1"));
	}
	cr_assert_eq(expected, 4 * (BLOCK_SLOTS - 1));
	world_destroy(w);
}

Test(view, only_kernels_call_monitors)
{
	struct world *w = world_default();

	world_switch(w, GUEST);
	world_fire(w, CPU_CTX_SYSCALL, SYS_TIME);
	world_fire(w, CPU_CTX_RING, 0);
	cr_assert_eq(world_next(w, TRACE_EV_SYSCALL)->value[0], SYS_TIME);
	world_fire(w, CPU_CTX_CR3, 0x900000); /* a process's address space */
	world_fire(w, CPU_CTX_RING, 3);
	world_fire(w, CPU_CTX_SYSCALL, 4);
	cr_assert_not(world_next(w, TRACE_EV_SYSCALL));
	world_destroy(w);
}

Test(view, a_crash_is_told_once_with_its_exception)
{
	struct world *w = world_default();
	struct lead_slot *s = &w->lead->slot[IO_A];
	const struct seen_event *e;

	world_switch(w, IO_A);
	s->state = SLOT_CRASHED;
	s->vector = 6;
	s->rip = 0x401234;
	world_switch(w, UV);
	e = world_next(w, TRACE_EV_STATE);
	cr_assert(e);
	cr_assert_eq(e->value[0], index_of(w, "io.a"));
	cr_assert_eq(e->value[1], PART_STATE_RUNNING);
	cr_assert_eq(e->value[2], PART_STATE_CRASHED);
	cr_assert_eq(e->value[3], 6);
	cr_assert_eq(e->value[6], 0x401234);
	w->part[IO_A].state = PART_STATE_CRASHED;
	world_commit(w);
	world_call(w);
	cr_assert_not(world_next(w, TRACE_EV_STATE), "told twice");
	w->part[IO_A].state = PART_STATE_RUNNING;
	w->part[IO_A].incarnation = 2;
	world_commit(w);
	world_call(w);
	e = world_next(w, TRACE_EV_STATE);
	cr_assert(e);
	cr_assert_eq(e->value[2], PART_STATE_RUNNING);
	world_destroy(w);
}

Test(view, one_declared_dead_is_not_stopped_after)
{
	struct world *w = world_default();
	const struct seen_event *e;

	world_switch(w, UV);
	w->part[IO_A].state = PART_STATE_DEAD;
	world_commit(w);
	w->lead->slot[IO_A].state = SLOT_STOPPED;
	world_call(w);
	world_switch(w, GUEST);
	e = world_next(w, TRACE_EV_STATE);
	cr_assert(e);
	cr_assert_eq(e->value[2], PART_STATE_DEAD);
	cr_assert_not(world_next(w, TRACE_EV_STATE));
	world_destroy(w);
}

Test(view, each_transaction_is_its_makers)
{
	struct world *w = world_default();
	const struct seen_event *e;

	world_switch(w, UV);
	world_commit(w);
	world_switch(w, GUEST); /* taken from it before it could call */
	e = world_next(w, TRACE_EV_TRANSACTION);
	cr_assert(e);
	cr_assert_eq(e->value[0], 2);
	cr_assert_eq(e->value[1], world_number(UV));
	cr_assert_eq(e->value[2], 77);
	cr_assert_eq(e->partition, index_of(w, "ultravisor"));
	world_destroy(w);
}

Test(view, a_partition_that_is_destroyed_is_gone)
{
	struct world *w = world_default();
	struct partition_info info;
	struct error err;

	world_switch(w, UV);
	w->part[IO_B].number = 0;
	w->lead->slot[IO_B].state = SLOT_FREE;
	world_commit(w);
	world_call(w);
	cr_assert(partition_view_find(w->view, "io.b", &info, &err));
	cr_assert(info.gone);
	cr_assert_eq(info.cr3, 0);
	world_destroy(w);
}

Test(view, requests_are_read_as_their_consumer_does)
{
	struct world *w = world_default();
	uint64_t sequence = 1;

	world_switch(w, GUEST);
	/* Many times around the ring, in bursts of all sizes. */
	for (unsigned burst = 1; burst < BLOCK_SLOTS; burst++) {
		for (unsigned i = 0; i < burst; i++)
			world_block(w, sequence + i, 0);
		world_call(w);
		for (unsigned i = 0; i < burst; i++) {
			const struct seen_event *e =
				world_next(w, TRACE_EV_BLOCK_REQUEST);

			cr_assert(e);
			cr_assert_eq(e->partition, index_of(w, "guest1"));
			cr_assert_eq(e->value[0], 1);
			cr_assert_eq(e->value[1], sequence + i);
			cr_assert_eq(e->value[2], BLOCK_WRITE);
			cr_assert_eq(e->value[3], (sequence + i) % 7);
			cr_assert_eq(e->value[4], BLOCK_FLAG_FUA);
			cr_assert_eq(e->value[6], 5);
			cr_assert_eq(e->value[7], sequence + i + 100);
		}
		cr_assert_not(world_next(w, TRACE_EV_BLOCK_REQUEST));
		sequence += burst;
	}
	world_destroy(w);
}

Test(view, head_and_count_are_two_stores)
{
	struct world *w = world_default();
	struct queue_header *q =
		(struct queue_header *)((uint8_t *)world_frame(w, BLOCK_PFN) +
					128);

	world_switch(w, GUEST);
	world_block(w, 1, 0);
	q->sent--; /* interrupted between the two */
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_BLOCK_REQUEST), 1);
	q->sent++;
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_BLOCK_REQUEST), 1);
	cr_assert_eq(world_count(w, TRACE_EV_ODD), 0);
	world_destroy(w);
}

Test(view, a_wiped_channel_begins_anew)
{
	struct world *w = world_default();

	world_switch(w, GUEST);
	for (unsigned i = 0; i < 5; i++)
		world_block(w, i, 0);
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_BLOCK_REQUEST), 5);
	w->seen = w->events;
	world_format(w, BLOCK_PFN, CHANNEL_BLOCK, 2);
	for (unsigned i = 0; i < 7; i++)
		world_block(w, i, 1);
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_BLOCK_REQUEST), 7);
	cr_assert_eq(world_next(w, TRACE_EV_BLOCK_REQUEST)->value[5], 1);

	/* And one that begins anew with the same generation. */
	w->seen = w->events;
	world_format(w, BLOCK_PFN, CHANNEL_BLOCK, 2);
	for (unsigned i = 0; i < 3; i++)
		world_block(w, i, 2);
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_BLOCK_REQUEST), 3);
	world_destroy(w);
}

Test(view, more_than_a_ring_holds_is_odd)
{
	struct world *w = world_default();

	world_switch(w, GUEST);
	for (unsigned i = 0; i < BLOCK_SLOTS + 3; i++)
		world_block(w, i, 0);
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_ODD), 1);
	world_destroy(w);
}

Test(view, a_queue_that_leaves_its_channel_is_not_read)
{
	struct world *w = world_default();
	struct diag_record d = {.type = DIAG_DONE};

	world_switch(w, UV);
	w->chan[1].pages = 1;
	world_commit(w);
	world_switch(w, GUEST);
	world_send(w, DIAG_PFN, 0, PAGE_BYTES, DIAG_SLOTS, sizeof(d), &d);
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_DONE), 0);
	world_destroy(w);
}

Test(view, records_answers_messages_and_beats)
{
	struct world *w = world_default();
	struct diag_record d = {.type = DIAG_ISSUED,
				.stream = 1,
				.record = 2,
				.block = 3,
				.check = 4};
	struct block_response b = {.sequence = 9, .status = BLOCK_EIO};
	struct control_message c = {.id = TXN_QUERY,
				    .handle = 6,
				    .flags = CONTROL_MORE,
				    .word = {10, 11, 12}};
	struct channel_header *beat = world_frame(w, BEAT_PFN);
	const struct seen_event *e;

	world_switch(w, GUEST);
	for (uint32_t type = DIAG_NOTE; type <= DIAG_DONE; type++) {
		d.type = type;
		world_send(w, DIAG_PFN, 0, PAGE_BYTES, DIAG_SLOTS, sizeof(d),
			   &d);
	}
	world_send(w, CONTROL_PFN, CONTROL_QUEUE_ACK, PAGE_BYTES + 3 * 64 * 128,
		   CONTROL_SLOTS, sizeof(c), &c);
	world_call(w);
	e = world_next(w, TRACE_EV_MESSAGE);
	cr_assert_eq(e->value[0], 2);
	e = world_next(w, TRACE_EV_ISSUED);
	cr_assert_eq(e->value[1], 2);
	cr_assert_eq(e->value[2], 3);
	cr_assert_eq(e->value[3], 4);
	cr_assert(world_next(w, TRACE_EV_COMMITTED));
	cr_assert_eq(world_next(w, TRACE_EV_DONE)->value[1], 2);
	e = world_next(w, TRACE_EV_CONTROL);
	cr_assert_eq(e->value[0], 3);
	cr_assert_eq(e->value[1], CONTROL_QUEUE_ACK);
	cr_assert_eq(e->value[2], TXN_QUERY);
	cr_assert_eq(e->value[4], CONTROL_MORE);
	cr_assert_eq(e->value[5], 6);
	cr_assert_eq(e->value[8], 12);

	world_switch(w, IO_A);
	world_send(w, BLOCK_PFN, BLOCK_QUEUE_RESPONSE,
		   PAGE_BYTES + BLOCK_SLOTS * sizeof(struct block_request),
		   BLOCK_SLOTS, sizeof(b), &b);
	beat->server_beat = 41;
	world_call(w);
	e = world_next(w, TRACE_EV_BLOCK_RESPONSE);
	cr_assert_eq(e->value[1], 9);
	cr_assert_eq(e->value[2], BLOCK_EIO);
	cr_assert_eq(e->partition, index_of(w, "io.a"));
	cr_assert_eq(world_next(w, TRACE_EV_HEARTBEAT)->value[1], 41);
	world_destroy(w);
}

Test(view, a_channel_that_moves_is_told)
{
	struct world *w = world_default();
	struct channel_header *h = world_frame(w, BLOCK_PFN);
	struct partition_channel c;
	const struct seen_event *e;

	world_switch(w, UV);
	w->chan[0].server = world_number(IO_B);
	w->chan[0].generation = 2;
	world_commit(w);
	world_call(w);
	e = world_next(w, TRACE_EV_CHANNEL);
	cr_assert(e);
	cr_assert_eq(e->value[0], 1);
	cr_assert_eq(e->value[3], index_of(w, "io.b"));
	cr_assert_eq(e->value[4], 2);
	world_switch(w, IO_B);
	h->server_state = CHANNEL_SERVER_DRAINED;
	world_call(w);
	e = world_next(w, TRACE_EV_CHANNEL);
	cr_assert(e);
	cr_assert_eq(e->value[6], CHANNEL_SERVER_DRAINED);
	cr_assert_eq(partition_view_channel_count(w->view), 4);
	partition_view_channel(w->view, 0, &c);
	cr_assert_eq(c.server, index_of(w, "io.b"));
	cr_assert_eq(c.server_state, CHANNEL_SERVER_DRAINED);
	w->chan[0].id = 0;
	world_commit(w);
	partition_view_look(w->view);
	cr_assert_eq(partition_view_channel_count(w->view), 3);
	world_destroy(w);
}

Test(view, a_line_is_of_who_wrote_it)
{
	struct world *w = world_default();
	const struct seen_event *e;

	world_switch(w, GUEST);
	for (const char *s = "[io.a] ready\n[io.x] what\n"; *s; s++)
		partition_view_console_byte(w->view, 0, 0, (uint8_t)*s);
	e = world_next(w, TRACE_EV_CONSOLE);
	cr_assert_str_eq(e->text, "[io.a] ready");
	cr_assert_eq(e->partition, index_of(w, "io.a"));
	e = world_next(w, TRACE_EV_CONSOLE);
	cr_assert_str_eq(e->text, "[io.x] what");
	cr_assert_eq(e->partition, 0);
	cr_assert_eq(machine_partition(w->m, 0), index_of(w, "guest1"));
	for (unsigned i = 0; i < 5000; i++)
		partition_view_console_byte(w->view, 0, 0, 'x');
	cr_assert_eq(world_count(w, TRACE_EV_CONSOLE), 5);
	world_destroy(w);
}

/* The second brings the page of the version before it back into force. */
Test(view, two_commits_between_two_looks)
{
	struct world *w = world_default();
	struct partition_info info;
	struct error err;

	world_switch(w, UV);
	world_commit(w);
	world_call(w);
	w->part[IO_A].state = PART_STATE_DEAD;
	world_commit(w);
	world_commit(w);
	world_call(w);
	cr_assert(partition_view_find(w->view, "io.a", &info, &err));
	cr_assert_eq(info.state, PART_STATE_DEAD);
	world_destroy(w);
}

/* Running, standing still, kept without a slot, and running elsewhere. */
Test(view, a_partition_is_paused_and_saved)
{
	struct world *w = world_default();
	struct partition_info info;
	struct error err;
	uint32_t slot = w->part[GUEST].slot;

	world_switch(w, UV);
	w->part[GUEST].flags = RES_RUNNING;
	world_commit(w);
	world_call(w);
	cr_assert(partition_view_find(w->view, "guest1", &info, &err));
	cr_assert_str_eq(partition_info_state(&info), "running");
	w->part[GUEST].flags = RES_PAUSED;
	world_commit(w);
	world_call(w);
	cr_assert(partition_view_find(w->view, "guest1", &info, &err));
	cr_assert_str_eq(partition_info_state(&info), "paused");
	cr_assert_eq(info.state, PART_STATE_RUNNING);

	w->part[GUEST].flags = RES_SAVED;
	w->part[GUEST].state = PART_STATE_SAVED;
	w->part[GUEST].slot = UINT32_MAX;
	w->lead->slot[slot].state = SLOT_FREE;
	world_commit(w);
	world_call(w);
	cr_assert(partition_view_find(w->view, "guest1", &info, &err));
	cr_assert_str_eq(partition_info_state(&info), "saved");
	cr_assert_eq(info.slot, PARTITION_NO_SLOT);
	cr_assert_eq(info.cr3, 0);
	world_destroy(w);
}

Test(view, a_version_that_leaves_ram_is_passed_over)
{
	struct world *w = world_default();
	struct part_desc *d = world_frame(w, DESC_PFN + GUEST);
	struct partition_info info;
	struct error err;

	world_switch(w, UV);
	world_commit(w);
	w->version[w->in_force]->parts_pfn = UINT64_C(1) << 30;
	w->part[IO_A].state = PART_STATE_DEAD;
	world_call(w);
	cr_assert(partition_view_find(w->view, "io.a", &info, &err));
	cr_assert_eq(info.state, PART_STATE_RUNNING);
	world_commit(w);
	w->version[w->in_force]->magic++;
	world_call(w);
	cr_assert_eq(world_count(w, TRACE_EV_TRANSACTION), 0);

	/* A row whose descriptor is another's is nobody's. */
	d->number++;
	world_commit(w);
	world_call(w);
	cr_assert(partition_view_find(w->view, "guest1", &info, &err));
	cr_assert(info.gone);
	world_destroy(w);
}

Test(view, more_partitions_than_are_kept)
{
	struct world *w = world_default();
	struct part_desc *d = world_frame(w, DESC_PFN + GUEST);

	world_switch(w, UV);
	for (unsigned i = 0; i < 2 * PARTITION_VIEW_MAX; i++) {
		snprintf(d->name, sizeof(d->name), "g%u", i);
		w->lead->slot[GUEST].state = SLOT_FREE;
		world_commit(w);
		world_call(w);
	}
	cr_assert_eq(partition_view_count(w->view), PARTITION_VIEW_MAX);
	world_destroy(w);
}

/* Whatever stands in the guest's memory: no crash, no endless loop. */
Test(view, hostile_memory, .timeout = 60)
{
	struct world *w = world_default();
	uint64_t x = 88172645463325252u;

	w->seen = 0;
	for (unsigned round = 0; round < 3000; round++) {
		static const uint64_t where[] = {
			LEAD_PFN,    LEAD_PFN + 1, ROOT_PFN,  VERSION_PFN,
			MAP_PFN,     MAP_PFN + 1,  PARTS_PFN, CHANS_PFN,
			DEVS_PFN,    BLOCK_PFN,    DIAG_PFN,  CONTROL_PFN,
			MONITOR_PFN, DESC_PFN,
		};
		struct partition_extent extent[PARTITION_EXTENTS_MAX];
		struct partition_info info;
		struct error err;
		uint64_t *page;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		page = world_frame(w, where[x % ARRAY_LEN(where)]);
		page[x >> 20 & 511] = x & 1 ? x : x >> (x >> 55 & 63);
		if (w->lead->magic != LEAD_MAGIC)
			w->lead->magic = LEAD_MAGIC;
		if (!(round % 64))
			world_commit(w);
		world_switch(w, x >> 8 & 3);
		world_call(w);
		partition_view_look(w->view);
		for (size_t i = 0; i < partition_view_count(w->view); i++) {
			partition_view_info(w->view, i, &info);
			(void)partition_view_extents(w->view, info.index,
						     extent, ARRAY_LEN(extent));
			(void)partition_view_translate(w->view, info.name,
						       x & 0xffffff,
						       &(paddr_t){0}, &err);
		}
		(void)partition_view_owner(w->view, x >> 30, NULL);
		w->events = 0;
	}
	world_destroy(w);
}
