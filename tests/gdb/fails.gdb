# SPDX-License-Identifier: GPL-2.0-or-later
# A scenario that does not hold: it stands where it was found out, and gdb is told
# the run's status; by `target remote`, which is over then.
# scenario: tests/gdb/fails.lua --trace none
# target: remote
# expect: ^.*fails.lua:5: .*expected: this$
# expect: ^1.000000 ms,
# expect: ^.Inferior 1 .process 1. exited with code 01.$
# expect: ^exit code 1$
# expect: ^no connections$
# refuse: Broken pipe|reset by peer|Remote connection closed
continue
monitor who
continue
printf "exit code %d\n", $_exitcode
python
if "No connections" in gdb.execute("info connections", to_string=True):
    print("no connections")
end
