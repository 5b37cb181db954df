/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic profile, as a part of the program (profile.h). */
	.section .rodata
	.globl	timing_generic_profile, timing_generic_profile_end
	.hidden	timing_generic_profile, timing_generic_profile_end
timing_generic_profile:
	.incbin "cpu/timing/generic.profile"
timing_generic_profile_end:
	.byte	0
	.section .note.GNU-stack, "", @progbits
