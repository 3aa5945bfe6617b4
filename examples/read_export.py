#!/usr/bin/env python3
"""Reads tables of `orrery export` (docs/HISTORIAN.md, section 5) with pandas and with DuckDB, and says what they hold.

    python3 -m pip install duckdb pandas pyarrow
    orrery export SITE --data DIR -o day.parquet
    python3 examples/read_export.py day.parquet [day.csv ...]

Prints JSON: for each file and reader the rows, the samples by kind, sums and extremes, first and last source time, and the
types of the columns. The same numbers come out of both readers and both formats.
"""

import json
import sys

import duckdb
import pandas as pd

TIMES = ["source_time", "received_time"]
NULL = 16
# CSV has no types: these are the ones of the Parquet file.
CSV_TYPES = {
    "signal": "str", "kind": "str", "value_double": "float64", "value_int64": "Int64", "value_bool": "boolean",
    "value_text": "str", "unit": "str", "quality": "uint16", "quality_name": "str", "flags": "uint8", "flag_names": "str",
}
CSV_SQL_TYPES = {
    "signal": "VARCHAR", "source_time": "TIMESTAMPTZ", "received_time": "TIMESTAMPTZ", "kind": "VARCHAR",
    "value_double": "DOUBLE", "value_int64": "BIGINT", "value_bool": "BOOLEAN", "value_text": "VARCHAR", "unit": "VARCHAR",
    "quality": "USMALLINT", "quality_name": "VARCHAR", "flags": "UTINYINT", "flag_names": "VARCHAR",
}


def table(path):
    """A table as a pandas frame."""
    if path.endswith(".parquet"):
        # Nullable types: NaN is a value here and not the absence of one.
        return pd.read_parquet(path, dtype_backend="numpy_nullable")
    # A text may be the word NaN or null; pandas has no other way to say NaN than as missing. `kind` tells which it is.
    missing = {"value_double": ["", "NaN", "-NaN"], "value_int64": [""], "value_bool": [""]}
    return pd.read_csv(path, dtype=CSV_TYPES, parse_dates=TIMES, date_format="ISO8601", keep_default_na=False,
                       na_values=missing)


def by_pandas(path):
    frame = table(path)
    of = {kind: frame[frame["kind"] == kind] for kind in ("double", "int64", "bool", "text")}
    # A reading without a value (flag bit 16, null) has an empty cell: it is no NaN, which is a value that somebody sent.
    valued = of["double"][of["double"]["flags"] & NULL == 0]
    doubles = valued["value_double"].to_numpy(dtype="float64", na_value=float("nan"))
    finite = doubles[abs(doubles) < float("inf")]
    micros = frame["source_time"].dt.as_unit("us").astype("int64")
    return {
        "rows": len(frame),
        "signals": int(frame["signal"].nunique()),
        "kinds": {kind: len(rows) for kind, rows in of.items()},
        "sum_double": float(finite.sum()),
        "nan": int((doubles != doubles).sum()),
        "infinite": int((abs(doubles) == float("inf")).sum()),
        "min_int64": None if of["int64"].empty else int(of["int64"]["value_int64"].min()),
        "max_int64": None if of["int64"].empty else int(of["int64"]["value_int64"].max()),
        "true": int(of["bool"]["value_bool"].sum()),
        "texts": sorted(set(of["text"]["value_text"])),
        "sum_quality": int(frame["quality"].astype("int64").sum()),
        "sum_flags": int(frame["flags"].astype("int64").sum()),
        "first_us": None if frame.empty else int(micros.min()),
        "last_us": None if frame.empty else int(micros.max()),
        "types": {name: str(kind) for name, kind in frame.dtypes.items()},
    }


def by_duckdb(path):
    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    if path.endswith(".parquet"):
        rows = base.read_parquet(path)
    else:
        rows = base.read_csv(path, header=True, dtype=CSV_SQL_TYPES)
    types = dict(zip(rows.columns, map(str, rows.types)))
    base.register("samples", rows)
    names = ["rows", "signals", "sum_double", "nan", "infinite", "min_int64", "max_int64", "true", "texts", "sum_quality",
             "sum_flags", "first_us", "last_us"]
    values = base.sql("""
        SELECT count(*), count(DISTINCT signal),
               coalesce(sum(value_double) FILTER (isfinite(value_double)), 0.0),
               count(*) FILTER (isnan(value_double)), count(*) FILTER (isinf(value_double)),
               min(value_int64), max(value_int64), count(*) FILTER (value_bool),
               coalesce(list_sort(list(DISTINCT coalesce(value_text, '')) FILTER (kind = 'text')), []),
               coalesce(sum(quality), 0)::BIGINT, coalesce(sum(flags), 0)::BIGINT,
               epoch_us(min(source_time)), epoch_us(max(source_time))
        FROM samples""").fetchall()[0]
    kinds = dict(base.sql("SELECT kind, count(*) FROM samples GROUP BY kind").fetchall())
    said = dict(zip(names, values))
    said["kinds"] = {kind: kinds.get(kind, 0) for kind in ("double", "int64", "bool", "text")}
    said["types"] = types
    return said


if __name__ == "__main__":
    files = sys.argv[1:]
    if not files:
        sys.exit(__doc__)
    print(json.dumps({file: {"pandas": by_pandas(file), "duckdb": by_duckdb(file)} for file in files}, indent=2))
