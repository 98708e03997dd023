"""A real `signalbox serve`, started, killed and asked over HTTP by software that is not ours."""

import http.client
import json
import os
import select
import signal
import subprocess
import time


class Instance:
    def __init__(self, binary, log, port=0, arguments=(), prefix=(), errors=None):
        """`log` is a folder, or the URL of a log; `prefix` goes before the command, such as strace; `errors` is the file
        that takes what the server says."""
        self.binary, self.log, self.port, self.arguments = binary, log, port, list(arguments)
        self.prefix, self.errors = list(prefix), errors
        self.process = None

    def spawn(self):
        """Starts it and waits until it listens. False when it ended before that."""
        with open(self.errors or os.devnull, "ab") as errors:
            self.process = subprocess.Popen(
                [*self.prefix, self.binary, "serve", "--log", self.log if "://" in self.log else f"file:{self.log}",
                 "--port", str(self.port), "--json", *self.arguments],
                stdout=subprocess.PIPE, stderr=errors, text=True)
        if not select.select([self.process.stdout], [], [], 60)[0]:
            self.kill()
            raise SystemExit("signalbox serve neither listened nor ended within 60 s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.process.stdout.close()
            return False
        self.port = json.loads(line)["port"]
        return True

    def start(self, deadline=30):
        if not self.spawn():
            raise SystemExit(f"signalbox serve ended with {self.process.returncode} before it listened")
        until = time.monotonic() + deadline
        while True:
            try:
                status, _ = self.request("GET", "/readyz")
                if status == 200:
                    return self
            except OSError:
                pass
            if time.monotonic() > until:
                raise SystemExit("signalbox serve was not ready in time")
            time.sleep(0.01)

    def said(self):
        with open(self.errors, errors="replace") as file:
            return file.read()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def terminate(self):
        os.kill(self.process.pid, signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code
