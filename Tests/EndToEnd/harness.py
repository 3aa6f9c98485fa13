"""What every end-to-end test needs: a private broker, the agent, a meter on a pseudo-terminal and an MQTT subscriber.

Only the standard library is used. Every server listens on a free loopback port and is stopped by its own pid.
"""

import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import tty

from mqtt import Subscriber, wait_for  # noqa: F401  (tests import both from here)

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("GATEWAY_SHARED", CHECKOUT.parent / "shared"))


def agent_binary():
    """The release binary if it is built, else the debug one; GATEWAY_AGENT names another."""
    named = os.environ.get("GATEWAY_AGENT")
    if named:
        return named
    for build in ("release", "debug"):
        path = CHECKOUT / ".build" / build / "gateway-agent"
        if path.exists():
            return str(path)
    raise SystemExit("no gateway-agent binary: run `swift build` first")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """A private mosquitto on a free loopback port."""

    def __init__(self, folder, port=None):
        self.port = port or free_port()
        self.folder = pathlib.Path(folder)
        self.process = None

    def start(self):
        configuration = self.folder / f"mosquitto-{self.port}.conf"
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "set_tcp_nodelay true\nlog_dest none\n"
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen(
            [program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.is_up, 10, "mosquitto to listen")
        return self

    def is_up(self):
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


class Meter:
    """The meter's end of a pseudo-terminal that stays reachable under one path."""

    def __init__(self, path):
        self.path = str(path)
        self.master = None
        self.plug()

    def plug(self):
        self.master, slave = os.openpty()
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        temporary = self.path + ".new"
        os.symlink(name, temporary)
        os.replace(temporary, self.path)

    def unplug(self):
        os.unlink(self.path)
        os.close(self.master)
        self.master = None

    def send(self, data):
        """Writes everything and returns the time when the last byte was handed over."""
        view = memoryview(data)
        while view:
            _, writable, _ = select.select([], [self.master], [], 5)
            if not writable:
                raise AssertionError("nobody reads the meter's port")
            view = view[os.write(self.master, view[:4096]) :]
        return time.monotonic()

    def close(self):
        if self.master is not None:
            os.close(self.master)


class Agent:
    """The agent under test with its own state directory, control socket and configuration file."""

    def __init__(self, folder, meters, brokers, extra=""):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.control = self.folder / "control.sock"
        self.configuration = self.folder / "config.toml"
        self.log = self.folder / "agent.log"
        self.process = None
        self.configuration.write_text(self.text(meters, brokers, extra))

    def text(self, meters, brokers, extra):
        lines = [
            f'state_directory = "{self.state}"',
            f'control_socket = "{self.control}"',
            'time_zone = "Europe/Oslo"',
            extra,
        ]
        for name, port in meters.items():
            lines += ["[[meters]]", f'name = "{name}"', f'port = "{port}"', "stale_after_seconds = 3"]
        for name, port in brokers.items():
            lines += ["[[brokers]]", f'name = "{name}"', 'host = "127.0.0.1"', f"port = {port}"]
        lines += ["[clock]", 'trust = "system"']
        return "\n".join(lines) + "\n"

    def start(self):
        self.process = subprocess.Popen(
            [agent_binary(), "run", "--config", str(self.configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self.log, "ab"),
        )
        wait_for(self.answers, 10, "the agent's control socket")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the agent ended with {self.process.returncode}: {self.log.read_text()}")
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.control)) == 0

    def command(self, *words, code=0):
        """Runs a verb against this agent and returns what it prints, parsed if it is JSON."""
        done = subprocess.run(
            [agent_binary(), *words, "--config", str(self.configuration)],
            capture_output=True,
            text=True,
            timeout=30,
        )
        if done.returncode != code:
            raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout + done.stderr

    def grant(self, profile, recipient, broker, *words):
        """Proposes and accepts a grant; returns its id."""
        proposal = self.command(
            "grant", "propose", "--profile", profile, "--recipient", recipient, "--broker", broker, "--json",
            *words,
        )
        self.command(
            "grant", "accept", proposal["id"], "--json", "--fine-confirmed", "--age-attested", "--household-informed"
        )
        return proposal["id"]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the agent did not stop within 10 s of SIGTERM")
        return self.process.returncode if self.process else None


class Wiretap:
    """A TCP forwarder in front of a broker that keeps every byte the agent sends."""

    def __init__(self, target):
        self.target = target
        self.sent = bytearray()
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for one, other, keep in ((near, far, True), (far, near, False)):
                threading.Thread(target=self.forward, args=(one, other, keep), daemon=True).start()

    def forward(self, one, other, keep):
        try:
            while data := one.recv(65536):
                if keep:
                    self.sent += data
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def crc16(data):
    """CRC-16/ARC, bit by bit: the tests' own, so that it can disagree with the agent's."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


def telegram(power="00.473", number="4530303939393030303132333435363738", clock=None):
    """A three-phase DSMR 5 telegram with an invented meter number."""
    stamp = clock or time.strftime("%y%m%d%H%M%S", time.gmtime(time.time() + 3600)) + "W"
    lines = [
        "/TST5\\2HANP-0009", "", "1-3:0.2.8(50)", f"0-0:1.0.0({stamp})", f"0-0:96.1.1({number})",
        "1-0:1.8.1(001234.567*kWh)", "1-0:1.8.2(002345.678*kWh)", "1-0:2.8.1(000111.222*kWh)",
        "1-0:2.8.2(000000.000*kWh)", "0-0:96.14.0(0002)", f"1-0:1.7.0({power}*kW)", "1-0:2.7.0(00.000*kW)",
        "0-0:96.7.21(00013)", "0-0:96.7.9(00000)", "1-0:32.7.0(231.4*V)", "1-0:52.7.0(230.9*V)",
        "1-0:72.7.0(232.0*V)", "1-0:31.7.0(002*A)", "1-0:51.7.0(001*A)", "1-0:71.7.0(000*A)",
        "1-0:21.7.0(00.300*kW)", "1-0:41.7.0(00.173*kW)", "1-0:61.7.0(00.000*kW)",
    ]
    body = ("\r\n".join(lines) + "\r\n!").encode()
    return body + f"{crc16(body):04X}\r\n".encode()


class Bench:
    """A broker, an agent with one meter and a folder for all of it; use with `with`."""

    def __init__(self, broker_running=True, extra="", meters=("home",), wiretap=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-e2e-"))
        self.broker = Broker(self.folder)
        self.wiretap = Wiretap(self.broker.port) if wiretap else None
        self.meters = {name: Meter(self.folder / f"meter-{name}") for name in meters}
        self.meter = next(iter(self.meters.values()))
        port = self.wiretap.port if self.wiretap else self.broker.port
        self.agent = Agent(
            self.folder, {n: m.path for n, m in self.meters.items()}, {"local": port}, extra
        )
        self.broker_running = broker_running

    def __enter__(self):
        if self.broker_running:
            self.broker.start()
        self.agent.start()
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and self.agent.log.exists():
            print(self.agent.log.read_text()[-4000:])
        try:
            self.agent.stop()
        finally:
            for meter in self.meters.values():
                meter.close()
            if self.wiretap:
                self.wiretap.close()
            self.broker.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
