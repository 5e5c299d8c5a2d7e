"""A wording that nobody has saved is replayed like one that was, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from knowledge import entries, golden, rehearsal
from knowledge.versions import Entry, EntryVersion, content_of
from office.store import Store
from tests.make import Cast, an_entry
from tests.questions import OPEN, SEALED


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (*OPEN, *SEALED))


async def test_what_is_imagined_is_what_would_be_checked(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, now)
        entry = await session.get_one(Entry, version.entry_id)
        content = await content_of(session, version)
    more = replace(content, phrasings=(*content.phrasings, "证件不见了怎么补"))
    async with store.reading() as session:
        imagined = await rehearsal.imagine(session, entry, more, now=now)
        assert await session.scalar(select(func.count()).select_from(EntryVersion)) == 1
    async with store.transaction() as session:
        entry = await session.get_one(Entry, version.entry_id)
        saved = await entries.draft(session, more, actor=cast.li_qiang, now=now, entry=entry)
        prepared = await rehearsal.prepare(session, saved, now=now)
    assert (imagined.before, imagined.after, imagined.own) == (prepared.before, prepared.after, prepared.own)
    assert imagined.questions == prepared.questions
    assert rehearsal.play(imagined) == rehearsal.play(prepared)
