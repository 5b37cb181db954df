/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S71 and S75 under QEMU: a guest's connection to this host, by QEMU's
 * virtio-net and its user network, which ends the guest's TCP (a stack that
 * nobody here wrote). */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "qemu_look.h"
#include "rows.h"

#define BYTES     600000
#define FIRST     100000 /* then the taker waits to be told */
#define SECOND    350000 /* and again */
#define CRC32C    0x82f63b78u
#define EACH_READ 4096
#define HOST_MS   60000

static uint32_t crc32c(uint32_t crc, const uint8_t *at, size_t bytes)
{
	crc = ~crc;
	for (size_t i = 0; i < bytes; i++) {
		crc ^= at[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C : 0);
	}
	return ~crc;
}

static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* Says where it stands, and reads no more until it is told. */
static void pause_at(int talk, size_t got)
{
	char c;

	if (write(talk, &got, sizeof(got)) != sizeof(got) ||
	    read(talk, &c, 1) != 1)
		_exit(2);
}

/* One connection, to its end; its sum goes back. */
static void take(int listens, int talk)
{
	int fd = accept(listens, NULL, NULL);
	size_t got = 0, next = FIRST;
	uint32_t sum = 0;
	uint8_t piece[EACH_READ];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		sum = crc32c(sum, piece, (size_t)n);
		got += (size_t)n;
		if (got >= next) {
			pause_at(talk, got);
			next = next == FIRST ? SECOND : SIZE_MAX;
		}
	}
	if (n < 0 || write(fd, &sum, sizeof(sum)) != sizeof(sum))
		_exit(3);
	close(fd);
	_exit(got == BYTES ? 0 : 4);
}

static void arrives(int talk, size_t least)
{
	struct pollfd p = {.fd = talk, .events = POLLIN};
	size_t got;

	cr_assert_eq(poll(&p, 1, HOST_MS), 1, "nothing comes:\n%s",
		     qemu_console());
	cr_assert_eq(read(talk, &got, sizeof(got)), (ssize_t)sizeof(got),
		     "the connection is over:\n%s", qemu_console());
	cr_assert_geq(got, least);
}

static void go_on(int talk)
{
	cr_assert_eq(write(talk, "", 1), 1);
}

static void transfer(unsigned cpus, bool iommu)
{
	unsigned port;
	int listens = listen_somewhere(&port), talk[2], status;
	char script[40];
	pid_t pid;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk),
		     0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(talk[0]);
		take(listens, talk[1]);
	}
	cr_assert(pid > 0);
	close(listens);
	close(talk[1]);
	snprintf(script, sizeof(script), "s/PORT/%u/", port);
	qemu_boot_as(
		&(struct qemu_setup){.policy = edited("qemu-network", script),
				     .cpus = cpus,
				     .iommu = iommu,
				     .cards = 2});
	qemu_wait("] net: card 52:54:00:12:34:", 2);
	arrives(talk[0], FIRST);
	kill_partition("io.a");
	qemu_wait("to io.b at", 1);
	go_on(talk[0]);
	qemu_wait("to io.a at", 1);
	arrives(talk[0], SECOND);
	kill_partition("io.a");
	qemu_wait("to io.b at", 2);
	go_on(talk[0]);
	cr_assert_eq(qemu_off(), 0, "%s", qemu_console());
	cr_assert(strstr(qemu_console(), "3 sent, 3 received"), "%s",
		  qemu_console());
	cr_assert(strstr(qemu_console(), "the other side has the same"), "%s",
		  qemu_console());
	cr_assert(!strstr(qemu_console(), "DMA fault"), "%s", qemu_console());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	close(talk[0]);
}

Test(rows_qemu, s71_s75_a_connection_outside_outlives_its_card_on_qemu)
{
	each_cpus(cpus, 2) transfer(cpus, false);
}

Test(rows_qemu, s75_s81_cards_behind_an_iommu_on_qemu)
{
	each_cpus(cpus, 1) transfer(cpus, true);
}
