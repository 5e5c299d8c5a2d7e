"""What differs between the kinds of change on their pages: how they are signed, undone and shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from admin import calendar_rows, rule_fields, station_differences, worktime_days
from admin.pages import Desk
from admin.refusals import in_words
from admin.roll_signer import aloud
from knowledge import elections, eligibility, packs, rules, station_imports
from knowledge.calendar import BadCalendar, Election
from knowledge.eligibility import BadRow
from knowledge.moves import compared
from office import changes, units, worktime
from office.changes import Change, ChangeKind, ChangeState
from office.hours import beijing_day

MOST_ROWS = 200
STATION_ROWS = 20
STATION_FAULTS = 10


@dataclass(frozen=True, slots=True)
class KindOfChange:
    """The acts go through the module that owns the kind, so that what follows happens with them.

    `shown` gives what a page tells of a change: `rows` with before and after, `notes`, how many are `left`
    out, and a `link` to more. `address` is the page of what is changed.
    """

    sign: Callable[[Desk, Change, int], Awaitable[None]]
    undo: Callable[[Desk, Change], Awaitable[None]]
    shown: Callable[[Desk, Change], Awaitable[dict[str, Any]]]
    address: Callable[[Change], str]


def subject_in_words(desk: Desk, change: Change) -> str:
    """What a change is about: the pack with its row, or the kind where there is only one of it."""
    if change.kind is not ChangeKind.RULES:
        words = desk.t(f"change.kind.{change.kind.value}")
        return words[:1].upper() + words[1:]  # a heading, also in English
    pack_id, _, row = change.subject.partition(":")
    name = packs.load(pack_id).name_in(desk.frame.language) if pack_id in packs.names() else pack_id
    return f"{name} · {desk.t('packs.contacts') if row == rules.CONTACTS else row}"


def _told(rows: list[dict[str, Any]], notes: list[dict[str, str]], most: int = MOST_ROWS) -> dict[str, Any]:
    return {"rows": rows[:most], "notes": notes, "left": max(0, len(rows) - most), "link": None}


def _day(desk: Desk, change: Change) -> date:
    """The day on which a change meets what it replaces: when it began to hold, or would begin today."""
    today = beijing_day(desk.now)
    if change.state is ChangeState.PROPOSED:
        return max(change.effective_from or today, today)
    return change.effective_from or beijing_day(change.signed_at or change.created_at)


# ---- rules ----


async def _sign(desk: Desk, change: Change, seen: int) -> None:
    await changes.sign(desk.session, change, seen=seen, actor=desk.person, now=desk.now)


async def _undo(desk: Desk, change: Change) -> None:
    await changes.undo(desk.session, change, actor=desk.person, now=desk.now)


async def _rules(desk: Desk, change: Change) -> dict[str, Any]:
    pack_id, _, row = change.subject.partition(":")
    earlier = await changes.before(desk.session, change, on=_day(desk, change))
    if row == rules.CONTACTS:
        old = earlier.content["contacts"] if earlier else []
        return _told(_contacts(desk, old, change.content["contacts"]), [])
    try:
        pack = packs.load(pack_id)
        after = eligibility.adapted(pack, {row: change.content}).rows(row)[0]
        before = eligibility.adapted(pack, {row: earlier.content} if earlier else {}).rows(row)[0]
    except (KeyError, BadRow) as error:
        # The files have changed since: what was written stays readable, value by value.
        reason = in_words(error, desk.frame.language) if isinstance(error, BadRow) else desk.t("pack_unknown")
        words = desk.t("changes.no_longer_fits", reason=reason)
        return _told(_values(earlier, change), [{"words": words, "tone": "danger"}])
    return _told(rule_fields.between(desk, before, after), rule_fields.untranslated(desk, change.content))


def _values(earlier: Change | None, change: Change) -> list[dict[str, Any]]:
    found = changes.differences(earlier.content if earlier else {}, change.content)
    return [rule_fields.row(path, *rule_fields.sides(_lines(old), _lines(new))) for path, old, new in found]


def _lines(value: Any) -> list[str]:
    return [] if value is None else [str(value)]


def _contacts(desk: Desk, old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    before, after = ({row["name"]: row for row in rows} for rows in (old, new))
    return [
        rule_fields.row(name, *rule_fields.sides(_card(desk, before.get(name)), _card(desk, after.get(name))))
        for name in dict.fromkeys([*after, *before])
        if before.get(name) != after.get(name)
    ]


def _card(desk: Desk, row: Mapping[str, Any] | None) -> list[str]:
    if row is None:
        return []
    told = {name: "、".join(value) if name == "says" else value for name, value in row.items() if value}
    return [f"{desk.t(f'packs.contact_{name}')}：{value}" for name, value in told.items() if name != "name"]


# ---- the calendar ----


async def _sign_calendar(desk: Desk, change: Change, seen: int) -> None:
    await elections.sign(desk.session, change, seen=seen, actor=desk.person, now=desk.now)


async def _undo_calendar(desk: Desk, change: Change) -> None:
    await elections.undo(desk.session, change, actor=desk.person, now=desk.now)


async def _calendar(desk: Desk, change: Change) -> dict[str, Any]:
    """All dates before and after; for one that waits, who will be told and what would make it refused."""
    notes: list[dict[str, str]] = []
    region = str(change.content.get("region") or rules.DEFAULT)
    if change.state is ChangeState.PROPOSED:
        try:
            found = await elections.preview(desk.session, change.content, desk.now)
        except BadCalendar as error:
            for one in calendar_rows.findings(desk, error.findings, region):
                notes.append({"words": one["words"], "tone": "danger"})
        else:
            told = desk.t("election.follows", told=found.subscribers, entries=found.entries)
            notes.append({"words": told, "tone": "info"})
            for one in calendar_rows.findings(desk, found.doubts, region):
                notes.append({"words": one["words"], "tone": "warn"})
            notes += await calendar_rows.stations_astray(desk, elections.dates_of(found.election))
    earlier = await changes.before(desk.session, change, on=_day(desk, change))
    old = elections.dates_of(Election.from_content(earlier.content) if earlier else None)
    new = elections.dates_of(Election.from_content(change.content))
    return _told(calendar_rows.before_and_after(desk, compared(old, new)), notes)


# ---- working time ----


async def _hours(desk: Desk, change: Change) -> dict[str, Any]:
    """The weekdays and the days ahead whose hours differ, and where the tables of the years come from."""
    earlier = await changes.before(desk.session, change, on=_day(desk, change))
    before, after = worktime.of_change(earlier), worktime.of_change(change)
    on_duty = await worktime_days.on_duty(desk, change)
    found = worktime_days.compared(desk, before, after, _day(desk, change), on_duty)
    rows = [_hours_row(row["weekday"], row["before"], row["after"]) for row in found["week"]]
    for row in found["days"]:
        then, now = row["before"], row["after"]
        label = f"{now['day']} {now['year']} · {now['weekday']}"
        rows.append(_hours_row(label, _day_words(then), _day_words(now)))
    for row in found["sources"]:
        rows.append(_hours_row(desk.t("changes.source_of", year=row["year"]), row["before"], row["after"]))
    notes = [{"words": words, "tone": "warn"} for words in found["rostered"]]
    notes += [
        {"words": desk.t(f"changes.hours_{name}", n=found[name]), "tone": "info"}
        for name in ("plain", "past")
        if found[name]
    ]
    whole = {"href": f"/admin/hours/changes/{change.id}", "words": desk.t("hours.see_days")}
    return _told(rows, notes) | {"left": found["more"], "link": whole}


def _hours_row(label: str, before: str, after: str) -> dict[str, Any]:
    return rule_fields.row(label, *rule_fields.sides([before] if before else [], [after] if after else []))


def _day_words(cell: Mapping[str, Any]) -> str:
    return " ".join([*(mark["words"] for mark in cell["marks"]), cell["hours"]])


# ---- stations ----


async def _publish(desk: Desk, change: Change, seen: int) -> None:
    await station_imports.publish(desk.session, change, seen=seen, actor=desk.person, now=desk.now)


async def _unpublish(desk: Desk, change: Change) -> None:
    await station_imports.undo(desk.session, change, actor=desk.person, now=desk.now)


async def _stations(desk: Desk, change: Change) -> dict[str, Any]:
    """How many stations come, change and go, the first of them, and what was left out of the file."""
    found = await station_imports.preview(desk.session, change)
    counts = {
        "added": len(found.added), "changed": len(found.changed), "removed": len(found.removed),
        "unchanged": found.unchanged, "bad": found.bad,
    }  # fmt: skip
    notes = [{"words": desk.t("changes.stations", **counts), "tone": "info"}]
    if found.source:
        notes[0]["words"] += desk.t("changes.stations_from", source=found.source)
    if found.moved:
        codes = desk.t("list.comma").join(found.moved[:STATION_ROWS])
        notes.insert(0, {"words": desk.t("changes.stations_moved", codes=codes), "tone": "danger"})
    notes += [
        {"words": station_differences.at_fault(desk, fault), "tone": "warn"}
        for fault in found.faults[:STATION_FAULTS]
    ]
    if len(found.faults) > STATION_FAULTS:
        left = desk.t("changes.stations_faults", n=len(found.faults) - STATION_FAULTS)
        notes.append({"words": left, "tone": "warn"})
    units_by_code = {unit.code: unit.name for unit in await units.all_units(desk.session)}
    rows = [
        *(rule_fields.row(_station(one), *rule_fields.sides([one.name], [])) for one in found.removed),
        *(_fields(desk, one, units_by_code) for one in found.changed),
        *(rule_fields.row(_station(one), *rule_fields.sides([], [one.name])) for one in found.added),
    ]
    whole = {"href": f"/admin/stations/imports/{change.id}", "words": desk.t("stationdesk.see_all")}
    return _told(rows, notes, STATION_ROWS) | {"link": whole}


def _station(one: station_imports.Changed) -> str:
    return f"{one.code} {one.name}"


def _fields(desk: Desk, one: station_imports.Changed, names: Mapping[str, str]) -> dict[str, Any]:
    def lines(side: int) -> list[str]:
        found = []
        for name, *values in one.fields:
            words = station_differences.field_words(desk, name, values[side], names) or "—"
            field = desk.t_or(f"stationdesk.field.{name}", name)
            found += f"{field}{desk.t('stationdesk.colon')}{words}".split("\n")
        return found

    before, after = lines(0), lines(1)
    return rule_fields.row(_station(one), *rule_fields.sides(before, after))


# ---- who signs rolls ----


async def _signer(desk: Desk, change: Change) -> dict[str, Any]:
    """The keys before and after in groups of four: whoever signs compares them by ear."""
    earlier = await changes.before(desk.session, change, on=_day(desk, change))
    before, after = earlier.content if earlier else {}, change.content
    names = ("election", "public_key", "key_id")
    rows = [
        rule_fields.row(
            desk.t(f"signer_page.{name}"), *rule_fields.sides(_key(name, before), _key(name, after))
        )
        for name in names
        if before.get(name) != after.get(name)
    ]
    return _told(rows, [{"words": desk.t("signer_page.aloud"), "tone": "info"}])


def _key(name: str, content: Mapping[str, Any]) -> list[str]:
    value = str(content.get(name, ""))
    return [value if name == "election" else aloud(value)] if value else []


# ---- the table ----

KINDS: Mapping[ChangeKind, KindOfChange] = {
    ChangeKind.RULES: KindOfChange(
        _sign, _undo, _rules, lambda change: "/admin/packs/" + change.subject.replace(":", "/")
    ),
    ChangeKind.CALENDAR: KindOfChange(
        _sign_calendar, _undo_calendar, _calendar, lambda change: "/admin/calendar"
    ),
    ChangeKind.HOURS: KindOfChange(_sign, _undo, _hours, lambda change: "/admin/hours"),
    ChangeKind.STATIONS: KindOfChange(_publish, _unpublish, _stations, lambda change: "/admin/stations"),
    ChangeKind.SIGNER: KindOfChange(_sign, _undo, _signer, lambda change: "/admin/roll-signer"),
}
