#!/usr/bin/env bash
# Fills .build/seeds with frames of every family, one folder a fuzz target: what scripts/fuzz.sh begins
# with and scripts/check-aarch64.sh compares. Made anew when a source of theirs is newer; see
# Tests/Seeds/seeds.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly folder=.build/seeds work=.build/seeds.work
readonly made_from=(Sources/OBISDecoder Sources/MeterSimulator Tests/Seeds
  Tests/OBISDecoderTests/Vectors scripts/make-seeds.sh)

if [[ -e $folder/made && -z $(find "${made_from[@]}" -newer "$folder/made" -print -quit) ]]; then
  exit
fi
rm -rf "$folder" "$work"
mkdir -p "$folder" "$work"
mapfile -t decoder < <(find -L Sources/OBISDecoder -name '*.swift' | sort)
mapfile -t simulator < <(find -L Sources/MeterSimulator -name '*.swift' -not -path '*/Modbus/*' | sort)
swiftc -swift-version 6 -parse-as-library -wmo -enable-testing -module-name OBISDecoder -emit-module \
  -emit-module-path "$work/OBISDecoder.swiftmodule" -c "${decoder[@]}" -o "$work/OBISDecoder.o"
swiftc -swift-version 6 -parse-as-library -wmo -module-name SimulatedFrames -I "$work" \
  -I Sources/CCrypto "${simulator[@]}" Tests/Seeds/SimulatedFrames.swift "$work/OBISDecoder.o" -lcrypto \
  -o "$work/simulated-frames"
"$work/simulated-frames" | python3 Tests/Seeds/seeds.py "$folder"
rm -rf "$work"
touch "$folder/made"
