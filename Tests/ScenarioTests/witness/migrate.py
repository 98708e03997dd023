"""An embedded log moves to Kafka: both say the same, and clients of the old one are told where they are.

migrate.py BINARY FOLDER MESSAGES
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys

import confluent_kafka

from broker import Broker
from cluster import until
from instance import Instance
from subscriber import Subscriber

binary, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = os.path.join(folder, "old")
os.makedirs(folder, exist_ok=True)
connections = {}
broker = Broker(os.path.join(folder, "broker"))


def migrate(prefix, address=None, environment={}):
    return subprocess.run(
        [binary, "migrate", "--from", f"file:{data}", "--to", f"kafka://{address or broker.address}?prefix={prefix}", "--json"],
        capture_output=True, text=True, env={**os.environ, **environment})


def publish(instance, number, key, idempotency_key=None):
    """Over one connection for all."""
    headers = {"Signalbox-Key": key, "Content-Type": "application/json"}
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    connection = connections[instance] = connections.get(instance) or instance.connect()
    connection.request("POST", f"/v1/channels/c{number % 5}/messages", json.dumps({"n": number}), headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status not in (200, 201):
        raise SystemExit(f"publish: {answer.status} {body}")
    return answer.status


def channels(instance):
    """What the channels hold; positions belong to one log."""
    return [json.loads(instance.request("GET", f"/v1/channels/c{number}")[1])["messages"] for number in range(5)]


def nodes(instance):
    return {node["id"]: node for node in json.loads(instance.request("GET", "/v1/nodes")[1])["nodes"]}


def join(instance, name):
    return json.loads(instance.request("PUT", f"/v1/nodes/{name}", "{}", {"Content-Type": "application/json"})[1])["incarnation"]


try:
    old = Instance(binary, data, errors=os.path.join(folder, "old.log")).start()
    for number in range(count):
        publish(old, number, f"k{number % 50}", f"try {number}")
        if number % 10 == 7:
            old.request("DELETE", f"/v1/channels/c{number % 5}/messages/k{number % 50}")
    for _ in range(5):
        life = join(old, "node")
    until(lambda: nodes(old).get("node", {}).get("incarnation") == life, "the node is up")
    reader = Subscriber(["c1"], old, lambda left: left)
    reader.start()
    until(lambda: reader.lives, "live")
    refused = migrate("served")
    if refused.returncode != 1 or "in use" not in refused.stderr:
        raise SystemExit(f"a log that is served was moved: {refused}")
    reader.end()
    state, token = channels(old), reader.id
    if old.terminate() != 0:
        raise SystemExit("the old instance did not stop well")

    # Killed half way: the old one is as it was, and nobody opens the new one.
    halves = 0
    for attempt in range(6):
        copy = os.path.join(folder, f"copy-{attempt}")
        shutil.copytree(data, copy)
        process = subprocess.Popen(
            [binary, "migrate", "--from", f"file:{copy}", "--to", f"kafka://{broker.address}?prefix=half-{attempt}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=0.1 + random.random() * 0.5)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        is_sealed = os.path.exists(os.path.join(copy, "moved.json"))
        is_there = "log" in broker.topics(f"half-{attempt}")
        if is_there and not is_sealed:
            halves += 1
            new = Instance(binary, f"kafka://{broker.address}?prefix=half-{attempt}", errors=os.path.join(folder, "half.log"))
            if new.spawn():
                new.kill()
                raise SystemExit("a log that was moved half way can be opened")
        if not is_sealed:
            old = Instance(binary, copy, errors=os.path.join(folder, "old.log")).start()
            if channels(old) != state or old.terminate() != 0:
                raise SystemExit("the old log is not as it was")

    # The same settings as those of serve: this one is refused before anything is done.
    refused = migrate("new", environment={"SIGNALBOX_KAFKA_PROPERTIES": "no.such.property=1"})
    if refused.returncode != 1 or "no.such.property" not in refused.stderr:
        raise SystemExit(f"a property from the environment: {refused}")
    done = migrate("new")
    if done.returncode != 0:
        raise SystemExit(f"migrate: {done.stderr}")
    report = json.loads(done.stdout)
    if not report["digests"] or report["records"] < count:
        raise SystemExit(f"migrate says {report}")
    again = migrate("new")
    if again.returncode != 0 or not json.loads(again.stdout)["wasMoved"]:
        raise SystemExit(f"a second move: {again}")
    # Killed between the seal of the old one and the end of the move: the control topic is as it was before that. Nobody opens the
    # new one, and another try completes the move, though the brokers are named otherwise.
    control = broker.records("new.control")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    for key, value in [(key, value) for key, value in control if key.startswith(b"moving/") and value is not None]:
        producer.produce("new.control", key=key, value=value)
    if producer.flush(20):
        raise SystemExit("the broker does not take a record")
    new = Instance(binary, f"kafka://{broker.address}?prefix=new", errors=os.path.join(folder, "new.log"))
    if new.spawn():
        new.kill()
        raise SystemExit("a log whose move has not come to its end can be opened")
    completed = migrate("new", address=broker.address.replace("127.0.0.1", "localhost"))
    if completed.returncode != 0 or not json.loads(completed.stdout)["wasMoved"]:
        raise SystemExit(f"a move that was cut off at its end: {completed}")
    elsewhere = migrate("elsewhere")
    if elsewhere.returncode != 1 or "was moved to" not in elsewhere.stderr:
        raise SystemExit(f"a second move elsewhere: {elsewhere}")
    sealed = subprocess.run([binary, "serve", "--log", f"file:{data}", "--port", "0"], capture_output=True, text=True)
    if sealed.returncode != 1 or "was moved to" not in sealed.stderr:
        raise SystemExit(f"a sealed log was served: {sealed}")

    new = Instance(binary, f"kafka://{broker.address}?prefix=new", errors=os.path.join(folder, "new.log")).start()
    if channels(new) != state:
        raise SystemExit("the channels are others")
    if publish(new, count - 1, f"k{(count - 1) % 50}", f"try {count - 1}") != 200:
        raise SystemExit("a publish that is tried again after the move is there twice (law 18)")
    # A client of the old log is given the state, and told so (law 26).
    reader = Subscriber(["c1"], new, lambda left: left)
    reader.id = token
    reader.start()
    until(lambda: reader.lives, "live")
    reader.end()
    if reader.verdicts != [("reset", "other-log")] or reader.seen["c1"] != [message["data"]["n"] for message in state[1]]:
        raise SystemExit(f"a client of the old log got {reader.verdicts} and {reader.seen}")
    # A node that joins anew begins a later life than any it had.
    if nodes(new)["node"]["incarnation"] != life:
        raise SystemExit(f"the node is another: {nodes(new)}")
    next_life = join(new, "node")
    if next_life <= life:
        raise SystemExit(f"life {next_life} after {life}")
    until(lambda: nodes(new)["node"]["incarnation"] == next_life, "the node is up again")
    if new.terminate() != 0:
        raise SystemExit("the new instance did not stop well")
    print(f"{report['records']} records in {report['milliseconds']} ms, {halves} moves killed half way: the same in both")
finally:
    broker.stop()
