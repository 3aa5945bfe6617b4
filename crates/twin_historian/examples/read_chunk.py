#!/usr/bin/env python3
"""Reads history chunks as described in docs/HISTORIAN.md and prints their samples as JSON lines.

Usage: read_chunk.py FILE...     Needs: pip install pcodec numpy
"""
import json
import struct
import sys
import zlib

WRAP = 1 << 64


def signed(v):
    v %= WRAP
    return v - WRAP if v >> 63 else v


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        piece = self.data[self.at:self.at + n]
        if len(piece) != n:
            raise ValueError("chunk is cut short")
        self.at += n
        return piece

    def u8(self):
        return self.take(1)[0]

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def zigzag(self):
        v = self.varint()
        return (v >> 1) ^ -(v & 1)

    def pco(self, n, dtype):
        import numpy as np
        from pcodec import standalone
        out = np.zeros(n, dtype=dtype)
        progress = standalone.simple_decompress_into(self.take(self.varint()), out)
        assert progress.n_processed == n
        return out

    def ints(self, n, same=None):
        code = self.u8()
        if code == 0:
            return [self.zigzag()] * n
        if code == 1:
            first, step = self.zigzag(), self.zigzag()
            return [signed(first + step * i) for i in range(n)]
        if code == 2:
            out, last = [], 0
            for _ in range(n):
                last = signed(last + self.zigzag())
                out.append(last)
            return out
        if code == 3:
            out = []
            while len(out) < n:
                value = self.zigzag()
                out += [value] * self.varint()
            return out
        if code == 4:
            return self.pco(n, "int64").tolist()
        if code == 5 and same is not None and len(same) == n:
            return same
        raise ValueError(f"unknown column encoding {code}")

    def floats(self, n):
        code = self.u8()
        if code == 0:
            return list(struct.unpack("<d", self.take(8))) * n
        if code == 4:
            return self.pco(n, "int64").view("float64").tolist()
        if code == 6:
            return self.pco(n, "float64").tolist()
        if code == 7:
            power = 10.0 ** self.u8()
            return [m / power for m in self.ints(n)]
        if code == 8:
            return list(struct.unpack(f"<{n}d", self.take(8 * n)))
        raise ValueError(f"unknown column encoding {code}")


def read_chunk(data):
    """Yields (signal, source time, received time, value, quality, flags)."""
    magic, version, crc = struct.unpack_from("<4sB3xI", data)
    assert magic == b"ORRC" and version == 1, "not a chunk of format 1"
    assert zlib.crc32(data[12:]) == crc, "damaged"
    _, first_signal, _, start, _, samples, sections = struct.unpack_from("<IIIqqII", data, 12)
    reader = Reader(data)
    reader.take(48)
    signal, times, delays, count = first_signal - 1, None, None, 0
    for _ in range(sections):
        signal += reader.varint()
        n, kind = reader.varint(), reader.u8()
        times, delays = reader.ints(n, times), reader.ints(n, delays)
        marks = reader.ints(n)
        words = [reader.take(reader.varint()).decode() for _ in range(reader.varint())] if kind == 4 else []
        values = reader.floats(n) if kind == 1 else reader.ints(n)
        if kind == 3:
            values = [v == 1 for v in values]
        elif kind == 4:
            values = [words[v] for v in values]
        for time, delay, mark, value in zip(times, delays, marks, values):
            yield signal, start + time, start + time + delay, value, mark >> 8, mark & 0xFF
        count += n
    assert count == samples and reader.at == len(data), "sections do not add up"


if __name__ == "__main__":
    for path in sys.argv[1:]:
        for sample in read_chunk(open(path, "rb").read()):
            print(json.dumps(sample))
