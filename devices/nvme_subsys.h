/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_subsys.h - an NVM subsystem: one to four namespaces (NSID 1 and
 * up), shared by all its controllers (NVM Express 1.4; NMIC and CMIC say so).
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
 * Faults "detach" and "attach" (argument: NSID): the namespace goes away, as if
 * it was taken from all controllers by a management tool, and comes back.  What
 * is in the write cache stays.  The controllers tell by an asynchronous event.
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
#define NVME_NAMESPACES_MAX  MACHINE_NAMESPACES_MAX

struct nvme;
struct nvme_subsys;

struct nvme_namespace {
	struct disk disk;
	struct nvme_subsys *subsys;
	uint32_t nsid;
};

struct nvme_subsys {
	struct device device;
	/* Silicon. */
	uint32_t write_cache; /* enabled: feature 06h */
	uint32_t dead;        /* without power */
	uint32_t attached;    /* bit n: NSID n + 1 */
	/* Wiring. */
	struct nvme_namespace space[NVME_NAMESPACES_MAX];
	uint32_t namespaces;
	ps_t read_ps, write_ps, flush_ps;
	struct nvme *controller[NVME_CONTROLLERS_MAX];
	struct device *acting; /* whose command changes the disk */
};

/* NULL: no such namespace, or it is not attached. */
struct disk *nvme_subsys_disk(struct nvme_subsys *s, uint32_t nsid);
/* Makes all namespaces durable. */
bool nvme_subsys_flush(struct nvme_subsys *s);

/* The host failed to read or write the image: ends the run. */
void nvme_subsys_host_failed(struct nvme_subsys *s);

#endif
