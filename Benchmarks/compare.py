#!/usr/bin/env python3
"""The decoder beside other decoders, on the same frames in the same run; a table with ratios.

    Benchmarks/compare.py                    prints the table
    Benchmarks/compare.py --write            and writes it to docs/benchmarks.md
    Benchmarks/compare.py --smoke            few rounds, two frames; fails only where nothing is decoded

Peers: dsmr-parser, amshan, smllib and gurux-dlms (scripts/requirements.txt), libsml (Debian). Each does what
its users call: bytes in, values out, checksums included where it has them. A peer that is not there is said
and left out. Times are the best of some rounds: the others were disturbed. A time never fails anything.
Frames are invented (frames.py); recorded ones of the same kinds are measured too, unnamed beyond their file,
where ../shared/frames lies beside the checkout.
"""

import argparse
import contextlib
import datetime
import io
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from importlib import metadata

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import frames as invented  # noqa: E402

ROOT = invented.ROOT
SHARED = invented.seeds.SHARED
THROUGHPUT = pathlib.Path(os.environ.get("THROUGHPUT", ROOT / "Benchmarks/.build/release/throughput"))
# The goals of the decoder alone, in microseconds a frame.
BARS = {"p1-dsmr5": 1.0, "hdlc-aidon-list3": 2.0, "sml": 1.5, "hdlc-kamstrup-authenticated": 4.0}
RECORDED = {
    "p1/nl_dsmr5_iskra_am550_9df0.txt": "p1", "p1/be_fluvius_sagemcom_t211_3ad7.txt": "p1",
    "hdlc/no_kamstrup_real.bin": "hdlc-kamstrup", "hdlc/se_aidon_27items_unsegmented.bin": "hdlc-aidon",
    "hdlc/no_kaifa_ma304h3e_dlmsparser.bin": "hdlc-kaifa", "sml/de_tibber_isk00_7034.bin": "sml",
    "d0/de_easymeter_q3da1004_com1.txt": "d0",
}


def dsmr_parser(frame):
    from dsmr_parser import telegram_specifications
    from dsmr_parser.parsers import TelegramParser

    parser, text = TelegramParser(telegram_specifications.V5), frame.decode("latin-1")
    return lambda: len(list(parser.parse(text)))


def amshan_text(frame):
    from han import dlde

    return lambda: len(dlde.parse_p1_readout(dlde.ModeDReader().read(frame)[0]))


def amshan_list(frame):
    from han import autodecoder, hdlc

    decoder = autodecoder.AutoDecoder()

    def run():
        frames = hdlc.HdlcFrameReader(False).read(frame)
        # A closing flag of the next frame is what it waits for otherwise.
        return len(decoder.decode_message(frames[0]) or ())

    return run


def smllib(frame):
    from smllib import SmlStreamReader

    def run():
        reader = SmlStreamReader()
        reader.add(frame)
        return len(reader.get_frame().get_obis())

    return run


def gurux(frame, is_mbus=False, is_authenticated=False):
    from gurux_dlms import GXByteBuffer, GXReplyData
    from gurux_dlms.enums import InterfaceType, Security
    from gurux_dlms.secure import GXDLMSSecureClient

    client = GXDLMSSecureClient(True)
    client.interfaceType = InterfaceType.WIRED_MBUS if is_mbus else InterfaceType.HDLC
    client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION if is_authenticated else Security.NONE
    client.ciphering.blockCipherKey = invented.ENCRYPTION_KEY
    client.ciphering.authenticationKey = invented.AUTHENTICATION_KEY
    client.ciphering.systemTitle = invented.SYSTEM_TITLE

    def run():
        notification = GXReplyData()
        client.getData(GXByteBuffer(frame), GXReplyData(), notification)
        return len(notification.value)

    return run


# By the beginning of a frame's name, the longest first.
PEERS = (
    ("hdlc-kamstrup-authenticated", {"gurux-dlms": lambda frame: gurux(frame, is_authenticated=True)}),
    ("mbus", {"gurux-dlms": lambda frame: gurux(frame, is_mbus=True)}),
    ("hdlc", {"amshan": amshan_list, "gurux-dlms": gurux}),
    ("p1", {"dsmr-parser": dsmr_parser, "amshan": amshan_text}),
    ("sml", {"smllib": smllib}),
    ("d0", {"amshan": amshan_text}),
)


class Result:
    """What one decoder did with one frame: values found, µs and heap a frame."""

    def __init__(self, name, values, microseconds, heap):
        self.name, self.values, self.microseconds, self.heap = name, values, microseconds, heap


def measure_python(name, make, frame, seconds):
    """The best round of as many as fit in `seconds`; heap is the peak of one call."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            run = make(frame)
            values = run()
            tracemalloc.start()
            run()
            heap = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            best, end = float("inf"), time.monotonic() + seconds
            while time.monotonic() < end:
                began = time.perf_counter()
                for _ in range(5):
                    run()
                best = min(best, (time.perf_counter() - began) / 5)
    except ImportError:
        print(f"compare: {name} is not installed (scripts/requirements.txt): left out", file=sys.stderr)
        return None
    except Exception as error:  # A peer that cannot read a frame says so in its own way.
        tracemalloc.stop()
        print(f"compare: {name} does not read the frame: {type(error).__name__}", file=sys.stderr)
        return None
    return Result(name, values, best * 1e6, f"{heap / 1024:.0f} KiB") if values else None


def measure_libsml(program, file, is_smoke):
    if program is None:
        return None
    run = subprocess.run([program, file, "3" if is_smoke else "15", "200" if is_smoke else "2000"],
                         capture_output=True, text=True)
    if run.returncode != 0:
        print("compare: libsml does not read the frame", file=sys.stderr)
        return None
    values, nanoseconds, heap = run.stdout.split()
    return Result("libsml (parser only)", int(values), int(nanoseconds) / 1000, f"{int(heap) / 1024:.0f} KiB")


def build_libsml(folder):
    """The small program around libsml; None where its headers or a C compiler are missing."""
    compiler = shutil.which("cc") or shutil.which("clang")
    program = pathlib.Path(folder) / "libsml"
    source = ROOT / "Benchmarks/libsml.c"
    if compiler is None or subprocess.run([compiler, "-O2", source, "-o", program, "-lsml"],
                                          capture_output=True).returncode != 0:
        print("compare: libsml-dev is not installed: left out", file=sys.stderr)
        return None
    return program


def measure_ours(file):
    """Values, µs and allocations of decoding, µs and allocations from bytes to payload."""
    keys = [invented.ENCRYPTION_KEY.hex(), invented.AUTHENTICATION_KEY.hex()]
    run = subprocess.run([THROUGHPUT, "--frames", *keys, file], capture_output=True, text=True, check=True)
    values, decode, decode_heap, pipeline, pipeline_heap = map(int, run.stdout.split())
    return values, decode / 1000, decode_heap, pipeline / 1000, pipeline_heap


def row(name, file, frame, libsml, is_smoke):
    values, decode, decode_heap, pipeline, pipeline_heap = measure_ours(file)
    makers = next((makers for prefix, makers in PEERS if name.startswith(prefix)), {})
    seconds = 0.1 if is_smoke else 2
    peers = [measure_python(peer, make, frame, seconds) for peer, make in makers.items()]
    if name.startswith("sml"):
        peers.append(measure_libsml(libsml, file, is_smoke))
    peers = sorted((peer for peer in peers if peer), key=lambda peer: peer.microseconds)
    return {"name": name, "bytes": len(frame), "values": values, "decode": decode, "pipeline": pipeline,
            "heap": decode_heap + pipeline_heap, "peers": peers}


def table(rows):
    lines = ["| frame | bytes | values | decoder µs | goal µs | frames/s | to payload µs | heap | best peer | µs "
             "| heap | ratio | others |", "|---|--:|--:|--:|--:|--:|--:|--:|---|--:|--:|--:|---|"]
    for item in rows:
        if item["values"] == 0:
            lines.append(f"| {item['name']} | {item['bytes']} | 0: not read |" + " |" * 10)
            continue
        goal = BARS.get(item["name"])
        ours = (f"| {item['name']} | {item['bytes']} | {item['values']} | {item['decode']:.2f} | {goal or ''} "
                f"| {1e6 / item['decode']:,.0f} | {item['pipeline']:.2f} | {item['heap']} ")
        if not item["peers"]:
            lines.append(ours + "| none reads it | | | | |")
            continue
        best = item["peers"][0]
        others = ", ".join(f"{peer.name} {peer.microseconds:,.0f} ({peer.microseconds / item['decode']:,.0f}×)"
                           for peer in item["peers"][1:])
        lines.append(ours + f"| {best.name} | {best.microseconds:,.1f} | {best.heap} "
                     f"| {best.microseconds / item['decode']:,.0f}× | {others} |")
    return "\n".join(lines)


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
               platform.machine())
    return f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.system()} {platform.release()}"


def versions():
    found = [f"Python {platform.python_version()}"]
    for name in ("dsmr-parser", "amshan", "smllib", "gurux-dlms"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.append(f"{name} {metadata.version(name)}")
    library = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "libsml1"], capture_output=True, text=True)
    if library.returncode == 0:
        found.append(f"libsml {library.stdout}")
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True)
    found.append(swift.stdout.splitlines()[0])
    return ", ".join(found)


def document(own, recorded):
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    text = f"""# Benchmarks

Written by `Benchmarks/compare.py --write`; do not edit. Times belong to the machine, ratios travel.

- date: {datetime.date.today()}, commit {commit.stdout.strip()}
- machine: {machine()}
- versions: {versions()}

*decoder*: bytes in pieces of a whole frame, `push` and `finish`, every reading delivered. *To payload*: the same
through snapshot and the gate of one in-house grant to the finished MQTT payload. *Heap*: our allocations a frame,
counted, of both; a peer's peak in one call. *Ratio*: the best peer's time to the decoder's. A peer does what
its users call, checksums included where it has them; libsml is timed without finding the file in the stream.

{table(own)}
"""
    if recorded:
        text += f"\nRecorded frames of real meters, which are not part of the repository:\n\n{table(recorded)}\n"
    return text


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--smoke", action="store_true")
    options.add_argument("--write", action="store_true")
    options = options.parse_args()
    own, recorded = [], []
    with tempfile.TemporaryDirectory() as folder:
        libsml = build_libsml(folder)
        chosen = invented.all_frames()
        if options.smoke:
            chosen = {name: chosen[name] for name in ("p1-dsmr5", "hdlc-aidon-list3", "sml")}
        for name, frame in chosen.items():
            file = pathlib.Path(folder) / f"{name}.frame"
            file.write_bytes(frame)
            own.append(row(name, file, frame, libsml, options.smoke))
        for path, kind in RECORDED.items() if SHARED.is_dir() and not options.smoke else ():
            file = SHARED / path
            item = row(kind, file, file.read_bytes(), libsml, options.smoke)
            recorded.append(item | {"name": f"{path}"})
    if not SHARED.is_dir():
        print(f"compare: {SHARED} is absent: NO recorded frames", file=sys.stderr)
    text = document(own, recorded)
    print(text)
    if options.write:
        (ROOT / "docs/benchmarks.md").write_text(text)
    # What is read in any case: a smoke run in which nothing is decoded has failed.
    sys.exit(0 if all(item["values"] for item in own if item["name"].startswith(("p1", "hdlc-aidon"))) else 1)


if __name__ == "__main__":
    main()
