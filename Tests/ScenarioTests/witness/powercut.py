"""Law 13 when the power goes, from outside: every message acknowledged before it is there once afterwards.

powercut.py BINARY FOLDER ROUNDS SEED | powercut.py probe FOLDER

kill -9 loses nothing that was written, synced or not: the cache of the operating system outlives the process. Here the server runs on a
file system of its own, which is cut off under load: the ioctl that file system developers test recovery with stops all I/O at once, and what
was not synced is forgotten with the cache. While it works a sync may still be told that it went well: an answer that comes when the cut
has begun is one that nobody hears. Mounting again replays the journal, as after a power cut. What a disk confirms and then
forgets in a cache of its own is not in this test. Last comes a server whose fdatasync does nothing: the loss must be found.
"""

import fcntl
import os
import random
import struct
import sys

import mounted
from instance import Instance
from load import Load

SHUTDOWN, WITHOUT_FLUSHING = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH


class PowerCut(mounted.Disk):
    def cut(self):
        place = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(place, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
        os.close(place)


def probe(folder):
    disk = PowerCut(folder, 8)
    disk.mount()
    with open(f"{disk.place}/unsynced", "w") as file:
        file.write("x")
    disk.cut()
    disk.unmount()
    disk.mount()
    if os.path.exists(f"{disk.place}/unsynced"):
        raise OSError("what was not synced outlives the cut")
    disk.unmount()


def cuts(binary, folder, rounds, choices, prefix=()):
    """Cuts the power so often. What went wrong, in which round, and how many messages were acknowledged."""
    disk = PowerCut(folder, 256)
    load = Load()
    instance = Instance(
        binary, f"{disk.place}/data", prefix=prefix, errors=f"{folder}/errors",
        arguments=["--partitions", "2", "--segment-bytes", "65536", "--compaction-seconds", "1", "--snapshot-seconds", "1"])
    disk.mount()
    Instance(binary, instance.log, arguments=instance.arguments).start().terminate()
    disk.unmount()
    for number in range(rounds + 1):
        disk.mount()
        try:
            try:
                instance.start()
                troubles, _ = load.troubles(instance)
            except SystemExit as failure:
                troubles = f"{failure}: {instance.said()[-500:]}"
            if troubles:
                return f"after cut {number}: {troubles}", len(load.acknowledged)
            if number < rounds:
                # Every eighth is long enough for compaction and snapshots.
                load.during(instance, choices.uniform(0.05, 0.25) if number % 8 < 7 else 1.2, disk.cut,
                            hears_to_the_end=False)
        finally:
            if instance.process.poll() is None:
                instance.kill()
            disk.unmount()
    return "", len(load.acknowledged)


def main(binary, folder, rounds, seed):
    choices = random.Random(seed)
    troubles, count = cuts(binary, f"{folder}/cuts", rounds, choices)
    if troubles:
        raise SystemExit(troubles)
    print(f"{rounds} power cuts, {count} messages acknowledged, none lost, none twice")
    if count < rounds:
        raise SystemExit("too little load to prove anything")
    lying = ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:retval=0"]
    troubles, count = cuts(binary, f"{folder}/canary", 3, choices, lying)
    if "acknowledged messages lost" not in troubles:
        raise SystemExit(f"{troubles}: without fdatasync {count} messages were acknowledged, and their loss was not found")
    print(f"canary found: {troubles}")


if __name__ == "__main__":
    mounted.enter()
    if sys.argv[1] == "probe":
        probe(sys.argv[2])
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
