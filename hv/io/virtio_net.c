/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/virtio_net.c - see virtio_net.h.  Sections are those of VIRTIO 1.2. */
#include "io/virtio_net.h"

#include "abi/channel.h"
#include "io/external.h"
#include "io/virtio_pci.h"
#include "io/virtqueue.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define ETHERNET_CLASS 0x020000

/* 5.1.3, 6 */
#define F_MAC             (1ull << 5)
#define F_STATUS          (1ull << 16)
#define F_EVENT_IDX       (1ull << 29)
#define F_VERSION_1       (1ull << 32)
#define F_ACCESS_PLATFORM (1ull << 33)
#define FEATURES_KNOWN                                                         \
	(F_MAC | F_STATUS | F_EVENT_IDX | F_VERSION_1 | F_ACCESS_PLATFORM)

#define RX 0
#define TX 1

/* 5.1.4: where they stand in the device's configuration. */
#define CONFIG_MAC    0
#define CONFIG_STATUS 6
#define STATUS_LINK   1

/* 5.1.6: before each frame; all zero when nothing is left to the device. */
#define HEADER_BYTES 12
#define BEFORE       (HEADER_BYTES + NET_HEADER_BYTES)
#define BUFFER_BYTES 2048
#define FRAME_MAX    (BEFORE + NET_PAYLOAD_MAX)

#define CHECK_NS   (250 * US)
#define RESETS_MAX 3 /* without a frame in between */

#define PAGE_ALIGNED __attribute__((aligned(ABI_PAGE_BYTES)))
static uint8_t ring[2][ABI_PAGE_BYTES] PAGE_ALIGNED;
static uint8_t buffer[2][VIRTQUEUE_MAX][BUFFER_BYTES] PAGE_ALIGNED;

static struct {
	struct virtio_pci pci;
	uint32_t id, refused; /* of devices: that is used, that can't be */
	uint64_t features;
	bool link;
	struct virtqueue q[2];
	uint16_t free[VIRTQUEUE_MAX]; /* buffers to send from: a stack */
	unsigned frees;
	uint64_t check_ns;
	unsigned resets;
	uint64_t no_room, odd;
} net;

static uint64_t machine_address(const void *p)
{
	return (view_frame((uintptr_t)p) << ABI_PAGE_SHIFT) +
	       (uintptr_t)p % ABI_PAGE_BYTES;
}

/* ---- coming up (3.1.1) -------------------------------------------------- */

static bool open_queue(unsigned which)
{
	struct virtqueue *q = &net.q[which];
	uint64_t at = machine_address(ring[which]);
	uint16_t size = virtio_pci_queue(&net.pci, which, VIRTQUEUE_MAX);

	if (size < 2)
		return false;
	virtqueue_reset(q, ring[which], (uint16_t)which, size,
			net.features & F_EVENT_IDX);
	for (unsigned i = 0; i < size; i++)
		virtqueue_buffer(q, i, machine_address(buffer[which][i]),
				 BUFFER_BYTES, which == RX);
	q->notify = virtio_pci_enable(&net.pci, at + VIRTQUEUE_DESC,
				      at + VIRTQUEUE_AVAIL, at + VIRTQUEUE_USED,
				      which == RX ? 0 : VIRTIO_PCI_NO_VECTOR);
	return q->notify != NULL;
}

static void look_at_link(void)
{
	net.link = !(net.features & F_STATUS) ||
		   (virtio_pci_config(&net.pci, CONFIG_STATUS) & STATUS_LINK);
}

static const char *bring_up(void)
{
	const char *trouble = virtio_pci_begin(&net.pci, FEATURES_KNOWN,
					       F_VERSION_1, &net.features);

	if (trouble != NULL)
		return trouble;
	if (!open_queue(RX) || !open_queue(TX))
		return "its queues can't be used";
	net.frees = net.q[TX].size;
	for (unsigned i = 0; i < net.frees; i++)
		net.free[i] = (uint16_t)i;
	virtio_pci_works(&net.pci);
	for (unsigned i = 0; i < net.q[RX].size; i++)
		virtqueue_put(&net.q[RX], i, BUFFER_BYTES);
	virtqueue_tell(&net.q[RX]);
	look_at_link();
	return NULL;
}

static void lose(const char *why)
{
	logf_("net: card lost: %s", why);
	net.refused = net.id;
	net.id = 0;
	net.link = false;
	external_use(NULL);
}

/* ---- what the switch asks for ------------------------------------------- */

static bool up(void)
{
	return net.link;
}

static void take_back(void)
{
	uint32_t bytes;
	int n;

	while ((n = virtqueue_take(&net.q[TX], &bytes)) >= 0)
		net.free[net.frees++] = (uint16_t)n;
}

static bool send(const struct frame *f)
{
	uint8_t *to;
	unsigned n;

	if (net.frees == 0)
		take_back();
	if (net.frees == 0 || f->bytes > NET_PAYLOAD_MAX) {
		net.no_room++;
		return false;
	}
	n = net.free[--net.frees];
	to = buffer[TX][n]; /* its first part stays zero */
	memcpy(to + HEADER_BYTES, f->header, NET_HEADER_BYTES);
	memcpy(to + BEFORE, f->payload, f->bytes);
	virtqueue_put(&net.q[TX], n, BEFORE + f->bytes);
	return true;
}

/* The header is copied: the device may still write to the buffer. */
static void received(unsigned n, uint32_t bytes)
{
	uint8_t header[NET_HEADER_BYTES];
	struct frame f = {.header = header,
			  .payload = buffer[RX][n] + BEFORE,
			  .bytes = bytes - BEFORE};

	if (bytes <= BEFORE || bytes > FRAME_MAX) {
		net.odd++;
		return;
	}
	memcpy(header, buffer[RX][n] + HEADER_BYTES, sizeof(header));
	switch_frame(SWITCH_EXTERNAL, &f);
}

/* At most a queue's worth in one pass. */
static bool receive(void)
{
	uint32_t bytes;
	bool any = false;

	for (unsigned i = 0; i < net.q[RX].size; i++) {
		int n = virtqueue_take(&net.q[RX], &bytes);

		if (n < 0)
			break;
		any = true;
		received((unsigned)n, bytes);
		virtqueue_put(&net.q[RX], (unsigned)n, BUFFER_BYTES);
	}
	if (any)
		net.resets = 0;
	return any;
}

static void look(void)
{
	uint64_t now = sys_time();
	unsigned status;
	const char *trouble;

	if (now < net.check_ns)
		return;
	net.check_ns = now + CHECK_NS;
	status = virtio_pci_status(&net.pci);
	if (status == VIRTIO_PCI_GONE) {
		lose("it doesn't answer");
		return;
	}
	if (!(status & VIRTIO_PCI_NEEDS_RESET)) {
		look_at_link();
		return;
	}
	logf_("net: card needs a reset");
	trouble =
		++net.resets > RESETS_MAX ? "reset does not help" : bring_up();
	if (trouble != NULL)
		lose(trouble);
}

static bool run(void)
{
	bool any = receive();

	virtqueue_tell(&net.q[RX]);
	virtqueue_tell(&net.q[TX]);
	take_back();
	look();
	return any;
}

static bool asleep(void)
{
	return virtqueue_sleep(&net.q[RX]);
}

static void awake(void)
{
	virtqueue_awake(&net.q[RX]);
}

/* ---- a card is given, and closed ---------------------------------------- */

static void use(unsigned index)
{
	static const struct external_card card = {up, send, run, asleep, awake};
	const struct view_device *d = &view_now()->device[index];
	const char *trouble = virtio_pci_open(&net.pci, index);
	uint8_t mac[6];

	if (trouble == NULL)
		trouble = bring_up();
	if (trouble != NULL) {
		logf_("net: card %02x:%02x.%u is of no use: %s", d->bdf >> 8,
		      d->bdf >> 3 & 31, d->bdf & 7, trouble);
		net.refused = d->id;
		return;
	}
	for (unsigned i = 0; i < sizeof(mac); i++)
		mac[i] = (uint8_t)virtio_pci_config(&net.pci, CONFIG_MAC + i);
	logf_("net: card %02x:%02x:%02x:%02x:%02x:%02x, link %s", mac[0],
	      mac[1], mac[2], mac[3], mac[4], mac[5], net.link ? "up" : "down");
	net.id = d->id;
	net.resets = 0;
	external_use(&card);
}

void virtio_net_look(void)
{
	const struct view *view = view_now();

	for (unsigned i = 0; i < DEVICE_SLOTS && net.id == 0; i++) {
		if (view->device[i].id != 0 &&
		    view->device[i].id != net.refused &&
		    view->device[i].class_code == ETHERNET_CLASS)
			use(i);
	}
}

void virtio_net_close(void)
{
	if (net.id != 0)
		virtio_pci_reset(&net.pci);
}
