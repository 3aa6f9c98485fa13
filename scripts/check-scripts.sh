#!/usr/bin/env bash
# Fails on a script that its interpreter cannot read or that nobody may execute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=0
while IFS= read -r file; do
  if ! bash -n "$file"; then bad=$((bad + 1)); fi
  if [[ ! -x $file ]]; then
    echo "$file: not executable" >&2
    bad=$((bad + 1))
  fi
done < <(find scripts .ci -type f \( -name '*.sh' -o -name run \))
while IFS= read -r file; do
  # Compiled in memory: no __pycache__ is left in the checkout.
  if ! python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file"; then
    bad=$((bad + 1))
  fi
done < <(find scripts Tests Benchmarks -type f -name '*.py' -not -path '*/.build/*')
((bad == 0))
