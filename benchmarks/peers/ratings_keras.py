"""Trains the textbook rating model in Keras and prints ratings/s, for comparison with ratings_speed.

    python ratings_keras.py [SETTING THREADS [BATCHES]]      SETTING: eager, jit_compile or all; 300 batches of 32

LSTM(64) -> Dense(1) on three numbers a rating, mean squared error, Adam: Keras' defaults, on PyTorch. `fit` runs over a
fraction of an epoch of a million ratings, after one that is not timed; all batches cost the same. jit_compile is
torch.compile. `all`, which is also meant where nothing is said, measures both with one thread and with as many as
THREADS says or two, each in a process of its own. The best of three counts. On PyTorch Keras does not take several
batches a call (steps_per_execution). Prints `name, parameter, value, unit, limit, note` with tabs between; the note
begins with what to give for SETTING THREADS.
"""
import os
import subprocess
import sys
import time

UNITS, BATCH = 64, 32
SETTINGS = {"eager": False, "jit_compile": True}


def measure(setting, threads, batches, parameter):
    os.environ.update({"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": str(threads)})
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
    print("training, textbook rating model", parameter, f"{batches * BATCH / min(seconds):.0f}", "ratings/s", "",
          f"{setting} {threads} thread{'s' if threads > 1 else ''}, {batches} batches, not an epoch", sep="\t",
          flush=True)


setting, threads, batches, parameter = (sys.argv[1:] + ["all", "2", "300", f"{UNITS} units"][len(sys.argv) - 1:])[:4]
if setting != "all":
    measure(setting, int(threads), int(batches), parameter)
else:
    for setting in SETTINGS:
        for count in dict.fromkeys(("1", threads)):
            run = subprocess.run([sys.executable, __file__, setting, count, batches, f"{parameter}, {setting} {count}"],
                                 text=True, capture_output=True)
            failure = "" if run.returncode == 0 else f"# {setting}, {count}: {run.stderr.strip().splitlines()[-1]}\n"
            print(run.stdout + failure, end="", flush=True)
