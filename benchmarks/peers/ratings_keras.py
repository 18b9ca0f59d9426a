"""Trains the textbook rating model in Keras and prints ratings/s, for comparison with ratings_speed.

    pip install keras torch numpy && python ratings_keras.py [BATCHES]      300 batches of 32, unless told otherwise

LSTM(64) -> Dense(1) on three numbers a rating, mean squared error, Adam: Keras' defaults, on PyTorch. `fit` runs over a
fraction of an epoch of a million ratings, after one that is not timed; all batches cost the same. Measured with one
thread and with two, without and with jit_compile, which is torch.compile. Each is a process of its own, and the best of
three counts. On PyTorch Keras does not take several batches a call (steps_per_execution).
Prints `name, parameter, value, unit, limit, note` with tabs between.
"""
import os
import subprocess
import sys
import time

UNITS, BATCH = 64, 32
SETTINGS = {"eager": False, "jit_compile": True}


def measure(threads, setting, batches):
    import torch
    torch.set_num_threads(threads)
    import keras
    import numpy as np
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(2)
    inputs = random.normal(size=(batches * BATCH, 3, 1)).astype("float32")  # user, item, time, standardised
    ratings = random.integers(1, 6, size=(batches * BATCH, 1)).astype("float32")
    model = keras.Sequential([keras.Input((3, 1)), keras.layers.LSTM(UNITS), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(), loss="mse", jit_compile=SETTINGS[setting])
    model.fit(inputs, ratings, batch_size=BATCH, epochs=1, verbose=0)
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        model.fit(inputs, ratings, batch_size=BATCH, epochs=1, verbose=0)
        seconds.append(time.perf_counter() - begin)
    print("training, textbook rating model", f"{UNITS} units, {threads} thread{'s' if threads > 1 else ''}",
          f"{batches * BATCH / min(seconds):.0f}", "ratings/s", "",
          f"{setting}; {batches} batches of {BATCH} after as many of warm-up, not an epoch", sep="\t", flush=True)


if len(sys.argv) == 4:
    measure(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
else:
    batches = sys.argv[1] if len(sys.argv) > 1 else "300"
    for setting in SETTINGS:
        for threads in ("1", "2"):
            run = subprocess.run([sys.executable, __file__, threads, setting, batches], text=True, capture_output=True,
                                 env={**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": threads})
            failure = "" if run.returncode == 0 else f"# {setting}, {threads}: {run.stderr.strip().splitlines()[-1]}\n"
            print(run.stdout + failure, end="", flush=True)
