#!/usr/bin/env bash
# Builds the binary that is installed, measured and shown: release, Swift runtime linked statically.
# One place holds the flags, so that every script uses the same build and none builds it twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/require-swift.sh
exec swift build -c release --static-swift-stdlib --product gateway-agent
