"""Modbus meters from the line to the topic: simulated ones with faults, and pymodbus as a foreign server.

`GATEWAY_MODBUS_CYCLES=200` leaves meters away for a minute, as at full length of test_modbus_lines.py.
"""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import unittest.mock

from harness import CHECKOUT, agent_binary, wait_for
from modbus import ForeignServer, ModbusBench, NullModem, Simulated

IS_LONG = int(os.environ.get("GATEWAY_MODBUS_CYCLES", "0")) >= 200
# For how long meters are away, and after how long a gateway drops its connection.
AWAY_SECONDS, DROP_SECONDS = (60, 20) if IS_LONG else (6, 3)
SDM630 = {"profile": "eastron-sdm630"}


def words(value):
    """A float32 as two registers, high word first."""
    return list(struct.unpack("!HH", struct.pack("!f", value)))


def sdm630(voltage, power, energy):
    """The registers of an SDM630 that measures this."""
    registers = {0x00: words(voltage), 0x34: words(power), 0x46: words(50.0), 0x48: words(energy)}
    for address in range(0x0A, 0x34, 2):
        registers.setdefault(address, words(1.0))
    return registers


def connections(pid, port):
    """How many established connections a process has to a port on loopback."""
    lines = pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    remote = f"0100007F:{port:04X}"
    return sum(1 for line in lines if line.split()[2] == remote and line.split()[3] == "01")


def documents(bench, name, count, seconds=20):
    """The first documents of a meter, once there are so many."""
    wait_for(
        lambda: len(bench.subscriber.on(f"meter/{name}/state")) >= count, seconds, f"{count} documents of {name}"
    )
    return [json.loads(m["payload"]) for m in bench.subscriber.on(f"meter/{name}/state")]


class ReadingTests(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = pathlib.Path(directory.name)

    def simulate(self, *arguments, **options):
        simulated = Simulated(*arguments, **options).start()
        self.addCleanup(simulated.stop)
        return simulated

    def serve(self, *arguments, **options):
        server = ForeignServer(*arguments, **options)
        self.addCleanup(server.stop)
        return server

    def test_publishes_meters_on_tcp_rtu_and_rtu_over_tcp(self):
        network = self.simulate("modbus:eastron-sdm630")
        gateway = self.simulate("modbus:eastron-sdm630", "--rtu")
        line = self.simulate("modbus:eastron-sdm630", "--link", f"{self.folder}/tty", to="pty", units=(1, 2))
        meters = {
            "network": SDM630 | {"port": network.port},
            "gateway": SDM630 | {"port": gateway.port, "framing": "rtu"},
            "first": SDM630 | {"port": line.port},
            "second": SDM630 | {"port": line.port, "unit": 2},
        }
        with ModbusBench(meters) as bench:
            for name in meters:
                for document in documents(bench, name, 3)[1:]:
                    self.assertGreater(document["energy_import_wh"], 0)
                    self.assertTrue(200 < document["voltage_l1_v"] < 260, document)
                    self.assertIn("active_power_import_w", document)
            status = bench.agent.command("status", "--json")
            self.assertEqual([m["meter"]["state"] for m in status["meters"]], ["fresh"] * 4)
            self.assertEqual(status["meters"][3]["bus"]["unit"], 2)
            self.assertEqual(status["meters"][3]["bus"]["lostReplies"], 0)

    def test_publishes_what_a_foreign_server_holds_and_nothing_where_it_holds_nan(self):
        line = NullModem()
        self.addCleanup(line.close)
        registers = {1: sdm630(230.2, -1234.5, 9113.48) | {0x02: [0x7FC0, 0x0000]}}
        place = self.serve(registers, function=4, fills=True)
        place6 = self.serve(registers, function=4, fills=True, host="::1")
        self.serve(registers, function=4, fills=True, serial=line.paths[0])
        meters = {
            "number": SDM630 | {"port": f"tcp://127.0.0.1:{place.port}"},
            "name": SDM630 | {"port": f"tcp://localhost:{place.port}", "unit": 1},
            "six": SDM630 | {"port": f"tcp://[::1]:{place6.port}"},
            "line": SDM630 | {"port": line.paths[1]},
        }
        with ModbusBench(meters) as bench:
            for name in meters:
                document = documents(bench, name, 2)[-1]
                self.assertEqual(document["voltage_l1_v"], 230.2)
                self.assertNotIn("voltage_l2_v", document)
                self.assertEqual(document["active_power_export_w"], 1234.5)
                self.assertEqual(document["active_power_import_w"], 0)
                self.assertEqual(document["energy_import_wh"], 9113480)

    def test_probe_prints_a_configuration_that_works(self):
        peer = self.simulate("modbus:siemens-pac2200", units=(3,))
        done = subprocess.run(
            [agent_binary(), "probe", "--modbus", "--json", "--unit", "3", peer.place],
            capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        keys = dict(re.findall(r"^(\w+) = (\S+)", found["configuration"], re.M))
        keys = {key: json.loads(value) for key, value in keys.items()}
        self.assertEqual(keys["unit"], 3)
        name = keys.pop("name")
        with ModbusBench({name: keys}) as bench:
            document = documents(bench, name, 2)[-1]
            self.assertTrue(200 < document["voltage_l1_v"] < 260, document)

    def test_publishes_nothing_wrong_of_a_simulated_line_with_every_fault(self):
        faults = (
            "stray=00", "corrupt=5", "lost=2", "other-unit=2", "busy=5", "late=10/300", "baud=9600", "hole=54-55",
        )
        fault_words = [word for fault in faults for word in ("--fault", fault)]
        line = self.simulate("modbus:eastron-sdm630", "--link", f"{self.folder}/tty", *fault_words, to="pty")
        with ModbusBench({"home": SDM630 | {"port": line.port}}) as bench:
            for document in documents(bench, "home", 4, 60):
                for phase in (1, 2, 3):
                    self.assertTrue(200 < document.get(f"voltage_l{phase}_v", 230) < 260, document)
                self.assertTrue(49 < document.get("frequency_hz", 50) < 51, document)
            self.assertGreater(bench.agent.command("status", "--json")["meters"][0]["bus"]["strayBytes"], 5)

    def test_reads_the_meter_of_the_readme(self):
        table = re.search(r"^```toml\n\[\[meters\]\]\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.M | re.S)
        keys = dict(re.findall(r"^(\w+) = (\S+)", table.group(1), re.M))
        self.assertEqual(sorted(keys), ["name", "port", "profile", "unit"])
        keys = {key: json.loads(value) for key, value in keys.items()}
        name = keys.pop("name")
        keys["port"] = self.simulate(f"modbus:{keys['profile']}", units=(keys["unit"],)).port
        with ModbusBench({name: keys}) as bench:
            documents(bench, name, 2)

    def test_reads_nothing_of_another_meter(self):
        other = self.simulate("modbus:solaredge-se-mtr-3y", units=(1,))
        with ModbusBench({"other": SDM630 | {"port": other.port}}) as bench:
            wait_for(lambda: "OTHER_METER 0" in bench.agent.log.read_text(), 10, "the log to say so")
            self.assertEqual(bench.subscriber.on("meter/other/state"), [])

    @unittest.skipUnless(shutil.which("cc"), "there is no C compiler")
    def test_has_the_kernel_turn_an_rs485_line_where_its_driver_can(self):
        driver = self.folder / "driver.so"
        source = CHECKOUT / "Tests/EndToEnd/rs485_driver.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(driver), str(source)], check=True, timeout=60)
        lines = [self.simulate("modbus:eastron-sdm630", to="pty") for _ in range(3)]
        turned, told, plain = (line.port for line in lines)
        meters = {
            "turned": SDM630 | {"port": turned}, "told": SDM630 | {"port": told},
            "plain": SDM630 | {"port": plain, "rs485": False},
        }
        log = self.folder / "modes"
        environment = {"LD_PRELOAD": str(driver), "RS485_LOG": str(log), "RS485_ON": turned}
        with unittest.mock.patch.dict(os.environ, environment):
            with ModbusBench(meters) as bench:
                for name in meters:
                    documents(bench, name, 1)
        # SER_RS485_ENABLED is the lowest bit. What the computer's description has set up is left alone.
        modes = [line.split() for line in log.read_text().splitlines()]
        self.assertEqual([path for path, flags in modes if int(flags) & 1], [told])


class AwayTests(unittest.TestCase):
    """What is not there for a while, in one agent with what is: the recording is made once, the tests judge it."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        link = f"{directory.name}/tty"
        peer = cls.simulate("modbus:eastron-sdm630")
        line = cls.simulate("modbus:eastron-sdm630", "--link", link, to="pty")
        gateway = cls.simulate(
            "modbus:eastron-sdm630", "--fault", "single", "--fault", f"drop={DROP_SECONDS}", units=(1, 2)
        )
        silent = cls.simulate("modbus:eastron-sdm630", "--fault", "lost=100")
        meters = {
            "peer": SDM630 | {"port": peer.port}, "line": SDM630 | {"port": link},
            "first": SDM630 | {"port": gateway.port}, "second": SDM630 | {"port": gateway.port, "unit": 2},
            "silent": SDM630 | {"port": silent.port},
            "well": SDM630 | {"port": cls.simulate("modbus:eastron-sdm630").port},
            "grid": {"port": cls.simulate("nl-dsmr5").port}, "han": {"port": cls.simulate("no-kaifa").port},
        }
        cls.bench = ModbusBench(meters)
        cls.bench.__enter__()
        cls.addClassCleanup(cls.bench.__exit__, None, None, None)
        for name in meters.keys() - {"silent"}:
            documents(cls.bench, name, 2)
        cls.most = 0
        cls.gone = time.monotonic()
        port = int(gateway.place.rsplit(":", 1)[1])
        watch = threading.Thread(target=cls.count_connections, args=(port,), daemon=True)
        watch.start()
        peer.freeze()
        line.stop()
        time.sleep(AWAY_SECONDS)
        cls.status = {m["name"]: m for m in cls.bench.agent.command("status", "--json")["meters"]}
        cls.back = time.monotonic()
        peer.thaw()
        cls.simulate("modbus:eastron-sdm630", "--link", link, to="pty")
        cls.returned = {
            # A device that appears is noticed at once; a silent peer is tried again within a minute.
            "line": cls.bench.subscriber.wait("meter/line/state", since=cls.back, seconds=5)[0]["at"],
            "peer": cls.bench.subscriber.wait("meter/peer/state", since=cls.back, seconds=65)[0]["at"],
        }
        watch.join()

    @classmethod
    def simulate(cls, model, *arguments, **options):
        simulated = Simulated(model, *arguments, **options).start()
        cls.addClassCleanup(simulated.stop)
        return simulated

    @classmethod
    def count_connections(cls, port):
        while time.monotonic() < cls.gone + AWAY_SECONDS:
            cls.most = max(cls.most, connections(cls.bench.agent.process.pid, port))
            time.sleep(0.02)

    def messages(self, name, begin, end):
        messages = self.bench.subscriber.on(f"meter/{name}/state")
        return [json.loads(m["payload"]) for m in messages if begin <= m["at"] <= end]

    def check_absence(self, name):
        status = self.bench.subscriber.on(f"meter/{name}/status")
        said = next(m["at"] for m in status if m["at"] > self.gone and m["payload"] == b"offline")
        back = self.returned[name] - self.back
        print(f"{name}: offline {said - self.gone:.2f} s after it went, data {back:.2f} s after it came back")
        # Two timeouts of two seconds on the network.
        self.assertLess(said - self.gone, 7)
        for document in self.messages(name, said, self.back):
            self.assertNotIn("active_power_import_w", document)
            self.assertNotIn("energy_import_wh", document)

    def test_says_that_a_peer_that_vanishes_is_gone_and_reads_it_when_it_is_back(self):
        self.check_absence("peer")

    def test_says_that_an_unplugged_adapter_is_gone_and_reads_it_within_a_cycle_when_it_is_back(self):
        self.check_absence("line")
        self.assertLess(self.returned["line"] - self.back, 2)

    def test_never_opens_a_second_connection_to_a_gateway_that_drops(self):
        self.assertEqual(self.most, 1)
        for name in ("first", "second"):
            count = len(self.messages(name, self.gone, self.back))
            print(f"{name}: {count} documents in {AWAY_SECONDS} s from a gateway that drops every {DROP_SECONDS} s")
            self.assertGreaterEqual(count, AWAY_SECONDS - 1 - AWAY_SECONDS // DROP_SECONDS)

    def test_what_is_away_holds_up_no_other(self):
        self.assertEqual(self.bench.subscriber.on("meter/silent/state"), [])
        self.assertEqual(self.status["silent"]["port"]["reason"], "timeout")
        # The P1 meter sends once a second, the other every two.
        for name, seconds in {"well": 1, "grid": 1, "han": 2}.items():
            count = len(self.messages(name, self.gone, self.back))
            self.assertGreaterEqual(count, AWAY_SECONDS // seconds - 1, name)


if __name__ == "__main__":
    unittest.main()
