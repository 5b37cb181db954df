/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/log.c - see log.h. */
#include "lib/log.h"

#include <stdarg.h>
#include <stddef.h>

#include "lib/format.h"
#include "lib/sys.h"

#define LINES 16

static struct {
	char text[LINES][LOG_LINE_BYTES + 1];
	unsigned bytes[LINES];
	unsigned first, count;
} queue;

void (*log_also)(const char *text, unsigned bytes);

bool log_flush(void)
{
	while (queue.count > 0) {
		if (sys_log(queue.text[queue.first],
			    queue.bytes[queue.first]) == -SYS_EAGAIN)
			return false;
		/* Any other refusal would be the same next time. */
		queue.first = (queue.first + 1) % LINES;
		queue.count--;
	}
	return true;
}

static void log_wait(void)
{
	(void)sys_wait(0, sys_time() + LOG_RETRY_NS);
}

void log_drain(void)
{
	while (!log_flush())
		log_wait();
}

void logf_(const char *text, ...)
{
	unsigned at;
	va_list args;
	int bytes;

	while (queue.count == LINES) {
		if (!log_flush())
			log_wait();
	}
	at = (queue.first + queue.count) % LINES;
	va_start(args, text);
	bytes = vformat(queue.text[at], sizeof(queue.text[at]), text, args);
	va_end(args);
	queue.bytes[at] =
		bytes < LOG_LINE_BYTES ? (unsigned)bytes : LOG_LINE_BYTES;
	queue.count++;
	if (log_also != NULL)
		log_also(queue.text[at], queue.bytes[at]);
	(void)log_flush();
}
