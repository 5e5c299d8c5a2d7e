"""The rules in force: a region's pack with what the district has signed."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import packs, rules
from knowledge.eligibility import BadRow, decide
from office import changes
from office.changes import Change, ChangeKind
from office.errors import Invalid, NotPermitted
from office.store import Store
from tests.make import Cast

GOLDEN = {"hukou": "elsewhere", "status": "none", "live": "apart", "cert": "no", "relax": "married_in"}
WORDING: dict[str, Any] = {"leaf": "A10b", "steps": ["先开选民资格证明", "到登记站登记"], "ticket": False}
NEIGHBOUR: dict[str, Any] = {
    "name": "西岸区",
    "says": ["西岸", "西岸区"],
    "office": "西岸区选举委员会办公室",
    "phone": "0000-22223333",
    "hours": "工作日 9:00–17:00",
    "address": "西岸区示例路2号",
}


async def propose(session: AsyncSession, cast: Cast, now: datetime, **more: Any) -> Change:
    return await rules.propose_row(
        session, "shanghai", "B1", WORDING, basis="区选举委员会会议纪要（示例）", scope=cast.district,
        actor=cast.li_qiang, now=now, **more,
    )  # fmt: skip


async def sign(session: AsyncSession, cast: Cast, change: Change, now: datetime) -> None:
    await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)


async def golden(session: AsyncSession, now: datetime) -> tuple[str, bool, int]:
    verdict = decide(await rules.in_force(session, now=now), GOLDEN)
    assert verdict is not None
    return verdict.leaf.code, verdict.leaf.ticket, verdict.leaf.edition


async def test_a_wording_holds_from_the_second_signature_on(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await propose(session, cast, now)
        assert change.subject == "shanghai:B1"
        assert await golden(session, now) == ("B1", True, 0)
    async with store.transaction() as session:
        change = await session.get_one(Change, change.id)
        with pytest.raises(NotPermitted):
            await changes.sign(session, change, seen=change.version, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        change = await session.get_one(Change, change.id)
        await sign(session, cast, change, now)
    async with store.reading() as session:
        assert await golden(session, now) == ("A10b", False, 1)
    async with store.transaction() as session:
        change = await session.get_one(Change, change.id)
        await changes.undo(session, change, actor=cast.wang_fang, now=now)
        assert await golden(session, now) == ("B1", True, 0)


async def test_a_wording_holds_on_its_days_only(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await propose(
            session, cast, now, effective_from=date(2026, 11, 21), effective_until=date(2026, 11, 22)
        )
        await sign(session, cast, change, now)
        # Midnight in Beijing is 16:00 in UTC.
        midnight = now.replace(day=20, hour=16, minute=0, second=0, microsecond=0)
        second = timedelta(seconds=1)
        assert (await golden(session, midnight - second))[0] == "B1"
        assert (await golden(session, midnight))[0] == "A10b"
        assert (await golden(session, midnight + timedelta(days=2) - second))[0] == "A10b"
        assert (await golden(session, midnight + timedelta(days=2)))[0] == "B1"


async def test_the_later_of_two_signed_wordings_holds(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await sign(session, cast, await propose(session, cast, now), now)
        later = await rules.propose_row(
            session, "shanghai", "B1", {"answer": "请先来电。"}, basis="新纪要", scope=cast.district,
            actor=cast.li_qiang, now=now,
        )  # fmt: skip
        await sign(session, cast, later, now)
        assert await golden(session, now) == ("B1", True, 2)


async def test_what_does_not_fit_is_refused_before_it_is_proposed(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for row, content, field in (("B9", {}, "leaf"), ("B1", {"steps": ["12月9日前来电"]}, "steps[0]")):
            with pytest.raises(BadRow) as refused:
                await rules.propose_row(
                    session, "shanghai", row, content, basis="纪要", scope=cast.district,
                    actor=cast.li_qiang, now=now,
                )  # fmt: skip
            assert refused.value.field == field
        with pytest.raises(KeyError):
            await rules.propose_row(
                session, "atlantis", "B1", WORDING, basis="纪要", scope=cast.district, actor=cast.li_qiang,
                now=now,
            )  # fmt: skip
        assert await changes.subjects_in_force(session, ChangeKind.RULES, "", date(2026, 11, 20)) == []


async def test_who_may_not_draft_rules_may_not_propose(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for actor, why in ((cast.zhou_ning, "纪要"), (cast.zhao_lei, "纪要")):
            with pytest.raises(NotPermitted):
                await rules.propose_row(
                    session, "shanghai", "B1", WORDING, basis=why, scope=cast.district, actor=actor, now=now
                )
        with pytest.raises(Invalid):
            await rules.propose_row(
                session,
                "shanghai",
                "B1",
                WORDING,
                basis=" ",
                scope=cast.district,
                actor=cast.li_qiang,
                now=now,
            )


async def test_another_regions_changes_do_not_touch_this_one(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await rules.propose_row(
            session, "beijing", "J10", {"answer": "请先来电。"}, basis="纪要（示例）", scope=cast.district,
            actor=cast.li_qiang, now=now,
        )  # fmt: skip
        await sign(session, cast, change, now)
        assert await rules.in_force(session, now=now) == packs.load("shanghai")
        beijing = await rules.in_force(session, now=now, pack_id="beijing")
        assert beijing.rows("J10")[0].answer == "请先来电。"
        with pytest.raises(KeyError):
            await rules.in_force(session, now=now, pack_id="atlantis")


async def test_the_region_is_that_of_the_calendar(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        assert await rules.region(session, now) == "shanghai"
        change = await changes.propose(
            session, ChangeKind.CALENDAR, "calendar",
            {"name": "示例选举", "level": "county", "region": "zhejiang", "day": "2026-12-29"},
            basis="公告（示例）", scope=cast.district, actor=cast.li_qiang, now=now,
        )  # fmt: skip
        await sign(session, cast, change, now)
        assert await rules.region(session, now) == "zhejiang"
        assert (await rules.in_force(session, now=now)).id == "zhejiang"


async def test_a_change_that_no_longer_fits_is_left_out_and_logged(
    store: Store, cast: Cast, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    async with store.transaction() as session:
        # As a change would be after a row of the file has been renamed.
        await changes.install(
            session, ChangeKind.RULES, "shanghai:B0", {"answer": "请先来电。"}, basis="旧版",
            scope=cast.district, now=now,
        )  # fmt: skip
        with caplog.at_level(logging.WARNING):
            assert await rules.in_force(session, now=now) == packs.load("shanghai")
    assert "shanghai:B0" in caplog.text
    assert "请先来电" not in caplog.text


async def test_the_directory_of_neighbours(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        assert await rules.contacts(session, now) == ()
        change = await rules.propose_contacts(
            session, "shanghai", [NEIGHBOUR, NEIGHBOUR | {"name": "北港区", "says": ["北港"], "address": ""}],
            basis="区间通讯录（示例）", scope=cast.district, actor=cast.li_qiang, now=now,
        )  # fmt: skip
        assert await rules.contacts(session, now) == ()
        await sign(session, cast, change, now)
        west, north = await rules.contacts(session, now)
        assert (west.name, west.says, west.phone) == ("西岸区", ("西岸", "西岸区"), "0000-22223333")
        assert (north.name, north.address) == ("北港区", "")
        assert await rules.in_force(session, now=now) == packs.load("shanghai")


@pytest.mark.parametrize(
    ("rows", "key", "field"),
    [
        ([{"name": "西岸区"}], "contact_fields", "contacts[0]"),
        ([NEIGHBOUR | {"fax": "1"}], "contact_fields", "contacts[0]"),
        ([NEIGHBOUR | {"phone": " "}], "pack_no_text", "contacts[0].phone"),
        ([NEIGHBOUR | {"says": "西岸"}], "pack_no_list", "contacts[0].says"),
        ([NEIGHBOUR | {"says": []}], "contact_says", "contacts[0].says"),
        ([NEIGHBOUR, NEIGHBOUR | {"name": "北港区"}], "contact_says", "contacts[1].says"),
        ([NEIGHBOUR | {"hours": "12月9日起 9:00–17:00"}], "lint_date", "contacts[0].hours"),
        ([NEIGHBOUR | {"office": "{{ office.name }}"}], "lint_variable", "contacts[0].office"),
    ],
)
async def test_a_directory_that_does_not_fit_names_its_field(
    store: Store, cast: Cast, now: datetime, rows: Any, key: str, field: str
) -> None:
    async with store.transaction() as session:
        with pytest.raises(BadRow) as refused:
            await rules.propose_contacts(
                session, "shanghai", rows, basis="通讯录", scope=cast.district, actor=cast.li_qiang, now=now
            )
    assert (refused.value.key, refused.value.field) == (key, field)
