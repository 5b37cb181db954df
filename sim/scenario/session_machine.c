/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_machine.c - from what machine{} says to a machine that
 * stands at its kernel's entry, and what is seen of it while it runs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/check.h"
#include "sim/scenario/session_internal.h"
#include "sim/snapshot.h"
#include "sim/trace/trace.h"

static bool image_path(struct session *s, const char *name, char *path,
		       struct error *err)
{
	char file[80];

	snprintf(file, sizeof(file), "%s.elf", name);
	if (!session_join(path, s->options.images, file, err))
		return false;
	return access(path, R_OK) == 0 ||
	       error_set(
		       err, EXIT_USAGE,
		       "%s: no image of that name (%s); build it (tools/build "
		       "fast), or give its folder by --images DIR",
		       path, strerror(errno));
}

static bool fill_config(struct session *s, const struct session_machine *d,
			struct error *err)
{
	struct machine_config *c = &s->config;
	size_t n = 0;

	*c = d->config;
	if (s->options.seed_given)
		c->seed = s->options.seed;
	if (d->firmware[0]) {
		snprintf(s->path[n], PATH_MAX, "%s", d->firmware);
		c->firmware = s->path[n++];
	} else {
		if (d->kernel_is_path)
			snprintf(s->path[n], PATH_MAX, "%s", d->kernel);
		else if (!image_path(s, d->kernel, s->path[n], err))
			return false;
		c->kernel = s->path[n++];
	}
	snprintf(s->boot, sizeof(s->boot), "%s", d->boot);
	c->boot = d->boot[0] ? s->boot : NULL;
	snprintf(s->path[n], PATH_MAX, "%s", d->profile);
	c->profile = d->profile[0] ? s->path[n++] : NULL;
	snprintf(s->path[n], PATH_MAX, "%s", d->initrd);
	c->initrd = d->initrd[0] ? s->path[n++] : NULL;
	c->module_count = 0;
	for (size_t i = 0; i < d->module_count; i++) {
		if (!image_path(s, d->module[i], s->path[n], err))
			return false;
		snprintf(s->module_name[i], sizeof(s->module_name[i]),
			 "%.59s.elf", d->module[i]);
		c->module[c->module_count].path = s->path[n++];
		c->module[c->module_count++].string = s->module_name[i];
	}
	if (d->policy[0]) {
		snprintf(s->path[n], PATH_MAX, "%s", d->policy);
		c->module[c->module_count].path = s->path[n++];
		c->module[c->module_count++].string = "policy.txt";
	}
	snprintf(s->path[n], PATH_MAX, "%s", d->cmdline);
	c->cmdline = s->path[n++];
	if (d->disk_bytes) {
		if (!session_make_disk(s, d, s->path[n], err))
			return false;
		c->disk_path = s->path[n++];
	}
	for (unsigned i = 0; i < ARRAY_LEN(c->more_disks); i++) {
		char name[16];

		if (!d->more_disk_bytes[i])
			break;
		snprintf(name, sizeof(name), "disk%u.img", i + 2);
		if (!session_make_more_disk(s, name, d->more_disk_bytes[i],
					    s->path[n], err))
			return false;
		c->more_disks[i] = s->path[n++];
	}
	if (d->virtio_disk_bytes) {
		if (!session_make_more_disk(s, "virtio.img",
					    d->virtio_disk_bytes, s->path[n],
					    err))
			return false;
		c->virtio_disk = s->path[n++];
	}
	c->nic_mac += UINT64_C(0x10) * s->index;
	return true;
}

/* --- what is seen --- */

static void keep_line(struct session *s, const struct trace_record *r)
{
	const char *text = r->value[0].s, *end = strstr(text, "] ");

	if ((s->line_count & (s->line_count + 1)) == 0) {
		s->line = realloc(s->line,
				  (2 * s->line_count + 2) * sizeof(*s->line));
		CHECK(s->line);
	}
	if (text[0] == '[' && end)
		text = end + 2;
	s->line[s->line_count++] = (struct session_line){
		.time = r->time,
		.partition = r->partition,
		.text = strdup(text),
	};
}

static void on_record(void *owner, const struct trace_record *r)
{
	struct session *s = owner;
	const struct session_driver *d = s->options.driver;

	if (r->kind->class == TRACE_CLASS_PARTITION)
		timeline_note(&s->timeline, r);
	if (d)
		d->record(d->owner, s->index, r);
	if (r->kind->number == TRACE_EV_CONSOLE)
		keep_line(s, r);
	if (s->wait && s->wait(s->wait_owner, r)) {
		s->wait = NULL;
		s->told = true;
		machine_request_stop(s->machine);
	}
	session_watch_note(s, r);
}

/* --- the machine --- */

/* Nobody may keep a pointer into it but the view. */
bool session_move(struct session *s, struct error *err)
{
	FILE *f = tmpfile();
	bool good;

	if (!f)
		return error_set(err, EXIT_HOST, "a temporary file: %s",
				 strerror(errno));
	good = machine_save(s->machine, f, "between two machines", err);
	rewind(f);
	if (good) {
		evq_cancel(machine_evq(s->machine), &s->idle);
		machine_trace_end(s->machine);
		machine_destroy(s->machine);
		s->machine = machine_create(&s->config, s->trace, err);
		good = s->machine &&
		       machine_load(s->machine, f, "between two machines", err);
	}
	if (good && s->first->accounts)
		machine_account(s->machine);
	if (good) {
		partition_view_moved(s->view, s->machine);
		machine_set_console(s->machine, session_console_byte, s);
	}
	fclose(f);
	return good;
}

bool session_capture(struct session *s, struct error *err)
{
	return session_join(s->net_capture, s->out, "network.pcap", err);
}

/* A port of the switch for each card; the switch comes with the first. */
static bool connect(struct session *s, struct error *err)
{
	struct session *f = s->first;

	if (s->config.nics && !f->net) {
		f->net = net_switch_create(&f->net_config);
		f->step = SESSION_STEP_PS;
		if (f->net_capture[0] &&
		    !net_switch_capture(f->net, f->net_capture, err))
			return false;
	}
	for (unsigned i = 0; i < s->config.nics; i++) {
		char name[SESSION_NAME_BYTES + 16];

		snprintf(name, sizeof(name), "%s.net%u", s->name, i);
		s->config.nic_port[i] = net_switch_port(f->net, name);
		if (!s->config.nic_port[i])
			return error_set(err, EXIT_USAGE,
					 "the network has %d ports, and "
					 "machine %s wants one more",
					 NET_SWITCH_PORTS, s->name);
	}
	return true;
}

static bool plug_outside(struct session *f, struct error *err)
{
	struct net_port *p = net_switch_port(f->net, "outside");

	if (!p)
		return error_set(err, EXIT_USAGE,
				 "the network has %d ports, and the host "
				 "outside wants one more",
				 NET_SWITCH_PORTS);
	f->options.outside->plug(p, machine_evq(f->machine));
	f->plugged = true;
	return true;
}

bool session_machine(struct session *s, const struct session_machine *d,
		     struct error *err)
{
	char path[PATH_MAX];
	unsigned classes;
	unsigned listen =
		s->options.listen ? s->options.listen : TRACE_CLASS_PARTITION;

	if (d->traces && !s->options.classes_given)
		s->options.classes = d->classes;
	classes = s->options.classes;
	if (d->name[0] && !session_is_name(d->name))
		return error_set(err, EXIT_USAGE,
				 "'%s' is no name for a machine: give it 1 to "
				 "%u of a-z, 0-9, - and _",
				 d->name, SESSION_NAME_BYTES - 1);
	if (d->name[0])
		snprintf(s->name, sizeof(s->name), "%s", d->name);
	if (!fill_config(s, d, err) ||
	    !session_join(path, s->out, "trace", err))
		return false;
	/* Without a trace on disk, events are still seen. */
	s->trace = trace_create(classes ? path : NULL,
				classes ? classes : listen, err);
	if (!s->trace)
		return false;
	session_select(s);
	trace_listen(s->trace, on_record, s);
	if (!connect(s, err))
		return false;
	s->machine = machine_create(&s->config, s->trace, err);
	if (!s->machine)
		return false;
	if (s == s->first && s->net && s->options.outside &&
	    !plug_outside(s, err))
		return false;
	s->view = partition_view_create(s->machine, &s->config, err);
	if (!s->view)
		return false;
	if (d->memory[0] && !session_memory(s, d->memory, err))
		return false;
	machine_set_console(s->machine, session_console_byte, s);
	s->any_code = d->any_code;
	snprintf(s->symbols, sizeof(s->symbols), "%s", d->symbols);
	s->standing_bytes = d->snapshot_bytes;
	memcpy(s->line_to, d->serial, sizeof(s->line_to));
	if (s->options.begin_from &&
	    !session_begin_from(s, s->options.begin_from, err))
		return false;
	if (s->options.cycles &&
	    machine_now(s->machine) >= s->options.cycles_from) {
		machine_account(s->machine);
		s->first->accounts = true;
	}
	if (!session_input_begin(s, err) ||
	    (s == s->first && !session_plan_begin(s, err)))
		return false;
	return (!s->first->interactive && !s->first->hands) ||
	       session_write_command(s->first, err);
}
