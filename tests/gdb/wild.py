# SPDX-License-Identifier: GPL-2.0-or-later
# As wire.py's nonsense, with all that writes registers and memory, goes on and
# goes back: whatever becomes of the guest, the simulator neither dies nor hangs,
# and tells who looks that the run is no longer what it was.
# scenario: tests/gdb/endless.lua --trace none
# scenario: tests/gdb/endless.lua --trace none --set cpus=4
# expect: ^[0-9]+ packets, each answered$
# expect: ^it says so: yes$
# refuse: Error
import random
import sys

sys.path.insert(0, "tests/gdb")
import packets
from packets import Wire, frame

rng = random.Random(5)
w = Wire()
w.ask("qSupported:multiprocess+;swbreak+")
w.monitor("break-at 30ms")
w.run("c")
rip = w.ask("p10")
w.ask("P10=" + rip)
try:
    count = 0
    for count in range(1, 301):
        packet = packets.nonsense(rng)
        # What leaves or ends it would be an end of this, too.
        if packet[:1] in b"DkQ" or packet[:5] == b"vKill":
            continue
        w.send(frame(packet))
        w.sync()
    print("%d packets, each answered" % count)
    print("it says so: " +
          ("yes" if "has changed this run" in w.monitor("who") else "no"))
finally:
    w.send(frame("k"))
