"""Law 26 from outside: instances are killed under load, one after the other; their subscribers go on at another one.

resume.py BINARY FOLDER ROUNDS SEED
"""

import random
import statistics
import sys

from cluster import Cluster, Load, until
from subscriber import Subscriber

binary, folder, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
choices = random.Random(seed)
channels = [f"board-{number}" for number in range(8)]

with Cluster(binary, folder) as cluster:
    down = set()

    def another(left):
        return choices.choice([instance for instance in cluster.instances if instance is not left and instance not in down])

    subscribers = []
    for number, channel in enumerate(channels):
        subscribers.append(Subscriber([channel], cluster.instances[number % 3], another, envelope=number % 2 == 1))
    for number in range(4):
        subscribers.append(
            Subscriber(choices.sample(channels, 2 + number * 2), cluster.instances[number % 3], another))
    for subscriber in subscribers:
        subscriber.start()
    until(lambda: all(subscriber.lives for subscriber in subscribers), "everybody live")

    with Load(cluster, channels) as load:
        for round_number in range(rounds):
            before = {subscriber: subscriber.count for subscriber in subscribers}
            until(lambda: all(subscriber.count > before[subscriber] + 3 for subscriber in subscribers), "everybody reads")
            victim = cluster.instances[round_number % 3]
            hit = {subscriber: subscriber.lives for subscriber in subscribers if subscriber.instance is victim}
            down.add(victim)
            victim.kill()
            until(lambda: all(subscriber.lives > lives for subscriber, lives in hit.items()), "everybody is back")
            victim.start()
            down.discard(victim)

    messages = cluster.messages()
    last = {channel: [number for _, _, of, number in messages if of == channel][-1] for channel in channels}
    try:
        until(lambda: all(subscriber.has_seen(last) for subscriber in subscribers), "everybody has seen the last", 10)
    except SystemExit as late:
        print(late)
    for subscriber in subscribers:
        subscriber.end()
    troubles = list(load.troubles(messages))
    for subscriber in subscribers:
        troubles += [f"a subscriber of {len(subscriber.channels)}: {trouble}" for trouble in subscriber.troubles(messages)]
    if troubles:
        raise SystemExit("\n".join(troubles))
    absences = [absence for subscriber in subscribers for absence in subscriber.absences]
    if len(absences) < rounds:
        raise SystemExit(f"{len(absences)} streams resumed in {rounds} rounds: too few to prove anything")
    print(f"{rounds} kills, {len(messages)} messages, {len(absences)} streams resumed in "
          f"{statistics.median(absences) * 1000:.0f} ms (median), {max(absences) * 1000:.0f} ms at most: "
          "none missing, none twice")
