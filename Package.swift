// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: one loop below applies them, so that no target drifts.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "gateway-agent",
  products: [
    .library(name: "OBISDecoder", targets: ["OBISDecoder"]),
    .library(name: "MeterCipher", targets: ["MeterCipher"]),
    .library(name: "PrivacyFilter", targets: ["PrivacyFilter"]),
    .library(name: "ChargingFeed", targets: ["ChargingFeed"]),
    .library(name: "MeterSimulator", targets: ["MeterSimulator"]),
    .executable(name: "gateway-agent", targets: ["GatewayAgent"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    .target(name: "OBISDecoder"),
    .target(name: "MeterCipher", dependencies: ["OBISDecoder", "CCrypto"]),
    .target(name: "PrivacyFilter", dependencies: ["OBISDecoder"]),
    .target(
      name: "ConsentLedger", dependencies: ["PrivacyFilter", "CSQLite", "CCrypto"],
      resources: [.embedInCode("Profiles")]),
    .target(name: "ChargingFeed", dependencies: ["OBISDecoder"]),
    .target(
      name: "MeterSimulator", dependencies: ["OBISDecoder", "ModbusMeters", "CCrypto"]),
    .target(name: "TOMLText"),
    .target(
      name: "ModbusMeters",
      dependencies: [
        "OBISDecoder", "TOMLText", .product(name: "TOMLKit", package: "TOMLKit"),
      ],
      resources: [.embedInCode("Profiles")]),
    .executableTarget(
      name: "GatewayAgent",
      dependencies: [
        "OBISDecoder", "MeterCipher", "PrivacyFilter", "ConsentLedger", "ChargingFeed",
        "ModbusMeters", "TOMLText", "MeterSimulator", "CMosquitto", "CModbus", "CLinux", "CCrypto",
        "CTLS",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "TOMLKit", package: "TOMLKit"),
      ]),
    .systemLibrary(
      name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CModbus", pkgConfig: "libmodbus", providers: [.apt(["libmodbus-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "OBISDecoderTests", dependencies: ["OBISDecoder", "AllocationCounter"],
      exclude: ["Vectors"]),
    .testTarget(
      name: "MeterCipherTests", dependencies: ["MeterCipher", "OBISDecoder", "AllocationCounter"]),
    .testTarget(
      name: "PrivacyFilterTests", dependencies: ["PrivacyFilter", "AllocationCounter", "CCrypto"]),
    .testTarget(name: "ConsentLedgerTests", dependencies: ["ConsentLedger"]),
    .testTarget(
      name: "ModbusMetersTests",
      dependencies: ["ModbusMeters", "MeterSimulator", "OBISDecoder", "PrivacyFilter"]),
    .testTarget(
      name: "MeterSimulatorTests", dependencies: ["MeterSimulator", "OBISDecoder", "MeterCipher"]),
    .testTarget(
      name: "ChargingFeedTests", dependencies: ["ChargingFeed", "OBISDecoder", "MeterSimulator"]),
    .testTarget(
      name: "GatewayAgentTests",
      dependencies: [
        "GatewayAgent", "TOMLText", "ModbusMeters", "ConsentLedger", "OBISDecoder", "PrivacyFilter",
        "MeterSimulator", "AllocationCounter", "CCrypto", "CModbus",
      ]),
    .testTarget(name: "TidyTests"),
  ],
  cxxLanguageStandard: .cxx17
)

for target in package.targets
where [.regular, .executable, .test].contains(target.type) && target.name != "AllocationCounter" {
  target.swiftSettings = strict
}
