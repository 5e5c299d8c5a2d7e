"""What each process of a build does: blocks of rows in, packed records and findings out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll import receipt_rows, row_blocks
from knowledge.roll.columns import Columns, Field
from knowledge.roll.digests import Digester
from knowledge.roll.duplicates import SEEN, Mixer
from knowledge.roll.findings import Fault, Packed, packed
from knowledge.roll.identity import DIGEST_SIZE, DigestKey
from knowledge.roll.quick_rows import Quick, QuickRows
from knowledge.roll.records import Mark
from knowledge.roll.row_check import FIELDS, Row, RowCheck, Stand, picked
from knowledge.roll.sorting import KEPT, tags
from knowledge.roll.spool import parted

_JOINT: Final = "\x1f"
_BREAKS: Final = frozenset(f"{_JOINT}\n\r")

Array = NDArray[Any]


@dataclass(frozen=True)
class Job:
    """All that a process needs to know. The secrets never leave memory.

    `bits` say how many buckets there are; without `codes` no receipts are made. `suppressed` are digests.
    """

    path: Path
    columns: Columns
    at: Mapping[Field, int]
    encoding: str
    delimiter: str
    key: DigestKey = field(repr=False)
    today: date
    election_day: date | None
    bits: int
    mixing: bytes = field(repr=False)
    codes: bytes | None = field(repr=False)
    suppressed: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Checked:
    """A block's rows. Rows, stands and units are counted within the block, from 0.

    `kept` (`KEPT`) and `seen` (`SEEN`) lie by bucket, as many of each as `kept_in` and `seen_in` say; `taken`
    and `left_out` count rows by stand, `refused` by unit. `codes` (`receipt_rows.CODE`) are of the receipts.
    """

    lines: int
    stands: list[Stand]
    units: list[str]
    kept: Array
    kept_in: Array
    seen: Array
    seen_in: Array
    codes: Array
    found: Packed
    taken: Array
    left_out: Array
    refused: Array


class Worker:
    """One process's share of a build."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._file: IO[bytes] | None = None
        self._check = RowCheck(job.columns, job.today, job.election_day)
        self._persons = Digester(job.key, "identity")
        self._receipts = Digester(job.key, "receipt")
        self._mixer = Mixer(job.mixing)
        self._codes = receipt_rows.Codes(job.key.election, job.codes) if job.codes else None
        self._suppressed = tags(np.frombuffer(b"".join(job.suppressed), np.uint8).reshape(-1, DIGEST_SIZE))
        at = {name: column for name, column in job.at.items() if name in FIELDS}
        self._at, self._least = at, max(at.values()) + 1
        self._narrow = {name: column for column, name in enumerate(n for n in FIELDS if n in at)}
        self._quick = QuickRows(self._check, self._persons, at, ord(job.delimiter[:1] or ","))
        self._joined = QuickRows(self._check, self._persons, self._narrow, ord(_JOINT))

    def block(self, begin: int, size: int) -> Checked:
        """Check the rows of a block of the file, which begins and goes as far as is told.

        It is read here, for to be handed a block costs more than to read it.
        """
        if self._file is None:
            self._file = self._job.path.open("rb")
        self._file.seek(begin)
        return self.content(self._file.read(size))

    def content(self, content: bytes) -> Checked:
        """Check the rows of a block that is here."""
        job = self._job
        content = row_blocks.lined(content)
        if b'"' not in content and job.delimiter.isascii():
            if job.encoding != "utf-8":
                content = content.decode(job.encoding, "replace").encode()
            quick = self._quick.read(content)
            return self._checked(quick, self._others(quick, content, job.delimiter, self._at))
        text = content.decode(job.encoding, "replace")
        return self._joined_up(list(row_blocks.rows(text, job.delimiter, self._least)))

    def rows(self, rows: Sequence[tuple[int, list[str]]]) -> Checked:
        """Check rows that come with their numbers. In what is given back they are counted from row 0."""
        numbers = np.array([number for number, _ in rows], np.int64)
        return self._joined_up([cells for _, cells in rows], numbers)

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()

    def _joined_up(self, rows: list[list[str]], numbers: Array | None = None) -> Checked:
        """Rows that are already read go the quick way too, the cells that count written side by side."""
        narrow = [[cell for name, cell in zip(FIELDS, picked(row, self._at), strict=True) if name in self._at]
                  for row in rows]  # fmt: skip
        lines = [_JOINT.join(cells) for cells in narrow]
        # A break within a cell would make two lines of one.
        odd = {at for at, cells in enumerate(narrow) if _BREAKS & set("".join(cells))}
        content = "".join("\n" if at in odd else f"{line}\n" for at, line in enumerate(lines))
        quick = self._joined.read(content.encode("utf-8", "replace"))
        others = ((at, picked(narrow[at], self._narrow)) for at in quick.others.tolist())
        return self._checked(quick, others, numbers)

    def _others(
        self, quick: Quick, content: bytes, delimiter: str, at: Mapping[Field, int]
    ) -> Iterator[tuple[int, list[str]]]:
        for line in quick.others.tolist():
            text = content[quick.begins[line] : quick.ends[line]].decode("utf-8", "replace")
            try:
                cells = next(csv.reader([text.rstrip("\r")], delimiter=delimiter), [])
            except csv.Error:
                cells = text.split(delimiter)
            yield line, picked(cells, at)

    def _checked(
        self,
        quick: Quick,
        others: Iterable[tuple[int, list[str]]],
        numbers: Array | None = None,
    ) -> Checked:
        slow = _Slow(quick.stands)
        for at, cells in others:
            slow.add(at, self._check.row(cells))
        line: Array = np.concatenate((quick.line, np.array(slow.lines, np.int64)))
        stand: Array = np.concatenate((quick.stand, np.array(slow.stand, np.int64)))
        digests = np.concatenate((quick.digests, self._persons.all(slow.messages)))
        number = np.concatenate((quick.number, np.array(slow.numbers, np.uint64)))
        row: Array = line if numbers is None else numbers[line]
        kept: Array = np.empty(len(line), KEPT)
        kept["digest"], kept["stand"], kept["row"] = digests, stand, row
        kept["mark"] = np.array([found.mark for found in slow.stands], np.uint8)[stand] if len(line) else 0
        self._suppress(kept)
        tag = tags(digests)
        seen: Array = np.empty(len(line), SEEN)
        seen["mixed"], seen["tag"] = self._mixer.mixed(number), tag
        seen["stand"], seen["row"] = stand, row
        codes: Array = np.empty(0, receipt_rows.CODE)
        if self._codes is not None:
            made, codes = self._with_receipts(self._codes, kept)
            kept = np.concatenate((kept, made))
            tag = tags(kept["digest"])
        kept, kept_in = parted(kept, tag, self._job.bits)
        seen, seen_in = parted(seen, seen["mixed"], self._job.bits)
        found = packed(slow.found)
        if numbers is not None:
            found["row"] = numbers[found["row"]]
        count = len(slow.stands)
        refused = np.bincount(np.array(slow.refused, np.int64), minlength=len(slow.units))
        left_out = np.array(slow.left_out, np.int64)
        left_out[: len(quick.left_out)] += quick.left_out
        return Checked(
            lines=quick.lines, stands=slow.stands, units=list(slow.units), kept=kept, kept_in=kept_in,
            seen=seen, seen_in=seen_in, codes=codes, found=found, taken=np.bincount(stand, minlength=count),
            left_out=left_out, refused=refused,
        )  # fmt: skip

    def _suppress(self, kept: Array) -> None:
        for at in np.flatnonzero(np.isin(tags(kept["digest"]), self._suppressed)).tolist():
            if kept["digest"][at].tobytes() in self._job.suppressed:
                kept["mark"][at] = Mark.SUPPRESSED

    def _with_receipts(self, codes: receipt_rows.Codes, kept: Array) -> tuple[Array, Array]:
        """A record more for each row whose person is registered or protected, and the code on the receipt."""
        made: Array = kept[kept["mark"] != 0]
        found: Array = np.empty(len(made), receipt_rows.CODE)
        found["row"], found["value"] = made["row"], codes.values(made["digest"])
        made["digest"] = self._receipts.all(
            receipt_rows.text(value).encode() for value in found["value"].tolist()
        )
        made["mark"] |= np.uint8(Mark.RECEIPT)
        return made, found


class _Slow:
    """Rows that are read one by one, beside those that were quick."""

    def __init__(self, stands: list[Stand]) -> None:
        self.stands = list(stands)
        self._at = {stand: at for at, stand in enumerate(stands)}
        self.left_out = [0] * len(stands)
        self.units: dict[str, int] = {}
        self.lines: list[int] = []
        self.stand: list[int] = []
        self.messages: list[bytes] = []
        self.numbers: list[int] = []
        self.found: list[tuple[int, Fault, int]] = []
        self.refused: list[int] = []

    def add(self, line: int, row: Row | None) -> None:
        """Take a row as `RowCheck.row` gives it."""
        if row is None:
            return
        unit = self.units.setdefault(row.stand.unit, len(self.units))
        self.found += [(line, fault, unit) for fault in (*row.wrong, *row.doubtful)]
        if row.wrong:
            self.refused.append(unit)
            return
        stand = self._stand(row.stand)
        if row.stand.left_out:
            self.left_out[stand] += 1
            return
        self.lines.append(line)
        self.stand.append(stand)
        self.messages.append(f"{row.name}{_JOINT}{row.number}".encode())
        self.numbers.append(int(row.number[:17]))

    def _stand(self, stand: Stand) -> int:
        found = self._at.get(stand)
        if found is None:
            found = self._at[stand] = len(self.stands)
            self.stands.append(stand)
            self.left_out.append(0)
        return found
