/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/change.c - commands that change something: each makes one or
 * more operations of a transaction, or a wish for command where the policy has
 * a say. */
#include "operations/operations.h"

#include "abi/lead.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

static void describe(char what[32], const struct words *w)
{
	(void)format(what, 32, "%s %s", w->word[0], w->word[1]);
}

/* An operation about the partition that the first word names. */
static void simple(const struct words *w, uint32_t id, uint64_t value)
{
	struct control_message op = {.id = id};
	uint64_t row[8];
	char what[32];

	if (!ask_partition(w->word[1], row))
		return;
	op.target.number = row[0];
	op.target.value = value;
	describe(what, w);
	ask_do(&op, 1, what);
}

static void wish(const struct words *w)
{
	char text[48];

	if (w->count != 2) {
		logf_("error: write: %s NAME", w->word[0]);
		return;
	}
	(void)format(text, sizeof(text), "%s %s", w->word[0], w->word[1]);
	ask_wish(text);
}

void change_start(const struct words *w)
{
	wish(w);
}

void change_failover(const struct words *w)
{
	wish(w);
}

void change_stop(const struct words *w)
{
	simple(w, TXN_PARTITION_STOP, 0);
}

void change_restart(const struct words *w)
{
	simple(w, TXN_PARTITION_RESTART, 0);
}

void change_destroy(const struct words *w)
{
	simple(w, TXN_PARTITION_DESTROY, 0);
}

/* ---- schedule ----------------------------------------------------------- */

void change_move(const struct words *w)
{
	struct control_message op = {.id = TXN_SCHEDULE};
	uint64_t row[8], cpu;
	char what[32];

	if (w->count != 4 || strcmp(w->word[2], "cpu") != 0) {
		logf_("error: write: move NAME cpu N");
		return;
	}
	if (!ask_partition(w->word[1], row) ||
	    !number(w->word[3], view_now()->cpus - 1, &cpu))
		return;
	op.schedule.number = row[0];
	op.schedule.cpu = (uint32_t)cpu + 1;
	describe(what, w);
	ask_do(&op, 1, what);
}

/* Where in the operation a key's value goes; NULL: no such key. */
static uint32_t *schedule_field(struct control_message *op, const char *key,
				uint64_t *high)
{
	if (strcmp(key, "weight") == 0) {
		*high = 10000;
		return &op->schedule.weight;
	}
	if (strcmp(key, "cap") == 0) {
		*high = 1000;
		return &op->schedule.cap;
	}
	if (strcmp(key, "quantum") == 0) {
		*high = 1000000;
		return &op->schedule.quantum_us;
	}
	*high = 89;
	return strcmp(key, "standing") == 0 ? &op->schedule.standing : NULL;
}

static bool schedule_word(struct control_message *op, const char *key,
			  const char *word)
{
	uint64_t value, high;
	uint32_t *field = schedule_field(op, key, &high);

	if (field == NULL) {
		logf_("error: \"%s\": weight, cap, quantum or standing", key);
		return false;
	}
	if (!number(word, high, &value))
		return false;
	if (value == 0) {
		logf_("error: 0 is nothing: write 1 to %lu", high);
		return false;
	}
	*field = (uint32_t)value;
	return true;
}

void change_schedule(const struct words *w)
{
	struct control_message op = {.id = TXN_SCHEDULE};
	uint64_t row[8];
	char what[32];

	if (w->count == 1) {
		show_schedule(w);
		return;
	}
	if (w->count < 4 || w->count % 2 != 0) {
		logf_("error: write: schedule NAME "
		      "weight|cap|quantum|standing N ...");
		return;
	}
	if (!ask_partition(w->word[1], row))
		return;
	op.schedule.number = row[0];
	for (unsigned i = 2; i < w->count; i += 2) {
		if (!schedule_word(&op, w->word[i], w->word[i + 1]))
			return;
	}
	describe(what, w);
	ask_do(&op, 1, what);
}

void change_frame(const struct words *w)
{
	struct control_message ops[SCHEDULE_WINDOWS];
	bool none = w->count == 3 && strcmp(w->word[2], "none") == 0;
	uint64_t row[8], cpu, us;
	unsigned n = 0;
	char what[32];

	if (!none && (w->count < 4 || w->count % 2 != 0 ||
		      w->count > 2 + 2 * SCHEDULE_WINDOWS)) {
		logf_("error: write: frame CPU NAME|shared US ..., at most "
		      "%u windows; or frame CPU none",
		      SCHEDULE_WINDOWS);
		return;
	}
	if (!number(w->word[1], view_now()->cpus - 1, &cpu))
		return;
	memset(ops, 0, sizeof(ops));
	for (unsigned i = 2; !none && i < w->count; i += 2, n++) {
		if (strcmp(w->word[i], "shared") == 0)
			row[0] = 0;
		else if (!ask_partition(w->word[i], row))
			return;
		if (!number(w->word[i + 1], 1000000, &us))
			return;
		ops[n].frame.number = row[0];
		ops[n].frame.length_us = (uint32_t)us;
	}
	n = none ? 1 : n;
	for (unsigned i = 0; i < n; i++) {
		ops[i].id = TXN_FRAME;
		ops[i].frame.cpu = (uint32_t)cpu;
		ops[i].frame.index = i;
	}
	describe(what, w);
	ask_do(ops, n, what);
}

/* ---- pause, save, memory, devices --------------------------------------- */

void change_pause(const struct words *w)
{
	simple(w, TXN_PARTITION_PAUSE, 0);
}

void change_resume(const struct words *w)
{
	simple(w, TXN_PARTITION_RESUME, 0);
}

void change_save(const struct words *w)
{
	simple(w, TXN_PARTITION_SAVE, 0);
}

/* restore NAME [cpu N] */
void change_restore(const struct words *w)
{
	struct control_message ops[2] = {{.id = TXN_SCHEDULE},
					 {.id = TXN_PARTITION_RESTORE}};
	bool placed = w->count == 4 && strcmp(w->word[2], "cpu") == 0;
	uint64_t row[8], cpu;
	char what[32];

	if (!placed && w->count != 2) {
		logf_("error: write: restore NAME, or restore NAME cpu N");
		return;
	}
	if (!ask_partition(w->word[1], row) ||
	    (placed && !number(w->word[3], view_now()->cpus - 1, &cpu)))
		return;
	if (placed)
		ops[0].schedule.cpu = (uint32_t)cpu + 1;
	ops[0].schedule.number = row[0];
	ops[1].target.number = row[0];
	describe(what, w);
	ask_do(placed ? ops : ops + 1, placed ? 2 : 1, what);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The row of the device at BB:DD.F; false, and said: there is none. */
static bool device_at(const char *word, uint64_t row[8])
{
	uint64_t bdf;

	if (strlen(word) == 7 && word[2] == ':' && word[5] == '.' &&
	    hex(word[0]) >= 0 && hex(word[1]) >= 0 && hex(word[3]) >= 0 &&
	    hex(word[4]) >= 0 && hex(word[6]) >= 0) {
		bdf = (uint64_t)(hex(word[0]) << 12 | hex(word[1]) << 8 |
				 hex(word[3]) << 7 | hex(word[4]) << 3 |
				 hex(word[6]));
		for (uint64_t i = 0; ask_row(QUERY_DEVICE, i, row); i++) {
			if (row[1] == bdf)
				return true;
		}
	}
	logf_("error: no device \"%s\": try devices", word);
	return false;
}

/* What becomes of the device that word 2 names; `to`: whose it is then. */
static void device(const struct words *w, uint32_t id, const char *to)
{
	struct control_message op = {.id = id};
	uint64_t row[8], part[8] = {0};
	char what[32];

	if (!device_at(w->word[2], row) ||
	    (to != NULL && !ask_partition(to, part)))
		return;
	op.target.number = row[0];
	op.target.to = part[0];
	describe(what, w);
	ask_do(&op, 1, what);
}

/* assign or release memory N NAME: blocks of 2 MiB. */
static void memory(const struct words *w, uint32_t id)
{
	struct control_message op = {.id = id};
	uint64_t row[8], blocks;
	char what[32];

	if (!number(w->word[2], 64, &blocks) || !ask_partition(w->word[3], row))
		return;
	op.target.number = row[0];
	op.target.value = blocks;
	describe(what, w);
	ask_do(&op, 1, what);
}

void change_assign(const struct words *w)
{
	if (w->count == 4 && strcmp(w->word[1], "device") == 0)
		device(w, TXN_DEVICE_ASSIGN, w->word[3]);
	else if (w->count == 4 && strcmp(w->word[1], "memory") == 0)
		memory(w, TXN_MEMORY_ASSIGN);
	else
		logf_("error: write: assign device BB:DD.F NAME, or assign "
		      "memory BLOCKS NAME");
}

void change_release(const struct words *w)
{
	if (w->count == 3 && strcmp(w->word[1], "device") == 0)
		device(w, TXN_DEVICE_RELEASE, NULL);
	else if (w->count == 4 && strcmp(w->word[1], "memory") == 0)
		memory(w, TXN_MEMORY_RELEASE);
	else
		logf_("error: write: release device BB:DD.F, or release "
		      "memory BLOCKS NAME");
}

/* ---- policy ------------------------------------------------------------- */

static char draft[POLICY_BYTES_MAX];
static uint32_t draft_bytes;

static bool draft_line(const char *text)
{
	size_t n = strlen(text);

	if (strcmp(text, ".") == 0) {
		ask_load(draft, draft_bytes);
		return false;
	}
	if (draft_bytes + n + 1 > sizeof(draft)) {
		logf_("error: a policy has at most %u bytes: dropped",
		      POLICY_BYTES_MAX);
		return false;
	}
	memcpy(draft + draft_bytes, text, n);
	draft_bytes += (uint32_t)n;
	draft[draft_bytes++] = '\n';
	return true;
}

static void policy_show(void)
{
	uint32_t at = 0;

	for (unsigned number_of = 1; at < policy_bytes; number_of++) {
		char line[120];
		uint32_t n = 0;

		while (at < policy_bytes && policy_text[at] != '\n') {
			if (n < sizeof(line) - 1)
				line[n++] = policy_text[at];
			at++;
		}
		at++;
		line[n] = '\0';
		logf_("%3u %s", number_of, line);
	}
}

void change_policy(const struct words *w)
{
	const struct view *view = view_now();

	if (w->count == 2 && strcmp(w->word[1], "show") == 0) {
		policy_show();
	} else if (w->count == 2 && strcmp(w->word[1], "load") == 0) {
		draft_bytes = 0;
		logf_("type the policy, then a line with . alone; Ctrl-C "
		      "drops it");
		console_divert(draft_line);
	} else if (w->count == 3 && strcmp(w->word[1], "load") == 0 &&
		   strcmp(w->word[2], "module") == 0) {
		if (view->data_bytes > sizeof(draft)) {
			logf_("error: the module is longer than %u bytes",
			      POLICY_BYTES_MAX);
			return;
		}
		draft_bytes = (uint32_t)view->data_bytes;
		memcpy(draft, (const void *)(uintptr_t)view->data_va,
		       draft_bytes);
		ask_load(draft, draft_bytes);
	} else {
		logf_("error: write: policy show, policy load, or policy load "
		      "module");
	}
}

void change_off(const struct words *w)
{
	struct control_message op = {.id = TXN_MACHINE_OFF};
	uint64_t code = 0;

	if (w->count > 1 && !number(w->word[1], 127, &code))
		return;
	op.target.value = code;
	ask_do(&op, 1, "off");
}
