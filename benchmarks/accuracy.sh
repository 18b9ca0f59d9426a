#!/usr/bin/env bash
# Remakes the accuracy table. Usage: benchmarks/accuracy.sh BUILD DATA RESULTS [SEED...]
#
#   BUILD    a release build: its examples/ has train_movielens, train, prequential, compare_runs and train_ratings
#   DATA     a folder with ml-1m, ml-100k and ml-latest-small; where they are there, also amazon-5core, rsc15-64 and
#            diginetica-weeks
#   RESULTS  where every run leaves its figures (.json) and ranks (.tsv); a run that is there already is not repeated, so
#            an interrupted table goes on where it stopped
#   SEED     1 2 3 if none is given; the preset `accurate` on ml-1m takes the first alone
#
# A line a data set and preset: the LSTM alone, the counts alone (decayed Markov) and what is saved and served, which is
# both where counts help on validation. Figures are means over the seeds; the interval is the bootstrap's, over users.
# Then short sequences with the preset default: Amazon by leave-one-out, the visits of RSC15, Diginetica week by week (the
# first seed trains again too). Then ratings, RMSE: ML-100K's five folds, and its latest tenth by time; both: LSTM and neighbours.
set -euo pipefail

if (($# < 3)); then
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
build=$1 data=$2 results=$3
shift 3
seeds=("$@")
(($# > 0)) || seeds=(1 2 3)
mkdir -p "$results"

# The mean over some runs' files of one figure, as in `"section": { … "figure": number`. A run that uses no counts has no
# section lstm_alone: its LSTM is alone already, and its figures are in the section test.
mean() {
  local section=$1 figure=$2
  shift 2
  awk -v section="\"$section\": {" -v figure="\"$figure\": " '
    /^{/ { inside = 0 }
    index($0, section) { inside = 1 }
    inside && index($0, figure) { sub(/.*: /, ""); sum += $0; ++count; inside = 0 }
    END { if (count) printf "%.4f", sum / count; else printf "-" }' < <(
    for file in "$@"; do
      if [[ $section == lstm_alone ]] && ! grep -q '"lstm_alone"' "$file"; then
        sed 's/"test": {/"lstm_alone": {/' "$file"
      else
        cat "$file"
      fi
    done)
}

line='%-16s %-9s %-17s %-17s %-17s %-18s %-16s %7s %6s\n'
printf "$line" data preset "LSTM alone" "counts alone" "saved" "NDCG@10, interval" "NDCG@10, seeds" seconds MiB
for name in ml-1m ml-100k ml-latest-small; do
  log=$data/$name options=()
  if [[ $name == ml-1m ]]; then
    options=(--min-item-count 5)
    [[ ! -f $log/sequences.txt ]] || log=$log/sequences.txt
  fi
  for preset in quick default accurate; do
    own=("${seeds[@]}")
    [[ $name-$preset != ml-1m-accurate ]] || own=("${seeds[0]}")
    figures=() ranks=()
    for seed in "${own[@]}"; do
      run=$results/$name-$preset-$seed
      if [[ ! -f $run.json ]]; then
        "$build/examples/train_movielens" --data "$log" "${options[@]}" --preset $preset --seed "$seed" \
          --ranks "$run.tsv" --metrics "$run.json" >"$run.out"
      fi
      figures+=("$run.json") ranks+=("$run.tsv")
    done
    both="$(mean test hr@10 "${figures[@]}") $(mean test ndcg@10 "${figures[@]}")"
    alone="$(mean lstm_alone hr@10 "${figures[@]}") $(mean lstm_alone ndcg@10 "${figures[@]}")"
    summary=$("$build/examples/compare_runs" "$(IFS=,; echo "${ranks[*]}")" | sed -n 3p)
    interval=$(grep -o '\[[^]]*\]' <<<"$summary" | sed -n 2p)
    spread=$(sed -n 's/.*NDCG \(.*\)/\1/p' <<<"$summary")
    printf "$line" $name $preset "$alone" \
      "$(mean decayed_markov hr@10 "${figures[@]}") $(mean decayed_markov ndcg@10 "${figures[@]}")" "$both" "$interval" \
      "${spread:-one seed}" "$(mean train seconds "${figures[@]}" | cut -d. -f1)" \
      "$(mean train peak_memory_mib "${figures[@]}" | cut -d. -f1)"
  done
done

# short <name> <metric> <metric> <arguments of train>: a line of a log of short sequences.
short() {
  local name=$1 first=$2 second=$3 figures=() seed run
  shift 3
  for seed in "${seeds[@]}"; do
    run=$results/$name-$seed
    [[ -f $run.json ]] ||
      "$build/examples/train" "$@" --seed "$seed" --ranks "$run.tsv" --metrics "$run.json" >"$run.out"
    figures+=("$run.json")
  done
  printf '%-16s %-17s %-17s %-17s %7s\n' "$name" "$first $second" \
    "$(mean lstm_alone "$first" "${figures[@]}") $(mean lstm_alone "$second" "${figures[@]}")" \
    "$(mean test "$first" "${figures[@]}") $(mean test "$second" "${figures[@]}")" \
    "$(mean train seconds "${figures[@]}" | cut -d. -f1)"
}
printf '\n%-16s %-17s %-17s %-17s %7s\n' data figures "LSTM alone" "saved" seconds
for name in Sports_and_Outdoors Toys_and_Games; do
  log=$data/amazon-5core/$name.sequences.txt
  [[ -f $log ]] || continue
  short $name hr@10 ndcg@10 --data "$log"
  short "$name, items" hr@10 ndcg@10 --data "$log" --items "${log%.sequences.txt}.attributes.json"
done
visits=$data/rsc15-64
[[ ! -d $visits ]] ||
  short rsc15 hr@20 mrr@20 --data "$visits/rsc15_train_full.txt" --test "$visits/rsc15_test.txt"
weeks=()
for week in {0..16}; do weeks+=("$data/diginetica-weeks/period_$week.txt"); done
if [[ -f ${weeks[0]} ]]; then
  for seed in "${seeds[@]}"; do
    run=$results/diginetica-$seed again=()
    [[ $seed != "${seeds[0]}" ]] || again=(--again)
    [[ -f $run.json ]] ||
      "$build/examples/prequential" "${weeks[@]}" --separator ' ' --columns visit,item --unknown left-out "${again[@]}" \
        --seed "$seed" --metrics "$run.json" >"$run.out" 2>"$run.err"
    printf '%s\n' "diginetica, seed $seed: $(sed -n 2p "$run.out")" "$(tail -n 2 "$run.out")"
  done
fi

line='%-16s %-9s %-10s %-10s %-10s %-10s %-18s %7s\n'
printf "\n$line" data ratings "LSTM alone" neighbours bias both "both, seeds" seconds
for split in folds time; do
  options=(--split time)
  if [[ $split == folds ]]; then
    options=(--test-fold "$data"/ml-100k/u{1,2,3,4,5}.test)
  fi
  figures=()
  for seed in "${seeds[@]}"; do
    run=$results/ratings-$split-$seed
    if [[ ! -f $run.json ]]; then
      "$build/examples/train_ratings" --data "$data/ml-100k/u.data" "${options[@]}" --seed "$seed" \
        --metrics "$run.json" >"$run.out"
    fi
    figures+=("$run.json")
  done
  each=$(for file in "${figures[@]}"; do mean test rmse "$file"; echo; done | sort)
  printf "$line" ml-100k $split "$(mean lstm_alone rmse "${figures[@]}")" "$(mean neighbours rmse "${figures[@]}")" \
    "$(mean bias rmse "${figures[@]}")" "$(mean test rmse "${figures[@]}")" \
    "$(head -n 1 <<<"$each") to $(tail -n 1 <<<"$each")" "$(mean train seconds "${figures[@]}" | cut -d. -f1)"
done
