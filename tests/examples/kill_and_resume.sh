#!/usr/bin/env bash
# kill_and_resume.sh <folder of the built examples> [kills] [threads]: kills short trainings with SIGKILL at random
# moments and resumes them, until that many kills are survived. Every training must end with the bytes of one that was
# never killed. Both trainers take turns. Prints how many kills met a checkpoint that was being written.
set -euo pipefail
programs=$(cd "$1" && pwd)
kills=${2:-200} threads=${3:-2}
sample=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../data/sample" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
RANDOM=${SEED:-1}

movielens=("$programs/train_movielens" --data "$sample" --preset quick --embedding-size 32 --hidden-size 32 --epochs 4
  --batch-size 16 --threads "$threads" --quiet)
ratings=("$programs/train_ratings" --data "$sample" --epochs 8 --threads "$threads" --quiet)

microseconds() { date +%s%6N; }

trainings=0 survived=0 while_writing=0
declare -A time_of
for trainer in movielens ratings; do
  declare -n command=$trainer
  begin=$(microseconds)
  "${command[@]}" --model "$trainer.undisturbed"
  time_of[$trainer]=$(($(microseconds) - begin))
done
while ((survived < kills)); do
  trainer=$([[ $((trainings % 2)) == 0 ]] && echo movielens || echo ratings)
  declare -n command=$trainer
  rm -rf checkpoints model
  while true; do
    "${command[@]}" --model model --checkpoint checkpoints --checkpoint-minutes 0 --resume &
    program=$!
    # Up to the time of a whole training, so that some runs end on their own.
    delay=$(((RANDOM * 32768 + RANDOM) % time_of[$trainer]))
    sleep "$((delay / 1000000)).$(printf %06d $((delay % 1000000)))"
    kill -KILL "$program" 2>/dev/null || true
    code=0
    wait "$program" 2>/dev/null || code=$?
    if ((code == 0)); then break; fi
    if ((code != 137)); then echo "exit code $code"; exit 1; fi
    survived=$((survived + 1))
    if compgen -G "checkpoints/*.partial-*" >/dev/null || compgen -G "checkpoints/refit/*.partial-*" >/dev/null; then
      while_writing=$((while_writing + 1))
    fi
  done
  cmp model "$trainer.undisturbed"
  trainings=$((trainings + 1))
done
echo "$trainings trainings, $survived kills survived, $while_writing of them while a checkpoint was written, threads: $threads"
