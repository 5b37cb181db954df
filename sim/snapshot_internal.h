/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/snapshot_internal.h - the stream as snapshot.c makes and ends it. */
#ifndef PARTERRE_SIM_SNAPSHOT_INTERNAL_H
#define PARTERRE_SIM_SNAPSHOT_INTERNAL_H

#include "sim/snapshot.h"

/* `to` and `from` stay the caller's; `from` stands at the frame's first byte.
 */
struct snapshot_writer *snapshot_writer_create(FILE *to);
/* Before the frame: as it is. */
void snapshot_plain(struct snapshot_writer *w, const void *p, size_t bytes);
/* Ends the frame and frees the writer; EXIT_HOST if the host failed. */
bool snapshot_writer_end(struct snapshot_writer *w, const char *name,
			 struct error *err);

/* Into memory, as it is: nothing before, no frame, no digest. */
struct snapshot_writer *snapshot_writer_memory(void);
/* What was written, malloc(); frees the writer. */
uint8_t *snapshot_writer_taken(struct snapshot_writer *w, size_t *bytes);

struct snapshot_reader *snapshot_reader_create(FILE *from);
/* Of what such a writer wrote; `p` stays the caller's. */
struct snapshot_reader *snapshot_reader_memory(const uint8_t *p, size_t bytes);
void snapshot_reader_destroy(struct snapshot_reader *r);
/* Do the file's last 8 bytes tell the digest of all before?  Moves `from`. */
bool snapshot_intact(FILE *from);

/* snapshot.c: has it ended, so that nothing can be saved any more?  *err. */
bool snapshot_can_be(const struct machine *m, const char *name,
		     struct error *err);
/* All that a machine has; without RAM if the stream is in memory. */
void snapshot_put_machine(struct machine *m, struct snapshot_writer *w);
bool snapshot_get_machine(struct machine *m, struct snapshot_reader *r,
			  struct error *err);

#endif
