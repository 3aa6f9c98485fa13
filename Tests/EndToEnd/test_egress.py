"""No form of any identifier leaves, whatever frame comes in and although everything grantable is granted."""

import json
import re
import subprocess
import time
import unittest

from harness import SHARED, Bench, agent_binary, crc16, wait_for
from identifiers import forms, is_searchable, search, spellings

# C1 is local only (privacy.md C3): the in-house grant holds it.
EVERYTHING = "E1,E2,E3,E4,E5,P1,P2,P3,V1,A1,Q1,F1,D1,O1,T1,L1,M1,M2,M3"
CUSTOM = (
    "--name", "Bench AS", "--country", "NO", "--purpose", "insight", "--basis", "a", "--channels", "1,2,3,4",
    "--granularity", "G0", "--quantum", "R0", "--absolute", "--topic-root", "gateway/bench",
    
)


def recorded():
    """Recorded frames of the dialects that this release reads, with their identifiers."""
    manifest = SHARED / "frames" / "manifest.json"
    if not manifest.exists():
        return []
    entries = json.loads(manifest.read_text())["entries"]
    # Without checksum first: from a meter that has sent one, a frame without does not count.
    entries.sort(key=lambda entry: entry["crc_ok"] != "absent")
    return [
        (e["file"], (SHARED / "frames" / e["file"]).read_bytes(), e["identifiers"] or [])
        for e in entries
        if e["family"] in ("p1", "hdlc")
    ]


def simulated():
    """Two frames of every simulated meter, with the identifiers it invented."""
    listed = subprocess.check_output([agent_binary(), "simulate", "--list", "--json"], text=True)
    for model in map(json.loads, listed.splitlines()):
        words = [agent_binary(), "simulate", model["name"], "--to", "-", "--frames", "2", "--seed", "7"]
        frames = subprocess.check_output(words, stderr=subprocess.DEVNULL)
        described = json.loads(subprocess.check_output([*words[:3], "--identifiers", "--seed", "7"]))
        yield model["name"], frames, described


def resigned(data):
    """The telegram with the checksum that fits its bytes, if it carries one."""
    match = re.search(rb"\n!([0-9A-Fa-f]{4})", data)
    if not match:
        return data
    checksum = crc16(data[data.index(b"/") : match.start() + 2])
    return data[: match.start() + 2] + f"{checksum:04X}".encode() + data[match.end() :]


class Scanner(unittest.TestCase):
    def test_finds_each_form_that_privacy_md_lists(self):
        """The vector of privacy.md C10 for E0042001234567890: a scanner that finds nothing proves nothing."""
        for hidden in (
            b"4530303432303031323334353637383930", b"0987654321002400E", bytes.fromhex("0042001234567890"),
            bytes.fromhex("9078563412004200"), b"RTAwNDIwMDEyMzQ1Njc4OT", b"UwMDQyMDAxMjM0NTY3ODkw",
            b"FMDA0MjAwMTIzNDU2Nzg5M", b"IUYDANBSGAYDCMRTGQ2TMNZYHEYA", b"e0042001234567890",
        ):
            self.assertTrue(search(b"x" + hidden + b"y", "E0042001234567890"), hidden)
        self.assertTrue(search(b"..E0042001234567890..", "4530303432303031323334353637383930"))
        self.assertFalse(search(b"meter/home/state 473", "E0042001234567890"))


class Egress(unittest.TestCase):
    def outbound(self, *frames):
        """Everything the agent wrote anywhere while it read these frames, and how many it decoded."""
        with Bench(wiretap=True) as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            bench.agent.grant("custom", "bench", "local", "--categories", EVERYTHING, *CUSTOM)
            wait_for(lambda: bench.wiretap.connections >= 2, 10, "both connections")
            time.sleep(0.2)
            for data in frames:
                bench.meter.send(data)
                time.sleep(0.05)
            time.sleep(0.5)
            status = bench.agent.command("status", "--json")
            bench.agent.stop()
            return bytes(bench.wiretap.sent) + bench.agent.log.read_bytes(), status["meters"][0]["frames"]

    def check(self, cases):
        """Looks for every identifier in the output of all frames together; a hit is then looked at alone."""
        written, frames = self.outbound(*(data for _, data, _ in cases))
        print(f"{len(cases)} inputs, {frames} frames decoded, {len(written)} bytes written")
        self.assertGreater(frames, len(cases) / 3)
        self.assertGreater(len(written), 500 * frames, "what is decoded must be published, or the test is blind")
        leaks = []
        for name, data, identifiers in cases:
            for identifier in filter(is_searchable, identifiers):
                if not search(written, identifier):
                    continue
                alone = self.outbound(data)[0]
                for form, found in search(alone, identifier).items():
                    if not self.is_chance(data, identifier, found):
                        leaks.append((name, form))
        self.assertEqual(leaks, [])

    def is_chance(self, data, identifier, found):
        """A hit that the same run with another identifier shows too is chance (P1: its checksum is repairable)."""
        changed = data
        for text in spellings(identifier):
            other = "".join(str((int(c) + 3) % 10) if c.isdigit() else c for c in text)
            for old, new in ((text, other), (text.encode().hex(), other.encode().hex())):
                changed = changed.replace(old.encode(), new.encode())
                changed = changed.replace(old.upper().encode(), new.upper().encode())
        if changed == data or not data.startswith(b"/"):
            return False
        return found in self.outbound(resigned(changed))[0].lower()

    def test_recorded_frames_leak_no_identifier(self):
        cases = recorded()
        if not cases:
            self.skipTest(f"SKIPPED: no recorded frames at {SHARED}")
        self.check(cases)

    def test_simulated_frames_leak_no_identifier(self):
        self.check(list(simulated()))


if __name__ == "__main__":
    assert forms("E0042001234567890")
    unittest.main(verbosity=2)
