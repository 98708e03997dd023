"""Law 26 in a real browser: native EventSource in headless Chromium, across a kill -9 and a restart of the server.

browser.py BINARY FOLDER CHROMIUM
"""

import http.server
import json
import subprocess
import sys
import tempfile
import threading

from instance import Instance

binary, folder, chromium = sys.argv[1:4]
PAGE = """<!doctype html><title>witness</title><script>
const seen = [], verdicts = [];
const source = new EventSource("http://127.0.0.1:%d/v1/channels/orders/events");
const report = (path, body) => fetch(path, {method: "POST", body: JSON.stringify(body)});
for (const verdict of ["snapshot", "resumed", "reset"])
  source.addEventListener(verdict, () => verdicts.push(verdict));
source.addEventListener("live", () => report("/live", {}));
source.addEventListener("delete", event => seen.push("delete " + event.data));
source.addEventListener("message", event => {
  seen.push(event.data);
  if (event.data === "last") { source.close(); report("/done", {seen, verdicts}); }
});
</script>"""
result, live, done = {}, threading.Semaphore(0), threading.Event()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (PAGE % instance.port).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        if self.path == "/live":
            live.release()
        else:
            result.update(body)
            done.set()

    def log_message(self, *arguments):
        pass


def publish(text, key):
    status, body = instance.request(
        "POST", "/v1/channels/orders/messages", text, {"Signalbox-Key": key, "Content-Type": "text/plain"})
    assert status == 201, (status, body)


def delete(key):
    status, body = instance.request("DELETE", f"/v1/channels/orders/messages/{key}")
    assert status == 200, (status, body)


pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=pages.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{pages.server_port}"
instance = Instance(binary, folder, arguments=["--allowed-origins", origin, "--retry-milliseconds", "200"]).start()

expected = []
for number in range(5):
    publish(f"before {number}", f"b{number}")
    expected.append(f"before {number}")

with tempfile.TemporaryDirectory() as profile:
    browser = subprocess.Popen(
        [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         f"--user-data-dir={profile}", "--remote-debugging-port=0", origin],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not live.acquire(timeout=60):
            raise SystemExit("the browser never saw event: live")
        for number in range(100):
            publish(f"live {number}", f"k{number % 7}")
            expected.append(f"live {number}")
        delete("k3")
        expected.append("delete k3")
        instance.kill()
        instance.start()
        for number in range(100):
            publish(f"after {number}", f"k{number % 7}")
            expected.append(f"after {number}")
        if not live.acquire(timeout=60):
            raise SystemExit("the browser did not come back")
        publish("two\nlines", "lines")
        expected.append("two\nlines")
        publish("last", "last")
        expected.append("last")
        if not done.wait(60):
            raise SystemExit("the browser never saw the last message")
    finally:
        browser.kill()
        browser.wait()
if instance.terminate() != 0:
    raise SystemExit("SIGTERM did not end the server with 0")
if result["seen"] != expected:
    missing = [text for text in expected if text not in result["seen"]]
    raise SystemExit(f"the browser saw {len(result['seen'])} of {len(expected)}; missing {missing[:5]}; {result['verdicts']}")
if result["verdicts"] != ["snapshot", "resumed"]:
    raise SystemExit(f"verdicts {result['verdicts']}")
print(f"{len(expected)} events, each once and in order, across a kill -9")
