#!/usr/bin/env bash
# Switches off one protective mechanism after the other (scripts/mutations.txt) in a copy of the last
# commit, and demands that a test fails each time. One that no test notices counts as failed.
# Takes about a minute a mechanism; `make test` does not do it.
#
#   scripts/mutation-check.sh [WORD]     only mechanisms whose name contains WORD
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
list=$PWD/scripts/mutations.txt
logs=$PWD/.build/check/mutation
tree=$PWD/.build/mutation
only="${1:-}"
mkdir -p "$logs"

if [[ -e $tree/.git ]]; then
  git -C "$tree" reset -q --hard
  git -C "$tree" checkout -q --detach "$(git rev-parse HEAD)"
else
  git worktree prune
  git worktree add -q --detach "$tree" HEAD
fi
cd "$tree"

build() { nice -n 10 swift build --build-tests >"$1" 2>&1; }
# Whether the suites of a filter pass; a hang counts as a failure.
passes() {
  nice -n 10 timeout -k 10 600 .build/debug/gateway-agentPackageTests.xctest \
    --testing-library swift-testing --filter "$1" >"$2" 2>&1
}
# Whether all suites of `A|B|…` pass; those behind one that does not are spared.
all_pass() {
  local suite
  while read -r suite; do
    passes "$suite" "$2" || return 1
  done < <(tr '|' '\n' <<<"$1")
}
# Prints field 1…5 of paragraph N.
field() {
  awk -v RS= -v FS='\n' -v n="$1" -v f="$2" '$1 !~ /^#/ && ++k == n { print $f }' "$list"
}
# Replaces a piece of text that stands exactly once in a file.
replace() {
  python3 - "$@" <<'PYTHON'
import sys

path, old, new = sys.argv[1], *(text.replace("\\n", "\n") for text in sys.argv[2:])
text = open(path, encoding="utf-8").read()
if text.count(old) != 1:
    sys.exit(f"{path}: expected once, found {text.count(old)} times: {old}")
open(path, "w", encoding="utf-8").write(text.replace(old, new))
PYTHON
}

count=$(awk -v RS= '!/^#/ { k++ } END { print k }' "$list")
suites=$(for ((n = 1; n <= count; n++)); do field "$n" 5; done | tr '|' '\n' | sort -u | paste -sd '|')
if ! build "$logs/build.log" || ! passes "$suites" "$logs/unchanged.log"; then
  echo "the unchanged copy does not build or pass: see $logs" >&2
  exit 1
fi

passed=0
failed=0
for ((n = 1; n <= count; n++)); do
  name=$(field "$n" 1)
  [[ $name == *"$only"* ]] || continue
  log=$logs/${name//[^a-z0-9]/-}.log
  git checkout -q -- .
  verdict=
  if ! replace "Sources/$(field "$n" 2)" "$(field "$n" 3)" "$(field "$n" 4)"; then
    verdict="FAILED  $name: cannot be applied"
  elif ! build "$log"; then
    verdict="FAILED  $name: does not compile, see $log"
  elif all_pass "$(field "$n" 5)" "$log"; then
    verdict="FAILED  $name: no test notices"
  fi
  if [[ -n $verdict ]]; then
    failed=$((failed + 1))
    echo "$verdict"
  else
    passed=$((passed + 1))
    echo "ok      $name: $(grep -E ' Test .* failed after' "$log" | head -n 1 | cut -d' ' -f3- || true)"
  fi
done
git checkout -q -- .
echo "$passed passed, $failed failed"
((passed > 0 && failed == 0))
