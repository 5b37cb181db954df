# SPDX-License-Identifier: GPL-2.0-or-later
# The changes of a value change dump, one a line: instant, signal's path, value.
# Two dumps that say the same give the same lines, however each abbreviates.
$1 == "$scope" { path = path "." $3 }
$1 == "$upscope" { sub(/\.[^.]*$/, "", path) }
$1 == "$var" { name[$4] = path "." $5 }
/^#/ { t = substr($1, 2) }
/^[sb]/ {
	sub(/^b0*/, "b", $1)
	gsub(/\\040|\\x20/, "_", $1)
	print t, name[$2], substr($1, 2)
}
/^[01]/ { print t, name[substr($1, 2)], substr($1, 1, 1) == "1" ? "1" : "" }
