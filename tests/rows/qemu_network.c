/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S71 and S75 under QEMU: a guest's connection to this host, by QEMU's
 * virtio-net and its user network, which ends the guest's TCP (a stack that
 * nobody here wrote); and one between two guests, by two cards and QEMU's hub
 * between them, whose own record of what passed says what was sent. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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
	/* Nobody sends an echo again that dies with its card. */
	qemu_wait("ping: 3 sent, 3 received", 1);
	kill_partition("io.a");
	qemu_wait("to io.b at", 1);
	go_on(talk[0]);
	qemu_wait("to io.a at", 1);
	arrives(talk[0], SECOND);
	kill_partition("io.a");
	qemu_wait("to io.b at", 2);
	go_on(talk[0]);
	cr_assert_eq(qemu_off(), 0, "%s", qemu_console());
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

/* ---- from guest to guest, over QEMU's wire ---- */

#define SENT       600000 /* qemu-wire.policy */
#define PCAP_MAGIC 0xa1b2c3d4u
#define ETHER      14
#define IP_TCP     6
#define TCP_SYN    2
#define TO_PORT    5000

static uint32_t from10(unsigned host)
{
	return 10u << 24 | host;
}

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)be16(at) << 16 | be16(at + 2);
}

/* What guest2 sent to guest1, put together from the frames: each byte by its
 * place in the stream, whichever frame brought it, however often. */
static struct {
	uint32_t isn;
	bool begun;
	unsigned frames, bytes;
	bool there[SENT];
	uint8_t byte[SENT];
} stream;

static void segment(const uint8_t *tcp, size_t bytes)
{
	size_t header = (size_t)(tcp[12] >> 4) * 4;

	if (be16(tcp + 2) != TO_PORT)
		return;
	if (tcp[13] & TCP_SYN) {
		cr_assert(!stream.begun || be32(tcp + 4) == stream.isn,
			  "a second connection");
		stream.isn = be32(tcp + 4);
		stream.begun = true;
		return;
	}
	cr_assert(stream.begun, "a segment before the first");
	cr_assert_leq(header, bytes);
	for (size_t i = header; i < bytes; i++) {
		uint32_t at =
			be32(tcp + 4) - stream.isn - 1 + (uint32_t)(i - header);

		cr_assert_lt(at, SENT, "more than was to be sent");
		cr_assert(!stream.there[at] || stream.byte[at] == tcp[i],
			  "byte %u is another when it is sent again", at);
		stream.bytes += !stream.there[at];
		stream.there[at] = true;
		stream.byte[at] = tcp[i];
	}
}

static void frame(const uint8_t *f, size_t bytes)
{
	const uint8_t *ip = f + ETHER;
	size_t header, total;

	if (bytes < ETHER + 20 || be16(f + 12) != 0x0800 || ip[9] != IP_TCP)
		return;
	header = (size_t)(ip[0] & 15) * 4;
	total = be16(ip + 2); /* without what fills the frame up */
	if (be32(ip + 12) != from10(2) || be32(ip + 16) != from10(1))
		return;
	cr_assert_leq(ETHER + total, bytes, "a frame is cut");
	stream.frames++;
	segment(ip + header, total - header);
}

static void put_together(const char *name)
{
	char path[256];
	uint32_t head[6], record[4];
	static uint8_t data[65536];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scratch(), name);
	f = fopen(path, "rb");
	cr_assert(f, "%s", path);
	memset(&stream, 0, sizeof(stream));
	cr_assert_eq(fread(head, sizeof(head), 1, f), 1);
	cr_assert_eq(head[0], PCAP_MAGIC);
	while (fread(record, sizeof(record), 1, f) == 1) {
		cr_assert_leq(record[2], sizeof(data));
		cr_assert_eq(fread(data, 1, record[2], f), record[2]);
		frame(data, record[2]);
	}
	fclose(f);
}

/* The sum that a guest named on the console. */
static uint32_t sum_of(const char *what)
{
	const char *at = strstr(qemu_console(), what);

	cr_assert(at, "%s:\n%s", what, qemu_console());
	at = strstr(at, "sum ");
	cr_assert(at);
	return (uint32_t)strtoul(at + strlen("sum "), NULL, 16);
}

static void between_guests(unsigned cpus, bool iommu)
{
	uint32_t sum;

	qemu_boot_as(
		&(struct qemu_setup){.policy = ROWS "policy/qemu-wire.policy",
				     .cpus = cpus,
				     .iommu = iommu,
				     .cards = 2,
				     .wire = "wire.pcap"});
	cr_assert_eq(qemu_off(), 0, "%s", qemu_console());
	put_together("wire.pcap");
	cr_assert_eq(stream.bytes, SENT, "%u of %u bytes on the wire",
		     stream.bytes, SENT);
	sum = crc32c(0, stream.byte, SENT);
	cr_assert_eq(sum_of("600000 bytes received, each as it should be"),
		     sum);
	cr_assert_eq(sum_of("600000 bytes sent"), sum);
	cr_assert(strstr(qemu_console(), "the other side has the same"));
	cr_assert(!strstr(qemu_console(), "DMA fault"), "%s", qemu_console());
	says(shell("tcpdump -nvvr %s/wire.pcap 2>&1 | grep -cE "
		   "'bad cksum|incorrect|trunc|malformed|Flags .R'",
		   scratch()),
	     "0\n");
}

Test(rows_qemu, s75_two_guests_by_qemus_wire_on_qemu)
{
	each_cpus(cpus, 2) between_guests(cpus, false);
	each_cpus(cpus, 1) between_guests(cpus, true);
}
