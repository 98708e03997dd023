"""Law 27 from outside: what one instance acknowledged is read at another with `min=` at once, and comes on the stream of a third.

readback.py BINARY FOLDER MESSAGES SEED
"""

import json
import random
import statistics
import sys
import time

from cluster import Cluster, numbers, until
from subscriber import Subscriber

binary, folder, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
choices = random.Random(seed)
channels = [f"price-{number}" for number in range(40)]

with Cluster(binary, folder) as cluster:
    subscribers = [Subscriber(channels, instance, lambda left: left) for instance in cluster.instances]
    for subscriber in subscribers:
        subscriber.start()
    until(lambda: all(subscriber.lives for subscriber in subscribers), "everybody live")
    last, waits = {}, []
    for _ in range(count):
        writer, reader = choices.sample(cluster.instances, 2)
        channel, number = choices.choice(channels), next(numbers)
        status, body = writer.request(
            "POST", f"/v1/channels/{channel}/messages", json.dumps({"n": number}),
            {"Signalbox-Key": "now", "Content-Type": "application/json"})
        if status != 201:
            raise SystemExit(f"publish: {status} {body}")
        asked = time.monotonic()
        status, body = reader.request("GET", f"/v1/channels/{channel}?min={json.loads(body)['position']}")
        waits.append(time.monotonic() - asked)
        if status != 200 or [message["data"] for message in json.loads(body)["messages"]] != [{"n": number}]:
            raise SystemExit(f"message {number} of {channel}, read at another instance: {status} {body}")
        last[channel] = number
    until(lambda: all(subscriber.has_seen(last) for subscriber in subscribers), "every stream has the last of every channel")
    for subscriber in subscribers:
        subscriber.end()
    messages = cluster.messages()
    troubles = [trouble for subscriber in subscribers for trouble in subscriber.troubles(messages)]
    if troubles:
        raise SystemExit("\n".join(troubles))
    print(f"{count} messages, read at another instance after {statistics.median(waits) * 1000:.0f} ms (median), "
          f"{max(waits) * 1000:.0f} ms at most, and on {len(subscribers)} streams: none missing, none twice")
