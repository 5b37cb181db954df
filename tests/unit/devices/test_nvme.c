/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe as a driver sees it: registers, queues, every command and its errors;
 * two controllers on one namespace; exact instants; injected faults. */
#include "devices/nvme.h"

#include <string.h>

#include "devices/lapic.h"
#include "harness.h"

#define BAR(i) (UINT64_C(0xC0020000) + (i)*UINT64_C(0x10000))
#define ECAM(i, off)                                                           \
	(PCI_ECAM_BASE + ((uint64_t)(2 + (i)) << 15) + (unsigned)(off))

/* Where the driver keeps things, apart by controller. */
#define HOME(i) (UINT64_C(0x100000) + (i)*UINT64_C(0x100000))
#define ASQ(i)  (HOME(i) + 0x0000)
#define ACQ(i)  (HOME(i) + 0x1000)
#define IOSQ(i) (HOME(i) + 0x2000)
#define IOCQ(i) (HOME(i) + 0x3000)
#define DATA(i) (HOME(i) + 0x10000)
#define LIST(i) (HOME(i) + 0x8000)
#define ENTRIES 16u
#define VECTOR  0x50

struct queue {
	paddr_t sq, cq;
	unsigned id, tail, head, phase, entries;
};

struct driver {
	struct rig *r;
	unsigned i;
	struct queue admin, io;
	uint16_t cid;
};

struct done {
	bool any;
	uint32_t result;
	uint16_t sq_head, sq_id, cid, status; /* without the phase */
};

static uint32_t reg(struct driver *v, unsigned off)
{
	return (uint32_t)rig_read(v->r, BAR(v->i) + off, 4);
}

static void reg_set(struct driver *v, unsigned off, uint32_t value)
{
	rig_write(v->r, BAR(v->i) + off, 4, value);
}

static void ring(struct driver *v, struct queue *q)
{
	reg_set(v, (unsigned)(NVME_DOORBELLS + 8 * q->id), q->tail);
}

/* Queues a command without telling the controller. */
static uint16_t put(struct driver *v, struct queue *q, struct nvme_command c)
{
	c.dw[0] |= (uint32_t)++v->cid << 16;
	cr_assert(bus_poke(v->r->bus, q->sq + 64ull * q->tail, &c, 64));
	q->tail = (q->tail + 1) % q->entries;
	return v->cid;
}

static uint16_t submit(struct driver *v, struct queue *q, struct nvme_command c)
{
	uint16_t cid = put(v, q, c);

	ring(v, q);
	return cid;
}

static struct done take(struct driver *v, struct queue *q)
{
	struct done d = {0};
	uint32_t e[4];

	cr_assert(bus_peek(v->r->bus, q->cq + 16ull * q->head, e, 16));
	if ((e[3] >> 16 & 1) != q->phase)
		return d;
	if (++q->head == q->entries) {
		q->head = 0;
		q->phase ^= 1;
	}
	reg_set(v, (unsigned)(NVME_DOORBELLS + 8 * q->id + 4), q->head);
	return (struct done){true,           e[0],
			     (uint16_t)e[2], (uint16_t)(e[2] >> 16),
			     (uint16_t)e[3], (uint16_t)(e[3] >> 17)};
}

/* Runs until its completion comes; the time is the caller's to look at. */
static struct done wait(struct driver *v, struct queue *q)
{
	for (unsigned i = 0; i < 100; i++) {
		struct done d = take(v, q);

		if (d.any)
			return d;
		if (evq_next(machine_evq(v->r->m)) == PS_NEVER)
			break;
		rig_run_to(v->r, evq_next(machine_evq(v->r->m)));
	}
	return (struct done){0};
}

static uint16_t run(struct driver *v, struct queue *q, struct nvme_command c)
{
	uint16_t cid = submit(v, q, c);
	struct done d = wait(v, q);

	cr_assert(d.any, "no completion");
	cr_assert_eq(d.cid, cid);
	cr_assert_eq(d.sq_id, q->id);
	return d.status;
}

static struct nvme_command command(uint8_t opcode, uint32_t nsid, paddr_t prp1,
				   uint32_t dw10, uint32_t dw11, uint32_t dw12)
{
	return (struct nvme_command){{opcode, nsid, 0, 0, 0, 0, (uint32_t)prp1,
				      (uint32_t)(prp1 >> 32), 0, 0, dw10, dw11,
				      dw12, 0, 0, 0}};
}

static struct nvme_command io_command(uint8_t opcode, paddr_t data,
				      uint32_t lba, uint32_t blocks)
{
	return command(opcode, 1, data, lba, 0, blocks - 1);
}

#define FLUSH 0
#define WRITE 1
#define READ  2
#define FUA   (1u << 30)

static void queue_init(struct driver *v, struct queue *q, unsigned id,
		       paddr_t sq, paddr_t cq, unsigned entries)
{
	static const uint8_t zero[4096];

	*q = (struct queue){
		.sq = sq, .cq = cq, .id = id, .phase = 1, .entries = entries};
	cr_assert(bus_poke(v->r->bus, cq, zero, sizeof(zero)));
}

/* Enabled and ready, admin queue only. */
static void enable(struct driver *v, struct rig *r, unsigned i)
{
	*v = (struct driver){.r = r, .i = i};
	rig_write(r, ECAM(i, PCI_COMMAND), 2, 6);
	queue_init(v, &v->admin, 0, ASQ(i), ACQ(i), ENTRIES);
	reg_set(v, NVME_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	rig_write(r, BAR(i) + NVME_ASQ, 8, ASQ(i));
	rig_write(r, BAR(i) + NVME_ACQ, 8, ACQ(i));
	reg_set(v, NVME_CC, 0x00460001);
	cr_assert_eq(reg(v, NVME_CSTS), 0, "not at once");
	rig_run(r, NVME_ENABLE_PS);
	cr_assert_eq(reg(v, NVME_CSTS), NVME_CSTS_RDY);
}

static void io_queues(struct driver *v, unsigned entries)
{
	queue_init(v, &v->io, 1, IOSQ(v->i), IOCQ(v->i), entries);
	cr_assert_eq(
		run(v, &v->admin,
		    command(0x05, 0, v->io.cq, (entries - 1) << 16 | 1,
			    pci_msix_enabled(
				    (struct pci_function *)machine_device(
					    v->r->m, v->i ? "nvme1" : "nvme0"))
				    ? 1 << 16 | 3
				    : 3,
			    0)),
		0);
	cr_assert_eq(run(v, &v->admin,
			 command(0x01, 0, v->io.sq, (entries - 1) << 16 | 1,
				 1 << 16 | 1, 0)),
		     0);
}

static void start(struct driver *v, struct rig *r)
{
	rig_disk_start(r);
	enable(v, r, 0);
	io_queues(v, ENTRIES);
}

static void fill(struct rig *r, paddr_t pa, uint8_t byte, size_t bytes)
{
	cr_assert(bus_ram(r->bus, pa, bytes));
	memset(bus_ram(r->bus, pa, bytes), byte, bytes);
}

static uint8_t peek(struct rig *r, paddr_t pa)
{
	return *bus_ram(r->bus, pa, 1);
}

static uint8_t medium(struct rig *r, uint64_t lba)
{
	uint8_t byte;

	rig_image_read(r, lba * 512, &byte, 1);
	return byte;
}

static void fault(struct rig *r, const char *device, const char *name,
		  uint64_t argument)
{
	struct error err = {0};

	cr_assert(device_fault(machine_device(r->m, device), name, argument,
			       &err),
		  "%s", err.text);
}

/* ---- registers ---- */

Test(nvme, capabilities_are_those_of_the_design)
{
	struct rig r;
	struct driver v = {.r = &r};
	uint64_t cap;

	rig_disk_start(&r);
	cap = rig_read(&r, BAR(0), 8);
	cr_expect_eq(cap & 0xFFFF, 1023, "MQES");
	cr_expect_eq(cap >> 16 & 1, 1, "CQR");
	cr_expect_eq(cap >> 32 & 0xF, 0, "DSTRD");
	cr_expect_eq(cap >> 37 & 0xFF, 1, "CSS");
	cr_expect_eq(cap >> 48, 0, "MPSMIN, MPSMAX");
	cr_expect_eq(reg(&v, NVME_CAP + 4), cap >> 32);
	cr_expect_eq(reg(&v, NVME_VS), 0x00010400);
	cr_expect_eq(reg(&v, NVME_CSTS), 0);
	rig_write(&r, BAR(0) + NVME_ASQ, 8, 0x123456789ABCDEFF);
	cr_expect_eq(rig_read(&r, BAR(0) + NVME_ASQ, 8), 0x123456789ABCD000);
	rig_stop(&r);
}

Test(nvme, impossible_settings_at_enable_are_fatal_until_reset)
{
	static const uint32_t cc[] = {0x00460011, 0x00460081, 0x00460801};
	struct rig r;
	struct driver v = {.r = &r};

	rig_disk_start(&r);
	reg_set(&v, NVME_AQA, 0x000F000F);
	for (unsigned i = 0; i < ARRAY_LEN(cc); i++) {
		reg_set(&v, NVME_CC, cc[i]);
		cr_expect_eq(reg(&v, NVME_CSTS), NVME_CSTS_CFS);
		reg_set(&v, NVME_CC, 0);
		cr_expect_eq(reg(&v, NVME_CSTS), 0);
	}
	reg_set(&v, NVME_AQA, 0);
	reg_set(&v, NVME_CC, 0x00460001);
	cr_expect_eq(reg(&v, NVME_CSTS), NVME_CSTS_CFS);
	rig_stop(&r);
}

Test(nvme, doorbells_of_no_queue_are_odd_and_harmless)
{
	struct rig r;
	struct driver v = {.r = &r};
	unsigned odds;

	rig_disk_start(&r);
	reg_set(&v, 0x1000, 1);
	cr_expect_eq(r.odds, 1);
	enable(&v, &r, 0);
	odds = r.odds;
	reg_set(&v, 0x1000, ENTRIES);
	reg_set(&v, 0x1008, 1);
	reg_set(&v, 0x1FFC, 1);
	cr_expect_eq(r.odds, odds + 3);
	cr_expect_eq(reg(&v, NVME_CSTS), NVME_CSTS_RDY);
	rig_stop(&r);
}

Test(nvme, a_queue_outside_ram_is_fatal)
{
	struct rig r;
	struct driver v;

	rig_disk_start(&r);
	enable(&v, &r, 0);
	reg_set(&v, NVME_CC, 0);
	rig_write(&r, BAR(0) + NVME_ASQ, 8, UINT64_C(0x90000000));
	reg_set(&v, NVME_CC, 0x00460001);
	rig_run(&r, NVME_ENABLE_PS);
	reg_set(&v, 0x1000, 1);
	cr_expect(reg(&v, NVME_CSTS) & NVME_CSTS_CFS);
	rig_stop(&r);
}

Test(nvme, disabling_forgets_queues_and_what_is_in_flight)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	submit(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	reg_set(&v, NVME_CC, 0x00460000);
	cr_expect_eq(reg(&v, NVME_CSTS), 0);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.io).any);
	cr_expect_eq(r.disk_count, 0, "it never happened");
	cr_expect_eq(reg(&v, NVME_AQA), 0x000F000F, "kept (7.3.2)");
	enable(&v, &r, 0);
	io_queues(&v, ENTRIES);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), 3, 1)), 0);
	cr_expect_eq(peek(&r, DATA(0)), 0);
	rig_stop(&r);
}

Test(nvme, normal_shutdown_flushes_and_reports)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	run(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	cr_expect_eq(medium(&r, 3), 0);
	reg_set(&v, NVME_CC, 0x00464001);
	cr_expect_eq(reg(&v, NVME_CSTS) & NVME_CSTS_SHST, 4);
	rig_run(&r, NVME_SHUTDOWN_PS + NVME_FLUSH_PS);
	cr_expect_eq(reg(&v, NVME_CSTS) & NVME_CSTS_SHST, 8);
	cr_expect_eq(medium(&r, 3), 'x');
	reg_set(&v, NVME_CC, 0);
	cr_expect_eq(reg(&v, NVME_CSTS), 0);
	rig_stop(&r);
}

Test(nvme, abrupt_shutdown_flushes_nothing)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	run(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	reg_set(&v, NVME_CC, 0x00468001);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(reg(&v, NVME_CSTS) & NVME_CSTS_SHST, 8);
	cr_expect_eq(medium(&r, 3), 0);
	rig_stop(&r);
}

/* ---- admin commands ---- */

static uint32_t word(struct rig *r, paddr_t pa)
{
	uint32_t value = 0;

	cr_assert(bus_peek(r->bus, pa, &value, 4));
	return value;
}

static uint16_t identify(struct driver *v, uint32_t cns, uint32_t nsid)
{
	fill(v->r, DATA(v->i), 0xEE, 4096);
	return run(v, &v->admin, command(0x06, nsid, DATA(v->i), cns, 0, 0));
}

Test(nvme, identify_tells_one_subsystem_with_two_controllers)
{
	struct rig r;
	struct driver v[2];
	uint8_t serial[2][64];

	rig_disk_start(&r);
	for (unsigned i = 0; i < 2; i++) {
		enable(&v[i], &r, i);
		cr_assert_eq(identify(&v[i], 1, 0), 0);
		memcpy(serial[i], bus_ram(r.bus, DATA(i) + 4, 60), 60);
		cr_expect_eq(word(&r, DATA(i) + 76) & 0xFF, 2, "CMIC");
		cr_expect_eq(peek(&r, DATA(i) + 77), NVME_MDTS);
		cr_expect_eq(word(&r, DATA(i) + 78) & 0xFFFF, i, "CNTLID");
		cr_expect_eq(word(&r, DATA(i) + 80), 0x00010400);
		cr_expect_eq(peek(&r, DATA(i) + 111), 1);
		cr_expect_eq(word(&r, DATA(i) + 512) & 0xFFFF, 0x4466);
		cr_expect_eq(word(&r, DATA(i) + 516), 1, "NN");
		cr_expect_eq(peek(&r, DATA(i) + 525) & 1, 1, "VWC");
	}
	cr_expect_eq(memcmp(serial[0], serial[1], 60), 0);
	cr_assert_eq(identify(&v[1], 0x13, 0), 0);
	cr_expect_eq(word(&r, DATA(1)), 2);
	cr_expect_eq(word(&r, DATA(1) + 4), 1);
	rig_stop(&r);
}

Test(nvme, identify_tells_one_shared_namespace)
{
	struct rig r;
	struct driver v;

	rig_disk_start(&r);
	enable(&v, &r, 0);
	cr_assert_eq(identify(&v, 0, 1), 0);
	cr_expect_eq(word(&r, DATA(0)), RIG_IMAGE_BYTES / 512);
	cr_expect_eq(word(&r, DATA(0) + 8), RIG_IMAGE_BYTES / 512);
	cr_expect_eq(peek(&r, DATA(0) + 30), 1, "NMIC");
	cr_expect_eq(word(&r, DATA(0) + 128), 9u << 16, "LBAF0");
	cr_assert_eq(identify(&v, 2, 0), 0);
	cr_expect_eq(word(&r, DATA(0)), 1);
	cr_expect_eq(word(&r, DATA(0) + 4), 0);
	cr_assert_eq(identify(&v, 2, 1), 0);
	cr_expect_eq(word(&r, DATA(0)), 0);
	cr_assert_eq(identify(&v, 3, 1), 0);
	cr_expect_eq(word(&r, DATA(0)) & 0xFFFF, 0x0801);
	cr_expect_eq(identify(&v, 0, 2), NVME_INVALID_NAMESPACE);
	cr_expect_eq(identify(&v, 0, 0), NVME_INVALID_NAMESPACE);
	cr_expect_eq(identify(&v, 0x55, 1), NVME_INVALID_FIELD);
	rig_stop(&r);
}

static uint16_t create_cq(struct driver *v, uint32_t qid, uint32_t entries,
			  paddr_t base, uint32_t dw11)
{
	return run(v, &v->admin,
		   command(0x05, 0, base, (entries - 1) << 16 | qid, dw11, 0));
}

static uint16_t create_sq(struct driver *v, uint32_t qid, uint32_t entries,
			  paddr_t base, uint32_t dw11)
{
	return run(v, &v->admin,
		   command(0x01, 0, base, (entries - 1) << 16 | qid, dw11, 0));
}

Test(nvme, queue_creation_and_deletion_are_checked)
{
	struct rig r;
	struct driver v;

	rig_disk_start(&r);
	enable(&v, &r, 0);
	cr_expect_eq(create_cq(&v, 0, 16, IOCQ(0), 3), NVME_INVALID_QID);
	cr_expect_eq(create_cq(&v, 17, 16, IOCQ(0), 3), NVME_INVALID_QID);
	cr_expect_eq(create_cq(&v, 1, 1, IOCQ(0), 3), NVME_INVALID_QUEUE_SIZE);
	cr_expect_eq(create_cq(&v, 1, 1025, IOCQ(0), 3),
		     NVME_INVALID_QUEUE_SIZE);
	cr_expect_eq(create_cq(&v, 1, 16, IOCQ(0) + 8, 3),
		     NVME_INVALID_PRP_OFFSET);
	cr_expect_eq(create_cq(&v, 1, 16, IOCQ(0), 2), NVME_INVALID_FIELD);
	cr_expect_eq(create_cq(&v, 1, 16, IOCQ(0), 99 << 16 | 3),
		     NVME_INVALID_VECTOR);
	cr_expect_eq(create_sq(&v, 1, 16, IOSQ(0), 1 << 16 | 1),
		     NVME_INVALID_CQ);
	cr_expect_eq(create_cq(&v, 1, 16, IOCQ(0), 3), 0);
	cr_expect_eq(create_cq(&v, 1, 16, IOCQ(0), 3), NVME_INVALID_QID);
	cr_expect_eq(create_sq(&v, 1, 16, IOSQ(0), 1 << 16 | 1), 0);
	cr_expect_eq(create_sq(&v, 1, 16, IOSQ(0), 1 << 16 | 1),
		     NVME_INVALID_QID);
	cr_expect_eq(run(&v, &v.admin, command(0x04, 0, 0, 1, 0, 0)),
		     NVME_INVALID_QUEUE_DELETION);
	cr_expect_eq(run(&v, &v.admin, command(0x00, 0, 0, 2, 0, 0)),
		     NVME_INVALID_QID);
	cr_expect_eq(run(&v, &v.admin, command(0x00, 0, 0, 1, 0, 0)), 0);
	cr_expect_eq(run(&v, &v.admin, command(0x04, 0, 0, 1, 0, 0)), 0);
	cr_expect_eq(run(&v, &v.admin, command(0x04, 0, 0, 1, 0, 0)),
		     NVME_INVALID_QID);
	rig_stop(&r);
}

Test(nvme, deleting_a_submission_queue_aborts_what_it_fetched)
{
	struct rig r;
	struct driver v;
	struct done d;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	submit(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	cr_expect_eq(run(&v, &v.admin, command(0x00, 0, 0, 1, 0, 0)), 0);
	d = take(&v, &v.io);
	cr_expect(d.any);
	cr_expect_eq(d.status, NVME_ABORT_SQ_DELETION);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(r.disk_count, 0);
	rig_stop(&r);
}

static struct done feature(struct driver *v, uint8_t opcode, uint32_t dw10,
			   uint32_t dw11)
{
	submit(v, &v->admin, command(opcode, 0, 0, dw10, dw11, 0));
	return wait(v, &v->admin);
}

Test(nvme, features_are_set_got_and_refused)
{
	struct rig r;
	struct driver v;
	struct done d;

	rig_disk_start(&r);
	enable(&v, &r, 0);
	d = feature(&v, 0x09, 7, 2 << 16 | 3);
	cr_expect_eq(d.status, 0);
	cr_expect_eq(d.result, 0x00030003);
	d = feature(&v, 0x09, 7, 0x00FF00FF);
	cr_expect_eq(d.result, 0x000F000F, "no more than there are");
	cr_expect_eq(feature(&v, 0x09, 7, 0xFFFF).status, NVME_INVALID_FIELD);
	io_queues(&v, ENTRIES);
	cr_expect_eq(feature(&v, 0x09, 7, 0).status, NVME_SEQUENCE_ERROR);
	cr_expect_eq(feature(&v, 0x0A, 6, 0).result, 1);
	cr_expect_eq(feature(&v, 0x09, 0x0B, 0x1FF).status, 0);
	cr_expect_eq(feature(&v, 0x0A, 0x0B, 0).result, 0x1FF);
	cr_expect_eq(feature(&v, 0x0A, 0x10B, 0).result, 0, "default");
	cr_expect_eq(feature(&v, 0x0A, 0x30B, 0).result, 4, "capabilities");
	cr_expect_eq(feature(&v, 0x09, 0x80000006, 0).status,
		     NVME_NOT_SAVEABLE);
	cr_expect_eq(feature(&v, 0x09, 0x7F, 0).status, NVME_INVALID_FIELD);
	cr_expect_eq(feature(&v, 0x0A, 0x7F, 0).status, NVME_INVALID_FIELD);
	rig_stop(&r);
}

Test(nvme, log_pages_count_work_and_errors)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	run(&v, &v.io, io_command(READ, DATA(0), 0, 8));
	run(&v, &v.io, io_command(READ, DATA(0), 0x7FFFFFFF, 1));
	cr_expect_eq(
		run(&v, &v.admin,
		    command(0x02, UINT32_MAX, DATA(0), 127 << 16 | 2, 0, 0)),
		0);
	cr_expect_eq(word(&r, DATA(0) + 64), 1, "reads");
	cr_expect_eq(word(&r, DATA(0) + 32), 1, "thousands of units");
	cr_expect_eq(word(&r, DATA(0) + 176), 1, "errors");
	run(&v, &v.admin,
	    command(0x02, UINT32_MAX, DATA(0), 31 << 16 | 1, 0, 0));
	cr_expect_eq(word(&r, DATA(0)), 1, "error count");
	cr_expect_eq(word(&r, DATA(0) + 8) & 0xFFFF, 1, "queue");
	cr_expect_eq(word(&r, DATA(0) + 12) & 0xFFFF, NVME_LBA_RANGE << 1);
	cr_expect_eq(word(&r, DATA(0) + 16), 0x7FFFFFFF);
	run(&v, &v.admin,
	    command(0x02, UINT32_MAX, DATA(0), 127 << 16 | 3, 0, 0));
	cr_expect_eq(word(&r, DATA(0)) & 0xFF, 1);
	cr_expect_eq(
		run(&v, &v.admin,
		    command(0x02, UINT32_MAX, DATA(0), 1 << 16 | 0x70, 0, 0)),
		NVME_INVALID_LOG_PAGE);
	rig_stop(&r);
}

Test(nvme, event_requests_are_held_and_can_be_aborted)
{
	struct rig r;
	struct driver v;
	uint16_t cid[5];
	struct done d;

	rig_disk_start(&r);
	enable(&v, &r, 0);
	for (unsigned i = 0; i < 5; i++)
		cid[i] = submit(&v, &v.admin, command(0x0C, 0, 0, 0, 0, 0));
	d = wait(&v, &v.admin);
	cr_expect_eq(d.cid, cid[4], "the fifth is one too many");
	cr_expect_eq(d.status, NVME_TOO_MANY_EVENTS);
	rig_run(&r, PS_PER_S);
	cr_expect_not(take(&v, &v.admin).any);
	submit(&v, &v.admin, command(0x08, 0, 0, (uint32_t)cid[1] << 16, 0, 0));
	d = wait(&v, &v.admin);
	cr_expect_eq(d.cid, cid[1]);
	cr_expect_eq(d.status, NVME_ABORT_REQUESTED);
	d = wait(&v, &v.admin);
	cr_expect_eq(d.result, 0);
	rig_stop(&r);
}

/* Feature 0Bh lets all events through; a request is left. */
static uint16_t listen(struct driver *v, struct rig *r)
{
	rig_disks_start(r);
	enable(v, r, 0);
	io_queues(v, ENTRIES);
	cr_assert_eq(feature(v, 0x09, 0x0B, 0x1FF).status, 0);
	return submit(v, &v->admin, command(0x0C, 0, 0, 0, 0, 0));
}

static void log_read(struct driver *v, uint8_t page, bool retain)
{
	cr_assert_eq(
		run(v, &v->admin,
		    command(0x02, UINT32_MAX, DATA(0),
			    127u << 16 | (retain ? 1u << 15 : 0) | page, 0, 0)),
		0);
}

Test(nvme, a_warning_is_told_once_until_the_log_is_read)
{
	struct rig r;
	struct driver v;
	uint16_t cid = listen(&v, &r);
	struct done d;

	rig_run(&r, PS_PER_MS);
	fault(&r, "nvme0", "health", 4);
	d = take(&v, &v.admin);
	cr_assert(d.any, "at once");
	cr_expect_eq(d.cid, cid);
	cr_expect_eq(d.status, 0);
	cr_expect_eq(d.result, 0x020001, "log 02h, reliability, health");
	/* Silent until the log is read without RAE; then what came last. */
	cid = submit(&v, &v.admin, command(0x0C, 0, 0, 0, 0, 0));
	fault(&r, "nvme0", "health", 4 | 2);
	fault(&r, "nvme0", "health", 4 | 2 | 1);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.admin).any);
	log_read(&v, 2, true);
	cr_expect_eq(word(&r, DATA(0)) & 0xFF, 7);
	cr_expect_eq(word(&r, DATA(0)) >> 24, 5, "spare");
	fault(&r, "nvme0", "health", 0xF);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.admin).any);
	log_read(&v, 2, false);
	/* What the host has seen in the log is not told any more. */
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.admin).any);
	fault(&r, "nvme0", "health", 0);
	fault(&r, "nvme0", "health", 1);
	d = take(&v, &v.admin);
	cr_expect_eq(d.cid, cid);
	cr_expect_eq(d.result, 0x020201, "spare");
	rig_stop(&r);
}

Test(nvme, only_enabled_warnings_are_told_and_temperature_by_its_threshold)
{
	struct rig r;
	struct driver v;
	struct done d;

	listen(&v, &r);
	feature(&v, 0x09, 0x0B, 0x002);
	fault(&r, "nvme0", "health", 4);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.admin).any);
	cr_expect_eq(feature(&v, 0x09, 4, 314).status, 0);
	cr_expect_eq(feature(&v, 0x0A, 4, 0).result, 314);
	cr_expect_eq(feature(&v, 0x09, 4, 1 << 20 | 312).status, 0);
	cr_expect_eq(feature(&v, 0x0A, 4, 1 << 20).result, 312);
	cr_expect_eq(feature(&v, 0x0A, 0x104, 1 << 20).result, 0, "default");
	cr_expect_eq(feature(&v, 0x0A, 0x104, 0).result, 343, "default");
	cr_expect_eq(feature(&v, 0x09, 4, 1 << 16 | 300).status,
		     NVME_INVALID_FIELD, "no such sensor");
	submit(&v, &v.admin, command(0x09, 0, 0, 4, 1 << 20 | 313, 0));
	d = wait(&v, &v.admin);
	cr_expect_eq(d.result, 0x020101, "temperature at the lower threshold");
	rig_stop(&r);
}

Test(nvme, an_impossible_doorbell_is_an_error_event)
{
	struct rig r;
	struct driver v;
	struct done d;

	listen(&v, &r);
	rig_run(&r, PS_PER_MS);
	reg_set(&v, NVME_DOORBELLS + 8, ENTRIES);
	d = take(&v, &v.admin);
	cr_expect_eq(d.result, 0x010100, "log 01h, value, error");
	log_read(&v, 1, false);
	submit(&v, &v.admin, command(0x0C, 0, 0, 0, 0, 0));
	rig_run(&r, PS_PER_MS);
	reg_set(&v, NVME_DOORBELLS + 8 * 5, 0);
	d = take(&v, &v.admin);
	cr_expect_eq(d.result, 0x010000, "log 01h, queue, error");
	rig_stop(&r);
}

Test(nvme, an_event_waits_for_a_request_and_for_room)
{
	struct rig r;
	struct driver v;
	uint16_t cid;
	struct done d;

	rig_disks_start(&r);
	enable(&v, &r, 0);
	feature(&v, 0x09, 0x0B, 0x1FF);
	fault(&r, "nvme0", "health", 8);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.admin).any);
	cid = submit(&v, &v.admin, command(0x0C, 0, 0, 0, 0, 0));
	d = wait(&v, &v.admin);
	cr_expect_eq(d.cid, cid);
	cr_expect_eq(d.result, 0x020001);
	log_read(&v, 2, false);
	/* A completion queue that is full. */
	cid = submit(&v, &v.admin, command(0x0C, 0, 0, 0, 0, 0));
	for (unsigned i = 0; i < ENTRIES - 1; i++)
		submit(&v, &v.admin, command(0x0A, 0, 0, 6, 0, 0));
	rig_run(&r, PS_PER_MS);
	fault(&r, "nvme0", "health", 8 | 4);
	for (unsigned i = 0; i < ENTRIES - 1; i++)
		cr_expect_neq(take(&v, &v.admin).cid, cid);
	d = take(&v, &v.admin);
	cr_expect_eq(d.cid, cid);
	cr_expect_eq(d.result, 0x020001);
	cr_expect_eq(r.odds, 0, "none is lost");
	rig_stop(&r);
}

Test(nvme, namespaces_are_apart_and_named_apart)
{
	struct rig r;
	struct driver v;
	struct nvme_command c;
	uint8_t names[2][64];
	uint64_t nsze;

	listen(&v, &r);
	cr_expect_eq(run(&v, &v.admin, command(6, 0, DATA(0), 1, 0, 0)), 0);
	cr_expect_eq(word(&r, DATA(0) + 516), 2, "NN");
	cr_expect_eq(word(&r, DATA(0) + 92), 0x100, "OAES");
	cr_expect_eq(run(&v, &v.admin, command(6, 0, DATA(0), 2, 0, 0)), 0);
	cr_expect_eq(word(&r, DATA(0)), 1);
	cr_expect_eq(word(&r, DATA(0) + 4), 2);
	cr_expect_eq(word(&r, DATA(0) + 8), 0);
	for (unsigned i = 0; i < 2; i++) {
		run(&v, &v.admin, command(6, i + 1, DATA(0), 3, 0, 0));
		bus_peek(r.bus, DATA(0), names[i], sizeof(names[i]));
		run(&v, &v.admin, command(6, i + 1, DATA(0), 0, 0, 0));
		bus_peek(r.bus, DATA(0), &nsze, 8);
		cr_expect_eq(nsze, RIG_IMAGE_BYTES / 512);
	}
	for (unsigned i = 0, at = 0; i < 3; i++, at += 4u + names[0][at + 1])
		cr_expect_neq(memcmp(names[0] + at, names[1] + at,
				     4u + names[0][at + 1]),
			      0, "descriptor %u", i);
	cr_expect_eq(run(&v, &v.admin, command(6, 3, DATA(0), 0, 0, 0)),
		     NVME_INVALID_NAMESPACE);
	fill(&r, DATA(0), 'n', 512);
	c = io_command(WRITE, DATA(0), 7, 1);
	c.dw[1] = 2;
	cr_expect_eq(run(&v, &v.io, c), 0);
	cr_expect_eq(r.disk[0].nsid, 2);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), 7, 1)), 0);
	cr_expect_eq(word(&r, DATA(0)), 0, "the other has zeroes");
	c = io_command(READ, DATA(0), 7, 1);
	c.dw[1] = 2;
	cr_expect_eq(run(&v, &v.io, c), 0);
	cr_expect_eq(word(&r, DATA(0)) & 0xFF, 'n');
	c.dw[1] = 3;
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_NAMESPACE);
	/* A flush of all reaches both. */
	cr_expect_eq(run(&v, &v.io, command(FLUSH, UINT32_MAX, 0, 0, 0, 0)), 0);
	cr_expect_eq(r.disk[r.disk_count - 1].op, DISK_FLUSHED);
	cr_expect_eq(r.disk[r.disk_count - 1].nsid, 2);
	rig_stop(&r);
}

Test(nvme, a_detached_namespace_is_told_and_comes_back)
{
	struct rig r;
	struct driver v;
	struct nvme_command c = io_command(READ, DATA(0), 0, 1);
	struct error err = {0};
	struct done d;

	listen(&v, &r);
	rig_run(&r, PS_PER_MS);
	c.dw[1] = 2;
	fault(&r, "disk0", "detach", 2);
	d = take(&v, &v.admin);
	cr_expect_eq(d.result, 0x040002, "log 04h, namespace, notice");
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_NAMESPACE);
	run(&v, &v.admin, command(6, 0, DATA(0), 2, 0, 0));
	cr_expect_eq(word(&r, DATA(0) + 4), 0);
	run(&v, &v.admin, command(6, 2, DATA(0), 0, 0, 0));
	cr_expect_eq(word(&r, DATA(0)), 0, "inactive: zeroes");
	log_read(&v, 4, false);
	cr_expect_eq(word(&r, DATA(0)), 2);
	cr_expect_eq(word(&r, DATA(0) + 4), 0);
	log_read(&v, 4, false);
	cr_expect_eq(word(&r, DATA(0)), 0, "read before");
	submit(&v, &v.admin, command(0x0C, 0, 0, 0, 0, 0));
	rig_run(&r, PS_PER_MS);
	fault(&r, "disk0", "detach", 2); /* nothing changes */
	cr_expect_not(take(&v, &v.admin).any);
	fault(&r, "disk0", "attach", 2);
	cr_expect_eq(take(&v, &v.admin).result, 0x040002);
	cr_expect_eq(run(&v, &v.io, c), 0);
	cr_expect_not(
		device_fault(machine_device(r.m, "disk0"), "attach", 3, &err));
	cr_expect(strstr(err.text, "1 to 2"), "%s", err.text);
	rig_stop(&r);
}

Test(nvme, abort_ends_a_command_in_flight_and_knows_no_other)
{
	struct rig r;
	struct driver v;
	uint16_t cid;
	struct done d;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	cid = submit(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	submit(&v, &v.admin,
	       command(0x08, 0, 0, (uint32_t)cid << 16 | 1, 0, 0));
	d = wait(&v, &v.admin);
	cr_expect_eq(d.result, 0);
	d = wait(&v, &v.io);
	cr_expect_eq(d.status, NVME_ABORT_REQUESTED);
	cr_expect_eq(r.disk_count, 0);
	submit(&v, &v.admin,
	       command(0x08, 0, 0, (uint32_t)cid << 16 | 1, 0, 0));
	cr_expect_eq(wait(&v, &v.admin).result, 1);
	rig_stop(&r);
}

Test(nvme, unknown_opcodes_and_unsupported_forms_are_refused)
{
	struct rig r;
	struct driver v;
	struct nvme_command c;

	start(&v, &r);
	cr_expect_eq(run(&v, &v.admin, command(0x18, 0, 0, 0, 0, 0)),
		     NVME_INVALID_OPCODE);
	cr_expect_eq(run(&v, &v.io, io_command(0x77, 0, 0, 1)),
		     NVME_INVALID_OPCODE);
	c = io_command(READ, DATA(0), 0, 1);
	c.dw[0] |= 0x4000; /* SGL */
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_FIELD);
	c = io_command(READ, DATA(0), 0, 1);
	c.dw[0] |= 0x100; /* fused */
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_FIELD);
	c = io_command(READ, DATA(0), 0, 1);
	c.dw[1] = 2;
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_NAMESPACE);
	rig_stop(&r);
}

/* ---- I/O ---- */

Test(nvme, what_is_written_is_read_by_both_controllers)
{
	struct rig r;
	struct driver v[2];

	rig_disk_start(&r);
	for (unsigned i = 0; i < 2; i++) {
		enable(&v[i], &r, i);
		io_queues(&v[i], ENTRIES);
	}
	fill(&r, DATA(0), 'p', 4096);
	cr_assert_eq(run(&v[0], &v[0].io, io_command(WRITE, DATA(0), 8, 8)), 0);
	cr_expect_eq(medium(&r, 8), 0, "in the cache alone");
	cr_assert_eq(run(&v[1], &v[1].io, io_command(READ, DATA(1), 8, 8)), 0);
	cr_expect_eq(peek(&r, DATA(1)), 'p');
	cr_expect_eq(peek(&r, DATA(1) + 4095), 'p');
	/* The other one's flush covers it: the cache is the subsystem's. */
	cr_assert_eq(run(&v[1], &v[1].io, command(FLUSH, 1, 0, 0, 0, 0)), 0);
	cr_expect_eq(medium(&r, 8), 'p');
	cr_expect_eq(medium(&r, 15), 'p');
	cr_expect_eq(medium(&r, 16), 0);
	rig_stop(&r);
}

Test(nvme, commands_happen_at_their_exact_instants)
{
	struct rig r;
	struct driver v;
	ps_t at;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	at = rig_now(&r) + NVME_WRITE_PS + 512 * NVME_BYTE_PS;
	submit(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	rig_run_to(&r, at - 1);
	cr_expect_not(take(&v, &v.io).any);
	fill(&r, DATA(0), 'y', 512); /* still the host's to change */
	rig_run_to(&r, at);
	cr_expect(take(&v, &v.io).any);
	cr_assert_eq(r.disk_count, 1);
	cr_expect_eq(r.disk[0].when, at);
	cr_expect_eq(r.disk[0].op, 1);
	cr_expect_eq(r.disk[0].lba, 3);
	cr_expect_str_eq(r.disk[0].device, "nvme0");
	at += NVME_FLUSH_PS;
	submit(&v, &v.io, command(FLUSH, 1, 0, 0, 0, 0));
	rig_run_to(&r, at);
	cr_assert_eq(r.disk_count, 3);
	cr_expect_eq(r.disk[1].op, 2);
	cr_expect_eq(r.disk[2].op, 3);
	cr_expect_eq(r.disk[2].when, at);
	cr_expect(take(&v, &v.io).any);
	at += NVME_READ_PS + 512 * NVME_BYTE_PS;
	submit(&v, &v.io, io_command(READ, DATA(0), 3, 1));
	fill(&r, DATA(0), 0, 512);
	rig_run_to(&r, at);
	cr_expect(take(&v, &v.io).any);
	cr_expect_eq(peek(&r, DATA(0)), 'y');
	rig_stop(&r);
}

Test(nvme, fua_and_a_disabled_cache_make_writes_durable)
{
	struct rig r;
	struct driver v;
	struct nvme_command c;
	ps_t before;

	start(&v, &r);
	fill(&r, DATA(0), 'f', 512);
	c = io_command(WRITE, DATA(0), 3, 1);
	c.dw[12] |= FUA;
	before = rig_now(&r);
	cr_expect_eq(run(&v, &v.io, c), 0);
	cr_expect_eq(rig_now(&r) - before,
		     NVME_WRITE_PS + NVME_FLUSH_PS + 512 * NVME_BYTE_PS);
	cr_expect_eq(medium(&r, 3), 'f');
	/* Switching the cache off empties it, and keeps it empty. */
	run(&v, &v.io, io_command(WRITE, DATA(0), 4, 1));
	cr_expect_eq(medium(&r, 4), 0);
	cr_expect_eq(feature(&v, 0x09, 6, 0).status, 0);
	cr_expect_eq(medium(&r, 4), 'f');
	run(&v, &v.io, io_command(WRITE, DATA(0), 5, 1));
	cr_expect_eq(medium(&r, 5), 'f');
	/* A read with FUA commits what it reads. */
	cr_expect_eq(feature(&v, 0x09, 6, 1).status, 0);
	run(&v, &v.io, io_command(WRITE, DATA(0), 6, 1));
	cr_expect_eq(medium(&r, 6), 0);
	c = io_command(READ, DATA(0), 6, 1);
	c.dw[12] |= FUA;
	run(&v, &v.io, c);
	cr_expect_eq(medium(&r, 6), 'f');
	rig_stop(&r);
}

Test(nvme, ranges_are_checked)
{
	struct rig r;
	struct driver v;
	struct nvme_command c;
	uint32_t last = RIG_IMAGE_BYTES / 512 - 1;

	start(&v, &r);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), last, 1)), 0);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), last, 2)),
		     NVME_LBA_RANGE);
	cr_expect_eq(run(&v, &v.io, io_command(WRITE, DATA(0), last + 1, 1)),
		     NVME_LBA_RANGE);
	c = io_command(READ, DATA(0), UINT32_MAX, 2);
	c.dw[11] = UINT32_MAX; /* wraps */
	cr_expect_eq(run(&v, &v.io, c), NVME_LBA_RANGE);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), 0, 257)),
		     NVME_INVALID_FIELD, "more than MDTS");
	rig_stop(&r);
}

Test(nvme, data_pointers_follow_4_3)
{
	struct rig r;
	struct driver v;
	struct nvme_command c;
	uint64_t list[34];

	start(&v, &r);
	for (unsigned i = 0; i < 32; i++)
		fill(&r, DATA(0) + 0x1000 * i, (uint8_t)('A' + i), 4096);
	/* One page and the next by PRP2, in reverse order. */
	c = io_command(WRITE, DATA(0) + 0x1000, 0, 16);
	c.dw[8] = (uint32_t)DATA(0);
	cr_expect_eq(run(&v, &v.io, c), 0);
	/* An offset in PRP1: 3 KiB there, 1 KiB in PRP2's page. */
	c = io_command(WRITE, DATA(0) + 0x2400, 16, 8);
	c.dw[8] = (uint32_t)DATA(0) + 0x5000;
	cr_expect_eq(run(&v, &v.io, c), 0);
	/* A list of 31 that starts near the end of its page and goes on in
	 * another: 128 KiB in all. */
	for (unsigned i = 0; i < 31; i++)
		list[i] = DATA(0) + 0x1000 * (i + 1);
	bus_poke(r.bus, LIST(0) + 4096 - 8 * 4, list, 8 * 3);
	list[33] = LIST(0) + 0x1000;
	bus_poke(r.bus, LIST(0) + 4096 - 8, &list[33], 8);
	bus_poke(r.bus, LIST(0) + 4096, list + 3, 8 * 28);
	c = io_command(WRITE, DATA(0), 24, 256);
	c.dw[8] = (uint32_t)LIST(0) + 4096 - 8 * 4;
	cr_expect_eq(run(&v, &v.io, c), 0);
	cr_expect_eq(run(&v, &v.io, command(FLUSH, 1, 0, 0, 0, 0)), 0);
	cr_expect_eq(medium(&r, 0), 'B');
	cr_expect_eq(medium(&r, 8), 'A');
	cr_expect_eq(medium(&r, 16), 'C');
	cr_expect_eq(medium(&r, 21), 'C');
	cr_expect_eq(medium(&r, 22), 'F');
	for (unsigned i = 0; i < 32; i++)
		cr_expect_eq(medium(&r, 24 + 8 * i), 'A' + i, "page %u", i);
	rig_stop(&r);
}

Test(nvme, wrong_data_pointers_are_refused)
{
	struct rig r;
	struct driver v;
	struct nvme_command c;
	uint64_t entry = DATA(0) + 8;

	start(&v, &r);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0) + 2, 0, 1)),
		     NVME_INVALID_PRP_OFFSET);
	c = io_command(READ, DATA(0), 0, 16);
	c.dw[8] = (uint32_t)DATA(0) + 0x1010;
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_PRP_OFFSET);
	c = io_command(READ, DATA(0), 0, 24);
	c.dw[8] = (uint32_t)LIST(0) + 4;
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_PRP_OFFSET);
	bus_poke(r.bus, LIST(0), &entry, 8);
	c.dw[8] = (uint32_t)LIST(0);
	cr_expect_eq(run(&v, &v.io, c), NVME_INVALID_PRP_OFFSET);
	cr_expect_eq(run(&v, &v.io, io_command(WRITE, 0xB8000, 0, 1)),
		     NVME_DATA_TRANSFER_ERROR, "not RAM");
	cr_expect_eq(r.disk_count, 0);
	rig_stop(&r);
}

Test(nvme, compare_and_write_zeroes)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fill(&r, DATA(0), 'c', 4096);
	run(&v, &v.io, io_command(WRITE, DATA(0), 0, 8));
	cr_expect_eq(run(&v, &v.io, io_command(0x05, DATA(0), 0, 8)), 0);
	fill(&r, DATA(0) + 4095, 'd', 1);
	cr_expect_eq(run(&v, &v.io, io_command(0x05, DATA(0), 0, 8)),
		     NVME_COMPARE_FAILURE);
	cr_expect_eq(run(&v, &v.io, io_command(0x08, 0, 1, 1000)), 0);
	run(&v, &v.io, command(FLUSH, UINT32_MAX, 0, 0, 0, 0));
	cr_expect_eq(medium(&r, 0), 'c');
	cr_expect_eq(medium(&r, 1), 0);
	cr_expect_eq(medium(&r, 7), 0);
	rig_stop(&r);
}

Test(nvme, sixteen_at_once_the_rest_waits)
{
	struct rig r;
	struct driver v;
	unsigned count = 0;
	ps_t start_at, one = NVME_READ_PS + 512 * NVME_BYTE_PS;

	rig_disk_start(&r);
	enable(&v, &r, 0);
	io_queues(&v, 64);
	for (unsigned i = 0; i < 40; i++)
		put(&v, &v.io, io_command(READ, DATA(0), i, 1));
	start_at = rig_now(&r);
	ring(&v, &v.io);
	for (unsigned i = 1; i <= 3; i++) {
		rig_run_to(&r, start_at + i * one - 1);
		cr_expect_not(take(&v, &v.io).any);
		rig_run_to(&r, start_at + i * one);
		while (take(&v, &v.io).any)
			count++;
		cr_expect_eq(count, i < 3 ? 16 * i : 40);
	}
	rig_stop(&r);
}

Test(nvme, a_full_completion_queue_holds_results_back_in_order)
{
	struct rig r;
	struct driver v;
	uint16_t cid[6];

	rig_disk_start(&r);
	enable(&v, &r, 0);
	queue_init(&v, &v.io, 1, IOSQ(0), IOCQ(0), 4);
	cr_assert_eq(create_cq(&v, 1, 4, IOCQ(0), 3), 0);
	cr_assert_eq(create_sq(&v, 1, 16, IOSQ(0), 1 << 16 | 1), 0);
	v.io.entries = 16;
	for (unsigned i = 0; i < 6; i++)
		cid[i] = put(&v, &v.io, io_command(READ, DATA(0), i, 1));
	ring(&v, &v.io);
	v.io.entries = 4;
	rig_run(&r, PS_PER_MS);
	for (unsigned i = 0; i < 6; i++) {
		struct done d = take(&v, &v.io);

		cr_assert(d.any, "completion %u", i);
		cr_expect_eq(d.cid, cid[i]);
		cr_expect_eq(d.sq_head, 6);
	}
	cr_expect_not(take(&v, &v.io).any);
	rig_stop(&r);
}

Test(nvme, phase_tags_turn_at_each_round_of_the_queue)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(run(&v, &v.io, io_command(READ, DATA(0), i, 1)),
			     0);
	rig_stop(&r);
}

/* ---- interrupts ---- */

static int interrupt(struct rig *r)
{
	int vector = lapic_ack(r->m, 0);

	if (vector >= 0)
		rig_write(r, RIG_LAPIC + 0xB0, 4, 0);
	return vector;
}

Test(nvme, msix_tells_of_each_completion_on_its_queues_vector)
{
	struct rig r;
	struct driver v;

	rig_disk_start(&r);
	rig_lapic_on(&r);
	for (unsigned i = 0; i < 2; i++) {
		rig_write(&r, BAR(0) + NVME_MSIX_TABLE + 16 * i, 8, RIG_LAPIC);
		rig_write(&r, BAR(0) + NVME_MSIX_TABLE + 16 * i + 8, 8,
			  VECTOR + i);
	}
	rig_write(&r, ECAM(0, 0x42), 2, 0x8000);
	enable(&v, &r, 0);
	io_queues(&v, ENTRIES);
	cr_expect_eq(interrupt(&r), VECTOR, "admin");
	cr_expect_eq(interrupt(&r), -1);
	submit(&v, &v.io, io_command(READ, DATA(0), 0, 1));
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(interrupt(&r), VECTOR + 1);
	cr_expect_eq(interrupt(&r), -1);
	rig_stop(&r);
}

Test(nvme, msi_tells_of_each_completion_of_any_queue)
{
	struct rig r;
	struct driver v;
	unsigned at = 0x40;

	rig_disk_start(&r);
	rig_lapic_on(&r);
	while (rig_read(&r, ECAM(0, at), 1) != PCI_CAP_MSI)
		cr_assert(at = rig_read(&r, ECAM(0, at + 1), 1));
	rig_write(&r, ECAM(0, at + 4), 4, (uint32_t)RIG_LAPIC);
	rig_write(&r, ECAM(0, at + 12), 2, VECTOR);
	rig_write(&r, ECAM(0, at + 2), 2, 1);
	enable(&v, &r, 0);
	io_queues(&v, ENTRIES);
	cr_expect_eq(interrupt(&r), VECTOR, "admin");
	cr_expect_eq(interrupt(&r), -1);
	submit(&v, &v.io, io_command(READ, DATA(0), 0, 1));
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(interrupt(&r), VECTOR);
	cr_expect_eq(interrupt(&r), -1);
	rig_stop(&r);
}

Test(nvme, a_pin_stands_while_completions_wait_and_intms_masks_it)
{
	struct rig r;
	struct driver v;

	rig_disk_start(&r);
	rig_lapic_on(&r);
	rig_ioapic_entry(&r, 18, 0x8000 | VECTOR);
	enable(&v, &r, 0);
	submit(&v, &v.admin, command(0x0A, 0, 0, 6, 0, 0));
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(interrupt(&r), VECTOR);
	cr_expect_eq(interrupt(&r), VECTOR, "it still stands");
	reg_set(&v, NVME_INTMS, 1);
	cr_expect_eq(reg(&v, NVME_INTMC), 1);
	cr_expect_eq(interrupt(&r), VECTOR, "it was pending already");
	cr_expect_eq(interrupt(&r), -1);
	reg_set(&v, NVME_INTMC, 1);
	cr_expect_eq(interrupt(&r), VECTOR);
	cr_expect(take(&v, &v.admin).any);
	cr_expect_eq(interrupt(&r), VECTOR, "it was pending already");
	cr_expect_eq(interrupt(&r), -1);
	rig_stop(&r);
}

/* ---- faults ---- */

Test(nvme, fault_fatal_heals_by_reset_or_never)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fill(&r, DATA(0), 'x', 512);
	submit(&v, &v.io, io_command(WRITE, DATA(0), 3, 1));
	fault(&r, "nvme0", "fatal", 0);
	cr_expect_eq(reg(&v, NVME_CSTS), NVME_CSTS_RDY | NVME_CSTS_CFS);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.io).any);
	cr_expect_eq(r.disk_count, 0);
	submit(&v, &v.io, io_command(READ, DATA(0), 3, 1));
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.io).any);
	reg_set(&v, NVME_CC, 0);
	enable(&v, &r, 0);
	io_queues(&v, ENTRIES);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), 3, 1)), 0);
	fault(&r, "nvme0", "fatal", 1);
	reg_set(&v, NVME_CC, 0);
	reg_set(&v, NVME_CC, 0x00460001);
	rig_run(&r, PS_PER_S);
	cr_expect_eq(reg(&v, NVME_CSTS), NVME_CSTS_CFS);
	rig_stop(&r);
}

Test(nvme, fault_timeout_loses_commands)
{
	struct rig r;
	struct driver v;
	uint16_t cid;

	start(&v, &r);
	fault(&r, "nvme0", "timeout", 2);
	for (unsigned i = 0; i < 2; i++)
		put(&v, &v.io, io_command(READ, DATA(0), i, 1));
	cid = submit(&v, &v.io, io_command(READ, DATA(0), 3, 1));
	cr_expect_eq(wait(&v, &v.io).cid, cid);
	rig_run(&r, PS_PER_S);
	cr_expect_not(take(&v, &v.io).any);
	fault(&r, "nvme0", "timeout", 0);
	for (unsigned i = 0; i < 5; i++)
		submit(&v, &v.io, io_command(READ, DATA(0), i, 1));
	rig_run(&r, PS_PER_S);
	cr_expect_not(take(&v, &v.io).any);
	cr_expect_eq(feature(&v, 0x0A, 6, 0).status, 0, "admin goes on");
	rig_stop(&r);
}

Test(nvme, fault_slow_takes_so_much_longer)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fault(&r, "nvme0", "slow", 2000);
	submit(&v, &v.io, io_command(READ, DATA(0), 0, 1));
	rig_run(&r, 2 * PS_PER_MS);
	cr_expect_not(take(&v, &v.io).any);
	rig_run(&r, 100 * PS_PER_US);
	cr_expect(take(&v, &v.io).any);
	fault(&r, "nvme0", "slow", 0);
	submit(&v, &v.io, io_command(READ, DATA(0), 0, 1));
	rig_run(&r, 100 * PS_PER_US);
	cr_expect(take(&v, &v.io).any);
	rig_stop(&r);
}

/* Those of every PCI function. */
Test(nvme, fault_messages_go_wrong)
{
	struct rig r;
	struct driver v;

	rig_disk_start(&r);
	rig_lapic_on(&r);
	rig_write(&r, BAR(0) + NVME_MSIX_TABLE, 8, RIG_LAPIC);
	rig_write(&r, BAR(0) + NVME_MSIX_TABLE + 8, 8, VECTOR);
	rig_write(&r, ECAM(0, 0x42), 2, 0x8000);
	enable(&v, &r, 0);
	fault(&r, "nvme0", "msi-lost", 1);
	cr_expect_eq(feature(&v, 0x0A, 6, 0).status, 0);
	cr_expect_eq(interrupt(&r), -1, "lost");
	cr_expect_eq(feature(&v, 0x0A, 6, 0).status, 0);
	cr_expect_eq(interrupt(&r), VECTOR);
	fault(&r, "nvme0", "msi-vector", VECTOR + 9);
	cr_expect_eq(feature(&v, 0x0A, 6, 0).status, 0);
	cr_expect_eq(interrupt(&r), VECTOR + 9, "misled");
	fault(&r, "nvme0", "msi-late", 500000);
	cr_expect_eq(feature(&v, 0x0A, 6, 0).status, 0);
	cr_expect_eq(interrupt(&r), -1, "late");
	rig_run(&r, 600 * PS_PER_US);
	cr_expect_eq(interrupt(&r), VECTOR);
	fault(&r, "nvme0", "msi-spurious", VECTOR + 3);
	cr_expect_eq(interrupt(&r), VECTOR + 3);
	rig_stop(&r);
}

Test(nvme, fault_stray_writes_elsewhere)
{
	struct rig r;
	struct driver v;
	uint8_t byte = 0x5A, there = 0, elsewhere = 0;

	start(&v, &r);
	bus_poke(machine_bus(r.m), DATA(0), &byte, 1);
	bus_poke(machine_bus(r.m), DATA(1), &byte, 1);
	fault(&r, "nvme0", "stray", DATA(1));
	submit(&v, &v.io, io_command(READ, DATA(0), 0, 1));
	cr_expect_eq(wait(&v, &v.io).status, 0);
	bus_peek(machine_bus(r.m), DATA(0), &there, 1);
	bus_peek(machine_bus(r.m), DATA(1), &elsewhere, 1);
	cr_expect_eq(there, 0x5A);
	cr_expect_eq(elsewhere, 0);
	rig_stop(&r);
}

Test(nvme, fault_deaf_writes_late)
{
	struct rig r;
	struct driver v;
	uint8_t byte;

	start(&v, &r);
	fault(&r, "nvme0", "slow", 500);
	fill(&r, DATA(0), 0x11, 512);
	(void)submit(&v, &v.io, io_command(WRITE, DATA(0), 7, 1));
	reg_set(&v, NVME_CC, 0x00460000);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(r.disk_count, 0, "in its right mind: it never happened");
	enable(&v, &r, 0);
	io_queues(&v, ENTRIES);
	fault(&r, "nvme0", "deaf", 1);
	(void)submit(&v, &v.io, io_command(WRITE, DATA(0), 7, 1));
	reg_set(&v, NVME_CC, 0x00460000);
	rig_write(&r, ECAM(0, PCI_COMMAND), 2, 2);
	cr_expect_eq(reg(&v, NVME_CSTS), 0, "it says so");
	fill(&r, DATA(0), 0x22, 512);
	/* Meanwhile another driver has it. */
	enable(&v, &r, 0);
	io_queues(&v, ENTRIES);
	rig_run(&r, PS_PER_MS);
	cr_expect_eq(r.disk_count, 1);
	cr_expect_not(take(&v, &v.io).any, "which is told nothing");
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0) + 512, 7, 1)), 0);
	byte = peek(&r, DATA(0) + 512);
	cr_expect_eq(byte, 0x22, "%x", byte);
	rig_stop(&r);
}

Test(nvme, fault_remove_leaves_nobody_there)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	submit(&v, &v.io, io_command(READ, DATA(0), 0, 1));
	fault(&r, "nvme0", "remove", 0);
	cr_expect_eq(reg(&v, NVME_CSTS), UINT32_MAX);
	cr_expect_eq(rig_read(&r, ECAM(0, 0), 4), UINT32_MAX);
	rig_run(&r, PS_PER_MS);
	cr_expect_not(take(&v, &v.io).any);
	rig_write(&r, ECAM(0, 4), 2, 0);
	rig_write(&r, ECAM(0, 4), 2, 6);
	cr_expect_eq(reg(&v, NVME_CSTS), UINT32_MAX, "for good");
	rig_stop(&r);
}

Test(nvme, fault_error_fails_as_many_as_it_says)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fault(&r, "nvme0", "error", 0);
	cr_expect_eq(run(&v, &v.io, io_command(READ, DATA(0), 0, 1)),
		     NVME_READ_ERROR);
	fault(&r, "nvme0", "error", 2 << 16);
	cr_expect_eq(run(&v, &v.io, io_command(WRITE, DATA(0), 0, 1)),
		     NVME_WRITE_FAULT);
	cr_expect_eq(run(&v, &v.io, io_command(WRITE, DATA(0), 0, 1)),
		     NVME_WRITE_FAULT);
	cr_expect_eq(run(&v, &v.io, io_command(WRITE, DATA(0), 0, 1)), 0);
	fault(&r, "nvme0", "error", 0x4006); /* internal error, DNR */
	cr_expect_eq(run(&v, &v.io, command(FLUSH, 1, 0, 0, 0, 0)), 0x4006);
	rig_stop(&r);
}

Test(nvme, fault_torn_leaves_half_a_write_and_nobody_at_home)
{
	struct rig r;
	struct driver v;

	start(&v, &r);
	fill(&r, DATA(0), 'c', 4096);
	run(&v, &v.io, io_command(WRITE, DATA(0), 64, 8)); /* cached */
	fill(&r, DATA(0), 't', 4096);
	submit(&v, &v.io, io_command(WRITE, DATA(0), 0, 8));
	rig_run(&r, PS_PER_US);
	fault(&r, "disk0", "torn", 0);
	cr_expect_eq(medium(&r, 0), 't');
	cr_expect_eq(medium(&r, 3), 't');
	cr_expect_eq(medium(&r, 4), 0);
	cr_expect_eq(medium(&r, 64), 0, "the cache is lost");
	cr_expect_eq(reg(&v, NVME_CSTS), UINT32_MAX);
	rig_run(&r, PS_PER_S);
	cr_expect_eq(medium(&r, 4), 0);
	rig_stop(&r);
}

Test(nvme, equal_histories_have_equal_digests)
{
	uint64_t digest[2];

	for (unsigned i = 0; i < 2; i++) {
		struct rig r;
		struct driver v;

		start(&v, &r);
		fill(&r, DATA(0), 'x', 4096);
		for (unsigned n = 0; n < 20; n++)
			run(&v, &v.io, io_command(WRITE, DATA(0), n * 3, 8));
		digest[i] = machine_digest(r.m);
		rig_stop(&r);
	}
	cr_expect_eq(digest[0], digest[1]);
}
