/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/models/failover.pml - a guest's writes over two I/O partitions, each of
 * which may crash or hang at any step, and the fence (hv/command/failover.c,
 * hv/ultravisor/device.c and chan.c, hv/guest/client.c).
 *
 * One block.  A guest writes 1 and 2, flushes, writes 3, flushes.  A controller
 * works on its command whether its partition lives or not, until it is fenced; a
 * write lies in its volatile cache until a flush on the same controller, or until
 * the cache lets go of it, which may be at any time; what the cache holds at the
 * fence is lost or written, as the model likes.
 *
 * Shown: once a flush was answered, the medium never holds anything older than
 * what it covered, and it holds that when the answer comes; (settles) with at
 * most DEATHS deaths the guest comes to its end.
 *
 * Planted errors, each found (tests/models/check):
 *   -DNO_FENCE    the channel moves while the dead one's controller works on
 *   -DLATE_FENCE  it is fenced after the other has the channel
 *   -DUNORDERED   what is sent again goes youngest first
 *   -DNO_HOLD     an answered write is forgotten before a flush covers it
 *   -DEARLY_FLUSH a server answers a flush that its controller has not done
 *   -DNO_BEAT     nobody notices that a partition hangs
 *   -DNO_REPLAY   what was not answered is not sent again
 */
#define DEATHS 3
#define WRITES 3
#define FLUSH  9
#define NONE   2 /* no server */

#define RUNS    0
#define CRASHED 1
#define HANGS   2

byte life[2];
byte deaths;

/* Of each controller: does it work, its command, what it has done, its cache. */
bool works[2];
byte command[2], finished[2], cache[2];
byte medium;

/* The channel. */
byte server;
bool open, moved;
chan request = [4] of {byte};
chan response = [4] of {byte};

/* The guest's entries. */
#define FREE   0
#define QUEUED 1
#define SENT   2
#define HELD   3
byte entry[WRITES + 1]; /* by value; 0: the flush */
byte acknowledged, youngest;
bool over;

inline to_medium(value)
{
	assert(value >= acknowledged);
	medium = value
}

/* ---- servers and their controllers ---- */

proctype io(byte me)
{
	byte what;
end:	do
	:: atomic {
		life[me] == RUNS && server == me && open && !command[me] &&
			!finished[me] && nempty(request) ->
		request?what;
#ifdef EARLY_FLUSH
		if
		:: what == FLUSH -> finished[me] = what
		:: else -> command[me] = what
		fi
#else
		command[me] = what
#endif
		;
		what = 0
	   }
	:: atomic {
		life[me] == RUNS && server == me && open && finished[me] &&
			nfull(response) ->
		response!finished[me];
		finished[me] = 0
	   }
	od
}

proctype controller(byte me)
{
end:	do
	:: atomic {
		works[me] && command[me] ->
		if
		:: command[me] == FLUSH ->
			if
			:: cache[me] -> to_medium(cache[me])
			:: else -> skip
			fi;
			cache[me] = 0
		:: else -> cache[me] = command[me]
		fi;
		finished[me] = command[me];
		command[me] = 0
	   }
	:: atomic {
		works[me] && cache[me] -> to_medium(cache[me]);
		cache[me] = 0
	   }
	od
}

/* ---- death, and those who decide ---- */

proctype death()
{
	byte whom;
end:	do
	:: atomic {
		deaths < DEATHS ->
		select (whom : 0 .. 1);
		if
		:: life[whom] == RUNS ->
			deaths++;
			if
			:: life[whom] = CRASHED
			:: life[whom] = HANGS
			fi
		:: else -> skip
		fi;
		whom = 0
	   }
	od
}

inline fence(whom)
{
	if
	:: cache[whom] -> to_medium(cache[whom])
	:: skip
	fi;
	cache[whom] = 0;
	works[whom] = false;
	command[whom] = 0;
	finished[whom] = 0
}

#ifdef NO_BEAT
#define NOTICED(whom) (life[whom] == CRASHED)
#else
#define NOTICED(whom) (life[whom] != RUNS)
#endif

bool noticed[2];

/* Its end is heard of: fence; a channel that it served is paused and wiped. */
inline notice(whom)
{
	noticed[whom] = true;
#if defined(LATE_FENCE)
	if
	:: server != whom -> fence(whom)
	:: else -> skip
	fi;
#elif !defined(NO_FENCE)
	fence(whom);
#endif
	if
	:: server == whom ->
		open = false;
		server = NONE;
		do
		:: nempty(request) -> request?what
		:: nempty(response) -> response?what
		:: empty(request) && empty(response) -> break
		od;
		what = 0
	:: else -> skip
	fi
}

/* Its driver resets the controller first of all. */
inline restart(whom)
{
	fence(whom);
	life[whom] = RUNS;
	works[whom] = true;
	noticed[whom] = false
}

inline give(whom)
{
	server = whom;
	moved = true;
	open = true
}

proctype command_and_ultravisor()
{
	byte what;
end:	do
	:: atomic { !noticed[0] && NOTICED(0) -> notice(0) }
	:: atomic { !noticed[1] && NOTICED(1) -> notice(1) }
	:: atomic { server == NONE && life[0] == RUNS -> give(0) }
	:: atomic { server == NONE && life[1] == RUNS -> give(1) }
	:: atomic { noticed[0] -> restart(0) }
	:: atomic { noticed[1] -> restart(1) }
	od
}

/* ---- the guest ---- */

inline resume()
{
	moved = false;
#ifndef NO_REPLAY
	i = 0;
	do
	:: i <= WRITES ->
		if
		:: entry[i] == SENT || entry[i] == HELD -> entry[i] = QUEUED
		:: else -> skip
		fi;
		i++
	:: else -> break
	od;
#endif
	i = 0
}

/* The next to send: writes by age, the flush behind them; 0xff: none. */
inline choose()
{
	next = 255;
#ifdef UNORDERED
	i = WRITES;
	do
	:: i > 0 && entry[i] != QUEUED -> i--
	:: else -> break
	od;
	if
	:: i > 0 -> next = i
	:: else -> skip
	fi;
#else
	i = 1;
	do
	:: i <= WRITES && entry[i] != QUEUED -> i++
	:: else -> break
	od;
	if
	:: i <= WRITES -> next = i
	:: else -> skip
	fi;
#endif
	if
	:: next == 255 && entry[0] == QUEUED -> next = 0
	:: else -> skip
	fi;
	i = 0
}

inline answered(what)
{
	if
	:: what == FLUSH && entry[0] == SENT ->
		i = 1;
		do
		:: i <= WRITES ->
			/* A flush that came before a write it covers says
			 * nothing; servers keep the order. */
			assert(entry[i] != SENT);
			entry[i] = FREE;
			i++
		:: else -> break
		od;
		entry[0] = FREE;
		assert(medium == youngest);
		acknowledged = youngest;
		i = 0
	:: what != FLUSH && entry[what] == SENT ->
#ifdef NO_HOLD
		entry[what] = FREE
#else
		entry[what] = HELD
#endif
	:: else -> skip
	fi
}

proctype guest()
{
	byte i, next, what, issued;
	do
	:: atomic { open && moved -> resume() }
	:: atomic {
		open && !moved && nfull(request) &&
			(entry[0] == QUEUED || entry[1] == QUEUED ||
			 entry[2] == QUEUED || entry[3] == QUEUED) ->
		choose();
		if
		:: next == 0 -> request!FLUSH; entry[0] = SENT
		:: else -> request!next; entry[next] = SENT
		fi;
		next = 0
	   }
	:: atomic {
		open && !moved && nempty(response) ->
		response?what;
		answered(what);
		what = 0
	   }
	:: atomic { /* 1, 2, flush, 3, flush */
		entry[0] == FREE && issued < WRITES &&
			(issued != 2 || acknowledged == 2) ->
		issued++;
		youngest = issued;
		entry[issued] = QUEUED;
		if
		:: issued >= 2 -> entry[0] = QUEUED
		:: else -> skip
		fi
	   }
	:: atomic { acknowledged == WRITES -> over = true; break }
	od
}

init {
	atomic {
		works[0] = true;
		works[1] = true;
		server = 0;
		open = true;
		run io(0);
		run io(1);
		run controller(0);
		run controller(1);
		run command_and_ultravisor();
		run guest();
		run death()
	}
}

ltl settles { <> over }
