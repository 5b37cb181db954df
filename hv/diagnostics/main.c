/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/diagnostics/main.c - the diagnostics partition: what happened, when, to
 * whom.
 *
 * It hears of it by these ways: records on diagnostics channels (console lines
 * of the programs, and what the guests' workloads wrote), the ends of
 * partitions from the ultravisor (EVT_PARTITION_STATE), with registers, and
 * what the IOMMU refused to a device (EVT_DMA_FAULT).  The last LINES lines are
 * kept in a ring; operations asks for them on a log channel.  Crashes and DMA
 * faults are told on the console as well, with all that is known of them.
 *
 * Guests hold back writes while there is no room for their records, so these
 * are taken as soon as they come; they are counted by stream, not kept.
 */
#include <stdbool.h>
#include <stddef.h>

#include "abi/database.h"
#include "lib/channel.h"
#include "lib/control.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

#define LINES    1024 /* a power of two */
#define STREAMS  16
#define QUERY_NS (100 * MS)
#define RETRY_NS (1 * MS) /* until the other side took some of an answer */

#define EXIT_NO_CONTROL 1

void partition_main(void);
void diagnostics_main_loop(void);

static struct control control;
static struct log_entry ring[LINES];
static uint64_t kept; /* lines since the start */

/* A client of a diagnostics channel, or of the log channel. */
static struct client {
	struct channel channel;
	uint64_t number;
	char name[16];
	/* A line whose records are arriving. */
	char text[LOG_TEXT_BYTES];
	unsigned bytes;
	/* An answer that goes on: next line, and how many match before it. */
	bool answering;
	struct log_request request;
	uint64_t next, skip;
} clients[CHANNEL_SLOTS];

static struct {
	bool used;
	uint64_t stream, issued, committed;
} streams[STREAMS];
static uint64_t records, notes;
static bool stopping;

/* ---- the ring ----------------------------------------------------------- */

static struct log_entry *keep(uint64_t time_ns, uint64_t who, const char *name,
			      uint32_t type)
{
	struct log_entry *e = &ring[kept++ % LINES];

	memset(e, 0, sizeof(*e));
	e->time_ns = time_ns;
	e->who = who;
	e->type = type;
	str_field(e->name, name, sizeof(e->name));
	return e;
}

/* ---- records ------------------------------------------------------------ */

static unsigned stream_of(uint64_t number)
{
	unsigned i = 0;

	while (i < STREAMS - 1 && streams[i].used &&
	       streams[i].stream != number)
		i++;
	streams[i].used = true;
	streams[i].stream = number;
	return i;
}

static void on_done(struct client *c, const struct diag_record *r)
{
	unsigned i = stream_of(r->stream);
	struct log_entry *e = keep(r->time_ns, c->number, c->name, r->type);

	(void)format(e->text, sizeof(e->text),
		     "stream %lu: %lu issued, %lu committed", r->stream,
		     streams[i].issued, streams[i].committed);
	logf_("diagnostics: %s", e->text);
}

/* A piece of a line; what is too long is cut. */
static void on_text(struct client *c, const struct diag_record *r)
{
	const char *piece = (const char *)&r->stream;
	size_t n = strnlen(piece, DIAG_TEXT_BYTES);
	struct log_entry *e;

	if (n > sizeof(c->text) - 1 - c->bytes)
		n = sizeof(c->text) - 1 - c->bytes;
	memcpy(c->text + c->bytes, piece, n);
	c->bytes += (unsigned)n;
	if (r->left > 0)
		return;
	e = keep(r->time_ns, c->number, c->name, DIAG_TEXT);
	memcpy(e->text, c->text, c->bytes);
	c->bytes = 0;
}

static void on_record(struct client *c, const struct diag_record *r)
{
	records++;
	switch (r->type) {
	case DIAG_ISSUED:
		streams[stream_of(r->stream)].issued++;
		break;
	case DIAG_COMMITTED:
		streams[stream_of(r->stream)].committed++;
		break;
	case DIAG_DONE:
		on_done(c, r);
		break;
	case DIAG_TEXT:
		on_text(c, r);
		break;
	default:
		notes++;
		str_field(keep(r->time_ns, c->number, c->name, r->type)->text,
			  (const char *)r->text, sizeof(r->text));
		break;
	}
}

static bool drain(struct client *c)
{
	struct diag_record r;
	bool any = false;

	for (unsigned i = 0; i < DIAG_SLOTS; i++) {
		if (!queue_remove(&c->channel.queue[0], &r))
			break;
		on_record(c, &r);
		any = true;
	}
	return any;
}

/* ---- ends of partitions ------------------------------------------------- */

static void on_state(const struct control_message *m)
{
	static const char *const words[] = {"is defined", "runs",
					    "stopped",    "crashed",
					    "is dead",    "is saved"};
	uint64_t state = m->partition.state;
	char name[16];
	struct log_entry *e;

	str_field(name, m->partition.name, sizeof(name));
	e = keep(m->partition.time_ns, m->partition.number, name, DIAG_STATE);
	if (state == PART_STATE_CRASHED)
		(void)format(e->text, sizeof(e->text),
			     "crashed: vector %lu error %lx address %lx rip "
			     "%lx",
			     m->partition.vector, m->partition.error,
			     m->partition.address, m->partition.rip);
	else
		(void)format(e->text, sizeof(e->text), "%s, code %lu",
			     state < sizeof(words) / sizeof(words[0])
				     ? words[state]
				     : "?",
			     m->partition.error);
	if (state == PART_STATE_CRASHED)
		logf_("diagnostics: %s (%lx) %s at %llu us", name,
		      m->partition.number, e->text, m->partition.time_ns / US);
}

static void on_dma_fault(const struct control_message *m)
{
	static const char *const does[] = {"reads", "writes"};
	char name[16];
	struct log_entry *e;

	str_field(name, m->dma.number ? m->dma.name : "?", sizeof(name));
	e = keep(m->dma.time_ns, m->dma.number, name, DIAG_DMA_FAULT);
	(void)format(e->text, sizeof(e->text),
		     "device %lu (%lx) %s %lx: refused, reason %lx",
		     m->dma.device, m->dma.bdf, does[m->dma.write & 1],
		     m->dma.address, m->dma.reason);
	logf_("diagnostics: DMA fault: %s: %s at %llu us", name, e->text,
	      m->dma.time_ns / US);
}

/* ---- answers ------------------------------------------------------------ */

static bool matches(const struct client *c, const struct log_entry *e)
{
	return c->request.name[0] == '\0' ||
	       strncmp(c->request.name, e->name, sizeof(e->name)) == 0;
}

static uint64_t oldest(void)
{
	return kept > LINES ? kept - LINES : 0;
}

static void begin_answer(struct client *c)
{
	uint64_t matching = 0;

	c->request.name[sizeof(c->request.name) - 1] = '\0';
	c->next = oldest();
	for (uint64_t i = c->next; i < kept; i++)
		matching += matches(c, &ring[i % LINES]);
	c->skip = matching > c->request.count ? matching - c->request.count : 0;
	c->answering = true;
}

/* As much of the answer as there is room for. */
static bool answer(struct client *c)
{
	struct log_entry end = {.type = LOG_END};
	bool any = false;

	if (c->next < oldest())
		c->next = oldest();
	for (; c->next < kept; c->next++) {
		const struct log_entry *e = &ring[c->next % LINES];

		if (!matches(c, e))
			continue;
		if (c->skip > 0) {
			c->skip--;
			continue;
		}
		if (!queue_room(&c->channel.queue[1], 1))
			return any;
		any = queue_insert(&c->channel.queue[1], e);
	}
	if (!queue_room(&c->channel.queue[1], 1))
		return any;
	(void)queue_insert(&c->channel.queue[1], &end);
	c->answering = false;
	return true;
}

static bool serve_client(struct client *c)
{
	if (c->channel.header == NULL)
		return false;
	if (c->channel.type == CHANNEL_DIAG)
		return drain(c);
	if (!c->answering && queue_remove(&c->channel.queue[0], &c->request))
		begin_answer(c);
	return c->answering && answer(c);
}

/* ---- channels ----------------------------------------------------------- */

static void find_name(struct client *c)
{
	struct control_message ask, got;

	str_field(c->name, "?", sizeof(c->name));
	for (uint64_t i = 0;; i++) {
		memset(&ask, 0, sizeof(ask));
		ask.id = TXN_QUERY;
		ask.query.what = QUERY_PARTITION;
		ask.query.index = i;
		if (control_transact(&control, &ask, 1, &got, QUERY_NS) !=
		    CONTROL_OK)
			return;
		if (got.query.row[0] != c->number)
			continue;
		str_field(c->name, (const char *)&got.query.row[6],
			  sizeof(c->name));
		return;
	}
}

static uint32_t on_attach(const struct control_message *event)
{
	struct control_attachment a;
	uint32_t status = control_attach(event, &a);
	struct client *c;
	uint32_t type;

	if (status != CONTROL_OK)
		return status;
	c = &clients[a.handle];
	type = a.row->type;
	memset(c, 0, sizeof(*c));
	c->number = a.who.client;
	if ((type != CHANNEL_DIAG && type != CHANNEL_LOG) ||
	    channel_serve(&c->channel, a.at, a.handle, type, &a.who) !=
		    CHANNEL_OPEN)
		return CONTROL_EVALUE;
	return CONTROL_OK;
}

static uint32_t on_detach(uint64_t handle)
{
	struct client *c = &clients[handle % CHANNEL_SLOTS];

	if (handle >= CHANNEL_SLOTS)
		return CONTROL_EVALUE;
	if (c->channel.header != NULL) {
		while (c->channel.type == CHANNEL_DIAG && drain(c))
			;
		channel_drained(&c->channel);
		channel_close(&c->channel);
		c->answering = false;
	}
	(void)sys_channel_unmap((unsigned)handle);
	return CONTROL_OK;
}

static bool serve_control(void)
{
	struct control_message m;
	bool any = false;

	while (control_event(&control, &m)) {
		uint32_t status = CONTROL_OK;

		any = true;
		switch (m.id) {
		case EVT_PARTITION_STATE:
			on_state(&m);
			break;
		case EVT_DMA_FAULT:
			on_dma_fault(&m);
			break;
		case EVT_CHANNEL_ATTACH:
			status = on_attach(&m);
			break;
		case EVT_CHANNEL_DETACH:
			status = on_detach(m.attach.handle);
			break;
		case EVT_STOP:
			stopping = true;
			break;
		default:
			status = CONTROL_EID;
			break;
		}
		control_ack(&control, &m, status);
		/* After the answer: whoever waits for it may go on. */
		if (m.id == EVT_CHANNEL_ATTACH && status == CONTROL_OK)
			find_name(&clients[m.attach.handle]);
	}
	while (control_response(&control, &m))
		any = true;
	return any;
}

/* ---- the loop ----------------------------------------------------------- */

static void stop(void)
{
	logf_("diagnostics: stops after %lu records, %lu notes", records,
	      notes);
	log_drain();
	sys_exit(0);
}

__attribute__((noinline)) void diagnostics_main_loop(void)
{
	for (;;) {
		bool busy = serve_control(), empty = true;
		uint64_t deadline = TIME_NEVER;

		for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
			busy |= serve_client(&clients[h]);
			if (clients[h].answering)
				deadline = sys_time() + RETRY_NS;
		}
		if (!log_flush() && sys_time() + LOG_RETRY_NS < deadline)
			deadline = sys_time() + LOG_RETRY_NS;
		if (busy)
			continue;
		if (stopping)
			stop();
		for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
			if (clients[h].channel.header != NULL)
				empty &= queue_sleep(
					&clients[h].channel.queue[0]);
		}
		empty &= control_sleep(&control);
		if (empty) {
			uint64_t events = sys_wait(~0ull, deadline);

			stopping |= (events & EVENT_STOP) != 0;
		}
		for (unsigned h = 0; h < CHANNEL_SLOTS; h++) {
			if (clients[h].channel.header != NULL)
				queue_awake(&clients[h].channel.queue[0]);
		}
		control_awake(&control);
	}
}

void partition_main(void)
{
	if (!control_open(&control)) {
		logf_("diagnostics: control channel doesn't fit");
		log_drain();
		sys_exit(EXIT_NO_CONTROL);
	}
	logf_("diagnostics: ready");
	diagnostics_main_loop();
}
