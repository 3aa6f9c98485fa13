#!/usr/bin/env bash
# Feeds mutated frames to the decoder with libFuzzer and AddressSanitizer.
#
#   scripts/fuzz.sh TARGET RUNS   p1, hdlc, dlms, mbus, apdu, sml, d0, ciphered, whole, or all of them
#   scripts/fuzz.sh smoke         a few thousand inputs each, as every check does
#
# What is promised of every input: Tests/Fuzz/FuzzDriver.swift. The seed is fixed: the same decoder gets
# the same inputs again, unless FUZZ_SEED says otherwise. An input that breaks a promise is left in
# .build/fuzz; `FUZZ_TARGET=NAME .build/fuzz/driver FILE` runs it again. Ends with the targets counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly folder=.build/fuzz seeds=.build/seeds
readonly targets=(p1 hdlc dlms mbus apdu sml d0 ciphered whole)

wanted=("${1:-}") runs=${2:-}
case ${1:-} in
smoke) wanted=("${targets[@]}") runs=4000 ;;
all) wanted=("${targets[@]}") ;;
esac
if [[ " ${targets[*]} " != *" ${wanted[0]} "* || ! $runs =~ ^[0-9]+$ ]]; then
  sed -n '3,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

mkdir -p "$folder"
mapfile -t sources < <(find -L Sources/OBISDecoder Tests/Harness Tests/Fuzz -name '*.swift' | sort)
for file in Tests/Harness/Native/native.c Tests/Fuzz/sanitizers.c; do
  clang -O1 -ITests/Harness/Native -c "$file" -o "$folder/$(basename "$file" .c).o"
done
# One module: readers and framers are then as visible to the optimiser as in the agent.
swiftc -swift-version 6 -parse-as-library -wmo -O -sanitize=fuzzer,address -strict-memory-safety \
  -warnings-as-errors -use-ld=lld -module-name Fuzz -ITests/Harness/Native "${sources[@]}" \
  "$folder/native.o" "$folder/sanitizers.o" -o "$folder/driver"
scripts/make-seeds.sh

passed=0 failed=0
for target in "${wanted[@]}"; do
  rm -rf "$folder/corpus-$target"
  mkdir -p "$folder/corpus-$target"
  # Longer than the longest frame for the families that have long ones.
  case $target in p1 | d0 | sml | whole) longest=9000 ;; *) longest=2600 ;; esac
  result=0 began=$SECONDS
  SWIFT_BACKTRACE=enable=no FUZZ_TARGET=$target "$folder/driver" -runs="$runs" -seed="${FUZZ_SEED:-1}" -max_len=$longest \
    -len_control=0 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$folder/$target-" "$folder/corpus-$target" "$seeds/$target" \
    >"$folder/$target.log" 2>&1 || result=$?
  inputs=$(sed -nE 's/^stat::number_of_executed_units: +//p' "$folder/$target.log")
  coverage=$(sed -nE 's/.* cov: ([0-9]+).*/\1/p' "$folder/$target.log" | tail -n 1)
  if ((result == 0)); then
    passed=$((passed + 1))
    printf '%-9s %9s inputs %6s edges %5d s\n' "$target" "$inputs" "$coverage" $((SECONDS - began))
  else
    failed=$((failed + 1))
    echo "FAIL $target: a promise is broken; the end of $folder/$target.log:"
    tail -n 60 "$folder/$target.log"
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
