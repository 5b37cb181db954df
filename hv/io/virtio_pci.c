/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/virtio_pci.c - see virtio_pci.h.  Sections are those of VIRTIO 1.2. */
#include "io/virtio_pci.h"

#include <stddef.h>

#include "abi/layout.h"
#include "lib/sys.h"
#include "lib/view.h"

/* PCI Local Bus 3.0, 6.1 and 6.2.5. */
#define PCI_VENDOR    0x00
#define PCI_DEVICE    0x02
#define PCI_BAR0      0x10
#define PCI_BARS      6
#define PCI_CAPS      0x34
#define CAPS_MAX      48
#define BAR_IO        0x1
#define BAR_TYPE      0x6
#define BAR_64        0x4
#define BAR_ADDRESS   (~15u)
#define VENDOR_VIRTIO 0x1af4
#define DEVICE_NET    0x1041

/* 4.1.4: a capability. */
#define CAP_VENDOR  0x09
#define CAP_TYPE    3
#define CAP_BAR     4
#define CAP_OFFSET  8
#define CAP_LENGTH  12
#define CAP_STRIDE  16
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_DEVICE 4

/* 4.1.4.3: common configuration. */
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE        0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE        0x0c
#define CONFIG_VECTOR         0x10
#define DEVICE_STATUS         0x14
#define QUEUE_SELECT          0x16
#define QUEUE_SIZE            0x18
#define QUEUE_VECTOR          0x1a
#define QUEUE_ENABLE          0x1c
#define QUEUE_NOTIFY_OFF      0x1e
#define QUEUE_DESC            0x20
#define QUEUE_DRIVER          0x28
#define QUEUE_DEVICE          0x30
#define COMMON_BYTES          0x38

/* 2.1: status. */
#define ACKNOWLEDGE 0x01
#define DRIVER      0x02
#define DRIVER_OK   0x04
#define FEATURES_OK 0x08

#define RESET_NS (100 * MS)
#define POLL_NS  (20 * US)

static uint32_t get32(const volatile uint8_t *at)
{
	return *(const volatile uint32_t *)at;
}

static uint16_t get16(const volatile uint8_t *at)
{
	return *(const volatile uint16_t *)at;
}

static void put32(volatile uint8_t *at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}

static void put16(volatile uint8_t *at, uint16_t value)
{
	*(volatile uint16_t *)at = value;
}

static void put64(volatile uint8_t *at, uint64_t value)
{
	put32(at, (uint32_t)value);
	put32(at + 4, (uint32_t)(value >> 32));
}

/* ---- where things lie --------------------------------------------------- */

/* The number of the BAR that the view shows. */
static unsigned shown(const volatile uint8_t *config, uint64_t pfn)
{
	for (unsigned n = 0; n < PCI_BARS; n++) {
		uint32_t low = get32(config + PCI_BAR0 + 4 * n);
		bool wide = !(low & BAR_IO) && (low & BAR_TYPE) == BAR_64 &&
			    n + 1 < PCI_BARS;
		uint64_t high = wide ? get32(config + PCI_BAR0 + 4 * n + 4) : 0;

		if (!(low & BAR_IO) &&
		    (high << 32 | (low & BAR_ADDRESS)) >> ABI_PAGE_SHIFT == pfn)
			return n;
		n += wide;
	}
	return PCI_BARS;
}

/* The capability of that type; NULL: there is none that can be reached. */
static const volatile uint8_t *find(const volatile uint8_t *config,
				    const struct view_device *d, unsigned type)
{
	unsigned at = config[PCI_CAPS] & 0xfc;
	unsigned bar = shown(config, d->bar_pfn);

	for (unsigned n = 0; at != 0 && n < CAPS_MAX; n++) {
		const volatile uint8_t *cap = config + at;
		uint64_t from = get32(cap + CAP_OFFSET);
		uint64_t end = from + get32(cap + CAP_LENGTH);

		at = cap[1] & 0xfc;
		if (cap[0] != CAP_VENDOR || cap[CAP_TYPE] != type ||
		    cap[CAP_BAR] != bar)
			continue;
		if (end > (uint64_t)d->bar_pages * ABI_PAGE_BYTES ||
		    (end > (uint64_t)d->msix_page * ABI_PAGE_BYTES &&
		     from < (uint64_t)(d->msix_page + d->msix_pages) *
				     ABI_PAGE_BYTES))
			continue;
		return cap;
	}
	return NULL;
}

const char *virtio_pci_open(struct virtio_pci *p, unsigned index)
{
	const struct view_device *d = &view_now()->device[index];
	int64_t va = sys_device_map(index);
	volatile uint8_t *config = (volatile uint8_t *)(uintptr_t)va;
	const volatile uint8_t *common, *notify, *device;

	if (va < 0)
		return "it can't be mapped";
	if (get16(config + PCI_VENDOR) != VENDOR_VIRTIO ||
	    get16(config + PCI_DEVICE) != DEVICE_NET)
		return "there is no driver for it";
	common = find(config, d, TYPE_COMMON);
	notify = find(config, d, TYPE_NOTIFY);
	device = find(config, d, TYPE_DEVICE);
	if (common == NULL || notify == NULL || device == NULL ||
	    get32(common + CAP_LENGTH) < COMMON_BYTES)
		return "its registers are out of reach";
	p->common = config + ABI_PAGE_BYTES + get32(common + CAP_OFFSET);
	p->notify = config + ABI_PAGE_BYTES + get32(notify + CAP_OFFSET);
	p->device = config + ABI_PAGE_BYTES + get32(device + CAP_OFFSET);
	p->notify_bytes = get32(notify + CAP_LENGTH);
	p->notify_stride = get32(notify + CAP_STRIDE);
	p->device_bytes = get32(device + CAP_LENGTH);
	return NULL;
}

/* ---- status and features ------------------------------------------------ */

unsigned virtio_pci_status(const struct virtio_pci *p)
{
	return p->common[DEVICE_STATUS];
}

unsigned virtio_pci_config(const struct virtio_pci *p, unsigned at)
{
	return at < p->device_bytes ? p->device[at] : 0;
}

static void add_status(struct virtio_pci *p, unsigned bit)
{
	p->common[DEVICE_STATUS] = (uint8_t)(virtio_pci_status(p) | bit);
}

/* 4.1.4.3.2: it is reset when it says so. */
bool virtio_pci_reset(struct virtio_pci *p)
{
	uint64_t deadline = sys_time() + RESET_NS;

	p->common[DEVICE_STATUS] = 0;
	while (virtio_pci_status(p) != 0) {
		if (sys_time() >= deadline ||
		    virtio_pci_status(p) == VIRTIO_PCI_GONE)
			return false;
		(void)sys_wait(0, sys_time() + POLL_NS);
	}
	return true;
}

static uint64_t offered(struct virtio_pci *p)
{
	uint64_t high;

	put32(p->common + DEVICE_FEATURE_SELECT, 1);
	high = get32(p->common + DEVICE_FEATURE);
	put32(p->common + DEVICE_FEATURE_SELECT, 0);
	return high << 32 | get32(p->common + DEVICE_FEATURE);
}

static void accept(struct virtio_pci *p, uint64_t features)
{
	put32(p->common + DRIVER_FEATURE_SELECT, 1);
	put32(p->common + DRIVER_FEATURE, (uint32_t)(features >> 32));
	put32(p->common + DRIVER_FEATURE_SELECT, 0);
	put32(p->common + DRIVER_FEATURE, (uint32_t)features);
}

const char *virtio_pci_begin(struct virtio_pci *p, uint64_t known,
			     uint64_t needed, uint64_t *features)
{
	if (!virtio_pci_reset(p))
		return "it can't be reset";
	add_status(p, ACKNOWLEDGE);
	add_status(p, DRIVER);
	*features = offered(p) & known;
	if ((*features & needed) != needed)
		return "it is too old";
	accept(p, *features);
	add_status(p, FEATURES_OK);
	if (!(virtio_pci_status(p) & FEATURES_OK))
		return "it refuses its own features";
	put16(p->common + CONFIG_VECTOR, VIRTIO_PCI_NO_VECTOR);
	return NULL;
}

void virtio_pci_works(struct virtio_pci *p)
{
	add_status(p, DRIVER_OK);
}

/* ---- queues ------------------------------------------------------------- */

uint16_t virtio_pci_queue(struct virtio_pci *p, unsigned which, uint16_t most)
{
	uint16_t size;

	put16(p->common + QUEUE_SELECT, (uint16_t)which);
	size = get16(p->common + QUEUE_SIZE);
	if (size > most) {
		put16(p->common + QUEUE_SIZE, most);
		size = get16(p->common + QUEUE_SIZE);
	}
	return size <= most && (size & (size - 1)) == 0 ? size : 0;
}

volatile uint16_t *virtio_pci_enable(struct virtio_pci *p, uint64_t desc,
				     uint64_t driver, uint64_t device,
				     uint16_t vector)
{
	uint64_t at = (uint64_t)get16(p->common + QUEUE_NOTIFY_OFF) *
		      p->notify_stride;

	put16(p->common + QUEUE_VECTOR, vector);
	if (get16(p->common + QUEUE_VECTOR) != vector ||
	    at + sizeof(uint16_t) > p->notify_bytes)
		return NULL;
	put64(p->common + QUEUE_DESC, desc);
	put64(p->common + QUEUE_DRIVER, driver);
	put64(p->common + QUEUE_DEVICE, device);
	put16(p->common + QUEUE_ENABLE, 1);
	return (volatile uint16_t *)(p->notify + at);
}
