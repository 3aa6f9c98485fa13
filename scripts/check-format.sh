#!/usr/bin/env bash
# Fails on a Swift file that `swift format` would change or complains about.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
