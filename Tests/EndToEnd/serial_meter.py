"""A Modbus meter on a pseudo-terminal in Python, which shares nothing with the agent's simulator, and libmodbus as a reader."""

import ctypes
import os
import select
import struct
import threading
import time
import tty


def checksum(data):
    """CRC-16/MODBUS, bit by bit, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


class SerialMeter:
    """One unit that answers as meters do, one request after the other; what is asked while it is late waits in the line.

    `late(number)` says by how many seconds a reply comes late. Registers that are not there are refused.
    """

    def __init__(self, registers, late=lambda number: 0, stray=b"", turnaround=0.0, baud=0):
        self.registers, self.late, self.stray = registers, late, stray
        self.turnaround, self.baud = turnaround, baud
        self.requests = 0
        self.lates = 0
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self.slave = slave
        self.is_open = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        waiting = b""
        while self.is_open:
            if select.select([self.master], [], [], 0.1)[0]:
                waiting += os.read(self.master, 4096)
            while len(waiting) >= 8:
                request, waiting = waiting[:8], waiting[8:]
                if request[0] == 1 and checksum(request[:6]) == request[6:]:
                    self.answer(request)

    def answer(self, request):
        self.requests += 1
        delay = self.late(self.requests)
        self.lates += delay > 0
        # The request's own time on the line, which a pseudo-terminal does not take.
        time.sleep(self.seconds(len(request)) + delay)
        if self.stray:
            os.write(self.master, self.stray)
        time.sleep(self.turnaround)
        reply = self.reply(*struct.unpack("!BHH", request[1:6]))
        reply += checksum(reply)
        if not self.baud:
            os.write(self.master, reply)
            return
        begin = time.monotonic()
        for index, byte in enumerate(reply):
            time.sleep(max(0, begin + self.seconds(index + 1) - time.monotonic()))
            os.write(self.master, bytes([byte]))

    def seconds(self, count):
        return count * 10 / self.baud if self.baud else 0

    def reply(self, function, address, count):
        words = [self.registers.get((function, place)) for place in range(address, address + count)]
        if None in words:
            return bytes([1, function | 0x80, 2])
        return struct.pack(f"!BBB{count}H", 1, function, 2 * count, *words)

    def close(self):
        self.is_open = False
        self.thread.join(10)
        os.close(self.master)
        os.close(self.slave)


class LibmodbusReader:
    """libmodbus as a master of a serial line, with its defaults."""

    def __init__(self, path):
        self.library = ctypes.CDLL("libmodbus.so.5", use_errno=True)
        self.library.modbus_new_rtu.restype = ctypes.c_void_p
        self.library.modbus_new_rtu.argtypes = [
            ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int,
        ]
        self.context = ctypes.c_void_p(self.library.modbus_new_rtu(path.encode(), 9600, b"N", 8, 1))
        self.library.modbus_set_slave(self.context, 1)
        if self.library.modbus_connect(self.context) != 0:
            raise AssertionError(f"libmodbus cannot open the line: {ctypes.get_errno()}")

    def read(self, address, count):
        """The input registers, None where it has no reply to make them of."""
        words = (ctypes.c_uint16 * count)()
        done = self.library.modbus_read_input_registers(self.context, address, count, words)
        return list(words) if done == count else None

    def close(self):
        self.library.modbus_close(self.context)
        self.library.modbus_free(self.context)
