#!/usr/bin/env bash
# Downloads real MovieLens releases from GroupLens, checks and unpacks them.
# Usage: data/download.sh [--to FOLDER] NAME...
#
#   NAME         ml-100k, ml-1m, ml-10m, ml-20m, ml-25m, ml-32m or ml-latest-small; becomes FOLDER/NAME
#   --to FOLDER  where to put them (default: data)
#
# An interrupted download goes on where it stopped. Each archive is checked against the .md5 that the publisher puts
# beside it. Without a network, bring NAME.zip and NAME.zip.md5 into FOLDER by other means and run this again.
# LSTMREC_DOWNLOAD_BASE replaces the publisher's address, for a mirror.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${LSTMREC_DOWNLOAD_BASE:-https://files.grouplens.org/datasets/movielens}
to=$here
names=()

fail() {
  echo "download.sh: $*" >&2
  exit 1
}

usage() { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$here/download.sh"; }

while (($#)); do
  case $1 in
    --to)
      (($# > 1)) || fail "--to needs a folder"
      to=$2
      shift
      ;;
    -h | --help)
      usage
      exit
      ;;
    ml-100k | ml-1m | ml-10m | ml-20m | ml-25m | ml-32m | ml-latest-small) names+=("$1") ;;
    *) fail "there is no release '$1'; known: ml-100k ml-1m ml-10m ml-20m ml-25m ml-32m ml-latest-small" ;;
  esac
  shift
done
if ((${#names[@]} == 0)); then
  usage >&2
  exit 1
fi

if ! command -v curl >/dev/null && ! command -v wget >/dev/null; then
  source "$here/../tests/install_missing.sh"
  install_missing curl ca-certificates
fi

# get URL FILE: goes on with FILE where it ends.
get() {
  if command -v curl >/dev/null; then
    local status=0
    curl --fail --location --retry 3 --silent --show-error --continue-at - --output "$2" "$1" || status=$?
    if ((status == 33)); then  # the server can't resume
      rm -f "$2"
      status=0
      curl --fail --location --retry 3 --silent --show-error --output "$2" "$1" || status=$?
    fi
    return $status
  fi
  wget --tries 3 --no-verbose --continue --output-document "$2" "$1"
}

without_network() {
  if [[ ! -s $part ]]; then rm -f "$part"; fi
  fail "$1
Is there a network? If not, take these two files from another machine and put them into $to:
  $base/$2.zip
  $base/$2.zip.md5
then run this again; it checks and unpacks what is there."
}

sum_of() { md5sum "$1" | cut -d ' ' -f 1; }

unpack() {
  if command -v unzip >/dev/null; then
    unzip -q "$1" -d "$2"
  elif command -v python3 >/dev/null; then
    python3 -m zipfile -e "$1" "$2"
  elif command -v cmake >/dev/null; then
    (cd "$2" && cmake -E tar xf "$1")
  else
    fail "unpacking needs unzip, python3 or cmake: apt-get install unzip"
  fi
}

mkdir -p "$to"
to=$(cd "$to" && pwd)
for name in "${names[@]}"; do
  if [[ -e $to/$name ]]; then
    echo "$to/$name is there already"
    continue
  fi
  archive=$to/$name.zip part=$to/$name.zip.part

  # The publisher's line is either "MD5 (ml-1m.zip) = <sum>" or "<sum>  ml-1m.zip".
  sum=
  if [[ ! -e $archive.md5 ]]; then
    rm -f "$archive.md5.part"
    if get "$base/$name.zip.md5" "$archive.md5.part"; then
      mv "$archive.md5.part" "$archive.md5"
    else
      rm -f "$archive.md5.part"
      # The releases named 'latest' change, and may have none.
      if [[ $name != ml-latest* ]]; then without_network "could not get $base/$name.zip.md5" "$name"; fi
      echo "There is no checksum for $name: only the archive's own checks are made"
    fi
  fi
  if [[ -e $archive.md5 ]]; then
    sum=$(grep -oiE '\b[0-9a-f]{32}\b' "$archive.md5" | head -n 1 | tr A-F a-f) || true
    if [[ -z $sum ]]; then
      rm -f "$archive.md5"
      fail "$base/$name.zip.md5 holds no MD5 sum"
    fi
  fi

  if [[ ! -e $archive ]]; then
    if [[ -z $sum || ! -e $part || $(sum_of "$part") != "$sum" ]]; then
      echo "Downloading $base/$name.zip"
      get "$base/$name.zip" "$part" || without_network "could not get $base/$name.zip (what came is kept)" "$name"
    fi
    mv "$part" "$archive"
  fi
  if [[ -n $sum && $(sum_of "$archive") != "$sum" ]]; then
    found=$(sum_of "$archive")
    rm -f "$archive" "$archive.md5"
    fail "$name.zip is damaged: its MD5 sum is $found, the publisher's $sum. It is deleted; run this again."
  fi

  unpacked=$to/$name.unpacked
  rm -rf "$unpacked"
  mkdir "$unpacked"
  unpack "$archive" "$unpacked" || fail "$archive could not be unpacked; delete it and run this again"
  # One folder, not always with the archive's name: ml-10m.zip holds ml-10M100K.
  folders=("$unpacked"/*/)
  [[ ${#folders[@]} -eq 1 && -d ${folders[0]} ]] || fail "$archive does not hold one folder"
  mv "${folders[0]}" "$to/$name"
  rm -rf "$unpacked" "$archive" "$archive.md5"
  echo "$to/$name: checked and unpacked. GroupLens' conditions of use are in its README."
done
