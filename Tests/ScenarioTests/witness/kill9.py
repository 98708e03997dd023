"""Law 13 from outside: kill -9 under load, again and again; every message is there once afterwards, sent again if it was not
answered.

kill9.py BINARY FOLDER ROUNDS SEED
"""

import random
import sys

from instance import Instance
from load import Load

binary, folder, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
choices = random.Random(seed)
load = Load()
instance = Instance(binary, folder)
# Small segments, so that rolling and compaction are killed too.
instance.arguments = ["--partitions", "2", "--segment-bytes", "65536", "--compaction-seconds", "1"]
for round_number in range(rounds):
    instance.start()
    load.retry(instance)
    load.during(instance, choices.uniform(0.01, 0.25), instance.kill)

instance.start()
troubles, count = load.troubles(instance)
load.plant_double(instance)
if "twice" not in load.troubles(instance)[0]:
    raise SystemExit("a message that was published twice was not found")
if instance.terminate() != 0:
    raise SystemExit("SIGTERM did not end the server with 0")
if troubles:
    raise SystemExit(troubles)
print(f"{rounds} kills, {len(load.acknowledged)} messages acknowledged, {count} found, none lost, none twice; a planted double is found")
if rounds and len(load.acknowledged) < rounds:
    raise SystemExit("too little load to prove anything")
