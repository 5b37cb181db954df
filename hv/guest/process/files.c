/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/files.c - commands for the files of the guest's disk.  Each
 * is a program, and the shell runs it as one of its own commands: so a line may
 * be as long as the console's. */
#include "guest/process/files.h"
#include "lib/format.h"
#include "lib/string.h"

static uint8_t page[PROC_TRANSFER_BYTES];

const char *file_error(int64_t r)
{
	static const char *const text[] = {
		[PROC_EINVAL] = "that can't be its name",
		[PROC_EIO] = "the disk said no",
		[PROC_ENOENT] = "there is no such file or directory",
		[PROC_ENOMEM] = "the guest has too little memory for files",
		[PROC_EEXIST] = "there is one already",
		[PROC_ENOTDIR] = "a file is no directory",
		[PROC_EISDIR] = "it is a directory",
		[PROC_ENOTEMPTY] = "there is something in it",
		[PROC_ENOSPC] = "the volume is full",
		[PROC_EBAD] =
			"the disk holds no FAT32 volume, or a damaged one",
		[PROC_EBUSY] = "it is open, or too many are",
		[PROC_EREADONLY] = "it is read-only",
		[PROC_EFBIG] = "no file can be that large",
	};

	return -r < (int64_t)(sizeof(text) / sizeof(text[0])) &&
			       text[-r] != NULL
		       ? text[-r]
		       : "failed";
}

int file_failed(const char *what, const char *name, int64_t r)
{
	if (r >= 0)
		return 0;
	print("%s: %s: %s", what, name, file_error(r));
	return 1;
}

static struct process_path path;

int64_t file_call(uint64_t number, const char *name, const char *to, uint64_t b)
{
	str_field(path.path, name, sizeof(path.path));
	str_field(path.to, to, sizeof(path.to));
	return call(number, (uintptr_t)&path, b);
}

int64_t file_transfer(uint64_t number, int64_t file, uint64_t offset,
		      void *bytes, uint64_t count)
{
	struct process_io io = {
		.file = (uint64_t)file,
		.at = (uintptr_t)bytes,
		.bytes = count,
		.offset = offset,
	};

	return call(number, (uintptr_t)&io, 0);
}

static int wants_word(const struct words *w, unsigned count, const char *usage)
{
	if (w->count > count)
		return 0;
	print("usage: %s", usage);
	return 1;
}

/* ---- ls, df, sync, mkdir, rm, mv ----------------------------------------- */

int program_ls(const struct words *w, const struct process_args *args)
{
	static struct process_entry e;
	const char *name = w->count > 1 ? w->word[1] : "/";
	int64_t r;

	(void)args;
	str_field(e.path, name, sizeof(e.path));
	e.cursor = 0;
	while ((r = call(PROC_LIST_FILES, (uintptr_t)&e, 0)) == 1) {
		uint64_t day = e.changed >> 16, t = e.changed & 0xffff;

		print("%10lu %lu-%02lu-%02lu %02lu:%02lu %s%s", e.size,
		      1980 + (day >> 9), day >> 5 & 15, day & 31, t >> 11,
		      t >> 5 & 63, e.name,
		      e.attributes & PROC_DIRECTORY ? "/" : "");
	}
	return file_failed("ls", name, r);
}

int program_df(const struct words *w, const struct process_args *args)
{
	struct process_volume v;
	int64_t r = call(PROC_VOLUME, (uintptr_t)&v, 0);

	(void)w;
	(void)args;
	if (r == 0)
		print("%lu KiB, %lu free, in clusters of %lu bytes%s",
		      v.clusters * v.cluster_bytes / 1024,
		      v.free * v.cluster_bytes / 1024, v.cluster_bytes,
		      v.was_clean ? "" : "; it had not been closed");
	return file_failed("df", "/", r);
}

int program_sync(const struct words *w, const struct process_args *args)
{
	(void)w;
	(void)args;
	return file_failed("sync", "/", call(PROC_SYNC, 0, 0));
}

int program_mkdir(const struct words *w, const struct process_args *args)
{
	(void)args;
	return wants_word(w, 1, "mkdir DIR") ||
	       file_failed("mkdir", w->word[1],
			   file_call(PROC_MKDIR, w->word[1], "", 0));
}

int program_rm(const struct words *w, const struct process_args *args)
{
	(void)args;
	return wants_word(w, 1, "rm FILE, or an empty DIR") ||
	       file_failed("rm", w->word[1],
			   file_call(PROC_REMOVE, w->word[1], "", 0));
}

int program_mv(const struct words *w, const struct process_args *args)
{
	(void)args;
	return wants_word(w, 2, "mv FROM TO") ||
	       file_failed("mv", w->word[1],
			   file_call(PROC_RENAME, w->word[1], w->word[2], 0));
}

/* ---- cat, write, append, cp ---------------------------------------------- */

static void print_block(void)
{
	char line[65];

	for (unsigned i = 0; i < sizeof(line) - 1; i++)
		line[i] = block_page[i] >= ' ' && block_page[i] < 0x7f
				  ? (char)block_page[i]
				  : '.';
	line[sizeof(line) - 1] = '\0';
	print("%s", line);
}

/* Line by line; a longer one goes on in the next. */
static int print_file(const char *name, int64_t file)
{
	char line[101];
	unsigned n = 0;
	uint64_t offset = 0;
	int64_t r;

	while ((r = file_transfer(PROC_FILE_READ, file, offset, page,
				  sizeof(page))) > 0) {
		for (int64_t i = 0; i < r; i++) {
			uint8_t c = page[i];

			if (c != '\n')
				line[n++] =
					c >= ' ' && c != 0x7f ? (char)c : '.';
			line[n] = '\0';
			if (c == '\n' || n == sizeof(line) - 1) {
				print("%s", line);
				n = 0;
			}
		}
		offset += (uint64_t)r;
	}
	if (n > 0)
		print("%s", line);
	return file_failed("cat", name, r);
}

/* A block's number, or a file. */
int program_cat(const struct words *w, const struct process_args *args)
{
	uint64_t block = words_number(w, 1, ~0ull);
	int64_t r;
	int code;

	(void)args;
	if (wants_word(w, 1, "cat FILE, or the number of a BLOCK"))
		return 1;
	if (block != ~0ull) {
		r = call(PROC_READ, block, (uintptr_t)block_page);
		if (r < 0)
			print("cat: %s", file_error(r));
		else
			print_block();
		return r < 0;
	}
	r = file_call(PROC_OPEN, w->word[1], "", 0);
	if (r < 0)
		return file_failed("cat", w->word[1], r);
	code = print_file(w->word[1], r);
	(void)call(PROC_FILE_CLOSE, (uint64_t)r, 0);
	return code;
}

static uint64_t line_of(const struct words *w, unsigned first)
{
	uint64_t n = 0;

	for (unsigned i = first; i < w->count; i++) {
		for (const char *at = w->word[i]; *at != '\0'; at++)
			page[n++] = (uint8_t)*at;
		page[n++] = i + 1 < w->count ? ' ' : '\n';
	}
	return n;
}

static int put_line(const struct words *w, uint64_t flags)
{
	struct process_entry *e = (struct process_entry *)(void *)page;
	uint64_t offset = 0, n;
	int64_t file, r;

	if (wants_word(w, 2, "write FILE WORD..., append FILE WORD..."))
		return 1;
	file = file_call(PROC_OPEN, w->word[1], "", flags);
	if (file < 0)
		return file_failed(w->word[0], w->word[1], file);
	if (!(flags & PROC_TRUNCATE)) {
		str_field(e->path, w->word[1], sizeof(e->path));
		if (call(PROC_STAT, (uintptr_t)e, 0) == 0)
			offset = e->size;
	}
	n = line_of(w, 2);
	r = file_transfer(PROC_FILE_WRITE, file, offset, page, n);
	if (r >= 0 && (uint64_t)r < n)
		r = -PROC_ENOSPC;
	if (r >= 0)
		r = call(PROC_FILE_CLOSE, (uint64_t)file, 0);
	else
		(void)call(PROC_FILE_CLOSE, (uint64_t)file, 0);
	return file_failed(w->word[0], w->word[1], r);
}

int program_write(const struct words *w, const struct process_args *args)
{
	(void)args;
	return put_line(w, PROC_CREATE | PROC_TRUNCATE);
}

int program_append(const struct words *w, const struct process_args *args)
{
	(void)args;
	return put_line(w, PROC_CREATE);
}

int64_t file_copy(const char *from, const char *to)
{
	uint64_t offset = 0;
	int64_t in = file_call(PROC_OPEN, from, "", 0), out, n, r;

	if (in < 0)
		return in;
	out = file_call(PROC_OPEN, to, "",
			PROC_CREATE | PROC_TRUNCATE | PROC_NEW);
	if (out < 0) {
		(void)call(PROC_FILE_CLOSE, (uint64_t)in, 0);
		return out;
	}
	while ((n = file_transfer(PROC_FILE_READ, in, offset, page,
				  sizeof(page))) > 0) {
		r = file_transfer(PROC_FILE_WRITE, out, offset, page,
				  (uint64_t)n);
		if (r != n) {
			n = r < 0 ? r : -PROC_ENOSPC;
			break;
		}
		offset += (uint64_t)n;
	}
	(void)call(PROC_FILE_CLOSE, (uint64_t)in, 0);
	r = call(PROC_FILE_CLOSE, (uint64_t)out, 0);
	return n < 0 ? n : r < 0 ? r : (int64_t)offset;
}

int program_cp(const struct words *w, const struct process_args *args)
{
	int64_t r;

	(void)args;
	if (wants_word(w, 2, "cp FROM TO"))
		return 1;
	r = file_copy(w->word[1], w->word[2]);
	if (r >= 0)
		print("cp: %lu bytes", (uint64_t)r);
	return file_failed("cp", w->word[1], r);
}
