/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct output *shell(const char *fmt, ...)
{
	static struct output o;
	char line[4096], command[4200];
	size_t used = 0, n;
	va_list ap;
	FILE *f;
	int status;

	va_start(ap, fmt);
	cr_assert_lt(vsnprintf(line, sizeof(line), fmt, ap), 4096);
	va_end(ap);
	snprintf(command, sizeof(command), "{ %s ; } 2>&1 </dev/null", line);
	f = popen(command, "r");
	cr_assert(f);
	while ((n = fread(o.text + used, 1, sizeof(o.text) - 1 - used, f)) > 0)
		used += n;
	o.text[used] = '\0';
	while (fgetc(f) != EOF)
		;
	status = pclose(f);
	cr_assert(WIFEXITED(status), "%s: ended by signal %d", line,
		  WTERMSIG(status));
	o.status = WEXITSTATUS(status);
	return &o;
}

static char directory[] = "/tmp/parterre-test-XXXXXX";

static void remove_scratch(void)
{
	shell("rm -rf %s", directory);
}

const char *scratch(void)
{
	static bool made;

	if (!made) {
		cr_assert(mkdtemp(directory));
		atexit(remove_scratch);
		made = true;
	}
	return directory;
}

void wants(const struct output *o, int status)
{
	cr_assert_eq(o->status, status, "status %d, wanted %d:\n%s", o->status,
		     status, o->text);
}

void says(const struct output *o, const char *text)
{
	cr_assert(strstr(o->text, text), "'%s' is not in:\n%s", text, o->text);
}

const char *json_value(const struct output *o, const char *key)
{
	static char value[128];
	char quoted[64];
	const char *at;
	size_t n;

	snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
	at = strstr(o->text, quoted);
	if (!at)
		return "";
	at += strlen(quoted);
	at += *at == '"';
	n = strcspn(at, "\",}\n");
	snprintf(value, sizeof(value), "%.*s", (int)n, at);
	return value;
}

struct fingerprint run_fingerprint(const char *command, const char *options,
				   const char *scenario)
{
	struct fingerprint f;
	struct output *o =
		shell("%s run --quiet --json --images %s/hv --out %s/run %s %s",
		      command, BUILD_DIR, scratch(), options, scenario);

	wants(o, 0);
	snprintf(f.chain, sizeof(f.chain), "%.19s", json_value(o, "chain"));
	snprintf(f.digest, sizeof(f.digest), "%.19s", json_value(o, "digest"));
	snprintf(f.trace, sizeof(f.trace), "%.19s",
		 json_value(o, "trace_digest"));
	cr_assert_eq(strlen(f.chain), 16);
	return f;
}

void same_fingerprint(const struct fingerprint *a, const struct fingerprint *b)
{
	cr_assert_str_eq(a->chain, b->chain);
	cr_assert_str_eq(a->digest, b->digest);
	cr_assert_str_eq(a->trace, b->trace);
}
