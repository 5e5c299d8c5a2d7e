"""The calendar's milestones as lines of a page: when, in which tense, whence; before and after a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from admin import times
from admin.pages import Desk
from knowledge import calendar, moves, packs, station_days
from knowledge.calendar import DateKind, Dates, Election, Finding, KeyDate, Tense
from knowledge.election import ENTERED, FIELDS
from knowledge.milestones import POSTINGS
from knowledge.moves import Move
from knowledge.stations import StationKind
from office.words import say

TONES = {Tense.BEFORE: "info", Tense.RUNNING: "active", Tense.LAST: "warn", Tense.OVER: "neutral"}
# What a window says by itself need not stand in three lines.
REPEATED = (DateKind.REGISTRATION_OPENS, DateKind.REGISTRATION_CLOSES)
MOST_CODES = 8
WINDOW = {"audience": "audience", "from": "from", "to": "to", "note": "note"}


def rows(desk: Desk, dates: Dates, today: date, region: str) -> list[dict[str, Any]]:
    """Every milestone that has a date."""
    language = desk.frame.language
    return [
        {
            "kind": kind.value,
            "label": name(desk, one),
            "when": when(one, language, today),
            "tense": "" if kind is DateKind.AGE_LINE else calendar.tense(one, today, language),
            "tone": TONES[calendar.tense_of(one, today)],
            "advice": "" if kind is DateKind.AGE_LINE else calendar.advice(one, today, language),
            "source": source(desk, one, region),
            "entered": _entered(one),
            "basis": one.citation,
            "own": one.basis,
        }
        for kind, found in dates.items()
        if kind not in REPEATED
        for one in found
    ]


def name(desk: Desk, one: KeyDate) -> str:
    """What a milestone is called, with its audience."""
    label = calendar.label(one, desk.frame.language)
    return f"{label} · {one.audience}" if one.audience else label


def kind_label(desk: Desk, kind: DateKind, region: str) -> str:
    """What a milestone is called where it has no date: by the region's pack, if that has a rule for it."""
    if kind is DateKind.LOOKUP:
        return calendar.label(kind, desk.frame.language)
    table = calendar.rules(region) if region in packs.names() else ()
    found = next((rule for rule in table if rule.kind == kind.value), None)
    return found.label_in(desk.frame.language) if found else desk.t("election.field_windows")


def source(desk: Desk, one: KeyDate, region: str) -> str:
    """Whether somebody entered the day, or from what it is counted."""
    if one.kind in POSTINGS and not one.latest:
        return desk.t("election.posted_on")
    if one.kind is DateKind.AGE_LINE:
        return desk.t("election.by_age")
    if one.days is None or one.rule is None:
        return desk.t("election.entered")
    base = kind_label(desk, DateKind(one.rule.base), region)
    if one.days == 0:
        return desk.t("election.same_day", base=base)
    key = "election.days_before" if one.days < 0 else "election.days_after"
    return desk.t(key, base=base, n=abs(one.days))


def _entered(one: KeyDate) -> bool:
    return one.days is None and one.kind is not DateKind.AGE_LINE


def when(one: KeyDate, language: str, today: date) -> str:
    """The day or days, with the year where it is not this one."""
    if one.kind is DateKind.AGE_LINE:
        return calendar.spoken(one.first, language, year=True)
    return moves.when(one, today, language)


async def stations_astray(desk: Desk, dates: Dates) -> list[dict[str, str]]:
    """Warnings of the stations whose hours would not fit these dates, one for each kind, with a way there."""
    found = await station_days.strays(desk.session, dates)
    return [
        {
            "words": desk.t(
                f"election.astray_{kind.value}", n=len(codes),
                codes=desk.t("list.comma").join(codes[:MOST_CODES] + ["…"] * (len(codes) > MOST_CODES)),
            ),
            "tone": "warn",
            "href": f"/admin/stations?kind={kind.value}",
            "link": desk.t("election.astray_link"),
        }
        for kind in StationKind
        if (codes := [one.code for one in found if one.kind is kind])
    ]  # fmt: skip


def missing(desk: Desk, election: Election, dates: Dates, today: date) -> list[str]:
    """What the office has not entered yet, and what follows from that."""
    region, found = election.region, []
    if election.day is None:
        found.append(desk.t("election.no_day"))
    if DateKind.REGISTRATION not in dates:
        found.append(desk.t("election.no_windows"))
    for kind in POSTINGS:
        if kind not in election.posted and kind in dates and dates[kind][0].last < today:
            found.append(desk.t("election.not_posted", label=kind_label(desk, kind, region)))
    undated = [
        kind_label(desk, kind, region) for kind in DateKind if kind not in (*dates, *ENTERED, DateKind.DAY)
    ]
    if undated:
        found.append(desk.t("election.undated", labels=desk.t("list.comma").join(undated)))
    return found


def before_and_after(desk: Desk, found: Iterable[Move]) -> list[dict[str, Any]]:
    """Lines of a table of differences, the dates that stay among them."""
    shown = []
    for row in found:
        if row.kind in REPEATED:
            continue
        either = row.after or row.before
        assert either is not None
        shown.append(
            {
                "label": name(desk, either),
                "note": _shift(desk, row),
                "before": _cell(desk, row.before, "removed" if row.moved else "same"),
                "after": _cell(desk, row.after, "added" if row.moved else "same"),
            }
        )
    return shown


def _cell(desk: Desk, one: KeyDate | None, kind: str) -> list[dict[str, str]]:
    today = calendar.today(desk.now)
    return [{"kind": kind, "text": when(one, desk.frame.language, today)}] if one else []


def _shift(desk: Desk, row: Move) -> str:
    if not row.moved or row.before is None or row.after is None:
        return "" if row.moved else desk.t("election.stays")
    days = (row.after.first - row.before.first).days
    if days == 0:
        return desk.t("election.changed")
    return desk.t("election.later" if days > 0 else "election.earlier", n=abs(days))


def findings(desk: Desk, found: Sequence[Finding], region: str) -> list[dict[str, Any]]:
    """What is wrong or doubtful in words, each with the address of its field on the form."""
    shown = []
    for one in found:
        facts = {name: _fact(desk, value) for name, value in one.facts.items()}
        words = say(one.key, desk.frame.language, **facts | {"field": field(desk, one.field, region)})
        shown.append({"blocks": one.blocks, "anchor": anchor(one.field), "words": words})
    return shown


def _fact(desk: Desk, value: Any) -> Any:
    """A day as people say it; everything else as it is."""
    try:
        return times.day(date.fromisoformat(value), desk.frame.language)
    except (TypeError, ValueError):
        return value


def field(desk: Desk, path: str, region: str) -> str:
    """The name of a place in a calendar: `windows[1].to`, `offsets.list_posted.days`."""
    first, _, rest = path.partition(".")
    top, _, place = first.partition("[")
    if top in tuple(DateKind) and top not in FIELDS:
        return kind_label(desk, DateKind(top), region)
    label = desk.t(f"election.field_{top}") if top in FIELDS else top
    if place:
        label = desk.t("packs.field_line", field=label, n=int(place.rstrip("]")) + 1)
    kind, _, inner = rest.partition(".")
    if kind in tuple(DateKind):
        label = kind_label(desk, DateKind(kind), region)
    parts = [label, *(desk.t(f"election.window_{part}") for part in (kind,) if part in WINDOW)]
    if inner in ("days", "basis"):
        parts.append(desk.t(f"election.offset_{inner}"))
    return " · ".join(parts)


def anchor(path: str) -> str:
    """The id of the form's field for a place in a calendar; empty where the form has none."""
    first, _, rest = path.partition(".")
    top, _, place = first.partition("[")
    if top in ("windows", "lookup") and place:
        return f"{top.removesuffix('s')}_{rest or 'from'}_{int(place.rstrip(']')) + 1}"
    if top == "posted" and rest:
        return f"posted_{rest}"
    if top == "offsets" and rest:
        kind, _, inner = rest.partition(".")
        return f"offset_{inner or 'days'}_{kind}"
    return first if first in FIELDS else ""
