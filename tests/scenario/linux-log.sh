#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares the kernel's messages with those of a boot in QEMU: what is said here
# and not there, and is not in the list of explained differences, is printed and
# makes it fail.
# usage: linux-log.sh EXPLAINED OURS QEMUS
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The shape of a message: without time, numbers and addresses.
shapes() {
	tr -d '\r' <"$1" |
		sed -n 's/^\[ *[0-9]*\.[0-9]*\] //p' |
		sed -e 's/\<0x[0-9a-fA-F]*/N/g' \
			-e 's/\<[0-9a-f]*[0-9][0-9a-f]*\>/N/g' \
			-e 's/[0-9][0-9]*/N/g' |
		sort -u
}
shapes "$2" >"$work/ours"
shapes "$3" >"$work/qemus"
for log in ours qemus; do
	if [ "$(wc -l <"$work/$log")" -lt 100 ]; then
		echo "$log: that is no kernel's log"
		exit 1
	fi
done
# Regular expressions, indented, below their heading.
sed -n "/^## The kernel's messages/,/^## Limits/s/^    //p" "$1" \
	>"$work/explained"
comm -23 "$work/ours" "$work/qemus" >"$work/more"
unexplained=0
grep -v -x -f "$work/explained" "$work/more" || unexplained=$?
# 1: no line is left; more: grep itself failed.
[ "$unexplained" -eq 1 ]
