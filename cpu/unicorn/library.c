/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/library.c - is this the libunicorn that we know?
 *
 * Once in a process: the version, the build-id of the file that is loaded, the
 * functions behind those that interpose.c replaces, and whether private state
 * lies where layout.h says.  A build that isn't known must pass selftest.c.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "cpu/unicorn/engine.h"
#include "cpu/unicorn/selftest.h"
#include "sim/check.h"

#define REMEDY "install Debian 12's: apt install libunicorn2=2.0.1.post1-1+b1"

static const char *const known_builds[] = {
	/* Debian 12 amd64, libunicorn2 2.0.1.post1-1+b1 */
	"f439d3d09a3fefbcc7d4014bd3f67c12d55957e6",
};

struct originals originals;

static char build_id[2 * 32 + 1];
static char text[128] = "unicorn, not loaded";

const char *library_text(void)
{
	return text;
}

/* --- build-id: the note of the object that holds uc_open() --- */

static void read_notes(const char *at, size_t bytes)
{
	while (bytes >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *n = (const void *)at;
		size_t name = (n->n_namesz + 3) & ~3u;
		size_t desc = (n->n_descsz + 3) & ~3u;
		const unsigned char *id =
			(const unsigned char *)at + sizeof(*n) + name;

		if (sizeof(*n) + name + desc > bytes)
			return;
		if (n->n_type == NT_GNU_BUILD_ID && n->n_descsz <= 32) {
			for (size_t i = 0; i < n->n_descsz; i++)
				snprintf(build_id + 2 * i, 3, "%02x", id[i]);
			return;
		}
		at += sizeof(*n) + name + desc;
		bytes -= sizeof(*n) + name + desc;
	}
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *where)
{
	bool ours = false;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD &&
		    (uintptr_t)where - (info->dlpi_addr + p->p_vaddr) <
			    p->p_memsz)
			ours = true;
	}
	if (!ours)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_NOTE)
			read_notes((const char *)info->dlpi_addr + p->p_vaddr,
				   p->p_memsz);
	}
	return 1;
}

/* --- functions --- */

#define ORIGINAL(member, name)                                                 \
	{                                                                      \
		offsetof(struct originals, member), name                       \
	}
#define X(name) name "_x86_64"

static const struct {
	size_t offset;
	const char *name;
} functions[] = {
	ORIGINAL(translator_loop, X("translator_loop")),
	ORIGINAL(memory_mapping, "memory_mapping"),
	ORIGINAL(tlb_fill, X("x86_cpu_tlb_fill")),
	ORIGINAL(cpu_loop_exit_noexc, X("cpu_loop_exit_noexc")),
	ORIGINAL(exec_interrupt, X("x86_cpu_exec_interrupt")),
	ORIGINAL(raise_interrupt, X("helper_raise_interrupt")),
	ORIGINAL(into, X("helper_into")),
	ORIGINAL(syscall, X("helper_syscall")),
	ORIGINAL(sysret, X("helper_sysret")),
	ORIGINAL(sysenter, X("helper_sysenter")),
	ORIGINAL(sysexit, X("helper_sysexit")),
	ORIGINAL(iret_protected, X("helper_iret_protected")),
	ORIGINAL(lret_protected, X("helper_lret_protected")),
	ORIGINAL(lcall_protected, X("helper_lcall_protected")),
	ORIGINAL(load_seg, X("helper_load_seg")),
	ORIGINAL(ltr, X("helper_ltr")),
	ORIGINAL(lldt, X("helper_lldt")),
	ORIGINAL(lar, X("helper_lar")),
	ORIGINAL(lsl, X("helper_lsl")),
	ORIGINAL(rdtsc, X("helper_rdtsc")),
	ORIGINAL(rdmsr, X("helper_rdmsr")),
	ORIGINAL(wrmsr, X("helper_wrmsr")),
	ORIGINAL(read_cr, X("helper_read_crN")),
	ORIGINAL(write_cr, X("helper_write_crN")),
	ORIGINAL(hlt, X("helper_hlt")),
	ORIGINAL(pause, X("helper_pause")),
	ORIGINAL(cpuid, X("cpu_x86_cpuid")),
	ORIGINAL(tlb_protect_code, X("tlb_protect_code")),
	ORIGINAL(invalidate_fast, X("tb_invalidate_phys_page_fast")),
	ORIGINAL(reset_request, "qemu_system_reset_request"),
	ORIGINAL(port_in[0], X("helper_inb")),
	ORIGINAL(port_in[1], X("helper_inw")),
	ORIGINAL(port_in[2], X("helper_inl")),
	ORIGINAL(port_out[0], X("helper_outb")),
	ORIGINAL(port_out[1], X("helper_outw")),
	ORIGINAL(port_out[2], X("helper_outl")),
	ORIGINAL(horizontal[0], X("helper_phaddw_xmm")),
	ORIGINAL(horizontal[1], X("helper_phaddd_xmm")),
	ORIGINAL(horizontal[2], X("helper_phaddsw_xmm")),
	ORIGINAL(horizontal[3], X("helper_phsubw_xmm")),
	ORIGINAL(horizontal[4], X("helper_phsubd_xmm")),
	ORIGINAL(horizontal[5], X("helper_phsubsw_xmm")),
	ORIGINAL(horizontal[6], X("helper_phaddw_mmx")),
	ORIGINAL(horizontal[7], X("helper_phaddd_mmx")),
	ORIGINAL(horizontal[8], X("helper_phaddsw_mmx")),
	ORIGINAL(horizontal[9], X("helper_phsubw_mmx")),
	ORIGINAL(horizontal[10], X("helper_phsubd_mmx")),
	ORIGINAL(horizontal[11], X("helper_phsubsw_mmx")),
	ORIGINAL(check_exit_request, X("check_exit_request")),
	ORIGINAL(exec_init, X("tcg_exec_init")),
	ORIGINAL(lookup_block, X("helper_lookup_tb_ptr")),
	ORIGINAL(set_dr, X("helper_set_dr")),
	ORIGINAL(single_step, X("helper_single_step")),
	ORIGINAL(rechecking_single_step, X("helper_rechecking_single_step")),
	ORIGINAL(get_dr, X("helper_get_dr")),
	ORIGINAL(rdpmc, X("helper_rdpmc")),
	ORIGINAL(load_code8, X("cpu_ldub_code")),
	ORIGINAL(load16, X("cpu_lduw_mmuidx_ra")),
	ORIGINAL(load32, X("cpu_ldl_mmuidx_ra")),
	ORIGINAL(load64, X("cpu_ldq_mmuidx_ra")),
	ORIGINAL(store8, X("cpu_stb_mmuidx_ra")),
	ORIGINAL(store16, X("cpu_stw_mmuidx_ra")),
	ORIGINAL(store32, X("cpu_stl_mmuidx_ra")),
	ORIGINAL(store64, X("cpu_stq_mmuidx_ra")),
	ORIGINAL(raise_exception_err_ra, X("raise_exception_err_ra")),
	ORIGINAL(set_page, X("tlb_set_page_with_attrs")),
	ORIGINAL(restore_state, X("cpu_restore_state")),
	ORIGINAL(update_hflags, X("x86_update_hflags")),
	ORIGINAL(read_eflags, X("helper_read_eflags")),
	ORIGINAL(write_eflags, X("helper_write_eflags")),
	ORIGINAL(hardirq, X("do_interrupt_x86_hardirq")),
	ORIGINAL(do_interrupt, X("x86_cpu_do_interrupt")),
	ORIGINAL(tlb_flush, X("tlb_flush")),
	ORIGINAL(tlb_flush_page, X("tlb_flush_page")),
	ORIGINAL(invlpg, X("helper_invlpg")),
	ORIGINAL(tb_flush, X("tb_flush")),
	ORIGINAL(code_size, X("tcg_code_size")),
	ORIGINAL(invalidate_range, X("tb_invalidate_phys_range")),
	ORIGINAL(reset_dirty, X("tlb_reset_dirty")),
	ORIGINAL(loop_exit, X("cpu_loop_exit")),
	ORIGINAL(ram_addr_from_host, X("qemu_ram_addr_from_host")),
	ORIGINAL(op_after, X("tcg_op_insert_after")),
	ORIGINAL(op_remove, X("tcg_op_remove")),
	ORIGINAL(temp_new, X("tcg_temp_new_internal")),
};

static bool find_functions(struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		void *own = dlsym(RTLD_DEFAULT, functions[i].name);
		void *f = dlsym(RTLD_NEXT, functions[i].name);

		/* Linked without -rdynamic, ours is not seen by the library:
		 * both searches then find the same one. */
		if (!f && own)
			f = own;
		if (!f)
			return error_set(err, EXIT_HOST,
					 "libunicorn has no function %s; %s",
					 functions[i].name, REMEDY);
		memcpy((char *)&originals + functions[i].offset, &f, sizeof(f));
	}
	CHECK_MSG((void *)originals.translator_loop !=
			  dlsym(RTLD_DEFAULT, X("translator_loop")),
		  "this program is not linked with -rdynamic");
	return true;
}

/* --- layout --- */

struct probe {
	int reg; /* by uc_reg_write() */
	size_t offset;
};

static bool layout_ok(void)
{
	static const struct probe probes[] = {
		{UC_X86_REG_RAX, ENV_REGS},
		{UC_X86_REG_R15, ENV_REGS + 8 * CPU_R15},
		{UC_X86_REG_RIP, ENV_EIP},
		{UC_X86_REG_FS_BASE, ENV_SEGS + 24 * CPU_FS + 8},
		{UC_X86_REG_GS_BASE, ENV_SEGS + 24 * CPU_GS + 8},
		{UC_X86_REG_CR2, ENV_CR + 16},
		{UC_X86_REG_DR0, ENV_DR},
		{UC_X86_REG_ST0, ENV_FPREGS},
		{UC_X86_REG_XMM0, ENV_XMM},
		{UC_X86_REG_XMM15, ENV_XMM + 15 * ENV_XMM_STRIDE},
	};
	static const struct {
		uint32_t msr;
		size_t offset;
	} msrs[] = {
		{0x175, ENV_SYSENTER_ESP}, {0x176, ENV_SYSENTER_EIP},
		{0x277, ENV_PAT},          {0xc0000081, ENV_STAR},
		{0xc0000082, ENV_LSTAR},   {0xc0000083, ENV_CSTAR},
		{0xc0000084, ENV_FMASK},   {0xc0000102, ENV_KERNELGSBASE},
	};
	uc_engine *uc;
	uint64_t rax;
	bool ok;
	char *cs, *env;

	if (uc_open(UC_ARCH_X86, UC_MODE_64, &uc) != UC_ERR_OK)
		return false;
	uc_reg_read(uc, UC_X86_REG_RAX, &rax); /* makes the engine's parts */
	cs = AT(uc, char *, UC_CPU);
	env = cs + X86_ENV;
	ok = AT(cs, void *, CS_UC) == uc && AT(cs, void *, CS_ENV_PTR) == env;
	for (size_t i = 0; ok && i < ARRAY_LEN(probes); i++) {
		uint64_t value[8] = {UINT64_C(0x1234567089abcd00) + i};

		ok = uc_reg_write(uc, probes[i].reg, value) == UC_ERR_OK &&
		     AT(env, uint64_t, probes[i].offset) == value[0];
	}
	for (size_t i = 0; ok && i < ARRAY_LEN(msrs); i++) {
		uc_x86_msr msr = {msrs[i].msr, 0x40000 + i};

		ok = uc_reg_write(uc, UC_X86_REG_MSR, &msr) == UC_ERR_OK &&
		     AT(env, uint64_t, msrs[i].offset) == msr.value;
	}
	ok = ok && tlb_layout_ok(cs);
	uc_close(uc);
	return ok;
}

/* --- verdict --- */

bool library_trusted(const char *id, bool (*selftest)(void), struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(known_builds); i++) {
		if (strcmp(known_builds[i], id) == 0)
			return true;
	}
	return selftest() ||
	       error_set(err, EXIT_HOST,
			 "libunicorn with build-id %s is not known and failed "
			 "the self-test; %s",
			 id, REMEDY);
}

static bool library_check(struct error *err)
{
	unsigned major, minor;

	dl_iterate_phdr(look_at_object, (void *)uc_open);
	uc_version(&major, &minor);
	snprintf(text, sizeof(text), "unicorn %u.%u build-id %s", major, minor,
		 build_id);
	if (major != 2 || minor != 0)
		return error_set(
			err, EXIT_HOST,
			"libunicorn is version %u.%u, wanted 2.0.1; %s", major,
			minor, REMEDY);
	if (!find_functions(err))
		return false;
	return true;
}

bool library_open(struct error *err)
{
	static enum {
		NEW,
		TESTING,
		GOOD
	} state;

	if (state != NEW) /* in the self-test it is in use already */
		return true;
	if (!library_check(err))
		return false;
	state = TESTING;
	if (!library_trusted(build_id, selftest_in_child, err)) {
		state = NEW;
		return false;
	}
	if (!layout_ok()) {
		state = NEW;
		return error_set(err, EXIT_HOST,
				 "libunicorn (%s) keeps its state at other "
				 "places than it should; %s",
				 text, REMEDY);
	}
	state = GOOD;
	return true;
}
