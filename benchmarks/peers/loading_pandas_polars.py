"""Reads the files that loading_speed wrote with pandas and polars and prints the same lines, for comparison.

    python loading_pandas_polars.py FOLDER [ROWS...]      needs pandas, polars and, for one of pandas' engines, pyarrow

Each reader is told the columns' types and does not guess. Neither splits at "::", so both read ratings.dat as seven
fields separated by ":" and keep every second, which is faster than pandas' own way for long separators. In their
favour, the result is a table of raw ids, while loading_speed also numbers users and items.
Threads: pandas' C engine has one; its pyarrow engine and polars are measured with one thread and with their own default.
The number of threads is fixed when they start, so each of both is a process of its own. Time: the best of several.
"""
import os
import subprocess
import sys
import time

NAMES = ["user", "item", "rating", "time"]
FORMATS = {"u.data": ("\t", False), "ratings.dat": (":", False), "ratings.csv": (",", True)}
SIZES = ["10000", "100000", "1000000", "10000000"]


def best(read):
    seconds, began = [], time.perf_counter()
    while len(seconds) < 3 or (time.perf_counter() - began < 2 and len(seconds) < 50):
        start = time.perf_counter()
        table = read()
        seconds.append(time.perf_counter() - start)
        rows = len(table)
        del table
    return min(seconds), rows


def columns_of(name):
    """All columns of a file, in order; the empty ones of ratings.dat are not kept."""
    return ["user", "empty1", "item", "empty2", "rating", "empty3", "time"] if name == "ratings.dat" else NAMES


def with_pandas(path, name, engine):
    """The fastest settings that were found: no look for missing values, and to choose columns costs more than it saves,
    where that can be avoided."""
    import pandas
    separator, header = FORMATS[name]
    options = {"na_filter": False, "memory_map": True} if engine == "c" else {}
    if engine == "c" and name == "ratings.dat":
        options["usecols"] = NAMES
    return pandas.read_csv(path, sep=separator, header=None, skiprows=int(header), names=columns_of(name),
                           engine=engine, dtype=dict(zip(NAMES, ("int64", "int64", "float32", "int64"))), **options)


def with_polars(path, name):
    import polars
    separator, header = FORMATS[name]
    kinds = dict(zip(NAMES, (polars.Int64, polars.Int64, polars.Float32, polars.Int64)))
    if name == "ratings.dat":
        return polars.scan_csv(path, separator=separator, has_header=False, schema={
            column: kinds.get(column, polars.String) for column in columns_of(name)}).select(NAMES).collect()
    return polars.read_csv(path, separator=separator, has_header=False, skip_rows=int(header), schema=kinds)


def measure(folder, sizes, threads):
    import pyarrow
    if threads == "1":
        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)
    readers = {"pandas/pyarrow": lambda *file: with_pandas(*file, "pyarrow"), "polars": with_polars}
    if threads == "1":
        readers["pandas/c"] = lambda *file: with_pandas(*file, "c")
    for size in sizes:
        for name in FORMATS:
            path = os.path.join(folder, f"{size}_{name}")
            for reader, read in readers.items():
                try:
                    seconds, rows = best(lambda: read(path, name))
                except Exception as error:
                    print(f"{reader} cannot read {path}: {error}", flush=True)
                    continue
                print(f"{reader + ' ' + threads + ' threads':25} {name:11} {rows:9} rows  {seconds:8.4f} s  "
                      f"{os.path.getsize(path) / seconds / 1e6:6.0f} MB/s  {rows / seconds / 1e6:6.2f} M rows/s",
                      flush=True)


if len(sys.argv) == 4 and sys.argv[1] == "--with-threads":
    folder, *sizes = sys.argv[3].split("\n")
    measure(folder, sizes, sys.argv[2])
else:
    for threads in ("1", "default"):
        one = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"} if threads == "1" else {}
        subprocess.run([sys.executable, __file__, "--with-threads", threads,
                        "\n".join([sys.argv[1]] + (sys.argv[2:] or SIZES))], env={**os.environ, **one}, check=True)
