#!/usr/bin/env python3
"""Modbus meters in one agent: what many of them cost, and what a serial line takes beyond its own time.

    Benchmarks/modbus.py            32 meters for ten minutes, an SDM630 at 9600 baud for 30 cycles
    Benchmarks/modbus.py --smoke    8 meters for five seconds, 5 cycles; judges counts and memory, never a time
    Benchmarks/modbus.py --bars     as the first, exit 1 if a goal is missed

One private mosquitto, one agent with the household's own grant, simulated meters in a process of their own.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/EndToEnd"))

from harness import wait_for  # noqa: E402
from modbus import ModbusBench, Simulated  # noqa: E402

PROFILE = "eastron-sdm630"
# Two requests of an SDM630 at 9600 baud and 40 ms turnaround, measured on the wire (modbus.md, 6.2).
WIRE_MS = 357
BARS = {
    "processor time of one core": ("%", 2.0),
    "resident memory": ("MB", 24.0),
    "late cycles": ("", 0),
    "missed cycles": ("", 0),
    "lost replies": ("", 0),
    "cycle at 9600 baud, median": ("ms", 1.15 * WIRE_MS),
}
SMOKE_BARS = ("resident memory", "late cycles", "lost replies")


def cpu_seconds(pid):
    """What the scheduler counted for every thread; the ticks of `stat` miss most of a short wake-up."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def resident_megabytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise AssertionError("no VmRSS")


def meters_of(bench):
    return bench.agent.command("status", "--json")["meters"]


def many(count, seconds):
    """`count` meters on as many connections, each read once a second."""
    servers = Simulated(f"modbus:{PROFILE}", "--count", str(count)).start(places=count)
    try:
        tables = {
            f"m{index}": {"port": f"tcp://{place}", "profile": PROFILE}
            for index, place in enumerate(servers.places)
        }
        with ModbusBench(tables) as bench:
            pid = bench.agent.process.pid
            wait_for(lambda: all(m["frames"] > 0 for m in meters_of(bench)), 30, "every meter's first cycle")
            # The agent lets go of what starting up needed after three seconds.
            time.sleep(4)
            before = {m["name"]: (m["frames"], m["bus"]["lateCycles"]) for m in meters_of(bench)}
            begin, begun = time.monotonic(), cpu_seconds(pid)
            resident = 0.0
            while time.monotonic() < begin + seconds:
                time.sleep(1)
                resident = max(resident, resident_megabytes(pid))
            spent, elapsed = cpu_seconds(pid) - begun, time.monotonic() - begin
            after = meters_of(bench)
            frames = [m["frames"] - before[m["name"]][0] for m in after]
            return {
                "processor time of one core": 100 * spent / elapsed,
                "resident memory": resident,
                "late cycles": sum(m["bus"]["lateCycles"] - before[m["name"]][1] for m in after),
                "missed cycles": sum(max(0, int(elapsed) - count) for count in frames),
                "lost replies": sum(m["bus"]["lostReplies"] for m in after),
                "threads": len(os.listdir(f"/proc/{pid}/task")),
                "messages a second": len(bench.subscriber.messages) / (elapsed + 4),
            }
    finally:
        servers.stop()


def paced(cycles):
    """One SDM630 on a line of 9600 baud that answers after 40 ms."""
    with tempfile.TemporaryDirectory() as folder:
        line = Simulated(
            f"modbus:{PROFILE}", "--link", f"{folder}/tty", "--fault", "baud=9600", "--fault", "turnaround=40", to="pty"
        ).start()
        try:
            with ModbusBench({"home": {"port": line.port, "profile": PROFILE}}) as bench:
                wait_for(lambda: meters_of(bench)[0]["frames"] > 1, 30, "the second cycle")
                times, seen = [], 0
                while len(times) < cycles:
                    meter = meters_of(bench)[0]
                    if meter["frames"] != seen:
                        seen = meter["frames"]
                        times.append(meter["bus"]["cycleMilliseconds"])
                    time.sleep(0.2)
                return {"cycle at 9600 baud, median": statistics.median(times)}
        finally:
            line.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--bars", action="store_true")
    options = parser.parse_args()
    results = many(8, 5) if options.smoke else many(32, 600)
    results |= paced(5 if options.smoke else 30)
    missed = []
    judged = SMOKE_BARS if options.smoke else tuple(BARS) if options.bars else ()
    print("Modbus meters" + (", 8 of them" if options.smoke else ", 32 of them"))
    for name, value in results.items():
        unit, bar = BARS.get(name, ("", None))
        goal = "" if bar is None else f"   goal: at most {bar:g}"
        print(f"  {name:32} {value:9.2f} {unit:3}{goal}".rstrip())
        if name in judged and value > bar:
            missed.append(name)
    for name in missed:
        print(f"MISSED {name}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
