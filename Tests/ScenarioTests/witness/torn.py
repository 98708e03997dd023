"""Laws 13 to 15 of the real process, from outside: writes that end early, and writes that a disk confirms and forgets.

torn.py BINARY FOLDER

No file of the server may grow beyond a limit, so that one write ends in its middle and the next fails. And strace confirms writes
that never happen: in the middle of a log that is damage, which is named and never served; at its end nobody can know, and this very
program must find the loss, or it would find no loss at all.
"""

import concurrent.futures
import os
import re
import sys

from aftermath import check_refusing, check_restart, replay
from injected import Life
from instance import Instance
from story import Story, Wrong, operations
from traced import Traced

SEGMENT = "messages-0/00000000000000000000.log"


PLAN = "a1++ b1+ a2++ b1- a1++ b2+ a3++"


def writes(binary, folder, plan):
    """The writes of batches into the first segment, as (number, position, bytes); the zeros written ahead are not among them."""
    os.makedirs(folder)
    instance = Traced(binary, folder, Life.arguments)
    instance.spawn()
    Story().tell(instance, operations("torn", plan))
    instance.end()
    found = re.findall(rf'pwrite64\(\d+<[^>]*{SEGMENT}>, "((?:[^"\\]|\\.)*)"[.]*, (\d+), (\d+)', instance.traced())
    return [(number, int(position), int(count)) for number, (text, count, position) in enumerate(found, 1) if set(text) - set("\\0")]


def torn(binary, folder, limit, end):
    """Writes end at `limit`, and what is tried after that fails. Then the server is killed, or told to end."""
    os.makedirs(folder)
    told = Story()
    instance = Instance(
        binary, f"{folder}/data", arguments=Life.arguments, errors=f"{folder}/errors",
        prefix=["env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={limit}"])
    try:
        if not instance.spawn():
            raise Wrong("it did not start")
        told.tell(instance, operations("torn", PLAN))
        if told.troubles or not told.refusals:
            raise Wrong("; ".join(told.troubles) or "nothing was refused")
        check_refusing(instance, told)
        if end(instance) not in (0, None):
            raise Wrong("SIGTERM did not end it with 0")
        check_restart(instance, told, Life.arguments)
    except (Wrong, OSError) as wrong:
        raise Wrong(f"files end at {limit}, then {end.__name__}: {wrong}; it said: {instance.said()[-600:]}") from None
    finally:
        if instance.process.poll() is None:
            instance.kill()


def forgotten(binary, folder, plan):
    """The second batch is confirmed and forgotten. The story, what /readyz said at its end, and the server."""
    number, _, count = writes(binary, f"{folder}/writes", plan)[1]
    told = Story()
    instance = Traced(binary, folder, Life.arguments, ("pwrite64", SEGMENT, number, f"retval={count}"))
    if not instance.spawn():
        raise Wrong(f"it did not start: {instance.said()}")
    told.tell(instance, operations("torn", plan))
    readiness = instance.request("GET", "/readyz")
    instance.kill()
    return told, readiness, instance


def check_named(binary, folder):
    """Law 14: damage with records behind it is served by nobody, and everybody says where it is."""
    told, (status, body), instance = forgotten(binary, folder, "a1++ a2++ b1+")
    place = re.search(r"messages/0 is damaged at offset (\d+)", body.decode())
    if status != 503 or not place:
        raise Wrong(f"a batch is damaged, and /readyz says {status} {body}")
    code, _, words = replay(binary, instance.log)
    if code != 1 or place[0] not in words:
        raise Wrong(f"a batch is damaged, and replay ended with {code}: {words}")
    again = Instance(binary, instance.log, arguments=Life.arguments, errors=instance.errors)
    if again.spawn():
        again.kill()
        raise Wrong("a batch is damaged, and the server starts")
    if instance.said().count(place[0]) < 2:
        raise Wrong(f"a batch is damaged, and the server said {instance.said()}")
    return place[0]


def check_canary(binary, folder):
    """The last batch is lost, which only the story can know."""
    told, _, instance = forgotten(binary, folder, "a1++ a2++")
    try:
        check_restart(instance, told, Life.arguments)
    except Wrong as wrong:
        return str(wrong)
    raise SystemExit("an acknowledged message was lost, and this program did not see it")


def main(binary, root):
    batches = [(position, count) for _, position, count in writes(binary, f"{root}/writes", PLAN)]
    limits = {position + part for position, count in batches for part in (1, 17, 61, count // 2, count - 1, count)}
    limits.discard(sum(batches[-1]))  # nothing is torn there
    limits = [limit for limit in sorted(limits) if limit > 256]  # below, the log itself cannot be made
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(torn, binary, f"{root}/torn-{limit}-{end.__name__}", limit, end)
                for limit in limits for end in (Instance.kill, Instance.terminate)]
        troubles = [str(trouble) for trouble in map(lambda run: run.exception(), runs) if trouble]
    print("\n".join(troubles[:20]))
    print(f"{len(runs)} torn writes, {len(troubles)} wrong")
    print(f"named: {check_named(binary, f'{root}/named')}")
    print(f"canary found: {check_canary(binary, f'{root}/canary')}")
    sys.exit(bool(troubles))


if __name__ == "__main__":
    main(*sys.argv[1:3])
