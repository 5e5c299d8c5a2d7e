"""Looks for invented voters in all that the tests have written: databases, logs, Redis, conversation state.

The voters of `tests.voters` have names with characters that stand nowhere else, numbers of a region that is
no place, and receipt codes that begin with ZZ. None of these may be found again, in whatever encoding. A
find is an error of the test that made it, so it fails the run and says where.
"""

from __future__ import annotations

import hashlib
import html
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import numpy as np
from sqlalchemy import make_url

from knowledge.roll import receipts
from tests import voters
from tests.voters import RARE

PAGE = 4096
CHUNK = 8 * 1024 * 1024
OVERLAP = 64
# Tests that write such a thing down on purpose, by the beginning of their name, and the sink it goes to.
ALLOWED: dict[str, str] = {
    "tests/security/test_leaks.py": "every sink: plants what has to be found",
}


class Leak(AssertionError):
    """Something of a voter was found where nothing of one may be."""


def _names() -> Iterator[bytes]:
    """The rare characters in each form in which a program may write them, in small letters."""
    for letter in RARE:
        # The last half of \\ud840\\udd64, which is also found where the backslashes are escaped once more.
        yield f"u{letter.encode('utf-16-be')[-2:].hex()}".encode()
        yield f"\\u{ord(letter):08x}".encode()
        yield quote(letter).encode()
        yield quote(quote(letter)).encode()
        yield f"&#{ord(letter)};".encode()
        yield f"&#x{ord(letter):x};".encode()
    for encoding in ("utf-8", "gb18030", "utf-16-be", "utf-16-le"):
        for before, letter in _pairs():
            # Fewer than four bytes stand by chance in the digests of a large roll: the letter before helps.
            alone = letter.encode(encoding)
            yield alone if len(alone) > 3 else (before + letter).encode(encoding)


def _pairs() -> list[tuple[str, str]]:
    """Each rare character with the letters that stand before it in a name."""
    known = {("林", letter) for letter in RARE}
    for who in (*voters.CAST, voters.TAO_MIN):
        known |= {(who.name[at - 1], letter) for at, letter in enumerate(who.name) if letter in RARE}
    return sorted(known)


def _codes() -> Iterator[bytes]:
    for who in (*voters.CAST, voters.TAO_MIN):
        yield who.receipt.encode()
        yield receipts.written(who.receipt).encode()


LITERALS = tuple(dict.fromkeys(literal.lower() for literal in (*_names(), *_codes())))
# In what holds words only, one character is enough.
LETTERS = tuple(letter.encode().lower() for letter in RARE)
_REGION = voters.REGION.encode()
# Fifteen or eighteen characters, also one forgotten, and in groups as people write them.
_NUMBER = re.compile(_REGION + rb"[ -]?[0-9]{6,8}[ -]?[0-9]{3}")
_WIDE = re.compile(b"".join(b"%c\0" % digit for digit in _REGION) + rb"(?:[0-9]\0){9}")
_TESTCODE = re.compile(rb"zzte-?st[2-9a-hj-np-z]{2}-?[2-9a-hj-np-z]{2}")


# The last four bytes of each literal as a number, a table of what they may be, and how that is read off.
_ENDS: dict[int, list[bytes]] = {}
for _literal in LITERALS:
    _ENDS.setdefault(int.from_bytes(_literal[-4:], "little"), []).append(_literal)
_WANTED = np.array(sorted(_ENDS), "<u4")
_MIX = np.uint32(2654435761)
_MAY_BE = np.zeros(1 << 16, bool)
_MAY_BE[(_WANTED * _MIX) >> np.uint32(16)] = True
SHORT = 8 * 1024


def _literals(data: bytes) -> list[bytes]:
    """Those of `LITERALS` that stand in `data`: with some hundred of them, four at a time in one go."""
    if len(data) < SHORT:
        return [literal for literal in LITERALS if literal in data]
    found = set()
    for shift in range(4):
        fours = np.frombuffer(data, "<u4", count=(len(data) - shift) // 4, offset=shift)
        places = np.flatnonzero(_MAY_BE[(fours * _MIX) >> np.uint32(16)])
        for place in places[np.isin(fours[places], _WANTED)]:
            end = int(place) * 4 + shift + 4
            found |= {literal for literal in _ENDS[int(fours[place])] if data.endswith(literal, 0, end)}
    return [literal for literal in LITERALS if literal in found]


def marks(data: bytes, *, words: bool = False) -> list[bytes]:
    """Every mark of a voter that stands in `data`, each once; `words`: it holds no digests."""
    data = data.lower()
    found = _literals(data)
    if words:
        found += [letter for letter in LETTERS if letter in data]
    if _REGION in data:
        found += [match.group() for match in _NUMBER.finditer(data)][:3]
    if b"3\x001\x000\x00" in data:
        found += [match.group() for match in _WIDE.finditer(data)][:3]
    if b"zzte" in data:
        found += [match.group() for match in _TESTCODE.finditer(data)][:3]
    return found


def look(data: bytes, where: str, *, words: bool = False) -> None:
    """Raises `Leak` if something of a voter stands in `data`."""
    if found := marks(data, words=words):
        at = data.lower().find(found[0])
        around = data[max(0, at - 60) : at + len(found[0]) + 30]
        raise Leak(f"{where}: {found!r} in {around!r}")


def planting() -> bool:
    """Whether the running test writes such a thing down on purpose."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").startswith(tuple(ALLOWED))


def look_into_file(path: Path, where: str = "", *, words: bool = False) -> None:
    """The same for a file of any size, a piece at a time."""
    before = b""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            look(before + piece, where or str(path), words=words)
            before = piece[-OVERLAP:]


def look_into_folder(folder: Path) -> None:
    """The same for every file under a folder; a page that stands in many databases is looked at once."""
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        fresh = []
        with path.open("rb") as file:
            while page := file.read(2 * PAGE):
                known = hashlib.blake2b(page, digest_size=16).digest()
                if known not in seen:
                    seen.add(known)
                    fresh.append(page)
        look(b"".join(fresh), str(path))


def look_into_sqlite(folder: Path, template: Path) -> None:
    """The database files of one test: what differs from the file that they were copied from."""
    if planting():
        return
    for path in folder.iterdir():
        look(_changed(path, template) if path.suffix == ".db" else path.read_bytes(), f"SQLite {path.name}")


async def look_into_postgres(
    connection: asyncpg.Connection, url: str, name: str, template: str, *, since: float
) -> None:
    """The files of one database that were written since it was copied; without files at hand, its rows.

    `connection` is one to the server of `url`. `since` is the moment at which the copy was there, in seconds.
    What a page held and lost again still stands in it until it is needed for something else.
    """
    if planting():
        return
    data = Path(await connection.fetchval("SHOW data_directory"))
    if not os.access(data, os.R_OK | os.X_OK):
        await _look_into_rows(_plain(url, name), name)
        return
    # Dropping a database needs one as well, which then finds nothing to do.
    await connection.execute("CHECKPOINT")
    rows = await connection.fetch(
        "SELECT datname, oid FROM pg_database WHERE datname = ANY($1)", [name, template]
    )
    folders = {row["datname"]: data / "base" / str(row["oid"]) for row in rows}
    with os.scandir(folders[name]) as entries:
        # Files tell the time by a clock that ticks every few milliseconds.
        written = [Path(entry) for entry in entries if entry.stat().st_mtime >= since - 0.005]
    pages = [_changed(path, folders[template] / path.name) for path in written]
    look(b"".join(pages), f"PostgreSQL {name}")


async def _look_into_rows(url: str, name: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for row in tables:
            table = row["tablename"]
            for content in await connection.fetch(f'SELECT found::text AS words FROM "{table}" AS found'):
                look(content["words"].encode(), f"PostgreSQL {name} {table}")
    finally:
        await connection.close(timeout=10)


def _plain(url: str, name: str | None = None) -> str:
    parts = make_url(url).set(drivername="postgresql")
    if name is not None:
        parts = parts.set(database=name)
    return parts.render_as_string(hide_password=False)


def _changed(path: Path, before: Path) -> bytes:
    """The pages of a file that differ from those of the file it was copied from."""
    data = path.read_bytes()
    if not before.exists():
        return data
    old = before.read_bytes()
    if data == old:
        return b""
    if not (pages := min(len(data), len(old)) // PAGE):
        return data
    ours = np.frombuffer(data, "u8", count=pages * PAGE // 8).reshape(pages, -1)
    theirs = np.frombuffer(old, "u8", count=pages * PAGE // 8).reshape(pages, -1)
    differing = ours[(ours != theirs).any(axis=1)].tobytes()
    return differing + data[pages * PAGE :]


class Listener(logging.Handler):
    """Keeps what is logged in a file, as it was handed in and before anything is taken out of it.

    Stricter than the log of the program, whose numbers are redacted: what is redacted late may be kept early.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._file = path.open("ab")
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        if planting():
            return
        try:
            words = self.format(record)
        except Exception as error:
            # As the logging package itself would go on.
            words = f"{record.msg} ({type(error).__name__})"
        # Without its parameters: what a test types is part of them.
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("[")[0]
        self._file.write(f"{test}: {words}\n".encode(errors="backslashreplace"))

    def close(self) -> None:
        self._file.close()
        super().close()


def look_into_state(state: Any, where: str) -> None:
    """What a conversation remembers between two messages."""
    if not planting():
        look(html.unescape(repr(state)).encode(errors="backslashreplace"), where, words=True)
