#!/usr/bin/env bash
# The Embedded gate: the decoder, and the hot part of the filter, compile without heap for three
# targets, and their objects ask for nothing but memory copies. Prints the size of their code.
#
# A module holds no code for what is generic over the sink, and that is most of the decoder. So its
# size is judged on the program of Tests/Parity, which has one sink that uses everything: all of its
# text but the functions of that sink, of the toy cipher and `main`. What is inlined counts.
set -euo pipefail
cd "$(dirname "$0")/.."

allowed='memset|memcpy|memmove|__stack_chk_fail|__stack_chk_guard'
limit=131072 # 128 KiB of text, for 64-bit ARM
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
    -Xfrontend -function-sections -I "$work/$target" -module-name "$module" \
    -emit-module -emit-module-path "$work/$target/$module.swiftmodule" \
    -c "$@" -o "$work/$target/$module.o"
}

# text_size OBJECT [PATTERN]: bytes of its functions, but those whose names match.
text_size() {
  "$bin/llvm-nm" --print-size --radix=d --defined-only "$1" \
    | awk -v without="${2:-^$}" \
      'toupper($3) ~ /^[TW]$/ && $4 !~ without { sum += $2 } END { print sum + 0 }'
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
  size=$(text_size "$object")
  printf '%-16s %-28s %7d bytes of text\n' "$module" "$target" "$size"
}

# judge_size TARGET: the decoder in use, with one sink.
judge_size() {
  local size
  compile "$1" Parity -ITests/Harness/Native "${decoder[@]}" Tests/Harness/*.swift Tests/Parity/*.swift
  check "$1" Parity "$allowed|native_.*"
  # As a linker does: what nobody calls is left out.
  "$bin/ld.lld" -r --gc-sections -u main -o "$work/$1/Used.o" "$work/$1/Parity.o"
  size=$(text_size "$work/$1/Used.o" '^([$]e6Parity(11EventWriter|9ToyCipher)|main$)')
  printf '%-16s %-28s %7d bytes of text in use (limit %d)\n' decoder "$1" "$size" "$limit"
  if ((size > limit)); then
    echo "check-embedded: the decoder takes $size bytes of text, and may take $limit" >&2
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
judge_size aarch64-none-none-elf &
jobs+=($!)
for target in $targets; do
  gate "$target" &
  jobs+=($!)
done
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
