#!/usr/bin/env python3
"""Compares docs/topics.md, docs/asyncapi.yaml and QuantityIndex.swift with the registry of quantities in
the code, and docs/recipients.md with the profiles.

    scripts/check-docs.py            says where they differ, exit 1
    scripts/check-docs.py --write    writes the generated parts anew

The registry is the only list of quantities; what stands between the marks
`<!-- quantities … -->` and `# quantities …` in the documents is made from it, and all of the index.
"""

import pathlib
import re
import sys

import recipients

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGISTRY = ROOT / "Sources/PrivacyFilter/Hot/QuantityTable.swift"
BOUND = ROOT / "Sources/PrivacyFilter/Hot/Quantity.swift"
INDEX = ROOT / "Sources/PrivacyFilter/Hot/QuantityIndex.swift"
UNITS = ROOT / "Sources/OBISDecoder/Unit.swift"
TOPICS = ROOT / "docs/topics.md"
ASYNCAPI = ROOT / "docs/asyncapi.yaml"

SUFFIX = {
    "watt": "w", "wattHour": "wh", "reactiveVoltAmpere": "var", "reactiveVoltAmpereHour": "varh",
    "voltAmpere": "va", "voltAmpereHour": "vah", "volt": "v", "ampere": "a", "hertz": "hz",
    "cubicMetre": "m3", "joule": "j", "second": "s", "one": "",
}
UNIT = {
    "watt": "W", "wattHour": "Wh", "reactiveVoltAmpere": "var", "reactiveVoltAmpereHour": "varh",
    "voltAmpere": "VA", "voltAmpereHour": "VAh", "volt": "V", "ampere": "A", "hertz": "Hz",
    "cubicMetre": "m³", "joule": "J", "second": "s", "one": "–",
}
ENTRY = re.compile(
    r'Entry\(\s*(\d+),\s*"(\w+)",\s*(0x[0-9A-Fa-f]+|0),\s*\.(\w+),\s*\.(\w+),\s*\.(\w+),'
    r"\s*\.(house|recipients)\s*,?\s*\)|\.free\((\d+)\)"
)


class Quantity:
    def __init__(self, number, name, code, unit, category, kind, audience):
        self.number, self.name, self.unit, self.kind = number, name, unit, kind
        self.category = category.upper()
        self.outside = audience == "recipients"
        self.packed = packed = int(code, 16)
        self.obis = ".".join(str(packed >> shift & 255) for shift in (16, 8, 0)) if packed else ""
        self.key = name + ("_" + SUFFIX[unit] if SUFFIX[unit] else "")


def registry():
    text = REGISTRY.read_text()
    text = text[text.index("static let entries") :]
    size = int(re.search(r"static let idBound = (\d+)", BOUND.read_text()).group(1))
    quantities, expected = [], 0
    for match in ENTRY.finditer(text):
        number = int(match.group(1) or match.group(8))
        if number != expected:
            raise SystemExit(f"{REGISTRY.name}: id {number} where {expected} should be")
        expected += 1
        if match.group(1):
            quantities.append(Quantity(*match.groups()[:7]))
    if expected != size:
        raise SystemExit(f"{REGISTRY.name}: {expected} entries read, {size} declared")
    return quantities


def obis(quantities):
    """How the meter names what stands behind one key."""
    codes = [q.obis for q in quantities if q.obis]
    if codes:
        return " ".join(f"`{code}`" for code in dict.fromkeys(codes))
    special = {
        "gas_volume": "`0-n:24.2.1`, gas", "water_volume": "`0-n:24.2.1`, water",
        "heat_energy": "`0-n:24.2.1`, heat", "meter_time": "`0-0:1.0.0`",
    }
    return special.get(quantities[0].name, "computed")


def by_key(quantities):
    groups = {}
    for quantity in quantities:
        groups.setdefault(quantity.key, []).append(quantity)
    return groups


def table(quantities):
    rows = ["| key | unit | OBIS C.D.E | category | window value | outside |", "|---|---|---|---|---|---|"]
    window = {"gauge": "mean", "register": "difference", "count": "difference", "state": "last"}
    for key, group in by_key(quantities).items():
        categories = " ".join(dict.fromkeys(q.category for q in group))
        is_outside = any(q.outside for q in group)
        rows.append(
            f"| `{key}` | {UNIT[group[0].unit]} | {obis(group)} | {categories} "
            f"| {window[group[0].kind] if is_outside else '–'} | {'yes' if is_outside else 'no'} |"
        )
    return "\n".join(rows)


def properties(quantities, nullable):
    lines = []
    for key, group in by_key(quantities).items():
        if key == "meter_time":
            continue  # A text, described by hand.
        kind = '["number", "null"]' if nullable else "number"
        unit = "" if group[0].unit == "one" else f", description: {UNIT[group[0].unit]}"
        lines.append(f"        {key}: {{type: {kind}{unit}}}")
    return "\n".join(lines)


def replaced(text, name, body, marks):
    first, last = (mark.format(name) for mark in marks)
    start, end = text.find(first), text.find(last)
    if start < 0 or end < 0:
        raise SystemExit(f"no marks {first} … {last}")
    line_start = text.rfind("\n", 0, end) + 1
    return text[: text.index("\n", start) + 1] + body + "\n" + text[line_start:]


def index(quantities):
    """A table in which a multiplication finds the quantity of a code and a unit: no two collide."""
    units = dict(re.findall(r"case (\w+) = (\d+)", UNITS.read_text()))
    keys = {
        int(units[q.unit]) << 24 | q.packed: int(q.number) for q in quantities if q.packed
    }
    factor, bits = 0x9E3779B1, 9
    while len({(key * factor & 0xFFFFFFFF) >> 32 - bits for key in keys}) < len(keys):
        factor = (factor * 0x915F77F5 + 0x6D2B79F4) & 0xFFFFFFFF | 1
    slots = [255] * (1 << bits)
    for key, number in keys.items():
        slots[(key * factor & 0xFFFFFFFF) >> 32 - bits] = number
    rows = [
        "    " + ", ".join(str(number) for number in slots[start : start + 16]) + ","
        for start in range(0, len(slots), 16)
    ]
    return "\n".join(
        [
            "// Made by scripts/check-docs.py --write from QuantityTable.swift: not to be edited.",
            "",
            "/// Where the registry has a code of channel 0 in a unit: a multiplication and one look.",
            "///",
            "/// No two lines of the registry share a place; what finds a line still has to compare.",
            "enum QuantityIndex {",
            "  /// The id at the place of a code and a unit; 255 if the registry certainly has neither.",
            "  static func id(_ cde: UInt32, _ unit: UInt8) -> UInt8 {",
            f"    ids[Int(((UInt32(unit) << 24 | cde) &* 0x{factor:08X}) >> {32 - bits})]",
            "  }",
            "",
            f"  private static let ids: [{len(slots)} of UInt8] = [",
            *rows,
            "  ]",
            "}",
            "",
        ]
    )


def written():
    quantities = registry()
    topics = replaced(
        TOPICS.read_text(), "quantities", table(quantities), ("<!-- {} -->", "<!-- end of {} -->")
    )
    yaml = ASYNCAPI.read_text()
    marks = ("# {} (from the registry)", "# end of {}")
    yaml = replaced(yaml, "in-house quantities", properties(quantities, True), marks)
    outside = [q for q in quantities if q.outside]
    yaml = replaced(yaml, "outside quantities", properties(outside, True), marks)
    return {
        TOPICS: topics, ASYNCAPI: yaml, INDEX: index(quantities), recipients.DOCUMENT: recipients.text(),
    }


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def check_asyncapi():
    """The document parses, is AsyncAPI 3, and every reference in it leads somewhere."""
    import yaml

    document = yaml.safe_load(ASYNCAPI.read_text())
    faults = []
    if not str(document.get("asyncapi", "")).startswith("3."):
        faults.append("docs/asyncapi.yaml: not AsyncAPI 3")
    for reference in references(document):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            node = node.get(part) if isinstance(node, dict) else None
        if node is None:
            faults.append(f"docs/asyncapi.yaml: {reference} leads nowhere")
    topics = TOPICS.read_text()
    for channel in document["channels"].values():
        if f"`{channel['address']}`" not in topics:
            faults.append(f"docs/topics.md does not name {channel['address']}")
    for name, operation in document["operations"].items():
        if "channel" not in operation or "action" not in operation:
            faults.append(f"docs/asyncapi.yaml: operation {name} lacks channel or action")
    return faults


def main():
    faults = []
    for path, text in written().items():
        if path.exists() and path.read_text() == text:
            continue
        if "--write" in sys.argv:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
        else:
            faults.append(f"{path.relative_to(ROOT)} differs from the registry: check-docs.py --write")
    faults += check_asyncapi()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
