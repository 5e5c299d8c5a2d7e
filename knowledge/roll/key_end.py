"""The end of the service's key file: overwritten, removed, and told exactly as far as it went."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum, auto
from pathlib import Path

from knowledge.roll import keys
from knowledge.roll.keys import BadKey


class KeyEnd(StrEnum):
    """What became of the key file; only `DESTROYED` is all that was wanted.

    `ABSENT`: there was none. `OTHER`: the file holds the key of another roll and was left alone.
    `OVERWRITTEN`: its content is gone, the file is not. `REMOVED`: gone without being overwritten.
    `KEPT`: neither could be done. `PENDING`: not tried yet, or the program was stopped over it.
    """

    PENDING = auto()
    DESTROYED = auto()
    ABSENT = auto()
    OTHER = auto()
    OVERWRITTEN = auto()
    REMOVED = auto()
    KEPT = auto()


FINAL = frozenset({KeyEnd.DESTROYED, KeyEnd.ABSENT, KeyEnd.REMOVED})


def destroy(path: Path, key_ids: Collection[str]) -> tuple[KeyEnd, str]:
    """Overwrite and remove the key file; returns how far that went and the name of what stood in the way.

    A sound key of none of `key_ids` is the next election's and stays. A file that is no key of ours, at the
    place of the key, goes as well: whatever it is, it was put where the key belongs. On drives that write
    elsewhere than they are told (flash, snapshots) overwriting reaches the file and not every old copy.
    """
    if not os.path.lexists(path):
        return KeyEnd.ABSENT, ""
    with suppress(BadKey):
        if keys.read_service(path).key_id not in key_ids:
            return KeyEnd.OTHER, ""
    target, why = path.resolve(), ""
    try:
        _overwrite(target)
        overwritten = True
    except OSError as error:
        overwritten, why = False, type(error).__name__
    try:
        for name in {target, path}:
            name.unlink(missing_ok=True)
        _settle(path.parent)
    except OSError as error:
        return (KeyEnd.OVERWRITTEN if overwritten else KeyEnd.KEPT), why or type(error).__name__
    return (KeyEnd.DESTROYED if overwritten else KeyEnd.REMOVED), why


def _overwrite(target: Path) -> None:
    with suppress(OSError):
        target.chmod(0o600)  # a key is often read-only for its owner, who is us
    with target.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for content in (secrets.token_bytes(size), bytes(size)):
            file.seek(0)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    # Until the folder itself is written, a power cut could bring the name back. Windows has no such call.
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
