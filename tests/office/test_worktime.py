"""The working time as the office's own: shipped, proposed, signed, undone; and as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office import changes, timetable, timetable_files, worktime
from office.changes import Change, ChangeState
from office.errors import Conflict, Invalid, NotPermitted
from office.hours import BEIJING, OfficeHours
from office.store import Store
from office.timetable import Span, Timetable
from office.timetable_files import SHIPPED, read, shipped, written
from tests.make import Cast

SATURDAY = date(2026, 11, 28)
SHIFT = (Span.parse("9:00-12:00"),)


def with_shift(table: Timetable | None = None, day: date = SATURDAY) -> Timetable:
    return replace(table or shipped(), shifts={day: SHIFT})


async def proposed(
    store: Store, cast: Cast, now: datetime, table: Timetable, *, seen: int = 0, basis: str = "值班表第3号"
) -> Change:
    async with store.transaction() as session:
        return await worktime.propose(session, table, basis=basis, seen=seen, actor=cast.li_qiang, now=now)


async def signed(store: Store, cast: Cast, now: datetime, change: Change) -> None:
    async with store.transaction() as session:
        found = await changes.get(session, change.id)
        await changes.sign(session, found, seen=found.version, actor=cast.wang_fang, now=now)


async def in_force(store: Store, now: datetime) -> OfficeHours:
    async with store.reading() as session:
        return await worktime.hours(session, now=now)


# --- what holds ---


async def test_until_something_is_signed_the_shipped_table_holds(
    store: Store, cast: Cast, now: datetime
) -> None:
    assert await in_force(store, now) == OfficeHours.of(shipped())
    change = await proposed(store, cast, now, with_shift())
    assert not (await in_force(store, now)).is_duty_day(SATURDAY)
    await signed(store, cast, now, change)
    assert (await in_force(store, now)).spans_on(SATURDAY) == SHIFT


async def test_what_was_undone_holds_no_more_and_what_was_before_it_holds_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    first = await proposed(store, cast, now, with_shift())
    await signed(store, cast, now, first)
    second = await proposed(store, cast, now, shipped(), seen=first.id)
    await signed(store, cast, now, second)
    assert not (await in_force(store, now)).is_duty_day(SATURDAY)
    async with store.transaction() as session:
        await changes.undo(session, await changes.get(session, second.id), actor=cast.wang_fang, now=now)
    assert (await in_force(store, now)).is_duty_day(SATURDAY)
    async with store.reading() as session:
        found = await worktime.history(session)
    assert [(change.number, change.state) for change in found] == [
        (2, ChangeState.UNDONE),
        (1, ChangeState.SIGNED),
    ]
    assert worktime.waiting(found) is None


async def test_the_content_survives_the_database_unchanged(store: Store, cast: Cast, now: datetime) -> None:
    table = with_shift()
    change = await proposed(store, cast, now, table)
    async with store.reading() as session:
        kept = await changes.get(session, change.id)
        assert worktime.of_change(kept) == table
        assert json.dumps(kept.content) == json.dumps(table.content())
        assert worktime.waiting(await worktime.history(session)) is kept


# --- what is refused ---


async def test_faulty_unchanged_overtaken_and_unfounded_proposals_are_refused(
    store: Store, cast: Cast, now: datetime
) -> None:
    faulty = timetable.read({"weekly": {"monday": []}})
    for table, basis, expected in (
        (faulty, "依据", Invalid("hours_faulty")),
        (shipped(), "依据", Invalid("hours_unchanged")),
        (with_shift(), "  ", Invalid("change_basis")),
    ):
        with pytest.raises(Invalid) as refused:
            await proposed(store, cast, now, table, basis=basis)
        assert refused.value.key == expected.key
    change = await proposed(store, cast, now, with_shift())
    with pytest.raises(Conflict, match="change_open"):
        await proposed(store, cast, now, with_shift(day=SATURDAY + timedelta(days=1)))
    await signed(store, cast, now, change)
    with pytest.raises(Conflict, match="hours_overtaken"):
        await proposed(store, cast, now, with_shift(day=SATURDAY + timedelta(days=1)))
    with pytest.raises(Invalid, match="hours_unchanged"):
        await proposed(store, cast, now, with_shift(), seen=change.id)


async def test_the_hours_of_the_whole_office_are_not_a_towns_to_change(
    store: Store, cast: Cast, now: datetime
) -> None:
    for person in (cast.zhao_lei, cast.zhou_ning):
        async with store.transaction() as session:
            with pytest.raises(NotPermitted):
                await worktime.propose(session, with_shift(), basis="依据", seen=0, actor=person, now=now)


async def test_the_proposer_cannot_sign(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await worktime.propose(
            session, with_shift(), basis="依据", seen=0, actor=cast.li_qiang, now=now
        )
        with pytest.raises(NotPermitted):
            await changes.sign(session, change, seen=change.version, actor=cast.li_qiang, now=now)


# --- years without a table ---


@pytest.mark.parametrize(
    ("years", "today", "missing", "pressing"),
    [
        ({2026}, "2026-09-30", (2027,), ()),
        ({2026}, "2026-10-01", (2027,), (2027,)),
        ({2026, 2027}, "2026-12-31", (), ()),
        ({2026}, "2027-01-01", (2027, 2028), (2027,)),
        ({2027}, "2026-06-01", (2026,), (2026,)),
        (set(), "2026-06-01", (2026, 2027), (2026,)),
    ],
)
def test_a_year_without_a_table_is_told_of_in_time(
    years: set[int], today: str, missing: Sequence[int], pressing: Sequence[int]
) -> None:
    hours = replace(OfficeHours.of(shipped()), years=frozenset(years))
    day = date.fromisoformat(today)
    assert worktime.missing_years(hours, day) == missing
    assert worktime.pressing_years(hours, day, day + timedelta(days=1)) == pressing


def test_a_year_presses_as_soon_as_a_promise_would_lie_in_it() -> None:
    hours = replace(OfficeHours.of(shipped()), years=frozenset({2026}))
    today = date(2026, 8, 1)
    assert worktime.pressing_years(hours, today, date(2026, 12, 31)) == ()
    assert worktime.pressing_years(hours, today, date(2027, 1, 4)) == (2027,)


def test_days_differ_by_their_hours_or_by_what_they_are_called() -> None:
    before = OfficeHours.of(shipped())
    renamed = timetable.read(
        {
            "weekly": shipped().content()["weekly"] | {"friday": ["9:00-12:00"]},
            "years": {2026: {"source": "示例", "days": [
                {"from": "2026-10-01", "to": "2026-10-08", "kind": "rest", "name": "国庆节"}]}},
            "shifts": {"2026-10-09": ["8:30-11:30", "13:30-17:30"]},
        }
    )  # fmt: skip
    span = date(2026, 9, 28), date(2026, 10, 12)
    found = list(worktime.differing_days(before, OfficeHours.of(renamed), *span))
    # Friday 10-02 stays a holiday; on 10-09 duty keeps the hours and says so; 10-10 is no workday any more.
    assert found == [date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 10)]
    assert list(worktime.differing_days(before, before, *span)) == []


def test_the_office_says_until_when_it_is_there() -> None:
    hours = OfficeHours.of(with_shift())

    def closes(text: str) -> str | None:
        at = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)
        found = hours.closes_at(at)
        return found.astimezone(BEIJING).strftime("%H:%M") if found else None

    assert closes("2026-11-20 10:05") == "11:30"
    assert closes("2026-11-20 11:30") is None
    assert closes("2026-11-20 13:30") == "17:30"
    assert closes("2026-11-28 11:59") == "12:00"
    assert closes("2026-11-28 12:00") is None


# --- as a file ---


def test_the_shipped_file_is_written_back_byte_for_byte() -> None:
    assert written(shipped()) == SHIPPED.read_text(encoding="utf-8")


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=12
).filter(lambda text: text.strip() and " ".join(text.split()) == text)
SPANS = st.lists(st.sampled_from(["8:30-11:30", "13:30-17:30", "0:00-24:00"]), max_size=2)


@given(
    NAMES,
    st.lists(st.tuples(NAMES, st.sampled_from(["work", "make_up", "rest"]), st.none() | SPANS), max_size=4),
    st.dictionaries(st.dates(date(2026, 1, 1), date(2027, 12, 31)), SPANS, max_size=3),
)
def test_every_timetable_goes_through_its_file_unchanged(
    source: str, rows: list[tuple[str, str, list[str] | None]], shifts: dict[date, list[str]]
) -> None:
    days: list[dict[str, Any]] = [
        {"day": f"2027-01-{number + 1:02}", "kind": kind, "name": name}
        | ({} if kind == "rest" or spans is None else {"spans": spans})
        for number, (name, kind, spans) in enumerate(rows)
    ]
    table = timetable.read(
        {"weekly": {"monday": ["8:30-11:30"]}, "years": {2027: {"source": source, "days": days}}}
        | {"shifts": shifts}
    )
    assert not table.faults
    text = written(table)
    again, lines = read(text.encode())
    assert (again, lines) == (table, ())
    assert again.content() == table.content()
    assert written(again) == text


def test_faults_of_a_file_are_named_with_their_lines() -> None:
    text = """weekly:
  monday: ["8:30-11:30"]
  monday: ["8:30-11:00"]
  funday: ["8:30-11:30"]
years:
  2026:
    days:
      - {day: 2026-02-30, kind: rest, name: 春节}
      - {from: 2026-10-07, to: 2026-10-01, kind: rest, name: 国庆节}
shifts:
  2026-11-28: 9:00-12:00
"""
    found, lines = read(text.encode())
    assert [(line, fault.key) for line, fault in zip(lines, found.faults, strict=True)] == [
        (3, "name_twice"),
        (4, "weekday"),
        (6, "source"),
        (8, "day"),
        (9, "reversed"),
        (11, "spans"),
    ]


@pytest.mark.parametrize(
    ("data", "key", "line"),
    [
        ("weekly:\n  名".encode("gb18030"), "file_encoding", 2),
        (b"weekly:\n  monday: [", "file_form", 2),
        (b"weekly: &all\n  monday: [8:30-11:30]\nshifts: *all\n", "file_form", 3),
        (b"[" * 5000, "file_form", 1),
        (b"a\n\x00", "file_form", 1),
        (b"#" * (timetable_files.LARGEST + 1), "file_large", 1),
        (b"", "table", 1),
        (b"- a\n- b\n", "table", 1),
    ],
)
def test_what_is_no_such_file_is_refused_whole(data: bytes, key: str, line: int) -> None:
    found, lines = read(data)
    assert ([fault.key for fault in found.faults], lines) == ([key], (line,))


def test_nothing_in_a_file_is_carried_out() -> None:
    found, _ = read(b"weekly: !!python/object/apply:os.getcwd []\n")
    assert [fault.key for fault in found.faults] == ["table"]
