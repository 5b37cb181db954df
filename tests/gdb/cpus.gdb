# SPDX-License-Identifier: GPL-2.0-or-later
# Four CPUs: one steps, by its own count; the machine's history is the same.
# scenario: tests/gdb/cpus.lua --set cpus=4
# digest: same
# expect: 4 +Thread 1.4 "machine" .cpu3
# expect: ^cpu0 made 20$
# expect: ^Hardware access .read/write. watchpoint
# expect: ^Value =
# expect: -> [a-z0-9.]+ on cpu
monitor break-at 45ms
continue
info threads
thread 1
set $before = $retired
stepi 20
printf "cpu%d made %d\n", 0, $retired - $before
awatch -l *(long *)$rsp
continue
delete
monitor break-switch
continue
detach
