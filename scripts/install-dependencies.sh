#!/usr/bin/env bash
# Installs what is missing, and nothing that is there.
#
#   scripts/install-dependencies.sh build          what building needs
#   scripts/install-dependencies.sh build demo     and what `make demo` needs
#   scripts/install-dependencies.sh build demo check   and what `make test` needs
#
# Debian packages come through apt-get (as root, or through sudo). Python packages, for the checks
# only, go into .venv inside this checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=()
python=false
for set_name in "$@"; do
  case $set_name in
  build)
    scripts/require-swift.sh
    packages+=(libmosquitto-dev libsqlite3-dev libssl-dev libmodbus-dev pkg-config binutils)
    ;;
  demo) packages+=(mosquitto) ;;
  check)
    # systemd brings systemd-analyze, which judges the unit file without a running systemd.
    # openssl makes the throw-away certificates of the TLS tests.
    # qemu-user runs the decoder compiled for 64-bit ARM; libsml is a peer of the benchmarks.
    packages+=(systemd openssl qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross libsml-dev)
    python=true
    ;;
  *)
    echo "install-dependencies.sh: unknown set '$set_name' (build, demo, check)" >&2
    exit 2
    ;;
  esac
done

is_installed() {
  [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]] ||
    # A virtual package, such as pkg-config where pkgconf provides it.
    { [[ $1 == pkg-config ]] && command -v pkg-config >/dev/null; }
}

install_packages() {
  local runner=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages: $*" >&2
      echo "Install them as root: apt-get install $*" >&2
      exit 2
    fi
    runner=(sudo)
  fi
  echo "Installing: $*"
  "${runner[@]}" apt-get update -qq
  "${runner[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

require_packages() {
  local missing=() name
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    echo "This is no Debian-like system (no apt-get). Install what these packages hold:" >&2
    echo "  ${missing[*]}" >&2
    exit 2
  fi
  install_packages "${missing[@]}"
}

require_packages "${packages[@]}"

if $python; then
  command -v python3 >/dev/null || require_packages python3
  python3 -c 'import venv, ensurepip' 2>/dev/null || require_packages python3-venv
  stamp=.venv/requirements.installed
  if ! cmp -s scripts/requirements.txt "$stamp"; then
    echo "Installing the checks' Python packages into .venv"
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
    cp scripts/requirements.txt "$stamp"
  fi
fi
