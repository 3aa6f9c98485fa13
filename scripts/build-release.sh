#!/usr/bin/env bash
# Builds the binary that is installed, measured and shown: release, Swift runtime linked statically.
# One place holds the flags, so that every script uses the same build and none builds it twice.
#
# The GNU linker, because it can pack relative relocations (DT_RELR; glibc 2.36, Debian 12): that
# makes the binary one megabyte smaller.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/require-swift.sh
exec swift build -c release --static-swift-stdlib --product gateway-agent \
  -Xswiftc -use-ld=bfd -Xlinker -z -Xlinker pack-relative-relocs
