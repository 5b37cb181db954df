# SPDX-License-Identifier: GPL-2.0-or-later
# The run's end: it stands there once more; then the machine has exited, parterre
# ends, and what gdb asks behind that is answered.
# scenario: tests/gdb/until.lua
# digest: same
# expect: ^the scenario is over: it held$
# expect: ^100.000000 ms,
# expect: ^.Inferior 1 .process 1. exited normally.$
# expect: ^the run is over; start parterre anew
# expect: ^No thread selected$
# expect: ^Attaching to process 1 failed$
# expect: ^Running .* on the remote target failed
# expect: remote failure reply 'E.the run is over'
# expect: ^.Inferior 2 .process 8. detached.$
# expect: ^parterre has ended$
# expect: No such file or directory
# refuse: ptrace|Broken pipe|reset by peer|Remote connection closed|Protocol error
python
import os, time
def told(command):
    try:
        print(gdb.execute(command, to_string=True), end="")
    except gdb.error as e:
        print(e)
end
monitor break-at 45ms
continue
add-inferior
inferior 2
attach 8
inferior 1
continue
monitor who
continue
monitor who
python
told("thread")
told("attach 1")
told("run")
told("inferior 2")
told("detach")
# It takes its socket along.
for i in range(600):
    if not os.path.exists(os.environ["PARTERRE_SOCKET"]):
        print("parterre has ended")
        break
    time.sleep(0.1)
told("target extended-remote " + os.environ["PARTERRE_SOCKET"])
end
