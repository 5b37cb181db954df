/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/trace/deep_code.h - a packet's records into columns, and out of them.
 */
#ifndef PARTERRE_SIM_TRACE_DEEP_CODE_H
#define PARTERRE_SIM_TRACE_DEEP_CODE_H

#include "sim/trace/deep.h"

enum deep_column {
	COLUMN_KIND,
	COLUMN_REGISTER,
	COLUMN_FLAGS,
	COLUMN_ADDRESS,
	COLUMN_VALUE,
	COLUMN_NUMBER,
	DEEP_COLUMNS
};

#define DEEP_REGISTERS    (CPU_GPR_COUNT + 1)
#define DEEP_COLUMN_BYTES (1u << 20)
#define DEEP_RECORD_BYTES 8192       /* no record takes more of a column */
#define DEEP_RECORDS      (1u << 17) /* in a packet */

/* What an address did last time. */
struct deep_site {
	uint64_t key;
	uint64_t next; /* where it went on */
	uint64_t bytes;
	uint32_t changed;
	uint32_t accesses;
	uint64_t delta[4]; /* of the registers changed, in their order */
	uint64_t flags;    /* those that changed */
	struct {
		uint64_t va, stride, displacement;
		uint8_t shape; /* bytes, and 0x80: write */
		uint8_t base;  /* register: va is it and the displacement */
	} access[4];
};
#define DEEP_SITES (1u << 13)

struct deep_flow_site {
	uint64_t key, next, bytes, count;
};

struct deep_memory {
	uint64_t va, value;
};
#define DEEP_MEMORY (1u << 14)

struct deep_cpu {
	struct deep_place at; /* of the next record, if all goes on as it was */
	bool known;           /* its registers are */
	/* Where the site of the record before says it goes on; NULL: there was
	 * none. */
	uint64_t *next;
	uint64_t end; /* where that one ended */
	uint64_t reg[DEEP_REGISTERS];
};

struct deep_coder {
	bool reading, bad;
	uint8_t *column[DEEP_COLUMNS]; /* DEEP_COLUMN_BYTES each */
	uint32_t used[DEEP_COLUMNS];   /* written or read */
	uint32_t bytes[DEEP_COLUMNS];  /* when reading: that there are */
	uint64_t before;
	uint32_t last; /* CPU */
	struct deep_cpu cpu[CPU_COUNT_MAX];
	struct deep_site site[DEEP_SITES];
	struct deep_flow_site flow[DEEP_SITES];
	struct deep_memory memory[DEEP_MEMORY];
	/* Of the record read. */
	uint64_t was[DEEP_REGISTERS], then[DEEP_REGISTERS];
	struct cpu_access access[CPU_STEP_ACCESSES];
};

/* A new packet. */
void deep_begin(struct deep_coder *d, uint64_t before);
/* Writes *r; or fills it, and sets d->bad if the columns are none. */
void deep_code(struct deep_coder *d, struct deep_record *r);

#endif
