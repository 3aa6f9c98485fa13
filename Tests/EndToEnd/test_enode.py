"""The bridge to a receiver of Enode's webhooks: what is posted, and what becomes of it when the receiver does not take it.

The events come from the test itself over a real mosquitto; the receiver is Python's http.server on loopback.
"""

import hashlib
import hmac
import http.server
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from harness import Broker, Subscriber, agent_binary, wait_for

SECRET = b"example-secret-of-the-receiver"
TOPIC = "gateway/enode/m-aaaaaaaaaaaaaaaa/enode/events"


class Receiver:
    """Answers each POST with the next of `answers`, 200 when they are used up; a number of seconds below 100 is a delay."""

    def __init__(self, port=0, answers=(), context=None):
        self.posts = []
        self.answers = list(answers)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                receiver.posts.append((dict(self.headers.items()), body, answer, self.path))
                if answer < 100:
                    time.sleep(answer)
                    answer = 200
                try:
                    self.send_response(answer)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, taken_only=False):
        return [body for _, body, answer, _ in list(self.posts) if answer == 200 or not taken_only]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def event(number):
    return json.dumps([{"event": "user:meter:updated", "number": number}]).encode()


class Webhook(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-enode-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.broker = Broker(self.folder).start()
        self.addCleanup(self.broker.stop)
        self.secret = self.folder / "secret"
        self.secret.write_bytes(SECRET + b"\n")
        self.secret.chmod(0o600)
        self.log = self.folder / "bridge.log"
        self.client = Subscriber(self.broker.port, ("nothing/here",))
        self.addCleanup(self.client.close)

    def arguments(self, url, *words):
        return [
            agent_binary(), "enode-webhook", "--url", url, "--secret-file", str(self.secret), "--broker",
            f"127.0.0.1:{self.broker.port}", "--retry", "100", *words,
        ]

    def bridge(self, url, *words):
        with open(self.log, "wb") as log:
            process = subprocess.Popen(self.arguments(url, *words), stderr=log)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.terminate)
        wait_for(lambda: b"broker: connected" in self.log.read_bytes(), 10, "the bridge's connection")
        # CONNACK comes before SUBACK.
        time.sleep(0.3)
        return process

    def receiver(self, *arguments, **named):
        receiver = Receiver(*arguments, **named)
        self.addCleanup(receiver.close)
        return receiver

    def refused(self, url, *words):
        done = subprocess.run(self.arguments(url, *words), capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_posts_the_exact_bytes_with_a_signature_over_them(self):
        receiver = self.receiver()
        self.bridge(f"http://127.0.0.1:{receiver.port}/hook?a=b")
        self.client.publish(TOPIC, event(1))
        self.client.publish(TOPIC.replace("events", "meter"), b'[{"no":"event"}]')
        self.client.publish(TOPIC, event(2))
        wait_for(lambda: len(receiver.posts) == 2, 10, "two posts")
        self.assertEqual(receiver.bodies(), [event(1), event(2)])
        for headers, body, _, path in receiver.posts:
            self.assertEqual(path, "/hook?a=b")
            self.assertEqual(headers["x-enode-signature"], "sha1=" + hmac.new(SECRET, body, hashlib.sha1).hexdigest())
            self.assertRegex(headers["x-enode-delivery"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
            self.assertEqual(headers["Content-Type"], "application/json")
            self.assertEqual(headers["Host"], f"127.0.0.1:{receiver.port}")
        self.assertNotEqual(*(post[0]["x-enode-delivery"] for post in receiver.posts))

    def test_tries_again_after_500_and_redirects_under_the_same_name(self):
        receiver = self.receiver(answers=[500, 503, 302, 404, 200])
        self.bridge(f"http://127.0.0.1:{receiver.port}/")
        self.client.publish(TOPIC, event(1))
        self.client.publish(TOPIC, event(2))
        wait_for(lambda: len(receiver.bodies(True)) == 2, 20, "both events to be taken")
        self.assertEqual(receiver.bodies(), [event(1)] * 5 + [event(2)])
        self.assertEqual(len({post[0]["x-enode-delivery"] for post in receiver.posts}), 2)
        log = self.log.read_text()
        self.assertIn("receiver: HTTP 500", log)
        self.assertIn("receiver: takes events again", log)

    def test_a_receiver_that_hangs_has_five_seconds(self):
        receiver = self.receiver(answers=[20])
        self.bridge(f"http://127.0.0.1:{receiver.port}/")
        began = time.monotonic()
        self.client.publish(TOPIC, event(1))
        wait_for(lambda: len(receiver.posts) == 2, 15, "the second try")
        self.assertGreater(time.monotonic() - began, 4.9)
        self.assertLess(time.monotonic() - began, 7)
        self.assertIn("receiver: no answer within 5 s", self.log.read_text())

    def test_a_receiver_that_comes_back_gets_everything_in_order(self):
        receiver = Receiver()
        port = receiver.port
        self.bridge(f"http://127.0.0.1:{port}/")
        self.client.publish(TOPIC, event(0))
        wait_for(lambda: receiver.posts, 10, "the first event")
        receiver.close()
        for number in range(1, 6):
            self.client.publish(TOPIC, event(number))
        self.client.publish(TOPIC, b'[{"event":"system:heartbeat","pendingEvents":0}]')
        wait_for(lambda: b"connection refused" in self.log.read_bytes(), 10, "the refusal")
        receiver = self.receiver(port)
        wait_for(lambda: len(receiver.posts) >= 5, 20, "the events that waited")
        time.sleep(0.3)
        self.assertEqual(receiver.bodies(), [event(number) for number in range(1, 6)])

    def test_a_full_queue_loses_the_oldest_and_says_so(self):
        receiver = self.receiver(answers=[500])
        receiver.server.shutdown()
        self.bridge(f"http://127.0.0.1:{receiver.port}/")
        for number in range(300):
            self.client.publish(TOPIC, event(number))
        wait_for(lambda: b"queue full: 32 message(s) lost" in self.log.read_bytes(), 10, "the overflow")
        receiver.answers = []
        threading.Thread(target=receiver.server.serve_forever, daemon=True).start()
        wait_for(lambda: event(299) in receiver.bodies(True), 60, "the newest event")
        taken = [json.loads(body)[0]["number"] for body in receiver.bodies(True)]
        kept = list(dict.fromkeys(taken))
        self.assertEqual(kept, sorted(kept))
        self.assertEqual(len(kept), 256)
        self.assertEqual(kept[1:], list(range(45, 300)))

    def test_retained_and_unusable_messages_are_not_posted(self):
        receiver = self.receiver()
        self.client.publish(TOPIC, event(7), retain=True)
        time.sleep(0.2)
        self.bridge(f"http://127.0.0.1:{receiver.port}/")
        for payload in (b"", b"{}", b"[" + b" " * 70_000 + b"]"):
            self.client.publish(TOPIC, payload)
        self.client.publish(TOPIC, event(8))
        wait_for(lambda: receiver.posts, 10, "the event")
        time.sleep(0.2)
        self.assertEqual(receiver.bodies(), [event(8)])

    def test_a_broker_that_comes_back_is_read_again(self):
        receiver = self.receiver()
        self.bridge(f"http://127.0.0.1:{receiver.port}/")
        self.broker.stop()
        self.broker.start()
        wait_for(lambda: self.log.read_bytes().count(b"broker: connected") == 2, 20, "the broker again")
        time.sleep(0.3)
        client = Subscriber(self.broker.port, ("nothing/here",))
        client.publish(TOPIC, event(1))
        wait_for(lambda: receiver.posts, 10, "the event")
        client.close()

    def certificate(self, name):
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={name}", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return certificate, context

    def test_https_with_a_good_certificate(self):
        certificate, context = self.certificate("IP:127.0.0.1")
        receiver = self.receiver(context=context)
        self.bridge(f"https://127.0.0.1:{receiver.port}/hook", "--ca-file", str(certificate))
        self.client.publish(TOPIC, event(1))
        wait_for(lambda: receiver.posts, 10, "the event")
        self.assertEqual(receiver.bodies(), [event(1)])
        certificate, context = self.certificate("DNS:localhost")
        named = self.receiver(context=context)
        self.bridge(f"https://localhost:{named.port}/hook", "--ca-file", str(certificate))
        self.client.publish(TOPIC, event(2))
        wait_for(lambda: named.posts, 10, "the event by name")

    def test_https_refuses_unknown_authorities_and_other_names(self):
        certificate, context = self.certificate("DNS:other.example")
        receiver = self.receiver(context=context)
        for words, expected in ((), "self-signed"), (("--ca-file", str(certificate)), "IP address mismatch"):
            process = self.bridge(f"https://127.0.0.1:{receiver.port}/", *words)
            self.client.publish(TOPIC, event(1))
            wait_for(lambda: b"certificate refused" in self.log.read_bytes(), 10, "the refusal")
            self.assertIn(expected, self.log.read_text())
            process.terminate()
            self.assertEqual(process.wait(10), 0)
            self.assertIn("ended with 1 message(s) undelivered", self.log.read_text())
        self.assertEqual(receiver.posts, [])

    def test_says_what_is_wrong_with_its_arguments(self):
        local = "http://127.0.0.1:1/"
        self.assertIn("expected https://", self.refused("http://hooks.example.com/"))
        self.assertIn("expected https://", self.refused("https://user:word@hooks.example.com/"))
        self.assertIn("--ca-file", self.refused(local, "--ca-file", str(self.secret)))
        self.assertIn("HOST:PORT", self.refused(local, "--broker", "nowhere"))
        self.secret.chmod(0o640)
        self.assertIn("mode 0640", self.refused(local))
        self.secret.chmod(0o600)
        self.secret.write_bytes(b"fifteen bytes!!\n")
        self.assertIn("16 bytes or more, found 15", self.refused(local))
        self.secret.unlink()
        self.assertIn("no such file", self.refused(local))


if __name__ == "__main__":
    unittest.main(verbosity=2)
