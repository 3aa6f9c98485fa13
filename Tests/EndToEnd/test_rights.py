"""The household's rights by the command line, and proposals over a real broker, as somebody at home would use them."""

import json
import pathlib
import subprocess
import time
import unittest

from harness import Bench, Subscriber, agent_binary, telegram, wait_for

BENCH = (
    "--name", "Bench AS", "--country", "NO", "--basis", "a", "--categories", "P1", "--granularity", "G0",
    "--topic-root", "gateway/bench",
)
LISTEN = '[proposals]\nbroker = "local"\n'


class Rights(unittest.TestCase):
    def flows(self, bench, subscriber, topic="gateway/bench/#"):
        """Whether data comes within two seconds of telegrams."""
        before = len([m for m in subscriber.on(topic) if not m["topic"].endswith("/status")])
        for _ in range(20):
            bench.meter.send(telegram())
            time.sleep(0.1)
            if len([m for m in subscriber.on(topic) if not m["topic"].endswith("/status")]) > before:
                return True
        return False

    def test_each_verb_stops_and_lets_go(self):
        with Bench() as bench:
            subscriber = Subscriber(bench.broker.port)
            grant = bench.agent.grant("custom", "bench", "local", *BENCH)
            self.assertTrue(self.flows(bench, subscriber))
            for stop, go in (
                (("restrict", grant), ("grant", "lift", grant)),
                (("pause", grant, "--for", "1h"), ("grant", "resume", grant)),
                (("pause", "--all", "external"), ("grant", "resume", "--all")),
            ):
                bench.agent.command(*stop, "--json")
                self.assertFalse(self.flows(bench, subscriber), stop)
                bench.agent.command(*go, "--json")
                self.assertTrue(self.flows(bench, subscriber), go)
            notice = pathlib.Path(bench.folder) / "notice.txt"
            notice.write_text("We now also use it for something else.")
            changed = bench.agent.command("grant", "notice", grant, "--file", str(notice), "--json")
            self.assertEqual(changed["state"], "reviewRequired")
            self.assertFalse(self.flows(bench, subscriber))
            renewed = bench.agent.command("grant", "renew", grant, "--json")
            self.assertEqual((renewed["state"], renewed["version"]), ("active", 2))
            self.assertTrue(self.flows(bench, subscriber))
            refused = bench.agent.command("grant", "narrow", grant, "--categories", "P1,V1", code=1)
            self.assertIn("E_PROFILE_EXCEEDED", refused)
            bench.agent.command("grant", "narrow", grant, "--granularity", "G1", "--json")
            bench.agent.command("object", grant, "--json")
            self.assertFalse(self.flows(bench, subscriber))
            self.assertIn("E_STATE", bench.agent.command("grant", "resume", grant, code=1))

    def test_a_recipient_asks_and_ends_and_commands_nothing(self):
        """privacy.md C13 number 24 and 27."""
        with Bench(extra=LISTEN) as bench:
            subscriber = Subscriber(bench.broker.port)
            ask = {"v": 1, "profile": "app-insight", "name": "Bench AS", "country": "NO", "basis": "a"}

            def listed():
                return bench.agent.command("grant", "list", "--json")

            def asked():
                subscriber.publish("gateway/propose/bench", json.dumps(ask).encode())
                time.sleep(0.2)
                return listed()

            proposal = wait_for(asked, 10, "the proposal")[0]
            self.assertEqual(proposal["state"], "proposed")
            self.assertFalse(self.flows(bench, subscriber, "gateway/bench/#"))
            bench.agent.command("grant", "accept", proposal["id"], "--json")
            for words in (b"resume", b'{"v":1,"accept":"all"}', b"{" * 5000):
                subscriber.publish("gateway/propose/bench", words)
            subscriber.publish("gateway/propose/other", b'{"v":1,"end":"all"}')
            time.sleep(0.5)
            self.assertEqual([g["state"] for g in listed()], ["active"])
            subscriber.publish("gateway/propose/bench", b'{"v":1,"end":"all"}')
            wait_for(lambda: listed()[0]["state"] == "revokedByRecipient", 10, "the end")
            log = bench.agent.log.read_text()
            self.assertIn("W_REMOTE_COMMAND", log)
            self.assertIn("E_LIMIT", log)

    def test_refuses_who_has_no_profile_and_explains_every_profile(self):
        with Bench(broker_running=False) as bench:
            refused = bench.agent.command(
                "grant", "propose", "--profile", "custom", "--recipient", "elhub", "--name", "Elhub AS",
                "--country", "NO", "--basis", "a", "--categories", "P1", "--granularity", "G2", "--broker", "local", code=1,
            )
            self.assertIn("E_BASIS_NOT_FOR_GATEWAY", refused)
            self.assertIn("the national hub gets its data from the grid company", refused)
            self.assertEqual(bench.agent.command("grant", "list", "--json"), [])
        done = subprocess.run([agent_binary(), "profiles", "--json"], capture_output=True, text=True, check=True)
        profiles = {profile["name"]: profile for profile in json.loads(done.stdout)}
        self.assertEqual(len(profiles), 13)
        self.assertTrue(all(p["explanation"] and p["source"] for p in profiles.values()))
        plain = subprocess.run([agent_binary(), "profiles"], capture_output=True, text=True, check=True).stdout
        self.assertTrue(all(name in plain for name in profiles))

    def test_asks_outside_the_group_are_answered_with_a_code(self):
        """privacy.md C13 number 28, where the socket's mode was opened by mistake."""
        with Bench(broker_running=False) as bench:
            bench.agent.control.chmod(0o666)
            bench.folder.chmod(0o711)
            program = (
                "import os,socket,sys\n"
                "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
                "s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b'{\"verb\":\"status\"}\\n')\n"
                "print(s.recv(4096).decode())\n"
            )
            done = subprocess.run(
                ["python3", "-c", program, str(bench.agent.control)], capture_output=True, text=True, check=False
            )
            if "PermissionError" in done.stderr:
                self.skipTest("only root can become somebody else")
            self.assertEqual(json.loads(done.stdout)["code"], "E_AUTH", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
