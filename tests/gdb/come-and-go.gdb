# SPDX-License-Identifier: GPL-2.0-or-later
# Ctrl-C stops it wherever it is; gdb detaches, asks and attaches again over the
# same connection, comes again by another, kills the run.  Another gdb is sent
# away with a word while one is attached, and let in when none is.
# The run has no end of its own: how fast the host is does not matter.
# scenario: tests/gdb/endless.lua --trace none
# expect: received signal SIGINT
# expect: instructions retired
# expect: ^another: warning: .*another gdb is attached; detach or disconnect that one
# expect: ^another: Remote connection closed
# expect: Inferior 1 .process 1. detached
# expect: instructions retired
# expect: ^1 +machine
# expect: ^nothing stands for who is detached$
# expect: ^Program stopped
# expect: in \?\?|at .*hv/|signal handler called
# expect: ^it stands$
# expect: ^what was asked for is forgotten: none$
# expect: ^another: .*Thread 1.1 "machine"
# expect: ^another: .*detached
# expect: ^the first: Remote connection closed
# expect: in \?\?|at .*hv/|signal handler called
# expect: instructions retired
# expect: Inferior 1 .process 1. killed
# expect: ^the run is over
# expect: ^Attaching to process 1 failed
# refuse: ptrace|Broken pipe|reset by peer|unexpectedly
shell (sleep 2; kill -INT $PPID) &
continue
monitor who
python
import os, subprocess, time
def told(command):
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as e:
        return str(e) + "\n"
def another():
    text = subprocess.run(
        ["timeout", "60", "gdb", "-q", "-batch", "-nx", "-ex",
         "target extended-remote " + os.environ["PARTERRE_SOCKET"], "-ex",
         "info threads", "-ex", "detach"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True).stdout
    for line in text.splitlines():
        print("another: " + line)
def instructions():
    return told("monitor who").split(" ms, ")[1]
another()
end
monitor break-switch
detach
monitor who
info os processes
python
before = instructions()
while instructions() == before:
    time.sleep(0.1)
print("nothing stands for who is detached")
end
attach 1
bt 1
python
before = instructions()
time.sleep(0.5)
print("it stands" if instructions() == before else "it runs")
end
python print("what was asked for is forgotten: " + told("monitor conditions"), end="")
detach
python
another()
print("the first: " + told("monitor who"), end="")
end
eval "target extended-remote %s", $socket
bt 1
monitor who
kill
monitor who
python print(told("attach 1"), end="")
