# SPDX-License-Identifier: GPL-2.0-or-later
# Reads a run of s75-card.lua as `parterre trace` prints it: the fence resets
# io.a's card (its DEVICE_STATUS is 0), and between that and its driver's
# DRIVER_OK it touches no memory.
/ console .*io\.a: device 3 fenced/ {
	if (!reset) {
		print "the card of the dead was not reset"
		wrong = 1
		exit
	}
	fenced = 1
	fences++
}
/ reg_write device="net0\.bar0" offset=0x14 size=1 value=0$/ { reset = 1 }
/ reg_write device="net0\.bar0" offset=0x14 size=1 value=0xf$/ {
	fenced = reset = 0
}
/ frame device="net1" sent=1 / && fenced { sent++ }
/ dma_(read|write) device="net0"/ {
	if (fenced) {
		print "the card of the dead works: " $0
		wrong = 1
		exit
	}
	dma++
}
END {
	if (!wrong)
		printf "%d fences, %s, %s: quiet\n", fences,
			sent ? "frames all the while" : "no frames",
			dma ? "else at work" : "never at work"
	exit wrong
}
