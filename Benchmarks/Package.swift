// swift-tools-version: 6.2
import PackageDescription

// Its own package: nobody who uses the rooms builds the benchmarks.
let package = Package(
  name: "benchmarks",
  products: [.executable(name: "throughput", targets: ["Throughput"])],
  dependencies: [.package(name: "gateway-agent", path: "..")],
  targets: [
    // A link to the counter of the tests: what stands in front of the allocator is written once.
    .target(name: "AllocationCounter"),
    .executableTarget(
      name: "Throughput",
      dependencies: [
        "AllocationCounter",
        .product(name: "OBISDecoder", package: "gateway-agent"),
        .product(name: "MeterCipher", package: "gateway-agent"),
        .product(name: "PrivacyFilter", package: "gateway-agent"),
        .product(name: "MeterSimulator", package: "gateway-agent"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ]),
  ],
  cxxLanguageStandard: .cxx17
)
