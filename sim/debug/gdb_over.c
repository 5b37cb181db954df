/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb_over.c - packets of gdb's remote protocol when the run is over.
 *
 * In extended mode gdb stays connected behind the end of what it debugged, and
 * asks on.  A process that it takes for alive has exited when it is told to go
 * on; whatever else needs a process is refused.
 */
#include <string.h>

#include "sim/debug/gdb.h"

#define ERROR_GONE "E.the run is over"

static const char told[] = "the run is over; start parterre anew, then `target "
			   "extended-remote` again\n";

void gdb_exit_reply(struct gdb_state *g, int status, struct packet_text *out)
{
	for (uint32_t pid = 1; pid < GDB_PIDS_MAX; pid++) {
		if (!g->attached[pid])
			continue;
		g->attached[pid] = false;
		packet_put(out, "W%02x", status & 0xff);
		if (g->multiprocess)
			packet_put(out, ";process:%x", pid);
		return;
	}
	packet_put(out, ERROR_GONE);
}

static bool starts(const char *p, const char *word)
{
	return !strncmp(p, word, strlen(word));
}

static void query(const char *p, struct packet_text *out)
{
	if (starts(p, "qRcmd,"))
		packet_put_hex(out, told, strlen(told));
	else if (starts(p, "qfThreadInfo") || starts(p, "qsThreadInfo"))
		packet_put(out, "l");
	else if (starts(p, "qXfer:threads:read::"))
		packet_put(out, "l<threads></threads>");
	else if (starts(p, "qXfer:osdata:read:processes:"))
		packet_put(out, "l<osdata type=\"processes\"></osdata>");
}

static void letter_v(struct gdb_state *g, int status, const char *p,
		     struct packet_text *out)
{
	if (starts(p, "vCont?"))
		packet_put(out, "vCont;c;C;s;S;r");
	else if (starts(p, "vCont;"))
		gdb_exit_reply(g, status, out);
	else if (starts(p, "vAttach;") || starts(p, "vRun;"))
		packet_put(out, ERROR_GONE);
}

/* Of D;PID and vKill;PID. */
static void let_go(struct gdb_state *g, const char *p, struct packet_text *out)
{
	uint64_t pid;

	if (!packet_char(&p, ';')) {
		memset(g->attached, 0, sizeof(g->attached));
	} else if (!packet_number(&p, &pid) || pid >= GDB_PIDS_MAX ||
		   !g->attached[pid]) {
		packet_put(out, ERROR_GONE);
		return;
	} else {
		g->attached[pid] = false;
	}
	packet_put(out, "OK");
}

enum gdb_then gdb_packet_over(struct gdb_state *g, int status, const char *p,
			      struct packet_text *out)
{
	switch (*p) {
	case '!':
	case 'H': /* gdb says before a command for whom it would be */
	case 'z':
		packet_put(out, "OK");
		break;
	case '?':
	case 'b':
	case 'c':
	case 'C':
	case 's':
	case 'S':
		gdb_exit_reply(g, status, out);
		break;
	case 'D':
		let_go(g, p + 1, out);
		break;
	case 'k':
		return GDB_KILLED;
	case 'q':
		query(p, out);
		break;
	case 'v':
		if (starts(p, "vKill"))
			let_go(g, p + 5, out);
		else
			letter_v(g, status, p, out);
		break;
	case 'g':
	case 'G':
	case 'm':
	case 'M':
	case 'p':
	case 'P':
	case 'T':
	case 'X':
	case 'Z':
		packet_put(out, ERROR_GONE);
		break;
	default:
		break;
	}
	return GDB_ANSWERED;
}
