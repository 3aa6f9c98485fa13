"""Modbus meters on serial lines that misbehave: an SDM630 in Python whose every register has a value of its own.

So a value out of another register is seen at once. The meters lie side by side in one agent, each test waits for its
own. `GATEWAY_MODBUS_CYCLES=200` runs it at full length.
"""

import json
import os
import random
import struct
import subprocess
import unittest

from harness import agent_binary, wait_for
from modbus import ModbusBench
from serial_meter import LibmodbusReader, SerialMeter

CYCLES = int(os.environ.get("GATEWAY_MODBUS_CYCLES", "8"))
PROFILE = "eastron-sdm630"
# A plausible value of each unit in its register, and by how much the next register's is greater.
PLAUSIBLE = {
    "V": (221, 1), "A": (1, 1), "W": (1000, 10), "VA": (2000, 10), "var": (3000, 10), "1": (0.5, 1 / 64),
    "Hz": (50, 0), "Wh": (4000, 1), "varh": (8000, 1),
}


class Sdm630:
    """The registers of an SDM630, and what the agent is to publish of them."""

    def __init__(self):
        shown = subprocess.run(
            [agent_binary(), "meters", "show", PROFILE, "--json"], capture_output=True, check=True, timeout=30
        )
        self.registers = {(4, address): 0 for address in range(400)}
        self.registers |= {(3, 0xFC00): 0x0123, (3, 0xFC01): 0x4567}
        self.expected = {}
        for index, field in enumerate(json.loads(shown.stdout)["fields"]):
            first, step = PLAUSIBLE[field["unit"]]
            value = first + step * index
            words = struct.unpack("!HH", struct.pack("!f", value))
            self.registers |= {(4, field["address"] + place): word for place, word in enumerate(words)}
            # Energy is in kWh there; power is import and export, of which one is 0.
            factor = 1000 if field["unit"].endswith("h") else 1
            self.expected |= dict(zip(field["published"], (value * factor, 0)))


def seldom(seconds, seed):
    """Ten per cent of the replies come late."""
    source = random.Random(seed)
    return lambda number: seconds if source.random() < 0.1 else 0


class LineTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sdm630 = Sdm630()
        cls.seed = random.randrange(1 << 32)
        ways = {f"late{round(1000 * late)}": {"late": seldom(late, cls.seed)} for late in (0.7, 1.2, 2.5)}
        ways["fifth"] = {"late": lambda number: 2.5 * (number % 5 == 0)}
        # As on a real SDM630's line (esphome PR#8032).
        ways["zeros"] = {"stray": b"\x00", "turnaround": 0.092}
        ways["ones"] = {"stray": b"\xff", "turnaround": 0.02}
        ways["paced"] = {"baud": 9600, "turnaround": 0.04}
        cls.meters = {name: SerialMeter(cls.sdm630.registers, **way) for name, way in ways.items()}
        cls.bench = ModbusBench(
            {name: {"port": meter.path, "profile": PROFILE} for name, meter in cls.meters.items()}
        )
        cls.bench.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.bench.__exit__(None, None, None)
        for meter in cls.meters.values():
            meter.close()

    def documents(self, name):
        return [json.loads(m["payload"]) for m in self.bench.subscriber.on(f"meter/{name}/state")]

    def check(self, name):
        """Waits for its cycles, compares every value, and returns its documents and the counts of its line."""
        wait_for(lambda: len(self.documents(name)) >= CYCLES, 15 * CYCLES, f"cycles of {name}")
        documents, expected = self.documents(name), self.sdm630.expected
        values = [(key, value) for each in documents for key, value in each.items() if key in expected]
        wrong = [(key, value) for key, value in values if value != expected[key]]
        meters = self.bench.agent.command("status", "--json")["meters"]
        bus = next(meter["bus"] for meter in meters if meter["name"] == name)
        meter = self.meters[name]
        print(
            f"{name}: {len(documents)} documents, {len(values)} values, {len(wrong)} wrong; {meter.requests} "
            f"requests, {meter.lates} replies late, {bus['lostReplies']} lost"
        )
        self.assertEqual(wrong, [], f"seed {self.seed}")
        self.assertEqual(expected.keys() - set().union(*documents), set())
        return documents, bus

    def test_takes_no_reply_that_is_700_ms_late_for_another(self):
        self.check("late700")

    def test_takes_no_reply_that_is_1200_ms_late_for_another(self):
        self.check("late1200")

    def test_takes_no_reply_that_is_2500_ms_late_for_another(self):
        self.check("late2500")

    def test_takes_no_fifth_reply_that_is_2500_ms_late_for_another(self):
        self.check("fifth")
        self.assertGreater(self.meters["fifth"].lates, 2)

    def test_reads_all_behind_a_stray_byte_before_every_reply(self):
        for name in ("zeros", "ones"):
            documents, bus = self.check(name)
            self.assertEqual(bus["lostReplies"], 0)
            self.assertGreaterEqual(bus["strayBytes"], 2 * CYCLES)
            for document in documents:
                self.assertEqual(self.sdm630.expected.keys() - document.keys(), set())

    def test_reads_an_sdm630_in_two_requests_a_cycle_at_9600_baud(self):
        counts = []
        begin = len(self.documents("paced")) + 2
        for cycles in (begin, begin + 4):
            # Right behind a cycle, so that none is cut.
            wait_for(lambda cycles=cycles: len(self.documents("paced")) >= cycles, 20, "cycles")
            counts.append((len(self.documents("paced")), self.meters["paced"].requests))
        _, bus = self.check("paced")
        (cycles, requests), (later, more) = counts
        print(f"paced: {more - requests} requests in {later - cycles} cycles, {bus['cycleMilliseconds']} ms")
        self.assertEqual(more - requests, 2 * (later - cycles))

    def test_the_same_lines_deceive_libmodbus_alone(self):
        """Else the tests above would show nothing."""
        late = SerialMeter(self.sdm630.registers, late=lambda number: 0.7 * (number == 3))
        self.addCleanup(late.close)
        reader = LibmodbusReader(late.path)
        self.addCleanup(reader.close)
        right, wrong = 0, 0
        for address in range(0, 20, 2):
            words = reader.read(address, 2)
            truth = [self.sdm630.registers[4, address], self.sdm630.registers[4, address + 1]]
            right += words == truth
            wrong += words not in (None, truth)
        self.assertEqual(right, 2)
        self.assertGreater(wrong, 5)
        stray = SerialMeter(self.sdm630.registers, stray=b"\x00", turnaround=0.02)
        self.addCleanup(stray.close)
        reader = LibmodbusReader(stray.path)
        self.addCleanup(reader.close)
        self.assertEqual([reader.read(0, 2) for _ in range(3)], [None] * 3)


if __name__ == "__main__":
    unittest.main()
