# SPDX-License-Identifier: GPL-2.0-or-later
# io.a and io.b are the same program at the same addresses: a breakpoint of
# io.b's is met by io.b alone.  gdb passes over a stop that is not its breakpoint's
# and says nothing: what it is sent is looked at.
# scenario: scenarios/quickstart.lua
# digest: same
# expect: ^\[1\] 45.0
# expect: swbreak:;thread:p7\.
# expect: "io.b" hit Breakpoint
# expect: ^io.b .*running on cpu0
# expect: "io.b" hit Breakpoint
# expect: ^io.b .*running on cpu0
# refuse: swbreak:;thread:p1\.
# refuse: ^io.a .*running on cpu0
monitor break-at 45ms
continue
add-inferior
inferior 2
attach 7
break *$pc
set debug remote 1
continue
set debug remote 0
monitor who
set debug remote 1
continue
set debug remote 0
monitor who
set debug remote 1
continue
set debug remote 0
monitor who
delete
detach
inferior 1
detach
