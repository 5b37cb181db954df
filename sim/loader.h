/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/loader.h - brings an image into a machine's RAM and its first CPU to the
 * image's entry, as firmware and a boot loader would have done.
 *
 * Formats, detected by what the file holds or chosen by config.boot:
 *
 *   linux64, linux32    Linux bzImage, entered in long or in protected mode
 *   multiboot           Multiboot 1 (0.6.96): ELF, or address fields
 *   multiboot2          Multiboot 2 (2.0): ELF, or address tags
 *   pvh                 ELF with a PVH note
 *   raw16, raw32, raw64 any file, entered at its first byte in real, protected
 *                       or long mode; only by name
 *
 * Where things go depends on the images alone.  Neither host paths nor the
 * host's files beyond their content reach the guest: the command line is passed
 * as given.  The firmware's tables (0xE0000-0xFFFFF) stay untouched.
 *
 * Every error is EXIT_USAGE and names the file, the field, its offset in the
 * file and the remedy.
 */
#ifndef PARTERRE_SIM_LOADER_H
#define PARTERRE_SIM_LOADER_H

#include "sim/machine.h"

/* Loads c->kernel with what goes with it; the first CPU stands at the entry, in
 * the state that the format wants. */
bool loader_boot(struct machine *m, const struct machine_config *c,
		 struct error *err) MUST_USE;

#endif
