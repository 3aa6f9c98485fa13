"""docs/asyncapi.yaml and docs/topics.md describe what is really published: topics, keys, retain and QoS."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest
import unittest.mock

import yaml

from harness import CHECKOUT, Bench, Subscriber, telegram, wait_for
from test_ev import fnv

API = yaml.safe_load((CHECKOUT / "docs" / "asyncapi.yaml").read_text())
TABLES = (CHECKOUT / "docs" / "topics.md").read_text()
LEVELS = {"topicRoot": "gateway/bench", "pseudonym": "m-[a-z2-7]{16}", "quantity": "[a-z0-9_]+"}
CUSTOM = (
    "--name", "Bench AS", "--country", "NO", "--purpose", "insight", "--basis", "a", "--categories", "P1,P3,E3",
    "--granularity", "G0", "--quantum", "R0", "--topic-root", "gateway/bench",
)
INSTALLER = (
    "--name", "Bench Elektro AS", "--country", "NO", "--basis", "a", "--topic-root", "gateway/bench",
)
SENT = {o["channel"]["$ref"].rsplit("/", 1)[1] for o in API["operations"].values() if o["action"] == "send"}


CHARGING = """[ev]
enabled = true
main_fuse_a = 25
[ev.capacity]
model = "no_step"
target_kw = 5
[[ev.charger]]
name = "garage"
"""


def earlier_hour(folder):
    """The state that an agent left which was stopped two hours ago: its hour is over now."""
    start = (int(time.time()) // 3600 - 2) * 3600
    numbers = [start * 1000, 3_600_000, 3600, 9_000_000_000, 0, 0, 2, 0, "-", "-", "-", 0, "-", 0, 2500, 0]
    body = f"gateway-ev 1\ntariff 0\nhour {' '.join(map(str, numbers))} {(start + 3590) * 1000}\n"
    folder.mkdir(mode=0o700)
    (folder / "ev.state").write_text(body + f"sum {fnv(body)}\n")


ENODE = (
    "--name", "Enode AS", "--country", "NO", "--basis", "b", "--topic-root", "gateway/bench", "--categories", "P1,P3,E3,E4",
)


class ShiftedClock:
    """A wall clock for the agents that are started meanwhile, set forward by `advance`; use with `with`."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-clock-"))
        library, self.shift, self.seconds = self.folder / "clock.so", self.folder / "shift", 0
        compiler = shutil.which("cc") or shutil.which("clang")
        source = CHECKOUT / "Tests/EndToEnd/shifted_clock.c"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True, timeout=60)
        self.advance(0)
        self.patch = unittest.mock.patch.dict(os.environ, {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(self.shift)})
        self.patch.start()
        return self

    def __exit__(self, kind, error, trace):
        self.patch.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def advance(self, seconds):
        self.seconds += seconds
        new = self.shift.with_suffix(".new")
        new.write_text(str(self.seconds))
        new.rename(self.shift)


def resolved(node):
    """Follows a $ref of the document."""
    while isinstance(node, dict) and "$ref" in node:
        reference, node = node["$ref"], API
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    return node


def pattern(address):
    """The regular expression that an address of the document stands for."""
    parameters = resolved(API["components"])["parameters"]

    def level(match):
        parameter = parameters[match.group(1)]
        if "enum" in parameter:
            return "(?:" + "|".join(parameter["enum"]) + ")"
        return LEVELS.get(match.group(1), parameter.get("default"))

    return re.compile(re.sub(r"\{(\w+)\}", level, address) + "$")


def faults(schema, value, where):
    """What of an object is not as its schema says; as much of JSON Schema as the document uses."""
    schema = resolved(schema)
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        found.append(f"{where}: {value!r} does not fit {schema['pattern']}")
    if not isinstance(value, dict) or "properties" not in schema:
        return found
    found += [f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value]
    for key, item in value.items():
        if key in schema["properties"]:
            found += faults(schema["properties"][key], item, f"{where}.{key}")
        elif not any(re.search(p, key) for p in schema.get("patternProperties", {})):
            found.append(f"{where}: {key} is not documented")
    return found


class Topics(unittest.TestCase):
    def traffic(self):
        """Every message of a household with an in-house and an external grant that is then withdrawn."""
        bench = Bench(extra=CHARGING)
        earlier_hour(bench.agent.state)
        with bench:
            subscriber = Subscriber(bench.broker.port)
            bench.agent.grant("local-automation", "home-assistant", "local")
            bench.agent.grant("custom", "bench", "local", *CUSTOM)
            wait_for(
                lambda: all(b["link"]["state"] == "connected" for b in bench.agent.command("status", "--json")["brokers"]),
                10, "both connections",
            )
            bench.meter.send(telegram())
            subscriber.wait("gateway/bench/#")
            for topic in ("ev/max_import_a", "ev/interval", "hour", "capacity"):
                subscriber.wait("meter/home/" + topic)
            subscriber.wait("meter/home/value/#", count=10)
            grants = bench.agent.command("grant", "list", "--json")
            external = next(g["id"] for g in grants if g["recipient"] == "bench")
            bench.agent.command("withdraw", external, "--json")
            subscriber.wait("gateway/bench/#", count=2)
            bench.agent.grant("installer-fault", "installer", "local", *INSTALLER)

            def nameless():
                bench.meter.send(telegram())
                time.sleep(0.2)
                return subscriber.on("gateway/bench/s10")

            wait_for(nameless, 60, "a window of ten seconds without a name")
            return list(subscriber.messages)

    def enode_traffic(self):
        """Two hours and more under a grant in Enode's shape, a telegram a minute."""
        with ShiftedClock() as clock, Bench(extra="[enode]\nenabled = true\n") as bench:
            subscriber = Subscriber(bench.broker.port)
            bench.agent.grant("local-automation", "home-assistant", "local")
            bench.agent.grant("enode-smartcharge", "enode", "local", *ENODE)
            wait_for(
                lambda: all(b["link"]["state"] == "connected" for b in bench.agent.command("status", "--json")["brokers"]),
                10, "both connections",
            )
            for minute in range(125):
                bench.meter.send(telegram())
                subscriber.wait("meter/home/state", count=minute + 1)
                clock.advance(60)
            return list(subscriber.messages)

    def test_every_message_fits_the_documented_channel_and_every_channel_is_used(self):
        channels = {name: (pattern(c["address"]), c) for name, c in API["channels"].items() if name in SENT}
        bindings = {
            operation["channel"]["$ref"].rsplit("/", 1)[1]: operation.get("bindings", {}).get("mqtt", {})
            for operation in API["operations"].values()
        }
        found, used = [], set()
        for message in self.traffic() + self.enode_traffic():
            names = [n for n, (expression, _) in channels.items() if expression.match(message["topic"])]
            if len(names) != 1:
                found.append(f"{message['topic']}: fits {names or 'no channel'}")
                continue
            used.add(names[0])
            if bindings[names[0]].get("qos", message["qos"]) != message["qos"]:
                found.append(f"{message['topic']}: QoS {message['qos']}")
            for document in channels[names[0]][1]["messages"].values():
                document = resolved(document)
                text = message["payload"].decode()
                is_text = document.get("contentType") == "text/plain"
                value = text if is_text else json.loads(text)
                if is_text and resolved(document["payload"]).get("type") == "number":
                    value = float(text)
                found += faults(document["payload"], value, message["topic"])
        self.assertEqual(found, [])
        self.assertEqual(used, set(channels), "a documented channel was never used")

    def test_both_documents_name_the_same_topics(self):
        listed = set(re.findall(r"^\| `(\{[^`]+)` \| ", TABLES, re.M))
        listed = {topic for topic in listed if "/" in topic}
        self.assertEqual(listed, {API["channels"][name]["address"] for name in SENT})


if __name__ == "__main__":
    unittest.main(verbosity=2)
