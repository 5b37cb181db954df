/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/txn.c - transactions: several operations, all or none.
 *
 * Each operation is checked against, and applied to, the copies that the open
 * transaction made, so a later one sees what an earlier one did.  The first
 * that fails ends it: the copies are dropped, no effect has happened, and the
 * database in force has not changed by a byte.
 *
 * The version that it commits says all that it demands of the machine, and owes
 * its answer.  The effects are the short way there; should they be cut off,
 * adopt.c goes the long one.
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/sys.h"

int txn_effect(struct txn *t, void (*run)(const struct effect *e), uint64_t a,
	       uint64_t b, const char *text)
{
	if (t->effects == EFFECTS_MAX)
		return CONTROL_ELIMIT;
	t->effect[t->effects++] =
		(struct effect){.run = run, .a = a, .b = b, .text = text};
	return CONTROL_OK;
}

static void machine_off(const struct effect *e)
{
	logf_("machine off, code %lu", e->a);
	log_drain();
	(void)sys_lead_off(e->a);
}

void txn_adopt(void)
{
	const struct effect e = {.a = db_version(&db)->off - 1};

	if (db_version(&db)->off)
		machine_off(&e);
}

static int op_machine_off(struct txn *t, const struct control_message *m,
			  uint64_t *result)
{
	(void)result;
	db.shadow->off = m->target.value + 1;
	return txn_effect(t, machine_off, m->target.value, 0, NULL);
}

static const struct {
	uint32_t id;
	txn_op *run;
} operations[] = {
	{TXN_PARTITION_CREATE, part_create},
	{TXN_PARTITION_START, part_start},
	{TXN_PARTITION_STOP, part_stop},
	{TXN_PARTITION_RESTART, part_restart},
	{TXN_PARTITION_DESTROY, part_destroy},
	{TXN_PARTITION_MARK, part_mark},
	{TXN_PARTITION_ARGS, part_args},
	{TXN_PARTITION_PAUSE, keep_pause},
	{TXN_PARTITION_RESUME, keep_resume},
	{TXN_PARTITION_SAVE, keep_save},
	{TXN_PARTITION_RESTORE, keep_restore},
	{TXN_CHANNEL_CREATE, chan_create},
	{TXN_CHANNEL_MOVE, chan_move},
	{TXN_CHANNEL_DESTROY, chan_destroy},
	{TXN_CHANNEL_CONFIGURE, chan_configure},
	{TXN_CHANNEL_STATE, chan_state},
	{TXN_BUS_CREATE, bus_create},
	{TXN_BUS_DESTROY, bus_destroy},
	{TXN_BUS_CONFIGURE, bus_configure},
	{TXN_BUS_STATE, bus_state},
	{TXN_DEVICE_ASSIGN, device_assign},
	{TXN_DEVICE_RELEASE, device_release},
	{TXN_MEMORY_ASSIGN, give_assign},
	{TXN_MEMORY_RELEASE, give_release},
	{TXN_SCHEDULE, part_schedule},
	{TXN_FRAME, part_frame},
	{TXN_MACHINE_OFF, op_machine_off},
};

/* TXN_RESULT(n) -> the result of an earlier operation. */
static bool resolve(const struct txn *t, uint64_t *word)
{
	uint64_t n = *word & 0xffff;

	if (*word >> 16 != TXN_RESULT(0) >> 16)
		return true;
	if (n >= t->op)
		return false;
	*word = t->result[n];
	return true;
}

/* Where each kind of operation names a number or an id. */
static bool resolve_all(const struct txn *t, struct control_message *m)
{
	switch (m->id) {
	case TXN_PARTITION_CREATE:
	case TXN_MACHINE_OFF:
		return true;
	case TXN_PARTITION_MARK:
		return resolve(t, &m->mark.number);
	case TXN_PARTITION_ARGS:
		return resolve(t, &m->args.number);
	case TXN_CHANNEL_CREATE:
		return resolve(t, &m->channel.client) &&
		       resolve(t, &m->channel.server) &&
		       resolve(t, &m->channel.bus);
	default:
		return resolve(t, &m->target.number) &&
		       resolve(t, &m->target.to);
	}
}

static int run_one(struct txn *t, const struct control_message *op)
{
	struct control_message m = *op;

	for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		if (operations[i].id != m.id)
			continue;
		if (!resolve_all(t, &m))
			return CONTROL_EVALUE;
		return operations[i].run(t, &m, &t->result[t->op]);
	}
	return CONTROL_EID;
}

/* Who asked is owed an answer; the last free place is for one that does not
 * wait until something is loaded. */
static int owe(const struct txn *t)
{
	unsigned room = db_answers_free(&db);
	const struct db_answer answer = {
		.requester = t->requester,
		.handle = t->handle,
		.result = t->result[t->op - 1],
		.serial = room > 1 ? db.shadow->serial : 0,
		.id = t->ops[t->op - 1].id,
	};

	if (t->requester == uv_number)
		return CONTROL_OK;
	return db_answer_owe(&db, &answer) ? CONTROL_OK : CONTROL_EBUSY;
}

int txn_run(struct txn *t, const struct control_message *op, unsigned ops,
	    unsigned *failed)
{
	int status = db_begin(&db);

	*failed = 0;
	t->ops = op;
	if (status)
		return status;
	db.shadow->serial++;
	for (t->op = 0; t->op < ops && !status; t->op++) {
		*failed = t->op;
		status = run_one(t, &op[t->op]);
	}
	if (!status)
		status = owe(t);
	if (status) {
		db_abort(&db);
		return status;
	}
	*failed = 0;
	db_commit(&db, t->requester, t->handle);
	for (unsigned i = 0; i < t->effects; i++)
		t->effect[i].run(&t->effect[i]);
	return CONTROL_OK;
}

bool txn_own_begin(void)
{
	return db_begin(&db) == CONTROL_OK;
}

void txn_own_commit(void)
{
	db_commit(&db, uv_number, 0);
}
