"""A real Kafka broker in a folder of its own on 127.0.0.1, and what its topics hold, read by software that is not ours."""

import os
import random
import re
import signal
import socket
import subprocess
import time

import confluent_kafka
import noida_db


def free_port():
    """Below the ports that the system gives to clients: none of those takes it before the broker does, and nobody who asks
    whether the broker is there is answered by himself."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass  # somebody has it


class Broker:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.start()

    def start(self):
        """Starts it on what it has in its folder."""
        program = os.path.join(os.path.dirname(noida_db.__file__), "noida-db")
        with open(os.path.join(self.folder, "broker.log"), "ab") as log:
            self.process = subprocess.Popen(
                [program, "start", "--only", "kafka", "--kafka-port", str(self.port), "--data-dir",
                 os.path.join(self.folder, "data")], stdout=log, stderr=log)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the broker does not answer: {self.said()}") from None
                time.sleep(0.01)

    def said(self):
        with open(os.path.join(self.folder, "broker.log"), errors="replace") as log:
            return log.read()[-2000:]

    def stop(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def save(self):
        """Waits until everything acknowledged so far would survive its sudden death. It saves every second when something
        came, and the instances that stand for election always say something."""
        acknowledged, file = time.time(), os.path.join(self.folder, "data", "kafka.json")
        while not os.path.exists(file) or os.stat(file).st_mtime <= acknowledged:
            if time.time() > acknowledged + 30:
                raise SystemExit("the broker does not save what it has")
            time.sleep(0.05)

    def topics(self, prefix):
        """What the control topic of a log says of itself: the first parts of its keys."""
        names = confluent_kafka.Consumer({"bootstrap.servers": self.address, "group.id": "witness"}).list_topics(timeout=20).topics
        if f"{prefix}.control" not in names:
            return set()
        return {key.decode().split("/")[0] for key, _ in self.records(f"{prefix}.control")}

    def numbers(self, topic):
        """The numbered messages of a topic in the order of each partition: (partition, offset, channel, number)."""
        found = []
        for message in self.read(topic):
            number = re.search(rb'\{"n": (\d+)\}', message.value() or b"")
            if number:
                channel = message.key().split(b"\0")[0].decode()
                found.append((message.partition(), message.offset(), channel, int(number[1])))
        return sorted(found)

    def records(self, topic):
        """The keys and values of a topic."""
        return [(message.key(), message.value()) for message in self.read(topic)]

    def read(self, topic):
        """What is committed in a topic."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.address, "group.id": "witness", "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True})
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        found, ended = [], set()
        while len(ended) < len(partitions):
            message = consumer.poll(20)
            if message is None:
                raise SystemExit(f"{topic} could not be read to its end")
            if message.error():
                if message.error().code() != confluent_kafka.KafkaError._PARTITION_EOF:
                    raise SystemExit(f"{topic}: {message.error()}")
                ended.add(message.partition())
                continue
            found.append(message)
        consumer.close()
        return found
