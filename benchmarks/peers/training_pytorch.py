"""Trains the library's default network in PyTorch and prints events/s, for comparison with training_speed.

    python training_pytorch.py LOG SETTING THREADS [UNITS...]      LOG: a sequences.txt (user item item ...)

The same network, batch size and optimiser: embedding, layer norm, LSTM, feed-forward part of four times the width,
residual connections and norms, dropout, tied output vectors over all items, five weighted targets an event, clipping, Adam, an
average of the weights. In PyTorch's favour, the items that a user has seen are not taken out of the softmax, and the
batches are made before the time is taken. SETTING is `all`, which takes six batches with each, or one of

    packed         PyTorch's own LSTM on packed sequences, so that nothing is computed on padding
    padded         the LSTM, and it alone, on a steps x sequences x units tensor: PyTorch gives it to oneDNN
    batch-first    the same on sequences x steps x units

with `+bucketed` for batches of sequences of about the same length, and `+compiled` for torch.compile of the network.
Prints `name, parameter, value, unit, limit, note` with tabs between. Measured after two batches of warm-up.
"""
import random
import sys
import time

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

WINDOW, BATCH, TARGETS, DECAY = 200, 24, 5, 0.5
SETTINGS = [layout + order + compiled for compiled in ("", "+compiled")
            for layout in ("packed", "padded", "batch-first") for order in ("", "+bucketed") if not (compiled and layout == "packed")]


class Network(nn.Module):
    def __init__(self, items, units, layout, dropout=0.3):
        super().__init__()
        self.items = nn.Embedding(items, units)
        self.input_norm, self.norm1, self.norm2 = nn.LayerNorm(units), nn.LayerNorm(units), nn.LayerNorm(units)
        self.layout = layout
        self.lstm = nn.LSTM(units, units, batch_first=layout == "batch-first")
        self.expand, self.contract = nn.Linear(units, 4 * units), nn.Linear(4 * units, units)
        self.dropout = nn.Dropout(dropout)
        self.bias = nn.Parameter(torch.zeros(items))

    def recurrent(self, x, batch_sizes, place, shape):
        if self.layout == "packed":
            return self.lstm(PackedSequence(x, batch_sizes))[0].data
        padded = x.new_zeros(shape[0] * shape[1], x.shape[1]).index_copy(0, place, x)
        return self.lstm(padded.view(shape[0], shape[1], -1))[0].reshape(shape[0] * shape[1], -1).index_select(0, place)

    def forward(self, data, batch_sizes, place, shape):
        x = self.dropout(self.input_norm(self.items(data)))
        x = self.norm1(x + self.dropout(self.recurrent(x, batch_sizes, place, shape)))
        x = self.norm2(x + self.dropout(self.contract(nn.functional.gelu(self.expand(x), approximate="tanh"))))
        return nn.functional.linear(x, self.items.weight, self.bias)


def windows_of(log):
    windows, ids = [], {}
    for line in open(log):
        history = [ids.setdefault(item, len(ids)) for item in line.split()[1:]]
        for begin in range(0, len(history) - 1, WINDOW):
            end = min(begin + WINDOW, len(history) - 1)
            inputs, targets, weights = history[begin:end], [], []
            for position in range(begin, end):
                following = history[position + 1:position + 1 + TARGETS]
                own = [DECAY**k for k in range(len(following))]
                targets.append(following + [0] * (TARGETS - len(following)))
                weights.append([w / sum(own) for w in own] + [0.0] * (TARGETS - len(following)))
            windows.append((torch.tensor(inputs), torch.tensor(targets), torch.tensor(weights)))
    random.Random(1).shuffle(windows)
    return windows, len(ids)


def batches_of(windows, setting):
    if "bucketed" in setting:
        windows = sorted(windows, key=lambda w: len(w[0]))
    batches = []
    for begin in range(0, len(windows), BATCH):
        chosen = sorted(windows[begin:begin + BATCH], key=lambda w: -len(w[0]))
        inputs, targets, weights = (pack_sequence([w[k] for w in chosen]) for k in range(3))
        steps, sequences = len(chosen[0][0]), len(chosen)
        step = torch.repeat_interleave(torch.arange(steps), inputs.batch_sizes)
        sequence = torch.cat([torch.arange(n) for n in inputs.batch_sizes.tolist()])
        if setting.startswith("batch-first"):
            place, shape = sequence * steps + step, (sequences, steps)
        else:
            place, shape = step * sequences + sequence, (steps, sequences)
        batches.append((inputs.data, inputs.batch_sizes, place, shape, targets.data, weights.data))
    random.Random(2).shuffle(batches)
    return batches


def events_per_second(windows, items, units, threads, setting, most):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    batches = batches_of(windows, setting)[:most]
    network = Network(items, units, setting.split("+")[0])
    run = torch.compile(network, dynamic=True) if "compiled" in setting else network
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True)
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999))
    events, begin = 0, 0.0
    for number, (*inputs, targets, weights) in enumerate(batches[:2] + batches):
        if number == 2:
            events, begin = 0, time.perf_counter()
        logits = run(*inputs)
        loss = (torch.logsumexp(logits, 1) - (logits.gather(1, targets) * weights).sum(1)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0, foreach=True)
        optimiser.step()
        average.update_parameters(network)
        events += len(targets)
    return events / (time.perf_counter() - begin)


def main():
    log, setting, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    windows, items = windows_of(log)
    for units in map(int, sys.argv[4:] or ["64", "128", "256"]):
        for one in SETTINGS if setting == "all" else [setting]:
            try:
                speed = events_per_second(windows, items, units, threads, one, 6 if setting == "all" else None)
            except Exception as error:
                print(f"# {one}: {type(error).__name__}", flush=True)
                continue
            parameter = f"{units} units, {threads} thread{'s' if threads > 1 else ''}"
            print(f"training, {items} items", parameter + (f", {one}" if setting == "all" else ""), f"{speed:.0f}",
                  "events/s", "", one, sep="\t", flush=True)


main()
