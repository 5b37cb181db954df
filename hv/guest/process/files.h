/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/process/files.h - what programs do with files. */
#ifndef PARTERRE_GUEST_PROCESS_FILES_H
#define PARTERRE_GUEST_PROCESS_FILES_H

#include "guest/process/process.h"

const char *file_error(int64_t r); /* of a negative result, for people */
/* Prints it; 1.  0: nothing failed. */
int file_failed(const char *what, const char *name, int64_t r);
/* One that takes a struct process_path. */
int64_t file_call(uint64_t number, const char *name, const char *to,
		  uint64_t b);
/* PROC_FILE_READ, PROC_FILE_WRITE */
int64_t file_transfer(uint64_t number, int64_t file, uint64_t offset,
		      void *bytes, uint64_t count);
/* Bytes; `to` must not be there. */
int64_t file_copy(const char *from, const char *to);

#endif
