"""Law 16 from outside: one instance decides on topology, and another one when it is gone, paused, or stopped.

takeover.py BINARY FOLDER
"""

import json
import os
import signal
import sys
import time

from cluster import Cluster, until

binary, folder = sys.argv[1], sys.argv[2]
SESSION = 6  # seconds


def leaders(cluster):
    return [instance for instance in cluster.instances
            if instance.process.poll() is None and json.loads(instance.request("GET", "/readyz")[1])["leads"]]


def nodes(instance):
    return {node["id"]: node["state"] for node in json.loads(instance.request("GET", "/v1/nodes")[1])["nodes"]}


def join(instance, name):
    status, body = instance.request("PUT", f"/v1/nodes/{name}", "{}", {"Content-Type": "application/json"})
    if status != 202:
        raise SystemExit(f"join of {name}: {status} {body}")


with Cluster(binary, folder) as cluster:
    began = time.monotonic()
    (leader,) = until(lambda: leaders(cluster), "a leader")
    join(leader, "first")
    for instance in cluster.instances:
        until(lambda: nodes(instance) == {"first": "up"}, "the first node is up everywhere")

    # Killed: another one leads within the session time-out, and decides what was asked meanwhile.
    killed = time.monotonic()
    leader.kill()
    rest = [instance for instance in cluster.instances if instance is not leader]
    join(rest[0], "second")
    for instance in rest:
        until(lambda: nodes(instance) == {"first": "up", "second": "up"}, "the second node is up everywhere")
    after_kill = time.monotonic() - killed
    if after_kill > SESSION:
        raise SystemExit(f"{after_kill:.1f} s until another one led")
    leader.start()

    # Paused: as above; and when it goes on it decides nothing any more.
    (paused,) = until(lambda: leaders(cluster), "a leader")
    os.kill(paused.process.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    rest = [instance for instance in cluster.instances if instance is not paused]
    join(rest[0], "third")
    for instance in rest:
        until(lambda: nodes(instance).get("third") == "up", "the third node is up")
    after_pause = time.monotonic() - stopped
    if after_pause > SESSION:
        raise SystemExit(f"{after_pause:.1f} s until another one led")
    os.kill(paused.process.pid, signal.SIGCONT)
    join(paused, "fourth")
    for instance in cluster.instances:
        until(lambda: nodes(instance).get("fourth") == "up", "the fourth node is up everywhere")
    until(lambda: len(leaders(cluster)) == 1 and paused not in leaders(cluster), "the one that was paused leads no more")

    # Stopped: it leaves at once.
    (leader,) = leaders(cluster)
    terminated = time.monotonic()
    if code := leader.terminate():
        raise SystemExit(f"exit code {code}")
    rest = [instance for instance in cluster.instances if instance is not leader]
    until(lambda: [one for one in rest if json.loads(one.request("GET", "/readyz")[1])["leads"]], "a leader after SIGTERM")
    after_stop = time.monotonic() - terminated

    # Every fact is there once, and the epochs of those who wrote them rise.
    facts = [(key, value) for key, value in cluster.broker.records(f"{cluster.prefix}.topology")]
    if len(facts) != 4:
        raise SystemExit(f"{len(facts)} facts for 4 joins")
    print(f"another one led {after_kill:.1f} s after kill -9, {after_pause:.1f} s after SIGSTOP, {after_stop:.1f} s after "
          "SIGTERM: each fact once")
