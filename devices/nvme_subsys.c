/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/nvme_subsys.c - see nvme_subsys.h. */
#include "devices/nvme_subsys.h"

#include <string.h>

#include "devices/nvme.h"
#include "sim/trace/trace.h"

static const struct device_field subsys_fields[] = {
	DEVICE_FIELD(struct nvme_subsys, write_cache),
	DEVICE_FIELD(struct nvme_subsys, dead),
	{NULL, 0, 0, 0},
};

static const struct device_register subsys_registers[] = {{NULL, 0, 0}};

static const char *const subsys_faults[] = {"torn", NULL};

void nvme_subsys_host_failed(struct nvme_subsys *s)
{
	machine_host_failed(s->device.machine, "%s: %s", s->device.name,
			    s->disk.failure);
}

static void disk_changed(void *owner, enum disk_op op, uint64_t lba,
			 uint64_t blocks)
{
	struct nvme_subsys *s = owner;
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_DISK),
		.value = {{.s = s->acting ? s->acting->name : s->device.name},
			  {.u = op},
			  {.u = lba},
			  {.u = blocks}},
	};

	machine_emit(s->device.machine, &r);
}

static bool subsys_fault(struct device *d, const char *name, uint64_t argument,
			 struct error *err)
{
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	(void)err;
	if (strcmp(name, "torn") != 0)
		return false;
	s->dead = 1;
	disk_forget(&s->disk);
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
	disk_forget(&s->disk);
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

static bool subsys_init(struct device *d, const struct device_prop *props,
			size_t prop_count, struct error *err)
{
	const struct device_prop *path =
		device_prop_find(props, prop_count, "path");
	uint64_t block = number(props, prop_count, "block_bytes", 512);
	uint64_t cache =
		number(props, prop_count, "cache_blocks", NVME_CACHE_BLOCKS);
	struct nvme_subsys *s = (struct nvme_subsys *)d;

	if (!path || !path->text)
		return error_set(err, EXIT_USAGE,
				 "%s: property path names no disk image",
				 d->name);
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
	if (!disk_open(&s->disk, path->text, (uint32_t)block, (uint32_t)cache,
		       err))
		return false;
	s->disk.changed = disk_changed;
	s->disk.owner = s;
	return true;
}

static void subsys_digest(struct device *d,
			  void (*feed)(void *to, const void *p, size_t n),
			  void *to)
{
	disk_digest(&((struct nvme_subsys *)d)->disk, feed, to);
}

static void subsys_fini(struct device *d)
{
	disk_close(&((struct nvme_subsys *)d)->disk);
}

const struct device_class nvme_subsys_class = {
	.name = "nvme_subsys",
	.summary = "NVM subsystem: a namespace in a raw image, write cache",
	.object_bytes = sizeof(struct nvme_subsys),
	.fields = subsys_fields,
	.registers = subsys_registers,
	.faults = subsys_faults,
	.init = subsys_init,
	.reset = subsys_reset,
	.warm_reset = subsys_warm_reset,
	.fault = subsys_fault,
	.digest = subsys_digest,
	.fini = subsys_fini,
};
