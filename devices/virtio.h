/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio.h - what virtio devices share: a PCI function with the modern
 * transport and split virtqueues (Virtual I/O Device 1.2, sections 2 and 4.1).
 *
 * The files: virtio.c has queues and the device's life; virtio_pci.c the
 * registers.  A device has a `struct virtio` as its first member.  In its init
 * it fills in id, features, queues and calls back, then virtio_init(); reset
 * and fini are virtio_reset() and virtio_fini().
 *
 * BAR 0, 16 KiB: common configuration at 0, ISR status at 1000, the device's
 * own configuration at 2000, notifications at 3000 (4 bytes for each queue).
 * BAR 2, 4 KiB: MSI-X table at 0, pending bits at 800.
 *
 * A driver's misuse (a descriptor that leads nowhere, a loop, a queue that is
 * not in RAM) breaks the device: DEVICE_NEEDS_RESET, a configuration interrupt,
 * an `odd` record.
 *
 * Not modelled: the legacy interface, packed virtqueues, queue reset, shared
 * memory, administration.
 */
#ifndef PARTERRE_DEVICES_VIRTIO_H
#define PARTERRE_DEVICES_VIRTIO_H

#include "devices/pci.h"

#define VIRTIO_QUEUES_MAX   2
#define VIRTIO_SEGMENTS_MAX 130
#define VIRTIO_QUEUE_SIZE   256

#define VIRTIO_BAR0_BYTES UINT64_C(0x4000)
#define VIRTIO_ISR        0x1000
#define VIRTIO_DEVICE     0x2000
#define VIRTIO_NOTIFY     0x3000
#define VIRTIO_BAR2_BYTES UINT64_C(0x1000)
#define VIRTIO_PBA        0x800

/* Common configuration (4.1.4.3). */
enum {
	VIRTIO_DEVICE_FEATURE_SELECT = 0x00,
	VIRTIO_DEVICE_FEATURE = 0x04,
	VIRTIO_DRIVER_FEATURE_SELECT = 0x08,
	VIRTIO_DRIVER_FEATURE = 0x0C,
	VIRTIO_CONFIG_VECTOR = 0x10,
	VIRTIO_NUM_QUEUES = 0x12,
	VIRTIO_DEVICE_STATUS = 0x14,
	VIRTIO_CONFIG_GENERATION = 0x15,
	VIRTIO_QUEUE_SELECT = 0x16,
	VIRTIO_QUEUE_SIZE_REG = 0x18,
	VIRTIO_QUEUE_VECTOR = 0x1A,
	VIRTIO_QUEUE_ENABLE = 0x1C,
	VIRTIO_QUEUE_NOTIFY_OFF = 0x1E,
	VIRTIO_QUEUE_DESC = 0x20,
	VIRTIO_QUEUE_DRIVER = 0x28,
	VIRTIO_QUEUE_DEVICE = 0x30,
	VIRTIO_COMMON_BYTES = 0x38
};

/* Device status (2.1). */
#define VIRTIO_S_ACKNOWLEDGE 0x01
#define VIRTIO_S_DRIVER      0x02
#define VIRTIO_S_DRIVER_OK   0x04
#define VIRTIO_S_FEATURES_OK 0x08
#define VIRTIO_S_NEEDS_RESET 0x40
#define VIRTIO_S_FAILED      0x80

/* Features that all have (6). */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)
#define VIRTIO_F_COMMON                                                        \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

#define VIRTIO_NO_VECTOR 0xFFFF

#define VIRTIO_ISR_QUEUE  1
#define VIRTIO_ISR_CONFIG 2

struct virtq {
	uint64_t desc, driver, device;
	uint32_t size, enabled, vector;
	uint32_t avail, used; /* free-running indices: taken, given back */
};

struct virtio;

struct virtio_kind {
	uint16_t id; /* section 5: 1 network card, 2 block device, ... */
	uint32_t class_code;
	unsigned queues;
	unsigned config_bytes;
	/* A byte of the device's configuration. */
	uint8_t (*config_byte)(struct virtio *v, unsigned at);
	/* The driver has put something into the queue. */
	void (*notified)(struct virtio *v, unsigned queue);
	/* The driver, or the platform, has reset the device. */
	void (*stopped)(struct virtio *v);
};

struct virtio {
	struct pci_function pci;
	/* Silicon. */
	uint64_t driver_features;
	uint32_t device_feature_select, driver_feature_select;
	uint32_t status, isr, queue_select, config_vector, generation;
	struct virtq q[VIRTIO_QUEUES_MAX];
	/* Wiring. */
	const struct virtio_kind *kind;
	uint64_t features; /* that the device offers */
	unsigned window;   /* offset of the configuration access capability */
};

#define VIRTIO_QUEUE_FIELDS(type, i)                                           \
	DEVICE_FIELD(type, virtio.q[i].desc),                                  \
		DEVICE_FIELD(type, virtio.q[i].driver),                        \
		DEVICE_FIELD(type, virtio.q[i].device),                        \
		DEVICE_FIELD(type, virtio.q[i].size),                          \
		DEVICE_FIELD(type, virtio.q[i].enabled),                       \
		DEVICE_FIELD(type, virtio.q[i].vector),                        \
		DEVICE_FIELD(type, virtio.q[i].avail),                         \
		DEVICE_FIELD(type, virtio.q[i].used)
/* For the field table of a class whose object begins with `virtio`. */
#define VIRTIO_FIELDS(type)                                                    \
	DEVICE_ARRAY(type, virtio.pci.config),                                 \
		DEVICE_ARRAY(type, virtio.pci.msix_table),                     \
		DEVICE_FIELD(type, virtio.pci.msix_pending),                   \
		DEVICE_FIELD(type, virtio.pci.intx),                           \
		DEVICE_FIELD(type, virtio.pci.fault_message),                  \
		DEVICE_FIELD(type, virtio.pci.fault_strays),                   \
		DEVICE_FIELD(type, virtio.pci.fault_removed),                  \
		DEVICE_FIELD(type, virtio.pci.late_data),                      \
		DEVICE_FIELD(type, virtio.pci.fault_argument),                 \
		DEVICE_FIELD(type, virtio.pci.fault_stray),                    \
		DEVICE_FIELD(type, virtio.pci.late_address),                   \
		DEVICE_FIELD(type, virtio.driver_features),                    \
		DEVICE_FIELD(type, virtio.device_feature_select),              \
		DEVICE_FIELD(type, virtio.driver_feature_select),              \
		DEVICE_FIELD(type, virtio.status),                             \
		DEVICE_FIELD(type, virtio.isr),                                \
		DEVICE_FIELD(type, virtio.queue_select),                       \
		DEVICE_FIELD(type, virtio.config_vector),                      \
		DEVICE_FIELD(type, virtio.generation),                         \
		VIRTIO_QUEUE_FIELDS(type, 0), VIRTIO_QUEUE_FIELDS(type, 1)

/* `features`: the device's own; the common ones come with it. */
bool virtio_init(struct virtio *v, const struct virtio_kind *kind,
		 uint64_t features, const struct device_prop *props,
		 size_t prop_count, struct error *err);
void virtio_reset(struct virtio *v);
void virtio_fini(struct virtio *v);

/* The driver is done with its preparations, and nothing is broken. */
bool virtio_works(const struct virtio *v);
static inline bool virtio_has(const struct virtio *v, uint64_t feature)
{
	return v->driver_features & feature;
}
void virtio_broken(struct virtio *v, const char *why, uint64_t value);
/* The device's own configuration has changed. */
void virtio_config_changed(struct virtio *v);

/* ---- queues (2.7) ---- */

/* A descriptor chain: what the device reads comes before what it writes. */
struct virtio_chain {
	uint16_t head;
	unsigned count, readable; /* segments; of these, the first are read */
	uint64_t read_bytes, write_bytes;
	struct {
		paddr_t pa;
		uint32_t bytes;
	} segment[VIRTIO_SEGMENTS_MAX];
};

/* Takes the next chain; false: there is none (or the device is broken now).
 * Notifications for what comes after are asked for. */
bool virtio_take(struct virtio *v, unsigned queue, struct virtio_chain *chain);
/* Not used after all: virtio_take() will give it again.  The last one only. */
void virtio_untake(struct virtio *v, unsigned queue);
bool virtio_any(struct virtio *v, unsigned queue);
/* Bytes of the part that is read, or written, from `at` on; false when it ends
 * before or DMA fails, the device is then broken. */
bool virtio_read(struct virtio *v, const struct virtio_chain *chain,
		 uint64_t at, void *buf, uint64_t bytes);
bool virtio_write(struct virtio *v, const struct virtio_chain *chain,
		  uint64_t at, const void *buf, uint64_t bytes);
/* Gives it back with the number of bytes written.  The driver sees it after
 * virtio_publish(), which also interrupts unless it asked not to. */
void virtio_give(struct virtio *v, unsigned queue,
		 const struct virtio_chain *chain, uint32_t written,
		 unsigned ahead);
void virtio_publish(struct virtio *v, unsigned queue, unsigned count);

/* ---- registers (virtio_pci.c) ---- */

bool virtio_pci_init(struct virtio *v, const struct device_prop *props,
		     size_t prop_count, struct error *err);
void virtio_interrupt(struct virtio *v, uint32_t why, uint32_t vector);

#endif
