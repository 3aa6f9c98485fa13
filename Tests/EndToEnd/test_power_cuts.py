"""Kills the agent at random instants of random decisions about consent, and looks what is left.

    scripts/power-cuts.sh [N]       N cuts, 1000 if not told otherwise; 25 in `make test`

After each cut the ledger has to verify, and nothing that was withdrawn, or seen as ended, may ever be in force
or send anything again.
"""

import os
import random
import threading
import time
import unittest

import control
from harness import Bench, Subscriber, telegram, wait_for

CUTS = int(os.environ.get("GATEWAY_POWER_CUTS", "25"))
SEED = int(os.environ.get("GATEWAY_POWER_CUTS_SEED", "1"))
# The ledger is walked at each start: a new household now and then keeps that short.
CUTS_PER_HOUSEHOLD = 100
ENDED = {"withdrawn", "objected", "expired", "superseded", "revokedByRecipient", "invalidated", "refused", "erased"}


class Person(threading.Thread):
    """Decides one thing after the other until the agent is gone."""

    def __init__(self, path, household, chance):
        super().__init__(daemon=True)
        self.path, self.household, self.chance = path, household, chance
        self.broken = None
        self.decisions = 0

    def run(self):
        try:
            while True:
                try:
                    self.decide()
                    self.decisions += 1
                except control.Refused as refusal:
                    # A pause may have ended, a grant may not be active: all is well as long as it is said.
                    if refusal.code not in ("E_STATE", "E_LIMIT", "E_PROFILE_EXCEEDED"):
                        raise
        except (OSError, ValueError):
            pass  # The agent was killed in the middle of it.
        except Exception as error:  # noqa: BLE001  (shown by the test)
            self.broken = error

    def decide(self):
        house, chance = self.household, self.chance
        if len(house.living) < 3:
            house.number += 1
            name = f"cut-{house.number}"
            identifier = control.grant(self.path, name, "local")
            house.living[identifier] = name
            return
        identifier = chance.choice(sorted(house.living))
        verb = chance.choice(
            ["withdraw", "withdraw", "withdraw", "object", "restrict", "grant.lift", "pause", "grant.resume",
             "grant.narrow", "grant.renew", "grant.notice", "supersede", "pause-all", "resume-all"]
        )
        if verb in ("withdraw", "object"):
            house.leaving.add(identifier)
            control.ask(self.path, verb, grant=identifier)
            house.gone[identifier] = (house.living.pop(identifier), time.monotonic())
        elif verb == "grant.narrow":
            control.ask(self.path, verb, grant=identifier, narrowing={"categories": ["P1"]})
        elif verb == "grant.notice":
            text = {"text": f"text {house.number}", "language": "en", "isMaterial": chance.random() < 0.5}
            control.ask(self.path, verb, grant=identifier, notice=text)
        elif verb == "pause-all":
            control.ask(self.path, "pause", scope=chance.choice(["external", "everything"]), seconds=3600)
        elif verb == "resume-all":
            control.ask(self.path, "grant.resume", scope="everything")
        elif verb == "supersede":
            new = control.ask(
                self.path, "grant.propose",
                proposal=control.proposal(house.living[identifier], "local", supersedes=identifier),
            )["grant"]["id"]
            house.leaving.add(identifier)
            control.ask(self.path, "grant.accept", grant=new, confirmed={"fine": True})
            # The new one speaks under the same root: only the old one's state can be told.
            house.living[new] = house.living.pop(identifier)
            house.replaced.add(identifier)
        else:
            control.ask(self.path, verb, grant=identifier)


class Household:
    """What the decisions came to, as far as they were answered."""

    def __init__(self):
        self.number = 0
        self.living = {}      # id: topic root's last level
        self.leaving = set()  # asked to end; the answer may have been lost
        self.gone = {}        # id: (topic root's last level, when the answer came)
        self.replaced = set()
        self.ended = {}       # id: state that it was seen in


class PowerCuts(unittest.TestCase):
    def test_keeps_the_ledger_whole_and_revives_nothing(self):
        done, decisions, ends = 0, 0, 0
        while done < CUTS:
            with Bench() as bench:
                house = Household()
                subscriber = Subscriber(bench.broker.port, topics=("gateway/#",))
                for _ in range(min(CUTS_PER_HOUSEHOLD, CUTS - done)):
                    decisions += self.cut(bench, house, subscriber, random.Random(SEED * 100_003 + done))
                    done += 1
                self.listen(bench, house, subscriber)
                ends += len(house.gone)
        print(f"{done} cuts within {decisions} decisions, {ends} withdrawals returned: ledger whole, nothing came back")
        self.assertGreater(ends, 0)

    def cut(self, bench, house, subscriber, chance):
        person = Person(bench.agent.control, house, chance)
        person.start()
        bench.meter.send(telegram())
        time.sleep(chance.uniform(0, 0.25))
        bench.agent.kill()
        person.join(10)
        if person.broken:
            raise person.broken
        bench.agent.start()
        status = control.ask(bench.agent.control, "status")["status"]
        self.assertEqual(status["ledger"], "sound")
        grants = {g["id"]: g for g in control.ask(bench.agent.control, "grant.list")["grants"]}
        for identifier in [*house.gone, *house.replaced]:
            self.assertIn(grants[identifier]["state"], ENDED)
        for identifier, state in house.ended.items():
            self.assertEqual(grants[identifier]["state"], state)
        for identifier, view in grants.items():
            if view["state"] in ENDED:
                self.assertFalse(view["isInForce"])
                house.ended[identifier] = view["state"]
                # Its answer was lost with the agent, but it took effect.
                if identifier in house.living:
                    self.assertIn(identifier, house.leaving)
                    house.gone[identifier] = (house.living.pop(identifier), time.monotonic())
            elif view["state"] == "proposed":
                control.ask(bench.agent.control, "grant.refuse", grant=identifier)
                house.ended[identifier] = "refused"
            elif identifier not in house.living:
                house.living[identifier] = view["topic"].split("/")[1]
        return person.decisions

    def listen(self, bench, house, subscriber):
        """Lets everything that may speak speak, then looks who spoke after it had ended."""
        try:
            control.ask(bench.agent.control, "grant.resume", scope="everything")
        except control.Refused:
            pass
        witness = control.grant(bench.agent.control, "witness", "local")
        roots = set(house.living.values())

        def heard():
            bench.meter.send(telegram())
            time.sleep(0.05)
            return subscriber.on("gateway/witness/#")

        wait_for(heard, 10, "the witness's data")
        self.assertTrue(witness)
        # A grant that replaced another speaks under the same root: the last end of a root counts.
        last = {}
        for name, at in house.gone.values():
            last[name] = max(at, last.get(name, at))
        for name, at in last.items():
            if name in roots:
                continue
            late = [m for m in subscriber.on(f"gateway/{name}/#") if m["at"] > at + 0.05]
            data = [m["topic"] for m in late if m["payload"] and not m["topic"].endswith("/status")]
            self.assertEqual(data, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
