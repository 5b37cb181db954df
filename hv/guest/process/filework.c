/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/filework.c - a workload of files: makes them, copies them,
 * compares, moves and removes some.
 *
 *   /made/a file of number N   pattern N; every third is removed at the end
 *   /copy/N                    its copy; every fourth is moved to /moved/N.bin
 *
 * all of it in a directory DIR, if that was said.
 *
 * Byte `at` of pattern N is (N * 31 + at * 7 + at / 256) mod 256, and it has
 * N * 977 mod LONGEST + 1 of them. */
#include "guest/process/files.h"
#include "lib/format.h"
#include "lib/string.h"

static uint8_t bytes[PROC_TRANSFER_BYTES];
static uint64_t longest;
static const char *under; /* this directory; "": the root */

static uint64_t size_of(uint64_t n)
{
	return n * 977 % longest + 1;
}

static uint8_t byte_of(uint64_t n, uint64_t at)
{
	return (uint8_t)(n * 31 + at * 7 + at / 256);
}

static int64_t make(const char *name, uint64_t n)
{
	int64_t file = file_call(PROC_OPEN, name, "",
				 PROC_CREATE | PROC_TRUNCATE),
		r = 0;

	if (file < 0)
		return file;
	for (uint64_t at = 0; at < size_of(n) && r >= 0;) {
		uint64_t part = size_of(n) - at;

		part = part < sizeof(bytes) ? part : sizeof(bytes);
		for (uint64_t i = 0; i < part; i++)
			bytes[i] = byte_of(n, at + i);
		r = file_transfer(PROC_FILE_WRITE, file, at, bytes, part);
		if (r >= 0 && (uint64_t)r < part)
			r = -PROC_ENOSPC;
		at += part;
	}
	if (r < 0) {
		(void)call(PROC_FILE_CLOSE, (uint64_t)file, 0);
		return r;
	}
	return call(PROC_FILE_CLOSE, (uint64_t)file, 0);
}

/* -PROC_EBAD: it is another's. */
static int64_t check(const char *name, uint64_t n)
{
	int64_t file = file_call(PROC_OPEN, name, "", 0), r;
	uint64_t at = 0;
	bool same = true;

	if (file < 0)
		return file;
	while ((r = file_transfer(PROC_FILE_READ, file, at, bytes,
				  sizeof(bytes))) > 0) {
		for (int64_t i = 0; i < r; i++)
			same = same && bytes[i] == byte_of(n, at + (uint64_t)i);
		at += (uint64_t)r;
	}
	(void)call(PROC_FILE_CLOSE, (uint64_t)file, 0);
	if (r < 0)
		return r;
	return same && at == size_of(n) ? 0 : -PROC_EBAD;
}

static int64_t one(uint64_t n)
{
	char name[96], copy[64], moved[64];
	int64_t r;

	(void)format(name, sizeof(name), "%s/made/a file of number %lu", under,
		     n);
	(void)format(copy, sizeof(copy), "%s/copy/%lu", under, n);
	(void)format(moved, sizeof(moved), "%s/moved/%lu.bin", under, n);
	r = make(name, n);
	r = r < 0 ? r : file_copy(name, copy);
	r = r < 0 ? r : check(copy, n);
	if (r >= 0 && n % 4 == 0) {
		r = file_call(PROC_RENAME, copy, moved, 0);
		r = r < 0 ? r : check(moved, n);
	}
	if (r >= 0 && n % 3 == 0)
		r = file_call(PROC_REMOVE, name, "", 0);
	if (r < 0)
		print("files: number %lu: %s", n, file_error(r));
	return r;
}

int program_files(const struct words *w, const struct process_args *args)
{
	static const char *const directories[] = {"", "/made", "/copy",
						  "/moved"};
	uint64_t count = words_number(w, 1, 10);

	(void)args;
	longest = words_number(w, 2, 10000);
	longest = longest > 0 ? longest : 1;
	under = w->count > 3 && strlen(w->word[3]) < 32 ? w->word[3] : "";
	for (unsigned i = *under == '\0'; i < 4; i++) {
		char name[64];
		int64_t r;

		(void)format(name, sizeof(name), "%s%s", under, directories[i]);
		r = file_call(PROC_MKDIR, name, "", 0);
		if (r != -PROC_EEXIST && file_failed("files", name, r))
			return 1;
	}
	for (uint64_t n = 0; n < count; n++) {
		if (one(n) < 0)
			return 1;
	}
	if (file_failed("files", "/", call(PROC_SYNC, 0, 0)))
		return 1;
	print("files: %lu made, copied, compared", count);
	return 0;
}
