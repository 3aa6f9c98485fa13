#!/usr/bin/env bash
# Fails if the stripped binary, with the Swift runtime inside, is larger than promised.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=${1:-.build/release/gateway-agent}
readonly limit=18000000
[[ -f $binary ]] || { echo "$binary: not built" >&2; exit 2; }
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$binary"
size=$(stat --format=%s "$stripped")
echo "stripped: $size bytes (limit $limit)"
((size <= limit))
