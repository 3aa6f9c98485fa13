"""Every form in which an identifier could hide in outbound bytes: the wider, test-time set of privacy.md C10."""

import base64
import hashlib
import re


def spellings(identifier):
    """The identifier itself and, if it is hexadecimal text, the characters it stands for."""
    texts = {identifier}
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2}){4,}", identifier):
        decoded = bytes.fromhex(identifier)
        if all(32 <= byte < 127 for byte in decoded):
            texts.add(decoded.decode())
    return texts


def is_searchable(text):
    """Shorter than six characters, or one repeated digit, says nothing about anybody."""
    return len(text) >= 6 and len(set(text)) > 1


def base64_cores(data):
    """The characters of base64 that depend on `data` alone, at each of the three alignments."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        first = -(-shift * 8 // 6)
        last = (shift + len(data)) * 8 // 6
        yield encoded[first:last]


def forms(identifier):
    """Maps the name of each form to the bytes to look for; all are compared without regard to case."""
    found = {}

    def add(name, data):
        if isinstance(data, str):
            data = data.encode()
        if len(data) >= 4 and len(set(data)) > 1:
            found[f"{name}:{len(found)}"] = data.lower()

    for text in spellings(identifier):
        if not is_searchable(text):
            continue
        raw = text.encode()
        add("text", raw)
        add("reversed", raw[::-1])
        add("hex", raw.hex())
        add("hex of reversed", raw[::-1].hex())
        for separator in " :-":
            add("separated hex", raw.hex(separator))
        add("utf-16", text.encode("utf-16-le"))
        add("base32", base64.b32encode(raw).rstrip(b"="))
        add("\\u escapes", "".join(f"\\u{ord(c):04x}" for c in text))
        add("percent escapes", "".join(f"%{b:02x}" for b in raw))
        for core in base64_cores(raw):
            add("base64", core)
        for algorithm in ("md5", "sha1", "sha256"):
            add(algorithm, hashlib.new(algorithm, raw).hexdigest())
        for run in re.findall(r"\d{8,}", text):
            for start in range(len(run) - 7):
                add("digits", run[start : start + 8])
            even = run if len(run) % 2 == 0 else "0" + run
            packed = bytes.fromhex(even)
            add("bcd", packed)
            add("reversed bcd", packed[::-1])
            number = int(run)
            if number >= 1 << 24:
                size = (number.bit_length() + 7) // 8
                add("big-endian", number.to_bytes(size, "big"))
                add("little-endian", number.to_bytes(size, "little"))
    return found


def search(haystack, identifier):
    """The forms of an identifier that occur in some bytes."""
    lowered = bytes(haystack).lower()
    return {name: form for name, form in forms(identifier).items() if form in lowered}
