/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/base.h - words that every part of the simulator uses.
 *
 * Time is an integer number of picoseconds since power-on (`ps_t`); nothing in
 * the machine knows another clock.  Guest-physical addresses are `paddr_t`,
 * guest-linear ones `vaddr_t`.
 */
#ifndef PARTERRE_SIM_BASE_H
#define PARTERRE_SIM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t ps_t;    /* virtual time, picoseconds since power-on */
typedef uint64_t paddr_t; /* guest-physical address */
typedef uint64_t vaddr_t; /* guest-linear address */

#define PS_PER_NS UINT64_C(1000)
#define PS_PER_US UINT64_C(1000000)
#define PS_PER_MS UINT64_C(1000000000)
#define PS_PER_S  UINT64_C(1000000000000)
#define PS_NEVER  UINT64_MAX /* later than any instant */

#define PAGE_BYTES UINT64_C(4096)

#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))
#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN               __attribute__((noreturn))

#endif
