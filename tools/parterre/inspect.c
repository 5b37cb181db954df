/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/inspect.c - parterre inspect: a machine at an instant.  Its
 * own options are taken out of the command line first; the others are those of
 * every run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario/script.h"
#include "sim/scenario/tables.h"
#include "tools/parterre/parterre.h"

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
			 c->peer_slot < PART_SLOTS
				 ? tables_slot_name(s, c->peer_slot)
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
	tables_cpus(t, s);
	tables_times(t, s);
	if (!partition_view_opaque(s->view)) {
		tables_partitions(t, s);
		tables_channels(t, s);
		tables_queues(t, s);
		tables_schedule(t, s);
	}
	tables_devices(t, s);
}

static bool show_machine(const struct session *s, bool json, struct error *err)
{
	struct table t;
	bool good = true;

	partition_view_look(s->view);
	table_open(&t, json, stdout);
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
