"""Several real instances on one log on a real broker, and nothing before them."""

import http.client
import itertools
import json
import os
import threading
import time

from broker import Broker
from instance import Instance


def until(condition, what, seconds=30):
    """Waits until a condition holds, and returns what it said."""
    deadline = time.monotonic() + seconds
    while not (said := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.005)
    return said


class Cluster:
    prefix = "witness"

    def __init__(self, binary, folder, count=3, partitions=4, arguments=()):
        self.folder, self.broker, self.instances = folder, Broker(os.path.join(folder, "broker")), []
        try:
            for number in range(count):
                self.add(binary, ["--partitions", str(partitions), *arguments], number)
                self.instances[-1].start()
        except BaseException:
            self.__exit__()
            raise

    def add(self, binary, arguments, number):
        self.instances.append(Instance(
            binary, f"kafka://{self.broker.address}?prefix={self.prefix}", arguments=arguments,
            errors=os.path.join(self.folder, f"instance-{number}.log")))
        return self.instances[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for instance in self.instances:
            if instance.process and instance.process.poll() is None:
                instance.kill()
        self.broker.stop()

    def messages(self):
        """What the log holds, read by another client: (partition, offset, channel, number), in order."""
        return self.broker.numbers(f"{self.prefix}.messages")


numbers = itertools.count(1)
"""Every message that is published has a number of its own."""


class Publisher(threading.Thread):
    """Publishes numbered messages to one instance, whenever that can be reached, and notes what was acknowledged."""

    def __init__(self, instance, channels, stop):
        super().__init__(daemon=True)
        self.instance, self.channels, self.stop = instance, channels, stop
        self.may_go_on, self.rests = threading.Event(), threading.Event()
        self.may_go_on.set()
        self.acknowledged, self.refused = [], []  # (number, channel, position), (number, status, answer)

    def run(self):
        connection = None
        while not self.stop.is_set():
            if not self.may_go_on.is_set():
                self.rests.set()
                self.may_go_on.wait(0.1)
                continue
            self.rests.clear()
            number = next(numbers)
            channel = self.channels[number % len(self.channels)]
            try:
                connection = connection or self.instance.connect()
                connection.request("POST", f"/v1/channels/{channel}/messages", json.dumps({"n": number}), {
                    "Signalbox-Key": f"k{number % 20}", "Content-Type": "application/json"})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                # Killed under way: what was not answered may be in the log or not.
                connection = connection and connection.close()
                self.stop.wait(0.02)
                continue
            if answer.status == 201:
                self.acknowledged.append((number, channel, json.loads(body)["position"]))
            else:
                self.refused.append((number, answer.status, body))


class Load:
    """Publishers to all instances of a cluster."""

    def __init__(self, cluster, channels):
        self.cluster, self.channels, self.stop = cluster, channels, threading.Event()
        self.publishers = [Publisher(instance, channels, self.stop) for instance in cluster.instances]

    def __enter__(self):
        for publisher in self.publishers:
            publisher.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for publisher in self.publishers:
            publisher.join()

    def pause(self):
        """Returns when nothing is under way any more."""
        for publisher in self.publishers:
            publisher.may_go_on.clear()
        for publisher in self.publishers:
            publisher.rests.wait()

    def resume(self):
        for publisher in self.publishers:
            publisher.may_go_on.set()

    @property
    def count(self):
        return sum(len(publisher.acknowledged) for publisher in self.publishers)

    def troubles(self, messages):
        """What is wrong in the log: acknowledged and not there once, or refused and there."""
        refused = [refusal for publisher in self.publishers for refusal in publisher.refused]
        if refused:
            yield f"{len(refused)} refused, such as {refused[0]}"
        found = [(number, channel) for _, _, channel, number in messages]
        if len(set(found)) != len(found):
            yield "messages are in the log twice"
        acknowledged = {(number, channel) for publisher in self.publishers for number, channel, _ in publisher.acknowledged}
        if lost := acknowledged - set(found):
            yield f"{len(lost)} acknowledged messages are not in the log, such as {min(lost)}"
