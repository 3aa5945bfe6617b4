#!/usr/bin/env python3
"""Listens to a gateway: python3 examples/client.py [HOST:PORT] [SECONDS]. Prints the newest sample of every signal as JSON.

Or reads what the site is: python3 examples/client.py publication HOST:PORT|FOLDER|FILE.orrec [TIME]. Prints twins, signals and rules as JSON, as they
are or (with TIME, of a folder or a recording) as they were then. Every piece is compared with its name.

Written from docs/PROTOCOL.md alone, with nothing but Python's standard library, to show that the page is enough."""
import base64, bisect, datetime, hashlib, http.client, json, os, socket, struct, sys, time, zlib


def from_recording(place):
    """The publication in a recording, under the names that its files have in a folder."""
    with open(place, "rb") as file:
        data = file.read()
    if data[:8] != b"\x89ORREC\r\n" or data[8:10] != b"\2\0":
        sys.exit(f"{place}: this program reads recordings of version 2")
    files, manifests, at = {}, [], 12
    while at + 9 <= len(data):
        kind, size, checksum = struct.unpack_from("<BII", data, at)
        payload = data[at + 9:at + 9 + size]
        if len(payload) < size or zlib.crc32(payload, zlib.crc32(bytes([kind]))) != checksum or kind not in (3, 4, 5) and kind < 0x40:
            break  # Torn: what comes before is good.
        at += 9 + size
        if kind == 4:
            manifests.append(payload)
        elif kind == 5:
            files["pieces/" + payload[:32].hex()] = payload[32:]
    if not manifests:
        sys.exit(f"{place}: it does not say what it is of")
    earlier = {}
    for manifest in manifests[:-1]:
        one = document(manifest, "orrery.publication")
        number = one["revision"]
        # The same number again has other findings; the last one counts.
        files[f"revisions/{number}.json"] = manifest
        earlier[number] = {"revision": number, "valid_from": one["valid_from"], "bytes": len(manifest), "sha256": hashlib.sha256(manifest).hexdigest()}
    files["manifest.json"] = manifests[-1]
    files["revisions.json"] = json.dumps({"format": "orrery.revisions", "version": 1, "revisions": list(earlier.values())})
    return files


def fetcher(place):
    """How to get a file of a publication: out of a folder or a recording, or from a gateway."""
    if os.path.isfile(place):
        files = from_recording(place)
        return lambda name: files[name] if name in files else sys.exit(f"{place}: it lacks {name}")
    if os.path.isdir(place):
        def from_folder(name):
            with open(os.path.join(place, name), "rb") as file:
                return file.read()
        return from_folder

    def from_gateway(name):
        path = "/api/publication" if name == "manifest.json" else "/api/piece/" + name.removeprefix("pieces/")
        gateway = http.client.HTTPConnection(place, timeout=30)
        token = os.environ.get("ORRERY_TOKEN")
        for _ in range(60):
            gateway.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = gateway.getresponse()
            body = answer.read()
            if answer.status == 200:
                return body
            if answer.status != 503:
                break
            # Still being compiled; the answer says when to come again.
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        sys.exit(f"{path}: {answer.status} {body.decode(errors='replace').strip()}")
    return from_gateway


def document(data, form):
    """A JSON document, where it is of the form and version that this program knows."""
    document = json.loads(data)
    if document.get("format") != form or document.get("version") != 1:
        sys.exit(f"this program reads {form} version 1, not {document.get('format')} version {document.get('version')}")
    return document


def checked(data, piece):
    """Bytes, where they are the piece that was named."""
    if len(data) != piece["bytes"] or hashlib.sha256(data).hexdigest() != piece["sha256"]:
        sys.exit(f"piece {piece['sha256']} is damaged")
    return data


def at_time(fetch, manifest, text):
    """The manifest that was valid at an instant: the last that had begun, before the first one the first."""
    def instant(text):
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if not manifest["revision"] > 1 or instant(manifest["valid_from"]) <= instant(text):
        return manifest
    earlier = document(fetch("revisions.json"), "orrery.revisions")["revisions"]
    earlier = [one for one in earlier if one["revision"] < manifest["revision"]]
    if not earlier:
        return manifest
    begun = bisect.bisect_right([instant(one["valid_from"]) for one in earlier], instant(text))
    found = earlier[max(begun, 1) - 1]
    return document(checked(fetch(f"revisions/{found['revision']}.json"), found), "orrery.publication")


def publication(place, time=None):
    """What there is, with the defaults of the page filled in."""
    fetch = fetcher(place)
    manifest = document(fetch("manifest.json"), "orrery.publication")
    if time:
        manifest = at_time(fetch, manifest, time)
    scene = manifest.get("scene") or {}
    pieces = [manifest["model"], *([scene["index"]] if scene else []), *scene.get("geometry", []),
              *scene.get("images", []), *manifest.get("assets", []), *([manifest["history"]] if "history" in manifest else [])]
    data = {piece["sha256"]: checked(fetch("pieces/" + piece["sha256"]), piece) for piece in pieces}
    model = document(data[manifest["model"]["sha256"]], "orrery.model")
    twins, signals = model.get("twins", []), model.get("signals", [])
    ids = [one.get("id", twins[one["twin"]]["id"] + "." + one["name"]) for one in signals]
    rules = [{"id": rule["id"], "twin": twins[rule.get("twin", signals[rule["signal"]]["twin"])]["id"], "signal": ids[rule["signal"]], "kind": rule["kind"]}
             for rule in model.get("rules", []) if rule["signal"] < len(ids)]
    return {"site": manifest["site"]["id"], "revision": manifest["revision"], "valid_from": manifest["valid_from"], "pieces": len(data),
            "findings": len(manifest.get("findings", [])),
            "twins": [{"id": one["id"], "name": one.get("display_name", one["id"])} for one in twins],
            "signals": [{"id": id, "unit": one.get("unit", ""), "value": one.get("value", "float")} for id, one in zip(ids, signals)], "rules": rules}


if sys.argv[1:2] == ["publication"]:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    print(json.dumps(publication(*sys.argv[2:4]), indent=1, ensure_ascii=False))
    sys.exit()

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
        while (byte := self.take(1)[0]) > 127:
            value, shift = value | (byte & 127) << shift, shift + 7
        return value | byte << shift

    def z(self):
        value = self.u()
        return value >> 1 ^ -(value & 1)

    def text(self):
        return self.take(self.u()).decode()

    def sums(self, count, step, last=0):
        return [last := last + step() for _ in range(count)]

    def times(self, count):
        unit = (1, 1_000, 1_000_000)[self.take(1)[0]]
        return [time * unit for time in self.sums(count, self.z)]

    def runs(self, count):
        out = []
        while len(out) < count:
            out += [self.u()] * self.u()
        return out

    def number(self, nibble):
        if nibble < 10:
            return self.z() / 10**nibble
        return struct.unpack("<d", self.take(8))[0] if nibble == 10 else struct.unpack("<f", self.take(4))[0]


def samples(body):
    """The columns of a snapshot or batch as (id, microseconds, value, quality)."""
    count = body.u()
    ids, times, _delays, kinds = body.sums(count, body.u), body.times(count), body.times(count), body.runs(count)
    floats, integers, bools, texts = (kinds.count(kind) for kind in range(4))
    nibbles = body.take((floats + 1) // 2)
    floats = [body.number(nibbles[at // 2] >> 4 * (at % 2) & 15) for at in range(floats)]
    integers, bits = [body.z() for _ in range(integers)], body.take((bools + 7) // 8)
    bools = [bool(bits[at // 8] >> at % 8 & 1) for at in range(bools)]
    words = [body.text() for _ in range(body.u())] if texts else []
    columns = [iter(column) for column in (floats, integers, bools, [words[body.u()] for _ in range(texts)])]
    return list(zip(ids, times, [next(columns[kind]) for kind in kinds], body.runs(count)))


def lz4(block):
    """One LZ4 block: literals, and copies from what is already there."""
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
        if source.at < len(block):
            back = int.from_bytes(source.take(2), "little")
            for _ in range(length(token & 15) + 4):
                out.append(out[-back])
    return bytes(out)


# Where the gateway asks who we are (docs/PROTOCOL.md, "Tokens"); never in the address.
BEARER = f"Authorization: Bearer {os.environ['ORRERY_TOKEN']}\r\n" if os.environ.get("ORRERY_TOKEN") else ""


def messages(end):
    """Connects and says hello; then the binary messages of the WebSocket (RFC 6455)."""
    tcp = socket.create_connection((HOST, int(PORT)), timeout=SECONDS + 10)
    key, file = base64.b64encode(os.urandom(16)).decode(), tcp.makefile("rb")
    tcp.sendall((f"GET /stream HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                 f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: orrery.v1.bin\r\n{BEARER}\r\n").encode())
    if b" 101 " not in file.readline():
        sys.exit("the gateway does not open its stream")
    while file.readline() != b"\r\n":
        pass
    # Client hello: one version, 1; our name; nothing to resume. A client masks what it sends, here with zeros.
    hello = bytes([0x4F, 1, 0x21, 0, 1, 1, 6]) + b"client" + b"\0"
    tcp.sendall(bytes([0x82, 0x80 | len(hello), 0, 0, 0, 0]) + hello)
    while time.monotonic() < end:
        opcode, size = file.read(2)
        size = int.from_bytes(file.read({126: 2, 127: 8}[size]), "big") if size > 125 else size
        message = file.read(size)
        if opcode & 15 == 8:
            sys.exit("the gateway closed the stream")
        if opcode & 15 == 9:
            # A ping, which says at most 125 bytes. Who does not answer is taken for gone.
            tcp.sendall(bytes([0x8A, 0x80 | size, 0, 0, 0, 0]) + message)
        if opcode & 15 == 2:
            yield message


names, newest, sequence = [], {}, None
for frame in messages(time.monotonic() + SECONDS):
    kind, body = frame[2], Reader(lz4(frame[8:]) if frame[3] else frame[4:])
    if kind == 0x02:
        names = [(body.take(1), body.text())[1] for _ in range(body.u())]
    elif kind in (0x03, 0x04):
        sequence = body.u()
        if kind == 0x03:
            body.z()
        newest.update({names[at]: {"time_us": t, "value": value, "quality": quality} for at, t, value, quality in samples(body)})
print(json.dumps({"seq": sequence, "signals": newest}, indent=1, sort_keys=True))
