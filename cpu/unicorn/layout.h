/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu/unicorn/layout.h - where libunicorn 2.0.1 keeps its private state.
 *
 * Byte offsets in the structures of Debian 12's libunicorn2 (build-id in
 * library.c), found by experiment.  library.c checks them by behaviour before
 * any of them is used; no other build is trusted without that.
 */
#ifndef PARTERRE_UNICORN_LAYOUT_H
#define PARTERRE_UNICORN_LAYOUT_H

#include <stdint.h>

#define AT(base, type, offset) (*(type *)((char *)(base) + (offset)))

/* uc_engine */
#define UC_CPU            384
#define UC_TCG_CTX        704
#define UC_STOP_INTERRUPT 200
#define UC_STOP_REQUEST   1293 /* bool */
#define UC_INVALID_ERROR  1328

/* CPUState */
#define CS_CFLAGS_NEXT_TB    24 /* uint32_t; ~0: none */
#define CS_INTERRUPT_REQUEST 28 /* uint32_t */
#define CS_ENV_PTR           296
#define CS_TB_JMP_CACHE      312
#define CS_HALTED            33176 /* uint32_t */
#define CS_MEM_IO_PC         33144 /* uintptr_t: who accesses a register */
#define CS_CAN_DO_IO         33180 /* uint32_t */
#define CS_EXCEPTION_INDEX   33184 /* int32_t */
#define CS_UC                33192

/* X86CPU: from the CPUState */
#define X86_ICOUNT_DECR 34624 /* int32_t; negative: leave before a block */
#define X86_TLB_FAST    34576 /* 16 bytes for each mode */
#define X86_ENV         34640

/* CPUX86State */
#define ENV_REGS               0
#define ENV_EIP                128
#define ENV_EFLAGS             136
#define ENV_CC_OP              168 /* uint32_t */
#define ENV_DF                 172 /* int32_t: 1 or -1 */
#define ENV_HFLAGS             176 /* uint32_t */
#define ENV_HFLAGS2            180 /* uint32_t */
#define ENV_SEGS               184
#define ENV_LDT                328
#define ENV_TR                 352
#define ENV_GDT                376
#define ENV_IDT                400
#define ENV_CR                 424
#define ENV_EFER               560
#define ENV_FPSTT              572 /* uint32_t */
#define ENV_FPTAGS             580 /* 8 bytes; 1: empty */
#define ENV_FPREGS             592 /* 8 of 16 bytes */
#define ENV_XMM                792
#define ENV_XMM_STRIDE         64
#define ENV_SYSENTER_CS        4768 /* uint32_t */
#define ENV_SYSENTER_ESP       4776
#define ENV_SYSENTER_EIP       4784
#define ENV_STAR               4792
#define ENV_LSTAR              4808
#define ENV_CSTAR              4816
#define ENV_FMASK              4824
#define ENV_KERNELGSBASE       4832
#define ENV_TICK_ROOM          4840 /* int32_t; the TSC's offset, not in use */
#define ENV_PART               4844 /* uint32_t; its upper half */
#define ENV_ROOM               4848 /* int32_t; IA32_TSC_ADJUST, not in use */
#define ENV_PENDING            4852 /* uint32_t; its upper half */
#define ENV_BLOCK              4856 /* uint32_t; TSC deadline, not in use */
#define ENV_TSC_AUX            4864
#define ENV_PAT                5248
#define ENV_ERROR_CODE         5352 /* int32_t */
#define ENV_EXCEPTION_IS_INT   5356 /* int32_t */
#define ENV_EXCEPTION_NEXT_EIP 5360
#define ENV_DR                 5368
#define ENV_OLD_EXCEPTION      5464 /* int32_t */
#define ENV_VENDOR             5584 /* 12 characters */
#define ENV_FEATURES           5600 /* uint64_t each */
#define FEAT_1_EDX             0
#define FEAT_1_ECX             1
#define FEAT_7_EBX             2
#define FEAT_80000001_EDX      6
#define FEAT_80000001_ECX      7

struct env_segment {
	uint32_t selector, pad;
	uint64_t base;
	uint32_t limit;
	uint32_t flags; /* the descriptor's second word, bits 8-23 */
};

/* TranslationBlock, TCGContext, TCGOp */
#define TB_PC         0
#define TB_SIZE       20 /* uint16_t */
#define TB_FLAGS      16 /* uint32_t: hflags */
#define TB_CFLAGS     24 /* uint32_t */
#define CF_COUNT_MASK 0x7fffu
#define TCG_OPS       29576 /* first and last */
#define OP_CODE       0     /* uint8_t */
#define OP_NEXT       8
#define OP_PREV       16
#define OP_ARGS       24

/* Operations of the code generator, and a temporary's type. */
#define TCG_SET_LABEL  1
#define TCG_CALL       2
#define TCG_MOVI_I32   6
#define TCG_LD_I32     13
#define TCG_ST_I32     16
#define TCG_SUB_I32    18
#define TCG_OR_I32     27
#define TCG_BRCOND_I32 38
#define TCG_MOV_I64    63
#define TCG_MOVI_I64   64
#define TCG_LD_I64     73
#define TCG_ST_I64     77
#define TCG_ADD_I64    78
#define TCG_EXIT_TB    130
#define TCG_GOTO_TB    131
#define TCG_GOTO_PTR   132
#define TCG_QEMU_FIRST 133 /* loads and stores of the guest's: ld, st of 32 */
#define TCG_QEMU_LAST  136 /* bits, then of 64 */
#define TCG_TYPE_I32   0
#define TCG_TYPE_I64   1
/* A call of a function with one result and one argument that reads registers,
 * writes none and has no side effects. */
#define TCG_CALL_1_1   (TCG_CALL | 1 << 8 | 1 << 12)
#define TCG_CALL_READS 6
/* One without a result that has side effects, but writes no register. */
#define TCG_CALL_0_1   (TCG_CALL | 1 << 8)
#define TCG_CALL_0_2   (TCG_CALL | 2 << 8)
#define TCG_CALL_LOOKS 2
#define TCG_CALL_ALONE 3 /* neither reads nor writes registers */

/* hflags and hflags2 */
#define HF_CPL_MASK    3u
#define HF_INHIBIT_IRQ (1u << 3)
#define HF_OF_FLAGS    0x23100u /* TF, IOPL, VM: as in RFLAGS */
#define HF_LMA         (1u << 14)
#define HF_CS64        (1u << 15)
#define HF2_NMI_MASK   (1u << 2)

#define INTERRUPT_HARD 0x0002u
#define INTERRUPT_NMI  0x0200u

#define EXCP_INTERRUPT 0x10000

/* The TLB: for each mode a description; then for each the part that translated
 * code uses, at X86_TLB_FAST.  What was pushed out of its slot goes to the
 * victims, in turn. */
#define TLB_MODES            3
#define TLB_DESC_BYTES       440
#define X86_TLB_DESC         33248
#define TLB_DESC_LARGE       0  /* address and mask; both ~0: none */
#define TLB_DESC_WINDOW_MAX  24 /* most entries in use since it was resized */
#define TLB_DESC_USED        32
#define TLB_DESC_NEXT_VICTIM 40
#define TLB_VICTIMS          8
#define TLB_DESC_VICTIM      48
#define TLB_DESC_VICTIM_IO   304
#define TLB_DESC_IO          432 /* for each entry: TLB_IO_BYTES */
#define TLB_IO_BYTES         16
#define TLB_IO_ATTRS         8 /* uint32_t; ours: which gap between RAM */
#define TLB_IO_ATTRS_SHIFT   3 /* requester_id, which nothing looks at */
#define TLB_IO_GAP_MASK      0xffu
#define TLB_IO_SIZE_SHIFT    11 /* of the page: tlb.c */
#define TLB_IO_SIZE_MASK     3u
#define TLB_FAST_BYTES       16
#define TLB_FAST_MASK        0 /* (entries - 1) * TLB_ENTRY_BYTES */
#define TLB_FAST_TABLE       8

/* TLB flags in the low bits of an entry's addresses. */
#define TLB_ENTRY_BYTES   32
#define TLB_ENTRY_READ    0
#define TLB_ENTRY_WRITE   8
#define TLB_ENTRY_CODE    16
#define TLB_ENTRY_ADDEND  24
#define TLB_DISCARD_WRITE 0x40u
#define TLB_MMIO          0x200u
#define TLB_NOTDIRTY      0x400u
#define TLB_INVALID       0x800u
#define TLB_SPECIAL       0xfffu

#define MMU_USER_IDX 1

#endif
