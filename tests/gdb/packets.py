# SPDX-License-Identifier: GPL-2.0-or-later
# gdb's remote protocol by hand, for sessions of tests/gdb that are not gdb's.
# The socket is that of $PARTERRE_SOCKET.
import os
import socket

PATIENCE = 60  # seconds without a byte: it hangs


def frame(packet):
    data = packet if isinstance(packet, bytes) else packet.encode("latin-1")
    return b"$%s#%02x" % (data, sum(data) & 255)


class Wire:
    def __init__(self):
        self.acks = True
        self.count = 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(os.environ["PARTERRE_SOCKET"])
        self.left = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def byte(self):
        if not self.left:
            self.left = self.socket.recv(65536)
            if not self.left:
                raise EOFError("the connection was closed")
        byte, self.left = self.left[:1], self.left[1:]
        return byte.decode("latin-1")

    def frame(self):
        byte = self.byte()
        while byte in "+-":
            byte = self.byte()
        if byte != "$":
            raise ValueError("no frame begins with %r" % byte)
        data = ""
        while (byte := self.byte()) != "#":
            data += chr(ord(self.byte()) ^ 0x20) if byte == "}" else byte
        self.byte(), self.byte()
        return data

    # The answer to a packet; what is said before a stop is passed over.
    def ask(self, packet):
        self.send(frame(packet))
        if self.acks and self.byte() != "+":
            raise ValueError("not acknowledged: %r" % packet)
        return self.frame()

    def run(self, packet):
        answer = self.ask(packet)
        while answer.startswith("O") and answer != "OK":
            answer = self.frame()
        return answer

    def monitor(self, line):
        answer = self.ask("qRcmd," + line.encode().hex())
        return "" if answer == "OK" else bytes.fromhex(answer).decode()

    # Whatever was asked before, its answers are over when this one comes.
    # Should the machine run, it stops.
    def sync(self):
        self.count += 1
        word = "sync%d" % self.count
        text = ("no such command: %s\n" % word).encode().hex()
        self.send(b"\x03" + frame("qRcmd," + ("help " + word).encode().hex()))
        seen = []
        while not seen or seen[-1] != text:
            seen.append(self.frame())
        return seen


PLAIN = [
    b"?", b"g", b"p10", b"m7fff0000,40", b"m400000,8", b"mffffffff80000000,20",
    b"Hgp1.1", b"Hc-1", b"Hgp0.0", b"Hgp8.3", b"Tp1.1", b"qC", b"qfThreadInfo",
    b"qsThreadInfo", b"qThreadExtraInfo,p1.1", b"qSupported:multiprocess+;xml",
    b"qXfer:features:read:target.xml:0,ffb", b"qXfer:threads:read::0,1000",
    b"qXfer:osdata:read:processes:0,1000", b"qXfer:memory-map:read::0,1000",
    b"qXfer:exec-file:read:1:0,1000", b"vAttach;8", b"vCont?", b"vMustReplyEmpty",
    b"Z0,400000,1", b"z0,400000,1", b"Z1,ffffffff80001000,1", b"Z2,400000,8",
    b"Z3,400000,4", b"Z4,400000,1", b"z2,400000,8", b"qAttached:1",
    b"qRcmd,77686f", b"vCont;c:p1.-1", b"vCont;s:p1.1;c:p1.-1",
    b"vCont;r400000,400010:p1.1", b"c", b"s", b"C05", b"bs", b"bc",
    b"M400000,2:0011", b"X400000,2:ab", b"P0=0011223344556677", b"D;8", b"k",
    b"vKill;1", b"G00", b"QStartNoAckMode", b"!",
]


# One of them, cut, doubled, mixed, with bytes that do not belong there.
def nonsense(rng):
    data = bytearray(rng.choice(PLAIN))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(data) + 1)
        what = rng.randrange(6)
        if what == 0:
            data[at:at] = bytes([rng.randrange(256)])
        elif what == 1:
            del data[at:at + rng.randrange(1, 8)]
        elif what == 2:
            data[at:at + 1] = bytes([rng.choice(b"0123456789abcdef,;:.-p")])
        elif what == 3:
            data[at:at] = b"f" * rng.randrange(1, 40)
        elif what == 4:
            data[at:] = rng.choice(PLAIN)[rng.randrange(4):]
        elif data:
            data = data * rng.randrange(1, 3)
    return bytes(c for c in data if c not in b"#$}*" and c != 3)
