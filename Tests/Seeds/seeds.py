#!/usr/bin/env python3
"""Sorts frames into one folder a fuzz target, and makes those that neither simulator nor vectors have.

    Tests/Seeds/seeds.py FOLDER < LINES      LINES: family, name, hexadecimal (SimulatedFrames.swift)
    Tests/Seeds/seeds.py --pack FOLDER       all files below FOLDER to standard output, each behind its
                                             length in four bytes: what Tests/Parity reads

Sources: the simulator's frames; the vectors of Tests/OBISDecoderTests; ../shared/frames where it lies
beside the checkout (said when not); and the DLMS messages of all HDLC frames among them put into other
wrappings: bare, M-Bus, HDLC segments, general block transfer, ciphered for the toy cipher of
Tests/Harness. The result is a work folder: nothing of it is kept in the repository.
"""

import os
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "Tests/OBISDecoderTests/Vectors"
SHARED = pathlib.Path(os.environ.get("GATEWAY_SHARED", ROOT.parent / "shared")) / "frames"
TOY_MASK = 0x5A
# Targets of Tests/Fuzz/FuzzTarget.swift, and which target a folder of recorded frames belongs to.
TARGETS = ("p1", "hdlc", "dlms", "mbus", "apdu", "sml", "d0", "ciphered", "whole")
RECORDED = {"p1": "p1", "quirks": "p1", "hdlc": "hdlc", "mbus-dlms": "mbus", "p1-encrypted": "ciphered",
            "sml": "sml", "d0": "d0"}


def x25(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return struct.pack("<H", crc ^ 0xFFFF)


def hdlc(information, is_segment=False):
    """One HDLC frame (IEC 62056-46): flag, format, addresses, control, HCS, information, FCS, flag."""
    length = 2 + 1 + 2 + 1 + 2 + len(information) + 2
    header = struct.pack(">H", 0xA000 | (0x0800 if is_segment else 0) | length) + b"\x41\x08\x83\x13"
    header += x25(header)
    return b"\x7e" + header + information + x25(header + information) + b"\x7e"


def information(frame):
    """What an HDLC frame carries, from the LLC header on; nothing if it is none with short addresses."""
    if len(frame) < 14 or frame[0] != 0x7E or frame[1] & 0xF8 != 0xA0:
        return b""
    start = 3
    for _ in range(2):
        while start < min(12, len(frame)) and frame[start] & 1 == 0:
            start += 1
        start += 1
    end = 1 + (struct.unpack(">H", frame[1:3])[0] & 0x7FF) - 2
    return frame[start + 3:end] if end <= len(frame) and end > start + 3 else b""


def mbus(apdu, size=240):
    """Long frames of the wired M-Bus (EN 13757-2) with the transport header that DLMS uses there."""
    frames = b""
    pieces = [apdu[at:at + size] for at in range(0, len(apdu), size)]
    for number, piece in enumerate(pieces):
        last = 0x10 if number == len(pieces) - 1 else 0
        body = bytes((0x53, 0xFF, last | number & 0x0F, 0x01, 0x67)) + piece
        frames += bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))
    return frames


def length_field(count):
    if count < 0x80:
        return bytes((count,))
    return bytes((0x81, count)) if count < 0x100 else b"\x82" + struct.pack(">H", count)


def ciphered(apdu, control=0x30, tag=0xDB, counter=7):
    """general-glo-ciphering (DLMS UA Green Book, 9.2.7.2.2) for the toy cipher; the title is invented."""
    content = bytes(byte ^ TOY_MASK for byte in apdu) + (bytes(range(12)) if control & 0x10 else b"")
    rest = bytes((control,)) + struct.pack(">I", counter) + content
    return bytes((tag, 8)) + b"TST\x01\x02\x03\x04\x05" + length_field(len(rest)) + rest


def blocks(apdu, size=100):
    """HDLC frames with general-block-transfer (Green Book, 9.3.18), each with LLC header."""
    frames = b""
    pieces = [apdu[at:at + size] for at in range(0, len(apdu), size)]
    for number, piece in enumerate(pieces, 1):
        control = 0x80 if number == len(pieces) else 0x40
        block = bytes((0xE0, control)) + struct.pack(">HH", number, 0) + length_field(len(piece)) + piece
        frames += hdlc(b"\xe6\xe7\x00" + block)
    return frames


def segments(content, size=120):
    pieces = [content[at:at + size] for at in range(0, len(content), size)]
    return b"".join(hdlc(piece, is_segment=piece is not pieces[-1]) for piece in pieces)


def sml_message(body):
    """One SML message: list of six, its CRC over everything before the CRC's own field."""
    start = b"\x76\x05\x01\x02\x03\x04\x62\x00\x62\x00" + body
    return start + b"\x63" + x25(start) + b"\x00"


def sml_entry(code, unit, scaler, value):
    return (b"\x77\x07" + bytes(code) + b"\x01\x01\x62" + bytes((unit,)) + b"\x52" + struct.pack("b", scaler) + value
            + b"\x01")


def sml(key_count=48):
    """An SML file (BSI TR-03109-1, annex IV) with an invented server id and a public key of so many zeros."""
    key_length = key_count + 2
    server = b"\x0b\x0a\x01TST\x00\x00\x00\x00\x01"
    opening = sml_message(b"\x72\x63\x01\x01\x76\x01\x01\x05\x00\x00\x00\x01" + server + b"\x01\x01")
    values = (
        b"\x77\x07\x81\x81\xc7\x82\x03\xff\x01\x01\x01\x01\x04TST\x01",
        b"\x77\x07\x01\x00\x00\x00\x09\xff\x01\x01\x01\x01" + server + b"\x01",
        sml_entry((1, 0, 1, 8, 0, 255), 0x1E, -1, b"\x59" + struct.pack(">q", 12345678)),
        sml_entry((1, 0, 2, 8, 0, 255), 0x1E, -1, b"\x55" + struct.pack(">i", 4711)),
        sml_entry((1, 0, 16, 7, 0, 255), 0x1B, 0, b"\x55" + struct.pack(">i", -473)),
        b"\x77\x07\x81\x81\xc7\x82\x05\xff\x01\x01\x01\x01" + bytes((0x80 | key_length >> 4, key_length & 15))
        + bytes(key_count) + b"\x01",
    )
    listing = sml_message(b"\x72\x63\x07\x01\x77\x01" + server + b"\x07\x01\x00\x62\x0a\xff\xff\x72\x62\x01\x65"
                          + struct.pack(">I", 1000) + bytes((0x70 | len(values),)) + b"".join(values) + b"\x01\x01")
    closing = sml_message(b"\x72\x63\x02\x01\x71\x01")
    content = opening + listing + closing
    padding = -len(content) % 4
    start = b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01" + content + bytes(padding) + b"\x1b\x1b\x1b\x1b\x1a" + bytes((padding,))
    return start + x25(start)


def d0():
    lines = ("/TST5\\@V1.0", "", "1-0:0.0.0*255(0TST0000000001)", "1-0:1.8.0*255(000123.4567*kWh)",
             "1-0:2.8.0*255(000000.0000*kWh)", "1-0:21.7.0*255(000123.45*W)", "0.0.0(00000001)",
             "1.8.1(001234.5*kWh)", "F.F(00)", "!")
    readout = "\r\n".join(lines).encode() + b"\r\n"
    head, body = readout.split(b"\r\n", 1)
    body = b"\x02" + body.lstrip(b"\r\n") + b"\x03"
    check = 0
    for byte in body[1:]:
        check ^= byte
    return readout, head + b"\r\n" + body + bytes((check,))


class Folder:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.count = 0
        for target in TARGETS:
            (self.path / target).mkdir(parents=True, exist_ok=True)

    def add(self, target, name, data):
        for folder in {target, "whole"}:
            (self.path / folder / f"{target}-{name}").write_bytes(data)
        self.count += 1

    def add_wrappings(self, name, frame):
        content = information(frame)
        if not content.startswith(b"\xe6\xe7\x00"):
            return
        apdu = content[3:]
        secret = ciphered(apdu)
        self.add("dlms", name, content)
        self.add("apdu", name, apdu)
        self.add("mbus", name, mbus(apdu))
        self.add("hdlc", f"{name}-segments", segments(content))
        self.add("hdlc", f"{name}-blocks", blocks(apdu))
        self.add("ciphered", f"{name}-bare", secret)
        self.add("ciphered", f"{name}-hdlc", hdlc(b"\xe6\xe7\x00" + secret))
        self.add("ciphered", f"{name}-mbus", mbus(ciphered(apdu, control=0x21)))
        self.add("ciphered", f"{name}-segments", segments(b"\xe6\xe7\x00" + secret))
        self.add("ciphered", f"{name}-blocks", blocks(secret))


def fill(path, lines):
    folder = Folder(path)
    for line in lines:
        family, name, digits = line.split()
        frame = bytes.fromhex(digits)
        folder.add(family if family in TARGETS else "whole", name, frame)
        if family == "hdlc":
            folder.add_wrappings(name, frame)
        if family == "p1":
            folder.add("ciphered", name, ciphered(frame))
    folder.add("sml", "made", sml())
    for number, readout in enumerate(d0()):
        folder.add("d0", f"made-{number}", readout)
    for file in sorted(VECTORS.rglob("*")):
        family = file.relative_to(VECTORS).parts[0]
        if file.is_file() and file.suffix != ".md":
            folder.add(family if family in TARGETS else "whole", f"vector-{file.stem}", file.read_bytes())
    if SHARED.is_dir():
        for family, target in RECORDED.items():
            for file in sorted((SHARED / family).rglob("*")):
                if file.suffix in (".txt", ".bin"):
                    frame = file.read_bytes()
                    folder.add(target, f"recorded-{file.parent.name}-{file.stem}", frame)
                    if family == "hdlc":
                        folder.add_wrappings(f"recorded-{file.stem}", frame)
    else:
        print(f"seeds: {SHARED} is absent: NO recorded frames", file=sys.stderr)
    print(f"seeds: {folder.count} files in {path}")


def pack(path):
    files = [file for file in sorted(pathlib.Path(path).rglob("*")) if file.is_file()]
    for file in files:
        data = file.read_bytes()
        sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    print(f"{len(files)} recordings", file=sys.stderr)


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--pack":
        pack(arguments[1])
    elif len(arguments) == 1:
        fill(arguments[0], sys.stdin)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
