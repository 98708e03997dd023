"""The topics through the schemas alone: Python decodes what Signalbox wrote and kcat shows it byte for byte; and what Python publishes, in
a process of its own, comes on a stream of Signalbox.

schemas.py BINARY FOLDER
"""

import base64
import datetime
import json
import os
import subprocess
import sys
import urllib.parse

from cluster import Cluster, until
from subscriber import Subscriber

binary, folder = sys.argv[1], sys.argv[2]
root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
PARTITIONS = 8  # one of those that slots.tsv has a column for
os.makedirs(folder, exist_ok=True)

# Nothing of Signalbox but its schemas and its golden slots.
subprocess.run(
    [sys.executable, "-m", "grpc_tools.protoc", "-I", os.path.join(root, "schemas"), f"--python_out={folder}",
     "signalbox/v1/events.proto"], check=True)
sys.path.insert(0, folder)
from signalbox.v1 import events_pb2  # noqa: E402


def slot(channel):
    """As schemas/asyncapi.yaml says it: FNV-1a over UTF-8, finished with MurmurHash3's 64-bit mixer; its top 12 bits."""
    number = 0xCBF29CE484222325
    for byte in channel.encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        number = (number ^ number >> 33) * factor % 2**64
    return (number ^ number >> 33) >> 52


with open(os.path.join(root, "schemas/golden/slots.tsv")) as file:
    golden = [line.rstrip("\n").split("\t") for line in file]
partition_of = {channel: int(of_eight) for channel, _, _, _, of_eight in golden}
for channel, number, *_, of_eight in golden:
    if (slot(channel), slot(channel) % PARTITIONS) != (int(number), int(of_eight)):
        raise SystemExit(f"slot {slot(channel)} of {channel}, not {number}")


def event(value):
    """The kind of an event and its body."""
    whole = events_pb2.Event.FromString(value)
    if whole.SerializeToString(deterministic=True) != value or not whole.WhichOneof("body"):
        raise SystemExit(f"{value} is no event of the schema")
    return whole.WhichOneof("body"), getattr(whole, whole.WhichOneof("body"))


def shown(channel, message):
    """A message as GET answers it, made from its record."""
    kind, body = event(message.value())
    if kind != "message_published":
        raise SystemExit(f"{kind} among messages")
    media = body.content_type.split(";")[0]
    time = datetime.datetime.fromtimestamp(message.timestamp()[1] / 1000, datetime.timezone.utc)
    answer = {
        "channel": channel, "key": message.key().split(b"\0", 1)[1].decode(), "id": body.id,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z", "contentType": body.content_type}
    if media == "application/json":
        answer["data"] = json.loads(body.data)
    elif media.startswith("text/"):
        answer["data"] = body.data.decode()
    else:
        answer |= {"encoding": "base64", "data": base64.b64encode(body.data).decode()}
    return answer


def state(messages):
    """The last record of every key, by channel."""
    last = {}
    for message in messages:
        if message.partition() != slot(message.key().split(b"\0")[0].decode()) % PARTITIONS:
            raise SystemExit(f"{message.key()} lies in partition {message.partition()}")
        last.pop(message.key(), None)
        if message.value() is not None:
            last[message.key()] = message
    channels = {}
    for key, message in last.items():
        channels.setdefault(key.split(b"\0")[0].decode(), []).append(message)
    return channels


def kcat(topic, partition, offset, form):
    """What kcat shows of one record."""
    return subprocess.run(
        ["kcat", "-b", cluster.broker.address, "-C", "-q", "-t", topic, "-p", str(partition), "-o", str(offset), "-c", "1", "-f", form],
        check=True, capture_output=True, timeout=60).stdout


published = [
    ("JFK", "B6 725", "application/json", b'{"status": "boarding", "n": [1, 2.5, null]}'),
    ("JFK", "B6 725", "application/json", b'{"status": "departed"}'),
    ("JFK", "gone", "text/plain", b"soon"),
    ("Zürich", "\U0001f686", "text/plain; charset=utf-8", "Grüezi".encode()),
    ("LGA", "bytes", "application/octet-stream", bytes(range(256))),
    ("EWR", "nothing", "text/plain", b""),
]

with Cluster(binary, folder, count=2, partitions=PARTITIONS) as cluster:
    one, two = cluster.instances
    topic = f"{cluster.prefix}.messages"

    def publish(channel, key, kind, data, **headers):
        status, body = one.request(
            "POST", f"/v1/channels/{urllib.parse.quote(channel)}/messages", data,
            {"Signalbox-Key": key.encode().decode("latin-1"), "Content-Type": kind, **headers})
        if status != 201:
            raise SystemExit(f"publish: {status} {body}")
        return json.loads(body)["position"]

    for message in published:
        publish(*message)
    publish("orders", "expiring", "text/plain", b"x", **{"Signalbox-TTL": "3600"})
    status, body = one.request("DELETE", "/v1/channels/JFK/messages/gone")
    if status != 200:
        raise SystemExit(f"delete: {status} {body}")
    status, body = one.request("PUT", "/v1/nodes/n1", '{"capacity": 4, "url": "http://10.0.0.1:9000"}', {"Content-Type": "application/json"})
    joined = json.loads(body)
    until(lambda: json.loads(two.request("GET", "/v1/nodes")[1])["nodes"], "the node is there")

    # What Python makes of the topics is what GET answers.
    messages = cluster.broker.read(topic)
    expiring = [event(message.value())[1] for message in messages if message.key() == b"orders\0expiring"][0]
    if not 3_500_000 < expiring.expires_at_ms - messages[-1].timestamp()[1] < 3_700_000:
        raise SystemExit(f"it expires at {expiring.expires_at_ms}")
    for channel, found in state(messages).items():
        status, body = two.request("GET", f"/v1/channels/{urllib.parse.quote(channel)}")
        said = sorted(json.loads(body)["messages"], key=lambda message: message["key"])
        made = sorted((shown(channel, message) for message in found), key=lambda message: message["key"])
        if said != made:
            raise SystemExit(f"{channel}: GET says {said}, the topic {made}")
    facts = {key.decode(): event(value) for key, value in cluster.broker.records(f"{cluster.prefix}.topology")}
    kind, node = facts["node/n1"]
    said = json.loads(two.request("GET", "/v1/nodes")[1])["nodes"][0]
    state_name = events_pb2.NodeStatus.State.Name(node.state).removeprefix("STATE_").lower()
    if kind != "node_status" or (said["id"], said["state"], said["incarnation"], said["capacity"], said["url"]) != (
            "n1", state_name, node.incarnation, node.capacity, node.url) or node.capacity != 4:
        raise SystemExit(f"topology has {kind} {node}, GET says {said}")

    # kcat sees the same bytes: canonical keys, protobuf values, null for what was deleted.
    for message in messages:
        place = (topic, message.partition(), message.offset())
        if kcat(*place, "%k") != message.key():
            raise SystemExit(f"kcat sees another key than {message.key()}")
        if message.value() is None:
            if kcat(*place, "%S") != b"-1":
                raise SystemExit("kcat sees no tombstone")
        elif kcat(*place, "%s") != message.value():
            raise SystemExit(f"kcat sees another value than {message.value()}")
    deleted = [message.key() for message in messages if message.value() is None]
    if deleted != [b"JFK\0gone"]:
        raise SystemExit(f"tombstones of {deleted}")

    # Another process publishes an event that it made from the schema, where the golden slots say.
    subscribers = [Subscriber([channel], instance, lambda left: left, envelope=True)
                   for channel in ("channel-7", "orders") for instance in (one, two)]
    for subscriber in subscribers:
        subscriber.start()
    until(lambda: all(subscriber.lives for subscriber in subscribers), "everybody live")
    producer = """
import sys, time
import confluent_kafka
sys.path.insert(0, sys.argv[1])
from signalbox.v1 import events_pb2
producer = confluent_kafka.Producer({"bootstrap.servers": sys.argv[2], "enable.idempotence": True})
for channel, partition in (pair.rsplit("=", 1) for pair in sys.argv[4:]):
    for number in range(1, 4):
        message = events_pb2.Event(message_published=events_pb2.MessagePublished(
            id=f"python-{number}", content_type="application/json", data=b'{"n": %d}' % number))
        producer.produce(sys.argv[3], key=f"{channel}\\0from python".encode(), value=message.SerializeToString(), partition=int(partition))
if producer.flush(30):
    raise SystemExit("not delivered")
"""
    subprocess.run(
        [sys.executable, "-c", producer, folder, cluster.broker.address, topic,
         *(f"{channel}={partition_of[channel]}" for channel in ("channel-7", "orders"))], check=True, timeout=60)
    until(lambda: all(subscriber.seen[subscriber.channels[0]] == [1, 2, 3] for subscriber in subscribers),
          lambda: f"on every stream: {[subscriber.seen for subscriber in subscribers]}")
    for subscriber in subscribers:
        subscriber.end()
    said = json.loads(two.request("GET", "/v1/channels/channel-7")[1])["messages"]
    if [(message["key"], message["id"], message["data"]) for message in said] != [("from python", "python-3", {"n": 3})]:
        raise SystemExit(f"GET says {said}")
    print(f"{len(messages)} messages and {len(facts)} fact read by the schemas alone, {len(messages)} seen by kcat, 6 published by "
          "another process: the same everywhere")
