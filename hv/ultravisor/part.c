/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/part.c - partitions: made, started, ended, made anew.
 *
 * A partition's frames: blocks of 2 MiB for its memory, its own; one frame for
 * the user frame, its own; monitor frames, view and control channel, the
 * ultravisor's.  Whatever a partition gets is scrubbed first, so what a former
 * owner left is never seen.
 *
 * The end of a partition, however it comes (crash, exit, orderly stop, declared
 * dead): it doesn't run any more; the database says so and its devices and the
 * channels that it served are on standby; its devices are fenced; then command
 * and boot hear of it.
 */
#include "ultravisor/uv.h"

#include "boot/stage/image.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"

#define STOP_WAIT_NS 50000000 /* for an orderly stop */

struct uv_part uv_part[PART_SLOTS];

/* By PART_*: higher takes over from lower when it wakes.  I/O comes first, for
 * its quantum is short: one that is held up by a long transaction would look
 * dead to a command partition on another CPU. */
static const uint16_t standing_of[] = {
	[PART_IO] = 95,   [PART_ULTRAVISOR] = 90,  [PART_COMMAND] = 70,
	[PART_BOOT] = 40, [PART_OPERATIONS] = 30,  [PART_GUEST] = 20,
	[PART_IDLE] = 0,  [PART_DIAGNOSTICS] = 25,
};
/* An I/O partition that loops holds up the other one for its quantum at most,
 * which has to be well within a heartbeat. */
#define QUANTUM_US    1000
#define QUANTUM_IO_US 100
#define WEIGHT_MAX    10000

#define COMMAND_STARTS 16 /* of the command partition, without being asked */

/* ---- what is known ------------------------------------------------------ */

struct uv_part *uv_part_of(uint64_t number)
{
	for (unsigned s = 0; number && s < PART_SLOTS; s++)
		if (uv_part[s].number == number)
			return &uv_part[s];
	return NULL;
}

bool part_running(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	return part && part->state == PART_STATE_RUNNING;
}

uint32_t part_kind(uint64_t number)
{
	const struct part_desc *desc = db_desc(&db, number);

	return desc ? (uint32_t)desc->kind : PART_NONE;
}

const char *part_name(uint64_t number)
{
	const struct part_desc *desc = db_desc(&db, number);

	return desc ? desc->name : "nobody";
}

/* Idle has one on each CPU, all others have one. */
unsigned part_vcpus(uint64_t number)
{
	return part_kind(number) == PART_IDLE ? lead->cpu_count : 1;
}

uint32_t part_slot(const struct db_part *part, unsigned vcpu)
{
	return vcpu ? PART_SLOTS - vcpu : part->slot;
}

/* ---- schedule ----------------------------------------------------------- */

static struct lead_schedule *schedule; /* a frame of its own */

static void fill_windows(void)
{
	for (unsigned c = 0; c < ABI_CPUS; c++) {
		const struct db_cpu *cpu = db_cpu(&db, c);

		for (unsigned i = 0; cpu && i < SCHEDULE_WINDOWS; i++) {
			const struct db_part *part =
				db_part(&db, cpu->window[i].number);

			schedule->window[c][i].slot =
				part ? part->slot : LEAD_SLOT_NONE;
			schedule->window[c][i].length_us =
				(uint32_t)cpu->window[i].length_us;
		}
	}
}
_Static_assert(DB_WINDOWS == SCHEDULE_WINDOWS && DB_CPUS == ABI_CPUS,
	       "each has its row");

int part_schedule_new(void)
{
	return db_alloc(&db, available_number, 1, 1, uv_number,
			&db.shadow->schedule_pfn);
}

void part_publish_schedule(void)
{
	unsigned n = 0;

	if (!schedule) {
		schedule = mem_map(db_version(&db)->schedule_pfn, 1,
				   PROT_R | PROT_W);
		if (!lead->schedule_pfn)
			memset(schedule, 0, ABI_PAGE_BYTES);
	}
	for (unsigned s = 0; s < PART_SLOTS; s++) {
		uint64_t number = uv_part[s].number;
		const struct db_part *part = db_part(&db, number);

		for (unsigned i = 0; part && i < part_vcpus(number); i++) {
			schedule->entry[n].slot = part_slot(part, i);
			schedule->entry[n].cpu = (uint16_t)(i ? i : part->cpu);
			schedule->entry[n].standing = (uint16_t)part->standing;
			schedule->entry[n].quantum_us = part->quantum_us;
			schedule->entry[n].weight = (uint16_t)part->weight;
			schedule->entry[n].cap = (uint16_t)part->cap;
			n++;
		}
	}
	if (n < PART_SLOTS)
		schedule->entry[n].slot = LEAD_SLOT_NONE;
	fill_windows();
	schedule->generation++;
	(void)sys_lead_schedule(db_version(&db)->schedule_pfn);
}

/* ---- create ------------------------------------------------------------- */

const struct db_chan *part_control(uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->type == CHANNEL_CONTROL && c->client == number)
			return c;
	}
	return NULL;
}

void part_know(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = &uv_part[part->slot];

	memset(p, 0, sizeof(*p));
	p->number = part->number;
	memcpy(p->name, part_name(part->number), sizeof(p->name));
	p->view = mem_map(part->view_pfn, PART_VIEW_PAGES, PROT_R | PROT_W);
	if (number != uv_number)
		p->control_pages =
			mem_map(part_control(part->number)->pfn,
				CONTROL_CHANNEL_PAGES, PROT_R | PROT_W);
}

void part_forget(struct uv_part *p)
{
	iommu_forget(p->number);
	mem_unmap(p->view, PART_VIEW_PAGES);
	mem_unmap(p->control_pages, CONTROL_CHANNEL_PAGES);
	memset(p, 0, sizeof(*p));
	view_publish(uv_number);
	part_publish_schedule();
}

static void effect_create(const struct effect *e)
{
	part_know(e->a);
	load_begin(uv_part_of(e->a));
	view_publish(uv_number);
}

static bool name_good(const char name[16])
{
	bool ended = false;

	for (unsigned i = 0; i < 16; i++) {
		if (!name[i])
			ended = true;
		else if (ended || name[i] <= ' ' || name[i] > '~')
			return false;
	}
	return ended && name[0];
}

/* Are the modules there, and does it all fit? */
int part_check_image(const char module_name[16], const char data_name[16],
		     uint64_t blocks)
{
	uint64_t bytes = blocks * BLOCK_FRAMES * ABI_PAGE_BYTES;
	const struct boot_module *module = mem_module(module_name);
	const struct boot_module *data = mem_module(data_name);
	struct image im;

	if (!module || (data_name[0] && !data))
		return CONTROL_ENOENT;
	if (data && (data->bytes > MODULE_BYTES_MAX || data->bytes > bytes))
		return CONTROL_EVALUE;
	if (data)
		bytes -= MEM_PAGES(data->bytes) * ABI_PAGE_BYTES;
	if (module->bytes > MODULE_BYTES_MAX ||
	    !image_check(mem_module_map(module), module->bytes, bytes, &im))
		return CONTROL_EIMAGE;
	return CONTROL_OK;
}

int part_free_slot(uint32_t *slot)
{
	uint32_t used = 0;

	for (unsigned i = 0; i < DB_PARTS; i++) {
		const struct db_part *p = db_part_at(&db, i);

		if (p && p->slot < PART_SLOTS)
			used |= 1u << p->slot;
	}
	for (unsigned i = 1; i < lead->cpu_count; i++)
		used |= 1u << (PART_SLOTS - i); /* idle's on the others */
	if (used == ~0u)
		return CONTROL_ELIMIT;
	*slot = (uint32_t)__builtin_ctz(~used);
	return CONTROL_OK;
}

int part_take_memory(struct db_part *part, uint64_t blocks)
{
	uint64_t number = part->number;
	int status;

	part->memory_frames = blocks * BLOCK_FRAMES;
	part->monitor_frames = 16 + blocks < LEAD_MONITOR_FRAMES
				       ? LEAD_MONITOR_FRAMES
				       : 16 + blocks;
	part->monitor_frames *= part_vcpus(number);
	status = db_alloc(&db, available_number, part->memory_frames,
			  BLOCK_FRAMES, number, &part->memory_pfn);
	if (!status)
		status = db_alloc(&db, available_number, part->monitor_frames,
				  1, uv_number, &part->monitor_pfn);
	return status;
}

/* Its frames, in the open transaction. */
int part_take_frames(struct db_part *part, uint64_t blocks)
{
	uint64_t number = part->number, frame;
	int status = part_take_memory(part, blocks);

	if (!status)
		status = db_alloc(&db, available_number, VIEW_FRAMES, 1,
				  uv_number, &part->view_pfn);
	frame = part->view_pfn + PART_VIEW_PAGES;
	return status ? status : db_map_set(&db, frame, 1, number);
}

/* The three that are made at the start are made by nobody else. */
static bool kind_good(uint32_t kind, uint64_t requester)
{
	switch (kind) {
	case PART_BOOT:
		return requester == uv_number;
	case PART_IDLE:
	case PART_IO:
	case PART_COMMAND:
	case PART_OPERATIONS:
	case PART_DIAGNOSTICS:
	case PART_GUEST:
		return true;
	default:
		return false;
	}
}

/* What it is told, and how it is scheduled until somebody says otherwise. */
static int configure(struct db_part *part, const struct control_message *m)
{
	struct db_conf *conf = db_conf_mut(&db, part->number);

	if (!conf)
		return CONTROL_ELIMIT;
	memcpy(conf->data, m->create.data, sizeof(conf->data));
	if (m->create.kind == PART_BOOT)
		memcpy(conf->args, boot->args, sizeof(conf->args));
	part->load_serial = db.shadow->serial;
	part->cpu = m->create.cpu;
	part->standing = standing_of[m->create.kind];
	part->quantum_us =
		m->create.kind == PART_IO ? QUANTUM_IO_US : QUANTUM_US;
	return CONTROL_OK;
}
_Static_assert(sizeof(((struct db_conf *)0)->args) ==
		       sizeof(((struct boot_info *)0)->args),
	       "the words fit");

/* Whoever never wants a CPU and never lacks one owns them all. */
static int own_processors(uint64_t idle)
{
	for (unsigned i = 0; i < lead->cpu_count; i++) {
		struct db_cpu *c = db_cpu_mut(&db, i);

		if (!c)
			return CONTROL_ELIMIT;
		c->owner = idle;
		if (!state_settle(&c->flags, RES_RUNNING))
			return CONTROL_ESTATE;
	}
	return CONTROL_OK;
}

int part_create(struct txn *t, const struct control_message *m,
		uint64_t *result)
{
	struct db_part *part;
	struct db_chan *c;
	uint64_t number;
	int status;

	if (!name_good(m->create.name) || !m->create.blocks ||
	    m->create.blocks > PART_BLOCKS_MAX ||
	    m->create.cpu >= lead->cpu_count ||
	    !kind_good(m->create.kind, t->requester))
		return CONTROL_EVALUE;
	status = part_check_image(m->create.module, m->create.data,
				  m->create.blocks);
	if (!status)
		status = db_part_create(&db, m->create.name, m->create.module,
					m->create.kind, &number);
	if (status)
		return status;
	part = db_part_mut(&db, number);
	status = part_free_slot(&part->slot);
	if (!status)
		status = part_take_frames(part, m->create.blocks);
	if (!status)
		status = configure(part, m);
	if (!status && m->create.kind == PART_IDLE)
		status = own_processors(number);
	if (!status)
		status = db_chan_create(&db, &c);
	if (!status)
		status = chan_new(c, number, uv_number, CHANNEL_CONTROL,
				  CONTROL_CHANNEL_PAGES);
	if (status)
		return status;
	c->server_handle = (uint8_t)part->slot;
	status = state_change(&c->flags, RES_RUNNING);
	*result = number;
	return status ? status : txn_effect(t, effect_create, number, 0, NULL);
}

/* ---- start, arguments, schedule ----------------------------------------- */

void part_start_now(struct uv_part *p)
{
	const struct db_part *part = db_part(&db, p->number);
	uint64_t top = PART_MEMORY_VA + part->memory_frames * ABI_PAGE_BYTES;

	device_enable_all(p->number);
	part_publish_schedule(); /* the instance is new */
	/* First the line: the partition may run and write its own at once. */
	logf_("%s starts at %lu us", p->name, sys_time() / 1000);
	for (unsigned i = 0; i < part_vcpus(p->number); i++)
		if (sys_lead_start(part_slot(part, i), p->load.image.entry,
				   p->data_va ?: top) < 0)
			logf_("%s does not start", p->name);
}

static void effect_start(const struct effect *e)
{
	struct uv_part *p = uv_part_of(e->a);

	if (p->load.stage != LOAD_NONE)
		p->load.start = true;
	else
		part_start_now(p);
}

/* One that ran until now has ended first. */
static int begin_running(struct db_part *part)
{
	int status = CONTROL_OK;

	if (part->flags != RES_MADE && part->flags != RES_STANDBY)
		status = state_change(&part->flags, RES_STANDBY);
	if (!status)
		status = state_change(&part->flags, RES_RUNNING);
	if (!status)
		status = device_state(part->number, RES_STANDBY);
	if (!status)
		status = device_state(part->number, RES_RUNNING);
	part->stop_by_ns = 0;
	part->untold = 0;
	part->state = PART_STATE_RUNNING;
	part->incarnation++;
	return status;
}

/* A partition that can be told to start, stop and so on, as a copy to change.
 */
struct db_part *part_mutable(uint64_t number, int *status)
{
	uint32_t kind = part_kind(number);
	struct db_part *part = NULL;

	*status = CONTROL_OK;
	if (kind == PART_NONE)
		*status = CONTROL_ENOENT;
	else if (kind == PART_ULTRAVISOR || kind == PART_AVAILABLE)
		*status = CONTROL_EVALUE;
	else
		part = db_part_mut(&db, number);
	if (!part && !*status)
		*status = CONTROL_ELIMIT;
	return part;
}

int part_start(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state != PART_STATE_DEFINED)
		return CONTROL_ESTATE;
	status = begin_running(part);
	*result = part->number;
	return status ? status
		      : txn_effect(t, effect_start, part->number, 0, NULL);
}

static void effect_args(const struct effect *e)
{
	view_publish(e->a);
}

int part_args(struct txn *t, const struct control_message *m, uint64_t *result)
{
	const struct db_part *part = db_part(&db, m->args.number);
	size_t n = strnlen(m->args.text, sizeof(m->args.text)), at;
	struct db_conf *conf;

	if (!part)
		return CONTROL_ENOENT;
	if (part->state == PART_STATE_RUNNING)
		return CONTROL_ESTATE;
	conf = db_conf_mut(&db, part->number);
	if (!conf)
		return CONTROL_ELIMIT;
	at = strnlen(conf->args, sizeof(conf->args));
	if (n == sizeof(m->args.text) || at + n + 2 > sizeof(conf->args))
		return CONTROL_EVALUE;
	if (at)
		conf->args[at++] = ' ';
	memcpy(conf->args + at, m->args.text, n + 1);
	*result = m->args.number;
	return txn_effect(t, effect_args, *result, 0, NULL);
}

static void effect_schedule(const struct effect *e)
{
	(void)e;
	part_publish_schedule();
}

/* Standing 0 is idle's alone, and nobody stands above the ultravisor. */
int part_schedule(struct txn *t, const struct control_message *m,
		  uint64_t *result)
{
	uint32_t quantum = m->schedule.quantum_us;
	int status;
	struct db_part *part = part_mutable(m->schedule.number, &status);

	if (!part)
		return status;
	if ((quantum && quantum < 10) || quantum > 1000000 ||
	    m->schedule.standing >= standing_of[PART_ULTRAVISOR] ||
	    m->schedule.weight > WEIGHT_MAX || m->schedule.cap > 1000 ||
	    m->schedule.cpu > lead->cpu_count ||
	    part_kind(part->number) == PART_IDLE)
		return CONTROL_EVALUE;
	part->quantum_us = quantum ?: part->quantum_us;
	part->standing = m->schedule.standing ?: part->standing;
	part->weight = m->schedule.weight ?: part->weight;
	part->cap = m->schedule.cap ?: part->cap;
	part->cpu = m->schedule.cpu ? m->schedule.cpu - 1 : part->cpu;
	*result = part->number;
	return txn_effect(t, effect_schedule, 0, 0, NULL);
}

/* ---- cyclic frames ------------------------------------------------------ */

/* The operation after this one, if it is the next window of the same CPU. */
static const struct control_message *
next_window(const struct control_message *m)
{
	const struct control_message *next = m + 1;

	if (!(m->flags & CONTROL_MORE) || next->id != TXN_FRAME ||
	    next->frame.cpu != m->frame.cpu ||
	    next->frame.index != m->frame.index + 1)
		return NULL;
	return next;
}

static int set_window(const struct control_message *m)
{
	struct db_cpu *cpu = db_cpu_mut(&db, m->frame.cpu);

	if (!cpu)
		return CONTROL_ELIMIT;
	if (!m->frame.index)
		memset(cpu->window, 0, sizeof(cpu->window));
	cpu->window[m->frame.index] = (struct db_window){
		.number = m->frame.number, .length_us = m->frame.length_us};
	return CONTROL_OK;
}

/* The ultravisor's CPU keeps a window in which it can run: without, nobody
 * could ever ask for another frame. */
static bool ultravisor_runs(const struct control_message *m)
{
	for (; m; m = next_window(m))
		if (!m->frame.number || m->frame.number == uv_number)
			return true;
	return false;
}

int part_frame(struct txn *t, const struct control_message *m, uint64_t *result)
{
	const struct control_message *op = &t->ops[t->op];
	int status;
	bool follows =
		t->op && op[-1].id == TXN_FRAME && next_window(op - 1) == op;

	if (m->frame.cpu >= lead->cpu_count ||
	    m->frame.index >= SCHEDULE_WINDOWS ||
	    (m->frame.index && !follows) || m->frame.length_us > 1000000)
		return CONTROL_EVALUE;
	if (m->frame.number && (!db_part(&db, m->frame.number) ||
				part_kind(m->frame.number) == PART_IDLE))
		return CONTROL_ENOENT;
	/* Only no frame at all has a window without length. */
	if (!m->frame.length_us && (m->frame.index || next_window(op)))
		return CONTROL_EVALUE;
	if (!m->frame.index && m->frame.length_us &&
	    m->frame.cpu == db_part(&db, uv_number)->cpu &&
	    !ultravisor_runs(op))
		return CONTROL_ESTATE;
	*result = m->frame.number;
	status = set_window(m);
	/* All windows of a frame come into force at once. */
	if (status || next_window(op))
		return status;
	return txn_effect(t, effect_schedule, 0, 0, NULL);
}

/* ---- questions ---------------------------------------------------------- */

int part_query(struct control_message *m)
{
	uint64_t *row = m->query.row, left = m->query.index;

	for (unsigned s = 0; m->query.what == QUERY_SCHEDULE && s < PART_SLOTS;
	     s++) {
		const struct db_part *p = db_part(&db, uv_part[s].number);

		if (!p || left--)
			continue;
		row[0] = p->number;
		row[1] = p->cpu;
		row[2] = p->standing;
		row[3] = p->quantum_us;
		row[4] = p->weight ?: SCHEDULE_WEIGHT;
		row[5] = p->cap;
		row[6] = lead->slot[s].run_ns;
		row[7] = lead->slot[s].stolen_ns;
		return CONTROL_OK;
	}
	for (unsigned c = 0; m->query.what == QUERY_FRAME && c < DB_CPUS; c++) {
		const struct db_cpu *cpu = db_cpu(&db, c);

		for (unsigned i = 0; cpu && i < DB_WINDOWS; i++) {
			if (!cpu->window[i].length_us || left--)
				continue;
			row[0] = c;
			row[1] = i;
			row[2] = cpu->window[i].number;
			row[3] = cpu->window[i].length_us;
			return CONTROL_OK;
		}
	}
	return CONTROL_ENOENT;
}

/* ---- the end ------------------------------------------------------------ */

/* In the open transaction. */
static int end_in_database(struct db_part *part, uint32_t state)
{
	int status;

	part->state = state;
	(void)state_settle(&part->flags, RES_STANDBY);
	part->stop_by_ns = 0;
	part->untold = 1;
	status = device_state(part->number, RES_STANDBY);
	return status ? status : chan_server_gone(part->number);
}

static const char *const state_name[] = {"defined", "running", "stopped",
					 "crashed", "dead",    "saved"};

static void tell_state(uint64_t number, uint32_t state)
{
	static const struct lead_slot none;
	const struct db_part *part = db_part(&db, number);
	const struct lead_slot *s =
		part->slot < PART_SLOTS ? &lead->slot[part->slot] : &none;
	struct control_message e = {.id = EVT_PARTITION_STATE};

	e.partition.number = part->number;
	e.partition.state = state;
	e.partition.vector = s->vector;
	e.partition.error = s->error;
	e.partition.address = s->address;
	e.partition.rip = s->rip;
	e.partition.time_ns = s->stop_ns ?: sys_time();
	memcpy(e.partition.name, part_name(part->number), 16);
	for (unsigned i = 0; i < PART_SLOTS; i++) {
		uint64_t to = uv_part[i].number;
		uint32_t kind = part_kind(to);
		struct control_message copy = e;
		bool decides = kind == PART_COMMAND || kind == PART_BOOT;

		if ((!decides && kind != PART_OPERATIONS &&
		     kind != PART_DIAGNOSTICS) ||
		    to == part->number || !part_running(to))
			continue;
		if (!(decides ? control_event_send(to, &copy)
			      : control_event_post(to, &copy)))
			logf_("%s missed an event", part_name(to));
	}
}

void part_tell(uint64_t number)
{
	if (number == uv_number) { /* it has ended, and is here again */
		tell_state(number, PART_STATE_CRASHED);
		tell_state(number, PART_STATE_RUNNING);
	} else {
		tell_state(number, db_part(&db, number)->state);
	}
	db_part_note(&db, number)->untold = 0;
}

static bool ends_untold;

void part_tell_ends(void)
{
	for (unsigned i = 0; ends_untold && i < DB_PARTS; i++) {
		const struct db_part *p = db_part_at(&db, i);

		if (p && p->untold)
			part_tell(p->number);
	}
	ends_untold = false;
}

static bool command_ended = true; /* or that was before this program began */

/* After the commit: nothing of it can act any more, then others may know;
 * first, of the same transaction, its channels go on their way
 * (part_tell_ends()). */
void part_end_in_machine(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct uv_part *p = uv_part_of(number);

	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_stop(part_slot(part, i));
	p->load.start = false;
	keep_ended(p);
	device_fence_all(number);
	logf_("%s %s at %lu us", p->name, state_name[part->state],
	      sys_time() / 1000);
	ends_untold = true;
	command_ended |= part_kind(number) == PART_COMMAND;
}

static void effect_end(const struct effect *e)
{
	part_end_in_machine(e->a);
}

/* It could run, but has not had so much CPU time: what it did not do is no sign
 * of its death.  One that sleeps has had all that it wanted, but for one that
 * is to be woken by now. */
static bool starved(const struct db_part *part, uint64_t ns)
{
	const volatile struct lead_slot *s = &lead->slot[part->slot];
	uint32_t state = s->state;

	return s->run_ns < ns &&
	       (state == SLOT_READY || state == SLOT_RUNNING ||
		(state == SLOT_WAITING && s->deadline_ns <= sys_time()));
}

/* Beats that `client` can see; 0: none. */
static uint64_t beats(uint64_t client, uint64_t number)
{
	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);
		const volatile struct channel_header *h;

		if (!c || c->type != CHANNEL_HEARTBEAT || c->client != client ||
		    c->server != number)
			continue;
		h = mem_temp(0, c->pfn, 1, PROT_R);
		return h->server_beat;
	}
	return 0;
}

int part_mark(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->mark.number, &status);

	if (!part)
		return status;
	if (m->mark.state != PART_STATE_DEAD || m->mark.cause >= MARKS)
		return CONTROL_EVALUE;
	*result = part->number;
	/* Its own report may have come first: then it has ended already. */
	if (part->state != PART_STATE_RUNNING)
		return part->state == PART_STATE_DEFINED ? CONTROL_ESTATE
							 : CONTROL_OK;
	if (m->mark.beat && beats(t->requester, part->number) != m->mark.beat)
		return CONTROL_EBUSY;
	if (starved(part, m->mark.ran_ns)) {
		control_urge(part->number);
		return CONTROL_EBUSY;
	}
	part->mark = (uint32_t)m->mark.cause;
	status = end_in_database(part, PART_STATE_DEAD);
	return status ? status
		      : txn_effect(t, effect_end, part->number, 0, NULL);
}

void part_ask_to_stop(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	struct control_message m = {.id = EVT_STOP};

	(void)control_event_send(number, &m);
	(void)sys_lead_notify(part->slot, EVENT_STOP);
}

static void effect_stop(const struct effect *e)
{
	part_ask_to_stop(e->a);
}

/* Orderly: the partition is asked and ends by SYS_EXIT; if it does not, it is
 * stopped when its time is up. */
int part_stop(struct txn *t, const struct control_message *m, uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state != PART_STATE_RUNNING)
		return CONTROL_ESTATE;
	if (part->keep_pfn) /* it is being restored */
		return CONTROL_EBUSY;
	/* One that stands still can't answer. */
	part->stop_by_ns = sys_time();
	if (part->flags == RES_RUNNING)
		part->stop_by_ns += STOP_WAIT_NS;
	status = state_change(&part->flags, part->flags | RES_REVOKED);
	if (status)
		return status;
	*result = part->number;
	return txn_effect(t, effect_stop, part->number, 0, NULL);
}

bool part_end(uint64_t number, uint32_t state)
{
	struct db_part *part;

	if (!txn_own_begin())
		return false;
	part = db_part_mut(&db, number);
	if (!part || end_in_database(part, state)) {
		db_abort(&db);
		return false;
	}
	txn_own_commit();
	part_end_in_machine(number);
	return true;
}

uint64_t part_deadlines(uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < DB_PARTS; i++) {
		const struct db_part *p = db_part_at(&db, i);

		if (!p || !p->stop_by_ns)
			continue;
		if (p->stop_by_ns <= now)
			(void)part_end(p->number, PART_STATE_STOPPED);
		else if (p->stop_by_ns < next)
			next = p->stop_by_ns;
	}
	return next;
}

/* ---- restart ------------------------------------------------------------ */

void part_destroy_instance(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);

	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_stop(part_slot(part, i));
	device_fence_all(number);
	for (unsigned i = 0; i < part_vcpus(number); i++)
		(void)sys_lead_destroy(part_slot(part, i));
}

void part_renew(uint64_t number)
{
	part_destroy_instance(number);
	load_begin(uv_part_of(number));
	uv_part_of(number)->load.start =
		db_part(&db, number)->state == PART_STATE_RUNNING;
}

static void effect_restart(const struct effect *e)
{
	part_renew(e->a);
}

int part_restart(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);

	if (!part)
		return status;
	if (part->state == PART_STATE_DEFINED ||
	    part->state == PART_STATE_SAVED || part->keep_pfn)
		return CONTROL_ESTATE;
	*result = part->number;
	part->load_serial = db.shadow->serial;
	part->mark = MARK_SILENT;
	status = begin_running(part);
	if (!status)
		status = chan_renew(part->number);
	return status ? status
		      : txn_effect(t, effect_restart, part->number, 0, NULL);
}

/* ---- destroy ------------------------------------------------------------ */

/* Idle stays: its CPUs have to be somebody's. */
static void effect_destroy(const struct effect *e)
{
	struct uv_part *p = &uv_part[e->a];

	if (e->a >= PART_SLOTS) { /* it has none */
		logf_("saved partition %lx destroyed", e->b);
		return;
	}
	(void)sys_lead_stop((unsigned)e->a);
	(void)sys_lead_destroy((unsigned)e->a);
	logf_("%s destroyed", p->name);
	part_forget(p);
}

int part_give_back(uint64_t pfn, uint64_t frames)
{
	return frames ? db_map_set(&db, pfn, frames, available_number)
		      : CONTROL_OK;
}

/* In the open transaction; it doesn't run. */
static int destroy_in_database(const struct db_part *part)
{
	const struct db_part gone = *part;
	struct db_chan *control = NULL;
	int status;

	for (unsigned i = 0; i < DB_CHANS; i++) {
		const struct db_chan *c = db_chan_at(&db, i);

		if (c && c->type != CHANNEL_CONTROL &&
		    (c->client == gone.number || c->server == gone.number))
			return CONTROL_ESTATE;
	}
	if (bus_of(gone.number))
		return CONTROL_ESTATE;
	status = device_release_all(gone.number);
	if (!status)
		control = db_chan_mut(&db, part_control(gone.number)->id);
	if (!control)
		return CONTROL_ELIMIT;
	status = part_give_back(control->pfn, control->pages);
	memset(control, 0, sizeof(*control));
	if (!status)
		status = part_give_back(gone.memory_pfn, gone.memory_frames);
	if (!status)
		status = part_give_back(gone.monitor_pfn, gone.monitor_frames);
	if (!status && gone.view_pfn)
		status = part_give_back(gone.view_pfn, VIEW_FRAMES);
	if (!status && gone.keep_pfn)
		status = part_give_back(gone.keep_pfn, KEEP_FRAMES);
	return status ? status : db_part_destroy(&db, gone.number);
}

int part_destroy(struct txn *t, const struct control_message *m,
		 uint64_t *result)
{
	int status;
	struct db_part *part = part_mutable(m->target.number, &status);
	uint32_t slot;

	if (!part)
		return status;
	if (part_kind(part->number) == PART_IDLE)
		return CONTROL_ESTATE;
	status = state_change(&part->flags, 0);
	if (status)
		return status;
	slot = part->slot;
	*result = part->number;
	status = destroy_in_database(part);
	return status ? status
		      : txn_effect(t, effect_destroy, slot, *result, NULL);
}

/* The boot partition has done its work. */
void part_retire(uint64_t number)
{
	const struct db_part *part = db_part(&db, number);
	const struct effect e = {.a = part->slot};

	if (!txn_own_begin())
		return;
	if (destroy_in_database(part)) {
		db_abort(&db);
		return;
	}
	txn_own_commit();
	effect_destroy(&e);
}

/* Who decides is gone, so nobody would decide to start it anew: the rule is
 * here.  What it needs to know, it asks the database for. */
static void restart_command(void)
{
	uint64_t number = db_part_by_kind(&db, PART_COMMAND);
	const struct db_part *part = db_part(&db, number);
	struct control_message op = {.id = TXN_PARTITION_RESTART,
				     .target = {.number = number}};
	struct txn t = {.requester = uv_number};
	unsigned failed;

	command_ended = false;
	if (!part || part->state == PART_STATE_RUNNING ||
	    part->state == PART_STATE_DEFINED ||
	    (part->state == PART_STATE_STOPPED &&
	     !lead->slot[part->slot].error))
		return;
	if (part->incarnation >= COMMAND_STARTS) {
		logf_("command was started %u times, no more",
		      part->incarnation);
		return;
	}
	logf_("command is started anew");
	if (txn_run(&t, &op, 1, &failed))
		command_ended = true; /* no room now: again */
}

void part_reports(void)
{
	for (unsigned s = 0; s < PART_SLOTS; s++) {
		uint64_t number = uv_part[s].number;
		uint32_t state = lead->slot[s].state;

		if ((state != SLOT_CRASHED && state != SLOT_STOPPED) ||
		    !part_running(number))
			continue;
		if (!part_end(number, state == SLOT_CRASHED
					      ? PART_STATE_CRASHED
					      : PART_STATE_STOPPED))
			continue;
		if (part_kind(number) != PART_BOOT || state != SLOT_STOPPED ||
		    lead->slot[s].error)
			continue;
		part_tell_ends();
		part_retire(number);
	}
	if (command_ended)
		restart_command();
}
