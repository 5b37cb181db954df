/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/kernel_names.h - the functions of a kernel whose file has no symbols.
 *
 * From a text, as nm, Linux's System.map and /proc/kallsyms have it: a line
 * "ADDRESS TYPE NAME" for each symbol.
 *
 * Or from RAM, by looking alone: a Linux kernel carries a table of all its
 * symbols (CONFIG_KALLSYMS).  It is there when the kernel has decompressed
 * itself, and has the addresses at which the kernel runs, wherever it put
 * itself (KASLR).  Nothing in it is trusted.
 *
 * Not known: modules' functions, which Linux keeps elsewhere; kernels of 32
 * bits.
 */
#ifndef PARTERRE_SIM_KERNEL_NAMES_H
#define PARTERRE_SIM_KERNEL_NAMES_H

#include "cpu/cpu.h"
#include "sim/status.h"

struct kernel_names;

/* NULL: it cannot be read, or is no such text (EXIT_USAGE). */
struct kernel_names *kernel_names_read(const char *path,
				       struct error *err) MUST_USE;
/* NULL: no such table is in this piece of RAM. */
struct kernel_names *kernel_names_look(const struct cpu_ram *ram) MUST_USE;
void kernel_names_free(struct kernel_names *n); /* NULL is fine */

/* The function that holds `va`; NULL: none. */
const char *kernel_names_function(const struct kernel_names *n, vaddr_t va,
				  uint64_t *offset);

#endif
