/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/stack.h - a small network stack: Ethernet, ARP, IPv4, ICMP echo, UDP,
 * TCP; one interface, one address.
 *
 *   stack.c    frames in, time             udp.c      datagrams
 *   arp.c      addresses of neighbours     tcp_in.c   segments that come
 *   ip.c       packets, ICMP               tcp_out.c  segments that go, timers
 *   socket.c   what a user calls           checksum.c
 *
 * It keeps no clock and knows no card: frames go out by `send`, come in by
 * stack_frame(), and each call that needs the time is told it.  So the kernel
 * of a guest runs it, and so do the unit tests, several at once.
 *
 * Nothing that comes from the network is trusted: lengths are checked before
 * anything is read, checksums before anything is believed.
 *
 * Addresses are numbers of 32 bits, 10.0.0.1 being 0x0a000001.
 *
 * Not modelled: fragments (they are dropped, and none are made), IP options
 * (skipped), routing but for one gateway, IPv6, packets to itself.
 */
#ifndef PARTERRE_NET_STACK_H
#define PARTERRE_NET_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "net/ring.h"
#include "net/tcp.h"
#include "net/wire.h"

#define STACK_SOCKETS 8
#define ARP_ROWS      8

/* What calls return, negated. */
#define NET_EAGAIN 1 /* nothing there yet, or no room: later */
#define NET_EBAD   2 /* no such socket, or not for one of its kind */
#define NET_EINUSE 3 /* the port is another's */
#define NET_ENONE  4 /* all sockets are taken */
#define NET_ERESET 5 /* refused, or reset by the other side */
#define NET_ETIME  6 /* the other side does not answer */
#define NET_ESTATE 7 /* not in this state: not connected, or shut down */

enum socket_type {
	SOCKET_FREE,
	SOCKET_ICMP, /* echo: its port is the identifier */
	SOCKET_UDP,
	SOCKET_TCP,
};

struct socket {
	enum socket_type type;
	bool open;      /* somebody holds it; TCP may go on without */
	uint32_t owner; /* the user's, of what it likes */
	uint16_t port, remote_port;
	uint32_t remote; /* 0: any */
	int parent;      /* of a connection not accepted yet: who listens; -1 */
	uint64_t dropped;
	struct tcp tcp;
	struct ring in, out;
};

/* Before each datagram in a socket's ring. */
struct datagram {
	uint32_t address;
	uint16_t port, bytes;
};

enum arp_state {
	ARP_FREE,
	ARP_ASKED,
	ARP_KNOWN,
	ARP_SILENT /* asked in vain */
};

struct arp_row {
	enum arp_state state;
	uint32_t address;
	uint8_t mac[ETHER_MAC_BYTES];
	unsigned tries;
	uint64_t at_ns; /* asked, or heard of */
};

struct stack_counts {
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
	uint64_t bad;     /* malformed, or of a wrong checksum */
	uint64_t ignored; /* not for us, or of no protocol of ours */
	uint64_t dropped; /* no room */
	uint64_t segments_again, fast_again, timeouts, ahead;
	uint64_t probes, resets;
};

struct stack {
	/* False: no room now.  The header is ETHER_HEADER_BYTES. */
	bool (*send)(void *owner, const uint8_t *header, const uint8_t *payload,
		     unsigned bytes);
	void *owner;
	bool up;
	uint8_t mac[ETHER_MAC_BYTES];
	uint32_t address, mask, gateway; /* 0: none */
	uint64_t now_ns;
	uint64_t secret; /* of initial sequence numbers */
	uint16_t next_id, next_port;
	struct arp_row arp[ARP_ROWS];
	struct socket socket[STACK_SOCKETS];
	struct stack_counts counts;
	uint64_t changes; /* + 1 with all that may end somebody's wait */
	uint8_t packet[ETHER_MTU]; /* being made */
};

/* ---- stack.c ------------------------------------------------------------ */

void stack_init(struct stack *s);
void stack_address(struct stack *s, uint32_t address, unsigned prefix,
		   uint32_t gateway);
/* The link went up, with that address, or down.  Up, it says who it is, and
 * what was under way is sent again at once. */
void stack_link(struct stack *s, const uint8_t *mac, bool up, uint64_t now_ns);
void stack_frame(struct stack *s, const uint8_t *header, const uint8_t *payload,
		 unsigned bytes, uint64_t now_ns);
/* What is due, and what can be sent; to be called after frames, after calls,
 * and at stack_next(). */
void stack_run(struct stack *s, uint64_t now_ns);
uint64_t stack_next(const struct stack *s); /* ~0: nothing is due ever */
/* Something was sent and isn't acknowledged yet, for a socket nobody holds. */
bool stack_lingers(const struct stack *s);

/* ---- arp.c -------------------------------------------------------------- */

void arp_announce(struct stack *s);
void arp_receive(struct stack *s, const uint8_t *packet, unsigned bytes);
/* The packet in s->packet, to a neighbour.  False: it is being asked for, or
 * there is no room: later. */
bool arp_send(struct stack *s, uint32_t neighbour, unsigned bytes);
void arp_run(struct stack *s);
uint64_t arp_next(const struct stack *s);

/* ---- ip.c --------------------------------------------------------------- */

#define IP_DATA(s) ((s)->packet + IP_HEADER_BYTES)

void ip_receive(struct stack *s, const uint8_t *packet, unsigned bytes);
/* Packets of `bytes` that stand at IP_DATA(s).  False: no room now. */
bool ip_send(struct stack *s, uint32_t to, unsigned protocol, unsigned bytes);
bool icmp_echo(struct stack *s, struct socket *k, const void *data,
	       unsigned bytes, uint32_t to, unsigned sequence);
bool ethernet_send(struct stack *s, const uint8_t *to, unsigned type,
		   const uint8_t *payload, unsigned bytes);

/* ---- udp.c -------------------------------------------------------------- */

void udp_receive(struct stack *s, uint32_t from, uint32_t to, const uint8_t *at,
		 unsigned bytes, bool *unreachable);
bool udp_send(struct stack *s, struct socket *k, const void *data,
	      unsigned bytes, uint32_t to, unsigned port);
/* Into a socket's ring, or dropped. */
void datagram_put(struct stack *s, struct socket *k, uint32_t from,
		  unsigned port, const uint8_t *data, unsigned bytes);

/* ---- socket.c ----------------------------------------------------------- */

int socket_open(struct stack *s, enum socket_type type, uint32_t owner);
int socket_bind(struct stack *s, int n, unsigned port);
int socket_listen(struct stack *s, int n);
int socket_accept(struct stack *s, int n);
/* -NET_EAGAIN: under way; call again. */
int socket_connect(struct stack *s, int n, uint32_t address, unsigned port);
/* How many bytes were taken. */
int socket_send(struct stack *s, int n, const void *data, unsigned bytes);
int socket_send_to(struct stack *s, int n, const void *data, unsigned bytes,
		   uint32_t address, unsigned port);
/* How many there were; 0 of TCP: the other side sends no more.  `from` may be
 * NULL. */
int socket_receive(struct stack *s, int n, void *to, unsigned bytes,
		   struct datagram *from);
int socket_shutdown(struct stack *s, int n); /* sends no more */
int socket_keep(struct stack *s, int n, uint64_t idle_ns);
int socket_close(struct stack *s, int n);
void socket_close_all(struct stack *s, uint32_t owner);
/* Whose it is; ~0: nobody's. */
uint32_t socket_owner(const struct stack *s, int n);
/* A place for a new connection; of those that only wait, the oldest goes. */
struct socket *socket_new(struct stack *s, enum socket_type type);
void socket_free(struct socket *k);
#define SOCKET_NOBODY (~0u)

#endif
