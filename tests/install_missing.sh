# Sourced by tests/run.sh and examples/quickstart.sh.

# install_missing <package or command:package>... installs through apt what is not there: as root, else through sudo,
# else it names the command and ends the script. Where there is no apt it only says what is needed.
install_missing() {
  local missing=() entry package
  for entry in "$@"; do
    package=${entry#*:}
    if [[ $entry == *:* ]] && command -v "${entry%%:*}" >/dev/null; then continue; fi
    if [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == "install ok installed" ]]; then continue; fi
    missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here. Needed, by their names in Debian: ${missing[*]}; going on with what there is." >&2
    return 0
  fi

  local as_root=()
  if ((EUID != 0)); then
    # Without a terminal sudo could not ask for the password.
    if ! command -v sudo >/dev/null || { [[ -n ${CI:-} || ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      echo "Missing: ${missing[*]}. Have them installed with:" >&2
      echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo)
  fi
  echo "Installing through apt: ${missing[*]}"
  if ! "${as_root[@]}" apt-get -qq update ||
    ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
      install --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "apt-get could not install them. With a network, or on another Debian mirror, try:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
}
