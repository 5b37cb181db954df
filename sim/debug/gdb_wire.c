/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/gdb_wire.c - gdb's connection, and the debugger's front end over
 * it.
 *
 * One connection at a time.  When it breaks, the machine goes on as if gdb had
 * detached, and the next gdb may come; also if one is still there that is
 * attached to nothing.
 *
 * Behind the run's end a process of its own has the connection, as long as gdb
 * keeps it: gdb takes one that is closed for an error, and parterre need not
 * wait for it.
 */
#include <errno.h>
#include <fcntl.h>
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
	int parting;             /* of one who was sent away; -1: none */
	bool owes;               /* gdb waits for why it stopped */
	int status;              /* of the run, when it is over */
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

/* He may be about to ask something: only what he asks is not answered any more,
 * and his gdb tells a connection that ended, not one that broke. */
static void part(struct gdb_wire *w, int fd)
{
	if (w->parting >= 0)
		close(w->parting);
	w->parting = fd;
	if (fd >= 0)
		shutdown(fd, SHUT_WR);
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

static void put_frame(struct packet_text *to, const char *data, size_t bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + (uint8_t)data[i]);
	packet_put(to, "$");
	packet_put_bytes(to, data, bytes);
	packet_put(to, "#%02x", sum);
}

/* `text` is escaped where it has to be. */
static void send_frame(struct gdb_wire *w, const struct packet_text *text)
{
	w->last.bytes = 0;
	put_frame(&w->last, text->data, text->bytes);
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

/* Did it close the connection?  Takes nothing from it. */
static bool gone(struct gdb_wire *w)
{
	uint8_t byte;
	ssize_t n = recv(w->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return false;
	hang_up(w);
	return true;
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

/* One packet is done; true: serving is over.  Without a debugger the run is. */
static bool obey(struct gdb_wire *w, struct debug *d)
{
	struct packet_text out = {.data = NULL};
	const struct packet_reader *r = &w->reader;
	enum gdb_then then =
		d ? gdb_packet(&w->state, d, r->data, r->bytes, &out)
		  : gdb_packet_over(&w->state, w->status, r->data, &out);

	if (then != GDB_RUNS && (then != GDB_KILLED || out.bytes))
		send_frame(w, &out);
	packet_text_free(&out);
	switch (then) {
	case GDB_ANSWERED:
		return false;
	case GDB_RUNS:
		w->owes = true;
		return true;
	case GDB_LEFT:
		if (!w->state.extended)
			hang_up(w);
		debug_resume(d, &(struct debug_plan){.how = DEBUG_CONTINUE});
		return true;
	case GDB_KILLED:
		if (d)
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

/* Another comes while one is there: without a word he would wait for long.  It
 * is the answer to what gdb asks first. */
static void send_away(struct gdb_wire *w)
{
	static const char there[] =
		"E.another gdb is attached; detach or disconnect that one";
	struct packet_text t = {.data = NULL};
	int fd = accept4(w->listen, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	put_frame(&t, there, strlen(there));
	send(fd, "+", 1, MSG_NOSIGNAL);
	send(fd, t.data, t.bytes, MSG_NOSIGNAL);
	packet_text_free(&t);
	part(w, fd);
}

/* Until there is something to read. */
static void await(struct gdb_wire *w)
{
	/* In this order: who left before the other came is seen to be gone. */
	struct pollfd p[2] = {
		{.fd = w->listen, .events = POLLIN},
		{.fd = w->fd, .events = POLLIN},
	};

	if (poll(p, ARRAY_LEN(p), -1) > 0 && p[0].revents && !p[1].revents)
		send_away(w);
}

/* Until something ends it: false: the connection. */
static bool hear(struct gdb_wire *w, struct debug *d)
{
	uint8_t byte;

	for (;;) {
		ssize_t n = recv(w->fd, &byte, 1, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			await(w);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 || w->fd < 0)
			return false;
		if (take_byte(w, d, byte))
			return true;
		/* Nothing stands for who is attached to nothing. */
		if (d && !w->owes && !gdb_attached(&w->state) &&
		    !readable(w->fd, 0)) {
			debug_resume(
				d, &(struct debug_plan){.how = DEBUG_CONTINUE});
			return true;
		}
	}
}

static bool anybody(const struct gdb_wire *w)
{
	return w->fd >= 0 && gdb_attached(&w->state);
}

static void on_serve(void *owner, struct debug *d)
{
	struct gdb_wire *w = owner;

	if (w->fd < 0 && debug_stopped(d)->why == DEBUG_BEGIN)
		fprintf(stderr,
			"parterre: waiting for gdb at %s (target "
			"extended-remote %s)\n",
			w->where, w->path[0] ? w->path : w->where + 4);
	if (!anybody(w) && debug_stopped(d)->why == DEBUG_ENDED) {
		debug_let_go(d);
		return;
	}
	if (w->owes)
		send_stop(w, d);
	while (w->fd < 0)
		take_caller(w, true);
	if (!hear(w, d)) {
		hang_up(w);
		debug_break_forget(d);
		debug_resume(d, &(struct debug_plan){.how = DEBUG_CONTINUE});
	}
}

/* Somebody comes while none is there, or one who is attached to nothing. */
static bool comes(struct gdb_wire *w)
{
	if (anybody(w) || !readable(w->listen, 0))
		return false;
	part(w, w->fd);
	w->fd = -1;
	take_caller(w, false);
	return w->fd >= 0;
}

static bool on_wants(void *owner, struct debug *d)
{
	struct gdb_wire *w = owner;
	uint8_t byte;

	if (comes(w))
		return true;
	if (anybody(w) && readable(w->listen, 0) && !readable(w->fd, 0))
		send_away(w);
	while (w->fd >= 0 && readable(w->fd, 0)) {
		ssize_t n;

		/* A packet is for on_serve(). */
		if (!anybody(w) && !w->owes)
			return !gone(w);
		n = recv(w->fd, &byte, 1, MSG_DONTWAIT);
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

/* Nothing of the run is in this process any more. */
static _Noreturn void stay(struct gdb_wire *w)
{
	int nowhere = open("/dev/null", O_RDWR);

	w->listen = -1; /* closed below */
	setsid();       /* the terminal is the shell's again */
	dup2(w->fd, STDERR_FILENO + 1);
	w->fd = STDERR_FILENO + 1;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(nowhere, fd);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	hear(w, NULL);
	_exit(0);
}

static void on_end(void *owner, struct debug *d, int status)
{
	struct gdb_wire *w = owner;
	struct packet_text t = {.data = NULL};

	(void)d;
	w->status = status;
	if (w->owes) {
		gdb_exit_reply(&w->state, status, &t);
		send_frame(w, &t);
	}
	packet_text_free(&t);
	if (w->fd >= 0 && fork() == 0)
		stay(w);
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
	part(owner, -1);
}

/* --- made and unmade --- */

struct gdb_wire *gdb_listen(const char *where, struct error *err)
{
	struct gdb_wire *w = calloc(1, sizeof(*w));
	bool good;

	CHECK_MSG(w, "out of memory for gdb's connection");
	w->listen = w->fd = w->parting = -1;
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
	part(w, -1);
	if (w->listen >= 0)
		close(w->listen);
	if (w->path[0])
		unlink(w->path);
	packet_text_free(&w->last);
	free(w);
}
