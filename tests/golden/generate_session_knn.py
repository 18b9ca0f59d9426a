"""Writes session_knn.txt: what the authors' code of session kNN says of 100 histories.

    git clone https://github.com/rn5l/session-rec
    python generate_session_knn.py <folder of session-rec> >session_knn.txt     # numpy 2, pandas 3

The options are the constructors' defaults but for k = 20 and sample_size = 60, which are as small as the log, and
those of stan_tuned. Where several neighbours are equal at the k-th place, the authors' choice
depends on the order of a Python set; such histories are left out.
"""

import random
import sys
import types

import numpy as np
import pandas as pd

sys.modules["pympler"] = types.ModuleType("pympler")  # imported and not used
sys.modules["pympler"].asizeof = None
if not hasattr(np, "in1d"):
    np.in1d = np.isin
sys.path.insert(0, sys.argv[1])
from algorithms.knn.stan import STAN
from algorithms.knn.vsknn import VMContextKNN
from algorithms.knn.vstan import VSKNN_STAN as VSTAN

random.seed(7)
items = list(range(40))
weights = [1 / (1 + i) ** 0.7 for i in items]


def draw():
    start = random.choices(items, weights)[0]
    length = random.choices(range(1, 10), [2, 6, 6, 5, 4, 3, 2, 1, 1])[0]
    visit = [start]
    while len(visit) < length:
        kind = random.random()
        if kind < 0.2:
            visit.append(random.choice(visit))
        elif kind < 0.6:
            visit.append((visit[-1] + random.randint(1, 4)) % len(items))
        else:
            visit.append(random.choices(items, weights)[0])
    return visit


rows, now = [], 1_600_000_000
for session in range(300):
    now += random.randint(600, 20000)
    for k, item in enumerate(draw()):
        rows.append((session, item, now + 30 * k))
log = pd.DataFrame(rows, columns=["SessionId", "ItemId", "Time"])
models = {
    "vsknn": VMContextKNN(20, sample_size=60),
    "stan": STAN(20, sample_size=60),
    "vstan": VSTAN(20, sample_size=60),
    "stan_tuned": STAN(20, sample_size=60, lambda_spw=0.905, lambda_snh=80, lambda_inh=0.4525),
}
known = np.array(sorted(log.ItemId.unique()))
for model in models.values():
    model.fit(log)


def scores(model, history, time):
    """None where a tie at the k-th place decides."""
    for item in history:
        out = model.predict_next("history", item, known, timestamp=time, skip=False)
    model.session = -1
    near = model.possible_neighbor_sessions(history, history[-1], "history")
    similarity = [
        s for _, s in (
            model.calc_similarity(history, near, [], time) if isinstance(model, VMContextKNN)
            else model.calc_similarity(history, near, time))
    ]
    similarity.sort(reverse=True)
    model.session = -1
    model.relevant_sessions = set()
    if len(similarity) > model.k and similarity[model.k - 1] - similarity[model.k] < 1e-12:
        return None
    return out


def put(name, columns):
    """A matrix as golden.hpp reads it: a line `name rows columns`, then the entries, one column a line."""
    print(name, len(columns[0]), len(columns))
    for column in columns:
        print(*(f"{number:.8g}" if isinstance(number, float) else number for number in column))


put("events", rows)
put("items", [known])
done = 0
while done < 100:
    history = [item for item in draw() if item in set(known)]
    time = now + random.randint(0, 500_000)
    found = {name: scores(model, history, time) for name, model in models.items()}
    if any(value is None for value in found.values()):
        continue
    put(f"history_{done}", [history])
    put(f"time_{done}", [[time]])
    for name, values in found.items():
        put(f"{name}_{done}", [values])
    done += 1
