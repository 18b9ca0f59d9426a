#!/usr/bin/env bash
# programs.sh <case> <folder of the built examples>: runs the programs as a user would. Exits with 0 if all is well;
# prints a line that begins with SKIPPED: where something that the case needs is missing.
set -uo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs=$(cd "$2" && pwd)
train=$programs/train_movielens recommend=$programs/recommend compare=$programs/compare_runs average=$programs/average_models
sample=$source_folder/data/sample
work=$(mktemp -d)
trap 'umount "$work/disk" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "FAILED: $*"
  for file in out err; do if [[ -s $file ]]; then echo "--- $file"; tail -n 40 $file; fi; done
  exit 1
}

# expect <exit code> <program> [arguments]: leaves what it printed in the files out and err.
expect() {
  local code=$1; shift
  "$@" >out 2>err </dev/null
  local got=$?
  ((got == code)) || fail "exit code $got, expected $code: $*"
}

# expect_error <exit code> <words> <program> [arguments]: one line on standard error with the words, nothing else.
expect_error() {
  local code=$1 words=$2; shift 2
  expect "$code" "$@"
  [[ ! -s out ]] || fail "standard output should be empty: $*"
  (($(wc -l <err) == 1)) || fail "standard error should be one line: $*"
  grep -qF -- "$words" err || fail "standard error should say '$words': $*"
}

# A few users of the sample, and a network that trains in a moment.
small_data() {
  mkdir -p small
  awk -F, 'NR == 1 || $1 <= 60' "$sample/ratings.csv" >small/ratings.csv
  cp "$sample/movies.csv" small
}
tiny=(--preset quick --embedding-size 8 --hidden-size 8 --epochs 2)
train_small() {
  small_data
  expect 0 "$train" --data small "${tiny[@]}" --quiet --model model.safetensors
}

bad_data() {
  # bad <words expected> <file name> <contents, with printf's escapes> [options]
  bad() {
    local words=$1 name=$2 contents=$3; shift 3
    mkdir data results
    printf "$contents" >"data/$name"
    expect_error 1 "$words" "$train" --data data "$@" --quiet --model results/model --metrics results/metrics \
      --report results/report --lists results/lists --ranks results/ranks
    [[ -z $(ls -A results) ]] || fail "nothing should have been written: $(ls -A results)"
    rm -r data results
  }
  local header='userId,movieId,rating,timestamp\n'
  local rows='1\t2\t3\t4\n1\t3\t3\t5\n1\t4\t3\t6\n2\t2\t3\t4\n2\t3\t3\t5\n2\t4\t3\t6\n'
  bad 'u.data: expected ratings, got an empty file' u.data ''
  bad 'u.data:3: expected 4 fields separated by a tab, got 2: "1' u.data '1\t2\t3\t4\n1\t3\t3\t5\n1\t4'
  bad 'ratings.dat:2: expected 4 fields separated by "::", got 1: "1"' ratings.dat '1::1193::5::978300760\n1'
  bad 'u.data:1: expected an integer as user, got "ann"' u.data 'ann\t2\t3\t4\n'
  bad 'u.data:2: expected an integer as timestamp, got "noon"' u.data '1\t2\t3\t4\n1\t2\t3\tnoon\n'
  bad 'u.data:1: expected an integer as item, got "+2"' u.data '1\t+2\t3\t4\n'
  bad 'ratings.csv:2: expected a finite number as rating, got "nan"' ratings.csv "${header}1,2,nan,4\n"
  bad 'ratings.csv:3: expected a finite number as rating, got "inf"' ratings.csv "${header}1,2,3,4\n1,3,inf,5\n"
  bad 'u.data:2: expected text, got binary data' u.data '1\t2\t3\t4\n\001\000\002\n'
  bad 'ratings.csv: expected ratings, got a header only' ratings.csv "$header"
  bad 'sequences.txt:2: expected a user and its items' sequences.txt '1 2 3 4\n2\n'
  bad 'u.data: leave-one-out needs a user with at least 3 events' u.data '1\t2\t3\t4\n'
  bad 'u.data: no events are left with at least 5 an item' u.data "$rows" --min-item-count 5
  bad 'u.data: no events are left' u.data "$rows" --min-rating 4
  bad 'sequences.txt: a lowest rating is set, but there are no ratings' sequences.txt '1 2 3 4\n' --min-rating 4
  bad 'sequences.txt: a split by time needs times' sequences.txt '1 2 3 4\n' --split time
  bad 'expected a folder with u.data' other.txt 'nothing'
  expect_error 1 'no_such_folder: No such file or directory' "$train" --data no_such_folder
}

bad_outputs() {
  small_data
  # With so many epochs: only a test before training ends in time.
  local forever=("$train" --data small "${tiny[@]}" --epochs 1000000 --patience 0)
  local option
  for option in --model --metrics --report --lists --ranks; do
    expect_error 1 'nowhere/file: cannot be written: No such file or directory' "${forever[@]}" $option nowhere/file
    expect_error 1 'small: cannot be written: ' "${forever[@]}" $option small
    expect_error 1 '/dev/null: cannot be written: ' "${forever[@]}" $option /dev/null
  done
  [[ -c /dev/null ]] || fail '/dev/null was replaced'
  expect_error 1 'two outputs would be written to the same file' "${forever[@]}" --model same --report same
  expect_error 1 'nowhere/file: cannot be written' "$recommend" --model none --data small --all nowhere/file
  [[ ! -e same ]] || fail 'the test of an output should leave nothing behind'

  # Another spelling is the same file, whether it is there or not.
  local twice='two outputs would be written to the same file'
  expect_error 1 "--report ./same and --model same: $twice" "${forever[@]}" --model same --report ./same
  ln -s small link && ln -s same link_to_same
  expect_error 1 "--ranks link/new and --lists small/new: $twice" "${forever[@]}" --lists small/new --ranks link/new
  expect_error 1 "--metrics link_to_same and --model same: $twice" "${forever[@]}" --model same --metrics link_to_same
  touch same
  expect_error 1 "--report $PWD/same and --model same: $twice" "${forever[@]}" --model same --report "$PWD/same"
}

keeps_inputs() {
  train_small
  local name lost='an input would be overwritten' rate="$programs/train_ratings"
  local forever=("$train" "${tiny[@]}" --epochs 1000000 --patience 0) average=("$programs/average_models" --data small)
  cp -r small before && cp model.safetensors model
  ln -s small/ratings.csv link
  expect_error 1 "--metrics small/ratings.csv and --data small/ratings.csv: $lost" "${forever[@]}" \
    --data small/ratings.csv --metrics small/ratings.csv
  expect_error 1 "--model ./small/ratings.csv and --data small/ratings.csv: $lost" "${forever[@]}" --data small \
    --model ./small/ratings.csv
  expect_error 1 "--report small/movies.csv and --data small/movies.csv: $lost" "${forever[@]}" --data small \
    --report small/movies.csv
  expect_error 1 "--lists link and --data small/ratings.csv: $lost" "${forever[@]}" --data small --lists link
  expect_error 1 "--ranks ./model and --evaluate model: $lost" "$train" --data small --evaluate model --ranks ./model
  expect_error 1 "--all ./model and --model model: $lost" "$recommend" --model model --data small --all ./model
  expect_error 1 "--all link and --data small/ratings.csv: $lost" "$recommend" --model model --data small --all link
  expect_error 1 "--ranks ./model and the model model: $lost" "${average[@]}" model --ranks ./model
  expect_error 1 "--ranks small/movies.csv and --data small/movies.csv: $lost" "${average[@]}" model \
    --ranks small/movies.csv
  expect_error 1 "--model link and --data small/ratings.csv: $lost" "$rate" --data small --model link
  awk -F, 'NR == 1 || NR % 10 == 0' small/ratings.csv >fold.csv
  expect_error 1 "--metrics ./fold.csv and --test-fold fold.csv: $lost" "$rate" --data small --test-fold fold.csv \
    --metrics ./fold.csv
  mkdir old_release
  printf '1\t2\t3\t4\n' >old_release/u.data
  printf 'Drama|0\n' >old_release/u.genre
  printf '2|Two|||||1\n' >old_release/u.item
  for name in data item genre; do
    expect_error 1 "--metrics old_release/u.$name and --data old_release/u.$name: $lost" "${forever[@]}" \
      --data old_release --metrics old_release/u.$name
  done
  # What is not read may be written.
  expect 0 "$rate" --data small --epochs 1 --hidden-size 4 --quiet --model small/model
  rm small/model
  diff -r before small >out || fail 'the data should be as it was'
  cmp -s model model.safetensors || fail 'the model should be as it was'
}

bad_usage() {
  small_data
  local run=("$train" --data small "${tiny[@]}")
  expect_error 2 '--data is required' "$train"
  expect_error 2 '--colour' "$train" --data small --colour red
  expect_error 2 '--split' "${run[@]}" --split sideways
  expect_error 2 '--epochs' "${run[@]}" --epochs many
  expect_error 2 '--epochs' "${run[@]}" --epochs 99999999999999999999
  expect_error 1 'epochs must be at most 1000000' "${run[@]}" --epochs 1000001
  expect_error 2 '--min-item-count' "${run[@]}" --min-item-count 99999999999999999999
  expect_error 2 '--min-item-count' "${run[@]}" --min-item-count -1
  expect_error 2 '--lists-length' "${run[@]}" --lists lists --lists-length -1
  expect_error 2 '--threads' "${run[@]}" --threads 100000
  expect_error 2 '--evaluate' "${run[@]}" --evaluate a --model b
  expect_error 1 'preset must be quick, default or accurate, got "huge"' "$train" --data small --preset huge
  expect_error 1 'dropout must be in [0, 1), got 1' "${run[@]}" --dropout 1
  expect_error 1 'hidden_size must be in [1, 65536], got 0' "${run[@]}" --hidden-size 0
  expect_error 1 'learning_rate' "${run[@]}" --learning-rate nan
  expect_error 2 '--data' "$recommend" --model m --user 1
  expect_error 2 'excludes' "$recommend" --model m --data small --user 1 --history 1
  expect_error 1 '--data needs --user or --all' "$recommend" --model m --data small
  expect_error 2 '--top' "$recommend" --model m --top 0
  printf '1 %s\n' "$(seq -s ' ' 10001)" >sequences.txt
  expect_error 1 'at most 10000 items, got 10001' "$train" --data sequences.txt --quiet --linear-baselines
  expect 0 "$train" --help
  grep -q -- --hidden-size out || fail '--help should list the options'
}

bad_model() {
  train_small
  expect_error 1 'none.safetensors: ' "$train" --data small --evaluate none.safetensors
  head -c 1000 model.safetensors >half.safetensors
  expect_error 1 'half.safetensors: ' "$train" --data small --evaluate half.safetensors
  expect_error 1 'small/ratings.csv: ' "$recommend" --model small/ratings.csv --history 1
  printf '7000001 7000002 7000003 7000004\n' >strange.txt
  expect_error 1 'strange.txt: none of the items to predict is known to the model' "$train" --data strange.txt \
    --evaluate model.safetensors --quiet
}

trains_and_evaluates() {
  small_data
  local run=("$train" --data small "${tiny[@]}" --min-item-count 3)
  expect 0 "${run[@]}" --model model --metrics metrics.json --report report.html --lists lists.tsv
  [[ ! -e nowhere && $(ls -A | tr '\n' ' ') == 'err lists.tsv metrics.json model out report.html small ' ]] ||
    fail "there should be the outputs and nothing beside them: $(ls -A)"
  (($(grep -cE '^(lstmrec|popularity|Markov|item-kNN|decayed Markov) +0\.[0-9]{4} \[0\.' out) == 5)) ||
    fail 'the table should have five lines'
  (($(grep -c '^epoch [12]/2  loss .* validation NDCG@10 ' err) == 2)) || fail 'there should be a line an epoch'
  ! grep -q $'[\r\033]' err || fail 'there should be no bar where standard error is not a terminal'
  "$CMAKE" -Dfile=metrics.json -P "$source_folder/tests/examples/check_metrics.cmake" || fail 'metrics.json'

  # The saved model gives the same figures.
  cp out table
  expect 0 "$train" --data small --min-item-count 3 --evaluate model --metrics again.json --report again.html
  cmp -s table out || fail 'the saved model should give the same table'
  expect 0 "$train" --data small --min-item-count 3 --evaluate model --linear-baselines --metrics linear.json
  (($(grep -cE '^(EASE|decayed ridge) +0\.[0-9]{4} \[0\.' out) == 2)) || fail 'the table should have two more lines'
  (($(grep -cE '^(EASE|decayed ridge): best on validation with lambda (50|[1-9]0+)$' err) == 2)) || fail 'two lambdas'
  grep -q '"ease"' linear.json && grep -q '"decayed_ridge"' linear.json && (($(grep -c '"lambda": [0-9]' linear.json) == 2)) ||
    fail 'linear.json should have both, with their lambdas'
  "$CMAKE" -Dfile=again.json -Dtrained=OFF -P "$source_folder/tests/examples/check_metrics.cmake" || fail 'again.json'
  [[ $(sed '/"train"/,$d' metrics.json) == "$(sed '/"data"/,$d' again.json)" ]] ||
    fail 'the saved model should give the same figures'

  # Same seed, same bits, for any number of threads; another seed, others. --quiet is quiet.
  for threads in 1 3; do
    expect 0 "${run[@]}" --quiet --threads $threads --model model$threads
    cmp model model$threads || fail "the model should not depend on threads"
    [[ ! -s out && ! -s err ]] || fail '--quiet should print nothing'
  done
  expect 0 "${run[@]}" --quiet --seed 2 --model model_of_seed_2 --validation-users 9 --metrics seed_2.json
  ! cmp -s model model_of_seed_2 || fail 'another seed should give another model'
  for name in validation_targets validation_users; do
    grep -q "\"$name\": 9,*$" seed_2.json || fail "the old option and the old key should stand for the new: $name"
  done
}

trains_on_all() {
  small_data
  expect 0 "$train" --data small "${tiny[@]}" --model model --final-model final
  [[ $(ls -A | tr '\n' ' ') == 'err final model out small ' ]] || fail "there should be two models: $(ls -A)"
  ! cmp -s model final || fail 'the final model should have learned from more events'
  grep -q '^training once more, on all events$' err || fail 'it should say that it trains once more'
  (($(grep -c '^epoch .* validation ' err) == 2)) || fail 'the last training should have no validation'
  expect 0 "$recommend" --model final --history 36
  expect_error 2 'excludes' "$train" --data small --evaluate model --final-model final
  # Figures of what has learned the test events are no test, and say so wherever they stand.
  expect 0 "$train" --data small --evaluate final --metrics metrics.json --report report.html
  local caveat='no test: the model was trained on all [0-9]* events of its log and held nothing out'
  grep -q "^$caveat" out || fail 'the table should say that this is no test'
  grep -q "\"caveat\": \"$caveat" metrics.json || fail 'the metrics should say that this is no test'
  grep -q "class=\"notice\">$caveat" report.html || fail 'the report should say that this is no test'
  expect 0 "$train" --data small --evaluate model --metrics metrics.json
  ! grep -q 'no test' out metrics.json || fail 'a held-out test is one'
  expect 0 "$train" --data small --evaluate model --split time
  grep -q '^perhaps no test: the model was trained on [0-9]* events of another split' out ||
    fail 'the table should say that the model was trained on another split'
  expect 0 "$average" model final --data small
  grep -q '^no test: ' out || fail 'an average should say that one of its models has learned the test events'
}

warm_start() {
  small_data
  local run=("$train" --data small --min-item-count 3)
  expect 0 "${run[@]}" "${tiny[@]}" --recommend-seen 1 --model before --ranks before.tsv
  # Without an epoch it is what it was, settings included.
  expect 0 "${run[@]}" --warm-start before --epochs 0 --ranks started.tsv
  cmp before.tsv started.tsv || fail 'nothing was trained, so the ranks should be the same'
  grep -q '^going on from before, which knows [0-9]* of these items$' err || fail 'it should say what it goes on from'

  expect 0 "$train" --data small --warm-start before --model after --metrics metrics.json --final-model final
  grep -q '"warm_start": "before"' metrics.json || fail 'the figures should say what it went on from'
  grep -q '"recommend_seen": true' metrics.json || fail 'it should keep the settings'
  (($(grep -c '^epoch  *[0-9]*/2 .* events/s' err) == 4)) || fail 'there should be two epochs each'
  expect 0 "$recommend" --model after --history 36
  expect 0 "$recommend" --model final --history 36
  expect 0 "$train" --data small --min-item-count 20 --warm-start before --quiet --model fewer
  expect 0 "$train" --data small --min-item-count 20 --warm-start before
  grep -q '; [0-9]* others are forgotten$' err || fail 'it should say that items are forgotten'

  expect_error 2 'excludes' "$train" --data small --evaluate before --warm-start before
  expect_error 2 'excludes' "$train" --data small --preset quick --warm-start before
  expect_error 2 'expected a file' "$train" --data small --warm-start ''
  expect_error 1 'an input would be overwritten' "$train" --data small --warm-start before --model before
  expect_error 1 'absent' "$train" --data small --warm-start absent
  expect_error 1 'same form, sizes and inputs' "$train" --data small --quiet --warm-start before --hidden-size 16
  expect_error 1 'ratings.csv' "$train" --data small --quiet --warm-start small/ratings.csv
  mkdir other
  awk -F, -v OFS=, 'NR > 1 { $2 += 100000 } 1' small/ratings.csv >other/ratings.csv
  expect_error 1 'none of its items is known' "$train" --data other --quiet --warm-start before
}

trains_on_any_log() {
  # The sample with other columns, ids and times; the users from 400 on make a log of their own.
  printf 'ts\tvisit_code\tsku\n' | tee shop.tsv >later.tsv
  awk -F, 'NR > 1 {printf "%s500\tv%04d\tB%05d\n", $4, $1, $2 >> ($1 < 400 ? "shop.tsv" : "later.tsv")}' \
    "$sample/ratings.csv"
  awk -F'\t' 'NR > 1 && !($3 in seen) {seen[$3]; printf "%s;Title of %s;a|b\n", $3, $3}' shop.tsv >items.csv
  sed -i '1i sku;name;tags' items.csv
  echo 'B00036;' >>items.csv
  local any=$programs/train columns=(--user-column visit_code)
  expect 0 "$any" --data shop.tsv "${columns[@]}" --items items.csv "${tiny[@]}" --model model.safetensors
  grep -qF 'shop.tsv: fields separated by tabs, with a header; user: "visit_code", item: "sku", time: "ts" (milliseconds)' \
    err || fail "the columns should be named"
  grep -qF 'left out: items.csv:' err || fail "the bad line of the table of items should be shown"
  grep -q '^lstmrec ' out || fail "there should be figures"
  expect 0 "$recommend" --model model.safetensors --history B00036
  grep -qE 'B[0-9]{5}.*Title of B' out || fail "the list should have ids and titles"

  expect 0 "$any" --data shop.tsv "${columns[@]}" --test later.tsv --targets last "${tiny[@]}" --quiet --metrics held-out
  grep -qF '"protocol": "trained on shop.tsv' held-out || fail "the protocol should name both logs: $(cat held-out)"
  # What is tested has been trained once more, on the validation part too; evaluated again it is still a test.
  expect 0 "$any" --data shop.tsv "${columns[@]}" --test later.tsv "${tiny[@]}" --model tested --metrics first
  grep -q 'training once more' err || fail "there should be a second training"
  expect 0 "$any" --data shop.tsv "${columns[@]}" --test later.tsv --evaluate tested --metrics again
  local figures
  for figures in first again; do
    grep -q '"caveat"' $figures && fail "$figures: the figures are those of a test"
    sed -n '/"test":/,/}/p' $figures >$figures.test
  done
  cmp first.test again.test || fail "the figures should be the same again"
  grep -q '"validation"' again && fail "there should be no figures of events that the model has learned"
  expect_error 1 'later.tsv: expected users that training does not see, got v0400' \
    "$any" --data later.tsv "${columns[@]}" --test later.tsv "${tiny[@]}" --quiet
  expect_error 1 'did you mean "visit_code"?' "$any" --data shop.tsv --user-column visit_cod --quiet
  expect_error 1 'items.csv:' "$any" --data shop.tsv "${columns[@]}" --items items.csv --strict --quiet

  expect_error 1 'an input would be overwritten' "$any" --data shop.tsv "${columns[@]}" --items items.csv --quiet \
    --report items.csv

  # A log may come through a pipe, and gives the same model.
  expect 0 "$any" --data shop.tsv "${columns[@]}" "${tiny[@]}" --quiet --model from_file
  "$any" --data - "${columns[@]}" "${tiny[@]}" --quiet --model from_pipe < <(cat shop.tsv) 2>err ||
    fail "a log should be read from a pipe"
  cmp from_file from_pipe || fail "a pipe should give the model of the file"

  expect_error 2 '--split excludes --test' "$any" --data shop.tsv --test later.tsv --split time
  expect_error 2 '--test excludes --linear-baselines' "$any" --data shop.tsv --test later.tsv --linear-baselines
  expect_error 2 '--targets requires --test' "$any" --data shop.tsv --targets last
  expect_error 2 '--strict requires --items' "$any" --data shop.tsv --strict

  # The shop of the repository needs no option to be understood; products are looked at again.
  expect 0 "$any" --data "$source_folder/data/shop/events.csv" --items "$source_folder/data/shop/items.csv" --split users \
    "${tiny[@]}"
  grep -qF 'user: "visit", item: "sku", time: "time" (ISO 8601), kind: "action"; not used: "customer"' err ||
    fail "the columns of the shop should be found"
  grep -qF 'describes 240 of 240 items, and 0 others' err || fail "the table of items should be read"
  grep -qF 'seen items left in' out || fail "repeats should be recommended"

  expect 0 "$any" --data "$source_folder/data/shop/events.csv" --kinds cart,purchase "${tiny[@]}"
  grep -qE 'kinds of events: view [0-9 ]+ \(left out\), cart [0-9 ]+, purchase [0-9 ]+' err || fail "kinds should be counted"
  expect_error 1 'expected events of the kind "sale"' "$any" --data "$source_folder/data/shop/events.csv" --kinds sale --quiet

  # Lists for its visits, by the same options.
  local shop=$source_folder/data/shop
  expect 0 "$any" --data "$shop/events.csv" --user-column customer --items "$shop/items.csv" "${tiny[@]}" --quiet --model shop
  local customer
  customer=$(awk -F, 'NR == 1 {for (k = 1; k <= NF; ++k) if ($k == "customer") c = k} NR == 3 {print $c}' "$shop/events.csv")
  expect 0 "$recommend" --model shop --data "$shop/events.csv" --user-column customer --user "$customer" --top 3
  grep -q "^User $customer had " out || fail 'it should show the history'
  (($(sed '1,/^Recommended/d' out | wc -l) == 3)) || fail 'there should be 3 recommendations'
  expect 0 "$recommend" --model shop --data "$shop/events.csv" --user-column customer --all lists.csv --top 2
  (($(wc -l <lists.csv) > 100)) || fail 'there should be lists for all customers'
  expect_error 2 '--user-column requires --data' "$recommend" --model shop --user-column customer
  expect 0 "$average" --data "$shop/events.csv" --user-column customer shop shop
  grep -q '^average' out || fail 'there should be figures of the average'

  # Lines of a user and items, and MovieLens folders.
  printf '1 10 11 12 13\n2 11 12 13 10\n3 12 13 10 11\n' >lines.txt
  expect 0 "$any" --data lines.txt "${tiny[@]}" --quiet --model lines
  expect 0 "$recommend" --model lines --data lines.txt --user 2
  expect_error 1 'lines.txt: is read as a MovieLens release or lines' "$any" --data lines.txt --kinds view --quiet
  small_data
  expect 0 "$any" --data small "${tiny[@]}" --quiet --model from_folder
  train_small
  cmp from_folder model.safetensors || fail "both trainers should make the same model of a MovieLens folder"
}

fits_80_columns() {
  local program
  for program in train_movielens train update prequential recommend compare_runs average_models train_ratings; do
    expect 0 "$programs/$program" --help
    [[ -s out ]] || fail "$program should print help"
    awk 'length > 80 {exit 1}' out || fail "the help of $program should fit 80 columns"
  done
  script -qec true typescript >/dev/null 2>&1 </dev/null ||
    { echo 'SKIPPED: the table needs the program script, and a system that gives it a terminal'; return; }
  train_small
  TERM=xterm script -qec "stty cols 80; '$train' --data small --evaluate model.safetensors 2>/dev/null" typescript \
    >/dev/null </dev/null
  tr -d '\r' <typescript | grep -v '^Script ' >out
  grep -q '^popularity' out || fail "there should be a table"
  LC_ALL=C.UTF-8 awk 'length > 80 {exit 1}' out || fail "the table should fit 80 columns"
}

reads_compressed_logs() {
  local any=$programs/train log=$source_folder/data/shop/events.csv name
  expect 0 "$any" --data "$log" "${tiny[@]}" --quiet --model plain
  local tried=
  for name in gzip zstd; do
    command -v $name >/dev/null || continue
    $name -c "$log" >events.$name
    "$any" --data events.$name "${tiny[@]}" --quiet --model $name.model >out 2>err
    if grep -q 'was built without' err; then continue; fi
    cmp plain $name.model || fail "a log compressed by $name should give the same model"
    # As long as a block of the decompression.
    (cat "$log"; yes '' | head -c $((1310720 - $(wc -c <"$log")))) | $name -c >whole.$name
    expect 0 "$any" --data whole.$name "${tiny[@]}" --quiet
    head -c 3000 events.$name >cut.$name
    expect_error 1 "cut.$name: not a whole $name file" "$any" --data cut.$name "${tiny[@]}" --quiet
    # The reader stops in the middle of it: a bad line, named by its place in the file.
    (head -n 50 "$log"; echo 'a,b'; yes "$(sed -n 2p "$log")" | head -n 200000) | $name -c >bad.$name
    expect_error 1 "bad.$name:51: expected 5 fields" "$any" --data bad.$name "${tiny[@]}" --quiet
    tried+=" $name"
  done
  [[ $tried ]] || echo 'SKIPPED: needs gzip and zlib, or zstd and libzstd'
}

reads_json_lines() {
  local any=$programs/train shop=$source_folder/data/shop
  # {"who": {"visit": "v1"}, "sku": "Ba1", "action": "view", "time": "2024-…", "tags": ["a", "b"], "none": null}
  awk -F, 'NR == 1 {for (k = 1; k <= NF; ++k) column[$k] = k; next}
    {printf "{\"who\": {\"visit\": \"%s\"}, \"sku\": \"%s\", \"action\": \"%s\", \"time\": \"%s\", \"tags\": [\"a\", \"b\"], \"none\": null}\n",
     $column["visit"], $column["sku"], $column["action"], $column["time"]}' "$shop/events.csv" >events.jsonl
  "$any" --data events.jsonl "${tiny[@]}" --user-column who.visit --model json >out 2>err
  if grep -q 'was built without' err; then echo 'SKIPPED: needs nlohmann/json'; return; fi
  grep -qF 'events.jsonl: lines of JSON; user: "who.visit", item: "sku", time: "time" (ISO 8601), kind: "action"; not used: "tags"' \
    err || fail 'it should say what it takes each name for'
  expect 0 "$any" --data "$shop/events.csv" "${tiny[@]}" --quiet --model plain
  cmp plain json || fail 'lines of JSON should give the same model'
  "$any" --data - --user-column who.visit "${tiny[@]}" --quiet --model piped <events.jsonl || fail 'a pipe should do'
  cmp plain piped || fail 'a pipe should give the same model'
  if command -v gzip >/dev/null; then
    gzip -c events.jsonl >events.gz
    "$any" --data events.gz --user-column who.visit "${tiny[@]}" --quiet --model packed >out 2>err
    grep -q 'was built without' err || cmp plain packed || fail 'compressed lines should give the same model'
  fi

  # Titles and categories of items.
  printf '%s\n' '{"sku": "Ba84000", "title": "A \"light\", bag", "categories": ["Bags", "Light"]}' '' \
    '{"title": "of nothing"}' '{"sku": "other", "price": 3.50}' >items.jsonl
  expect 0 "$any" --data events.jsonl --user-column who.visit "${tiny[@]}" --items items.jsonl --model titled
  grep -qF 'left out: items.jsonl:3: column "sku": expected an item, got nothing' err || fail 'the bad line should be told'
  grep -qF 'items.jsonl: describes 1 of 240 items, and 1 others' err || fail 'items should be described'
  expect 0 "$recommend" --model titled --history Ba84000 --top 1
  grep -qF 'A "light", bag' out || fail 'the title should be shown'

  sed '7s/.*/{"who": 7,/' events.jsonl >bad.jsonl
  expect_error 1 'bad.jsonl:7: expected 5 fields separated by "\t", got 1: "no JSON object: {\"who\": 7,"' \
    "$any" --data bad.jsonl --user-column who.visit "${tiny[@]}" --quiet
  expect 0 "$any" --data bad.jsonl --user-column who.visit "${tiny[@]}" --skip-bad-lines 1
  grep -q '^left out: bad.jsonl:7: ' err || fail 'the line left out should be shown'
  printf '{"oops\n' >worse.jsonl
  expect_error 1 'worse.jsonl:1: expected one JSON object a line, got "{\"oops"' "$any" --data worse.jsonl
}

reads_more_than_items() {
  local any=$programs/train shop=$source_folder/data/shop
  local reads=(--gap-inputs 1 --hour-inputs 1 --kind-inputs 1 --question-time 1)
  expect 0 "$any" --data "$shop/events.csv" --split users "${tiny[@]}" "${reads[@]}" --model model --metrics told.json
  grep -qF '; the model knows when each target happens' out || fail 'the protocol should say that times are known'
  grep -q '^time not known  *0\.' out || fail 'there should be a line of the model that is not told the time'
  grep -qF '"time_not_known"' told.json || fail 'its figures should be in the file'
  expect 0 "$any" --data "$shop/events.csv" --split users --evaluate model --metrics again.json
  [[ $(grep -m 1 '"ndcg@10"' told.json) == $(grep -m 1 '"ndcg@10"' again.json) ]] || fail 'a loaded model should rank as before'
  # The program that lists for one user and the one that lists for all tell the model the same.
  expect 0 "$recommend" --model model --data "$shop/events.csv" --user v1229 --top 1
  local first
  first=$(sed -n 's/^ *1 *\([^ ]*\) .*/\1/p' out)
  expect 0 "$recommend" --model model --data "$shop/events.csv" --all lists.csv --top 1
  grep -qE "^v1229,1,$first," lists.csv || fail "the first item of v1229 should be $first in both lists"
  expect_error 1 'rating_inputs is set, but ' "$any" --data "$shop/events.csv" "${tiny[@]}" --quiet --rating-inputs 1
}

takes_in_new_items() {
  local any=$programs/train add=$programs/add_items shop=$source_folder/data/shop
  expect 0 "$any" --data "$shop/events.csv" --items "$shop/items.csv" "${tiny[@]}" --item-features -1 --model model
  grep -qE '^item vectors are made of [1-9][0-9]* features of items too$' err || fail 'it should say that features are used'
  printf 'sku,title,category\nNew1,Alder Light Bags,Bags\nNew2,Fjäll Plus Boots,Boots\n' >new.csv
  cp model old
  expect 0 "$add" --model model --items new.csv --out new
  grep -qF 'new.csv: 2 items are new' err || fail 'it should say how many are new'
  cmp old model || fail 'the old model should stay'
  expect 0 "$recommend" --model new --history Ba63028,Ba84000 --allow New1,New2
  [[ $(sed -n 's/^ *1 *\([^ ]*\) .*/\1/p' out) == New1 ]] || fail 'after two bags the bag should be first'
  expect 0 "$recommend" --model new --history New1 --top 3
  expect_error 1 'New1' "$recommend" --model model --history New1 --top 3
  printf 'New1\nnobody knows\n' >gone
  expect 0 "$add" --model new --withdraw gone --out new
  grep -qF 'gone: 1 items are listed no more, and 1 are unknown' err || fail 'it should say what is withdrawn'
  expect 0 "$recommend" --model new --history Ba63028,Ba84000 --allow New1,New2
  ! grep -q New1 out || fail 'what is withdrawn should not be listed'
  expect_error 1 'nowhere' "$add" --model new --withdraw nowhere --out other
  [[ ! -e other ]] || fail 'nothing should be written after an error'

  # One object of items and lists is a table of items too.
  printf '{"Ba84000": ["Bags", "Light"],\n "Ba57001": [7, "a|b"], "other": []}' >lists.json
  "$any" --data "$shop/events.csv" --items lists.json "${tiny[@]}" --item-features -1 >out 2>err
  if grep -q 'was built without' err; then return; fi
  grep -qF 'lists.json: describes 2 of 240 items, and 0 others' err || fail 'the lists should be read'
  printf '{"Ba84000": ["Bags", "Light"], "Ba57001": [7], "Ba1": [' >cut.json
  expect_error 1 'expected one JSON object of items and lists' \
    "$any" --data "$shop/events.csv" --items cut.json "${tiny[@]}" --quiet
  # Lines that begin with two lists each are lines all the same.
  printf '{"categories": ["Bags"], "tags": ["x"], "sku": "Ba84000"}\n{"categories": ["Bags"], "tags": [], "sku": "Ba57001"}\n' >lines.json
  expect 0 "$any" --data "$shop/events.csv" --items lines.json "${tiny[@]}"
  grep -qF 'lines.json: describes 2 of 240 items, and 0 others' err || fail 'lines should be read as lines'
  # What is read is not written over.
  expect_error 1 'new.csv' "$add" --model old --items new.csv --out new.csv
  expect_error 1 'nothing to do' "$add" --model old --out other
}

names_columns_without_a_header() {
  local any=$programs/train shop=$source_folder/data/shop
  sed 1d "$shop/events.csv" >bare.csv
  expect 0 "$any" --data "$shop/events.csv" "${tiny[@]}" --quiet --model plain
  expect 0 "$any" --data bare.csv --columns "$(head -n 1 "$shop/events.csv")" "${tiny[@]}" --model named
  grep -qF 'bare.csv: fields separated by commas, without a header; user: "visit", item: "sku"' err ||
    fail 'columns should be found by the names that are given'
  cmp plain named || fail 'the names should stand for the header'
  expect_error 1 'bare.csv:1: expected 2 columns, as many as are named, got 5' "$any" --data bare.csv --columns a,b --quiet
}

# The shop's log in two parts, by time.
two_logs() {
  local log=$source_folder/data/shop/events.csv
  (head -n 1 "$log"; sed 1d "$log" | sort -t, -k1,1 | sed -n '1,6000p') >old.csv
  (head -n 1 "$log"; sed 1d "$log" | sort -t, -k1,1 | sed -n '6001,$p') >new.csv
}

updates_a_model() {
  local any=$programs/train update=$programs/update
  two_logs
  expect 0 "$any" --data old.csv "${tiny[@]}" --memory-sequences 500 --session-knn-weight 0 --quiet --model old
  cp old model
  expect 0 "$update" --model model --data new.csv --output new
  cmp old model || fail 'the old model should stay'
  grep -qE '^new.csv: [0-9 ]+ sequences, 3 893 events of [0-9 ]+ items, [1-9][0-9]* of which are new; .* remembers 500 sequences$' err ||
    fail 'it should say what is new'
  expect 0 "$update" --model model --data new.csv --quiet
  cmp new model || fail 'without --output the model should be replaced'
  [[ ! -s out && ! -s err ]] || fail 'quiet should print nothing'

  # An item that only the new log has is recommended and can stand in a history.
  local item
  item=$(cut -d, -f5 new.csv | sort -u | comm -23 - <(cut -d, -f5 old.csv | sort -u) | head -n 1)
  expect 0 "$recommend" --model new --history "$item" --top 3
  expect_error 1 "$item" "$recommend" --model old --history "$item" --top 3

  # Both on the same log, of which one does not know all items.
  local how=(--data new.csv --split users --quiet)
  expect 0 "$any" "${how[@]}" --evaluate old --ranks old.tsv
  expect 0 "$any" "${how[@]}" --evaluate new --ranks new.tsv
  cut -f 1,2 old.tsv | sed 1d >a; cut -f 1,2 new.tsv | sed 1d >b
  cmp a b || fail 'both should be asked for the same'
  grep -q $'\t-$' old.tsv || fail 'what the old model does not know should be a miss'
  expect 0 "$compare" old.tsv new.tsv
  grep -q '^new.tsv was measured otherwise: ' out || fail 'the numbers of items differ, which should be said'

  # The gate.
  cp old model
  expect 0 "$update" --model model --data new.csv --only-if-better
  grep -q '^updated ' out && grep -q '^before ' out || fail 'both models should be in the table'
  grep -q '^NDCG@10 less that of the model before: ' out || fail 'the difference should be shown'
  cmp new model || fail 'what passes the gate should be the update'
  # A model that has learned the newest sequences before, and nonsense.
  expect 0 "$any" --data new.csv "${tiny[@]}" --epochs 20 --markov-weight 0 --session-knn-weight 0 --quiet --model model
  cp model old
  awk -F, -v OFS=, 'NR > 1 && NR < 3300 {if (!($5 in seen)) {seen[$5]; all[n++] = $5}; $5 = all[NR * NR % n]} {print}' new.csv >noise.csv
  expect 3 "$update" --model model --data noise.csv --only-if-better
  grep -q 'so it is refused and nothing is written' err || fail 'a refusal should be said'
  cmp old model || fail 'a refused update should change nothing'

  expect_error 2 '--data is required' "$update" --model model
  expect_error 1 'none: cannot be read: No such file' "$update" --model none --data new.csv
  expect_error 1 'an input would be overwritten' "$update" --model model --data new.csv --output new.csv
  printf 'visit,sku\nv,Ba84000\n' >one.csv
  expect_error 1 'one.csv: its newest sequences have no event to predict' \
    "$update" --model model --data one.csv --only-if-better --quiet
}

predicts_period_by_period() {
  local run=$programs/prequential shop=$source_folder/data/shop
  expect 0 "$run" "$shop/events.csv" --days 42 --first 2 "${tiny[@]}" --again --metrics figures.json --report page.html
  (($(grep -cE '^[0-9]+ +[0-9]+( +0\.[0-9]{4}){8}$' out) == 3)) || fail 'there should be a line a period'
  grep -qE '^mean +[0-9]+( +0\.[0-9]{4}){8}$' out || fail 'there should be means'
  grep -qF '"again"' figures.json || fail 'there should be figures'
  grep -q '</html>' page.html || fail 'there should be a page'
  two_logs
  expect 0 "$run" old.csv new.csv "${tiny[@]}" --unknown left-out --cutoff 5
  grep -q '^HR@5 and MRR@5 of 1 periods' out || fail 'files should be periods'
  local left_out
  left_out=$(awk '$1 == "mean" {print $2}' out)
  expect 0 "$run" old.csv new.csv "${tiny[@]}" --cutoff 5
  (($(awk '$1 == "mean" {print $2}' out) > left_out)) || fail 'unknown items should be targets unless they are left out'
  expect_error 1 'expected more than 1 periods with events, got 1' "$run" old.csv --quiet
  expect_error 1 'none/old.csv: No such file' "$run" none/old.csv new.csv
  expect_error 1 '--days cuts one log' "$run" old.csv new.csv --days 3 --quiet
}

says_what_is_odd() {
  local any=$programs/train shop=$source_folder/data/shop
  # odd <words expected on standard error> <log>: a log that can be read all the same
  odd() { "$any" --data "$2" "${tiny[@]}" --epochs 1 --split users >out 2>err; grep -qF -- "$1" err || fail "it should say '$1'"; }
  awk -F, -v OFS=, 'NR > 1 {$2 = "v"} {print}' "$shop/events.csv" >one_user.csv
  odd 'one_user.csv: all 9 893 events are of one user, v; is that the column of the users?' one_user.csv
  awk -F, -v OFS=, 'NR > 1 {$5 = "x"} {print}' "$shop/events.csv" >one_item.csv
  odd 'one_item.csv: all 9 893 events are of one item, x; is that the column of the items?' one_item.csv
  awk -F, -v OFS=, 'NR > 1 {$1 = "2024-01-01T00:00:00Z"} {print}' "$shop/events.csv" >one_time.csv
  odd 'one_time.csv: all events have the same time, so they are in the order of the log' one_time.csv
  awk -F, -v OFS=, 'NR > 1 && NR % 10 {$2 = "bot"} {print}' "$shop/events.csv" >bot.csv
  odd 'bot.csv: 90 % of the events are of the user bot' bot.csv
  (head -n 1 "$shop/events.csv"; sed 1d "$shop/events.csv" | tac) >back.csv
  odd 'users go backwards from line to line; their events are sorted by time' back.csv

  # A test log that writes ids in another way.
  printf 'user,item\n%s\n' u{1..9},{7,8,caf\\351} | sed 's/\\351/\xe9/' >latin.csv
  printf 'user,item\n%s\n' v{1..3},{007,8.0,9} >zeros.csv
  printf 'user,item\n%s\n' w{1..3},{7,8,café} >utf8.csv
  "$any" --data latin.csv --test zeros.csv "${tiny[@]}" --epochs 1 >out 2>err
  grep -qF 'zeros.csv: 2 of its 3 unknown items are known in another spelling: "007" is perhaps "7"' err ||
    fail 'another spelling should be told'
  "$any" --data latin.csv --test utf8.csv "${tiny[@]}" --epochs 1 >out 2>err
  grep -qF 'utf8.csv: 1 of its items are unknown only because one of the two logs is written in UTF-8' err ||
    fail 'another encoding should be told'
  expect_error 1 'expected a user column "vist", got the columns' "$any" --data "$shop/events.csv" --user-column vist --quiet
  grep -qF 'did you mean "visit"?' err || fail 'the nearest name should be proposed'
  printf 'sku,title\nx,y\n' >foreign.csv
  expect 0 "$any" --data "$shop/events.csv" "${tiny[@]}" --epochs 1 --items foreign.csv
  grep -qF 'describes 0 of 240 items, and 1 others; is that the column of its items' err || fail 'a foreign table should be told'
  grep -qE '^  NDCG@10 +as HR, but' out || fail 'the figures should be explained'
  grep -qE '^  STAN +' out || fail 'the baselines should be explained'
}

independent_metrics() {
  python3 --version >/dev/null 2>&1 || { echo 'SKIPPED: needs python3'; return; }
  small_data
  expect 0 "$train" --data small "${tiny[@]}" --min-item-count 3 --quiet --metrics metrics.json --lists lists.tsv
  python3 - >figures <<'PYTHON' || fail 'metrics.json should be JSON'
import json
test = json.load(open("metrics.json"))["test"]
print(*(f"{name}={test[name]}" for name in ("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr")))
PYTHON
  # shellcheck disable=SC2046
  python3 "$source_folder/tests/eval/recompute_metrics.py" small/ratings.csv lists.tsv --min-item-count 3 \
    $(cat figures) >out 2>err || fail 'the metrics should agree with an independent script'
}

averages_models() {
  train_small
  local average=("$programs/average_models" --data small)
  expect 0 "$train" --data small "${tiny[@]}" --quiet --seed 2 --model second.safetensors --ranks second.tsv
  # The average of one model is that model, and that of two is neither.
  expect 0 "${average[@]}" second.safetensors --ranks ranks.tsv
  cmp ranks.tsv second.tsv || fail 'the average of one model should rank as the model'
  expect 0 "${average[@]}" model.safetensors second.safetensors --ranks both.tsv
  (($(grep -cE '^(average|model.safetensors|second.safetensors) +0\.[0-9]{4} \[0\.' out) == 3)) ||
    fail 'the table should have three lines'
  ! cmp -s both.tsv second.tsv || fail 'the average of two models should be neither'
  expect 0 "$train" --data small "${tiny[@]}" --quiet --min-item-count 3 --model other.safetensors
  expect_error 1 'other.safetensors: expected the items of model.safetensors, got others' "${average[@]}" \
    model.safetensors other.safetensors
  expect_error 2 'models is required' "${average[@]}"
}

other_splits() {
  small_data
  for split in time users; do
    expect 0 "$train" --data small --split $split "${tiny[@]}" --model $split --metrics $split.json --report $split.html
    "$CMAKE" -Dfile=$split.json -P "$source_folder/tests/examples/check_metrics.cmake" || fail "$split.json"
    cp out table
    expect 0 "$train" --data small --split $split --evaluate $split
    cmp -s table out || fail "the saved model should give the same table, split by $split"
  done
}

report_is_one_safe_page() {
  small_data
  # A title that would run a script if it were not escaped.
  sed -i '2,$s/^\([0-9]*\),[^"].*/\1,"<script>alert(1)<\/script> \& ""x"" (\1)",Drama/' small/movies.csv
  expect 0 "$train" --data small "${tiny[@]}" --quiet --report report.html
  grep -q '&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;' report.html || fail 'titles should be escaped'
  ! grep -qiE '<script|<link|<img|<iframe|@import|url\(|https?:|src=' report.html ||
    fail 'the page should need nothing from elsewhere'
  local tag
  for tag in html head body main div table tbody tr td svg figure article ol ul li details; do
    local opened closed
    opened=$(grep -oE "<$tag[ >]" report.html | wc -l) closed=$(grep -o "</$tag>" report.html | wc -l)
    ((opened > 0 && opened == closed)) || fail "<$tag> is opened $opened times and closed $closed times"
  done
  for words in 'Training loss' 'Validation' 'by length of the history' 'by popularity of the target' 'decayed Markov' \
    'Recommended' 'learning_rate' 'By genre of the target' 'How sure, and how often right'; do
    grep -q "$words" report.html || fail "the report should have: $words"
  done
  (($(grep -c '<article' report.html) == 6)) || fail 'the report should show six users'
  # Nothing but the time may differ from one run to the next.
  expect 0 "$train" --data small "${tiny[@]}" --quiet --report again.html
  diff <(sed '/<h3>Training/,/<\/table>/d' report.html) <(sed '/<h3>Training/,/<\/table>/d' again.html) >out ||
    fail 'the same run should give the same report'
}

ctrl_c() {
  small_data
  set -m  # else bash starts a background program with Ctrl-C ignored
  "$train" --data small "${tiny[@]}" --epochs 1000000 --patience 0 --model model --metrics metrics.json \
    --report report.html >out 2>err &
  local pid=$! waited=0
  until grep -q '^epoch ' err; do
    sleep 0.1
    ((++waited < 600)) || { kill "$pid"; fail 'no epoch ended within a minute'; }
  done
  kill -INT "$pid"
  wait "$pid"
  local code=$?
  ((code == 130)) || fail "exit code $code after Ctrl-C, expected 130"
  grep -q 'stopped by Ctrl-C in epoch' err || fail 'it should say that it was stopped'
  "$CMAKE" -Dfile=metrics.json -P "$source_folder/tests/examples/check_metrics.cmake" || fail 'metrics.json'
  grep -q '"stopped": true' metrics.json || fail 'the metrics should say that training was stopped'
  grep -q 'stopped by Ctrl-C' report.html || fail 'the report should say that training was stopped'
  expect 0 "$recommend" --model model --history 36
}

# started_training <arguments>: starts it in the background, as $pid, and returns when its first epoch has ended.
started_training() {
  set -m  # else bash starts a background program with Ctrl-C ignored
  "$train" --data small "${tiny[@]}" "$@" >out 2>err &
  pid=$!
  local waited=0
  until grep -q '^epoch ' err; do
    sleep 0.1
    ((++waited < 600)) || { kill -KILL "$pid"; fail 'no epoch ended within a minute'; }
  done
}

terminates_and_resumes() {
  small_data
  local training=(--epochs 300 --patience 0 --checkpoint checkpoints --checkpoint-epochs 100 --resume)
  expect 0 "$train" --data small "${tiny[@]}" --epochs 300 --patience 0 --model undisturbed --quiet
  # SIGTERM: what has been learned is saved first, and nothing is evaluated.
  started_training "${training[@]}" --model model --metrics metrics.json
  kill -TERM "$pid"
  local begin=$SECONDS
  wait "$pid"
  local code=$?
  ((code == 143)) || fail "exit code $code after SIGTERM, expected 143"
  ((SECONDS - begin <= 5)) || fail "SIGTERM took $((SECONDS - begin)) s"
  grep -q 'what had been learned by then is written to model' err || fail 'it should say what it has saved'
  [[ ! -e metrics.json ]] || fail 'nothing should have been evaluated'
  expect 0 "$recommend" --model model --history 36
  # Ctrl-C: a checkpoint too, and then the evaluation.
  started_training "${training[@]}" --model model --metrics metrics.json
  kill -INT "$pid"
  wait "$pid"
  code=$?
  ((code == 130)) || fail "exit code $code after Ctrl-C, expected 130"
  [[ -e metrics.json ]] || fail 'it should have been evaluated'
  # SIGKILL.
  started_training "${training[@]}" --model model
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null
  expect 0 "$train" --data small "${tiny[@]}" "${training[@]}" --model model --quiet
  cmp model undisturbed || fail 'a resumed training should end with the same model'
  (($(ls checkpoints | wc -l) == 2)) || fail 'two checkpoints should be kept'

  expect_error 1 'checkpoints: holds checkpoints of an earlier training' "$train" --data small "${tiny[@]}" --epochs 300 \
    --checkpoint checkpoints --quiet
  expect_error 1 'checkpoint of another training: config.epochs: expected "299"' "$train" --data small "${tiny[@]}" \
    --epochs 299 --patience 0 --checkpoint checkpoints --resume --quiet
  expect_error 2 '--resume requires --checkpoint' "$train" --data small --resume
  # The model of all events has a training, and checkpoints, of its own.
  expect 0 "$train" --data small "${tiny[@]}" --checkpoint both --final-model final --quiet
  expect 0 "$train" --data small "${tiny[@]}" --checkpoint both --resume --final-model again --quiet
  cmp final again || fail 'a resumed training should end with the same final model'
  [[ -e both/final ]] || fail 'the final training should have checkpoints of its own'
}

# On a full disk a checkpoint ends the training with one clear error; the checkpoint before is whole, and the model so far
# is saved where there is room.
checkpoints_on_a_full_disk() {
  small_data
  local training=(--data small "${tiny[@]}" --epochs 40 --patience 0 --resume --quiet)
  expect 0 "$train" "${training[@]}" --checkpoint whole --model undisturbed
  local size
  size=$(stat -c %s whole/checkpoint-*.safetensors | sort -n | tail -n 1)
  mkdir disk
  mount -t tmpfs -o size=$((size * 5 / 2)) lstmrec disk 2>/dev/null || { echo 'SKIPPED: needs to mount a small disk'; return; }
  # Two checkpoints fit, and a third beside them does not, though it must before the first of the two may go.
  expect 1 "$train" "${training[@]}" --checkpoint disk/checkpoints --model model
  (($(wc -l <err) == 2)) || fail 'two lines are expected'
  grep -qE 'disk/checkpoints/checkpoint-[0-9]+.safetensors: cannot be written: No space left on device' err ||
    fail 'it should say which checkpoint could not be written, and why'
  expect 0 "$recommend" --model model --history 36
  (($(ls disk/checkpoints | wc -l) == 2)) || fail 'the two checkpoints before should be there'
  mount -o "remount,size=$((size * 10))" disk
  expect 0 "$train" "${training[@]}" --checkpoint disk/checkpoints --model model
  umount disk
  cmp model undisturbed || fail 'it should go on when there is room again'

  if [[ $(id -u) == 0 ]]; then  # root may write to any folder but one on a disk that is mounted for reading
    mount -t tmpfs -o ro lstmrec disk
    expect_error 1 'disk/checkpoints: cannot be made: Read-only file system' "$train" "${training[@]}" \
      --checkpoint disk/checkpoints
    umount disk
  fi
}

# Whichever write, sync or rename fails: one clear error, the file before is whole, and nothing half-written is left.
failing_disk() {
  "${CXX:-c++}" -x c -shared -fPIC -o failing.so "$source_folder/tests/examples/failing_calls.c" -ldl 2>err ||
    { echo 'SKIPPED: needs a C compiler for Linux'; return; }
  small_data
  local training=(--data small "${tiny[@]}" --quiet) call
  expect 0 "$train" "${training[@]}" --checkpoint whole --model undisturbed
  failing() { LD_PRELOAD=$work/failing.so FAILING_CALL=$call FAILING_FOLDER=$folder "$@"; }

  # A checkpoint: of two epochs, each with a write or more, a sync of the file, a rename, and a sync of the folder.
  local folder=checkpoints
  for call in write:1 write:3 fsync:1 fsync:2 fsync:3 rename:1 rename:2; do
    rm -rf checkpoints
    expect 1 failing "$train" "${training[@]}" --checkpoint checkpoints --model model
    grep -qE 'checkpoints/checkpoint-[0-9]+.safetensors: cannot be written: (No space left on device|Input/output error)' err ||
      fail "$call: it should say which file, and why"
    (($(wc -l <err) == 2)) || fail "$call: one line should name the saved model, and one the error"
    compgen -G 'checkpoints/*.partial-*' && fail "$call: nothing half-written should be left"
    expect 0 "$recommend" --model model --history 36
    expect 0 "$train" "${training[@]}" --checkpoint checkpoints --resume --model model
    cmp model undisturbed || fail "$call: it should go on from the checkpoint before"
  done

  # The model itself.
  folder=models
  mkdir models
  for call in write:1 write:2 fsync:1 rename:1; do
    echo before >models/model
    expect_error 1 'models/model: cannot be written: ' failing "$train" "${training[@]}" --model models/model
    [[ $(cat models/model) == before ]] || fail "$call: the file before should be whole"
    [[ $(ls models) == model ]] || fail "$call: nothing else should be left: $(ls models)"
  done
}

progress_on_a_terminal() {
  script -qec true typescript >/dev/null 2>&1 </dev/null ||
    { echo 'SKIPPED: needs the program script, and a system that gives it a terminal'; return; }
  small_data
  TERM=xterm script -qec "stty cols 100; '$train' --data small ${tiny[*]} --epochs 3000 --patience 0 & pid=\$!
    sleep 3; kill -INT \$pid; wait \$pid" typescript >/dev/null </dev/null
  grep -qE $'\repoch +[0-9]+/3000 \\[#*\\.*\\] [0-9]+%  loss [0-9.]+  [0-9 ]+ events/s  ' typescript ||
    { cat -v typescript | tail -n 5; fail 'there should be a bar'; }
}

recommends_to_users() {
  train_small
  expect 0 "$recommend" --model model.safetensors --data small --user 7 --top 3
  grep -qE '^User 7 had [0-9]+ items' out || fail 'it should show the history'
  (($(sed '1,/^Recommended/d' out | wc -l) == 3)) || fail 'there should be 3 recommendations'
  sed '1,/^Recommended/d' out | awk '{print $2}' >items
  expect_error 1 'there is no user 999' "$recommend" --model model.safetensors --data small --user 999

  expect 0 "$recommend" --model model.safetensors --data small --all lists.csv --top 3
  [[ $(head -n 1 lists.csv) == user,rank,item,score,title ]] || fail 'the CSV file should have a header'
  (($(wc -l <lists.csv) == 1 + 3 * 60)) || fail 'the CSV file should have 3 lines a user'
  cmp <(awk -F, '$1 == 7 {print $3}' lists.csv) items || fail 'a user should get the same list both ways'
  awk -F, 'NR == FNR {had[$1 "," $2]; next} FNR > 1 && (($1 "," $3) in had) {exit 1}' small/ratings.csv lists.csv ||
    fail 'items that the user has had should not be recommended'

  # As on a full disk: the file is as it was.
  cp lists.csv before
  expect_error 1 'lists.csv: cannot be written: File too large' bash -c 'trap "" XFSZ; ulimit -f 1; exec "$@"' bash \
    "$recommend" --model model.safetensors --data small --all lists.csv --top 10
  cmp lists.csv before || fail 'what could not be written should be as it was'
}

recommends_after_a_history() {
  train_small
  local run=("$recommend" --model model.safetensors)
  expect 0 "${run[@]}" --history ' 36, 72 ' --top 5
  sed '1,/^Recommended/d' out | awk '{print $2}' >items
  (($(wc -l <items) == 5)) || fail 'there should be 5 recommendations'
  local first third
  first=$(sed -n 1p items) third=$(sed -n 3p items)
  expect 0 "${run[@]}" --history 36,72 --top 5 --block "$first,$third"
  ! sed '1,/^Recommended/d' out | awk '{print $2}' | grep -qxE "$first|$third" || fail '--block should leave items out'
  expect 0 "${run[@]}" --history 36,72 --top 5 --allow "$first,$third"
  [[ $(sed '1,/^Recommended/d' out | awk '{print $2}') == "$first"$'\n'"$third" ]] || fail '--allow should leave two'
  expect 0 "${run[@]}" --history 36,72 --allow 36
  grep -q 'nothing is left' out || fail 'what the user has had should not be recommended'
  expect_error 1 '--allow: expected ids separated by commas, got ""' "${run[@]}" --history 36,72 --allow ''
  expect 0 "${run[@]}" --history 36,72 --allow 36 --seen
  grep -qE '^ +1 +36 ' out || fail '--seen should recommend it again'
  expect_error 1 '--history: the model knows no item 999999' "${run[@]}" --history 36,999999
  expect_error 1 '--history: the model knows no item ann' "${run[@]}" --history ann
  expect_error 1 '--history: the model knows no item 036' "${run[@]}" --history 036
  expect 0 "${run[@]}" --history 36,72 --top 5 --allow "$first,999999,ann" --block 888888
  [[ $(sed '1,/^Recommended/d' out | awk '{print $2}') == "$first" ]] || fail 'unknown ids should be left out'
  grep -qF "left out 3 items that the model doesn't know, first 999999" err || fail 'unknown ids should be told'
  expect_error 1 '--history: expected ids separated by commas, got "36,,72"' "${run[@]}" --history 36,,72
}

recommends_interactively() {
  train_small
  # A title, the first match, an id, that item, one back, something unknown, a number without a list, the end.
  printf 'KITE\n1\n36\n1\nundo\nno such title\n1000000\nundo\nundo\n' |
    "$recommend" --model model.safetensors --top 4 >out 2>err || fail 'exit code'
  [[ ! -s err ]] || fail 'standard error should be empty'
  (($(grep -c '^Popular:' out) == 2 && $(grep -c '^Recommended:' out) == 3)) || fail 'the list should be shown five times'
  grep -q '(new)' out || fail 'the list should say what is new in it'
  (($(grep -c '^You had ' out) == 2 && $(grep -c '^Taken back: ' out) == 2)) || fail 'two items should come and go'
  (($(grep -c 'No title has' out) == 2)) || fail 'it should say what it has not found'
  grep -q 'There is nothing to take back' out || fail 'it should say that nothing is left to take back'
}

predicts_ratings() {
  small_data
  local rate=("$programs/train_ratings" --data small --epochs 2 --hidden-size 8)
  for form in history textbook; do
    expect 0 "${rate[@]}" --form $form --user 1 --top 3 --model model --metrics metrics.json
    (($(grep -cE '^  [0-9]\.[0-9]{2}  .*\)$' out) == 3)) || fail 'three titles with their predicted ratings'
    grep -qE '^user \+ item bias +[01]\.' out || fail 'a table with the baselines'
    for key in rmse mae mean bias seconds config version compiler; do
      grep -q "\"$key\"" metrics.json || fail "metrics.json should have $key"
    done
    [[ -s model ]] || fail 'there should be a model'
  done
  awk -F, 'NR == 1 || NR % 10 == 0' small/ratings.csv >fold.csv
  expect 0 "${rate[@]}" --test-fold fold.csv fold.csv
  grep -q '^fold.csv: RMSE' out || fail 'a line a fold'
  expect 0 "${rate[@]}" --split time
  expect 0 "${rate[@]}" --neighbours-weight 0.5 --metrics metrics.json
  for row in 'LSTM [+] neighbours' 'history LSTM' neighbours; do
    grep -qE "^$row +[01]\." out || fail "there should be a line of $row"
  done
  grep -q '"neighbours_weights": \[0.5\]' metrics.json || fail 'metrics.json should have the weight'
  grep -q '"lstm_alone"' metrics.json || fail 'metrics.json should have the LSTM alone'
  expect 0 "${rate[@]}" --neighbours-weight 0
  ! grep -q '^LSTM + neighbours' out || fail 'the LSTM alone should not pass for more'
  expect_error 1 'there is no user 999' "${rate[@]}" --user 999  # one line: before any epoch
  local several='--model and --user go with one --test-fold: each of several gives a model of its own'
  expect_error 1 "$several" "${rate[@]}" --test-fold fold.csv fold.csv --model several
  expect_error 1 "$several" "${rate[@]}" --test-fold fold.csv fold.csv --user 1
  expect 0 "${rate[@]}" --quiet --test-fold fold.csv --model one
  head -n 5 small/ratings.csv >few.csv
  for form in history textbook; do
    expect_error 1 'few.csv: 4 ratings are too few for a test part' "$programs/train_ratings" --data few.csv \
      --form $form
  done
  expect_error 1 '--raw-inputs goes with --form textbook' "${rate[@]}" --raw-inputs
  expect_error 1 '--neighbours-weight goes with --form history' "${rate[@]}" --form textbook --neighbours-weight 1
  expect_error 1 'cannot be written' "${rate[@]}" --model no/such/folder/model
  expect_error 2 '--form' "${rate[@]}" --form best
  printf '1 2 3 4 5\n' >sequences.txt
  expect_error 1 'needs ratings' "$programs/train_ratings" --data sequences.txt
}

compares_runs() {
  small_data
  local seed figures='s/  */ /g'
  for seed in 1 2 3; do
    expect 0 "$train" --data small "${tiny[@]}" --seed $seed --ranks $seed.tsv --model model$seed
    grep '^lstmrec ' out | sed "$figures" | cut -d ' ' -f 2-10 >row$seed
  done
  [[ $(head -n 1 1.tsv) == '# ranks: '*' items, 60 users, leave-one-out '*'; seen items left out, '* ]] ||
    fail 'a header should say what was ranked'
  (($(grep -cE $'^[0-9]+\t[0-9]+\t[1-9][0-9]*$' 1.tsv) == 60)) || fail 'there should be a line a target'
  expect 0 "$train" --data small --evaluate model1 --ranks again.tsv
  cmp 1.tsv again.tsv || fail 'the saved model should give the same ranks'

  # The figures of train_movielens with their intervals, and the difference from the first.
  expect 0 "$compare" 1.tsv 2.tsv 3.tsv
  [[ "# ranks: $(head -n 1 out)" == "$(head -n 1 1.tsv)" ]] || fail 'the table should say what was ranked'
  for seed in 1 2 3; do
    [[ $(grep -m 1 "^$seed.tsv " out | sed "$figures" | cut -d ' ' -f 2-10) == "$(cat row$seed)" ]] ||
      fail "the figures should be those of train_movielens: $(cat row$seed)"
  done
  local ndcg='function ndcg(rank) { return rank > 10 ? 0 : log(2) / log(rank + 1) }' expected
  expected=$(paste 1.tsv 2.tsv | awk -F '\t' "$ndcg"'NR > 1 {sum += ndcg($6) - ndcg($3)} END {printf "%.4f", sum / 60}')
  sed '1,/^NDCG@10 minus that of 1.tsv$/d' out | grep -qE "^2.tsv +$expected \[.*\]  p = [01]\.[0-9]{3}$" ||
    fail "the difference should be $expected"

  # Commas join the seeds of a configuration: their mean, and the least and the greatest figure.
  expected=$(paste 1.tsv 2.tsv | awk -F '\t' "$ndcg"'NR > 1 {a += ndcg($3) / 60; b += ndcg($6) / 60} END {
    printf "%.4f \\[.*  2 runs, NDCG %.4f to %.4f", (a + b) / 2, a < b ? a : b, a < b ? b : a}')
  expect 0 "$compare" 1.tsv,2.tsv 3.tsv 3.tsv,3.tsv
  grep -qE "^1.tsv,2.tsv +0\.[0-9]{4} \[.*\] +$expected$" out || fail "seeds should give mean and spread: $expected"
  [[ $(grep '^3.tsv ' out | sed "$figures" | cut -d ' ' -f 2-10) == \
    "$(grep '^3.tsv,3.tsv ' out | sed "$figures" | cut -d ' ' -f 2-10)" ]] || fail 'a run twice should be that run'
  expect 0 "$compare" 1.tsv
  ! grep -q 'minus' out || fail 'a run alone should be compared with nothing'

  # What a file says can't play tricks on a terminal.
  sed $'1s/.*/# ranks: \033[2Jgone/' 1.tsv >tricks
  expect 0 "$compare" tricks
  [[ $(head -n 1 out) == ' [2Jgone' ]] || fail 'control characters should not be printed'

  # A difference that all users share, and none.
  awk -F '\t' -v OFS='\t' 'NR > 1 {$3 = 1} {print}' 1.tsv >best
  awk -F '\t' -v OFS='\t' 'NR > 1 {$3 = 11} {print}' 1.tsv >worst
  expect 0 "$compare" worst best worst
  grep -qE '^best +1\.0000  p <= 0\.002$' out || fail 'the difference should be certain'
  grep -qE '^worst +0\.0000  p = 1\.000$' out || fail 'there should be no difference'
}

compares_only_what_is_comparable() {
  local header='# ranks: 9 items, 2 users, by time' users
  printf -v users '%s\n' "$header" $'1\t5\t1' $'1\t6\t2' $'2\t5\t3'
  # bad <words expected> <contents, with printf's escapes>
  bad() {
    printf '%s' "$users" >good
    printf "$2" >bad
    expect_error 1 "$1" "$compare" good bad
  }
  bad 'bad:1: expected a file that train_movielens --ranks has written, got ""' ''
  bad 'bad:1: expected a file that train_movielens --ranks has written, got "1\t5\t1"' '1\t5\t1\n'
  bad 'bad:2: expected user, item and rank separated by tabs, got "1\t5"' "$header\n1\t5\n"
  bad 'bad:3: expected "1\t6", as in good, got "1\t7"' "$header\n1\t5\t1\n1\t7\t2\n"
  bad 'bad:4: expected "2\t5", as in good, got the end of the file' "$header\n1\t5\t1\n1\t6\t2\n"
  bad 'bad:5: expected the end of the file, as in good, got "2\t6"' "${users}2\t6\t4\n"
  bad 'bad:2: expected a rank from 1 to 4294967295, got "0"' "$header\n1\t5\t0\n"
  bad 'bad:2: expected a rank from 1 to 4294967295, got "4294967296"' "$header\n1\t5\t4294967296\n"
  bad 'bad:2: expected an integer as rank, got "first"' "$header\n1\t5\tfirst\n"
  printf '# ranks: 8 items, 2 users, by time\n1\t5\t-\n1\t6\t2\n2\t5\t3\n' >other
  expect 0 "$compare" good other
  [[ $(sed -n 2p out) == 'other was measured otherwise: 8 items, 2 users, by time' ]] ||
    fail 'runs of other items should be compared, and that said'
  printf '%s\n' "$header" >bad
  expect_error 1 'bad:2: expected ranks, got a header only' "$compare" bad
  expect_error 1 'none: No such file or directory' "$compare" good none
  expect_error 1 'expected files separated by commas, got "good,,good"' "$compare" good,,good
  expect_error 2 'runs is required' "$compare"
}

serves_out_of_sqlite() {
  [[ -x $programs/from_sqlite ]] || { echo 'SKIPPED: needs SQLite'; return; }
  python3 - "$source_folder/data/shop/events.csv" <<'PYTHON' || { echo 'SKIPPED: needs python3 with sqlite3'; return; }
import calendar, csv, sqlite3, sys, time
rows = [(r["customer"], r["sku"], calendar.timegm(time.strptime(r["time"], "%Y-%m-%dT%H:%M:%SZ")))
        for r in csv.DictReader(open(sys.argv[1]))][:3000]
database = sqlite3.connect("shop.db")
database.execute("CREATE TABLE events (user, item, time INTEGER)")
database.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
database.commit()
PYTHON
  expect 0 "$programs/from_sqlite" shop.db
  grep -qE '^lists of [0-9]+ users written$' out || fail 'it should say what it has written'
  python3 - <<'PYTHON' || fail 'there should be ten places for every user'
import sqlite3
rows = sqlite3.connect("shop.db").execute(
    "SELECT user, COUNT(*), COUNT(DISTINCT item), MAX(place) FROM recommendations GROUP BY user").fetchall()
users = sqlite3.connect("shop.db").execute("SELECT COUNT(DISTINCT user) FROM events").fetchone()[0]
assert len(rows) == users and all(row[1:] == (10, 10, 10) for row in rows)
PYTHON
  expect_error 1 'from_sqlite: unable to open database file' "$programs/from_sqlite" none.db
  : >empty.db
  expect_error 1 'from_sqlite: no such table: events' "$programs/from_sqlite" empty.db
}

small_programs() {
  ln -s "$source_folder/data" data
  expect 0 "$programs/embedded_cell"
  grep -q 'after 100 steps h = -*0\.' out || fail 'embedded_cell should print its state'
  expect 0 "$programs/own_loss"
  (($(grep -cE '^(softmax|pairwise) +0\.' out) == 2)) || fail 'own_loss should print two lines of figures'
  expect 0 "$recommend" --model own_loss.safetensors --history 297,36,72
  expect 0 "$programs/own_block"
  [[ -s own_block.safetensors ]] || fail 'own_block should save its model'
  expect_error 1 'own_block.safetensors: ' "$recommend" --model own_block.safetensors --history 36
  awk '/^```cpp/ { inside = 1; next } /^```/ && inside { exit } inside' "$source_folder/README.md" >readme.cpp
  diff readme.cpp "$source_folder/examples/quickstart.cpp" || fail "the README's program should be examples/quickstart.cpp"
  # Its other programs compile: in one file, so that the library is read once.
  awk '/^```cpp/ { inside = 1; next } /^```/ { inside = 0 }
    inside { if (/^int main/) sub(/main/, "main_" ++n); print }' "$source_folder/README.md" >readme_programs.cpp
  expect 0 "${CXX:-c++}" -std=c++20 -fsyntax-only -DLSTMREC_COMPILED -I "$source_folder/include" -isystem "$EIGEN" readme_programs.cpp
  expect 0 "$programs/quickstart"
  (($(grep -c '([0-9]\{4\})$' out) == 10)) || fail 'quickstart should print ten titles'
  expect 0 "$recommend" --model model.safetensors --history 297,36,72
}

"$1"
