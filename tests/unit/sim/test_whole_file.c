/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file is whole or what it was: on a disk that is full, which is here a limit
 * on the size of files; when it is dropped; behind a link.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/whole_file.h"

static char dir[] = "/tmp/parterre-whole-XXXXXX";

static void enter(void)
{
	cr_assert(mkdtemp(dir) && chdir(dir) == 0);
}

static void leave(void)
{
	(void)unlink("a");
	(void)unlink("l");
	(void)unlink("f");
	cr_assert(chdir("/") == 0 && rmdir(dir) == 0);
}

static void put(const char *path, const char *text)
{
	struct whole_file w;
	struct error err;

	cr_assert(whole_file_open(&w, path, &err), "%s", err.text);
	fputs(text, w.to);
	cr_assert(whole_file_close(&w, &err), "%s", err.text);
}

static void holds(const char *path, const char *text)
{
	char have[64] = "";
	FILE *f = fopen(path, "r");

	cr_assert(f, "%s is not there", path);
	cr_assert_eq(fread(have, 1, sizeof(have) - 1, f), strlen(text));
	cr_assert_str_eq(have, text);
	fclose(f);
	cr_assert(access("a.part", F_OK) < 0);
}

TestSuite(whole_file, .init = enter, .fini = leave);

Test(whole_file, is_what_was_written)
{
	put("a", "one");
	put("a", "two");
	holds("a", "two");
}

Test(whole_file, is_what_it_was_on_a_full_disk)
{
	const struct rlimit little = {8192, 8192};
	struct whole_file w;
	struct error err;

	put("a", "one");
	signal(SIGXFSZ, SIG_IGN);
	cr_assert(setrlimit(RLIMIT_FSIZE, &little) == 0);
	cr_assert(whole_file_open(&w, "a", &err));
	for (int i = 0; i < 10000; i++)
		fputs("more", w.to);
	cr_assert(!whole_file_close(&w, &err));
	cr_assert(strstr(err.text, "a: cannot be written: File too large"),
		  "%s", err.text);
	holds("a", "one");
}

Test(whole_file, is_what_it_was_if_dropped)
{
	struct whole_file w;
	struct error err;

	put("a", "one");
	cr_assert(whole_file_open(&w, "a", &err));
	fputs("two", w.to);
	whole_file_drop(&w);
	whole_file_drop(&w);
	holds("a", "one");
}

Test(whole_file, of_a_link_is_what_it_names)
{
	struct whole_file w;
	struct error err;
	char to[8];

	put("a", "one");
	cr_assert(symlink("a", "l") == 0);
	put("l", "two");
	holds("a", "two");
	cr_assert_eq(readlink("l", to, sizeof(to)), 1);
	/* What is no file is written, and is still what it was. */
	cr_assert(symlink("/dev/full", "f") == 0);
	cr_assert(whole_file_open(&w, "f", &err));
	cr_assert(!whole_file_is_file(&w));
	fputs("x", w.to);
	cr_assert(!whole_file_close(&w, &err));
	cr_assert(!whole_file_open(&w, ".", &err));
	cr_assert(strstr(err.text, "Is a directory"), "%s", err.text);
}
