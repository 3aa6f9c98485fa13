"""Asks the agent over its control socket directly: one JSON object a line each way, no process between."""

import json
import socket


class Refused(Exception):
    """The agent answered with a code."""

    def __init__(self, answer):
        super().__init__(f"{answer.get('code')}: {answer.get('message')}")
        self.code = answer.get("code")


def ask(path, verb, **fields):
    """Sends one request and returns the answer; Refused with its code, OSError if the agent is gone."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))
        client.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            piece = client.recv(65536)
            if not piece:
                raise ConnectionError("the agent closed the connection")
            line += piece
    answer = json.loads(line)
    if not answer["ok"]:
        raise Refused(answer)
    return answer


def proposal(recipient, broker, **fields):
    """Every frame to one recipient under a topic root of its own: whatever comes there is its data."""
    return {
        "profile": "custom", "recipient": recipient, "legalName": "Bench AS", "country": "NO", "basis": "a",
        "categories": ["P1", "P3", "V1"], "granularity": "G0", "topicRoot": f"gateway/{recipient}", "broker": broker,
        "absolute": False, "meters": [], "retain": False, **fields,
    }


def grant(path, recipient, broker, **fields):
    """Proposes and accepts; returns the grant's id."""
    identifier = ask(path, "grant.propose", proposal=proposal(recipient, broker, **fields))["grant"]["id"]
    ask(path, "grant.accept", grant=identifier, confirmed={"fine": True})
    return identifier
