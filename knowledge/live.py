"""The live base: what is published, in memory, under the model in force, as new as each question."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import base
from knowledge.case import UNKNOWN, Case
from knowledge.lexicon import Lexicon
from knowledge.match import Index, Outcome
from knowledge.model import SHIPPED, Model
from knowledge.outcomes import Source
from knowledge.sharpening import Place, sharpen
from knowledge.trained import MatcherModel
from knowledge.versions import Audience, BaseState, Entry, EntryVersion
from office.units import Unit

log = logging.getLogger(__name__)

DATA = Path(__file__).parent.parent / "data"
# An index of so few phrasings is built anew in less time than anybody notices.
SMALL = 500


@cache
def lexicon() -> Lexicon:
    """The office's words as data."""
    return Lexicon.from_data(yaml.safe_load((DATA / "lexicon.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Terms:
    """For whom, where and when an entry is in force."""

    first: date | None
    last: date | None
    audience: Audience
    scope: str

    def cover(self, audience: Audience, unit_path: str, today: date) -> bool:
        """Whether this asker may be shown the entry today."""
        return (
            (self.first is None or self.first <= today)
            and (self.last is None or today <= self.last)
            and (audience is Audience.STAFF or self.audience is Audience.VOTER)
            and unit_path.startswith(self.scope)
        )


@dataclass
class _Aside:
    """An index that is being built in a thread, and what has changed since its building began."""

    building: asyncio.Future[Index]
    since: dict[int, Source | None] = field(default_factory=dict)


class LiveBase:
    """The published base in memory. Each question checks the revision first, so a publication, a withdrawal
    or another model is in force in every process with the next question.

    A few changed entries are put into the index that answers. For a new model, or once a tenth of the
    phrasings has changed, another index is built in a thread while the present one goes on answering; it
    takes over whole, at the beginning of a question. Whether an entry may be shown is never left to an
    index: that is known from the same look at the base.
    """

    def __init__(self) -> None:
        self.index = Index((), lexicon())
        self._revision = -1
        self._model_id: int | None = None
        self._model = self.index.model
        self._sources: dict[int, Source] = {}
        self._terms: dict[int, Terms] = {}
        self._drift = 0
        self._behind = False
        self._aside: _Aside | None = None
        self._lock = asyncio.Lock()

    @property
    def settled(self) -> bool:
        """Whether the index that answers is the newest there is to be had."""
        return self._aside is None

    async def refresh(self, session: AsyncSession) -> None:
        """Take over what was published, withdrawn or put in force since the last look.

        A session whose snapshot is older than what is known already changes nothing.
        """
        self._adopt()
        if (await _state(session))[0] <= self._revision:
            return
        async with self._lock:
            revision, model_id = await _state(session)
            if revision > self._revision:
                await self._take_over(session, revision, model_id)

    async def settle(self) -> None:
        """Wait for an index that is being built, and let it take over."""
        while self._aside is not None:
            await asyncio.wait([self._aside.building])
            self._adopt()

    async def _take_over(self, session: AsyncSession, revision: int, model_id: int | None) -> None:
        # Everything is read before anything is changed: a database that fails in between leaves no mixture.
        changed = {source.entry_id: source for source in await base.sources(session, since=self._revision)}
        terms = await _terms(session, self._revision)
        model = await self._read_model(session, model_id) if model_id != self._model_id else self._model
        if self._revision < 0:
            self.index = await asyncio.to_thread(Index, list(changed.values()), lexicon(), model)
            self._sources = changed
        gone = []
        for entry_id, found in terms.items():
            if found is not None:
                self._terms[entry_id] = found
            elif self._terms.pop(entry_id, None) is not None:
                gone.append(entry_id)
        if self._revision >= 0:
            self._put(changed, gone)
        self._revision, self._model_id, self._model = revision, model_id, model
        self._build_if_due()

    async def _read_model(self, session: AsyncSession, model_id: int | None) -> Model:
        """A model that cannot be read is not used: what answers now goes on answering."""
        if model_id is None:
            return SHIPPED
        row = await session.get(MatcherModel, model_id)
        try:
            if row is None:
                raise ValueError("no such row")
            return Model.from_json(row.body)
        except ValueError as error:
            log.error("model %s cannot be used, the present one stays: %s", model_id, error)
            return self._model

    def _put(self, changed: Mapping[int, Source], gone: Iterable[int]) -> None:
        """Bring what is held in line with a look at the base: at once where that takes no time."""
        moved = sum(self._moved(source) for source in changed.values())
        self._sources.update(changed)
        for entry_id in gone:
            if (source := self._sources.pop(entry_id, None)) is not None:
                self._drift += _size(source)
            self.index.remove(entry_id)
        # Past a tenth the index would count all its words anew, in the middle of somebody's question.
        if (self._drift + moved) * 10 <= len(self.index.book.phrasings) or self._small():
            for source in changed.values():
                self.index.replace(source)
        else:
            self._behind = True
        self._drift += moved
        if self._aside is not None:
            self._aside.since.update(changed)
            self._aside.since.update(dict.fromkeys(gone))

    def _moved(self, source: Source) -> int:
        before = self._sources.get(source.entry_id)
        return _size(source) + (_size(before) if before else 0)

    def _small(self) -> bool:
        return sum(map(_size, self._sources.values())) <= SMALL

    def _build_if_due(self) -> None:
        """Begin to build another index where the present one is behind, or will be soon."""
        if self._aside is not None:
            return
        other_model = self._model.digest != self.index.model.digest
        drifted = self._drift * 20 > len(self.index.book.phrasings) and not self._small()
        if other_model or self._behind or drifted:
            sources = list(self._sources.values())
            loop = asyncio.get_running_loop()
            self._aside = _Aside(loop.run_in_executor(None, Index, sources, lexicon(), self._model))

    def _adopt(self) -> None:
        """Put the index that was built aside in the place of the present one, if it is finished."""
        aside = self._aside
        if aside is None or not aside.building.done():
            return
        self._aside = None
        try:
            self.index = aside.building.result()
        except Exception:
            log.exception("an index could not be built, the present one stays")
            self._model = self.index.model
            return
        self._drift, self._behind = 0, False
        self._put(
            {entry_id: source for entry_id, source in aside.since.items() if source is not None},
            [entry_id for entry_id, source in aside.since.items() if source is None],
        )
        self._build_if_due()

    def rank(
        self, question: str, audience: Audience, unit_path: str, today: date, case: Case = UNKNOWN
    ) -> Outcome:
        """The outcome among the entries that this asker may be shown today, sharpened by their case.

        Staff get what was written for staff rather than what voters are told about the same.
        """

        def allowed(entry_id: int) -> bool:
            terms = self._terms.get(entry_id)
            return terms is not None and terms.cover(audience, unit_path, today)

        def written_for(entry_id: int) -> bool:
            return self._terms[entry_id].audience is audience

        def matched(hidden: frozenset[int] = frozenset()) -> Outcome:
            prefer = written_for if audience is Audience.STAFF else None
            return self.index.rank(question, lambda entry: entry not in hidden and allowed(entry), prefer)

        def place(entry_id: int) -> Place:
            return Place(self._terms[entry_id].scope, written_for(entry_id))

        return sharpen(matched(), self.index, case, place, matched)


async def _state(session: AsyncSession) -> tuple[int, int | None]:
    row = (await session.execute(select(BaseState.revision, BaseState.model_id))).one()
    return row.revision, row.model_id


async def _terms(session: AsyncSession, since: int) -> dict[int, Terms | None]:
    """For each entry changed after revision `since` what holds of it now; None for one out of force."""
    rows = await session.execute(
        select(
            Entry.id, Entry.published_id, EntryVersion.effective_from, EntryVersion.effective_until,
            EntryVersion.audience, Unit.path,
        )
        .outerjoin(EntryVersion, EntryVersion.id == Entry.published_id)
        .outerjoin(Unit, Unit.id == EntryVersion.scope_unit_id)
        .where(Entry.revision > since)
    )  # fmt: skip
    return {
        entry_id: Terms(first, last, audience, path) if published_id is not None else None
        for entry_id, published_id, first, last, audience, path in rows
    }


def _size(source: Source) -> int:
    return 1 + len(source.phrasings) + len(source.aliases)
