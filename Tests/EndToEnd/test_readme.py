"""The README's example is true: its telegram goes in, the document it shows comes out."""

import json
import re
import shlex
import subprocess
import unittest

from harness import CHECKOUT, Bench, Subscriber, agent_binary, crc16

README = (CHECKOUT / "README.md").read_text()


def agent_help(verb):
    """What `--help` says of a verb; an unknown one has none."""
    return subprocess.run(
        [agent_binary(), *verb, "--help"], check=True, capture_output=True, text=True, timeout=30
    ).stdout


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

    def test_its_grants_and_those_of_the_installation_guide_can_be_made(self):
        guide = (CHECKOUT / "deploy" / "INSTALL.md").read_text()
        commands = re.findall(r"^gateway-agent (grant propose (?:.*\\\n)*.*)$", README + guide, re.M)
        self.assertGreaterEqual(len(commands), 3)
        with Bench() as bench:
            text = bench.agent.configuration.read_text()
            bench.agent.stop()
            local = text[text.index("[[brokers]]") : text.index("[clock]")]
            others = "".join(local.replace('"local"', f'"{name}"') for name in ("home", "eliq"))
            bench.agent.configuration.write_text(text + others)
            bench.agent.start()
            for command in commands:
                words = shlex.split(command.replace("\\\n", " "))
                proposal = bench.agent.command(*words, "--json")
                accepted = bench.agent.command("grant", "accept", proposal["id"][:8], "--json")
                self.assertEqual(accepted["state"], "active")
                bench.agent.command("withdraw", proposal["id"], "--json")

    def test_every_command_that_a_document_names_exists(self):
        documents = [CHECKOUT / "README.md", CHECKOUT / "deploy" / "INSTALL.md"]
        documents += sorted((CHECKOUT / "docs").glob("*.md"))
        named = 0
        for document in documents:
            text = document.read_text().replace("\\\n", " ")
            for line in re.findall(r"(?:^|`)gateway-agent ([a-z][^\n`]*)", text, re.M):
                # What follows two spaces is the explanation, what is in capitals a value.
                words = shlex.split(line.split("  ")[0], comments=True)
                verb = [words[0]]
                if words[0] in ("grant", "ledger", "ev") and len(words) > 1:
                    verb.append(words[1])
                help_text = agent_help(verb)
                named += 1
                for option in (word.split("=")[0] for word in words if word.startswith("--")):
                    self.assertIn(option, help_text, f"{document.name}: {line}")
        self.assertGreater(named, 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
