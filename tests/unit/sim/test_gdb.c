/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's packets: frames as they come over the wire, and what each packet is
 * answered, malformed ones first of all. */
#include "sim/debug/gdb.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_debug.h"

static struct packet_reader reader;

/* The last event of these bytes. */
static enum packet_event feed(const char *p, size_t bytes)
{
	enum packet_event e = PACKET_NONE;

	for (size_t i = 0; i < bytes; i++)
		e = packet_feed(&reader, (uint8_t)p[i]);
	return e;
}

#define FEED(text) feed(text, sizeof(text) - 1)

Test(gdb, frames_are_read)
{
	cr_assert_eq(FEED("$g#67"), PACKET_WHOLE);
	cr_assert_str_eq(reader.data, "g");
	cr_assert_eq(FEED("noise$m0,1#fa"), PACKET_WHOLE);
	cr_assert_str_eq(reader.data, "m0,1");
	cr_assert_eq(FEED("+"), PACKET_ACK);
	cr_assert_eq(FEED("-"), PACKET_NAK);
	cr_assert_eq(FEED("\x03"), PACKET_INTERRUPT);
	/* } 03h is # in data, and 03h in a frame is data. */
	cr_assert_eq(FEED("$X}\x03\x03#db"), PACKET_WHOLE);
	cr_assert_eq(reader.bytes, 3);
	cr_assert_eq(memcmp(reader.data, "X#\x03", 3), 0);
	cr_assert_eq(FEED("$#00"), PACKET_WHOLE);
	cr_assert_eq(reader.bytes, 0);
}

Test(gdb, damaged_frames_are_not_taken)
{
	cr_assert_eq(FEED("$g#68"), PACKET_DAMAGED);
	cr_assert_eq(FEED("$g#6x"), PACKET_DAMAGED);
	cr_assert_eq(FEED("$g#$g"), PACKET_DAMAGED);
	/* One that was broken off, then a good one. */
	cr_assert_eq(FEED("$m0,$g#67"), PACKET_WHOLE);
	cr_assert_str_eq(reader.data, "g");
}

Test(gdb, a_frame_that_is_too_long_is_told)
{
	uint8_t sum = 0;
	char end[8];

	FEED("$");
	for (size_t i = 0; i < PACKET_MAX + 10; i++) {
		FEED("a");
		sum = (uint8_t)(sum + 'a');
	}
	snprintf(end, sizeof(end), "#%02x", sum);
	cr_assert_eq(feed(end, 3), PACKET_TOO_LONG);
	cr_assert_eq(FEED("$g#67"), PACKET_WHOLE);
}

Test(gdb, ids_are_read)
{
	static const struct {
		const char *text;
		bool good;
		struct debug_id id;
	} cases[] = {
		{"p1.2", true, {1, 2}},
		{"pa.-1", true, {10, PACKET_ALL}},
		{"p3", true, {3, PACKET_ALL}},
		{"5", true, {0, 5}},
		{"-1", true, {0, PACKET_ALL}},
		{"", false, {0, 0}},
		{"p", false, {0, 0}},
		{"p1.", false, {0, 0}},
		{"p.1", false, {0, 0}},
		{"-2", false, {0, 0}},
		{"pffffffffff.1", false, {0, 0}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *p = cases[i].text;
		struct debug_id id = {0, 0};

		cr_expect_eq(packet_id(&p, &id), cases[i].good, "'%s'",
			     cases[i].text);
		cr_expect_eq(id.pid, cases[i].id.pid, "'%s'", cases[i].text);
		cr_expect_eq(id.tid, cases[i].id.tid, "'%s'", cases[i].text);
	}
}

/* --- packets --- */

static struct gdb_state state;
static struct packet_text out;

static const char *answer(const char *packet, enum gdb_then want)
{
	packet_text_free(&out);
	cr_expect_eq(gdb_packet(&state, NULL, packet, strlen(packet), &out),
		     want, "%s", packet);
	return out.data ? out.data : "";
}

static void setup(void)
{
	gdb_state_reset(&state);
}

static void teardown(void)
{
	packet_text_free(&out);
}

TestSuite(gdb_packets, .init = setup, .fini = teardown);

Test(gdb_packets, malformed_ones_get_an_error)
{
	static const char *const bad[] = {
		"Hx1",
		"Hg",
		"Hgp1.2x",
		"T",
		"m",
		"m0",
		"m,1",
		"m0,",
		"mffffffffffffffffff,1",
		"m0,1,",
		"M0,2:00",
		"M0,1",
		"X0,5:ab",
		"p",
		"pzz",
		"P1",
		"P0=12",
		"G00",
		"Z",
		"Z0",
		"Z0,400000",
		"Z2,400000,0",
		"Z2,0,ffffffff",
		"Z2,ffffffffffffffff,2",
		"z0,zz,1",
		"vCont",
		"vCont;",
		"vCont;x",
		"vCont;s:",
		"vCont;r400000",
		"vCont;r1,",
		"vAttach",
		"vAttach;",
		"vAttach;zz",
		"b",
		"bx",
		"bcx",
		"c400000",
		"C",
		"C5;400000",
		"s1",
		"kill",
		"vKill",
		"vKill;",
		"vKill;1x",
		"D;",
		"Dx",
		"cxyz",
		"qXfer:",
		"qXfer:features:write:x:0,1",
		"qXfer:features",
		"qXfer:features:read:target.xml",
		"qXfer:features:read:target.xml:0",
		"qRcmd,6",
		"qThreadExtraInfo,",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *got = answer(bad[i], GDB_ANSWERED);

		cr_expect_eq(got[0], 'E', "%s: %s", bad[i], got);
	}
	cr_expect_eq(fake_debug_resumed, 0);
}

/* Threads and processes that are not there: none steps, none is looked at. */
Test(gdb_packets, nonsense_ids_get_an_error)
{
	static const char *const bad[] = {
		"Hg7",
		"Hgp9.1",
		"Hcp1.7",
		"Hgp9.-1",
		"Tp9.1",
		"T7",
		"vCont;s:p1.7;c",
		"vCont;c:p9.-1",
		"vCont;c;s:p9.1",
		"vCont;r1,2:p1.9",
		"qThreadExtraInfo,p9.1",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_str_eq(answer(bad[i], GDB_ANSWERED), "E01", "%s",
				 bad[i]);
	cr_expect_eq(fake_debug_resumed, 0);
	answer("vCont;c:p-1.-1", GDB_RUNS);
}

Test(gdb_packets, what_is_unknown_gets_the_empty_answer)
{
	static const char *const unknown[] = {
		"",       "w",   "vMustReplyEmpty",       "qSymbol::",
		"Z9,0,1", "R00", "qXfer:auxv:read::0,10",
	};

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		cr_expect_str_empty(answer(unknown[i], GDB_ANSWERED), "%s",
				    unknown[i]);
}

Test(gdb_packets, memory_is_read_and_written_in_its_bounds)
{
	fake_debug_memory[0] = 0xab;
	fake_debug_memory[4095] = 0xcd;
	cr_expect_str_eq(answer("mffffffff80000000,1", GDB_ANSWERED), "ab");
	/* As much as there is. */
	cr_expect_str_eq(answer("mffffffff80000fff,8", GDB_ANSWERED), "cd");
	cr_expect_str_eq(answer("m1000,8", GDB_ANSWERED), "E0e");
	cr_expect_str_eq(answer("Mffffffff80000000,2:0102", GDB_ANSWERED),
			 "OK");
	cr_expect_eq(fake_debug_memory[1], 2);
	cr_expect_str_eq(answer("Mffffffff80000fff,2:0102", GDB_ANSWERED),
			 "E0e");
	cr_expect_str_eq(answer("Xffffffff80000002,1:z", GDB_ANSWERED), "OK");
	cr_expect_eq(fake_debug_memory[2], 'z');
}

Test(gdb_packets, a_thread_without_a_cpu_has_registers_that_are_unknown)
{
	const char *got = answer("g", GDB_ANSWERED);

	cr_expect(!strncmp(got, "2211000000000000", 16));
	cr_expect_not(strstr(got, "xx"));
	answer("Hgp2.6", GDB_ANSWERED);
	got = answer("g", GDB_ANSWERED);
	cr_expect(!strncmp(got, "2211000000000000", 16));
	cr_expect(strstr(got, "xxxxxxxx"));
	cr_expect_str_eq(answer("P0=0000000000000000", GDB_ANSWERED), "E01");
}

Test(gdb_packets, one_steps_the_others_go_with_it)
{
	answer("vCont;s:p1.2;c", GDB_RUNS);
	cr_expect_eq(fake_debug_plan.how, DEBUG_STEP);
	cr_expect_eq(fake_debug_plan.id.tid, 2);
	answer("vCont;c;r10,20:p1.1", GDB_RUNS);
	cr_expect_eq(fake_debug_plan.how, DEBUG_RANGE);
	cr_expect_eq(fake_debug_plan.high, 0x20);
	answer("vCont;c:p1.-1", GDB_RUNS);
	cr_expect_eq(fake_debug_plan.how, DEBUG_CONTINUE);
}

Test(gdb_packets, back_goes_the_thread_that_is_looked_at)
{
	answer("Hgp1.2", GDB_ANSWERED);
	answer("Hcp1.0", GDB_ANSWERED);
	answer("bs", GDB_RUNS);
	cr_expect_eq(fake_debug_plan.how, DEBUG_BACK_STEP);
	cr_expect_eq(fake_debug_plan.id.tid, 2);
	answer("Hcp1.1", GDB_ANSWERED);
	answer("bc", GDB_RUNS);
	cr_expect_eq(fake_debug_plan.how, DEBUG_BACK_CONTINUE);
	cr_expect_eq(fake_debug_plan.id.tid, 1);
	cr_expect(strstr(answer("qSupported:swbreak+", GDB_ANSWERED),
			 ";ReverseStep+;ReverseContinue+"));
	fake_debug_stop.why = DEBUG_PAST_ENDS;
	cr_expect(strstr(answer("?", GDB_ANSWERED), "replaylog:begin;"));
	fake_debug_stop.why = DEBUG_BEGIN;
}

Test(gdb_packets, there_is_an_end_to_breakpoints)
{
	for (unsigned i = 0; i < 3; i++)
		cr_expect_str_eq(answer("Z0,400000,1", GDB_ANSWERED), "OK");
	cr_expect_str_eq(answer("Z0,400000,1", GDB_ANSWERED), "E03");
}

Test(gdb_packets, processes_come_and_go)
{
	cr_expect_str_eq(answer("vAttach;9", GDB_ANSWERED), "E01");
	cr_expect_str_eq(answer("vAttach;2", GDB_ANSWERED), "T05thread:p2.6;");
	cr_expect_str_eq(answer("Hgp0.0", GDB_ANSWERED), "OK");
	cr_expect_str_eq(answer("qC", GDB_ANSWERED), "QCp2.6");
	cr_expect_str_eq(answer("D;1", GDB_ANSWERED), "OK");
	cr_expect_str_eq(answer("D;2", GDB_LEFT), "OK");
	cr_expect_str_eq(answer("D;2", GDB_ANSWERED), "E01");
	cr_expect_str_eq(answer("vKill;1", GDB_ANSWERED), "E01");
	gdb_state_reset(&state);
	answer("vKill;1", GDB_KILLED);
	answer("k", GDB_KILLED);
}

static const char *over(const char *packet)
{
	packet_text_free(&out);
	gdb_packet_over(&state, 7, packet, &out);
	return out.data ? out.data : "";
}

Test(gdb_packets, behind_the_end_each_process_has_exited_once)
{
	static const char *const need[] = {
		"g", "p10", "m400000,8", "G00", "Z0,0,1", "vAttach;1", "Tp1.1"};

	answer("vAttach;2", GDB_ANSWERED);
	answer("qSupported:multiprocess+", GDB_ANSWERED);
	for (size_t i = 0; i < ARRAY_LEN(need); i++)
		cr_expect_str_eq(over(need[i]), "E.the run is over", "%s",
				 need[i]);
	cr_expect_str_eq(over("Hgp0.0"), "OK");
	cr_expect_str_eq(over("qfThreadInfo"), "l");
	cr_expect_str_eq(over("vMustReplyEmpty"), "");
	cr_expect_str_eq(over("vCont;c"), "W07;process:1");
	cr_expect_str_eq(over("?"), "W07;process:2");
	cr_expect_str_eq(over("vCont;c"), "E.the run is over");
	gdb_state_reset(&state);
	cr_expect_str_eq(over("D;2"), "E.the run is over");
	cr_expect_str_eq(over("D;1"), "OK");
	cr_expect_str_eq(over("vKill;1"), "E.the run is over");
	gdb_state_reset(&state);
	cr_expect_str_eq(over("c"), "W07");
}

Test(gdb_packets, documents_come_in_pieces_and_are_xml)
{
	cr_expect_str_eq(
		answer("qXfer:features:read:no.xml:0,10", GDB_ANSWERED), "E00");
	cr_expect_str_eq(
		answer("qXfer:features:read:target.xml:0,5", GDB_ANSWERED),
		"m<?xml");
	cr_expect_str_eq(
		answer("qXfer:features:read:target.xml:ffffff,5", GDB_ANSWERED),
		"l");
	answer("qXfer:osdata:read:processes:0,1000", GDB_ANSWERED);
	cr_expect(strstr(out.data, "a&lt;b&amp;&quot;c&quot;"));
	cr_expect_str_eq(answer("qXfer:exec-file:read:1:0,100", GDB_ANSWERED),
			 "l/no/such/kernel.elf");
	cr_expect_str_eq(answer("qXfer:exec-file:read:2:0,100", GDB_ANSWERED),
			 "E00");
}
