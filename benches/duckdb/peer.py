"""DuckDB on the load and the reads of benches/time_store, which starts this script.

A database file, inserted from numpy columns in batches of a minute, then sorted by signal and time once, as DuckDB's
documentation advises for zone maps ("Ordering", Performance Guide). The state of all signals is asked in three ways, an ASOF
JOIN among them, and the fastest is measured. Needs `pip install duckdb numpy`.
"""

import json
import math
import os
import sys
import time
import zlib

import duckdb
import numpy as np

JUMPS = {
    # What the documentation names for this question.
    "ASOF JOIN": """
        SELECT s.signal, x.t, x.v FROM (SELECT signal, ?::BIGINT AS at FROM signals) s
        ASOF JOIN samples x ON s.signal = x.signal AND s.at >= x.t ORDER BY s.signal""",
    # The same with the right side cut by hand, so that zone maps can skip what is later.
    "ASOF JOIN, cut": """
        SELECT s.signal, x.t, x.v FROM (SELECT signal, ?1::BIGINT AS at FROM signals) s
        ASOF JOIN (SELECT signal, t, v FROM samples WHERE t <= ?1) x ON s.signal = x.signal AND s.at >= x.t ORDER BY s.signal""",
    "arg_max": """
        SELECT signal, max(t), arg_max(v, t) FROM samples WHERE t <= ? GROUP BY signal ORDER BY signal""",
}
RANGE = """
    SELECT t // $width AS bucket, min(v), max(v), count(*) FROM samples
    WHERE signal = $signal AND t >= $start AND t < $end GROUP BY bucket ORDER BY bucket"""
COLUMNS = {"signal": "i4", "t": "i8", "received": "i8", "v": "f8", "quality": "i4", "flags": "i4"}


def columns(folder):
    files = {"signal": "signal.i32", "t": "t.i64", "received": "received.i64", "v": "v.f64"}
    files |= {"quality": "quality.i32", "flags": "flags.i32"}
    return {name: np.fromfile(os.path.join(folder, files[name]), dtype="<" + kind) for name, kind in COLUMNS.items()}


def fingerprint(arrays):
    """CRC-32 of columns one after the other, little-endian; as in peer.rs."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(array.tobytes(), crc)
    return crc


def percentile(times, percent):
    return sorted(times)[max(math.ceil(len(times) * percent / 100), 1) - 1]


class Peer:
    def __init__(self, plan, folder, name="peer.duckdb"):
        self.plan = plan
        self.path = os.path.join(folder, name)
        self.db = duckdb.connect(self.path)
        self.db.execute(
            "CREATE TABLE arrived (signal INTEGER, t BIGINT, received BIGINT, v DOUBLE, quality INTEGER, flags INTEGER)"
        )
        self.db.execute("CREATE TABLE signals AS SELECT range::INTEGER AS signal FROM range(?)", [plan["signals"]])

    def ingest(self, batch):
        self.db.register("batch", batch)
        self.db.execute("INSERT INTO arrived SELECT signal, t, received, v, quality, flags FROM batch")
        self.db.unregister("batch")

    def settle(self):
        self.db.execute("CREATE TABLE samples AS SELECT * FROM arrived ORDER BY signal, t")
        self.db.execute("DROP TABLE arrived")
        self.db.execute("CHECKPOINT")

    def state(self, way, t):
        return self.db.execute(JUMPS[way], [t]).fetchnumpy()

    def range(self, signal):
        plan = self.plan
        end = plan["start"] + plan["seconds"] * 1_000_000
        names = {"width": plan["width"], "signal": signal, "start": plan["start"], "end": end}
        return self.db.execute(RANGE, names).fetchnumpy()

    def disk(self):
        """Bytes of the blocks in use of a copy: the file itself keeps the space of the dropped table."""
        self.db.execute(f"ATTACH '{self.path}.copy' AS tight")
        self.db.execute("CREATE TABLE tight.samples AS SELECT * FROM samples ORDER BY signal, t")
        self.db.execute("DETACH tight")
        return os.path.getsize(self.path + ".copy")


def of_state(rows, signals):
    t, v = np.full(signals, np.iinfo(np.int64).min, dtype="<i8"), np.full(signals, np.nan, dtype="<f8")
    signal, found_t, found_v = (np.ma.getdata(column) for column in rows.values())
    t[signal], v[signal] = found_t, found_v
    return fingerprint([v + 0.0, t])


def of_range(rows):
    number, low, high, count = (np.ma.getdata(column) for column in rows.values())
    return fingerprint([number.astype("<i8"), low.astype("<f8") + 0.0, high.astype("<f8") + 0.0, count.astype("<i8")])


def reads(plan, at, read, answer):
    """Times one read after the other until the plan's patience ends; the first ones are fingerprinted."""
    read(at[0])
    times, answers = [], []
    for number, what in enumerate(at):
        if number >= plan["checked"] and sum(times) > plan["patience_s"]:
            break
        before = time.perf_counter()
        rows = read(what)
        times.append(time.perf_counter() - before)
        if number < plan["checked"]:
            answers.append(answer(rows))
    return times, answers


def fastest(peer, plan):
    """The fastest way to ask for a state, and what each took."""
    took = {}
    for way in JUMPS:
        peer.state(way, plan["jumps"][0])
        before = time.perf_counter()
        answers = {of_state(peer.state(way, t), plan["signals"]) for t in plan["jumps"][:3]}
        took[way] = ((time.perf_counter() - before) / 3, answers)
    if len({frozenset(answers) for _, answers in took.values()}) != 1:
        sys.exit("the ways to ask for a state do not agree")
    best = min(took, key=lambda way: took[way][0])
    return best, ", ".join(f"{way} {seconds * 1e3:.0f} ms" for way, (seconds, _) in took.items())


def live_rate(plan, folder, load):
    """Samples a second where every second of the plant is inserted by itself, in a file of its own; one minute is enough."""
    peer, spent, signals = Peer(plan, folder, "live.duckdb"), 0.0, plan["signals"]
    seconds = min(plan["seconds"], 60)
    for second in range(seconds):
        batch = {name: column[second * signals : (second + 1) * signals] for name, column in load.items()}
        before = time.perf_counter()
        peer.ingest(batch)
        spent += time.perf_counter() - before
    return seconds * signals / spent


def main(folder):
    with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:
        plan = json.load(file)
    load, samples, minute = columns(folder), plan["signals"] * plan["seconds"], plan["signals"] * 60
    peer, spent = Peer(plan, folder), 0.0
    for first in range(0, samples, minute):
        batch = {name: column[first : first + minute] for name, column in load.items()}
        before = time.perf_counter()
        peer.ingest(batch)
        spent += time.perf_counter() - before
    arrived = spent
    before = time.perf_counter()
    peer.settle()
    spent += time.perf_counter() - before
    live = live_rate(plan, folder, load)
    del load
    way, ways = fastest(peer, plan)
    jumps, jump_answers = reads(plan, plan["jumps"], lambda t: peer.state(way, t), lambda r: of_state(r, plan["signals"]))
    drags, drag_answers = reads(plan, plan["drags"], lambda t: peer.state(way, t), lambda r: of_state(r, plan["signals"]))
    ranges, range_answers = reads(plan, plan["ranges"], peer.range, of_range)
    note = f"all fields, both clocks; a file sorted by (signal, t), all cores; inserted from numpy by the minute at "
    note += f"{samples / arrived / 1e6:.1f} M samples/s, then sorted; states: {ways}; {way} taken"
    figures = {
        "peer": f"DuckDB {duckdb.__version__}",
        "note": note,
        "memory_bytes_per_sample": None,
        "disk_bytes_per_sample": peer.disk() / samples,
        "ingest_samples_s": samples / spent,
        "live_samples_s": live,
        "reads": [len(jumps), len(drags), len(ranges)],
        "answers": [jump_answers, drag_answers, range_answers],
    }
    for name, times in [("jump", jumps), ("drag", drags), ("range", ranges)]:
        for percent in (50, 99):
            figures[f"{name}_p{percent}_ms"] = percentile(times, percent) * 1e3
    print(json.dumps(figures))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("needs the folder of a plan; started by benches/time_store")
    main(sys.argv[1])
