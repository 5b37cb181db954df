/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/sim/fake_board.h - a board for tests of the machine: a local APIC
 * that only keeps requests, and "probe0", one device that can do everything
 * that a device can do to a machine.
 */
#ifndef PARTERRE_TESTS_FAKE_BOARD_H
#define PARTERRE_TESTS_FAKE_BOARD_H

#include "sim/machine.h"

#define PROBE_BASE  UINT64_C(0xD0000000)
#define PROBE_PORT  0x60
#define PROBE_BYTES 0x100

/* Registers of 8 bytes; 1 to 8 bytes wide accesses.  The ports are the first
 * of them, 1 to 4 bytes wide. */
enum probe_register {
	PROBE_NOW = 0x00,     /* r: machine_now() in ns; w: timer in value ns */
	PROBE_FIRED = 0x08,   /* r: how often the timer fired */
	PROBE_ADDRESS = 0x10, /* of the next DMA */
	PROBE_DMA = 0x18,     /* w: value goes to RAM one us later; both ways */
	PROBE_IPI = 0x20,     /* w: vector 41h to the CPU `value` */
	PROBE_NMI = 0x28,
	PROBE_INIT = 0x30,
	PROBE_SIPI = 0x38, /* w: bits 8 up: CPU; 0-7: vector */
	PROBE_OFF = 0x40,
	PROBE_STOP = 0x48, /* w: machine_request_stop() */
	PROBE_CONSOLE = 0x50,
	PROBE_PS = 0x58, /* r: machine_now() in ps */
	PROBE_ODD = 0x60,
	PROBE_RESET = 0x68, /* w: machine_reset() */
};

#define PROBE_TIMER_VECTOR 0x40 /* to the CPU that set the timer */
#define PROBE_IPI_VECTOR   0x41

/* What firmware writes there at each boot: an instruction that adds 1 to RSI.
 */
#define FAKE_FIRMWARE UINT64_C(0xE0000)

/* What a probe knows of the last access. */
struct probe_seen {
	unsigned reads, writes;
	unsigned size;
	uint64_t off, value;
};
const struct probe_seen *probe_seen(struct machine *m);

#endif
