"""Signing a work tip: two persons, a number without gaps, chains, what goes out when, and never a change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import tip_drafts, tip_links, tip_moves, tip_words, tips
from knowledge.tips import TipState, TipType, WorkTip
from office import audit, notices, staff
from office.bindings import ChatGroup
from office.errors import Conflict, DeskError, NotPermitted
from office.hours import BEIJING
from office.outbox import Delivery
from office.staff import Invite, Role, Staff
from office.store import Store
from tests.make import HOURS, Cast
from tests.shape.tree import modules
from tests.ticketing.tip_world import drafted, group, read, released, signed, submitted, tip
from tests.ticketing.work import opened
from tests.ticketing.work import read as read_ticket
from ticketing import tip_posts, tip_release
from ticketing.tip_posts import TipPost

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def messages(store: Store, kind: str = "tip") -> list[Delivery]:
    async with store.reading() as session:
        rows = await session.scalars(select(Delivery).where(Delivery.kind == kind).order_by(Delivery.id))
        return list(rows.all())


async def two_groups(store: Store, cast: Cast, now: datetime) -> list[ChatGroup]:
    async with store.transaction() as session:
        return [
            await group(session, unit, address, now)
            for unit, address in ((cast.riverside, "-1001"), (cast.north, "-1002"))
        ]


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ("2026-11-18 10:00", "2026-11-19 10:00"),
        ("2026-11-18 19:00", "2026-11-20 08:30"),
        ("2026-11-20 10:00", "2026-11-23 08:30"),
        # Ten minutes of Friday are no time to read in.
        ("2026-11-20 17:20", "2026-11-23 10:20"),
        ("2026-11-22 02:09", "2026-11-23 10:30"),
    ],
)
def test_units_have_a_day_for_their_receipt_and_two_hours_of_duty(sent: str, due: str) -> None:
    said = tip_release.receipt_due(datetime.fromisoformat(sent).replace(tzinfo=BEIJING), HOURS)
    assert f"{said.astimezone(BEIJING):%Y-%m-%d %H:%M}" == due


async def test_a_second_person_signs_and_everything_happens_at_once(
    store: Store, cast: Cast, now: datetime
) -> None:
    await two_groups(store, cast, now)
    asked = await opened(store, cast, now)
    made = await submitted(store, cast, now, sources={"tickets": [asked.id, 999]})
    found = await signed(store, cast, made, now)
    ticket = await read_ticket(store, asked)
    assert (ticket.tip_no, ticket.version) == ("第1期", asked.version)
    assert (found.state, found.year, found.issue_no) == (TipState.RELEASED, 2026, 1)
    assert (found.releaser_id, found.dated, found.released_at) == (cast.wang_fang.id, date(2026, 11, 20), now)
    assert (found.in_effect_at, found.laid_out_at) == (now, now)
    assert found.receipt_due == HOURS.next_open(now + DAY)
    assert tip_words.number(found) == "2026年第1期"
    assert len(await messages(store)) == 2
    async with store.reading() as session:
        told, _ = await audit.listed(session, subject=f"work_tip:{found.id}")
        (line,) = await notices.listed(session, cast.li_qiang.id)
    assert (line.kind, line.facts) == ("tip_released", {"no": "2026年第1期", "title": found.title})
    assert [row.action for row in reversed(told)][:4] == [
        "work_tip.draft", "work_tip.submit", "work_tip.release", "work_tip.in_effect",
    ]  # fmt: skip
    assert found.title not in str([row.facts for row in told])


async def test_neither_the_drafter_nor_the_last_editor_nor_their_new_account_signs(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for name in ("李强", "王芳"):
            row = await session.scalar(select(Staff).where(Staff.name == name))
            assert row is not None
            row.roles = [Role.REVIEWER.value, Role.DUTY_OFFICER.value]
        session.add(
            fresh := Staff(name="冯一", unit_id=cast.district.id, roles=[Role.REVIEWER.value], created_at=now)
        )
        await session.flush()
        session.add(
            Invite(
                token_digest="0" * 64, staff_id=fresh.id, created_by_id=cast.li_qiang.id,
                created_at=now - HOUR, expires_at=now,
            )
        )  # fmt: skip
    made = await drafted(store, cast, now)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        wang = await staff.get(session, cast.wang_fang.id)
        changed = tip(cast, steps="1. 看证")
        await tip_drafts.edit(session, row, changed, seen=row.version, actor=wang, now=now)
        await tip_moves.submit(session, row, seen=row.version, actor=wang, now=now)
    for person, why in (
        (cast.li_qiang, "second_person_needed"), (cast.wang_fang, "second_person_needed"),
        (fresh, "second_person_too_new"), (cast.zhao_lei, "not_permitted"), (cast.sun_jie, "not_permitted"),
    ):  # fmt: skip
        async with store.reading() as session:
            actor = await staff.get(session, person.id)
        with pytest.raises(NotPermitted, match=why):
            await signed(store, cast, made, now, actor=actor)
    assert (await read(store, made)).issue_no is None
    found = await signed(store, cast, made, now + 2 * DAY, actor=fresh)
    assert found.issue_no == 1
    with pytest.raises(Conflict, match="stale_card"):
        await signed(store, cast, made, now, actor=fresh, seen=found.version)


async def test_who_signs_reaches_every_unit_that_is_addressed_and_the_page_is_fresh(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = await submitted(store, cast, now)
    with pytest.raises(Conflict, match="stale_card"):
        await signed(store, cast, made, now, seen=made.version - 1)
    async with store.transaction() as session:
        wang = await staff.get(session, cast.wang_fang.id)
        wang.unit_id = cast.riverside.id
    with pytest.raises(NotPermitted):
        await signed(store, cast, made, now, actor=wang)


async def test_two_who_sign_the_same_tip_at_the_same_moment_give_it_one_number(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = await submitted(store, cast, now)
    ended = await asyncio.gather(
        *(signed(store, cast, made, now, seen=made.version) for _ in range(3)), return_exceptions=True
    )
    assert sorted(getattr(end, "key", "signed") for end in ended) == ["signed", "stale_card", "stale_card"]
    assert (await released(store, cast, now)).issue_no == 2


async def test_twenty_at_once_are_numbered_without_a_gap_though_some_are_undone(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = [await submitted(store, cast, now, title=f"提示{n}") for n in range(20)]

    class Undone(Exception):
        pass

    async def one(place: int) -> None:
        async with store.transaction() as session:
            row = await session.get_one(WorkTip, made[place].id)
            await tip_release.release(
                session, row, seen=row.version, actor=cast.wang_fang, hours=HOURS, now=now
            )
            if place % 5 == 0:
                raise Undone

    ended = await asyncio.gather(*(one(place) for place in range(20)), return_exceptions=True)
    assert [type(end) for end in ended if end is not None] == [Undone] * 4
    async with store.reading() as session:
        rows = await session.scalars(select(WorkTip.issue_no).where(WorkTip.issue_no.is_not(None)))
        assert sorted(rows.all()) == list(range(1, 17))
        assert (await audit.verify(session))[1] is None


async def test_the_year_is_that_of_beijing_and_begins_with_number_one(
    store: Store, cast: Cast, now: datetime
) -> None:
    eve = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
    for at, number in (
        (eve, "2026年第1期"),
        (eve, "2026年第2期"),
        (eve + timedelta(minutes=1), "2027年第1期"),
    ):
        assert tip_words.number(await released(store, cast, at)) == number
    async with store.reading() as session:
        for text, wanted in (
            ("第1期", (2027, 1)), ("2026年第1期", (2026, 1)), ("工作提示第二期说了什么", (2026, 2)),
            ("第9期", None),
        ):  # fmt: skip
            found = await tips.numbered(session, text)
            assert (found and (found.year, found.issue_no)) == wanted, text


async def test_a_tip_is_superseded_once_and_every_group_is_pointed_to_the_new_one(
    store: Store, cast: Cast, now: datetime
) -> None:
    await two_groups(store, cast, now)
    old = await released(store, cast, now)
    async with store.transaction() as session:
        for post in await session.scalars(select(TipPost)):
            post.shown, post.message_id, post.posted_at = tip_posts.Shown.CURRENT, post.id, now
    rivals = []
    for _ in range(2):
        async with store.transaction() as session:
            row = await tip_drafts.correction(
                session, await session.get_one(WorkTip, old.id), actor=cast.li_qiang, now=now
            )
            assert (row.type, row.supersedes_id, row.wording) == (TipType.CORRECTION, old.id, old.wording)
            assert len(await tip_links.targets(session, row)) == 2
            changed = replace(await tip_drafts.written(session, row), wording="答复：按连续年数计算。")
            await tip_drafts.edit(session, row, changed, seen=row.version, actor=cast.li_qiang, now=now)
            await tip_moves.submit(session, row, seen=row.version, actor=cast.li_qiang, now=now)
            rivals.append(row)
    ended = await asyncio.gather(*(signed(store, cast, row, now) for row in rivals), return_exceptions=True)
    (refused,) = [end for end in ended if isinstance(end, DeskError)]
    assert refused.key == "tip_not_standing"
    (new,) = [end for end in ended if isinstance(end, WorkTip)]
    fallen = await read(store, old)
    assert (fallen.state, fallen.superseded_by_id, new.issue_no) == (TipState.SUPERSEDED, new.id, 2)
    assert tip_words.outdated(fallen, now) == "superseded"
    assert len(await messages(store, tip_posts.EDIT)) == 2
    (waiting,) = [row for row in rivals if row.id != new.id]
    async with store.transaction() as session:
        again = await session.get_one(WorkTip, old.id)
        with pytest.raises(Conflict, match="tip_not_standing"):
            await tip_drafts.correction(session, again, actor=cast.li_qiang, now=now)
        keys = [one.key for one in await tip_moves.problems(session, waiting, now=now)]
        assert keys == ["tip_not_standing"]


async def test_a_reviewer_withdraws_with_a_reason_and_nobody_twice(
    store: Store, cast: Cast, now: datetime
) -> None:
    made = await released(store, cast, now)
    for actor, why, wrong in (
        (cast.li_qiang, "写错了", "not_permitted"), (cast.wang_fang, " \n", "reason_needed"),
        (cast.wang_fang, "错" * 301, "tip_long"),
    ):  # fmt: skip
        with pytest.raises(DeskError, match=wrong):
            await withdrawn(store, made, why, actor, now)
    await withdrawn(store, made, "依据有误，请联系 13800138000", cast.wang_fang, now)
    found = await read(store, made)
    assert (found.state, found.withdrawn_by_id, found.withdrawn_at) == (
        TipState.WITHDRAWN, cast.wang_fang.id, now,
    )  # fmt: skip
    assert found.withdrawn_why.startswith("依据有误")
    assert "13800138000" not in found.withdrawn_why
    with pytest.raises(Conflict, match="stale_card"):
        await withdrawn(store, found, "再来", cast.wang_fang, now)


async def withdrawn(store: Store, made: WorkTip, why: str, actor: Staff, now: datetime) -> None:
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_release.withdraw(session, row, why, seen=row.version, actor=actor, now=now)


async def test_under_embargo_nobody_sees_it_and_nothing_is_laid_out_before_its_time(
    store: Store, cast: Cast, now: datetime
) -> None:
    await two_groups(store, cast, now)
    first = await released(store, cast, now)
    later = now + 2 * HOUR
    made = await released(store, cast, now, send_at=later, supersedes_id=first.id)
    called_off = await released(store, cast, now, send_at=later)
    await withdrawn(store, called_off, "不发了", cast.wang_fang, now)
    assert (made.issue_no, made.laid_out_at, tips.shown(made, now)) == (2, None, False)
    assert len(await messages(store)) == 2

    async def sent(at: datetime) -> int:
        async with store.transaction() as session:
            return await tip_release.send_due(session, now=at, public_url="https://tips.example")

    assert await sent(later - timedelta(seconds=1)) == 0
    assert sorted(await asyncio.gather(*(sent(later) for _ in range(3)))) == [0, 0, 1]
    out = await read(store, made)
    assert (out.laid_out_at, tips.shown(out, later)) == (later, True)
    assert len({row.key for row in await messages(store)}) == 4
    assert await sent(later + HOUR) == 0


async def test_no_function_changes_a_tip_once_it_is_released(store: Store, cast: Cast, now: datetime) -> None:
    made = await released(store, cast, now)
    before = await drafted_again(store, made)
    acts: list[Callable[..., Awaitable[object]]] = [
        lambda s, t: tip_drafts.edit(
            s, t, tip(cast, title="改了"), seen=t.version, actor=cast.li_qiang, now=now
        ),
        lambda s, t: tip_moves.submit(s, t, seen=t.version, actor=cast.li_qiang, now=now),
        lambda s, t: tip_moves.look_over(s, t, seen=t.version, actor=cast.wang_fang, now=now),
        lambda s, t: tip_moves.send_back(s, t, "改", seen=t.version, actor=cast.wang_fang, now=now),
        lambda s, t: tip_moves.take_back(s, t, seen=t.version, actor=cast.li_qiang, now=now),
        lambda s, t: tip_release.release(s, t, seen=t.version, actor=cast.wang_fang, hours=HOURS, now=now),
    ]
    for act in acts:
        with pytest.raises(Conflict, match="stale_card"):
            async with store.transaction() as session:
                await act(session, await session.get_one(WorkTip, made.id))
    for name, value in (("title", "别的"), ("wording", "别的"), ("issue_no", 9), ("sources", {"cluster": 1})):
        with pytest.raises(RuntimeError, match=name):
            await by_hand(store, made, name, value)
    assert await drafted_again(store, made) == before
    in_bulk = [path.name for path in modules() if "update(WorkTip)" in path.read_text(encoding="utf-8")]
    assert in_bulk == []


async def by_hand(store: Store, made: WorkTip, name: str, value: object) -> None:
    async with store.transaction() as session:
        setattr(await session.get_one(WorkTip, made.id), name, value)


async def drafted_again(store: Store, made: WorkTip) -> tips.Tip:
    async with store.reading() as session:
        return await tip_drafts.written(session, await session.get_one(WorkTip, made.id))
