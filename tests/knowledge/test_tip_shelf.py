"""What people may know of a tip that was replaced: nothing before the one in its place has gone out."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from knowledge import golden, tip_shelf
from knowledge.tips import TipSecrecy, WorkTip
from office.store import Store
from tests.make import Cast
from tests.ticketing.tip_world import read, released, rewording
from ticketing import tip_release

HOUR = timedelta(hours=1)
PUBLIC = TipSecrecy.PUBLIC


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own, and lets everything pass here."""
    monkeypatch.setattr(golden, "shipped", lambda: ())
    monkeypatch.setattr("knowledge.replay.Comparison.passed", property(lambda found: True))


async def shelf(store: Store, at: datetime) -> dict[str, str]:
    """What hangs in the public archive, by number, and how it stands there."""
    async with store.reading() as session:
        rows, total = await tip_shelf.public(session, now=at)
        assert total == len(rows)
        found = {}
        for row in rows:
            standing = await tip_shelf.standing(session, row, now=at)
            new = standing.successor.issue_no if standing.successor else ""
            found[f"{row.issue_no}"] = f"{standing.state}{new}{standing.why}"
    return found


async def holding(store: Store, at: datetime) -> list[int | None]:
    async with store.reading() as session:
        return [row.issue_no for row in await tip_shelf.holding(session, limit=50, now=at)]


async def sent(store: Store, at: datetime) -> None:
    async with store.transaction() as session:
        await tip_release.send_due(session, now=at)


async def test_a_tip_holds_for_everybody_until_the_one_in_its_place_has_gone_out(
    store: Store, cast: Cast, now: datetime
) -> None:
    _, version = await rewording(store, cast, "K-0541", "按累计月数计算，由登记站核对后告诉您。", now)
    old = await released(store, cast, now, secrecy=PUBLIC, entries=(version.id,))
    due = now + HOUR
    await released(store, cast, now, secrecy=PUBLIC, supersedes_id=old.id, send_at=due)
    await released(store, cast, now, secrecy=PUBLIC)

    async def named(at: datetime) -> tuple[int, int] | None:
        async with store.reading() as session:
            return await tip_shelf.of_version(session, version.id, now=at)

    for at in (now, due):  # at its time as well, as long as its messages are not laid out
        assert await shelf(store, at) == {"3": "", "1": ""}
        assert await holding(store, at) == [3, 1]
        assert await named(at) == (2026, 1)
    await sent(store, due)
    assert await shelf(store, due) == {"3": "", "2": "", "1": "superseded2"}
    assert (await holding(store, due), await named(due)) == ([3, 2], None)


async def test_what_was_called_off_under_embargo_never_appears_and_leaves_nothing_in_force(
    store: Store, cast: Cast, now: datetime
) -> None:
    old = await released(store, cast, now, secrecy=PUBLIC)
    due = now + HOUR
    new = await released(store, cast, now, secrecy=PUBLIC, supersedes_id=old.id, send_at=due)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, new.id)
        await tip_release.withdraw(session, row, "依据有误", seen=row.version, actor=cast.wang_fang, now=now)
    for at in (now, due + HOUR):
        await sent(store, at)
        assert await shelf(store, at) == {"1": "withdrawn依据有误"}
        assert await holding(store, at) == []
    assert not tip_shelf.is_public(await read(store, new), due + HOUR)


async def test_through_one_that_never_went_out_leads_the_way_to_the_one_that_did(
    store: Store, cast: Cast, now: datetime
) -> None:
    first = await released(store, cast, now, secrecy=PUBLIC)
    second = await released(store, cast, now, secrecy=PUBLIC, supersedes_id=first.id, send_at=now + HOUR)
    await released(store, cast, now, secrecy=PUBLIC, supersedes_id=second.id)
    for at in (now, now + 2 * HOUR):
        await sent(store, at)
        assert await shelf(store, at) == {"3": "", "1": "superseded3"}
        assert await holding(store, at) == [3]


async def test_the_day_of_what_replaces_a_tip_is_told_until_it_comes_and_once_it_holds_never_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    async def since(tip: WorkTip, at: datetime) -> tuple[str, datetime | None]:
        async with store.reading() as session:
            found = await tip_shelf.standing(session, await session.get_one(WorkTip, tip.id), now=at)
            return found.state, found.since

    begins = now + 24 * HOUR
    first = await released(store, cast, now)
    second = await released(store, cast, now, supersedes_id=first.id, effective_from=begins)
    assert await since(first, now) == ("superseded", begins)
    assert await since(first, begins) == ("superseded", None)
    # Replaced itself before its day: the day of the third is the one that counts.
    third = await released(store, cast, now, supersedes_id=second.id, effective_from=begins + HOUR)
    assert await since(first, begins) == ("superseded", begins + HOUR)
    assert await since(second, begins) == ("superseded", begins + HOUR)
    # Where one in between has held already, the first one holds no more until the last one does.
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, third.id)
        row.in_effect_at = begins + HOUR
    later = begins + 9 * HOUR
    await released(store, cast, begins + HOUR, supersedes_id=third.id, effective_from=later)
    assert await since(first, begins + HOUR) == ("superseded", None)
    assert await since(third, begins + HOUR) == ("superseded", later)
