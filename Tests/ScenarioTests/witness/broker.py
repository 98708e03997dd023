"""A real Kafka broker in a folder of its own on 127.0.0.1, and what its topics hold, read by software that is not ours."""

import os
import re
import signal
import socket
import subprocess
import time

import confluent_kafka
import noida_db


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.address = f"127.0.0.1:{self.port}"
        program = os.path.join(os.path.dirname(noida_db.__file__), "noida-db")
        with open(os.path.join(folder, "broker.log"), "ab") as log:
            self.process = subprocess.Popen(
                [program, "start", "--only", "kafka", "--kafka-port", str(self.port), "--data-dir",
                 os.path.join(folder, "data")], stdout=log, stderr=log)
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if time.monotonic() > until:
                    raise SystemExit("the broker does not answer") from None
                time.sleep(0.01)

    def stop(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def numbers(self, topic):
        """The numbered messages of a topic in the order of each partition: (partition, offset, channel, number)."""
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
            number = re.search(rb'\{"n": (\d+)\}', message.value() or b"")
            if number:
                channel = message.key().split(b"\0")[0].decode()
                found.append((message.partition(), message.offset(), channel, int(number[1])))
        consumer.close()
        return sorted(found)
