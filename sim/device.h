/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/device.h - what a device is to the machine.
 *
 * A device is one file in devices/: a `const struct device_class` and an
 * object whose first member is `struct device`.  What silicon remembers lies
 * in plain fixed-width integers listed in `fields`: snapshot, digest and
 * inspection look only there; everything else is wiring, rebuilt by init.
 * Every class is one line in devices/devices.list.
 */
#ifndef PARTERRE_SIM_DEVICE_H
#define PARTERRE_SIM_DEVICE_H

#include "sim/base.h"
#include "sim/status.h"

struct machine;
struct device;
struct snapshot_writer; /* sim/snapshot.h */
struct snapshot_reader;

/* One remembered thing: offset in the object, element size and count.  Elements
 * are little-endian integers of 1, 2, 4 or 8 bytes. */
struct device_field {
	const char *name;
	uint32_t offset;
	uint32_t bytes; /* of one element */
	uint32_t count;
};
#define DEVICE_FIELD(type, member)                                             \
	{                                                                      \
#member, offsetof(type, member), sizeof(((type *)0)->member),  \
			1                                                      \
	}
#define DEVICE_ARRAY(type, member)                                             \
	{                                                                      \
#member, offsetof(type, member),                               \
			sizeof(((type *)0)->member[0]),                        \
			ARRAY_LEN(((type *)0)->member)                         \
	}

/* A register by name, for traces and `parterre inspect`. */
struct device_register {
	const char *name;
	uint64_t offset; /* in the device's main range */
	uint8_t size;
};

/* A property given by the board or the scenario. */
struct device_prop {
	const char *name;
	uint64_t value;
	const char *text; /* NULL for numbers */
};

struct device_class {
	const char *name;    /* "nvme" */
	const char *summary; /* one line */
	size_t object_bytes;
	const struct device_field *fields;       /* NULL-name terminated */
	const struct device_register *registers; /* NULL-name terminated */
	const char *const *faults;               /* NULL-terminated names */
	/* Maps ranges, finds its wires.  The object is zeroed before. */
	bool (*init)(struct device *d, const struct device_prop *props,
		     size_t prop_count, struct error *err);
	void (*reset)(struct device *d); /* power-on state */
	/* A platform reset with the power staying on, for devices that remember
	 * something then.  NULL: reset(). */
	void (*warm_reset)(struct device *d);
	/* Takes the fault `name` (of the list above) from now on. */
	bool (*fault)(struct device *d, const char *name, uint64_t argument,
		      struct error *err);
	/* More state than `fields` can say (a disk's cache): feed it to the
	 * digest in a defined order.  May be NULL. */
	void (*digest)(struct device *d,
		       void (*feed)(void *to, const void *p, size_t n),
		       void *to);
	/* The same for snapshots: save() writes it, load() reads it back into
	 * the device of a machine of the same configuration, after `fields`
	 * are loaded.  Both or neither.  load() is false after error_set(). */
	void (*save)(struct device *d, struct snapshot_writer *w);
	bool (*load)(struct device *d, struct snapshot_reader *r,
		     struct error *err);
	/* A snapshot was loaded: RAM, CPUs, events and all devices' fields are
	 * as they were.  Makes wiring follow what is remembered (a BAR's range
	 * in the bus, a cached pointer).  May be NULL.  Schedules nothing and
	 * drives no line: the events and the other ends are restored, too. */
	void (*restored)(struct device *d);
	/* Large memory of its own (a screen's, a medium's when that is in
	 * memory): the n-th piece, false: no more.  Before it writes there it
	 * calls device_memory_changes(): snapshots in memory keep the pages
	 * that were changed, no copy of the whole.  It may be among `fields`;
	 * save() and load() leave it out when snapshot_keeps_memory().  May be
	 * NULL. */
	bool (*memory)(struct device *d, unsigned n, uint8_t **at,
		       uint64_t *bytes);
	/* Its media, if it has any: in memory from now on (disk_detach()), or
	 * their files' again.  May be NULL. */
	bool (*media)(struct device *d, bool in_memory, struct error *err);
	void (*fini)(
		struct device *d); /* release what init took; may be NULL */
};

struct device {
	const struct device_class *class;
	struct machine *machine;
	char name[16]; /* "nvme0" */
};

/* An interrupt wire: level. */
struct irq_line {
	void (*set)(struct device *to, unsigned pin, bool level);
	struct device *to;
	unsigned pin;
};
static inline void irq_set(const struct irq_line *line, bool level)
{
	if (line->set)
		line->set(line->to, line->pin, level);
}

/* What the device remembers, as bytes in a defined order: its name, `fields`,
 * then what its class's digest() adds. */
void device_feed(struct device *d,
		 void (*feed)(void *to, const void *p, size_t n), void *to);

/* It is about to write there, see device_class.memory. */
void device_memory_changes(struct device *d, const void *at, uint64_t bytes);

/* The device takes a fault of its class's list from now on; traced. */
bool device_fault(struct device *d, const char *name, uint64_t argument,
		  struct error *err);

/* NULL when there is no such property. */
const struct device_prop *device_prop_find(const struct device_prop *props,
					   size_t count, const char *name);

#endif
