"""The revision that makes the calendar governed data carries what was entered over, and back again."""

from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy import select

from bot import migrate
from knowledge import elections
from knowledge.calendar import DateKind
from office.changes import Change, ChangeState
from office.store import Store

NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
UNIT = sa.table("unit", *(sa.column(name) for name in (
    "id", "kind", "code", "name", "path", "office_name", "phone", "address", "hours_text",
)))  # fmt: skip
ELECTION = sa.table(
    "election", *(sa.column(name) for name in ("id", "unit_id", "name", "level", "region")),
    sa.column("day", sa.Date()),
)  # fmt: skip
KEY_DATE = sa.table(
    "key_date", *(sa.column(name) for name in ("id", "election_id", "kind", "audience", "note")),
    sa.column("starts_on", sa.Date()), sa.column("ends_on", sa.Date()),
)  # fmt: skip


async def test_entered_days_are_carried_over_and_back(tmp_path):
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
    try:
        await migrate.upgrade(store, "0004")
        async with store.engine.begin() as connection:
            await connection.execute(sa.insert(UNIT).values(
                id=1, kind="district", code="DP", name="东浦区", path=".1.", office_name="", phone="",
                address="", hours_text="",
            ))  # fmt: skip
            for number, day in ((1, date(2021, 11, 16)), (2, date(2026, 12, 29))):
                await connection.execute(sa.insert(ELECTION).values(
                    id=number, unit_id=1, name="示例选举", level="county", region="shanghai", day=day,
                ))  # fmt: skip
            for number, kind, first, last in (
                (1, "registration", date(2026, 11, 25), date(2026, 12, 5)),
                (2, "list_posted", date(2026, 12, 8), date(2026, 12, 8)),
                (3, "voting", date(2026, 12, 29), date(2026, 12, 30)),
            ):
                await connection.execute(sa.insert(KEY_DATE).values(
                    id=number, election_id=2, kind=kind, audience="", note="", starts_on=first, ends_on=last,
                ))  # fmt: skip
        await migrate.upgrade(store, "0005")
        async with store.reading() as session:
            found = await elections.spans(session, NOW)
            (change,) = (await session.scalars(select(Change))).all()
        assert (change.state, change.number, change.scope_unit_id) == (ChangeState.SIGNED, 1, 1)
        assert found[DateKind.DAY][0].first == date(2026, 12, 29)
        assert found[DateKind.VOTING][0].last == date(2026, 12, 30)
        assert found[DateKind.REGISTRATION][0].last == date(2026, 12, 5)
        assert found[DateKind.APPEALS_CLOSE][0].first == date(2026, 12, 13)
        await migrate.downgrade(store, "0004")
        async with store.reading() as session:
            rows = (await session.execute(sa.select(KEY_DATE).order_by(KEY_DATE.c.id))).all()
            (election,) = (await session.execute(sa.select(ELECTION))).all()
        assert election.day == date(2026, 12, 29)
        assert [(row.kind, row.ends_on) for row in rows] == [
            ("registration", date(2026, 12, 5)),
            ("list_posted", date(2026, 12, 8)),
            ("voting", date(2026, 12, 30)),
        ]
        await migrate.upgrade(store, "0005")
        async with store.reading() as session:
            assert len((await session.scalars(select(Change))).all()) == 1
    finally:
        await store.close()
