#!/usr/bin/env bash
# Makes many short histories of few long ones, as a shop has them. Usage: benchmarks/thin_histories.sh LOG >sequences.txt
#
# LOG is a ratings.csv or a sequences.txt. Each user's events are cut, in the order of time, into users of 5, 6, … 10,
# 5, … events; what is left over at the end is dropped. Every item is kept that is in one of them.
set -euo pipefail

if (($# != 1)); then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
if [[ $1 == *.csv ]]; then
  tail -n +2 "$1" | tr -d '\r' | sort -s -t, -k1,1n -k4,4n |
    awk -F, '$1 != user { if (NR > 1) print ""; user = $1; printf "%s", user } { printf " %s", $2 } END { print "" }'
else
  cat "$1"
fi | awk '{
  for (begin = 2; begin + length_of(users) - 1 <= NF; begin += size) {
    size = length_of(users)
    printf "%d", ++users
    for (i = begin; i < begin + size; ++i) printf " %s", $i
    print ""
  }
}
function length_of(n) { return 5 + n % 6 }'
