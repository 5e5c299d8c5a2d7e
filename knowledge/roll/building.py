"""A roll file checked row by row and turned into the records of a package: `manage.py roll build`."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from types import TracebackType
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from knowledge.roll import crew, duplicates, package, receipt_rows, row_blocks
from knowledge.roll.columns import Columns
from knowledge.roll.findings import Fault, Findings, packed
from knowledge.roll.identity import DIGEST_SIZE
from knowledge.roll.keys import OfflineKey
from knowledge.roll.package import RECORD
from knowledge.roll.records import Mark
from knowledge.roll.row_work import Checked, Job
from knowledge.roll.sorting import KEPT, settled, tags
from knowledge.roll.sources import Kind, Table
from knowledge.roll.spool import Spool, bits_for, parted, write
from knowledge.roll.stand_table import NOWHERE, StandTable, UnitCounts

Progress = Callable[[int, int], None]
"""Is told how many bytes are done and how many there are; of a workbook the rows done, and 0."""
Array = NDArray[Any]

_ROWS: Final = 10_000
"""Rows of a workbook that are checked at a time."""
_WORTH_IT: Final = 4 << 20
"""Bytes below which starting processes takes longer than they save."""
_PACKED: Final = 8
"""How many times a workbook is larger when it is unpacked, roughly."""


class Receipts:
    """The receipt codes that were made: (row, code), by row. They lie in memory alone, twelve bytes each."""

    def __init__(self, codes: Array, rows: Array) -> None:
        """`codes` are `receipt_rows.CODE`s, those of `rows` among them; `rows` are in order."""
        codes = codes[np.argsort(codes["row"])]
        self._codes = codes[np.searchsorted(codes["row"], rows)] if len(rows) else codes[:0]

    def __len__(self) -> int:
        return len(self._codes)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for row, value in self._codes.tolist():
            yield row, receipt_rows.text(value)


@dataclass
class Built:
    """What became of a file. `close` it, or use it in a `with` statement, for it holds files without names.

    `places` are (district, group, station), `counts` those of the package's header, `units` the sums by unit:
    of each, `read` is the sum of all others.
    """

    places: tuple[tuple[str, str, str], ...]
    counts: Mapping[str, int]
    units: Mapping[str, UnitCounts]
    findings: Findings
    receipts: Receipts
    rows: int
    _records: IO[bytes] = field(repr=False)

    def blocks(self) -> Iterator[Array]:
        """The package's records (`package.RECORD`) in order of their digests."""
        self._records.seek(0)
        while content := self._records.read(package.BLOCK * RECORD.itemsize):
            yield np.frombuffer(content, RECORD)

    def close(self) -> None:
        """Let the files go."""
        self.findings.close()
        self._records.close()

    def __enter__(self) -> Built:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def build(
    table: Table,
    columns: Columns,
    key: OfflineKey,
    *,
    today: date,
    election_day: date | None = None,
    suppressed: Collection[bytes] = (),
    canaries: Collection[bytes] = (),
    with_receipts: bool,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Built:
    """Check every row of a table and make the records of a package of those that can be taken.

    `today` is the day in Beijing; with an election day those who are under eighteen on it are doubtful.
    `suppressed` are digests of persons who are always sent to the station, `canaries` digests of nobody;
    receipt codes are made for those who are registered. `workers` are processes, all cores unless told.
    Raises `Invalid` only for what `table.rows()` refuses; a bad row stops no other.
    """
    size = max(1, table.path.stat().st_size - table.offset)
    if table.kind is Kind.ROWS:
        size *= _PACKED
    workers = 1 if size < _WORTH_IT else workers or crew.cores()
    job = Job(
        table.path, columns, dict(table.columns), table.encoding, table.delimiter, key.digest, today,
        election_day,
        bits_for(size), duplicates.fresh_secret(), receipt_rows.secret_of(key) if with_receipts else None,
        frozenset(suppressed),
    )  # fmt: skip
    with crew.Crew(job, workers) as hands:
        return _Build(table, job, hands, progress or _silent).run(canaries)


class _Build:
    """One build: three passes over buckets of records that are put aside in files without names."""

    def __init__(self, table: Table, job: Job, hands: crew.Crew, progress: Progress) -> None:
        self._table, self._job, self._hands, self._progress = table, job, hands, progress
        self._stands = StandTable()
        self._findings = Findings(self._stands.units)
        self._kept, self._seen = Spool(KEPT, job.bits), Spool(duplicates.SEEN, job.bits)
        self._records = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  `Built` closes it
        self._codes: list[Array] = [np.empty(0, receipt_rows.CODE)]

    def run(self, canaries: Collection[bytes]) -> Built:
        try:
            if self._table.kind is Kind.BYTES:
                self._of_bytes()
            else:
                self._of_rows()
            acts = self._doubles()
            if canaries and self._stands.places:
                self._hide(canaries)
            rows, counts = self._settle(acts)
            units = self._stands.by_unit()
            counts["read"] = sum(one.read for one in units.values())
            counts["good"] = sum(one.taken for one in units.values())
            counts["refused"] = sum(one.refused for one in units.values())
            counts["doubtful"] = self._findings.doubtful_rows()
        except BaseException:
            self._findings.close()
            self._records.close()
            raise
        finally:
            self._kept.close()
            self._seen.close()
        return Built(
            places=tuple(self._stands.places), counts={name: counts[name] for name in package.COUNTS},
            units=units, findings=self._findings, receipts=Receipts(np.concatenate(self._codes), rows),
            rows=sum(counts[name] for name in ("persons", "canaries", "receipts")), _records=self._records,
        )  # fmt: skip

    # --- the rows, once ---

    def _of_bytes(self) -> None:
        sizes: deque[int] = deque()
        with self._table.path.open("rb") as file:
            file.seek(self._table.offset)
            size = os.fstat(file.fileno()).st_size - self._table.offset

            def pieces() -> Iterator[tuple[int, int]]:
                begin = self._table.offset
                for block in row_blocks.blocks(file, row_blocks.SIZE):
                    sizes.append(len(block))
                    yield begin, len(block)
                    begin += len(block)

            row, done = self._table.first_row, 0
            for checked in self._hands.map("block", pieces()):
                self._take(checked, row)
                row += checked.lines
                done += sizes.popleft()
                self._progress(done, size)

    def _of_rows(self) -> None:
        rows = self._table.rows()
        done = 0
        for checked in self._hands.map("rows", iter(lambda: (list(islice(rows, _ROWS)),), ([],))):
            self._take(checked, 0)
            done += checked.lines
            self._progress(done, 0)

    def _take(self, checked: Checked, start: int) -> None:
        """Put a block's records aside, with numbers that hold for the whole file from row `start` on."""
        stands = self._stands.numbers(checked.stands)
        units = self._stands.unit_numbers(checked.units)
        kept, kept_in, seen, seen_in = checked.kept, checked.kept_in, checked.seen, checked.seen_in
        for records in (kept, seen):
            records["stand"] = stands[records["stand"]]
            records["row"] += start
        checked.codes["row"] += start
        self._codes.append(checked.codes)
        if (stands == NOWHERE).any():
            bits = self._job.bits
            self._refuse_places(checked, stands, seen)
            kept, seen = kept[kept["stand"] != NOWHERE], seen[seen["stand"] != NOWHERE]
            kept, kept_in = parted(kept, tags(kept["digest"]), bits)
            seen, seen_in = parted(seen, seen["mixed"], bits)
        self._kept.add(kept, kept_in)
        self._seen.add(seen, seen_in)
        found = checked.found
        found["row"] += start
        found["unit"] = units[found["unit"]]
        self._findings.add(found)
        self._stands.count(stands, checked.taken, checked.left_out, checked.stands)
        self._stands.refuse(units, checked.refused)

    def _refuse_places(self, checked: Checked, stands: Array, seen: Array) -> None:
        lost = np.flatnonzero(stands == NOWHERE)
        units = self._stands.unit_numbers(checked.stands[stand].unit for stand in lost.tolist())
        self._stands.refuse(units, checked.taken[lost])
        rows = seen["row"][seen["stand"] == NOWHERE]
        # That there are too many is no unit's fault.
        self._findings.add(packed([(row, Fault.PLACES, 0) for row in rows.tolist()]))

    # --- what was put aside ---

    def _doubles(self) -> Array:
        """Acts on rows that share a number, in order of their rows."""
        stands = self._stands.packed()
        pieces = ((self._seen.read(bucket), stands) for bucket in range(self._seen.buckets))
        acts = []
        for found in self._hands.spread(duplicates.doubles, pieces):
            self._findings.add(found.found)
            acts.append(found.acts)
        whole = np.concatenate(acts)
        return whole[np.argsort(whole["row"])]

    def _hide(self, canaries: Collection[bytes]) -> None:
        digests = np.frombuffer(b"".join(sorted(canaries)), np.uint8).reshape(-1, DIGEST_SIZE)
        carried = [at for at, stand in enumerate(self._stands.packed()) if stand["mark"]]
        made = np.zeros(len(digests), KEPT)
        made["digest"], made["mark"] = digests, Mark.CANARY | Mark.REGISTERED
        # Among the others, so that nothing of the file tells it from them but its mark.
        made["stand"] = [secrets.choice(carried) if carried else 0 for _ in digests]
        self._kept.add(*parted(made, tags(digests), self._job.bits))

    def _settle(self, acts: Array) -> tuple[Array, dict[str, int]]:
        """Write the records; returns the rows with receipts, and the counts of what is in the package."""
        places = np.ascontiguousarray(self._stands.packed()["place"])
        bits = self._job.bits
        bucket_of = acts["tag"] >> np.uint64(64 - bits) if bits else np.zeros(len(acts), np.uint64)

        def pieces() -> Iterator[tuple[Array, Array, Array]]:
            for bucket in range(self._kept.buckets):
                # A receipt lies in another bucket than its person, and is dropped with it.
                mine = acts if self._job.codes else acts[bucket_of == bucket]
                yield self._kept.read(bucket), mine, places

        counts = dict.fromkeys(package.COUNTS, 0)
        registered = np.zeros(len(places), np.int64)
        rows = []
        for found in self._hands.spread(settled, pieces()):
            write(self._records, found.records)
            rows.append(found.receipts)
            registered += found.registered
            for name, count in package.tally(found.records).items():
                counts[name] += count
        self._stands.settle(acts, registered)
        return np.sort(np.concatenate(rows)), counts


def _silent(done: int, whole: int) -> None:
    pass
