"""The commands `roll key` and `roll build`: what is done on the offline machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from bot.roll_words import refuse, say_all, told
from knowledge.roll import balance, canaries, columns, keys, packing, receipt_lists, reports, sources
from knowledge.roll.building import Built, build
from knowledge.roll.keys import OfflineKey
from knowledge.roll.outputs import Outputs
from knowledge.roll.reports import About
from office.errors import Invalid
from office.hours import BEIJING
from office.words import LANGUAGES

NOTHING_GOOD: Final = 1
_LONGEST_ELECTION: Final = 80


@dataclass(frozen=True)
class Order:
    """What `roll build` was told. `report` is beside the package unless it is given."""

    file: Path
    pack: str
    key: Path
    package: Path
    report: Path | None = None
    receipts: Path | None = None
    suppress: Path | None = None
    canaries: int = 0
    canary_list: Path | None = None
    election_day: str = ""
    totals: Path | None = None
    units: Path | None = None
    force: bool = False

    @property
    def report_path(self) -> Path:
        return self.report or self.package.with_name(f"{self.package.stem}-report.xlsx")

    def outputs(self) -> list[Path]:
        """Every file that is written."""
        found = (self.package, self.report_path, self.receipts, self.canary_list)
        return [path for path in found if path is not None]

    def inputs(self) -> list[Path]:
        """Every file that is read."""
        found = (self.file, self.key, self.suppress, self.totals, self.units)
        return [path for path in found if path is not None]


def make_keys(election: str, offline: Path, service: Path) -> int:
    """Make both key files of an election and say what to do with them. Keys are never written over."""

    def act() -> int:
        if not election.strip() or len(election) > _LONGEST_ELECTION or not election.isprintable():
            raise Invalid("roll_key.election")
        _apart([offline, service])
        outputs = Outputs()
        for path in (offline, service):
            outputs.free(path)
        made = keys.make(election.strip())
        try:
            keys.write_offline(made, offline)
            keys.write_service(made.digest, service)
        except OSError as error:
            offline.unlink(missing_ok=True)  # a key without the other is good for nothing
            raise Invalid("roll_build.folder", path=str(service)) from error
        say_all("roll_key.made", offline=offline, service=service)
        grouped = " ".join(made.signer[at : at + 4] for at in range(0, len(made.signer), 4))
        say_all(
            "roll_key.signer", signer=made.signer, grouped=grouped,
            election=made.digest.election, key_id=made.digest.key_id,
        )  # fmt: skip
        say_all("roll_key.next")
        return 0

    return told(act)


def build_package(order: Order) -> int:
    """Check a file and write package, report and what else was asked for, all of them or none.

    Returns 1 if no row is good, with the report alone; 2 and one line for what cannot be used.
    """
    return told(lambda: _build(order))


def _build(order: Order) -> int:
    now = datetime.now(UTC)
    today = now.astimezone(BEIJING).date()
    used = columns.load(order.pack)
    if order.units:
        used = used.with_units(order.units)
    _check_options(order)
    outputs = Outputs(force=order.force)
    for path in order.outputs():
        outputs.free(path)
    key = keys.read_offline(order.key)
    day = _day(order.election_day)
    totals = balance.read(order.totals, used) if order.totals else []
    suppressed = (
        packing.digests_of(order.suppress, used, key.digest, today) if order.suppress else frozenset()
    )
    table = sources.look(order.file, used)
    if table.others:
        say_all("roll_build.sheets", names="、".join(table.others))
    people = canaries.make(order.canaries)
    nobody = {key.digest.identity(name, number) for name, number in people}
    with (
        _progress() as progress,
        build(
            table, used, key, today=today, election_day=day, suppressed=suppressed, canaries=nobody,
            with_receipts=order.receipts is not None, progress=progress,
        ) as built,
        outputs,
    ):  # fmt: skip
        package_id = packing.new_id() if built.counts["good"] else ""
        about = About(
            order.file.name, used.name, package_id, now, totals, order.totals.name if order.totals else ""
        )
        reports.write(built, outputs.part(order.report_path), about)
        if package_id:
            code = _write(order, built, outputs, key, suppressed, package_id, now)
            if order.receipts:
                slips = receipt_lists.slips(table, used, built.receipts)
                receipt_lists.write(outputs.part(order.receipts), slips)
            if order.canary_list:
                canaries.write(outputs.part(order.canary_list), people, used)
        summaries = [reports.summary(built, about, language) for language in LANGUAGES]
    for lines in summaries:
        print("\n".join(lines), end="\n\n")
    if not package_id:
        refuse("roll_build.nothing", report=order.report_path)
        return NOTHING_GOOD
    say_all("roll_build.done", path=order.package)
    say_all("roll_build.hash", hash=code)
    say_all("roll_build.report", path=order.report_path)
    if order.receipts:
        say_all("roll_build.receipts", path=order.receipts)
    if order.canary_list:
        say_all("roll_build.canary_list", path=order.canary_list)
    say_all("roll_build.next")
    return 0


def _write(
    order: Order,
    built: Built,
    outputs: Outputs,
    key: OfflineKey,
    suppressed: frozenset[bytes],
    package_id: str,
    now: datetime,
) -> str:
    part = outputs.part(order.package)
    return packing.pack(built, part, key, suppressed=suppressed, package_id=package_id, now=now)


def _check_options(order: Order) -> None:
    if bool(order.canaries) is not bool(order.canary_list):
        raise Invalid("roll_build.canaries")
    if not 0 <= order.canaries <= canaries.MOST:
        raise Invalid("roll_build.count", option="--canaries", least=0, most=canaries.MOST)
    for path in (order.report_path, order.receipts):
        if path is not None and path.suffix.lower() != ".xlsx":
            raise Invalid("roll_build.suffix", path=str(path), suffix=".xlsx")
    _apart([*order.outputs(), *order.inputs()])


def _apart(paths: Sequence[Path]) -> None:
    """Raise `Invalid` if two of them are one file."""
    seen = set()
    for path in paths:
        if (place := path.absolute().resolve()) in seen:
            raise Invalid("roll_build.same", path=str(path))
        seen.add(place)


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word) if word else None
    except ValueError as error:
        raise Invalid("roll_build.day", option="--election-day", word=word) from error


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    from tqdm import tqdm

    with tqdm(unit_scale=True, leave=False, disable=not sys.stderr.isatty()) as bar:

        def told_of(done: int, whole: int) -> None:
            bar.total = whole or None
            bar.update(done - bar.n)

        yield told_of
