/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/blob.S - the process image, inside the guest's. */
	.section .rodata.process, "a", @progbits
	.balign	16
	.globl	process_blob, process_blob_end
process_blob:
	.incbin	"process.bin"
process_blob_end:

	.section .note.GNU-stack, "", @progbits
