/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/seeds.c - a good image of each kind, where fuzzing begins.
 * usage: seeds DIR      writes DIR/LOADER/NAME
 */
#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct image {
	uint8_t data[0x1200];
	size_t bytes;
};

static void put(struct image *z, size_t at, unsigned size, uint64_t value)
{
	memcpy(z->data + at, &value, size);
	if (z->bytes < at + size)
		z->bytes = at + size;
}

static void put_words(struct image *z, size_t at, const uint32_t *word,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(z, at + 4 * i, 4, word[i]);
}
#define WORDS(z, at, ...)                                                      \
	put_words(z, at, (uint32_t[]){__VA_ARGS__},                            \
		  sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void bzimage(struct image *z)
{
	put(z, 0x1F1, 1, 1);          /* setup_sects */
	put(z, 0x1FE, 2, 0xAA55);     /* boot_flag */
	put(z, 0x200, 2, 0x66EB);     /* jump */
	put(z, 0x202, 4, 0x53726448); /* header */
	put(z, 0x206, 2, 0x020F);     /* version */
	put(z, 0x211, 1, 0x01);       /* loadflags */
	put(z, 0x22C, 4, 0x7FFFFFFF); /* initrd_addr_max */
	put(z, 0x230, 4, 0x200000);   /* kernel_alignment */
	put(z, 0x234, 1, 1);          /* relocatable_kernel */
	put(z, 0x236, 2, 1);          /* xloadflags */
	put(z, 0x238, 4, 2047);       /* cmdline_size */
	put(z, 0x258, 8, 0x1000000);  /* pref_address */
	put(z, 0x260, 4, 0x300000);   /* init_size */
	put(z, 0x4F0, 4, 0);
}

static void elf32(struct image *z)
{
	const Elf32_Ehdr eh = {
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = 1,
		.e_entry = 0x80100010,
		.e_phoff = 0x34,
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 3,
	};
	const Elf32_Phdr ph[3] = {
		{PT_LOAD, 0x200, 0x80100000, 0x100000, 0x80, 0x100, 5, 0},
		{PT_LOAD, 0x280, 0x80200000, 0x200000, 0x20, 0x1000, 6, 0},
		{PT_NOTE, 0x180, 0, 0, 0x2C, 0x2C, 4, 4},
	};

	memcpy(z->data, &eh, sizeof(eh));
	memcpy(z->data + 0x34, ph, sizeof(ph));
	put(z, 0x2A0, 4, 0);
}

static void elf64(struct image *z)
{
	const Elf64_Ehdr eh = {
		.e_ident = {0x7F, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = 0xFFFFFFFF80100010,
		.e_phoff = 0x40,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	const Elf64_Phdr ph[2] = {
		{PT_LOAD, 5, 0x200, 0xFFFFFFFF80100000, 0x100000, 0x80, 0x3000,
		 0x1000},
		{PT_NOTE, 4, 0x180, 0, 0, 0x2C, 0x2C, 4},
	};

	memcpy(z->data, &eh, sizeof(eh));
	memcpy(z->data + 0x40, ph, sizeof(ph));
	put(z, 0x2A0, 4, 0);
}

static void multiboot_at(struct image *z, size_t at, uint32_t flags)
{
	WORDS(z, at, 0x1BADB002, flags, -(0x1BADB002 + flags));
}

static void multiboot_flat(struct image *z)
{
	multiboot_at(z, 0x20, 0x10003);
	WORDS(z, 0x2C, 0x100020, 0x100000, 0, 0x101000, 0x100040);
	put(z, 0x80, 4, 0);
}

static void multiboot_elf(struct image *z)
{
	elf32(z);
	multiboot_at(z, 0x200, 3);
}

static void multiboot_elf64(struct image *z)
{
	elf64(z);
	multiboot_at(z, 0x200, 3);
}

/* Every tag that there is, optional where it would be refused. */
static void multiboot2_at(struct image *z, size_t at, int with_addresses)
{
	size_t t = at + 16;
	uint32_t length;

	WORDS(z, t, 1, 16, 6, 15);
	WORDS(z, t + 16, 4, 12, 2);
	WORDS(z, t + 32, 5 | 1 << 16, 20, 1024, 768, 32);
	WORDS(z, t + 56, 6, 8);
	WORDS(z, t + 64, 10, 24, 0x100000, 0x1000000, 0x1000, 0);
	t += 88;
	if (with_addresses) {
		WORDS(z, t, 2, 24, 0x100000 + (uint32_t)at, 0x100000, 0,
		      0x102000);
		WORDS(z, t + 24, 3, 12, 0x100020);
		t += 40;
	}
	WORDS(z, t, 0, 8);
	length = (uint32_t)(t + 8 - at);
	WORDS(z, at, 0xE85250D6, 0, length, -(0xE85250D6 + length));
}

static void multiboot2_flat(struct image *z)
{
	multiboot2_at(z, 0, 1);
	put(z, 0x100, 4, 0);
}

static void multiboot2_elf(struct image *z)
{
	elf32(z);
	multiboot2_at(z, 0xA8, 0);
}

static void pvh_note(struct image *z)
{
	WORDS(z, 0x180, 4, 4, 18, 0x554E47, 0);           /* "GNU" */
	WORDS(z, 0x194, 4, 8, 18, 0x6E6558, 0x100040, 0); /* "Xen" */
}

static void pvh32(struct image *z)
{
	elf32(z);
	pvh_note(z);
}

static void pvh64(struct image *z)
{
	elf64(z);
	pvh_note(z);
}

static void raw(struct image *z)
{
	put(z, 0, 4, 0xF4E62AB0);
}

static const struct {
	const char *loader, *name;
	void (*make)(struct image *z);
} seeds[] = {
	{"linux", "bzimage", bzimage},
	{"multiboot", "flat", multiboot_flat},
	{"multiboot", "elf32", multiboot_elf},
	{"multiboot", "elf64", multiboot_elf64},
	{"multiboot2", "flat", multiboot2_flat},
	{"multiboot2", "elf32", multiboot2_elf},
	{"pvh", "elf32", pvh32},
	{"pvh", "elf64", pvh64},
	{"raw", "raw", raw},
};

static int cannot(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return 7;
}

int main(int argc, char **argv)
{
	static struct image z;
	char path[512];

	if (argc != 2) {
		fprintf(stderr, "usage: seeds DIR\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", argv[1], seeds[i].loader);
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return cannot(path);
		snprintf(path, sizeof(path), "%s/%s/%s", argv[1],
			 seeds[i].loader, seeds[i].name);
		memset(&z, 0, sizeof(z));
		seeds[i].make(&z);
		f = fopen(path, "wb");
		if (!f || fwrite(z.data, 1, z.bytes, f) != z.bytes ||
		    fclose(f) != 0)
			return cannot(path);
	}
	return 0;
}
