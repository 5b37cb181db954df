/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb_wire.c - gdb's connection, and the debugger's front end over
 * it.
 *
 * One connection at a time.  When it breaks, the machine goes on as if gdb had
 * detached, and the next gdb may come.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/debug/gdb.h"

struct gdb_wire {
	struct debug_front front;
	struct gdb_state state;
	struct packet_reader reader;
	struct packet_text last; /* the frame that may be asked for again */
	int listen, fd;          /* fd -1: nobody is there */
	bool owes;               /* gdb waits for why it stopped */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char where[128];
};

/* --- listening --- */

static bool listen_unix(struct gdb_wire *w, const char *path, struct error *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;

	if (!*path || strlen(path) >= sizeof(a.sun_path))
		return error_set(err, EXIT_USAGE,
				 "--gdb unix:%s: a socket's path has 1 to %zu "
				 "characters",
				 path, sizeof(a.sun_path) - 1);
	strcpy(a.sun_path, path);
	/* Of an earlier run; anything else is not ours to remove. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	w->listen = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->listen < 0 ||
	    bind(w->listen, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(w->listen, 1) < 0)
		return error_set(err, EXIT_HOST, "%s: no socket there: %s",
				 path, strerror(errno));
	strcpy(w->path, path);
	return true;
}

static bool listen_tcp(struct gdb_wire *w, const char *port, struct error *err)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	char *end;
	unsigned long n = strtoul(port, &end, 10);
	int one = 1;

	if (end == port || *end || !n || n > 65535)
		return error_set(err, EXIT_USAGE,
				 "--gdb tcp:%s: give a port of this host, as "
				 "in tcp:1234",
				 port);
	a.sin_port = htons((uint16_t)n);
	w->listen = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->listen >= 0)
		setsockopt(w->listen, SOL_SOCKET, SO_REUSEADDR, &one,
			   sizeof(one));
	if (w->listen < 0 ||
	    bind(w->listen, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(w->listen, 1) < 0)
		return error_set(err, EXIT_HOST,
				 "port %lu: cannot listen there: %s; give "
				 "another by --gdb tcp:PORT",
				 n, strerror(errno));
	return true;
}

/* --- sending --- */

static void hang_up(struct gdb_wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void send_all(struct gdb_wire *w, const char *p, size_t bytes)
{
	while (bytes && w->fd >= 0) {
		ssize_t n = send(w->fd, p, bytes, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			hang_up(w);
			return;
		}
		p += n;
		bytes -= (size_t)n;
	}
}

/* `text` is escaped where it has to be. */
static void send_frame(struct gdb_wire *w, const struct packet_text *text)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < text->bytes; i++)
		sum = (uint8_t)(sum + (uint8_t)text->data[i]);
	w->last.bytes = 0;
	packet_put(&w->last, "$");
	packet_put_bytes(&w->last, text->data, text->bytes);
	packet_put(&w->last, "#%02x", sum);
	send_all(w, w->last.data, w->last.bytes);
}

/* Text for gdb's user; only while gdb waits for a stop.  Of a watchpoint it
 * tells itself, and passes over those that changed nothing. */
static void send_note(struct gdb_wire *w, const char *text)
{
	struct packet_text t = {.data = NULL};

	packet_put(&t, "O");
	packet_put_hex(&t, text, strlen(text));
	packet_put_hex(&t, "\n", 1);
	send_frame(w, &t);
	packet_text_free(&t);
}

static void send_stop(struct gdb_wire *w, struct debug *d)
{
	struct packet_text t = {.data = NULL};

	if (debug_stopped(d)->text[0] && debug_stopped(d)->why != DEBUG_WATCH)
		send_note(w, debug_stopped(d)->text);
	gdb_stop_reply(&w->state, d, &t);
	send_frame(w, &t);
	packet_text_free(&t);
	w->owes = false;
}

/* --- receiving --- */

static bool readable(int fd, int timeout)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&p, 1, timeout) > 0;
}

static void take_caller(struct gdb_wire *w, bool wait)
{
	int one = 1;

	if (!readable(w->listen, wait ? -1 : 0))
		return;
	w->fd = accept4(w->listen, NULL, NULL, SOCK_CLOEXEC);
	if (w->fd < 0)
		return;
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	w->reader = (struct packet_reader){.state = PACKET_OUTSIDE};
	w->owes = false;
	gdb_state_reset(&w->state);
}

/* One packet is done; true: serving is over. */
static bool obey(struct gdb_wire *w, struct debug *d)
{
	struct packet_text out = {.data = NULL};
	enum gdb_then then =
		gdb_packet(&w->state, d, w->reader.data, w->reader.bytes, &out);

	if (then != GDB_RUNS)
		send_frame(w, &out);
	packet_text_free(&out);
	switch (then) {
	case GDB_ANSWERED:
		return false;
	case GDB_RUNS:
		w->owes = true;
		return true;
	case GDB_LEFT:
		hang_up(w);
		debug_resume(d, &(struct debug_plan){.how = DEBUG_CONTINUE});
		return true;
	case GDB_KILLED:
		hang_up(w);
		debug_kill(d);
		return true;
	}
	return false;
}

static bool take_byte(struct gdb_wire *w, struct debug *d, uint8_t byte)
{
	static const struct packet_text malformed = {(char *)(uintptr_t) "E02",
						     3, 0};

	switch (packet_feed(&w->reader, byte)) {
	case PACKET_WHOLE:
		if (!w->state.no_ack)
			send_all(w, "+", 1);
		return obey(w, d);
	case PACKET_DAMAGED:
		/* Who counts on a line that damages nothing waits for an
		 * answer, not for this. */
		if (w->state.no_ack)
			send_frame(w, &malformed);
		else
			send_all(w, "-", 1);
		return false;
	case PACKET_TOO_LONG:
		if (!w->state.no_ack)
			send_all(w, "+", 1);
		send_frame(w, &malformed);
		return false;
	case PACKET_NAK:
		send_all(w, w->last.data, w->last.bytes);
		return false;
	case PACKET_INTERRUPT: /* it stands already */
	case PACKET_ACK:
	case PACKET_NONE:
		return false;
	}
	return false;
}

static void on_serve(void *owner, struct debug *d)
{
	struct gdb_wire *w = owner;
	uint8_t byte;

	if (w->fd < 0 && debug_stopped(d)->why == DEBUG_BEGIN)
		fprintf(stderr,
			"parterre: waiting for gdb at %s (target "
			"extended-remote %s)\n",
			w->where, w->path[0] ? w->path : w->where + 4);
	if (w->fd < 0 && debug_stopped(d)->why == DEBUG_ENDED) {
		debug_let_go(d);
		return;
	}
	if (w->owes)
		send_stop(w, d);
	while (w->fd < 0)
		take_caller(w, true);
	for (;;) {
		ssize_t n = recv(w->fd, &byte, 1, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || w->fd < 0) {
			hang_up(w);
			debug_break_forget(d);
			debug_resume(
				d, &(struct debug_plan){.how = DEBUG_CONTINUE});
			return;
		}
		if (take_byte(w, d, byte))
			return;
	}
}

static bool on_wants(void *owner, struct debug *d)
{
	struct gdb_wire *w = owner;
	uint8_t byte;

	if (w->fd < 0) {
		take_caller(w, false);
		return w->fd >= 0;
	}
	while (w->fd >= 0 && readable(w->fd, 0)) {
		ssize_t n = recv(w->fd, &byte, 1, MSG_DONTWAIT);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			hang_up(w);
			debug_break_forget(d);
			return false;
		}
		if (packet_feed(&w->reader, byte) == PACKET_INTERRUPT)
			return true;
	}
	return false;
}

static void on_end(void *owner, struct debug *d, int status)
{
	struct gdb_wire *w = owner;
	struct packet_text t = {.data = NULL};

	(void)d;
	packet_put(&t, "W%02x;process:1", status & 0xff);
	if (w->fd >= 0 && w->owes)
		send_frame(w, &t);
	packet_text_free(&t);
	hang_up(w);
}

/* --- going back --- */

/* Nothing else of it is not in memory of all processes, or gdb's turn. */
struct saved {
	struct gdb_state state;
	bool owes;
};
_Static_assert(sizeof(struct saved) <= DEBUG_FRONT_BYTES, "it can be saved");

static size_t on_save(void *owner, void *to, int *fd)
{
	const struct gdb_wire *w = owner;
	struct saved saved;

	memset(&saved, 0, sizeof(saved));
	saved.state = w->state;
	saved.owes = w->owes;
	memcpy(to, &saved, sizeof(saved));
	*fd = w->fd;
	return sizeof(saved);
}

static void on_load(void *owner, const void *from, size_t bytes, int fd)
{
	struct gdb_wire *w = owner;
	struct saved saved;

	CHECK(bytes == sizeof(saved));
	memcpy(&saved, from, sizeof(saved));
	w->state = saved.state;
	w->owes = saved.owes;
	w->reader = (struct packet_reader){.state = PACKET_OUTSIDE};
	w->fd = fd;
}

static void on_away(void *owner)
{
	hang_up(owner);
}

/* --- made and unmade --- */

struct gdb_wire *gdb_listen(const char *where, struct error *err)
{
	struct gdb_wire *w = calloc(1, sizeof(*w));
	bool good;

	CHECK_MSG(w, "out of memory for gdb's connection");
	w->listen = w->fd = -1;
	w->front = (struct debug_front){
		.serve = on_serve,
		.wants = on_wants,
		.end = on_end,
		.save = on_save,
		.load = on_load,
		.away = on_away,
		.owner = w,
	};
	snprintf(w->where, sizeof(w->where), "%s", where);
	gdb_state_reset(&w->state);
	if (!strncmp(where, "unix:", 5))
		good = listen_unix(w, where + 5, err);
	else if (!strncmp(where, "tcp:", 4))
		good = listen_tcp(w, where + 4, err);
	else
		good = error_set(err, EXIT_USAGE,
				 "--gdb %s: give tcp:PORT or unix:PATH", where);
	if (good)
		return w;
	gdb_close(w);
	return NULL;
}

const struct debug_front *gdb_front(struct gdb_wire *w)
{
	return &w->front;
}

void gdb_close(struct gdb_wire *w)
{
	if (!w)
		return;
	hang_up(w);
	if (w->listen >= 0)
		close(w->listen);
	if (w->path[0])
		unlink(w->path);
	packet_text_free(&w->last);
	free(w);
}
