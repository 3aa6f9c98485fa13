#!/usr/bin/env bash
# Fails if the systemd unit exposes more than promised, or if systemd would not take it as it is.
# Works where systemd does not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly unit=deploy/gateway-agent.service
# systemd counts exposure from 0 to 10 and takes the threshold in tenths.
readonly limit_tenths=25

if ! command -v systemd-analyze >/dev/null; then
  echo 'systemd-analyze is missing: scripts/install-dependencies.sh check' >&2
  exit 2
fi

result=0
systemd-analyze security --offline=true --no-pager --threshold=$limit_tenths "$unit" || result=1

# systemd wants the program to be there: it judges a copy that names one.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's|^ExecStart=/usr/local/bin/gateway-agent|ExecStart=/bin/true|' "$unit" >"$folder/gateway-agent.service"
complaints=$(systemd-analyze verify --man=no "$folder/gateway-agent.service" 2>&1) || result=1
# Units of the host that this one names are not ours to judge.
complaints=$(grep -F 'gateway-agent.service' <<<"$complaints" || true)
if [[ -n $complaints ]]; then
  echo "$complaints" >&2
  result=1
fi
((result == 0))
