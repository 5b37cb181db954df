/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/inspect.c - parterre inspect: a machine at an instant.  Its
 * own options are taken out of the command line first; the others are those of
 * every run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/device.h"
#include "sim/scenario/script.h"
#include "tools/parterre/parterre.h"
#include "tools/parterre/table.h"

#include "abi/database.h"
#include "abi/lead.h"
#include "abi/view.h"

#define OWNERS_MAX 16

/* What is asked for; nothing: the machine as a whole. */
static struct {
	uint64_t owner[OWNERS_MAX];
	size_t owners;
	bool map;
	const char *view, *tables;
	uint64_t root; /* --tables NAME:ROOT; 0: all of its spaces */
} asked;

/* --- CPUs, time --- */

static void show_cpus(struct table *t, const struct session *s)
{
	static const struct column c[] = {
		{"cpu", CELL_NUMBER, 3},    {"partition", CELL_TEXT, 12},
		{"rip", CELL_HEX, 18},      {"cr3", CELL_HEX, 12},
		{"ring", CELL_NUMBER, 4},   {"state", CELL_TEXT, 7},
		{"retired", CELL_NUMBER, 0}};
	struct cpu_regs r;

	table_begin(t, "cpus", c, ARRAY_LEN(c));
	for (unsigned i = 0; i < machine_cpu_count(s->machine); i++) {
		uint32_t who = partition_view_current(s->view, i);

		cpu_regs_get(machine_cpu(s->machine, i), &r);
		table_row(t, (const union cell[]){
				     {.u = i},
				     {.s = partition_view_name(s->view, who)},
				     {.u = r.rip},
				     {.u = r.cr3},
				     {.u = r.seg[CPU_CS].selector & 3},
				     {.s = r.halted ? "halted" : "running"},
				     {.u = r.retired}});
	}
	table_end(t);
}

static void show_times(struct table *t, const struct session *s)
{
	static const struct column c[] = {{"boot", CELL_NUMBER, 16},
					  {"monitor", CELL_NUMBER, 16},
					  {"partitions", CELL_NUMBER, 16},
					  {"idle", CELL_NUMBER, 16}};
	struct partition_times p;

	partition_view_times(s->view, &p);
	table_begin(t, "times_ps", c, ARRAY_LEN(c));
	table_row(t, (const union cell[]){{.u = p.boot},
					  {.u = p.monitor},
					  {.u = p.partitions},
					  {.u = p.idle}});
	table_end(t);
}

/* --- partitions --- */

static const char *number_text(uint64_t number, char *to, size_t bytes)
{
	snprintf(to, bytes, "[%u,%u,%u]", NUMBER_G(number), NUMBER_M(number),
		 NUMBER_K(number));
	return to;
}

static const char *cpu_text(const struct session *s,
			    const struct partition_info *p, char *to,
			    size_t bytes)
{
	uint32_t state, cpu;

	if (p->slot == PARTITION_NO_SLOT ||
	    !partition_view_slot(s->view, p->slot, &state, &cpu))
		return "-";
	/* It has a virtual processor for each. */
	if (p->kind == PART_IDLE && machine_cpu_count(s->machine) > 1)
		return "all";
	snprintf(to, bytes, "%u", cpu);
	return to;
}

static void show_partitions(struct table *t, const struct session *s)
{
	static const struct column c[] = {
		{"index", CELL_NUMBER, 5},  {"number", CELL_TEXT, 11},
		{"name", CELL_TEXT, 12},    {"kind", CELL_TEXT, 11},
		{"state", CELL_TEXT, 8},    {"run", CELL_TEXT, 8},
		{"cpu", CELL_TEXT, 3},      {"incarnation", CELL_NUMBER, 11},
		{"frames", CELL_NUMBER, 8}, {"switches", CELL_NUMBER, 9},
		{"ran_ps", CELL_NUMBER, 15}};
	struct partition_info p;
	char number[24], cpu[12];

	table_begin(t, "partitions", c, ARRAY_LEN(c));
	for (size_t i = 0; i < partition_view_count(s->view); i++) {
		partition_view_info(s->view, i, &p);
		table_row(t, (const union cell[]){
				     {.u = p.index},
				     {.s = number_text(p.number, number,
						       sizeof(number))},
				     {.s = p.name},
				     {.s = partition_kind_text(p.kind)},
				     {.s = partition_info_state(&p)},
				     {.s = partition_run_text(p.run)},
				     {.s = cpu_text(s, &p, cpu, sizeof(cpu))},
				     {.u = p.incarnation},
				     {.u = p.frames},
				     {.u = p.switches},
				     {.u = p.ran}});
	}
	table_end(t);
}

/* --- channels --- */

static const char *client_state_text(uint32_t state)
{
	static const char *const text[] = {"detached", "disabled", "attaching",
					   "attached", "busy",     "owned"};

	return state < ARRAY_LEN(text) ? text[state] : "?";
}

static const char *server_state_text(uint32_t state)
{
	static const char *const text[] = {"uninit", "ready", "drained"};

	return state < ARRAY_LEN(text) ? text[state] : "?";
}

static const char *flags_text(uint32_t flags)
{
	if (flags & RES_REVOKED)
		return "revoked";
	if ((flags & RES_RUNNING) == RES_RUNNING)
		return "running";
	if ((flags & RES_PAUSED) == RES_PAUSED)
		return "paused";
	if ((flags & RES_STANDBY) == RES_STANDBY)
		return "standby";
	return flags == RES_SAVED ? "saved" : "other";
}

static void show_channels(struct table *t, const struct session *s)
{
	static const struct column c[] = {{"id", CELL_NUMBER, 4},
					  {"type", CELL_TEXT, 10},
					  {"client", CELL_TEXT, 12},
					  {"server", CELL_TEXT, 12},
					  {"resource", CELL_TEXT, 8},
					  {"client_state", CELL_TEXT, 12},
					  {"server_state", CELL_TEXT, 12},
					  {"generation", CELL_NUMBER, 10},
					  {"frame", CELL_HEX, 8},
					  {"pages", CELL_NUMBER, 5},
					  {"passed", CELL_NUMBER, 8}};
	struct partition_channel ch;

	table_begin(t, "channels", c, ARRAY_LEN(c));
	for (size_t i = 0; i < partition_view_channel_count(s->view); i++) {
		partition_view_channel(s->view, i, &ch);
		table_row(
			t,
			(const union cell[]){
				{.u = ch.id},
				{.s = partition_channel_type_text(ch.type)},
				{.s = partition_view_name(s->view, ch.client)},
				{.s = partition_view_name(s->view, ch.server)},
				{.s = flags_text(ch.flags)},
				{.s = client_state_text(ch.client_state)},
				{.s = server_state_text(ch.server_state)},
				{.u = ch.generation},
				{.u = ch.pfn},
				{.u = ch.pages},
				{.u = ch.passed}});
	}
	table_end(t);
}

static void show_queues(struct table *t, const struct session *s)
{
	static const struct column c[] = {
		{"channel", CELL_NUMBER, 7}, {"type", CELL_TEXT, 10},
		{"queue", CELL_NUMBER, 5},   {"waiting", CELL_NUMBER, 7},
		{"slots", CELL_NUMBER, 5},   {"sent", CELL_NUMBER, 10}};
	struct partition_channel ch;

	table_begin(t, "queues", c, ARRAY_LEN(c));
	for (size_t i = 0; i < partition_view_channel_count(s->view); i++) {
		partition_view_channel(s->view, i, &ch);
		for (unsigned q = 0; q < ch.queues; q++)
			table_row(t, (const union cell[]){
					     {.u = ch.id},
					     {.s = partition_channel_type_text(
						      ch.type)},
					     {.u = q},
					     {.u = ch.waiting[q]},
					     {.u = ch.slots[q]},
					     {.u = ch.sent[q]}});
	}
	table_end(t);
}

/* --- schedule --- */

static const char *slot_name(const struct session *s, uint32_t slot)
{
	uint32_t state, cpu;
	uint32_t index = partition_view_slot(s->view, slot, &state, &cpu);

	if (slot == LEAD_SLOT_NONE)
		return "shared";
	return index ? partition_view_name(s->view, index) : "-";
}

static void show_windows(struct table *t, const struct session *s,
			 const struct lead_schedule *l)
{
	static const struct column c[] = {{"cpu", CELL_NUMBER, 3},
					  {"window", CELL_NUMBER, 6},
					  {"partition", CELL_TEXT, 12},
					  {"length_us", CELL_NUMBER, 9}};

	table_begin(t, "windows", c, ARRAY_LEN(c));
	for (unsigned i = 0;
	     i < machine_cpu_count(s->machine) && i < ARRAY_LEN(l->window);
	     i++) {
		for (unsigned k = 0;
		     k < SCHEDULE_WINDOWS && l->window[i][k].length_us; k++)
			table_row(t, (const union cell[]){
					     {.u = i},
					     {.u = k},
					     {.s = slot_name(
						      s, l->window[i][k].slot)},
					     {.u = l->window[i][k].length_us}});
	}
	table_end(t);
}

static void show_schedule(struct table *t, const struct session *s)
{
	static const struct column c[] = {
		{"slot", CELL_NUMBER, 4},     {"partition", CELL_TEXT, 12},
		{"cpu", CELL_NUMBER, 3},      {"run", CELL_TEXT, 8},
		{"standing", CELL_NUMBER, 8}, {"quantum_us", CELL_NUMBER, 10},
		{"weight", CELL_NUMBER, 6},   {"cap", CELL_NUMBER, 4}};
	const struct lead_schedule *l = partition_view_schedule(s->view);

	if (!l)
		return;
	table_begin(t, "schedule", c, ARRAY_LEN(c));
	for (unsigned i = 0;
	     i < PART_SLOTS && l->entry[i].slot != LEAD_SLOT_NONE; i++) {
		uint32_t state, cpu;

		(void)partition_view_slot(s->view, l->entry[i].slot, &state,
					  &cpu);
		table_row(t, (const union cell[]){
				     {.u = l->entry[i].slot},
				     {.s = slot_name(s, l->entry[i].slot)},
				     {.u = l->entry[i].cpu},
				     {.s = partition_run_text(state)},
				     {.u = l->entry[i].standing},
				     {.u = l->entry[i].quantum_us},
				     {.u = l->entry[i].weight},
				     {.u = l->entry[i].cap}});
	}
	table_end(t);
	show_windows(t, s, l);
}

/* --- owners --- */

static const char *tier_text(unsigned tier)
{
	return tier == 1 ? "G" : tier == 2 ? "M" : tier == 3 ? "K" : "-";
}

static const char *owner_name(const struct session *s, uint64_t pfn,
			      unsigned *reads)
{
	uint32_t who = partition_view_owner(s->view, pfn, reads);

	return who ? partition_view_name(s->view, who) : "nobody";
}

static void show_owners(struct table *t, const struct session *s)
{
	static const struct column c[] = {{"address", CELL_HEX, 14},
					  {"frame", CELL_HEX, 10},
					  {"owner", CELL_TEXT, 12},
					  {"reads", CELL_NUMBER, 5}};

	table_begin(t, "owners", c, ARRAY_LEN(c));
	for (size_t i = 0; i < asked.owners; i++) {
		uint64_t pfn = asked.owner[i] / PAGE_BYTES;
		unsigned reads;
		const char *owner = owner_name(s, pfn, &reads);

		table_row(t, (const union cell[]){{.u = asked.owner[i]},
						  {.u = pfn},
						  {.s = owner},
						  {.u = reads}});
	}
	table_end(t);
}

struct showing {
	struct table *t;
	const struct session *s;
};

static void show_block(void *to, const struct partition_block *b)
{
	const struct showing *w = to;

	if (b->none)
		return;
	table_row(w->t, (const union cell[]){
				{.u = b->pfn * PAGE_BYTES},
				{.u = (b->pfn + b->frames) * PAGE_BYTES - 1},
				{.u = b->frames},
				{.s = tier_text(b->tier)},
				{.s = b->owner ? partition_view_name(w->s->view,
								     b->owner)
					       : "nobody"}});
}

static void show_map(struct table *t, const struct session *s)
{
	static const struct column c[] = {{"first", CELL_HEX, 14},
					  {"last", CELL_HEX, 14},
					  {"frames", CELL_NUMBER, 9},
					  {"tier", CELL_TEXT, 4},
					  {"owner", CELL_TEXT, 0}};

	table_begin(t, "map", c, ARRAY_LEN(c));
	partition_view_map(s->view, show_block, &(struct showing){t, s});
	table_end(t);
}

/* --- one partition's view and tables --- */

static void view_row(struct table *t, const char *what, uint64_t index,
		     uint64_t pfn, uint64_t pages, const char *text)
{
	table_row(t, (const union cell[]){{.s = what},
					  {.u = index},
					  {.u = pfn},
					  {.u = pages},
					  {.s = text}});
}

static void show_view_rows(struct table *t, const struct session *s,
			   const struct view *v)
{
	char text[120];

	for (unsigned i = 0; i < v->extents && i < VIEW_EXTENTS; i++)
		view_row(t, "memory", i, v->extent[i].pfn, v->extent[i].frames,
			 "");
	for (unsigned i = 0; i < CHANNEL_SLOTS; i++) {
		const struct view_channel *c = &v->channel[i];

		if (!c->id)
			continue;
		snprintf(text, sizeof(text), "%s %u, %s, peer %s",
			 partition_channel_type_text(c->type), c->id,
			 c->server ? "server" : "client",
			 c->peer_slot < PART_SLOTS ? slot_name(s, c->peer_slot)
						   : "none");
		view_row(t, "channel", i, c->pfn, c->pages, text);
	}
	for (unsigned i = 0; i < DEVICE_SLOTS; i++) {
		const struct view_device *d = &v->device[i];

		if (!d->id)
			continue;
		snprintf(text, sizeof(text), "%02x:%02x.%u, class %06x",
			 d->bdf >> 8 & 255, d->bdf >> 3 & 31, d->bdf & 7,
			 d->class_code);
		view_row(t, "device", i, d->bar_pfn, d->bar_pages, text);
	}
}

static bool show_view(struct table *t, const struct session *s,
		      struct error *err)
{
	static const struct column c[] = {{"what", CELL_TEXT, 8},
					  {"index", CELL_NUMBER, 5},
					  {"frame", CELL_HEX, 10},
					  {"pages", CELL_NUMBER, 7},
					  {"text", CELL_TEXT, 0}};
	struct partition_info p;
	const struct view *v;
	char args[sizeof(v->args) + 1];

	if (!partition_view_find(s->view, asked.view, &p, err))
		return false;
	v = partition_view_given(s->view, p.index);
	if (!v)
		return error_set(err, EXIT_EXPECT,
				 "partition '%s' has no view now", asked.view);
	snprintf(args, sizeof(args), "%.*s", (int)sizeof(v->args), v->args);
	table_text(t, "view of", p.name);
	table_text(t, "arguments", args);
	table_begin(t, "view", c, ARRAY_LEN(c));
	show_view_rows(t, s, v);
	table_end(t);
	return true;
}

static void show_mapping(void *to, const struct partition_mapping *m)
{
	const struct showing *w = to;
	char rights[8];

	snprintf(rights, sizeof(rights), "%sr%s%s", m->user ? "u" : "s",
		 m->writable ? "w" : "-", m->executable ? "x" : "-");
	table_row(w->t,
		  (const union cell[]){{.u = m->va},
				       {.u = m->pfn},
				       {.u = m->pages},
				       {.u = m->page_bytes / 1024},
				       {.s = rights},
				       {.s = owner_name(w->s, m->pfn, NULL)}});
}

static bool show_tables(struct table *t, const struct session *s,
			struct error *err)
{
	static const struct column c[] = {
		{"va", CELL_HEX, 18},      {"frame", CELL_HEX, 10},
		{"pages", CELL_NUMBER, 7}, {"page_kib", CELL_NUMBER, 8},
		{"rights", CELL_TEXT, 6},  {"owner", CELL_TEXT, 0}};
	uint64_t root[64];
	struct partition_info p;
	size_t roots;

	if (!partition_view_find(s->view, asked.tables, &p, err))
		return false;
	roots = partition_view_spaces(s->view, p.index, root, ARRAY_LEN(root));
	if (!roots)
		return error_set(err, EXIT_EXPECT,
				 "partition '%s' has no address space now",
				 asked.tables);
	for (size_t i = 0; i < roots; i++) {
		char name[80];

		if (asked.root && asked.root != root[i])
			continue;
		snprintf(name, sizeof(name), "%s space of %s, root 0x%" PRIx64,
			 i ? "process's" : "kernel's", p.name, root[i]);
		table_begin(t, name, c, ARRAY_LEN(c));
		partition_view_tables(s->view, root[i], show_mapping,
				      &(struct showing){t, s});
		table_end(t);
	}
	return true;
}

/* --- devices --- */

/* Little-endian integers of 1, 2, 4 or 8 bytes. */
static void put_field(char *to, size_t bytes, const struct device *d,
		      const struct device_field *f)
{
	const uint8_t *at = (const uint8_t *)d + f->offset;
	size_t n = 0;

	to[0] = '\0';
	for (uint32_t k = 0; k < f->count; k++, at += f->bytes) {
		if (k)
			n += (size_t)snprintf(to + n, bytes - n, " ");
		for (uint32_t i = f->bytes; i--;)
			n += (size_t)snprintf(to + n, bytes - n, "%02x", at[i]);
	}
}

static void show_devices(struct table *t, const struct session *s)
{
	static const struct column c[] = {{"device", CELL_TEXT, 8},
					  {"class", CELL_TEXT, 10},
					  {"what", CELL_TEXT, 24},
					  {"value", CELL_TEXT, 0}};
	struct device *d;
	char value[300];

	table_begin(t, "devices", c, ARRAY_LEN(c));
	for (size_t i = 0; (d = machine_device_at(s->machine, i)); i++) {
		table_row(t, (const union cell[]){{.s = d->name},
						  {.s = d->class->name},
						  {.s = "summary"},
						  {.s = d->class->summary}});
		for (const char *const *f = d->class->faults; f && *f; f++)
			table_row(t, (const union cell[]){{.s = d->name},
							  {.s = d->class->name},
							  {.s = "fault"},
							  {.s = *f}});
		for (const struct device_field *f = d->class->fields;
		     f && f->name; f++) {
			/* Long ones are memory, not registers. */
			if ((uint64_t)f->bytes * f->count > 64)
				continue;
			put_field(value, sizeof(value), d, f);
			table_row(t, (const union cell[]){{.s = d->name},
							  {.s = d->class->name},
							  {.s = f->name},
							  {.s = value}});
		}
	}
	table_end(t);
}

/* --- the machine --- */

static bool show_asked(struct table *t, const struct session *s,
		       struct error *err)
{
	if (partition_view_opaque(s->view))
		return error_set(err, EXIT_USAGE,
				 "the kernel has no layout note: no partitions "
				 "are known");
	if (asked.owners)
		show_owners(t, s);
	if (asked.map)
		show_map(t, s);
	if (asked.view && !show_view(t, s, err))
		return false;
	return !asked.tables || show_tables(t, s, err);
}

static void show_all(struct table *t, const struct session *s)
{
	show_cpus(t, s);
	show_times(t, s);
	if (!partition_view_opaque(s->view)) {
		show_partitions(t, s);
		show_channels(t, s);
		show_queues(t, s);
		show_schedule(t, s);
	}
	show_devices(t, s);
}

static bool show_machine(const struct session *s, bool json, struct error *err)
{
	struct table t;
	bool good = true;

	partition_view_look(s->view);
	table_open(&t, json);
	if (json || s->name[0])
		table_text(&t, "machine", s->name);
	table_number(&t, "time_ps", machine_now(s->machine));
	if (asked.owners || asked.map || asked.view || asked.tables)
		good = show_asked(&t, s, err);
	else
		show_all(&t, s);
	table_close(&t);
	return good;
}

static bool show_machines(const struct session *first, bool json,
			  struct error *err)
{
	bool good = true;

	if (json)
		printf("[");
	for (const struct session *m = first; m && m->machine && m->view;
	     m = m->next) {
		if (json && m != first)
			printf(",\n");
		good = good && show_machine(m, json, err);
	}
	if (json)
		printf("]\n");
	return good;
}

/* --- the command line --- */

static const char help[] =
	"usage: parterre inspect [OPTION...] SCENARIO|RECORDING\n"
	"Runs the scenario, or a recording again, to --at or its end, and "
	"shows the\nmachine there: CPUs, time, partitions, channels, queues, "
	"schedule, devices.\nOr what is asked for:\n"
	"  --owner ADDR    whose is this physical address; may be repeated\n"
	"  --map           the database's map: who owns what, by tiers\n"
	"  --view NAME     what the partition's view gives it\n"
	"  --tables NAME[:ROOT]  its page tables, or those with that root\n"
	"  --at TIME       the instant: 40ms, 12500us (as --until)\n";

static bool take_owner(const char *text)
{
	char *end;

	if (asked.owners == OWNERS_MAX || *text < '0' || *text > '9')
		return false;
	asked.owner[asked.owners++] = strtoull(text, &end, 0);
	return *end == '\0';
}

static bool take_tables(char *text)
{
	char *colon = strchr(text, ':'), *end;
	bool good = true;

	if (colon) {
		*colon = '\0';
		asked.root = strtoull(colon + 1, &end, 0);
		good = *end == '\0' && asked.root;
	}
	asked.tables = text;
	return *text && good;
}

static bool take(const char *option, char *value, ps_t *at)
{
	if (!strcmp(option, "owner"))
		return take_owner(value);
	if (!strcmp(option, "view"))
		return *(asked.view = value);
	if (!strcmp(option, "tables"))
		return take_tables(value);
	return session_instant(value, at);
}

/* Takes our options out of argv; false after a message. */
static bool take_ours(int *argc, char **argv, ps_t *at, int *status)
{
	static const char *const ours[] = {"owner", "view", "tables", "at"};
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		const char *name = NULL;

		for (size_t k = 0; k < ARRAY_LEN(ours); k++) {
			if (!strncmp(argv[i], "--", 2) &&
			    !strcmp(argv[i] + 2, ours[k]))
				name = ours[k];
		}
		if (!strcmp(argv[i], "--map")) {
			asked.map = true;
		} else if (!name) {
			argv[kept++] = argv[i];
		} else if (++i == *argc || !take(name, argv[i], at)) {
			*status = usage_error("inspect",
					      "--%s: '%s' is not what it takes",
					      name, i < *argc ? argv[i] : "");
			return false;
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return true;
}

int main_inspect(int argc, char **argv)
{
	static struct session s;
	struct recording *rec = NULL;
	struct run_options o;
	struct error err = {0}, end = {0};
	ps_t at = 0;
	int status;

	if (!take_ours(&argc, argv, &at, &status) ||
	    !run_options_parse(&o, argc, argv, help, 1, &status))
		return status;
	if (at)
		o.session.until = at;
	if (recording_is(o.operand[0])) {
		rec = recording_open(o.operand[0], &o.session, &err);
		if (!rec)
			return complain("inspect", &err);
	}
	if (!session_open(&s, &o.session, &err) || !script_run(&s, &err))
		status = complain("inspect", &err);
	else
		status = EXIT_HELD;
	if (!show_machines(&s, o.json, &end) && !status)
		status = complain("inspect", &end);
	if (!session_finish(&s, &end) && !status)
		status = complain("inspect", &end);
	session_close(&s);
	recording_close(rec);
	return status;
}
