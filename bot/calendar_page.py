"""The public calendar: all milestones to read and print, and the same as a feed for calendar apps."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import HTMLResponse, Response
from icalendar import Calendar, Event, vDuration
from sqlalchemy.ext.asyncio import AsyncSession

from admin import pages
from bot import visitors
from bot.visitors import Visiting
from knowledge import calendar, elections, packs
from knowledge.calendar import DateKind, Dates, Election, KeyDate, Tense
from knowledge.citations import cited
from office import units
from office.changes import Change
from office.units import Unit
from office.words import CHINESE, say

router = APIRouter()

FEED = "/calendar.ics"
DAY = timedelta(days=1)
LOOK_AGAIN = timedelta(hours=6)
# A window is one event, not two more for its ends; who may be born when is no day of the year.
NOT_SHOWN = (DateKind.REGISTRATION_OPENS, DateKind.REGISTRATION_CLOSES, DateKind.AGE_LINE)
TONES = {Tense.BEFORE: "info", Tense.RUNNING: "active", Tense.LAST: "warn", Tense.OVER: "neutral"}


@router.get("/calendar")
async def show(visiting: Visiting) -> HTMLResponse:
    """Every milestone with its tense, what to do, and where it is written."""
    now = visiting.services.clock()
    today = calendar.today(now)
    async with visiting.services.store.reading() as session:
        change, dates = await _in_force(session, today)
    around = pages.frame(visiting.request)
    lang = around.language
    host = visiting.request.base_url.netloc
    base = f"{'https' if visiting.services.secure_cookies else 'http'}://{host}"
    edition = ""
    if change is not None and change.signed_at is not None:
        since = calendar.spoken(calendar.today(change.signed_at), lang, year=True)
        edition = say("calendar.edition", lang, number=change.number, day=since)
    return visitors.render(
        visiting, "chat/calendar.html",
        rows=[_row(one, today, lang) for one in shown(dates)],
        name=change.content["name"] if change is not None else "",
        as_of=say("calendar.as_of", lang, day=calendar.spoken(today, lang, year=True)),
        edition=edition, laws=_laws(dates, change), feed_url=f"{base}{FEED}", webcal_url=f"webcal://{host}{FEED}",
        download_url=FEED,
    )  # fmt: skip


@router.get(FEED)
async def feed(
    visiting: Visiting,
    lang: Annotated[str, Query(max_length=8)] = "zh-CN",
    if_none_match: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """The calendar in force as iCalendar, the same bytes until it changes."""
    today = calendar.today(visiting.services.clock())
    async with visiting.services.store.reading() as session:
        change, dates = await _in_force(session, today)
        office = await units.election_office(session)
    body = ics(dates, change, office, pages.LANGUAGES.get(lang, CHINESE))
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "max-age=600",
        "Content-Disposition": 'inline; filename="calendar.ics"',
    }
    if tag in [part.strip().removeprefix("W/") for part in if_none_match.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


async def _in_force(session: AsyncSession, today: date) -> tuple[Change | None, Dates]:
    change = await elections.change_in_force(session, today)
    return change, elections.dates_of(Election.from_content(change.content) if change else None)


def shown(dates: Dates) -> list[KeyDate]:
    """The milestones in the order of their days; what ends something comes by its end."""
    found = [one for kind in dates if kind is not DateKind.AGE_LINE for one in dates[kind]]
    kept = [one for one in found if one.kind not in NOT_SHOWN]
    return sorted(kept, key=lambda one: (one.first, one.last, list(DateKind).index(one.kind)))


def _row(one: KeyDate, today: date, lang: str) -> dict[str, Any]:
    where = calendar.tense_of(one, today)
    law = say("calendar.own_basis", lang, basis=one.basis) if one.basis else ""
    return {
        "what": calendar.label(one, lang),
        "audience": one.audience,
        "when": calendar.when(one, lang),
        "machine": one.first.isoformat(),
        "tense": calendar.tense(one, today, lang),
        "tone": TONES[where],
        "advice": calendar.advice(one, today, lang),
        "basis": one.citation,
        "own_basis": law,
    }


def _laws(dates: Dates, change: Change | None) -> list[dict[str, str]]:
    """The full titles of the laws that are cited by their short names."""
    if change is None:
        return []
    laws = packs.load(Election.from_content(change.content).region).laws
    found = [cited(one.citation, laws) for one in shown(dates)]
    titles = {citation.law: citation.title for citation in found if citation is not None}
    return [{"name": law, "title": title} for law, title in titles.items() if title != law]


def ics(dates: Dates, change: Change | None, office: Unit, lang: str) -> bytes:
    """All-day events with a name that stays when a day moves and a number that grows with each version.

    Nothing in it depends on the day it is fetched.
    """
    made = Calendar()  # type: ignore[no-untyped-call]
    made.add("prodid", "-//One Window//calendar//ZH" if lang == CHINESE else "-//One Window//calendar//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"{office.name} {say('calendar.title', lang)}")
    made.add("x-wr-timezone", "Asia/Shanghai")
    made.add("refresh-interval", vDuration(LOOK_AGAIN), parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", vDuration(LOOK_AGAIN))
    if change is not None:
        stamp = (change.signed_at or change.created_at).astimezone(UTC)
        turns: Counter[str] = Counter()
        for one in shown(dates):
            uid = _uid(one, office)
            turns[uid] += 1
            # Several lookup windows have one name: the second keeps a number of its own.
            uid = uid if turns[uid] == 1 else f"{turns[uid]}-{uid}"
            made.add_component(_event(one, uid, change.number, stamp, office, lang))
    written: bytes = made.to_ical()
    return written


def _event(one: KeyDate, uid: str, number: int, stamp: datetime, office: Unit, lang: str) -> Event:
    event = Event()  # type: ignore[no-untyped-call]
    name = calendar.label(one, lang)
    # Calendar apps show little more than the title: it must not promise a day that is only the latest.
    name = say("calendar.latest_title", lang, title=name) if one.latest else name
    event.add("summary", f"{name}（{one.audience}）" if one.audience else name)
    event.add("uid", uid)
    event.add("sequence", number)
    event.add("dtstamp", stamp.replace(microsecond=0))
    event.add("last-modified", stamp.replace(microsecond=0))
    event.add("dtstart", one.first)
    # The end of an all-day event is the day after its last.
    event.add("dtend", one.last + DAY)
    event.add("description", "\n".join(_about(one, office, lang)))
    event.add("transp", "TRANSPARENT")
    return event


def _about(one: KeyDate, office: Unit, lang: str) -> list[str]:
    lines = [calendar.when(one, lang)]
    if one.citation:
        lines.append(f"{say('calendar.basis', lang)}：{one.citation}")
    if one.basis:
        lines.append(say("calendar.own_basis", lang, basis=one.basis))
    if one.latest:
        lines.append(say("calendar.latest_note", lang))
    return [*lines, f"{office.office_name} {office.phone}".strip()]


def _uid(one: KeyDate, office: Unit) -> str:
    """The same for the same milestone however often it moves; windows are told apart by their audience."""
    audience = hashlib.sha256(one.audience.encode()).hexdigest()[:10] if one.audience else "all"
    return f"{one.kind.value}-{audience}-{office.code.lower()}@calendar.one-window"
