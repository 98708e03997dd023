"""Reads a recording back with kafka-python, folds it and compares the boards with boards.json.

    python check.py [january]

Ends with 1 and the first difference. Nothing of the code that wrote the recording is used. Of the boards at an instant, the lines of
flights whose dates the recording has are compared: a key ends with the date.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kafka.record import MemoryRecords

LZ4 = 3
CREATE_TIME = 0
RECORDS_MAX = 1000
Boards = dict[str, dict[str, list[tuple[str, str | None]]]]


class Read(NamedTuple):
    time_ms: int
    channel: str
    key: str
    # The board line, its fields in order; None for a tombstone.
    line: list[tuple[str, str | None]] | None


def expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def take(content: bytes, tag: int, what: str) -> tuple[bytes, bytes]:
    """The content of the length-delimited protobuf field at the start, and what follows it."""
    expect(f"{what}: field tag", content[:1], bytes([tag]))
    length, shift, position = 0, 0, 1
    while True:
        length |= (content[position] & 0x7F) << shift
        shift, position = shift + 7, position + 1
        if content[position - 1] < 0x80:
            break
    expect(f"{what}: bytes of field {tag >> 3} present", len(content) >= position + length, True)
    return content[position:position + length], content[position + length:]


def board_line(value: bytes, channel: str, key: str, number: int) -> list[tuple[str, str | None]]:
    """The line inside an Event { message_published { id, content_type, data } }."""
    where = f"{channel} {key}"
    message, rest = take(value, 0x0A, where)
    expect(f"{where}: bytes after the event", rest, b"")
    identity, message = take(message, 0x0A, where)
    content_type, message = take(message, 0x12, where)
    data, rest = take(message, 0x1A, where)
    expect(f"{where}: bytes after the data", rest, b"")
    expect(f"{where}: content type", content_type, b"application/json")
    expect(f"{where}: id", identity.decode(), f"{channel}-{key}-{number}")
    fields = json.loads(data, object_pairs_hook=list)
    expect(f"{where}: compact JSON", data,
           json.dumps(dict(fields), separators=(",", ":")).encode())
    return fields


def read(log: bytes) -> Iterator[Read]:
    """Every record, with what a batch and a sequence of records must hold."""
    offset, time_ms = 0, 0
    changes: dict[bytes, int] = {}
    batches = MemoryRecords(log)
    for batch in batches:
        where = f"batch at offset {offset}"
        expect(f"{where}: valid CRC", batch.validate_crc(), True)
        expect(f"{where}: magic", batch.magic, 2)
        expect(f"{where}: base offset", batch.base_offset, offset)
        expect(f"{where}: compression", batch.compression_type, LZ4)
        expect(f"{where}: timestamp type", batch.timestamp_type, CREATE_TIME)
        largest = batch.max_timestamp
        count = 0
        for record in batch:
            expect("offset", record.offset, offset)
            expect(f"offset {offset}: time does not decrease", record.timestamp >= time_ms, True)
            offset, time_ms, count = offset + 1, record.timestamp, count + 1
            number = changes[record.key] = changes.get(record.key, 0) + 1
            channel, key = record.key.decode().split("\0")
            line = None
            if record.value is not None:
                line = board_line(record.value, channel, key, number)
            yield Read(record.timestamp, channel, key, line)
        expect(f"{where}: at most {RECORDS_MAX} records", count <= RECORDS_MAX, True)
        expect(f"{where}: max timestamp", largest, time_ms)
    expect("bytes read", batches.valid_bytes(), len(log))


def compare(state: Boards, expected: dict) -> int:
    """The number of lines on all boards at one instant, which agree."""
    for channel, lines in expected["boards"].items():
        where = f"{expected['at']} {channel}"
        found = state.get(channel, {})
        for line in lines:
            key = line["key"]
            expect(f"{where} {key}", found.get(key), list(line.items())[1:])
        expect(f"{where}: keys", sorted(found), [line["key"] for line in lines])
    others = {channel for channel, lines in state.items() if lines} - set(expected["boards"])
    expect(f"{expected['at']}: other channels", sorted(others), [])
    return sum(map(len, expected["boards"].values()))


def of_dates(instant: dict, first: str, end: str) -> dict:
    """What a recording of these dates has of the boards at an instant."""
    boards = {channel: [line for line in lines if first <= line["key"].split("/")[1] < end]
              for channel, lines in instant["boards"].items()}
    return {**instant, "boards": boards}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "january"
    log = Path(f"{name}.log").read_bytes()
    manifest = json.loads(Path(f"{name}.json").read_text())
    instants = [of_dates(instant, manifest["from"], manifest["to"])
                for instant in json.loads(Path("boards.json").read_text())]
    expect("bytes", len(log), manifest["bytes"])
    expect("sha256", hashlib.sha256(log).hexdigest(), manifest["sha256"])

    state: Boards = {}
    times: list[int] = []
    tombstones, lines, compared = 0, 0, 0
    keys: set[tuple[str, str]] = set()
    for record in read(log):
        while compared < len(instants) and instants[compared]["atMs"] < record.time_ms:
            lines += compare(state, instants[compared])
            compared += 1
        times.append(record.time_ms)
        keys.add((record.channel, record.key))
        if record.line is None:
            tombstones += 1
            del state[record.channel][record.key]
        else:
            state.setdefault(record.channel, {})[record.key] = record.line
    for expected in instants[compared:]:
        lines += compare(state, expected)

    expect("boards after the last record", {name: b for name, b in state.items() if b}, {})
    expect("records", len(times), manifest["records"])
    expect("tombstones", tombstones, manifest["tombstones"])
    expect("departures", len(keys), manifest["departures"])
    expect("first and last time", [times[0], times[-1]],
           [manifest["firstTimeMs"], manifest["lastTimeMs"]])
    print(f"{name}: {len(times)} records, {len(instants)} instants, {lines} board lines: all agree")


if __name__ == "__main__":
    main()
