/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_debug.h"

#include <string.h>

struct debug_plan fake_debug_plan;
unsigned fake_debug_resumed, fake_debug_breaks, fake_debug_watches;
uint8_t fake_debug_memory[4096];
struct debug_stop fake_debug_stop = {.id = {1, 1}};

#define BREAKS_MAX 3

const struct debug_stop *debug_stopped(const struct debug *d)
{
	(void)d;
	return &fake_debug_stop;
}

void debug_resume(struct debug *d, const struct debug_plan *plan)
{
	(void)d;
	fake_debug_plan = *plan;
	fake_debug_resumed++;
}

bool debug_process_at(struct debug *d, size_t position, struct debug_process *p)
{
	(void)d;
	*p = (struct debug_process){
		.pid = (uint32_t)position + 1,
		.name = "a<b&\"c\"",
		.program = position ? NULL : "/no/such/kernel.elf",
	};
	return position < 2;
}

bool debug_process(struct debug *d, uint32_t pid, struct debug_process *p)
{
	return pid && debug_process_at(d, pid - 1, p);
}

size_t debug_threads(struct debug *d, uint32_t pid, uint32_t *tid, size_t max)
{
	(void)d;
	if (pid == 1 && max >= 2) {
		tid[0] = 1;
		tid[1] = 2;
		return 2;
	}
	tid[0] = 6;
	return pid == 2;
}

bool debug_thread_alive(struct debug *d, struct debug_id id)
{
	(void)d;
	return (id.pid == 1 && (id.tid == 1 || id.tid == 2)) ||
	       (id.pid == 2 && id.tid == 6);
}

void debug_thread_text(struct debug *d, struct debug_id id, char *to,
		       size_t bytes)
{
	(void)d, (void)id;
	snprintf(to, bytes, "text");
}

unsigned debug_thread_cpu(struct debug *d, struct debug_id id)
{
	return id.pid == 1 && debug_thread_alive(d, id) ? id.tid - 1
							: CPU_COUNT_MAX;
}

struct debug_id debug_thread_on(struct debug *d, uint32_t pid, unsigned cpu)
{
	(void)d;
	return (struct debug_id){pid, pid == 1 ? cpu + 1 : 0};
}

bool debug_regs_get(struct debug *d, struct debug_id id, struct cpu_regs *regs,
		    bool *partial)
{
	memset(regs, 0, sizeof(*regs));
	regs->gpr[CPU_RAX] = 0x1122;
	regs->rip = 0x400000;
	*partial = id.pid != 1;
	return debug_thread_alive(d, id);
}

bool debug_regs_set(struct debug *d, struct debug_id id,
		    const struct cpu_regs *regs)
{
	(void)regs;
	return debug_thread_alive(d, id);
}

size_t debug_read(struct debug *d, struct debug_id id, vaddr_t va, void *to,
		  size_t bytes)
{
	uint64_t at = va - FAKE_VA;

	(void)d, (void)id;
	if (at >= sizeof(fake_debug_memory))
		return 0;
	if (bytes > sizeof(fake_debug_memory) - at)
		bytes = sizeof(fake_debug_memory) - at;
	memcpy(to, fake_debug_memory + at, bytes);
	return bytes;
}

bool debug_write(struct debug *d, struct debug_id id, vaddr_t va,
		 const void *from, size_t bytes)
{
	uint64_t at = va - FAKE_VA;

	(void)d, (void)id;
	if (at >= sizeof(fake_debug_memory) ||
	    bytes > sizeof(fake_debug_memory) - at)
		return false;
	memcpy(fake_debug_memory + at, from, bytes);
	return true;
}

bool debug_has_past(const struct debug *d)
{
	(void)d;
	return true;
}

bool debug_break_add(struct debug *d, uint32_t pid, vaddr_t va)
{
	(void)d, (void)pid, (void)va;
	return fake_debug_breaks++ < BREAKS_MAX;
}

void debug_break_remove(struct debug *d, uint32_t pid, vaddr_t va)
{
	(void)d, (void)pid, (void)va;
}

bool debug_watch_add(struct debug *d, uint32_t pid, vaddr_t va, uint64_t bytes,
		     unsigned kinds)
{
	(void)d, (void)pid, (void)va;
	return bytes && kinds && fake_debug_watches++ < BREAKS_MAX;
}

void debug_watch_remove(struct debug *d, uint32_t pid, vaddr_t va,
			uint64_t bytes)
{
	(void)d, (void)pid, (void)va, (void)bytes;
}

void debug_break_forget(struct debug *d)
{
	(void)d;
	fake_debug_breaks = fake_debug_watches = 0;
}

enum debug_told debug_command(struct debug *d, struct debug_id id,
			      const char *line, FILE *out)
{
	(void)d, (void)id;
	fprintf(out, "did %s\n", line);
	return strcmp(line, "nothing") != 0 ? DEBUG_TOLD : DEBUG_NO_COMMAND;
}
