# SPDX-License-Identifier: GPL-2.0-or-later
# Going back: as many steps back as there were forward are the same places, over
# interrupts too; to breakpoints, to a value's last write, to a switch; and the
# run then goes on as if nothing had been.
# scenario: tests/gdb/cpus.lua --set cpus=1
# scenario: tests/gdb/cpus.lua --set cpus=2
# scenario: tests/gdb/cpus.lua --set cpus=4
# digest: same
# expect: ^\[1\] 100.0
# expect: ^forward and back, machine: same$
# expect: ^a program at work is interrupted: True$
# expect: ^over an interrupt: same$
# expect: ^the interrupt is gone into: same$
# expect: ^breakpoints back are those forward, reversed: same$
# expect: ^the last write is the last: same$
# expect: ^\[[0-9]+\] .* -> [a-z0-9.]+ on cpu
# expect: ^the same switch: same$
# expect: ^.[0-9]+. that is over: going back stops there$
# expect: ^.[0-9]+. 100.000000 ms, [0-9]+ instructions retired$
# expect: ^back at the instant: same$
# expect: ^forward and back, command: same$
# expect: ^the last write is the last: same$
# expect: ^#0 .* at .*hv/
# expect: No more reverse-execution history
# expect: ^at the begin: 0$
# expect: ^\[[0-9]+\] 100.0
# expect: ^there again: same$
# refuse: other$|Error|error
monitor break-at 100ms
continue
python
def word(text):
    return int(gdb.parse_and_eval(text))
def say(what, good):
    print("%s: %s" % (what, "same" if good else "other"))
def run(command):
    gdb.execute(command, to_string=True)
def place():
    return (word("(long)$pc"), word("(long)$sp"))
def places(command, count):
    seen = []
    for i in range(count):
        run(command)
        seen.append(place())
    return seen
def there_and_back(count):
    here = [place()] + places("stepi", count)
    back = places("reverse-stepi", count)
    return here[:-1] == back[::-1]
then = word("$retired")
say("forward and back, machine", there_and_back(30))

# An interrupt of a program that is at work for some instructions by then, as
# right behind the monitor's return one handler's last steps look like the
# other's: back to what it interrupted, some steps more, and over it.  Its
# handler is passed over both ways.
def ring():
    return word("$cs") & 3
def interrupted_program():
    gdb.execute("tbreak interrupt")
    run("continue")
    while ring() == 0:
        run("reverse-stepi")
    rings = []
    for i in range(4):
        run("reverse-stepi")
        rings.append(ring())
    return rings == [3] * 4
at_work = interrupted_program()
for i in range(20):
    if at_work:
        break
    gdb.execute("tbreak interrupt")
    run("continue")
    run("stepi")
    at_work = interrupted_program()
print("a program at work is interrupted: %s" % at_work)
say("over an interrupt", there_and_back(12))
run("monitor stepping-interrupts on")
say("the interrupt is gone into", there_and_back(12))
run("monitor stepping-interrupts off")

# A breakpoint: five times forward; back from the fifth there are four.
gdb.execute("break monitor_resume")
ahead = []
for i in range(5):
    run("continue")
    ahead.append((place(), gdb.selected_thread().num))
back = []
for i in range(4):
    run("reverse-continue")
    back.append((place(), gdb.selected_thread().num))
say("breakpoints back are those forward, reversed", ahead[:-1] == back[::-1])
run("delete")

# A word's last write: behind it it is what it is now, before it it was not.
def last_write(address):
    value = word("*(long *)%d" % address)
    run("watch -l *(long *)%d" % address)
    run("reverse-continue")
    before = word("*(long *)%d" % address)
    run("delete")
    run("stepi")
    say("the last write is the last",
        before != value and word("*(long *)%d" % address) == value)
run("tbreak *monitor_resume")
run("continue")
last_write(word("(long)$sp"))
end
monitor break-switch
reverse-continue
python
at = word("$retired")
run("monitor delete")
run("stepi")
run("monitor break-switch")
run("reverse-continue")
say("the same switch", at == word("$retired"))
run("monitor delete")
end

monitor break-at 101ms
continue
monitor break-at 100ms
reverse-continue
python say("back at the instant", then == word("$retired"))
monitor break-at 101ms
continue
add-inferior
inferior 2
attach 8
python
gdb.execute("tbreak control_awake")
run("continue")
say("forward and back, command", there_and_back(20))
# Its control channel's address: set when it began, 20 ms before.
last_write(word("(long)&control"))
print("then %.1f ms" % (word("$retired") / 1e6))
gdb.execute("bt 1")
end
detach
inferior 1
reverse-continue
printf "at the begin: %d\n", $retired
monitor break-at 100ms
continue
python say("there again", then == word("$retired"))
detach
