"""One reader of channels, as a browser would be: when its stream breaks it goes on elsewhere, with its last id."""

import http.client
import json
import re
import socket
import threading
import time


class Subscriber(threading.Thread):
    def __init__(self, channels, instance, choose, envelope=False):
        """`choose` names the instance to go to when the stream breaks."""
        super().__init__(daemon=True)
        self.channels, self.instance, self.choose = channels, instance, choose
        self.is_enveloped = envelope or len(channels) > 1
        if len(channels) == 1:
            self.path = f"/v1/channels/{channels[0]}/events{'?envelope=true' if envelope else ''}"
        else:
            self.path = "/v1/events?" + "&".join(f"channel={channel}" for channel in channels)
        self.seen = {channel: [] for channel in channels}
        self.count, self.id, self.lives, self.stop = 0, None, 0, threading.Event()
        self.verdicts, self.retries, self.absences = [], [], []
        self.broke_at, self.trouble = None, None

    def run(self):
        while not self.stop.is_set():
            connection = self.instance.connect()
            try:
                connection.connect()
                self.socket = connection.sock
                headers = {"Last-Event-ID": self.id} if self.id else {}
                connection.request("GET", self.path, headers=headers)
                self.read(connection.getresponse())
            except (OSError, http.client.HTTPException):
                pass  # the instance was killed, or is not back yet
            connection.close()
            self.broke_at = self.broke_at or time.monotonic()
            self.instance = self.choose(self.instance)
            self.stop.wait(0.005)

    def read(self, answer):
        name, data, number = "message", [], None
        while line := answer.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if not line.endswith(b"\n"):
                return
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                number = value
            elif field == "retry":
                self.retries.append(int(value))
            elif not field:
                self.id = number or self.id
                if data:
                    self.take(name, "\n".join(data))
                name, data, number = "message", [], None

    def take(self, name, data):
        if name == "message":
            # Messages without a number are not looked at, here or in the log.
            if not (number := re.search(r'"n": ?(\d+)', data)):
                return
            channel = json.loads(data)["channel"] if self.is_enveloped else self.channels[0]
            self.seen[channel].append(int(number[1]))
            self.count += 1
        elif name in ("snapshot", "resumed", "reset"):
            self.verdicts.append((name, json.loads(data)["reason"]))
        elif name == "live":
            if self.broke_at:
                self.absences.append(time.monotonic() - self.broke_at)
                self.broke_at = None
            self.lives += 1

    def has_seen(self, last):
        """Whether it has come to the last message of each of its channels."""
        return all(self.seen[channel][-1:] == [number] for channel, number in last.items() if channel in self.seen)

    def troubles(self, messages):
        """What is wrong with what it saw, given what the log holds from where it began."""
        if self.verdicts[:1] != [("snapshot", "new")]:
            yield f"its first verdict is {self.verdicts[:1]}"
        if others := [verdict for verdict in self.verdicts[1:] if verdict != ("resumed", "resumed")]:
            yield f"{len(others)} of {len(self.verdicts)} verdicts are others than resumed: {others[0]}"
        for channel in self.channels:
            there = [number for _, _, of, number in messages if of == channel]
            seen = self.seen[channel]
            if seen != there:
                missing, extra = set(there) - set(seen), len(seen) - len(set(seen))
                yield (f"of {channel} it saw {len(seen)} of {len(there)}: {len(missing)} missing {sorted(missing)[:3]}, "
                       f"{extra} twice, {'in order' if sorted(seen, key=there.index) == seen else 'in another order'}")

    def leave(self):
        """Breaks its stream: it goes on elsewhere."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself

    def end(self):
        self.stop.set()
        # It may be about to open a stream, which would break no sooner than the instance ends.
        while self.is_alive():
            self.leave()
            self.join(0.1)
