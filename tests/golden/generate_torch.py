#!/usr/bin/env python3
"""Writes the golden values that the tests compare with: torch_layers.txt, torch_network.txt, torch_training.txt and
torch_cells.txt.

    pip install torch numpy && python tests/golden/generate_torch.py

Everything runs in PyTorch, float64, one thread, with PyTorch's own layers and optimisers wherever it has them; the
gradients are autograd's. The committed files are from PyTorch 2.13.0.

A file holds named matrices: a line `name rows columns`, then the entries, one column a line (a column is an event).
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
FOLDER = pathlib.Path(__file__).parent
LENGTHS = [6, 4, 4, 2, 1]
ALIVE = [sum(length > step for length in LENGTHS) for step in range(LENGTHS[0])]
COLUMNS = sum(LENGTHS)


class Golden:
    def __init__(self, name):
        self.lines, self.path = [], FOLDER / name

    def put(self, name, value):
        """value: scalar, vector (one column) or rows × columns."""
        value = np.asarray(value.detach() if torch.is_tensor(value) else value, dtype=np.float64)
        value = value.reshape(1, 1) if value.ndim == 0 else value.reshape(-1, 1) if value.ndim == 1 else value
        self.lines.append(f"{name} {value.shape[0]} {value.shape[1]}")
        self.lines += [" ".join(repr(float(entry)) for entry in column) for column in value.T]

    def put_with_gradients(self, prefix, parameters):
        for name, parameter in parameters.items():
            self.put(f"{prefix}.{name}", parameter)
            self.put(f"{prefix}.d.{name}", parameter.grad)

    def write(self):
        self.path.write_text("\n".join(self.lines) + "\n", encoding="ascii")


def draw(generator, *shape, scale=0.5):
    """Random numbers of few digits, so that the files stay small."""
    return (torch.randn(*shape, generator=generator) * scale * 1024).round() / 1024


def lstm(parameters, prefix, x):
    """PyTorch's LSTM on the packed events of LENGTHS. x and result: size × columns."""
    weight, recurrent = parameters[prefix + "input_weight"], parameters[prefix + "recurrent_weight"]
    bias = parameters[prefix + "bias"]
    packed = torch.nn.utils.rnn.PackedSequence(x.T, torch.tensor(ALIVE))
    zeros = torch.zeros(1, len(LENGTHS), recurrent.shape[1])
    hidden, _, _ = torch._VF.lstm(packed.data, packed.batch_sizes, (zeros, zeros),
                                  [weight, recurrent, bias, torch.zeros_like(bias)], True, 1, 0.0, True, False)
    return hidden.T


def gru(parameters, prefix, x):
    """PyTorch's GRU on the packed events of LENGTHS. Our input weight has the blocks n, r, z, our recurrent weight
    r, z, n and our bias n_x, r, z, n_h. PyTorch has r, z, n everywhere."""
    n, r, z = parameters[prefix + "input_weight"].chunk(3)
    recurrent = parameters[prefix + "recurrent_weight"]
    b_nx, b_r, b_z, b_nh = parameters[prefix + "bias"].chunk(4)
    packed = torch.nn.utils.rnn.PackedSequence(x.T, torch.tensor(ALIVE))
    zeros = torch.zeros(1, len(LENGTHS), recurrent.shape[1])
    none = torch.zeros_like(b_nh)
    hidden, _ = torch._VF.gru(packed.data, packed.batch_sizes, zeros,
                              [torch.cat([r, z, n]), recurrent, torch.cat([b_r, b_z, b_nx]),
                               torch.cat([none, none, b_nh])], True, 1, 0.0, True, False)
    return hidden.T


def slstm_loop(parameters, prefix, x, step, *start):
    """The sLSTM over the packed events of LENGTHS. start has a value for every state of step: c, n and maybe more."""
    weight, recurrent = parameters[prefix + "input_weight"], parameters[prefix + "recurrent_weight"]
    bias = parameters[prefix + "bias"]
    h = torch.zeros(recurrent.shape[1], len(LENGTHS))
    states, outputs = [torch.full_like(h, value) for value in start], []
    for events in x.split(ALIVE, dim=1):
        alive = events.shape[1]
        i, f, g, o = (weight @ events + recurrent @ h[:, :alive] + bias[:, None]).chunk(4)
        states = step(i, f, torch.tanh(g), *(state[:, :alive] for state in states))
        h = torch.sigmoid(o) * states[0] / states[1]
        outputs.append(h)
    return torch.cat(outputs, dim=1)


def slstm_step(i, f, g, c, n):
    i, f = torch.exp(i), torch.sigmoid(f)
    return f * c + i * g, f * n + i


def stabilised_slstm_step(i, f, g, c, n, m):
    """c and n are those of slstm_step, divided by exp(m). As m starts at minus infinity, the first step has m = i."""
    log_f = F.logsigmoid(f)
    now = torch.maximum(log_f + m, i)
    i, f = torch.exp(i - now), torch.exp(log_f + m - now)
    return f * c + i * g, f * n + i, now


def slstm(parameters, prefix, x):
    """The scalar LSTM of xLSTM (Beck et al. 2024): one head, exponential input gate, sigmoid forget gate. PyTorch has
    none. The golden values are from the equations without the stabiliser, which must not change h."""
    h = slstm_loop(parameters, prefix, x, slstm_step, 0, 0)
    with torch.no_grad():
        stabilised = slstm_loop(parameters, prefix, x, stabilised_slstm_step, 0, 0, -torch.inf)
    assert (h - stabilised).abs().max() < 1e-12, "the stabiliser changes h"
    return h


def layer_norm(parameters, prefix, x):
    return F.layer_norm(x.T, (x.shape[0],), parameters[prefix + "gain"], parameters[prefix + "bias"], eps=1e-5).T


def dense(parameters, prefix, x):
    return F.linear(x.T, parameters[prefix + "weight"], parameters[prefix + "bias"]).T


def feed_forward(parameters, prefix, x):
    return dense(parameters, prefix + "contract.", F.gelu(dense(parameters, prefix + "expand.", x), approximate="tanh"))


def block(parameters, prefix, x):
    y = layer_norm(parameters, prefix + "recurrent_norm.", x + lstm(parameters, prefix + "recurrent.", x))
    return layer_norm(parameters, prefix + "feed_forward_norm.", y + feed_forward(parameters, prefix + "feed_forward.", y))


def lstm_parameters(g, prefix, size, hidden):
    return {prefix + "input_weight": draw(g, 4 * hidden, size), prefix + "recurrent_weight": draw(g, 4 * hidden, hidden),
            prefix + "bias": draw(g, 4 * hidden)}


def gru_parameters(g, size, hidden):
    return {"input_weight": draw(g, 3 * hidden, size), "recurrent_weight": draw(g, 3 * hidden, hidden),
            "bias": draw(g, 4 * hidden)}


def large_slstm_parameters(g, size, hidden):
    """Large input gates; half of the units forget nearly nothing and half nearly everything."""
    parameters = lstm_parameters(g, "", size, hidden)
    parameters["bias"][:hidden] = 40
    parameters["bias"][hidden:hidden + hidden // 2] = 4
    parameters["bias"][hidden + hidden // 2:2 * hidden] = -40
    return parameters


def norm_parameters(g, prefix, size):
    return {prefix + "gain": 1 + draw(g, size), prefix + "bias": draw(g, size)}


def dense_parameters(g, prefix, size, output):
    return {prefix + "weight": draw(g, output, size), prefix + "bias": draw(g, output)}


def feed_forward_parameters(g, prefix, size, middle):
    return dense_parameters(g, prefix + "expand.", size, middle) | dense_parameters(g, prefix + "contract.", middle, size)


def block_parameters(g, prefix, size, middle):
    return (lstm_parameters(g, prefix + "recurrent.", size, size) | norm_parameters(g, prefix + "recurrent_norm.", size)
            | feed_forward_parameters(g, prefix + "feed_forward.", size, middle)
            | norm_parameters(g, prefix + "feed_forward_norm.", size))


def network_parameters(g, items, embedding, hidden, layers, factor, tied):
    parameters = {"item_vectors.table": draw(g, embedding, items)} | norm_parameters(g, "input_norm.", embedding)
    if embedding != hidden:
        parameters |= dense_parameters(g, "input_projection.", embedding, hidden)
    for k in range(layers):
        parameters |= block_parameters(g, f"blocks.{k}.", hidden, factor * hidden)
    if embedding != hidden:
        parameters |= dense_parameters(g, "output_projection.", hidden, embedding)
    if not tied:
        parameters["output_vectors.table"] = draw(g, embedding, items)
    parameters["head.bias"] = draw(g, items)
    return parameters


def batch(g, items, targets_per_column):
    """Items, weighted targets and excluded items of every column. Weights are exact in float32 and sum to about 1."""
    inputs = torch.randint(items, (COLUMNS,), generator=g)
    targets = torch.stack([torch.randperm(items, generator=g)[:targets_per_column] for _ in range(COLUMNS)], dim=1)
    weights = (torch.rand(targets_per_column, COLUMNS, generator=g) / COLUMNS * 2**16).round() / 2**16
    weights[1, COLUMNS - 1] = 0  # not a target
    excluded = torch.rand(items, COLUMNS, generator=g) < 0.3
    return inputs, targets, weights, excluded


def network_loss(parameters, layers, inputs, targets, weights, excluded):
    x = layer_norm(parameters, "input_norm.", parameters["item_vectors.table"][:, inputs])
    if "input_projection.weight" in parameters:
        x = dense(parameters, "input_projection.", x)
    for k in range(layers):
        x = block(parameters, f"blocks.{k}.", x)
    if "output_projection.weight" in parameters:
        x = dense(parameters, "output_projection.", x)
    vectors = parameters.get("output_vectors.table", parameters["item_vectors.table"])
    scores = vectors.T @ x + parameters["head.bias"][:, None]
    soft = torch.zeros_like(scores).scatter_add(0, targets, weights)
    scores = scores.masked_fill(excluded & (soft == 0), -torch.inf)
    log_likelihood = F.log_softmax(scores, dim=0).masked_fill(soft == 0, 0)
    return -(soft * log_likelihood).sum()


def run_layer(file, name, parameters, inputs, layer):
    """Forward and backward of one layer; the loss is the sum of its outputs, weighted."""
    golden = {"x": inputs} | parameters
    for value in golden.values():
        value.requires_grad_()
    output = layer({key: value for key, value in golden.items() if key != "x"}, "", golden["x"])
    weights = draw(torch.Generator().manual_seed(99), *output.shape)
    (output * weights).sum().backward()
    file.put(name + ".weights", weights)
    file.put(name + ".output", output)
    file.put_with_gradients(name, golden)


def put_batch(golden, prefix, inputs, targets, weights, excluded):
    golden.put(prefix + "inputs", inputs)
    golden.put(prefix + "targets", targets)
    golden.put(prefix + "weights", weights)
    golden.put(prefix + "excluded", excluded)


layers = Golden("torch_layers.txt")
layers.put("lengths", LENGTHS)
g = torch.Generator().manual_seed(1)
run_layer(layers, "lstm", lstm_parameters(g, "", 3, 4), draw(g, 3, COLUMNS), lstm)
run_layer(layers, "layer_norm", norm_parameters(g, "", 5), draw(g, 5, COLUMNS), layer_norm)
run_layer(layers, "dense", dense_parameters(g, "", 4, 3), draw(g, 4, COLUMNS), dense)
run_layer(layers, "feed_forward", feed_forward_parameters(g, "", 4, 9), draw(g, 4, COLUMNS, scale=2), feed_forward)
run_layer(layers, "block", block_parameters(g, "", 4, 9), draw(g, 4, COLUMNS), block)
layers.write()

network = Golden("torch_network.txt")
network.put("lengths", LENGTHS)
for name, (embedding, hidden, count, tied) in {"tied": (4, 4, 3, True), "own": (5, 3, 2, False)}.items():
    items = 9
    parameters = network_parameters(g, items, embedding, hidden, count, 2, tied)
    part = batch(g, items, 3)
    put_batch(network, name + ".", *part)
    for parameter in parameters.values():
        parameter.requires_grad_()
    loss = network_loss(parameters, count, *part)
    loss.backward()
    network.put(name + ".loss", loss)
    network.put_with_gradients(name, parameters)
network.write()

# A whole training: three batches in turn, Adam with warm-up and cosine, clipping, averaged weights.
training = Golden("torch_training.txt")
training.put("lengths", LENGTHS)
STEPS, RATE, WARMUP, CLIP, AVERAGE_DECAY = 40, 0.02, 0.2, 1.2, 0.9
items, width, count = 8, 4, 2
parameters = network_parameters(g, items, width, width, count, 2, True)
for key, value in parameters.items():
    training.put("start." + key, value)
    value.requires_grad_()
batches = [batch(g, items, 2) for _ in range(3)]
for k, part in enumerate(batches):
    put_batch(training, f"batch{k}.", *part)
optimiser = torch.optim.Adam(parameters.values(), lr=RATE, betas=(0.9, 0.999), eps=1e-8)
average = {key: value.detach().clone() for key, value in parameters.items()}
losses, norms = [], []
for step in range(STEPS):
    optimiser.zero_grad()
    loss = network_loss(parameters, count, *batches[step % 3])
    loss.backward()
    norm = torch.sqrt(sum((value.grad**2).sum() for value in parameters.values()))
    losses.append(loss.item())
    norms.append(norm.item())
    if norm > CLIP:
        for value in parameters.values():
            value.grad *= CLIP / norm
    now, rise = step + 0.5, WARMUP * STEPS
    factor = now / rise if now < rise else 0.5 * (1 + np.cos(np.pi * (now - rise) / (STEPS - rise)))
    optimiser.param_groups[0]["lr"] = RATE * factor
    optimiser.step()
    decay = min(AVERAGE_DECAY, (2 + step) / (11 + step))
    for key, value in parameters.items():
        average[key] = decay * average[key] + (1 - decay) * value.detach()
training.put("options", [STEPS, RATE, WARMUP, CLIP, AVERAGE_DECAY])
training.put("losses", losses)
training.put("norms", norms)
for key, value in parameters.items():
    training.put("end." + key, value)
    training.put("average." + key, average[key])

# The optimisers alone, on given gradients: a weight that decays and a bias that doesn't; a large ε shows its place.
weight, bias = draw(g, 3, 2), draw(g, 3)
gradients = [(draw(g, 3, 2, scale=0.1), draw(g, 3, scale=0.1)) for _ in range(8)]
training.put("optimiser.weight", weight)
training.put("optimiser.bias", bias)
for step, (d_weight, d_bias) in enumerate(gradients):
    training.put(f"optimiser.d_weight{step}", d_weight)
    training.put(f"optimiser.d_bias{step}", d_bias)


def keras_adam(value, gradients, rate, epsilon):
    """keras.optimizers.Adam.update_step, Keras 3, in its own order of operations."""
    m, v = torch.zeros_like(value), torch.zeros_like(value)
    for step, gradient in enumerate(gradients):
        alpha = rate * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
        m = m + (gradient - m) * (1 - 0.9)
        v = v + (gradient**2 - v) * (1 - 0.999)
        value = value - m * alpha / (torch.sqrt(v) + epsilon)
    return value


for name, decay in {"adam": 0.0, "adamw": 0.3}.items():
    w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    optimiser = torch.optim.AdamW([{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0}],
                                  lr=0.05, eps=1e-2)
    for w.grad, b.grad in gradients:
        optimiser.step()
    training.put(f"optimiser.{name}.weight", w)
    training.put(f"optimiser.{name}.bias", b)
training.put("optimiser.keras.weight", keras_adam(weight, [d for d, _ in gradients], 0.05, 1e-2))
training.put("optimiser.keras.bias", keras_adam(bias, [d for _, d in gradients], 0.05, 1e-2))
training.write()

# The other recurrent layers. Their own generator leaves the draws of the other files as they are.
cells = Golden("torch_cells.txt")
cells.put("lengths", LENGTHS)
g = torch.Generator().manual_seed(2)
run_layer(cells, "gru", gru_parameters(g, 3, 4), draw(g, 3, COLUMNS), gru)
run_layer(cells, "slstm", lstm_parameters(g, "", 3, 4), draw(g, 3, COLUMNS), slstm)
run_layer(cells, "slstm_large", large_slstm_parameters(g, 3, 4), draw(g, 3, COLUMNS), slstm)
cells.write()
