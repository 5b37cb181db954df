/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/tables.h - a machine that stands, as tables: what `parterre
 * inspect` and the debugger print.  One table for each call; those of
 * partitions are empty or left out when there are none.
 */
#ifndef PARTERRE_SCENARIO_TABLES_H
#define PARTERRE_SCENARIO_TABLES_H

#include "sim/scenario/session.h"
#include "sim/table.h"

void tables_cpus(struct table *t, const struct session *s);
void tables_times(struct table *t, const struct session *s);
void tables_partitions(struct table *t, const struct session *s);
void tables_channels(struct table *t, const struct session *s);
void tables_queues(struct table *t, const struct session *s);
/* And the windows. */
void tables_schedule(struct table *t, const struct session *s);
void tables_devices(struct table *t, const struct session *s);
/* Whose virtual processor it is: a name, "shared" or "-". */
const char *tables_slot_name(const struct session *s, uint32_t slot);

#endif
