/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader_internal.h - between loader.c and the formats (loader_FORMAT.c).
 *
 * A format is a pure function: from the files, the command line and the pieces
 * of RAM (struct loader_job) to what is to be in RAM and how the first CPU
 * begins (struct loader_load).  It never sees a machine; loader.c brings the
 * load into one when it is whole.  So a fuzzer can drive a format by itself.
 *
 * Errors are EXIT_USAGE and name the file, the offset, the field, its value and
 * the remedy.
 */
#ifndef PARTERRE_SIM_LOADER_INTERNAL_H
#define PARTERRE_SIM_LOADER_INTERNAL_H

#include "sim/loader.h"

struct loader_file {
	const char *path; /* for messages alone */
	const uint8_t *data;
	uint64_t bytes;
};

/* Says what is wrong with a field; false. */
bool loader_bad(const struct loader_file *f, struct error *err, uint64_t offset,
		const char *field, uint64_t value, const char *what);
/* Little-endian; the caller has seen that the file has them. */
uint16_t loader_get16(const struct loader_file *f, uint64_t offset);
uint32_t loader_get32(const struct loader_file *f, uint64_t offset);
uint64_t loader_get64(const struct loader_file *f, uint64_t offset);

struct loader_module {
	struct loader_file file;
	const char *string; /* never NULL */
};

/* The screen as firmware left it.  width 0: text mode 3. */
struct loader_video {
	uint64_t base;
	uint32_t pitch; /* bytes from line to line */
	uint32_t width, height, depth;
};

struct loader_job {
	struct loader_file kernel;
	struct loader_file initrd; /* data NULL: none */
	struct loader_module module[MACHINE_MODULES_MAX];
	size_t module_count;
	const char *cmdline;   /* never NULL */
	uint64_t load_address; /* raw images; MACHINE_LOAD_DEFAULT: the mode's
				  own */
	struct cpu_ram ram[BUS_RAM_REGIONS]; /* `host` is not looked at */
	size_t ram_count;
	struct loader_video video;
	const uint8_t *rsdp; /* LOADER_RSDP_BYTES of it; NULL: none */
};
#define LOADER_RSDP_BYTES 36 /* ACPI 6.4, 5.2.5.3 */

/* One stretch of RAM: `data`, then zeroes.  `data` belongs to the job's files
 * or to the load (loader_alloc()). */
struct loader_piece {
	const char *name, *path; /* for messages */
	paddr_t pa;
	const uint8_t *data;
	uint64_t data_bytes, zero_bytes;
	uint64_t bytes; /* with what is only kept free */
};

enum loader_mode {
	LOADER_REAL16, /* CS 0 below 64 KiB, else rip >> 4 */
	LOADER_FLAT32, /* flat segments, paging off */
	LOADER_LONG64, /* the same, paging on with `cr3` */
};

struct loader_entry {
	enum loader_mode mode;
	uint64_t rip, cr3;
	uint64_t gpr[CPU_GPR_COUNT];
	uint16_t code_selector, data_selector;
	uint64_t gdt_base; /* with gdt_limit; 0: none */
	uint32_t gdt_limit;
};

#define LOADER_MIB        UINT64_C(0x100000)
#define LOADER_PIECES_MAX 64

struct loader_load {
	struct loader_piece piece[LOADER_PIECES_MAX];
	size_t count;
	uint8_t *owned[LOADER_PIECES_MAX];
	size_t owned_count;
	struct loader_entry entry;
};

struct loader_format {
	const char *name; /* as boot = says */
	bool (*recognises)(const struct loader_file *f);
	bool (*load)(const struct loader_job *job, struct loader_load *load,
		     struct error *err);
};

/* Zeroed, the load's own; RAM's worth of small things: never fails. */
uint8_t *loader_alloc(struct loader_load *load, size_t bytes);
void loader_load_free(struct loader_load *load);

/* Adds a piece if RAM has the room.  The firmware's tables and earlier pieces
 * are not to be met. */
bool loader_put(const struct loader_job *job, struct loader_load *load,
		const struct loader_piece *piece, struct error *err) MUST_USE;
bool loader_is_ram(const struct loader_job *job, paddr_t pa, uint64_t bytes);
/* The end of RAM below 4 GiB. */
paddr_t loader_low_end(const struct loader_job *job);
/* The end of the last piece, at least 1 MiB, rounded to a page. */
paddr_t loader_pieces_end(const struct loader_load *load);

/* The job's modules, each at a page of its own after what is there; start[i] is
 * where. */
bool loader_put_modules(const struct loader_job *job, struct loader_load *load,
			paddr_t start[MACHINE_MODULES_MAX],
			struct error *err) MUST_USE;

/* What the image is told, in one piece after all others: its parts follow each
 * other, 8-byte aligned. */
#define LOADER_BLOCK_MAX (64 * 1024)
struct loader_block {
	uint8_t *data;
	size_t bytes;
	paddr_t pa;
	bool full; /* a part found no room */
};
struct loader_block loader_block(struct loader_load *load);
/* Where `bytes` of the block lie, as the guest sees it. */
uint32_t loader_block_add(struct loader_block *b, const void *p, size_t bytes);
uint32_t loader_block_text(struct loader_block *b, const char *text);
bool loader_put_block(const struct loader_job *job, struct loader_load *load,
		      const struct loader_block *b, struct error *err) MUST_USE;

/* The memory map that firmware would give (ACPI 6.4, section 15). */
#define LOADER_MAP_RAM      1
#define LOADER_MAP_RESERVED 2
#define LOADER_MAP_MAX      (BUS_RAM_REGIONS + 8)
struct loader_range {
	uint64_t base, bytes;
	uint32_t type;
};
size_t loader_memory_map(const struct loader_job *job,
			 struct loader_range map[LOADER_MAP_MAX]);

struct loader_video loader_video(const struct machine_video *v);
/* Linux's, at the beginning of the zero page. */
void loader_screen_info(const struct loader_video *v, uint8_t *zero);
/* Multiboot's, as both versions lay it out up to `type`. */
struct loader_framebuffer {
	uint64_t base;
	uint32_t pitch, width, height;
	uint8_t depth, type;
	uint8_t channel[6]; /* lowest bit and size of red, green, blue */
} __attribute__((packed));
struct loader_framebuffer loader_framebuffer(const struct loader_video *v);

/* Page tables that map the first 4 GiB to themselves by pages of 2 MiB, for
 * LOADER_LONG64, at `pa`. */
#define LOADER_TABLES_BYTES (6 * PAGE_BYTES)
bool loader_put_tables(const struct loader_job *job, struct loader_load *load,
		       paddr_t pa, struct error *err) MUST_USE;
/* A GDT with flat segments: 64-bit or 32-bit code at selector 10h, data at 18h;
 * sets the entry's GDT and selectors. */
bool loader_put_gdt(const struct loader_job *job, struct loader_load *load,
		    paddr_t pa, struct error *err) MUST_USE;

bool linux_recognises(const struct loader_file *f);
bool linux_load(const struct loader_job *job, struct loader_load *load,
		struct error *err);
bool linux32_load(const struct loader_job *job, struct loader_load *load,
		  struct error *err);
bool linux64_load(const struct loader_job *job, struct loader_load *load,
		  struct error *err);
bool multiboot_recognises(const struct loader_file *f);
bool multiboot_load(const struct loader_job *job, struct loader_load *load,
		    struct error *err);
bool multiboot2_recognises(const struct loader_file *f);
bool multiboot2_load(const struct loader_job *job, struct loader_load *load,
		     struct error *err);
bool pvh_recognises(const struct loader_file *f);
bool pvh_load(const struct loader_job *job, struct loader_load *load,
	      struct error *err);
bool raw16_load(const struct loader_job *job, struct loader_load *load,
		struct error *err);
bool raw32_load(const struct loader_job *job, struct loader_load *load,
		struct error *err);
bool raw64_load(const struct loader_job *job, struct loader_load *load,
		struct error *err);

/* ---- ELF (loader_elf.c) ---- */

#define LOADER_SEGMENTS_MAX 32

struct loader_segment {
	paddr_t pa;
	uint64_t va;                 /* linear, as linked; 0 without ELF */
	uint64_t offset, file_bytes; /* in the file */
	uint64_t mem_bytes;          /* the rest is zeroed */
};

/* What an image asks for. */
struct loader_plan {
	uint32_t flags;         /* of the Multiboot 1 header */
	uint32_t header_offset; /* in the file */
	uint32_t entry;         /* physical */
	uint64_t linear_at;     /* a linear framebuffer is asked for; 0: no */
	size_t segment_count;
	struct loader_segment segment[LOADER_SEGMENTS_MAX];
};

/* Fills the segments from an executable, of either class. */
bool loader_plan_segments(struct loader_plan *plan, const struct loader_file *f,
			  struct error *err) MUST_USE;
/* And the entry. */
bool loader_plan_elf(struct loader_plan *plan, const struct loader_file *f,
		     struct error *err) MUST_USE;
/* A note by name and type in any PT_NOTE that lies in the file: its
 * descriptor's offset and length.  False: there is none, or a note before it
 * leaves its segment. */
struct loader_note {
	uint64_t at, bytes;
	uint64_t broken; /* the offset of such a note; 0: none */
};
bool loader_find_note(const struct loader_file *f, const char *name,
		      uint32_t type, struct loader_note *note);
/* One stretch of the file by Multiboot's address fields: header_addr and the
 * three that follow it lie at `fields`, entry_addr at `entry`, in the file.  A
 * load_addr of `whole_file` means from its beginning. */
struct loader_addresses {
	uint64_t fields, entry, whole_file;
};
bool loader_plan_addresses(struct loader_plan *plan,
			   const struct loader_file *f,
			   const struct loader_addresses *at,
			   struct error *err) MUST_USE;
bool pvh_plan(struct loader_plan *plan, const struct loader_file *f,
	      struct error *err) MUST_USE;
/* The plan's segments become pieces. */
bool loader_put_plan(const struct loader_job *job, struct loader_load *load,
		     const struct loader_plan *plan,
		     struct error *err) MUST_USE;
/* What a Multiboot 1 or 2 image asks for. */
bool multiboot2_plan(struct loader_plan *plan, const struct loader_file *f,
		     struct error *err) MUST_USE;
bool multiboot_plan(struct loader_plan *plan, const struct loader_file *f,
		    struct error *err) MUST_USE;
/* Does the machine have the screen that the image insists on? */
bool loader_check_video(const struct loader_job *job,
			const struct loader_plan *plan,
			struct error *err) MUST_USE;

#endif
