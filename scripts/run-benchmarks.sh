#!/usr/bin/env bash
# Runs the benchmarks: `full` by name, `smoke` in every check, so that they do not rot. `full` also
# writes docs/benchmarks.md, the comparison with other decoders. No time fails it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
size=${1:-full}
flags=() compare_flags=(--write)
case $size in
full) ;;
smoke) flags=(--smoke) compare_flags=(--smoke) ;;
*)
  echo "run-benchmarks.sh: '$size' is neither full nor smoke" >&2
  exit 2
  ;;
esac
export GATEWAY_AGENT="${GATEWAY_AGENT:-$PWD/.build/release/gateway-agent}"
export PYTHONDONTWRITEBYTECODE=1

# With the flag of scripts/build-release.sh that decides how fast the agent decodes.
swift build -c release --package-path Benchmarks --product throughput \
  -Xswiftc -cross-module-optimization
THROUGHPUT=$(swift build -c release --package-path Benchmarks --show-bin-path)/throughput
export THROUGHPUT
"$THROUGHPUT" "${flags[@]}"
python=.venv/bin/python
[[ -x $python ]] || python=python3
"$python" Benchmarks/compare.py "${compare_flags[@]}"
python3 Benchmarks/latency.py "${flags[@]}"
python3 Benchmarks/modbus.py "${flags[@]}"
