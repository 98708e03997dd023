"""Records the departure boards of New York's airports as one partition of the messages topic.

    python record.py --from 2013-01-01 --to 2013-02-01 --out january

writes january.log (Kafka record batches) and january.json (what is in them). README.md has the
rules; the same dates always give the same bytes.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import source
from batches import batches, varint

NEW_YORK = ZoneInfo("America/New_York")
APPEARS_BEFORE = timedelta(hours=3)
CANCELLED_BEFORE = timedelta(minutes=60)
DELAYED_BEFORE = timedelta(minutes=30)
REMOVED_AFTER = timedelta(minutes=30)
DELAYED_FROM = timedelta(minutes=15)
MISSING = "NA"


class Change(NamedTuple):
    """One change of one board line. Changes sort into the order of the log."""

    time_ms: int
    channel: str
    key: str
    # The first change of a flight is number 1.
    number: int
    # The board line from now on; None removes it.
    line: bytes | None


def milliseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000


def wall(instant: datetime) -> str:
    """A New York time as the board shows it."""
    return instant.astimezone(NEW_YORK).strftime("%Y-%m-%dT%H:%M")


def flight_date(row: dict[str, str]) -> date:
    return date(int(row["year"]), int(row["month"]), int(row["day"]))


def from_wall(moment: datetime) -> datetime:
    """The instant of a New York wall time; of two with the same name, the earlier."""
    return moment.replace(tzinfo=NEW_YORK, fold=0).astimezone(UTC)


def times(row: dict[str, str]) -> tuple[datetime, datetime | None]:
    """The scheduled and the actual departure; the latter is None when cancelled.

    The delay is counted on the wall clock, as the source does. Both times are checked against the
    columns of the source that say the same in another way.
    """
    midnight = datetime.combine(flight_date(row), datetime.min.time())
    planned = midnight + timedelta(hours=int(row["hour"]), minutes=int(row["minute"]))
    scheduled = from_wall(planned)
    if scheduled.replace(minute=0) != datetime.fromisoformat(row["time_hour"]):
        raise ValueError(f"time_hour is not the hour of {scheduled}: {row}")
    if (row["dep_time"] == MISSING) != (row["dep_delay"] == MISSING):
        raise ValueError(f"dep_time and dep_delay disagree: {row}")
    if row["dep_delay"] == MISSING:
        return scheduled, None
    left = planned + timedelta(minutes=int(row["dep_delay"]))
    if left.hour * 100 + left.minute != int(row["dep_time"]) % 2400:
        raise ValueError(f"dep_time is not {left}: {row}")
    return scheduled, from_wall(left)


def life(scheduled: datetime, left: datetime | None) -> list[tuple[datetime, str, datetime | None]]:
    """What the board says of a flight: from when, which status, which estimate. Last: removed."""
    appears = (scheduled - APPEARS_BEFORE, "scheduled", scheduled)
    if left is None:
        return [appears, (scheduled - CANCELLED_BEFORE, "cancelled", None),
                (scheduled + REMOVED_AFTER, "removed", None)]
    delayed = [(scheduled - DELAYED_BEFORE, "delayed", left)]
    return [appears, *(delayed if left - scheduled >= DELAYED_FROM else []),
            (left, "departed", left), (left + REMOVED_AFTER, "removed", None)]


def changes(row: dict[str, str], carrier_names: dict[str, str]) -> Iterator[Change]:
    """The changes of one flight, in order."""
    scheduled, left = times(row)
    flight = row["carrier"] + row["flight"]
    key = f"{flight}/{flight_date(row)}"
    previous = None
    for number, (instant, status, estimated) in enumerate(life(scheduled, left), start=1):
        # Holds for all of 2013: no flight left more than 43 minutes early.
        if previous is not None and instant <= previous:
            raise ValueError(f"{status} comes before the change it follows: {row}")
        previous = instant
        line = None if status == "removed" else json.dumps({
            "flight": flight,
            "destination": row["dest"],
            "carrier": row["carrier"],
            "carrierName": carrier_names[row["carrier"]],
            "scheduled": wall(scheduled),
            "estimated": None if estimated is None else wall(estimated),
            "status": status,
        }, separators=(",", ":")).encode()
        yield Change(milliseconds(instant), row["origin"], key, number, line)


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes, a string or a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def event(change: Change) -> bytes | None:
    """Event { message_published { id, content_type, data } }; nothing for a tombstone."""
    if change.line is None:
        return None
    identity = f"{change.channel}-{change.key}-{change.number}"
    return field(1, field(1, identity.encode()) + field(2, b"application/json")
                 + field(3, change.line))


def history(first: date, end: date) -> tuple[list[Change], int]:
    """Every change of the flights of these dates, in the order of the log; and their number."""
    carrier_names = source.airlines()
    collected: list[Change] = []
    flights: set[tuple[str, str]] = set()
    for row in source.flights():
        if not first <= flight_date(row) < end:
            continue
        own = list(changes(row, carrier_names))
        name = (own[0].channel, own[0].key)
        if name in flights:
            raise ValueError(f"two flights with one key: {row}")
        flights.add(name)
        collected.extend(own)
    if not collected:
        raise SystemExit(f"no departures from {first} to {end}")
    collected.sort(key=lambda change: change[:4])
    return collected, len(flights)


def rfc3339(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def put(name: str, content: bytes) -> None:
    """Writes a file beside its place and moves it there."""
    part = Path(f"{name}.part")
    part.write_bytes(content)
    part.replace(name)


def main() -> None:
    parser = argparse.ArgumentParser(description="Records departure boards of New York in 2013.")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2013, 1, 1),
                        help="first date of scheduled departure, in New York")
    parser.add_argument("--to", dest="end", type=date.fromisoformat, default=date(2013, 2, 1),
                        help="the date after the last one")
    parser.add_argument("--out", default="january", help="path of both files, without suffix")
    arguments = parser.parse_args()

    collected, departures = history(arguments.first, arguments.end)
    log = b"".join(batches(
        (change.time_ms, f"{change.channel}\0{change.key}".encode(), event(change))
        for change in collected))
    first_ms, last_ms = collected[0].time_ms, collected[-1].time_ms
    manifest = {
        "recording": "nyc-departures",
        "from": str(arguments.first),
        "to": str(arguments.end),
        "source": f"{source.PACKAGE} {source.VERSION} (PyPI), CC0",
        "topic": "messages",
        "partition": 0,
        "records": len(collected),
        "tombstones": sum(change.line is None for change in collected),
        "departures": departures,
        "bytes": len(log),
        "sha256": hashlib.sha256(log).hexdigest(),
        "firstTime": rfc3339(first_ms),
        "lastTime": rfc3339(last_ms),
        "firstTimeMs": first_ms,
        "lastTimeMs": last_ms,
    }
    # Whole or not at all, and the log last: where there is one, there is what is in it.
    put(f"{arguments.out}.json", json.dumps(manifest, indent=2).encode() + b"\n")
    put(f"{arguments.out}.log", log)
    print(f"{arguments.out}.log: {len(collected)} records, {len(log)} bytes, {manifest['sha256']}")


if __name__ == "__main__":
    main()
