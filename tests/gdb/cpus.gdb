# SPDX-License-Identifier: GPL-2.0-or-later
# Four CPUs: each is stepped in its turn, by its own count, while three of them
# are at work; when it is the one whose turn it is, the others stand still.  The
# machine's history is the same.
# scenario: tests/gdb/cpus.lua --set cpus=4
# digest: same
# expect: 4 +Thread 1.4 "machine" .cpu3
# expect: ^cpu0 made 20$
# expect: ^cpus at work: 3$
# expect: ^by turns: 72 of 72$
# expect: ^one of them: 24 of 24, alone: yes$
# expect: ^one of them: 24 of 24, alone: yes$
# expect: ^one of them: 24 of 24, alone: yes$
# expect: ^one that halts: 1$
# expect: ^Hardware access .read/write. watchpoint
# expect: ^(New value|Value) =
# expect: -> [a-z0-9.]+ on cpu
# refuse: Error|error
monitor break-at 95ms
continue
info threads
thread 1
set $before = $retired
stepi 20
printf "cpu%d made %d\n", 0, $retired - $before
python
import re
def run(command):
    return gdb.execute(command, to_string=True)
def counts():
    seen = []
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        seen.append((thread.num - 1, int(gdb.parse_and_eval("$retired"))))
    return [count for _, count in sorted(seen)]
# What each of them retired while this one made a step.
def step(cpu):
    before = counts()
    run("thread %d" % (cpu + 1))
    run("stepi")
    return [b - a for a, b in zip(before, counts())]
def stood(made, cpu):
    return not any(n for i, n in enumerate(made) if i != cpu)

# Each step is one instruction then, be it a handler's.
run("monitor stepping-interrupts on")
def halted():
    return [int(n) for n in re.findall("^cpu([0-9]) .*halted", run("monitor who"), re.M)]
us = 95000
while len(halted()) > 1:
    us += 10
    run("monitor break-at %dus" % us)
    run("continue")
busy = [n for n in range(4) if n not in halted()]
print("cpus at work: %d" % len(busy))
good = 0
for i in range(24 * len(busy)):
    cpu = busy[i % len(busy)]
    good += step(cpu)[cpu] == 1
print("by turns: %d of 72" % good)
for cpu in busy:
    good = alone = 0
    for i in range(24):
        made = step(cpu)
        good += made[cpu] == 1
        alone += stood(made, cpu)
    print("one of them: %d of 24, alone: %s" %
          (good, "yes" if alone >= 20 else "%d" % alone))
cpu = halted()[0]
print("one that halts: %d" % step(cpu)[cpu])
run("monitor stepping-interrupts off")
run("thread 1")
end
awatch -l *(long *)$rsp
continue
delete
monitor break-switch
continue
detach
