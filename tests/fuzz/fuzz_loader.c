/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/fuzz_loader.c - any file is either refused with a whole message,
 * or what it becomes lies in RAM, in order, and comes from the file.
 *
 * Built once for each loader: FUZZ_LOADS are its entries in loader_internal.h.
 * By libFuzzer; tools/fuzz runs them.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/check.h"
#include "sim/loader_internal.h"

#define RAM (64 * LOADER_MIB)

typedef bool format_load(const struct loader_job *, struct loader_load *,
			 struct error *);

static format_load *const loads[] = {FUZZ_LOADS};
static const uint8_t other[5000] = "initrd or module", rsdp[LOADER_RSDP_BYTES];

static bool is_of(const struct loader_piece *p, const uint8_t *data,
		  uint64_t bytes)
{
	return p->data >= data && (uint64_t)(p->data - data) <= bytes &&
	       p->data_bytes <= bytes - (uint64_t)(p->data - data);
}

static void check_pieces(const struct loader_job *job,
			 const struct loader_load *load)
{
	uint64_t sum = 0;

	CHECK(load->count && load->count <= LOADER_PIECES_MAX);
	for (size_t i = 0; i < load->count; i++) {
		const struct loader_piece *p = &load->piece[i];

		CHECK(loader_is_ram(job, p->pa, p->bytes));
		CHECK(p->data_bytes + p->zero_bytes <= p->bytes);
		for (size_t k = 0; k < i; k++) {
			const struct loader_piece *o = &load->piece[k];

			CHECK(!p->bytes || !o->bytes ||
			      p->pa + p->bytes <= o->pa ||
			      o->pa + o->bytes <= p->pa);
		}
		if (!strcmp(p->name, "kernel") || !strcmp(p->name, "segment"))
			CHECK(is_of(p, job->kernel.data, job->kernel.bytes));
		/* The sanitizer looks at all of it. */
		for (uint64_t at = 0; at < p->data_bytes; at++)
			sum += p->data[at];
	}
	(void)sum;
	CHECK(loader_is_ram(job, load->entry.rip, 1));
	CHECK(load->entry.mode != LOADER_LONG64 || load->entry.cr3);
}

static void check_refusal(const struct error *err)
{
	CHECK(err->code == EXIT_USAGE);
	CHECK(strchr(err->text, ';'));
	CHECK(strstr(err->text, "offset ") || strstr(err->text, " bytes"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct loader_job job = {
		.kernel = {"image", data, bytes},
		.initrd = {"initrd", other, sizeof(other)},
		.module = {{{"module", other, 100}, "one"},
			   {{"empty", other, 0}, ""}},
		.module_count = 2,
		.cmdline = "quiet",
		.load_address = MACHINE_LOAD_DEFAULT,
		.ram = {{.base = 0, .bytes = 0xA0000},
			{.base = 0xC0000, .bytes = RAM - 0xC0000},
			{.base = BUS_RAM_HIGH, .bytes = RAM}},
		.ram_count = 3,
		.rsdp = rsdp,
	};

	for (size_t i = 0; i < ARRAY_LEN(loads); i++) {
		struct loader_load *load = calloc(1, sizeof(*load));
		struct error err = {0};

		CHECK(load);
		if (loads[i](&job, load, &err))
			check_pieces(&job, load);
		else
			check_refusal(&err);
		loader_load_free(load);
		free(load);
	}
	return 0;
}
