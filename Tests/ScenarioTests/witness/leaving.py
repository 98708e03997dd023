"""SIGTERM while the broker does not answer: what is under way is answered in its time, and the instance ends with 0.

leaving.py BINARY FOLDER
"""

import json
import os
import signal
import sys
import threading
import time

from cluster import Cluster, until
from subscriber import Subscriber

binary, folder = sys.argv[1], sys.argv[2]
PATIENCE = 3  # --append-timeout-seconds

with Cluster(binary, folder, count=1, arguments=["--append-timeout-seconds", str(PATIENCE)]) as cluster:
    (instance,) = cluster.instances
    subscriber = Subscriber(["a"], instance, lambda left: left)
    subscriber.start()
    until(lambda: subscriber.lives, "live")
    until(lambda: json.loads(instance.request("GET", "/readyz")[1])["leads"], "it leads")
    os.kill(cluster.broker.process.pid, signal.SIGSTOP)
    answers = []

    def publish(headers):
        began = time.monotonic()
        status, body = instance.request("POST", "/v1/channels/a/messages", "x", {"Content-Type": "text/plain", **headers})
        answers.append((status, json.loads(body)["type"].rsplit(":", 1)[1], time.monotonic() - began))

    # Of every kind: a plain one, one that is looked for first, and what the controller decides with.
    publishers = [threading.Thread(target=publish, args=(headers,)) for headers in ({}, {"Idempotency-Key": "k"})]
    publishers.append(threading.Thread(target=lambda: instance.request("PUT", "/v1/nodes/n", "{}", {"Content-Type": "application/json"})))
    for publisher in publishers:
        publisher.start()
    until(lambda: json.loads(instance.request("GET", "/v1/channels/a")[1]).get("staleSeconds"), "it knows that the broker is away")
    for publisher in publishers:
        publisher.join()
    publishers = [threading.Thread(target=publish, args=({},)) for _ in range(3)]
    for publisher in publishers:
        publisher.start()
    time.sleep(0.2)  # they are under way
    began = time.monotonic()
    code = instance.terminate()
    took = time.monotonic() - began
    for publisher in publishers:
        publisher.join()
    subscriber.end()
    if code:
        raise SystemExit(f"exit code {code}: {instance.said()}")
    if len(answers) != 5 or any(
            status != 503 or kind not in ("log-unavailable", "outcome-unknown") or waited > PATIENCE + 2 for status, kind, waited in answers):
        raise SystemExit(f"publishes were answered {answers}")
    if took > PATIENCE + 7:
        raise SystemExit(f"it took {took:.1f} s to end")
    print(f"ended {took:.1f} s after SIGTERM with the broker away, and every publish was answered")
