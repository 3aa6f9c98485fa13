#!/usr/bin/env bash
# Runs the end-to-end suites, Tests/EndToEnd/*.py, one after the other: they measure and must not
# disturb each other. A file that begins with an underscore is shared code, not a suite.
#
#   scripts/run-e2e.sh [FILE…]
#
# A suite exits 0 if all is well and may end with `N passed, N failed`; without that line it counts
# as one test. Ends with the sum.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly seconds_per_suite=600
export GATEWAY_AGENT="${GATEWAY_AGENT:-$PWD/.build/release/gateway-agent}"
export PYTHONDONTWRITEBYTECODE=1

python=.venv/bin/python
[[ -x $python ]] || python=python3
if [[ ! -x $GATEWAY_AGENT ]]; then
  echo "run-e2e.sh: $GATEWAY_AGENT is not built (make build)" >&2
  exit 2
fi

suites=("$@")
if ((${#suites[@]} == 0)); then
  shopt -s nullglob
  for file in Tests/EndToEnd/*.py; do
    [[ $(basename "$file") == _* ]] || suites+=("$file")
  done
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
passed=0 failed=0
for suite in "${suites[@]}"; do
  echo "== $suite"
  timeout --kill-after=10 "$seconds_per_suite" "$python" "$suite" 2>&1 </dev/null | tee "$output"
  result=${PIPESTATUS[0]}
  ((result != 124)) || echo "$suite: stopped after $seconds_per_suite s"
  suite_passed=0 suite_failed=0
  if [[ $(tail -n 3 "$output") =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    suite_passed=${BASH_REMATCH[1]} suite_failed=${BASH_REMATCH[2]}
  elif ((result == 0)); then
    suite_passed=1
  fi
  if ((result != 0 && suite_failed == 0)); then
    echo "FAIL $suite: exit $result"
    suite_failed=1
  fi
  passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
done

echo
if ((${#suites[@]} == 0)); then
  echo 'run-e2e.sh: no suite in Tests/EndToEnd' >&2
  exit 1
fi
echo "$passed passed, $failed failed"
((failed == 0))
