# SPDX-License-Identifier: GPL-2.0-or-later
# Compares what a conformance kernel printed in two places:
#
#   awk -v kernel=NAME -f conformance.awk DIFFERENCES PARTERRE QEMU
#
# A line of DIFFERENCES: kernel, test, who is not as the manual (parterre, qemu,
# both; "either" where the manual leaves it open), why; tabs between.
function complain(text)
{
	printf "conformance: %s: %s\n", kernel, text > "/dev/stderr"
	bad = 1
}

# Names may hold colons; what follows a name is an event, a value, a complaint or
# nothing.
function name_of(line)
{
	match(line, /:( [0-9a-f][0-9a-f](:[0-9a-f]+)? [+-]| =| !manual|$)/)
	return substr(line, 1, RSTART - 1)
}

BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 {
	if ($0 ~ /^#/ || $0 == "")
		next
	if (NF != 4 || $3 !~ /^(parterre|qemu|both|either)$/)
		complain("conformance.differences:" FNR ": not four fields")
	if ($1 == kernel)
		who[$2] = $3
	next
}

file == 2 {
	ours[FNR] = $0
	count = FNR
	next
}

{
	theirs = $0
	lines = FNR
	mine = ours[FNR]
	test = name_of(theirs)
	if (name_of(mine) != test) {
		complain("line " FNR ": another test in QEMU, " test)
		next
	}
	wrong = mine ~ /!manual wants/
	if (mine == theirs && !wrong)
		next
	if (!(test in who)) {
		complain(test ": differs, and nobody says why\n  Parterre " \
			 mine "\n  QEMU     " theirs)
		next
	}
	if (wrong && who[test] !~ /^(parterre|both)$/)
		complain(test ": not as the manual wants\n  Parterre " mine)
	if (!wrong && who[test] ~ /^(parterre|both)$/)
		complain(test ": Parterre is right; take the line away")
	explained++
	seen[test] = 1
}

END {
	if (count != lines)
		complain("Parterre prints " count " lines, QEMU " lines + 0)
	for (test in who) {
		if (!seen[test])
			complain(test ": said to differ, but does not")
	}
	if (!bad)
		printf "%s: %d tests, %d differences, all explained\n", kernel,
			count, explained
	exit bad
}
