#!/usr/bin/env bash
# Runs the benchmarks: `full` by name, `smoke` in every check, so that they do not rot.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
size=${1:-full}
flags=()
case $size in
full) ;;
smoke) flags=(--smoke) ;;
*)
  echo "run-benchmarks.sh: '$size' is neither full nor smoke" >&2
  exit 2
  ;;
esac
export GATEWAY_AGENT="${GATEWAY_AGENT:-$PWD/.build/release/gateway-agent}"
export PYTHONDONTWRITEBYTECODE=1

swift build -c release --package-path Benchmarks --product throughput
"$(swift build -c release --package-path Benchmarks --show-bin-path)/throughput" "${flags[@]}"
python3 Benchmarks/latency.py "${flags[@]}"
