/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole machines with real kernels (tests/guest/sim): what they print, how they
 * end, and that cutting the run changes nothing, with one CPU and with two. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/loader.h"
#include "sim/machine.h"

#define GUEST_END (50 * PS_PER_MS)

struct result {
	enum machine_stop stop;
	uint32_t code;
	ps_t end;
	uint64_t chain, digest, retired;
	char console[256];
};

static void on_byte(void *owner, unsigned serial, ps_t when, uint8_t c)
{
	struct result *r = owner;
	size_t n = strlen(r->console);

	(void)serial, (void)when;
	if (n + 1 < sizeof(r->console))
		r->console[n] = (char)c;
}

/* `seed` 0: in one go; else in pieces up to `piece` long. */
static struct result run(const char *kernel, unsigned cpus, uint64_t seed,
			 ps_t piece)
{
	struct result r = {.stop = MACHINE_UNTIL};
	struct machine_config c;
	struct machine *m;
	struct error err;
	ps_t at = 0;

	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.cpu_count = cpus;
	c.controllers = 0;
	c.kernel = kernel;
	m = machine_create(&c, NULL, &err);
	cr_assert(m, "%s", err.text);
	cr_assert(loader_boot(m, &c, &err), "%s", err.text);
	machine_set_console(m, on_byte, &r);
	while (r.stop == MACHINE_UNTIL && at < GUEST_END) {
		seed = seed * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407) * (seed != 0);
		at = seed ? at + (seed >> 20) % piece : GUEST_END;
		r.stop = machine_run(m, at < GUEST_END ? at : GUEST_END);
	}
	r.code = machine_off_code(m);
	r.end = machine_now(m);
	r.chain = machine_chain(m);
	r.digest = machine_digest(m);
	r.retired = machine_retired(m);
	machine_destroy(m);
	return r;
}

static void same(const struct result *a, const struct result *b, uint64_t seed)
{
	cr_assert_eq(a->stop, b->stop, "seed %lu", seed);
	cr_assert_eq(a->end, b->end, "seed %lu", seed);
	cr_assert_eq(a->retired, b->retired, "seed %lu", seed);
	cr_assert_eq(a->chain, b->chain, "seed %lu", seed);
	cr_assert_eq(a->digest, b->digest, "seed %lu", seed);
	cr_assert_str_eq(a->console, b->console, "seed %lu", seed);
}

Test(guest, hello_prints_and_ends)
{
	struct result r = run(GUEST_DIR "/hello.elf", 1, 0, 0);

	cr_assert_eq(r.stop, MACHINE_OFF);
	cr_assert_eq(r.code, 42);
	cr_assert_eq(strncmp(r.console, "hello\n.......... sum ", 21), 0, "%s",
		     r.console);
}

Test(guest, hello_in_pieces)
{
	struct result whole = run(GUEST_DIR "/hello.elf", 1, 0, 0);

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct result r =
			run(GUEST_DIR "/hello.elf", 1, seed,
			    seed % 2 ? 3 * PS_PER_US : 90 * PS_PER_NS);

		same(&r, &whole, seed);
	}
}

Test(guest, two_cpus)
{
	struct result r = run(GUEST_DIR "/smp.elf", 2, 0, 0);

	cr_assert_eq(r.stop, MACHINE_OFF);
	cr_assert_eq(r.code, 7);
	cr_assert_str_eq(r.console, "two\ncalls ::\n"); /* '0' + 10 */
}

Test(guest, two_cpus_in_pieces)
{
	struct result whole = run(GUEST_DIR "/smp.elf", 2, 0, 0);

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct result r =
			run(GUEST_DIR "/smp.elf", 2, seed,
			    seed % 2 ? 5 * PS_PER_US : 200 * PS_PER_NS);

		same(&r, &whole, seed);
	}
}

/* MOV AL, 2Ah; OUT F4h, AL; HLT: the same bytes in each mode. */
Test(guest, raw_images_in_each_mode)
{
	static const char *const boot[] = {"raw16", "raw32", "raw64"};
	static const uint8_t code[] = {0xB0, 0x2A, 0xE6, 0xF4, 0xF4};
	char path[] = "/tmp/parterre-raw-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, code, sizeof(code)) == sizeof(code));
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(boot); i++) {
		struct machine_config c;
		struct machine *m;
		struct error err;

		machine_config_defaults(&c);
		c.ram_bytes = UINT64_C(16) << 20;
		c.controllers = 0;
		c.kernel = path;
		c.boot = boot[i];
		m = machine_create(&c, NULL, &err);
		cr_assert(m, "%s", err.text);
		cr_assert_eq(machine_run(m, GUEST_END), MACHINE_OFF, "%s",
			     boot[i]);
		cr_assert_eq(machine_off_code(m), 42, "%s", boot[i]);
		machine_destroy(m);
	}
	unlink(path);
}

/* The reset vector jumps to F000:8000, where
 *	mov ax, 0F000h; mov ds, ax       the shadow below 1 MiB
 *	mov al, cs:[0]; inc byte cs:[0]  ROM: the write is dropped
 *	cmp al, cs:[0]; jne fail
 *	inc byte [0]; inc al; cmp al, [0]; jne fail   RAM: it is not
 *	mov al, 2Ah; out 0F4h, al
 */
Test(guest, firmware)
{
	static uint8_t rom[0x10000] = {7};
	static const uint8_t code[] = {
		0xB8, 0x00, 0xF0, 0x8E, 0xD8, 0x2E, 0xA0, 0x00, 0x00,
		0x2E, 0xFE, 0x06, 0x00, 0x00, 0x2E, 0x3A, 0x06, 0x00,
		0x00, 0x75, 0x10, 0xFE, 0x06, 0x00, 0x00, 0xFE, 0xC0,
		0x3A, 0x06, 0x00, 0x00, 0x75, 0x04, 0xB0, 0x2A, 0xE6,
		0xF4, 0xB0, 0x01, 0xE6, 0xF4, 0xF4};
	static const uint8_t jump[] = {0xE9, 0x0D, 0x80}; /* to 8000h */
	char path[] = "/tmp/parterre-rom-XXXXXX";
	int fd = mkstemp(path);
	struct machine_config c;
	struct machine *m;
	struct error err;

	memcpy(rom + 0x8000, code, sizeof(code));
	memcpy(rom + 0xFFF0, jump, sizeof(jump));
	cr_assert(fd >= 0 && write(fd, rom, sizeof(rom)) == sizeof(rom));
	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.firmware = path;
	m = machine_create(&c, NULL, &err);
	cr_assert(m, "%s", err.text);
	cr_assert_eq(machine_run(m, GUEST_END), MACHINE_OFF);
	cr_assert_eq(machine_off_code(m), 42, "%u", machine_off_code(m));
	machine_destroy(m);

	/* What is no ROM, and what does not go with one. */
	c.kernel = path;
	cr_assert_null(machine_create(&c, NULL, &err));
	cr_assert(strstr(err.text, "give one of them"), "%s", err.text);
	c.kernel = NULL;
	cr_assert_eq(ftruncate(fd, 0xFFFF), 0);
	cr_assert_null(machine_create(&c, NULL, &err));
	cr_assert(strstr(err.text, "size = 0xffff"), "%s", err.text);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_null(machine_create(&c, NULL, &err));
	cr_assert_eq(ftruncate(fd, 0x1010000), 0);
	cr_assert_null(machine_create(&c, NULL, &err));
	cr_assert(strstr(err.text, "size = 0x1000001"), "%s", err.text);
	close(fd);
	unlink(path);
	cr_assert_null(machine_create(&c, NULL, &err));
	cr_assert(strstr(err.text, "cannot open the firmware"), "%s", err.text);
}
