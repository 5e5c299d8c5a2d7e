"""Posters of stations: what their QR codes carry, and how many people came by each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.station_index import Place
from knowledge.stations import PosterCount
from office.hours import beijing_day
from office.store import count_up
from office.words import CHINESE, say

# A station's code and the source behind it are ASCII by the grammar of links, whatever \d would take.
_STATION = r"[0-9]{2,3}-[0-9]{2,3}"
_SOURCE = r"[0-9a-z]{1,8}"
_PAYLOAD = re.compile(rf"st_(?P<code>{_STATION})(?:__(?P<source>{_SOURCE}))?")
# What a link says it is about, and all that may be written down of one that leads nowhere.
_KIND = re.compile(r"(st|k|t|tip|qs|inv|src)_|(ask)(?![^_])")
NO_SOURCE = ""
MOST_NUMBERS = 999


@dataclass(frozen=True, slots=True)
class Scan:
    """What a poster's link says: the station's code, and the poster's number where it has one."""

    code: str
    source: str = NO_SOURCE


def payload(code: str, source: str = NO_SOURCE) -> str:
    """The start parameter of a station's link, `st_12-03__p07`.

    Raises ValueError for a code or a source that a link cannot carry.
    """
    made = f"st_{code}__{source}" if source else f"st_{code}"
    if _PAYLOAD.fullmatch(made) is None:
        raise ValueError(f"no link can carry {code!r} and {source!r}")
    return made


def scanned(start: str) -> Scan | None:
    """What a start parameter says of a station; None for anything outside the grammar."""
    found = _PAYLOAD.fullmatch(start)
    return Scan(found["code"], found["source"] or NO_SOURCE) if found else None


def kind_of(start: str) -> str:
    """The kind of a start parameter, `other` for an unheard-of one: it can hold nothing else of it."""
    found = _KIND.match(start)
    return (found[1] or found[2]) if found else "other"


def number(place: int) -> str:
    """The number printed on the poster at this place in a series, from 1: p01, p02, …

    Raises ValueError outside 1 to 999.
    """
    if not 1 <= place <= MOST_NUMBERS:
        raise ValueError(f"posters are numbered 1 to {MOST_NUMBERS}, not {place}")
    return f"p{place:02}"


async def count(session: AsyncSession, scan: Scan, *, now: datetime) -> None:
    """Count one arrival by a poster on the Beijing day of `now`; of who arrived nothing is kept."""
    key = {"code": scan.code, "source": scan.source, "day": beijing_day(now)}
    await count_up(session, PosterCount, key, "count")


async def counted(session: AsyncSession, codes: Sequence[str] | None = None) -> list[PosterCount]:
    """All counts, or those of these stations, by station, poster and day."""
    wanted = select(PosterCount).order_by(PosterCount.code, PosterCount.source, PosterCount.day)
    if codes is not None:
        wanted = wanted.where(PosterCount.code.in_(codes))
    return list((await session.scalars(wanted)).all())


@dataclass(frozen=True, slots=True)
class Tally:
    """One poster's arrivals: in all, and on each of the days asked for."""

    code: str
    source: str
    total: int
    days: tuple[int, ...]


def tallies(rows: Sequence[PosterCount], days: Sequence[date]) -> list[Tally]:
    """The counts poster by poster, most arrivals of a station together, with the figures of `days`."""
    found: dict[tuple[str, str], dict[date, int]] = {}
    for row in rows:
        found.setdefault((row.code, row.source), {})[row.day] = row.count
    return [
        Tally(code, source, sum(by_day.values()), tuple(by_day.get(day, 0) for day in days))
        for (code, source), by_day in sorted(found.items())
    ]


def label(place: Place, lang: str = CHINESE) -> str:
    """What posters and greetings call a station: 临江街道 12-03 登记站."""
    kind = say(f"sta.kind.{place.kind.value}", lang)
    return say("sta.label", lang, street=place.street, code=place.code, kind=kind)
