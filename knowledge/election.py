"""An election as the office enters it: day, windows, postings, its own distances; read, checked for form."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto
from typing import Any

from office.errors import Invalid


class Level(StrEnum):
    """District and town congresses are elected together and counted apart."""

    COUNTY = auto()
    TOWNSHIP = auto()


class DateKind(StrEnum):
    """The days of an election that people ask about, in the order in which they are shown."""

    DAY = auto()
    AGE_LINE = auto()
    REGISTRATION = auto()
    REGISTRATION_OPENS = auto()
    REGISTRATION_CLOSES = auto()
    LOOKUP = auto()
    LIST_POSTED = auto()
    APPEALS_CLOSE = auto()
    APPEAL_DECIDED = auto()
    SUITS_CLOSE = auto()
    SUSPENSION_SERVED = auto()
    COURT_DECIDES = auto()
    LIST_AMENDED = auto()
    NOMINATION_OPENS = auto()
    NOMINEES_POSTED = auto()
    CANDIDATES_POSTED = auto()
    INTRODUCTION_STOPS = auto()
    VOTING = auto()


K = DateKind
POSTINGS = (K.LIST_POSTED, K.NOMINEES_POSTED, K.CANDIDATES_POSTED)
"""What is posted by a latest day and then on an actual one, which the office enters."""
WINDOWS = (K.REGISTRATION, K.REGISTRATION_OPENS, K.REGISTRATION_CLOSES)
ENTERED = (*WINDOWS, K.LOOKUP)
"""Spans that the office enters and that are counted from nothing; of lookup there may be none at all."""
MOST_VOTING_DAYS = 3
MOST_DAYS = 365
# The election law is of 1979; a year far from now is a slip of the pen.
FIRST_YEAR, LAST_YEAR = 1979, 2199
FIELDS = ("name", "level", "region", "day", "voting_days", "windows", "lookup", "posted", "offsets")
_ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a calendar, or doubtful: `field` names the place (`windows[1].to`)."""

    field: str
    key: str
    blocks: bool = True
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class BadCalendar(Invalid):
    """A calendar that contradicts itself or cannot be read; its first finding is the one said."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].key, field=findings[0].field, **findings[0].facts)
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of days in which an audience registers, or anybody may look up; first and last included."""

    first: date
    last: date
    audience: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A district's own distance in days, with the paper it rests on."""

    days: int
    basis: str


@dataclass(frozen=True, slots=True)
class Election:
    """One election of one region; `day` is None until the committee has fixed it.

    `lookup` holds the days on which registration can be looked up: without any it stays closed.
    """

    name: str
    region: str
    day: date | None = None
    level: Level = Level.COUNTY
    voting_days: int = 1
    windows: tuple[Window, ...] = ()
    posted: Mapping[DateKind, date] = dataclasses.field(default_factory=dict)
    offsets: Mapping[DateKind, Override] = dataclasses.field(default_factory=dict)
    lookup: tuple[Window, ...] = ()

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Election:
        """Read the content of a calendar's change; raises `BadCalendar` that names what cannot be read."""
        _known(content, "", FIELDS)
        name = str(content.get("name") or "").strip()
        if not name:
            raise BadCalendar(Finding("name", "calendar.missing"))
        level = content.get("level") or Level.COUNTY
        if level not in tuple(Level):
            raise BadCalendar(Finding("level", "calendar.unknown", facts={"said": str(level)}))
        days = content.get("voting_days", 1)
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_VOTING_DAYS:
            raise BadCalendar(Finding("voting_days", "calendar.voting_days", facts={"said": str(days)}))
        return cls(
            name=name,
            level=Level(level),
            region=str(content.get("region") or "shanghai"),
            day=_day(content["day"], "day") if content.get("day") else None,
            voting_days=days,
            windows=_windows(content.get("windows") or [], "windows", ("audience", "from", "to", "note")),
            lookup=_windows(content.get("lookup") or [], "lookup", ("from", "to", "note")),
            posted=dict(_posted(_mapping(content.get("posted") or {}, "posted"))),
            offsets=dict(_overrides(_mapping(content.get("offsets") or {}, "offsets"))),
        )

    def as_content(self) -> dict[str, Any]:
        """The content of a change, from which `from_content` reads this again."""
        return {
            "name": self.name,
            "level": self.level.value,
            "region": self.region,
            "day": self.day.isoformat() if self.day else None,
            "voting_days": self.voting_days,
            "windows": [{"audience": w.audience, **_span(w)} for w in self.windows],
            # Calendars of before lookup was there have no such part, and are still the same calendars.
            **({"lookup": [_span(w) for w in self.lookup]} if self.lookup else {}),
            "posted": {kind.value: day.isoformat() for kind, day in self.posted.items()},
            "offsets": {
                kind.value: {"days": found.days, "basis": found.basis} for kind, found in self.offsets.items()
            },
        }


def _known(content: Mapping[str, Any], where: str, names: Iterable[str]) -> None:
    for name in content:
        if name not in names:
            place = f"{where}.{name}" if where else str(name)
            raise BadCalendar(Finding(place, "calendar.unknown", facts={"said": str(name)}))


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadCalendar(Finding(where, "calendar.unreadable", facts={"said": str(value)[:40]}))
    return value


def _day(value: Any, where: str) -> date:
    # YAML makes days of what JSON carries as text.
    text = str(value)
    try:
        day = date.fromisoformat(text if _ISO.fullmatch(text) else "")
    except ValueError:
        day = date.max
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadCalendar(Finding(where, "calendar.no_day", facts={"said": text[:40]}))
    return day


def _span(window: Window) -> dict[str, str]:
    return {"from": window.first.isoformat(), "to": window.last.isoformat(), "note": window.note}


def _windows(rows: Any, top: str, columns: Iterable[str]) -> tuple[Window, ...]:
    if not isinstance(rows, list | tuple):
        raise BadCalendar(Finding(top, "calendar.unreadable", facts={"said": str(rows)[:40]}))
    found = []
    for number, given in enumerate(rows):
        where = f"{top}[{number}]"
        row = _mapping(given, where)
        _known(row, where, columns)
        found.append(
            Window(
                _day(row.get("from"), f"{where}.from"),
                _day(row.get("to"), f"{where}.to"),
                str(row.get("audience") or "").strip(),
                str(row.get("note") or "").strip(),
            )
        )
    return tuple(found)


def _kind(name: str, where: str, among: Callable[[DateKind], bool]) -> DateKind:
    if name not in tuple(DateKind) or not among(DateKind(name)):
        raise BadCalendar(Finding(where, "calendar.unknown", facts={"said": str(name)[:40]}))
    return DateKind(name)


def _posted(rows: Mapping[str, Any]) -> Iterable[tuple[DateKind, date]]:
    for name, day in rows.items():
        where = f"posted.{name}"
        yield _kind(name, where, POSTINGS.__contains__), _day(day, where)


def _overrides(rows: Mapping[str, Any]) -> Iterable[tuple[DateKind, Override]]:
    for name, given in rows.items():
        where = f"offsets.{name}"
        kind = _kind(name, where, lambda kind: kind not in (*ENTERED, K.DAY, K.VOTING, K.AGE_LINE))
        row = _mapping(given, where)
        _known(row, where, ("days", "basis"))
        days = row.get("days")
        if not isinstance(days, int) or isinstance(days, bool) or abs(days) > MOST_DAYS:
            raise BadCalendar(Finding(f"{where}.days", "calendar.no_number", facts={"said": str(days)}))
        if not str(row.get("basis") or "").strip():
            raise BadCalendar(Finding(f"{where}.basis", "calendar.no_basis"))
        yield kind, Override(days, str(row["basis"]).strip())
