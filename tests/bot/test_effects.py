"""Tips whose time comes after something else was published: checked again, in force or told why not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot import effects
from knowledge import entries, golden, rehearsal
from knowledge.checks import CheckState, PublicationCheck
from knowledge.rehearsal import Rehearsal
from knowledge.replay import Comparison
from knowledge.tips import WorkTip
from knowledge.versions import EntryState, EntryVersion
from office import audit, notices, staff
from office.staff import Staff
from office.store import Store
from tests import make
from tests.make import Cast
from tests.ticketing.tip_world import check, read, released, rewording
from ticketing import tip_effect
from ticketing.tip_effect import Held, Waiting

HOUR = timedelta(hours=1)
NEW = "居住证按累计月数计算，由登记站核对后告诉您。"


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own, and lets everything pass here."""
    monkeypatch.setattr(golden, "shipped", lambda: ())
    speak(monkeypatch, True)


def speak(monkeypatch: pytest.MonkeyPatch, passed: bool) -> None:
    monkeypatch.setattr("knowledge.replay.Comparison.passed", property(lambda found: passed))


async def later(store: Store, cast: Cast, now: datetime, *numbers: str) -> tuple[WorkTip, list[EntryVersion]]:
    """A signed tip with a version of each of these entries, for an hour later."""
    versions = [(await rewording(store, cast, no, NEW, now, checked=False))[1] for no in numbers]
    for version in versions:
        await check(store, cast, version, now)
    made = await released(
        store, cast, now, entries=tuple(version.id for version in versions), effective_from=now + HOUR
    )
    return made, versions


async def something_else(store: Store, cast: Cast, now: datetime, no: str = "K-0599") -> None:
    async with store.transaction() as session:
        await make.an_entry(session, cast, now, no=no, question=f"{no}另外一条怎么办？")


async def by_clock(store: Store, at: datetime) -> int:
    async with store.transaction() as session:
        return await tip_effect.take_effect(session, now=at)


async def looked(store: Store, at: datetime) -> None:
    assert not await effects.look(store, lambda: at)


async def checked(store: Store, *versions: EntryVersion) -> list[CheckState]:
    """What every check of these versions said, the oldest first."""
    wanted = PublicationCheck.version_id.in_([version.id for version in versions])
    async with store.reading() as session:
        rows = await session.scalars(select(PublicationCheck).where(wanted).order_by(PublicationCheck.id))
        return [row.state for row in rows]


async def told(store: Store, person: Staff) -> list[tuple[str, dict[str, str]]]:
    async with store.reading() as session:
        rows = await notices.listed(session, person.id)
    return [(row.kind, row.facts) for row in rows if row.kind.startswith("tip_stale")]


async def waits(store: Store, made: WorkTip) -> Waiting | None:
    async with store.reading() as session:
        return await tip_effect.waiting(session, await session.get_one(WorkTip, made.id))


async def test_a_publication_overnight_holds_nothing_up_that_its_new_check_allows(
    store: Store, cast: Cast, now: datetime
) -> None:
    made, versions = await later(store, cast, now, "K-0541", "K-0542")
    await something_else(store, cast, now)
    begins = now + HOUR
    await looked(store, now)
    assert await by_clock(store, begins) == 0
    assert ((await read(store, made)).stale_at, await told(store, cast.wang_fang)) == (None, [])
    await asyncio.gather(*(looked(store, begins) for _ in range(3)))
    assert (await read(store, made)).in_effect_at == begins
    assert await checked(store, *versions) == [CheckState.PASSED] * 4, "one process checks, and once"
    async with store.reading() as session:
        assert {(await session.get_one(EntryVersion, row.id)).state.value for row in versions} == {
            "published"
        }
        lines, _ = await audit.listed(session, subject=f"entry_version:{versions[0].id}")
        assert {(row.action, row.actor_kind) for row in lines} >= {
            ("entry_version.check", "clock"), ("entry_version.publish", "staff"),
        }  # fmt: skip
        assert (await audit.verify(session))[1] is None
    assert await told(store, cast.li_qiang) == []


async def test_tips_of_the_same_minute_do_not_make_each_other_stale(
    store: Store, cast: Cast, now: datetime
) -> None:
    begins = now + HOUR
    pairs = [await rewording(store, cast, f"K-054{n}", NEW, now, checked=False) for n in range(4)]
    for _, version in pairs:
        await check(store, cast, version, now)
    groups = ([pairs[0][1]], [pairs[1][1], pairs[2][1]], [pairs[3][1]])
    made = [
        await released(store, cast, now, entries=tuple(row.id for row in rows), effective_from=begins)
        for rows in groups
    ]
    assert await by_clock(store, begins) == 1
    await looked(store, begins)
    assert [(await read(store, row)).in_effect_at for row in made] == [begins] * 3
    assert await told(store, cast.wang_fang) == []


async def test_a_check_that_speaks_against_it_now_is_told_once_with_the_entry_and_waits_for_a_reviewer(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, versions = await later(store, cast, now, "K-0541")
    await something_else(store, cast, now)
    speak(monkeypatch, False)
    begins = now + HOUR
    for minute in range(3):
        await by_clock(store, begins + timedelta(minutes=minute))
        await looked(store, begins + timedelta(minutes=minute))
    found = await read(store, made)
    assert (found.in_effect_at, found.stale_at) == (None, begins)
    assert await checked(store, *versions) == [CheckState.PASSED, CheckState.BLOCKED]
    assert await waits(store, made) == Waiting(Held.CHECK, ("K-0541",))
    said = [("tip_stale_check", {"no": "2026年第1期", "entries": "K-0541"})]
    for person in (cast.wang_fang, cast.li_qiang):
        assert await told(store, person) == said
    speak(monkeypatch, True)
    await something_else(store, cast, now, "K-0600")
    await check(store, cast, versions[0], begins)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_effect.now_in_effect(session, row, actor=cast.wang_fang, now=begins + HOUR)
    assert ((await read(store, made)).in_effect_at, await waits(store, made)) == (begins + HOUR, None)


@pytest.mark.parametrize("base_moved", [False, True])
async def test_a_releaser_who_has_left_is_named_as_the_reason(
    store: Store, cast: Cast, now: datetime, base_moved: bool
) -> None:
    made, versions = await later(store, cast, now, "K-0541")
    if base_moved:
        await something_else(store, cast, now)
    async with store.transaction() as session:
        (await staff.get(session, cast.wang_fang.id)).deactivated_at = now
    begins = now + HOUR
    await looked(store, begins)
    await by_clock(store, begins)
    assert await waits(store, made) == Waiting(Held.RELEASER)
    assert [kind for kind, _ in await told(store, cast.li_qiang)] == ["tip_stale_releaser"]
    assert await checked(store, *versions) == [CheckState.PASSED]


async def test_a_version_written_anew_is_named_as_the_reason(store: Store, cast: Cast, now: datetime) -> None:
    """Nobody can do this to a signed tip; should anything have, the wording that was signed decides."""
    made, versions = await later(store, cast, now, "K-0541")
    async with store.transaction() as session:
        (await session.get_one(EntryVersion, versions[0].id)).short = "另一种说法。"
    await something_else(store, cast, now)
    await looked(store, now + HOUR)
    await by_clock(store, now + HOUR)
    assert await waits(store, made) == Waiting(Held.REWRITTEN)
    assert [kind for kind, _ in await told(store, cast.wang_fang)] == ["tip_stale_rewritten"]


Run = Callable[[Rehearsal], Awaitable[Comparison]]


async def test_what_is_published_during_the_check_makes_it_begin_anew(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = await later(store, cast, now, "K-0541")
    await something_else(store, cast, now)
    run: Run = rehearsal.run

    async def overtaken(prepared: Rehearsal) -> Comparison:
        await something_else(store, cast, now, "K-0601")
        return await run(prepared)

    monkeypatch.setattr(rehearsal, "run", overtaken)
    await looked(store, now + HOUR)
    assert ((await read(store, made)).in_effect_at, (await read(store, made)).stale_at) == (None, None)
    monkeypatch.setattr(rehearsal, "run", run)
    await looked(store, now + HOUR)
    assert (await read(store, made)).in_effect_at == now + HOUR


async def test_a_check_that_breaks_down_is_told_and_the_next_tip_is_looked_at_all_the_same(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, versions = await later(store, cast, now, "K-0541")
    sound, _ = await later(store, cast, now, "K-0542")
    await something_else(store, cast, now)
    run: Run = rehearsal.run

    async def breaking(prepared: Rehearsal) -> Comparison:
        if prepared.version_id == versions[0].id:
            raise MemoryError
        return await run(prepared)

    monkeypatch.setattr(rehearsal, "run", breaking)
    await looked(store, now + HOUR)
    assert await waits(store, broken) == Waiting(Held.OTHER)
    assert (await read(store, sound)).in_effect_at == now + HOUR


async def test_a_version_that_is_in_force_already_and_was_replaced_since_is_done_with(
    store: Store, cast: Cast, now: datetime
) -> None:
    made, versions = await later(store, cast, now, "K-0541")
    async with store.transaction() as session:
        version = await session.get_one(EntryVersion, versions[0].id)
        await entries.publish(
            session, version, seen=version.version, actor=cast.wang_fang, now=now, by_tip=True
        )
        # Somebody has published the version after it meanwhile.
        version.state = EntryState.RETIRED
    assert await by_clock(store, now + HOUR) == 1
    assert (await read(store, made)).in_effect_at == now + HOUR
