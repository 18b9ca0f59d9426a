"""Reads the files that loading_speed wrote with pandas or polars, for comparison.

    python loading_pandas_polars.py READER FOLDER [ROWS...]      READER: pandas or polars

Needs pandas, polars and pyarrow. Each is measured twice: the file into a table of raw ids, and then also users and
items numbered as loading_speed has them, with the list of ids: by pandas.factorize, and for polars by Arrow's
dictionary_encode, which takes a third of the time of unique and join. Readers are told the columns' types and do not guess. None splits at
"::", so they read ratings.dat as seven fields separated by ":" and keep every second, which is faster than pandas' own
way for long separators. pandas has its C engine, with one thread (its pyarrow engine with two was slower for every
format); polars as many threads as it likes.
Prints `name, parameter, value, unit, limit, note` with tabs between; the best of several, the file in memory.
"""
import os
import sys

import pandas
import polars

from best_seconds import best_seconds

NAMES = ["user", "item", "rating", "time"]
FORMATS = {"u.data": ("\t", False), "ratings.dat": (":", False), "ratings.csv": (",", True)}


def columns_of(name):
    """All columns of a file, in order; the empty ones of ratings.dat are not kept."""
    return ["user", "empty1", "item", "empty2", "rating", "empty3", "time"] if name == "ratings.dat" else NAMES


def with_pandas(path, name):
    """The fastest settings that were found: no look for missing values, and to choose columns costs more than it saves,
    where that can be avoided."""
    separator, header = FORMATS[name]
    return pandas.read_csv(path, sep=separator, header=None, skiprows=int(header), names=columns_of(name), engine="c",
                           usecols=NAMES if name == "ratings.dat" else None, na_filter=False, memory_map=True,
                           dtype=dict(zip(NAMES, ("int64", "int64", "float32", "int64"))))


def with_polars(path, name):
    separator, header = FORMATS[name]
    kinds = dict(zip(NAMES, (polars.Int64, polars.Int64, polars.Float32, polars.Int64)))
    if name == "ratings.dat":
        return polars.scan_csv(path, separator=separator, has_header=False, schema={
            column: kinds.get(column, polars.String) for column in columns_of(name)}).select(NAMES).collect()
    return polars.read_csv(path, separator=separator, has_header=False, skip_rows=int(header), schema=kinds)


READERS = {
    "pandas": (with_pandas, pandas.factorize, f"pandas {pandas.__version__}, C engine"),
    "polars": (with_polars, lambda column: column.to_arrow().dictionary_encode(),
               f"polars {polars.__version__}, {polars.thread_pool_size()} threads"),
}
read, number, note = READERS[sys.argv[1]]
for rows in sys.argv[3:] or ["10000", "100000", "1000000", "10000000"]:
    for name in FORMATS:
        path = os.path.join(sys.argv[2], f"{rows}_{name}")

        def read_and_number():
            table = read(path, name)
            return table, number(table["user"]), number(table["item"])

        for what, function in (("reading a log", lambda: read(path, name)),
                               ("reading a log, users and items numbered", read_and_number)):
            speed = os.path.getsize(path) / best_seconds(function, 1.0) / 1e6
            print(what, f"{name}, {rows} rows", f"{speed:.0f}", "MB/s", "", note, sep="\t", flush=True)
