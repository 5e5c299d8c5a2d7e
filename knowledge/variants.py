"""The base with one version put in, to be asked beside the base in force: nobody else is answered by it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import base
from knowledge.live import LiveBase, Terms, lexicon
from knowledge.match import Index
from knowledge.model import Model
from knowledge.outcomes import Source
from knowledge.versions import Entry, EntryVersion, content_of
from office.units import Unit

KEPT = 4
"""So many indexes are kept: one person compares a few wordings with a few questions."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Everything a base to be tried is made of, as values: it is built without a session."""

    sources: tuple[Source, ...]
    terms: Mapping[int, Terms]
    model: Model


class TriedBase(LiveBase):
    """A base that answers like the live one and never takes anything over from the store."""

    def __init__(self, index: Index, terms: Mapping[int, Terms]) -> None:
        super().__init__()
        self.index = index
        self._terms = dict(terms)

    async def refresh(self, session: AsyncSession) -> None:
        """A base to be tried stays as it was made."""


async def gather(session: AsyncSession, version: EntryVersion, model: Model) -> Variant:
    """The published base with `version` in the place of what its entry says now, under `model`.

    The version's own days and unit hold as if it were published; nothing is written.
    """
    entry = await session.get_one(Entry, version.entry_id)
    content = await content_of(session, version)
    unit = await session.get_one(Unit, version.scope_unit_id)
    source = Source(
        entry_id=entry.id,
        entry_no=entry.entry_no,
        topic=content.topic,
        audience=content.audience.value,
        question=content.question.strip(),
        phrasings=content.phrasings,
        aliases=content.aliases,
    )
    others = [other for other in await base.sources(session) if other.entry_id != entry.id]
    rows = await session.execute(
        select(EntryVersion, Unit.path)
        .join(Entry, Entry.published_id == EntryVersion.id)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
        .where(Entry.id != entry.id)
    )
    terms = {held.entry_id: _terms(held, path) for held, path in rows}
    return Variant(
        sources=tuple(sorted((*others, source), key=lambda one: one.entry_id)),
        terms={**terms, entry.id: _terms(version, unit.path)},
        model=model,
    )


async def build(variant: Variant) -> TriedBase:
    """The base to be asked; its index is built in a thread, and the last few are kept."""
    key = (variant.sources, variant.model.digest)
    async with _ALONE:
        index = _kept.pop(key, None)
        if index is None:
            index = await asyncio.to_thread(Index, variant.sources, lexicon(), variant.model)
        _kept[key] = index
        while len(_kept) > KEPT:
            del _kept[next(iter(_kept))]
    return TriedBase(index, variant.terms)


_ALONE = asyncio.Lock()
_kept: dict[tuple[tuple[Source, ...], str], Index] = {}


def _terms(version: EntryVersion, path: str) -> Terms:
    return Terms(version.effective_from, version.effective_until, version.audience, path)
