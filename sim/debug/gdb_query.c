/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb_query.c - q and Q packets, and the documents that qXfer
 * transfers: target description, memory map, threads, processes, programs.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/debug/gdb.h"

#define THREADS_MAX 64

/* --- documents --- */

/* Text may hold what XML means something by. */
static void put_xml(struct packet_text *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			packet_put(out, "&lt;");
			break;
		case '&':
			packet_put(out, "&amp;");
			break;
		case '"':
			packet_put(out, "&quot;");
			break;
		default:
			packet_put_bytes(out, text, 1);
		}
	}
}

/* What is mapped where is the page tables' affair, and they change: gdb may try
 * all. */
static void memory_map(struct packet_text *out)
{
	packet_put(out, "<?xml version=\"1.0\"?><!DOCTYPE memory-map PUBLIC "
			"\"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
			"\"http://sourceware.org/gdb/gdb-memory-map.dtd\">"
			"<memory-map><memory type=\"ram\" start=\"0x0\" "
			"length=\"0xffffffffffffffff\"/></memory-map>");
}

static void one_thread(struct debug *d, struct debug_id id,
		       struct packet_text *out)
{
	struct debug_process process = {.name = ""};
	unsigned cpu = debug_thread_cpu(d, id);
	char text[160];

	debug_process(d, id.pid, &process);
	debug_thread_text(d, id, text, sizeof(text));
	packet_put(out, "<thread id=\"");
	packet_put_id(out, id);
	packet_put(out, "\" name=\"");
	put_xml(out, process.name);
	packet_put(out, "\"");
	if (cpu < CPU_COUNT_MAX)
		packet_put(out, " core=\"%u\"", cpu);
	packet_put(out, ">");
	put_xml(out, text);
	packet_put(out, "</thread>");
}

static void threads(struct gdb_state *g, struct debug *d,
		    struct packet_text *out)
{
	uint32_t tid[THREADS_MAX];

	packet_put(out, "<?xml version=\"1.0\"?><threads>");
	for (uint32_t pid = 1; pid < GDB_PIDS_MAX; pid++) {
		size_t count = g->attached[pid]
				       ? debug_threads(d, pid, tid, THREADS_MAX)
				       : 0;

		for (size_t i = 0; i < count; i++)
			one_thread(d, (struct debug_id){pid, tid[i]}, out);
	}
	packet_put(out, "</threads>");
}

static void column(struct packet_text *out, const char *name, const char *text)
{
	packet_put(out, "<column name=\"%s\">", name);
	put_xml(out, text);
	packet_put(out, "</column>");
}

static void processes(struct debug *d, struct packet_text *out)
{
	struct debug_process p;
	char number[16], text[160];
	uint32_t tid[1];

	packet_put(out, "<?xml version=\"1.0\"?><!DOCTYPE osdata SYSTEM "
			"\"osdata.dtd\"><osdata type=\"processes\">");
	for (size_t i = 0; debug_process_at(d, i, &p); i++) {
		if (p.gone)
			continue;
		snprintf(number, sizeof(number), "%u", p.pid);
		snprintf(text, sizeof(text), "not created");
		if (debug_threads(d, p.pid, tid, 1))
			debug_thread_text(d, (struct debug_id){p.pid, tid[0]},
					  text, sizeof(text));
		packet_put(out, "<item>");
		column(out, "pid", number);
		column(out, "command", p.name);
		column(out, "state", text);
		packet_put(out, "</item>");
	}
	packet_put(out, "</osdata>");
}

static bool program(struct debug *d, const char *annex, struct packet_text *out)
{
	struct debug_process p;
	char path[PATH_MAX];
	uint64_t pid = DEBUG_MACHINE;

	if (*annex && (!packet_number(&annex, &pid) || *annex))
		return false;
	if (pid > UINT32_MAX || !debug_process(d, (uint32_t)pid, &p) ||
	    !p.program)
		return false;
	/* gdb may have been started elsewhere. */
	packet_put_bytes(out, realpath(p.program, path) ? path : p.program,
			 strlen(realpath(p.program, path) ? path : p.program));
	return true;
}

/* False: not one that is transferred at all. */
static bool object_known(const char *object)
{
	static const char *const known[] = {"features", "memory-map", "threads",
					    "osdata", "exec-file"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!strcmp(object, known[i]))
			return true;
	}
	return false;
}

static bool document(struct gdb_state *g, struct debug *d, const char *object,
		     const char *annex, struct packet_text *out)
{
	if (!strcmp(object, "features") && !strcmp(annex, "target.xml"))
		gdb_target_xml(out);
	else if (!strcmp(object, "memory-map") && !*annex)
		memory_map(out);
	else if (!strcmp(object, "threads") && !*annex)
		threads(g, d, out);
	else if (!strcmp(object, "osdata") && !strcmp(annex, "processes"))
		processes(d, out);
	else if (!strcmp(object, "exec-file"))
		return program(d, annex, out);
	else
		return false;
	return true;
}

/* qXfer:object:read:annex:offset,length */
static void transfer(struct gdb_state *g, struct debug *d, const char *p,
		     struct packet_text *out)
{
	struct packet_text whole = {.data = NULL};
	char object[32], annex[64];
	uint64_t offset, length;
	int n = 0;

	if (sscanf(p, "%31[^:]:read:%n", object, &n) != 1 || !n) {
		packet_put(out, "E02");
		return;
	}
	if (!object_known(object))
		return;
	p += n;
	n = (int)strcspn(p, ":");
	if (n >= (int)sizeof(annex) || p[n] != ':') {
		packet_put(out, "E02");
		return;
	}
	memcpy(annex, p, (size_t)n);
	annex[n] = '\0';
	p += n + 1;
	if (!packet_number(&p, &offset) || !packet_char(&p, ',') ||
	    !packet_number(&p, &length) || *p) {
		packet_put(out, "E02");
		return;
	}
	if (!document(g, d, object, annex, &whole)) {
		packet_put(out, "E00");
		return;
	}
	if (offset > whole.bytes)
		offset = whole.bytes;
	if (length > PACKET_MAX / 2 - 8)
		length = PACKET_MAX / 2 - 8;
	if (length > whole.bytes - offset)
		length = whole.bytes - offset;
	packet_put(out, "%c", offset + length < whole.bytes ? 'm' : 'l');
	packet_put_escaped(out, whole.data + offset, length);
	packet_text_free(&whole);
}

/* --- queries --- */

static void supported(struct gdb_state *g, struct debug *d, const char *p,
		      struct packet_text *out)
{
	g->multiprocess = strstr(p, "multiprocess+") != NULL;
	g->tells_break = strstr(p, "swbreak+") != NULL;
	packet_put(out,
		   "PacketSize=%x;QStartNoAckMode+;multiprocess+;"
		   "qXfer:features:read+;qXfer:memory-map:read+;"
		   "qXfer:threads:read+;qXfer:osdata:read+;"
		   "qXfer:exec-file:read+;swbreak+;hwbreak+;"
		   "vContSupported+%s",
		   PACKET_MAX,
		   debug_has_past(d) ? ";ReverseStep+;ReverseContinue+" : "");
}

/* `monitor TEXT`, in hexadecimal. */
static void command(struct gdb_state *g, struct debug *d, const char *p,
		    struct packet_text *out)
{
	char line[PACKET_MAX / 2 + 1];
	size_t n = packet_hex(&p, line, sizeof(line) - 1), bytes = 0;
	char *text = NULL;
	FILE *f;

	line[n] = '\0';
	if (*p || memchr(line, '\0', n)) {
		packet_put(out, "E02");
		return;
	}
	f = open_memstream(&text, &bytes);
	if (f && debug_command(d, gdb_thread(g, d, g->general), line, f) ==
			 DEBUG_NO_COMMAND)
		fprintf(f, "no such command: %s; `monitor help` lists them\n",
			line);
	if (f)
		fclose(f);
	if (bytes)
		packet_put_hex(out, text,
			       bytes < PACKET_MAX / 2 - 8 ? bytes
							  : PACKET_MAX / 2 - 8);
	else
		packet_put(out, "OK");
	free(text);
}

static void all_threads(struct gdb_state *g, struct debug *d,
			struct packet_text *out)
{
	uint32_t tid[THREADS_MAX];
	char comma = 'm';

	for (uint32_t pid = 1; pid < GDB_PIDS_MAX; pid++) {
		size_t count = g->attached[pid]
				       ? debug_threads(d, pid, tid, THREADS_MAX)
				       : 0;

		for (size_t i = 0; i < count; i++) {
			packet_put(out, "%c", comma);
			packet_put_id(out, (struct debug_id){pid, tid[i]});
			comma = ',';
		}
	}
	if (comma == 'm')
		packet_put(out, "l");
}

static void thread_extra(struct debug *d, const char *p,
			 struct packet_text *out)
{
	struct debug_id id;
	char text[160];

	if (!packet_id(&p, &id) || *p) {
		packet_put(out, "E02");
		return;
	}
	if (!debug_thread_alive(d, id)) {
		packet_put(out, "E01");
		return;
	}
	debug_thread_text(d, id, text, sizeof(text));
	packet_put_hex(out, text, strlen(text));
}

static bool starts(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n))
		return false;
	*p += n;
	return true;
}

bool gdb_query(struct gdb_state *g, struct debug *d, const char *p,
	       struct packet_text *out)
{
	if (starts(&p, "qSupported")) {
		supported(g, d, p, out);
	} else if (starts(&p, "QStartNoAckMode")) {
		g->no_ack = true;
		packet_put(out, "OK");
	} else if (starts(&p, "qXfer:")) {
		transfer(g, d, p, out);
	} else if (starts(&p, "qRcmd,")) {
		command(g, d, p, out);
	} else if (starts(&p, "qThreadExtraInfo,")) {
		thread_extra(d, p, out);
	} else if (starts(&p, "qfThreadInfo")) {
		all_threads(g, d, out);
	} else if (starts(&p, "qsThreadInfo")) {
		packet_put(out, "l");
	} else if (starts(&p, "qAttached")) {
		packet_put(out, "1"); /* leave it running when gdb quits */
	} else if (!strcmp(p, "qC")) {
		packet_put(out, "QC");
		packet_put_id(out, gdb_thread(g, d, g->general));
	} else {
		return false;
	}
	return true;
}
