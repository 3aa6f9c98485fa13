"""Simulated Modbus meters for the end-to-end suites, and an agent that reads them."""

import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import tty

from harness import Agent, Broker, agent_binary
from mqtt import Subscriber


class Simulated:
    """`gateway-agent simulate modbus:…`, stopped by its own pid."""

    def __init__(self, profile, *words, to="tcp:0", units=()):
        self.command = [agent_binary(), "simulate", f"modbus:{profile}", "--to", to, *words]
        for unit in units:
            self.command += ["--unit", str(unit)]
        self.process = None
        self.place = None

    def start(self, places=1):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.places = [self.process.stdout.readline().strip() for _ in range(places)]
        self.place = self.places[0]
        if not self.place:
            raise AssertionError(f"{self.command}: ended with {self.process.wait()}")
        return self

    @property
    def port(self):
        """As the configuration writes it."""
        return self.place if self.place.startswith("/") else f"tcp://{self.place}"

    def freeze(self):
        """As a peer that vanishes: its connections stay, and nothing comes any more."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process:
            self.thaw()
            self.process.terminate()
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None


class ModbusAgent(Agent):
    """An agent whose meters are tables of keys."""

    def text(self, meters, brokers, extra):
        tables = []
        for name, keys in meters.items():
            tables += ["[[meters]]", f'name = "{name}"']
            for key, value in keys.items():
                tables.append(f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}")
        return super().text({}, brokers, extra) + "\n".join(tables) + "\n"


class ModbusBench:
    """A broker, an agent with Modbus meters, the household's own grant, a subscriber."""

    def __init__(self, meters, extra=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-modbus-"))
        self.broker = Broker(self.folder)
        self.agent = ModbusAgent(self.folder, meters, {"local": self.broker.port}, extra)

    def __enter__(self):
        self.broker.start()
        self.agent.start()
        self.subscriber = Subscriber(self.broker.port)
        self.agent.grant("local-automation", "home-assistant", "local")
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and self.agent.log.exists():
            print(self.agent.log.read_text()[-4000:])
        try:
            self.agent.stop()
        finally:
            self.broker.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


class NullModem:
    """Two pseudo-terminals whose bytes come out at each other's end."""

    def __init__(self):
        self.masters, self.paths, self.slaves = [], [], []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self.masters.append(master)
            self.slaves.append(slave)
            self.paths.append(os.ttyname(slave))
        self.is_open = True
        self.thread = threading.Thread(target=self.forward, daemon=True)
        self.thread.start()

    def forward(self):
        while self.is_open:
            readable, _, _ = select.select(self.masters, [], [], 0.1)
            for master in readable:
                other = self.masters[1 - self.masters.index(master)]
                os.write(other, os.read(master, 4096))

    def close(self):
        self.is_open = False
        self.thread.join()
        for descriptor in self.masters + self.slaves:
            os.close(descriptor)


class ForeignServer:
    """pymodbus as a server: registers that nobody here wrote code to serve."""

    def __init__(self, registers, function, unit=1, serial=None):
        import asyncio

        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.arguments = (registers, function, unit, serial)
        self.port = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        if not self.ready.wait(10):
            raise AssertionError("pymodbus did not start")

    def run(self):
        import asyncio

        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self.serve())
        except asyncio.CancelledError:
            pass

    async def serve(self):
        from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
        from pymodbus.server import ModbusSerialServer, ModbusTcpServer

        from harness import free_port

        registers, function, unit, serial = self.arguments
        words = [0] * 65536
        for address, values in registers.items():
            words[address : address + len(values)] = values
        # pymodbus counts the registers of a block from 1.
        block = ModbusSequentialDataBlock(1, words)
        device = ModbusDeviceContext(**{"ir" if function == 4 else "hr": block})
        context = ModbusServerContext(devices={unit: device}, single=False)
        if serial:
            self.server = ModbusSerialServer(context, port=serial, baudrate=9600)
        else:
            self.port = free_port()
            self.server = ModbusTcpServer(context, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)
        self.ready.set()
        await self.server.serving

    def stop(self):
        import asyncio

        asyncio.run_coroutine_threadsafe(self.server.shutdown(), self.loop).result(10)
        self.thread.join(10)
