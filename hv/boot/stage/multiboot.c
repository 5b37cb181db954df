/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/boot/stage/multiboot.c - memory, modules and command line, copied out of
 * the loader's structures before anything is written to memory.
 *
 * Multiboot Specification 0.6.96, 3.3.
 */
#include "boot/stage/stage.h"

#define BOOTED_MAGIC 0x2badb002
#define HAS_CMDLINE  0x04
#define HAS_MODULES  0x08
#define HAS_MMAP     0x40
#define MMAP_RAM     1

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct multiboot_range {
	uint32_t size; /* of what follows */
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

static void add_range(uint64_t base, uint64_t length)
{
	const uint64_t low = 0x100000;
	uint64_t first = (base < low ? low : base) + 4095;
	uint64_t end = base + length;

	first >>= 12;
	end >>= 12;
	if (end < base >> 12 || end > max_pfn)
		end = max_pfn;
	if (end <= first)
		return;
	if (boot_info.ranges == BOOT_RANGES)
		boot_fail("too many memory ranges", "");
	boot_info.range[boot_info.ranges].pfn = first;
	boot_info.range[boot_info.ranges].frames = end - first;
	boot_info.ranges++;
}

/* The first word's last path component, without its extension. */
static void module_name(char name[16], const char *s)
{
	unsigned n = 0;

	memset(name, 0, 16);
	while (*s == ' ')
		s++;
	for (; *s && *s != ' '; s++) {
		if (*s == '/')
			n = 0;
		else if (n < 15)
			name[n++] = *s;
	}
	memset(name + n, 0, 16 - n);
	for (unsigned i = n; i-- > 1;) {
		if (name[i] == '.') {
			memset(name + i, 0, 16 - i);
			break;
		}
	}
}

/* NAME=..., and no path that happens to have such a sign in it. */
static bool is_option(const char *s)
{
	while (*s && *s != ' ' && *s != '/' && *s != '=')
		s++;
	return *s == '=';
}

static void command_line(const char *s)
{
	unsigned n = 0;

	/* Most loaders put the image's own name first. */
	while (!is_option(s) && *s && *s != ' ')
		s++;
	while (*s == ' ')
		s++;
	while (*s && n < sizeof(boot_info.args) - 1)
		boot_info.args[n++] = *s++;
}

void multiboot_read(uint64_t magic, uint64_t info_pa)
{
	const struct multiboot_info *mb = physical(info_pa);
	const struct multiboot_module *mod;

	if (magic != BOOTED_MAGIC)
		boot_fail("not started by a Multiboot loader", "");
	if (!(mb->flags & HAS_MMAP))
		boot_fail("the loader gave no memory map", "");
	for (uint32_t at = 0; at < mb->mmap_length;) {
		const struct multiboot_range *r = physical(mb->mmap_addr + at);

		if (r->type == MMAP_RAM)
			add_range(r->base, r->length);
		at += r->size + 4;
	}
	if (mb->flags & HAS_CMDLINE)
		command_line(physical(mb->cmdline));
	if (!(mb->flags & HAS_MODULES))
		return;
	mod = physical(mb->mods_addr);
	for (uint32_t i = 0; i < mb->mods_count; i++) {
		struct boot_module *m = &boot_info.module[i];

		if (i == BOOT_MODULES)
			boot_fail("too many modules", "");
		module_name(m->name, physical(mod[i].string));
		m->pa = mod[i].start;
		m->bytes = mod[i].end - mod[i].start;
		if (m->pa & 4095)
			boot_fail("module not page-aligned: ", m->name);
		boot_info.modules++;
	}
}
