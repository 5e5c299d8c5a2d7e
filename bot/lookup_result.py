"""One result of a lookup, shown once and soon gone; its buttons carry the class of it, never a person."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from fastapi.responses import Response

from admin import pages
from bot.lookup_view import RESULT_LASTS, language, show
from bot.visitors import Visitor
from handlers import station_card
from knowledge import posters
from knowledge.roll.lookup import Found
from knowledge.roll.records import LookupResult
from knowledge.station_index import Place
from knowledge.stations import StationKind
from office.errors import Invalid
from office.hours import beijing_day
from office.words import say

# Long enough to choose what is wrong without haste, after the result itself is gone.
SEAL_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a result's buttons carry, readable by nobody but us.

    `contact_id` is whom the link was given to, where a channel gave it; `receipt` the digest of the receipt
    code where one was asked with, in hexadecimal; `once` tells one showing from another.
    """

    result: LookupResult
    contact_id: int | None
    receipt: str
    once: str


async def page(visiting: Visitor, found: Found, contact_id: int | None, receipt: bytes = b"") -> Response:
    """The page of a result. All three go this one way, to the last look into the stations."""
    lang, now = language(visiting), visiting.services.clock()
    async with visiting.services.store.reading() as session:
        await visiting.services.stations.refresh(session)
    place = visiting.services.stations.index.by_code(found.station, StationKind.REGISTRATION)
    sealed = Sealed(found.result, contact_id, receipt.hex(), secrets.token_hex(8))
    return show(
        visiting, "result",
        result=say(f"lookupchat.result.{found.result.value}", lang),
        detail=_detail(found, place, lang),
        next=say(f"lookupchat.next.{found.result.value}", lang),
        place=_card(visiting, place, lang),
        sealed=seal(visiting, sealed, now),
        minutes=int(RESULT_LASTS.total_seconds() // 60),
    )  # fmt: skip


def _detail(found: Found, place: Place | None, lang: str) -> list[str]:
    unsaid = say("lookupchat.unsaid", lang)
    station = f"{place.street}{place.code}" if place else found.station
    words = say(
        f"lookupchat.detail.{found.result.value}", lang,
        district=found.district or unsaid, group=found.group_no or unsaid, station=station or unsaid,
    )  # fmt: skip
    return re.split("　|  ", words)


def _card(visiting: Visitor, place: Place | None, lang: str) -> dict[str, Any]:
    """Where to go next: the voter's own station, and where there is none the office."""
    office = pages.frame(visiting.request).office
    if place is None:
        return {
            "title": say("lookuppage.place_office", lang), "name": office["name"],
            "address": office["address"], "hours": [office["hours"]], "phone": office["phone"],
        }  # fmt: skip
    hours = station_card.dated_hours(place, beijing_day(visiting.services.clock()), lang)
    return {
        "title": say("lookuppage.place_station", lang),
        "name": f"{posters.label(place, lang)} · {place.name}",
        "address": station_card.addressed(place, lang),
        "hours": hours or [office["hours"]],
        "phone": place.phone or office["phone"],
    }


def seal(visiting: Visitor, content: Sealed, now: datetime) -> str:
    """The content as a text that only this browser can bring back, for a while."""
    fields = [content.result.value, content.contact_id, content.receipt, content.once]
    return _box(visiting).encrypt_at_time(json.dumps(fields).encode(), int(now.timestamp())).decode()


def unseal(visiting: Visitor, sealed: str, now: datetime) -> Sealed:
    """What was sealed; raises `Invalid("lookuppage.result_over")` if it is too old or was not made for it."""
    lasts = int(SEAL_LASTS.total_seconds())
    try:
        plain = _box(visiting).decrypt_at_time(sealed.encode(), lasts, int(now.timestamp()))
    except InvalidToken as error:
        raise Invalid("lookuppage.result_over") from error
    result, contact_id, receipt, once = json.loads(plain)
    return Sealed(LookupResult(result), contact_id, receipt, once)


def _box(visiting: Visitor) -> Fernet:
    key = hashlib.sha256(visiting.services.secret + b"lookup result" + visiting.address.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
