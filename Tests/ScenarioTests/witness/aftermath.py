"""What must hold after something went wrong with the disk of a server: laws 13, 14 and 18."""

import json
import os
import subprocess

from instance import Instance
from story import Wrong


def replay(binary, log):
    """What `signalbox replay` says about a log that nobody serves: its exit code, how many messages, and its words."""
    ended = subprocess.run([binary, "replay", "--log", f"file:{log}", "--json"], capture_output=True, text=True)
    count = sum(partition["messages"] for partition in json.loads(ended.stdout)) if ended.returncode == 0 else None
    return ended.returncode, count, ended.stderr


def check_restart(instance, told, arguments):
    """What is there reads as it is, and after starting again it is what was acknowledged."""
    count = None
    if os.path.exists(f"{instance.log}/log.json"):
        code, count, words = replay(instance.binary, instance.log)
        if code != 0:
            raise Wrong(f"replay ended with {code}: {words}")
    again = Instance(instance.binary, instance.log, arguments=arguments, errors=instance.errors)
    try:
        again.start()
        state = told.check(again)
    except SystemExit as failure:
        raise Wrong(f"starting again: {failure}") from None
    finally:
        if again.process.poll() is None:
            again.kill()
    if count is not None and count != len(state):
        raise Wrong(f"replay found {count} messages, and the server {len(state)}")


def check_refusing(instance, told):
    """Law 15, while the server runs on: it says that it takes nothing more, why, and what was acknowledged can be read."""
    status, body = instance.request("GET", "/readyz")
    if status != 503 or "error" not in json.loads(body)["partitions"][0]:
        raise Wrong(f"it refuses to append, and /readyz says {status} {body}")
    if "no longer appending to messages/0" not in instance.said():
        raise Wrong("it refuses to append, and its log does not say so")
    if told.present(instance) != told.outcomes()[0]:
        raise Wrong("it refuses to append, and does not show what it acknowledged")
