"""The README's example is true: its telegram goes in, the document it shows comes out."""

import json
import re
import unittest

from harness import CHECKOUT, Bench, Subscriber, crc16

README = (CHECKOUT / "README.md").read_text()


class Readme(unittest.TestCase):
    def test_shows_the_document_that_its_telegram_becomes(self):
        block = re.search(r"^```\n(/.*?^![0-9A-F]{4})$", README, re.M | re.S).group(1)
        telegram = block.replace("\n", "\r\n").encode() + b"\r\n"
        at = telegram.index(b"!") + 1
        self.assertEqual(telegram[at : at + 4], f"{crc16(telegram[:at]):04X}".encode())
        shown = json.loads(re.search(r'^\{"v":1,"seq".*$', README, re.M).group(0))
        with Bench() as bench:
            bench.agent.grant("local-automation", "home-assistant", "local")
            subscriber = Subscriber(bench.broker.port)
            bench.meter.send(telegram)
            payload = subscriber.wait("meter/home/state")[-1]["payload"]
        received = json.loads(payload)
        # These two are of the moment.
        for document in (shown, received):
            document.pop("received_at")
            document.pop("seq")
        self.assertEqual(list(received.items()), list(shown.items()))
        for hidden in (b"45303039", b"E00999", b"4B554E44", b"KUNDE", b"TST5", b"HANP"):
            self.assertNotIn(hidden, payload)


if __name__ == "__main__":
    unittest.main(verbosity=2)
