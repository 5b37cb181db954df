/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/models/transaction.pml - a transaction from its request to its answer
 * (hv/ultravisor/db.c, txn.c, control.c), with the ultravisor's death at any step
 * and its restart (adopt.c).
 *
 * Two data pages, each with one word, stand for all: every transaction changes
 * both, by one operation each, and leaves them equal.  Each word demands that
 * the machine be so, which is the operation's effect.  The pool, the pages, the
 * root's `current`, the machine and the queues of the control channel survive
 * the ultravisor; use[] is its own memory and is made anew from `current`.
 *
 *   request   it is at the front of its queue, and stays there
 *   validate  operation by operation, each on copies; one may be refused
 *   publish   `current`; the version owes the answer
 *   effect    of each operation
 *   answer    put in the queue of responses; then it is owed no more
 *   drop      the request leaves its queue
 *
 * Not modelled: operations that gather over several messages, several
 * requesters, a full queue.
 *
 * Shown: whoever follows `current`, at any step, finds both words equal and as
 * they were before or after the transaction under way; an aborted one leaves no
 * mark; no page leaks, so that transactions go on for ever; each request is
 * answered, once, in order, and the answer says what became of it; none is done
 * twice; when all are answered the machine is as the database demands.
 *
 * Planted errors, each found (tests/models/check):
 *   -DIN_PLACE   an operation changes the page in force
 *   -DEARLY      `current` is stored before the last operation is validated
 *   -DREUSE      a retired page is free before the commit
 *   -DFORGET     the restarted ultravisor takes every page as free
 *   -DUNDO       an aborted transaction does not give one of its pages back
 *   -DNOT_OWED   the version that is published does not owe the answer
 *   -DDROP_FIRST the request leaves its queue before it is served
 *   -DNO_EFFECT  the restarted ultravisor does not look at the machine
 *   -DNO_NOTE    ... nor whether the answer that is owed was given
 */
#define PAGES  6 /* of the pool: 3 in force, 3 for their copies */
#define DEATHS 2
#define TXNS   3 /* requests; the first has handle 1 */
#define NONE   255

/* db->use[] */
#define DB_PAGE_FREE    0
#define DB_PAGE_LIVE    1
#define DB_PAGE_FRESH   2
#define DB_PAGE_RETIRED 3

typedef page {
	byte word;    /* of a data page */
	byte link[2]; /* of a version page: its two data pages */
	byte owed;    /* ... db_version.answer: the request's handle; 0: none */
};

/* In guest memory. */
page pool[PAGES];
byte current;
byte machine[2]; /* what each operation wants of it */

/* The control channel: requests sent and taken, by handle; of responses the
 * last, which stays in its slot. */
byte sent, taken, last;
chan responses = [TXNS] of { byte, bool };

/* Of each request: how often it was published. */
byte published[TXNS + 1];

/* The ultravisor's own. */
byte use[PAGES];
byte shadow = NONE;

/* What the transaction under way may leave: the value before, or after it. */
byte before, after;
byte deaths;

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
		pool[copy].owed = pool[n].owed;
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

/* The answer is in the queue. */
inline respond(n, good)
{
	responses ! n, good;
	last = n
}

/* Between any two steps it may be killed, and somebody look. */
#define STEP \
	d_step { consistent() }; \
	if \
	:: true \
	:: deaths < DEATHS -> deaths++; goto restart \
	fi

active proctype requester()
{
	byte n, handle;
	bool good;

	do
	:: n < TXNS ->
		n++;
		sent = n;
		responses ? handle, good;
		d_step {
			assert(handle == n);
			assert(good == (published[n] == 1))
		}
	:: else -> break
	od
}

active proctype ultravisor()
{
	byte i, copy, op, handle;

	d_step {
		current = 0;
		pool[0].link[0] = 1;
		pool[0].link[1] = 2
	};
restart:
	skip;
	/* adopt_database() */
	d_step { adopt() };
#ifndef NO_EFFECT
	op = 0;
	do
	:: op < 2 ->
		STEP;
		machine[op] = pool[pool[current].link[op]].word;
		op++
	:: else -> break
	od;
#endif
	skip;
	STEP;
	/* control_go_on(): what is served leaves the queue ... */
	d_step {
		if
		:: taken < sent && (last == taken + 1 ||
				    pool[current].owed == taken + 1) -> taken++
		:: else
		fi
	};
	STEP;
	/* ... and an answer that was given is owed no more */
#ifndef NO_NOTE
	d_step {
		if
		:: pool[current].owed == last -> pool[current].owed = 0
		:: else
		fi
	};
	STEP;
#endif
again:
	/* give_answers() */
	if
	:: pool[current].owed ->
		handle = pool[current].owed;
		d_step { respond(handle, true) };
		STEP;
		pool[current].owed = 0;
		STEP
	:: else
	fi;
	/* request(): the one at the front of the queue */
	if
	:: taken < sent -> handle = taken + 1
	:: taken == sent && taken == TXNS -> goto done
	fi;
#ifdef DROP_FIRST
	taken++;
#endif
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
	skip;
#ifndef NOT_OWED
	pool[shadow].owed = handle; /* owe() */
#endif
	STEP;
	/* db_commit() */
	d_step {
		current = shadow;
		published[handle]++;
		assert(published[handle] == 1)
	};
	STEP;
	d_step { before = after; shadow = NONE };
	d_step { sweep(DB_PAGE_RETIRED, DB_PAGE_FREE) };
	STEP;
	d_step { sweep(DB_PAGE_FRESH, DB_PAGE_LIVE) };
	STEP;
	op = 0;
	do
	:: op < 2 ->
		machine[op] = pool[pool[current].link[op]].word;
		STEP;
		op++
	:: else -> break
	od;
	skip;
	/* give_answers() */
	d_step { respond(handle, true) };
	STEP;
	pool[current].owed = 0;
	STEP;
	goto drop;
db_abort:
	shadow = NONE;
	STEP;
	d_step { after = before; consistent() };
	d_step {
		sweep(DB_PAGE_FRESH, DB_PAGE_FREE);
#ifdef UNDO
		use[PAGES - 1] = DB_PAGE_FRESH
#endif
	};
	STEP;
	d_step { sweep(DB_PAGE_RETIRED, DB_PAGE_LIVE) };
	STEP;
	d_step { respond(handle, false) };
	STEP;
drop:
	skip;
#ifndef DROP_FIRST
	taken++;
#endif
	STEP;
	goto again;
done:
	skip;
	d_step {
		consistent();
		assert(machine[0] == before && machine[1] == before);
		assert(!pool[current].owed)
	}
}
