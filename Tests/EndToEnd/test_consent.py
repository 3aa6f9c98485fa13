"""Default deny, withdrawal and expiry, seen from the broker."""

import json
import socket
import threading
import time
import unittest

from harness import Bench, Subscriber, telegram, wait_for


class Consent(unittest.TestCase):
    def test_opens_no_broker_connection_without_a_grant(self):
        """privacy.md C13 number 1."""
        with Bench(wiretap=True) as bench:
            for _ in range(100):
                bench.meter.send(telegram())
            status = wait_for(
                lambda: (s := bench.agent.command("status", "--json"))["meters"][0]["frames"] >= 100 and s,
                10,
                "100 decoded telegrams",
            )
            self.assertEqual(status["meters"][0]["rejected"], 0)
            self.assertEqual(bench.wiretap.connections, 0)
            self.assertEqual(bytes(bench.wiretap.sent), b"")

    def test_withdrawal_ends_the_stream_and_clears_what_is_retained(self):
        """privacy.md C13 number 16 and 58."""
        with Bench() as bench:
            identifier = bench.agent.grant("local-automation", "home-assistant", "local")
            subscriber = Subscriber(bench.broker.port)
            bench.meter.send(telegram())
            subscriber.wait("meter/home/state")
            retained = {m["topic"] for m in Subscriber(bench.broker.port).wait("#", count=5)}
            self.assertTrue(any(t.startswith("homeassistant/sensor/") for t in retained), retained)
            receipt = bench.agent.command("withdraw", identifier, "--json")
            at = time.monotonic()
            self.assertGreater(receipt["gw:effect"]["messages"], 0)
            for _ in range(5):
                bench.meter.send(telegram())
            time.sleep(0.5)
            late = [m for m in subscriber.messages if m["at"] > at and m["payload"] and b"withdrawn" not in m["payload"]]
            self.assertEqual(late, [])
            fresh = Subscriber(bench.broker.port)
            time.sleep(0.5)
            self.assertEqual([m for m in fresh.messages if m["retain"]], [])

    def test_accept_after_withdrawal_is_refused(self):
        """privacy.md C13 number 23."""
        with Bench() as bench:
            identifier = bench.agent.grant("local-automation", "home-assistant", "local")
            bench.agent.command("withdraw", identifier, "--json")
            answer = bench.agent.command("grant", "accept", identifier, code=1)
            self.assertIn("E_STATE", answer)

    def test_a_restart_keeps_grants_and_never_revives_a_withdrawn_one(self):
        with Bench() as bench:
            kept = bench.agent.grant("local-automation", "home-assistant", "local")
            gone = bench.agent.grant(
                "custom", "bench", "local", "--name", "Bench AS", "--country", "NO", "--purpose", "insight",
                "--basis", "a", "--categories", "P1", "--granularity", "G2", "--topic-root", "gateway/bench",
                
            )
            bench.agent.command("withdraw", gone, "--json")
            bench.agent.kill()
            bench.agent.start()
            subscriber = Subscriber(bench.broker.port)
            bench.meter.send(telegram())
            subscriber.wait("meter/home/state")
            grants = {g["id"]: g["state"] for g in bench.agent.command("grant", "list", "--json")}
            self.assertEqual(grants[kept], "active")
            self.assertEqual(grants[gone], "withdrawn")
            self.assertEqual(subscriber.on("gateway/bench/#"), [])

    def test_one_dead_broker_delays_nobody(self):
        """A broker that accepts and never answers must not hold up the household's own."""
        silent = socket.create_server(("127.0.0.1", 0))
        held = []
        threading.Thread(target=lambda: held.append(silent.accept()), daemon=True).start()
        extra = (
            '[[brokers]]\nname = "silent"\nhost = "127.0.0.1"\n' f"port = {silent.getsockname()[1]}\n"
        )
        with Bench(extra="") as bench:
            text = bench.agent.configuration.read_text()
            bench.agent.stop()
            bench.agent.configuration.write_text(text + extra)
            bench.agent.start()
            bench.agent.grant("local-automation", "home-assistant", "local")
            bench.agent.grant(
                "custom", "bench", "silent", "--name", "Bench AS", "--country", "NO", "--purpose", "insight",
                "--basis", "a", "--categories", "P1", "--granularity", "G2", "--topic-root", "gateway/bench",
                
            )
            subscriber = Subscriber(bench.broker.port)
            wait_for(lambda: held, 5, "the agent at the silent broker")
            for number in range(20):
                bench.meter.send(telegram(power=f"00.{500 + number}"))
            values = subscriber.wait("meter/home/state", count=20, seconds=5)
            self.assertEqual(json.loads(values[-1]["payload"])["active_power_import_w"], 519)
        silent.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
