"""The acceptance cases of Modbus meters, `modbus_cases.json`: served by pymodbus and by libmodbus, read by the agent.

Each case is a unit of its own on one connection, with a profile of its own. Case 14 is about frames that no such server
sends: a gateway of serial frames sends them. What the cases call "power" goes out as import and export.
"""

import concurrent.futures
import itertools
import json
import math
import re
import time
import unittest

from harness import CHECKOUT, SHARED, wait_for
from modbus import Changes, ForeignServer, FrameServer, LibmodbusServer, ModbusBench

FILE = CHECKOUT / "Tests/EndToEnd/modbus_cases.json"
ALL = {case["case"]: case for case in json.loads(FILE.read_text())}
CASES = {number: case for number, case in ALL.items() if "blocks" in case}
# Case 15 has two counters, whose values change from cycle to cycle.
COUNTERS = {
    101: (ALL[15]["sequence"], ALL[15]["published"]), 102: (ALL[15]["sequence2"], ALL[15]["published2"]),
}
COUNTER = """[meter]
vendor = "Case"
model = "15"
function = 3
[tcp]
port = 502
[values]
energy_import = { at = 0, type = "uint32", unit = "kWh", scale = 0.01 }
"""
FRAME = """[meter]
vendor = "Case"
model = "14"
function = 4
timeout_ms = 300
[tcp]
port = 502
[values]
voltage_l1 = { at = 0, type = "float32", unit = "V" }
"""
ORDER = {"big": "high-first", "little": "low-first"}
UNITS = {"energy": ("wh", 1000), "voltage": ("v", 1), "current": ("a", 1), "frequency": ("hz", 1)}


def toml(value):
    if isinstance(value, dict):
        # Addresses in hexadecimal: some would look like a manual's number.
        inner = [
            f"{key} = 0x{each:X}" if key.endswith("at") else f"{key} = {toml(each)}" for key, each in value.items()
        ]
        return "{ " + ", ".join(inner) + " }"
    return json.dumps(value)


def profile(case):
    """The case's profile as a file of the household's own."""
    given = case["profile"]
    patterns = dict(given.get("missing", {}))
    # An accumulator of SunSpec is a uint32 for which 0 is no value; 8000 in a scale factor is known.
    accumulators = patterns.pop("acc32", None)
    patterns.pop("sunssf", None)
    lines = [
        "[meter]", 'vendor = "Case"', f'model = "{case["case"]}"', "function = 3",
        f'word_order = "{ORDER[given["word_order"]]}"', "[tcp]", "port = 502",
    ]
    if patterns:
        lines += ["[defaults]", f"missing = {toml(patterns)}"]
    if "ratios" in given:
        lines.append("[ratios]")
        lines += [f"{name} = {toml(ratio)}" for name, ratio in given["ratios"].items()]
    lines.append("[values]")
    for name, value in given["values"].items():
        value = dict(value)
        if "word_order" in value:
            value["word_order"] = ORDER[value["word_order"]]
        if value["type"] == "acc32":
            value |= {"type": "uint32", "missing": accumulators}
        # A name that no reading has stays in the house.
        known = name if name != "power_wrong" else "x_power_wrong"
        if name == "power_wrong":
            value["overlap_ok"] = True
        lines.append(f"{known} = {toml(value)}")
    return "\n".join(lines) + "\n"


def registers(case):
    return {
        block["start"]: [int(word, 16) for word in block["registers"].split()]
        for block in case["blocks"]
        if block["registers"]
    }


def published(name, value):
    """The keys under which a value goes out, and the numbers there."""
    if name.startswith(("power_factor", "energy", "voltage", "current", "frequency")):
        kind = re.match(r"power_factor|[a-z]+", name).group(0)
        unit, factor = UNITS.get(kind, (None, 1))
        return {f"{name}_{unit}" if unit else name: value * factor}
    kind, phase = re.match(r"(power|reactive_power|apparent_power)(_l\d)?$", name).groups()
    word, unit = {
        "power": ("active_power", "w"), "reactive_power": ("reactive_power", "var"),
        "apparent_power": ("apparent_power", "va"),
    }[kind]
    phase = phase or ""
    return {
        f"{word}_import{phase}_{unit}": max(value, 0), f"{word}_export{phase}_{unit}": max(-value, 0),
    }


class Cases:
    @classmethod
    def begin(cls):
        devices = {number: registers(case) for number, case in CASES.items()}
        counted = {
            unit: [list(divmod(round(100 * value), 65536)) for _, value in sequence]
            for unit, (sequence, _) in COUNTERS.items()
        }
        devices |= {unit: {0: words[0]} for unit, words in counted.items()}
        changes = Changes(counted)
        cls.server = cls.serve(devices, changes)
        meters = {
            f"case{number}": {
                "port": f"tcp://127.0.0.1:{cls.server.port}", "profile": f"case{number}", "unit": number,
            }
            for number in [*CASES, *COUNTERS]
        }
        profiles = {f"case{number}": profile(case) for number, case in CASES.items()}
        profiles |= {f"case{number}": COUNTER for number in COUNTERS}
        cls.bench = ModbusBench(meters, profiles=profiles)
        cls.bench.__enter__()
        wait_for(lambda: all(cls.bench.subscriber.on(f"meter/case{unit}/state") for unit in COUNTERS), 30, "counters")
        changes.has_begun = True
        last = max(n for n in CASES if cls.has_values(CASES[n]))
        wait_for(lambda: len(cls.bench.subscriber.on(f"meter/case{last}/state")) >= 3, 30, "three cycles")

    @classmethod
    def end(cls):
        cls.bench.__exit__(None, None, None)
        cls.server.stop()

    @staticmethod
    def has_values(case):
        return any(isinstance(value[0], (int, float)) for value in case["expect"].values())

    def test_case_15_drops_a_zero_and_a_spike_and_believes_an_exchange(self):
        for unit, (_, published_values) in COUNTERS.items():
            with self.subTest(unit=unit):
                # "counter reset" stands in front of the value that is believed again.
                expected = [value[1] if isinstance(value, list) else value for value in published_values]
                expected = [value and round(1000 * value) for value in expected]
                topic = f"meter/case{unit}/state"
                wait_for(lambda: self.energies(topic)[-1:] == expected[-1:], 30, "the last value")
                # The first and the last are read more than once.
                shown = [value for value, _ in itertools.groupby(self.energies(topic))]
                self.assertEqual(shown, [value for value in expected if value is not None])

    def energies(self, topic):
        documents = [json.loads(message["payload"]) for message in self.bench.subscriber.on(topic)]
        return [each["energy_import_wh"] for each in documents if "energy_import_wh" in each]

    def check(self, number):
        case = CASES[number]
        messages = self.bench.subscriber.on(f"meter/case{number}/state")
        documents = [json.loads(message["payload"]) for message in messages]
        if not self.has_values(case):
            time.sleep(1)
            return self.assertEqual(documents, [])
        self.assertGreaterEqual(len(documents), 2)
        for name, (value, _) in case["expect"].items():
            for document in documents:
                if isinstance(value, (int, float)):
                    for key, number_out in published(name, value).items():
                        if value >= 0 or key in document or "apparent" not in key:
                            self.assertIn(key, document, name)
                            self.assertTrue(
                                math.isclose(document[key], number_out, rel_tol=2e-7), f"{key}: {document}"
                            )
                elif name != "power_wrong":
                    for key in published(name, 1):
                        self.assertNotIn(key, document, name)


def add(number):
    title = re.sub(r"\W+", "_", CASES[number]["title"].lower()).strip("_")[:60]
    setattr(Cases, f"test_case_{number}_{title}", lambda self: self.check(number))


for each in CASES:
    add(each)


class OnPymodbus(Cases, unittest.TestCase):
    @staticmethod
    def serve(devices, changes):
        return ForeignServer(devices, function=3, changes=changes)


class OnLibmodbus(Cases, unittest.TestCase):
    @staticmethod
    def serve(devices, changes):
        return LibmodbusServer(devices, changes)


class FrameTests(unittest.TestCase):
    """Case 14: each frame alone, and with the good one behind it."""

    @classmethod
    def begin(cls):
        frames = {frame["what"].replace(" ", "-").lower(): bytes.fromhex(frame["bytes"]) for frame in ALL[14]["frames"]}
        replies = frames | {f"then-{what}": frame + frames["good"] for what, frame in frames.items()}
        cls.servers = {name: FrameServer(reply) for name, reply in replies.items()}
        common = {"profile": "frame", "framing": "rtu"}
        cls.bench = ModbusBench(
            {name: common | {"port": f"tcp://127.0.0.1:{server.port}"} for name, server in cls.servers.items()},
            profiles={"frame": FRAME},
        )
        cls.bench.__enter__()
        for name, server in cls.servers.items():
            wait_for(lambda server=server: len(server.requests) >= 3, 20, f"requests to {name}")

    @classmethod
    def end(cls):
        cls.bench.__exit__(None, None, None)
        for server in cls.servers.values():
            server.stop()

    def voltages(self, name):
        documents = [json.loads(m["payload"]) for m in self.bench.subscriber.on(f"meter/{name}/state")]
        return {document.get("voltage_l1_v") for document in documents}

    def test_case_14_sends_the_request_and_takes_the_good_frame(self):
        self.assertEqual(self.servers["good"].requests[0], bytes.fromhex("01 04 00 00 00 02 71 CB"))
        wait_for(lambda: self.voltages("good") == {230.2}, 10, "the value")

    def test_case_14_takes_no_other_frame(self):
        for name in ("crc-error", "other-unit", "other-function", "late-reply-of-a-longer-read", "truncated", "exception"):
            with self.subTest(frame=name):
                self.assertEqual(self.voltages(name), set())

    def test_case_14_takes_the_good_frame_behind_another(self):
        for name in ("crc-error", "other-unit", "other-function", "late-reply-of-a-longer-read", "truncated"):
            with self.subTest(frame=name):
                wait_for(lambda name=name: self.voltages(f"then-{name}") == {230.2}, 10, f"the value behind {name}")


# What is served at the same time is waited for once.
SUITES = (OnPymodbus, OnLibmodbus, FrameTests)


def setUpModule():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        beginnings = [pool.submit(suite.begin) for suite in SUITES]
    for suite, beginning in zip(SUITES, beginnings):
        if not beginning.exception():
            unittest.addModuleCleanup(suite.end)
    for beginning in beginnings:
        beginning.result()


class FileTests(unittest.TestCase):
    @unittest.skipUnless((SHARED / "modbus").exists(), f"{SHARED}/modbus is not there")
    def test_the_cases_are_those_of_the_design(self):
        self.assertEqual(list(ALL.values()), json.loads((SHARED / "modbus/acceptance_cases.json").read_text()))


if __name__ == "__main__":
    unittest.main()
