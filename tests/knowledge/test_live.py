"""The live base: another model or a rebuilt index takes over whole, and nothing withdrawn is ever shown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update

from knowledge import answer, entries, live, trained
from knowledge.live import LiveBase
from knowledge.match import Hit, Index, Near
from knowledge.model import SHIPPED, Model
from knowledge.trained import MatcherModel
from knowledge.versions import Audience, by_number, content_of, get_version
from office.audit import SYSTEM
from office.errors import Conflict
from office.store import Store
from tests.make import Cast, an_entry, publish

LOST = "我的选民证不知道掉在哪里了"
BOLD = replace(SHIPPED, thresholds=replace(SHIPPED.thresholds, hit=0.0, near=0.0, margin=0.0))
SHY = replace(SHIPPED, thresholds=replace(SHIPPED.thresholds, hit=1.0, near=0.0))


@dataclass
class Process:
    """A running process: its own connection to the database and its own base in memory."""

    store: Store
    live: LiveBase
    cast: Cast

    async def asked(self, now: datetime, words: str = LOST) -> tuple[str, str]:
        """How the question ends, and the number of the entry that came first."""
        async with self.store.reading() as session:
            outcome = await answer.find(
                session, self.live, words, audience=Audience.VOTER, unit=self.cast.district, now=now
            )
        best = outcome.candidates[0].entry_no if outcome.candidates else ""
        return ("hit" if isinstance(outcome, Hit) else "near" if isinstance(outcome, Near) else "miss"), best


@pytest.fixture
async def here(store: Store, cast: Cast, now: datetime) -> Process:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    return Process(store, LiveBase(), cast)


@pytest.fixture
async def there(store: Store, cast: Cast) -> AsyncIterator[Process]:
    """A second process on the same database."""
    other = Store(store.url)
    yield Process(other, LiveBase(), cast)
    await other.close()


async def kept(store: Store, now: datetime, model: Model, *, active: bool = True) -> int:
    """A model written down and, unless told otherwise, put in force."""
    async with store.transaction() as session:
        row = await trained.keep(
            session, model, base_revision=0, trained_on=[], lessons=0, figures={}, actor=SYSTEM, now=now
        )
        if active:
            await trained.activate(session, row, actor=SYSTEM, now=now)
        return row.id


async def in_force(store: Store, now: datetime, number: int | None) -> None:
    async with store.transaction() as session:
        row = await trained.get(session, number) if number else None
        await trained.activate(session, row, actor=SYSTEM, now=now)


class Gate:
    """Builds of an index wait here until it is opened; those that fail say so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, fails: bool = False) -> None:
        self.open = threading.Event()
        self.built = 0

        def build(*given: Any) -> Index:
            assert self.open.wait(10)
            self.built += 1
            if fails:
                raise MemoryError
            return Index(*given)

        monkeypatch.setattr(live, "Index", build)


async def test_a_model_is_in_force_in_every_process_without_a_stop(
    here: Process, there: Process, store: Store, now: datetime
) -> None:
    processes = (here, there)
    for model, ends in ((BOLD, "hit"), (SHY, "near")):
        await kept(store, now, model)
        for process in processes:
            await process.asked(now)
            await process.live.settle()
            assert process.live.index.model.digest == model.digest
            assert await process.asked(now) == (ends, "K-0540")
            assert process.live.settled


async def test_going_back_to_an_older_model_and_to_the_shipped_one(
    here: Process, there: Process, store: Store, now: datetime
) -> None:
    bold = await kept(store, now, BOLD)
    await kept(store, now, SHY)
    for number, digest in ((bold, BOLD.digest), (None, SHIPPED.digest)):
        await in_force(store, now, number)
        for process in (here, there):
            await process.asked(now)
            await process.live.settle()
            assert process.live.index.model.digest == digest
    async with store.reading() as session:
        assert {row.state for row in await trained.listed(session)} == {trained.ModelState.REPLACED}


async def test_the_model_in_force_cannot_be_put_in_force_again(store: Store, now: datetime) -> None:
    number = await kept(store, now, BOLD)
    with pytest.raises(Conflict, match="model_in_force"):
        await in_force(store, now, number)
    await in_force(store, now, None)
    with pytest.raises(Conflict, match="model_in_force"):
        await in_force(store, now, None)


async def test_the_present_index_answers_until_the_new_one_is_whole(
    here: Process, store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(store, now, BOLD)
    assert await here.asked(now) == ("hit", "K-0540")
    gate = Gate(monkeypatch)
    await kept(store, now, SHY)
    before = here.live.index
    assert await here.asked(now) == ("hit", "K-0540")
    assert here.live.index is before
    gate.open.set()
    await here.live.settle()
    assert gate.built == 1
    assert await here.asked(now) == ("near", "K-0540")


async def test_what_is_withdrawn_while_an_index_is_built_is_never_shown(
    here: Process, store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(store, now, BOLD)
    await here.asked(now)
    gate = Gate(monkeypatch)
    await kept(store, now, SHY)
    await here.asked(now)
    async with store.transaction() as session:
        await entries.retire(session, await by_number(session, "K-0540"), actor=cast.wang_fang, now=now)
    assert await here.asked(now) == ("miss", "")
    gate.open.set()
    await here.live.settle()
    assert here.live.index.model.digest == SHY.digest
    assert await here.asked(now) == ("miss", "")
    assert len(here.live.index) == 0


async def test_what_is_published_or_edited_while_an_index_is_built_is_in_force_at_once(
    here: Process, store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.asked(now)
    gate = Gate(monkeypatch)
    await kept(store, now, BOLD)
    await here.asked(now)
    other = "登记站礼拜天开不开门？"
    phrasings = ("周日登记站上班吗", "星期天能去登记站吗", "登记站周末开门吗")
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0541", question=other, phrasings=phrasings)
    assert await here.asked(now, other) == ("hit", "K-0541")
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        assert entry.published_id is not None
        before = await content_of(session, await get_version(session, entry.published_id))
        changed = replace(before, question="选民证上的名字印错了找谁")
        version = await entries.draft(session, changed, actor=cast.li_qiang, now=now, entry=entry)
        await entries.submit(session, version, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        version = await session.merge(version)
        await publish(session, version, actor=cast.wang_fang, now=now)
    assert await here.asked(now, "选民证上的名字印错了找谁") == ("hit", "K-0540")
    gate.open.set()
    await here.live.settle()
    assert here.live.index.model.digest == BOLD.digest
    assert await here.asked(now, other) == ("hit", "K-0541")
    assert await here.asked(now, "选民证上的名字印错了找谁") == ("hit", "K-0540")


async def many(store: Store, cast: Cast, now: datetime, first: int, count: int) -> None:
    """Entries that differ in the number they are about."""
    async with store.transaction() as session:
        for number in range(first, first + count):
            words = tuple(f"第{number}号{what}" for what in ("楼怎么登记", "楼去哪里登记", "楼的登记站在哪"))
            await an_entry(
                session, cast, now, f"K-{number:04d}", question=f"第{number}号楼的选民登记", phrasings=words
            )


async def test_many_changes_at_once_are_built_aside_and_a_few_are_not(
    here: Process, store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SMALL", 0)
    await many(store, cast, now, 100, 50)
    await here.asked(now)
    before = here.live.index
    await many(store, cast, now, 200, 1)
    assert await here.asked(now, "第200号楼的选民登记") == ("hit", "K-0200")
    assert here.live.settled
    assert here.live.index is before

    gate = Gate(monkeypatch)
    await many(store, cast, now, 300, 30)
    assert await here.asked(now, "第120号楼的选民登记") == ("hit", "K-0120")
    assert here.live.index is before
    gate.open.set()
    await here.live.settle()
    assert here.live.index is not before
    assert await here.asked(now, "第321号楼的选民登记") == ("hit", "K-0321")
    assert len(here.live.index) == 82
    assert gate.built == 1


async def test_small_changes_that_add_up_bring_a_fresh_index(
    here: Process, store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SMALL", 0)
    await many(store, cast, now, 100, 40)
    await here.asked(now)
    before = here.live.index
    for number in range(200, 206):
        await many(store, cast, now, number, 1)
        assert await here.asked(now, f"第{number}号楼的选民登记") == ("hit", f"K-{number:04d}")
        await here.live.settle()
    assert here.live.index is not before
    assert len(here.live.index) == 47


@pytest.mark.parametrize("body", ["", "{}", "no model", '{"features": []}'])
async def test_a_model_that_cannot_be_read_changes_nothing(
    here: Process, store: Store, now: datetime, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    await kept(store, now, BOLD)
    assert await here.asked(now) == ("hit", "K-0540")
    await kept(store, now, SHY)
    async with store.transaction() as session:
        await session.execute(update(MatcherModel).values(body=body))
    assert await here.asked(now) == ("hit", "K-0540")
    await here.live.settle()
    assert await here.asked(now) == ("hit", "K-0540")
    assert [record.message for record in caplog.records if "cannot be used" in record.message]
    caplog.clear()
    assert await here.asked(now) == ("hit", "K-0540")
    assert not caplog.records
    await in_force(store, now, await kept(store, now, SHY, active=False))
    await here.asked(now)
    await here.live.settle()
    assert await here.asked(now) == ("near", "K-0540")


async def test_a_process_begins_with_the_shipped_model_if_the_one_in_force_cannot_be_read(
    here: Process, store: Store, now: datetime
) -> None:
    await kept(store, now, BOLD)
    async with store.transaction() as session:
        await session.execute(update(MatcherModel).values(body="{}"))
    await here.asked(now, "选民证丢了怎么办？")
    assert here.live.index.model.digest == SHIPPED.digest


async def test_an_index_that_cannot_be_built_leaves_the_present_one(
    here: Process, store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept(store, now, BOLD)
    await here.asked(now)
    gate = Gate(monkeypatch, fails=True)
    gate.open.set()
    await kept(store, now, SHY)
    await here.asked(now)
    await here.live.settle()
    assert await here.asked(now) == ("hit", "K-0540")
    assert gate.built == 1


async def test_questions_at_the_same_moment_build_one_index(
    here: Process, store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.asked(now)
    gate = Gate(monkeypatch)
    await kept(store, now, BOLD)
    await asyncio.gather(*(here.asked(now) for _ in range(5)))
    gate.open.set()
    await here.live.settle()
    assert gate.built == 1
