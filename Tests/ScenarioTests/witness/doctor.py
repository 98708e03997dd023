"""What the doctor finds in topics that others have spoilt.

doctor.py BINARY FOLDER
"""

import json
import os
import subprocess
import sys

import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from instance import Instance

binary, folder = sys.argv[1], sys.argv[2]
os.makedirs(folder, exist_ok=True)
broker = Broker(os.path.join(folder, "broker"))


def doctor(prefix):
    done = subprocess.run(
        [binary, "doctor", "--log", f"kafka://{broker.address}?prefix={prefix}", "--json"], capture_output=True, text=True)
    return done.returncode, done.stderr, json.loads(done.stdout or "[]")


def expect(prefix, code, *found):
    """`found`: trap and outcome that must be among what is said, and no other trap may be refused."""
    status, error, said = doctor(prefix)
    if status != code:
        raise SystemExit(f"{prefix}: exit {status}, not {code}: {error} {said}")
    outcomes = {(one["trap"], one["outcome"]) for one in said}
    if missing := set(found) - outcomes:
        raise SystemExit(f"{prefix}: {missing} are not in {said}")
    if more := {one for one in outcomes if one[1] == "refused"} - set(found):
        raise SystemExit(f"{prefix}: {more} are refused besides: {said}")
    return said


def make(prefix):
    instance = Instance(binary, f"kafka://{broker.address}?prefix={prefix}", errors=os.path.join(folder, "serve.log")).start()
    for number in range(20):
        status, body = instance.request("POST", f"/v1/channels/c{number}/messages", "x", {"Content-Type": "text/plain"})
        if status != 201:
            raise SystemExit(f"publish: {status} {body}")
    if instance.terminate() != 0:
        raise SystemExit("the instance did not stop well")


def produce(prefix, topic, partition, key, value, **properties):
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, **properties})
    if "transactional.id" in properties:
        producer.init_transactions(20)
        producer.begin_transaction()
    producer.produce(f"{prefix}.{topic}", key=key, value=value, partition=partition)
    if producer.flush(20):
        raise SystemExit("the broker does not take a record")
    return producer


try:
    status, error, said = doctor("nothing")
    if status != 1 or "there is no log" not in error:
        raise SystemExit(f"without a log: {status} {error} {said}")
    make("whole")
    said = expect("whole", 0, ("T8", "advised"), ("T13", "fine"), ("T14", "fine"), ("T1", "by design"))
    if {f"T{number}" for number in range(1, 16)} - {one["trap"] for one in said}:
        raise SystemExit(f"not every trap is spoken of: {said}")

    make("keys")
    produce("keys", "messages", 0, b"no zero byte", b"x")
    produce("keys", "messages", 0, b"", b"x")
    channel = next(f"c{number}" for number in range(20) if any(
        message.key().startswith(f"c{number}\0".encode()) and message.partition() == 0 for message in broker.read("keys.messages")))
    produce("keys", "messages", 1, f"{channel}\0k".encode(), b"x")
    expect("keys", 2, ("T10", "advised"), ("T11", "refused"), ("T13", "refused"))

    make("topics")
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.delete_topics(["topics.messages"])["topics.messages"].result(20)
    admin.create_topics([NewTopic("topics.messages", 3, 1, config={"cleanup.policy": "compact,delete"})])["topics.messages"].result(20)
    expect("topics", 2, ("T12", "refused"), ("T15", "refused"), ("T5", "refused"), ("", "refused"))
    # Nor is it served, or replayed; and it says what to change.
    for command in ("serve", "replay"):
        done = subprocess.run([binary, command, "--log", f"kafka://{broker.address}?prefix=topics"], capture_output=True, text=True)
        if done.returncode != 1 or "topics.messages: cleanup.policy is compact,delete" not in done.stderr or "set it to compact" not in done.stderr:
            raise SystemExit(f"{command} with wrong topics: {done}")

    make("transaction")
    hanging = produce("transaction", "messages", 0, b"a\0b", b"x", **{"transactional.id": "hangs", "transaction.timeout.ms": 600000})
    expect("transaction", 2, ("T14", "refused"))
    hanging.abort_transaction(20)
    expect("transaction", 0, ("T14", "fine"))
    print("what was spoilt was found, and nothing else")
finally:
    broker.stop()
