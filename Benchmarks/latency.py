#!/usr/bin/env python3
"""End to end: the last byte on a pseudo-terminal to the packet at an MQTT subscriber, and what it costs.

    Benchmarks/latency.py            1,000 telegrams, beside the project's goals
    Benchmarks/latency.py --smoke    100 telegrams; judges counts and memory, never a time
    Benchmarks/latency.py --bars     as the first, exit 1 if a goal is missed

One private mosquitto on a free loopback port, one agent with one meter and one in-house grant, one subscriber
that is a plain socket. Times are CLOCK_MONOTONIC. "floor" is the harness measuring itself: its own publish to
its own receive through the same broker. Ratios to the floor travel between machines, times do not.
"""

import argparse
import os
import pathlib
import select
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from harness import Agent, Broker, Meter, agent_binary, crc16, wait_for  # noqa: E402

STATE = "meter/home/state"
FLOOR = "floor"
LIMIT = "meter/home/ev/limit"
CHARGING = "[ev]\nenabled = true\nmain_fuse_a = 25\n"
# What 3 x 25 A bear less one ampere of margin.
FUSE_WATTS = 16_560

# The goals of the first release: name, unit, bar.
BARS = {
    "latency median": ("ms", 0.3),
    "latency 95th percentile": ("ms", 0.5),
    "ev/limit 99th percentile": ("ms", 5.0),
    "processor time a telegram": ("ms", 0.3),
    "idle wake-ups a second": ("", 2.0),
    "exec to first data packet": ("ms", 30.0),
    "threads": ("", 4),
    "resident memory": ("MB", 12.8),
    "anonymous memory": ("MB", 3.0),
}
# Counts and memory do not depend on how busy the machine is.
SMOKE_BARS = ("idle wake-ups a second", "threads", "resident memory", "anonymous memory")


def telegram(number):
    """A three-phase DSMR 5 telegram of 840 bytes with gas, invented identifiers, and `number` as its power."""
    lines = [
        "/TST5\\2HANP-0007", "", "1-3:0.2.8(50)", "0-0:1.0.0(260115143007W)",
        "0-0:96.1.1(4530303939393030303132333435363738)", "1-0:1.8.1(001234.567*kWh)", "1-0:1.8.2(002345.678*kWh)",
        "1-0:2.8.1(000111.222*kWh)", "1-0:2.8.2(000000.000*kWh)", "0-0:96.14.0(0002)",
        f"1-0:1.7.0({number // 1000:02}.{number % 1000:03}*kW)", "1-0:2.7.0(00.000*kW)", "0-0:96.7.21(00013)",
        "0-0:96.7.9(00000)", "1-0:99.97.0()", "1-0:32.32.0(00001)", "1-0:52.32.0(00000)", "1-0:72.32.0(00000)",
        "1-0:32.36.0(00000)", "1-0:52.36.0(00000)", "1-0:72.36.0(00000)", "0-0:96.13.0()", "1-0:32.7.0(231.4*V)",
        "1-0:52.7.0(230.9*V)", "1-0:72.7.0(232.0*V)", "1-0:31.7.0(002*A)", "1-0:51.7.0(001*A)", "1-0:71.7.0(000*A)",
        "1-0:21.7.0(00.300*kW)", "1-0:41.7.0(00.173*kW)", "1-0:61.7.0(00.000*kW)", "1-0:22.7.0(00.000*kW)",
        "1-0:42.7.0(00.000*kW)", "1-0:62.7.0(00.000*kW)", "0-1:24.1.0(003)",
        "0-1:96.1.0(4730303939393030303837363534333231)", "0-1:24.2.1(260115140000W)(00123.456*m3)",
    ]
    body = ("\r\n".join(lines) + "\r\n!").encode()
    return body + f"{crc16(body):04X}\r\n".encode()


class Listener:
    """An MQTT 3.1.1 client on a plain socket, read by the measuring thread itself."""

    def __init__(self, port, topic):
        self.data = bytearray()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = f"bench-{os.getpid()}-{topic.replace('/', '-')}".encode()
        self.write(0x10, struct.pack("!H4sBBH", 4, b"MQTT", 4, 2, 0) + struct.pack("!H", len(name)) + name)
        assert self.packet(5)[0] == 0x20, "no CONNACK"
        self.write(0x82, struct.pack("!HH", 1, len(topic)) + topic.encode() + b"\x00")
        assert self.packet(5)[0] == 0x90, "no SUBACK"

    def write(self, first, body):
        head, length = bytearray([first]), len(body)
        while True:
            length, low = divmod(length, 128)
            head.append(low | (0x80 if length else 0))
            if not length:
                break
        self.socket.sendall(bytes(head) + body)

    def publish(self, topic, payload):
        self.write(0x30, struct.pack("!H", len(topic)) + topic.encode() + payload)

    def packet(self, seconds):
        """The next packet's first byte, body and time of arrival; None after `seconds`."""
        end = time.monotonic() + seconds
        arrived = time.monotonic()
        while True:
            found = self.parse()
            if found:
                return (*found, arrived)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            piece = self.socket.recv(65536)
            arrived = time.monotonic()
            if not piece:
                raise ConnectionError("the broker closed the connection")
            self.data += piece

    def parse(self):
        length, shift, at = 0, 0, 1
        while at < len(self.data):
            byte = self.data[at]
            length |= (byte & 0x7F) << shift
            shift += 7
            at += 1
            if byte < 0x80:
                break
        else:
            return None
        if len(self.data) < at + length:
            return None
        first, body = self.data[0], bytes(self.data[at : at + length])
        del self.data[: at + length]
        return first, body

    def message(self, seconds):
        """Payload and time of the next message; None after `seconds`."""
        found = self.packet(seconds)
        if not found:
            return None
        _, body, arrived = found
        return body[2 + struct.unpack_from("!H", body)[0] :], arrived

    def close(self):
        self.socket.close()


class Process:
    """What the kernel counted for a process and all its threads."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")

    def tasks(self):
        return list((self.folder / "task").iterdir())

    def processor_seconds(self):
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self.tasks()) / 1e9

    def wakeups(self):
        total = 0
        for task in self.tasks():
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
        return total

    def memory(self, name):
        for line in (self.folder / "smaps_rollup").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024 / 1e6
        raise KeyError(name)


def grant_in_house(agent):
    """The one grant of the benchmark. All knowledge of the consent verbs is here."""
    agent.grant("local-automation", "home-assistant", "local")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def measure_floor(listener, count):
    times = []
    for number in range(count):
        start = time.monotonic()
        listener.publish(FLOOR, b"%d" % number)
        payload, arrived = listener.message(5)
        assert payload == b"%d" % number
        times.append((arrived - start) * 1000)
    return times


def import_power(number):
    """What the state of a telegram with that power holds."""
    return b'"active_power_import_w":%d,' % number


def headroom(number):
    """What the limit after a telegram with that power holds."""
    return b'"headroom_w":%d,' % (FUSE_WATTS - number)


def measure_latency(meter, listener, count, first_number, chunk=None, holds=import_power):
    """Sends `count` telegrams and waits for each; returns milliseconds. Each must arrive once, with its own value."""
    times = []
    for number in range(first_number, first_number + count):
        data = telegram(number)
        if chunk:
            # As a line of 115,200 baud delivers them: ten bits a byte.
            for at in range(0, len(data) - chunk, chunk):
                meter.send(data[at : at + chunk])
                time.sleep(chunk * 10 / 115_200)
            data = data[(len(data) - 1) // chunk * chunk :]
        sent = meter.send(data)
        found = listener.message(5)
        if not found:
            raise SystemExit(f"FAIL: telegram {number} did not arrive within 5 s")
        payload, arrived = found
        if holds(number) not in payload.replace(b"}", b",}"):
            raise SystemExit(f"FAIL: telegram {number} arrived as {payload[:200]!r}")
        times.append((arrived - sent) * 1000)
        time.sleep(0.005 + (number * 7 % 11) / 1000)
    return times


def measure_limit(folder, meter, broker, count):
    """Milliseconds from the last byte to `ev/limit`, with an agent of its own whose charging feed is on."""
    (folder / "charging").mkdir()
    agent = Agent(folder / "charging", {"home": meter.path}, {"local": broker.port}, CHARGING)
    agent.start()
    try:
        grant_in_house(agent)
        # Nothing of the feed waits for a connection.
        wait_for(
            lambda: all(b["link"]["state"] == "connected" for b in agent.command("status", "--json")["brokers"]),
            10, "the house's connection",
        )
        listener = Listener(broker.port, LIMIT)
        measure_latency(meter, listener, 20, 100, holds=headroom)
        times = measure_latency(meter, listener, count, 1000, holds=headroom)
        listener.close()
        return times
    finally:
        agent.stop()


def measure_start(agent, meter, broker, rounds):
    """Milliseconds from exec to the first data packet, with a telegram always waiting on the line."""
    times = []
    for _ in range(rounds):
        listener = Listener(broker.port, STATE)
        data = telegram(1)
        start = time.monotonic()
        agent.process = subprocess.Popen(
            [agent_binary(), "run", "--config", str(agent.configuration)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(agent.log, "ab"),
        )
        arrived = None
        # The agent may drop what stood on the line before it opened it, so a telegram comes every 4 ms.
        while arrived is None and time.monotonic() - start < 10:
            if select.select([], [meter.master], [], 0)[1]:
                os.write(meter.master, data)
            found = listener.message(0.004)
            arrived = found and found[1]
        if arrived is None:
            raise SystemExit(f"FAIL: no data within 10 s of the start: {agent.log.read_text()[-2000:]}")
        times.append((arrived - start) * 1000)
        agent.stop()
        listener.close()
    return times


def run(agent, meter, broker, options):
    count = 100 if options.smoke else options.telegrams
    results, notes = {}, []
    agent.start()
    grant_in_house(agent)
    agent.stop()

    starts = measure_start(agent, meter, broker, 3 if options.smoke else 9)
    results["exec to first data packet"] = statistics.median(starts)

    floor_listener = Listener(broker.port, FLOOR)
    floor = measure_floor(floor_listener, count)
    floor_listener.close()

    agent.start()
    process = Process(agent.process.pid)
    listener = Listener(broker.port, STATE)
    measure_latency(meter, listener, 20, 100)
    before = process.processor_seconds()
    burst = measure_latency(meter, listener, count, 1000)
    spent = process.processor_seconds() - before
    paced = measure_latency(meter, listener, max(10, count // 20), 10_000, chunk=64)
    results["latency median"] = statistics.median(burst)
    results["latency 95th percentile"] = percentile(burst, 0.95)
    results["processor time a telegram"] = spent / count * 1000

    time.sleep(1)
    idle = 5 if options.smoke else 20
    wakeups, busy = process.wakeups(), process.processor_seconds()
    time.sleep(idle)
    results["idle wake-ups a second"] = (process.wakeups() - wakeups) / idle
    results["threads"] = len(process.tasks())
    results["resident memory"] = process.memory("Rss")
    results["anonymous memory"] = process.memory("Anonymous")

    median_floor = statistics.median(floor)
    notes.append(f"telegrams {count} of {len(telegram(1))} bytes, each arrived once with its own value")
    notes.append(
        f"latency / floor: median {statistics.median(burst) / median_floor:.2f}, "
        f"95th percentile {percentile(burst, 0.95) / percentile(floor, 0.95):.2f}"
    )
    notes.append(f"paced at 115,200 baud / floor: median {statistics.median(paced) / median_floor:.2f}")
    if not options.smoke:
        notes.append(f"floor: median {median_floor:.3f} ms, 95th percentile {percentile(floor, 0.95):.3f} ms")
        notes.append(f"latency max {max(burst):.3f} ms; paced median {statistics.median(paced):.3f} ms")
        notes.append(f"idle processor time {(process.processor_seconds() - busy) / idle * 1000:.3f} ms a second")
    listener.close()
    agent.stop()

    limits = measure_limit(agent.folder, meter, broker, count)
    results["ev/limit 99th percentile"] = percentile(limits, 0.99)
    notes.append(f"ev/limit / floor: median {statistics.median(limits) / median_floor:.2f}")
    return results, notes


def report(results, notes, options):
    missed = []
    for name, (unit, bar) in BARS.items():
        if options.smoke and name not in SMOKE_BARS:
            continue
        value = results[name]
        verdict = "" if value <= bar else "   MISSED"
        if verdict:
            missed.append(name)
        print(f"{name:28} {value:9.3f} {unit:2}  goal {bar:g}{verdict}")
    for note in notes:
        print(note)
    if missed and (options.smoke or options.bars):
        print(f"FAIL: {', '.join(missed)}")
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="few telegrams, no time judged")
    parser.add_argument("--bars", action="store_true", help="exit 1 if a goal is missed")
    parser.add_argument("--telegrams", type=int, default=1000)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-bench-"))
    broker = Broker(folder)
    meter = agent = None
    try:
        broker.start()
        meter = Meter(folder / "meter")
        agent = Agent(folder, {"home": meter.path}, {"local": broker.port})
        return report(*run(agent, meter, broker, options), options)
    finally:
        if agent:
            agent.stop()
        if meter:
            meter.close()
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
