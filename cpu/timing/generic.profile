# SPDX-License-Identifier: GPL-2.0-or-later
# cpu/timing/generic.profile - an out-of-order core of six dispatch slots.
#
# What stands behind a line tells where its figures come from:
#   SOG     AMD, Software Optimization Guide for the AMD Zen4
#           Microarchitecture, publication 57647
#   own     measured on a processor of that kind by tests/bench/timing
#   guess   neither: such instructions trap under a hypervisor, or are seldom
#           seen; the order of magnitude alone is meant

name generic: six slots, four integer and four vector units

set width 6                # SOG 2.9: six macro-ops are dispatched in a cycle
set window 320             # SOG 2.9: entries of the retire control unit
set scheduler 96           # SOG 2.10: four integer schedulers of 24 entries
set load 4                 # SOG 2.6.1, own: L1 load to use, integer
set load_vector 7          # SOG 2.6.1, own: floating point and vector
set forward 0              # own: a load of what was just stored through the same operand is renamed
set forward_vector 7       # guess: as load_vector; it is not renamed
set forward_update 0       # own: neither is an addition to memory slower
set store_with_loads 2     # own: stores alone go in pairs, among loads they don't
set taken 1                # SOG 2.8.1: a taken branch each cycle
set loads 54               # own: chains of loads that overlap
set mispredict 16          # own: a branch that goes either way

# --- memory: on top of what a hit of the first cache takes ---
cache l1i 32 8 0           # SOG 2.7: 32 KiB, 8 ways
cache l1d 32 8 0           # SOG 2.6: 32 KiB, 8 ways
cache l2 1024 8 10         # SOG 2.6.2: 1 MiB, 8 ways, 14 cycles
cache llc 32768 16 46      # SOG 2.6.3: 32 MiB of a complex, 16 ways, 50 cycles
set dram 350               # guess: a hundred ns
set misses 24              # SOG 2.12: fill buffers of the first cache
set line_l2 2              # SOG 2.6.2: 32 bytes a cycle
set line_llc 3.3           # own: a line after the other from 8 MiB
set line_dram 7.3          # own: ... from 64 MiB
set bandwidth 250          # guess: 50 GB/s at 3 GHz
tlb itlb 64 8 0            # SOG 2.7: 64 entries
tlb dtlb 64 8 0            # SOG 2.6.1: 72 entries; here a power of two
tlb stlb 3072 24 7         # SOG 2.6.1: 3072 entries, 24 ways
set walk 12                # guess: a step each of four levels, most of them in caches
set walks 2                # guess: two walkers

port alu 4                 # SOG 2.10.1: ALU0 to ALU3
port shift 2               # SOG 2.10.2: ALU1, ALU2
port mul 1                 # SOG 2.10.2: ALU1
port div 1                 # SOG 2.10.2: one integer divider
port branch 2              # SOG 2.10.1: ALU0 and BRU
port load 3                # SOG 2.12: three loads a cycle
port load_vector 2         # SOG 2.12, own: two of them of vectors
port store 2               # SOG 2.12: two stores of up to 64 bits
port vector 4              # SOG 2.11.1: FP0 to FP3
port shuffle 3             # own: three PSHUFD a cycle
port vshift 2              # SOG 2.11.1: FP1, FP2
port vmul 2                # SOG 2.11.1: FP0, FP3 (integer)
port fmul 2                # SOG 2.11.1: FP0, FP1
port fadd 2                # SOG 2.11.1: FP2, FP3
port fdiv 1                # SOG 2.11.1: one divider
port transfer 2            # SOG 2.11.1: between the files of registers

# --- integer ---
class default alu:1                       # SOG: one cycle on any ALU
class move latency 0                      # SOG 2.9.4: renamed, no unit
class zero latency 0                      # SOG 2.9.2: zeroing idioms
class nop latency 0 ops 0.5               # own: two to a slot
class load latency 0                      # the load is added by itself
class store latency 0                     # ... and the store
class extend alu:1                        # SOG; from memory as a load
class shift alu:1 shift:1                 # SOG
class shift2 latency 3 ops 4 alu:4 shift:2  # SOG: SHLD and SHRD are microcode
class carry alu:1                         # SOG
class cmov alu:1                          # SOG
class setcc alu:1                         # SOG
class lea                                 # own: a slot, and no ALU that others lack
class lea2 latency 2 alu:1                # SOG, own: scaled index, or three parts
class imul latency 3 alu:1 mul:1          # SOG, own
class mul latency 3 ops 2 alu:1 mul:2     # SOG
class add_small alu:1                     # SOG: a constant added to 64 bits, as any other
class div latency 12 ops 2 alu:1 div:6.6    # own: 64 by 64 bits, small quotients
class div32 latency 12 ops 2 alu:1 div:6.6  # guess: of 32 bits, as of 64: by quotients alike
class bits latency 1 alu:1                # SOG: POPCNT, LZCNT, TZCNT
class scan latency 3 ops 8 alu:8          # SOG: BSF, BSR are microcode
class swap alu:1                          # SOG: BSWAP
class xchg latency 1 ops 2                # SOG
class branch alu:1 branch:1               # SOG
class jump branch:1                       # SOG
class call ops 2 branch:1 store:1         # SOG
class ret branch:1 load:1                 # SOG
class push latency 0                      # SOG: the stack engine
class pop latency 0                       # SOG
class leave latency 1 ops 2               # SOG
class flags latency 4 ops 8               # guess: LAHF, PUSHF and the like
class cmpxchg latency 3 ops 5 alu:4       # SOG
class bit_memory latency 2 ops 2 alu:2    # SOG: BT, BTS of registers
class decimal latency 4 ops 8             # guess

insn move mov movaps movups movapd movupd movdqa movdqu movabs
insn extend movzx movsx movsxd cdqe cwde cbw cdq cqo cwd
insn nop nop endbr64 pause prefetcht0 prefetcht1 prefetcht2 prefetchnta prefetchw prefetch
insn shift shl shr sar rol ror sal
insn shift2 shld shrd rcl rcr
insn carry adc sbb
insn cmov cmova cmovae cmovb cmovbe cmove cmovne cmovg cmovge cmovl cmovle cmovo cmovno cmovp cmovnp cmovs cmovns
insn setcc seta setae setb setbe sete setne setg setge setl setle seto setno setp setnp sets setns
insn lea lea
insn imul imul
insn mul mul
insn div div idiv
insn bits popcnt lzcnt tzcnt
insn scan bsf bsr
insn swap bswap
insn xchg xchg xadd
insn branch ja jae jb jbe je jne jg jge jl jle jo jno jp jnp js jns jcxz jecxz jrcxz
insn jump jmp
insn call call
insn ret ret
insn push push
insn pop pop
insn leave leave
insn flags lahf sahf pushfq pushfd pushf
insn cmpxchg cmpxchg cmpxchg8b cmpxchg16b
insn bit_memory bt bts btr btc

# --- vectors and floating point ---
class vector vector:1                     # SOG: integer and logic
class vshuffle latency 1 shuffle:1 vector:1  # SOG
class vshift latency 1 vshift:1 vector:1  # SOG
class vmul latency 3 vmul:1 vector:1      # SOG
class fadd latency 3 fadd:1 vector:1      # SOG, own
class fmul latency 3 fmul:1 vector:1      # SOG, own
class fdivs latency 10.5 fdiv:3.5         # SOG: ten or eleven cycles
class fdivd latency 13 fdiv:5             # SOG, own
class fsqrts latency 15 fdiv:5            # SOG
class fsqrtd latency 21 fdiv:8.5          # SOG, own
class convert latency 4 ops 1 fadd:1 vector:1  # SOG
class convert2 latency 7 ops 2 fadd:1 vector:1 # SOG: to and from general registers
class fcompare latency 6 ops 2 fadd:1     # SOG: to the flags
class transfer latency 3.5 transfer:1     # own: between the files of registers
class horizontal latency 6 ops 4 vector:4 # SOG
class sad latency 3 vmul:1                # SOG
class pmovmsk latency 5 ops 1 transfer:1  # SOG
class mxcsr latency 10 ops 8              # guess
class vsave ops 90 latency 1 serial 50    # guess: FXSAVE, FXRSTOR

insn transfer movd movq
insn vshuffle pshufd pshufb pshufw pshufhw pshuflw punpcklbw punpcklwd punpckldq punpcklqdq punpckhbw punpckhwd punpckhdq punpckhqdq packsswb packssdw packuswb packusdw unpcklps unpckhps unpcklpd unpckhpd shufps shufpd palignr movhlps movlhps movddup pslldq psrldq pinsrw pinsrd pinsrq pinsrb
insn vshift psllw pslld psllq psrlw psrld psrlq psraw psrad
insn vmul pmullw pmulhw pmulhuw pmuludq pmuldq pmaddwd pmaddubsw pmulld
insn fadd addss addsd addps addpd subss subsd subps subpd minss minsd minps minpd maxss maxsd maxps maxpd cmpss cmpps cmppd
insn fmul mulss mulsd mulps mulpd
insn fdivs divss divps
insn fdivd divsd divpd
insn fsqrts sqrtss sqrtps
insn fsqrtd sqrtsd sqrtpd
insn convert cvtdq2ps cvtps2dq cvttps2dq cvtss2sd cvtsd2ss cvtps2pd cvtpd2ps
insn convert2 cvtsi2sd cvtsi2ss cvttsd2si cvttss2si cvtsd2si cvtss2si
insn fcompare comiss comisd ucomiss ucomisd ptest
insn horizontal haddps haddpd phaddw phaddd hsubps hsubpd
insn sad psadbw
insn pmovmsk pmovmskb movmskps movmskpd pextrw pextrd pextrq pextrb
insn mxcsr ldmxcsr stmxcsr
insn vsave fxsave fxrstor fxsave64 fxrstor64

# --- x87 ---
class x87 latency 1 fadd:1                # SOG: loads, stores, exchanges
class x87add latency 7 fadd:1             # SOG
class x87mul latency 7 fmul:1             # SOG
class x87div latency 15 fdiv:6            # SOG
class x87long latency 60 ops 60           # guess: transcendental ones

insn x87add fadd faddp fiadd fsub fsubp fisub fsubr fsubrp fisubr
insn x87mul fmul fmulp fimul
insn x87div fdiv fdivp fidiv fdivr fdivrp fidivr fsqrt
insn x87long fsin fcos fptan fpatan f2xm1 fyl2x fyl2xp1 fsincos fprem fprem1 fscale fbld fbstp

# --- strings: an iteration of REP; of MOVS and STOS for each byte ---
class string ops 4 latency 1 load:1 store:1  # SOG: without REP
class rep_movsb ops 0.188 start 12        # own: 32 bytes a cycle from the first cache
class rep_movs ops 0.188 start 12         # own: MOVSW, MOVSD, MOVSQ
class rep_stosb ops 0.188 start 12        # own: REP STOSQ of 64 bytes
class rep_stos ops 0.188 start 12         # own
class rep_compare ops 0.7 start 12        # own: REPE CMPSB of a KiB; SCAS
class rep_load ops 6 start 12             # guess: LODS, an iteration a cycle
insn string movsb movsw movsq stosb stosw stosd stosq lodsb lodsw lodsd lodsq scasb scasw scasd scasq cmpsb cmpsw cmpsq

# --- what waits for everything before it ---
class lock latency 0 ops 4 serial 16      # own: LOCK ADD to the first cache
class fence serial 20                     # own: MFENCE with a store under way
class fence_load serial 8                 # own: LFENCE
class cpuid ops 50 serial 100             # guess: a hypervisor traps it
class tsc ops 30 serial 20                # own
class syscall serial 60                   # guess: one way
class sysret serial 50                    # guess: one way
class iret serial 180                     # guess
class far serial 80                       # guess: far CALL, JMP, RET
class segment serial 20                   # guess: a load of a descriptor
class control serial 60                   # guess: MOV to and from CR0, CR4, CR8, DRn
class load_cr3 serial 150                 # guess
class invlpg serial 120                   # guess
class wrmsr serial 150                    # guess
class rdmsr serial 60                     # guess
class port serial 60                      # guess: the CPU's part; the device's comes on top
class interrupts serial 6                 # guess: CLI, STI
class popf serial 25                      # guess
class tables serial 60                    # guess: LGDT, LIDT, LLDT, LTR
class flush serial 100                    # guess: CLFLUSH
class invalidate serial 10000             # guess: WBINVD
class swapgs serial 20                    # guess
class halt serial 20                      # guess

insn fence mfence sfence
insn fence_load lfence
insn cpuid cpuid
insn tsc rdtsc rdtscp rdpmc
insn syscall syscall sysenter
insn sysret sysret sysexit
insn iret iretq iretd iret
insn far lcall ljmp retf retfq
insn segment lds les lfs lgs lss lar lsl verr verw
insn control clts lmsw smsw
insn invlpg invlpg
insn wrmsr wrmsr
insn rdmsr rdmsr
insn port in out insb insw insd outsb outsw outsd
insn interrupts cli sti
insn popf popfq popfd popf
insn tables lgdt lidt lldt ltr sgdt sidt sldt str
insn flush clflush
insn invalidate wbinvd invd
insn swapgs swapgs
insn halt hlt

event exception 200        # guess: microcode, six words pushed, the gate read
event interrupt 250        # guess: ... and the acknowledgement
