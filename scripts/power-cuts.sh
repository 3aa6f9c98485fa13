#!/usr/bin/env bash
# Kills the agent N times (1000) at random instants of random decisions about consent: the ledger has
# to verify every time, and nothing withdrawn may come back. `make test` does 25.
#
#   scripts/power-cuts.sh [N] [SEED]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=.venv/bin/python
[[ -x $python ]] || python=python3
export GATEWAY_POWER_CUTS="${1:-1000}" GATEWAY_POWER_CUTS_SEED="${2:-1}" PYTHONDONTWRITEBYTECODE=1
exec "$python" Tests/EndToEnd/test_power_cuts.py
