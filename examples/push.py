#!/usr/bin/env python3
"""Pushes samples into a gateway and waits until they are safe: python3 examples/push.py [HOST:PORT] [SECONDS] [SIGNAL...]

Sends a wave on each signal ten times a second over /ingest in binary form (docs/PROTOCOL.md), with at most WINDOW pushes
unanswered, and prints what became of them as JSON. Nothing but Python's standard library."""
import base64, collections, json, math, os, socket, struct, sys, time

HOST, _, PORT = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7077").partition(":")
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
SIGNALS = sys.argv[3:] or ["pump-01.flow"]
WINDOW = 8
# Where the gateway asks who we are (docs/PROTOCOL.md, "Tokens"); never in the address.
BEARER = f"Authorization: Bearer {os.environ['ORRERY_TOKEN']}\r\n" if os.environ.get("ORRERY_TOKEN") else ""


def u(number):
    """Unsigned LEB128."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def z(number):
    """Signed, small magnitudes first."""
    return u(number << 1 if number >= 0 else (-number << 1) - 1)


def text(words):
    return u(len(words.encode())) + words.encode()


def push(seq, now_us, values):
    """One float of each signal, all taken now. Columns: ids, times, delays, kinds, floats, qualities, flags."""
    n = len(values)
    ids = b"".join(u(min(at, 1)) for at in range(n))
    times = b"\0" + z(now_us) + z(0) * (n - 1)
    # The receive time is the gateway's to say: no delay. Floats: nibble 10 for eight bytes each, two nibbles a byte.
    nibbles = bytes([0xAA] * (n // 2) + [0x0A] * (n % 2))
    floats = b"".join(struct.pack("<d", value) for value in values)
    alike = u(0) + u(n)
    return bytes([0x4F, 1, 0x24, 0]) + u(seq) + u(n) + ids + times + b"\0" + z(0) * n + alike + nibbles + floats + alike + alike


class Socket:
    """A WebSocket, as far as a sender needs one (RFC 6455)."""

    def __init__(self):
        self.tcp = socket.create_connection((HOST, int(PORT)), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.tcp.sendall((f"GET /ingest HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: orrery.ingest.v1.bin\r\n{BEARER}\r\n").encode())
        self.file = self.tcp.makefile("rb")
        if b" 101 " not in self.file.readline():
            sys.exit("the gateway does not open /ingest")
        while self.file.readline() != b"\r\n":
            pass

    def send(self, data):
        size, mask = len(data), os.urandom(4)
        head = bytes([128 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size) if size < 65536 else b"\xff" + struct.pack(">Q", size)
        self.tcp.sendall(b"\x82" + head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        while True:
            kind, size = self.file.read(2)
            size = int.from_bytes(self.file.read(2), "big") if size == 126 else int.from_bytes(self.file.read(8), "big") if size == 127 else size
            data = self.file.read(size)
            if kind & 15 == 8:
                sys.exit("the gateway closed the connection")
            if kind & 15 == 2:
                return data


def answer():
    """Reads one ack: it is about the oldest open push, and says whether its samples survive a power cut of the gateway."""
    frame, at, numbers = link.receive(), 4, []
    while len(numbers) < 4:
        value = shift = 0
        while frame[at] > 127:
            value, shift, at = value | (frame[at] & 127) << shift, shift + 7, at + 1
        numbers, at = numbers + [value | frame[at] << shift], at + 1
    seq, taken, refused, durable = numbers
    if frame[2] != 0x0D or seq != waiting.popleft():
        sys.exit("this is not the answer to the oldest push")
    for key, count in (("acked", taken), ("refused", refused), ("only_in_memory", 0 if durable else taken)):
        total[key] += count


link, waiting, total = Socket(), collections.deque(), {"sent": 0, "acked": 0, "refused": 0, "only_in_memory": 0}
link.send(bytes([0x4F, 1, 0x23, 0]) + u(len(SIGNALS)) + b"".join(map(text, SIGNALS)))
for number in range(round(SECONDS * 10)):
    while len(waiting) >= WINDOW:
        answer()
    now = time.time()
    link.send(push(number, int(now * 1e6), [50 + 20 * math.sin(now + at) for at in range(len(SIGNALS))]))
    waiting.append(number)
    total["sent"] += len(SIGNALS)
    time.sleep(0.1)
while waiting:
    answer()
print(json.dumps(total))
