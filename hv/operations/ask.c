/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/operations/ask.c - what operations asks of the ultravisor, in
 * transactions, and of command, in wishes.
 *
 * Questions are answered at once, so they are waited for.  All else is on its
 * way for a time, one at once, and the operator is told what became of it.
 * Between `begin` and `commit` operations gather, and nothing is sent.
 */
#include "operations/operations.h"

#include "lib/crc.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define QUERY_NS  (100 * MS)
#define ANSWER_NS (3000 * MS)

static struct {
	bool transaction, wish;
	uint64_t handle; /* or the wish's version */
	uint64_t until_ns;
	char what[32];
} waiting;

static bool gathering;
static struct control_message gathered[TXN_OPS_MAX];
static unsigned gathered_count;
static uint64_t wishes;

/* ---- questions ---------------------------------------------------------- */

bool ask_row(uint64_t what, uint64_t index, uint64_t row[8])
{
	struct control_message ask, answer;

	memset(&ask, 0, sizeof(ask));
	ask.id = TXN_QUERY;
	ask.query.what = what;
	ask.query.index = index;
	if (control_transact(&control, &ask, 1, &answer, QUERY_NS) !=
	    CONTROL_OK)
		return false;
	memcpy(row, answer.query.row, sizeof(answer.query.row));
	return true;
}

bool ask_partition(const char *name, uint64_t row[8])
{
	for (uint64_t i = 0; ask_row(QUERY_PARTITION, i, row); i++) {
		if (strncmp((const char *)&row[6], name, 16) == 0)
			return true;
	}
	if (name[0] == '\0')
		logf_("error: which partition? try list");
	else
		logf_("error: no partition \"%s\": try list", name);
	return false;
}

const char *ask_name(uint64_t number)
{
	static char name[17];
	uint64_t row[8];

	for (uint64_t i = 0; ask_row(QUERY_PARTITION, i, row); i++) {
		if (row[0] != number)
			continue;
		memcpy(name, &row[6], 16);
		return name;
	}
	return "?";
}

/* ---- transactions ------------------------------------------------------- */

static void await(uint64_t handle, bool wish, const char *what)
{
	waiting.transaction = !wish;
	waiting.wish = wish;
	waiting.handle = handle;
	waiting.until_ns = sys_time() + ANSWER_NS;
	str_field(waiting.what, what, sizeof(waiting.what));
}

static void send(struct control_message *ops, unsigned count, const char *what)
{
	uint64_t handle = control_send(&control, ops, count);

	if (handle == 0)
		logf_("error: the ultravisor takes no requests now: try "
		      "again");
	else
		await(handle, false, what);
}

void ask_do(struct control_message *ops, unsigned count, const char *what)
{
	if (!gathering) {
		send(ops, count, what);
		return;
	}
	if (gathered_count + count > TXN_OPS_MAX) {
		logf_("error: a transaction has at most %u operations: commit "
		      "or abort",
		      TXN_OPS_MAX);
		return;
	}
	memcpy(&gathered[gathered_count], ops, count * sizeof(*ops));
	gathered_count += count;
	logf_("gathered: %s, %u operations so far", what, gathered_count);
}

bool ask_gathering(void)
{
	return gathering;
}

void ask_begin(const struct words *w)
{
	(void)w;
	if (gathering) {
		logf_("error: a transaction has begun already: commit or "
		      "abort");
		return;
	}
	gathering = true;
	gathered_count = 0;
	logf_("transaction begun");
}

void ask_commit(const struct words *w)
{
	(void)w;
	if (!gathering) {
		logf_("error: no transaction has begun: begin");
		return;
	}
	gathering = false;
	if (gathered_count == 0)
		logf_("nothing to commit");
	else
		send(gathered, gathered_count, "transaction");
}

void ask_abort(const struct words *w)
{
	(void)w;
	if (!gathering) {
		logf_("error: no transaction has begun: begin");
		return;
	}
	gathering = false;
	logf_("transaction aborted: nothing was changed");
}

static const char *remedy(uint32_t status)
{
	switch (status) {
	case CONTROL_EBUSY:
		return "it is being worked on: try again";
	case CONTROL_EPERM:
		return "operations may not ask for that";
	case CONTROL_ENOMEM:
		return "not enough free memory: release some";
	case CONTROL_ELIMIT:
		return "a table is full: destroy something";
	case CONTROL_EID:
		return "this ultravisor does not know the operation";
	case CONTROL_EVALUE:
		return "a value is out of range";
	case CONTROL_ENOENT:
		return "it isn't there: try list";
	case CONTROL_EEXIST:
		return "it is there already";
	case CONTROL_ESTATE:
		return "not in this state: try show";
	default:
		return "try show";
	}
}

void ask_response(const struct control_message *m)
{
	if (!waiting.transaction || m->handle != waiting.handle)
		return;
	waiting.transaction = false;
	if (m->status == CONTROL_OK)
		logf_("%s: done", waiting.what);
	else
		logf_("error: %s refused at operation %lu, nothing was "
		      "changed: %s: %s",
		      waiting.what, m->failed_op,
		      control_status_name(m->status), remedy(m->status));
}

/* ---- wishes ------------------------------------------------------------- */

static void to_command(uint32_t type, const char *text, uint32_t bytes,
		       const char *what)
{
	if (gathering) {
		logf_("error: command decides that, not a transaction: commit "
		      "or abort first");
		return;
	}
	if (policy_send(type, ++wishes, text, bytes))
		await(wishes, true, what);
	else
		logf_("error: command is not to be reached: try again");
}

void ask_wish(const char *text)
{
	to_command(POLICY_DO, text, (uint32_t)strlen(text), text);
}

void ask_load(const char *text, uint32_t bytes)
{
	to_command(POLICY_LOAD, text, bytes, "policy load");
}

void ask_done(const struct policy_message *m, const char *text)
{
	if (!waiting.wish || m->version != waiting.handle)
		return;
	waiting.wish = false;
	if (m->status == 0)
		logf_("%s: done", waiting.what);
	else
		logf_("error: %s: %s", waiting.what, text);
}

bool ask_waiting(void)
{
	return waiting.transaction || waiting.wish;
}

uint64_t ask_deadline(uint64_t now)
{
	if (!ask_waiting())
		return TIME_NEVER;
	if (now < waiting.until_ns)
		return waiting.until_ns;
	logf_("error: %s: no answer from %s", waiting.what,
	      waiting.wish ? "command" : "the ultravisor");
	waiting.transaction = waiting.wish = false;
	return TIME_NEVER;
}
