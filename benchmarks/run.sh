#!/usr/bin/env bash
# Measures everything and makes one table and one page of it.
# Usage: benchmarks/run.sh [--no-install] [--peers] [--only GROUP[,GROUP...]] [RESULTS]
#
#   GROUP    limits, training, serving, data or growth; all of them if none is named
#   --peers  also makes a Python environment of its own, in build/peers, and measures the peers, in turn with ours
#   RESULTS  a folder for what was measured and for the page, build/benchmark-results if none is given; groups
#            that are not measured again keep what was measured before
#
# Builds with the release preset and each of g++ and clang++ that there is; CXX names one compiler instead. Other work on
# the machine makes figures worse: let it rest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install=1 peers= only=limits,training,serving,data,growth results=build/benchmark-results
while (($# > 0)); do
  case $1 in
    --no-install) install= ;;
    --peers) peers=1 ;;
    --only) only=${2:?--only needs the names of groups}; shift ;;
    -*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' benchmarks/run.sh >&2; [[ $1 == --help || $1 == -h ]]; exit ;;
    *) results=$1 ;;
  esac
  shift
done
if [[ $install ]]; then
  source tests/install_missing.sh
  install_missing "${CXX:-g++}:${CXX:-g++}" cmake:cmake libeigen3-dev catch2 \
    ${peers:+python3:python3} ${peers:+python3-venv}
fi
mkdir -p "$results"
results=$(cd "$results" && pwd)

# Nothing in the environment may hold a peer back.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OPENBLAS_NUM_THREADS OMP_NUM_THREADS MKL_NUM_THREADS MKL_ENABLE_INSTRUCTIONS \
  MKL_DEBUG_CPU_TYPE NVPL_BLAS_DEBUG_CPU_TYPE ONEDNN_MAX_CPU_ISA DNNL_MAX_CPU_ISA ATEN_CPU_CAPABILITY

compilers=()
for compiler in ${CXX:-g++ clang++}; do
  if command -v "$compiler" >/dev/null; then
    compilers+=("$compiler")
  else
    echo "There is no $compiler: left out." >&2
  fi
done
wanted() { [[ ,$only, == *,$1,* ]]; }

# Everything is built before anything is measured.
declare -A program_of=(
  [limits]=limits [training]=training_speed [serving]=serving_speed [data]=loading_speed [growth]=growth)
programs=(benchmark_report)
for group in limits training serving data growth; do
  if wanted $group; then programs+=("${program_of[$group]}"); fi
done
if wanted training; then programs+=(ratings_speed); fi
for compiler in "${compilers[@]}"; do
  cmake --preset release -B "build/benchmarks-$compiler" -DCMAKE_CXX_COMPILER="$compiler" -DLSTMREC_BUILD_TESTS=OFF \
    -DLSTMREC_BUILD_EXAMPLES=OFF >/dev/null
  cmake --build "build/benchmarks-$compiler" --parallel "$(nproc)" --target "${programs[@]}" >/dev/null
done
if [[ $peers ]]; then
  python=build/peers/bin/python
  [[ -x $python ]] || python3 -m venv build/peers
  # The other index has PyTorch without its gigabytes for graphics cards, as version 2.13.0+cpu, which pip takes for the
  # newer one; where it can't be reached PyPI's will do. The version is the one measured, for the same comparison later.
  $python -m pip install --quiet --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
  $python -m pip install --quiet numpy onnx onnxruntime faiss-cpu keras pandas polars pyarrow
fi

{
  date -u '+%Y-%m-%d %H:%M UTC'
  sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *\([0-9]*\) /\1 processors: /'
  for compiler in "${compilers[@]}"; do "$compiler" --version | head -1; done
  echo "-O3 -march=native, lstmrec $(git describe --always --dirty 2>/dev/null || true)"
} >"$results/setup.txt"

# measure GROUP MAKER COMMAND...: runs a command and adds the lines that it prints to the group's file.
measure() {
  local group=$1 maker=$2
  shift 2
  echo "$*" | tee -a "$results/setup.txt" >&2
  "$@" | tee >(cat >&2) | sed "s|^|$maker\t|" >>"$results/$group.tsv" ||
    echo "  failed, so what it has not printed is missing" | tee -a "$results/setup.txt" >&2
}

# A log with MovieLens 1M's spread of lengths (log-normal, 300 users) and frequencies that fall as Zipf's law says.
log=$results/sequences.txt
awk -v users=300 -v items=3012 'BEGIN {
  srand(1)
  for (user = 1; user <= users; ++user) {
    length_ = int(20 + 76 * exp(0.9 * sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand())))
    line = user
    for (i = 0; i < length_ && i < 2000; ++i) line = line " " int(exp(log(items) * rand()))
    print line
  }
}' >"$log"

for group in limits training serving data growth; do
  wanted $group || continue
  : >"$results/$group.tsv"
  if [[ $group == training ]]; then : >"$results/settings.tsv"; fi
  arguments=()
  case $group in
    training) arguments=("$log") ;;
    data) mkdir -p "$results/ratings"; arguments=("$results/ratings") ;;
  esac
  for compiler in "${compilers[@]}"; do
    own=build/benchmarks-$compiler/benchmarks
    measure $group "lstmrec, $compiler" "$own/${program_of[$group]}" "${arguments[@]}"
    if [[ $group == training ]]; then measure training "lstmrec, $compiler" "$own/ratings_speed"; fi
    if [[ $group == growth ]]; then break; fi  # one compiler shows the shape of a curve
  done
done

# best MAKER PARAMETER: the note of the fastest of the settings whose parameter begins so.
best() {
  awk -F'\t' -v "maker=$1" -v "parameter=$2" '
    $1 == maker && index($3, parameter) == 1 && $4 > most { most = $4; best = $7 } END { print best }' \
    "$results/settings.tsv"
}

# The peers, in turn with ours: pair by pair, so that both meet the same disturbances.
if [[ $peers ]]; then
  maker="lstmrec, ${compilers[0]}" own="build/benchmarks-${compilers[0]}/benchmarks" scripts=benchmarks/peers
  if wanted training; then
    # Every setting in short, then the best.
    measure settings PyTorch $python $scripts/training_pytorch.py "$log" all 2
    measure settings Keras $python $scripts/ratings_keras.py
    for pair in 1 2 3; do
      for units in 64 128 256; do
        measure training "$maker" "$own/training_speed" "$log" "$units"
        setting=$(best PyTorch "$units units,")
        for threads in 1 2; do
          measure training PyTorch $python $scripts/training_pytorch.py "$log" "${setting:-padded}" $threads "$units"
        done
      done
      measure training "$maker" "$own/ratings_speed" 2
      read -r setting threads _ <<<"$(best Keras "")"
      measure training Keras $python $scripts/ratings_keras.py "${setting:-eager}" "${threads:-1}"
    done
  fi
  if wanted serving; then
    for pair in 1 2 3; do
      measure serving "$maker" "$own/serving_speed"
      measure serving "ONNX Runtime" $python $scripts/serving_onnx.py
      measure serving FAISS $python $scripts/serving_faiss.py
    done
  fi
  if wanted data; then
    for pair in 1 2 3; do
      measure data "$maker" "$own/loading_speed" "$results/ratings" 1000000 10000000
      for reader in pandas polars; do
        measure data $reader $python $scripts/loading_pandas_polars.py $reader "$results/ratings" 1000000 10000000
      done
    done
  fi
fi
rm -rf "$results/ratings"

"build/benchmarks-${compilers[0]}/benchmarks/benchmark_report" "$results" "$results/speed.html" |
  tee "$results/table.txt"
echo "$results/speed.html"
