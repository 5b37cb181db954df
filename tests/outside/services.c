/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/outside/services.c - what the host outside does; see outside.h. */
#include <string.h>

#include <lwip/tcp.h>
#include <lwip/udp.h>

#include "outside.h"
#include "sim/check.h"

#define SINK_PORT 5000
#define ECHO_PORT 7
#define PIECE     1024
#define RETRY_MS  10

struct outside_counts outside_counts;

/* Of a connection, either way. */
struct flow {
	struct tcp_pcb *pcb;
	uint64_t bytes;
	uint32_t sum;
};

static struct {
	ip_addr_t address;
	uint16_t port;
	uint64_t bytes; /* 0: nothing is to be sent */
	uint64_t retry_ms;
	bool begun, shut;
	struct flow flow;
	uint8_t answer[4];
	unsigned answered;
} sender;

/* Byte n of what the guests' programs send (docs/guest.md). */
static uint8_t pattern(uint64_t n)
{
	uint32_t x = (uint32_t)n * 2654435761u;

	return (uint8_t)(x >> 24 ^ x >> 13 ^ n >> 32);
}

static uint32_t crc32c(uint32_t crc, uint8_t byte)
{
	crc = ~crc ^ byte;
	for (unsigned bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	return ~crc;
}

/* ---- TCP 5000: takes ---------------------------------------------------- */

static struct flow sink;

static void take_bytes(struct flow *f, const uint8_t *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		outside_counts.wrong += at[i] != pattern(f->bytes);
		f->bytes++;
		f->sum = crc32c(f->sum, at[i]);
	}
	outside_counts.taken += bytes;
}

static err_t sink_end(struct flow *f)
{
	uint8_t sum[4];

	memcpy(sum, &f->sum, sizeof(sum));
	CHECK(tcp_write(f->pcb, sum, sizeof(sum), TCP_WRITE_FLAG_COPY) ==
	      ERR_OK);
	CHECK(tcp_close(f->pcb) == ERR_OK);
	f->pcb = NULL;
	outside_counts.ended++;
	return ERR_OK;
}

static err_t sink_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
		       err_t err)
{
	struct flow *f = arg;

	(void)err;
	if (!p)
		return sink_end(f);
	for (struct pbuf *part = p; part; part = part->next)
		take_bytes(f, part->payload, part->len);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void broken(void *arg, err_t err)
{
	struct flow *f = arg;

	(void)err;
	f->pcb = NULL;
	outside_counts.broken++;
}

static err_t sink_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	if (err != ERR_OK || sink.pcb)
		return ERR_MEM; /* one after the other */
	sink = (struct flow){.pcb = pcb};
	outside_counts.connections++;
	tcp_arg(pcb, &sink);
	tcp_recv(pcb, sink_data);
	tcp_err(pcb, broken);
	return ERR_OK;
}

/* ---- sends -------------------------------------------------------------- */

static void push(void)
{
	uint8_t piece[PIECE];
	struct flow *f = &sender.flow;

	while (f->bytes < sender.bytes && tcp_sndbuf(f->pcb) >= PIECE) {
		uint64_t left = sender.bytes - f->bytes;
		uint16_t n = left < PIECE ? (uint16_t)left : PIECE;

		for (unsigned i = 0; i < n; i++)
			piece[i] = pattern(f->bytes + i);
		if (tcp_write(f->pcb, piece, n, TCP_WRITE_FLAG_COPY) != ERR_OK)
			break;
		for (unsigned i = 0; i < n; i++)
			f->sum = crc32c(f->sum, piece[i]);
		f->bytes += n;
		outside_counts.sent = f->bytes;
	}
	(void)tcp_output(f->pcb);
	if (f->bytes == sender.bytes && !sender.shut)
		sender.shut = tcp_shutdown(f->pcb, 0, 1) == ERR_OK;
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t bytes)
{
	(void)arg, (void)pcb;
	outside_counts.acknowledged += bytes;
	push();
	return ERR_OK;
}

/* The four bytes of the other side's sum, then its end. */
static err_t answer(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	uint32_t sum;

	(void)arg, (void)err;
	if (p) {
		for (unsigned i = 0; i < p->tot_len && sender.answered < 4; i++)
			sender.answer[sender.answered++] =
				pbuf_get_at(p, (u16_t)i);
		tcp_recved(pcb, p->tot_len);
		pbuf_free(p);
		return ERR_OK;
	}
	memcpy(&sum, sender.answer, sizeof(sum));
	outside_counts.same = sender.answered == 4 && sum == sender.flow.sum;
	CHECK(tcp_close(pcb) == ERR_OK);
	sender.flow.pcb = NULL;
	sender.bytes = 0;
	return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg, (void)pcb, (void)err;
	sender.begun = true;
	push();
	return ERR_OK;
}

/* Before it is connected: nobody listens yet. */
static void send_broken(void *arg, err_t err)
{
	(void)arg, (void)err;
	sender.flow.pcb = NULL;
	if (!sender.begun)
		return;
	outside_counts.broken++;
	sender.bytes = 0;
}

static void try_to_connect(void)
{
	struct tcp_pcb *pcb = tcp_new();

	CHECK(pcb);
	sender.flow = (struct flow){.pcb = pcb};
	tcp_arg(pcb, &sender);
	tcp_err(pcb, send_broken);
	tcp_recv(pcb, answer);
	tcp_sent(pcb, sent);
	CHECK(tcp_connect(pcb, &sender.address, sender.port, connected) ==
	      ERR_OK);
}

void outside_send(uint32_t address, uint16_t port, uint64_t bytes)
{
	ip_addr_set_ip4_u32_val(sender.address, lwip_htonl(address));
	sender.port = port;
	sender.bytes = bytes;
}

void services_poll(uint64_t now_ms)
{
	if (!sender.bytes || sender.flow.pcb || now_ms < sender.retry_ms)
		return;
	sender.retry_ms = now_ms + RETRY_MS;
	try_to_connect();
}

/* ---- UDP 7 -------------------------------------------------------------- */

static void echo(void *arg, struct udp_pcb *pcb, struct pbuf *p,
		 const ip_addr_t *from, u16_t port)
{
	(void)arg;
	(void)udp_sendto(pcb, p, from, port);
	pbuf_free(p);
	outside_counts.echoed++;
}

void services_begin(void)
{
	struct tcp_pcb *listens = tcp_new();
	struct udp_pcb *udp = udp_new();

	CHECK(listens && udp);
	CHECK(tcp_bind(listens, IP4_ADDR_ANY, SINK_PORT) == ERR_OK);
	listens = tcp_listen(listens);
	CHECK(listens);
	tcp_accept(listens, sink_accept);
	CHECK(udp_bind(udp, IP4_ADDR_ANY, ECHO_PORT) == ERR_OK);
	udp_recv(udp, echo, NULL);
}
