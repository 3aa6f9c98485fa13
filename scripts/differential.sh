#!/usr/bin/env bash
# Decodes simulated frames with random content, whole and damaged, and compares every value, clock and
# identifier with what was sent: the tests of Tests/MeterSimulatorTests/DifferentialTests.swift, compiled
# for speed. The bar: not one wrong value.
#
#   scripts/differential.sh [FRAMES]     frames of all meters together, 1,000,000 if not given; as many
#                                        again with a damaged byte
#   GATEWAY_MODELS=de-holley,no-kaifa scripts/differential.sh [FRAMES]     of these meters alone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly frames=${1:-1000000} package=.build/differential
[[ $frames =~ ^[0-9]+$ ]] || { sed -n '6,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# A package of few folders, so that nothing else is built in this configuration.
mkdir -p "$package"
for folder in Sources/{CCrypto,OBISDecoder,MeterCipher,MeterSimulator} Tests/MeterSimulatorTests; do
  mkdir -p "$package/${folder%/*}"
  ln -sfn "$PWD/$folder" "$package/$folder"
done
cat >"$package/Package.swift" <<'SWIFT'
// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .strictMemorySafety(), .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
let package = Package(
  name: "differential",
  targets: [
    .target(name: "OBISDecoder", swiftSettings: strict),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto"),
    .target(
      name: "MeterCipher", dependencies: ["OBISDecoder", "CCrypto"], swiftSettings: strict),
    .target(
      name: "MeterSimulator", dependencies: ["OBISDecoder", "CCrypto"], exclude: ["Modbus"],
      swiftSettings: strict),
    .testTarget(
      name: "MeterSimulatorTests", dependencies: ["MeterSimulator", "OBISDecoder", "MeterCipher"],
      swiftSettings: strict),
  ])
SWIFT
swift build -c release -Xswiftc -enable-testing --build-tests --package-path "$package"
GATEWAY_FRAMES=$frames swift test -c release -Xswiftc -enable-testing --skip-build --disable-xctest \
  --package-path "$package" --filter DifferentialTests
