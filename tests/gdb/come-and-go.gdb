# SPDX-License-Identifier: GPL-2.0-or-later
# Ctrl-C stops it wherever it is; gdb detaches, comes again, kills the run.
# The run has no end of its own: how fast the host is does not matter.
# scenario: tests/gdb/endless.lua --trace none
# expect: received signal SIGINT
# expect: instructions retired
# expect: Inferior 1 .process 1. detached
# expect: in \?\?|at .*hv/
# expect: instructions retired
# expect: Inferior 1 .process 1. killed
shell (sleep 2; kill -INT $PPID) &
continue
monitor who
detach
eval "target extended-remote %s", $socket
bt 1
monitor who
kill
