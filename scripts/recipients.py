"""Makes docs/recipients.md from the profiles and the list of recipients in Sources/ConsentLedger/Profiles.

scripts/check-docs.py compares the file with it, and writes it with --write.
"""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "Sources/ConsentLedger/Profiles"
DOCUMENT = ROOT / "docs/recipients.md"
ORDER = ROOT / "Sources/ConsentLedger/Profiles.swift"

RUNG = {
    "G0": "every frame", "G1": "10 s", "G2": "1 min", "G3": "15 min", "G4": "1 h", "G5": "a day", "G6": "a month",
}
STEP = {"R0": "as sent", "R1": "10 W, 1 Wh", "R2": "100 W, 10 Wh", "R3": "100 Wh", "R4": "1 kWh"}
NAME = {
    "none": "nothing", "pseudonym": "a pseudonym", "meterNumber": "the meter's number, if ticked",
    "meteringPoint": "the metering point's number, if ticked",
}


def profiles():
    """The profiles in the order of the code."""
    order = ORDER.read_text()
    found = [json.loads(path.read_text()) for path in DATA.glob("*.json")]
    found = [profile for profile in found if profile["schema"] == "gateway-profile/1"]
    missing = [profile["name"] for profile in found if f'("{profile["name"]}",' not in order]
    if missing:
        raise SystemExit(f"{ORDER.name} does not name {', '.join(missing)}")
    return sorted(found, key=lambda profile: order.index(f'("{profile["name"]}",'))


def duration(profile):
    hours = profile["maxValidityHours"]
    if hours is None:
        return "until you end it"
    return f"{hours} h" if hours <= 48 else f"{hours // 24} days"


def row(profile):
    optional = profile["optional"]
    codes = " ".join(code for code in profile["categories"] if code not in optional)
    if optional:
        codes += f" (ticked: {' '.join(optional)})"
    rung = RUNG[profile["granularity"]]
    if profile["fineGranularity"]:
        rung += f" ({RUNG[profile['fineGranularity']]} confirmed)"
    if profile["fineRequired"]:
        rung += ", confirmed"
    if profile["floors"]:
        rung = "each category's own floor"
    names = ", ".join(NAME[mode] for mode in profile["identifiers"])
    bases = " ".join(profile["bases"]) or "–"
    return (
        f"| `{profile['name']}` | {codes} | {rung} | {STEP[profile['quantum']]} | {names} | {bases} "
        f"| {duration(profile)} |"
    )


def text():
    recipients = json.loads((DATA / "recipients.json").read_text())["recipients"]
    known = {profile["name"] for profile in profiles()}
    wrong = [r["name"] for r in recipients if r.get("profile", "custom") not in known]
    if wrong:
        raise SystemExit(f"recipients.json: no profile for {', '.join(wrong)}")
    lines = [
        "# Who can receive what",
        "",
        "Every recipient that the published policies of five Nordic power companies name, and its place here. Made from the",
        "data files in `Sources/ConsentLedger/Profiles` by `scripts/check-docs.py --write`; the agent judges by the same files.",
        "",
        "## Recipients that a grant can name",
        "",
        "| recipient | profile | where it is named |",
        "|---|---|---|",
    ]
    lines += [f"| {r['name']} | `{r['profile']}` | {r['source']} |" for r in recipients if "profile" in r]
    lines += [
        "",
        "## Recipients that no grant can name",
        "",
        "A grant for one of them is refused with the code and the reason.",
        "",
        "| recipient | why not | code | where it is named |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {r['name']} | {r['reason']} | `{r['code']}` | {r['source']} |" for r in recipients if "profile" not in r
    ]
    lines += [
        "",
        "## Profiles: what a grant can hold at most",
        "",
        "Whoever accepts can only make it less. `gateway-agent profiles` explains each in plain words.",
        "",
        "| profile | categories | at most every | rounded to | named as | basis | at most |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [row(profile) for profile in profiles()]
    lines.append("")
    for profile in profiles():
        lines += [f"**{profile['name']}**{'' if profile['enabled'] else ' (switched off)'}: {profile['explanation']}", ""]
    lines += [
        "A profile that is switched off is switched on in the configuration: `[profiles]` with",
        '`enabled = ["dso-hourly-copy"]`.',
        "",
    ]
    return "\n".join(lines)
