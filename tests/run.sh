#!/usr/bin/env bash
# Builds and runs all tests. Usage: tests/run.sh [--no-install] [ctest arguments, such as -R core/]
#
# Installs what is missing (Debian and its relatives), configures build/tests, builds, runs ctest. CXX chooses the
# compiler, JOBS the number of processes (default: the number of processors), LSTMREC_REAL_DATA the folder that holds
# real MovieLens releases; without it the tests of real data are skipped by name. BENCHMARKS=ON builds the benchmarks
# too, which no test needs.
#
# Optimised for this processor, because some tests train, but without NDEBUG, so that every assert of the library and
# of Eigen is on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' tests/run.sh
  exit
fi
if [[ ${1:-} == --no-install ]]; then
  shift
else
  source tests/install_missing.sh
  install_missing "${CXX:-g++}:${CXX:-g++}" cmake:cmake ninja:ninja-build libeigen3-dev catch2 libcli11-dev curl:curl \
    nlohmann-json3-dev zlib1g-dev libzstd-dev libsqlite3-dev
fi

jobs=${JOBS:-$(nproc)}
generator=()
if [[ ! -e build/tests/CMakeCache.txt ]] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
real_data=()
if [[ -n ${LSTMREC_REAL_DATA:-} ]]; then real_data=("-DLSTMREC_REAL_DATA=$LSTMREC_REAL_DATA"); fi
cmake -S . -B build/tests "${generator[@]}" "${real_data[@]}" \
  -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-march=native -DCMAKE_CXX_FLAGS_RELEASE=-O1 \
  -DLSTMREC_BUILD_BENCHMARKS="${BENCHMARKS:-OFF}"
cmake --build build/tests --parallel "$jobs"
ctest --test-dir build/tests --output-on-failure --no-tests=error --parallel "$jobs" "$@"
