"""Trains the library's default network in PyTorch and prints events/s, for comparison with training_speed.

    python training_pytorch.py LOG [UNITS...]      LOG: a sequences.txt (user item item ...)

The same network, batch size and optimiser: embedding, layer norm, LSTM, feed-forward part of four times the width, residual
connections and norms, dropout, tied output vectors over all items, five weighted targets an event, clipping, Adam, an
average of the weights. Events are packed, so that neither side computes on padding; whether padded batches, whose LSTM
PyTorch gives to another library, are faster has not been tried. In PyTorch's favour, the items that a user has seen are
not taken out of the softmax, and the batches are made before the time is taken.
Prints events/s for 1 and 2 threads, each after two batches of warm-up.
"""
import random
import sys
import time

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence

WINDOW, BATCH, TARGETS, DECAY = 200, 24, 5, 0.5


class Network(nn.Module):
    def __init__(self, items, units, dropout=0.3):
        super().__init__()
        self.items = nn.Embedding(items, units)
        self.input_norm, self.norm1, self.norm2 = nn.LayerNorm(units), nn.LayerNorm(units), nn.LayerNorm(units)
        self.lstm = nn.LSTM(units, units)
        self.expand, self.contract = nn.Linear(units, 4 * units), nn.Linear(4 * units, units)
        self.dropout = nn.Dropout(dropout)
        self.bias = nn.Parameter(torch.zeros(items))

    def forward(self, packed):
        x = self.dropout(self.input_norm(self.items(packed.data)))
        h = self.lstm(PackedSequence(x, packed.batch_sizes))[0].data
        x = self.norm1(x + self.dropout(h))
        x = self.norm2(x + self.dropout(self.contract(nn.functional.gelu(self.expand(x), approximate="tanh"))))
        return nn.functional.linear(x, self.items.weight, self.bias)


def batches_of(log):
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
    for begin in range(0, len(windows), BATCH):
        chosen = sorted(windows[begin:begin + BATCH], key=lambda w: -len(w[0]))
        yield tuple(pack_sequence([w[k] for w in chosen]) for k in range(3)), len(ids)


def events_per_second(batches, items, units, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network = Network(items, units)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3, fused=True)
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999))
    events, begin = 0, 0.0
    for number, (inputs, targets, weights) in enumerate(batches[:2] + batches):
        if number == 2:
            events, begin = 0, time.perf_counter()
        logits = network(inputs)
        loss = (torch.logsumexp(logits, 1) - (logits.gather(1, targets.data) * weights.data).sum(1)).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0, foreach=True)
        optimiser.step()
        average.update_parameters(network)
        events += len(inputs.data)
    return events / (time.perf_counter() - begin)


def main():
    made = list(batches_of(sys.argv[1]))
    batches, items = [batch for batch, _ in made], made[-1][1]
    for units in map(int, sys.argv[2:] or ["64", "128", "256"]):
        speed = {threads: events_per_second(batches, items, units, threads) for threads in (1, 2)}
        print(f"PyTorch {torch.__version__}, {units} units, {items} items: "
              + ", ".join(f"{threads} threads {value:.0f} events/s" for threads, value in speed.items()), flush=True)


main()
