# SPDX-License-Identifier: GPL-2.0-or-later
# Of `parterre trace --class full`: does each load give what the stores before it
# left, byte by byte, at the same virtual address?  Besides, page walks write
# accessed and dirty bits; and now and then an address is mapped to another frame,
# which one in 1000 may be.  Prints 1 for enough accesses, enough bytes that are
# as they were, few that are not.

function digit(c) { return index("0123456789abcdef", c) - 1 }

function value(hex, i, n)
{
	for (i = 1; i <= length(hex); i++)
		n = n * 16 + digit(substr(hex, i, 1))
	return n
}

# Bits 5 and 6 set in `new`, the others as in `old`: two digits each.
function walked(old, new)
{
	return substr(old, 2) == substr(new, 2) &&
	       digit(substr(old, 1, 1)) % 2 == digit(substr(new, 1, 1)) % 2 &&
	       digit(substr(new, 1, 1)) > digit(substr(old, 1, 1))
}

/ (load|store) / {
	split($0, f, /address=0x| size=| value=(0x)?/)
	sum = value(substr(f[2], length(f[2]) - 5))
	page = substr(f[2], 1, length(f[2]) - 6)
	hex = sprintf("%16s", f[4])
	gsub(/ /, "0", hex)
	for (k = 0; k < f[3]; k++) {
		at = page " " (sum + k)
		byte = substr(hex, 15 - 2 * k, 2)
		if (/ store / || !(at in memory))
			memory[at] = byte
		else if (memory[at] == byte || walked(memory[at], byte))
			same++
		else
			other++
		memory[at] = byte
	}
	accesses++
}

END { print (accesses > 10000), (same > 10000), (other * 1000 < same) }
