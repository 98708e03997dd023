"""Law 26 from outside: an instance that stood still for a while, and those that come to it with newer positions than it has.

paused.py BINARY FOLDER ROUNDS
"""

import json
import os
import signal
import sys

from cluster import Cluster, numbers, until
from subscriber import Subscriber

binary, folder, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
channels = ["a", "b", "c", "d"]


def publish(instance, count):
    """Publishes to every channel, so that every partition moves, and returns the last number of each."""
    last = {}
    for _ in range(count):
        for channel in channels:
            number = last[channel] = next(numbers)
            status, body = instance.request(
                "POST", f"/v1/channels/{channel}/messages", json.dumps({"n": number}), {"Content-Type": "application/json"})
            if status != 201:
                raise SystemExit(f"publish: {status} {body}")
    return last


with Cluster(binary, folder) as cluster:
    still, other, third = cluster.instances
    # These stay on the instance that stands still; those move to it while it does.
    staying = [Subscriber(of, still, lambda left: left) for of in ([channel] for channel in channels)]
    staying.append(Subscriber(channels, still, lambda left: left))
    moving = [Subscriber(of, other, lambda left: still if left is other else other) for of in (["a"], ["b"], channels)]
    everybody = staying + moving
    for subscriber in everybody:
        subscriber.start()
    until(lambda: all(subscriber.lives for subscriber in everybody), "everybody live")
    for round_number in range(rounds):
        os.kill(still.process.pid, signal.SIGSTOP)
        last = publish(other, 10)
        until(lambda: all(subscriber.has_seen(last) for subscriber in moving), "those elsewhere read on")
        lives = {subscriber: subscriber.lives for subscriber in moving}
        for subscriber in moving:
            subscriber.leave()
        # Their requests wait before the instance; it will find them before it finds out what was published.
        until(lambda: all(subscriber.instance is still for subscriber in moving), "they have moved")
        os.kill(still.process.pid, signal.SIGCONT)
        until(lambda: all(subscriber.has_seen(last) for subscriber in staying), "those who stayed have it all")
        until(lambda: all(subscriber.lives > lives[subscriber] for subscriber in moving), "those who moved are live")
        # It takes messages, and those who moved get them, and go back.
        last = publish(still, 2)
        until(lambda: all(subscriber.has_seen(last) for subscriber in everybody), "everybody reads on")
        lives = {subscriber: subscriber.lives for subscriber in moving}
        for subscriber in moving:
            subscriber.leave()
        until(lambda: all(subscriber.lives > lives[subscriber] for subscriber in moving), "those who moved are back")
    for subscriber in everybody:
        subscriber.end()
    messages = cluster.messages()
    troubles = [f"{'stayed' if subscriber in staying else 'moved'}, {len(subscriber.channels)} channels: {trouble}"
                for subscriber in everybody for trouble in subscriber.troubles(messages)]
    if any(len(subscriber.verdicts) != 1 for subscriber in staying):
        troubles.append("a stream broke though its instance only stood still")
    if troubles:
        raise SystemExit("\n".join(troubles))
    print(f"{rounds} pauses, {len(messages)} messages, {sum(len(subscriber.absences) for subscriber in moving)} streams "
          "resumed: none missing, none twice")
