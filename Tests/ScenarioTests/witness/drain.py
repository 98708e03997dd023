"""SIGTERM from outside: every stream gets a `retry:` of its own, and publishes under way are answered.

drain.py BINARY FOLDER
"""

import sys

from cluster import Cluster, Load, until
from subscriber import Subscriber

binary, folder = sys.argv[1], sys.argv[2]
channels = ["a", "b", "c", "d"]
# What README says: a draining instance spreads its clients over this.
shortest, longest = 100, 5000

with Cluster(binary, folder) as cluster:
    leaving, other, _ = cluster.instances
    subscribers = [Subscriber([channels[number % 4]] if number % 3 else channels, leaving, lambda left: other)
                   for number in range(40)]
    for subscriber in subscribers:
        subscriber.start()
    until(lambda: all(subscriber.lives for subscriber in subscribers), "everybody live")
    with Load(cluster, channels) as load:
        until(lambda: load.count > 50, "there is load")
        publisher = load.publishers[0]
        if leaving.terminate() != 0:
            raise SystemExit(f"SIGTERM did not end it with 0: {leaving.said()}")
        until(lambda: all(subscriber.lives > 1 for subscriber in subscribers), "everybody is live elsewhere")
        count = load.count
        until(lambda: load.count > count + 50, "the others take messages")
    messages = cluster.messages()
    last = {channel: [number for _, _, of, number in messages if of == channel][-1] for channel in channels}
    until(lambda: all(subscriber.has_seen(last) for subscriber in subscribers), "everybody has seen the last")
    for subscriber in subscribers:
        subscriber.end()

    troubles = list(load.troubles(messages))
    for subscriber in subscribers:
        troubles += subscriber.troubles(messages)
        # One when it came, one in farewell, one from the next instance.
        if len(subscriber.retries) != 3:
            troubles.append(f"a stream was told retry: {subscriber.retries}")
    farewells = [subscriber.retries[1] for subscriber in subscribers if len(subscriber.retries) > 1]
    if any(not shortest <= farewell <= longest for farewell in farewells):
        troubles.append(f"farewells {farewells} are not from {shortest} to {longest} ms")
    # Forty of them, drawn from 4,901: all but a few differ, and they spread.
    if len(set(farewells)) < 36 or max(farewells) - min(farewells) < (longest - shortest) / 2:
        troubles.append(f"farewells {sorted(farewells)} are not spread")
    # Whoever was answered was answered well, and nothing is in the log of which nobody knows, but what broke before it was read.
    acknowledged = {number for publisher in load.publishers for number, _, _ in publisher.acknowledged}
    unanswered = [number for _, _, _, number in messages if number not in acknowledged]
    if unanswered:
        troubles.append(f"{len(unanswered)} publishes were under way and are in the log, but were not answered")
    if troubles:
        raise SystemExit("\n".join(troubles))
    print(f"{len(subscribers)} streams were told to come back after {min(farewells)} to {max(farewells)} ms, "
          f"{len(publisher.acknowledged)} publishes to the one that left, all answered")
