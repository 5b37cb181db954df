/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/tables.c - see tables.h. */
#include "sim/scenario/tables.h"

#include <string.h>

#include "sim/device.h"

#include "abi/database.h"
#include "abi/lead.h"
#include "abi/view.h"

/* --- CPUs, time --- */

void tables_cpus(struct table *t, const struct session *s)
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

void tables_times(struct table *t, const struct session *s)
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

void tables_partitions(struct table *t, const struct session *s)
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

void tables_channels(struct table *t, const struct session *s)
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
				{.s = partition_channel_client_text(
					 ch.client_state)},
				{.s = partition_channel_server_text(
					 ch.server_state)},
				{.u = ch.generation},
				{.u = ch.pfn},
				{.u = ch.pages},
				{.u = ch.passed}});
	}
	table_end(t);
}

void tables_queues(struct table *t, const struct session *s)
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

const char *tables_slot_name(const struct session *s, uint32_t slot)
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
					     {.s = tables_slot_name(
						      s, l->window[i][k].slot)},
					     {.u = l->window[i][k].length_us}});
	}
	table_end(t);
}

void tables_schedule(struct table *t, const struct session *s)
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
		table_row(t,
			  (const union cell[]){
				  {.u = l->entry[i].slot},
				  {.s = tables_slot_name(s, l->entry[i].slot)},
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

void tables_devices(struct table *t, const struct session *s)
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
