"""Workbooks read by a process of its own, row after row; a file that is too much for it is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from office.errors import Invalid

_ROOT: Final = Path(__file__).parent.parent.parent
_CHILD: Final = ("-m", "knowledge.roll.sheet_child")
_OLE: Final = b"\xd0\xcf\x11\xe0"
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")


class Sheet:
    """The first visible sheet of a workbook that is being read; `others` names the visible ones beside it."""

    def __init__(self, path: Path) -> None:
        """Begin to read; raises `Invalid` for what is no workbook or beyond the limits."""
        with path.open("rb") as file:
            self._child = subprocess.Popen(
                [sys.executable, *_CHILD],
                cwd=_ROOT, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        # A reader that is dropped half-way leaves no process behind.
        self._end = weakref.finalize(self, _end, self._child)
        try:
            first = self._line()
            if first is None:
                raise Invalid("roll_file.empty")
            self.others: tuple[str, ...] = tuple(first["others"])
            self.merged: tuple[tuple[int, int], ...] = tuple((a, b) for a, b in first["merged"])
        except BaseException:
            self.close()
            raise

    def rows(self) -> Iterator[list[str]]:
        """Every row from the first one, once. Raises `Invalid` where the reading ends early."""
        try:
            while (batch := self._line()) is not None:
                yield from batch
        finally:
            self.close()

    def close(self) -> None:
        """End the process, whether or not it was done."""
        self._end()

    def _line(self) -> Any:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line.endswith(b"\n"):
            raise Invalid("roll_file.too_much")  # it has met its limits
        found = json.loads(line)
        if isinstance(found, dict) and "refused" in found:
            raise Invalid(found["refused"], **found["facts"])
        return found


def is_workbook(head: bytes, tail: bytes) -> bool:
    """Whether a file begins like a workbook; raises `Invalid` for an old one or one behind a password."""
    if head.startswith(_OLE):
        raise Invalid("roll_file.locked" if _LOCKED in head or _LOCKED in tail else "roll_file.old")
    return head.startswith(b"PK\x03\x04")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    if child.stdout is not None:
        child.stdout.close()
    child.wait()
