/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/debug/verbs_code.c - commands that show a thread's code, frames,
 * registers and memory.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cpu/decode.h"
#include "sim/debug/gdb.h"
#include "sim/debug/verbs.h"

#define FRAMES_MAX      64
#define CODE_MAX        256 /* instructions at a time */
#define CODE_DEFAULT    10
#define MEMORY_MAX      512 /* words at a time */
#define MEMORY_DEFAULT  8
#define LIST_LINES      5 /* on each side */
#define INSTRUCTION_MAX 15

const char *verb_process(const struct verb_call *c, uint32_t pid)
{
	return pid == DEBUG_MACHINE
		       ? "machine"
		       : partition_view_name(verb_view(c), pid - DEBUG_MACHINE);
}

struct debug_id verb_reader(const struct verb_call *c, uint32_t pid)
{
	struct debug_id id = {pid, 0};
	struct error ignored;

	if (pid == c->id.pid)
		return c->id;
	if (pid == DEBUG_MACHINE ||
	    !debug_thread_find(c->d, verb_process(c, pid), &id, &ignored))
		id.tid = 1;
	return id;
}

static bool thread_regs(struct verb_call *c, struct cpu_regs *regs,
			bool *partial)
{
	if (debug_regs_get(c->d, c->id, regs, partial))
		return true;
	verb_refuse(c, "this thread has never run: it has no registers");
	return false;
}

/* --- source --- */

/* "FILE:LINE" and the line's text, if the file is there. */
static void show_line(struct verb_call *c, const char *file, uint32_t line)
{
	char text[256];

	if (debug_source_line(c->d, file, line, text, sizeof(text)))
		fprintf(c->out, "%s:%u\t%s\n", file, line, text);
	else
		fprintf(c->out, "%s:%u\n", file, line);
}

bool verb_list(struct verb_call *c)
{
	struct debug_at at = {c->id.pid, 0};
	const struct symbols *s;
	struct cpu_regs regs;
	const char *file;
	uint32_t line;
	bool partial;

	if (c->argc > 1)
		return false;
	if (c->argc && !verb_place(c, c->argv[0], &at))
		return true;
	if (!c->argc) {
		if (!thread_regs(c, &regs, &partial))
			return true;
		at.va = regs.seg[CPU_CS].base + regs.rip;
	}
	s = debug_symbols(c->d, verb_reader(c, at.pid), at.va);
	if (!s || !symbols_line(s, at.va, &file, &line)) {
		verb_refuse(c, "0x%" PRIx64 ": no source line is known", at.va);
		return true;
	}
	for (uint32_t i = line > LIST_LINES ? line - LIST_LINES : 1;
	     i <= line + LIST_LINES; i++) {
		char text[256];

		if (debug_source_line(c->d, file, i, text, sizeof(text)))
			fprintf(c->out, "%s %4u  %s\n", i == line ? "=>" : "  ",
				i, text);
		else if (i == line)
			fprintf(c->out, "%s:%u: the file is not here\n", file,
				line);
	}
	return true;
}

bool verb_symbol(struct verb_call *c)
{
	struct debug_at at;
	char text[300];

	if (c->argc != 1)
		return false;
	if (!verb_place(c, c->argv[0], &at))
		return true;
	if (debug_place_text(c->d, verb_reader(c, at.pid), at.va, text,
			     sizeof(text)))
		fprintf(c->out, "0x%" PRIx64 " %s\n", at.va, text);
	else
		verb_refuse(c, "0x%" PRIx64 ": in no function that is known",
			    at.va);
	return true;
}

/* --- code --- */

static void one_instruction(struct verb_call *c, const struct symbols *s,
			    const struct decoded *in, vaddr_t va, bool here)
{
	uint64_t offset = 0;
	const char *name = s ? symbols_function(s, va, &offset) : NULL;

	fprintf(c->out, "%s 0x%" PRIx64 " <%s+%" PRIu64 ">\t%s\n",
		here ? "=>" : "  ", va, name ? name : "?", offset,
		in->kind == DECODE_UNKNOWN ? "(no instruction)" : in->text);
}

/* `pc`: of the thread that stands there. */
static void show_code(struct verb_call *c, struct debug_at at, uint64_t count,
		      vaddr_t pc)
{
	struct debug_id id = verb_reader(c, at.pid);
	const char *file, *last_file = NULL;
	uint32_t line, last_line = 0;
	struct decoder *decoder = decoder_create();
	struct decoded in;

	for (uint64_t i = 0; i < count; i++) {
		const struct symbols *s = debug_symbols(c->d, id, at.va);
		uint8_t code[INSTRUCTION_MAX];
		size_t n = debug_read(c->d, id, at.va, code, sizeof(code));

		if (!n) {
			verb_refuse(c, "0x%" PRIx64 " is not mapped here",
				    at.va);
			break;
		}
		if (s && symbols_line(s, at.va, &file, &line) &&
		    (file != last_file || line != last_line)) {
			show_line(c, file, line);
			last_file = file;
			last_line = line;
		}
		decoder_look(decoder, code, n, at.va, &in);
		one_instruction(c, s, &in, at.va, at.va == pc);
		at.va += in.bytes ? in.bytes : 1;
	}
	decoder_destroy(decoder);
}

bool verb_disassemble(struct verb_call *c)
{
	struct debug_at at = {c->id.pid, 0};
	uint64_t count = CODE_DEFAULT;
	struct cpu_regs regs;
	vaddr_t pc = 0;
	bool partial;

	if (c->argc > 2 || (c->argc == 2 && !verb_number(c->argv[1], &count)) ||
	    !count || count > CODE_MAX)
		return false;
	if (debug_regs_get(c->d, c->id, &regs, &partial))
		pc = regs.seg[CPU_CS].base + regs.rip;
	at.va = pc;
	if (c->argc && !verb_place(c, c->argv[0], &at))
		return true;
	show_code(c, at, count, pc);
	return true;
}

/* --- frames --- */

static bool read_word(void *owner, vaddr_t va, uint64_t *value)
{
	struct verb_call *c = owner;

	return debug_read(c->d, c->id, va, value, sizeof(*value)) ==
	       sizeof(*value);
}

/* psABI, figure 3.36: rax rdx rcx rbx rsi rdi rbp rsp r8... */
static void first_frame(const struct cpu_regs *regs, struct unwind_frame *f)
{
	static const enum cpu_gpr order[] = {
		CPU_RAX, CPU_RDX, CPU_RCX, CPU_RBX, CPU_RSI, CPU_RDI,
		CPU_RBP, CPU_RSP, CPU_R8,  CPU_R9,  CPU_R10, CPU_R11,
		CPU_R12, CPU_R13, CPU_R14, CPU_R15,
	};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		f->reg[i] = regs->gpr[order[i]];
	f->reg[UNWIND_RIP] = regs->seg[CPU_CS].base + regs->rip;
	f->known = (1u << UNWIND_REGISTERS) - 1;
	f->interrupted = true;
}

size_t debug_frames(struct debug *d, struct debug_id id,
		    struct unwind_frame *frame, size_t max)
{
	struct verb_call c = {.d = d, .id = id};
	const struct symbols *s;
	struct cpu_regs regs;
	size_t n = 0;
	bool partial;

	if (!max || !debug_regs_get(d, id, &regs, &partial))
		return 0;
	first_frame(&regs, &frame[0]);
	for (n = 1; n < max; n++) {
		frame[n] = frame[n - 1];
		s = debug_symbols(d, id, frame[n].reg[UNWIND_RIP]);
		if (!s || !unwind_step(s, &frame[n], read_word, &c))
			break;
	}
	return n;
}

bool verb_backtrace(struct verb_call *c)
{
	struct unwind_frame frame[FRAMES_MAX];
	uint64_t max = FRAMES_MAX;
	struct cpu_regs regs;
	size_t count;
	bool partial;

	if (c->argc > 1 || (c->argc && !verb_number(c->argv[0], &max)) || !max)
		return false;
	if (!thread_regs(c, &regs, &partial))
		return true;
	count = debug_frames(c->d, c->id, frame,
			     max < FRAMES_MAX ? max : FRAMES_MAX);
	for (size_t i = 0; i < count; i++) {
		vaddr_t pc = frame[i].reg[UNWIND_RIP];
		char text[300];

		/* Of a call the line that makes it, not the next one. */
		debug_place_text(c->d, c->id,
				 frame[i].interrupted ? pc : pc - 1, text,
				 sizeof(text));
		fprintf(c->out, "#%-2zu %-7s 0x%016" PRIx64 " %s\n", i,
			debug_space_name(c->d, c->id, pc), pc,
			text[0] ? text : "?");
	}
	return true;
}

/* --- registers --- */

static bool wanted(const struct gdb_reg_value *r, const char *what)
{
	if (!what)
		return r->number < GDB_REGS_GENERAL;
	return strcmp(what, "all") == 0 || strcmp(what, r->name) == 0 ||
	       strcmp(what, r->group) == 0;
}

bool verb_registers(struct verb_call *c)
{
	const char *what = c->argc ? c->argv[0] : NULL;
	struct gdb_reg_value r;
	struct cpu_regs regs;
	bool partial, any = false;

	if (c->argc > 1)
		return false;
	if (!thread_regs(c, &regs, &partial))
		return true;
	for (uint64_t n = 0; gdb_reg_nth(n, &regs, partial, &r); n++) {
		if (!wanted(&r, what))
			continue;
		any = true;
		fprintf(c->out, "%-12s ", r.name);
		if (!r.known)
			fprintf(c->out, "saved nowhere: it has no CPU");
		else
			fprintf(c->out, "0x");
		for (unsigned i = r.known ? r.bytes : 0; i--;)
			fprintf(c->out, "%02x", r.value[i]);
		if (r.number == GDB_REG_RIP && r.known) {
			char text[300];

			debug_place_text(c->d, c->id,
					 regs.seg[CPU_CS].base + regs.rip, text,
					 sizeof(text));
			fprintf(c->out, "  %s", text);
		}
		fprintf(c->out, "\n");
	}
	if (!any)
		verb_refuse(c, "%s: no such register or group", what);
	return true;
}

/* --- memory --- */

static void show_words(struct verb_call *c, vaddr_t va, const uint64_t *word,
		       size_t count)
{
	const unsigned char *byte = (const unsigned char *)word;

	fprintf(c->out, "0x%016" PRIx64, va);
	for (size_t i = 0; i < 2; i++) {
		if (i < count)
			fprintf(c->out, "  0x%016" PRIx64, word[i]);
		else
			fprintf(c->out, "  %18s", "");
	}
	fprintf(c->out, "  ");
	for (size_t i = 0; i < 8 * count; i++)
		fputc(isprint(byte[i]) ? byte[i] : '.', c->out);
	fputc('\n', c->out);
}

bool verb_memory(struct verb_call *c)
{
	uint64_t words = MEMORY_DEFAULT, word[MEMORY_MAX];
	struct debug_at at;
	size_t got;

	if (c->argc < 1 || c->argc > 2 ||
	    (c->argc == 2 && !verb_number(c->argv[1], &words)) || !words ||
	    words > MEMORY_MAX)
		return false;
	if (!verb_place(c, c->argv[0], &at))
		return true;
	got = debug_read(c->d, verb_reader(c, at.pid), at.va, word,
			 words * sizeof(word[0])) /
	      sizeof(word[0]);
	for (size_t i = 0; i < got; i += 2)
		show_words(c, at.va + 8 * i, &word[i], got - i < 2 ? 1 : 2);
	if (got < words)
		verb_refuse(c, "0x%" PRIx64 " is not mapped for %s",
			    at.va + 8 * got, verb_process(c, at.pid));
	return true;
}

/* --- threads --- */

bool verb_threads(struct verb_call *c)
{
	struct debug_process p;
	uint32_t tid[PART_SLOTS];
	char text[160], place[300];

	if (c->argc)
		return false;
	for (size_t i = 0; debug_process_at(c->d, i, &p); i++) {
		size_t count = debug_threads(c->d, p.pid, tid, PART_SLOTS);

		for (size_t k = 0; k < count; k++) {
			struct debug_id id = {p.pid, tid[k]};
			struct cpu_regs regs;
			bool partial, here = id.pid == c->id.pid &&
					     id.tid == c->id.tid;

			debug_thread_text(c->d, id, text, sizeof(text));
			place[0] = '\0';
			if (debug_regs_get(c->d, id, &regs, &partial))
				debug_place_text(c->d, id,
						 regs.seg[CPU_CS].base +
							 regs.rip,
						 place, sizeof(place));
			fprintf(c->out, "%s %2u.%-3u %-28s %s\n",
				here ? "=>" : "  ", id.pid, id.tid, text,
				place);
		}
	}
	return true;
}
