#!/usr/bin/env python3
"""Writes keras_ratings.txt: what Keras predicts with, and makes of, an LSTM(16) -> Dense(1) in ten training steps.

    pip install keras torch numpy && KERAS_BACKEND=torch python tests/golden/generate_keras.py

Everything runs in Keras, float64, with its own layers, loss and optimiser at their defaults, which are checked here.
The committed file is from Keras 3.15.1 on PyTorch 2.13.0. Its form is that of generate_torch.py: named matrices, a line
`name rows columns`, then the entries, one column a line. Weights are rounded to few digits so that the file is small.
"""
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np

UNITS, BATCH, STEPS = 16, 32, 10
keras.config.set_floatx("float64")
lines = []


def put(name, value):
    value = np.atleast_2d(np.asarray(value, dtype=np.float64))
    lines.append(f"{name} {value.shape[0]} {value.shape[1]}")
    lines.extend(" ".join(repr(float(entry)) for entry in column) for column in value.T)


def put_weights(prefix, model):
    """Keras: inputs x outputs, gates i, f, c, o. Here: outputs x inputs, the same gates."""
    kernel, recurrent, bias, dense_kernel, dense_bias = [np.asarray(weight) for weight in model.get_weights()]
    put(prefix + "lstm.input_weight", kernel.T)
    put(prefix + "lstm.recurrent_weight", recurrent.T)
    put(prefix + "lstm.bias", bias[:, None])
    put(prefix + "output.weight", dense_kernel.T)
    put(prefix + "output.bias", dense_bias[:, None])


def check_defaults(model):
    lstm, dense = model.layers
    assert (lstm.cell.kernel_initializer.__class__.__name__, lstm.cell.recurrent_initializer.__class__.__name__,
            lstm.cell.unit_forget_bias, dense.kernel_initializer.__class__.__name__) == (
                "GlorotUniform", "Orthogonal", True, "GlorotUniform")
    kernel, recurrent, bias = [np.asarray(weight) for weight in lstm.get_weights()]
    assert 0.9 < np.abs(kernel).max() / np.sqrt(6 / (1 + 4 * UNITS)) <= 1  # over all four gates together
    assert np.allclose(recurrent @ recurrent.T, np.eye(UNITS))  # orthonormal over all four gates together
    assert np.array_equal(bias, np.repeat([0, 1, 0, 0], UNITS))
    adam = keras.optimizers.Adam()
    assert np.isclose(float(adam.learning_rate), 1e-3)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.9, 0.999, 1e-7)


keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((3, 1)), keras.layers.LSTM(UNITS), keras.layers.Dense(1)])
check_defaults(model)
model.set_weights([np.round(np.asarray(weight) * 1024) / 1024 for weight in model.get_weights()])
random = np.random.default_rng(2)
inputs = np.round(random.normal(size=(STEPS * BATCH, 3)) * 64) / 64  # user, item, time, standardised
ratings = random.integers(1, 6, size=STEPS * BATCH).astype(np.float64)
put("inputs", inputs)
put("ratings", ratings[:, None])
put_weights("before.", model)
put("predictions", np.asarray(model.predict(inputs[..., None], verbose=0)))

model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
losses = []
for step in range(STEPS):
    part = slice(step * BATCH, (step + 1) * BATCH)
    model.reset_metrics()
    losses.append(float(model.train_on_batch(inputs[part][..., None], ratings[part][:, None])))
put("losses", np.array(losses)[:, None])
put_weights("after.", model)
path = pathlib.Path(__file__).parent / "keras_ratings.txt"
path.write_text("\n".join(lines) + "\n", encoding="ascii")
