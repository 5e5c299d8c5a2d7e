"""Governed data: proposed by one, signed by another, in force within its days, undone at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, changes, signin
from office.changes import TRANSITIONS, Change, ChangeKind, ChangeState, differences
from office.errors import Conflict, DeskError, Invalid, NotFound, NotPermitted
from office.hours import beijing_day
from office.staff import Staff
from office.store import Store
from tests.make import Cast

RULES, CALENDAR, HOURS = ChangeKind.RULES, ChangeKind.CALENDAR, ChangeKind.HOURS
B1 = "shanghai:B1"
MONDAY = date(2026, 11, 23)


async def proposed(session: AsyncSession, cast: Cast, now: datetime, **more: Any) -> Change:
    """李强 proposes the district's wording of a row."""
    given_ = {"answer": "请先开选民资格证明。"} | more.pop("content", {})
    fields: dict[str, Any] = {
        "basis": "区选举委员会第3次会议", "scope": cast.district, "actor": cast.li_qiang, "now": now,
    }  # fmt: skip
    subject, kind = more.pop("subject", B1), more.pop("kind", RULES)
    return await changes.propose(session, kind, subject, given_, **(fields | more))


async def in_force(session: AsyncSession, cast: Cast, now: datetime, **more: Any) -> Change:
    """The same, signed by 王芳."""
    change = await proposed(session, cast, now, **more)
    await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
    return change


# ---- proposing ----


async def test_a_proposal_changes_nothing_yet(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now, review_on=date(2027, 1, 1))
    async with store.reading() as session:
        found = await changes.get(session, change.id)
        assert (found.state, found.number, found.author_id) == (ChangeState.PROPOSED, 1, cast.li_qiang.id)
        assert found.content == {"answer": "请先开选民资格证明。"}
        assert found.review_on == date(2027, 1, 1)
        assert await changes.in_force(session, RULES, B1, MONDAY) is None
        lines, _ = await audit.listed(session, subject=f"change:{change.id}")
        assert [line.action for line in lines] == ["change.propose"]


async def test_a_proposal_names_its_basis_and_its_days_run_forwards(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        with pytest.raises(Invalid, match="change_basis"):
            await proposed(session, cast, now, basis=" \n ")
        with pytest.raises(Invalid, match="dates_reversed"):
            await proposed(
                session, cast, now, effective_from=MONDAY, effective_until=MONDAY - timedelta(days=1)
            )
        one_day = await proposed(session, cast, now, effective_from=MONDAY, effective_until=MONDAY)
    assert one_day.covers(MONDAY)
    assert not one_day.covers(MONDAY - timedelta(days=1))
    assert not one_day.covers(MONDAY + timedelta(days=1))


@pytest.mark.parametrize("person", ["zhao_lei", "sun_jie", "zhou_ning"])
async def test_only_who_may_and_within_reach_proposes(
    store: Store, cast: Cast, now: datetime, person: str
) -> None:
    """赵磊 of 北塘镇 does not write the district's rules, 孙洁 has left, 周宁 administers accounts."""
    async with store.transaction() as session:
        with pytest.raises(NotPermitted):
            await proposed(session, cast, now, actor=getattr(cast, person))


async def test_a_town_proposes_for_itself_and_the_district_signs(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now, scope=cast.north, actor=cast.zhao_lei)
        await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
    assert change.state is ChangeState.SIGNED


async def test_one_proposal_of_a_subject_at_a_time(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        first = await proposed(session, cast, now)
        with pytest.raises(Conflict, match="change_open"):
            await proposed(session, cast, now)
        await proposed(session, cast, now, subject="shanghai:A3")
        await proposed(session, cast, now, kind=CALENDAR)  # another kind may use the same word
        await changes.drop(session, first, actor=cast.li_qiang, now=now)
        assert (await proposed(session, cast, now)).number == 2


async def test_what_came_with_the_installation_is_in_force_without_a_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        made = await changes.install(
            session, HOURS, "hours", {"weekly": {}}, basis="示例", scope=cast.district, now=now
        )
        assert (made.state, made.author_id, made.signer_id, made.signed_at) == ("signed", None, None, now)
        assert await changes.in_force(session, HOURS, "hours", MONDAY) is made
        with pytest.raises(Conflict, match="change_open"):
            await changes.install(session, HOURS, "hours", {}, basis="示例", scope=cast.district, now=now)


# ---- the second person ----


async def test_nobody_signs_their_own_proposal(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now, actor=cast.wang_fang)
        with pytest.raises(NotPermitted, match="second_person_needed"):
            await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted, match="not_permitted"):
            await changes.sign(session, change, seen=change.version, actor=cast.li_qiang, now=now)
    assert change.state is ChangeState.PROPOSED


async def test_an_account_that_the_author_has_just_opened_is_no_second_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        both = Staff(name="冯一", unit_id=cast.district.id, roles=["admin", "duty_officer"], created_at=now)
        session.add(both)
        await session.flush()
        await signin.new_way_in(session, cast.wang_fang, actor=both, now=now)
        change = await proposed(session, cast, now, actor=both)
        with pytest.raises(NotPermitted, match="second_person_too_new"):
            await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
        later = now + timedelta(days=1, seconds=1)
        await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=later)
    assert (change.signer_id, change.signed_at) == (cast.wang_fang.id, later)


async def test_a_page_that_was_read_before_is_not_signed(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now)
        with pytest.raises(Conflict, match="stale_card"):
            await changes.sign(session, change, seen=change.version + 1, actor=cast.wang_fang, now=now)


@pytest.mark.parametrize("state", ChangeState)
async def test_each_state_takes_only_its_own_steps(
    store: Store, cast: Cast, now: datetime, state: ChangeState
) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now)
        if state in (ChangeState.SIGNED, ChangeState.UNDONE):
            await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
        if state is ChangeState.UNDONE:
            await changes.undo(session, change, actor=cast.wang_fang, now=now)
        if state is ChangeState.DROPPED:
            await changes.drop(session, change, actor=cast.li_qiang, now=now)
    steps: dict[ChangeState, Callable[[AsyncSession, Change], Awaitable[None]]] = {
        ChangeState.SIGNED: lambda session, row: changes.sign(
            session, row, seen=row.version, actor=cast.wang_fang, now=now
        ),
        ChangeState.DROPPED: lambda session, row: changes.drop(session, row, actor=cast.wang_fang, now=now),
        ChangeState.UNDONE: lambda session, row: changes.undo(session, row, actor=cast.wang_fang, now=now),
    }
    for to, step in steps.items():
        if to in TRANSITIONS[state]:
            continue
        with pytest.raises(Conflict, match="stale_card"):
            async with store.transaction() as session:
                await step(session, await changes.get(session, change.id))
    async with store.reading() as session:
        assert (await changes.get(session, change.id)).state is state


async def test_who_may_give_a_proposal_up(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now)
        with pytest.raises(NotPermitted):
            await changes.drop(session, change, actor=cast.zhao_lei, now=now)
        with pytest.raises(NotPermitted):
            await changes.drop(session, change, actor=cast.sun_jie, now=now)
        await changes.drop(session, change, actor=cast.wang_fang, now=now)
        assert change.state is ChangeState.DROPPED
        assert await changes.in_force(session, RULES, B1, MONDAY) is None


# ---- in force ----


async def test_a_later_version_holds_and_its_undoing_brings_the_earlier_back(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        first = await in_force(session, cast, now)
        second = await in_force(session, cast, now, content={"answer": "以区选举办通知为准。"})
        assert await changes.in_force(session, RULES, B1, MONDAY) is second
        assert await changes.before(session, second) is first
        assert await changes.before(session, first) is None
        with pytest.raises(Conflict, match="newer_change"):
            await changes.undo(session, first, actor=cast.wang_fang, now=now)
        await changes.undo(session, second, actor=cast.wang_fang, now=now)
        assert await changes.in_force(session, RULES, B1, MONDAY) is first
        await changes.undo(session, first, actor=cast.wang_fang, now=now)
        assert await changes.in_force(session, RULES, B1, MONDAY) is None


async def test_undoing_takes_the_right_to_sign_but_one_person_only(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        change = await in_force(session, cast, now)
        with pytest.raises(NotPermitted):
            await changes.undo(session, change, actor=cast.li_qiang, now=now)
        await changes.undo(session, change, actor=cast.wang_fang, now=now)
        lines, _ = await audit.listed(session, subject=f"change:{change.id}")
    assert [line.action for line in lines] == ["change.undo", "change.sign", "change.propose"]
    assert lines[0].facts["about"] == B1


async def test_a_change_holds_on_its_days_and_the_lasting_one_on_the_others(
    store: Store, cast: Cast, now: datetime
) -> None:
    until = MONDAY + timedelta(days=2)
    async with store.transaction() as session:
        lasting = await in_force(session, cast, now)
        passing = await in_force(session, cast, now, effective_from=MONDAY, effective_until=until)
        later = await in_force(session, cast, now, effective_from=until + timedelta(days=30))
        holds = [
            await changes.in_force(session, RULES, B1, MONDAY + timedelta(days=n)) for n in (-1, 0, 2, 3, 32)
        ]
        assert holds == [lasting, passing, passing, lasting, later]
        # What a change follows is asked with a day, or else is whatever was signed last.
        assert await changes.before(session, later) is passing
        assert await changes.before(session, later, on=until + timedelta(days=1)) is lasting


async def test_the_changes_of_one_pack_are_told_apart_from_its_neighbours(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await in_force(session, cast, now, subject="shanghai:B1")
        newer = await in_force(session, cast, now, subject="shanghai:B1")
        other = await in_force(session, cast, now, subject="shanghai:A3")
        await in_force(session, cast, now, subject="shanghai_2:B1")
        await in_force(session, cast, now, subject="shanghaiX:B1")
        await in_force(session, cast, now, subject="shanghai:A4", effective_from=MONDAY)
        await proposed(session, cast, now, subject="shanghai:A5")
        sunday = MONDAY - timedelta(days=1)
        assert await changes.subjects_in_force(session, RULES, "shanghai:", sunday) == [other, newer]
        # An underscore stands for itself and for no other letter.
        found = await changes.subjects_in_force(session, RULES, "shanghai_", MONDAY)
        assert [change.subject for change in found] == ["shanghai_2:B1"]


# ---- lists ----


async def test_the_lists_leave_the_content_where_it_is(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        _, shipped = await changes.decided(session)  # the calendar of the cast
        for place in range(5):
            await in_force(session, cast, now, subject=f"shanghai:A{place}")
        dropped = await proposed(session, cast, now, kind=HOURS, subject="hours")
        await changes.drop(session, dropped, actor=cast.li_qiang, now=now)
        older = await proposed(session, cast, now)
        newer = await proposed(session, cast, now, kind=HOURS, subject="hours")
    async with store.reading() as session:
        assert [row.id for row in await changes.waiting(session)] == [older.id, newer.id]
        assert await changes.count_waiting(session) == 2
        rows, total = await changes.decided(session, page=1, limit=4)
        assert (len(rows), total, rows[0].id) == (4, 6 + shipped, dropped.id)
        rows, total = await changes.decided(session, page=2, limit=4)
        assert [row.subject for row in rows][:2] == ["shanghai:A1", "shanghai:A0"]
        rows, total = await changes.decided(session, kind=HOURS)
        assert [row.id for row in rows] == [dropped.id]
        with pytest.raises(Exception, match="content"):
            _ = rows[0].content
    async with store.reading() as session:
        with pytest.raises(NotFound, match="change_unknown"):
            await changes.get(session, 4711)


# ---- two at the same time ----


async def at_once(store: Store, *acts: Callable[[AsyncSession], Awaitable[Any]]) -> list[str]:
    """Each act in a transaction of its own, all begun together; "" or the key of the refusal."""

    async def run(act: Callable[[AsyncSession], Awaitable[Any]]) -> str:
        try:
            async with store.transaction() as session:
                await act(session)
        except DeskError as refusal:
            return refusal.key
        return ""

    return list(await asyncio.gather(*map(run, acts)))


async def test_of_two_proposers_the_second_finds_the_firsts(store: Store, cast: Cast, now: datetime) -> None:
    """Also where one speaks for the district and the other for a town."""
    keys = await at_once(
        store,
        lambda session: proposed(session, cast, now),
        lambda session: proposed(session, cast, now, actor=cast.wang_fang),
        lambda session: proposed(session, cast, now, actor=cast.zhao_lei, scope=cast.north),
    )
    assert sorted(keys) == ["", "change_open", "change_open"]
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 1


async def test_of_two_signers_one_signs(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now)
        other = Staff(name="冯一", unit_id=cast.district.id, roles=["reviewer"], created_at=now)
        session.add(other)
        await session.flush()

    def signing(person: Staff) -> Callable[[AsyncSession], Awaitable[None]]:
        async def act(session: AsyncSession) -> None:
            row = await changes.get(session, change.id)
            await changes.sign(session, row, seen=change.version, actor=person, now=now)

        return act

    assert sorted(await at_once(store, signing(cast.wang_fang), signing(other))) == ["", "stale_card"]
    async with store.reading() as session:
        lines, _ = await audit.listed(session, subject=f"change:{change.id}", action="change.sign")
        assert len(lines) == 1
        assert (await changes.get(session, change.id)).signer_id == lines[0].actor_id


async def test_a_proposal_is_signed_or_dropped_never_both(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await proposed(session, cast, now)

    async def sign(session: AsyncSession) -> None:
        row = await changes.get(session, change.id)
        await changes.sign(session, row, seen=change.version, actor=cast.wang_fang, now=now)

    async def drop(session: AsyncSession) -> None:
        await changes.drop(session, await changes.get(session, change.id), actor=cast.li_qiang, now=now)

    keys = await at_once(store, sign, drop)
    assert sorted(keys) == ["", "stale_card"]
    async with store.reading() as session:
        state = (await changes.get(session, change.id)).state
    assert state is (ChangeState.SIGNED if keys[0] == "" else ChangeState.DROPPED)


async def test_nothing_is_undone_beneath_a_successor_that_is_being_signed(
    store: Store, cast: Cast, now: datetime
) -> None:
    """Either the undoing comes first, or the successor stands and the undoing is refused."""
    async with store.transaction() as session:
        first = await in_force(session, cast, now)
        second = await proposed(session, cast, now)

    async def sign(session: AsyncSession) -> None:
        row = await changes.get(session, second.id)
        await changes.sign(session, row, seen=second.version, actor=cast.wang_fang, now=now)
        await asyncio.sleep(0.05)  # what follows from a signature takes its time

    async def undo(session: AsyncSession) -> None:
        await asyncio.sleep(0.02)
        await changes.undo(session, await changes.get(session, first.id), actor=cast.wang_fang, now=now)

    keys = await at_once(store, sign, undo)
    assert keys in (["", "newer_change"], ["", ""])
    async with store.reading() as session:
        lines, _ = await audit.listed(session, action="change.")
        last = [line.action for line in lines if line.action in ("change.sign", "change.undo")]
        assert last[0] == "change.sign"
        assert await changes.in_force(session, RULES, B1, MONDAY) is not None


async def test_undone_twice_is_undone_once(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await in_force(session, cast, now)

    async def undo(session: AsyncSession) -> None:
        await changes.undo(session, await changes.get(session, change.id), actor=cast.wang_fang, now=now)

    assert sorted(await at_once(store, undo, undo)) == ["", "stale_card"]


# ---- differences ----

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("甲乙a", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def test_differences_are_told_by_path() -> None:
    before = {"name": "一", "windows": [{"from": "a", "to": "b"}, {"from": "c"}], "day": None}
    after = {"name": "一", "windows": [{"from": "a", "to": "x"}], "day": "d", "new": 1}
    assert list(differences(before, after)) == [
        ("windows[0].to", "b", "x"),
        ("windows[1]", {"from": "c"}, None),
        ("day", None, "d"),
        ("new", None, 1),
    ]


@given(JSON, JSON)
def test_differences_are_none_exactly_between_equals(before: Any, after: Any) -> None:
    found = list(differences(before, after))
    same = normal(before) == normal(after)
    assert (not found) == same
    assert all(old != new for _, old, new in found)


def normal(value: Any) -> Any:
    """What is absent and what is null are one and the same in a content."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        kept = [normal(inner) for inner in value]
        while kept and kept[-1] is None:
            kept.pop()
        return kept
    return value


async def test_what_would_never_hold_is_refused(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        with pytest.raises(Invalid, match="change_over"):
            await changes.propose(
                session, ChangeKind.RULES, "shanghai:B1", {"answer": "示例"}, basis="示例文件",
                scope=cast.district, actor=cast.li_qiang, now=now,
                effective_until=beijing_day(now) - timedelta(days=1),
            )  # fmt: skip
