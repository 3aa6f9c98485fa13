#!/usr/bin/env bash
# Builds the binary that is installed, measured and shown: release, Swift runtime linked statically.
# One place holds the flags, so that every script uses the same build and none builds it twice.
#
# Cross-module optimisation: without it the decoder is not made for its sink and its cipher, and takes
# half as long again. Against size: the GNU linker, because it can pack relative relocations (DT_RELR;
# glibc 2.36, Debian 12), one megabyte; nothing exported, half a megabyte; no unwind tables of Swift
# code, two megabytes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/require-swift.sh
exec swift build -c release --static-swift-stdlib --product gateway-agent \
  -Xswiftc -cross-module-optimization -Xswiftc -use-ld=bfd -Xlinker -z -Xlinker pack-relative-relocs \
  -Xlinker --no-export-dynamic -Xlinker -T -Xlinker "$PWD/scripts/no-unwind-tables.ld"
