/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_subsys.h - an NVM subsystem: one namespace (NSID 1), shared by
 * all its controllers (NVM Express 1.4; NMIC and CMIC say so).
 *
 * Latency: a command takes the fixed time of its kind plus NVME_BYTE_PS for
 * each byte it moves; commands do not slow each other down, each controller
 * works on NVME_WORK at once, the others wait in their queues.
 *
 *   read         read_ps  + bytes
 *   write        write_ps + bytes; durable ones (FUA, or the cache switched
 *                off) flush_ps more
 *   flush        flush_ps, however much there is to flush
 *   compare      as read; write zeroes: write_ps
 *   admin        NVME_ADMIN_PS
 *
 * Not modelled: contention for the medium, wear, latency that depends on
 * address or history, jitter.
 *
 * Fault "torn" (argument n): the power fails now, and unlike a plain power cut
 * it tears: each write in flight leaves its first n bytes on the medium (0: the
 * first half of its blocks, rounded down); the write cache is lost; all
 * controllers are gone (registers read all ones) until the machine ends.
 */
#ifndef PARTERRE_DEVICES_NVME_SUBSYS_H
#define PARTERRE_DEVICES_NVME_SUBSYS_H

#include "devices/disk.h"
#include "sim/machine.h"

#define NVME_READ_PS      (12 * PS_PER_US)
#define NVME_WRITE_PS     (18 * PS_PER_US)
#define NVME_FLUSH_PS     (60 * PS_PER_US)
#define NVME_ADMIN_PS     (10 * PS_PER_US)
#define NVME_BYTE_PS      UINT64_C(300) /* 3.3 GB/s */
#define NVME_CACHE_BLOCKS 2048

#define NVME_CONTROLLERS_MAX MACHINE_CONTROLLERS_MAX

struct nvme;

struct nvme_subsys {
	struct device device;
	/* Silicon. */
	uint32_t write_cache; /* enabled: feature 06h */
	uint32_t dead;        /* without power */
	/* Wiring. */
	struct disk disk;
	ps_t read_ps, write_ps, flush_ps;
	struct nvme *controller[NVME_CONTROLLERS_MAX];
	struct device *acting; /* whose command changes the disk */
};

/* The host failed to read or write the image: ends the run. */
void nvme_subsys_host_failed(struct nvme_subsys *s);

#endif
