# SPDX-License-Identifier: GPL-2.0-or-later
# From `parterre trace`: instructions between a SYSCALL and the return to ring 3
# (SYS_TIME, number 3), and between SYS_WAIT (2) and the switch that it makes.
{
	split($4, count, "=")
	at = count[2]
}
$5 == "syscall" {
	split($6, number, "=")
	call = number[2]
	since = at
	next
}
$5 == "ring" && $6 == "cpl=3" && call == 3 {
	calls++
	if (at - since > longest)
		longest = at - since
	if (!shortest || at - since < shortest)
		shortest = at - since
}
$5 == "switch" && call == 2 {
	switches++
	sum += at - since
}
$5 == "ring" && $6 == "cpl=3" || $5 == "switch" || $5 == "interrupt" { call = -1 }
END {
	if (calls < 1000 || switches < 1000) {
		print "too few: " calls " calls, " switches " switches"
		exit 1
	}
	mean = sum / switches
	printf "shortest call: %d instructions (longest %d) of %d\n", shortest, longest, calls
	printf "switch: %.1f on average of %d\n", mean, switches
	print "shortest call at most 60: " (shortest <= 60 ? "yes" : "no")
	print "switch at most 500 on average: " (mean <= 500 ? "yes" : "no")
}
