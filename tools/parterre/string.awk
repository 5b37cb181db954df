# SPDX-License-Identifier: GPL-2.0-or-later
# A text as strings of C, a line each.  Letter by letter: what a backslash in a
# replacement means is not the same in every awk.
{
	text = ""
	for (i = 1; i <= length($0); i++) {
		c = substr($0, i, 1)
		text = text (c == "\"" || c == "\\" ? "\\" c : c)
	}
	print "\"" text "\\n\""
}
