"""Makes the golden bytes of version 1, with protoc and Python and none of our code. Run it from the project's root.

events-v1.tsv   name, key in hexadecimal, value in hexadecimal
slots.tsv       channel, slot, and its partition of 2, 3 and 8

Bytes that were released never change: a change of these files is a new version, beside the old one.
"""

import subprocess

EVENTS = [
    ("message", b"JFK\0B6725/2013-01-01",
     'message_published { id: "JFK-1" content_type: "application/json" data: "{\\"status\\":\\"departed\\"}" }'),
    ("message expiring", b"presence\0anna",
     'message_published { id: "01m841vv9t5jwskw0jx8fnj8tv" content_type: "text/plain" data: "here" expires_at_ms: 1767225600000 }'),
    ("message of bytes", "Zürich\0\U0001f686".encode(),
     'message_published { id: "z" data: "\\000\\001\\377" expires_at_ms: 9223372036854775807 }'),
    ("message of nothing", b"c\0k", "message_published { }"),
    ("node up", b"node/n1", 'node_status { state: STATE_UP incarnation: 1 capacity: 4 url: "http://127.0.0.1:9000" }'),
    ("node failed", b"node/n1",
     "node_status { state: STATE_FAILED incarnation: 18446744073709551615 capacity: 4294967295 }"),
    ("node of defaults", b"node/n2", "node_status { }"),
    ("slot", b"slot/0", 'slot_route { node: "n1" epoch: 1 }'),
    ("slot of nobody", b"slot/4095", "slot_route { epoch: 18446744073709551615 }"),
    ("cluster", b"cluster/main", "cluster_settings { partitions: 8 frozen: true }"),
    ("delivery cursor", b"slot/17", 'delivery_cursor { node: "n1" epoch: 3 acknowledged: 123456789 }'),
    ("beat", b"n1", "beat_observed { incarnation: 7 }"),
    ("join", b"n1", 'join_requested { capacity: 2 url: "http://127.0.0.1:9000" }'),
    ("leave", b"n1", "leave_requested { incarnation: 7 }"),
    ("load", b"n1", "load_reported { incarnation: 7 in_flight: 12 latency_us: 1500 capacity: 4 }"),
    ("delivery", b"n1", "delivery_reported { slot: 4095 epoch: 3 succeeded: true latency_us: 900 }"),
    ("time passed", b"\0time", "time_passed { }"),
]

CHANNELS = ["a", "b", "JFK", "LGA", "EWR", "orders", "orders/eu", "Zürich", "\U0001f686", "x" * 255,
            *(f"channel-{number}" for number in range(50))]


def encode(text):
    return subprocess.run(
        ["protoc", "-I", "schemas", "--encode=signalbox.v1.Event", "schemas/signalbox/v1/events.proto"],
        input=text.encode(), capture_output=True, check=True).stdout


def slot(channel):
    mask = (1 << 64) - 1
    value = 0xCBF29CE484222325
    for byte in channel.encode():
        value = (value ^ byte) * 0x100000001B3 & mask
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & mask
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & mask
    return (value ^ value >> 33) >> 52


with open("schemas/golden/events-v1.tsv", "w") as file:
    for name, key, text in EVENTS:
        print(name, key.hex(), encode(text).hex(), sep="\t", file=file)
with open("schemas/golden/slots.tsv", "w") as file:
    for channel in CHANNELS:
        number = slot(channel)
        print(channel, number, number % 2, number % 3, number % 8, sep="\t", file=file)
