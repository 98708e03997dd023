"""What an instance holds and reads follows what its own clients need.

demand.py BINARY FOLDER MEGABYTES
"""

import itertools
import json
import re
import sys
import threading

from cluster import Cluster, until
from subscriber import Subscriber

binary, folder, megabytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
PARTITIONS, VALUE = 8, "x" * 8000


def memory(instance):
    """Bytes of memory that it has."""
    with open(f"/proc/{instance.process.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def received(instance):
    """Bytes of records of messages that came from the broker, by librdkafka's own account."""
    return sum(int(size) for size in re.findall(
        r"Enqueue \d+ message\(s\) \((\d+) bytes, \d+ ops\) on \S+\.messages ", instance.said()))


def states(instance):
    return [partition.get("state", "serving") for partition in json.loads(instance.request("GET", "/readyz")[1])["partitions"]]


def publish(instance, channel, key, number):
    connection = publish.connection = getattr(publish, "connection", None) or instance.connect()
    connection.request("POST", f"/v1/channels/{channel}/messages", json.dumps({"n": number, "x": VALUE}), {
        "Signalbox-Key": f"k{key}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 201:
        raise SystemExit(f"publish: {answer.status} {body}")
    return json.loads(body)["position"]


with Cluster(binary, folder, count=4, partitions=PARTITIONS, arguments=["--partition-idle-seconds", "1", "--kafka-property", "debug=fetch"]) as cluster:
    nobody, one, everybody, publisher = cluster.instances
    # A channel in each partition, found by asking: a position tells partitions apart.
    channels = [f"channel-{number}" for number in range(40)]
    for number in range(megabytes * 1000 * 1000 // len(VALUE)):
        publish(publisher, channels[number % len(channels)], number // len(channels), number)
    if states(nobody) != ["idle"] * PARTITIONS:
        raise SystemExit(f"without clients: {states(nobody)}")
    empty = memory(nobody)
    begun = {instance: received(instance) for instance in (nobody, one, everybody)}
    single = Subscriber([channels[0]], one, lambda left: left)
    all_of_them = Subscriber(channels, everybody, lambda left: left)
    for subscriber in (single, all_of_them):
        subscriber.start()
        until(lambda: subscriber.lives, "live")
    if sorted(states(one)) != ["idle"] * (PARTITIONS - 1) + ["serving"]:
        raise SystemExit(f"with a client of one partition: {states(one)}")
    if states(everybody) != ["serving"] * PARTITIONS:
        raise SystemExit(f"with a client of all partitions: {states(everybody)}")
    held = {instance: memory(instance) - empty for instance in (one, everybody)}
    read = {instance: received(instance) - begun[instance] for instance in begun}
    # What comes now comes to those who follow it.
    last = {}
    for number in range(400):
        last[channels[number % len(channels)]] = number
        publish(publisher, channels[number % len(channels)], 0, number)
    until(lambda: all_of_them.has_seen(last), "everybody has it")
    until(lambda: single.has_seen(last), "the one has its own")
    more = {instance: received(instance) - begun[instance] - read[instance] for instance in begun}
    # They leave while publishing goes on everywhere: nobody waits for a quiet moment.
    stop = threading.Event()

    def go_on():
        for number in itertools.cycle(range(len(channels))):
            if stop.wait(0.002):
                return
            publish(publisher, channels[number], 1, 0)

    going_on = threading.Thread(target=go_on)
    going_on.start()
    try:
        for subscriber in (single, all_of_them):
            subscriber.end()
        until(lambda: states(one) == states(everybody) == ["idle"] * PARTITIONS, "let go while publishing goes on")
    finally:
        stop.set()
        going_on.join()
    print(f"{megabytes} MB in {PARTITIONS} partitions: an instance with a client of one holds {held[one] / 1e6:.1f} MB and read "
          f"{read[one] / 1e6:.1f} MB, one with clients of all {held[everybody] / 1e6:.1f} and {read[everybody] / 1e6:.1f}, one with none "
          f"read {read[nobody] / 1e6:.1f}; of {400 * len(VALUE) / 1e6:.1f} MB that came later they read {more[one] / 1e6:.2f}, "
          f"{more[everybody] / 1e6:.2f} and {more[nobody] / 1e6:.2f}")
    if held[one] > held[everybody] / 2 or read[one] > read[everybody] / 2 or more[one] > more[everybody] / 2:
        raise SystemExit("an instance with one client costs as much as one with all")
    if read[nobody] + more[nobody] > 0:
        raise SystemExit("an instance without clients reads messages")
    print("what is held follows what is needed")
