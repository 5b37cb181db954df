/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/run.c - a kernel on a bare machine, its console here.
 *
 * usage: run-kernel KERNEL [CPUS]
 * Ends with the code that the guest switched off with.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/machine.h"

#define END (60 * PS_PER_S)

static void on_byte(void *owner, unsigned serial, ps_t when, uint8_t c)
{
	(void)owner, (void)when;
	if (!serial)
		putchar(c);
}

int main(int argc, char **argv)
{
	struct machine_config c;
	struct machine *m;
	struct error err;
	enum machine_stop stop;
	int code;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: run-kernel KERNEL [CPUS]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(64) << 20;
	c.cpu_count = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	c.controllers = 0;
	c.kernel = argv[1];
	m = machine_create(&c, NULL, &err);
	if (!m) {
		fprintf(stderr, "run-kernel: %s\n", err.text);
		return 7;
	}
	machine_set_console(m, on_byte, NULL);
	stop = machine_run(m, END);
	fflush(stdout);
	code = stop == MACHINE_OFF ? (int)machine_off_code(m) : 1;
	if (stop != MACHINE_OFF)
		fprintf(stderr, "run-kernel: the guest did not switch off\n");
	machine_destroy(m);
	return code;
}
