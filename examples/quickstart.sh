#!/usr/bin/env bash
# From nothing to recommendations in one command: installs what is missing, builds two programs, trains on data/sample,
# prints the figures beside the baselines and one user's recommendations, and writes a report.
# Usage: examples/quickstart.sh [--no-install]. CXX chooses the compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' examples/quickstart.sh
  exit
fi
if [[ ${1:-} != --no-install ]]; then
  source tests/install_missing.sh
  install_missing "${CXX:-g++}:${CXX:-g++}" cmake:cmake ninja:ninja-build libeigen3-dev libcli11-dev
fi

build=build/quickstart
generator=()
if [[ ! -e $build/CMakeCache.txt ]] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
echo "== Building train_movielens and recommend in $build"
mkdir -p build
cmake -S . -B $build "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-march=native \
  -DLSTMREC_BUILD_TESTS=OFF -DLSTMREC_BUILD_BENCHMARKS=OFF >$build.log 2>&1 || { cat $build.log >&2; exit 1; }
cmake --build $build --parallel "$(nproc)" --target train_movielens recommend

echo
echo "== Training on data/sample: invented films and users, in MovieLens' format"
$build/examples/train_movielens --data data/sample --preset quick \
  --model $build/model.safetensors --report $build/report.html

echo
echo "== Recommendations for one user of the sample"
$build/examples/recommend --model $build/model.safetensors --data data/sample --user 1

cat <<END

The report: $build/report.html

Next, real data. MovieLens 1M (6 MB to download, about a quarter of an hour of training on two cores):
  data/download.sh ml-1m
  $build/examples/train_movielens --data data/ml-1m --min-item-count 5 --model ml-1m.safetensors --report ml-1m.html
END
