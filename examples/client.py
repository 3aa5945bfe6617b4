#!/usr/bin/env python3
"""Listens to a gateway: python3 examples/client.py [HOST:PORT] [SECONDS]. Prints the newest sample of every signal as JSON.

Written from docs/PROTOCOL.md alone, with nothing but Python's standard library, to show that the page is enough."""
import base64, json, os, socket, struct, sys, time

HOST, _, PORT = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7077").partition(":")
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0


class Reader:
    """Numbers and texts of a body, front to back."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        if self.at > len(self.data):
            raise ValueError("the frame ends too early")
        return self.data[self.at - count:self.at]

    def u(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    def z(self):
        value = self.u()
        return value >> 1 ^ -(value & 1)

    def text(self):
        return self.take(self.u()).decode()

    def runs(self, count):
        out = []
        while len(out) < count:
            value, length = self.u(), self.u()
            out += [value] * length
        return out

    def times(self, count):
        unit, out, last = (1, 1_000, 1_000_000)[self.take(1)[0]], [], 0
        for _ in range(count):
            last += self.z()
            out.append(last * unit)
        return out


def samples(body):
    """The columns of a snapshot or batch as (id, microseconds, value, quality)."""
    count = body.u()
    ids, last = [], 0
    for _ in range(count):
        last += body.u()
        ids.append(last)
    times, _delays, kinds = body.times(count), body.times(count), body.runs(count)
    nibbles = body.take((kinds.count(0) + 1) // 2)
    floats = []
    for at in range(kinds.count(0)):
        nibble = nibbles[at // 2] >> 4 * (at % 2) & 15
        if nibble < 10:
            floats.append(body.z() / 10**nibble)
        else:
            floats.append(struct.unpack("<d", body.take(8))[0] if nibble == 10 else struct.unpack("<f", body.take(4))[0])
    integers = [body.z() for _ in range(kinds.count(1))]
    bits = body.take((kinds.count(2) + 7) // 8)
    switches = [bool(bits[at // 8] >> at % 8 & 1) for at in range(kinds.count(2))]
    words = [body.text() for _ in range(body.u())] if 3 in kinds else []
    texts = [words[body.u()] for _ in range(kinds.count(3))]
    columns = [iter(column) for column in (floats, integers, switches, texts)]
    values = [next(columns[kind]) for kind in kinds]
    return zip(ids, times, values, body.runs(count))


def lz4(block):
    """One LZ4 block: literals and copies from what is already there."""
    source, out = Reader(block), bytearray()

    def length(nibble):
        more = 255 if nibble == 15 else 0
        while more == 255:
            more = source.take(1)[0]
            nibble += more
        return nibble

    while source.at < len(block):
        token = source.take(1)[0]
        out += source.take(length(token >> 4))
        if source.at == len(block):
            break
        back = int.from_bytes(source.take(2), "little")
        for _ in range(length(token & 15) + 4):
            out.append(out[-back])
    return bytes(out)


class Socket:
    """A WebSocket, as far as a listener needs one (RFC 6455)."""

    def __init__(self):
        self.tcp = socket.create_connection((HOST, int(PORT)), timeout=SECONDS + 10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.tcp.sendall((f"GET /stream HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: orrery.v1.bin\r\n\r\n").encode())
        self.file = self.tcp.makefile("rb")
        if b" 101 " not in self.file.readline():
            sys.exit("the gateway does not open its stream")
        while self.file.readline() != b"\r\n":
            pass

    def send(self, data, kind=2):
        mask = os.urandom(4)
        self.tcp.sendall(bytes([128 | kind, 128 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        kind, size = self.file.read(2)
        size = int.from_bytes(self.file.read(2), "big") if size == 126 else int.from_bytes(self.file.read(8), "big") if size == 127 else size
        return kind & 15, self.file.read(size)


link, names, newest, sequence, end = Socket(), [], {}, None, time.monotonic() + SECONDS
# Client hello: one version, 1; our name; nothing to resume.
link.send(bytes([0x4F, 1, 0x21, 0, 1, 1, 6]) + b"client" + b"\0")
while time.monotonic() < end:
    opcode, frame = link.receive()
    if opcode == 8:
        sys.exit("the gateway closed the stream")
    if opcode != 2:
        continue
    kind, packed = frame[2], frame[3]
    body = Reader(lz4(frame[8:]) if packed else frame[4:])
    if kind == 0x02:
        names = [(body.take(1), body.text())[1] for _ in range(body.u())]
    elif kind in (0x03, 0x04):
        sequence = body.u()
        if kind == 0x03:
            body.z()
        newest.update({names[at]: {"time_us": t, "value": value, "quality": quality} for at, t, value, quality in samples(body)})
print(json.dumps({"seq": sequence, "signals": newest}, indent=1, sort_keys=True))
