#!/usr/bin/env bash
# Runs the end-to-end suites, Tests/EndToEnd/test_*.py, one after the other: they measure and must not
# disturb each other. The other files there are shared code.
#
#   scripts/run-e2e.sh [FILE…]
#
# A suite exits 0 if all is well. Its tests are counted from unittest's closing lines or from a plain
# `N passed, N failed`; a suite with neither counts as one test. Ends with the sum.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly seconds_per_suite=600
export GATEWAY_AGENT="${GATEWAY_AGENT:-$PWD/.build/release/gateway-agent}"
export PYTHONDONTWRITEBYTECODE=1
# Sockets and logs of a finished suite are closed by its end.
export PYTHONWARNINGS=ignore::ResourceWarning

python=.venv/bin/python
[[ -x $python ]] || python=python3
if [[ ! -x $GATEWAY_AGENT ]]; then
  echo "run-e2e.sh: $GATEWAY_AGENT is not built (make build)" >&2
  exit 2
fi

suites=("$@")
if ((${#suites[@]} == 0)); then
  shopt -s nullglob
  for file in Tests/EndToEnd/test_*.py; do
    suites+=("$file")
  done
fi

# Sets suite_passed, suite_failed and suite_skipped from what the suite printed last.
count() {
  local result=$1 end word
  end=$(tail -n 5 "$output")
  suite_passed=0 suite_failed=0 suite_skipped=0
  if [[ $end =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    suite_passed=${BASH_REMATCH[1]} suite_failed=${BASH_REMATCH[2]}
  elif [[ $end =~ Ran\ ([0-9]+)\ test ]]; then
    suite_passed=${BASH_REMATCH[1]}
    for word in failures errors; do
      if [[ $end =~ $word=([0-9]+) ]]; then
        suite_failed=$((suite_failed + BASH_REMATCH[1]))
      fi
    done
    if [[ $end =~ skipped=([0-9]+) ]]; then suite_skipped=${BASH_REMATCH[1]}; fi
    suite_passed=$((suite_passed - suite_failed - suite_skipped))
  elif ((result == 0)); then
    suite_passed=1
  fi
}

output=$(mktemp)
trap 'rm -f "$output"' EXIT
passed=0 failed=0 skipped=0
for suite in "${suites[@]}"; do
  echo "== $suite"
  timeout --kill-after=10 "$seconds_per_suite" "$python" "$suite" 2>&1 </dev/null | tee "$output"
  result=${PIPESTATUS[0]}
  ((result != 124)) || echo "$suite: stopped after $seconds_per_suite s"
  count "$result"
  if ((result != 0 && suite_failed == 0)); then
    echo "FAIL $suite: exit $result"
    suite_failed=1
  fi
  passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
  skipped=$((skipped + suite_skipped))
done

echo
if ((${#suites[@]} == 0)); then
  echo 'run-e2e.sh: no suite in Tests/EndToEnd' >&2
  exit 1
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
