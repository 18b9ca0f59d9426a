#!/usr/bin/env bash
# Holds the figures of train_movielens against trec_eval's. Usage: benchmarks/check_metrics.sh TRAIN_MOVIELENS LOG
#
# Trains for an epoch on LOG (u.data, ratings.csv or sequences.txt) and exports figures and ranked lists. From the lists
# and each user's last event in LOG, trec_eval computes success_10, ndcg_cut_10 and recip_rank, which are HR@10, NDCG@10
# and MRR where one item is relevant. Exits with 1 unless they agree to 1e-6.
#
# No part of the tests, as it needs the network: pytrec_eval comes from PyPI into a Python environment in a temporary
# folder, which is removed in the end.
set -euo pipefail

if (($# != 2)); then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
export PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/eval" && pwd)
export PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pytrec_eval-terrier
"$1" --data "$2" --preset quick --epochs 1 --quiet --lists "$work/lists.tsv" --metrics "$work/metrics.json"
"$work/venv/bin/python" - "$2" "$work/lists.tsv" "$work/metrics.json" <<'PYTHON'
import json
import math
import sys

import pytrec_eval
from recompute_metrics import read_log

log, lists, metrics = sys.argv[1:]
names = {"success_10": "hr@10", "ndcg_cut_10": "ndcg@10", "recip_rank": "mrr"}
relevant = {user: {items[-1]: 1} for user, items in read_log(log).items() if len(items) >= 3}
evaluator = pytrec_eval.RelevanceEvaluator(relevant, {"success.10", "ndcg_cut.10", "recip_rank"})
found = {}
with open(lists, encoding="utf-8") as file:
    for line in file:
        user, *items = line.rstrip("\n").split("\t")
        ranking = {item: float(-place) for place, item in enumerate(items)}
        found.update(evaluator.evaluate({user: ranking}))
if set(found) != set(relevant):
    sys.exit(f"{len(found)} users have lists, {len(relevant)} have a last event to predict")

print(f"{len(found)} users")
test = json.load(open(metrics, encoding="utf-8"))["test"]
differs = False
for measure, name in names.items():
    value = math.fsum(figures[measure] for figures in found.values()) / len(found)
    agrees = abs(value - test[name]) <= 1e-6
    differs = differs or not agrees
    print(f"{name}: trec_eval {value:.8f}, train_movielens {test[name]:.8f}" + ("" if agrees else "  DIFFERS"))
sys.exit(1 if differs else 0)
PYTHON
