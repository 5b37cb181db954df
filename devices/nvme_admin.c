/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_admin.c - admin commands.  Sections and figures are of NVM
 * Express 1.4.
 */
#include <string.h>

#include "devices/nvme.h"

/* Opcodes (figure 139). */
enum {
	DELETE_SQ = 0x00,
	CREATE_SQ = 0x01,
	GET_LOG_PAGE = 0x02,
	DELETE_CQ = 0x04,
	CREATE_CQ = 0x05,
	IDENTIFY = 0x06,
	ABORT = 0x08,
	SET_FEATURES = 0x09,
	GET_FEATURES = 0x0A,
	EVENT_REQUEST = 0x0C
};

/* Feature identifiers (figure 271). */
enum {
	F_ARBITRATION = 0x01,
	F_POWER = 0x02,
	F_TEMPERATURE = 0x04,
	F_ERROR_RECOVERY = 0x05,
	F_WRITE_CACHE = 0x06,
	F_QUEUES = 0x07,
	F_COALESCING = 0x08,
	F_VECTOR = 0x09,
	F_ATOMICITY = 0x0A,
	F_EVENTS = 0x0B
};

#define FEATURE_SAVE (UINT32_C(1) << 31)
#define NSID_ALL     UINT32_MAX
#define LOG_RAE      UINT32_C(0x8000)
/* Optional events that are supported: also a bit of feature 0Bh. */
#define OAES_NAMESPACES UINT32_C(0x100)
/* Critical warnings (figure 197). */
#define WARN_SPARE       UINT32_C(1)
#define WARN_TEMPERATURE UINT32_C(2)
#define TEMPERATURE      313 /* kelvin */

static void put(uint8_t *p, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* ASCII fields are padded with spaces (1.5). */
static void put_ascii(uint8_t *p, const char *text, unsigned size)
{
	memset(p, ' ', size);
	memcpy(p, text, strlen(text));
}

/* ---- queues (5.3 to 5.6) ---- */

static bool queue_id_good(const struct nvme *n, uint32_t qid)
{
	return qid && qid <= n->granted;
}

static uint16_t create_cq(struct nvme *n, const struct nvme_command *c)
{
	uint32_t qid = c->dw[10] & 0xFFFF, size = (c->dw[10] >> 16) + 1;
	uint32_t vector = c->dw[11] >> 16;
	uint64_t base = nvme_qword(c, 6);

	if (!queue_id_good(n, qid) || n->cq_size[qid])
		return NVME_INVALID_QID;
	if (size < 2 || size > NVME_ENTRIES_MAX || (n->cc >> 20 & 0xF) != 4)
		return NVME_INVALID_QUEUE_SIZE;
	if (vector >= NVME_QUEUES || (vector && !pci_msix_enabled(&n->pci)))
		return NVME_INVALID_VECTOR;
	if (!(c->dw[11] & 1)) /* CAP.CQR: contiguous */
		return NVME_INVALID_FIELD;
	if (base & (PAGE_BYTES - 1))
		return NVME_INVALID_PRP_OFFSET;
	n->cq_base[qid] = base;
	n->cq_size[qid] = size;
	n->cq_head[qid] = n->cq_tail[qid] = 0;
	n->cq_phase[qid] = 1;
	n->cq_interrupts[qid] = c->dw[11] >> 1 & 1;
	n->cq_vector[qid] = vector;
	return NVME_SUCCESS;
}

static uint16_t create_sq(struct nvme *n, const struct nvme_command *c)
{
	uint32_t qid = c->dw[10] & 0xFFFF, size = (c->dw[10] >> 16) + 1;
	uint32_t cqid = c->dw[11] >> 16;
	uint64_t base = nvme_qword(c, 6);

	if (!queue_id_good(n, cqid) || !n->cq_size[cqid])
		return NVME_INVALID_CQ;
	if (!queue_id_good(n, qid) || n->sq_size[qid])
		return NVME_INVALID_QID;
	if (size < 2 || size > NVME_ENTRIES_MAX || (n->cc >> 16 & 0xF) != 6)
		return NVME_INVALID_QUEUE_SIZE;
	if (!(c->dw[11] & 1))
		return NVME_INVALID_FIELD;
	if (base & (PAGE_BYTES - 1))
		return NVME_INVALID_PRP_OFFSET;
	n->sq_base[qid] = base;
	n->sq_size[qid] = size;
	n->sq_head[qid] = n->sq_tail[qid] = 0;
	n->sq_cq[qid] = cqid;
	return NVME_SUCCESS;
}

static uint16_t delete_sq(struct nvme *n, const struct nvme_command *c)
{
	uint32_t qid = c->dw[10] & 0xFFFF;

	if (!queue_id_good(n, qid) || !n->sq_size[qid])
		return NVME_INVALID_QID;
	nvme_sq_delete(n, qid);
	return NVME_SUCCESS;
}

static uint16_t delete_cq(struct nvme *n, const struct nvme_command *c)
{
	uint32_t qid = c->dw[10] & 0xFFFF;

	if (!queue_id_good(n, qid) || !n->cq_size[qid])
		return NVME_INVALID_QID;
	for (unsigned sq = 1; sq < NVME_QUEUES; sq++) {
		if (n->sq_size[sq] && n->sq_cq[sq] == qid)
			return NVME_INVALID_QUEUE_DELETION;
	}
	n->cq_size[qid] = 0;
	n->cq_head[qid] = n->cq_tail[qid] = 0;
	return NVME_SUCCESS;
}

/* ---- identify (5.15) ---- */

static void identify_controller(const struct nvme *n, uint8_t *p)
{
	/* Figure 247; the same for all controllers but for CNTLID. */
	put(p + 0, 0x1B36, 2);
	put(p + 2, 0x1AF4, 2);
	put_ascii(p + 4, "PARTERRE-0001", 20);
	put_ascii(p + 24, "Parterre NVMe", 40);
	put_ascii(p + 64, "1.0", 8);
	p[76] = 0x02; /* CMIC: several controllers */
	p[77] = NVME_MDTS;
	put(p + 78, n->controller, 2);
	put(p + 80, NVME_VERSION_1_4, 4);
	put(p + 92, OAES_NAMESPACES, 4);
	p[111] = 1; /* CNTRLTYPE: I/O controller */
	p[258] = 3; /* ACL: four aborts, counted from 0 */
	p[259] = NVME_EVENTS_MAX - 1;
	p[260] = 0x03; /* FRMW: one slot, read only */
	p[262] = NVME_ERRORS - 1;
	put(p + 266, 343, 2); /* WCTEMP, CCTEMP: kelvin */
	put(p + 268, 373, 2);
	p[512] = 0x66; /* SQES, CQES: 64 and 16 bytes */
	p[513] = 0x44;
	put(p + 516, n->subsys->namespaces, 4); /* NN */
	put(p + 520, 0x09, 2); /* ONCS: compare, write zeroes */
	p[525] = 0x07;         /* VWC: present; flush takes NSID FFFFFFFF */
	/* AWUN: a write of any size is atomic; AWUPF: one block. */
	put(p + 526,
	    NVME_TRANSFER_MAX / n->subsys->space[0].disk.block_bytes - 1, 2);
	strcpy((char *)p + 768, "nqn.2024-01.org.parterre:disk0"); /* SUBNQN */
	put(p + 2048, 2500, 2); /* PSD0: 25 W */
}

/* Names of a namespace, the same on every path to it: these and, in the last
 * byte, its NSID. */
static const uint8_t eui64[7] = {0x02, 'P', 'A', 'R', 'T', 0, 0};
static const uint8_t nguid[15] = {'P',  'a', 'r', 't', 'e', 'r', 'r', 'e',
				  0x02, 'P', 'A', 'R', 'T', 0,   0};
static const uint8_t uuid[15] = {0x50, 0x61, 0x72, 0x74, 0x65, 0x72, 0x42, 0x65,
				 0x80, 0x00, 0x02, 0x50, 0x41, 0x52, 0x54};

static unsigned put_name(uint8_t *p, const uint8_t *name, size_t bytes,
			 uint32_t nsid)
{
	memcpy(p, name, bytes);
	p[bytes] = (uint8_t)nsid;
	return (unsigned)bytes + 1;
}

static void identify_namespace(const struct nvme *n, uint32_t nsid, uint8_t *p)
{
	const struct disk *disk = nvme_subsys_disk(n->subsys, nsid);

	if (!disk) /* 5.15.2.1: an inactive namespace is all zeroes */
		return;

	put(p + 0, disk->blocks, 8); /* NSZE, NCAP, NUSE (figure 245) */
	put(p + 8, disk->blocks, 8);
	put(p + 16, disk->blocks, 8);
	p[30] = 1; /* NMIC: may be shared */
	put_name(p + 104, nguid, sizeof(nguid), nsid);
	put_name(p + 120, eui64, sizeof(eui64), nsid);
	/* LBAF0: LBADS in bits 23:16. */
	p[130] = (uint8_t)__builtin_ctz(disk->block_bytes);
}

static uint8_t *put_descriptor(uint8_t *p, uint8_t type, const uint8_t *name,
			       size_t bytes, uint32_t nsid)
{
	p[0] = type; /* figure 249 */
	p[1] = (uint8_t)put_name(p + 4, name, bytes, nsid);
	return p + 4 + p[1];
}

static void identify_descriptors(uint32_t nsid, uint8_t *p)
{
	p = put_descriptor(p, 1, eui64, sizeof(eui64), nsid);
	p = put_descriptor(p, 2, nguid, sizeof(nguid), nsid);
	put_descriptor(p, 3, uuid, sizeof(uuid), nsid);
}

/* Those above `nsid`, as the namespaces of bits of `of`. */
static void put_list(uint8_t *p, uint32_t of, uint32_t nsid)
{
	for (; nsid < NVME_NAMESPACES_MAX; nsid++) {
		if (!(of >> nsid & 1))
			continue;
		put(p, nsid + 1, 4);
		p += 4;
	}
}

/* Controllers with identifiers from `first` on. */
static void identify_controllers(const struct nvme *n, unsigned first,
				 uint8_t *p)
{
	unsigned count = 0;

	for (unsigned i = first; i < NVME_CONTROLLERS_MAX; i++) {
		if (n->subsys->controller[i])
			put(p + 2 + 2 * count++, i, 2);
	}
	put(p, count, 2);
}

static uint16_t identify(struct nvme *n, const struct nvme_command *c)
{
	uint32_t nsid = c->dw[1], first = c->dw[10] >> 16;
	bool there = nvme_subsys_disk(n->subsys, nsid);

	memset(n->buf, 0, PAGE_BYTES);
	switch (c->dw[10] & 0xFF) { /* CNS, figure 244 */
	case 0x00:
		if (!nsid || nsid > n->subsys->namespaces)
			return NVME_INVALID_NAMESPACE;
		identify_namespace(n, nsid, n->buf);
		break;
	case 0x01:
		identify_controller(n, n->buf);
		break;
	case 0x02: /* active namespaces above NSID */
		if (nsid >= NSID_ALL - 1)
			return NVME_INVALID_NAMESPACE;
		put_list(n->buf, n->subsys->attached, nsid);
		break;
	case 0x03:
		if (!there)
			return NVME_INVALID_NAMESPACE;
		identify_descriptors(nsid, n->buf);
		break;
	case 0x12: /* controllers that the namespace is attached to */
		if (!there)
			return NVME_INVALID_NAMESPACE;
		identify_controllers(n, first, n->buf);
		break;
	case 0x13: /* controllers of the subsystem */
		identify_controllers(n, first, n->buf);
		break;
	default:
		return NVME_INVALID_FIELD;
	}
	return nvme_to_host(n, c, n->buf, PAGE_BYTES);
}

/* ---- log pages (5.14) ---- */

static uint64_t log_errors(const struct nvme *n, uint8_t *p)
{
	/* Newest first; figure 196. */
	for (uint64_t i = 0; i < NVME_ERRORS && i < n->error_count; i++) {
		uint64_t number = n->error_count - i;
		const uint64_t *e =
			&n->error_log[(number - 1) % NVME_ERRORS * 4];
		uint8_t *entry = p + 64 * i;

		put(entry, number, 8);
		put(entry + 8, e[0] & 0xFFFF, 2);        /* queue */
		put(entry + 10, e[0] >> 16 & 0xFFFF, 2); /* command */
		put(entry + 12, e[0] >> 31, 2);          /* status, phase 0 */
		put(entry + 14, 0xFFFF, 2);              /* parameter: none */
		put(entry + 16, e[1], 8);                /* LBA */
		put(entry + 24, e[2], 4);                /* NSID */
	}
	return 64 * NVME_ERRORS;
}

static uint32_t warnings(const struct nvme *n)
{
	bool hot = TEMPERATURE >= n->feature[F_TEMPERATURE];
	bool cold = TEMPERATURE <= n->cold;

	return n->fault_health | (hot || cold ? WARN_TEMPERATURE : 0);
}

void nvme_health_update(struct nvme *n)
{
	uint32_t now = warnings(n), fresh = now & ~n->warned;

	n->warned = now;
	fresh &= n->feature[F_EVENTS] & 0xFF; /* what the host wants told */
	if (fresh & WARN_SPARE)
		nvme_event(n, NVME_EVENT_HEALTH, 2);
	else if (fresh & WARN_TEMPERATURE)
		nvme_event(n, NVME_EVENT_HEALTH, 1);
	else if (fresh)
		nvme_event(n, NVME_EVENT_HEALTH, 0);
}

void nvme_namespace_changed(struct nvme *n, uint32_t nsid)
{
	n->changed |= 1u << (nsid - 1);
	if (n->feature[F_EVENTS] & OAES_NAMESPACES)
		nvme_event(n, NVME_EVENT_NOTICE, 0);
}

static uint64_t log_smart(const struct nvme *n, uint8_t *p) /* figure 197 */
{
	ps_t now = machine_now(n->pci.device.machine);

	p[0] = (uint8_t)warnings(n);
	put(p + 1, TEMPERATURE, 2);
	/* Available spare and its threshold, percent. */
	p[3] = n->fault_health & WARN_SPARE ? 5 : 100;
	p[4] = 10;
	/* Thousands of 512-byte units, rounded up. */
	put(p + 32, (n->units_read + 999) / 1000, 8);
	put(p + 48, (n->units_written + 999) / 1000, 8);
	put(p + 64, n->reads, 8);
	put(p + 80, n->writes, 8);
	put(p + 112, 1, 8);                       /* power cycles */
	put(p + 128, now / (3600 * PS_PER_S), 8); /* power-on hours */
	put(p + 176, n->error_count, 8);
	return 512;
}

static uint64_t log_firmware(uint8_t *p) /* figure 198 */
{
	p[0] = 1;
	put_ascii(p + 8, "1.0", 8);
	return 512;
}

static uint64_t log_changed(const struct nvme *n, uint8_t *p) /* figure 199 */
{
	put_list(p, n->changed, 0);
	return PAGE_BYTES;
}

/* Retain asynchronous event (RAE) is not set: its type may be told again. */
static void log_seen(struct nvme *n, uint8_t page)
{
	if (page == 0x01)
		nvme_event_seen(n, NVME_EVENT_ERROR);
	else if (page == 0x02)
		nvme_event_seen(n, NVME_EVENT_HEALTH);
	else if (page == 0x04)
		nvme_event_seen(n, NVME_EVENT_NOTICE);
	if (page == 0x04)
		n->changed = 0;
}

static uint16_t get_log_page(struct nvme *n, const struct nvme_command *c)
{
	uint64_t dwords =
		(c->dw[10] >> 16 | (uint64_t)(c->dw[11] & 0xFFFF) << 16) + 1;
	uint64_t offset = nvme_qword(c, 12), bytes = 4 * dwords, size;
	uint16_t status;

	memset(n->buf, 0, sizeof(n->buf));
	switch (c->dw[10] & 0xFF) {
	case 0x01:
		size = log_errors(n, n->buf);
		break;
	case 0x02:
		size = log_smart(n, n->buf);
		break;
	case 0x03:
		size = log_firmware(n->buf);
		break;
	case 0x04:
		size = log_changed(n, n->buf);
		break;
	default:
		return NVME_INVALID_LOG_PAGE;
	}
	if ((offset & 3) || offset > size)
		return NVME_INVALID_FIELD;
	/* Beyond the page is undefined: zeroes, as far as a transfer goes. */
	if (bytes > NVME_TRANSFER_MAX - offset)
		return NVME_INVALID_FIELD;
	status = nvme_to_host(n, c, n->buf + offset, bytes);
	if (!status && !(c->dw[10] & LOG_RAE))
		log_seen(n, c->dw[10] & 0xFF);
	return status;
}

/* ---- features (5.21, 5.10) ---- */

static const uint32_t feature_default[NVME_FEATURES] = {
	[F_TEMPERATURE] = 343,
};

/* Bits that can be set; 0: handled apart, or no such feature. */
static const uint32_t feature_mask[NVME_FEATURES] = {
	[F_ARBITRATION] = 0xFFFFFF07, [F_ERROR_RECOVERY] = 0x0000FFFF,
	[F_COALESCING] = 0x0000FFFF,  [F_ATOMICITY] = 0x00000001,
	[F_EVENTS] = 0x000001FF,
};

void nvme_admin_reset(struct nvme *n)
{
	memcpy(n->feature, feature_default, sizeof(n->feature));
	n->granted = NVME_QUEUES - 1;
	n->cold = n->changed = 0;
	nvme_events_reset(n);
	n->warned = warnings(n);
}

static uint32_t queues_result(const struct nvme *n)
{
	return (n->granted - 1) << 16 | (n->granted - 1);
}

/* Figure 288: how many the host wants of each, counted from 0; both kinds get
 * the greater number, as far as there are as many. */
static uint16_t set_queues(struct nvme *n, uint32_t value, uint32_t *result)
{
	uint32_t sq = value & 0xFFFF, cq = value >> 16;

	if (sq == 0xFFFF || cq == 0xFFFF)
		return NVME_INVALID_FIELD;
	for (unsigned q = 1; q < NVME_QUEUES; q++) {
		if (n->sq_size[q] || n->cq_size[q])
			return NVME_SEQUENCE_ERROR;
	}
	n->granted = (sq > cq ? sq : cq) + 1;
	if (n->granted > NVME_QUEUES - 1)
		n->granted = NVME_QUEUES - 1;
	*result = queues_result(n);
	return NVME_SUCCESS;
}

/* Figure 287.  The cache is the subsystem's: switched off by one controller,
 * it is off for all, and empty. */
static uint16_t set_write_cache(struct nvme *n, uint32_t value)
{
	n->subsys->write_cache = value & 1;
	if (!n->subsys->write_cache && !nvme_subsys_flush(n->subsys))
		nvme_subsys_host_failed(n->subsys);
	return NVME_SUCCESS;
}

/* Figure 274: over and under threshold of the composite temperature, the only
 * sensor (and so all sensors, Fh). */
static uint32_t *threshold(struct nvme *n, uint32_t value)
{
	uint32_t sensor = value >> 16 & 0xF, type = value >> 20 & 3;

	if ((sensor && sensor != 0xF) || type > 1)
		return NULL;
	return type ? &n->cold : &n->feature[F_TEMPERATURE];
}

static uint16_t set_temperature(struct nvme *n, uint32_t value)
{
	uint32_t *to = threshold(n, value);

	if (!to)
		return NVME_INVALID_FIELD;
	*to = value & 0xFFFF;
	nvme_health_update(n);
	return NVME_SUCCESS;
}

static uint16_t set_features(struct nvme *n, const struct nvme_command *c,
			     uint32_t *result)
{
	uint32_t id = c->dw[10] & 0xFF, value = c->dw[11];

	if (c->dw[10] & FEATURE_SAVE)
		return NVME_NOT_SAVEABLE;
	switch (id) {
	case F_WRITE_CACHE:
		return set_write_cache(n, value);
	case F_QUEUES:
		return set_queues(n, value, result);
	case F_TEMPERATURE:
		return set_temperature(n, value);
	case F_POWER:
		return value & 0x1F ? NVME_INVALID_FIELD : NVME_SUCCESS;
	case F_VECTOR: /* coalescing is off on every vector as it is */
		return (value & 0xFFFF) < NVME_QUEUES ? NVME_SUCCESS
						      : NVME_INVALID_FIELD;
	default:
		if (id >= NVME_FEATURES || !feature_mask[id])
			return NVME_INVALID_FIELD;
		n->feature[id] = value & feature_mask[id];
		return NVME_SUCCESS;
	}
}

static uint16_t get_features(struct nvme *n, const struct nvme_command *c,
			     uint32_t *result)
{
	uint32_t id = c->dw[10] & 0xFF, select = c->dw[10] >> 8 & 7;
	bool initial = select == 1 || select == 2; /* default, saved */
	bool apart = id == F_WRITE_CACHE || id == F_QUEUES || id == F_POWER ||
		     id == F_VECTOR || id == F_TEMPERATURE;
	const uint32_t *degrees = threshold(n, c->dw[11]);

	if (id >= NVME_FEATURES || select > 3 || !(apart || feature_mask[id]))
		return NVME_INVALID_FIELD;
	if (select == 3) { /* capabilities: changeable, not saveable */
		*result = 4;
		return NVME_SUCCESS;
	}
	switch (id) {
	case F_WRITE_CACHE:
		*result = initial ? 1 : n->subsys->write_cache;
		break;
	case F_QUEUES:
		*result = queues_result(n);
		break;
	case F_VECTOR:
		if ((c->dw[11] & 0xFFFF) >= NVME_QUEUES)
			return NVME_INVALID_FIELD;
		*result = (c->dw[11] & 0xFFFF) | 0x10000;
		break;
	case F_POWER:
		*result = 0;
		break;
	case F_TEMPERATURE:
		if (!degrees)
			return NVME_INVALID_FIELD;
		*result = *degrees;
		if (initial)
			*result = degrees == &n->cold ? 0 : feature_default[id];
		break;
	default:
		*result = initial ? feature_default[id] : n->feature[id];
		break;
	}
	return NVME_SUCCESS;
}

/* ---- abort (5.1) ---- */

static uint16_t abort_command(struct nvme *n, const struct nvme_command *c,
			      uint32_t *result)
{
	uint32_t sq = c->dw[10] & 0xFFFF;
	uint16_t cid = (uint16_t)(c->dw[10] >> 16);

	/* Bit 0 of the result: it was not aborted. */
	*result = !(nvme_abort(n, sq, cid) ||
		    (sq == 0 && nvme_event_abort(n, cid)));
	return NVME_SUCCESS;
}

/* ---- the command set ---- */

void nvme_error_note(struct nvme *n, unsigned sq, const struct nvme_command *c,
		     uint16_t status)
{
	uint64_t *e = &n->error_log[n->error_count % NVME_ERRORS * 4];

	n->error_count++;
	e[0] = sq | (uint64_t)nvme_cid(c) << 16 | (uint64_t)status << 32;
	e[1] = nvme_qword(c, 10);
	e[2] = c->dw[1];
}

uint16_t nvme_admin(struct nvme *n, const struct nvme_command *c,
		    uint32_t *result)
{
	*result = 0;
	if (c->dw[0] & 0xC300) /* fused, or SGL */
		return NVME_INVALID_FIELD;
	switch (nvme_opcode(c)) {
	case DELETE_SQ:
		return delete_sq(n, c);
	case CREATE_SQ:
		return create_sq(n, c);
	case GET_LOG_PAGE:
		return get_log_page(n, c);
	case DELETE_CQ:
		return delete_cq(n, c);
	case CREATE_CQ:
		return create_cq(n, c);
	case IDENTIFY:
		return identify(n, c);
	case ABORT:
		return abort_command(n, c, result);
	case SET_FEATURES:
		return set_features(n, c, result);
	case GET_FEATURES:
		return get_features(n, c, result);
	case EVENT_REQUEST:
		return nvme_event_request(n, c);
	default:
		return NVME_INVALID_OPCODE;
	}
}
