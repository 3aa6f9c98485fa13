"""The acceptance cases of Modbus meters, `modbus_cases.json`: served by pymodbus and by libmodbus, read by the agent.

Each case is a unit of its own on one connection, with a profile of its own. Case 14 is about frames and case 15 about
time: `Tests/ModbusMetersTests` has them. What the cases call "power" goes out as import and export.
"""

import json
import math
import re
import time
import unittest

from harness import CHECKOUT, wait_for
from modbus import ForeignServer, LibmodbusServer, ModbusBench

CASES = {
    case["case"]: case
    for case in json.loads((CHECKOUT / "Tests/EndToEnd/modbus_cases.json").read_text())
    if "blocks" in case
}
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
    def setUpClass(cls):
        cls.server = cls.serve({number: registers(case) for number, case in CASES.items()})
        meters = {
            f"case{number}": {
                "port": f"tcp://127.0.0.1:{cls.server.port}", "profile": f"case{number}", "unit": number,
            }
            for number in CASES
        }
        profiles = {f"case{number}": profile(case) for number, case in CASES.items()}
        cls.bench = ModbusBench(meters, profiles=profiles)
        cls.bench.__enter__()
        last = max(n for n in CASES if cls.has_values(CASES[n]))
        wait_for(lambda: len(cls.bench.subscriber.on(f"meter/case{last}/state")) >= 3, 30, "three cycles")

    @classmethod
    def tearDownClass(cls):
        cls.bench.__exit__(None, None, None)
        cls.server.stop()

    @staticmethod
    def has_values(case):
        return any(isinstance(value[0], (int, float)) for value in case["expect"].values())

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
    def serve(devices):
        return ForeignServer(devices, function=3)


class OnLibmodbus(Cases, unittest.TestCase):
    @staticmethod
    def serve(devices):
        return LibmodbusServer(devices)


if __name__ == "__main__":
    unittest.main()
