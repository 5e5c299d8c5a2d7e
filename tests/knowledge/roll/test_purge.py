"""The end of a roll: two persons, nothing left behind, and what could not be done is told."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from knowledge.roll import keys, purge, receipt_stops, suppressions
from knowledge.roll.key_end import KeyEnd, destroy
from knowledge.roll.keys import OfflineKey
from knowledge.roll.records import (
    ImportState,
    LookupLink,
    Mark,
    PurgeState,
    ReceiptStop,
    RollImport,
    RollPlace,
    RollPurge,
    RollRow,
    RollState,
    Suppression,
)
from office import audit
from office.contacts import Channel
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Role, Staff
from office.store import Store
from tests.make import ELECTION_DAY, Cast, a_ticket
from tests.voters import CAST, LIN_YAN, OUYANG

KEY = keys.make("东浦区2026")
LATE = timedelta(days=70)
"""From the moment of the tests to after the thirtieth day after the election."""


@pytest.fixture
def key_path(tmp_path: Path) -> Path:
    path = tmp_path / "roll.key"
    keys.write_service(KEY.digest, path)
    return path


@pytest.fixture
async def roll(store: Store, cast: Cast, now: datetime) -> list[bytes]:
    """A roll in force with the cast on it, a stopped receipt, a protected person, a link; its digests."""
    return await a_roll(store, cast, now, KEY)


async def a_roll(store: Store, cast: Cast, now: datetime, key: OfflineKey) -> list[bytes]:
    digests = [
        digest
        for voter in CAST
        for digest in (key.digest.identity(voter.name, voter.number), key.digest.receipt(voter.receipt))
    ]
    async with store.transaction() as session:
        cast.wang_fang.roles = [*cast.wang_fang.roles, Role.REGISTRAR.value]
        session.add(cast.wang_fang)
        place = RollPlace(district="第3选区", group_no="12-03", station="12-03")
        row = RollImport(
            state=ImportState.APPLIED, package_id="a" * 32, package_hash="b" * 64,
            election=key.digest.election, key_id=key.digest.key_id,
            digest_version=1, signer=key.signer, made_at=now,
            rows=len(digests), counts={}, prepared_by_id=cast.zhou_ning.id, prepared_at=now,
            applied_by_id=cast.wang_fang.id, applied_at=now,
        )  # fmt: skip
        session.add_all([place, row])
        await session.flush()
        for digest in digests:
            session.add(RollRow(import_id=row.id, digest=digest, place_id=place.id, mark=Mark.REGISTERED))
        await session.execute(update(RollState).values(current_id=row.id))
        await suppressions.suppress(session, key.digest, OUYANG.name, OUYANG.number, basis="公函3号",
                                    actor=cast.wang_fang, now=now)  # fmt: skip
        await receipt_stops.stop(session, key.digest, LIN_YAN.receipt, actor=cast.wang_fang, now=now)
        session.add(LookupLink(token_digest="c" * 64, channel=Channel.TELEGRAM, made_at=now, expires_at=now))
        ticket = await a_ticket(session, cast, now)
        ticket.receipt_digest = digests[1]
    return digests


def there(path: Path) -> bool:
    return path.exists()


async def asked(store: Store, actor: Staff, now: datetime, **more: str) -> RollPurge:
    async with store.transaction() as session:
        return await purge.ask(session, basis="选举委员会决定", actor=actor, now=now, **more)


async def a_second(store: Store, cast: Cast, now: datetime) -> Staff:
    """冯一, a second reviewer."""
    async with store.transaction() as session:
        person = Staff(name="冯一", unit_id=cast.district.id, roles=[Role.REVIEWER.value], created_at=now)
        session.add(person)
    return person


async def test_after_it_nothing_of_a_voter_is_left(
    store: Store, cast: Cast, now: datetime, roll: list[bytes], key_path: Path
) -> None:
    day = now + LATE
    wish = await asked(store, cast.wang_fang, day)
    second = await a_second(store, cast, now)
    done = await purge.carry_out(store, wish.id, seen=wish.version, actor=second, now=day, key_path=key_path)
    assert done.state is PurgeState.DONE
    assert purge.complete(done)
    assert done.facts["deleted"] == {
        "rows": 8, "places": 1, "suppressions": 1, "receipt_stops": 1, "links": 1, "tickets": 1
    }  # fmt: skip
    assert done.facts["packages"][0]["hash"] == "b" * 64
    assert done.facts["key_ids"] == [KEY.digest.key_id]
    assert (done.facts["asked_by"], done.facts["done_by"]) == ("王芳", "冯一")
    assert not there(key_path)
    async with store.reading() as session:
        for model in (RollRow, RollPlace, Suppression, ReceiptStop, LookupLink):
            assert await session.scalar(select(func.count()).select_from(model)) == 0
        state = await session.get_one(RollState, 1)
        assert (state.current_id, state.previous_id) == (None, None)
        assert await session.scalar(select(RollImport.state)) is ImportState.PURGED
        assert (await audit.verify(session))[1] is None


async def test_no_digest_stays_in_the_files_of_the_database(
    store: Store, cast: Cast, now: datetime, roll: list[bytes], key_path: Path
) -> None:
    """A file is looked through byte by byte; of a table that PostgreSQL truncates there is none left."""

    async def kept() -> int:
        if store.sqlite:
            file = Path(store.url.partition("///")[2])
            content = b"".join(path.read_bytes() for path in file.parent.glob("store.db*"))
            return sum(digest in content for digest in roll)
        async with store.reading() as session:
            return await session.scalar(text("SELECT pg_relation_size('roll_row')")) or 0

    assert await kept() >= len(roll)
    day = now + LATE
    wish = await asked(store, cast.wang_fang, day)
    second = await a_second(store, cast, now)
    done = await purge.carry_out(store, wish.id, seen=wish.version, actor=second, now=day, key_path=key_path)
    assert done.facts["storage"] == "done"
    assert await kept() == 0


async def test_who_asked_cannot_carry_it_out(
    store: Store, cast: Cast, now: datetime, roll: list[bytes], key_path: Path
) -> None:
    day = now + LATE
    wish = await asked(store, cast.wang_fang, day)
    with pytest.raises(NotPermitted, match="second_person_needed"):
        await purge.carry_out(
            store, wish.id, seen=wish.version, actor=cast.wang_fang, now=day, key_path=key_path
        )
    with pytest.raises(NotPermitted, match="not_permitted"):
        await purge.carry_out(
            store, wish.id, seen=wish.version, actor=cast.zhou_ning, now=day, key_path=key_path
        )
    with pytest.raises(NotPermitted):
        await asked(store, cast.li_qiang, day)
    assert there(key_path)
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(RollRow)) == len(roll)


async def test_before_the_thirtieth_day_it_needs_a_reason(
    store: Store, cast: Cast, now: datetime, roll: list[bytes]
) -> None:
    with pytest.raises(Invalid, match=re.escape("roll_purge.early")):
        await asked(store, cast.wang_fang, now)
    with pytest.raises(Invalid, match=re.escape("roll_purge.basis")):
        async with store.transaction() as session:
            await purge.ask(session, basis=" ", actor=cast.wang_fang, now=now + LATE)
    async with store.reading() as session:
        found = await purge.standing(session, now)
        assert found is not None
        assert found.from_day == ELECTION_DAY + timedelta(days=30)
    early = await asked(store, cast.wang_fang, now, reason="名册另行重做")
    assert early.facts["early"] == "名册另行重做"
    with pytest.raises(Conflict, match=re.escape("roll_purge.asked_already")):
        await asked(store, cast.wang_fang, now + LATE)
    async with store.transaction() as session:
        await purge.drop(session, await purge.get(session, early.id), actor=cast.wang_fang, now=now)
    assert (await asked(store, cast.wang_fang, now + LATE)).facts["early"] == ""


async def test_without_a_roll_there_is_nothing_to_ask_for(store: Store, cast: Cast, now: datetime) -> None:
    with pytest.raises(Conflict, match=re.escape("roll_purge.nothing")):
        await asked(store, cast.wang_fang, now + LATE)


async def test_a_key_that_could_not_be_removed_is_told_and_tried_again(
    store: Store, cast: Cast, now: datetime, roll: list[bytes], tmp_path: Path
) -> None:
    stuck = tmp_path / "mounted"
    stuck.mkdir()
    day = now + LATE
    wish = await asked(store, cast.wang_fang, day)
    second = await a_second(store, cast, now)
    done = await purge.carry_out(store, wish.id, seen=wish.version, actor=second, now=day, key_path=stuck)
    assert done.facts["key"]["end"] == KeyEnd.KEPT.value
    assert done.facts["key"]["why"] == "IsADirectoryError"
    assert not purge.complete(done)
    stuck.rmdir()
    again = await purge.finish(store, wish.id, actor=second, now=day, key_path=stuck)
    assert again.facts["key"]["end"] == KeyEnd.ABSENT.value
    assert purge.complete(again)


def test_the_key_of_the_next_election_is_left_alone(key_path: Path) -> None:
    assert destroy(key_path, ["0" * 16]) == (KeyEnd.OTHER, "")
    assert keys.read_service(key_path) == KEY.digest


def test_a_file_that_is_no_key_goes_too(tmp_path: Path) -> None:
    path = tmp_path / "roll.key"
    path.write_text("{}", encoding="utf-8")
    assert destroy(path, ["0" * 16]) == (KeyEnd.DESTROYED, "")
    assert not path.exists()


def test_a_key_behind_a_link_is_overwritten_where_it_lies(tmp_path: Path, key_path: Path) -> None:
    link = tmp_path / "link.key"
    link.symlink_to(key_path)
    assert destroy(link, [KEY.digest.key_id]) == (KeyEnd.DESTROYED, "")
    assert not key_path.exists()
    assert not link.is_symlink()
