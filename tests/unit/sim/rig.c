/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rig.h"

#include "sim/check.h"

struct machine_config rig_config(unsigned cpus)
{
	struct machine_config c;

	machine_config_defaults(&c);
	c.ram_bytes = UINT64_C(16) << 20;
	c.cpu_count = cpus;
	return c;
}

struct machine *rig_create(const struct machine_config *c, struct trace *t)
{
	struct error err;
	struct machine *m = machine_create(c, t, &err);

	CHECK_MSG(m, "%s", err.text);
	return m;
}

void rig_code(struct machine *m, unsigned cpu, uint64_t at,
	      const struct fake_insn *code, size_t count)
{
	CHECK(bus_poke(machine_bus(m), RIG_CODE(cpu) + at, code,
		       count * sizeof(*code)));
}

void rig_start(struct machine *m, unsigned cpu)
{
	struct cpu_regs regs;

	/* As the firmware would: the machine hears of no SIPI otherwise. */
	if (cpu) {
		machine_cpu_sipi(m, cpu, (uint8_t)(RIG_CODE(cpu) >> 12));
		return;
	}
	cpu_regs_get(machine_cpu(m, cpu), &regs);
	regs.seg[CPU_CS].base = RIG_CODE(cpu);
	regs.rip = 0;
	cpu_regs_set(machine_cpu(m, cpu), &regs);
}

uint64_t rig_reg(struct machine *m, unsigned cpu, enum cpu_gpr which)
{
	return cpu_gpr(machine_cpu(m, cpu), which);
}

uint64_t rig_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

uint64_t rig_below(uint64_t *state, uint64_t limit)
{
	return rig_random(state) % limit;
}
