"""Modbus meters from the line to the topic: simulated ones with faults, and pymodbus as a foreign server."""

import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import time
import unittest

from harness import CHECKOUT, agent_binary, wait_for
from modbus import ForeignServer, ModbusBench, NullModem, Simulated

# Cycles under late replies; 200 at length.
CYCLES = int(os.environ.get("GATEWAY_MODBUS_CYCLES", "12"))


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


class ModbusTests(unittest.TestCase):
    def simulate(self, *arguments, **options):
        simulated = Simulated(*arguments, **options).start()
        self.addCleanup(simulated.stop)
        return simulated

    def states(self, bench, name, count, seconds=20):
        """The first documents of a meter, once there are so many."""
        wait_for(
            lambda: len(bench.subscriber.on(f"meter/{name}/state")) >= count, seconds,
            f"{count} documents of {name}",
        )
        return [json.loads(m["payload"]) for m in bench.subscriber.on(f"meter/{name}/state")]

    def test_publishes_meters_on_tcp_rtu_and_rtu_over_tcp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        network = self.simulate("eastron-sdm630")
        gateway = self.simulate("eastron-sdm630", "--rtu")
        line = self.simulate("eastron-sdm630", "--link", f"{folder.name}/tty", to="pty", units=(1, 2))
        common = {"profile": "eastron-sdm630"}
        meters = {
            "network": common | {"port": network.port},
            "gateway": common | {"port": gateway.port, "framing": "rtu"},
            "first": common | {"port": line.port},
            "second": common | {"port": line.port, "unit": 2},
        }
        with ModbusBench(meters) as bench:
            for name in meters:
                documents = self.states(bench, name, 3)
                for document in documents[1:]:
                    self.assertGreater(document["energy_import_wh"], 0)
                    self.assertTrue(200 < document["voltage_l1_v"] < 260, document)
                    self.assertIn("active_power_import_w", document)
            status = bench.agent.command("status", "--json")
            self.assertEqual([m["meter"]["state"] for m in status["meters"]], ["fresh"] * 4)
            self.assertEqual(status["meters"][3]["bus"]["unit"], 2)
            self.assertEqual(status["meters"][3]["bus"]["lostReplies"], 0)

    def test_publishes_what_a_foreign_server_holds_and_nothing_where_it_holds_nan(self):
        registers = sdm630(230.2, -1234.5, 9113.48)
        registers[0x02] = [0x7FC0, 0x0000]
        server = ForeignServer({1: registers}, function=4, fills=True)
        self.addCleanup(server.stop)
        meters = {"pump": {"port": f"tcp://127.0.0.1:{server.port}", "profile": "eastron-sdm630"}}
        with ModbusBench(meters) as bench:
            document = self.states(bench, "pump", 2)[-1]
            self.assertEqual(document["voltage_l1_v"], 230.2)
            self.assertNotIn("voltage_l2_v", document)
            self.assertEqual(document["active_power_export_w"], 1234.5)
            self.assertEqual(document["active_power_import_w"], 0)
            self.assertEqual(document["energy_import_wh"], 9113480)

    def test_publishes_what_a_foreign_server_holds_on_a_serial_line(self):
        line = NullModem()
        self.addCleanup(line.close)
        server = ForeignServer(
            {1: sdm630(229.5, 327.0, 12.5)}, function=4, serial=line.paths[0], fills=True
        )
        self.addCleanup(server.stop)
        with ModbusBench({"pump": {"port": line.paths[1], "profile": "eastron-sdm630"}}) as bench:
            document = self.states(bench, "pump", 3)[-1]
            self.assertEqual(document["voltage_l1_v"], 229.5)
            self.assertEqual(document["active_power_import_w"], 327)
            self.assertEqual(document["energy_import_wh"], 12500)

    def test_says_that_a_peer_that_vanishes_is_gone_and_reads_it_when_it_is_back(self):
        peer = self.simulate("eastron-sdm630")
        with ModbusBench({"home": {"port": peer.port, "profile": "eastron-sdm630"}}) as bench:
            self.states(bench, "home", 2)
            gone = time.monotonic()
            peer.freeze()
            offline = bench.subscriber.wait("meter/home/status", since=gone, seconds=10)
            self.assertEqual(offline[-1]["payload"], b"offline")
            print(f"peer vanished: said so {offline[-1]['at'] - gone:.2f} s later")
            time.sleep(3)
            for message in bench.subscriber.on("meter/home/state"):
                if message["at"] > offline[-1]["at"]:
                    self.assertNotIn("active_power_import_w", json.loads(message["payload"]))
            back = time.monotonic()
            peer.thaw()
            bench.subscriber.wait("meter/home/state", since=back, seconds=20)
            print(f"peer back: data {time.monotonic() - back:.2f} s later")

    def test_probe_prints_a_configuration_that_works(self):
        peer = self.simulate("siemens-pac2200", units=(3,))
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
            document = self.states(bench, name, 2)[-1]
            self.assertTrue(200 < document["voltage_l1_v"] < 260, document)

    def test_takes_no_late_reply_for_another(self):
        for late in (700, 1200, 2500):
            with self.subTest(late=late):
                folder = tempfile.TemporaryDirectory()
                self.addCleanup(folder.cleanup)
                line = self.simulate(
                    "eastron-sdm630", "--link", f"{folder.name}/tty", "--fault", f"late=10/{late}", to="pty",
                    units=(1,),
                )
                meters = {"late": {"port": line.port, "profile": "eastron-sdm630"}}
                with ModbusBench(meters) as bench:
                    for document in self.states(bench, "late", CYCLES, 10 * CYCLES):
                        for phase in (1, 2, 3):
                            value = document.get(f"voltage_l{phase}_v", 230)
                            self.assertTrue(200 < value < 260, document)
                        self.assertTrue(49 < document.get("frequency_hz", 50) < 51, document)
                line.stop()

    def test_reads_all_behind_a_stray_byte_before_every_reply(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        line = self.simulate(
            "eastron-sdm630", "--link", f"{folder.name}/tty", "--fault", "stray=00", "--fault", "turnaround=40",
            to="pty",
        )
        with ModbusBench({"stray": {"port": line.port, "profile": "eastron-sdm630"}}) as bench:
            self.states(bench, "stray", 5)
            bus = bench.agent.command("status", "--json")["meters"][0]["bus"]
            self.assertEqual(bus["lostReplies"], 0)
            self.assertGreater(bus["strayBytes"], 5)

    def test_says_that_an_unplugged_adapter_is_gone_and_reads_it_when_it_is_back(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        link = f"{folder.name}/tty"
        line = self.simulate("eastron-sdm630", "--link", link, to="pty")
        with ModbusBench({"home": {"port": link, "profile": "eastron-sdm630"}}) as bench:
            self.states(bench, "home", 2)
            gone = time.monotonic()
            line.stop()
            offline = bench.subscriber.wait("meter/home/status", since=gone, seconds=10)
            self.assertEqual(offline[-1]["payload"], b"offline")
            time.sleep(4)
            for message in bench.subscriber.on("meter/home/state"):
                if message["at"] > gone + 0.5:
                    self.assertNotIn("active_power_import_w", json.loads(message["payload"]))
            self.simulate("eastron-sdm630", "--link", link, to="pty")
            back = time.monotonic()
            bench.subscriber.wait("meter/home/state", since=back, seconds=5)
            print(f"adapter unplugged: data {time.monotonic() - back:.2f} s after it came back")

    def test_never_opens_a_second_connection_to_a_gateway_that_drops(self):
        gateway = self.simulate(
            "eastron-sdm630", "--fault", "single", "--fault", "drop=3", units=(1, 2)
        )
        common = {"port": gateway.port, "profile": "eastron-sdm630"}
        with ModbusBench({"a": common, "b": common | {"unit": 2}}) as bench:
            port = int(gateway.place.rsplit(":", 1)[1])
            most = 0
            while len(bench.subscriber.on("meter/b/state")) < 8:
                most = max(most, connections(bench.agent.process.pid, port))
                time.sleep(0.02)
            self.states(bench, "a", 8)
            self.assertEqual(most, 1)

    def test_a_silent_meter_holds_up_no_other(self):
        well = self.simulate("eastron-sdm630")
        silent = self.simulate("eastron-sdm630", "--fault", "lost=100")
        meters = {
            "well": {"port": well.port, "profile": "eastron-sdm630"},
            "silent": {"port": silent.port, "profile": "eastron-sdm630"},
        }
        with ModbusBench(meters) as bench:
            self.states(bench, "well", 1)
            begin = time.monotonic()
            before = len(bench.subscriber.on("meter/well/state"))
            time.sleep(6)
            count = len(bench.subscriber.on("meter/well/state")) - before
            self.assertGreaterEqual(count, int(time.monotonic() - begin) - 1)
            self.assertEqual(bench.subscriber.on("meter/silent/state"), [])
            status = bench.agent.command("status", "--json")["meters"][1]
            self.assertEqual(status["port"]["reason"], "timeout")

    def test_reads_the_meter_of_the_readme(self):
        table = re.search(r"^```toml\n\[\[meters\]\]\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.M | re.S)
        keys = dict(re.findall(r"^(\w+) = (\S+)", table.group(1), re.M))
        self.assertEqual(sorted(keys), ["name", "port", "profile", "unit"])
        keys = {key: json.loads(value) for key, value in keys.items()}
        name = keys.pop("name")
        keys["port"] = self.simulate(keys["profile"], units=(keys["unit"],)).port
        with ModbusBench({name: keys}) as bench:
            self.states(bench, name, 2)

    def test_reads_nothing_of_another_meter(self):
        other = self.simulate("solaredge-se-mtr-3y", units=(1,))
        with ModbusBench({"other": {"port": other.port, "profile": "eastron-sdm630"}}) as bench:
            wait_for(lambda: "OTHER_METER 0" in bench.agent.log.read_text(), 10, "the log to say so")
            self.assertEqual(bench.subscriber.on("meter/other/state"), [])


if __name__ == "__main__":
    unittest.main()
