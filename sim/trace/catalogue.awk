# SPDX-License-Identifier: GPL-2.0-or-later
# Makes docs/trace-catalogue.md of events.def:
#
#   awk -f sim/trace/catalogue.awk sim/trace/events.def
#
# A comment `/* ---- text ---- */` opens a section; one straight before an
# event describes it; other comments are for readers of events.def alone.
# Needs nothing beyond POSIX awk.

BEGIN {
	print "# Trace catalogue"
	print ""
	print "Made of `sim/trace/events.def` by `sim/trace/catalogue.awk`; " \
	      "a test keeps it"
	print "current (`ninja trace_catalogue` writes it anew)."
	print ""
	print "Every event carries virtual time in picoseconds, the CPU, the " \
	      "partition (index"
	print "of its `partition` event; 0: monitor, boot or unknown) and " \
	      "that CPU's retired"
	print "instructions.  Numbers are never reused; fields are only added " \
	      "at the end."
	print "Fields marked `hex` are shown in hexadecimal, `text` are " \
	      "strings, `byte` are"
	print "numbers up to 255; all others are unsigned 64-bit integers."
}

/^\/\* SPDX/ { next }

/^\/\* ---- .* ---- \*\/$/ {
	sub(/^\/\* ---- /, "")
	sub(/ ---- \*\/$/, "")
	printf "\n## %s\n\n", $0
	print "| number | event | fields | meaning |"
	print "|---:|---|---|---|"
	next
}

/^\/\*/ { said = ""; inside = 1 }

inside {
	line = $0
	sub(/^ ?\/?\*+ ?/, "", line)
	if (line ~ /\*\/$/ || line == "/")
		inside = 0
	sub(/ ?\*?\/$/, "", line)
	if (line != "")
		said = said (said == "" ? "" : " ") line
	next
}

/^TRACE_EVENT\(/ {
	rest = substr($0, index($0, "(") + 1)
	sub(/\)$/, "", rest)
	split(rest, part, /, */)
	name = part[2]
	gsub(/"/, "", name)
	fields = part[5]
	gsub(/U\(/, "", fields)
	shown = ""
	count = split(part[5], field, / +/)
	for (i = 1; i <= count; i++) {
		mark = substr(field[i], 1, 1)
		word = substr(field[i], 3, length(field[i]) - 3)
		if (mark == "X")
			word = word " (hex)"
		if (mark == "S")
			word = word " (text)"
		if (mark == "B")
			word = word " (byte)"
		shown = shown (i > 1 ? ", " : "") word
	}
	printf "| %s | `%s` | %s | %s |\n", part[3], name, shown, said
	said = ""
	next
}

/^$/ { said = "" }
