"""`make run-kafka` from outside: what it prints is true, and SIGTERM leaves no process behind.

runkafka.py BINARY FOLDER
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

from cluster import until

binary, folder = sys.argv[1], sys.argv[2]
script = os.path.join(os.path.dirname(__file__), "../../../scripts/run-kafka.sh")
# Whoever runs this may block signals; what runs here must not inherit that, or nobody can end it.
signal.pthread_sigmask(signal.SIG_SETMASK, [])
running = subprocess.Popen(
    [script, binary, folder], stdout=subprocess.PIPE, text=True,
    env={**os.environ, "SIGNALBOX_PYTHON": sys.executable, "SIGNALBOX_PORTS": "0 0 0"})
said = []


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def name(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


def servers():
    """The broker and the instances that the script has started."""
    with open(f"/proc/{running.pid}/task/{running.pid}/children") as pids:
        return [int(pid) for pid in pids.read().split() if name(pid) in ("noida-db", "signalbox")]


def sh(line):
    """Runs a line as it was printed, and returns what it wrote."""
    return subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=30).stdout


def stream(line, last):
    """Runs a line that subscribes until an event comes, and returns what came before its end, and the process."""
    reader = subprocess.Popen(shlex.split(line), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = []
    while (text := reader.stdout.readline()) and text != last:
        lines.append(text)
    return reader, lines


def give_up(*_):
    raise SystemExit(f"what was printed does not come true within a minute: {said}")


def end():
    """Asks the script to end, and returns how it did; it and what it has started are gone afterwards either way."""
    if running.poll() is not None:
        return running.returncode
    started = servers()
    running.terminate()
    try:
        return running.wait(timeout=30)
    except subprocess.TimeoutExpired:
        for pid in [running.pid, *started]:
            os.kill(pid, signal.SIGKILL)
        raise SystemExit("SIGTERM did not end run-kafka.sh within 30 s") from None


signal.signal(signal.SIGALRM, give_up)
signal.alarm(60)
try:
    while (line := running.stdout.readline()) and "Ctrl-C" not in line:
        said.append(line.strip())
    if not line:
        raise SystemExit(f"run-kafka.sh ended with {running.wait()}: {said}")
    subscribe, publish, kill, again, resume = [line for line in said if re.match(r"curl|kill", line)]
    processes = servers()
    if len(processes) != 4:
        raise SystemExit(f"it runs {len(processes)} processes, not a broker and three instances")
    reader, _ = stream(subscribe.removesuffix(" &"), "event: live\n")
    sh(publish)
    lines = []
    while (line := reader.stdout.readline()) and line != "data: boarding\n":
        lines.append(line)
    token = [line for line in lines if line.startswith("id: ")][-1].removeprefix("id: ").strip()
    os.kill(int(kill.split()[-1]), signal.SIGKILL)
    reader.communicate(timeout=30)
    sh(again)
    reader, lines = stream(resume.replace("ID'", f"{token}'"), "data: closed\n")
    reader.kill()
    reader.communicate()
    if "event: resumed\n" not in lines or "data: boarding\n" in lines:
        raise SystemExit(f"the stream was not resumed: {lines}")
finally:
    signal.alarm(0)
    began = time.monotonic()
    code = end()
if code != 0:
    raise SystemExit(f"SIGTERM ended run-kafka.sh with {code}")
until(lambda: all(is_gone(pid) for pid in processes), "every process is gone", 5)
print(f"every line printed works, and {len(processes)} processes were gone {time.monotonic() - began:.1f} s after SIGTERM: "
      "none left")
