/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/device.c - what all devices share: their properties, their remembered
 * state as bytes, and the faults that they can be told to have.
 */
#include "sim/device.h"

#include <stdio.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/trace/trace.h"

const struct device_prop *device_prop_find(const struct device_prop *props,
					   size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(props[i].name, name))
			return &props[i];
	}
	return NULL;
}

void device_feed(struct device *d,
		 void (*feed)(void *to, const void *p, size_t n), void *to)
{
	const struct device_class *class = d->class;

	/* The name too: two devices that swapped their states are not equal. */
	feed(to, d->name, sizeof(d->name));
	for (const struct device_field *f = class->fields; f && f->name; f++)
		feed(to, (const char *)d + f->offset,
		     (size_t)f->bytes * f->count);
	if (class->digest)
		class->digest(d, feed, to);
}

bool device_fault(struct device *d, const char *name, uint64_t argument,
		  struct error *err)
{
	const char *const *known = d->class->faults;
	struct trace_record r = {.kind = trace_kind_find(TRACE_EV_FAULT)};
	char what[64];

	while (known && *known && strcmp(*known, name))
		known++;
	if (!known || !*known || !d->class->fault)
		return error_set(err, EXIT_USAGE,
				 "%s (class %s) has no fault '%s'; "
				 "`parterre inspect` lists what it has",
				 d->name, d->class->name, name);
	if (!d->class->fault(d, name, argument, err))
		return false;
	snprintf(what, sizeof(what), "%s.%s", d->name, name);
	r.value[0].s = what;
	r.value[2].u = argument;
	machine_emit(d->machine, &r);
	return true;
}
