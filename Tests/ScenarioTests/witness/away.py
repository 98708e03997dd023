"""The broker is killed when it has saved everything, and stopped for longer than every time-out: reads and streams go on, and nothing acknowledged is lost.

away.py BINARY FOLDER
"""

import json
import os
import signal
import sys
import time

from cluster import Cluster, Load, until
from subscriber import Subscriber

binary, folder = sys.argv[1], sys.argv[2]
channels = ["a", "b", "c", "d"]
PATIENCE = 2  # --append-timeout-seconds


class Patient(Load):
    """Here refusals are right: they are not in the log, or their outcome is unknown."""

    def troubles(self, messages):
        kinds = set()
        found = {number for _, _, _, number in messages}
        for publisher in self.publishers:
            for number, status, body in publisher.refused:
                problem = json.loads(body)
                kind = problem["type"].rsplit(":", 1)[1]
                kinds.add(kind)
                if status != 503 or kind not in ("log-unavailable", "outcome-unknown", "draining"):
                    yield f"{number} was answered {status} {body}"
                if kind == "log-unavailable" and number in found:
                    yield f"{number} was refused as not appended, and is in the log"
            publisher.refused = []
        if not kinds:
            yield "nothing was refused: the broker was never away"
        yield from super().troubles(messages)


def asked(instance, path):
    status, body = instance.request("GET", path)
    if status != 200:
        raise SystemExit(f"{path}: {status} {body}")
    return json.loads(body)


with Cluster(binary, folder, count=2, arguments=["--append-timeout-seconds", str(PATIENCE), "--heartbeat-seconds", "1"]) as cluster:
    first, second = cluster.instances
    subscribers = [Subscriber([channel], instance, lambda left: left) for channel in channels for instance in cluster.instances]
    for subscriber in subscribers:
        subscriber.start()
    until(lambda: all(subscriber.lives for subscriber in subscribers), "everybody live")
    load = Patient(cluster, channels)
    ages = []
    with load:
        for fault in ("kill", "stop"):
            count = load.count
            until(lambda: load.count > count + 100, "publishes go on")
            began = time.monotonic()
            if fault == "kill":
                # This broker writes what it acknowledged to its disk now and then: what it had not is lost with it.
                load.pause()
                cluster.broker.save()
                cluster.broker.stop()
                load.resume()
            else:
                os.kill(cluster.broker.process.pid, signal.SIGSTOP)
            # Reads go on, and say how old they are.
            until(lambda: "staleSeconds" in asked(second, "/v1/channels/a"), "reads say that they are old")
            ages.append(asked(second, "/v1/channels/a")["staleSeconds"])
            if not asked(second, "/v1/channels/a")["messages"]:
                raise SystemExit("what was known is not served while the broker is away")
            if not asked(second, "/readyz")["ready"]:
                raise SystemExit("an instance that can be read is not ready")
            # A publish waits, and is then refused with a time to come back.
            asked_at = time.monotonic()
            connection = first.connect()
            connection.request("POST", "/v1/channels/a/messages", "x", {"Content-Type": "text/plain"})
            answer = connection.getresponse()
            answer.read()
            waited = time.monotonic() - asked_at
            connection.close()
            if answer.status != 503 or not answer.getheader("Retry-After"):
                raise SystemExit(f"a publish without a broker was answered {answer.status} {dict(answer.getheaders())}")
            if waited > PATIENCE + 2:
                raise SystemExit(f"a publish without a broker waited {waited:.1f} s")
            # Longer than every time-out that there is, that of a transaction (15 s) included.
            until(lambda: time.monotonic() - began > 17, "time passes", 60)
            if fault == "kill":
                cluster.broker.start()
            else:
                os.kill(cluster.broker.process.pid, signal.SIGCONT)
            count = load.count
            until(lambda: load.count > count + 100, "publishes go on after the broker is back", 60)
            until(lambda: "staleSeconds" not in asked(second, "/v1/channels/a"), "reads are fresh again")
    messages = cluster.messages()
    last = {channel: number for _, _, channel, number in messages}
    until(lambda: all(subscriber.has_seen(last) for subscriber in subscribers), "everybody has everything")
    for subscriber in subscribers:
        subscriber.end()
    troubles = list(load.troubles(messages))
    troubles += [trouble for subscriber in subscribers for trouble in subscriber.troubles(messages)]
    if any(len(subscriber.verdicts) != 1 for subscriber in subscribers):
        troubles.append("a stream broke though only the broker was away")
    if troubles:
        raise SystemExit("\n".join(troubles[:20]))
    print(f"{load.count} acknowledged of {len(messages)} messages, stale for {ages} s and more: none missing, none twice")
