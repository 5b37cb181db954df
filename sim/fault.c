/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/fault.c - see fault.h. */
#include "sim/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "abi/database.h"
#include "sim/trace/trace.h"

static void emit(struct machine *m, const char *what, paddr_t pa,
		 uint64_t argument)
{
	struct trace_record r = {
		.kind = trace_kind_find(TRACE_EV_FAULT),
		.value = {{.s = what}, {.u = pa}, {.u = argument}},
	};

	machine_emit(m, &r);
}

bool fault_ram(struct machine *m, paddr_t pa, const void *data, size_t bytes,
	       struct error *err)
{
	if (!bus_poke(machine_bus(m), pa, data, bytes))
		return error_set(err, EXIT_USAGE,
				 "fault in RAM: 0x%" PRIx64
				 " and the %zu bytes from it are not RAM; "
				 "name an address in RAM",
				 pa, bytes);
	emit(m, "ram", pa, bytes);
	return true;
}

/* --- a partition's text --- */

/* In 64-bit mode 06 (PUSH ES) is an invalid opcode (SDM 2B), of one byte: so it
 * is whatever byte is fetched next. */
#define INVALID_OPCODE 0x06
/* EB EB is a jump 19 bytes back, from any byte; it ends in NOPs, which lead to
 * the jumps again.  (Of the last byte of all no instruction can be made that
 * jumps: nothing begins there, for an image's text ends before its last page
 * does.) */
#define JUMP_BACK 0xeb
#define NOP       0x90
#define NOP_BYTES 128

/* A system call and a jump back to it, wherever one begins: 05 is an ADD that
 * ends at the next jump, FC is CLD. */
static const uint8_t call_again[4] = {0x0f, 0x05, JUMP_BACK, 0xfc};

static bool patterned(const char *what, bool first, uint8_t page[PAGE_BYTES])
{
	if (!strcmp(what, "crash")) {
		memset(page, INVALID_OPCODE, PAGE_BYTES);
	} else if (!strcmp(what, "hang")) {
		memset(page, JUMP_BACK, PAGE_BYTES);
		if (first)
			memset(page, NOP, NOP_BYTES);
	} else if (!strcmp(what, "livelock")) {
		for (size_t i = 0; i < PAGE_BYTES; i++)
			page[i] = call_again[i % sizeof(call_again)];
	} else {
		return false;
	}
	return true;
}

static bool overwrite(struct partition_view *v, const char *name,
		      struct machine *m, const char *what, vaddr_t va,
		      uint64_t pages, struct error *err)
{
	uint8_t page[PAGE_BYTES];
	char text[64];

	for (uint64_t i = 0; i < pages; i++) {
		paddr_t pa;

		if (!patterned(what, !i, page))
			return error_set(err, EXIT_USAGE,
					 "fault in '%s': no kind '%s'; there "
					 "are crash, hang and livelock",
					 name, what);
		if (!partition_view_translate(v, name, va + i * PAGE_BYTES, &pa,
					      err))
			return false;
		if (!bus_poke(machine_bus(m), pa, page, sizeof(page)))
			return error_set(err, EXIT_USAGE,
					 "fault in '%s': its text at 0x%" PRIx64
					 " is not in RAM; inspect its memory",
					 name, va + i * PAGE_BYTES);
		if (!i) {
			snprintf(text, sizeof(text), "%s.text %s", name, what);
			emit(m, text, pa, pages * PAGE_BYTES);
		}
	}
	return true;
}

bool fault_partition_text(struct partition_view *v, const char *name,
			  const char *what, struct error *err)
{
	struct partition_info info = {0};
	uint64_t bytes;
	vaddr_t va;

	if (!partition_view_find(v, name, &info, err))
		return false;
	if (info.state != PART_STATE_RUNNING || !info.cr3)
		return error_set(err, EXIT_USAGE,
				 "fault in '%s': it is %s; inject when it runs",
				 name, partition_info_state(&info));
	if (!partition_view_text(v, name, &va, &bytes, err))
		return false;
	return overwrite(
		v, name, partition_view_machine(v), what,
		va & ~(PAGE_BYTES - 1),
		(va % PAGE_BYTES + bytes + PAGE_BYTES - 1) / PAGE_BYTES, err);
}

bool fault_partition_ram(struct partition_view *v, const char *name, vaddr_t va,
			 const void *data, size_t bytes, struct error *err)
{
	char text[64];
	paddr_t pa;

	if (bytes > PAGE_BYTES - va % PAGE_BYTES)
		return error_set(err, EXIT_USAGE,
				 "fault in '%s': %zu bytes at 0x%" PRIx64
				 " leave the page; inject page by page",
				 name, bytes, va);
	if (!partition_view_translate(v, name, va, &pa, err))
		return false;
	if (!bus_poke(machine_bus(partition_view_machine(v)), pa, data, bytes))
		return error_set(err, EXIT_USAGE,
				 "fault in '%s': 0x%" PRIx64 " is not RAM",
				 name, va);
	snprintf(text, sizeof(text), "%s.ram", name);
	emit(partition_view_machine(v), text, pa, bytes);
	return true;
}

bool fault_partition_instance(struct partition_view *v, const char *name,
			      uint64_t frame, uint8_t byte, struct error *err)
{
	struct partition_info info = {0};
	struct partition_extent e[2];
	uint8_t page[PAGE_BYTES];
	char text[64];
	size_t n;

	if (!partition_view_find(v, name, &info, err))
		return false;
	/* Memory, if there is any, and the monitor's come first. */
	n = partition_view_extents(v, info.index, e, ARRAY_LEN(e));
	for (size_t i = 0; i < n; i++) {
		paddr_t pa = (e[i].pfn + frame) * PAGE_BYTES;

		if (strcmp(e[i].what, "monitor") != 0 || frame >= e[i].frames)
			continue;
		memset(page, byte, sizeof(page));
		if (!bus_poke(machine_bus(partition_view_machine(v)), pa, page,
			      sizeof(page)))
			break;
		snprintf(text, sizeof(text), "%s.instance", name);
		emit(partition_view_machine(v), text, pa, sizeof(page));
		return true;
	}
	return error_set(err, EXIT_USAGE,
			 "fault in '%s': its monitor instance has no frame "
			 "%" PRIu64 "; name one of a partition that runs",
			 name, frame);
}

/* --- machine checks --- */

#define STATUS_VAL   (UINT64_C(1) << 63)
#define STATUS_UC    (UINT64_C(1) << 61)
#define STATUS_EN    (UINT64_C(1) << 60)
#define STATUS_ADDRV (UINT64_C(1) << 58)
#define STATUS_PCC   (UINT64_C(1) << 57)
#define MEMORY_READ  0x009f /* memory controller, read, channel not known */

bool fault_machine_check(struct machine *m, unsigned cpu, paddr_t pa,
			 enum fault_check how, struct error *err)
{
	static const char *const what[] = {"check corrected",
					   "check uncorrected", "check fatal"};
	uint64_t status = STATUS_VAL | STATUS_EN | STATUS_ADDRV | MEMORY_READ;
	char text[64];

	if (cpu >= machine_cpu_count(m))
		return error_set(err, EXIT_USAGE,
				 "machine check: no CPU %u; there are %u", cpu,
				 machine_cpu_count(m));
	if (!bus_ram(machine_bus(m), pa, 1))
		return error_set(err, EXIT_USAGE,
				 "machine check: 0x%" PRIx64
				 " is not RAM; name an address in RAM",
				 pa);
	if (how != FAULT_CHECK_CORRECTED)
		status |= STATUS_UC;
	if (how == FAULT_CHECK_FATAL)
		status |= STATUS_PCC;
	snprintf(text, sizeof(text), "cpu%u %s", cpu, what[how]);
	emit(m, text, pa, status);
	machine_set_check(m, cpu, status, pa);
	return true;
}

bool fault_stall(struct machine *m, unsigned cpu, ps_t ps, struct error *err)
{
	char text[64];

	if (cpu >= machine_cpu_count(m))
		return error_set(err, EXIT_USAGE,
				 "CPU stall: no CPU %u; there are %u", cpu,
				 machine_cpu_count(m));
	snprintf(text, sizeof(text), "cpu%u stall", cpu);
	emit(m, text, 0, ps);
	machine_stall(m, cpu, ps);
	return true;
}

/* --- devices --- */

bool fault_device(struct machine *m, const char *device, const char *fault,
		  uint64_t argument, struct error *err)
{
	struct device *d = machine_device(m, device);
	char names[400] = "none";
	size_t n = 0;

	if (d)
		return device_fault(d, fault, argument, err);
	for (size_t i = 0; machine_device_at(m, i) && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
				      n ? ", " : "",
				      machine_device_at(m, i)->name);
	return error_set(err, EXIT_USAGE,
			 "no device '%s' on the board; there are: %s", device,
			 names);
}
