"""The first filling: one's own district is taken as it is written, or refused with its wrong place."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import demo, demo_roll
from knowledge import base, elections
from knowledge.calendar import DateKind
from knowledge.roll import imports, keys, sample, signers
from knowledge.roll.lookup import lookup
from knowledge.roll.signers import Signer
from office import worktime
from office.hours import OfficeHours
from office.shifts import DutyShift
from office.store import Store

UNITS = "units:\n  - {code: DP, kind: district, name: 东浦区}\n"


@pytest.fixture(autouse=True)
def few_entries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The base takes its time to load, and is not what these tests are about."""
    monkeypatch.setattr(base, "FOLDER", tmp_path / "entries")


async def load(store: Store, folder: Path, now: datetime, election: str) -> None:
    (folder / "district.yaml").write_text(UNITS + f"election: {election}\n", encoding="utf-8")
    await demo.load(store, folder / "district.yaml", now=now)


async def test_a_sample_roster_changes_no_hour_but_saturdays(
    store: Store, tmp_path: Path, now: datetime
) -> None:
    people = (
        "staff:\n  - {name: 李强, unit: DP, roles: [duty_officer]}\n"
        "  - {name: 王芳, unit: DP, roles: [reviewer]}\n"
    )
    wish = 'roster: {officers: [李强, 王芳], leader: %s, saturday: "9:00-11:30"}\n'
    (tmp_path / "district.yaml").write_text(UNITS + people + wish % "王芳", encoding="utf-8")
    await demo.load(store, tmp_path / "district.yaml", now=now)
    async with store.reading() as session:
        hours = await worktime.hours(session, now=now)
        plain = OfficeHours.of(await worktime.in_force(session, now=now))
        shifts = list(await session.scalars(select(DutyShift).order_by(DutyShift.day, DutyShift.opens)))
    days = [date(2026, 11, 13) + timedelta(days=ahead) for ahead in range(15)]
    assert {shift.day for shift in shifts} <= set(days)
    assert {shift.duty for shift in shifts} == {"示例数据"}
    assert [day for day in days if hours.spans_on(day) != plain.spans_on(day)] == [
        date(2026, 11, 14),
        date(2026, 11, 21),
    ]
    assert {shift.officer_id for shift in shifts} == {shift.standby_id for shift in shifts}


async def test_a_roster_of_people_who_are_not_there_is_left_out(
    store: Store, tmp_path: Path, now: datetime
) -> None:
    wish = 'roster: {officers: [李强], leader: 王芳, saturday: "9:00-11:30"}\n'
    (tmp_path / "district.yaml").write_text(UNITS + wish, encoding="utf-8")
    await demo.load(store, tmp_path / "district.yaml", now=now)
    async with store.reading() as session:
        assert await session.scalar(select(DutyShift.id)) is None


async def test_the_election_of_the_file_is_in_force(store: Store, tmp_path: Path, now: datetime) -> None:
    await load(
        store, tmp_path, now,
        "{unit: DP, name: 示例选举, day: 2026-12-29, "
        "registration: [{audience: 居民, from: 2026-11-25, to: 2026-12-05, note: 9:00–17:00}]}",
    )  # fmt: skip
    async with store.reading() as session:
        found = await elections.spans(session, now)
    assert found[DateKind.LIST_POSTED][0].first == date(2026, 12, 9)
    assert found[DateKind.REGISTRATION][0].note == "9:00–17:00"


@pytest.mark.parametrize(
    ("election", "place"),
    [
        ("{unit: XX, name: 示例选举}", "election.unit"),
        ("{unit: DP, name: 示例选举, day: soon}", "day"),
        (
            "{unit: DP, name: 示例选举, registration: [{from: 2026-12-05, to: 2026-12-01}]}",
            "windows[0].to",
        ),
    ],
)
async def test_an_election_that_cannot_be_is_refused_with_its_place(
    store: Store, tmp_path: Path, now: datetime, election: str, place: str
) -> None:
    with pytest.raises(demo.BadFile, match=place.replace("[", "\\[").replace("]", "\\]")):
        await load(store, tmp_path, now, election)
    assert await demo.empty(store)


ROLL = "roll: {election: 东浦区2026, voters: 400}\n"


async def fill(store: Store, folder: Path, now: datetime) -> Path:
    (folder / "district.yaml").write_text(UNITS + ROLL, encoding="utf-8")
    await demo.load(store, folder / "district.yaml", now=now, roll_key=folder / "var" / "roll.key")
    return folder / "var" / "roll.key"


async def test_the_sample_roll_is_in_force_from_the_start(
    store: Store, tmp_path: Path, now: datetime
) -> None:
    path = await fill(store, tmp_path, now)
    key = keys.read_service(path)
    async with store.reading() as session:
        found = await imports.in_force(session)
        assert found is not None
        assert (found.counts["persons"], found.counts["receipts"], found.counts["canaries"]) == (400, 400, 3)
        assert (found.key_id, found.prepared_by_id) == (key.key_id, None)
    first = next(sample.voters(1))
    for digest in (key.identity(first.name, first.number), key.receipt(first.receipt)):
        seen = await lookup(store, digest, key_id=key.key_id)
        assert seen.found is not None
        assert (seen.found.district, seen.found.station) == (first.place.district, first.place.station)


async def test_a_package_can_be_made_and_carried_in_with_the_keys_of_the_sample(
    store: Store, tmp_path: Path, now: datetime
) -> None:
    path = await fill(store, tmp_path, now)
    offline = keys.read_offline(path.with_name(demo_roll.OFFLINE))
    async with store.reading() as session:
        signer = await signers.in_force(session, now=now)
    assert signer == Signer(offline.signer, "东浦区2026", keys.read_service(path).key_id)


async def test_a_key_that_is_there_already_stays(store: Store, tmp_path: Path, now: datetime) -> None:
    (tmp_path / "var").mkdir()
    key = keys.make("东浦区2026")
    keys.write_service(key.digest, tmp_path / "var" / "roll.key")
    assert keys.read_service(await fill(store, tmp_path, now)) == key.digest
    assert not (tmp_path / "var" / demo_roll.OFFLINE).exists()


async def test_without_a_place_for_the_key_there_is_no_roll(
    store: Store, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "district.yaml").write_text(UNITS + ROLL, encoding="utf-8")
    await demo.load(store, tmp_path / "district.yaml", now=now)
    async with store.reading() as session:
        assert await imports.in_force(session) is None
