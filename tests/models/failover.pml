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
 * A partition beats, if it lives and has the CPU, which others may keep from it for
 * as long as they like.  Command asks that one be dead when its last look saw no
 * new beat; the ultravisor refuses that if it has beaten since, or has not had
 * CPU time enough to do so: then it has it run.  (Sleep is no state here: by the
 * time that command's patience ends, who sleeps is due.)
 *
 * Shown: nobody is declared dead who lives; once a flush was answered, the medium
 * never holds anything older than what it covered, and it holds that when the answer
 * comes; (settles) with at most DEATHS deaths the guest comes to its end.
 *
 * Planted errors, each found (tests/models/check):
 *   -DNO_FENCE    the channel moves while the dead one's controller works on
 *   -DLATE_FENCE  it is fenced after the other has the channel
 *   -DUNORDERED   what is sent again goes youngest first
 *   -DNO_HOLD     an answered write is forgotten before a flush covers it
 *   -DEARLY_FLUSH a server answers a flush that its controller has not done
 *   -DNO_BEAT     nobody notices that a partition hangs
 *   -DNO_REPLAY   what was not answered is not sent again
 *   -DSTALE       that it has beaten since command looked does not count
 *   -DSTARVED     nor does it that it had no CPU time
 *   -DNO_URGE     it is refused for that, but nobody has it run
 */
#ifndef DEATHS
#define DEATHS 3
#endif
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

/* As command and the ultravisor see them, since the last beat that was heard: */
#define NO_TIME 0 /* it had not the CPU time in which one that lives beats, */
#define BEATEN  1 /* it had, and did, */
#define SILENT  2 /* it had */
byte sign[2];
/* What command asked the ultravisor. */
#define NOT   0
#define DEAD  1 /* declare it dead */
#define URGED 2 /* that was refused: it is to run first */
byte asked[2];

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

/* The CPU is its, or others' for as long as nobody has it run. */
proctype turns(byte me)
{
end:	do
	:: atomic {
		life[me] != CRASHED && (sign[me] == NO_TIME || asked[me] == URGED) ->
		if
		:: life[me] == RUNS -> sign[me] = BEATEN
		:: life[me] == HANGS && sign[me] == NO_TIME -> sign[me] = SILENT
		:: else -> skip
		fi;
		if
		:: asked[me] == URGED -> asked[me] = NOT
		:: else -> skip
		fi
	   }
	:: asked[me] != URGED -> skip
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

bool noticed[2];

/* Its end is heard of: fence; a channel that it served is paused and wiped. */
inline notice(whom)
{
	noticed[whom] = true;
	asked[whom] = NOT;
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

/* A look at the beats: a new one is heard, or command's patience is at its end. */
inline look(whom)
{
	if
	:: sign[whom] == BEATEN -> sign[whom] = NO_TIME
#ifndef NO_BEAT
	:: sign[whom] != BEATEN -> asked[whom] = DEAD
#else
	:: else -> skip
#endif
	fi
}

#ifdef STALE
#define HEARD_SINCE(whom) false
#else
#define HEARD_SINCE(whom) (sign[whom] == BEATEN)
#endif
#ifdef STARVED
#define HAD_NO_TIME(whom) false
#else
#define HAD_NO_TIME(whom) (sign[whom] == NO_TIME)
#endif

/* The ultravisor, asked to declare it dead. */
inline decide(whom)
{
	if
	:: HEARD_SINCE(whom) -> asked[whom] = NOT
	:: HAD_NO_TIME(whom) ->
#ifdef NO_URGE
		asked[whom] = NOT
#else
		asked[whom] = URGED
#endif
	:: else ->
		assert(life[whom] != RUNS);
		notice(whom)
	fi
}

/* Its driver resets the controller first of all. */
inline restart(whom)
{
	fence(whom);
	life[whom] = RUNS;
	works[whom] = true;
	noticed[whom] = false;
	sign[whom] = NO_TIME
}

inline give(whom)
{
	server = whom;
	moved = true;
	open = true
}

/* Command and the ultravisor. */
proctype watch(byte whom)
{
	byte what;
end:	do
	:: atomic { !noticed[whom] && life[whom] == CRASHED -> notice(whom) }
	:: atomic {
		!noticed[whom] && life[whom] != CRASHED && asked[whom] == NOT ->
		look(whom)
	   }
	:: atomic { !noticed[whom] && asked[whom] == DEAD -> decide(whom) }
	:: atomic { noticed[whom] -> restart(whom) }
	od
}

proctype assign()
{
end:	do
	:: atomic { server == NONE && life[0] == RUNS -> give(0) }
	:: atomic { server == NONE && life[1] == RUNS -> give(1) }
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
		run watch(0);
		run watch(1);
		run assign();
		run turns(0);
		run turns(1);
		run guest();
		run death()
	}
}

ltl settles { <> over }
