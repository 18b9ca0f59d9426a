#!/usr/bin/env bash
# all_flags.sh: compiles the short training with many compilers, standard libraries, flags and macros, runs it, and
# compares what it prints. A line each; takes about ten minutes. Compilers that are missing are left out by name.
set -uo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
includes=(-I"$folder/../../include" -isystem "${EIGEN:-/usr/include/eigen3}")
failed=0

# try <name> <compiler and flags>: numbers may differ only where other vector instructions or words are used ("~" before
# the name).
try() {
  local name=$1; shift
  command -v "$1" >/dev/null || { echo "not here: $name"; return; }
  if ! "$@" "${includes[@]}" "$folder/short_training.cpp" -o "$work/program" -pthread >"$work/log" 2>&1; then
    echo "FAILED to compile: $name: $(grep -m1 -E 'error' "$work/log")"; failed=1
  elif ! "$work/program" >"$work/out" 2>&1; then
    echo "FAILED to run: $name"; failed=1
  else
    [[ -s $work/first ]] || cp "$work/out" "$work/first"
    if cmp -s "$work/out" "$work/first"; then
      echo "same: $name"
    elif [[ $name == "~"* ]]; then
      echo "other numbers: $name: $(tr '\n' ' ' <"$work/out")"
    else
      echo "FAILED, other numbers: $name: $(tr '\n' ' ' <"$work/out")"; failed=1
    fi
  fi
}

plain=(-std=c++20 -O1)
try "g++" g++ "${plain[@]}"
try "g++ -DNDEBUG, row-major" g++ "${plain[@]}" -DNDEBUG -DEIGEN_DEFAULT_TO_ROW_MAJOR
try "g++ C++23" g++ -std=c++23 -O1
try "~g++ -O3" g++ -std=c++20 -O3
try "g++ debug containers" g++ "${plain[@]}" -D_GLIBCXX_DEBUG
try "g++ assertions" g++ "${plain[@]}" -D_GLIBCXX_ASSERTIONS
try "g++ -fopenmp" g++ "${plain[@]}" -fopenmp
try "g++ traps" g++ "${plain[@]}" -DTRAPS
try "~g++ no vectors" g++ "${plain[@]}" -DEIGEN_DONT_VECTORIZE
try "g++ no alignment" g++ "${plain[@]}" -DEIGEN_MAX_ALIGN_BYTES=0
try "~g++ x86-64-v3" g++ "${plain[@]}" -march=x86-64-v3
for clang in clang++-14 clang++-16; do
  try "~$clang, libstdc++" $clang "${plain[@]}"
  try "~$clang, libc++" $clang "${plain[@]}" -stdlib=libc++
done
exit $failed
