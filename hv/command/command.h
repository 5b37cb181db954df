/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/command.h - what the files of the command partition share.
 *
 * What it decides follows from what is, not from what happened: each pass of
 * the loop compares the machine with the policy and asks for the next step, at
 * most one at a time for each object.  So a command partition that was
 * restarted goes on where the one before it ended.
 *
 *   main.c       start, control channel, the loop
 *   knowledge.c  partitions, channels, schedule as they are
 *   jobs.c       transactions that are unanswered
 *   rules.c      the policy: fetched, loaded, compared with the one before
 *   guests.c     guests: made, given up, the end of all
 *   failover.c   beats, failovers, restarts
 *   complaints.c guests that are not served, devices that stray
 *   schedule.c   CPUs, shares, cyclic frames, devices
 *   trunk.c      the I/O partitions' switches joined
 */
#ifndef PARTERRE_COMMAND_COMMAND_H
#define PARTERRE_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/control.h"
#include "abi/database.h"
#include "command/policy.h"
#include "lib/channel.h"
#include "lib/control.h"
#include "lib/sys.h"

#define PARTS_MAX    32
#define CHANNELS_MAX 64
#define MOVES_MAX    15 /* channels in one transaction */

#define AGAIN_NS (1 * MS) /* after a refused transaction */

/* A partition, as known here. */
struct part {
	bool used;
	bool seen; /* by the learning that goes on */
	uint64_t number;
	char name[16];
	uint32_t kind, state, incarnation;
	bool told;        /* its end was heard of */
	bool asked;       /* a transaction about it is unanswered */
	bool over;        /* and it has begun and ended again meanwhile */
	uint32_t refused; /* status of the last, to say it once */
	uint64_t again_ns;
	uint64_t code; /* with which it ended */
	bool given_up; /* that it is not restarted any more was logged */
	bool leaving;  /* a guest that the policy has no longer, or otherwise */
	unsigned placed; /* version of the rules that its schedule goes by */
	/* Its schedule, as it is. */
	uint32_t cpu, standing, quantum_us, weight, cap;
	/* Of an I/O partition: */
	struct channel beat;
	unsigned beat_handle; /* 0: no heartbeat channel */
	bool beat_paused;
	uint64_t beat_last, beats; /* beats seen since it was started */
	uint64_t heard_ns, ran_ns; /* of the last beat: when, its CPU time */
	bool alone; /* its channels could not be moved in one with its mark */
	uint64_t started_ns;
	bool away_wished, back_wished; /* by the operator */
	bool told_alone; /* that nobody is left to take over was logged */
	uint32_t cause;  /* why it was declared dead (MARK_*) */
	enum {
		STRAY_NOT,
		STRAY_HEARD,
		STRAY_MOVED /* its channels are kept off it */
	} stray;            /* of its devices, since it was started */
	uint64_t letgo_ns;  /* by then it has to have let go of what moves; 0:
			       nothing is waited for */
	bool letgo_learnt;
};

struct chan {
	bool used, seen;
	uint64_t id, client, server;
	uint32_t type;
	bool asked;
	bool going; /* being moved or destroyed (RES_REVOKED) */
};

enum job_kind {
	JOB_NONE,
	JOB_CREATE, /* a guest of the policy; object: its index there */
	JOB_MARK,
	JOB_MOVE, /* all channels of one server, or those that go back */
	JOB_RESTART,
	JOB_SCHEDULE,
	JOB_FRAME, /* object: the CPU */
	JOB_DEVICE,
	JOB_STOP,
	JOB_TRUNK,
	JOB_UNLINK, /* channels of one that leaves, destroyed */
	JOB_DESTROY,
	JOB_OFF,
};

/* A transaction that is unanswered. */
struct job {
	enum job_kind kind;
	uint64_t handle;
	struct part *part;
	unsigned object;
	struct part *to;
	bool dead; /* JOB_MOVE: it declares the part dead, too */
	unsigned channels;
	struct chan *channel[MOVES_MAX];
};

extern struct control control;
extern struct part parts[PARTS_MAX];
extern struct chan chans[CHANNELS_MAX];
extern struct policy policy;
extern bool have_policy;
extern unsigned policy_version; /* + 1 with each that is taken */
extern bool learn_due;
extern uint32_t cpus_framed; /* have a cyclic frame */
extern uint64_t view_seen;   /* generation looked through; ~0: look again */

/* ---- knowledge.c -------------------------------------------------------- */

struct part *find_number(uint64_t number);
struct part *find_name(const char *name);
struct part *add_part(uint64_t number);
/* Ask what there is.  Only while no transaction is unanswered, because it drops
 * the answers to others.  How partitions fare afterwards, events tell. */
void learn(void);
/* One row of TXN_QUERY; false: there is none. */
bool query(uint64_t what, uint64_t index, uint64_t row[8]);
/* A started partition has to prove itself. */
void reset_beats(struct part *p);
bool running(const struct part *p);
/* Fit to serve: an I/O partition that runs and beats. */
bool serves(const struct part *p);
/* It has ended, or began: said once. */
void ended(struct part *p, uint32_t state, uint64_t vector, uint64_t code,
	   uint64_t time_ns);
void began(struct part *p);
void on_state(const struct control_message *event);

/* ---- jobs.c ------------------------------------------------------------- */

struct job *new_job(enum job_kind kind); /* NULL: too many */
/* False: no room in the queue, the job is dropped; ask again later. */
bool send_job(struct job *job, struct control_message *ops, unsigned count);
bool unanswered(void);
void on_response(const struct control_message *response);
void target_op(struct control_message *op, uint32_t id, uint64_t number,
	       uint64_t to, uint64_t value);
/* One operation about one partition. */
void ask_part(struct part *p, enum job_kind kind, uint32_t id, uint64_t value);
/* It is dead, if it has had so much CPU time. */
void mark_op(struct control_message *op, const struct part *p);
/* Move, or destroy (`to` NULL), the channels chosen in the job. */
void ask_channels(struct job *job, struct part *from, struct part *to);

/* ---- rules.c ------------------------------------------------------------ */

bool rules_serve(uint64_t now); /* true: something came */
bool rules_attach(void);        /* false: not yet */
void rules_found(unsigned handle);
bool rules_pause(uint64_t handle, bool pause); /* false: not its channel */
bool rules_sleep(void);
void rules_awake(void);

/* ---- guests.c ----------------------------------------------------------- */

struct policy_guest *guest_of(uint64_t number);
/* Its network channel; NULL: none. */
const struct policy_channel *network_of(const struct policy_guest *g);
void decide_guests(uint64_t now);
void decide_off(uint64_t now);
/* It was made by the policy in force, so its schedule is as that wants. */
bool guest_made(const struct part *p);
void guests_answered(const struct job *job,
		     const struct control_message *response);
/* The policy has such a guest, and it can never be made: why.  Else NULL. */
const char *guest_hopeless(const char *name);
uint64_t guests_due(uint64_t now); /* when to decide about them next */
/* A policy takes over from `old`: who has to leave? */
void guests_compare(const struct policy *old);
void off(uint64_t code);
void off_refused(void);

/* ---- failover.c --------------------------------------------------------- */

extern uint64_t look_ns; /* when to look at the beats next */
/* Its mark was refused; true: for want of CPU time, so ask again soon. */
void beats_begin(struct part *p); /* its channel was attached */
bool mark_refused(struct part *p, const struct control_message *response);
void decide_io(uint64_t now);
void decide_restarts(uint64_t now); /* of the others */
/* The operator wants its channels elsewhere, or back; NULL: it is done, else
 * what stands in the way. */
const char *failover_wish(struct part *p);
const char *failback_wish(struct part *p);
/* Will it be started anew, should it fail? */
bool restarts_left(const struct part *p);
/* Its channels, or (`client`) those of one client, to the other I/O partition.
 * False: there are none, or nobody is left. */
bool fail_over(struct part *p, uint64_t client);
/* Another that serves; NULL: none. */
struct part *other_server(const struct part *than);
/* Declared dead; false: it cannot be asked at the moment. */
bool mark_dead(struct part *p, uint32_t cause);

/* ---- complaints.c ------------------------------------------------------- */

void on_complaint(const struct control_message *event);
void on_dma_fault(const struct control_message *event);
void decide_complaints(uint64_t now);
uint64_t complaints_due(void); /* when to decide about them next */
/* Has that client complained of it as it runs now? Then its channels do not go
 * there by themselves. */
bool complained_of(uint64_t client, const struct part *server);

/* ---- trunk.c ------------------------------------------------------------ */

void decide_trunk(void);
void trunk_answered(void);

/* ---- schedule.c --------------------------------------------------------- */

void decide_schedule(uint64_t now);
void schedule_op(struct control_message *op, uint64_t number,
		 const struct policy_named *n, unsigned cpu);
void schedule_answered(const struct job *job, uint32_t status);

#endif
