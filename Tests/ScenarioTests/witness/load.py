"""Messages with keys of their own, published from several threads at once, and what became of them."""

import http.client
import json
import subprocess
import threading


class Load:
    channels = ["orders", "prices", "presence", "audit"]

    def __init__(self):
        self.acknowledged = {}  # (channel, key) -> body
        self.attempted = {}
        self.lock = threading.Lock()
        self.is_deaf = False
        self.numbers = iter(range(1 << 40))

    def publish(self, instance, stop):
        try:
            connection = instance.connect()
            while not stop.is_set():
                with self.lock:
                    number = next(self.numbers)
                    place = self.channels[number % len(self.channels)], f"k{number}"
                    self.attempted[place] = json.dumps({"n": number})
                if self.send(connection, place, {"Idempotency-Key": place[1]}) in (200, 201):
                    with self.lock:
                        if not self.is_deaf:
                            self.acknowledged[place] = self.attempted[place]
        except (OSError, http.client.HTTPException):
            pass  # the server was killed: what was not answered is not acknowledged

    def send(self, connection, place, headers):
        channel, key = place
        connection.request(
            "POST", f"/v1/channels/{channel}/messages", self.attempted[place],
            {"Signalbox-Key": key, "Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def retry(self, instance):
        """As a client does that was not answered: sends it again under its key, to a server that has been started again."""
        connection = instance.connect()
        for place in [place for place in self.attempted if place not in self.acknowledged]:
            status = self.send(connection, place, {"Idempotency-Key": place[1]})
            if status not in (200, 201):
                raise SystemExit(f"{place} was sent again, and answered {status}")
            self.acknowledged[place] = self.attempted[place]
        connection.close()

    def plant_double(self, instance):
        """Publishes a message once more without its key: what `troubles` must find."""
        connection = instance.connect()
        self.send(connection, min(self.acknowledged), {})
        connection.close()

    @staticmethod
    def records(instance):
        """How many records the log has ever taken: each takes an offset, which compaction leaves it."""
        replay = subprocess.run(
            [instance.binary, "replay", "--log", f"file:{instance.log}", "--json"], capture_output=True, text=True)
        if replay.returncode != 0:
            raise SystemExit(f"replay: {replay.stderr}")
        return sum(one["position"] for one in json.loads(replay.stdout) if one["partition"].startswith("messages/"))

    def during(self, instance, seconds, end, hears_to_the_end=True):
        """Publishes for so long, then calls `end` while publishing goes on.

        Where the machine itself goes, nobody hears what is said from then on: that does not count as acknowledged.
        """
        stop = threading.Event()
        self.is_deaf = False
        threads = [threading.Thread(target=self.publish, args=(instance, stop)) for _ in range(4)]
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        with self.lock:
            self.is_deaf = not hears_to_the_end
        end()
        stop.set()
        for thread in threads:
            thread.join()

    def troubles(self, instance):
        """What a server that has been started again has lost, changed, or has twice; and how many messages it has.

        A record that is there twice is one message: whoever reads the channel does not see it, so the records are counted too.
        """
        self.retry(instance)
        records = self.records(instance)
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
        if records != len(self.attempted):
            twice.append(f"{records} records of {len(self.attempted)} messages")
        troubles = [f"{len(places)} {what}: {places[:3]}"
                    for what, places in (("acknowledged messages lost", lost), ("changed", changed), ("twice", twice)) if places]
        return ", ".join(troubles), len(found)
