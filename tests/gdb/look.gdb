# SPDX-License-Identifier: GPL-2.0-or-later
# Whoever only looks changes nothing: registers, memory, threads, breakpoints,
# watchpoints, steps, conditions, re-attaching.
# scenario: scenarios/quickstart.lua
# digest: same
# expect: boot_entry
# expect: break-switch
# expect: ^Breakpoint 1, monitor_leave
# expect: monitor_leave .* at .*hv/monitor
# expect: ^cr0 +0x80010033
# expect: ^lstar +0xffffffff8
# expect: Thread 1.1 "machine" .cpu0, ring 0, ultravisor
# expect: ^stepped 1$
# expect: Hardware watchpoint
# expect: ^Old value
# expect: \[4\] guest1 -> guest2 on cpu0
# expect: cpu0  ring 3 .*guest2
# expect: \[5\] .* instructions retired
# expect: 40000000
# expect: ^11 +guest1
# expect: Inferior 1 .process 1. detached
monitor help
break monitor_leave
continue
info breakpoints
bt 1
info registers cr0 lstar
info threads
set $before = $retired
delete
stepi
printf "stepped %d\n", $retired - $before
watch -l *(long *)($rsp - 8)
continue
delete
monitor break-switch
monitor break-at 40ms
monitor conditions
monitor delete 1
monitor delete 2
monitor break-at 45ms
continue
monitor break-switch guest1 guest2
continue
monitor who
monitor delete
monitor break-at 40000000
continue
monitor who
info os processes
detach
