/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/seen/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

bool wire_put(int fd, const void *p, size_t bytes)
{
	const char *at = p;

	while (bytes) {
		ssize_t n = send(fd, at, bytes, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

bool wire_get(int fd, void *p, size_t bytes)
{
	char *at = p;

	while (bytes) {
		ssize_t n = recv(fd, at, bytes, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		bytes -= (size_t)n;
	}
	return true;
}

bool wire_send(int fd, const struct wire_head *head, const void *p)
{
	return wire_put(fd, head, sizeof(*head)) &&
	       wire_put(fd, p, head->bytes);
}

bool wire_tell(int fd, enum wire_what what, uint64_t arg)
{
	struct wire_order o = {.what = what, .arg = arg};

	return wire_put(fd, &o, sizeof(o));
}

bool wire_is_answered(uint32_t what)
{
	return what >= WIRE_PAUSE && what <= WIRE_MACHINE;
}

bool wire_waits(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}
