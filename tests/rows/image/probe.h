/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/probe.h - a partition that tries its monitor.
 *
 * The policy's arguments say what it does: `row=N` names a row of docs/rows.md,
 * further words belong to that row.  It ends with one line, "PASS row N" or
 * "FAIL row N: ...", and with exit code 0 or 1.
 */
#ifndef PARTERRE_ROWS_PROBE_H
#define PARTERRE_ROWS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

/* The last line, "VERDICT row NTEXT"; the exit code is 0 without text. */
_Noreturn void end(const char *verdict, const char *text);
/* Unless `ok`, the line "FAIL row N: text", and the end. */
void want(bool ok, const char *text);
/* The same for a result of a call: is it the wanted one? */
void want_result(int64_t result, int64_t wanted, const char *call);

/* Pages of the partition's memory behind its image: free for use; counted as
 * the calls SYS_AS_* do. */
uint64_t free_page(unsigned n);
void *page_at(uint64_t page);

/* Busy for so long. */
void spin(uint64_t ns);

extern struct control control; /* open */

/* One for each row. */
void row_04(void);
void row_05(void);
void row_16(void);
void row_21(void);
void row_22(void);
void row_23(void);
void row_25(void);
void row_28(void);
void row_30(void);
void row_32(void);
void row_40(void);
void row_41(void);
void row_42(void);
void row_43(void);
void row_44(void);
void row_45(void);
void row_47(void);
void row_53(void);
void row_54(void);
void row_55(void);
void row_62(void);
void row_63(void);
void row_64(void);
void row_65(void);
void row_66(void);
void row_70(void);
void row_72(void);
void row_81(void);

#endif
