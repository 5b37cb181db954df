/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio_pci.c - registers of a virtio device on PCI (VIRTIO 1.2, 4.1);
 * see virtio.h for where they lie.
 */
#include <string.h>

#include "devices/pci_internal.h"
#include "devices/virtio.h"
#include "sim/check.h"

/* 4.1.4: capabilities. */
enum {
	CAP_COMMON = 1,
	CAP_NOTIFY = 2,
	CAP_ISR = 3,
	CAP_DEVICE = 4,
	CAP_PCI = 5
};
#define CAP_VENDOR    0x09
#define CAP_BAR       4
#define CAP_OFFSET    8
#define CAP_LENGTH    12
#define CAP_EXTRA     16 /* notify multiplier, or data of the window */
#define CAP_BYTES     16
#define NOTIFY_STRIDE 4
#define VENDOR_VIRTIO 0x1AF4
#define DEVICE_MODERN 0x1040

/* ---- interrupts (4.1.4.5, 4.1.5) ---- */

void virtio_interrupt(struct virtio *v, uint32_t why, uint32_t vector)
{
	if (pci_msix_enabled(&v->pci)) {
		if (vector != VIRTIO_NO_VECTOR)
			pci_msix_send(&v->pci, vector);
		return;
	}
	v->isr |= why;
	pci_intx_set(&v->pci, true);
}

static uint64_t isr_read(struct virtio *v)
{
	uint32_t isr = v->isr;

	v->isr = 0;
	pci_intx_set(&v->pci, false);
	return isr;
}

/* ---- common configuration (4.1.4.3) ---- */

static struct virtq *selected(struct virtio *v)
{
	return v->queue_select < v->kind->queues ? &v->q[v->queue_select]
						 : NULL;
}

static uint32_t feature_half(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

static uint64_t queue_read(struct virtio *v, uint64_t off)
{
	const struct virtq *q = selected(v);

	if (!q) /* size 0: there is no such queue */
		return off == VIRTIO_QUEUE_VECTOR ? VIRTIO_NO_VECTOR : 0;
	switch (off) {
	case VIRTIO_QUEUE_SIZE_REG:
		return q->size;
	case VIRTIO_QUEUE_VECTOR:
		return q->vector;
	case VIRTIO_QUEUE_ENABLE:
		return q->enabled;
	case VIRTIO_QUEUE_NOTIFY_OFF:
		return v->queue_select;
	case VIRTIO_QUEUE_DESC:
		return q->desc;
	case VIRTIO_QUEUE_DRIVER:
		return q->driver;
	case VIRTIO_QUEUE_DEVICE:
		return q->device;
	default:
		return 0;
	}
}

static uint64_t common_read(struct virtio *v, uint64_t off)
{
	switch (off) {
	case VIRTIO_DEVICE_FEATURE_SELECT:
		return v->device_feature_select;
	case VIRTIO_DEVICE_FEATURE:
		return feature_half(v->features, v->device_feature_select);
	case VIRTIO_DRIVER_FEATURE_SELECT:
		return v->driver_feature_select;
	case VIRTIO_DRIVER_FEATURE:
		return feature_half(v->driver_features,
				    v->driver_feature_select);
	case VIRTIO_CONFIG_VECTOR:
		return v->config_vector;
	case VIRTIO_NUM_QUEUES:
		return v->kind->queues;
	case VIRTIO_DEVICE_STATUS:
		return v->status;
	case VIRTIO_CONFIG_GENERATION:
		return v->generation;
	case VIRTIO_QUEUE_SELECT:
		return v->queue_select;
	default:
		return queue_read(v, off);
	}
}

static uint32_t vector_of(struct virtio *v, uint64_t value)
{
	/* 4.1.5.1.2.1: one that is not there reads back as none. */
	return value < v->pci.msix_vectors ? (uint32_t)value : VIRTIO_NO_VECTOR;
}

/* 64-bit registers are written whole or by halves. */
static void set_half(uint64_t *reg, uint64_t off, unsigned size, uint64_t value)
{
	if (size == 8)
		*reg = value;
	else if (off & 4)
		*reg = (uint32_t)*reg | value << 32;
	else
		*reg = (*reg & ~UINT64_C(0xFFFFFFFF)) | (uint32_t)value;
}

static bool is_power_of_2(uint64_t value)
{
	return value && !(value & (value - 1));
}

static void queue_write(struct virtio *v, uint64_t off, unsigned size,
			uint64_t value)
{
	struct virtq *q = selected(v);

	if (!q || (q->enabled && off != VIRTIO_QUEUE_VECTOR)) {
		machine_odd(&v->pci.device,
			    "write to a queue that is not there "
			    "or enabled",
			    off, value);
		return;
	}
	switch (off) {
	case VIRTIO_QUEUE_SIZE_REG:
		if (is_power_of_2(value) && value <= VIRTIO_QUEUE_SIZE)
			q->size = (uint32_t)value;
		else
			machine_odd(&v->pci.device, "impossible queue size",
				    off, value);
		break;
	case VIRTIO_QUEUE_VECTOR:
		q->vector = vector_of(v, value);
		break;
	case VIRTIO_QUEUE_ENABLE:
		q->enabled = value == 1;
		break;
	case VIRTIO_QUEUE_DESC:
	case VIRTIO_QUEUE_DESC + 4:
		set_half(&q->desc, off, size, value);
		break;
	case VIRTIO_QUEUE_DRIVER:
	case VIRTIO_QUEUE_DRIVER + 4:
		set_half(&q->driver, off, size, value);
		break;
	case VIRTIO_QUEUE_DEVICE:
	case VIRTIO_QUEUE_DEVICE + 4:
		set_half(&q->device, off, size, value);
		break;
	default:
		machine_odd(&v->pci.device, "write to a read-only register",
			    off, value);
		break;
	}
}

/* 2.1, 3.1.1. */
static void status_write(struct virtio *v, uint8_t value)
{
	if (!value) {
		virtio_reset(v);
		return;
	}
	if ((value & VIRTIO_S_FEATURES_OK) &&
	    !(v->status & VIRTIO_S_FEATURES_OK) &&
	    ((v->driver_features & ~v->features) ||
	     !virtio_has(v, VIRTIO_F_VERSION_1)))
		value &= (uint8_t)~VIRTIO_S_FEATURES_OK;
	v->status = value | (v->status & VIRTIO_S_NEEDS_RESET);
}

static void common_write(struct virtio *v, uint64_t off, unsigned size,
			 uint64_t value)
{
	switch (off) {
	case VIRTIO_DEVICE_FEATURE_SELECT:
		v->device_feature_select = (uint32_t)value;
		break;
	case VIRTIO_DRIVER_FEATURE_SELECT:
		v->driver_feature_select = (uint32_t)value;
		break;
	case VIRTIO_DRIVER_FEATURE:
		if (v->status & VIRTIO_S_FEATURES_OK)
			machine_odd(&v->pci.device,
				    "features written after FEATURES_OK", off,
				    value);
		else if (v->driver_feature_select < 2)
			set_half(&v->driver_features,
				 4 * v->driver_feature_select, 4, value);
		break;
	case VIRTIO_CONFIG_VECTOR:
		v->config_vector = vector_of(v, value);
		break;
	case VIRTIO_DEVICE_STATUS:
		status_write(v, (uint8_t)value);
		break;
	case VIRTIO_QUEUE_SELECT:
		v->queue_select = (uint32_t)value;
		break;
	case VIRTIO_QUEUE_SIZE_REG ... VIRTIO_COMMON_BYTES - 1:
		queue_write(v, off, size, value);
		break;
	default:
		machine_odd(&v->pci.device, "write to a read-only register",
			    off, value);
		break;
	}
}

/* ---- BAR 0 ---- */

/* Of the register that begins there, cut to what is read. */
static uint64_t cut(uint64_t value, unsigned size)
{
	return size == 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

static uint64_t bar0_read(struct device *d, uint64_t off, unsigned size)
{
	struct virtio *v = (struct virtio *)d;
	uint64_t value = 0;

	if (off >= VIRTIO_NOTIFY)
		return 0;
	if (off >= VIRTIO_DEVICE) {
		for (unsigned i = 0; i < size; i++) {
			unsigned at = (unsigned)(off - VIRTIO_DEVICE) + i;

			if (at < v->kind->config_bytes)
				value |= (uint64_t)v->kind->config_byte(v, at)
					 << 8 * i;
		}
		return value;
	}
	if (off >= VIRTIO_ISR)
		return off == VIRTIO_ISR ? isr_read(v) : 0;
	/* The upper half of a 64-bit register. */
	if (off >= VIRTIO_QUEUE_DESC && (off & 4))
		return cut(common_read(v, off - 4) >> 32, size);
	return cut(common_read(v, off), size);
}

static void bar0_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	struct virtio *v = (struct virtio *)d;
	unsigned queue = (unsigned)(off - VIRTIO_NOTIFY) / NOTIFY_STRIDE;

	if (off < VIRTIO_ISR) {
		common_write(v, off, size, value);
	} else if (off < VIRTIO_NOTIFY || queue >= v->kind->queues) {
		machine_odd(d, "write to a read-only register", off, value);
	} else if (!virtio_works(v) || !v->q[queue].enabled) {
		machine_odd(d, "notification of a queue that does not work",
			    off, value);
	} else {
		v->kind->notified(v, queue);
	}
}

/* ---- BAR 2 ---- */

static uint64_t bar2_read(struct device *d, uint64_t off, unsigned size)
{
	struct pci_function *f = (struct pci_function *)d;

	return off < VIRTIO_PBA ? pci_msix_table_read(f, off, size)
				: pci_msix_pba_read(f, off - VIRTIO_PBA, size);
}

static void bar2_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	if (off < VIRTIO_PBA)
		pci_msix_table_write((struct pci_function *)d, off, size,
				     value);
	else
		machine_odd(d, "write to pending bits", off, value);
}

/* ---- configuration space ---- */

static unsigned capability(struct virtio *v, uint8_t type, uint32_t offset,
			   uint32_t bytes, unsigned extra)
{
	struct pci_function *f = &v->pci;
	unsigned at = pci_capability_add(f, CAP_VENDOR, CAP_BYTES + extra);

	f->image[at + 2] = (uint8_t)(CAP_BYTES + extra);
	f->image[at + 3] = type;
	pci_store(f->image + at + CAP_OFFSET, 4, offset);
	pci_store(f->image + at + CAP_LENGTH, 4, bytes);
	return at;
}

/* 4.1.4.9: BAR 0 through configuration space.  False: the window is nowhere. */
static bool window(struct virtio *v, uint64_t *off, unsigned *size)
{
	const uint8_t *cap = v->pci.config + v->window;

	*off = pci_load(cap + CAP_OFFSET, 4);
	*size = pci_load(cap + CAP_LENGTH, 4);
	return cap[CAP_BAR] == 0 && (*size == 1 || *size == 2 || *size == 4) &&
	       *off % *size == 0 && *off + *size <= VIRTIO_BAR0_BYTES;
}

static bool is_window_data(const struct virtio *v, unsigned off)
{
	return off >= v->window + CAP_EXTRA && off < v->window + CAP_EXTRA + 4;
}

static void config_reading(struct pci_function *f, unsigned off)
{
	struct virtio *v = (struct virtio *)f;
	uint64_t at;
	unsigned size;

	if (is_window_data(v, off) && window(v, &at, &size))
		pci_store(f->config + v->window + CAP_EXTRA, 4,
			  (uint32_t)bar0_read(&f->device, at, size));
}

static void config_wrote(struct pci_function *f, unsigned off)
{
	struct virtio *v = (struct virtio *)f;
	uint64_t at;
	unsigned size;

	if (is_window_data(v, off) && window(v, &at, &size))
		bar0_write(&f->device, at, size,
			   cut(pci_load(f->config + v->window + CAP_EXTRA, 4),
			       size));
}

static void flr(struct pci_function *f)
{
	virtio_reset((struct virtio *)f);
}

bool virtio_pci_init(struct virtio *v, const struct device_prop *props,
		     size_t prop_count, struct error *err)
{
	static const struct bus_ops bar0 = {bar0_read, bar0_write, 1, 8};
	static const struct bus_ops bar2 = {bar2_read, bar2_write, 4, 8};
	const struct virtio_kind *kind = v->kind;
	struct pci_function *f = &v->pci;
	struct pci_ident ident = {
		.vendor = VENDOR_VIRTIO,
		.device = (uint16_t)(DEVICE_MODERN + kind->id),
		.class_code = kind->class_code,
		.revision = 1,
		.subsystem_vendor = VENDOR_VIRTIO,
		.subsystem = (uint16_t)(0x40 + kind->id),
	};
	unsigned at;

	if (!pci_function_init(f, &ident, props, prop_count, err) ||
	    !pci_bar_declare(f, 0, VIRTIO_BAR0_BYTES, &bar0, props, prop_count,
			     err) ||
	    !pci_bar_declare(f, 2, VIRTIO_BAR2_BYTES, &bar2, props, prop_count,
			     err))
		return false;
	capability(v, CAP_COMMON, 0, VIRTIO_COMMON_BYTES, 0);
	at = capability(v, CAP_NOTIFY, VIRTIO_NOTIFY,
			NOTIFY_STRIDE * kind->queues, 4);
	pci_store(f->image + at + CAP_EXTRA, 4, NOTIFY_STRIDE);
	capability(v, CAP_ISR, VIRTIO_ISR, 1, 0);
	if (kind->config_bytes)
		capability(v, CAP_DEVICE, VIRTIO_DEVICE, kind->config_bytes, 0);
	v->window = capability(v, CAP_PCI, 0, 0, 4);
	f->writable[v->window + CAP_BAR] = 0xFF;
	memset(f->writable + v->window + CAP_OFFSET, 0xFF, 12);
	pci_msix_declare(f, kind->queues + 1, 2, 0, VIRTIO_PBA);
	pci_express_declare(f);
	f->flr = flr;
	f->config_reading = config_reading;
	f->config_wrote = config_wrote;
	return true;
}
