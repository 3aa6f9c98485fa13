"""Simulated Modbus meters for the end-to-end suites, and an agent that reads them."""

import ctypes
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import tty

from harness import Agent, Broker, agent_binary, free_port
from mqtt import Subscriber


class Simulated:
    """`gateway-agent simulate`, stopped by its own pid."""

    def __init__(self, model, *words, to="tcp:0", units=()):
        self.command = [agent_binary(), "simulate", model, "--to", to, *words]
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
                # As TOML has texts, numbers and truth.
                tables.append(f"{key} = {json.dumps(value)}")
        return super().text({}, brokers, extra) + "\n".join(tables) + "\n"


class ModbusBench:
    """A broker, an agent with Modbus meters, the household's own grant, a subscriber."""

    def __init__(self, meters, extra="", profiles=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gateway-modbus-"))
        (self.folder / "meters").mkdir()
        for name, text in (profiles or {}).items():
            (self.folder / "meters" / f"{name}.toml").write_text(text)
        self.broker = Broker(self.folder)
        self.agent = ModbusAgent(self.folder, meters, {"local": self.broker.port}, extra)

    def __enter__(self):
        try:
            self.broker.start()
            self.agent.start()
            self.subscriber = Subscriber(self.broker.port)
            self.agent.grant("local-automation", "home-assistant", "local")
        except BaseException:
            # Nobody else ends what was begun.
            self.__exit__(*sys.exc_info())
            raise
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


class FrameServer:
    """A gateway on loopback that answers every request with the same bytes, whatever they are; serves one client."""

    def __init__(self, reply):
        self.reply = reply
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                client, _ = self.listener.accept()
                with client:
                    while request := client.recv(256):
                        self.requests.append(request)
                        client.sendall(self.reply)
        except OSError:
            pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Changes:
    """Registers that change from reply to reply, by unit: once begun the next of a list of words, at the end the last."""

    def __init__(self, words):
        self.words = {unit: list(each) for unit, each in words.items()}
        self.has_begun = False

    def next(self, unit):
        """The words of the unit's next reply, None for a unit that does not change."""
        left = self.words.get(unit)
        return left and (left.pop(0) if self.has_begun and len(left) > 1 else left[0])


class ForeignServer:
    """pymodbus as a server: `devices` is registers by address, by unit; others are refused, or 0 below 1000 where `fills`.

    `changes` are `Changes` of what a unit is asked for.
    """

    def __init__(self, devices, function, serial=None, fills=False, host="127.0.0.1", changes=None):
        import asyncio

        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.arguments = (devices, function, serial, fills)
        self.host, self.changes = host, changes
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
        from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext, ModbusSparseDataBlock
        from pymodbus.server import ModbusSerialServer, ModbusTcpServer

        devices, function, serial, fills = self.arguments
        contexts = {}
        for unit, registers in devices.items():
            words = dict.fromkeys(range(1000), 0) if fills else {}
            for address, values in registers.items():
                words.update({address + index: value for index, value in enumerate(values)})
            table = "ir" if function == 4 else "hr"
            contexts[unit] = ModbusDeviceContext(**{table: ModbusSparseDataBlock(words)})
        context = ModbusServerContext(devices=contexts, single=False)
        if serial:
            self.server = ModbusSerialServer(context, port=serial, baudrate=9600)
        else:
            self.port = free_port()
            self.server = ModbusTcpServer(context, address=(self.host, self.port), trace_pdu=self.change)
        await self.server.serve_forever(background=True)
        self.ready.set()
        await self.server.serving

    def change(self, is_sending, message):
        if is_sending and self.changes and (words := self.changes.next(message.dev_id)):
            message.registers = words
        return message

    def stop(self):
        import asyncio

        asyncio.run_coroutine_threadsafe(self.server.shutdown(), self.loop).result(10)
        self.thread.join(10)


class LibmodbusServer:
    """libmodbus' own server on loopback, one mapping of holding registers for each unit; serves one client.

    `changes` are `Changes` of a unit's first registers.
    """

    def __init__(self, devices, changes=None):
        self.changes = changes
        self.library = ctypes.CDLL("libmodbus.so.5", use_errno=True)
        self.library.modbus_new_tcp.restype = ctypes.c_void_p
        self.library.modbus_mapping_new_start_address.restype = ctypes.POINTER(self.Mapping)
        self.port = free_port()
        self.context = ctypes.c_void_p(self.library.modbus_new_tcp(b"127.0.0.1", self.port))
        self.mappings = {unit: self.mapping(registers) for unit, registers in devices.items()}
        self.listener = ctypes.c_int(self.library.modbus_tcp_listen(self.context, 1))
        self.is_open = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    class Mapping(ctypes.Structure):
        """modbus_mapping_t of modbus.h."""

        _fields_ = [(name, ctypes.c_int) for name in (
            "nb_bits", "start_bits", "nb_input_bits", "start_input_bits", "nb_input_registers",
            "start_input_registers", "nb_registers", "start_registers",
        )] + [("tab_bits", ctypes.c_void_p), ("tab_input_bits", ctypes.c_void_p),
              ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
              ("tab_registers", ctypes.POINTER(ctypes.c_uint16))]

    def mapping(self, registers):
        start = min(registers)
        count = max(address + len(words) for address, words in registers.items()) - start
        mapping = self.library.modbus_mapping_new_start_address(0, 0, 0, 0, start, count, 0, 0)
        for address, words in registers.items():
            self.put(mapping, address - start, words)
        return mapping

    @staticmethod
    def put(mapping, place, words):
        for index, word in enumerate(words):
            mapping.contents.tab_registers[place + index] = word

    def serve(self):
        query = (ctypes.c_uint8 * 260)()
        while self.is_open:
            if self.library.modbus_tcp_accept(self.context, ctypes.byref(self.listener)) < 0:
                return
            while (count := self.library.modbus_receive(self.context, query)) >= 0:
                # The unit stands behind transaction, protocol and length.
                if count > 0 and (mapping := self.mappings.get(query[6])):
                    if self.changes and (words := self.changes.next(query[6])):
                        self.put(mapping, 0, words)
                    self.library.modbus_reply(self.context, query, count, mapping)
            self.library.modbus_close(self.context)

    def stop(self):
        self.is_open = False
        for descriptor in (self.listener.value, self.library.modbus_get_socket(self.context)):
            if descriptor >= 0:
                with socket.socket(fileno=os.dup(descriptor)) as copy:
                    try:
                        copy.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
        self.thread.join(10)
        os.close(self.listener.value)
