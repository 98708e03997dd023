"""A short, fixed story of publishes and deletions, told to a server one by one, and what the server may say afterwards.

One thing is under way at a time, so a correct log knows every acknowledged operation and, at most, the one after the last of them.
"""

import http.client
import json
import random
import time


class Operation:
    """One publish (with a body) or deletion (without), with an idempotency key of its own."""

    def __init__(self, name, channel, key, body=None):
        self.name, self.channel, self.key, self.body = name, channel, key, body

    def send(self, connection):
        path = f"/v1/channels/{self.channel}/messages"
        headers = {"Idempotency-Key": self.name}
        if self.body is None:
            connection.request("DELETE", f"{path}/{self.key}", headers=headers)
        else:
            connection.request(
                "POST", path, self.body, {**headers, "Signalbox-Key": self.key, "Content-Type": "text/plain"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type"), answer.read()


def operations(name, plan):
    """`a1+` publishes some bytes, `a1++` a third of a segment, `a1-` deletes: channel a, key 1."""
    bodies = random.Random(name)
    return [
        Operation(f"{name}-{number}", word[0], word[1], None if word[2:] == "-" else
                  bodies.randbytes(11_000 if word[2:] == "++" else 20).hex())
        for number, word in enumerate(plan.split())]


def fold(told):
    state = {}
    for operation in told:
        if operation.body is None:
            state.pop((operation.channel, operation.key), None)
        else:
            state[operation.channel, operation.key] = operation.body
    return state


class Story:
    def __init__(self, before=()):
        self.told = list(before)      # every operation that was sent, in order
        self.answers = []             # what was answered to those that were acknowledged: the first of `told`
        self.times = []               # when
        self.refusals = []            # problem documents
        self.troubles = []            # what must not be

    def copy(self):
        copy = Story(self.told)
        copy.answers, copy.times, copy.refusals = list(self.answers), list(self.times), list(self.refusals)
        return copy

    def tell(self, instance, chapter):
        """Sends the operations of a chapter. False once the server is gone."""
        connection = instance.connect()
        try:
            for operation in chapter:
                self.told.append(operation)
                try:
                    status, kind, answer = operation.send(connection)
                except (OSError, http.client.HTTPException):
                    return False
                if status in (200, 201):
                    if len(self.answers) != len(self.told) - 1:
                        self.troubles.append(f"{operation.name} was acknowledged after one that was not (law 15)")
                    self.answers.append(answer)
                    self.times.append(time.time())
                elif status in (503, 507) and kind == "application/problem+json":
                    self.refusals.append(json.loads(answer))
                else:
                    self.troubles.append(f"{operation.name} was answered {status} {kind} {answer[:200]}")
            return True
        finally:
            connection.close()

    def settle(self, instance):
        """Waits until what was acknowledged last can be read."""
        if self.answers:
            answer = json.loads(self.answers[-1])
            try:
                instance.request("GET", f"/v1/channels/{answer['channel']}?min={answer['position']}")
            except (OSError, http.client.HTTPException):
                pass  # it was killed

    def outcomes(self):
        """The states that are right after a restart: with or without the one operation that was not acknowledged first."""
        count = len(self.answers)
        return [fold(self.told[:count]), fold(self.told[:count + 1])]

    def check(self, instance):
        """Laws 13 and 18, asked of a server that has been started again."""
        state = self.present(instance)
        if state not in self.outcomes():
            expected = self.outcomes()[0]
            raise Wrong(f"of {len(self.answers)} acknowledged operations "
                        f"lost {sorted(expected.keys() - state.keys())}, risen {sorted(state.keys() - expected.keys())}, "
                        f"changed {sorted(k for k in expected.keys() & state.keys() if expected[k] != state[k])} (law 13)")
        connection = instance.connect()
        for operation, answer in zip(self.told, self.answers):
            status, _, again = operation.send(connection)
            if (status, again) != (200, answer):
                raise Wrong(f"{operation.name} was answered {answer}, and {status} {again} when sent again (law 18)")
        connection.close()
        if self.present(instance) != state:
            raise Wrong("sending again what was acknowledged changed the state (law 18)")
        return state

    def present(self, instance):
        """What the server shows of the channels of this story."""
        state = {}
        for channel in sorted({operation.channel for operation in self.told}):
            status, body = instance.request("GET", f"/v1/channels/{channel}")
            if status != 200:
                raise Wrong(f"GET {channel}: {status} {body[:200]}")
            for message in json.loads(body)["messages"]:
                if (channel, message["key"]) in state:
                    raise Wrong(f"{channel} {message['key']} is there twice (law 13)")
                state[channel, message["key"]] = message["data"]
        return state


class Wrong(Exception):
    pass
