/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/db_demand.c - what a version demands of the machine beyond what
 * its tables say: channels on their way, answers that are owed.  See db.h.
 *
 * Notes are stores into the version in force.  Each is one word, so a reader,
 * or the next program of the ultravisor, finds it done or not; and none is made
 * while a transaction is open, whose copies would lose it.
 */
#include "ultravisor/db_pages.h"

unsigned db_chan_row(const struct db *db, uint32_t id)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(db, i);

		if (c && c->id == id)
			return i;
	}
	return DB_CHANS;
}

const struct db_move *db_move(const struct db *db, unsigned row)
{
	const struct db_move *page = db_page_at(db, db_version(db)->moves_pfn);

	return &page[row];
}

struct db_move *db_move_mut(struct db *db, unsigned row)
{
	struct db_move *page = db_page_mut(db, &db->shadow->moves_pfn, 0);

	return page ? page + row : NULL;
}

struct db_move *db_move_note(struct db *db, unsigned row)
{
	struct db_move *page = db_page_at(db, db_version(db)->moves_pfn);

	return &page[row];
}

struct db_part *db_part_note(struct db *db, uint64_t number)
{
	struct db_part *page = db_page_at(db, db_version(db)->parts_pfn);

	for (unsigned i = 0; i < DB_PARTS; i++)
		if (page[i].number == number)
			return &page[i];
	return NULL;
}

unsigned db_answers_free(const struct db *db)
{
	unsigned n = 0;

	for (unsigned i = 0; i < DB_ANSWERS; i++)
		n += !db_version(db)->answer[i].requester;
	return n;
}

bool db_answer_owe(struct db *db, const struct db_answer *answer)
{
	for (unsigned i = 0; i < DB_ANSWERS; i++) {
		if (db->shadow->answer[i].requester)
			continue;
		db->shadow->answer[i] = *answer;
		return true;
	}
	return false;
}

const struct db_answer *db_answer_at(const struct db *db, unsigned index)
{
	const struct db_answer *a = &db_version(db)->answer[index];

	return a->requester ? a : NULL;
}

void db_answer_given(struct db *db, unsigned index)
{
	struct db_version *v = db_page_at(db, db->root->current);

	__atomic_store_n(&v->answer[index].requester, 0, __ATOMIC_RELEASE);
}
