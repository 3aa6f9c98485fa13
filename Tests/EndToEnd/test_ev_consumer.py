"""A charger that obeys the consumer contract on a real broker: the five steps of the acceptance test for recipes, and F-7.

Contract (docs/topics.md): a delta once for each `seq`; reductions at once; raises by `raise_a`, 4 A at most and at most every 30 s; nothing past
`valid_until`; without a feed, `failsafe_a`. Samples hold two seconds here and the window of raises is ten, so that each step is over in seconds.
"""

import json
import threading
import time
import unittest

import test_ev
from harness import Subscriber, wait_for
from test_ev import EV, STALE, OldSubscriber, frame

FAILSAFE = 6.0
HOLD = 10
# Longest silence a consumer takes; the contract's 30 s, in these tests' scale.
SILENCE = STALE + 1


class Charger:
    """Follows `ev/charger/garage` and keeps what it allowed itself, with the time of each change."""

    def __init__(self, port, kind=Subscriber, allowed=16.0):
        self.allowed = allowed
        self.history = [(time.monotonic(), allowed, None)]
        self.seen = 0
        self.sequence = None
        self.raised = 0.0
        self.fresh = time.monotonic()
        self.subscriber = kind(port, (EV + "charger/garage", EV + "limit", "meter/status"))
        self.is_open = True
        threading.Thread(target=self.follow, daemon=True).start()

    def set(self, amperes, why):
        if amperes != self.allowed:
            self.allowed = amperes
            self.history.append((time.monotonic(), amperes, why))

    def follow(self):
        while self.is_open:
            messages = self.subscriber.messages
            while self.seen < len(messages):
                self.hear(messages[self.seen])
                self.seen += 1
            if time.monotonic() - self.fresh > SILENCE:
                self.set(min(self.allowed, FAILSAFE), "silence")
            time.sleep(0.005)

    def hear(self, message):
        if message["topic"] == "meter/status":
            if message["payload"] == b"offline":
                self.set(min(self.allowed, FAILSAFE), "last will")
            return
        if not message["payload"] or message["topic"].endswith("limit"):
            return
        document = json.loads(message["payload"])
        if document["state"] != "ok":
            return self.set(min(self.allowed, document["failsafe_a"]), "failsafe")
        if document.get("seq") == self.sequence or "delta_a" not in document:
            return
        self.sequence, self.fresh = document["seq"], message["at"]
        delta, now = document["delta_a"], time.monotonic()
        if delta < 0:
            # Below the least current is a pause.
            wanted = self.allowed + delta
            self.set(wanted if wanted >= 6 else 0.0, "reduced")
        elif document.get("raise_a", 0) > 0 and now - self.raised >= 3:
            self.raised = now
            self.set(min(16.0, self.allowed + min(document["raise_a"], 4)), "raised")

    def since(self, moment):
        return [(at, amperes, why) for at, amperes, why in self.history if at > moment]

    def close(self):
        self.is_open = False
        self.subscriber.close()


class Consumer(unittest.TestCase):
    # Only the harness of that suite; its tests run there.
    bench, connected, late, limits = (
        test_ev.Charging.bench, test_ev.Charging.connected, test_ev.Charging.late, test_ev.Charging.limits
    )

    def charger(self, bench, kind=Subscriber, **options):
        charger = Charger(bench.broker.port, kind, **options)
        self.addCleanup(charger.close)
        return charger

    def send(self, bench, seconds=0.0, **values):
        """A sample every 0.5 s for so long, one at least; returns when the first had gone."""
        first = None
        end = time.monotonic() + seconds
        while first is None or time.monotonic() < end:
            sent = bench.meter.send(frame(**values))
            first = first or sent
            time.sleep(0.5)
        return first

    def failsafe_within(self, charger, moment, seconds):
        wait_for(lambda: charger.allowed <= FAILSAFE, seconds, "the failsafe current")
        return charger.since(moment)[-1][0] - moment

    def test_go_no_go_1_kettle_on_a_loaded_phase_is_answered_within_two_samples(self):
        bench = self.bench()
        charger = self.charger(bench)
        self.send(bench, 1, amperes=(23, 20, 20), watts=14_000)
        self.assertEqual(charger.allowed, 16.0)
        kettle = self.send(bench, 1, amperes=(32, 20, 20), watts=16_000)
        changes = charger.since(kettle)
        self.assertTrue(changes, "the charger was not told")
        self.assertEqual(changes[0][1:], (8.0, "reduced"))
        # Two samples are one second here; the answer came with the first.
        self.assertLess(changes[0][0] - kettle, 0.5)

    def test_go_no_go_2_unplugged_meter_means_the_failsafe_current(self):
        bench = self.bench()
        for kind in (Subscriber, OldSubscriber):
            charger = self.charger(bench, kind)
            last = self.send(bench, 1, amperes=(18, 18, 18))
            unplugged = time.monotonic()
            bench.meter.unplug()
            self.failsafe_within(charger, last, 60)
            self.assertEqual(charger.since(unplugged)[0][1:], (FAILSAFE, "failsafe"))
            self.assertLess(charger.since(unplugged)[0][0] - unplugged, STALE + 1)
            bench.meter.plug()
            self.read_again(bench)

    def test_go_no_go_3_killed_agent_means_the_failsafe_current(self):
        bench = self.bench()
        charger = self.charger(bench)
        self.send(bench, 1, amperes=(18, 18, 18))
        killed = time.monotonic()
        bench.agent.kill()
        self.assertLess(self.failsafe_within(charger, killed, 60), 2)
        self.assertEqual(charger.since(killed)[0][2], "last will")

    def test_go_no_go_4_nobody_charges_on_an_old_value_without_the_agent(self):
        bench = self.bench()
        self.send(bench, 1, amperes=(1, 1, 1), watts=500)
        self.assertIn(EV + "limit", self.late(bench))
        bench.agent.kill()
        bench.broker.stop()
        bench.broker.start()
        for kind in (Subscriber, OldSubscriber):
            charger = self.charger(bench, kind, allowed=FAILSAFE)
            time.sleep(STALE + 2)
            self.assertEqual(charger.since(0)[1:], [])
            self.assertEqual([m for m in charger.subscriber.messages if m["payload"] not in (b"offline", b"")], [])

    def test_go_no_go_5_nothing_is_raised_before_a_full_window_after_a_reconnection(self):
        bench = self.bench()
        charger = self.charger(bench)
        self.send(bench, 1, amperes=(18, 18, 18))
        bench.broker.stop()
        time.sleep(STALE + 1.5)
        self.assertEqual(charger.allowed, FAILSAFE)
        bench.broker.start()
        self.connected(bench)
        charger = self.charger(bench, allowed=FAILSAFE)
        back = self.send(bench, HOLD + 4, amperes=(8, 8, 8), watts=5_000)
        changes = charger.since(back)
        self.assertTrue(changes, "it was never raised")
        self.assertEqual(changes[0][2], "raised")
        self.assertGreaterEqual(changes[0][0] - back, HOLD - 0.1)

    def test_f7_meter_that_returns_reduces_at_once_and_raises_after_the_window(self):
        bench = self.bench()
        charger = self.charger(bench)
        last = self.send(bench, 1, amperes=(18, 18, 18))
        bench.meter.unplug()
        self.failsafe_within(charger, last, STALE + 3)
        bench.meter.plug()
        back = self.returned(bench, charger, (26, 18, 18))
        reduced = charger.since(back)[0]
        # 6 A less 2: below what a car can draw, so it pauses.
        self.assertEqual(reduced[1:], (0.0, "reduced"))
        self.send(bench, HOLD + 4, amperes=(8, 8, 8), watts=5_000)
        raised = [change for change in charger.since(back) if change[2] == "raised"]
        self.assertTrue(raised, "it was never raised")
        self.assertGreaterEqual(raised[0][0] - reduced[0], HOLD - 0.6)

    def read_again(self, bench):
        """Waits until a sample gets through after the meter was plugged in."""
        subscriber = Subscriber(bench.broker.port)
        end = time.monotonic() + 10
        while not self.limits(subscriber, "ok"):
            self.assertLess(time.monotonic(), end, "no sample got through")
            bench.meter.send(frame())
            time.sleep(0.2)
        subscriber.close()

    def returned(self, bench, charger, amperes):
        """Sends samples until the port is read again and the charger has changed; returns when that began."""
        began = time.monotonic()
        end = began + 10
        while not charger.since(began):
            self.assertLess(time.monotonic(), end, "no sample got through")
            bench.meter.send(frame(amperes=amperes))
            time.sleep(0.2)
        return began


if __name__ == "__main__":
    unittest.main(verbosity=2)
