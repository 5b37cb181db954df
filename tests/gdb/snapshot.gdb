# SPDX-License-Identifier: GPL-2.0-or-later
# The machine into files, from gdb: where a breakpoint stopped it, in the middle
# of a switch, in a program, and after going back.  Each goes on in another
# process to the run's own end.  What cannot be written is said, and the session
# goes on.
# scenario: tests/gdb/until.lua --set cpus=1
# scenario: tests/gdb/until.lua --set cpus=2
# digest: same
# resumes: switch.snap
# resumes: program.snap
# resumes: back.snap
# expect: ^snapshot .*/nowhere/a.snap: cannot be written: No such file or directory; give
# expect: ^snapshot .*: there is something that is no file; give another name$
# expect: ^usage: snapshot FILE
# expect: ^neither is there$
# expect: ^.*/switch.snap: the machine at [0-9.]+ ms$
# expect: ^in a program$
# expect: ^.*/program.snap: the machine at [0-9.]+ ms$
# expect: ^went back$
# expect: ^.*/back.snap: the machine at [0-9.]+ ms$
# expect: ^three instants: three files$
# expect: ^the session goes on$
# refuse: Error|error
monitor break-at 60ms
continue
python
import os
work = os.environ["PARTERRE_WORK"]
def run(command):
    return gdb.execute(command, to_string=True)
def word(text):
    return int(gdb.parse_and_eval(text))
def save(name):
    print(run("monitor snapshot %s/%s" % (work, name)), end="")
os.makedirs(work + "/folder", exist_ok=True)
save("nowhere/a.snap")
save("folder")
print(run("monitor snapshot"), end="")
if not os.path.exists(work + "/nowhere") and not os.listdir(work + "/folder") and \
        not os.path.exists(work + "/folder.part"):
    print("neither is there")
run("tbreak switch_to")
run("continue")
run("stepi 3")
save("switch.snap")
while word("$cs") & 3 == 0:
    run("stepi 20")
print("in a program")
save("program.snap")
run("tbreak switch_to")
run("continue")
before = word("$retired")
run("break schedule")
run("reverse-continue")
run("delete")
print("went back" if word("$retired") < before else "stayed")
save("back.snap")
files = [open("%s/%s.snap" % (work, n), "rb").read() for n in ("switch", "program", "back")]
print("three instants: %s files" % ("three" if len(set(files)) == 3 else "fewer"))
run("stepi")
print("the session goes on")
end
detach
