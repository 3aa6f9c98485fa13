#!/usr/bin/env bash
# Everything CI does, in order. Runs every step that can still say something, names those that
# failed, and ends with one line that counts what really ran: `N passed, N failed, N skipped`.
#
# Tests count one by one; a step without tests counts as one check. Logs: .build/check/STEP.log.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly logs=.build/check
mkdir -p "$logs"
rm -f "$logs"/*.log

passed=0 failed=0 skipped=0
failed_steps=() skipped_steps=()

# The plain line `N passed, N failed` that a script ends with, or nothing.
plain_count() {
  grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1
}

# Swift Testing's own summary, as the same plain line: `Test run with 12 tests … passed after …`,
# or `… failed after … with 3 issues`. An issue is no test, so failing tests are counted apart;
# skipped tests are part of the total.
swift_test_count() {
  local total bad left
  total=$(sed -nE 's/^[^ ]+ Test run with ([0-9]+) tests?.*/\1/p' "$1" | tail -n 1)
  [[ -n $total ]] || return 0
  bad=$(grep -E '^[^ ]+ Test .* failed after [0-9.]+ seconds' "$1" |
    grep -cvE '^[^ ]+ Test (run with|case passing) ')
  left=$(grep -cE '^➜ Test .* skipped' "$1")
  echo "$((total - bad - left)) passed, $bad failed, $left skipped"
}

# Adds a step's tests to the sum; a step that counted none is one check.
count_step() {
  local name=$1 result=$2 line=''
  case $name in
  tests) line=$(swift_test_count "$logs/$name.log") ;;
  *) line=$(plain_count "$logs/$name.log") ;;
  esac
  local step_passed=0 step_failed=0
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
    step_passed=${BASH_REMATCH[1]} step_failed=${BASH_REMATCH[2]}
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
  fi
  if ((result == 0 && step_passed == 0)); then step_passed=1; fi
  # A crash leaves no failing test to count, and yet the step failed.
  if ((result != 0 && step_failed == 0)); then step_failed=1; fi
  passed=$((passed + step_passed)) failed=$((failed + step_failed))
  counted="$step_passed passed, $step_failed failed"
}

step() {
  local name=$1 result=0 began=$SECONDS
  shift
  printf '%-14s …\n' "$name"
  "$@" >"$logs/$name.log" 2>&1 </dev/null || result=$?
  count_step "$name" "$result"
  if ((result == 0)); then
    printf '%-14s ok      %4d s   %s\n' "$name" $((SECONDS - began)) "$counted"
  else
    printf '%-14s FAILED  %4d s   %s   (exit %d)\n' \
      "$name" $((SECONDS - began)) "$counted" "$result"
    failed_steps+=("$name")
    show_failure "$logs/$name.log"
  fi
  return "$result"
}

show_failure() {
  # The lines that name a failure, wherever they stand, then the end of the log.
  { grep -nE '^✘ Test |error:|FAIL' "$1" | head -n 40
    echo "… the last 40 lines of $1:"
    tail -n 40 "$1"; } | cut -c -240 | sed 's/^/    /'
}

skip() {
  printf '%-14s not run: %s\n' "$1" "$2"
  skipped_steps+=("$1")
}

finish() {
  echo
  if ((${#skipped_steps[@]})); then echo "not run: ${skipped_steps[*]}"; fi
  if ((${#failed_steps[@]})); then echo "failed steps: ${failed_steps[*]}"; fi
  echo "$passed passed, $failed failed, $skipped skipped"
  ((${#failed_steps[@]} == 0 && ${#skipped_steps[@]} == 0))
  exit
}

swift_test() {
  # Only Swift Testing is used; XCTest would close with a summary of no tests.
  swift test --skip-build --disable-xctest
}

scripts/require-swift.sh || exit 2
swift --version 2>/dev/null | head -n 1

step format scripts/check-format.sh
step scripts scripts/check-scripts.sh
step unit scripts/check-unit.sh
step docs .venv/bin/python scripts/check-docs.py
step embedded scripts/check-embedded.sh
step aarch64 scripts/check-aarch64.sh
step fuzz scripts/fuzz.sh smoke

if step build-debug swift build --build-tests; then
  step tests swift_test
else
  skip tests 'the debug build failed'
fi

if step build-release scripts/build-release.sh; then
  step linkage scripts/check-linkage.sh
  step size scripts/check-size.sh
  step deploy python3 scripts/check-deploy.py
  step recipes .venv/bin/python scripts/check-recipes.py
  step pictures python3 scripts/ladder-pictures.py
  step end-to-end scripts/run-e2e.sh
  step benchmarks scripts/run-benchmarks.sh smoke
else
  for name in linkage size deploy recipes pictures end-to-end benchmarks; do skip "$name" 'the release build failed'; done
fi

finish
