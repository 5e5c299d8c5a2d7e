"""The public pages of the stations: to be searched, read and printed without script or cookie."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from admin import pages
from bot import visitors
from bot.visitors import Visiting, Visitor
from handlers import station_card
from knowledge import posters
from knowledge.calendar import spoken
from knowledge.opening import hours_lines, opening
from knowledge.station_index import Place, StationIndex
from knowledge.stations import StationKind
from office.errors import NotFound
from office.hours import beijing_day
from office.words import say

router = APIRouter()

PER_PAGE = 30
# The source of who comes to the conversation from one of these pages; posters are numbered p01 and on.
FROM_PAGE = "web"
_ADDRESS = re.compile(r"(?P<kind>registration|polling)-(?P<code>[0-9]{2,3}-[0-9]{2,3})")
_CODE = re.compile(r"[0-9]{1,3}-[0-9]{1,3}")


@router.get("/stations")
async def stations(
    visiting: Visiting,
    q: Annotated[str, Query(max_length=60)] = "",
    street: Annotated[str, Query(max_length=9)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1, le=9999)] = 1,
) -> HTMLResponse:
    """All stations that are shown, by words, street and kind."""
    index = await _index(visiting)
    wanted = StationKind(kind) if kind in tuple(StationKind) else None
    found = [
        place
        for place in _found(index, q.strip(), wanted)
        if (wanted is None or place.kind is wanted) and (not street or str(place.street_id) == street)
    ]
    last = max(1, -(-len(found) // PER_PAGE))
    page = min(page, last)
    language = pages.frame(visiting.request).language
    streets = sorted({(place.street_id, place.street) for place in index.places})
    kept = urlencode({name: value for name, value in (("q", q), ("street", street), ("kind", kind)) if value})
    return visitors.render(
        visiting, "chat/stations.html",
        q=q, street=street, kind=wanted.value if wanted else "", total=len(found), page=page, last=last,
        page_base=f"/stations?{kept}&page=" if kept else "/stations?page=",
        published=bool(index.places),
        streets=[(str(number), name) for number, name in streets],
        kinds=[(each.value, say(f"sta.kind.{each.value}", language)) for each in StationKind],
        rows=[_row(visiting, place) for place in found[(page - 1) * PER_PAGE : page * PER_PAGE]],
    )  # fmt: skip


@router.get("/stations/{address}")
async def station(visiting: Visiting, address: str) -> HTMLResponse:
    """One station: where it is, when it is open, whom to call; for reading and printing."""
    found = _ADDRESS.fullmatch(address)
    index = await _index(visiting)
    place = index.by_code(found["code"], StationKind(found["kind"])) if found else None
    if place is None:
        raise NotFound("stations.unknown")
    language = pages.frame(visiting.request).language
    today = beijing_day(visiting.services.clock())
    facts = _row(visiting, place) | {
        "hours": list(
            zip(
                station_card.dated_hours(place, today, language),
                hours_lines(place.hours, language),
                strict=True,
            )
        ),
        "printed": spoken(today, language),
        "phone": place.phone,
        "further": [(name.rstrip("：: "), words) for name, words in station_card.further(place, language)],
        "polling": place.kind is StationKind.POLLING,
        "ask": f"/?start={posters.payload(place.code, FROM_PAGE)}",
    }
    return visitors.render(visiting, "chat/station.html", station=facts)


async def _index(visiting: Visitor) -> StationIndex:
    known = visiting.services.stations
    async with visiting.services.store.reading() as session:
        await known.refresh(session)
    return known.index


def _found(index: StationIndex, words: str, kind: StationKind | None) -> list[Place]:
    if not words:
        return list(index.places)
    if _CODE.fullmatch(words):
        own = [place for each in StationKind if (place := index.by_code(words, each)) is not None]
        return list({place.id: place for place in [*own, *index.by_group(words, kind)]}.values())
    return [place for place, _ in index.by_words(words, PER_PAGE, kind)]


def _row(visiting: Visitor, place: Place) -> dict[str, Any]:
    language, now = pages.frame(visiting.request).language, visiting.services.clock()
    return {
        "url": f"/stations/{place.kind.value}-{place.code}",
        "label": posters.label(place, language),
        "name": place.name,
        "address": station_card.addressed(place, language),
        "standing": station_card.standing(place, now, language),
        "open": opening(place.hours, now).open_now,
    }
