/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio_blk.c - block device (VIRTIO 1.2, 5.2) over a raw image file
 * (disk.h: a killed run leaves it as a power cut would).
 *
 * Offers: SEG_MAX, BLK_SIZE, FLUSH.  Requests are worked on one after the
 * other, in the order of the queue; each takes the time of its kind and 0.3 ns
 * for each byte, and everything that it does happens at its end.
 *
 * Fault `error` (argument n): the next n requests fail with IOERR.
 *
 * Not modelled: several queues, discard and write zeroes, topology, a cache
 * that can be switched off, lifetime, secure erase.
 */
#include <string.h>

#include "devices/disk.h"
#include "devices/virtio.h"
#include "sim/snapshot.h"
#include "sim/trace/trace.h"

#define READ_PS  (12 * PS_PER_US)
#define WRITE_PS (18 * PS_PER_US)
#define FLUSH_PS (60 * PS_PER_US)
#define BYTE_PS  UINT64_C(300)

#define F_SEG_MAX  (UINT64_C(1) << 2)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH    (UINT64_C(1) << 9)

#define SECTOR       512u
#define CACHE_BLOCKS 2048
#define PIECE        65536u
#define HEADER_BYTES 16
#define ID_BYTES     20

enum { /* 5.2.6 */
	T_IN = 0,
	T_OUT = 1,
	T_FLUSH = 4,
	T_GET_ID = 8
};
enum {
	S_OK,
	S_IOERR,
	S_UNSUPP
};

struct virtio_blk {
	struct virtio virtio;
	uint32_t errors; /* injected */
	/* Wiring. */
	struct disk disk;
	struct event done;
	char done_name[24];
	uint8_t buf[PIECE];
};

static const struct device_field virtio_blk_fields[] = {
	VIRTIO_FIELDS(struct virtio_blk),
	DEVICE_FIELD(struct virtio_blk, errors),
	{NULL, 0, 0, 0},
};

static const char *const virtio_blk_faults[] = {"error", PCI_FAULTS, NULL};

struct request {
	uint32_t type;
	uint64_t sector, bytes;
};

/* The header, and how many bytes of data there are; false: it is broken. */
static bool request_get(struct virtio_blk *b, const struct virtio_chain *chain,
			struct request *r)
{
	uint8_t header[HEADER_BYTES];

	if (!chain->write_bytes) {
		virtio_broken(&b->virtio, "a request without a status byte", 0);
		return false;
	}
	if (!virtio_read(&b->virtio, chain, 0, header, sizeof(header)))
		return false;
	memcpy(&r->type, header, 4);
	memcpy(&r->sector, header + 8, 8);
	r->bytes = r->type == T_OUT ? chain->read_bytes - HEADER_BYTES
				    : chain->write_bytes - 1;
	return true;
}

static bool in_range(const struct virtio_blk *b, const struct request *r)
{
	uint64_t sectors = r->bytes / SECTOR;

	return r->bytes % SECTOR == 0 && r->sector <= b->disk.blocks &&
	       sectors <= b->disk.blocks - r->sector;
}

static uint8_t host_failed(struct virtio_blk *b)
{
	machine_host_failed(b->virtio.pci.device.machine, "%s: %s",
			    b->virtio.pci.device.name, b->disk.failure);
	return S_IOERR; /* nobody will see it */
}

/* 5.2.6.2: a driver that cannot flush wants what was acknowledged durable. */
static bool store(struct virtio_blk *b, uint64_t sector, uint64_t sectors)
{
	return virtio_has(&b->virtio, F_FLUSH)
		       ? disk_write(&b->disk, sector, sectors, b->buf)
		       : disk_write_through(&b->disk, sector, sectors, b->buf);
}

/* Data of any length, a piece at a time. */
static uint8_t move(struct virtio_blk *b, const struct virtio_chain *chain,
		    const struct request *r)
{
	for (uint64_t at = 0; at < r->bytes; at += PIECE) {
		uint64_t part = r->bytes - at < PIECE ? r->bytes - at : PIECE;
		uint64_t sector = r->sector + at / SECTOR;

		if (r->type == T_IN) {
			if (!disk_read(&b->disk, sector, part / SECTOR, b->buf))
				return host_failed(b);
			if (!virtio_write(&b->virtio, chain, at, b->buf, part))
				return S_IOERR;
		} else {
			if (!virtio_read(&b->virtio, chain, HEADER_BYTES + at,
					 b->buf, part))
				return S_IOERR;
			if (!store(b, sector, part / SECTOR))
				return host_failed(b);
		}
	}
	return S_OK;
}

/* Gives the status; *written: bytes of data for the driver. */
static uint8_t execute(struct virtio_blk *b, const struct virtio_chain *chain,
		       const struct request *r, uint32_t *written)
{
	char id[ID_BYTES] = "parterre-virtio-0001";

	*written = 0;
	if (b->errors) {
		b->errors--;
		return S_IOERR;
	}
	switch (r->type) {
	case T_IN:
	case T_OUT:
		if (!in_range(b, r))
			return S_IOERR;
		*written = r->type == T_IN ? (uint32_t)r->bytes : 0;
		return move(b, chain, r);
	case T_FLUSH:
		return disk_flush(&b->disk) ? S_OK : host_failed(b);
	case T_GET_ID:
		*written =
			r->bytes < sizeof(id) ? (uint32_t)r->bytes : sizeof(id);
		(void)virtio_write(&b->virtio, chain, 0, id, *written);
		return S_OK;
	default:
		return S_UNSUPP;
	}
}

/* When the request that is next will be done. */
static void begin(struct virtio_blk *b)
{
	struct evq *q = machine_evq(b->virtio.pci.device.machine);
	struct virtio_chain chain;
	struct request r;
	ps_t takes;

	if (evq_pending(&b->done) || !virtio_take(&b->virtio, 0, &chain))
		return;
	if (!request_get(b, &chain, &r))
		return;
	virtio_untake(&b->virtio, 0);
	takes = r.type == T_FLUSH
			? FLUSH_PS
			: (r.type == T_OUT ? WRITE_PS : READ_PS) +
				  (in_range(b, &r) ? r.bytes : 0) * BYTE_PS;
	evq_schedule(q, &b->done, evq_now(q) + takes);
}

static void done(void *owner, ps_t when)
{
	struct virtio_blk *b = owner;
	struct virtio_chain chain;
	struct request r;
	uint32_t written;
	uint8_t status;

	(void)when;
	if (!virtio_take(&b->virtio, 0, &chain) || !request_get(b, &chain, &r))
		return;
	status = execute(b, &chain, &r, &written);
	/* The last byte that is written. */
	if (virtio_write(&b->virtio, &chain, chain.write_bytes - 1, &status,
			 1)) {
		virtio_give(&b->virtio, 0, &chain, written + 1, 0);
		virtio_publish(&b->virtio, 0, 1);
	}
	begin(b);
}

static void disk_changed(void *owner, enum disk_op op, uint64_t lba,
			 uint64_t blocks)
{
	struct virtio_blk *b = owner;
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_DISK),
		.value = {{.s = b->virtio.pci.device.name},
			  {.u = op},
			  {.u = lba},
			  {.u = blocks},
			  {.u = 0}},
	};

	machine_emit(b->virtio.pci.device.machine, &r);
}

/* ---- the device ---- */

static uint8_t config_byte(struct virtio *v, unsigned at)
{
	const struct virtio_blk *b = (struct virtio_blk *)v;
	uint32_t seg_max = VIRTIO_SEGMENTS_MAX - 2, size = SECTOR;

	if (at < 8) /* 5.2.4: capacity, size_max, seg_max, geometry, blk_size */
		return (uint8_t)(b->disk.blocks >> 8 * at);
	if (at >= 12 && at < 16)
		return (uint8_t)(seg_max >> 8 * (at - 12));
	if (at >= 20 && at < 24)
		return (uint8_t)(size >> 8 * (at - 20));
	return 0;
}

static void notified(struct virtio *v, unsigned queue)
{
	(void)queue;
	begin((struct virtio_blk *)v);
}

static void stopped(struct virtio *v)
{
	evq_cancel(machine_evq(v->pci.device.machine),
		   &((struct virtio_blk *)v)->done);
}

static bool virtio_blk_fault(struct device *d, const char *name,
			     uint64_t argument, struct error *err)
{
	(void)err;
	if (pci_fault(&((struct virtio_blk *)d)->virtio.pci, name, argument))
		return true;
	((struct virtio_blk *)d)->errors = (uint32_t)argument;
	return true;
}

/* The cache keeps what it holds while the power stays on. */
static void virtio_blk_warm_reset(struct device *d)
{
	struct virtio_blk *b = (struct virtio_blk *)d;

	pci_function_reset(&b->virtio.pci);
	virtio_reset(&b->virtio);
}

static void virtio_blk_reset(struct device *d)
{
	struct virtio_blk *b = (struct virtio_blk *)d;

	b->errors = 0;
	disk_forget(&b->disk);
	virtio_blk_warm_reset(d);
}

static bool virtio_blk_init(struct device *d, const struct device_prop *props,
			    size_t prop_count, struct error *err)
{
	static const struct virtio_kind kind = {
		.id = 2,
		.class_code = 0x018000,
		.queues = 1,
		.config_bytes = 24,
		.config_byte = config_byte,
		.notified = notified,
		.stopped = stopped,
	};
	const struct device_prop *path =
		device_prop_find(props, prop_count, "path");
	struct virtio_blk *b = (struct virtio_blk *)d;

	if (!path || !path->text)
		return error_set(err, EXIT_USAGE,
				 "%s: property path names no disk image",
				 d->name);
	if (!disk_open(&b->disk, path->text, SECTOR, CACHE_BLOCKS, err))
		return false;
	b->disk.changed = disk_changed;
	b->disk.owner = b;
	b->disk.device = d;
	strcat(strcpy(b->done_name, d->name), ".done");
	b->done = (struct event){.name = b->done_name,
				 .fire = done,
				 .owner = b,
				 .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &b->done);
	return virtio_init(&b->virtio, &kind, F_SEG_MAX | F_BLK_SIZE | F_FLUSH,
			   props, prop_count, err);
}

static void virtio_blk_digest(struct device *d,
			      void (*feed)(void *to, const void *p, size_t n),
			      void *to)
{
	disk_digest(&((struct virtio_blk *)d)->disk, feed, to);
}

static void virtio_blk_save(struct device *d, struct snapshot_writer *w)
{
	struct disk *disk = &((struct virtio_blk *)d)->disk;

	if (!disk_save(disk, w))
		snapshot_fail(w, disk->failure);
}

static bool virtio_blk_load(struct device *d, struct snapshot_reader *r,
			    struct error *err)
{
	return disk_load_image(&((struct virtio_blk *)d)->disk, r, err);
}

static bool virtio_blk_memory(struct device *d, unsigned n, uint8_t **at,
			      uint64_t *bytes)
{
	struct virtio_blk *b = (struct virtio_blk *)d;

	return disk_memory(&b->disk, 1, sizeof(b->disk), n, at, bytes);
}

static bool virtio_blk_media(struct device *d, bool in_memory,
			     struct error *err)
{
	return disk_medium(&((struct virtio_blk *)d)->disk, in_memory, err);
}

static void virtio_blk_fini(struct device *d)
{
	struct virtio_blk *b = (struct virtio_blk *)d;

	stopped(&b->virtio);
	virtio_fini(&b->virtio);
	disk_close(&b->disk);
}

static const struct device_register virtio_blk_registers[] = {
	{"DEVICE_STATUS", VIRTIO_DEVICE_STATUS, 1},
	{NULL, 0, 0},
};

const struct device_class virtio_blk_class = {
	.name = "virtio_blk",
	.summary = "virtio block device on a raw image",
	.object_bytes = sizeof(struct virtio_blk),
	.fields = virtio_blk_fields,
	.registers = virtio_blk_registers,
	.faults = virtio_blk_faults,
	.init = virtio_blk_init,
	.reset = virtio_blk_reset,
	.warm_reset = virtio_blk_warm_reset,
	.fault = virtio_blk_fault,
	.digest = virtio_blk_digest,
	.save = virtio_blk_save,
	.load = virtio_blk_load,
	.memory = virtio_blk_memory,
	.media = virtio_blk_media,
	.fini = virtio_blk_fini,
};
