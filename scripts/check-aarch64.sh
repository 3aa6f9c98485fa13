#!/usr/bin/env bash
# Shows that the decoder says the same on 64-bit ARM as on x86-64: Tests/Parity, compiled for both in
# Embedded Swift, decodes the same recordings, the ARM one under qemu-user, and every line it prints
# must be the same byte for byte. The recordings are those of scripts/make-seeds.sh: vectors, simulated
# frames of every meter, and ../shared/frames where it is there (it says so when not).
#
# Encrypted recordings go through the toy cipher of Tests/Harness on both sides: AES-GCM is libcrypto's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly folder=.build/aarch64 native=Tests/Harness/Native

for tool in qemu-aarch64 aarch64-linux-gnu-gcc; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: scripts/install-dependencies.sh check" >&2; exit 2; }
done
mkdir -p "$folder"
mapfile -t sources < <(find -L Sources/OBISDecoder Tests/Harness Tests/Parity -name '*.swift' | sort)

# compile TARGET FILE: one module for a processor, without heap and without Swift runtime.
compile() {
  swiftc -target "$1" -swift-version 6 -parse-as-library -wmo -O \
    -enable-experimental-feature Embedded -no-allocations -strict-memory-safety -warnings-as-errors \
    -module-name Parity -I$native -c "${sources[@]}" -o "$2"
}
compile x86_64-unknown-linux-gnu "$folder/x86_64.o"
compile aarch64-none-none-elf "$folder/aarch64.o"
clang -O1 $native/native.c "$folder/x86_64.o" -o "$folder/x86_64"
# Swift's objects are position-independent; binutils wants a program of that kind, then.
aarch64-linux-gnu-gcc -static-pie -O1 $native/native.c "$folder/aarch64.o" -o "$folder/aarch64"

scripts/make-seeds.sh
python3 Tests/Seeds/seeds.py --pack .build/seeds/whole >"$folder/recordings"
"$folder/x86_64" <"$folder/recordings" >"$folder/x86_64.events"
qemu-aarch64 "$folder/aarch64" <"$folder/recordings" >"$folder/aarch64.events"
if ! cmp "$folder/x86_64.events" "$folder/aarch64.events"; then
  diff "$folder/x86_64.events" "$folder/aarch64.events" | head -n 20 >&2
  exit 1
fi
readings=$(grep -c '^reading' "$folder/aarch64.events")
frames=$(grep -c '^ended' "$folder/aarch64.events")
recordings=$(grep -c '^end$' "$folder/aarch64.events")
echo "the same on aarch64 and x86-64: $recordings recordings, $frames frames, $readings readings"
# Nothing decoded would be the same too.
((frames >= 100 && readings >= 1000))
