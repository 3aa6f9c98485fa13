#!/usr/bin/env python3
"""Tries the recipes in deploy/recipes against what the agent really publishes.

    scripts/check-recipes.py

For each recipe: runs the agent with its TOML on a private mosquitto, sends telegrams with and without headroom, and looks up
every topic and key of its table in what arrived; every topic of its YAML must be in the table, and every key of its
templates in the documents. What a retry or an expiry is for is checked in the YAML: a source without a
timeout is a fault. Ends with `N passed, N failed`.
"""

import json
import pathlib
import re
import sys
import time
import traceback
from datetime import datetime, timedelta, timezone

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECIPES = ROOT / "deploy/recipes"
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))
sys.dont_write_bytecode = True
from harness import Bench, Subscriber, wait_for  # noqa: E402
from test_ev import frame  # noqa: E402

CHARGER = "meter/home/ev/charger/garage"
# What only some meters send: its absence is no fault.
IF_THERE = re.compile("if the meter has")


def expect(condition, fault):
    if not condition:
        raise AssertionError(fault)


def blocks(text, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def table(text):
    """Rows of the table: topic, key or None, what for."""
    rows = re.findall(r"^\| `([^`]+)` \| (?:`([^`]+)`|–) \| (.*?) \|$", text, re.M)
    expect(rows, "no table of topics")
    return rows


def topics(node):
    """Every topic that a YAML block names."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("topic", "state_topic", "availability_topic"):
                yield value
            else:
                yield from topics(value)
    elif isinstance(node, list):
        for item in node:
            yield from topics(item)


def looked_up(document, key):
    for step in key.split("."):
        document = document[int(step)] if step.isdigit() else document[step]
    return document


def check_contract(text):
    whole = (RECIPES / "README.md").read_text()
    contract = re.search(r"<!-- contract -->\n(.*?)<!-- end of contract -->", whole, re.S).group(1)
    expect(contract in text, "what keeps it safe, and the five steps, are not word for word those of README.md")


def traffic(toml, needs_raise):
    """What arrives of an agent with this configuration: too much, then room, for a full window if a raise is needed."""
    # A window of ten seconds in place of a minute; topics and keys are the same.
    toml = toml.replace("[ev]\n", "[ev]\nhold_s = 10\n", 1)
    bench = Bench(extra=toml.replace('broker = "home"', 'broker = "local"'))
    with bench:
        subscriber = Subscriber(bench.broker.port)
        bench.agent.grant("local-automation", "home-assistant", "local")
        wait_for(
            lambda: all(b["link"]["state"] == "connected" for b in bench.agent.command("status", "--json")["brokers"]),
            10, "the house's connection",
        )
        for amperes in [(27, 3, 18)] + [(5, 3, 4)] * (14 if needs_raise else 2):
            if "draw_topic" in toml:
                subscriber.publish("garage/draw", b"16.0")
                time.sleep(0.2)
            count = len(subscriber.on("meter/home/ev/limit"))
            bench.meter.send(frame(amperes=amperes, watts=3000))
            subscriber.wait("meter/home/ev/limit", count + 1)
            time.sleep(0.8)
    # The agent has ended: what it says last is part of it.
    return list(subscriber.messages)


def check_table(text, messages):
    for topic, key, purpose in table(text):
        found = [m["payload"] for m in messages if m["topic"] == topic and m["payload"]]
        if not found and IF_THERE.search(purpose):
            continue
        expect(found, f"nothing arrived on {topic}")
        if key:
            documents = [json.loads(payload) for payload in found]

            def has(document, key=key):
                try:
                    return looked_up(document, key) is not None
                except (KeyError, IndexError):
                    return False

            expect(any(map(has, documents)), f"no document on {topic} has {key}")


def check_yaml(text, messages):
    listed = {topic for topic, _, _ in table(text)}
    for block in blocks(text, "yaml"):
        named = set(topics(yaml.safe_load(block)))
        expect(named and named <= listed, f"not in the table: {named - listed}")
        keys = set(re.findall(r"(?:value_json|payload_json)\.(\w+)", block))
        documents = [json.loads(m["payload"]) for m in messages if m["topic"] == CHARGER]
        missing = keys - {key for document in documents for key in document}
        expect(not missing, f"keys that no document has: {missing}")


def check_evcc(text, messages):
    recipe = yaml.safe_load(blocks(text, "yaml")[0])
    meters = {meter["name"]: meter for meter in recipe["meters"]}
    circuit = recipe["circuits"][0]
    meter = meters[circuit["meter"]]
    for source in [meter["power"], *meter["currents"], circuit["getMaxPower"]]:
        expect("timeout" in source, f"{source['topic']} never goes stale")
        for message in messages:
            if message["topic"] == source["topic"]:
                float(message["payload"])
                expect(not message["retain"], "a plain number is retained")
    expect(len(meter["currents"]) == 3, "evcc takes three currents or none")
    expect(circuit["maxPower"] > 0 and circuit["maxCurrent"] > 0, "0 is no limit to evcc")
    expect("timeout" not in meters[recipe["site"]["meters"]["grid"]]["power"], "the site's meter goes stale")


def check_home_assistant(text, messages):
    recipe = yaml.safe_load(blocks(text, "yaml")[0])
    for sensor in recipe["mqtt"]["sensor"]:
        expect(sensor["expire_after"] <= 30 and sensor["availability_topic"], f"{sensor['name']} does not expire")
    by_id = {automation["id"]: automation for automation in recipe["automation"]}
    expect("ok" in by_id["ev_reduce"]["conditions"] and "ok" in by_id["ev_raise"]["conditions"], "no look at state")
    kinds = {trigger["trigger"] for trigger in by_id["ev_failsafe"]["triggers"]}
    expect(kinds == {"state", "homeassistant"}, "the failsafe does not come at silence and at the start")


def check_openwb(text, messages):
    kept = [m for m in messages if m["topic"].endswith("/get/power")]
    expect(kept and all(m["expiry"] for m in kept if m["payload"]), "openWB's power does not expire")
    expect(any(m["topic"].endswith("/get/power") and not m["payload"] for m in messages), "power was not deleted")


def check_smartevse(text, messages):
    for message in messages:
        if message["topic"].startswith("SmartEVSE"):
            expect(re.fullmatch(rb"-?\d+:-?\d+:-?\d+(:\d+:\d+)?", message["payload"]), "not whole numbers")


def check_everest(text, messages):
    for message in messages:
        if message["topic"].startswith("everest_api"):
            entries = json.loads(message["payload"])["schedule_import"]
            last = entries[-1]["limits_to_root"]["ac_max_current_A"]["value"]
            expect(len(entries) == 2 and last == 6, "the last entry is not the failsafe")


def check_ocpp(text, messages):
    scope = {}
    exec(compile(blocks(text, "python")[0], "ocpp.md", "exec"), scope)
    made = 0
    for message in messages:
        if message["topic"] != CHARGER:
            continue
        document = json.loads(message["payload"])
        if "schedule" not in document:
            continue
        now = datetime.fromisoformat(document["schedule"][0]["from"]) + timedelta(seconds=1)
        schedule = scope["profile"](document, now)["csChargingProfiles"]["chargingSchedule"]
        periods = schedule["chargingSchedulePeriod"]
        until = datetime.fromisoformat(document["valid_until"])
        expect(periods[0] == {"startPeriod": 0, "limit": document["set_a"]}, f"the first period is {periods[0]}")
        expect(
            periods[-1] == {"startPeriod": int((until - now).total_seconds()), "limit": document["failsafe_a"]},
            f"the last period is {periods[-1]}",
        )
        expect(scope["profile"](document, until) is None, "a document that is over makes a profile")
        made += 1
    expect(made, "no profile was made")
    failsafe = {"state": "failsafe", "failsafe_a": 6.0}
    expect(scope["profile"](failsafe, datetime.now(timezone.utc)) is None, "a failsafe makes a profile")


def check(path):
    text = path.read_text()
    check_contract(text)
    configuration = blocks(text, "toml")
    expect(len(configuration) == 1, "not one block of the agent's configuration")
    messages = traffic(configuration[0], "raise_a`" in text)
    check_table(text, messages)
    check_yaml(text, messages)
    globals()["check_" + path.stem.replace("-", "_")](text, messages)


def main():
    passed = failed = 0
    paths = sorted(path for path in RECIPES.glob("*.md") if path.name != "README.md")
    listed = set(re.findall(r"\((\S+\.md)\)", (RECIPES / "README.md").read_text()))
    if listed != {path.name for path in paths}:
        print("FAIL README.md: does not list the recipes that are there")
        failed += 1
    for path in paths:
        try:
            check(path)
            passed += 1
            print(f"ok   {path.name}")
        except Exception as fault:  # every recipe is looked at
            failed += 1
            print(f"FAIL {path.name}: {fault}")
            if not isinstance(fault, AssertionError):
                traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
