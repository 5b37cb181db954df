# SPDX-License-Identifier: GPL-2.0-or-later
# gdb's protocol without gdb: bytes over the socket, damaged, cut, too long,
# nonsense.  Each is answered as the protocol says, the connection and the run go
# on, and the run is the one that it would have been.
# scenario: scenarios/quickstart.lua
# digest: same
# expect: ^frames: as told$
# expect: ^errors: as told$
# expect: ^too many: as told$
# expect: ^unknown: as told$
# expect: ^documents: as told$
# expect: ^connections: as told$
# expect: ^nonsense: [0-9]+ packets, each answered$
# expect: ^at the same place: yes$
# refuse: Error|not as told
import random
import re
import sys

sys.path.insert(0, "tests/gdb")
import packets
from packets import Wire, frame

good = True


def want(text, got, regex):
    global good
    if not re.fullmatch(regex, got, re.S):
        print("%s: %r, wanted %s: not as told" % (text, got, regex))
        good = False


def table(name, rows):
    for packet, regex in rows:
        want(packet, w.ask(packet), regex)
    print("%s: %s" % (name, "as told" if good else "failed"))


w = Wire()
want("begin", w.ask("?"), "T05thread:p?.*")
w.ask("qSupported:multiprocess+;swbreak+")
w.monitor("break-at 45ms")
w.run("c")

# Where it stands; but for the part of a picosecond clock that no CPU has seen.
def where():
    return w.monitor("who").split(", ", 1)[1]


place = where()
want("where", place, r"[0-9]+ instructions retired\n.*guest2.*")

# Frames.  An acknowledgement is + or -, before any answer.
w.send(b"$qC#00")
want("wrong sum", w.byte(), "-")
w.send(frame("qC"))
want("sent again", w.byte(), r"\+")
answer = w.frame()
want("its answer", answer, r"QCp1\.1")
w.send(b"-")
want("the answer again", w.frame(), re.escape(answer))
for damaged in [b"$qC#zz", b"$qC#b", b"$#01"]:
    w.send(damaged)
    if damaged == b"$qC#b":  # completed by another frame's first byte
        w.send(b"$")
    want(str(damaged), w.byte(), "-")
w.send(b"$qC" + frame("qC"))
want("a frame broken off", w.byte() + w.frame(), r"\+QCp1\.1")
w.send(b"noise\x03+++#qC" + frame("qC"))
want("noise before", w.byte() + w.frame(), r"\+QCp1\.1")
w.send(frame("qRcmd," + "20" * 10000))
want("too long", w.byte() + w.frame(), r"\+E02")
w.send(frame("m" + "0" * 16383))
want("as long as it may be", w.byte() + w.frame(), r"\+E02")
w.send(frame(""))
want("empty", w.byte() + w.frame(), r"\+")
w.send(frame("qC") + frame("qC"))
want("two at once", w.byte() + w.frame() + w.byte() + w.frame(),
     r"\+QCp1\.1\+QCp1\.1")
want("no more of that", w.ask("QStartNoAckMode"), "OK")
w.acks = False
w.send(b"$qC#00")
want("wrong sum, unacknowledged", w.frame(), "E02")
want("the next", w.ask("qC"), r"QCp1\.1")
print("frames: " + ("as told" if good else "failed"))

E = "E[0-9a-f]{2}"
table("errors", [
    # hexadecimal that is none, parts that lack, numbers beyond
    ("m", E), ("mxyz,4", E), ("m0", E), ("m0,", E), ("m,4", E), ("m0,4x", E),
    ("m10000000000000000,1", E), ("m0,10000000000000000", E),
    ("M0,2:0", E), ("M0,2:00", E), ("M0,1:zz", E), ("M0,ffffffff:00", E),
    ("X0,5:ab", E), ("X0,ffffffffffffffff:", E),
    ("p", E), ("pzz", E), ("pffff", E), ("p10000000000000000", E),
    ("P", E), ("P0", E), ("P0=1", E), ("Pffff=00", E), ("P0=zzzz", E),
    ("G00", E), ("G", E),
    # memory that is nowhere
    ("mdead000000000000,8", "E0e"), ("mffffffffffffffff,8", "E0e"),
    ("mffffffff00000000,4", "E0e"), ("mdead000000000000,ffffffff", "E0e"),
    ("Mdead000000000000,1:00", "E0e"), ("Xdead000000000000,1:a", "E0e"),
    # threads and processes that are none
    ("Hgp63.1", "E01"), ("Hg77", "E01"), ("Hgp1.77", "E01"), ("Hcp1.77", "E01"),
    ("Hgpzz.1", E), ("Hg", E), ("Hx1", E), ("H", E),
    ("T", E), ("T77", "E01"), ("Tp63.1", "E01"), ("Tp1.0", "E01"),
    ("qThreadExtraInfo,p63.1", "E01"), ("qThreadExtraInfo,", E),
    ("vAttach;63", "E01"), ("vAttach;ffffffffffffffff", "E01"),
    ("vAttach;", E), ("vAttach", E), ("vAttach;8x", E),
    ("D;63", E), ("D;zz", E), ("D;8", "E01"), ("Dx", E),
    ("vKill", E), ("vKill;", E), ("vKill;63", "E01"), ("vKill;1x", E),
    ("kill", E), ("vRun;", "E01"),
    # going on
    ("vCont", E), ("vCont;", E), ("vCont;x", E), ("vCont;c:", E),
    ("vCont;s:p1", E + "|T.*"), ("vCont;s:p1.77", "E01"),
    ("vCont;c:p63.-1", "E01"), ("vCont;r1", E), ("vCont;rzz,1", E),
    ("vCont;c;;", E), ("vCont;Czz", E), ("vCont;t", E),
    ("c400000", E), ("s400000", E), ("C", E), ("S5;1", E), ("b", E), ("bx", E),
    # breakpoints
    ("Z", E), ("Z0", E), ("Z0,", E), ("Z0,400000", E), ("Z0,zz,1", E),
    ("Z2,400000,0", E), ("Z2,400000,ffffffffffffffff", E),
    ("Z2,ffffffffffffffff,2", E), ("z0,zz,1", E),
    # documents and commands
    ("qXfer:", E), ("qXfer:features:read:target.xml", E),
    ("qXfer:features:read:target.xml:zz,1", E),
    ("qXfer:features:write:target.xml:0:00", E),
    ("qXfer:features:read:" + "x" * 4000 + ":0,1", E),
    ("qXfer:features:read:other.xml:0,1", "E00"),
    ("qXfer:exec-file:read:63:0,10", "E00"),
    ("qRcmd,6", E), ("qRcmd,zz", E), ("qRcmd,00", E),
])
table("too many", [("Z2,%x,8" % (0x400000 + 8 * i), "OK") for i in range(8)] +
      [("Z2,500000,8", "E03")] +
      [("z2,%x,8" % (0x400000 + 8 * i), "OK") for i in range(8)] +
      [("Z0,%x,1" % i, "OK") for i in range(48)] + [("Z1,64,1", "E03")] +
      [("z0,%x,1" % i, "OK") for i in range(48)])
# One of them was a step; the others moved nothing.
w.run("bs")
table("unknown", [
    ("vMustReplyEmpty", ""), ("qSymbol::", ""), ("!x", "OK"),
    ("Z9,0,1", ""), ("R00", ""), ("QNonStop:1", ""), ("qXfer:auxv:read::0,9", ""),
    ("\x7f\x01\x02", ""), ("vFile:open:2f,0,0", ""), ("jThreads", ""),
    ("qOffsets", ""), ("A0", ""), ("QPassSignals:", ""),
])
length = 0x100
whole = ""
while True:
    part = w.ask("qXfer:features:read:target.xml:%x,%x" % (len(whole), length))
    whole += part[1:]
    if part[0] == "l":
        break
want("target.xml", whole, ".*<target>.*<architecture>i386:x86-64</.*"
     "name=\"cr3\".*name=\"lstar\".*</target>")
table("documents", [
    ("qXfer:memory-map:read::0,fff", "l.*<memory type=\"ram\".*"),
    ("qXfer:memory-map:read::ffffffff,fff", "l"),
    ("qXfer:threads:read::0,fff", "l.*<thread id=\"p1.1\" name=\"machine\".*"),
    ("qXfer:osdata:read:processes:0,fff", "[lm].*guest1.*"),
    ("qXfer:exec-file:read:1:0,fff", "l/.*ultravisor.elf"),
    ("qXfer:exec-file:read:8:0,fff", "l/.*/command.elf"),
    ("qfThreadInfo", r"mp1\.1"), ("qsThreadInfo", "l"), ("qAttached:1", "1"),
])

want("where", where(), re.escape(place))

# Connections: broken in mid-frame, then it goes on; broken while it runs.
w.send(b"$m0,")
w.close()
w = Wire()
want("after a cut frame", w.ask("?"), "T02.*")
w.send(b"$m0,4#f")  # whatever comes next would be its sum
w.close()
w = Wire()
want("after a cut sum", w.ask("?"), "T02.*")
w.send(frame("c"))
w.close()
w = Wire()
want("after one that left it running", w.ask("?"), "T02.*")
print("connections: " + ("as told" if good else "failed"))

# Nonsense: packets that are none, from those that are.  None that writes, ends
# or goes on is among them, so it has to stand where it stood.
rng = random.Random(20261129)
count = 0
place = where()
w.ask("qSupported:multiprocess+")
while count < 4000:
    packet = packets.nonsense(rng)
    if packet[:1] in b"GPMXkDcCsSbRQ" or packet[:5] in (b"vCont", b"vKill"):
        continue
    if packet[:1] in b"q" and b"qRcmd" in packet:
        continue
    w.send(packets.frame(packet))
    w.sync()
    count += 1
print("nonsense: %d packets, each answered" % count)
print("at the same place: " + ("yes" if where() == place else "no"))
w.ask("D")
