# SPDX-License-Identifier: GPL-2.0-or-later
# What gdb is offered, on two CPUs: all registers, memory map, processes with
# their programs; variables of a guest that does not run; each kind of
# breakpoint and watchpoint; each command behind `monitor`.
# scenario: tests/gdb/cpus.lua --set cpus=2
# digest: same
# expect: ^registers: all of [0-9]+$
# expect: 0x0+ +0xf+ +rw
# expect: ^two of the same variable: each its own$
# expect: ^not running, its registers: rip, cr3, and no more$
# expect: ^break met$
# expect: ^hbreak met$
# expect: ^tbreak met, once$
# expect: ^watch: a write$
# expect: ^rwatch: a read$
# expect: ^awatch: either$
# expect: ^commands: all of [0-9]+ answered$
# expect: ^breakpoint of another guest: not met$
# refuse: Error|bad
monitor break-at 50ms
continue
python
import os, re
def run(command):
    return gdb.execute(command, to_string=True)
def word(text):
    return int(gdb.parse_and_eval(text))
def say(what, good):
    print(what if good else "bad: " + what)

names = """rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags
cs ss ds es fs gs fs_base gs_base cr0 cr2 cr3 cr4 efer dr0 dr1 dr2 dr3 dr6 dr7
gdtr_base gdtr_limit idtr_base idtr_limit ldtr tr tr_base k_gs_base star lstar cstar
sfmask sysenter_cs sysenter_esp sysenter_eip pat tsc_aux retired halted""".split()
shown = run("info registers")
missing = [n for n in names if not re.search("^%s " % n, shown, re.M)]
# As the machine's own table says.
own = dict(l.split()[:2] for l in run("monitor registers all").splitlines() if len(l.split()) == 2)
other = [n for n in names if n in own and n != "eflags" and
         word("(unsigned long)$" + n) & 2**64 - 1 != int(own[n], 16)]
say("registers: all of %d" % len(names), not missing and not other)
if missing or other:
    print(missing, other)
end
info mem
python
# Up to where one of them has no CPU.
while len(re.findall("^guest[12] .*: running on", run("monitor who"), re.M)) == 2:
    run("monitor step-switch")
    run("continue")
# Both guests run the same program: one variable, two places.
def pid_of(name):
    for line in run("info os processes").splitlines():
        if re.match(r"\d+ +%s " % re.escape(name), line):
            return int(line.split()[0])
for number, name in (2, "guest1"), (3, "guest2"):
    run("add-inferior")
    run("inferior %d" % number)
    run("attach %d" % pid_of(name))
idle = None
value = []
for number in 2, 3:
    run("inferior %d" % number)
    value.append(run("print/x client.channel"))
    if "unavailable" in run("info registers retired"):
        idle = number
say("two of the same variable: each its own", len(set(v.split("=", 1)[1] for v in value)) == 2 and
    all("0x" in v for v in value))
run("inferior %d" % idle)
text = run("info registers rip cr3 cr0 lstar retired")
say("not running, its registers: rip, cr3, and no more",
    all(re.search(r"^%s +\S*<unavailable>" % n, text, re.M) for n in ("cr0", "lstar", "retired")) and word("$cr3") != 0 and word("(long)$rip") != 0)

# guest2 alone meets its own, wherever guest1 is.
run("inferior 3")
address = word("(long)&queue_publish")
run("break *%d" % address)
other = 0
for i in range(4):
    run("continue")
    text = run("monitor who")
    other += gdb.selected_inferior().num != 3 or word("(long)$rip") != address
run("delete")
guest_break = other == 0

run("break queue_publish")
run("continue")
say("break met", gdb.newest_frame().name() == "queue_publish")
run("delete")
run("stepi 5")
run("hbreak queue_publish")
run("continue")
say("hbreak met", gdb.newest_frame().name() == "queue_publish")
run("delete")
run("tbreak *$pc")
run("tbreak client_run")
run("continue")
once = gdb.newest_frame().name()
say("tbreak met, once", once in ("client_run", "queue_publish"))
run("delete")
stopped = None
def on_stop(event):
    global stopped
    stopped = event.breakpoint.type if hasattr(event, "breakpoint") else None
gdb.events.stop.connect(on_stop)
# Its clock, which it sets and reads in each turn.
def met(command):
    run("inferior 3")
    run(command + " -l *(long *)%d" % top)
    run("continue")
    run("delete")
    return stopped, word("(long)$pc")
top = word("(long)&client.now_ns")
kind, writer = met("watch")
say("watch: a write", kind == gdb.BP_HARDWARE_WATCHPOINT)
# One place writes it; a read is elsewhere.
kind, reader = met("rwatch")
say("rwatch: a read", kind == gdb.BP_READ_WATCHPOINT and reader != writer)
say("awatch: either", met("awatch")[0] == gdb.BP_ACCESS_WATCHPOINT)
run("inferior 1")
arguments = {"break": "monitor_leave", "break-at": "95ms", "break-call": "WAIT",
    "break-message": "1", "break-switch": "any guest1", "watch": "monitor:lead_area",
    "rwatch": "monitor:lead_area", "awatch": "monitor:lead_area", "delete": "1",
    "list": "monitor_leave", "disassemble": "monitor_leave 3", "help": "who",
    "memory": "monitor:lead_area 2", "physical": "0x100000 2", "symbol": "monitor:monitor_leave",
    "translate": "monitor:lead_area", "registers": "system",
    "snapshot": os.environ["PARTERRE_WORK"] + "/whole.snap"}
commands = [l.split()[0].rstrip(":") for l in run("monitor help").splitlines()]
answered = 0
for name in commands:
    text = run("monitor %s %s" % (name, arguments.get(name, "")))
    if "usage" in text or "no such" in text or not text and name != "delete":
        print("bad:", name, text)
    else:
        answered += 1
run("monitor delete")
say("commands: all of %d answered" % answered, answered == len(commands) and answered > 30)
say("breakpoint of another guest: not met", guest_break)
for number in 3, 2, 1:
    run("inferior %d" % number)
    run("detach")
end
