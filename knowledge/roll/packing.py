"""What was built becomes a package: the protected who are not in the file added, a header, a signature."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.roll import package, sources
from knowledge.roll.building import Built
from knowledge.roll.columns import Columns, Field
from knowledge.roll.identity import (
    DIGEST_SIZE,
    DIGEST_VERSION,
    BadIdentity,
    DigestKey,
    read_name,
    read_number,
)
from knowledge.roll.keys import OfflineKey
from knowledge.roll.package import RECORD, Header
from knowledge.roll.records import Mark
from office.errors import Invalid

Array = NDArray[Any]


def new_id() -> str:
    """A name for a package that none had before."""
    return uuid.uuid4().hex


def digests_of(path: Path, columns: Columns, key: DigestKey, today: date) -> frozenset[bytes]:
    """The digests of the persons whom a list names, under the headings of the platform.

    Raises `Invalid` for a row that cannot be read: of those who are protected none may be missed.
    """
    table = sources.look(path, columns, frozenset({Field.NAME, Field.NUMBER}))
    found = set()
    for row, cells in table.rows():
        name, number = (
            cells[at] if (at := table.columns[field]) < len(cells) else ""
            for field in (Field.NAME, Field.NUMBER)
        )
        try:
            person = read_name(sources.clean(name)), read_number(sources.clean(number), today)
        except BadIdentity as error:
            raise Invalid("roll_build.suppressed_row", row=row) from error
        found.add(key.identity(*person))
    return frozenset(found)


def pack(
    built: Built,
    path: Path,
    key: OfflineKey,
    *,
    suppressed: Collection[bytes],
    package_id: str,
    now: datetime,
) -> str:
    """Write the package of what was built, and return its hash.

    `suppressed` are the digests that `build` was given; those with no row get one. Raises `BadPackage`.
    """
    absent = _absent(built, suppressed)
    counts = dict(built.counts)
    for name in ("persons", "ask_station", "suppressed"):
        counts[name] += len(absent)
    header = Header(
        package_id=package_id, election=key.digest.election, key_id=key.digest.key_id, signer=key.signer,
        made_at=now, digest_version=DIGEST_VERSION, rows=built.rows + len(absent), places=built.places,
        counts=counts,
    )  # fmt: skip
    return package.write(path, header, _merged(built.blocks(), absent), key)


def _absent(built: Built, suppressed: Collection[bytes]) -> Array:
    """Rows for those who are protected and not in the file, in order; their place is told to nobody."""
    left = set(suppressed)
    for block in built.blocks() if left else ():
        marked = block["digest"][block["mark"] & Mark.SUPPRESSED != 0]
        left.difference_update(digest.tobytes() for digest in marked)
    found = np.zeros(len(left), RECORD)
    found["digest"] = np.frombuffer(b"".join(sorted(left)), np.uint8).reshape(-1, DIGEST_SIZE)
    found["mark"] = Mark.SUPPRESSED
    return found


def _merged(blocks: Iterator[Array], more: Array) -> Iterator[Array]:
    """Two series of rows in order of their digests as one; `more` is small."""
    keys = [row.tobytes() for row in more["digest"]]
    at = 0
    for block in blocks:
        last = block["digest"][-1].tobytes()
        end = at
        while end < len(keys) and keys[end] < last:
            end += 1
        if end > at:
            both = np.concatenate([block, more[at:end]])
            order = np.argsort(np.ascontiguousarray(both["digest"]).view(f"V{DIGEST_SIZE}").ravel())
            block = both[order]
        at = end
        yield block
    if at < len(keys):
        yield more[at:]
