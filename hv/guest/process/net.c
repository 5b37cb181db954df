/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/net.c - programs of the network: ping, ifconfig, and senders
 * and receivers of a pattern, which is checked byte by byte.  Byte n of it
 * depends on n alone. */
#include "guest/process/process.h"
#include "lib/crc.h"
#include "lib/string.h"

#define PIECE     4096
#define PING_NS   1000000000ull
#define PING_DATA 56

static uint8_t piece[PIECE];

/* 10.0.0.1; 0: it is none. */
static uint64_t address_of(const char *at)
{
	uint64_t address = 0;

	for (unsigned i = 0; at != NULL && i < 4; i++) {
		uint64_t part = 0;

		if (*at < '0' || *at > '9')
			return 0;
		while (*at >= '0' && *at <= '9')
			part = part * 10 + (uint64_t)(*at++ - '0');
		if (part > 255 || *at++ != (i < 3 ? '.' : '\0'))
			return 0;
		address = address << 8 | part;
	}
	return address;
}

#define DOTS(a)                                                                \
	(unsigned)((a) >> 24 & 255), (unsigned)((a) >> 16 & 255),              \
		(unsigned)((a) >> 8 & 255), (unsigned)((a)&255)

static const char *trouble(int64_t r)
{
	static const char *const text[] = {
		[PROC_EINVAL] = "a word is missing or out of range",
		[PROC_ENOMEM] = "all sockets are taken",
		[PROC_ERESET] = "refused, or reset by the other side",
		[PROC_ETIME] = "no answer",
		[PROC_ENET] = "this guest has no network",
		[PROC_ESTATE] = "not connected",
		[PROC_EINUSE] = "the port is taken",
	};

	return r < 0 && -r <= PROC_EINUSE && text[-r] != NULL ? text[-r]
							      : "failed";
}

static int say(const char *who, int64_t r)
{
	print("%s: %s", who, trouble(r));
	return 1;
}

/* ---- ifconfig ----------------------------------------------------------- */

int program_ifconfig(const struct words *w, const struct process_args *args)
{
	struct process_network n;
	int64_t r = call(PROC_NETWORK, (uintptr_t)&n, 0);

	(void)w, (void)args;
	if (r < 0)
		return say("ifconfig", r);
	print("%02x:%02x:%02x:%02x:%02x:%02x %u.%u.%u.%u/%lu link %s", n.mac[0],
	      n.mac[1], n.mac[2], n.mac[3], n.mac[4], n.mac[5], DOTS(n.address),
	      n.prefix, n.up ? "up" : "down");
	print("in %lu frames %lu bytes, out %lu frames %lu bytes", n.frames_in,
	      n.bytes_in, n.frames_out, n.bytes_out);
	print("bad %lu, not for us %lu, dropped %lu, refused %lu, odd %lu",
	      n.bad, n.ignored, n.dropped, n.refused, n.odd);
	print("tcp: again %lu (fast %lu, timeouts %lu), ahead %lu",
	      n.segments_again, n.fast_again, n.timeouts, n.ahead);
	print("card: attached %lu times, lost %lu, busy %lu", n.attached,
	      n.lost, n.busy);
	return 0;
}

/* ---- ping --------------------------------------------------------------- */

/* Its time in us; negative: why there was none. */
static int64_t ping(int64_t socket, uint64_t address, uint64_t sequence)
{
	uint64_t start = (uint64_t)call(PROC_TIME, 0, 0), now = start;
	struct process_transfer t = {.socket = (uint64_t)socket,
				     .at = (uintptr_t)piece,
				     .bytes = PING_DATA,
				     .address = address,
				     .port = sequence,
				     .wait_ns = PING_NS};
	int64_t r;

	memcpy(piece, &start, sizeof(start));
	r = call(PROC_SEND, (uintptr_t)&t, 0);
	while (r >= 0 && now < start + PING_NS) {
		t.bytes = PIECE;
		t.wait_ns = start + PING_NS - now;
		r = call(PROC_RECEIVE, (uintptr_t)&t, 0);
		now = (uint64_t)call(PROC_TIME, 0, 0);
		if (r == PING_DATA && t.port == sequence &&
		    t.address == address)
			return (int64_t)((now - start) / 1000);
	}
	return r < 0 ? r : -PROC_ETIME;
}

int program_ping(const struct words *w, const struct process_args *args)
{
	uint64_t address = address_of(w->word[w->count > 1 ? 1 : 0]);
	uint64_t times = words_number(w, 2, 3), pause = words_number(w, 3, 1);
	int64_t socket = call(PROC_SOCKET, PROC_ICMP, 0);
	uint64_t back = 0;

	(void)args;
	if (socket < 0 || address == 0)
		return say("ping", socket < 0 ? socket : -PROC_EINVAL);
	for (unsigned i = 0; i < PING_DATA; i++)
		piece[i] = (uint8_t)i;
	for (uint64_t i = 1; i <= times; i++) {
		int64_t us = ping(socket, address, i & 0xffff);

		back += us >= 0;
		if (us >= 0)
			print("ping: %u.%u.%u.%u: %lu in %lu us", DOTS(address),
			      i, (uint64_t)us);
		else
			print("ping: %lu: %s", i, trouble(us));
		if (i < times)
			(void)call(PROC_SLEEP, pause * 1000000, 0);
	}
	print("ping: %lu sent, %lu received", times, back);
	return back == 0;
}

/* ---- the pattern -------------------------------------------------------- */

static uint8_t pattern(uint64_t n)
{
	uint32_t x = (uint32_t)n * 2654435761u;

	return (uint8_t)(x >> 24 ^ x >> 13 ^ n >> 32);
}

static void fill(uint8_t *to, uint64_t first, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++)
		to[i] = pattern(first + i);
}

/* Where it differs first; `bytes`: nowhere. */
static uint64_t compare(const uint8_t *at, uint64_t first, uint64_t bytes)
{
	uint64_t i = 0;

	while (i < bytes && at[i] == pattern(first + i))
		i++;
	return i;
}

/* ---- tcp ---------------------------------------------------------------- */

static int tcp_send(const struct words *w)
{
	struct process_transfer t = {
		.address = address_of(w->count > 3 ? w->word[2] : NULL),
		.port = words_number(w, 3, 0)};
	uint64_t total = words_number(w, 4, 65536), sent = 0;
	int64_t r = call(PROC_SOCKET, PROC_TCP, 0);
	uint32_t sum = 0, other = 0;

	if (r < 0 || t.address == 0)
		return say("tcp", r < 0 ? r : -PROC_EINVAL);
	t.socket = (uint64_t)r;
	r = call(PROC_CONNECT, (uintptr_t)&t, 0);
	t.address = 0;
	t.at = (uintptr_t)piece;
	while (r >= 0 && sent < total) {
		t.bytes = total - sent < PIECE ? total - sent : PIECE;
		fill(piece, sent, t.bytes);
		r = call(PROC_SEND, (uintptr_t)&t, 0);
		if (r > 0) {
			sum = crc32c(sum, piece, (size_t)r);
			sent += (uint64_t)r;
		}
	}
	if (r >= 0)
		r = call(PROC_SHUTDOWN, t.socket, 0);
	if (r >= 0) {
		t.bytes = sizeof(other);
		t.at = (uintptr_t)&other;
		r = call(PROC_RECEIVE, (uintptr_t)&t, 0);
	}
	if (r < 0) {
		print("tcp: %s after %lu bytes", trouble(r), sent);
		return 1;
	}
	print("tcp: %lu bytes sent, sum %08x, the other side %s", sent, sum,
	      r != sizeof(other) ? "did not say"
	      : other == sum     ? "has the same"
				 : "has ANOTHER");
	(void)call(PROC_CLOSE, t.socket, 0);
	return r == sizeof(other) && other != sum;
}

/* One connection: all that comes, until the other side has no more. */
static int tcp_take(struct process_transfer *t)
{
	uint64_t got = 0;
	uint32_t sum = 0;
	int64_t r;

	for (;;) {
		uint64_t good;

		t->at = (uintptr_t)piece;
		t->bytes = PIECE;
		r = call(PROC_RECEIVE, (uintptr_t)t, 0);
		if (r <= 0)
			break;
		good = compare(piece, got, (uint64_t)r);
		if (good != (uint64_t)r) {
			print("tcp: byte %lu is WRONG", got + good);
			return 1;
		}
		sum = crc32c(sum, piece, (size_t)r);
		got += (uint64_t)r;
	}
	if (r < 0) {
		print("tcp: %s after %lu bytes", trouble(r), got);
		return 1;
	}
	t->address = 0;
	t->at = (uintptr_t)&sum;
	t->bytes = sizeof(sum);
	(void)call(PROC_SEND, (uintptr_t)t, 0);
	print("tcp: %lu bytes received, each as it should be, sum %08x", got,
	      sum);
	return 0;
}

static int tcp_receive(const struct words *w)
{
	uint64_t times = words_number(w, 3, 1);
	int64_t listens = call(PROC_SOCKET, PROC_TCP, 0), r = listens;
	int code = 0;

	if (r >= 0)
		r = call(PROC_BIND, (uint64_t)listens, words_number(w, 2, 0));
	if (r >= 0)
		r = call(PROC_LISTEN, (uint64_t)listens, 0);
	for (uint64_t i = 0; r >= 0 && i < times; i++) {
		struct process_transfer t = {0};

		r = call(PROC_ACCEPT, (uint64_t)listens, 0);
		if (r < 0)
			break;
		t.socket = (uint64_t)r;
		code |= tcp_take(&t);
		(void)call(PROC_CLOSE, t.socket, 0);
	}
	return r < 0 ? say("tcp", r) : code;
}

int program_tcp(const struct words *w, const struct process_args *args)
{
	(void)args;
	if (w->count > 1 && strcmp(w->word[1], "send") == 0)
		return tcp_send(w);
	if (w->count > 1 && strcmp(w->word[1], "receive") == 0)
		return tcp_receive(w);
	return say("tcp", -PROC_EINVAL);
}

/* ---- udp ---------------------------------------------------------------- */

#define UDP_BYTES 512

static int udp_send(const struct words *w)
{
	struct process_transfer t = {
		.address = address_of(w->count > 3 ? w->word[2] : NULL),
		.port = words_number(w, 3, 0),
		.at = (uintptr_t)piece,
		.bytes = UDP_BYTES};
	uint64_t times = words_number(w, 4, 10);
	int64_t r = call(PROC_SOCKET, PROC_UDP, 0);

	if (r < 0 || t.address == 0)
		return say("udp", r < 0 ? r : -PROC_EINVAL);
	t.socket = (uint64_t)r;
	for (uint64_t i = 0; r >= 0 && i < times; i++) {
		memcpy(piece, &i, sizeof(i));
		fill(piece + sizeof(i), i, UDP_BYTES - sizeof(i));
		r = call(PROC_SEND, (uintptr_t)&t, 0);
		(void)call(PROC_SLEEP, 100000, 0);
	}
	if (r < 0)
		return say("udp", r);
	print("udp: %lu datagrams sent", times);
	return 0;
}

#define FLOOD_BYTES 1472 /* a frame's worth */

/* As many as go, as fast as they go. */
static int udp_flood(const struct words *w)
{
	struct process_transfer t = {
		.address = address_of(w->count > 3 ? w->word[2] : NULL),
		.port = words_number(w, 3, 0),
		.at = (uintptr_t)piece,
		.bytes = FLOOD_BYTES};
	uint64_t times = words_number(w, 4, 10);
	int64_t r = call(PROC_SOCKET, PROC_UDP, 0);

	if (r < 0 || t.address == 0)
		return say("udp", r < 0 ? r : -PROC_EINVAL);
	t.socket = (uint64_t)r;
	fill(piece, 0, FLOOD_BYTES);
	for (uint64_t i = 0; r >= 0 && i < times; i++)
		r = call(PROC_SEND, (uintptr_t)&t, 0);
	if (r < 0)
		return say("udp", r);
	print("udp: %lu datagrams of %u bytes sent", times, FLOOD_BYTES);
	return 0;
}

static int udp_receive(const struct words *w)
{
	uint64_t times = words_number(w, 3, 10), got = 0, wrong = 0;
	int64_t socket = call(PROC_SOCKET, PROC_UDP, 0), r = socket;

	if (r >= 0)
		r = call(PROC_BIND, (uint64_t)socket, words_number(w, 2, 0));
	while (r >= 0 && got < times) {
		struct process_transfer t = {.socket = (uint64_t)socket,
					     .at = (uintptr_t)piece,
					     .bytes = PIECE};
		uint64_t number;

		t.wait_ns = got > 0 ? 2 * PING_NS : 0;
		r = call(PROC_RECEIVE, (uintptr_t)&t, 0);
		if (r < 0)
			break;
		memcpy(&number, piece, sizeof(number));
		wrong += r != UDP_BYTES ||
			 compare(piece + sizeof(number), number,
				 UDP_BYTES - sizeof(number)) !=
				 UDP_BYTES - sizeof(number);
		got++;
	}
	if (r < 0 && r != -PROC_ETIME)
		return say("udp", r);
	print("udp: %lu datagrams received, %lu wrong", got, wrong);
	return wrong > 0 || got == 0;
}

int program_udp(const struct words *w, const struct process_args *args)
{
	(void)args;
	if (w->count > 1 && strcmp(w->word[1], "send") == 0)
		return udp_send(w);
	if (w->count > 1 && strcmp(w->word[1], "receive") == 0)
		return udp_receive(w);
	if (w->count > 1 && strcmp(w->word[1], "flood") == 0)
		return udp_flood(w);
	return say("udp", -PROC_EINVAL);
}
