"""Computes what the boards must show at twenty instants of January 2013, from the table alone.

    python boards.py

writes boards.json. With record.py it shares only source.py: no events here, nothing is folded.
Each flight is asked, from its times, whether it is on the board at an instant and with which line.
Instants come from the source's own UTC column, and New York is five hours behind all January.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import source

WINTER = timezone(timedelta(hours=-5))
MINUTE_MS = 60_000
AIRPORTS = ("EWR", "JFK", "LGA")

# New York times. A change at exactly such an instant has happened.
INSTANTS = (
    "2013-01-01T02:14:59",  # One second before the first record: nothing yet.
    "2013-01-01T05:16:59",  # One second before UA1545 departs,
    "2013-01-01T05:17:00",  # and the very instant,
    "2013-01-01T05:47:00",  # and the one at which it is removed.
    "2013-01-02T00:00:00",  # Midnight after the holiday.
    "2013-01-04T07:45:00",  # A busy morning.
    "2013-01-07T12:00:00",
    "2013-01-10T17:30:30",
    "2013-01-13T21:17:00",  # Sunday evening, 16 cancelled that day.
    "2013-01-16T09:00:00",  # 328 flights late by 15 minutes or more that day.
    "2013-01-16T23:59:59",
    "2013-01-17T00:30:00",
    "2013-01-21T15:20:00",
    "2013-01-24T20:05:00",
    "2013-01-25T22:40:00",
    "2013-01-28T18:00:00",
    "2013-01-30T19:30:00",  # 98 cancelled that day,
    "2013-01-31T00:00:00",  # and the midnight after it.
    "2013-01-31T21:00:00",  # 85 cancelled that day, 313 late.
    "2013-01-31T23:30:00",
)


class Flight(NamedTuple):
    airport: str
    key: str
    cancelled: bool
    late_minutes: int
    scheduled_ms: int
    # What the line says of the flight whatever happens, and its two times.
    description: dict[str, str]
    scheduled: str
    departed: str | None


def read(row: dict[str, str], names: dict[str, str]) -> Flight:
    day = f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}"
    hour = datetime.fromisoformat(row["time_hour"])
    code = row["carrier"] + row["flight"]
    cancelled = row["dep_delay"] == "NA"
    late = 0 if cancelled else int(row["dep_delay"])
    departed = None
    if not cancelled:
        # The clock time stands in the table, as 2400 too; the delay only tells the day.
        days = (int(row["hour"]) * 60 + int(row["minute"]) + late) // (24 * 60)
        left_on = datetime.strptime(day, "%Y-%m-%d") + timedelta(days=days)
        clock = f"{int(row['dep_time']) % 2400:04}"
        departed = f"{left_on:%Y-%m-%d}T{clock[:2]}:{clock[2:]}"
    clock = f"{int(row['sched_dep_time']):04}"
    return Flight(
        row["origin"], f"{code}/{day}", cancelled, late,
        int(hour.timestamp()) * 1000 + int(row["minute"]) * MINUTE_MS,
        {"flight": code, "destination": row["dest"], "carrier": row["carrier"],
         "carrierName": names[row["carrier"]]},
        f"{day}T{clock[:2]}:{clock[2:]}", departed)


def status(flight: Flight, at_ms: int) -> str | None:
    """What the board says at an instant, or None when the flight is not on it."""
    after = at_ms - flight.scheduled_ms
    if after < -180 * MINUTE_MS:
        return None
    if flight.cancelled:
        if after >= 30 * MINUTE_MS:
            return None
        return "cancelled" if after >= -60 * MINUTE_MS else "scheduled"
    after_departure = after - flight.late_minutes * MINUTE_MS
    if after_departure >= 30 * MINUTE_MS:
        return None
    if after_departure >= 0:
        return "departed"
    return "delayed" if flight.late_minutes >= 15 and after >= -30 * MINUTE_MS else "scheduled"


def board(flights: list[Flight], at_ms: int) -> list[dict[str, str | None]]:
    """The lines of one airport at an instant, sorted by key."""
    lines = []
    for flight in flights:
        shown = status(flight, at_ms)
        if shown is None:
            continue
        estimated = {"scheduled": flight.scheduled, "cancelled": None}.get(shown, flight.departed)
        lines.append({"key": flight.key, **flight.description, "scheduled": flight.scheduled,
                      "estimated": estimated, "status": shown})
    return sorted(lines, key=lambda line: line["key"])


def text_of_board(airport: str, lines: list[dict[str, str | None]]) -> str:
    """One board, one line of text per flight."""
    rows = ",\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
    return f'"{airport}":[\n{rows}\n]' if lines else f'"{airport}":[]'


def main() -> None:
    names = source.airlines()
    at_airport: dict[str, list[Flight]] = {airport: [] for airport in AIRPORTS}
    for row in source.flights():
        if row["month"] == "1":
            flight = read(row, names)
            at_airport[flight.airport].append(flight)
    texts = []
    for instant in INSTANTS:
        at = datetime.fromisoformat(instant).replace(tzinfo=WINTER)
        at_ms = int(at.timestamp()) * 1000
        boards = {airport: board(at_airport[airport], at_ms) for airport in AIRPORTS}
        text = ",\n".join(text_of_board(airport, lines) for airport, lines in boards.items())
        utc = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        texts.append(f'{{"at":"{utc}","atMs":{at_ms},"boards":{{\n{text}\n}}}}')
        counts = " ".join(f"{airport} {len(lines):3}" for airport, lines in boards.items())
        print(f"{instant}  {counts}")
    Path("boards.json").write_text("[\n" + ",\n".join(texts) + "\n]\n")


if __name__ == "__main__":
    main()
