# SPDX-License-Identifier: GPL-2.0-or-later
# From `parterre trace` of tests/rows/costs.lua: instructions of what
# tests/rows/image/costs.c does, one line each: NAME MEDIAN LEAST MOST TIMES.
#
# A call: from SYSCALL to the return to ring 3, of the partition that called; updates
# of page tables are those of the peer, on one CPU.
# A switch: from SYSCALL (SYS_WAIT) to the load of the other partition's page-table
# root, on the same CPU; "switch_all": to its first instruction in ring 3.
# A transaction: what the requester, the ultravisor and their monitors execute
# between the requester's marks; others' work meanwhile is not counted.
# With two CPUs the peer is on the other: "signal_other_..." then.  -v cpus=2
function value(field) {
	return substr(field, index(field, "=") + 1)
}
# Few different values: each with how often it occurred.
function note(name, n) {
	times[name]++
	if (!often[name, n]++)
		list[name, ++different[name]] = n
}
function order(name, i, j, t) {
	for (i = 2; i <= different[name]; i++) {
		t = list[name, i]
		for (j = i - 1; j > 0 && list[name, j] > t; j--)
			list[name, j + 1] = list[name, j]
		list[name, j + 1] = t
	}
}
function median(name, i, left) {
	left = int((times[name] + 1) / 2)
	for (i = 1; left > often[name, list[name, i]]; i++)
		left -= often[name, list[name, i]]
	return list[name, i]
}
function show(name) {
	if (!times[name])
		return
	order(name)
	printf "%s %d %d %d %d\n", name, median(name), list[name, 1],
		list[name, different[name]], times[name]
}
BEGIN {
	split("txn_1 txn_16 create destroy channel", transaction, " ")
}
$2 != "cpu0" && $5 != "partition" { # who asks is on CPU 0
	next
}
{
	at = value($4)
	who = $3
	if (who == asker || who == "p1")
		work += at - before
	before = at
}
$5 == "partition" && /name="operations"/ {
	asker = "p" value($6)
	next
}
$5 == "partition" && /name="peer"/ {
	peer = "p" value($6)
	next
}
who == peer && $5 == "syscall" {
	pages = value($6) == 18 ? value($9) : ""
	mapping = at
}
$5 == "interrupt" || $5 == "switch" {
	pages = ""
}
who == peer && $5 == "ring" && $6 == "cpl=3" && pages != "" {
	note(pages == "0x1" ? "map_1" : pages == "0x40" ? "map_64" : "map_n", at - mapping)
	pages = ""
}
who != asker && $5 != "switch" && !leaving {
	next
}
$5 == "syscall" {
	call = value($6)
	argument = value($7)
	since = at
	leaving = 0
	if (call == 0 && argument ~ /^0x2/)
		phase = argument == "0x200" ? "sleeping" : "running"
	if (call == 0 && argument ~ /^0x10/) {
		mark = substr(argument, 5) + 0
		work = 0
	} else if (call == 0 && argument == "0x1ff") {
		note(transaction[mark], work)
	}
	next
}
$5 == "interrupt" {
	call = -1
	leaving = 0
}
$5 == "switch" {
	leaving = call == 2 && who == asker
	if (leaving)
		note("switch", at - since)
	else
		call = -1
	next
}
$5 == "ring" && $6 == "cpl=3" {
	if (leaving)
		note("switch_all", at - since)
	else if (call == 0)
		note("null", at - since)
	else if (call == 5)
		note((cpus > 1 ? "signal_other_" : "signal_") phase, at - since)
	call = -1
	leaving = 0
}
END {
	show("null")
	show("signal_sleeping")
	show("signal_running")
	show("signal_other_sleeping")
	show("signal_other_running")
	show("switch")
	show("switch_all")
	show("map_1")
	show("map_64")
	for (i = 1; i <= 5; i++)
		show(transaction[i])
}
