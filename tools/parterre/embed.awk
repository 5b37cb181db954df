# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a file's text an array of C strings, one a line: -v name=report_css.
BEGIN { printf "const char *const %s[] = {\n", name }
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	printf "\t\"%s\\n\",\n", $0
}
END { print "\t0,\n};" }
