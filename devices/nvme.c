/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme.c - a controller's registers, queues and interrupts; see nvme.h.
 * Sections and figures are of NVM Express 1.4.
 *
 * Life of a command: sq doorbell -> pump() fetches into a free place of
 * work[] -> its event executes it -> finish() -> post() -> interrupt.
 */
#include "devices/nvme.h"

#include <stdio.h>
#include <string.h>

/* 3.1.1: CAP.  Contiguous queues, 4 KiB pages, NVM command set, ready within
 * 500 ms. */
#define CAP_VALUE                                                              \
	((NVME_ENTRIES_MAX - 1) | UINT64_C(1) << 16 | UINT64_C(1) << 24 |      \
	 UINT64_C(1) << 37)

#define CC_CSS        UINT32_C(0x00000070)
#define CC_MPS        UINT32_C(0x00000780)
#define CC_AMS        UINT32_C(0x00003800)
#define CC_SHN        UINT32_C(0x0000C000)
#define CC_SHN_NORMAL UINT32_C(0x00004000)
#define CC_WRITABLE   UINT32_C(0x00FFFFF1)

#define SHST_BUSY UINT32_C(0x4)
#define SHST_DONE UINT32_C(0x8)

#define SQE_BYTES 64
#define CQE_BYTES 16

static struct evq *queue_of(const struct nvme *n)
{
	return machine_evq(n->pci.device.machine);
}

static ps_t now(const struct nvme *n)
{
	return machine_now(n->pci.device.machine);
}

static void odd(struct nvme *n, const char *what, uint64_t off, uint64_t value)
{
	machine_odd(&n->pci.device, what, off, value);
}

/* ---- interrupts (7.5) ---- */

/* Pin-based: asserted while a completion queue that interrupts, on a vector
 * that is not masked, has entries the host has not taken. */
static void pin_update(struct nvme *n)
{
	bool level = false;

	for (unsigned q = 0; q < NVME_QUEUES; q++) {
		if (n->cq_size[q] && n->cq_interrupts[q] &&
		    n->cq_head[q] != n->cq_tail[q] &&
		    !(n->intm >> (n->cq_vector[q] & 31) & 1))
			level = true;
	}
	pci_intx_set(&n->pci, level && !pci_messages_enabled(&n->pci));
}

/* Nothing is left that this vector told of. */
static bool vector_idle(const struct nvme *n, uint32_t vector)
{
	for (unsigned q = 0; q < NVME_QUEUES; q++) {
		if (n->cq_size[q] && n->cq_vector[q] == vector &&
		    n->cq_head[q] != n->cq_tail[q])
			return false;
	}
	return true;
}

static void interrupt(struct nvme *n, unsigned cq)
{
	if (!n->cq_interrupts[cq])
		return;
	if (pci_msix_enabled(&n->pci))
		pci_msix_send(&n->pci, n->cq_vector[cq]);
	else if (pci_msi_enabled(&n->pci))
		pci_msi_send(&n->pci);
	else
		pin_update(n);
}

static void config_written(struct pci_function *f)
{
	pin_update((struct nvme *)f);
}

/* ---- work in progress ---- */

static void work_stop(struct nvme *n, unsigned w)
{
	evq_cancel(queue_of(n), &n->work[w]);
	n->work_state[w] = NVME_WORK_FREE;
	n->work_sq[w] = 0;
	n->work_status[w] = n->work_result[w] = 0;
	n->work_order[w] = 0;
	memset(&n->work_dw[w * NVME_SQE_DWORDS], 0, SQE_BYTES);
}

/* What is in flight never happened. */
static void work_stop_all(struct nvme *n)
{
	for (unsigned w = 0; w < NVME_WORK; w++)
		work_stop(n, w);
}

/* A controller that does not hear of its reset goes on with what it has. */
static void work_forget(struct nvme *n)
{
	for (unsigned w = 0; w < NVME_WORK; w++) {
		bool busy = n->work_state[w] == NVME_WORK_BUSY ||
			    n->work_state[w] == NVME_WORK_LATE;

		if (n->pci.fault_deaf && busy && n->work_sq[w])
			n->work_state[w] = NVME_WORK_LATE;
		else
			work_stop(n, w);
	}
}

static struct nvme_command work_command(const struct nvme *n, unsigned w)
{
	struct nvme_command c;

	memcpy(c.dw, &n->work_dw[w * NVME_SQE_DWORDS], SQE_BYTES);
	return c;
}

void nvme_fatal(struct nvme *n, const char *why, uint64_t value)
{
	odd(n, why, NVME_CSTS, value);
	n->csts |= NVME_CSTS_CFS;
	work_stop_all(n);
}

/* Ready, sound, not shutting down: commands are taken. */
static bool is_working(const struct nvme *n)
{
	return (n->csts & (NVME_CSTS_RDY | NVME_CSTS_CFS | NVME_CSTS_SHST)) ==
	       NVME_CSTS_RDY;
}

/* ---- completions (4.6) ---- */

static bool cq_full(const struct nvme *n, unsigned cq)
{
	return (n->cq_tail[cq] + 1) % n->cq_size[cq] == n->cq_head[cq];
}

static void post(struct nvme *n, unsigned sq, uint16_t cid, uint16_t status,
		 uint32_t result)
{
	unsigned cq = n->sq_cq[sq];
	uint32_t entry[4] = {
		result,
		0,
		sq << 16 | n->sq_head[sq],
		(uint32_t)status << 17 | n->cq_phase[cq] << 16 | cid,
	};
	paddr_t at = n->cq_base[cq] + (uint64_t)n->cq_tail[cq] * CQE_BYTES;

	if (!pci_dma_write(&n->pci, at, entry, sizeof(entry))) {
		nvme_fatal(n, "completion queue is not in RAM", at);
		return;
	}
	if (++n->cq_tail[cq] == n->cq_size[cq]) {
		n->cq_tail[cq] = 0;
		n->cq_phase[cq] ^= 1;
	}
	interrupt(n, cq);
}

bool nvme_can_complete(const struct nvme *n)
{
	return is_working(n) && !cq_full(n, 0);
}

void nvme_complete(struct nvme *n, unsigned sq, uint16_t cid, uint16_t status,
		   uint32_t result)
{
	if (cq_full(n, n->sq_cq[sq]))
		odd(n, "completion lost: its queue is full", NVME_CSTS, cid);
	else
		post(n, sq, cid, status, result);
}

/* The longest-waiting executed command of this completion queue, or -1. */
static int work_waiting(const struct nvme *n, unsigned cq)
{
	int best = -1;

	for (unsigned w = 0; w < NVME_WORK; w++) {
		if (n->work_state[w] != NVME_WORK_DONE ||
		    n->sq_cq[n->work_sq[w]] != cq)
			continue;
		if (best < 0 || n->work_order[w] < n->work_order[best])
			best = (int)w;
	}
	return best;
}

static void post_waiting(struct nvme *n, unsigned cq)
{
	int w;

	while (!cq_full(n, cq) && (w = work_waiting(n, cq)) >= 0) {
		struct nvme_command c = work_command(n, (unsigned)w);
		unsigned sq = n->work_sq[w];
		uint16_t status = (uint16_t)n->work_status[w];
		uint32_t result = n->work_result[w];

		work_stop(n, (unsigned)w);
		post(n, sq, nvme_cid(&c), status, result);
	}
}

static void finish(struct nvme *n, unsigned w, uint16_t status, uint32_t result)
{
	struct nvme_command c = work_command(n, w);

	if (status)
		nvme_error_note(n, n->work_sq[w], &c, status);
	evq_cancel(queue_of(n), &n->work[w]);
	n->work_state[w] = NVME_WORK_DONE;
	n->work_status[w] = status;
	n->work_result[w] = result;
	n->work_order[w] = n->work_count++;
	post_waiting(n, n->sq_cq[n->work_sq[w]]);
}

bool nvme_abort(struct nvme *n, unsigned sq, uint16_t cid)
{
	for (unsigned w = 0; w < NVME_WORK; w++) {
		struct nvme_command c = work_command(n, w);

		if (n->work_state[w] != NVME_WORK_BUSY || n->work_sq[w] != sq ||
		    nvme_cid(&c) != cid || !evq_pending(&n->work[w]))
			continue;
		finish(n, w, NVME_ABORT_REQUESTED, 0);
		return true;
	}
	return false;
}

void nvme_sq_delete(struct nvme *n, unsigned qid)
{
	/* 5.6: what was fetched is completed as aborted; what a full queue
	 * cannot take is lost with the queue. */
	for (unsigned w = 0; w < NVME_WORK; w++) {
		if (n->work_sq[w] != qid)
			continue;
		if (n->work_state[w] == NVME_WORK_BUSY)
			finish(n, w, NVME_ABORT_SQ_DELETION, 0);
		if (n->work_state[w] == NVME_WORK_DONE)
			work_stop(n, w);
	}
	n->sq_size[qid] = 0;
	n->sq_head[qid] = n->sq_tail[qid] = 0;
}

/* ---- fetching (4.13: round robin) ---- */

/* The queue whose turn it is, or -1: the admin queue before all others. */
static int next_queue(struct nvme *n)
{
	for (unsigned i = 0; i < NVME_QUEUES; i++) {
		unsigned q = i ? 1 + (n->turn + i - 1) % (NVME_QUEUES - 1) : 0;

		if (!n->sq_size[q] || n->sq_head[q] == n->sq_tail[q])
			continue;
		if (q)
			n->turn = q % (NVME_QUEUES - 1);
		return (int)q;
	}
	return -1;
}

static int free_place(const struct nvme *n)
{
	for (unsigned w = 0; w < NVME_WORK; w++) {
		if (n->work_state[w] == NVME_WORK_FREE)
			return (int)w;
	}
	return -1;
}

static bool gets_lost(struct nvme *n)
{
	if (n->fault_lose_all)
		return true;
	if (!n->fault_lose)
		return false;
	n->fault_lose--;
	return true;
}

static void fetch(struct nvme *n, unsigned q, unsigned w)
{
	paddr_t at = n->sq_base[q] + (uint64_t)n->sq_head[q] * SQE_BYTES;
	struct nvme_command c;
	ps_t latency;

	if (!pci_dma_read(&n->pci, at, c.dw, SQE_BYTES)) {
		nvme_fatal(n, "submission queue is not in RAM", at);
		return;
	}
	n->sq_head[q] = (n->sq_head[q] + 1) % n->sq_size[q];
	if (q && gets_lost(n))
		return;
	memcpy(&n->work_dw[w * NVME_SQE_DWORDS], c.dw, SQE_BYTES);
	n->work_sq[w] = q;
	n->work_state[w] = NVME_WORK_BUSY;
	latency = q ? nvme_io_latency(n, &c) + n->fault_slow : NVME_ADMIN_PS;
	evq_schedule(queue_of(n), &n->work[w], now(n) + latency);
}

static void pump(struct nvme *n)
{
	int w, q;

	while (is_working(n) && (w = free_place(n)) >= 0 &&
	       (q = next_queue(n)) >= 0)
		fetch(n, (unsigned)q, (unsigned)w);
}

static void work_fire(void *owner, ps_t when)
{
	struct nvme_work_owner *o = owner;
	struct nvme *n = o->n;
	struct nvme_command c = work_command(n, o->index);
	uint16_t status;
	uint32_t result;

	(void)when;
	n->subsys->acting = &n->pci.device;
	if (n->work_sq[o->index])
		status = nvme_io(n, &c, &result);
	else
		status = nvme_admin(n, &c, &result);
	n->subsys->acting = NULL;
	if (n->csts & NVME_CSTS_CFS) /* it broke on the way */
		return;
	if (status == NVME_HELD || n->work_state[o->index] == NVME_WORK_LATE)
		work_stop(n, o->index);
	else
		finish(n, o->index, status, result);
	pump(n);
}

/* ---- enable, reset, shutdown (7.3, 7.6) ---- */

static void controller_reset(struct nvme *n)
{
	struct evq *q = queue_of(n);

	evq_cancel(q, &n->ready);
	evq_cancel(q, &n->shutdown);
	work_forget(n);
	memset(n->sq_base, 0, sizeof(n->sq_base));
	memset(n->cq_base, 0, sizeof(n->cq_base));
	memset(n->sq_size, 0, sizeof(n->sq_size));
	memset(n->cq_size, 0, sizeof(n->cq_size));
	memset(n->sq_head, 0, sizeof(n->sq_head));
	memset(n->sq_tail, 0, sizeof(n->sq_tail));
	memset(n->cq_head, 0, sizeof(n->cq_head));
	memset(n->cq_tail, 0, sizeof(n->cq_tail));
	memset(n->sq_cq, 0, sizeof(n->sq_cq));
	memset(n->cq_phase, 0, sizeof(n->cq_phase));
	memset(n->cq_vector, 0, sizeof(n->cq_vector));
	memset(n->cq_interrupts, 0, sizeof(n->cq_interrupts));
	n->turn = 0;
	n->csts = n->fault_dead ? NVME_CSTS_CFS : 0;
	n->intm = 0;
	for (unsigned v = 0; v < NVME_QUEUES; v++)
		pci_msix_withdraw(&n->pci, v);
	nvme_admin_reset(n);
	pin_update(n);
}

static void enable(struct nvme *n)
{
	uint32_t sq = (n->aqa & 0xFFF) + 1, cq = (n->aqa >> 16 & 0xFFF) + 1;

	if (n->fault_dead)
		return;
	if ((n->cc & (CC_CSS | CC_MPS | CC_AMS)) || sq < 2 || cq < 2) {
		nvme_fatal(n, "enabled with impossible CC or AQA", n->cc);
		return;
	}
	n->sq_base[0] = n->asq;
	n->cq_base[0] = n->acq;
	n->sq_size[0] = sq;
	n->cq_size[0] = cq;
	n->cq_phase[0] = 1;
	n->cq_interrupts[0] = 1; /* always, on vector 0 */
	evq_schedule(queue_of(n), &n->ready, now(n) + NVME_ENABLE_PS);
}

static void ready_fire(void *owner, ps_t when)
{
	struct nvme *n = owner;

	(void)when;
	n->csts |= NVME_CSTS_RDY;
}

static void shutdown_begin(struct nvme *n)
{
	ps_t takes = NVME_SHUTDOWN_PS;

	if ((n->cc & CC_SHN) == CC_SHN_NORMAL)
		takes += n->subsys->flush_ps;
	n->csts = (n->csts & ~NVME_CSTS_SHST) | SHST_BUSY;
	evq_schedule(queue_of(n), &n->shutdown, now(n) + takes);
}

static void shutdown_fire(void *owner, ps_t when)
{
	struct nvme *n = owner;

	(void)when;
	n->subsys->acting = &n->pci.device;
	if ((n->cc & CC_SHN) == CC_SHN_NORMAL && !nvme_subsys_flush(n->subsys))
		nvme_subsys_host_failed(n->subsys);
	n->subsys->acting = NULL;
	n->csts = (n->csts & ~NVME_CSTS_SHST) | SHST_DONE;
}

static void cc_write(struct nvme *n, uint32_t value)
{
	uint32_t old = n->cc;

	n->cc = value & CC_WRITABLE;
	if ((old & NVME_CC_EN) && !(value & NVME_CC_EN)) {
		controller_reset(n);
		return;
	}
	if (!(old & NVME_CC_EN) && (value & NVME_CC_EN))
		enable(n);
	if ((value & CC_SHN) && !(old & CC_SHN))
		shutdown_begin(n);
}

/* ---- registers (3.1) ---- */

static uint32_t reg_read(struct nvme *n, uint64_t off)
{
	switch (off) {
	case NVME_CAP:
		return (uint32_t)CAP_VALUE;
	case NVME_CAP + 4:
		return (uint32_t)(CAP_VALUE >> 32);
	case NVME_VS:
		return NVME_VERSION_1_4;
	case NVME_INTMS:
	case NVME_INTMC:
		return n->intm;
	case NVME_CC:
		return n->cc;
	case NVME_CSTS:
		return n->csts;
	case NVME_AQA:
		return n->aqa;
	case NVME_ASQ:
		return (uint32_t)n->asq;
	case NVME_ASQ + 4:
		return (uint32_t)(n->asq >> 32);
	case NVME_ACQ:
		return (uint32_t)n->acq;
	case NVME_ACQ + 4:
		return (uint32_t)(n->acq >> 32);
	default: /* reserved, optional and doorbell registers read zero */
		return 0;
	}
}

static void half_write(uint64_t *reg, unsigned half, uint32_t value)
{
	uint64_t mask = UINT64_C(0xFFFFFFFF) << 32 * half;

	*reg = (*reg & ~mask) | (uint64_t)value << 32 * half;
	*reg &= ~(PAGE_BYTES - 1); /* 3.1.9: bits 11:0 are reserved */
}

static void doorbell(struct nvme *n, uint64_t off, uint32_t value)
{
	unsigned index = (unsigned)(off - NVME_DOORBELLS) / 4, q = index / 2;
	bool completion = index & 1;
	uint32_t size = 0;

	if (q < NVME_QUEUES)
		size = completion ? n->cq_size[q] : n->sq_size[q];
	if (!(n->csts & NVME_CSTS_RDY) || value >= size) {
		odd(n, "doorbell of no queue or beyond its end", off, value);
		/* Figure 147: of an invalid queue, of an invalid value. */
		if (is_working(n))
			nvme_event(n, NVME_EVENT_ERROR, size ? 1 : 0);
		return;
	}
	if (!completion) {
		n->sq_tail[q] = value;
	} else {
		n->cq_head[q] = value;
		if (vector_idle(n, n->cq_vector[q]))
			pci_msix_withdraw(&n->pci, n->cq_vector[q]);
		if (!(n->csts & NVME_CSTS_CFS))
			post_waiting(n, q);
		nvme_events_deliver(n);
		pin_update(n);
	}
	pump(n);
}

static void reg_write(struct nvme *n, uint64_t off, uint32_t value)
{
	switch (off) {
	case NVME_INTMS:
	case NVME_INTMC:
		/* 3.1.3: not to be touched with MSI-X. */
		n->intm =
			off == NVME_INTMS ? n->intm | value : n->intm & ~value;
		pin_update(n);
		break;
	case NVME_CC:
		cc_write(n, value);
		break;
	case NVME_AQA:
		n->aqa = value & 0x0FFF0FFF;
		break;
	case NVME_ASQ:
	case NVME_ASQ + 4:
		half_write(&n->asq, off != NVME_ASQ, value);
		break;
	case NVME_ACQ:
	case NVME_ACQ + 4:
		half_write(&n->acq, off != NVME_ACQ, value);
		break;
	case NVME_DOORBELLS ... NVME_MSIX_TABLE - 1:
		doorbell(n, off, value);
		break;
	default:
		odd(n, "write to no register or a read-only one", off, value);
		break;
	}
}

static uint64_t nvme_read(struct device *d, uint64_t off, unsigned size)
{
	struct nvme *n = (struct nvme *)d;
	uint64_t value;

	if (n->subsys->dead)
		return UINT64_MAX >> (64 - 8 * size);
	if (off >= NVME_MSIX_PBA)
		return pci_msix_pba_read(&n->pci, off - NVME_MSIX_PBA, size);
	if (off >= NVME_MSIX_TABLE)
		return pci_msix_table_read(&n->pci, off - NVME_MSIX_TABLE,
					   size);
	value = reg_read(n, off);
	if (size == 8)
		value |= (uint64_t)reg_read(n, off + 4) << 32;
	return value;
}

static void nvme_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t value)
{
	struct nvme *n = (struct nvme *)d;

	if (n->subsys->dead)
		return;
	if (off >= NVME_MSIX_PBA) {
		odd(n, "write to pending bits", off, value);
	} else if (off >= NVME_MSIX_TABLE) {
		pci_msix_table_write(&n->pci, off - NVME_MSIX_TABLE, size,
				     value);
	} else {
		reg_write(n, off, (uint32_t)value);
		if (size == 8)
			reg_write(n, off + 4, (uint32_t)(value >> 32));
	}
}

/* ---- faults ---- */

void nvme_power_lost(struct nvme *n, uint64_t bytes)
{
	n->subsys->acting = &n->pci.device;
	for (unsigned w = 0; w < NVME_WORK; w++) {
		struct nvme_command c = work_command(n, w);

		if (n->work_state[w] == NVME_WORK_BUSY && n->work_sq[w])
			(void)nvme_io_tear(n, &c, bytes);
	}
	n->subsys->acting = NULL;
	n->cc = 0;
	controller_reset(n);
	nvme_subsys_host_failed(n->subsys);
}

static bool nvme_fault(struct device *d, const char *name, uint64_t argument,
		       struct error *err)
{
	struct nvme *n = (struct nvme *)d;

	(void)err;
	if (pci_fault(&n->pci, name, argument)) {
		if (n->pci.fault_removed)
			work_stop_all(n);
	} else if (!strcmp(name, "deaf")) {
		n->pci.fault_deaf = argument != 0;
	} else if (!strcmp(name, "slow")) {
		n->fault_slow = argument * PS_PER_US;
	} else if (!strcmp(name, "fatal")) {
		n->fault_dead = argument == 1;
		n->csts |= NVME_CSTS_CFS;
		evq_cancel(queue_of(n), &n->ready);
		evq_cancel(queue_of(n), &n->shutdown);
		work_stop_all(n);
	} else if (!strcmp(name, "timeout")) {
		n->fault_lose = (uint32_t)argument;
		n->fault_lose_all = !argument;
	} else if (!strcmp(name, "health")) {
		n->fault_health = argument & NVME_WARNINGS;
		nvme_health_update(n);
	} else {
		n->fault_status = argument & 0x7FFF;
		n->fault_errors = argument >> 16 & 0xFFFF;
		if (!n->fault_errors)
			n->fault_errors = 1;
	}
	return true;
}

/* ---- life ---- */

/* A controller that is broken stays broken while the power is on. */
static void nvme_warm_reset(struct device *d)
{
	struct nvme *n = (struct nvme *)d;

	pci_function_reset(&n->pci);
	n->asq = n->acq = 0;
	n->aqa = n->cc = 0;
	n->error_count = n->work_count = 0;
	memset(n->error_log, 0, sizeof(n->error_log));
	n->units_read = n->units_written = n->reads = n->writes = 0;
	controller_reset(n);
}

static void nvme_reset(struct device *d)
{
	struct nvme *n = (struct nvme *)d;

	n->fault_dead = n->fault_lose = n->fault_lose_all = 0;
	n->fault_errors = n->fault_status = n->fault_health = 0;
	n->fault_slow = 0;
	n->pci.fault_deaf = 0;
	nvme_warm_reset(d);
}

static void nvme_flr(struct pci_function *f)
{
	struct nvme *n = (struct nvme *)f;

	n->asq = n->acq = 0; /* 7.3.1: registers too */
	n->aqa = n->cc = 0;
	controller_reset(n);
}

static void events_init(struct nvme *n)
{
	const char *name = n->pci.device.name;

	snprintf(n->ready_name, sizeof(n->ready_name), "%s.ready", name);
	snprintf(n->shutdown_name, sizeof(n->shutdown_name), "%s.shutdown",
		 name);
	n->ready = (struct event){.name = n->ready_name,
				  .fire = ready_fire,
				  .owner = n,
				  .rank = EVQ_DEVICE};
	n->shutdown = (struct event){.name = n->shutdown_name,
				     .fire = shutdown_fire,
				     .owner = n,
				     .rank = EVQ_DEVICE};
	evq_register(queue_of(n), &n->ready);
	evq_register(queue_of(n), &n->shutdown);
	for (unsigned w = 0; w < NVME_WORK; w++) {
		snprintf(n->work_name[w], sizeof(n->work_name[w]), "%s.work%u",
			 name, w);
		n->work_owner[w] = (struct nvme_work_owner){n, w};
		n->work[w] = (struct event){.name = n->work_name[w],
					    .fire = work_fire,
					    .owner = &n->work_owner[w],
					    .rank = EVQ_DEVICE};
		evq_register(queue_of(n), &n->work[w]);
	}
}

static bool subsystem_join(struct nvme *n, const struct device_prop *props,
			   size_t count, struct error *err)
{
	struct device *d = &n->pci.device;
	const struct device_prop *subsys =
		device_prop_find(props, count, "subsystem");
	const struct device_prop *controller =
		device_prop_find(props, count, "controller");

	n->controller = controller ? (unsigned)controller->value : 0;
	n->subsys = subsys && subsys->text
			    ? (struct nvme_subsys *)machine_device(d->machine,
								   subsys->text)
			    : NULL;
	if (!n->subsys)
		return error_set(err, EXIT_USAGE,
				 "%s: property subsystem must name an "
				 "nvme_subsys device added before it",
				 d->name);
	if (n->controller >= NVME_CONTROLLERS_MAX ||
	    n->subsys->controller[n->controller])
		return error_set(err, EXIT_USAGE,
				 "%s: controller number %u is taken or too "
				 "high; choose a free one below %d",
				 d->name, n->controller, NVME_CONTROLLERS_MAX);
	n->subsys->controller[n->controller] = n;
	return true;
}

static bool nvme_init(struct device *d, const struct device_prop *props,
		      size_t prop_count, struct error *err)
{
	static const struct pci_ident ident = {
		.vendor = 0x1B36, /* as QEMU's controller */
		.device = 0x0010,
		.class_code = 0x010802,
		.revision = 2,
		.subsystem_vendor = 0x1AF4,
		.subsystem = 0x1100,
	};
	static const struct bus_ops ops = {nvme_read, nvme_write, 4, 8};
	struct nvme *n = (struct nvme *)d;

	_Static_assert(NVME_QUEUES <= PCI_MSIX_VECTORS_MAX, "vectors");
	if (!pci_function_init(&n->pci, &ident, props, prop_count, err) ||
	    !pci_bar_declare(&n->pci, 0, NVME_BAR_BYTES, &ops, props,
			     prop_count, err) ||
	    !subsystem_join(n, props, prop_count, err))
		return false;
	pci_msix_declare(&n->pci, NVME_QUEUES, 0, NVME_MSIX_TABLE,
			 NVME_MSIX_PBA);
	pci_msi_declare(&n->pci);
	pci_express_declare(&n->pci);
	n->pci.flr = nvme_flr;
	n->pci.config_written = config_written;
	events_init(n);
	return true;
}

static void nvme_fini(struct device *d)
{
	struct nvme *n = (struct nvme *)d;

	work_stop_all(n);
	evq_cancel(queue_of(n), &n->ready);
	evq_cancel(queue_of(n), &n->shutdown);
	pci_function_fini(&n->pci);
}

#define F(member) DEVICE_FIELD(struct nvme, member)
#define A(member) DEVICE_ARRAY(struct nvme, member)
static const struct device_field nvme_fields[] = {
	PCI_FIELDS(struct nvme),
	F(asq),
	F(acq),
	F(aqa),
	F(cc),
	F(csts),
	F(intm),
	A(sq_base),
	A(cq_base),
	A(sq_size),
	A(cq_size),
	A(sq_head),
	A(sq_tail),
	A(cq_head),
	A(cq_tail),
	A(sq_cq),
	A(cq_phase),
	A(cq_vector),
	A(cq_interrupts),
	F(granted),
	F(turn),
	A(work_state),
	A(work_sq),
	A(work_dw),
	A(work_status),
	A(work_result),
	A(work_order),
	F(work_count),
	A(event_cid),
	F(event_count),
	A(event_info),
	F(event_pending),
	F(event_silent),
	F(changed),
	F(warned),
	F(cold),
	A(feature),
	F(error_count),
	A(error_log),
	F(units_read),
	F(units_written),
	F(reads),
	F(writes),
	F(fault_dead),
	F(fault_lose),
	F(fault_lose_all),
	F(fault_errors),
	F(fault_status),
	F(fault_health),
	F(fault_slow),
	{NULL, 0, 0, 0},
};
#undef F
#undef A

static const struct device_register nvme_registers[] = {
	{"CAP", NVME_CAP, 8},
	{"VS", NVME_VS, 4},
	{"INTMS", NVME_INTMS, 4},
	{"INTMC", NVME_INTMC, 4},
	{"CC", NVME_CC, 4},
	{"CSTS", NVME_CSTS, 4},
	{"NSSR", NVME_NSSR, 4},
	{"AQA", NVME_AQA, 4},
	{"ASQ", NVME_ASQ, 8},
	{"ACQ", NVME_ACQ, 8},
	{"SQ0TDBL", 0x1000, 4},
	{"CQ0HDBL", 0x1004, 4},
	{"SQ1TDBL", 0x1008, 4},
	{"CQ1HDBL", 0x100C, 4},
	{NULL, 0, 0},
};

static const char *const nvme_faults[] = {"fatal",    "timeout", "error",
					  "health",   "slow",    "deaf",
					  PCI_FAULTS, NULL};

const struct device_class nvme_class = {
	.name = "nvme",
	.summary = "NVMe 1.4 controller of a shared subsystem",
	.object_bytes = sizeof(struct nvme),
	.fields = nvme_fields,
	.registers = nvme_registers,
	.faults = nvme_faults,
	.init = nvme_init,
	.reset = nvme_reset,
	.warm_reset = nvme_warm_reset,
	.fault = nvme_fault,
	.fini = nvme_fini,
};
