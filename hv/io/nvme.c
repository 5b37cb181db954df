/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/io/nvme.c - see nvme.h.  Figures and sections are those of the NVM
 * Express specification, revision 1.4. */
#include "io/nvme.h"

#include "abi/channel.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

/* Controller registers (section 3.1). */
#define CAP_LOW   0x00
#define CAP_HIGH  0x04
#define CC        0x14
#define CSTS      0x1c
#define AQA       0x24
#define ASQ       0x28
#define ACQ       0x30
#define DOORBELLS 0x1000

#define CC_EN          0x1
#define CC_SHN_NORMAL  0x4000
#define CC_IOSQES      (6u << 16) /* 64-byte entries */
#define CC_IOCQES      (4u << 20) /* 16-byte entries */
#define CSTS_RDY       0x1
#define CSTS_CFS       0x2
#define CSTS_SHST_MASK 0xc
#define CSTS_SHST_DONE 0x8
#define CSTS_GONE      0xffffffffu /* no device answers */

/* Admin opcodes (figure 139). */
#define ADMIN_CREATE_SQ     0x01
#define ADMIN_CREATE_CQ     0x05
#define ADMIN_IDENTIFY      0x06
#define ADMIN_SET_FEATURES  0x09
#define FEATURE_QUEUES      0x07
#define IDENTIFY_NAMESPACE  0x00
#define IDENTIFY_CONTROLLER 0x01
#define IDENTIFY_LIST       0x02

#define ADMIN_ENTRIES 32
#define SQ_ENTRIES    64 /* one page */
#define CQ_ENTRIES    64

#define WRITE_FUA (1u << 30) /* command dword 12 of read and write */

#define POLL_NS         (20 * US)
#define ADMIN_NS        (1000 * MS)
#define TRANSFER_NS     (100 * MS)
#define FLUSH_NS        (2000 * MS)
#define STATUS_CHECK_NS (250 * US)
#define TRIES_MAX       4 /* of a command that may be retried */
#define RESETS_MAX      3 /* without a completion in between */

struct sqe { /* submission queue entry, figure 104 */
	uint32_t cdw0;
	uint32_t nsid;
	uint32_t cdw2, cdw3;
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct sqe) == 64, "submission entry layout");

struct cqe { /* completion queue entry, figure 121 */
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head, sq_id;
	uint16_t command_id;
	uint16_t status; /* bit 0: phase tag; 1..15: status field */
};
_Static_assert(sizeof(struct cqe) == 16, "completion entry layout");

#define STATUS_PHASE     0x0001
#define STATUS_CODE(s)   (((s) >> 1) & 0x7ff) /* type and code */
#define STATUS_DNR       0x8000
#define STATUS_LBA_RANGE 0x80

#define PAGE_ALIGNED __attribute__((aligned(ABI_PAGE_BYTES)))
static struct sqe admin_sq[ABI_PAGE_BYTES / sizeof(struct sqe)] PAGE_ALIGNED;
static volatile struct cqe
	admin_cq[ABI_PAGE_BYTES / sizeof(struct cqe)] PAGE_ALIGNED;
static struct sqe io_sq[NVME_PAIRS]
		       [ABI_PAGE_BYTES / sizeof(struct sqe)] PAGE_ALIGNED;
static volatile struct cqe
	io_cq[NVME_PAIRS][ABI_PAGE_BYTES / sizeof(struct cqe)] PAGE_ALIGNED;
static uint8_t identify[ABI_PAGE_BYTES] PAGE_ALIGNED;

struct ring { /* a submission queue and its completion queue */
	struct sqe *sq;
	volatile struct cqe *cq;
	uint16_t id;
	uint16_t sq_entries, cq_entries;
	uint16_t sq_tail, cq_head;
	uint16_t phase;
	bool unheard; /* entries that no doorbell told of */
};

#define COMMANDS (NVME_PAIRS * NVME_OUTSTANDING) /* pair by pair */
_Static_assert(COMMANDS <= 256, "a slot has eight bits of a command's number");
_Static_assert(NVME_OUTSTANDING < 64, "a pair's slots have a word of bits");

struct command {
	bool busy;
	uint8_t tries;
	uint8_t turn; /* tells late completions from those of today */
	uint8_t opcode;
	bool fua;
	uint32_t cookie;
	uint64_t deadline_ns;
	uint64_t address, lba; /* not of a flush */
};

static struct {
	volatile uint8_t *registers;
	unsigned index;
	unsigned stride;   /* of doorbells, bytes */
	uint64_t ready_ns; /* CAP.TO */
	uint32_t nsid;
	unsigned lba_shift;
	uint64_t blocks;
	struct ring admin, io[NVME_PAIRS];
	unsigned pairs;
	struct command command[COMMANDS];
	unsigned outstanding, at_pair[NVME_PAIRS];
	uint64_t free[NVME_PAIRS]; /* of each pair's slots: bit n */
	unsigned limit;            /* of outstanding commands: each queue's */
	unsigned resets;
	uint64_t now_ns;   /* of the last look at the clock */
	uint64_t check_ns; /* when to look at CSTS next */
	uint64_t odd_completions;
} nvme;

static uint32_t read32(unsigned offset)
{
	return *(volatile uint32_t *)(nvme.registers + offset);
}

static void write32(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(nvme.registers + offset) = value;
}

static void write64(unsigned offset, uint64_t value)
{
	write32(offset, (uint32_t)value);
	write32(offset + 4, (uint32_t)(value >> 32));
}

static void sq_doorbell(struct ring *r)
{
	r->unheard = false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	write32(DOORBELLS + 2u * r->id * nvme.stride, r->sq_tail);
}

static void cq_doorbell(const struct ring *r)
{
	write32(DOORBELLS + (2u * r->id + 1) * nvme.stride, r->cq_head);
}

static uint64_t machine_address(const volatile void *p)
{
	return view_frame((uintptr_t)p) << ABI_PAGE_SHIFT;
}

/* Wait until (CSTS & mask) == value; false after `ns` or when the controller
 * is gone. */
static bool wait_status(uint32_t mask, uint32_t value, uint64_t ns)
{
	uint64_t deadline = sys_time() + ns;

	for (;;) {
		uint32_t status = read32(CSTS);

		if (status == CSTS_GONE)
			return false;
		if ((status & mask) == value)
			return true;
		if (sys_time() >= deadline)
			return false;
		(void)sys_wait(0, sys_time() + POLL_NS);
	}
}

static void ring_reset(struct ring *r, struct sqe *sq, volatile struct cqe *cq,
		       uint16_t id, uint16_t sq_entries, uint16_t cq_entries)
{
	r->sq = sq;
	r->cq = cq;
	r->id = id;
	r->sq_entries = sq_entries;
	r->cq_entries = cq_entries;
	r->sq_tail = 0;
	r->cq_head = 0;
	r->phase = STATUS_PHASE; /* first pass: new entries have 1 */
	r->unheard = false;
	memset(sq, 0, ABI_PAGE_BYTES);
	for (unsigned i = 0; i < ABI_PAGE_BYTES / sizeof(struct cqe); i++)
		cq[i].status = 0;
}

/* The entry at the tail is there.  The controller hears of it by the next
 * sq_doorbell(). */
static void ring_filled(struct ring *r)
{
	r->sq_tail++;
	if (r->sq_tail == r->sq_entries)
		r->sq_tail = 0;
	r->unheard = true;
}

static bool ring_take(struct ring *r, struct cqe *out)
{
	volatile struct cqe *cqe = &r->cq[r->cq_head];
	uint16_t status = cqe->status;

	if ((status & STATUS_PHASE) != r->phase)
		return false;
	/* The phase tag is written last. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	out->result = cqe->result;
	out->command_id = cqe->command_id;
	out->status = status;
	r->cq_head++;
	if (r->cq_head == r->cq_entries) {
		r->cq_head = 0;
		r->phase ^= STATUS_PHASE;
	}
	return true;
}

/* One admin command, waited for.  Status field, or 0xffff: no answer; then
 * *result is 0. */
static unsigned admin_result(struct sqe *sqe, uint32_t *result)
{
	static uint16_t command_id;
	uint64_t deadline = sys_time() + ADMIN_NS;
	struct cqe cqe;

	*result = 0;
	command_id++;
	sqe->cdw0 |= (uint32_t)command_id << 16;
	nvme.admin.sq[nvme.admin.sq_tail] = *sqe;
	ring_filled(&nvme.admin);
	sq_doorbell(&nvme.admin);
	for (;;) {
		if (ring_take(&nvme.admin, &cqe)) {
			cq_doorbell(&nvme.admin);
			if (cqe.command_id == command_id) {
				*result = cqe.result;
				return STATUS_CODE(cqe.status);
			}
			nvme.odd_completions++;
			continue;
		}
		if (sys_time() >= deadline || read32(CSTS) == CSTS_GONE)
			return 0xffff;
		(void)sys_wait(EVENT_DEVICE(nvme.index), sys_time() + POLL_NS);
	}
}

static unsigned admin(struct sqe *sqe)
{
	uint32_t result;

	return admin_result(sqe, &result);
}

static unsigned identify_page(unsigned what, uint32_t nsid)
{
	struct sqe sqe = {
		.cdw0 = ADMIN_IDENTIFY,
		.nsid = nsid,
		.prp1 = machine_address(identify),
		.cdw10 = what,
	};

	return admin(&sqe);
}

static uint32_t identify32(unsigned offset)
{
	uint32_t value;

	memcpy(&value, identify + offset, sizeof(value));
	return value;
}

/* Which namespace, how large, in what blocks (figures 245 and 247). */
static bool find_namespace(void)
{
	bool cache;
	unsigned format, metadata;
	uint64_t lbas;

	if (identify_page(IDENTIFY_CONTROLLER, 0) != 0)
		return false;
	cache = (identify[525] & 1) != 0; /* VWC */
	if (identify_page(IDENTIFY_LIST, 0) != 0 || identify32(0) == 0)
		return false;
	nvme.nsid = identify32(0);
	if (identify_page(IDENTIFY_NAMESPACE, nvme.nsid) != 0)
		return false;
	memcpy(&lbas, identify, sizeof(lbas));               /* NSZE */
	format = identify32(128 + 4 * (identify[26] & 0xf)); /* FLBAS, LBAF */
	metadata = format & 0xffff;
	nvme.lba_shift = (format >> 16) & 0xff; /* LBADS */
	if (metadata != 0 || (nvme.lba_shift != 9 && nvme.lba_shift != 12)) {
		logf_("nvme: unusable format, block 2^%u metadata %u",
		      nvme.lba_shift, metadata);
		return false;
	}
	nvme.blocks = lbas >> (12 - nvme.lba_shift);
	logf_("nvme: namespace %u, %lu blocks of %u, write cache %s", nvme.nsid,
	      lbas, 1u << nvme.lba_shift, cache ? "yes" : "no");
	return true;
}

static bool create_pair(const struct ring *r, unsigned entry)
{
	struct sqe cq = {
		.cdw0 = ADMIN_CREATE_CQ,
		.prp1 = machine_address(r->cq),
		.cdw10 = (uint32_t)(r->cq_entries - 1) << 16 | r->id,
		.cdw11 = entry << 16 | 1u << 1 | 1, /* enabled, contiguous */
	};
	struct sqe sq = {
		.cdw0 = ADMIN_CREATE_SQ,
		.prp1 = machine_address(r->sq),
		.cdw10 = (uint32_t)(r->sq_entries - 1) << 16 | r->id,
		.cdw11 = (uint32_t)r->id << 16 | 1,
	};

	return admin(&cq) == 0 && admin(&sq) == 0;
}

/* Asked for as many as there may be; what is granted may be fewer, or more. */
static bool create_io_queues(void)
{
	const struct view_device *device = &view_now()->device[nvme.index];
	unsigned wanted =
		device->vectors < NVME_PAIRS ? device->vectors : NVME_PAIRS;
	unsigned most = (ABI_PAGE_BYTES / nvme.stride - 2) / 2; /* doorbells */
	struct sqe count = {
		.cdw0 = ADMIN_SET_FEATURES,
		.cdw10 = FEATURE_QUEUES,
	};
	uint32_t granted;

	wanted = wanted < most ? wanted : most;
	wanted = wanted > 0 ? wanted : 1;
	count.cdw11 = (wanted - 1) << 16 | (wanted - 1); /* from 0 */
	if (admin_result(&count, &granted) != 0)
		return false;
	if ((granted & 0xffff) + 1 < wanted)
		wanted = (granted & 0xffff) + 1;
	if ((granted >> 16) + 1 < wanted)
		wanted = (granted >> 16) + 1;
	for (nvme.pairs = 0; nvme.pairs < wanted; nvme.pairs++) {
		if (!create_pair(&nvme.io[nvme.pairs], nvme.pairs))
			break;
	}
	return nvme.pairs > 0;
}

/* From any state to enabled, with empty queues (section 7.6.1). */
static const char *bring_up(void)
{
	uint32_t low = read32(CAP_LOW), high = read32(CAP_HIGH);
	unsigned entries = (low & 0xffff) + 1; /* MQES counts from 0 */

	if (low == CSTS_GONE && high == CSTS_GONE)
		return "it doesn't answer";
	if ((high >> 16 & 0xf) != 0)
		return "it can't do pages of 4 KiB";
	nvme.ready_ns = (uint64_t)((low >> 24) + 1) * 500 * MS; /* TO */
	nvme.stride = 4u << (high & 0xf);                       /* DSTRD */
	if ((2 * 1 + 2) * nvme.stride > ABI_PAGE_BYTES) /* admin, and one */
		return "its doorbells lie too far apart";
	entries = entries < SQ_ENTRIES ? entries : SQ_ENTRIES;
	nvme.limit =
		entries - 1 < NVME_OUTSTANDING ? entries - 1 : NVME_OUTSTANDING;

	if (read32(CC) & CC_EN) {
		/* EN must not be cleared before RDY has followed its setting,
		 * unless the controller will never get there. */
		if (!(read32(CSTS) & CSTS_CFS))
			(void)wait_status(CSTS_RDY, CSTS_RDY, 10 * MS);
	}
	write32(CC, 0);
	if (!wait_status(CSTS_RDY, 0, nvme.ready_ns))
		return "it can't be disabled";

	ring_reset(&nvme.admin, admin_sq, admin_cq, 0, ADMIN_ENTRIES,
		   ADMIN_ENTRIES);
	for (unsigned i = 0; i < NVME_PAIRS; i++)
		ring_reset(&nvme.io[i], io_sq[i], io_cq[i], (uint16_t)(i + 1),
			   (uint16_t)entries, (uint16_t)entries);
	write32(AQA, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
	write64(ASQ, machine_address(admin_sq));
	write64(ACQ, machine_address(admin_cq));
	write32(CC, CC_IOCQES | CC_IOSQES | CC_EN);
	if (!wait_status(CSTS_RDY | CSTS_CFS, CSTS_RDY, nvme.ready_ns))
		return "it doesn't become ready";
	return NULL;
}

bool nvme_open(unsigned index)
{
	const struct view_device *device = &view_now()->device[index];
	const char *trouble;
	int64_t va;

	if (device->bar_pages < 2) {
		logf_("nvme: BAR 0 is too small");
		return false;
	}
	va = sys_device_map(index);
	if (va < 0) {
		logf_("nvme: device can't be mapped, error %ld", -va);
		return false;
	}
	nvme.index = index;
	nvme.registers = (volatile uint8_t *)(uintptr_t)va + ABI_PAGE_BYTES;
	trouble = bring_up();
	if (trouble == NULL && !find_namespace())
		trouble = "it has no usable namespace";
	if (trouble == NULL && !create_io_queues())
		trouble = "it refuses I/O queues";
	if (trouble != NULL)
		logf_("nvme: unusable: %s", trouble);
	nvme.now_ns = sys_time();
	for (unsigned pair = 0; pair < NVME_PAIRS; pair++)
		nvme.free[pair] = (1ull << NVME_OUTSTANDING) - 1;
	return trouble == NULL;
}

uint64_t nvme_blocks(void)
{
	return nvme.blocks;
}

unsigned nvme_outstanding(void)
{
	return nvme.outstanding;
}

unsigned nvme_pairs(void)
{
	return nvme.pairs;
}

/* Written where the controller will read it. */
static void send(unsigned pair, unsigned slot)
{
	struct command *c = &nvme.command[slot];
	struct ring *r = &nvme.io[pair];
	struct sqe *sqe = &r->sq[r->sq_tail];
	bool transfer = c->opcode != NVME_FLUSH;

	c->turn++;
	c->deadline_ns = nvme.now_ns + (transfer ? TRANSFER_NS : FLUSH_NS);
	sqe->cdw0 = (uint32_t)(c->turn << 8 | slot) << 16 | c->opcode;
	sqe->nsid = nvme.nsid;
	sqe->prp1 = transfer ? c->address : 0;
	sqe->cdw10 = transfer ? (uint32_t)c->lba : 0;
	sqe->cdw11 = transfer ? (uint32_t)(c->lba >> 32) : 0;
	/* Number of logical blocks, counted from 0.  The rest is never
	 * anything but zero. */
	sqe->cdw12 = !transfer ? 0
			       : ((1u << (12 - nvme.lba_shift)) - 1) |
					 (c->fua ? WRITE_FUA : 0);
	ring_filled(r);
}

__attribute__((noinline)) bool nvme_submit(unsigned pair, uint8_t opcode,
					   uint64_t block, uint64_t pfn,
					   bool fua, uint32_t cookie)
{
	unsigned slot;
	struct command *c;

	if (nvme.at_pair[pair] >= nvme.limit)
		return false;
	slot = (unsigned)__builtin_ctzll(nvme.free[pair]);
	nvme.free[pair] &= ~(1ull << slot);
	slot += pair * NVME_OUTSTANDING;
	c = &nvme.command[slot];
	c->busy = true;
	c->tries = 1;
	c->cookie = cookie;
	c->opcode = opcode;
	c->fua = fua;
	c->address = pfn << ABI_PAGE_SHIFT;
	c->lba = block << (12 - nvme.lba_shift);
	nvme.outstanding++;
	nvme.at_pair[pair]++;
	send(pair, slot);
	return true;
}

void nvme_tell(void)
{
	for (unsigned pair = 0; pair < nvme.pairs; pair++) {
		if (nvme.io[pair].unheard)
			sq_doorbell(&nvme.io[pair]);
	}
}

/* Everything outstanding again, on a controller that forgot it all. */
static bool reset_and_resubmit(const char *why)
{
	const char *trouble;
	unsigned pairs;

	logf_("nvme: %s, controller reset", why);
	if (++nvme.resets > RESETS_MAX) {
		logf_("nvme: lost: reset does not help");
		return false;
	}
	pairs = nvme.pairs;
	trouble = bring_up();
	if (trouble == NULL && (!create_io_queues() || nvme.pairs != pairs))
		trouble = "it refuses I/O queues";
	if (trouble != NULL) {
		logf_("nvme: lost: %s", trouble);
		return false;
	}
	nvme.now_ns = sys_time();
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (nvme.command[i].busy)
			send(i / NVME_OUTSTANDING, i);
	}
	nvme_tell();
	return true;
}

/* A pair's completions speak of its own commands alone. */
static void complete(unsigned pair, const struct cqe *cqe,
		     void (*done)(uint32_t cookie, enum nvme_end end))
{
	unsigned slot = cqe->command_id & 0xff;
	unsigned place = slot - pair * NVME_OUTSTANDING;
	struct command *c;
	enum nvme_end end = NVME_OK;

	if (place >= NVME_OUTSTANDING || !nvme.command[slot].busy ||
	    nvme.command[slot].turn != cqe->command_id >> 8) {
		nvme.odd_completions++;
		return;
	}
	c = &nvme.command[slot];
	nvme.resets = 0;
	if (STATUS_CODE(cqe->status) != 0) {
		if (!(cqe->status & STATUS_DNR) && c->tries < TRIES_MAX) {
			c->tries++;
			send(pair, slot);
			return;
		}
		end = STATUS_CODE(cqe->status) == STATUS_LBA_RANGE ? NVME_ERANGE
								   : NVME_EIO;
		logf_("nvme: opcode %u failed, status %x", c->opcode,
		      STATUS_CODE(cqe->status));
	}
	c->busy = false;
	nvme.free[pair] |= 1ull << place;
	nvme.outstanding--;
	nvme.at_pair[pair]--;
	done(c->cookie, end);
}

/* At most one queue's worth, so that the caller's beat goes on. */
static void take_completions(unsigned pair,
			     void (*done)(uint32_t cookie, enum nvme_end end))
{
	struct ring *r = &nvme.io[pair];
	struct cqe cqe;
	bool any = false;

	for (unsigned i = 0; i < r->cq_entries; i++) {
		if (!ring_take(r, &cqe))
			break;
		any = true;
		complete(pair, &cqe, done);
	}
	if (any)
		cq_doorbell(r);
}

bool nvme_poll(uint64_t now, void (*done)(uint32_t cookie, enum nvme_end end))
{
	nvme.now_ns = now;
	for (unsigned pair = 0; pair < nvme.pairs; pair++)
		take_completions(pair, done);
	nvme_tell(); /* of second tries */
	if (nvme.outstanding == 0 || now < nvme.check_ns)
		return true;
	nvme.check_ns = now + STATUS_CHECK_NS;
	if (read32(CSTS) & CSTS_CFS) /* all ones when it is gone */
		return reset_and_resubmit("fatal status");
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (nvme.command[i].busy && nvme.command[i].deadline_ns <= now)
			return reset_and_resubmit("command timed out");
	}
	return true;
}

void nvme_close(void)
{
	write32(CC, read32(CC) | CC_SHN_NORMAL);
	(void)wait_status(CSTS_SHST_MASK, CSTS_SHST_DONE, 100 * MS);
	write32(CC, 0);
	(void)wait_status(CSTS_RDY, 0, nvme.ready_ns);
}
