"""The file a roll travels in: digests, marks and places, sorted, counted and signed; no voter is in it.

    ONE-WINDOW-ROLL 1            one line that says what this is
    {"canaries": ...}            the header: canonical JSON, one line
    16 + 4 + 1 bytes a row       digest, number of a place in the header, mark; by digest, each once
    64 bytes                     Ed25519 over the SHA-256 of everything before

Whoever reads one reads a stranger's file until `check` has seen all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from numpy.typing import NDArray

from knowledge.roll.identity import DIGEST_SIZE
from knowledge.roll.keys import OfflineKey
from knowledge.roll.records import Mark
from office.errors import Invalid

MAGIC: Final = b"ONE-WINDOW-ROLL 1\n"
RECORD: Final = np.dtype([("digest", "u1", (DIGEST_SIZE,)), ("place", "<u4"), ("mark", "u1")])
SIGNATURE: Final = 64
BLOCK: Final = 65_536
"""Rows that are read at a time: 1.4 MB."""
MOST_ROWS: Final = 50_000_000
LONGEST_HEADER: Final = 4 * 1024 * 1024
LONGEST_PLACE: Final = (80, 16, 16)
"""Characters of a district, a group and a station, as their columns hold them."""
COUNTS: Final = (
    "read", "good", "refused", "doubtful", "persons", "registered", "ask_station", "suppressed", "canaries",
    "receipts",
)  # fmt: skip
"""Of the file that was read: rows read, good, refused, doubtful. Of the package: see `tally`."""
_TALLIED = COUNTS[4:]
_MARKS = int(Mark.REGISTERED | Mark.SUPPRESSED | Mark.CANARY | Mark.RECEIPT)
_HEX = {length: re.compile(rf"[0-9a-f]{{{length}}}") for length in (16, 32, 64)}

Block = NDArray[np.void]


class BadPackage(Invalid):
    """A package that cannot be taken; `key` begins with "roll_package." and says what is wrong with it."""


@dataclass(frozen=True)
class Header:
    """What a package says of itself.

    `package_id` is a fresh uuid4 in hexadecimal, `signer` the public key, `made_at` aware UTC, `places` are
    (district, group, station); a row's place is a number in that list.
    """

    package_id: str
    election: str
    key_id: str
    signer: str
    made_at: datetime
    digest_version: int
    rows: int
    places: tuple[tuple[str, str, str], ...]
    counts: Mapping[str, int]

    def line(self) -> bytes:
        """The header as it is written: keys in order, no spaces, one line."""
        fields = {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "made_at": self.made_at.astimezone(UTC).isoformat(),
            "counts": dict(self.counts),
        }
        text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode() + b"\n"


@dataclass(frozen=True)
class Package:
    """A package that was read to its end and is whole: its header and the SHA-256 of the file."""

    path: Path
    header: Header
    hash: str

    def blocks(self) -> Iterator[Block]:
        """The rows, once more; raises `BadPackage` at the end if the file is not the one that was checked."""
        with self.path.open("rb") as file:
            hasher = hashlib.sha256()
            header = _header(file, hasher)
            yield from _blocks(file, hasher, header.rows)
            hasher.update(file.read(SIGNATURE + 1))
        if hasher.hexdigest() != self.hash:
            raise BadPackage("roll_package.altered")


def write(path: Path, header: Header, blocks: Iterable[Block], key: OfflineKey) -> str:
    """Write and sign a package; `blocks` are arrays of `RECORD`, all rows by digest.

    The file appears whole or not at all, readable by its owner. Returns the SHA-256 of the file. Raises
    `BadPackage` for rows or a header that `check` would refuse, and `ValueError` for another key's header.
    """
    if (header.signer, header.key_id) != (key.signer, key.digest.key_id):
        raise ValueError("the header names other keys than the one that signs")
    line = header.line()
    _parsed(line)
    hasher = hashlib.sha256()
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:

            def put(content: bytes) -> None:
                hasher.update(content)
                file.write(content)

            put(MAGIC)
            put(line)
            body = _Body(header)
            for block in blocks:
                body.add(block)
                put(block.tobytes())
            body.close()
            put(key.signing.sign(hasher.digest()))
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return hasher.hexdigest()


def check(path: Path) -> Package:
    """Read a whole package and say whether it is one, in bounded memory; whose signature it is, is not asked.

    Raises `BadPackage`: "roll_package.missing", ".foreign", ".header", ".large", ".shortened", ".longer",
    ".altered" (the signature does not fit), ".rows" (out of order, unknown marks or places), ".counts".
    """
    try:
        with path.open("rb") as file:
            return _checked(path, file)
    except OSError as error:
        raise BadPackage("roll_package.missing") from error


def blocks(path: Path) -> Iterator[Block]:
    """The rows of a package; raises `BadPackage` before the first one unless it is whole."""
    return check(path).blocks()


def tally(block: Block) -> dict[str, int]:
    """How many rows are what, as the header counts them.

    `receipts` and `canaries` apart, all others are `persons`; each of those is `registered` or `ask_station`,
    and `suppressed` besides if protected.
    """
    marks = block["mark"]
    receipts = marks & Mark.RECEIPT != 0
    canaries = (marks & Mark.CANARY != 0) & ~receipts
    persons = ~receipts & ~canaries
    registered = persons & (marks & Mark.REGISTERED != 0)
    found = {
        "persons": persons,
        "registered": registered,
        "ask_station": persons & ~registered,
        "suppressed": persons & (marks & Mark.SUPPRESSED != 0),
        "canaries": canaries,
        "receipts": receipts,
    }
    return {name: int(np.count_nonzero(found[name])) for name in _TALLIED}


class _Body:
    """The rules of the rows, block after block, with the last row of the one before."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._rows = 0
        self._tally = dict.fromkeys(_TALLIED, 0)
        self._last: bytes | None = None

    def add(self, block: Block) -> None:
        if block.dtype != RECORD:
            raise BadPackage("roll_package.rows")
        self._rows += len(block)
        if not len(block):
            return
        if int(block["place"].max()) >= len(self._header.places) or int(block["mark"].max()) > _MARKS:
            raise BadPackage("roll_package.rows")
        halves = np.ascontiguousarray(block["digest"]).view(">u8").astype(np.uint64)
        high, low = halves[:, 0], halves[:, 1]
        rising = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
        first = block["digest"][0].tobytes()
        if not rising.all() or (self._last is not None and first <= self._last):
            raise BadPackage("roll_package.rows")
        self._last = block["digest"][-1].tobytes()
        for name, count in tally(block).items():
            self._tally[name] += count

    def close(self) -> None:
        if self._rows != self._header.rows:
            raise BadPackage("roll_package.counts")
        if any(self._header.counts[name] != count for name, count in self._tally.items()):
            raise BadPackage("roll_package.counts")


def _checked(path: Path, file: IO[bytes]) -> Package:
    hasher = hashlib.sha256()
    header = _header(file, hasher)
    size = os.fstat(file.fileno()).st_size
    whole = file.tell() + header.rows * RECORD.itemsize + SIGNATURE
    if size != whole:
        raise BadPackage("roll_package.shortened" if size < whole else "roll_package.longer")
    body = _Body(header)
    fault: BadPackage | None = None
    for block in _blocks(file, hasher, header.rows):
        # An altered row is told as an altered file: only what was signed as it is can be wrong in itself.
        if fault is None:
            try:
                body.add(block)
            except BadPackage as error:
                fault = error
    signed, signature = hasher.digest(), file.read(SIGNATURE)
    hasher.update(signature)
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(header.signer)).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise BadPackage("roll_package.altered") from error
    if fault is not None:
        raise fault
    body.close()
    return Package(path, header, hasher.hexdigest())


def _header(file: IO[bytes], hasher: Any) -> Header:
    """The header of an open file, which then stands at the first row."""
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        raise BadPackage("roll_package.foreign")
    line = file.readline(LONGEST_HEADER + 1)
    if len(line) > LONGEST_HEADER:
        raise BadPackage("roll_package.large")
    hasher.update(magic)
    hasher.update(line)
    return _parsed(line)


def _blocks(file: IO[bytes], hasher: Any, rows: int) -> Iterator[Block]:
    while rows:
        count = min(rows, BLOCK)
        content = file.read(count * RECORD.itemsize)
        if len(content) != count * RECORD.itemsize:
            raise BadPackage("roll_package.shortened")
        hasher.update(content)
        rows -= count
        yield np.frombuffer(content, RECORD)


def _parsed(line: bytes) -> Header:
    try:
        header = _read(json.loads(line))
        # Written anew it must be the same bytes: no field twice, none unknown, no second way to say it.
        fits = header.line() == line
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise BadPackage("roll_package.header") from error
    if not fits:
        raise BadPackage("roll_package.header")
    if header.rows > MOST_ROWS:
        raise BadPackage("roll_package.large")
    return header


def _read(fields: Mapping[str, Any]) -> Header:
    counts = {name: _whole(count) for name, count in fields["counts"].items()}
    if set(counts) != set(COUNTS):
        raise ValueError("counts")
    return Header(
        package_id=_hex(fields["package_id"], 32),
        election=_text(fields["election"], 80),
        key_id=_hex(fields["key_id"], 16),
        signer=_hex(fields["signer"], 64),
        made_at=datetime.fromisoformat(fields["made_at"]),
        digest_version=_whole(fields["digest_version"]),
        rows=_whole(fields["rows"]),
        places=tuple(_place(place) for place in fields["places"]),
        counts=counts,
    )


def _place(fields: Any) -> tuple[str, str, str]:
    district, group, station = fields
    longest = LONGEST_PLACE
    return (
        _text(district, longest[0]),
        _text(group, longest[1], empty=True),
        _text(station, longest[2], empty=True),
    )


def _text(value: Any, longest: int, *, empty: bool = False) -> str:
    if not isinstance(value, str) or len(value) > longest or not (value or empty) or not value.isprintable():
        raise ValueError("text")
    return value


def _hex(value: Any, length: int) -> str:
    if not isinstance(value, str) or not _HEX[length].fullmatch(value):
        raise ValueError("hex")
    return value


def _whole(value: Any) -> int:
    # The columns hold 32 bits.
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("count")
    return value
