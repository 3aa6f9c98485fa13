#!/usr/bin/env bash
# Says whether a Swift toolchain is there that can build this package, and which.
set -euo pipefail

readonly least_major=6 least_minor=3

if ! command -v swift >/dev/null; then
  cat >&2 <<'TEXT'
No Swift toolchain was found: `swift` is not on PATH.
Install Swift 6.3 or later (https://www.swift.org/install/linux/), for example with swiftly:
  swiftly install 6.3.1
and open a new shell.
TEXT
  exit 2
fi

text=$(swift --version 2>/dev/null || true)
if [[ ! $text =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]]; then
  echo "\`swift --version\` ($(command -v swift)) did not name a version; is it the Swift compiler?" >&2
  exit 2
fi
major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
if ((major < least_major || (major == least_major && minor < least_minor))); then
  echo "Swift $major.$minor ($(command -v swift)) is too old: this package needs" \
    "$least_major.$least_minor or later." >&2
  exit 2
fi
