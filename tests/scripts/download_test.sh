#!/usr/bin/env bash
# Tests data/download.sh against a folder that stands for the publisher. Usage: download_test.sh DOWNLOAD_SH CMAKE
set -euo pipefail
download=$1 cmake=$2

if ! command -v curl >/dev/null; then
  echo "SKIPPED: needs curl, which reads file:// addresses"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/site"
export LSTMREC_DOWNLOAD_BASE=file://$work/site

check() {
  if ! "${@:2}"; then
    echo "FAILED: $1" >&2
    cat "$work/log" >&2
    exit 1
  fi
}
run() { "$download" --to "$work/to" "$@" >"$work/log" 2>&1; }
fails() { ! run "$@"; }
says() { grep -q -- "$1" "$work/log"; }
sum() { md5sum "$1" | cut -d ' ' -f 1; }

# release FOLDER ARCHIVE puts an archive on the site.
release() {
  mkdir -p "$work/make/$1"
  seq 20000 >"$work/make/$1/ratings.dat"
  (cd "$work/make" && "$cmake" -E tar cf "$work/site/$2.zip" --format=zip "$1")
}
release ml-1m ml-1m
echo "MD5 (ml-1m.zip) = $(sum "$work/site/ml-1m.zip")" >"$work/site/ml-1m.zip.md5"
release ml-10M100K ml-10m
echo "$(sum "$work/site/ml-10m.zip")  ml-10m.zip" >"$work/site/ml-10m.zip.md5"
release ml-latest-small ml-latest-small
release ml-20m ml-20m
echo "MD5 (ml-20m.zip) = 00000000000000000000000000000000" >"$work/site/ml-20m.zip.md5"

check "an unknown name is refused" fails ml-2m
check "and said" says "no release 'ml-2m'"

check "a release with a sum in the publisher's first form" run ml-1m
check "unpacked" cmp -s "$work/make/ml-1m/ratings.dat" "$work/to/ml-1m/ratings.dat"
check "nothing else is left" test "$(ls "$work/to")" = ml-1m
check "a second time" run ml-1m
check "does nothing" says "there already"

check "a sum in the second form, a folder of another name" run ml-10m
check "takes the archive's name" test -f "$work/to/ml-10m/ratings.dat"

check "a release without a sum" run ml-latest-small
check "says so" says "no checksum"

check "a wrong sum fails" fails ml-20m
check "says what is wrong" says "is damaged"
check "and leaves nothing" test ! -e "$work/to/ml-20m" -a ! -e "$work/to/ml-20m.zip" -a ! -e "$work/to/ml-20m.zip.part"

rm -r "$work/to/ml-1m"
head -c 1000 "$work/site/ml-1m.zip" >"$work/to/ml-1m.zip.part"
check "an interrupted download goes on" run ml-1m
check "and is whole" cmp -s "$work/make/ml-1m/ratings.dat" "$work/to/ml-1m/ratings.dat"

rm -r "$work/to/ml-1m"
cp "$work/site/ml-1m.zip" "$work/to/ml-1m.zip.part"
check "a download interrupted after its end" run ml-1m

rm -r "$work/to/ml-1m"
cp "$work/site/ml-1m.zip" "$work/site/ml-1m.zip.md5" "$work/to/"
rm -r "$work/site"
check "files brought by other means need no network" run ml-1m
rm -r "$work/to/ml-1m"
check "without a network it fails" fails ml-1m
check "and says what to do" says "from another machine"
check "and leaves nothing" test "$(ls "$work/to")" = "$(printf 'ml-10m\nml-latest-small')"
echo "all checks passed"
