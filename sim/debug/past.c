/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/past.c - see past.h.
 *
 * Each process that stands has one end of a socket, and the run, and those that
 * stand later, have the other: they need it should they become the run.  When
 * the run's process ends, the ends of the latest one's socket are all closed,
 * so it ends, and so on down to the one that has become the run.
 */
#include "sim/debug/past.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/status.h"

#define FILES_MAX 128

struct standing {
	int fd;
	struct past_place at;
};

/* A file that is open for writing. */
struct file {
	int fd;
	off_t size, at;
};

struct past {
	pid_t supervisor;
	int news; /* to the supervisor: the pid of the run */
	bool tied;
	size_t count;
	struct standing standing[PAST_MAX];
	size_t file_count;
	struct file file[FILES_MAX];
};

struct past *past_create(void)
{
	struct past *p = calloc(1, sizeof(*p));

	CHECK_MSG(p, "out of memory for a run's past");
	p->news = -1;
	return p;
}

void past_destroy(struct past *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		close(p->standing[i].fd);
	/* The supervisor sees our end if we are its child, and that we are when
	 * the process that was the run before us is gone. */
	while (p->news >= 0 && getppid() != p->supervisor &&
	       kill(p->supervisor, 0) == 0)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	if (p->news >= 0)
		close(p->news);
	free(p);
}

/* --- the supervisor --- */

static pid_t run_pid;

static void pass_on(int signal)
{
	kill(run_pid, signal);
}

/* The run's process may have passed the run on to another before it ended. */
static int wait_for_run(int news)
{
	pid_t pid, next;
	int status;

	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0) {
			fprintf(stderr, "parterre: the run is gone: %s\n",
				strerror(errno));
			return EXIT_HOST;
		}
		while (read(news, &next, sizeof(next)) == sizeof(next))
			run_pid = next;
		if (pid != run_pid)
			continue;
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		fprintf(stderr, "parterre: the run died by signal %d\n",
			WTERMSIG(status));
		return EXIT_HOST;
	}
}

int past_supervise(struct past *p)
{
	struct sigaction pass = {.sa_handler = pass_on};
	int ends[2];

	CHECK_MSG(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "pipe: %s",
		  strerror(errno));
	/* Whose parent ended is ours. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	p->supervisor = getpid();
	fflush(NULL);
	run_pid = fork();
	CHECK_MSG(run_pid >= 0, "fork: %s", strerror(errno));
	if (!run_pid) {
		close(ends[0]);
		p->news = ends[1];
		signal(SIGCHLD,
		       SIG_IGN); /* nobody waits for those that stand */
		past_tie(p);
		return -1;
	}
	close(ends[1]);
	sigaction(SIGTERM, &pass, NULL);
	sigaction(SIGHUP, &pass, NULL);
	return wait_for_run(ends[0]);
}

void past_tie(struct past *p)
{
	/* Before, the death of our parent is that of the run before us. */
	if (p->tied || getppid() != p->supervisor)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != p->supervisor)
		raise(SIGTERM);
	p->tied = true;
}

/* --- files --- */

static void note_files(struct past *p)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	p->file_count = 0;
	CHECK_MSG(dir, "/proc/self/fd: %s", strerror(errno));
	while ((e = readdir(dir))) {
		int fd = atoi(e->d_name);
		struct stat st;

		if (fd <= STDERR_FILENO || fd == dirfd(dir) ||
		    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ||
		    fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		CHECK(p->file_count < FILES_MAX);
		p->file[p->file_count++] =
			(struct file){fd, st.st_size, lseek(fd, 0, SEEK_CUR)};
	}
	closedir(dir);
}

/* What was written since is not of this run.  Buffers are memory. */
static void cut_files(const struct past *p)
{
	for (size_t i = 0; i < p->file_count; i++) {
		const struct file *f = &p->file[i];

		CHECK_MSG(ftruncate(f->fd, f->size) == 0 &&
				  lseek(f->fd, f->at, SEEK_SET) == f->at,
			  "a file of the run cannot be cut back: %s",
			  strerror(errno));
	}
}

static void leave_files(const struct past *p)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	CHECK(nowhere >= 0);
	for (size_t i = 0; i < p->file_count; i++)
		dup3(nowhere, p->file[i].fd, O_CLOEXEC);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	close(nowhere);
}

/* --- mail --- */

#define FDS_MAX 2

static bool post(int to, const struct past_mail *mail)
{
	int fds[FDS_MAX] = {mail->fd, mail->answer};
	size_t count = mail->scout ? 2 : 1;
	int *first = mail->fd < 0 ? fds + 1 : fds;
	char flags[3] = {(char)mail->scout, mail->fd >= 0, 0};
	struct iovec part[2] = {
		{flags, sizeof(flags)},
		{(void *)(uintptr_t)mail->data, mail->bytes},
	};
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(fds))];
	struct msghdr m = {.msg_iov = part, .msg_iovlen = 2};
	struct cmsghdr *c;

	count -= mail->fd < 0;
	if (count) {
		memset(room, 0, sizeof(room));
		m.msg_control = room;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), first, count * sizeof(int));
	}
	return sendmsg(to, &m, MSG_NOSIGNAL) > 0;
}

/* False: nobody is left to write to us. */
static bool collect(int from, struct past_mail *mail)
{
	char flags[3];
	struct iovec part[2] = {
		{flags, sizeof(flags)},
		{mail->data, sizeof(mail->data)},
	};
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct msghdr m = {
		.msg_iov = part,
		.msg_iovlen = 2,
		.msg_control = room,
		.msg_controllen = sizeof(room),
	};
	int fds[FDS_MAX] = {-1, -1};
	struct cmsghdr *c;
	ssize_t n;

	do {
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof(flags))
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	mail->bytes = (size_t)n - sizeof(flags);
	mail->scout = flags[0];
	mail->fd = flags[1] ? fds[0] : -1;
	mail->answer = flags[1] ? fds[1] : fds[0];
	return true;
}

/* --- standing --- */

static void announce(const struct past *p)
{
	pid_t pid = getpid();

	if (write(p->news, &pid, sizeof(pid)) != sizeof(pid))
		_exit(0); /* the supervisor is gone */
}

static void make_pair(int ends[2])
{
	CHECK_MSG(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ==
			  0,
		  "socketpair: %s", strerror(errno));
}

static void become_scout(struct past *p)
{
	for (size_t i = 0; i < p->count; i++)
		close(p->standing[i].fd);
	p->count = 0;
	leave_files(p);
}

/* The twin goes on standing here, the caller becomes the run.  False: as the
 * twin, with another socket. */
static bool leave_twin(struct past *p, int *fd, const struct past_place *at)
{
	int ends[2];
	pid_t pid;

	make_pair(ends);
	pid = fork();
	CHECK_MSG(pid >= 0, "fork: %s", strerror(errno));
	close(*fd);
	if (!pid) {
		close(ends[0]);
		*fd = ends[1];
		return false;
	}
	close(ends[1]);
	p->standing[p->count++] = (struct standing){ends[0], *at};
	return true;
}

/* Returns when it is to be the run or a scout. */
static void stand(struct past *p, int fd, const struct past_place *at,
		  struct past_mail *mail)
{
	p->tied = false;
	for (;;) {
		if (!collect(fd, mail))
			_exit(0);
		if (!mail->bytes)
			_exit(0);
		if (!mail->scout) {
			/* Only now may the one before us end: our supervisor
			 * hears of us first. */
			announce(p);
			if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
				_exit(0);
			if (leave_twin(p, &fd, at)) {
				cut_files(p);
				return;
			}
			if (mail->fd >= 0)
				close(mail->fd);
			continue;
		}
		if (fork() == 0) {
			close(fd);
			become_scout(p);
			return;
		}
		if (mail->fd >= 0)
			close(mail->fd);
		close(mail->answer);
	}
}

static void leave_out(struct past *p, size_t index)
{
	static const struct past_mail end = {.fd = -1};

	post(p->standing[index].fd, &end);
	close(p->standing[index].fd);
	p->count--;
	memmove(&p->standing[index], &p->standing[index + 1],
		(p->count - index) * sizeof(p->standing[0]));
}

/* The one is left out whose neighbours are then closest to each other, beside
 * how long ago that is; if all have to be kept, the past begins later. */
static void make_room(struct past *p, uint64_t now)
{
	size_t out = 0;
	double least = 0;

	for (size_t i = 1; i + 1 < p->count; i++) {
		uint64_t from = p->standing[i - 1].at.retired;
		uint64_t to = p->standing[i + 1].at.retired;
		double gap = (double)(to - from) / (double)(now - from + 1);

		if (p->standing[i].at.keep)
			continue;
		if (!out || gap < least) {
			out = i;
			least = gap;
		}
	}
	leave_out(p, out);
}

bool past_take(struct past *p, const struct past_place *at,
	       struct past_mail *mail, void (*away)(void *owner), void *owner)
{
	struct past_place here = *at;
	int ends[2];
	pid_t pid;

	if (p->count == PAST_MAX)
		make_room(p, at->retired);
	note_files(p);
	make_pair(ends);
	pid = fork();
	if (pid < 0) { /* the host is full: a past with less in it */
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (pid) {
		close(ends[1]);
		p->standing[p->count++] = (struct standing){ends[0], here};
		return false;
	}
	close(ends[0]);
	away(owner);
	stand(p, ends[1], &here, mail);
	return true;
}

void past_forget(struct past *p)
{
	while (p->count)
		leave_out(p, p->count - 1);
}

size_t past_count(const struct past *p)
{
	return p->count;
}

const struct past_place *past_at(const struct past *p, size_t index)
{
	CHECK(index < p->count);
	return &p->standing[index].at;
}

/* --- orders --- */

void past_go(struct past *p, size_t index, const struct past_mail *mail)
{
	int fd = p->standing[index].fd;
	char took;

	CHECK(mail->bytes && !mail->scout);
	/* Another may have told it to end, which we cannot know. */
	if (post(fd, mail) && recv(fd, &took, 1, 0) == 1)
		_exit(0);
	leave_out(p, index);
}

int past_scout(struct past *p, size_t index, struct past_mail *mail)
{
	int ends[2];
	bool good;

	make_pair(ends);
	mail->scout = true;
	mail->answer = ends[1];
	good = post(p->standing[index].fd, mail);
	close(ends[1]);
	if (good)
		return ends[0];
	close(ends[0]);
	leave_out(p, index);
	return -1;
}

_Noreturn void past_answer(const struct past_mail *mail, const void *data,
			   size_t bytes)
{
	ssize_t n = send(mail->answer, data, bytes, MSG_NOSIGNAL);

	_exit(n == (ssize_t)bytes ? 0 : 1);
}

bool past_unwanted(const struct past_mail *mail)
{
	struct pollfd p = {.fd = mail->answer};

	return poll(&p, 1, 0) > 0 && (p.revents & POLLHUP);
}

int past_heard(int answer, void *data, size_t bytes, int timeout_ms)
{
	struct pollfd p = {.fd = answer, .events = POLLIN};
	int n = poll(&p, 1, timeout_ms);

	if (n <= 0)
		return 0;
	return recv(answer, data, bytes, 0) == (ssize_t)bytes ? 1 : -1;
}
