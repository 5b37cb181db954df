/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/models/channel.pml - a channel is connected, moved between two servers,
 * and connected again when an end begins anew (hv/ultravisor/chan.c; the phases
 * and ends bear its names).
 *
 * A server has at most one command at its device.  Servers and client may be
 * killed at any step; the ultravisor takes note later, fences the device, and
 * starts them again some time.  Moves may be asked for at any time.
 *
 * Not modelled: CLIENT_WAIT_NS (a client that does not answer is passed over and
 * harms itself), the channel's destruction, a full event queue.
 *
 * Shown: when the header is wiped no end that runs uses it and no device works
 * for the old server; never do two servers serve; what a new server finds is of
 * its generation; and when kills and moves end, the channel is OPEN with both
 * ends on it, for ever (ltl settles).
 *
 * Planted errors, each found (tests/models/check):
 *   -DNO_FENCE  a dead server counts as not running before its device is fenced
 *   -DNO_DRAIN  the server answers EVT_CHANNEL_DETACH with a command under way
 *   -DNO_WAIT   LETGO does not wait for a server that was told
 *   -DNO_RENEW  a partition that begins anew is not looked for in channels
 */
#define KILLS 2
#define MOVES 2
#define NOBODY 2

/* enum phase */
#define OPEN   1
#define LETGO  2
#define ATTACH 3
#define RESUME 4

/* enum end */
#define END_TELL 0
#define END_TOLD 1
#define END_DONE 2

#define CLIENT 2 /* who: 0 and 1 are the servers */

mtype = { EVT_CHANNEL_DETACH, EVT_CHANNEL_ATTACH, EVT_CHANNEL_PAUSE,
	  EVT_CHANNEL_RESUME };

/* The control channels: event, its handle, the generation. */
chan events[3] = [2] of { mtype, byte, byte };
chan acks = [4] of { byte, byte };

/* The row and its machine. */
byte phase = ATTACH, to = 0, server = 0, generation = 1;
byte m_server = END_TELL, m_client = END_DONE;
byte server_handle, client_handle, next_handle = 1;
bool revoked;

bool runs[3] = true;    /* it executes */
bool running[3] = true; /* the ultravisor: part_running() */
bool uses[3];           /* an end is on the channel ... */
byte seen[3];             /* ... in this generation */
bool device[2];         /* a command is under way */
byte kills, moves;

inline settle_queue(who)
{
	do
	:: nempty(events[who]) -> events[who]?_,_,_
	:: empty(events[who]) -> break
	od
}

inline begin(where)
{
	if
	:: phase != LETGO ->
		m_client = (phase == OPEN -> END_TELL : END_DONE);
		m_server = (phase != ATTACH || m_server != END_TELL ->
				    END_TELL : END_DONE)
	:: else
	fi;
	phase = LETGO;
	to = where;
	revoked = true
}

inline renewed_ends(who)
{
	if
	:: phase == ATTACH && server == who -> m_server = END_TELL
	:: phase == LETGO && server == who -> m_server = END_DONE
	:: phase == LETGO && who == CLIENT -> m_client = END_DONE
	:: else
	fi
}

inline chan_renew(who)
{
	if
	:: who != CLIENT && who != server
	:: else ->
		if
		:: phase == OPEN || phase == RESUME -> begin(server)
		:: else
		fi;
		renewed_ends(who)
	fi
}

inline tell(event, who, handle)
{
	events[who]!event,next_handle,generation;
	handle = next_handle;
	next_handle = next_handle % 15 + 1
}

inline hand_over()
{
	assert(!(runs[CLIENT] && uses[CLIENT]));
	assert(!(runs[server] && uses[server]));
	assert(!device[0] && !device[1]);
	server = to;
	generation = generation % 15 + 1;
	revoked = false;
	phase = ATTACH;
	m_server = END_TELL;
	m_client = END_DONE
}

/* chan_work(): one step of what it can do now. */
active proctype ultravisor()
{
	byte who, handle;

	do
	/* --- LETGO --- */
	:: atomic { phase == LETGO && m_server != END_DONE &&
		    !running[server] -> m_server = END_DONE }
	:: atomic { phase == LETGO && m_server == END_TELL &&
		    running[server] && nfull(events[server]) ->
		tell(EVT_CHANNEL_DETACH, server, server_handle);
#ifdef NO_WAIT
		m_server = END_DONE
#else
		m_server = END_TOLD
#endif
	   }
	:: atomic { phase == LETGO && m_client != END_DONE &&
		    !running[CLIENT] -> m_client = END_DONE }
	:: atomic { phase == LETGO && m_client == END_TELL &&
		    running[CLIENT] && nfull(events[CLIENT]) ->
		tell(EVT_CHANNEL_PAUSE, CLIENT, client_handle);
		m_client = END_TOLD }
	:: atomic { phase == LETGO && m_server == END_DONE &&
		    m_client == END_DONE -> hand_over() }
	/* --- ATTACH --- */
	:: atomic { phase == ATTACH && m_server != END_TELL &&
		    !running[server] -> m_server = END_TELL }
	:: atomic { phase == ATTACH && m_server == END_TELL &&
		    running[server] && nfull(events[server]) ->
		tell(EVT_CHANNEL_ATTACH, server, server_handle);
		m_server = END_TOLD }
	/* --- RESUME --- */
	:: atomic { phase == RESUME && !running[server] ->
		phase = ATTACH; m_server = END_TELL }
	:: atomic { phase == RESUME && running[server] && running[CLIENT] &&
		    nfull(events[CLIENT]) ->
		tell(EVT_CHANNEL_RESUME, CLIENT, handle);
		phase = OPEN }
	/* --- chan_acked() --- */
	:: atomic { acks?who,handle ->
		if
		:: phase != OPEN && m_server == END_TOLD && server == who &&
		   server_handle == handle ->
			m_server = END_DONE;
			if
			:: phase == ATTACH -> phase = RESUME
			:: else
			fi
		:: phase == LETGO && m_client == END_TOLD && who == CLIENT &&
		   client_handle == handle -> m_client = END_DONE
		:: else
		fi }
	/* --- a transaction: TXN_CHANNEL_MOVE --- */
	:: atomic { moves < MOVES && !revoked && running[1 - server] ->
		moves++; begin(1 - server) }
	/* --- deaths: reported, fenced, started anew (part_end.c) --- */
#ifdef NO_FENCE
	:: atomic { !runs[0] && running[0] -> running[0] = false;
		settle_queue(0) }
	:: atomic { !runs[1] && running[1] -> running[1] = false;
		settle_queue(1) }
#else
	:: atomic { !runs[0] && running[0] -> device[0] = false;
		running[0] = false; settle_queue(0) }
	:: atomic { !runs[1] && running[1] -> device[1] = false;
		running[1] = false; settle_queue(1) }
#endif
	:: atomic { !runs[CLIENT] && running[CLIENT] ->
		running[CLIENT] = false; settle_queue(CLIENT) }
	:: atomic { !running[0] -> who = 0; goto restart }
	:: atomic { !running[1] -> who = 1; goto restart }
	:: atomic { !running[CLIENT] -> who = CLIENT; goto restart }
	:: false ->
restart:
		atomic {
			uses[who] = false;
			running[who] = true;
			runs[who] = true;
#ifndef NO_RENEW
			chan_renew(who)
#endif
		}
	od
}

active [2] proctype io()
{
	byte me = _pid - 1, handle, g;

	do
	:: atomic { runs[me] && events[me]?[EVT_CHANNEL_ATTACH,handle,g] ->
		events[me]?EVT_CHANNEL_ATTACH,handle,g;
		assert(!(runs[1 - me] && uses[1 - me]));
		assert(!device[1 - me]);
		uses[me] = true;
		seen[me] = g;
		acks!me,handle }
	/* Drains: the answer waits for the device. */
#ifdef NO_DRAIN
	:: atomic { runs[me] && events[me]?[EVT_CHANNEL_DETACH,handle,g] ->
#else
	:: atomic { runs[me] && !device[me] &&
		    events[me]?[EVT_CHANNEL_DETACH,handle,g] ->
#endif
		events[me]?EVT_CHANNEL_DETACH,handle,g;
		uses[me] = false;
		acks!me,handle }
	:: atomic { runs[me] && uses[me] && uses[CLIENT] && runs[CLIENT] &&
		    seen[me] == seen[CLIENT] && !device[me] &&
		    empty(events[me]) -> device[me] = true }
	:: device[me] -> device[me] = false
	:: atomic { runs[me] && kills < KILLS -> kills++; runs[me] = false }
	od
}

active proctype guest()
{
	byte handle, g;

	do
	:: atomic { runs[CLIENT] &&
		    events[CLIENT]?[EVT_CHANNEL_PAUSE,handle,g] ->
		events[CLIENT]?EVT_CHANNEL_PAUSE,handle,g;
		uses[CLIENT] = false;
		acks!CLIENT,handle }
	:: atomic { runs[CLIENT] &&
		    events[CLIENT]?[EVT_CHANNEL_RESUME,handle,g] ->
		events[CLIENT]?EVT_CHANNEL_RESUME,handle,g;
		uses[CLIENT] = true;
		seen[CLIENT] = g }
	:: atomic { runs[CLIENT] && kills < KILLS ->
		kills++; runs[CLIENT] = false }
	od
}

/* Time goes on when nobody has anything to do: such a run is endless too. */
active proctype clock()
{
	do
	:: true -> skip
	od
}

#define settled \
	(phase == OPEN && uses[CLIENT] && uses[server] && \
	 seen[CLIENT] == generation && seen[server] == generation)

ltl settles { <>[] settled }
