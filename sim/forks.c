/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/forks.c - see forks.h. */
#include "sim/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/check.h"

struct fork {
	pid_t pid; /* 0: free */
	int from;  /* the pipe's end to read */
	uint64_t tag;
};

struct forks {
	unsigned jobs, live, seconds;
	size_t bytes;
	forks_done *done;
	void *owner;
	int to; /* in a child: the pipe's end to write */
	struct fork child[];
};

struct forks *forks_create(unsigned jobs, size_t result_bytes, unsigned seconds,
			   forks_done *done, void *owner)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct forks *f;

	CHECK(result_bytes <= FORKS_RESULT_MAX);
	if (!jobs)
		jobs = cpus > 0 ? (unsigned)cpus : 1;
	f = calloc(1, sizeof(*f) + jobs * sizeof(f->child[0]));
	CHECK_MSG(f, "out of memory for forks");
	f->jobs = jobs;
	f->seconds = seconds;
	f->bytes = result_bytes;
	f->done = done;
	f->owner = owner;
	f->to = -1;
	return f;
}

static struct fork *slot_of(struct forks *f, pid_t pid)
{
	for (unsigned i = 0; i < f->jobs; i++) {
		if (f->child[i].pid == pid)
			return &f->child[i];
	}
	return NULL;
}

/* A report is no longer than a pipe takes at once (pipe(7)), so a child never
 * waits for us. */
static void reap(struct forks *f)
{
	char result[FORKS_RESULT_MAX];
	struct fork *c = NULL;
	ssize_t n;
	int status;

	while (!c) {
		pid_t pid = waitpid(-1, &status, 0);

		CHECK_MSG(pid > 0 || errno == EINTR, "waitpid: %s",
			  strerror(errno));
		c = pid > 0 ? slot_of(f, pid) : NULL;
	}
	n = read(c->from, result, f->bytes);
	close(c->from);
	c->pid = 0;
	f->live--;
	f->done(f->owner, c->tag, n == (ssize_t)f->bytes ? result : NULL,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void begin_child(struct forks *f, const int ends[2])
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (unsigned i = 0; i < f->jobs; i++) {
		if (f->child[i].pid)
			close(f->child[i].from);
	}
	close(ends[0]);
	f->to = ends[1];
	CHECK(nowhere >= 0);
	dup2(nowhere, STDERR_FILENO);
	dup2(nowhere, STDOUT_FILENO);
	close(nowhere);
	alarm(f->seconds);
}

bool forks_child(struct forks *f, uint64_t tag)
{
	struct fork *c;
	int ends[2];
	pid_t pid;

	CHECK_MSG(f->to < 0, "a forked run forks again");
	while (f->live == f->jobs)
		reap(f);
	c = slot_of(f, 0);
	CHECK(c);
	CHECK_MSG(pipe2(ends, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	fflush(NULL); /* or the child writes it a second time */
	pid = fork();
	CHECK_MSG(pid >= 0, "fork: %s; give a smaller --jobs", strerror(errno));
	if (!pid) {
		begin_child(f, ends);
		return true;
	}
	close(ends[1]);
	*c = (struct fork){.pid = pid, .from = ends[0], .tag = tag};
	f->live++;
	return false;
}

_Noreturn void forks_report(struct forks *f, const void *result)
{
	bool whole = write(f->to, result, f->bytes) == (ssize_t)f->bytes;

	_exit(whole ? 0 : 1);
}

void forks_wait(struct forks *f)
{
	while (f->live)
		reap(f);
}

void forks_destroy(struct forks *f)
{
	CHECK(!f->live);
	free(f);
}
