/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial lines: typed at by scenarios, over a pipe as over a terminal, and over
 * a socket; what was typed is typed again. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "shell.h"

#define GUESTS "--images " BUILD_DIR "/tests/guest "
#define RUN    PARTERRE " run --quiet " GUESTS
#define TYPED  CASES "serial.lua"

static struct output *scenario(const char *text)
{
	return shell("cat >%s/own.lua <<'END'\n"
		     "machine{ kernel = 'echo', modules = {}, disk = false, "
		     "controllers = 0 }\n%s\nEND\n" RUN "--out %s/out "
		     "%s/own.lua",
		     scratch(), text, scratch(), scratch());
}

/* Types two lines over a pipe, each piece when the line shows that what was
 * typed before has been taken. */
static struct output *typed(const char *command, const char *options)
{
	return shell("cd %s && mkfifo typed && { " PARTERRE " %s "
		     "--json --quiet " GUESTS "--out %s/out %s "
		     "--set serial=terminal " TYPED " <typed >said 2>&1 & "
		     "p=$!; exec 3>typed; "
		     "shows() { until grep -q \"$1\" said; do "
		     "kill -0 $p || break; sleep 0.01; done; }; "
		     "shows '> $'; printf 'he' >&3; "
		     "shows '> he$'; printf 'llo\\r' >&3; "
		     "shows 'heard hello'; printf 'quit\\r' >&3; "
		     "exec 3>&-; wait $p; s=$?; cat said; exit $s; }",
		     scratch(), command, scratch(), options);
}

static void digest_of(const struct output *o, char digest[20])
{
	wants(o, 0);
	snprintf(digest, 20, "%.19s", json_value(o, "digest"));
	cr_assert_eq(strlen(digest), 16);
}

Test(serial, scenario_types_and_reads)
{
	wants(scenario("wait_serial('> ', {within = ms(50)})\n"
		       "send('hello\\r')\n"
		       "expect_eq(wait_serial('d hello', {within = ms(50)}), "
		       "'hello\\nheard hello', 'the answer')\n"
		       "send('quit\\r')\n"
		       "expect_eq(wait_off{}, 7, 'the code')"),
	      0);
}

Test(serial, waits_in_vain)
{
	struct output *o = scenario("wait_serial('nobody', "
				    "{within = us(50)})");

	wants(o, 4);
	says(o, "own.lua:2: at ");
	says(o, "waited in vain for 'nobody' on serial line 0; nothing came");
	o = scenario("send('hello\\r')\n"
		     "wait_serial('goodbye', {within = us(1500)})");
	wants(o, 4);
	says(o, "it ends with:\n    > hello\n    he");
	o = scenario("send(string.rep('x', 5000))");
	wants(o, 2);
	says(o, "took 4096 of 5000 bytes: the guest has not read");
	o = scenario("send('x', {serial = 2})");
	wants(o, 2);
	says(o, "serial is 0 to 1");
}

Test(serial, typed_is_noted_and_typed_again)
{
	struct output *o;
	char a[20], b[20];

	digest_of(typed("run", ""), a);
	wants(shell("grep -q 'heard hello' %s/out/console.txt", scratch()), 0);
	o = shell("grep -c ^input %s/out/input.txt", scratch());
	says(o, "3");

	digest_of(shell("sh %s/out/command --json --out %s/again", scratch(),
			scratch()),
		  b);
	cr_assert_str_eq(a, b);
	wants(shell("cmp %s/out/input.txt %s/again/input.txt", scratch(),
		    scratch()),
	      0);
	digest_of(shell("sh %s/out/command --json --out %s/again --pieces 3",
			scratch(), scratch()),
		  b);
	cr_assert_str_eq(a, b);
}

Test(serial, recording_has_what_was_typed)
{
	char options[64];

	snprintf(options, sizeof(options), "-o %s/rec", scratch());
	wants(typed("record", options), 0);
	says(shell(PARTERRE " replay " GUESTS "--out %s/out %s/rec", scratch(),
		   scratch()),
	     "bit for bit the same");
	/* "he" becomes "be". */
	shell("sed -i 's/^\\(input.* \\)6865$/\\16265/' %s/rec", scratch());
	wants(shell(PARTERRE " replay --quiet " GUESTS "--out %s/out %s/rec",
		    scratch(), scratch()),
	      6);
	says(shell("grep heard %s/out/console.txt", scratch()), "heard bello");
}

Test(serial, input_that_is_none)
{
	struct output *o;

	shell("printf 'parterre-input 1\\ninput 1 0 0 4\\n' >%s/in", scratch());
	o = shell(RUN "--out %s/out --input %s/in " TYPED, scratch(),
		  scratch());
	wants(o, 2);
	says(o, "/in:2: not input of version 1; give the input.txt of a run");
	wants(shell(RUN "--out %s/out --input %s/none " TYPED, scratch(),
		    scratch()),
	      2);
	o = shell(RUN "--out %s/out --set serial=com1 " TYPED, scratch());
	wants(o, 2);
	says(o, "serial is \"file\", \"terminal\" or \"socket:PATH\"");
}

Test(serial, user_leaves)
{
	struct output *o = shell("printf '\\001x' | " PARTERRE " run " GUESTS
				 "--out %s/out --set serial=terminal " TYPED,
				 scratch());

	wants(o, 0);
	says(o, "serial: left by its user");
	wants(shell("grep -q '^quit ' %s/out/input.txt", scratch()), 0);
}

/* A client that comes when the socket is there. */
static int client(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timespec pause = {.tv_nsec = 10000000};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	cr_assert(strlen(path) < sizeof(to.sun_path), "%s", path);
	memcpy(to.sun_path, path, strlen(path));
	for (int i = 0; i < 3000; i++) {
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			return fd;
		nanosleep(&pause, NULL);
	}
	cr_assert(false, "%s: nobody listens", path);
	return -1;
}

static void hears(int fd, const char *wanted)
{
	char text[4096];
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, text + n, sizeof(text) - 1 - n);
		cr_assert_gt(got, 0, "the line ended before '%s'", wanted);
		n += (size_t)got;
		text[n] = '\0';
	} while (!strstr(text, wanted));
}

Test(serial, socket, .timeout = 60)
{
	char path[128];
	int fd;

	shell("(" RUN "--out %s/out --set serial=socket:com1 " TYPED
	      " >%s/said; echo $? >%s/status) >/dev/null 2>&1 & true",
	      scratch(), scratch(), scratch());
	snprintf(path, sizeof(path), "%s/out/com1", scratch());
	fd = client(path);
	cr_assert_eq(write(fd, "hello\r", 6), 6);
	hears(fd, "heard hello");
	cr_assert_eq(write(fd, "quit\r", 5), 5);
	while (read(fd, path, sizeof(path)) > 0)
		; /* hung up when the machine is off */
	close(fd);
	wants(shell("while ! test -s %s/status; do sleep 0.01; done; "
		    "exit $(cat %s/status)",
		    scratch(), scratch()),
	      0);
	wants(shell("! test -e %s/out/com1 && "
		    "grep -q 'heard hello' %s/out/console.txt",
		    scratch(), scratch()),
	      0);
}
