/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/crc.h - CRC-32C (Castagnoli), as in RFC 3720, appendix B.4. */
#ifndef PARTERRE_LIB_CRC_H
#define PARTERRE_LIB_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Whole in one: crc32c(0, data, bytes).  In pieces: the result of one call is
 * the first argument of the next. */
uint32_t crc32c(uint32_t crc, const void *data, size_t bytes);

#endif
