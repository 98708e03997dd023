"""Law 15 on a disk that is full, on one that may only be read, and in a folder of somebody else, from outside.

fulldisk.py BINARY FOLDER
"""

import json
import os
import subprocess
import sys
import time

import mounted
from instance import Instance
from load import Load

ARGUMENTS = ["--partitions", "2", "--segment-bytes", "65536", "--compaction-seconds", "1"]


def publish(instance, number, bytes_count):
    return instance.request(
        "POST", f"/v1/channels/{Load.channels[number % 4]}/messages", json.dumps({"n": number, "fill": os.urandom(bytes_count // 2).hex()}),
        {"Signalbox-Key": f"k{number}", "Content-Type": "application/json", "Idempotency-Key": f"k{number}"})


def present(instance):
    return {message["key"] for channel in Load.channels
            for message in json.loads(instance.request("GET", f"/v1/channels/{channel}")[1])["messages"]}


def refused(instance, *reasons):
    """Starting fails with exit code 1 and a line that says why and what to do."""
    if instance.spawn():
        instance.kill()
        raise SystemExit(f"it starts, and {reasons[0]} was expected")
    words = instance.said().splitlines()[-1]
    if instance.process.returncode != 1 or not all(reason in words for reason in reasons):
        raise SystemExit(f"it ended with {instance.process.returncode} and said {words}")
    return words


def full(binary, folder, name, mount):
    """Publishes until nothing fits, restarts, makes room, restarts."""
    place = f"{folder}/{name}"
    os.makedirs(place, exist_ok=True)
    mount(place)
    with open(f"{place}/ballast", "wb") as file:
        file.write(os.urandom(2 << 20))
        os.fsync(file.fileno())
    instance = Instance(binary, f"{place}/data", arguments=ARGUMENTS, errors=f"{folder}/{name}-errors").start()
    acknowledged, first = set(), None
    # Two partitions: each has to run out of room, and to stay so.
    refusals = 0
    for number in range(100_000):
        status, body = publish(instance, number, 20_000 if not refusals else 200)
        if status in (200, 201):
            acknowledged.add(f"k{number}")
        elif status == 507:
            first = first or json.loads(body)
            refusals += 1
            if refusals > 100:
                break
        else:
            raise SystemExit(f"{name}: on a full disk publishing is answered {status} {body}")
    if "make space" not in first["detail"]:
        raise SystemExit(f"{name}: the refusal says {first}")
    if instance.request("GET", "/readyz")[0] != 503 or not acknowledged <= present(instance):
        raise SystemExit(f"{name}: a full disk is not said, or hides what was acknowledged")
    if instance.terminate() != 0:
        raise SystemExit(f"{name}: on a full disk SIGTERM does not end it with 0")
    # Whether it starts now depends on what ending gave back; it must not lose anything, and must say what to do.
    if instance.spawn():
        until = time.monotonic() + 30
        while not acknowledged <= present(instance):
            if time.monotonic() > until:
                raise SystemExit(f"{name}: started on a full disk, it does not have what was acknowledged")
            time.sleep(0.01)
        instance.kill()
    elif "make space" not in instance.said().splitlines()[-1]:
        raise SystemExit(f"{name}: it does not start on a full disk, and says {instance.said()[-500:]}")
    os.remove(f"{place}/ballast")
    instance.start()
    if not acknowledged <= present(instance):
        raise SystemExit(f"{name}: {len(acknowledged - present(instance))} acknowledged messages are lost")
    for number in range(100_000, 100_008):
        status, body = publish(instance, number, 2000)
        if status != 201:
            raise SystemExit(f"{name}: with room again publishing is answered {status} {body}")
    if instance.terminate() != 0:
        raise SystemExit(f"{name}: SIGTERM does not end it with 0")
    print(f"{name}: {len(acknowledged)} messages acknowledged, {refusals} refused, none lost")


def forbidden(binary, folder):
    """A log whose folder may only be read can be replayed, and not served."""
    disk = mounted.Disk(folder, 8)
    disk.mount()
    log = f"{disk.place}/data"
    instance = Instance(binary, log, errors=f"{folder}/forbidden-errors").start()
    publish(instance, 1, 20)
    instance.terminate()
    files = [os.path.join(place, name) for place, _, names in os.walk(log) for name in names]
    for path in [log, *files]:
        os.chmod(path, 0o555 if path == log else 0o444)
    instance.prefix = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    print("forbidden:", refused(instance, "Permission denied", "give this user write access"))
    instance.prefix = []
    mounted.command("mount", "-o", "remount,ro", disk.place)
    print("read-only:", refused(instance, "Read-only file system", "give this user write access"))
    replayed = subprocess.run([binary, "replay", "--log", f"file:{log}", "--json"], capture_output=True, text=True)
    if sum(partition["messages"] for partition in json.loads(replayed.stdout or "[]")) != 1:
        raise SystemExit(f"replay of a log that may only be read: {replayed.returncode} {replayed.stderr}")
    disk.unmount()


def main(binary, folder):
    disk = mounted.Disk(f"{folder}/ext4", 8)
    full(binary, folder, "tmpfs", lambda place: mounted.command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place))
    full(binary, folder, "ext4", lambda place: mounted.command("mount", "-o", "loop", disk.image, place))
    forbidden(binary, f"{folder}/forbidden")


if __name__ == "__main__":
    mounted.enter()
    main(*sys.argv[1:3])
