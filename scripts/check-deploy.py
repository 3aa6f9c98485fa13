#!/usr/bin/env python3
"""Tries the examples in deploy/: the agent takes the configuration, and mosquitto keeps recipients apart.

    scripts/check-deploy.py

Starts a mosquitto of its own on a free loopback port with the example's users and rules, and stops it.
"""

import os
import pathlib
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
AGENT = os.environ.get("GATEWAY_AGENT", str(ROOT / ".build/release/gateway-agent"))
DATA = "gateway/eliq/m-aaaaaaaaaaaaaaaa/e60"
EVENTS = "gateway/enode/m-aaaaaaaaaaaaaaaa/enode/events"


class Client:
    """An MQTT 3.1.1 client with a user, on a plain socket."""

    def __init__(self, port, user, topic=None):
        self.data = bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        name = f"try-{id(self)}".encode()
        body = struct.pack("!H4sBBH", 4, b"MQTT", 4, 0xC2 if user else 0x02, 60)
        for text in [name] + ([user.encode(), password(user).encode()] if user else []):
            body += struct.pack("!H", len(text)) + text
        self.send(0x10, body)
        answer = self.exactly(4)
        self.is_accepted = answer[3] == 0
        if topic and self.is_accepted:
            self.send(0x82, struct.pack("!HH", 1, len(topic)) + topic.encode() + b"\x00")
            self.exactly(5)

    def send(self, first, body):
        assert len(body) < 128
        self.socket.sendall(bytes([first, len(body)]) + body)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("closed by the broker")
            data += piece
        return data

    def publish(self, topic, payload):
        self.send(0x30, struct.pack("!H", len(topic)) + topic.encode() + payload)

    def received(self, seconds):
        """Topics of all that arrives until the time is over."""
        topics, end = [], time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            first, length = self.exactly(2)
            body = self.exactly(length)
            if first & 0xF0 == 0x30:
                size = struct.unpack_from("!H", body)[0]
                topics.append(body[2 : 2 + size].decode())
        return topics


def password(user):
    return f"invented-{user}"


def users():
    text = (ROOT / "deploy/mosquitto/gateway.acl").read_text()
    return re.findall(r"^user (\S+)$", text, re.M)


def start_broker(folder):
    """The example, with its files in `folder`, a free port, and without the listener that needs certificates."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = (ROOT / "deploy/mosquitto/gateway.conf").read_text()
    text = text[: text.index("listener 8883")]
    text = text.replace("listener 1883", f"listener {port}").replace("/etc/mosquitto", str(folder))
    (folder / "gateway.conf").write_text(text + "user root\n")
    shutil.copy(ROOT / "deploy/mosquitto/gateway.acl", folder)
    passwords = folder / "gateway.passwords"
    passwords.touch(mode=0o600)
    for user in users():
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, password(user)], check=True)
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    log = open(folder / "log", "wb")
    process = subprocess.Popen([program, "-c", folder / "gateway.conf"], stdout=log, stderr=log)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    raise SystemExit(f"mosquitto refuses the example:\n{(folder / 'log').read_text()}")


def broker_faults(port):
    faults = []
    if Client(port, None).is_accepted:
        faults.append("an anonymous client is accepted")
    listeners = {
        "eliq": Client(port, "eliq", "gateway/eliq/+/+"),
        "eliq, everything": Client(port, "eliq", "#"),
        "enode": Client(port, "enode", "gateway/#"),
        "homeassistant": Client(port, "homeassistant", "meter/#"),
        "homeassistant, outside": Client(port, "homeassistant", "gateway/#"),
        "the agent itself": Client(port, "gateway-eliq", "gateway/eliq/#"),
    }
    for client in listeners.values():
        if not client.is_accepted:
            faults.append("a user of the example is refused")
    Client(port, "gateway-eliq").publish(DATA, b"{}")
    Client(port, "gateway-eliq").publish("gateway/enode/m-aaaaaaaaaaaaaaaa/e60", b"{}")
    Client(port, "gateway-enode").publish(EVENTS, b"[]")
    Client(port, "gateway-home").publish("meter/home/state", b"{}")
    Client(port, "eliq").publish("meter/home/state", b"false")
    expected = {
        "eliq": [DATA], "enode": [EVENTS], "homeassistant": ["meter/home/state"], "eliq, everything": [DATA],
    }
    for name, client in listeners.items():
        topics = client.received(0.5)
        if topics != expected.get(name, []):
            faults.append(f"{name} receives {topics}, expected {expected.get(name, [])}")
    return faults


def configuration_faults(folder):
    """The example with a pseudo-terminal in the place of the cable."""
    master, slave = os.openpty()
    text = (ROOT / "deploy/config.toml").read_text()
    path = folder / "config.toml"
    path.write_text(text.replace('port = "/dev/ttyUSB0"', f'port = "{os.ttyname(slave)}"'))
    checked = subprocess.run([AGENT, "check-config", "--config", path], capture_output=True, text=True)
    os.close(master)
    os.close(slave)
    return [] if checked.returncode == 0 else [f"deploy/config.toml: {checked.stdout}{checked.stderr}"]


def main():
    if not os.access(AGENT, os.X_OK):
        raise SystemExit(f"{AGENT} is not built (make build)")
    faults = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-deploy-"))
    process = None
    try:
        faults += configuration_faults(folder)
        process, port = start_broker(folder)
        faults += broker_faults(port)
    finally:
        if process:
            process.terminate()
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
    for fault in faults:
        print(f"FAIL {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
