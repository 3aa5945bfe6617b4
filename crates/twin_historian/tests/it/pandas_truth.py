"""What pandas reads out of the shared data sets, as JSON: one line per series, to compare the time store with.

    python3 pandas_truth.py FOLDER_OF_SHARED_DATA > pandas_truth.json

The checked-in pandas_truth.json was written by pandas 3.1 this way; a test runs the script again where pandas is there.

Of each series: rows with a value, rows whose time comes again later, rows with an earlier time than the row before; then of what is
left when the last of equal times wins: first and last time (seconds), lowest, highest and sum of the numbers, gaps (distances of more
than three steps, in seconds), and a CRC-32 over all times (i64 microseconds, little-endian) and values (f64, or UTF-8 with a zero).
"""

import json
import math
import struct
import sys
import zlib
from pathlib import Path

import pandas as pd


# The nearest binary64: what pandas does by itself from 3.1 on, and must be told before.
NEAREST = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}


def table(path, separator=",", **more):
    # A spreadsheet's error is no number, like an empty cell.
    return pd.read_csv(path, sep=separator, na_values=["#VALUE!"], **NEAREST, **more)


def series(file, name, times, values, step):
    """`times` as datetimes, `values` as numbers or words, in the order of the file."""
    data = pd.DataFrame({"t": times, "v": values}).dropna()
    micros = data["t"].astype("datetime64[us]").astype("int64")
    data = data.assign(t=micros)
    kept = data.drop_duplicates("t", keep="last").sort_values("t")
    times, values = kept["t"].tolist(), kept["v"].tolist()
    crc = 0
    for t, v in zip(times, values):
        crc = zlib.crc32(struct.pack("<q", t), crc)
        crc = zlib.crc32(v.encode() + b"\0" if isinstance(v, str) else struct.pack("<d", v), crc)
    numbers = [] if isinstance(values[0], str) else values
    return {
        "file": file,
        "series": name,
        "rows": len(data),
        "duplicates": len(data) - len(kept),
        "backward": int((data["t"].diff() < 0).sum()),
        "first_s": times[0] / 1e6,
        "last_s": times[-1] / 1e6,
        "low": min(numbers, default=None),
        "high": max(numbers, default=None),
        "sum": math.fsum(numbers) if numbers else None,
        "gaps": [[a / 1e6, b / 1e6] for a, b in zip(times, times[1:]) if b - a > 3 * step * 1e6],
        "crc32": crc,
    }


def columns(root, file, step, separator=",", time_format=None):
    data = table(root / file, separator)
    times = pd.to_datetime(data.iloc[:, 0], format=time_format)
    for name in data.columns[1:]:
        yield series(file, name, times, data[name].astype("float64"), step)


def cookie_factory(root, file):
    names = ["ms", "type", "asset", "attribute", "value", "kind"]
    data = table(root / file, header=None, names=names, dtype={"value": str})
    for (asset, attribute), rows in data.groupby(["asset", "attribute"], sort=True):
        values = rows["value"] if attribute == "alarm_status" else rows["value"].astype("float64")
        yield series(file, f"{asset}/{attribute}", pd.to_datetime(rows["ms"], unit="ms"), values, 60)


def everything(root):
    yield from columns(root, "nab/realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv", 300)
    yield from columns(root, "nab/realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv", 300)
    yield from columns(root, "nab/realKnownCause/machine_temperature_system_failure.csv", 300)
    for run in ["valve1/0", "valve1/1", "valve1/2", "valve1/3", "other/1", "other/5", "other/9"]:
        yield from columns(root, f"skab/{run}.csv", 1, ";")
    yield from columns(root, "lbnl-ahu/SZVAV.csv", 60, time_format="%m/%d/%Y %H:%M")
    yield from columns(root, "ett-transformer/ETTh1.csv", 3600)
    yield from cookie_factory(root, "aws-cookiefactory-v1/telemetry.csv")


if __name__ == "__main__":
    found = [json.dumps(one) for one in everything(Path(sys.argv[1]) / "C-telemetry")]
    print("[\n" + ",\n".join(found) + "\n]")
