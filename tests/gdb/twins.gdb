# SPDX-License-Identifier: GPL-2.0-or-later
# io.a and io.b are the same program at the same addresses: a breakpoint of
# io.b's is met by io.b alone.
# scenario: scenarios/quickstart.lua
# digest: same
# expect: ^\[1\] 45.0
# expect: "io.b" hit Breakpoint
# expect: ^io.b .*running on cpu0
# expect: "io.b" hit Breakpoint
# expect: ^io.b .*running on cpu0
# refuse: ^io.a .*running on cpu0
monitor break-at 45ms
continue
add-inferior
inferior 2
attach 7
break *$pc
continue
monitor who
continue
monitor who
continue
monitor who
delete
detach
inferior 1
detach
