"""The election calendar: entered days, computed statutory days, and the variables entries may use.

Offsets and their citations are data (`data/calendar/*.yaml`); nothing here knows a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum, auto
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.hours import BEIJING
from office.store import Base, word

RULES = Path(__file__).parent.parent / "data" / "calendar"
WEEKDAYS = "一二三四五六日"
NOT_ANNOUNCED = "时间尚未公布"


class Level(StrEnum):
    """District and town congresses are elected together and counted apart."""

    COUNTY = auto()
    TOWNSHIP = auto()


class DateKind(StrEnum):
    """The days of an election that people ask about."""

    DAY = auto()
    AGE_LINE = auto()
    REGISTRATION = auto()
    LIST_POSTED = auto()
    APPEALS_CLOSE = auto()
    SUITS_CLOSE = auto()
    LIST_AMENDED = auto()
    NOMINEES_POSTED = auto()
    CANDIDATES_POSTED = auto()
    VOTING = auto()


class Election(Base):
    """One election of one region; `day` stays empty until the committee has fixed it."""

    __tablename__ = "election"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    name: Mapped[str] = mapped_column(String(80))
    level: Mapped[Level] = mapped_column(word(Level))
    region: Mapped[str] = mapped_column(String(16), default="shanghai")
    day: Mapped[date | None]


class KeyDate(Base):
    """A day or span that the office entered: registration windows, and actual days of postings."""

    __tablename__ = "key_date"
    __table_args__ = (UniqueConstraint("election_id", "kind", "audience"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    election_id: Mapped[int] = mapped_column(ForeignKey("election.id"))
    kind: Mapped[DateKind] = mapped_column(word(DateKind))
    audience: Mapped[str] = mapped_column(String(40), default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    note: Mapped[str] = mapped_column(String(80), default="")


@dataclass(frozen=True, slots=True)
class Rule:
    """How a statutory day follows from election day or from the day the list was posted."""

    kind: DateKind
    base: DateKind
    days: int
    citation: str


@dataclass(frozen=True, slots=True)
class Span:
    """A key date as it is shown: one day or several, entered or computed as the latest day."""

    kind: DateKind
    first: date
    last: date
    latest: bool = False
    audience: str = ""
    note: str = ""


@cache
def rules(region: str) -> tuple[Rule, ...]:
    """The offsets of a region with their citations; raises `FileNotFoundError` for an unknown one."""
    rows = yaml.safe_load((RULES / f"{region}.yaml").read_text(encoding="utf-8"))["rules"]
    return tuple(Rule(DateKind(r["kind"]), DateKind(r["base"]), r["days"], r["citation"]) for r in rows)


def age_line(day: date) -> date:
    """Latest birth date of a person aged 18 on election day, that day included.

    Same month and day eighteen years earlier (细则第十九条); who was born on the 29th of February of such a
    year counts from the 28th when the earlier year has no 29th.
    """
    try:
        return day.replace(year=day.year - 18)
    except ValueError:
        return date(day.year - 18, 2, 28)


def computed(day: date | None, entered: Iterable[Span], table: Sequence[Rule]) -> dict[DateKind, list[Span]]:
    """All key dates of an election: what was entered, then what follows from it.

    An entered day wins over a computed one, and what is counted from it follows it.
    """
    spans: dict[DateKind, list[Span]] = {}
    for span in entered:
        spans.setdefault(span.kind, []).append(span)
    if day is None:
        return spans
    spans[DateKind.DAY] = [Span(DateKind.DAY, day, day)]
    spans.setdefault(DateKind.VOTING, [Span(DateKind.VOTING, day, day)])
    line = age_line(day)
    spans[DateKind.AGE_LINE] = [Span(DateKind.AGE_LINE, line, line)]
    for rule in table:
        if rule.kind in spans or rule.base not in spans:
            continue
        at = spans[rule.base][0].first + timedelta(days=rule.days)
        spans[rule.kind] = [Span(rule.kind, at, at, latest=True)]
    return spans


def spoken(day: date, *, year: bool = False) -> str:
    """12月9日（周三）, with the year where it matters."""
    text = f"{day.month}月{day.day}日"
    return f"{day.year}年{text}" if year else f"{text}（周{WEEKDAYS[day.weekday()]}）"


def tense(span: Span, today: date) -> str:
    """Where today stands to the span: before, running, last day, over."""
    if today < span.first:
        return f"还有{(span.first - today).days}天"
    if today > span.last:
        return "已结束"
    if today == span.last:
        return "就是今天" if span.first == span.last else "今天截止"
    return f"进行中，还剩{(span.last - today).days}天"


def worded(span: Span, today: date) -> str:
    """A span in words with its tense, as it stands in an answer."""
    if span.kind is DateKind.AGE_LINE:
        return spoken(span.first, year=True)
    if span.first == span.last:
        when = ("最迟" if span.latest else "") + spoken(span.first)
    else:
        when = f"{spoken(span.first)}至{spoken(span.last)}"
    note = f" {span.note}" if span.note else ""
    audience = f"{span.audience}：" if span.audience else ""
    return f"{audience}{when}{note}，{tense(span, today)}"


def variables(spans: Mapping[DateKind, Sequence[Span]], today: date) -> dict[str, str]:
    """The values behind `{{ cal.… }}`: the only way a date enters an answer."""
    values = {kind.value: NOT_ANNOUNCED for kind in DateKind}
    for kind, found in spans.items():
        values[kind.value] = "\n".join(worded(span, today) for span in found)
    return values


def today(now: datetime) -> date:
    """The day in Beijing."""
    return now.astimezone(BEIJING).date()


def begins(day: date) -> datetime:
    """Midnight in Beijing at which a day begins, in UTC."""
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)


async def spans(session: AsyncSession) -> dict[DateKind, list[Span]]:
    """The key dates of the election in hand; empty while the office has entered none."""
    election = await session.scalar(select(Election).order_by(Election.id.desc()).limit(1))
    if election is None:
        return {}
    rows = await session.scalars(
        select(KeyDate).where(KeyDate.election_id == election.id).order_by(KeyDate.starts_on, KeyDate.id)
    )
    entered = [Span(r.kind, r.starts_on, r.ends_on, audience=r.audience, note=r.note) for r in rows]
    return computed(election.day, entered, rules(election.region))


async def enter(
    session: AsyncSession, unit_id: int, name: str, day: date | None, windows: Iterable[Mapping[str, Any]]
) -> Election:
    """Enter an election with its registration windows (`audience`, `from`, `to`, `note`)."""
    election = Election(unit_id=unit_id, name=name, level=Level.COUNTY, day=day)
    session.add(election)
    await session.flush()
    for window in windows:
        session.add(
            KeyDate(
                election_id=election.id,
                kind=DateKind.REGISTRATION,
                audience=window.get("audience", ""),
                starts_on=window["from"],
                ends_on=window["to"],
                note=window.get("note", ""),
            )
        )
    await session.flush()
    return election
