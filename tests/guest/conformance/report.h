/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/guest/conformance/report.h - the lines that a conformance kernel
 * prints.
 *
 * A line for each test: its name, every exception or interrupt that came, with
 * what the processor pushed, and every value that the test noted:
 *
 *   name: 0d:0018 +3 cs8 fl10002 n4, =1234
 *
 * that is vector and error code, the pushed instruction pointer from the test's
 * first byte, CS, flags, how many words the frame had; SP and SS where they
 * were pushed, cr2 after #PF, dr6 after #DB; with 64 bits "a8", the frame's
 * address modulo 16.
 *
 * A test may name what the manual wants: exceptions ("0d:0018 01"), exceptions
 * with their places ("0d:0018+3 01+5"), or exceptions and noted values
 * ("=1234 0d:0018"); "?": no opinion.  Anything else puts " !manual wants ..."
 * at the line's end.
 *
 * Compiled for 32 bits and for 64.  All are called from assembly (protected.S,
 * long.S), with the registers of the host's own calling conventions.
 */
#ifndef PARTERRE_CONFORMANCE_REPORT_H
#define PARTERRE_CONFORMANCE_REPORT_H

#include <stdint.h>

typedef uintptr_t word;

/* What on_event() is shown: saved registers, vector, the processor's frame. */
#define FRAME_MAX 10

/* Provided by the kernel: stacks' tops (0 ends), from which frames count. */
extern word stack_tops[];

extern word test_from;  /* where the test's code starts */
extern word test_go_on; /* bit v: after vector v the test goes on */
extern word test_skip;  /* bytes to step over then */
void report_open(void);
void report_begin(const char *name, const char *wants);
void report_note(word value);
void report_end(void);
enum then {
	ESCAPE,        /* to the end of the test */
	GO_ON,         /* IRET */
	GO_ON_POPPING, /* the error code first */
};
enum then report_event(word vector, word *frame);
/* A frame of 16-bit words, with an error code in front if `error`; `sp`, `ss`:
 * the stack that was interrupted.  GO_ON: IRET. */
enum then report_event16(word vector, uint16_t *frame, word sp, word ss,
			 word error);
void report_close(word code) __attribute__((noreturn));

#endif
