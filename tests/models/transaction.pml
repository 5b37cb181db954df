/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/models/transaction.pml - the commit of a transaction (hv/ultravisor/db.c
 * and txn.c), with the ultravisor's death at any step and its restart.
 *
 * Two data pages, each with one word, stand for all: every transaction changes
 * both, by one operation each, and leaves them equal.  The pool, the pages and
 * the root's `current` survive the ultravisor; use[] is its own memory and is
 * made anew from `current`.
 *
 * Shown: whoever follows `current`, at any step, finds both words equal and as
 * they were before or after the transaction under way; an aborted one leaves no
 * mark; no page leaks, so that transactions go on for ever.
 *
 * Planted errors, each found (tests/models/check):
 *   -DIN_PLACE  an operation changes the page in force
 *   -DEARLY     `current` is stored before the last operation
 *   -DREUSE     a retired page is free before the commit
 *   -DFORGET    the restarted ultravisor takes every page as free
 */
#define PAGES  6 /* of the pool: 3 in force, 3 for their copies */
#define DEATHS 2
#define TXNS   4
#define NONE   255

/* db->use[] */
#define DB_PAGE_FREE    0
#define DB_PAGE_LIVE    1
#define DB_PAGE_FRESH   2
#define DB_PAGE_RETIRED 3

typedef page {
	byte word;    /* of a data page */
	byte link[2]; /* of a version page: its two data pages */
};

/* In guest memory. */
page pool[PAGES];
byte current;

/* The ultravisor's own. */
byte use[PAGES];
byte shadow = NONE;

/* What the transaction under way may leave: the value before, or after it. */
byte before, after;
byte deaths, txns;

inline consistent()
{
	assert(pool[pool[current].link[0]].word ==
	       pool[pool[current].link[1]].word);
	assert(pool[pool[current].link[0]].word == before ||
	       pool[pool[current].link[0]].word == after)
}

/* page_alloc(): a free page; the model's pool never runs out. */
inline page_alloc(n)
{
	n = 0;
	do
	:: n < PAGES && use[n] != DB_PAGE_FREE -> n++
	:: else -> break
	od;
	assert(n < PAGES);
	use[n] = DB_PAGE_FRESH
}

/* page_mut(): the copy of a page in force that this transaction may change. */
inline page_mut(n, copy)
{
	if
#ifdef IN_PLACE
	:: true -> copy = n
#else
	:: use[n] == DB_PAGE_FRESH -> copy = n
	:: else ->
		page_alloc(copy);
		pool[copy].word = pool[n].word;
		pool[copy].link[0] = pool[n].link[0];
		pool[copy].link[1] = pool[n].link[1];
#ifdef REUSE
		use[n] = DB_PAGE_FREE
#else
		use[n] = DB_PAGE_RETIRED
#endif
#endif
	fi
}

inline sweep(from, to)
{
	i = 0;
	do
	:: i < PAGES ->
		if
		:: use[i] == from -> use[i] = to
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* What its restart does: pages that `current` leads to are in use. */
inline adopt()
{
	i = 0;
	do
	:: i < PAGES -> use[i] = DB_PAGE_FREE; i++
	:: else -> break
	od;
#ifndef FORGET
	use[current] = DB_PAGE_LIVE;
	use[pool[current].link[0]] = DB_PAGE_LIVE;
	use[pool[current].link[1]] = DB_PAGE_LIVE;
#endif
	shadow = NONE;
	before = pool[pool[current].link[0]].word;
	after = before
}

/* Between any two steps it may be killed, and somebody look. */
#define STEP \
	d_step { consistent() }; \
	if \
	:: true \
	:: deaths < DEATHS -> deaths++; goto restart \
	fi

active proctype ultravisor()
{
	byte i, copy, op;

	d_step {
		current = 0;
		pool[0].link[0] = 1;
		pool[0].link[1] = 2;
	};
restart:
	skip;
	d_step { adopt() };
again:
	if
	:: txns == TXNS -> goto done
	:: else -> txns++
	fi;
	STEP;
	/* db_begin() */
	d_step { page_mut(current, shadow); after = (before + 1) % 4 };
	STEP;
	op = 0;
	do
	:: op < 2 ->
#ifdef EARLY
		if
		:: op == 1 -> current = shadow
		:: else
		fi;
		STEP;
#endif
		if
		:: true -> /* run_one() holds */
			d_step { page_mut(pool[shadow].link[op], copy) };
			STEP;
			pool[copy].word = after;
			STEP;
			pool[shadow].link[op] = copy;
			STEP;
			op++
		:: true -> goto db_abort
		fi
	:: else -> break
	od;
	/* db_commit() */
	current = shadow;
	STEP;
	d_step { before = after; shadow = NONE };
	d_step { sweep(DB_PAGE_RETIRED, DB_PAGE_FREE) };
	STEP;
	d_step { sweep(DB_PAGE_FRESH, DB_PAGE_LIVE) };
	STEP;
	goto again;
db_abort:
	shadow = NONE;
	STEP;
	d_step { after = before; consistent() };
	d_step { sweep(DB_PAGE_FRESH, DB_PAGE_FREE) };
	STEP;
	d_step { sweep(DB_PAGE_RETIRED, DB_PAGE_LIVE) };
	STEP;
	goto again;
done:
	skip;
	d_step { consistent() }
}
