"""What nobody has an answer for yet."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from knowledge import entries, rules
from knowledge.calendar import DateKind
from knowledge.gaps import LOCAL, Gaps, Missing, gaps, without_answer
from knowledge.shelf import Shelved
from knowledge.stations import Station, StationKind
from knowledge.versions import Audience, EntryVersion, by_number, topics
from office import changes
from office.errors import NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast, an_entry, content

TODAY = date(2026, 11, 20)


def ahead(days: int) -> date:
    return TODAY + timedelta(days=days)


async def missing(store: Store, person: Staff, now: datetime) -> Gaps:
    async with store.reading() as session:
        return await gaps(session, person, now=now)


async def test_a_topic_is_answered_on_its_side_today_and_for_the_whole_district(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for no, topic, more in (
            ("K-0001", "voter_card", {}),
            ("K-0002", "age", {"effective_from": ahead(1)}),
            ("K-0003", "proxy", {"effective_until": ahead(-1)}),
            ("K-0004", "appeal", {"scope_unit_id": cast.north.id}),
            ("K-0005", "list_fix", {"audience": Audience.STAFF}),
            ("K-0006", "st_dup", {"audience": Audience.STAFF}),
            ("K-0007", "st_role", {"audience": Audience.VOTER}),
            ("K-0008", "one_vote", {"effective_until": TODAY}),
        ):
            fields: dict[str, Any] = {"topic": topic, **more}
            await an_entry(session, cast, now, no, **fields)
    found = await missing(store, cast.wang_fang, now)
    answered = set(topics()) - {topic.id for topic in found.topics}
    assert answered == {"none", "voter_card", "st_dup", "one_vote"}
    assert found.count >= len(found.topics)


def test_a_wider_office_s_entry_answers_for_the_district(cast: Cast, now: datetime) -> None:
    def live(path: str) -> list[str]:
        version = EntryVersion(topic="age", audience=Audience.VOTER)
        unit = type(cast.district)(path=path)
        left = without_answer([Shelved(None, version, unit)], cast.district, TODAY)  # type: ignore[arg-type]
        return [topic.id for topic in left if topic.id == "age"]

    assert live(cast.district.path) == []
    assert live(".") == []
    assert live(cast.north.path) == ["age"]


async def test_entries_that_do_not_answer_or_not_surely_are_told_with_the_reason(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0001", effective_from=ahead(3))
        await an_entry(session, cast, now, "K-0002", effective_until=ahead(-3))
        await an_entry(session, cast, now, "K-0003", effective_until=ahead(-3))
        await an_entry(session, cast, now, "K-0004", confirmed=False)
        await an_entry(session, cast, now, "K-0005", effective_from=TODAY, effective_until=TODAY)
        entry = await by_number(session, "K-0003")
        await entries.draft(session, content(cast), actor=cast.li_qiang, now=now, entry=entry)
    found = await missing(store, cast.wang_fang, now)
    assert [(gap.row.entry.entry_no, gap.why, gap.day) for gap in found.entries] == [
        ("K-0001", Missing.NOT_BEGUN, ahead(3)),
        ("K-0002", Missing.OVER, ahead(-3)),
        ("K-0004", Missing.UNCONFIRMED, None),
    ]


async def test_rows_wait_for_the_district_s_wording_until_it_is_signed(
    store: Store, cast: Cast, now: datetime
) -> None:
    before = await missing(store, cast.wang_fang, now)
    rows = {leaf.row for leaf in before.rows}
    assert {"B1", "XH"} <= rows
    assert all(LOCAL in leaf.flags for leaf in before.rows)
    assert len(rows) == len(before.rows)
    async with store.transaction() as session:
        change = await rules.propose_row(
            session, "shanghai", "B1", {"answer": "请凭选民资格证明登记。"}, basis="会议纪要",
            scope=cast.district, actor=cast.li_qiang, now=now,
        )  # fmt: skip
    assert {leaf.row for leaf in (await missing(store, cast.wang_fang, now)).rows} == rows
    async with store.transaction() as session:
        found = await changes.get(session, change.id)
        await changes.sign(session, found, seen=found.version, actor=cast.wang_fang, now=now)
    assert {leaf.row for leaf in (await missing(store, cast.wang_fang, now)).rows} == rows - {"B1"}


async def test_milestones_units_and_years_without_anything_are_told(
    store: Store, cast: Cast, now: datetime
) -> None:
    found = await missing(store, cast.wang_fang, now)
    assert DateKind.DAY not in found.dates
    assert [unit.name for unit in found.units] == ["临江街道", "北塘镇"]
    assert found.years == (2027,)
    assert found.samples == (2026,)
    async with store.transaction() as session:
        session.add(
            Station(
                kind=StationKind.REGISTRATION, code="12-01", name="滨河站", unit_id=cast.riverside.id,
                groups=[], address="示例路2号", hours=[], access=[],
            )
        )  # fmt: skip
    assert [unit.name for unit in (await missing(store, cast.wang_fang, now)).units] == ["北塘镇"]


async def test_who_may_not_read_the_base_is_told_nothing(store: Store, cast: Cast, now: datetime) -> None:
    with pytest.raises(NotPermitted):
        await missing(store, cast.sun_jie, now)
