/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/text.h - texts of guests and file systems, which may be any bytes, in
 * formats that take characters alone.
 */
#ifndef PARTERRE_SIM_TEXT_H
#define PARTERRE_SIM_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* How many bytes of it are one character of UTF-8 (RFC 3629); 0: none, or the
 * end. */
size_t text_character(const char *text);
/* As a string of JSON, its quotes included; a byte that is no character is the
 * character of that number. */
void text_put_json(FILE *to, const char *text);
/* As text or attribute of XML 1.0; what may not be in one is a "?". */
void text_put_xml(FILE *to, const char *text);

#endif
