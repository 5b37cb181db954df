/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/outside/host.c - lwIP between a port of the switch and the clock. */
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "outside.h"
#include "sim/check.h"
#include "sim/evq.h"
#include "sim/net.h"

#define POLL_MS 10

static struct {
	struct netif netif;
	struct net_port *port;
	struct evq *q;
	struct event tick;
	ps_t now;
} host;

/* In place of the library's, which asks the host. */
__attribute__((visibility("default"))) u32_t sys_now(void)
{
	return (u32_t)(host.now / PS_PER_MS);
}

static err_t send(struct netif *netif, struct pbuf *p)
{
	uint8_t frame[NET_FRAME_MAX];

	(void)netif;
	CHECK(p->tot_len >= NET_HEADER_BYTES && p->tot_len <= sizeof(frame));
	pbuf_copy_partial(p, frame, p->tot_len, 0);
	(void)net_port_send(host.port, host.now, frame, p->tot_len);
	return ERR_OK;
}

static err_t up(struct netif *netif)
{
	static const uint8_t mac[] = {0x02, 0, 0, 0, 0, 9};

	memcpy(netif->hwaddr, mac, sizeof(mac));
	netif->hwaddr_len = sizeof(mac);
	netif->name[0] = 'o';
	netif->name[1] = 's';
	netif->mtu = 1500;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
		       NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
	netif->output = etharp_output;
	netif->linkoutput = send;
	return ERR_OK;
}

/* When lwIP, or the services, want to be asked next. */
static void again(void)
{
	uint32_t ms = sys_timeouts_sleeptime();

	if (ms > POLL_MS)
		ms = POLL_MS;
	evq_cancel(host.q, &host.tick);
	evq_schedule(host.q, &host.tick,
		     host.now - host.now % PS_PER_MS +
			     (ms ? ms : 1) * PS_PER_MS);
}

static void tick(void *owner, ps_t when)
{
	(void)owner;
	host.now = when;
	sys_check_timeouts();
	services_poll(when / PS_PER_MS);
	again();
}

static bool receive(void *owner, ps_t when, const uint8_t *frame, size_t bytes)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_RAM);

	(void)owner;
	host.now = when;
	CHECK(p && pbuf_take(p, frame, (u16_t)bytes) == ERR_OK);
	if (host.netif.input(p, &host.netif) != ERR_OK)
		pbuf_free(p);
	again();
	return true;
}

static void plug(struct net_port *port, struct evq *q)
{
	static const struct net_device_ops ops = {.receive = receive};
	ip4_addr_t address, mask, gateway;

	host.port = port;
	host.q = q;
	host.now = evq_now(q);
	host.tick = (struct event){
		.name = "outside.tick", .fire = tick, .rank = EVQ_INPUT};
	net_port_attach(port, q, &ops, NULL);
	ip4_addr_set_u32(&address, lwip_htonl(OUTSIDE_ADDRESS));
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gateway, 0, 0, 0, 0);
	lwip_init();
	CHECK(netif_add(&host.netif, &address, &mask, &gateway, NULL, up,
			ethernet_input));
	netif_set_default(&host.netif);
	netif_set_up(&host.netif);
	services_begin();
	again();
}

static void unplug(void)
{
	evq_cancel(host.q, &host.tick);
	net_port_detach(host.port);
}

const struct session_outside outside = {plug, unplug};
