"""Posters of the registration stations: sheets to print with QR codes, and how many came by each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markupsafe import Markup

from admin.pages import Desk, signed_in
from knowledge import posters
from knowledge.opening import hours_lines
from knowledge.station_index import Place
from knowledge.stations import StationKind
from office.errors import Invalid
from office.hours import beijing_day
from office.staff import Permission
from office.words import CHINESE, say

router = APIRouter(prefix="/posters")
log = logging.getLogger(__name__)
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]

MOST_SHEETS = 300
MOST_COPIES = 50
DAYS = 7
MOST_ROWS = 300
TELEGRAM_WAITS = 3.0
# Wind and rain: a quarter of the code may be lost.
CORRECTION = "q"


async def _nobody() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where posters lead; hangs on `app.state.doors`.

    `web` is the address of the web chat, empty if none is set. `telegram` gives the bot's user name, empty
    without a bot; it may raise what Telegram raises.
    """

    web: str = ""
    telegram: Callable[[], Awaitable[str]] = _nobody


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sheets: of a street (0 is all), or of one station; from which number on, how many a station."""

    street: int = 0
    code: str = ""
    first: int = 1
    copies: int = 1

    @classmethod
    def of(cls, request: Request) -> Wanted:
        """Read from the address; raises `Invalid("form_broken")` for what our form cannot have sent."""
        asked = request.query_params
        numbers = [asked.get(name, "") for name in ("street", "first", "copies")]
        if any(text and not (text.isascii() and text.isdigit() and len(text) < 10) for text in numbers):
            raise Invalid("form_broken")
        street, first, copies = (int(text) if text else 0 for text in numbers)
        found = cls(street, asked.get("code", "").strip()[:7], first or 1, copies or 1)
        if found.copies > MOST_COPIES or found.first + found.copies - 1 > posters.MOST_NUMBERS:
            raise Invalid("form_broken")
        return found

    def among(self, places: Sequence[Place]) -> list[Place]:
        """The registration stations these sheets are for, street by street."""
        fits = [
            place
            for place in places
            if place.kind is StationKind.REGISTRATION
            and (not self.street or place.street_id == self.street)
            and (not self.code or place.code == self.code)
        ]
        return sorted(fits, key=lambda place: (place.street_id, place.code))


@router.get("")
async def show(desk: Reading) -> Response:
    """What can be printed, and the arrivals by each poster."""
    return await _page(desk)


@router.get("/print")
async def sheets(desk: Reading) -> Response:
    """The sheets, one station a page; too many at once are refused with the number."""
    wanted = Wanted.of(desk.request)
    places = wanted.among(await _places(desk))
    count = len(places) * wanted.copies
    if not places or count > MOST_SHEETS:
        refused = desk.t("poster.too_many", most=MOST_SHEETS, n=count) if count else desk.t("poster.none")
        return await _page(desk, refused)
    doors, wrong = await _doors(desk)
    return desk.render(
        "chat/poster.html",
        sheets=[
            sheet(place, posters.number(wanted.first + copy), doors)
            for place in places
            for copy in range(wanted.copies)
        ],
        said=lambda key, **facts: say(key, CHINESE, **facts),
        english=lambda key: say(key, "en"),
        n=count,
        copies=wanted.copies,
        warnings=wrong,
    )


def sheet(place: Place, number: str, doors: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What stands on one poster; `doors` are (channel, address before `?start=` and the payload)."""
    payload = posters.payload(place.code, number)
    return {
        "label": posters.label(place),
        "name": place.name,
        "address": say("sta.near", address=place.address, near=place.near) if place.near else place.address,
        "hours": hours_lines(place.hours),
        "phone": place.phone,
        "number": number,
        "codes": [(channel, qr(f"{door}?start={payload}"), door) for channel, door in doors],
    }


def qr(link: str) -> Markup:
    """The QR code of a link as an inline drawing without size of its own."""
    drawing = segno.make_qr(link, error=CORRECTION).svg_inline(omitsize=True, border=4, svgclass="qr")
    return Markup(drawing)


async def _page(desk: Desk, refused: str = "") -> Response:
    places = [place for place in await _places(desk) if place.kind is StationKind.REGISTRATION]
    names = {place.code: place for place in places}
    asked = desk.request.query_params
    street = asked.get("street", "")
    codes = [place.code for place in places if str(place.street_id) == street] if street else None
    today = beijing_day(desk.now)
    days = [today - timedelta(days=ago) for ago in range(DAYS)]
    rows = posters.tallies(await posters.counted(desk.session, codes), days)
    streets = sorted({(place.street_id, place.street) for place in places})
    return desk.render(
        "console/posters.html",
        status=422 if refused else 200,
        here="/admin/posters",
        refused=refused,
        streets=[("", desk.t("poster.all")), *((str(number), name) for number, name in streets)],
        street=street,
        typed={name: asked.get(name, "") for name in ("code", "first", "copies")},
        stations=len(places),
        most=MOST_COPIES,
        days=[_day(desk, day) for day in days],
        rows=[_row(desk, tally, names) for tally in rows[:MOST_ROWS]],
        total=sum(tally.total for tally in rows),
        warnings=(await _doors(desk))[1],
    )


def _row(desk: Desk, tally: posters.Tally, names: dict[str, Place]) -> dict[str, Any]:
    place = names.get(tally.code)
    return {
        "label": posters.label(place, desk.frame.language) if place else tally.code,
        "gone": place is None,
        "number": tally.source or desk.t("poster.unnumbered"),
        "total": tally.total,
        "days": tally.days,
        "earlier": tally.total - sum(tally.days),
        "print": f"/admin/posters/print?{urlencode({'code': tally.code})}" if place else "",
    }


def _day(desk: Desk, day: date) -> str:
    return f"{day.month}/{day.day}" if desk.frame.language == CHINESE else f"{day.day} {day:%b}"


async def _places(desk: Desk) -> tuple[Place, ...]:
    await desk.services.stations.refresh(desk.session)
    return desk.services.stations.index.places


async def _doors(desk: Desk) -> tuple[list[tuple[str, str]], list[str]]:
    """The channels posters lead to, each with its address, and what is wrong with them, in words."""
    known: Doors = getattr(desk.request.app.state, "doors", Doors())
    found = [("poster.scan_web", f"{(known.web or str(desk.request.base_url)).rstrip('/')}/")]
    wrong = [] if known.web else [desk.t("poster.no_public")]
    try:
        async with asyncio.timeout(TELEGRAM_WAITS):
            name = await known.telegram()
    except Exception as error:
        # Whatever is the matter with Telegram, posters with the other code can be printed.
        log.warning("the bot's name could not be had: %s", type(error).__name__)
        return found, [*wrong, desk.t("poster.no_telegram")]
    if name:
        found.append(("poster.scan_telegram", f"https://t.me/{name}"))
    return found, wrong
