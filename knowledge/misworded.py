"""Words that must not stand in anything that is in force, and where they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections, lint, shelf, tip_moves, tip_words
from knowledge.lint import Problem
from knowledge.pack_parts import RulePack
from knowledge.stations import Station
from knowledge.tips import TipState, WorkTip


@dataclass(frozen=True, slots=True)
class Misworded:
    """Something in force whose text the lint refuses; `place` is a path in the console."""

    name: str
    place: str
    problem: Problem


async def misworded(
    session: AsyncSession, rows: Sequence[shelf.Shelved], pack: RulePack, today: date
) -> list[Misworded]:
    """What the lint refuses in these published entries, in the pack, and in the notes and tips in force."""
    return [*_in_entries(rows), *_in_pack(pack), *await _in_notes(session, today), *await _in_tips(session)]


def _in_entries(rows: Iterable[shelf.Shelved]) -> Iterator[Misworded]:
    for row in rows:
        version = row.version
        texts = (version.short, version.full, *version.steps, *version.documents)
        for problem in lint.in_texts(texts):
            yield Misworded(row.entry.entry_no, f"/admin/entries/{row.entry.id}", problem)


def _in_pack(pack: RulePack) -> Iterator[Misworded]:
    for leaf in pack.leaves:
        said = (leaf.answer, leaf.answer_en, *leaf.steps, *leaf.steps_en, *leaf.bring, *leaf.bring_en)
        for problem in lint.in_texts(said, region=pack.id):
            yield Misworded(f"{pack.id}:{leaf.row}", f"/admin/packs/{pack.id}", problem)


async def _in_notes(session: AsyncSession, today: date) -> list[Misworded]:
    """Notes are shown as they are: nothing in them is filled in."""
    found = []
    for station in await session.scalars(select(Station).where(Station.note != "").order_by(Station.code)):
        found += [
            Misworded(station.code, f"/admin/stations/{station.id}", problem)
            for problem in lint.in_texts((station.note,), variables=())
        ]
    election = await elections.in_force(session, today)
    for window in election.windows if election else ():
        found += [
            Misworded(window.audience, "/admin/calendar", problem)
            for problem in lint.in_texts((window.note,), variables=())
        ]
    return found


async def _in_tips(session: AsyncSession) -> list[Misworded]:
    """A rule may be younger than a tip: then the tip is corrected by another."""
    rows = await session.scalars(
        select(WorkTip).where(WorkTip.state == TipState.RELEASED).order_by(WorkTip.id)
    )
    return [
        Misworded(tip_words.number(tip), f"/admin/tips/{tip.id}", problem)
        for tip in rows
        for problem in tip_moves.misworded(tip)
    ]
