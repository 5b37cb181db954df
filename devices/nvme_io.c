/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_io.c - data pointers and the NVM command set.  Sections are of
 * NVM Express 1.4.
 */
#include <string.h>

#include "devices/nvme.h"

/* Opcodes (figure 346). */
enum {
	FLUSH = 0x00,
	WRITE = 0x01,
	READ = 0x02,
	COMPARE = 0x05,
	WRITE_ZEROES = 0x08
};

#define FUA      (UINT32_C(1) << 30) /* dword 12 */
#define NSID_ALL UINT32_MAX

/* ---- data pointers (4.3) ---- */

static void segment_add(struct nvme_segment seg[], unsigned *count, paddr_t pa,
			uint64_t bytes)
{
	seg[(*count)++] = (struct nvme_segment){pa, bytes};
}

/* PRP2 points to a list: page addresses, of which the last one in a page leads
 * to the next page of the list when there are more. */
static uint16_t prp_list(struct nvme *n, paddr_t list, uint64_t bytes,
			 struct nvme_segment seg[], unsigned *count)
{
	if (list & 7)
		return NVME_INVALID_PRP_OFFSET;
	while (bytes) {
		uint64_t entry, part = bytes < PAGE_BYTES ? bytes : PAGE_BYTES;

		if (!pci_dma_read(&n->pci, list, &entry, sizeof(entry)))
			return NVME_DATA_TRANSFER_ERROR;
		if (entry & (PAGE_BYTES - 1))
			return NVME_INVALID_PRP_OFFSET;
		list += sizeof(entry);
		if (!(list & (PAGE_BYTES - 1)) && bytes > PAGE_BYTES) {
			list = entry;
			continue;
		}
		segment_add(seg, count, entry, part);
		bytes -= part;
	}
	return NVME_SUCCESS;
}

uint16_t nvme_prps(struct nvme *n, const struct nvme_command *c, uint64_t bytes,
		   struct nvme_segment seg[], unsigned *count)
{
	uint64_t prp1 = nvme_qword(c, 6), prp2 = nvme_qword(c, 8);
	uint64_t first = PAGE_BYTES - (prp1 & (PAGE_BYTES - 1));

	*count = 0;
	if (prp1 & 3) /* 4.3: offsets count dwords */
		return NVME_INVALID_PRP_OFFSET;
	if (first > bytes)
		first = bytes;
	segment_add(seg, count, prp1, first);
	bytes -= first;
	if (!bytes)
		return NVME_SUCCESS;
	if (bytes > PAGE_BYTES)
		return prp_list(n, prp2, bytes, seg, count);
	if (prp2 & (PAGE_BYTES - 1))
		return NVME_INVALID_PRP_OFFSET;
	segment_add(seg, count, prp2, bytes);
	return NVME_SUCCESS;
}

static uint16_t transfer(struct nvme *n, const struct nvme_command *c,
			 uint8_t *buf, uint64_t bytes, bool to_host)
{
	struct nvme_segment seg[NVME_SEGMENTS_MAX];
	unsigned count;
	uint16_t status = nvme_prps(n, c, bytes, seg, &count);

	for (unsigned i = 0; i < count && !status; i++) {
		bool good = to_host ? pci_dma_write(&n->pci, seg[i].pa, buf,
						    seg[i].bytes)
				    : pci_dma_read(&n->pci, seg[i].pa, buf,
						   seg[i].bytes);

		if (!good)
			status = NVME_DATA_TRANSFER_ERROR;
		buf += seg[i].bytes;
	}
	return status;
}

uint16_t nvme_to_host(struct nvme *n, const struct nvme_command *c,
		      const void *buf, uint64_t bytes)
{
	return transfer(n, c, (uint8_t *)buf, bytes, true);
}

uint16_t nvme_from_host(struct nvme *n, const struct nvme_command *c, void *buf,
			uint64_t bytes)
{
	return transfer(n, c, buf, bytes, false);
}

/* ---- commands ---- */

static uint64_t lba_of(const struct nvme_command *c)
{
	return nvme_qword(c, 10);
}

static uint64_t blocks_of(const struct nvme_command *c)
{
	return (c->dw[12] & 0xFFFF) + 1; /* counted from 0 */
}

static bool has_data(const struct nvme_command *c)
{
	uint8_t opcode = nvme_opcode(c);

	return opcode == READ || opcode == WRITE || opcode == COMPARE;
}

/* For a command that has passed range_check(). */
static struct disk *disk_of(const struct nvme *n, const struct nvme_command *c)
{
	return nvme_subsys_disk(n->subsys, c->dw[1]);
}

static bool durable(const struct nvme *n, const struct nvme_command *c)
{
	return (c->dw[12] & FUA) || !n->subsys->write_cache;
}

ps_t nvme_io_latency(const struct nvme *n, const struct nvme_command *c)
{
	const struct nvme_subsys *s = n->subsys;
	uint64_t bytes = blocks_of(c) * s->space[0].disk.block_bytes;
	ps_t data = bytes * NVME_BYTE_PS;

	if (has_data(c) && bytes > NVME_TRANSFER_MAX)
		return NVME_REFUSE_PS; /* it will not move them */
	switch (nvme_opcode(c)) {
	case FLUSH:
		return s->flush_ps;
	case READ:
	case COMPARE:
		return s->read_ps + data;
	case WRITE:
		return s->write_ps + data + (durable(n, c) ? s->flush_ps : 0);
	case WRITE_ZEROES:
		return s->write_ps + (durable(n, c) ? s->flush_ps : 0);
	default:
		return NVME_REFUSE_PS;
	}
}

/* What all but flush have in common. */
static uint16_t range_check(const struct nvme *n, const struct nvme_command *c)
{
	const struct disk *disk = disk_of(n, c);
	uint64_t lba = lba_of(c), blocks = blocks_of(c);

	if (!disk)
		return NVME_INVALID_NAMESPACE;
	if (has_data(c) && blocks * disk->block_bytes > NVME_TRANSFER_MAX)
		return NVME_INVALID_FIELD; /* figure 247, MDTS */
	if (lba > disk->blocks || blocks > disk->blocks - lba)
		return NVME_LBA_RANGE;
	return NVME_SUCCESS;
}

static uint16_t host_failed(struct nvme *n)
{
	nvme_subsys_host_failed(n->subsys);
	return NVME_DATA_TRANSFER_ERROR; /* nobody will see it */
}

static uint16_t do_read(struct nvme *n, const struct nvme_command *c)
{
	struct disk *disk = disk_of(n, c);
	uint64_t bytes = blocks_of(c) * disk->block_bytes;
	uint16_t status;

	/* 6.9: with FUA, what is read must be durable. */
	if ((c->dw[12] & FUA) && !disk_sync(disk, lba_of(c), blocks_of(c)))
		return host_failed(n);
	if (!disk_read(disk, lba_of(c), blocks_of(c), n->buf))
		return host_failed(n);
	status = nvme_to_host(n, c, n->buf, bytes);
	if (!status) {
		n->reads++;
		n->units_read += bytes / 512;
	}
	return status;
}

static bool store(struct nvme *n, const struct nvme_command *c, uint64_t lba,
		  uint64_t blocks)
{
	return durable(n, c)
		       ? disk_write_through(disk_of(n, c), lba, blocks, n->buf)
		       : disk_write(disk_of(n, c), lba, blocks, n->buf);
}

static uint16_t do_write(struct nvme *n, const struct nvme_command *c)
{
	uint64_t bytes = blocks_of(c) * disk_of(n, c)->block_bytes;
	/* All data before any block: a write is atomic (AWUN). */
	uint16_t status = nvme_from_host(n, c, n->buf, bytes);

	if (status)
		return status;
	if (!store(n, c, lba_of(c), blocks_of(c)))
		return host_failed(n);
	n->writes++;
	n->units_written += bytes / 512;
	return NVME_SUCCESS;
}

static uint16_t do_write_zeroes(struct nvme *n, const struct nvme_command *c)
{
	uint64_t most = NVME_TRANSFER_MAX / disk_of(n, c)->block_bytes;
	uint64_t lba = lba_of(c), left = blocks_of(c);

	memset(n->buf, 0, sizeof(n->buf));
	while (left) {
		uint64_t part = left < most ? left : most;

		if (!store(n, c, lba, part))
			return host_failed(n);
		lba += part;
		left -= part;
	}
	return NVME_SUCCESS;
}

static uint16_t do_compare(struct nvme *n, const struct nvme_command *c)
{
	struct disk *disk = disk_of(n, c);
	uint64_t bytes = blocks_of(c) * disk->block_bytes;
	uint16_t status = nvme_from_host(n, c, n->other, bytes);

	if (status)
		return status;
	if (!disk_read(disk, lba_of(c), blocks_of(c), n->buf))
		return host_failed(n);
	return memcmp(n->buf, n->other, bytes) ? NVME_COMPARE_FAILURE
					       : NVME_SUCCESS;
}

static uint16_t do_flush(struct nvme *n, const struct nvme_command *c)
{
	if (c->dw[1] == NSID_ALL)
		return nvme_subsys_flush(n->subsys) ? NVME_SUCCESS
						    : host_failed(n);
	if (!disk_of(n, c))
		return NVME_INVALID_NAMESPACE;
	return disk_flush(disk_of(n, c)) ? NVME_SUCCESS : host_failed(n);
}

static uint16_t injected(struct nvme *n, const struct nvme_command *c)
{
	n->fault_errors--;
	if (n->fault_status)
		return (uint16_t)n->fault_status;
	return nvme_opcode(c) == READ || nvme_opcode(c) == COMPARE
		       ? NVME_READ_ERROR
		       : NVME_WRITE_FAULT;
}

uint16_t nvme_io(struct nvme *n, const struct nvme_command *c, uint32_t *result)
{
	uint8_t opcode = nvme_opcode(c);
	uint16_t status;

	*result = 0;
	if (c->dw[0] & 0xC300) /* fused, or SGL instead of PRP */
		return NVME_INVALID_FIELD;
	if (opcode != FLUSH && opcode != WRITE_ZEROES && !has_data(c))
		return NVME_INVALID_OPCODE;
	if (n->fault_errors)
		return injected(n, c);
	if (opcode == FLUSH)
		return do_flush(n, c);
	status = range_check(n, c);
	if (status)
		return status;
	switch (opcode) {
	case READ:
		return do_read(n, c);
	case WRITE:
		return do_write(n, c);
	case COMPARE:
		return do_compare(n, c);
	default:
		return do_write_zeroes(n, c);
	}
}

bool nvme_io_tear(struct nvme *n, const struct nvme_command *c, uint64_t bytes)
{
	struct disk *disk = disk_of(n, c);
	uint64_t whole;

	if (nvme_opcode(c) != WRITE || (c->dw[0] & 0xC300) || range_check(n, c))
		return false;
	whole = blocks_of(c) * disk->block_bytes;
	if (nvme_from_host(n, c, n->buf, whole))
		return false;
	if (!bytes)
		bytes = blocks_of(c) / 2 * disk->block_bytes;
	if (bytes > whole)
		bytes = whole;
	return disk_tear(disk, lba_of(c), n->buf, bytes);
}
