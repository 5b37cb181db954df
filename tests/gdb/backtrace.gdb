# SPDX-License-Identifier: GPL-2.0-or-later
# A backtrace crosses from the switch service through the monitor to the program
# that made the call, and from an interrupt's handler to what it interrupted; at
# each instruction of the way in.
# scenario: scenarios/quickstart.lua
# digest: same
# expect: ^\[1\] 45.0
# expect: "command" hit Temporary breakpoint .*, control_awake
# expect: ^the way into a call: 24 of 24$
# expect: ^#0 +switch_to
# expect: ^#[0-9]+ .* in schedule
# expect: ^#[0-9]+ .* in monitor_leave
# expect: ^#[0-9]+ +<signal handler called>
# expect: ^#[0-9]+ .*command_main_loop .* at .*hv/command/main.c
# expect: ^#[0-9]+ .*partition_main
# expect: ^#[0-9]+ .*_start .* at .*hv/lib/crt0.S
# expect: ^the way into an interrupt$
# expect: ^all of it$
# expect: ^#0 +interrupt
# expect: ^#1 +<signal handler called>
# expect: ^#2 +0x[0-9a-f]+ in
# refuse: corrupt stack|Error|No frame|elsewhere
set schedule-multiple on
monitor break-at 45ms
continue
add-inferior
inferior 2
attach 8
tbreak control_awake
continue
python gdb.execute("add-symbol-file " + gdb.inferiors()[0].progspace.filename)
python
# To where `command` itself comes to this function.
def own(function):
    gdb.execute("break " + function, to_string=True)
    name = None
    while name != function:
        gdb.execute("continue", to_string=True)
        gdb.execute("thread 2.1", to_string=True)
        name = gdb.newest_frame().name()
    gdb.execute("delete", to_string=True)
def comes_from(function):
    frame = gdb.newest_frame()
    while frame is not None and frame.name() != function:
        frame = frame.older()
    return frame is not None
own("syscall_entry")
good = 0
for i in range(24):
    good += comes_from("command_main_loop")
    gdb.execute("thread 1.1", to_string=True)
    gdb.execute("stepi", to_string=True)
    gdb.execute("thread 2.1", to_string=True)
print("the way into a call: %d of 24" % good)
own("switch_to")
end
bt
inferior 1
tbreak interrupt_common
continue
echo the way into an interrupt\n
frame 1
set $where = $pc
set $i = 0
while $i < 19
  frame 1
  if $pc != $where
    echo elsewhere\n
  end
  frame 0
  stepi
  set $i = $i + 1
end
echo all of it\n
tbreak interrupt
continue
bt
detach
inferior 2
detach
