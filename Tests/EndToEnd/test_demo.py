"""`gateway-agent demo` shows both recipients, exits 0, and leaves nothing behind."""

import glob
import os
import subprocess
import tempfile
import unittest

from harness import agent_binary


class Demo(unittest.TestCase):
    def test_ends_by_itself_and_leaves_no_process_and_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, DEMO_SECONDS="10", TMPDIR=folder)
            done = subprocess.run(
                [agent_binary(), "demo"], env=environment, capture_output=True, text=True, timeout=60
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("home-assistant got", done.stdout)
            self.assertIn('"window_s":60', done.stdout)
            self.assertEqual(os.listdir(folder), [])
            for command in glob.glob("/proc/[0-9]*/cmdline"):
                try:
                    with open(command, "rb") as file:
                        self.assertNotIn(folder.encode(), file.read(), "a process was left behind")
                except OSError:
                    continue  # It has ended meanwhile.

    def test_refuses_a_time_in_which_nothing_can_be_seen(self):
        done = subprocess.run(
            [agent_binary(), "demo"], env=dict(os.environ, DEMO_SECONDS="5"), capture_output=True, timeout=20
        )
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
