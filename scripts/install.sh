#!/usr/bin/env bash
# Installs the built agent and the files that run it.
#
#   scripts/install.sh [DESTDIR [PREFIX]]
#
# Keeps what a person may have edited: an existing configuration is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=${1:-} prefix=${2:-/usr/local}
binary=.build/release/gateway-agent

install -D --mode=0755 --strip "$binary" "$root$prefix/bin/gateway-agent"
install -d --mode=0755 "$root/etc/systemd/system"
sed "s|/usr/local/|$prefix/|g" deploy/gateway-agent.service \
  >"$root/etc/systemd/system/gateway-agent.service"
install -D --mode=0644 deploy/60-gateway-agent.rules "$root/etc/udev/rules.d/60-gateway-agent.rules"
install -D --mode=0644 deploy/sysusers.conf "$root/usr/lib/sysusers.d/gateway-agent.conf"
install -D --mode=0644 deploy/tmpfiles.conf "$root/usr/lib/tmpfiles.d/gateway-agent.conf"
install -D --mode=0644 -t "$root$prefix/share/doc/gateway-agent" \
  deploy/INSTALL.md deploy/mosquitto/gateway.conf deploy/mosquitto/gateway.acl docs/topics.md LICENSE
if [[ ! -e $root/etc/gateway-agent/config.toml ]]; then
  install -D --mode=0644 deploy/config.toml "$root/etc/gateway-agent/config.toml"
fi

if [[ -n $root || ! -d /run/systemd/system ]]; then exit 0; fi
systemd-sysusers gateway-agent.conf
systemd-tmpfiles --create gateway-agent.conf
systemctl daemon-reload
udevadm control --reload
udevadm trigger --subsystem-match=tty --action=change
echo "Installed. Next: edit /etc/gateway-agent/config.toml, then deploy/INSTALL.md, step 5."
