#!/usr/bin/env python3
"""The frames that the benchmarks decode: invented meters, in the sizes that real ones send.

    Benchmarks/frames.py FOLDER       writes each to FOLDER/NAME.frame

Wrappings and checksums come from Tests/Seeds/seeds.py, which shares no code with the decoder. The
authenticated frame needs the package `cryptography` (scripts/requirements.txt) and is left out without it.
"""

import pathlib
import struct
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/Seeds"))
sys.path.insert(0, str(ROOT / "Tests/EndToEnd"))

import seeds  # noqa: E402
from harness import crc16  # noqa: E402

# Of the invented meter that encrypts.
ENCRYPTION_KEY = bytes(range(0x00, 0x10))
AUTHENTICATION_KEY = bytes(range(0xD0, 0xE0))
SYSTEM_TITLE = b"TST\x01\x02\x03\x04\x05"
CLOCK = b"\x09\x0c" + struct.pack(">HBBBBBBBhB", 2026, 1, 15, 4, 14, 30, 7, 0, -60, 0)


def dsmr5():
    """A three-phase DSMR 5 telegram with gas: 37 lines, 916 bytes."""
    def lines(text):
        return [
            "/TST5\\2HANP-0007", "", "1-3:0.2.8(50)", "0-0:1.0.0(260115143007W)",
            "0-0:96.1.1(4530303939393030303132333435363738)", "1-0:1.8.1(001234.567*kWh)",
            "1-0:1.8.2(002345.678*kWh)", "1-0:2.8.1(000111.222*kWh)", "1-0:2.8.2(000000.000*kWh)",
            "0-0:96.14.0(0002)", "1-0:1.7.0(00.473*kW)", "1-0:2.7.0(00.000*kW)", "0-0:96.7.21(00013)",
            "0-0:96.7.9(00000)", "1-0:99.97.0()", "1-0:32.32.0(00001)", "1-0:52.32.0(00000)",
            "1-0:72.32.0(00000)", "1-0:32.36.0(00000)", "1-0:52.36.0(00000)", "1-0:72.36.0(00000)",
            f"0-0:96.13.0({text})", "1-0:32.7.0(231.4*V)", "1-0:52.7.0(230.9*V)", "1-0:72.7.0(232.0*V)",
            "1-0:31.7.0(002*A)", "1-0:51.7.0(001*A)", "1-0:71.7.0(000*A)", "1-0:21.7.0(00.300*kW)",
            "1-0:41.7.0(00.173*kW)", "1-0:61.7.0(00.000*kW)", "1-0:22.7.0(00.000*kW)",
            "1-0:42.7.0(00.000*kW)", "1-0:62.7.0(00.000*kW)", "0-1:24.1.0(003)",
            "0-1:24.2.1(260115140000W)(00123.456*m3)",
        ]

    def telegram(text):
        body = ("\r\n".join(lines(text)) + "\r\n!").encode()
        return body + f"{crc16(body):04X}\r\n".encode()

    return telegram("4B" * ((916 - len(telegram(""))) // 2))


def register(code, value, scaler, unit, tag):
    form = {0x06: ">I", 0x10: ">h", 0x12: ">H"}[tag]
    return (b"\x02\x03\x09\x06" + bytes(code) + b"\xff" + bytes((tag,)) + struct.pack(form, value)
            + b"\x02\x02\x0f" + struct.pack("b", scaler) + b"\x16" + bytes((unit,)))


def aidon():
    """List 3 of a three-phase Aidon meter: 396 bytes."""
    def text(code, value):
        return b"\x02\x02\x09\x06" + bytes(code) + b"\xff\x0a" + bytes((len(value),)) + value

    gauges = [register((1, 0, c, 7, 0), v, 0, u, 6) for c, v, u in ((1, 4730, 27), (2, 0, 27), (3, 0, 29), (4, 120, 29))]
    gauges += [register((1, 0, c, 7, 0), v, -1, 33, 0x10) for c, v in ((31, 89), (51, 71), (71, 65))]
    gauges += [register((1, 0, c, 7, 0), v, -1, 35, 0x12) for c, v in ((32, 2314), (52, 2309), (72, 2320))]
    registers = [register((1, 0, c, 8, 0), v, 1, u, 6)
                 for c, v, u in ((1, 123456, 30), (2, 0, 30), (3, 77, 32), (4, 4711, 32))]
    items = [text((1, 1, 0, 2, 129), b"AIDON_V0001"), text((0, 0, 96, 1, 0), b"7359990000000017"),
             text((0, 0, 96, 1, 7), b"6525"), *gauges, b"\x02\x02\x09\x06\x00\x00\x01\x00\x00\xff" + CLOCK, *registers]
    return seeds.hdlc(b"\xe6\xe7\x00\x0f\x40\x00\x00\x00\x00\x01" + bytes((len(items),)) + b"".join(items))


def kamstrup_message(has_phases=True):
    """Data-notification of a Kamstrup Omnipower: a flat list of codes and values.

    Without values of each phase a list is as in Norway: amshan knows no other.
    """
    def value(code, number, tag=6):
        return b"\x09\x06" + bytes(code) + b"\xff" + bytes((tag,)) + struct.pack({6: ">I", 0x12: ">H"}[tag], number)

    items = [b"\x0a\x0eKamstrup_V0001", b"\x09\x06\x01\x01\x00\x00\x05\xff\x0a\x10" + b"5706999000990001",
             b"\x09\x06\x01\x01\x60\x01\x01\xff\x0a\x0f6861111BN142101"]
    codes = [(1, 1, c, 7, 0) for c in (1, 2, 3, 4)]
    items += [value(code, 473 + at) for at, code in enumerate(codes)]
    items += [value((1, 1, c, 7, 0), 289) for c in (31, 51, 71)]
    items += [value((1, 1, c, 7, 0), 231, 0x12) for c in (32, 52, 72)]
    items += [b"\x09\x06\x00\x01\x01\x00\x00\xff" + CLOCK]
    items += [value((1, 1, c, 8, 0), 123456) for c in (1, 2, 3, 4)]
    if has_phases:
        items += [value((1, 1, c, 7, 0), 157) for c in (21, 41, 61)]
        items += [value((1, 1, c, 7, 0), 100, 0x12) for c in (33, 53, 73, 13)]
        items += [value((1, 1, c, d, 0), 17) for c, d in ((22, 7), (42, 7), (62, 7), (22, 8), (42, 8), (62, 8))]
    count = len(items) * 2 - 1
    clock = b"\x0c" + CLOCK[2:]
    return b"\x0f\x00\x00\x00\x00" + clock + b"\x02" + bytes((count,)) + b"".join(items)


def kamstrup_authenticated():
    """The same message encrypted and authenticated (security control 30): 491 bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    message, counter = kamstrup_message(), struct.pack(">I", 4711)
    sealed = AESGCM(ENCRYPTION_KEY).encrypt(SYSTEM_TITLE + counter, message, b"\x30" + AUTHENTICATION_KEY)
    # DLMS sends the first 12 of the tag's 16 bytes.
    rest = b"\x30" + counter + sealed[:-4]
    return seeds.hdlc(b"\xe6\xe7\x00\xdb\x08" + SYSTEM_TITLE + seeds.length_field(len(rest)) + rest)


def all_frames():
    frames = {
        "p1-dsmr5": dsmr5(),
        "hdlc-aidon-list3": aidon(),
        "hdlc-kamstrup": seeds.hdlc(b"\xe6\xe7\x00" + kamstrup_message(has_phases=False)),
        "mbus-kamstrup": seeds.mbus(kamstrup_message()),
        "sml": seeds.sml(140),
        "d0": seeds.d0()[0],
    }
    try:
        frames["hdlc-kamstrup-authenticated"] = kamstrup_authenticated()
    except ImportError:
        print("frames: no package `cryptography`: NO authenticated frame", file=sys.stderr)
    return frames


def main(folder):
    for name, frame in all_frames().items():
        (pathlib.Path(folder) / f"{name}.frame").write_bytes(frame)


if __name__ == "__main__":
    main(*sys.argv[1:])
