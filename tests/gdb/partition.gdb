# SPDX-License-Identifier: GPL-2.0-or-later
# A partition is a process: its own symbols and memory, also while it does not
# run (a guest does); its breakpoints are not met by others; a step stays in ring 3.
# scenario: scenarios/quickstart.lua
# digest: same
# expect: ^\[1\] 45.0
# expect: -> guest1 on cpu0
# expect: "command" stopped
# expect: command_main_loop .* at .*hv/command/main.c
# expect: partition_main
# expect: _start .* at .*hv/lib/crt0.S
# expect: ^view page [1-9]
# expect: ^retired is <unavailable>
# expect: "command" hit Breakpoint .*, control_awake
# expect: ^ring 3 now: 35
# expect: ^each step ends in ring 3, calls too$
# expect: Inferior 2 .process 8. detached
# expect: Inferior 1 .process 1. detached
monitor break-at 45ms
continue
monitor break-switch guest1
continue
monitor delete
add-inferior
inferior 2
attach 8
bt
printf "view page %lx\n", *(long *)0x400000
printf "retired is "
output $retired
echo \n
break control_awake
continue
printf "ring 3 now: %d\n", $cs
python
import re
# Where the CPU stands, not what is shown of the partition.
calls, rings = 0, set()
for i in range(200):
    calls += "syscall" in gdb.execute("x/i $pc", to_string=True)
    gdb.execute("stepi", to_string=True)
    who = gdb.execute("monitor who", to_string=True)
    rings.add(re.search("^cpu0 +ring ([0-3])", who, re.M).group(1))
if calls and rings == {"3"}:
    print("each step ends in ring 3, calls too")
else:
    print("%d calls, rings %s" % (calls, sorted(rings)))
end
delete
detach
inferior 1
detach
