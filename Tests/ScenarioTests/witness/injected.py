"""Laws 13 to 15 and 18 of the real process, from outside: every call of a short story goes wrong once, in every way.

injected.py BINARY FOLDER all|some

The story is told once under strace to learn which calls the server makes on the files of its log. Then, for each of these calls, it is
told again to a new server of which this one call fails, or which is killed in its place. Afterwards the server is started without
strace and must know what was acknowledged. `some` fails and kills every call that makes messages durable, moves, cuts or lists them, and
takes a spread of what is left.
"""

import collections
import concurrent.futures
import itertools
import os
import shutil
import signal
import sys
import time

from aftermath import check_refusing, check_restart
from instance import Instance
from story import Story, Wrong, operations
from traced import Traced

KILL, EIO, ENOSPC = "signal=SIGKILL", "error=EIO", "error=ENOSPC"
# What can go wrong with a call. A write that is interrupted changes nothing, and one that takes nothing is a disk without room.
FAULTS = {
    "fdatasync": [KILL, EIO, ENOSPC], "fsync": [KILL, EIO, ENOSPC], "rename": [KILL, EIO, ENOSPC],
    "ftruncate": [KILL, EIO], "unlink": [KILL, EIO], "mkdir": [KILL, EIO, ENOSPC],
    "pwrite64": [KILL, EIO, ENOSPC, "error=EINTR", "retval=0"], "write": [KILL, EIO, ENOSPC],
    "openat": [KILL, EIO, ENOSPC], "flock": [EIO], "pread64": [EIO], "getdents64": [EIO],
}
ALWAYS = ("fdatasync", "fsync", "rename", "ftruncate", "getdents64")
IDLE = ("observations", "topology", "deliveries")  # opened as messages are, by the same code
SPREAD = 5  # of what is left, every fifth when not all are asked for


class Scenario:
    """A server, what is there before it starts, and what happens until it is told to end."""

    arguments = ["--partitions", "1", "--segment-bytes", "65536", "--compression", "none"]
    together = 4  # servers at a time; each waits for the others as often as it works

    def __init__(self, binary, root):
        self.binary, self.before, self.prepared = binary, Story(), None

    def prepare(self, folder, plan, end):
        """Makes the log that all servers of this scenario start with."""
        os.makedirs(folder)
        instance = Instance(self.binary, f"{folder}/data", arguments=Scenario.arguments).start()
        self.before.tell(instance, operations("early", plan))
        end(instance)
        self.prepared = instance.log

    def wants(self, calls):
        """Which calls go wrong. Followers read whenever they like, and what two threads do alike cannot be told apart."""
        opener = calls[0][0]
        threads = collections.defaultdict(set)
        for thread, *place in calls:
            threads[tuple(place)].add(thread)
        for thread, *place in calls:
            if self.aims(thread == opener, place[0]) and (thread == opener or opener not in threads[tuple(place)]):
                yield tuple(place)

    def aims(self, is_opening, call):
        return is_opening or call != "pread64"

    def check_running(self, fault, instance, told):
        if told.refusals:
            check_refusing(instance, told)

    def check_acknowledged(self, fault, at, told):
        """Law 15: nothing is acknowledged after a sync that failed."""
        if at and fault[0] in ("fdatasync", "fsync") and any(time > at for time in told.times):
            raise Wrong(f"something was acknowledged after a failed {fault[0]} (law 15)")


class Life(Scenario):
    """From an empty folder over two full segments to the end."""

    def play(self, instance, told):
        told.tell(instance, operations("life", "a1++ b1+ a2++ b1- a1++ b2+ a3++ a2- a4++ b3+"))


class Recovery(Scenario):
    """What kill -9 and a torn write left is opened, and goes on."""

    def __init__(self, binary, root):
        super().__init__(binary, root)
        self.prepare(f"{root}/recovery", "a1++ a2++ b1+ a3++ a1- b2+", lambda instance: instance.kill())
        files = f"{self.prepared}/messages-0"
        last = max(name for name in os.listdir(files) if name.endswith(".log"))
        with open(f"{files}/{last}", "r+b") as file:
            file.seek(len(file.read().rstrip(b"\0")))
            file.write(b"torn" * 20)
        for name in ("appends.state", last):
            with open(f"{files}/{name}.tmp", "wb") as file:
                file.write(b"half of it")

    def play(self, instance, told):
        told.tell(instance, operations("late", "a4+ b2-"))


class Beginning(Recovery):
    """As recovery, before anything was written that names what must be there."""

    def __init__(self, binary, root):
        Scenario.__init__(self, binary, root)
        self.prepare(f"{root}/beginning", "a1+ b1+", lambda instance: instance.kill())

    def aims(self, is_opening, call):
        return is_opening


class Compacting(Scenario):
    """Closed segments are compacted while publishing goes on."""

    arguments = Scenario.arguments + ["--compaction-seconds", "1"]
    together = 8  # they wait for the second to pass

    def __init__(self, binary, root):
        super().__init__(binary, root)
        self.prepare(
            f"{root}/compacting", "a1++ a2++ a1++ b1+ a3++ b1- a4++ a3++ a5++ a5- a6++ a4++ a7++ b2+ a8++ b2+",
            lambda instance: instance.terminate())

    def play(self, instance, told):
        told.tell(instance, operations("during", "b1+ b2+"))
        until = time.monotonic() + 20
        while not os.path.exists(f"{instance.log}/messages-0/compaction.state"):
            if instance.process.poll() is not None or instance.injected_at() is not None:
                break
            if time.monotonic() > until:
                raise Wrong("compaction neither ended nor failed")
            time.sleep(0.01)
        told.tell(instance, operations("after", "b1- b3+"))

    def wants(self, calls):
        compactor = next(call[0] for call in calls if call[2].endswith(".log.tmp"))
        others = {tuple(place) for thread, *place in calls if thread != compactor}
        return [tuple(place) for thread, *place in calls if thread == compactor and tuple(place) not in others]

    def check_running(self, fault, instance, told):
        if told.refusals:
            raise Wrong(f"compaction failed, and publishing was refused: {told.refusals[0]}")

    def check_acknowledged(self, fault, at, told):
        pass  # compaction writes beside the log: its failures stop nothing


def run(scenario, folder, fault=None):
    """Tells the story with one fault, starts again and checks. Whether the call was made, and the calls of the server."""
    os.makedirs(folder)
    if scenario.prepared:
        shutil.copytree(scenario.prepared, f"{folder}/data")
    told = scenario.before.copy()
    instance = Traced(scenario.binary, folder, scenario.arguments, fault)
    try:
        listened = instance.spawn()
        if listened:
            scenario.play(instance, told)
            told.settle(instance)
        if instance.process.poll() is None:
            scenario.check_running(fault, instance, told)
        code = instance.end()
        if told.troubles:
            raise Wrong("; ".join(told.troubles))
        was_killed = code == -signal.SIGKILL and fault[3] == KILL
        if not was_killed and code != (0 if listened else 1):
            raise Wrong(f"it ended with {code}, and {'had' if listened else 'had not'} listened")
        if code == 1 and not any(why in instance.said() for why in ("Input/output error", "No space left on device")):
            raise Wrong("it does not say why it did not start")
        at = instance.injected_at()
        scenario.check_acknowledged(fault, at, told)
        check_restart(instance, told, Scenario.arguments)
    except (Wrong, OSError) as wrong:
        raise Wrong(f"{type(scenario).__name__}, {fault}: {wrong}; it said: {instance.said()[-600:]}") from None
    finally:
        if instance.process and instance.process.poll() is None:
            instance.kill()
    calls = instance.calls()
    shutil.rmtree(folder)
    return at is not None or was_killed, calls


def faults(places, extent):
    chosen = []
    others = itertools.count()
    for place in places:
        for how in FAULTS.get(place[0], []):
            fault = (*place, how)
            if fault in chosen:
                continue
            is_chosen = place[0] in ALWAYS and how != ENOSPC and not place[1].startswith(IDLE)
            if extent == "all" or is_chosen or next(others) % SPREAD == 0:
                chosen.append(fault)
    return chosen


def main(binary, root, extent):
    troubles, missed, made = [], [], collections.Counter()
    for kind in (Life, Recovery, Beginning, Compacting):
        began = time.monotonic()
        scenario = kind(binary, root)
        _, calls = run(scenario, f"{root}/{kind.__name__}")
        planned = faults(scenario.wants(calls), extent)
        with concurrent.futures.ThreadPoolExecutor(scenario.together) as pool:
            futures = {pool.submit(run, scenario, f"{root}/{kind.__name__}-{number}", fault): fault
                       for number, fault in enumerate(planned)}
            for future in concurrent.futures.as_completed(futures):
                try:
                    if future.result()[0]:
                        made[futures[future][0], futures[future][3]] += 1
                    else:
                        missed.append((kind.__name__, *futures[future]))
                except Wrong as wrong:
                    troubles.append(str(wrong))
        print(f"{kind.__name__}: {len(calls)} calls, {len(planned)} faults, {time.monotonic() - began:.1f} s")
    for call in sorted({call for call, _ in made}):
        print(f"  {call:10}", ", ".join(f"{how} {count}" for (name, how), count in sorted(made.items()) if name == call))
    if len(missed) * 10 > sum(made.values()):
        troubles.append(f"too many calls were not made again: {missed}")
    print("\n".join(f"WRONG {trouble}" for trouble in troubles[:20]))
    print(f"{sum(made.values())} faults made, {len(missed)} not, {len(troubles)} wrong {missed}")
    sys.exit(bool(troubles))


if __name__ == "__main__":
    main(*sys.argv[1:4])
