#!/usr/bin/env bash
# The Embedded gate: the decoder, and the hot part of the filter, compile without heap for three
# targets, and their objects ask for nothing but memory copies. Prints the size of their code; the
# decoder's for 64-bit ARM has a limit.
set -euo pipefail
cd "$(dirname "$0")/.."

allowed='memset|memcpy|memmove|__stack_chk_fail|__stack_chk_guard'
limit=131072 # bytes of the decoder's text for aarch64
targets='x86_64-unknown-linux-gnu aarch64-none-none-elf riscv64-none-none-eabi'
bin=$(dirname "$(readlink -f "$(command -v swiftc)")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile TARGET MODULE FILES…: object and module into $work/TARGET.
compile() {
  local target=$1 module=$2
  shift 2
  mkdir -p "$work/$target"
  swiftc -target "$target" -swift-version 6 -parse-as-library -wmo -Osize \
    -enable-experimental-feature Embedded -no-allocations \
    -strict-memory-safety -warnings-as-errors \
    -enable-upcoming-feature ExistentialAny \
    -enable-upcoming-feature InternalImportsByDefault \
    -enable-upcoming-feature MemberImportVisibility \
    -I "$work/$target" -module-name "$module" \
    -emit-module -emit-module-path "$work/$target/$module.swiftmodule" \
    -c "$@" -o "$work/$target/$module.o"
}

# check TARGET MODULE PATTERN: undefined symbols outside the allowed list and PATTERN fail.
check() {
  local target=$1 module=$2 pattern=$3 object="$work/$1/$2.o" unwanted size
  unwanted=$("$bin/llvm-nm" --undefined-only --format=just-symbols "$object" \
    | grep -Ev "^($pattern)$" || true)
  if [ -n "$unwanted" ]; then
    printf 'check-embedded: %s for %s asks for:\n%s\n' "$module" "$target" "$unwanted" >&2
    exit 1
  fi
  size=$("$bin/llvm-nm" --print-size --radix=d --defined-only "$object" \
    | awk 'toupper($3) ~ /^[TW]$/ { sum += $2 } END { print sum + 0 }')
  printf '%-16s %-28s %7d bytes of text\n' "$module" "$target" "$size"
  if [[ $module/$target == OBISDecoder/aarch64* ]] && ((size > limit)); then
    echo "check-embedded: that is more than the decoder's limit of $limit" >&2
    exit 1
  fi
}

mapfile -t decoder < <(find -L Sources/OBISDecoder -name '*.swift' | sort)
# All of the filter but Consent: that is compiled when consent changes, and may use the heap.
hot=()
if [ -d Sources/PrivacyFilter/Hot ]; then
  mapfile -t hot < <(find -L Sources/PrivacyFilter -name '*.swift' -not -path '*/Consent/*' | sort)
fi

gate() {
  compile "$1" OBISDecoder "${decoder[@]}"
  check "$1" OBISDecoder "$allowed"
  [ "${#hot[@]}" -gt 0 ] || return 0
  compile "$1" PrivacyFilter "${hot[@]}"
  # What the filter takes from the decoder's object is defined there.
  check "$1" PrivacyFilter "$allowed|"'\$[se].*11OBISDecoder.*'
}

jobs=()
for target in $targets; do
  gate "$target" &
  jobs+=($!)
done
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
