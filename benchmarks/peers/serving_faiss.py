"""Searches a million vectors of 64 numbers by inner product with FAISS' brute force, for the ten best.

    python serving_faiss.py

One query and 64 at once, with one thread and two. Prints `name, parameter, value, unit, limit, note` with tabs
between; the value is the best of many calls, in seconds a query.
"""

import faiss
import numpy

from best_seconds import best_seconds

ITEMS, SIZE = 1_000_000, 64


random = numpy.random.default_rng(1)
index = faiss.IndexFlatIP(SIZE)
index.add(random.standard_normal((ITEMS, SIZE), dtype=numpy.float32))
for threads in (1, 2):
    faiss.omp_set_num_threads(threads)
    for count in (1, 64):
        queries = random.standard_normal((count, SIZE), dtype=numpy.float32)
        seconds = best_seconds(lambda: index.search(queries, 10), 2.0) / count
        print("the ten best of a million items of 64 numbers",
              f"{count} {'query' if count == 1 else 'queries'} at once, {threads} thread{'s' if threads > 1 else ''}",
              f"{seconds:.4g}", "s", "", f"IndexFlatIP, faiss {faiss.__version__}", sep="\t", flush=True)
