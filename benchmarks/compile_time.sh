#!/usr/bin/env bash
# How long programs that use the library take to compile, as ratios to a file that only includes Eigen/Core.
# Usage: benchmarks/compile_time.sh [RUNS]
#
# Of each program's user time the smallest of RUNS (3) is taken; the programs are compiled in turn, so that all see the
# same machine. Memory is the compiler's largest resident set. CXX chooses the compiler (g++), CXXFLAGS replaces -O2,
# EIGEN names Eigen's folder (/usr/include/eigen3). Needs GNU time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' benchmarks/compile_time.sh
  exit
fi
runs=${1:-3} compiler=${CXX:-g++} eigen=${EIGEN:-/usr/include/eigen3}
read -ra flags <<<"${CXXFLAGS:--O2}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

echo '#include <Eigen/Core>' >"$folder/eigen.cpp"
cp examples/quickstart.cpp "$folder/quickstart.cpp"
echo '#include <lstmrec/lstmrec.hpp>' >"$folder/include.cpp"
cat >"$folder/serve.cpp" <<'END'
#include <iostream>
#include <lstmrec/serve.hpp>
int main() {
  const auto recommender = lstmrec::load_recommender("model.safetensors");
  lstmrec::Session session(recommender);
  session.observe(297);
  for (const auto& [item, title, score] : session.top_n(10)) std::cout << title << '\n';
}
END
cat >"$folder/cell.cpp" <<'END'
#include <lstmrec/nn/lstm_cell.hpp>
float step(const lstmrec::LstmCell<float, 8, 16>& cell, const Eigen::Matrix<float, 8, 1>& x) {
  auto state = cell.initial_state();
  cell.step(x, state);
  return state.hidden(0);
}
END

# name|file|further flags
programs=("Eigen/Core alone|eigen|" "quickstart.cpp, header-only|quickstart|" "quickstart.cpp, compiled mode|quickstart|-DLSTMREC_COMPILED"
  "loads and serves, header-only|serve|" "loads and serves, compiled mode|serve|-DLSTMREC_COMPILED"
  "includes lstmrec.hpp, calls nothing|include|" "LstmCell<float, 8, 16>|cell|")
declare -A seconds memory
for ((run = 0; run < runs; ++run)); do
  for program in "${programs[@]}"; do
    IFS='|' read -r name file more <<<"$program"
    /usr/bin/time -f '%U %M' -o "$folder/time" "$compiler" -std=c++20 "${flags[@]}" ${more:+"$more"} -I include -isystem "$eigen" \
      -c "$folder/$file.cpp" -o "$folder/object.o"
    read -r user kilobytes <"$folder/time"
    seconds[$name]=$(awk -v a="${seconds[$name]:-1e9}" -v b="$user" 'BEGIN { print a < b ? a : b }')
    memory[$name]=$kilobytes
  done
done

"$compiler" --version | head -1
printf '%-38s %8s %7s %7s\n' program seconds ratio MB
for program in "${programs[@]}"; do
  name=${program%%|*}
  awk -v name="$name" -v s="${seconds[$name]}" -v base="${seconds[Eigen/Core alone]}" -v kb="${memory[$name]}" \
    'BEGIN { printf "%-38s %8.2f %6.1fx %7.0f\n", name, s, s / base, kb / 1024 }'
done
