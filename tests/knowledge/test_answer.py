"""Answers: in force with the next question everywhere, for the right people, with dates and passport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from sqlalchemy import select

from knowledge import answer, entries
from knowledge.answer import AnswerGiven, LiveBase
from knowledge.match import Hit
from knowledge.versions import Audience, Content, by_number, get_version
from office.store import Store
from office.units import Unit
from tests.make import Cast, an_entry, content, publish

LOST = "选民证丢了怎么办？"


@dataclass
class Process:
    """A running process: its own connection to the database and its own base in memory."""

    store: Store
    live: LiveBase
    cast: Cast

    async def asked(
        self,
        now: datetime,
        words: str = LOST,
        audience: Audience = Audience.VOTER,
        unit: Unit | None = None,
    ) -> str:
        """The number of the entry that answers, or nothing."""
        async with self.store.reading() as session:
            outcome = await answer.find(
                session, self.live, words, audience=audience, unit=unit or self.cast.district, now=now
            )
        return outcome.best.entry_no if isinstance(outcome, Hit) else ""


@pytest.fixture
async def here(store: Store, cast: Cast) -> Process:
    return Process(store, LiveBase(), cast)


@pytest.fixture
async def there(store: Store, cast: Cast) -> AsyncIterator[Process]:
    """A second process on the same database."""
    other = Store(store.url)
    yield Process(other, LiveBase(), cast)
    await other.close()


async def install(store: Store, cast: Cast, now: datetime, no: str = "K-0540", **changes: object) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, no, **changes)


async def new_version(store: Store, cast: Cast, now: datetime, changed: Content) -> None:
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        version = await entries.draft(session, changed, actor=cast.li_qiang, now=now, entry=entry)
        await entries.submit(session, version, actor=cast.li_qiang, now=now)
        await publish(session, version, actor=cast.wang_fang, now=now)


async def test_a_publication_is_in_force_with_the_next_question_everywhere(
    here: Process, there: Process, store: Store, cast: Cast, now: datetime
) -> None:
    assert (await here.asked(now), await there.asked(now)) == ("", "")
    await install(store, cast, now)
    assert (await here.asked(now), await there.asked(now)) == ("K-0540", "K-0540")


async def test_a_withdrawal_is_in_force_with_the_next_question_everywhere(
    here: Process, there: Process, store: Store, cast: Cast, now: datetime
) -> None:
    await install(store, cast, now)
    assert (await here.asked(now), await there.asked(now)) == ("K-0540", "K-0540")
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
    assert (await here.asked(now), await there.asked(now)) == ("", "")


async def test_an_edit_is_in_force_with_the_next_question_everywhere(
    here: Process, there: Process, store: Store, cast: Cast, now: datetime
) -> None:
    other = "登记站礼拜天开不开门？"
    await install(store, cast, now)
    assert (await here.asked(now, other), await there.asked(now, other)) == ("", "")
    changed = content(
        cast, question=other, phrasings=("周日登记站上班吗", "星期天能去登记站吗", "登记站周末开门吗")
    )
    await new_version(store, cast, now, changed)
    assert (await here.asked(now, other), await there.asked(now, other)) == ("K-0540", "K-0540")
    assert (await here.asked(now), await there.asked(now)) == ("", "")


async def test_a_draft_and_one_in_review_answer_nobody(
    here: Process, store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.li_qiang, now=now)
    assert await here.asked(now) == ""
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        await entries.submit(session, found, actor=cast.li_qiang, now=now)
    assert await here.asked(now) == ""


async def test_an_entry_holds_from_its_first_to_its_last_day_in_beijing(
    here: Process, store: Store, cast: Cast, now: datetime
) -> None:
    day = date(2026, 11, 21)
    await install(store, cast, now, effective_from=day, effective_until=day)
    midnight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    for at, found in (
        (midnight.replace(hour=15, minute=59), ""),
        (midnight, "K-0540"),
        (midnight.replace(day=21, hour=15, minute=59), "K-0540"),
        (midnight.replace(day=21), ""),
    ):
        assert await here.asked(at) == found
        async with store.reading() as session:
            entry = await by_number(session, "K-0540")
            shown = await answer.published(session, entry.id, office=cast.district, now=at)
            assert (shown is not None) is bool(found)


async def test_what_is_for_staff_is_not_shown_to_voters(
    here: Process, store: Store, cast: Cast, now: datetime
) -> None:
    await install(store, cast, now, audience=Audience.STAFF)
    assert await here.asked(now) == ""
    assert await here.asked(now, audience=Audience.STAFF) == "K-0540"
    await install(store, cast, now, "K-0020", topic="eligibility", question="哪些人可以登记？",
                  phrasings=("谁可以登记", "什么人能登记", "登记的条件"))  # fmt: skip
    assert await here.asked(now, "哪些人可以登记？", Audience.STAFF) == "K-0020"


async def test_a_street_s_own_rule_is_not_told_to_the_whole_district(
    here: Process, store: Store, cast: Cast, now: datetime
) -> None:
    await install(store, cast, now, scope_unit_id=cast.riverside.id)
    assert await here.asked(now) == ""
    assert await here.asked(now, unit=cast.north) == ""
    assert await here.asked(now, unit=cast.riverside) == "K-0540"


async def test_the_district_s_rule_holds_in_every_street(
    here: Process, store: Store, cast: Cast, now: datetime
) -> None:
    await install(store, cast, now)
    for unit in (cast.district, cast.riverside, cast.north):
        assert await here.asked(now, unit=unit) == "K-0540"


async def test_a_new_scope_and_audience_are_taken_over(
    here: Process, store: Store, cast: Cast, now: datetime
) -> None:
    await install(store, cast, now)
    assert await here.asked(now, unit=cast.north) == "K-0540"
    await new_version(store, cast, now, content(cast, scope_unit_id=cast.riverside.id))
    assert await here.asked(now, unit=cast.north) == ""
    await new_version(store, cast, now, content(cast, audience=Audience.STAFF))
    assert await here.asked(now, unit=cast.riverside) == ""


async def test_an_answer_carries_its_dates_and_its_passport(store: Store, cast: Cast, now: datetime) -> None:
    await install(
        store, cast, now, short="名单公布：{{ cal.list_posted }}。", steps=("到{{ office.address }}",),
        documents=("身份证",), full="电话 {{office.phone}}，{{ office.hours }}",
    )  # fmt: skip
    async with store.reading() as session:
        entry = await by_number(session, "K-0540")
        found = await answer.published(session, entry.id, office=cast.district, now=now)
    assert found is not None
    assert found.short == "名单公布：最迟12月9日（周三），还有19天。"
    assert found.steps == ("到东浦区示例路1号",)
    assert found.full == "电话 0000-12345678，工作日 8:30–11:30、13:30–17:30"
    assert (found.entry_no, found.number, found.scope) == ("K-0540", 1, "东浦区")
    assert found.issuer == "东浦区选举委员会办公室"
    assert found.published_on == date(2026, 11, 20)
    assert found.basis == ("上海市区和乡镇人民代表大会代表直接选举实施细则第二十七条",)


async def test_an_old_button_leads_to_the_successor(store: Store, cast: Cast, now: datetime) -> None:
    for number in ("K-0540", "K-0541", "K-0542"):
        await install(store, cast, now, number)
    async with store.transaction() as session:
        chain = [await by_number(session, number) for number in ("K-0540", "K-0541", "K-0542")]
        for old, new in pairwise(chain):
            await entries.retire(session, old, actor=cast.wang_fang, now=now, successor=new)
        found = await answer.published(session, chain[0].id, office=cast.district, now=now)
        assert found is not None
        assert found.entry_no == "K-0542"
        await entries.retire(session, chain[2], actor=cast.wang_fang, now=now)
        assert await answer.published(session, chain[0].id, office=cast.district, now=now) is None
        assert await answer.published(session, 404, office=cast.district, now=now) is None


async def test_successors_in_a_circle_end(store: Store, cast: Cast, now: datetime) -> None:
    for number in ("K-0540", "K-0541"):
        await install(store, cast, now, number)
    async with store.transaction() as session:
        one, two = await by_number(session, "K-0540"), await by_number(session, "K-0541")
        await entries.retire(session, one, actor=cast.wang_fang, now=now, successor=two)
        await entries.retire(session, two, actor=cast.wang_fang, now=now)
        two.successor_id = one.id  # retiring refuses it; a base from elsewhere may hold it
        assert await answer.published(session, one.id, office=cast.district, now=now) is None


async def test_it_is_remembered_who_was_told_which_version(store: Store, cast: Cast, now: datetime) -> None:
    await install(store, cast, now)
    async with store.transaction() as session:
        entry = await by_number(session, "K-0540")
        found = await answer.published(session, entry.id, office=cast.district, now=now)
        assert found is not None
        await answer.given(session, cast.zhang_min, found, now=now)
        (row,) = (await session.scalars(select(AnswerGiven))).all()
    assert (row.contact_id, row.entry_version_id, row.at) == (cast.zhang_min.id, entry.published_id, now)
