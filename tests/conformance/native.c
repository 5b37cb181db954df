/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/conformance/native.c - the host's CPU. */
#include "native.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct state native_state; /* step.S */
void native_step(void);
extern char native_back[], native_fault[];

static volatile bool stepping;

/* Where the kernel keeps what struct state has, in its order. */
static const int greg[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void on_signal(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)info;
	if (!stepping) {
		signal(number, SIG_DFL);
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		native_state.gpr[i] = (uint64_t)c->uc_mcontext.gregs[greg[i]];
	native_state.rflags = (uint64_t)c->uc_mcontext.gregs[REG_EFL];
	memcpy(native_state.fx, c->uc_mcontext.fpregs, 512);
	native_state.vector = (uint32_t)c->uc_mcontext.gregs[REG_TRAPNO];
	c->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)native_fault;
	c->uc_mcontext.gregs[REG_EFL] &= ~0x500; /* DF, TF */
}

bool native_open(void)
{
	static char stack[65536];
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = on_signal,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP};
	void *code =
		mmap((void *)CODE_VA, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	void *data =
		mmap((void *)DATA_VA, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (code == MAP_FAILED || data == MAP_FAILED) {
		perror("conformance: the addresses of the tests are taken");
		return false;
	}
	sigaltstack(&alternate, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	return true;
}

void native_run(struct state *s, const uint8_t *insn, size_t bytes)
{
	/* jmp *0(%rip); the address follows */
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0};
	uint8_t *code = (uint8_t *)CODE_VA;
	uint64_t back = (uintptr_t)native_back;

	memcpy(code, insn, bytes);
	memcpy(code + bytes, jump, sizeof(jump));
	memcpy(code + bytes + sizeof(jump), &back, sizeof(back));
	memcpy((void *)DATA_VA, s->data, DATA_BYTES);
	memcpy(&native_state, s, sizeof(*s));
	native_state.vector = NO_VECTOR;
	stepping = true;
	native_step();
	stepping = false;
	memcpy(s, &native_state, sizeof(*s));
	memcpy(s->data, (void *)DATA_VA, DATA_BYTES);
}
