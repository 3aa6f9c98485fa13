"""`gateway-agent decode --json` on every good recorded frame, in every dialect, with its key where it has one."""

import json
import subprocess
import unittest
from decimal import Decimal

from harness import SHARED, agent_binary
from identifiers import is_searchable

PREFIXES = {"": 0, "k": 3, "M": 6, "m": -3, "G": 9}
UNITS = ("varh", "VAh", "var", "Wh", "VA", "Hz", "m3", "deg", "W", "V", "A", "J", "s")
# amshan calls the hourly energy registers "power … total"; energies of named lists carry "active".
NAMES = {
    "active_power_import_total": "energy_import",
    "active_power_export_total": "energy_export",
    "reactive_power_import_total": "reactive_energy_import",
    "reactive_power_export_total": "reactive_energy_export",
    **{
        f"active_energy_{way}{ending}": f"energy_{way}{tariff}"
        for way in ("import", "export") for ending, tariff in (("", ""), ("_t1", "_tariff1"), ("_t2", "_tariff2"))
    },
}
# Where the manifest is wrong, and what proves it.
DISPUTED = {
    # Three wires: the list sends 0 for the voltage of L2, which the meter does not measure, while L1 and L3 are
    # live (decoder-cases.md 68). Absent is not zero.
    ("hdlc/no_kaifa_ma304h3e_dlmsparser.bin", "voltage_l2"),
    # 0-0:96.13 is the grid company's message (Blue Book, "consumer message"): what stands there is hidden, whatever it is.
    ("d0/de_itron_em214.txt", "96.13.21"),
}


def in_base_unit(value, unit):
    """The exact value in the unit without its prefix: 1.5 kWh is 1500 Wh, 2 h are 7200 s."""
    if unit == "h":
        return Decimal(str(value)) * 3600, "s"
    for base in UNITS:
        prefix = unit[: -len(base)]
        if unit.lower().endswith(base.lower()) and prefix in PREFIXES:
            return Decimal(str(value)).scaleb(PREFIXES[prefix]), base
    raise AssertionError(f"unknown unit {unit}")


def recorded():
    """Every frame of the manifest that is not broken."""
    manifest = SHARED / "frames" / "manifest.json"
    if not manifest.exists():
        return []
    return [entry for entry in json.loads(manifest.read_text())["entries"] if not entry["broken"]]


def keys(entry):
    """The command line's options for the keys that are public."""
    key = entry["key"] or {}
    options = ["--key", key["gue"]] if key.get("gue") else []
    return options + (["--auth-key", key["gak"]] if key.get("gak") else [])


def plain_code(key):
    """An OBIS code as the agent prints it: `1-0:1.8.0*96` is `1-0:1.8.0.96`, 255 is left out, D0's `C.6.3` is `96.6.3`
    and its `32.7` is `32.7.0`."""
    key = key.replace("*", ".").removesuffix(".255").replace("C.", "96.")
    return key + ".0" if key.count(".") == 1 else key


class Decode(unittest.TestCase):
    def faults(self, entry):
        """What differs between the manifest and the agent, and how many values were compared."""
        path = SHARED / "frames" / entry["file"]
        done = subprocess.run(
            [agent_binary(), "decode", "--json", *keys(entry), path], capture_output=True, text=True
        )
        frames = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
        # A stream may end within a frame, and the E450 breaks off a block transfer and begins it anew.
        may_be_cut = entry.get("stream") or "restart" in entry.get("notes", "")
        found = [] if done.returncode in ({0, 1} if may_be_cut else {0}) else [f"exit {done.returncode}: {done.stderr}"]
        by_code, by_name = {}, {}
        for reading in (r for frame in frames for r in frame.get("readings", [])):
            # D0 prints reduced codes, without groups A and B.
            for code in {reading["obis"], reading["obis"].split(":")[1]}:
                by_code.setdefault(code, []).append(reading)
            by_name.setdefault(reading["quantity"], []).append(reading)
        wanted = [(by_code, plain_code(k), v) for k, v in (entry["expected"] or {}).items()]
        for key in ("expected_normalised", "expected_named"):
            wanted += [(by_name, NAMES.get(k, k), v) for k, v in (entry.get(key) or {}).items()]
        compared = 0
        for readings, name, item in wanted:
            if not isinstance(item, dict) or not item.get("unit") or not isinstance(item["value"], (int, float)):
                continue
            name, _, occurrence = name.partition("#")
            if (entry["file"], name) in DISPUTED:
                continue
            value, unit = in_base_unit(item["value"], item["unit"])
            compared += 1
            matching = readings.get(name, [])
            number = int(occurrence or 1) - 1
            if len(matching) <= number:
                found.append(f"{name}#{number + 1}: {value} {unit} is missing")
            elif (Decimal(matching[number]["value"]), matching[number]["unit"]) != (value, unit):
                found.append(f"{name}: {value} {unit} expected, {matching[number]} found")
        clock = (entry.get("expected_normalised") or {}).get("meter_datetime", {}).get("value")
        if clock and not str(frames[0]["meter_time"]).startswith(clock):
            found.append(f"meter_time: {clock} expected, {frames[0]['meter_time']} found")
        found += [f"identifier in the output: {i}" for i in entry["identifiers"] if is_searchable(i) and i in done.stdout]
        return found, compared

    def test_every_value_with_a_unit_is_exact_and_no_identifier_appears(self):
        entries = recorded()
        if not entries:
            self.skipTest(f"SKIPPED: no recorded frames at {SHARED}")
        total = 0
        for entry in entries:
            with self.subTest(entry["file"]):
                found, compared = self.faults(entry)
                total += compared
                self.assertEqual(found, [])
        print(f"{len(entries)} recorded frames, {total} values compared")
        self.assertGreater(total, 1300, "most of the frames were not compared")


if __name__ == "__main__":
    unittest.main(verbosity=2)
