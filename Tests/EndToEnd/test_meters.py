"""`gateway-agent meters`, and `check-config` with the household's own meter profiles."""

import fractions
import json
import pathlib
import re
import subprocess
import tempfile
import tomllib
import unittest

from harness import CHECKOUT, SHARED, agent_binary

OWN = """[meter]
vendor = "Ours"
model = "Pump"
function = 3
[tcp]
port = 502
[values]
power = { at = 7, type = "int16", unit = "W" }
"""


class MetersTests(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = pathlib.Path(self.directory.name)
        self.meters = self.root / "meters"
        self.meters.mkdir()

    def agent(self, *arguments):
        return subprocess.run(
            [agent_binary(), *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    def list(self):
        return self.agent("meters", "--directory", str(self.meters), "--json")

    def test_lists_seventy_models_and_more(self):
        result = self.list()
        self.assertEqual(result.returncode, 0, result.stderr)
        meters = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertGreaterEqual(len(meters), 70)
        sdm630 = next(meter for meter in meters if meter["name"] == "eastron-sdm630")
        self.assertEqual(sdm630["requests"], 2)

    @unittest.skipUnless((SHARED / "modbus").exists(), f"{SHARED}/modbus is not there")
    def test_profiles_agree_with_the_facts_they_were_made_from(self):
        """Table, address, type, unit with scale and sign; a multicast meter is no Modbus meter."""
        compared = 0
        for facts in json.loads((SHARED / "modbus/profiles.json").read_text())["profiles"]:
            file = CHECKOUT / f"Sources/ModbusMeters/Profiles/{facts['id']}.toml"
            if facts["id"] == "sma-energy-meter":
                continue
            profile = tomllib.loads(file.read_text(), parse_float=fractions.Fraction)
            if "sunspec" in profile:
                continue
            usual = {"function": profile["meter"].get("function", 3)} | profile.get("defaults", {})
            for fact in facts["quantities"]:
                with self.subTest(meter=facts["id"], value=fact["name"]):
                    value = usual | profile["values"][fact["name"]]
                    sign = -1 if value.get("sign") == "export-positive" else 1
                    scale, unit = self.scaled(value)
                    # SunSpec's accumulator is a number like others, of which 0 is none.
                    kind = fact["type"].replace("acc32", "uint32")
                    self.assertEqual(
                        (value["function"], value["at"], value["type"], sign * scale, unit),
                        (fact.get("function", facts["function_code"]), fact["address"], kind)
                        + self.scaled(fact),
                    )
                    compared += 1
        self.assertGreater(compared, 1300)

    @staticmethod
    def scaled(value):
        """The factor to the unit without prefix, and that unit."""
        prefix, unit = re.fullmatch("([kM]?)(.+)", value["unit"]).groups()
        return fractions.Fraction(str(value.get("scale", 1))) * {"": 1, "k": 1000, "M": 10**6}[prefix], unit

    def test_shows_each_meter_that_it_lists(self):
        for line in self.list().stdout.splitlines():
            name = json.loads(line)["name"]
            shown = self.agent("meters", "show", name, "--directory", str(self.meters))
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertTrue(shown.stdout.startswith(f"{name}: "))

    def test_its_file_is_a_profile_of_ones_own(self):
        text = self.agent("meters", "show", "abb-b21", "--file").stdout
        (self.meters / "mine.toml").write_text(text)
        mine = json.loads(
            self.agent("meters", "show", "mine", "--directory", str(self.meters), "--json").stdout
        )
        theirs = json.loads(self.agent("meters", "show", "abb-b21", "--json").stdout)
        self.assertTrue(mine["own"])
        self.assertEqual(mine["fields"], theirs["fields"])

    def test_names_what_comes_near_an_unknown_meter(self):
        result = self.agent("meters", "show", "abb-b12")
        self.assertEqual(result.returncode, 2)
        self.assertIn("did you mean abb-b21?", result.stderr)

    def test_check_config_checks_own_profiles(self):
        configuration = self.root / "config.toml"
        configuration.write_text('[[meters]]\nname = "house"\nport = "tcp://127.0.0.1:9"\n')
        (self.meters / "pump.toml").write_text(OWN)
        good = self.agent("check-config", "--config", str(configuration), "--json")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertEqual(json.loads(good.stdout)["own_profiles"], ["pump"])
        (self.meters / "bad.toml").write_text(OWN.replace("unit", "unti"))
        bad = self.agent("check-config", "--config", str(configuration))
        self.assertEqual(bad.returncode, 2)
        self.assertIn("bad.toml:8: values.power.unti: unknown key. Did you mean", bad.stderr)


if __name__ == "__main__":
    unittest.main()
