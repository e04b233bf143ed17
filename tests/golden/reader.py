"""Reads an index by docs/format.md and docs/content-ids.md alone: nothing of gitmemo is imported.

Not a test. `python reader.py BLAKE3_FOLDER < LINES` prints, for each call, the ids that follow
from its line, as `format1.json` has them.
"""

import base64
import json
import struct
import sys

sys.path.append(sys.argv[1])  # where the package `blake3` is; started with -I -S

from blake3 import blake3

assert not any(name.startswith("gitmemo") for name in sys.modules)


def framed(*parts):
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)


def derive(tag, *parts):
    raw = [part.encode() if isinstance(part, str) else part for part in (tag, *parts)]
    return blake3(framed(*raw)).digest()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoding(value):
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"T", False: b"F"}[value]
    if isinstance(value, int):
        return b"i" + struct.pack("<q", value)
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"s" + bytes([len(value.encode())]) + value.encode()
    if isinstance(value, list):
        return b"L" + bytes([len(value)]) + b"".join(map(part, value))
    pairs = (part(one) for pair in value.items() for one in pair)
    return b"d" + bytes([len(value)]) + b"".join(pairs)


def part(value):
    encoded = encoding(value)
    return encoded if len(encoded) <= 64 else b"M" + of_part(encoded)


def of_part(encoded):
    return blake3(b"gm1" + encoded).digest()


def read(value):
    """Return the part and the history id of a value; its history follows if it is raw."""
    if isinstance(value, str):
        return b"M" + decoded(value), None
    ((kind, inner),) = value.items()
    if kind == "v":
        return encoding(inner), None
    if kind == "p":
        return decoded(inner), None
    assert kind == "list", "the golden repository has no other"
    items = [read_item(item) for item in inner]
    encoded = b"L" + bytes([len(items)]) + b"".join(short(one) for one, _ in items)
    if all(hid == derive("raw", cid_of(one)) for one, hid in items):
        return encoded, None
    return encoded, derive("collection", kind, cid_of(encoded), *(hid for _, hid in items))


def read_item(item):
    if isinstance(item, list):
        return read(item[0])[0], decoded(item[1])
    encoded, hid = read(item) if isinstance(item, (str, dict)) else (encoding(item), None)
    return encoded, hid or derive("raw", cid_of(encoded))


def short(encoded):
    return encoded if len(encoded) <= 64 else b"M" + of_part(encoded)


def cid_of(encoded):
    return encoded[1:] if encoded[:1] == b"M" else of_part(encoded)


def call(array):
    _kind, op, table, version, inputs, outputs, _inner, _run = array
    held = {}
    for name, value, *hid in inputs:
        encoded, follows = read(value)
        cid = cid_of(encoded)
        held[name] = (cid, decoded(hid[0]) if hid else follows or derive("raw", cid))
    ids = [one for name in sorted(held) for one in (name, held[name][1])]
    hid = derive("call", op, str(table), decoded(version) if version else "", *ids)
    key = derive("op", op, str(table))
    for name in sorted(held):
        key += framed(name.encode()) + held[name][0]
    made = {name: (cid_of(read(value)[0]), derive("output", hid, name)) for name, value in outputs}
    return {
        "op": op,
        "key": blake3(key).hexdigest(),
        "hid": hid.hex(),
        "inputs": {name: [one.hex() for one in pair] for name, pair in held.items()},
        "outputs": {name: [one.hex() for one in pair] for name, pair in made.items()},
    }


lines = sys.stdin.buffer.read().decode().splitlines()
records = {blake3(line.encode()).hexdigest(): json.loads(line) for line in lines}
calls = {record: call(fact) for record, fact in records.items() if fact[0] == "call"}
json.dump({"records": sorted(records), "calls": calls}, sys.stdout)
