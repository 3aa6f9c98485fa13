"""A raw-socket MQTT 5 subscriber: what really arrives, packet by packet, and when."""

import os
import socket
import struct
import threading
import time


def wait_for(condition, seconds, what):
    """Polls until condition() is true; the wait is an upper bound, never a measurement."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Subscriber:
    """A raw-socket subscriber that records what arrives, with the time of arrival; MQTT 3.1.1 with `version` 4."""

    def __init__(self, port, topics=("#",), name="bench", version=5):
        self.messages = []
        self.properties = b"\0" if version == 5 else b""
        self.changed = threading.Condition()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        identifier = f"{name}-{os.getpid()}-{id(self)}".encode()
        body = struct.pack("!H4sBBH", 4, b"MQTT", version, 2, 600) + self.properties
        body += struct.pack("!H", len(identifier)) + identifier
        self.socket.sendall(bytes([0x10]) + self.variable(len(body)) + body)
        kind, _, _ = self.packet()
        assert kind == 2, "the broker did not answer CONNACK"
        body = struct.pack("!H", 1) + self.properties
        for topic in topics:
            body += struct.pack("!H", len(topic)) + topic.encode() + b"\x02"
        self.socket.sendall(bytes([0x82]) + self.variable(len(body)) + body)
        kind, _, _ = self.packet()
        assert kind == 9, "the broker did not answer SUBACK"
        threading.Thread(target=self.receive, daemon=True).start()

    @staticmethod
    def variable(number):
        encoded = bytearray()
        while True:
            number, low = divmod(number, 128)
            encoded.append(low | (0x80 if number else 0))
            if not number:
                return bytes(encoded)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the broker closed the connection")
            data += piece
        return data

    def packet(self):
        first = self.exactly(1)[0]
        length, shift = 0, 0
        while True:
            byte = self.exactly(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return first >> 4, first & 15, self.exactly(length)

    def receive(self):
        try:
            while True:
                kind, flags, body = self.packet()
                arrived = time.monotonic()
                if kind != 3:
                    continue
                self.record(flags, body, arrived)
        except (ConnectionError, OSError):
            return

    def publish(self, topic, payload, retain=False):
        """Sends a message at QoS 0."""
        body = struct.pack("!H", len(topic)) + topic.encode() + self.properties + payload
        self.socket.sendall(bytes([0x31 if retain else 0x30]) + self.variable(len(body)) + body)

    def record(self, flags, body, arrived):
        quality = (flags >> 1) & 3
        length = struct.unpack_from("!H", body)[0]
        topic = body[2 : 2 + length].decode()
        at = 2 + length
        if quality:
            identifier = body[at : at + 2]
            at += 2
            answer = 0x40 if quality == 1 else 0x50
            self.socket.sendall(bytes([answer, 2]) + identifier)
        size = 0
        if self.properties:
            size = body[at]  # properties of these tests stay below 128 bytes
            at += 1
        properties = body[at : at + size]
        expiry = struct.unpack_from("!I", properties, 1)[0] if properties[:1] == b"\x02" else None
        message = {
            "topic": topic,
            "payload": body[at + size :],
            "retain": bool(flags & 1),
            "qos": quality,
            "expiry": expiry,
            "at": arrived,
        }
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def on(self, topic):
        """All messages of a topic so far; a final # stands for anything behind it."""
        if topic.endswith("#"):
            return [m for m in self.messages if m["topic"].startswith(topic[:-1])]
        return [m for m in self.messages if m["topic"] == topic]

    def wait(self, topic, count=1, seconds=10, since=0.0):
        def found():
            messages = [m for m in self.on(topic) if m["at"] >= since]
            return messages if len(messages) >= count else None

        return wait_for(found, seconds, f"{count} message(s) on {topic}")

    def close(self):
        self.socket.close()

    def settled(self, seconds=0.3):
        """All messages after a while: of a new subscriber, what the broker had kept."""
        time.sleep(seconds)
        return list(self.messages)
