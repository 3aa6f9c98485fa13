"""The four fault tests of the agent: broker late, broker away, port unplugged, a digit changed under the old checksum."""

import json
import time
import unittest

from harness import Bench, Subscriber, telegram, wait_for

STATE = "meter/home/state"


class Faults(unittest.TestCase):
    """In each case the agent continues by itself and publishes nothing false."""

    def stream(self, bench, subscriber, since, seconds=5):
        """Sends a telegram every 0.1 s until one arrives; returns how long that took."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            bench.meter.send(telegram())
            time.sleep(0.1)
            if [m for m in subscriber.on(STATE) if m["at"] >= since]:
                return time.monotonic() - since
        raise AssertionError(f"nothing on {STATE} for {seconds} s")

    def test_publishes_after_a_broker_that_was_absent_at_start(self):
        with Bench(broker_running=False) as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            time.sleep(8)
            bench.broker.start()
            since = time.monotonic()
            subscriber = Subscriber(bench.broker.port)
            took = self.stream(bench, subscriber, since)
            print(f"broker absent at start: data {took:.2f} s after it came")
            self.assertLess(took, 5)

    def test_publishes_after_a_broker_that_was_gone_for_10_seconds(self):
        with Bench() as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            first = Subscriber(bench.broker.port)
            self.stream(bench, first, time.monotonic())
            bench.broker.stop()
            time.sleep(10)
            bench.broker.start()
            since = time.monotonic()
            subscriber = Subscriber(bench.broker.port)
            took = self.stream(bench, subscriber, since)
            print(f"broker gone for 10 s: data {took:.2f} s after it came back")
            self.assertLess(took, 5)
            values = [json.loads(m["payload"]) for m in subscriber.on(STATE)]
            self.assertTrue(all(v.get("active_power_import_w") == 473 for v in values))

    def test_picks_up_a_port_that_was_unplugged_for_8_seconds(self):
        with Bench() as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            subscriber = Subscriber(bench.broker.port)
            self.stream(bench, subscriber, time.monotonic())
            bench.meter.unplug()
            gone = time.monotonic()
            offline = subscriber.wait("meter/home/status", since=gone, seconds=10)
            self.assertEqual(offline[-1]["payload"], b"offline")
            time.sleep(max(0, gone + 8 - time.monotonic()))
            for message in subscriber.on(STATE):
                if message["at"] > gone + 0.5:
                    self.assertNotIn("active_power_import_w", json.loads(message["payload"]))
            bench.meter.plug()
            since = time.monotonic()
            took = self.stream(bench, subscriber, since)
            print(f"port unplugged for 8 s: data {took:.2f} s after it came back")
            self.assertLess(took, 5)
            wait_for(
                lambda: subscriber.on("meter/home/status")[-1]["payload"] == b"online", 5, "status online"
            )

    def test_publishes_nothing_of_a_telegram_with_one_digit_changed(self):
        with Bench() as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            subscriber = Subscriber(bench.broker.port)
            self.stream(bench, subscriber, time.monotonic())
            before = len(subscriber.on(STATE))
            damaged = telegram(power="00.473").replace(b"00.473*kW", b"90.473*kW", 1)
            bench.meter.send(damaged)
            bench.meter.send(telegram(power="00.474"))
            wait_for(lambda: len(subscriber.on(STATE)) > before, 5, "the good telegram behind it")
            values = [json.loads(m["payload"])["active_power_import_w"] for m in subscriber.on(STATE)]
            self.assertNotIn(90473, values)
            self.assertEqual(values[-1], 474)
            self.assertEqual(len(values), before + 1)

    def test_takes_no_telegram_without_checksum_from_a_meter_that_sends_them(self):
        with Bench() as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            subscriber = Subscriber(bench.broker.port)
            self.stream(bench, subscriber, time.monotonic())
            stripped = telegram(power="00.999")[:-6] + b"\r\n"
            for _ in range(9):
                bench.meter.send(stripped)
            bench.meter.send(telegram(power="00.474"))
            wait_for(
                lambda: b'"active_power_import_w":474' in subscriber.on(STATE)[-1]["payload"], 5, "the good telegram"
            )
            self.assertFalse([m for m in subscriber.on(STATE) if b'"active_power_import_w":999' in m["payload"]])
            for _ in range(11):
                bench.meter.send(stripped)
            wait_for(
                lambda: b'"active_power_import_w":999' in subscriber.on(STATE)[-1]["payload"], 5, "the other meter"
            )


if __name__ == "__main__":
    unittest.main(verbosity=2)
