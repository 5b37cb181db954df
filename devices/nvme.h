/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme.h - an NVMe controller (NVM Express Base Specification 1.4) as a
 * PCI function, one of several of its subsystem (nvme_subsys.h).
 *
 * The files: nvme.c has registers, queues and interrupts; nvme_admin.c the
 * admin commands; nvme_event.c asynchronous events; nvme_io.c the data pointers
 * and the I/O commands.
 *
 * BAR 0, 16 KiB: registers at 0, doorbells at 1000 (stride 4), MSI-X table at
 * 2000, pending bits at 3000, each in a page of its own, so that a hypervisor
 * can keep the table and hand out the doorbells.
 *
 * When a command happens.  A submission doorbell makes the controller fetch
 * (DMA at that instant) as many commands as it has places for (NVME_WORK), the
 * admin queue first, then the I/O queues in turn.  A command then takes its
 * latency, and everything that it does happens at its end, in one instant: it
 * reads its data pointers and the host's memory, it changes the disk, posts its
 * completion and its interrupt.  A reset, or the removal of its queue, before
 * that instant means that it never happened.  If the completion queue is full,
 * the work is done at its time and the completion waits, with its place.
 *
 * Wrong use.  Controller fatal status (CSTS.CFS) until reset: impossible values
 * at enable, and a queue that is not in RAM (or bus mastering off).  Otherwise
 * the status codes of the specification, with "do not retry" where the same
 * command could not succeed later.
 *
 * Faults, from now on:
 *   fatal    CSTS.CFS; what is in flight never happened.  Argument 0: a
 *            controller reset heals it; 1: it never becomes ready again.
 *   timeout  the next <argument> I/O commands get lost (0: all of them); no
 *            completion, nothing done.
 *   error    I/O commands fail.  Argument: bits 14:0 status field (SC, SCT, DNR
 *            as in figure 123; 0: media error by the kind of command); bits
 *            31:16 how many commands (0: one).
 *   slow     I/O commands take <argument> microseconds longer (0: no more).
 *   deaf     1: it does not hear that it is disabled or that bus mastering goes
 *            off: what is in flight then happens at its time, DMA and disk,
 *            and is told to nobody.  0: no more.
 *   remove, stray, msi-...   those of every PCI function (pci_fault.c); what
 *            is in flight at a removal never happened.
 *   health   Argument: the critical warnings of the SMART log (figure 197: 1
 *            spare, 2 temperature, 4 reliability, 8 read-only, 10h memory
 *            backup); 0: all is well again.  Commands go on as before.
 *
 * Asynchronous events: errors (a doorbell of no queue, an impossible value),
 * health (a warning that feature 0Bh enables, the temperature at a threshold of
 * feature 04h), notices (a namespace attached or detached).
 *
 * Not modelled: SGLs, fused commands, metadata and protection, reservations,
 * controller memory buffer, boot partitions, namespace management, firmware
 * download, sanitize, self-tests, power states other than 0, keep alive,
 * interrupt coalescing (the feature is stored), weighted arbitration,
 * other kinds of asynchronous events, pages other than 4 KiB, shadow doorbells,
 * subsystem reset, arbitration burst.
 */
#ifndef PARTERRE_DEVICES_NVME_H
#define PARTERRE_DEVICES_NVME_H

#include "devices/nvme_subsys.h"
#include "devices/pci.h"

#define NVME_BAR_BYTES  UINT64_C(0x4000)
#define NVME_DOORBELLS  UINT64_C(0x1000)
#define NVME_MSIX_TABLE UINT64_C(0x2000)
#define NVME_MSIX_PBA   UINT64_C(0x3000)

/* Controller registers (section 3.1). */
enum {
	NVME_CAP = 0x00,
	NVME_VS = 0x08,
	NVME_INTMS = 0x0C,
	NVME_INTMC = 0x10,
	NVME_CC = 0x14,
	NVME_CSTS = 0x1C,
	NVME_NSSR = 0x20,
	NVME_AQA = 0x24,
	NVME_ASQ = 0x28,
	NVME_ACQ = 0x30,
};

#define NVME_CC_EN       UINT32_C(0x1)
#define NVME_CSTS_RDY    UINT32_C(0x1)
#define NVME_CSTS_CFS    UINT32_C(0x2)
#define NVME_CSTS_SHST   UINT32_C(0xC)
#define NVME_VERSION_1_4 UINT32_C(0x00010400)

#define NVME_QUEUES       17   /* the admin queue and 16 I/O queues */
#define NVME_ENTRIES_MAX  1024 /* CAP.MQES */
#define NVME_WORK         16   /* commands at once */
#define NVME_MDTS         5    /* 2^5 pages: 128 KiB */
#define NVME_TRANSFER_MAX ((uint64_t)PAGE_BYTES << NVME_MDTS)
#define NVME_EVENTS_MAX   4  /* asynchronous event requests held */
#define NVME_ERRORS       16 /* entries of the error log */
#define NVME_FEATURES     0x0C
#define NVME_WARNINGS     0x1F /* critical ones, of the SMART log */

/* From CC.EN to CSTS.RDY, and from CC.SHN to the end of shutdown, to which a
 * normal shutdown adds a flush. */
#define NVME_ENABLE_PS   (50 * PS_PER_US)
#define NVME_SHUTDOWN_PS (20 * PS_PER_US)
#define NVME_REFUSE_PS   (2 * PS_PER_US) /* of an opcode that is none */

/* Status field of a completion (figure 123): SC, SCT in bits 10:8, DNR. */
#define NVME_DNR UINT16_C(0x4000)
enum nvme_status {
	NVME_SUCCESS = 0x000,
	NVME_INVALID_OPCODE = 0x001 | NVME_DNR,
	NVME_INVALID_FIELD = 0x002 | NVME_DNR,
	NVME_DATA_TRANSFER_ERROR = 0x004,
	NVME_ABORT_REQUESTED = 0x007,
	NVME_ABORT_SQ_DELETION = 0x008,
	NVME_INVALID_NAMESPACE = 0x00B | NVME_DNR,
	NVME_SEQUENCE_ERROR = 0x00C | NVME_DNR,
	NVME_INVALID_PRP_OFFSET = 0x013 | NVME_DNR,
	NVME_LBA_RANGE = 0x080 | NVME_DNR,
	NVME_INVALID_CQ = 0x100 | NVME_DNR,
	NVME_INVALID_QID = 0x101 | NVME_DNR,
	NVME_INVALID_QUEUE_SIZE = 0x102 | NVME_DNR,
	NVME_TOO_MANY_EVENTS = 0x105 | NVME_DNR,
	NVME_INVALID_VECTOR = 0x108 | NVME_DNR,
	NVME_INVALID_LOG_PAGE = 0x109 | NVME_DNR,
	NVME_INVALID_QUEUE_DELETION = 0x10C | NVME_DNR,
	NVME_NOT_SAVEABLE = 0x10D | NVME_DNR,
	NVME_WRITE_FAULT = 0x280,
	NVME_READ_ERROR = 0x281,
	NVME_COMPARE_FAILURE = 0x285,
	NVME_HELD = 0xFFFF, /* not a status: no completion now */
};

/* Submission queue entry (figure 104), as 16 dwords. */
enum nvme_event_type { /* figure 146 */
	NVME_EVENT_ERROR = 0,
	NVME_EVENT_HEALTH = 1,
	NVME_EVENT_NOTICE = 2,
	NVME_EVENT_TYPES,
};

#define NVME_SQE_DWORDS 16
struct nvme_command {
	uint32_t dw[NVME_SQE_DWORDS];
};
static inline uint8_t nvme_opcode(const struct nvme_command *c)
{
	return c->dw[0] & 0xFF;
}
static inline uint16_t nvme_cid(const struct nvme_command *c)
{
	return (uint16_t)(c->dw[0] >> 16);
}
static inline uint64_t nvme_qword(const struct nvme_command *c, unsigned dw)
{
	return c->dw[dw] | (uint64_t)c->dw[dw + 1] << 32;
}

enum nvme_work_state {
	NVME_WORK_FREE,
	NVME_WORK_BUSY, /* until its event */
	NVME_WORK_DONE, /* executed; its completion queue is full */
	NVME_WORK_LATE, /* BUSY for a driver that is gone: nobody is told */
};

struct nvme {
	struct pci_function pci;
	/* Silicon. */
	uint64_t asq, acq;
	uint32_t aqa, cc, csts, intm;
	/* Queues by identifier; 0: admin.  Size 0: not there. */
	uint64_t sq_base[NVME_QUEUES], cq_base[NVME_QUEUES];
	uint32_t sq_size[NVME_QUEUES], cq_size[NVME_QUEUES];
	uint32_t sq_head[NVME_QUEUES], sq_tail[NVME_QUEUES];
	uint32_t cq_head[NVME_QUEUES], cq_tail[NVME_QUEUES];
	uint32_t sq_cq[NVME_QUEUES]; /* where completions go */
	uint32_t cq_phase[NVME_QUEUES];
	uint32_t cq_vector[NVME_QUEUES], cq_interrupts[NVME_QUEUES];
	uint32_t granted; /* I/O queues of each kind: feature 07h */
	uint32_t turn;    /* whose turn it is among the I/O queues */
	/* Work in progress. */
	uint32_t work_state[NVME_WORK];
	uint32_t work_sq[NVME_WORK];
	uint32_t work_dw[NVME_WORK * NVME_SQE_DWORDS];
	uint32_t work_status[NVME_WORK], work_result[NVME_WORK];
	uint64_t work_order[NVME_WORK]; /* of waiting for the queue */
	uint64_t work_count;
	/* Asynchronous event requests held: their command identifiers. */
	uint32_t event_cid[NVME_EVENTS_MAX];
	uint32_t event_count;
	/* By type: what waits to be told, and what may not be told now. */
	uint32_t event_info[NVME_EVENT_TYPES];
	uint32_t event_pending, event_silent;
	uint32_t changed; /* log 04h: bit n: NSID n + 1 */
	uint32_t warned;  /* critical warnings that were there before */
	uint32_t cold;    /* feature 04h: the under temperature threshold */
	uint32_t feature[NVME_FEATURES];
	/* Logs. */
	uint64_t error_count;
	uint64_t error_log[NVME_ERRORS * 4]; /* see nvme_error_note() */
	uint64_t units_read, units_written;  /* 512-byte units */
	uint64_t reads, writes;              /* commands */
	/* Injected. */
	uint32_t fault_dead, fault_lose, fault_lose_all;
	uint32_t fault_errors, fault_status, fault_health;
	uint64_t fault_slow;
	/* Wiring. */
	struct nvme_subsys *subsys;
	unsigned controller; /* in the subsystem */
	struct event ready, shutdown;
	struct event work[NVME_WORK];
	struct nvme_work_owner {
		struct nvme *n;
		unsigned index;
	} work_owner[NVME_WORK];
	char ready_name[32], shutdown_name[32], work_name[NVME_WORK][32];
	uint8_t buf[NVME_TRANSFER_MAX], other[NVME_TRANSFER_MAX];
};

/* --- between the controller's files --- */

struct nvme_segment {
	paddr_t pa;
	uint64_t bytes;
};
/* Resolves PRP1 and PRP2 (section 4.3) for `bytes` of data. */
uint16_t nvme_prps(struct nvme *n, const struct nvme_command *c, uint64_t bytes,
		   struct nvme_segment seg[], unsigned *count);
#define NVME_SEGMENTS_MAX (NVME_TRANSFER_MAX / PAGE_BYTES + 1)
uint16_t nvme_to_host(struct nvme *n, const struct nvme_command *c,
		      const void *buf, uint64_t bytes);
uint16_t nvme_from_host(struct nvme *n, const struct nvme_command *c, void *buf,
			uint64_t bytes);

/* Execute, now.  `sq`: where it came from.  Give a status, fill *result. */
uint16_t nvme_admin(struct nvme *n, const struct nvme_command *c,
		    uint32_t *result);
uint16_t nvme_io(struct nvme *n, const struct nvme_command *c,
		 uint32_t *result);
ps_t nvme_io_latency(const struct nvme *n, const struct nvme_command *c);

/* Asynchronous events (nvme_event.c). */
void nvme_event(struct nvme *n, enum nvme_event_type type, uint32_t info);
/* The host has read its log page. */
void nvme_event_seen(struct nvme *n, enum nvme_event_type type);
uint16_t nvme_event_request(struct nvme *n, const struct nvme_command *c);
bool nvme_event_abort(struct nvme *n, uint16_t cid);
/* Tells what waits, as far as there are requests for it. */
void nvme_events_deliver(struct nvme *n);
void nvme_events_reset(struct nvme *n);
/* The admin queue is at work and has room for a completion. */
bool nvme_can_complete(const struct nvme *n);
void nvme_namespace_changed(struct nvme *n, uint32_t nsid);
/* Critical warnings may have changed: tells of new ones. */
void nvme_health_update(struct nvme *n);

/* For the admin commands. */
void nvme_admin_reset(struct nvme *n); /* features and events */
void nvme_sq_delete(struct nvme *n, unsigned qid);
bool nvme_abort(struct nvme *n, unsigned sq, uint16_t cid);
void nvme_complete(struct nvme *n, unsigned sq, uint16_t cid, uint16_t status,
		   uint32_t result);
void nvme_error_note(struct nvme *n, unsigned sq, const struct nvme_command *c,
		     uint16_t status);
void nvme_fatal(struct nvme *n, const char *why, uint64_t value);

/* The subsystem loses its power: writes in flight are torn after `bytes` each
 * (0: half their blocks). */
void nvme_power_lost(struct nvme *n, uint64_t bytes);
/* For a write in flight: what it would have torn.  False: it is no write, or
 * its data cannot be had. */
bool nvme_io_tear(struct nvme *n, const struct nvme_command *c, uint64_t bytes);

#endif
