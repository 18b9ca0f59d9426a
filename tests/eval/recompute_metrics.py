#!/usr/bin/env python3
"""Recomputes ranking metrics from a raw log and exported ranked lists, and compares them with given figures.

    recompute_metrics.py LOG LISTS [--min-item-count N] hr@10=0.25 ndcg@10=0.14 mrr=0.12

Shares nothing with the library: it reads the log, finds each user's last event, and looks for it in the user's list.
LOG is u.data (user, item, rating, time; tabs), ratings.csv, or a file of sequences (user item item ...; spaces).
LISTS has a line a user: the user, then the items, best first, separated by tabs. A list has to hold exactly the items
that the user has not had before the last event; if that event's item isn't among them, it is a miss. Exits with 1 and
says why if anything differs.
"""

import argparse
import csv
import math
import sys


def read_log(path):
    """Returns the items of each user in time order, equal times in file order."""
    events = {}
    with open(path, encoding="utf-8") as file:
        first = file.readline()
        file.seek(0)
        if first.startswith("userId,"):
            rows = [(r["userId"], r["movieId"], int(r["timestamp"])) for r in csv.DictReader(file)]
        elif "\t" in first:
            rows = [(u, i, int(t)) for u, i, _, t in (line.split("\t") for line in file)]
        else:
            rows = [(line.split()[0], item, 0) for line in file for item in line.split()[1:]]
    for user, item, time in rows:
        events.setdefault(user, []).append((time, item))
    return {user: [item for _, item in sorted(own, key=lambda e: e[0])] for user, own in events.items()}


def drop_rare_items(sequences, least):
    counts = {}
    for items in sequences.values():
        for item in items:
            counts[item] = counts.get(item, 0) + 1
    kept = {u: [i for i in items if counts[i] >= least] for u, items in sequences.items()}
    return {user: items for user, items in kept.items() if items}


def ranks_of(sequences, lists_path):
    catalogue = {item for items in sequences.values() for item in items}
    expected = {user for user, items in sequences.items() if len(items) >= 3}
    ranks = {}
    with open(lists_path, encoding="utf-8") as file:
        for line in file:
            user, *ranked = line.rstrip("\n").split("\t")
            *history, target = sequences[user]
            if user in ranks:
                sys.exit(f"user {user} has two lists")
            if len(set(ranked)) != len(ranked):
                sys.exit(f"user {user}: an item stands twice")
            if set(ranked) != catalogue - set(history):
                sys.exit(f"user {user}: the list does not hold exactly the candidates")
            ranks[user] = ranked.index(target) + 1 if target in ranked else math.inf
    if set(ranks) != expected:
        sys.exit(f"{len(ranks)} users have lists, {len(expected)} have a last event to predict")
    return list(ranks.values())


def figure(name, ranks):
    metric, _, cutoff = name.partition("@")
    value = {
        "hr": lambda rank: float(rank <= int(cutoff)),
        "ndcg": lambda rank: 1 / math.log2(rank + 1) if rank <= int(cutoff) else 0.0,
        "mrr": lambda rank: 1 / rank,
    }[metric]
    return math.fsum(map(value, ranks)) / len(ranks)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("lists")
    parser.add_argument("--min-item-count", type=int, default=1)
    parser.add_argument("figures", nargs="+")
    arguments = parser.parse_args()
    sequences = drop_rare_items(read_log(arguments.log), arguments.min_item_count)
    ranks = ranks_of(sequences, arguments.lists)
    differs = False
    for name, given in (text.split("=") for text in arguments.figures):
        own = figure(name, ranks)
        agrees = abs(own - float(given)) <= 1e-6
        differs = differs or not agrees
        print(f"{name}: {own:.8f}, given {given}" + ("" if agrees else "  DIFFERS"))
    sys.exit(1 if differs else 0)


if __name__ == "__main__":
    main()
