/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/machine_build.c - a machine is made of its parts, taken apart, and looked
 * at as a whole.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "devices/board.h"
#include "devices/registry.h"
#include "sim/check.h"
#include "sim/date.h"
#include "sim/digest.h"
#include "sim/firmware.h"
#include "sim/loader.h"
#include "sim/machine_internal.h"
#include "sim/ramscan.h"
#include "sim/trace/trace.h"

void machine_config_defaults(struct machine_config *c)
{
	*c = (struct machine_config){
		.ram_bytes = UINT64_C(256) << 20,
		.cpu_count = 1,
		.cpu_hz = UINT64_C(1000000000),
		.serial_hz = 1843200,
		.nic_mac = UINT64_C(0x525400000001),
		.controllers = 2,
		.digest_interval = 100000,
		.rtc_seconds = DATE_DEFAULT_SECONDS,
		.load_address = MACHINE_LOAD_DEFAULT,
		.quantum_ps = 10 * PS_PER_US,
	};
}

static bool check_config(const struct machine_config *c, struct error *err)
{
	if (!c->cpu_count || c->cpu_count > CPU_COUNT_MAX)
		return error_set(err, EXIT_USAGE, "%u CPUs: give 1 to %u",
				 c->cpu_count, CPU_COUNT_MAX);
	if (c->cpu_hz < 1000000 || c->cpu_hz > PS_PER_S)
		return error_set(err, EXIT_USAGE,
				 "CPU clock of %" PRIu64
				 " Hz: give 1 MHz to 1 THz",
				 c->cpu_hz);
	if (c->serial_hz < 1000 || c->serial_hz > UINT64_C(1000000000))
		return error_set(err, EXIT_USAGE,
				 "serial clock of %" PRIu64
				 " Hz: give 1 kHz to 1 GHz",
				 c->serial_hz);
	if (c->firmware && c->kernel)
		return error_set(err, EXIT_USAGE,
				 "%s: firmware boots by itself, not with a "
				 "kernel (%s); give one of them",
				 c->firmware, c->kernel);
	if (!c->digest_interval)
		return error_set(err, EXIT_USAGE,
				 "digest interval of 0 instructions: give at "
				 "least 1");
	if (!c->quantum_ps)
		return error_set(err, EXIT_USAGE,
				 "quantum of 0 ps: give at least 1");
	if (c->module_count > MACHINE_MODULES_MAX)
		return error_set(err, EXIT_USAGE,
				 "%zu modules: give at most %u",
				 c->module_count, MACHINE_MODULES_MAX);
	if (c->nics > MACHINE_NICS)
		return error_set(err, EXIT_USAGE,
				 "%u network cards: give at most %u", c->nics,
				 MACHINE_NICS);
	if (c->controllers > MACHINE_CONTROLLERS_MAX)
		return error_set(err, EXIT_USAGE,
				 "%u disk controllers: give at most %u",
				 c->controllers, MACHINE_CONTROLLERS_MAX);
	return true;
}

static bool create_cpus(struct machine *m, struct error *err)
{
	struct cpu_ram ram[BUS_RAM_REGIONS];
	struct cpu_complex_config config = {
		.ram = ram,
		.ram_count = bus_ram_regions(m->bus, ram),
		.cpu_count = m->config.cpu_count,
		.tsc_hz = m->config.cpu_hz,
		.ops = &machine_cpu_ops,
		.owner = m,
	};

	m->complex = cpu_complex_create(&config, err);
	if (!m->complex)
		return false;
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		m->vcpu[i].cpu = cpu_get(m->complex, i);
		vcpu_reset(m, &m->vcpu[i]);
	}
	m->timing = m->config.timing;
	return m->timing == TIMING_FLAT ||
	       cpu_complex_set_timing(m->complex, m->timing, m->config.profile,
				      err);
}

bool machine_boot(struct machine *m, struct error *err)
{
	if (m->config.firmware) {
		firmware_start(m);
		return true;
	}
	return board_firmware(m, err) &&
	       (!m->config.kernel || loader_boot(m, &m->config, err));
}

static bool build(struct machine *m, struct error *err)
{
	m->bus = bus_create(m, m->config.ram_bytes, err);
	return m->bus &&
	       (!m->config.firmware ||
		firmware_add(m->bus, m->config.firmware, err)) &&
	       create_cpus(m, err) && board_build(m, &m->config, err) &&
	       machine_boot(m, err);
}

struct machine *machine_create(const struct machine_config *c,
			       struct trace *trace, struct error *err)
{
	struct machine *m;

	if (!check_config(c, err))
		return NULL;
	m = calloc(1, sizeof(*m));
	CHECK_MSG(m, "out of memory for the machine");
	m->config = *c;
	m->ps_whole = PS_PER_S % c->cpu_hz ? 0 : PS_PER_S / c->cpu_hz;
	m->trace = trace;
	m->limit = MACHINE_NO_LIMIT;
	m->evq = evq_create();
	m->digest = digest_create();
	/* A CPU on its own is never in anyone's way. */
	m->quantum_end = c->cpu_count > 1 ? c->quantum_ps : PS_NEVER;
	m->stop_at = UINT64_MAX;
	if (!build(m, err)) {
		machine_destroy(m);
		return NULL;
	}
	return m;
}

void machine_destroy(struct machine *m)
{
	if (!m)
		return;
	for (size_t i = m->device_count; i-- > 0;) {
		if (m->device[i]->class->fini)
			m->device[i]->class->fini(m->device[i]);
	}
	keeper_destroy(m->keeper);
	/* Events live in devices: the queue lets go of them first. */
	evq_destroy(m->evq);
	for (size_t i = 0; i < m->device_count; i++)
		free(m->device[i]);
	free(m->device);
	cpu_complex_destroy(m->complex);
	bus_destroy(m->bus);
	digest_destroy(m->digest);
	free(m);
}

/* --- devices --- */

struct device *machine_device(struct machine *m, const char *name)
{
	for (size_t i = 0; i < m->device_count; i++) {
		if (!strcmp(m->device[i]->name, name))
			return m->device[i];
	}
	return NULL;
}

struct device *machine_device_at(struct machine *m, size_t index)
{
	return index < m->device_count ? m->device[index] : NULL;
}

static bool check_name(struct machine *m, const char *name, struct error *err)
{
	if (!*name || strlen(name) >= sizeof(((struct device *)0)->name))
		return error_set(err, EXIT_USAGE,
				 "device name '%s': give 1 to %zu characters",
				 name, sizeof(((struct device *)0)->name) - 1);
	if (machine_device(m, name))
		return error_set(err, EXIT_USAGE,
				 "device name '%s' is taken; give another",
				 name);
	return true;
}

struct device *machine_add_device(struct machine *m, const char *class_name,
				  const char *name,
				  const struct device_prop *props, size_t count,
				  struct error *err)
{
	const struct device_class *class = device_class_find(class_name);
	struct device *d;

	if (!class) {
		error_set(err, EXIT_USAGE,
			  "device '%s': no class '%s' in devices.list", name,
			  class_name);
		return NULL;
	}
	if (!check_name(m, name, err))
		return NULL;
	d = calloc(1, class->object_bytes);
	CHECK_MSG(d, "out of memory for device %s", name);
	d->class = class;
	d->machine = m;
	strcpy(d->name, name);
	if (!class->init(d, props, count, err)) {
		evq_unregister(m->evq, d, class->object_bytes);
		free(d);
		return NULL;
	}
	if (m->device_count == m->device_slots) {
		m->device_slots = m->device_slots ? 2 * m->device_slots : 16;
		m->device = reallocarray(m->device, m->device_slots,
					 sizeof(struct device *));
		CHECK_MSG(m->device, "out of memory for devices");
	}
	m->device[m->device_count++] = d;
	if (class->reset)
		class->reset(d);
	return d;
}

/* --- parts and what is known of them --- */

struct evq *machine_evq(struct machine *m)
{
	return m->evq;
}

struct bus *machine_bus(struct machine *m)
{
	return m->bus;
}

struct trace *machine_trace(struct machine *m)
{
	return m->trace;
}

struct cpu_complex *machine_complex(struct machine *m)
{
	return m->complex;
}

struct cpu *machine_cpu(struct machine *m, unsigned index)
{
	CHECK(index < m->config.cpu_count);
	return m->vcpu[index].cpu;
}

unsigned machine_cpu_count(const struct machine *m)
{
	return m->config.cpu_count;
}

unsigned machine_accessing_cpu(const struct machine *m)
{
	return m->running ? cpu_index(m->running->cpu) : 0;
}

uint64_t machine_retired(const struct machine *m)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->config.cpu_count; i++)
		sum += cpu_retired(m->vcpu[i].cpu);
	return sum;
}

void machine_set_probe(struct machine *m, machine_probe_fn *fn, void *owner)
{
	m->probe = fn;
	m->probe_owner = owner;
}

void machine_mark_changes(struct machine *m, uint32_t *marks, uint32_t mark)
{
	cpu_mark_changes(m->complex, marks, mark);
}

void machine_set_observer(struct machine *m, const struct machine_observer *o)
{
	m->observer = o ? *o : (struct machine_observer){0};
}

void machine_set_partition(struct machine *m, unsigned cpu, uint32_t index)
{
	CHECK(cpu < m->config.cpu_count);
	m->vcpu[cpu].partition = index;
	if (m->accounts)
		cpu_account_owner(m->vcpu[cpu].cpu, index);
}

uint32_t machine_partition(const struct machine *m, unsigned cpu)
{
	CHECK(cpu < m->config.cpu_count);
	return m->vcpu[cpu].partition;
}

/* --- console and trace --- */

bool machine_add_serial(struct machine *m, unsigned serial, struct device *d,
			machine_serial_take *take, struct error *err)
{
	if (serial >= MACHINE_SERIALS || m->serial[serial].take)
		return error_set(err, EXIT_USAGE,
				 "%s: serial line %u is taken or does not "
				 "exist; choose a free one below %u",
				 d->name, serial, MACHINE_SERIALS);
	m->serial[serial].device = d;
	m->serial[serial].take = take;
	return true;
}

size_t machine_serial_input(struct machine *m, unsigned serial,
			    const uint8_t *p, size_t bytes)
{
	if (serial >= MACHINE_SERIALS || !m->serial[serial].take)
		return 0;
	return m->serial[serial].take(m->serial[serial].device, p, bytes);
}

void machine_set_console(struct machine *m,
			 void (*byte)(void *owner, unsigned serial, ps_t when,
				      uint8_t c),
			 void *owner)
{
	m->console = byte;
	m->console_owner = owner;
}

void machine_console_byte(struct machine *m, unsigned serial, uint8_t c)
{
	uint8_t link[2] = {(uint8_t)serial, c};

	machine_fold(m, link, sizeof(link));
	if (m->console)
		m->console(m->console_owner, serial, machine_now(m), c);
}

struct net_port *machine_nic_port(const struct machine *m, unsigned nic)
{
	return nic < MACHINE_NICS ? m->config.nic_port[nic] : NULL;
}

void machine_emit(struct machine *m, struct trace_record *r)
{
	if (!trace_wants(m->trace, r->kind->class))
		return;
	r->cpu = machine_accessing_cpu(m);
	r->retired = cpu_retired(m->vcpu[r->cpu].cpu);
	r->time = m->observing ? vcpu_when(m, m->running, r->retired)
			       : machine_now(m);
	/* What a device does on its own is nobody's doing, but for what the
	 * caller knows better. */
	if (m->running)
		r->partition = m->running->partition;
	trace_emit(m->trace, r);
}

void machine_odd(struct device *d, const char *what, uint64_t offset,
		 uint64_t value)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_ODD),
		.value = {{.s = d->name},
			  {.s = what},
			  {.u = offset},
			  {.u = value}},
	};

	machine_emit(d->machine, &r);
}

#define FRAME_PART 500 /* bytes of a frame in one record, as text */

void machine_frame(struct device *d, bool sent, const uint8_t *frame,
		   size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * FRAME_PART + 1];

	if (!trace_wants(machine_trace(d->machine), TRACE_CLASS_MACHINE))
		return;
	for (size_t at = 0; at < bytes; at += FRAME_PART) {
		size_t n = bytes - at < FRAME_PART ? bytes - at : FRAME_PART;
		struct trace_record r = {
			.kind = trace_kind_find(TRACE_EV_FRAME),
			.value = {{.s = d->name},
				  {.u = sent},
				  {.u = bytes},
				  {.u = at},
				  {.s = hex}},
		};

		for (size_t i = 0; i < n; i++) {
			hex[2 * i] = digits[frame[at + i] >> 4];
			hex[2 * i + 1] = digits[frame[at + i] & 15];
		}
		hex[2 * n] = '\0';
		machine_emit(d->machine, &r);
	}
}

/* --- digests --- */

void machine_fold(struct machine *m, const void *p, size_t bytes)
{
	m->chain = digest_fold(m->chain, p, bytes);
}

uint64_t machine_chain(const struct machine *m)
{
	return m->chain;
}

uint64_t machine_digest(struct machine *m)
{
	struct cpu_ram ram[BUS_RAM_REGIONS];
	size_t count = bus_ram_regions(m->bus, ram);
	struct ramscan scan;
	const uint8_t *page;
	paddr_t pa;
	struct cpu_regs regs;

	digest_reset(m->digest);
	for (unsigned i = 0; i < m->config.cpu_count; i++) {
		cpu_regs_get(m->vcpu[i].cpu, &regs);
		digest_feed(m->digest, &regs, sizeof(regs));
		digest_feed(m->digest, &m->vcpu[i].tsc_adjust,
			    sizeof(m->vcpu[i].tsc_adjust));
	}
	/* Pages of zeroes are left out: untouched or not, they are equal. */
	for (size_t i = 0; i < count; i++) {
		ramscan_begin(&scan, &ram[i]);
		while ((page = ramscan_next(&scan, &pa))) {
			digest_feed(m->digest, &pa, sizeof(pa));
			digest_feed(m->digest, page, PAGE_BYTES);
		}
		ramscan_end(&scan);
	}
	for (size_t i = 0; i < m->device_count; i++)
		device_feed(m->device[i], digest_feed, m->digest);
	return digest_value(m->digest);
}
