/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_subsys.c - see nvme_subsys.h. */
#include "devices/nvme_subsys.h"

#include <stdio.h>
#include <string.h>

#include "devices/nvme.h"
#include "sim/snapshot.h"
#include "sim/trace/trace.h"

static const struct device_field subsys_fields[] = {
	DEVICE_FIELD(struct nvme_subsys, write_cache),
	DEVICE_FIELD(struct nvme_subsys, dead),
	DEVICE_FIELD(struct nvme_subsys, attached),
	{NULL, 0, 0, 0},
};

static const struct device_register subsys_registers[] = {{NULL, 0, 0}};

static const char *const subsys_faults[] = {"torn", "detach", "attach", NULL};

struct disk *nvme_subsys_disk(struct nvme_subsys *s, uint32_t nsid)
{
	if (!nsid || nsid > s->namespaces || !(s->attached >> (nsid - 1) & 1))
		return NULL;
	return &s->space[nsid - 1].disk;
}

bool nvme_subsys_flush(struct nvme_subsys *s)
{
	for (uint32_t i = 0; i < s->namespaces; i++) {
		if (!disk_flush(&s->space[i].disk))
			return false;
	}
	return true;
}

void nvme_subsys_host_failed(struct nvme_subsys *s)
{
	for (uint32_t i = 0; i < s->namespaces; i++) {
		if (s->space[i].disk.failure[0])
			machine_host_failed(s->device.machine, "%s: %s",
					    s->device.name,
					    s->space[i].disk.failure);
	}
}

static void disk_changed(void *owner, enum disk_op op, uint64_t lba,
			 uint64_t blocks)
{
	struct nvme_namespace *space = owner;
	struct nvme_subsys *s = space->subsys;
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_DISK),
		.value = {{.s = s->acting ? s->acting->name : s->device.name},
			  {.u = op},
			  {.u = lba},
			  {.u = blocks},
			  {.u = space->nsid}},
	};

	machine_emit(s->device.machine, &r);
}

static void forget(struct nvme_subsys *s)
{
	for (uint32_t i = 0; i < s->namespaces; i++)
		disk_forget(&s->space[i].disk);
}

static bool attach(struct nvme_subsys *s, bool there, uint64_t nsid,
		   struct error *err)
{
	uint32_t old = s->attached;

	if (!nsid || nsid > s->namespaces)
		return error_set(err, EXIT_USAGE,
				 "%s: there is no namespace %llu; give 1 to "
				 "%u",
				 s->device.name, (unsigned long long)nsid,
				 s->namespaces);
	s->attached &= ~(1u << (nsid - 1));
	s->attached |= (uint32_t)there << (nsid - 1);
	if (s->attached == old)
		return true;
	for (unsigned i = 0; i < NVME_CONTROLLERS_MAX; i++) {
		if (s->controller[i])
			nvme_namespace_changed(s->controller[i],
					       (uint32_t)nsid);
	}
	return true;
}

static bool subsys_fault(struct device *d, const char *name, uint64_t argument,
			 struct error *err)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	if (strcmp(name, "torn") != 0)
		return attach(s, name[0] == 'a', argument, err);
	s->dead = 1;
	forget(s);
	for (unsigned i = 0; i < NVME_CONTROLLERS_MAX; i++) {
		if (s->controller[i])
			nvme_power_lost(s->controller[i], argument);
	}
	return true;
}

static void subsys_reset(struct device *d)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	s->write_cache = 1;
	s->dead = 0;
	s->attached = (1u << s->namespaces) - 1;
	forget(s);
}

/* The cache keeps what it holds while the power stays on. */
static void subsys_warm_reset(struct device *d)
{
	((struct nvme_subsys *)d)->write_cache = 1;
}

static uint64_t number(const struct device_prop *props, size_t count,
		       const char *name, uint64_t otherwise)
{
	const struct device_prop *p = device_prop_find(props, count, name);

	return p && p->value ? p->value : otherwise;
}

/* The properties "path", "path2" to "path4". */
static bool open_namespaces(struct nvme_subsys *s,
			    const struct device_prop *props, size_t count,
			    uint32_t block, uint32_t cache, struct error *err)
{
	for (uint32_t nsid = 1; nsid <= NVME_NAMESPACES_MAX; nsid++) {
		struct nvme_namespace *space = &s->space[nsid - 1];
		const struct device_prop *path;
		char name[8] = "path";

		if (nsid > 1)
			snprintf(name, sizeof(name), "path%u", nsid);
		path = device_prop_find(props, count, name);
		if (!path || !path->text)
			break;
		if (!disk_open(&space->disk, path->text, block, cache, err))
			return false;
		space->subsys = s;
		space->nsid = nsid;
		space->disk.changed = disk_changed;
		space->disk.owner = space;
		space->disk.device = &s->device;
		s->namespaces = nsid;
	}
	return s->namespaces ||
	       error_set(err, EXIT_USAGE,
			 "%s: property path names no disk image",
			 s->device.name);
}

static bool subsys_init(struct device *d, const struct device_prop *props,
			size_t prop_count, struct error *err)
{
	uint64_t block = number(props, prop_count, "block_bytes", 512);
	uint64_t cache =
		number(props, prop_count, "cache_blocks", NVME_CACHE_BLOCKS);
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	if (block != 512 && block != 4096)
		return error_set(err, EXIT_USAGE,
				 "%s: property block_bytes is %llu; it can be "
				 "512 or 4096",
				 d->name, (unsigned long long)block);
	if (cache > 1 << 20)
		return error_set(err, EXIT_USAGE,
				 "%s: property cache_blocks is %llu; at most "
				 "1048576",
				 d->name, (unsigned long long)cache);
	s->read_ps = number(props, prop_count, "read_ps", NVME_READ_PS);
	s->write_ps = number(props, prop_count, "write_ps", NVME_WRITE_PS);
	s->flush_ps = number(props, prop_count, "flush_ps", NVME_FLUSH_PS);
	return open_namespaces(s, props, prop_count, (uint32_t)block,
			       (uint32_t)cache, err);
}

static void subsys_digest(struct device *d,
			  void (*feed)(void *to, const void *p, size_t n),
			  void *to)
{
	const struct nvme_subsys *s = (const struct nvme_subsys *)d;

	for (uint32_t i = 0; i < s->namespaces; i++)
		disk_digest(&s->space[i].disk, feed, to);
}

static void subsys_save(struct device *d, struct snapshot_writer *w)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	for (uint32_t i = 0; i < s->namespaces; i++) {
		if (!disk_save(&s->space[i].disk, w))
			snapshot_fail(w, s->space[i].disk.failure);
	}
}

static bool subsys_load(struct device *d, struct snapshot_reader *r,
			struct error *err)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	for (uint32_t i = 0; i < s->namespaces; i++) {
		if (!disk_load_image(&s->space[i].disk, r, err))
			return false;
	}
	return true;
}

static bool subsys_memory(struct device *d, unsigned n, uint8_t **at,
			  uint64_t *bytes)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	return disk_memory(&s->space[0].disk, s->namespaces,
			   sizeof(s->space[0]), n, at, bytes);
}

static bool subsys_media(struct device *d, bool in_memory, struct error *err)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	for (uint32_t i = 0; i < s->namespaces; i++) {
		if (!disk_medium(&s->space[i].disk, in_memory, err))
			return false;
	}
	return true;
}

static void subsys_fini(struct device *d)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	for (uint32_t i = 0; i < s->namespaces; i++)
		disk_close(&s->space[i].disk);
}

const struct device_class nvme_subsys_class = {
	.name = "nvme_subsys",
	.summary = "NVM subsystem: namespaces in raw images, write cache",
	.object_bytes = sizeof(struct nvme_subsys),
	.fields = subsys_fields,
	.registers = subsys_registers,
	.faults = subsys_faults,
	.init = subsys_init,
	.reset = subsys_reset,
	.warm_reset = subsys_warm_reset,
	.fault = subsys_fault,
	.digest = subsys_digest,
	.save = subsys_save,
	.load = subsys_load,
	.memory = subsys_memory,
	.media = subsys_media,
	.fini = subsys_fini,
};
