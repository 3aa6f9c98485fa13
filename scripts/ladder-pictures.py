"""Draws what each rung of the ladder shows of one simulated day, for docs/privacy.md.

    scripts/ladder-pictures.py --write    writes docs/pictures/*.svg
    scripts/ladder-pictures.py            compares them with what it would write

The day is `gateway-agent simulate` read back by `gateway-agent decode`: a household that is not there.
Ends with the plain line that scripts/check.sh counts.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
AGENT = os.environ.get("GATEWAY_AGENT", str(ROOT / ".build/release/gateway-agent"))
MODEL, SEED, START = "dk-kamstrup", "5", "2026-01-14T23:00:00Z"
DAY, STEP = 86_400, 10
WIDTH, HEIGHT, LEFT, BOTTOM = 960, 220, 56, 26
INK, LINE, FILL = "#444", "#1f5fa8", "#c9dcf2"


def day_of_power():
    """Import power in watts, every ten seconds of a local day (UTC + 1)."""
    frames = subprocess.run(
        [AGENT, "simulate", MODEL, "--seed", SEED, "--start", START, "--to", "-"]
        + ["--frames", str(DAY // STEP)],
        check=True, capture_output=True,
    ).stdout
    lines = subprocess.run(
        [AGENT, "decode", "--json", "-"], input=frames, check=True, capture_output=True
    ).stdout.splitlines()
    series = []
    for line in lines:
        for reading in json.loads(line).get("readings", []):
            if reading["quantity"] == "active_power_import":
                series.append(reading["value"])
    if len(series) != DAY // STEP:
        sys.exit(f"{MODEL}: {DAY // STEP} frames sent, {len(series)} read")
    return series


def means(series, seconds):
    size = seconds // STEP
    return [sum(series[i:i + size]) / size for i in range(0, len(series), size)]


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Picture:
    """A chart of one stretch of the day, hours along the bottom, kilowatts at the left."""

    def __init__(self, title, first_hour, last_hour, highest):
        self.title, self.first, self.last, self.highest = title, first_hour, last_hour, highest
        self.parts = []
        step = 1 if last_hour - first_hour <= 6 else 3
        for hour in range(first_hour, last_hour + 1, step):
            x = self.x(hour)
            self.parts.append(f'<path d="M{x} {HEIGHT - BOTTOM}v4" stroke="{INK}"/>')
            self.parts.append(self.text(x, HEIGHT - 8, f"{hour}:00", "middle"))
        for watts in range(0, highest + 1, 2000):
            y = self.y(watts)
            self.parts.append(f'<path d="M{LEFT} {y}H{WIDTH - 8}" stroke="#ddd"/>')
            self.parts.append(self.text(LEFT - 6, number(float(y) + 4), f"{watts // 1000} kW", "end"))

    def x(self, hour):
        return number(LEFT + (WIDTH - LEFT - 24) * (hour - self.first) / (self.last - self.first))

    def y(self, watts):
        return number(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 28) * watts / self.highest)

    @staticmethod
    def text(x, y, text, anchor):
        return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'

    def steps(self, values, seconds):
        """Draws means of `seconds` each, as they are sent."""
        hours = seconds / 3600
        shown = [
            (index * hours, value) for index, value in enumerate(values)
            if self.first <= index * hours < self.last
        ]
        path = f"M{self.x(shown[0][0])} {HEIGHT - BOTTOM}"
        for hour, value in shown:
            path += f"V{self.y(value)}H{self.x(hour + hours)}"
        path += f"V{HEIGHT - BOTTOM}Z"
        self.parts.append(f'<path d="{path}" fill="{FILL}" stroke="{LINE}"/>')

    def spread(self, series):
        """Draws every sample, as lowest and highest of two minutes: more than a screen can show."""
        size = 120 // STEP
        low, high = [], []
        for index in range(0, len(series), size):
            hour = index * STEP / 3600
            low.append((hour, min(series[index:index + size])))
            high.append((hour, max(series[index:index + size])))
        points = high + low[::-1]
        path = "M" + "L".join(f"{self.x(hour)} {self.y(value)}" for hour, value in points)
        self.parts.append(f'<path d="{path}Z" fill="{LINE}" stroke="{LINE}"/>')

    def svg(self):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' font-family="sans-serif" font-size="12" fill="{INK}">\n<title>{self.title}</title>\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
            + "\n".join(self.parts)
            + "\n" + self.text(LEFT, 16, self.title, "start") + "\n</svg>\n"
        )


def pictures():
    series = day_of_power()
    highest = -(-max(series) // 2000) * 2000
    everything = Picture("Every 10 seconds (G1), the whole day", 0, 24, highest)
    everything.spread(series)
    evening = Picture("Every 10 seconds (G1), from 17 to 21 o'clock", 17, 21, highest)
    evening.steps(series, STEP)
    quarters = Picture("Every 15 minutes (G3)", 0, 24, highest)
    quarters.steps(means(series, 900), 900)
    hours = Picture("Every hour (G4)", 0, 24, highest)
    hours.steps(means(series, 3600), 3600)
    day = Picture("Once a day (G5): one number", 0, 24, highest)
    day.steps(means(series, DAY), DAY)
    return {
        "ten-seconds.svg": everything, "evening.svg": evening, "quarter-hours.svg": quarters,
        "hours.svg": hours, "day.svg": day,
    }


def main():
    stale = []
    for name, picture in pictures().items():
        path, text = FOLDER / name, picture.svg()
        if "--write" in sys.argv:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    for name in stale:
        print(f"FAIL docs/pictures/{name}: not what scripts/ladder-pictures.py --write draws")
    print(f"{5 - len(stale)} passed, {len(stale)} failed")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
