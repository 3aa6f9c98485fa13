"""`gateway-agent probe`, `record --redact` and `redact` as a person runs them."""

import json
import pathlib
import subprocess
import tempfile
import unittest

import identifiers
from harness import agent_binary

TEST_KEY = "000102030405060708090A0B0C0D0E0F"
MODELS = ["nl-dsmr5", "no-aidon", "at-kaifa", "de-iskra"]


def agent(*arguments, **options):
    return subprocess.run([agent_binary(), *arguments], capture_output=True, text=True, timeout=60, **options)


class Simulated:
    """A meter that is not there, on a pseudo-terminal of its own name."""

    def __init__(self, model, folder):
        self.path = str(pathlib.Path(folder) / model)
        self.process = subprocess.Popen(
            [agent_binary(), "simulate", model, "--rate", "20", "--link", self.path], stdout=subprocess.PIPE
        )
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class Redact(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def decoded(self, path):
        done = agent("decode", "--json", "--key", TEST_KEY, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_probe_names_the_family_and_no_number(self):
        for model in MODELS:
            with self.subTest(model), Simulated(model, self.folder) as meter:
                done = agent("probe", "--json", "--seconds", "8", meter.path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                report = json.loads(done.stdout)
                self.assertIn(report["code"], ("ok", "needs_key"))
                self.assertIn(f'port = "{meter.path}"', report["configuration"])
                self.none_of(model, done.stdout)

    def test_a_recording_without_identifiers_says_the_same(self):
        for model in MODELS:
            with self.subTest(model):
                raw = str(pathlib.Path(self.folder) / "raw")
                with open(raw, "wb") as file:
                    subprocess.run(
                        [agent_binary(), "simulate", model, "--to", "-", "--frames", "5"], stdout=file, check=True
                    )
                clean = raw + ".redacted"
                done = agent("redact", "--json", "--force", "--key", TEST_KEY, "-o", clean, raw)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["dropped_bytes"], 0)
                before, after = self.decoded(raw), self.decoded(clean)
                keys = ("meter_time", "readings", "integrity", "length", "offset")
                self.assertEqual([[f.get(k) for k in keys] for f in before], [[f.get(k) for k in keys] for f in after])
                self.none_of(model, pathlib.Path(clean).read_bytes())

    def test_a_recording_is_redacted_before_it_is_written(self):
        with Simulated("nl-dsmr5", self.folder) as meter:
            clean = str(pathlib.Path(self.folder) / "clean")
            done = agent("record", "--redact", "--duration", "2", "-o", clean, meter.path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(len(self.decoded(clean)), 1)
            octets = b"".join(
                bytes.fromhex(line.split()[1]) for line in pathlib.Path(clean).read_text().splitlines() if line.startswith("+")
            )
            self.none_of("nl-dsmr5", octets)

    def none_of(self, model, output):
        """No identifier of the model stands in the output, in any form."""
        listed = agent("simulate", model, "--identifiers")
        haystack = output.encode() if isinstance(output, str) else output
        for text in json.loads(listed.stdout):
            # A list id names a kind of meter and stays.
            if "_V0" not in text and not text.startswith("KFM_"):
                self.assertEqual(identifiers.search(haystack, text), {}, f"{model}: {text}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
