"""Law 18 from outside: a publish that is tried again at another instance is appended once.

retried.py BINARY FOLDER
"""

import http.client
import json
import os
import signal
import sys
import threading

from cluster import Cluster, numbers

binary, folder = sys.argv[1], sys.argv[2]
channels = [f"order-{number}" for number in range(8)]


def publish(instance, number, connection=None):
    """The answer to publishing a number under an idempotency key of its own; None when there was none."""
    try:
        connection = connection or instance.connect()
        connection.request("POST", f"/v1/channels/{channels[number % 8]}/messages", json.dumps({"n": number}), {
            "Content-Type": "application/json", "Idempotency-Key": f"request {number}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def together(count, work):
    """Runs work(0) … work(count - 1) at the same time, and returns what each returned."""
    results = [None] * count

    def run(index):
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def check_repeat(first, again, what):
    if first[0] != 201 or again != (200, first[1]):
        raise SystemExit(f"{what}: the first answer was {first}, and to the repeat {again}")


with Cluster(binary, folder) as cluster:
    one, two, three = cluster.instances
    # At once, at another instance.
    answers = {number: publish(one, number) for number in [next(numbers) for _ in range(60)]}
    for number, first in answers.items():
        check_repeat(first, publish((two, three)[number % 2], number), "tried again at once")
    # Later, when the first instance is dead, and at one that has only just started.
    one.kill()
    for number, first in answers.items():
        check_repeat(first, publish((three, two)[number % 2], number), "tried again when the first instance is dead")
    one.start()
    for number, first in answers.items():
        check_repeat(first, publish(one, number), "tried again at the first instance, started again")
    # Sent to an instance that stands still, and tried again elsewhere; then it wakes, and finds what waited for it.
    os.kill(one.process.pid, signal.SIGSTOP)
    late = [next(numbers) for _ in range(12)]
    connections = [one.connect() for _ in late]
    for connection in connections:
        connection.connect()
    threads, results = together(len(late), lambda index: publish(one, late[index], connections[index]))
    for number in late:
        answers[number] = publish((two, three)[number % 2], number)
    os.kill(one.process.pid, signal.SIGCONT)
    for thread in threads:
        thread.join()
    for number, result in zip(late, results):
        check_repeat(answers[number], result, "taken up by an instance that stood still")
    # Under way when the instance dies: nobody knows whether it was appended.
    unanswered, known = [], dict(answers)
    for round_number in range(6):
        batch = [next(numbers) for _ in range(12)]
        victim = cluster.instances[round_number % 3]
        others = [instance for instance in cluster.instances if instance is not victim]
        connections = [victim.connect() for _ in batch]
        for connection in connections:
            connection.connect()
        threads, results = together(len(batch), lambda index: publish(victim, batch[index], connections[index]))
        threads[round_number].join()
        victim.kill()
        for thread in threads:
            thread.join()
        unanswered += [number for number, answer in zip(batch, results) if answer is None]
        for number, first in zip(batch, results):
            again = publish(others[number % 2], number)
            if again is None or again[0] not in ((201, 200) if first is None else (200,)):
                raise SystemExit(f"tried again after {first}: {again}")
            if first and first[1] != again[1]:
                raise SystemExit(f"answered {first}, and to the repeat {again}")
            known[number] = again
            check_repeat((201, again[1]), publish(others[(number + 1) % 2], number), "tried a third time")
        victim.start()
    found = [number for _, _, _, number in cluster.messages()]
    if sorted(found) != sorted(known):
        twice = sorted(number for number in set(found) if found.count(number) > 1)
        raise SystemExit(f"published {len(known)}, and the log has {len(found)}: {twice} twice, of which "
                         f"{[number for number in twice if number in unanswered]} were under way when their instance died")
    if not unanswered:
        raise SystemExit("every publish was answered before its instance died: that proves nothing")
    print(f"{len(known)} publishes, tried again at every instance, {len(unanswered)} of them under way when theirs died, "
          f"{len(late)} when it stood still: "
          "each once in the log")
