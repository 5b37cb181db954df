/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/nvme.h - driver of one NVMe controller (NVM Express 1.4).
 *
 * One admin queue pair and as many I/O queue pairs as the controller grants
 * (feature Number of Queues), as there are MSI-X entries for, and as the driver
 * has room for: each I/O pair has an entry of its own; the admin pair, which is
 * only used while nothing else is, shares entry 0.  Each client's commands go
 * to one pair, which has places of its own: a client whose commands hang or
 * fail takes no other's.  Transfers are whole pages of BLOCK_BYTES, so one PRP
 * entry is always enough and data goes straight between the disk and the page
 * that the caller names.
 *
 * The controller may have been left in any state by a previous owner: opening
 * always disables it first (section 7.6.1).  A command that fails without "do
 * not retry" is tried again; one that isn't answered in time makes the driver
 * reset the controller, which ends all pairs, make them anew, and submit again
 * all that was outstanding, each to its pair, which is right because two
 * commands that touch the same block are never outstanding together (block.c
 * sees to it).
 *
 * When the controller can't be brought back the path is lost: nvme_poll()
 * says so and the partition stops, so that the other path takes over.
 */
#ifndef PARTERRE_IO_NVME_H
#define PARTERRE_IO_NVME_H

#include <stdbool.h>
#include <stdint.h>

#define NVME_CLASS       0x010802
#define NVME_PAIRS       4  /* I/O queue pairs at most */
#define NVME_OUTSTANDING 48 /* commands of a pair at most */

/* Opcodes of the NVM command set (figure 346). */
#define NVME_FLUSH 0x00
#define NVME_WRITE 0x01
#define NVME_READ  0x02

/* How a command ended. */
enum nvme_end {
	NVME_OK,
	NVME_ERANGE, /* LBA out of range */
	NVME_EIO,
};

/* Map device `index` of the view, reset and enable the controller, make the
 * queues.  False: it can't be used; the reason was logged. */
bool nvme_open(unsigned index);

/* Size of the disk in BLOCK_BYTES. */
uint64_t nvme_blocks(void);

/* I/O queue pairs that there are, at least one.  A reset that can't make as
 * many again loses the controller. */
unsigned nvme_pairs(void);

/* Submit a command for one block to that pair; `cookie` comes back with its
 * end.  False: no room there, try after its next completion.  The controller
 * hears of it by the next nvme_tell(): one doorbell for all submitted. */
bool nvme_submit(unsigned pair, uint8_t opcode, uint64_t block, uint64_t pfn,
		 bool fua, uint32_t cookie);

void nvme_tell(void);

/* Take completions, watch over time-outs.  False: the controller is lost. */
bool nvme_poll(uint64_t now_ns,
	       void (*done)(uint32_t cookie, enum nvme_end end));

unsigned nvme_outstanding(void);

/* Normal shutdown (section 7.6.2); nothing may be outstanding. */
void nvme_close(void);

#endif
