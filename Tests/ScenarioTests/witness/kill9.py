"""Law 13 from outside: kill -9 under load, again and again; every acknowledged message is there once afterwards.

kill9.py BINARY FOLDER ROUNDS SEED
"""

import http.client
import json
import random
import sys
import threading

from instance import Instance

binary, folder, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
choices = random.Random(seed)
channels = ["orders", "prices", "presence", "audit"]
acknowledged = {}  # (channel, key) -> body
attempted = {}
lock = threading.Lock()
numbers = iter(range(1 << 40))


def publish(instance, stop):
    try:
        connection = instance.connect()
        while not stop.is_set():
            with lock:
                number = next(numbers)
            channel, key = channels[number % len(channels)], f"k{number}"
            body = json.dumps({"n": number})
            with lock:
                attempted[channel, key] = body
            connection.request(
                "POST", f"/v1/channels/{channel}/messages", body,
                {"Signalbox-Key": key, "Content-Type": "application/json", "Idempotency-Key": key})
            answer = connection.getresponse()
            answer.read()
            if answer.status in (200, 201):
                with lock:
                    acknowledged[channel, key] = body
    except (OSError, http.client.HTTPException):
        pass  # the server was killed: what was not answered is not acknowledged


instance = Instance(binary, folder)
# Small segments, so that rolling and compaction are killed too.
instance.arguments = ["--partitions", "2", "--segment-bytes", "65536", "--compaction-seconds", "1"]
for round_number in range(rounds):
    instance.start()
    stop = threading.Event()
    threads = [threading.Thread(target=publish, args=(instance, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    threading.Event().wait(choices.uniform(0.01, 0.25))
    instance.kill()
    stop.set()
    for thread in threads:
        thread.join()

instance.start()
found = {}
for channel in channels:
    status, body = instance.request("GET", f"/v1/channels/{channel}")
    if status != 200:
        raise SystemExit(f"GET {channel}: {status} {body[:200]}")
    for message in json.loads(body)["messages"]:
        place = (channel, message["key"])
        if place in found:
            raise SystemExit(f"{place} is there twice")
        found[place] = message["data"]
if instance.terminate() != 0:
    raise SystemExit("SIGTERM did not end the server with 0")

lost = [place for place in acknowledged if place not in found]
changed = [place for place, data in found.items() if data != json.loads(attempted.get(place, "null"))]
if lost or changed:
    raise SystemExit(f"{len(lost)} acknowledged messages lost {lost[:3]}, {len(changed)} changed {changed[:3]}")
print(f"{rounds} kills, {len(acknowledged)} messages acknowledged, {len(found)} found, none lost, none twice")
if rounds and len(acknowledged) < rounds:
    raise SystemExit("too little load to prove anything")
