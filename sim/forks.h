/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/forks.h - a run that branches: the process, with the machine in it, is
 * forked, and each child goes its own way to a result.
 *
 * That is the cheapest snapshot there is: RAM, devices, the engine with what it
 * translated, and the scenario's own state are shared until they are written.
 * At most `jobs` children live at once; who forks one more waits for one to
 * end.
 *
 * What parent and child would share beyond memory has to be parted by whoever
 * forks: the disk (disk_detach()), files that are open for writing.  Standard
 * error of a child goes nowhere.  The process must have one thread.
 */
#ifndef PARTERRE_SIM_FORKS_H
#define PARTERRE_SIM_FORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A child ended.  `result`: what it reported; NULL: it died without a report,
 * by the signal `signal` (0: it ended by itself; SIGALRM: it was not done
 * within its time on the host). */
typedef void forks_done(void *owner, uint64_t tag, const void *result,
			int signal);

struct forks;
/* `jobs` 0: as many as there are CPUs.  `result_bytes`: of a report, at most
 * FORKS_RESULT_MAX.  `seconds`: how long a child may take on the host. */
#define FORKS_RESULT_MAX 4096
struct forks *forks_create(unsigned jobs, size_t result_bytes, unsigned seconds,
			   forks_done *done, void *owner);
/* True in the child, whose only way on is to forks_report().  In the parent
 * false; done() may have been called for others. */
bool forks_child(struct forks *f, uint64_t tag);
_Noreturn void forks_report(struct forks *f, const void *result);
/* Waits for all. */
void forks_wait(struct forks *f);
void forks_destroy(struct forks *f); /* after forks_wait() */

#endif
