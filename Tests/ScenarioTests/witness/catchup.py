"""An instance that starts on a long log says in /readyz how far it is, and serves when it has caught up.

catchup.py BINARY FOLDER MESSAGES
"""

import json
import os
import sys
import threading

import confluent_kafka

from cluster import Cluster, until

binary, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
width = len(str(count * 10))


def text(number):
    return f'{{"n": {number:0{width}d}, "of": "{"x" * 100}"}}'


def fill(cluster):
    """Writes many messages as another program would: like one that an instance wrote, with other keys and numbers."""
    status, body = cluster.instances[0].request(
        "POST", "/v1/channels/long/messages", text(0),
        {"Signalbox-Key": f"{0:0{width}d}", "Content-Type": "text/plain", "Idempotency-Key": "only this one"})
    if status != 201:
        raise SystemExit(f"publish: {status} {body}")
    topic = f"{cluster.prefix}.messages"
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.broker.address, "group.id": "witness"})
    consumer.assign([confluent_kafka.TopicPartition(topic, number, 0)
                     for number in consumer.list_topics(topic, timeout=20).topics[topic].partitions])
    template = until(lambda: consumer.poll(0.1), "the first message")
    consumer.close()
    producer = confluent_kafka.Producer({
        "bootstrap.servers": cluster.broker.address, "enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4"})
    for number in range(1, count):
        if number % 1000 == 0:
            producer.poll(0)
        producer.produce(
            topic, partition=template.partition(), key=template.key()[:-width] + f"{number:0{width}d}".encode(),
            value=template.value().replace(text(0).encode(), text(number).encode()))
    if producer.flush(60):
        raise SystemExit("the topic could not be filled")
    return template.partition()


def partition_status(instance, partition):
    status, body = instance.request("GET", "/readyz")
    return status, json.loads(body)["partitions"][partition]


def catch_up(instance, partition):
    """Has the instance serve the channel, and returns what /readyz said on the way."""
    answers = []
    reader = threading.Thread(target=lambda: answers.append(instance.request("GET", "/v1/channels/long")))
    reader.start()
    said = []
    while not answers:
        said.append(partition_status(instance, partition))
    reader.join()
    status, body = answers[0]
    messages = json.loads(body).get("messages", [])
    if status != 200 or len(messages) != count:
        raise SystemExit(f"the channel: {status}, {len(messages)} of {count} messages, after /readyz said {said[-3:]}")
    said.append(partition_status(instance, partition))
    positions = [answer["position"] for _, answer in said if answer.get("state") != "idle"]
    if positions != sorted(positions):
        raise SystemExit(f"/readyz went back: {positions}")
    last = said[-1]
    if last[0] != 200 or "state" in last[1] or last[1]["position"] != last[1]["end"] or last[1]["end"] < count:
        raise SystemExit(f"caught up, /readyz says {last}")
    return [answer for _, answer in said if answer.get("state") == "starting"]


with Cluster(binary, folder, count=1) as cluster:
    partition = fill(cluster)
    snapshots = ["--snapshots", os.path.join(folder, "snapshots")]
    late = cluster.add(binary, snapshots, 1).start()
    status, idle = partition_status(late, partition)
    if (status, idle.get("state")) != (200, "idle"):
        raise SystemExit(f"before anybody needs a partition, /readyz says {status} {idle}")
    starting = [answer for answer in catch_up(late, partition) if answer["end"] >= count]
    halfway = [answer for answer in starting if 0 < answer["position"] < answer["end"]]
    if not halfway:
        raise SystemExit(f"/readyz never said how far it is: {starting[:3]}")
    if late.terminate() != 0:
        raise SystemExit("SIGTERM did not end it with 0")
    # It has left a snapshot: another start begins there.
    late.start()
    again = [answer["position"] for answer in catch_up(late, partition) if answer["end"] >= count]
    if any(position < count for position in again):
        raise SystemExit(f"from its snapshot it started at {again[0]} of {count}")
    print(f"{count} messages: /readyz said {len(halfway)} times how far it was, and nothing was left to read "
          "with a snapshot")
