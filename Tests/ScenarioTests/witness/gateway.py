"""The HTTP surface as a stranger sees it: exact streams, every verdict, every refusal.

gateway.py BINARY FOLDER
"""

import base64
import http.client
import json
import socket
import sys
import threading
import time
import urllib.parse

from instance import Instance

binary, folder = sys.argv[1:3]
instance = Instance(binary, folder, arguments=[
    "--heartbeat-seconds", "1", "--allowed-origins", "https://a.example", "--body-bytes-max", "2000000",
    "--partitions", "4", "--header-timeout-seconds", "1"]).start()
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        raise SystemExit(f"gateway: {what}")


def equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def publish(channel, data, key=None, kind="text/plain", **headers):
    fields = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if key:
        fields["Signalbox-Key"] = key
    body = data if isinstance(data, bytes) else data.encode()
    status, answer = instance.request(
        "POST", f"/v1/channels/{urllib.parse.quote(channel, safe='')}/messages", body, fields)
    return status, json.loads(answer)


class Stream:
    """Server-sent events, read by hand."""

    def __init__(self, path, token=None, receive_buffer=None, keep_alive_first=False):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", instance.port))
        self.file = self.socket.makefile("rb")
        if keep_alive_first:
            self.socket.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.head()
            self.file.read(int(self.headers["content-length"]))
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode()
            + (f"Last-Event-ID: {token}\r\n".encode() if token else b"") + b"\r\n")
        self.head()
        self.id, self.buffer, self.ended = None, b"", False

    def head(self):
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, value = line.decode().split(":", 1)
            self.headers[name.lower()] = value.strip()

    def block(self):
        while b"\n\n" not in self.buffer:
            size = int(self.file.readline() or b"0", 16)
            if size == 0:
                self.ended = True
                return None
            self.buffer += self.file.read(size)
            equal(self.file.read(2), b"\r\n", "the end of a chunk")
        block, self.buffer = self.buffer.split(b"\n\n", 1)
        return block.decode()

    def event(self, heartbeats=False):
        while (block := self.block()) is not None:
            name, data, has_id = "message", [], False
            for line in block.split("\n"):
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    self.id, has_id = value, True
            if data and (name != "heartbeat" or heartbeats):
                self.had_id = has_id
                return name, "\n".join(data)
        return None

    def until(self, name):
        events = []
        while (event := self.event()) is not None:
            events.append(event)
            if event[0] == name:
                return events
        raise SystemExit(f"gateway: the stream ended before {name}: {events[-3:]}")

    def close(self):
        self.file.close()
        self.socket.close()


def quick(path, **arguments):
    stream = Stream(path, **arguments)
    events = stream.until("live")
    stream.close()
    return events


# Publishing and reading.
status, first = publish("orders", '{"n": 1}', "a", "application/json")
equal(status, 201, "publish")
equal((first["channel"], first["key"]), ("orders", "a"), "its answer")
status, own = publish("orders", "no key")
equal(own["key"], own["id"], "without a key the id is the key")
status, again = publish("orders", "x", "i", Idempotency_Key="once")
status2, repeat = publish("orders", "y", "i", Idempotency_Key="once")
equal((status, status2), (201, 200), "publishing again with an idempotency key")
equal(repeat, again, "the answer to a repeat")
status, body = instance.request("GET", f"/v1/channels/orders?min={again['position']}")
equal([m["data"] for m in json.loads(body)["messages"]], [{"n": 1}, "no key", "x"], "the channel")
status, body = instance.request("DELETE", "/v1/channels/orders/messages/i")
equal(status, 200, "delete")
status, body = instance.request("GET", f"/v1/channels/orders?min={json.loads(body)['position']}")
equal(len(json.loads(body)["messages"]), 2, "after a deletion")
equal(publish("a/b ü", "x", "k/1")[0], 201, "names with slashes, spaces and umlauts")
equal(json.loads(instance.request("GET", "/v1/channels/a%2Fb%20%C3%BC")[1])["channel"], "a/b ü", "reading it")

# A stream of one channel: verdict, state, live, changes; ids only where resuming is safe.
stream = Stream("/v1/channels/orders/events")
equal(stream.headers["content-type"], "text/event-stream", "content type")
check("no-store" in stream.headers["cache-control"], "no caching")
equal(stream.headers["x-accel-buffering"], "no", "no proxy buffering")
name, data = stream.event()
equal((name, json.loads(data)["reason"], stream.had_id), ("snapshot", "new", False), "the verdict")
equal((stream.event(), stream.had_id), (("message", '{"n": 1}'), False), "the state, without ids")
equal(stream.event(), ("message", "no key"), "the state")
equal((stream.event()[0], stream.had_id), ("live", True), "live has an id")
for text, seen in [("one", "one"), ("a\nb", "a\nb"), ("a\r\nb\rc", "a\nb\nc"), ("", ""), (" lead", " lead")]:
    publish("orders", text, "t")
    equal((stream.event(), stream.had_id), (("message", seen), True), f"the payload {text!r}")
publish("orders", b"\x00\xff", "bytes", "application/octet-stream")
equal(stream.event(), ("message", base64.b64encode(b"\x00\xff").decode()), "bytes come in base64")
instance.request("DELETE", "/v1/channels/orders/messages/bytes")
equal(stream.event(), ("delete", "bytes"), "a deletion")
publish("orders", "soon gone", "ttl", Signalbox_TTL="1")
equal(stream.event(), ("message", "soon gone"), "a message that expires")
equal(stream.event(), ("delete", "ttl"), "its expiry")
equal(stream.event(heartbeats=True)[0], "heartbeat", "a heartbeat")
stream.close()

# Law 26: resuming from every delivered id loses nothing and repeats nothing, on one channel and on several.
texts = [f"event {number}" for number in range(40)]
for path, channels in [("/v1/channels/r/events", ["r"]), ("/v1/events?" + "&".join(f"channel=r{n}" for n in range(8)), [f"r{n}" for n in range(8)])]:
    stream = Stream(path)
    stream.until("live")
    ids = [(stream.id, 0)]
    seen = []
    for number, text in enumerate(texts):
        publish(channels[number % len(channels)], text, f"k{number % 3}")
    for number, text in enumerate(texts):
        seen.append(stream.event()[1])
        if len(channels) == 1:
            ids.append((stream.id, number + 1))
    if len(channels) > 1:
        stream.event(heartbeats=True)
        ids.append((stream.id, len(texts)))
        order = [json.loads(data)["data"] for data in seen]
        for channel in channels:
            mine = [json.loads(d)["data"] for d in seen if json.loads(d)["channel"] == channel]
            equal(mine, texts[channels.index(channel)::len(channels)], f"the order within {channel}")
    else:
        equal(seen, texts, "every event in order")
    for token, count in ids:
        events = quick(path, token=token)
        equal(events[0][0], "resumed", f"the verdict for {token}")
        rest = [data if len(channels) == 1 else json.loads(data)["data"] for _, data in events[1:-1]]
        equal(sorted(rest), sorted(seen[count:] if len(channels) == 1 else order[count:]), f"resuming after {count}")
    query = path + ("&" if "?" in path else "?") + f"lastEventId={ids[0][0]}"
    equal(quick(query)[0][0], "resumed", "the token in the query")
    stream.close()

# Verdicts for tokens that are of no use. A browser never sees an HTTP error, so these are streams too.
raw = base64.urlsafe_b64decode(again["position"] + "==")
future = raw[:-1] + b"\x7f"
foreign = bytes([raw[0]]) + bytes(8) + raw[9:]
later = b"\x02" + raw[1:]
for token, reason in [("%%%", "malformed"), ("AQAA", "malformed"), ("x" * 5000, "malformed"), (later, "unknown-version"),
                      (foreign, "other-log"), (future, "beyond-end")]:
    text = token if isinstance(token, str) else base64.urlsafe_b64encode(token).decode().rstrip("=")
    name, data = quick("/v1/channels/orders/events", token=text)[0]
    equal(name, "reset", f"the verdict for a token that is {reason}")
    check(reason in json.loads(data)["reason"], f"the reason {data} for {reason}")
elsewhere = next(name for name in map("c{}".format, range(99))
                 if base64.urlsafe_b64decode(publish(name, "x")[1]["position"] + "==")[10] != raw[10])
name, data = quick(f"/v1/channels/{elsewhere}/events", token=again["position"])[0]
equal(name, "reset", "the verdict for a token that does not cover the channel")
equal(json.loads(data)["reason"], "other-partitions", "its reason")

# Envelopes, and a stream on a connection that had a request before.
events = quick("/v1/channels/orders/events?envelope=true")
envelope = json.loads(events[1][1])
equal(sorted(envelope), ["channel", "contentType", "data", "id", "key", "time"], "the envelope")
stream = Stream("/v1/channels/late/events", keep_alive_first=True)
stream.until("live")
publish("late", "here", "k")
equal(stream.event(), ("message", "here"), "a stream that came second on its connection")
stream.close()

# Law 31: a reader that does not read holds nobody up, and is whole again when it reads.
slow = Stream("/v1/channels/fast/events", receive_buffer=4096)
slow.until("live")
fast = Stream("/v1/channels/fast/events")
fast.until("live")
block = "x" * 50_000
count = 600
sent = [f"{number} {block}" for number in range(count)]
thread = threading.Thread(target=lambda: [publish("fast", text, f"k{n % 5}") for n, text in enumerate(sent)])
thread.start()
for number in range(count):
    equal(fast.event()[1].split(" ")[0], str(number), "the fast reader")
thread.join()
state, whole, verdicts = {}, [], []
while True:
    name, data = slow.event()
    if name == "message":
        whole.append(int(data.split(" ")[0]))
        if whole[-1] == count - 1:
            break
    elif name == "snapshot":
        verdicts.append(json.loads(data)["reason"])
        whole.clear()
check(whole == list(range(count)) or verdicts and set(verdicts) == {"lagged"} and set(whole) >= set(range(count - 5, count)),
      f"the slow reader: {len(whole)} events, {verdicts}")
slow.close()
fast.close()

# Refusals: what, where, what to do.
long = "x" * 256
for method, path, body, headers, expected, part in [
    ("GET", "/nowhere", None, {}, 404, "/nowhere"),
    ("PUT", "/v1/channels/orders/messages", b"", {}, 405, "POST"),
    ("POST", f"/v1/channels/{long}/messages", b"x", {}, 400, "255"),
    ("POST", "/v1/channels/a%00b/messages", b"x", {}, 400, "control"),
    ("POST", "/v1/channels/%FF/messages", b"x", {}, 400, "UTF-8"),
    ("POST", "/v1/channels/%2/messages", b"x", {}, 400, "hexadecimal"),
    ("POST", "/v1/channels/orders/messages", b"x", {"Signalbox-Key": "k" * 513}, 400, "512"),
    ("POST", "/v1/channels/orders/messages", b"x", {"Signalbox-TTL": "soon"}, 400, "Signalbox-TTL"),
    ("POST", "/v1/channels/orders/messages", b"x", {"Signalbox-TTL": "0"}, 400, "Signalbox-TTL"),
    ("POST", "/v1/channels/orders/messages", b"x", {"Idempotency-Key": "k" * 256}, 400, "Idempotency-Key"),
    ("POST", "/v1/channels/orders/messages", b"{", {"Content-Type": "application/json"}, 400, "JSON"),
    ("POST", "/v1/channels/orders/messages", b"\xff", {"Content-Type": "text/plain"}, 400, "UTF-8"),
    ("POST", "/v1/channels/orders/messages", b"x" * 2_000_001, {"Content-Type": "text/plain"}, 413, "2000000"),
    ("GET", "/v1/channels/orders?min=nonsense", None, {}, 400, "min"),
    ("GET", "/v1/channels/orders?min=" + base64.urlsafe_b64encode(foreign).decode().rstrip("="), None, {}, 409, "log"),
    ("GET", "/v1/channels/orders?min=" + base64.urlsafe_b64encode(future).decode().rstrip("="), None, {}, 504, "not yet"),
    ("GET", "/v1/events", None, {}, 400, "channel"),
    ("GET", "/v1/events?" + "&".join(f"channel=c{n}" for n in range(65)), None, {}, 400, "64"),
    ("GET", "/v1/channels/orders/events?envelope=maybe", None, {}, 400, "envelope"),
]:
    connection = instance.connect()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    equal(answer.status, expected, f"{method} {path[:60]} {headers}")
    equal(answer.getheader("content-type"), "application/problem+json", f"the type of {path[:60]}")
    problem = json.loads(text)
    equal(problem["status"], expected, "the status in the problem")
    check(part in problem["title"] + problem["detail"], f"{path[:60]}: {problem}")
status, body = instance.request("GET", "/v1/channels/orders")
check(len(json.loads(body)["messages"]) > 0, "nothing was lost by refusals")

# Rubbish on the socket, headers that are too large or never end.
for rubbish in [b"\x00\xff\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 70_000 + b"\r\n\r\n"]:
    with socket.create_connection(("127.0.0.1", instance.port), timeout=10) as connection:
        try:
            connection.sendall(rubbish)
            answer = connection.recv(65536)
        except ConnectionError:
            answer = b""
        check(not answer or answer.startswith(b"HTTP/1.1 4"), f"rubbish is answered {answer[:40]!r}")
with socket.create_connection(("127.0.0.1", instance.port), timeout=10) as connection:
    connection.sendall(b"GET /healthz HTT")
    started = time.monotonic()
    equal(connection.recv(12), b"HTTP/1.1 408", "headers that never end")
    check(time.monotonic() - started < 8, "their time-out")

# CORS.
connection = instance.connect()
connection.request("OPTIONS", "/v1/channels/orders/messages", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"})
answer = connection.getresponse()
answer.read()
equal((answer.status, answer.getheader("access-control-allow-origin")), (204, "https://a.example"), "preflight")
connection.request("GET", "/healthz", headers={"Origin": "https://b.example"})
answer = connection.getresponse()
answer.read()
equal(answer.getheader("access-control-allow-origin"), None, "another origin")
connection.close()

# Draining: the stream ends cleanly with a retry of its own; a restart resumes old tokens.
stream = Stream("/v1/channels/orders/events")
stream.until("live")
ender = threading.Thread(target=lambda: setattr(instance, "code", instance.terminate()))
ender.start()
tail = []
while (block := stream.block()) is not None:
    tail.append(block)
check(any(block.startswith("retry: ") for block in tail), f"the last words: {tail}")
ender.join()
equal(instance.code, 0, "the exit code after SIGTERM")
instance.start()
equal(quick("/v1/channels/orders/events", token=stream.id)[0][0], "resumed", "the verdict after a restart")
equal(instance.terminate(), 0, "the exit code after SIGTERM")
print(f"{checks} checks")
