"""Messages with keys of their own, published from several threads at once, and what became of them."""

import http.client
import json
import threading


class Load:
    channels = ["orders", "prices", "presence", "audit"]

    def __init__(self):
        self.acknowledged = {}  # (channel, key) -> body
        self.attempted = {}
        self.lock = threading.Lock()
        self.numbers = iter(range(1 << 40))

    def publish(self, instance, stop):
        try:
            connection = instance.connect()
            while not stop.is_set():
                with self.lock:
                    number = next(self.numbers)
                    channel, key = self.channels[number % len(self.channels)], f"k{number}"
                    body = json.dumps({"n": number})
                    self.attempted[channel, key] = body
                connection.request(
                    "POST", f"/v1/channels/{channel}/messages", body,
                    {"Signalbox-Key": key, "Content-Type": "application/json", "Idempotency-Key": key})
                answer = connection.getresponse()
                answer.read()
                if answer.status in (200, 201):
                    with self.lock:
                        self.acknowledged[channel, key] = body
        except (OSError, http.client.HTTPException):
            pass  # the server was killed: what was not answered is not acknowledged

    def during(self, instance, seconds, end):
        """Publishes for so long, then calls `end` while publishing goes on."""
        stop = threading.Event()
        threads = [threading.Thread(target=self.publish, args=(instance, stop)) for _ in range(4)]
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        end()
        stop.set()
        for thread in threads:
            thread.join()

    def troubles(self, instance):
        """What a server that has been started again has lost, changed, or has twice; and how many messages it has."""
        found, twice = {}, []
        for channel in self.channels:
            status, body = instance.request("GET", f"/v1/channels/{channel}")
            if status != 200:
                raise SystemExit(f"GET {channel}: {status} {body[:200]}")
            for message in json.loads(body)["messages"]:
                place = (channel, message["key"])
                if place in found:
                    twice.append(place)
                found[place] = message["data"]
        lost = [place for place in self.acknowledged if place not in found]
        changed = [place for place, data in found.items() if data != json.loads(self.attempted.get(place, "null"))]
        troubles = [f"{len(places)} {what}: {places[:3]}"
                    for what, places in (("acknowledged messages lost", lost), ("changed", changed), ("twice", twice)) if places]
        return ", ".join(troubles), len(found)
