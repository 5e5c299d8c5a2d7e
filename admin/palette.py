"""Going somewhere by name or number: the palette, as a page and as a dialog's list; the sheet of keys."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from admin import forms
from admin.frame import PLACES
from admin.pages import Desk, signed_in
from knowledge import shelf, tip_numbers, tip_words, tips
from knowledge.shelf import Filter
from office import staff
from office.staff import Permission
from office.units import Unit
from office.words import LANGUAGES, say
from ticketing import numbers
from ticketing.records import Ticket

router = APIRouter()
Own = Annotated[Desk, Depends(signed_in(None))]
LONGEST: Final = 80
MOST: Final = 8
SHORTEST_WORDS: Final = 2
# Pages that stand in no menu.
FURTHER: Final = (
    ("/admin/calls/new", "palette.new_call", Permission.OPEN_TICKETS),
    ("/admin/calls/bulk", "calls.bulk", Permission.OPEN_TICKETS),
    ("/admin/me", "palette.me", None),
    ("/admin/keys", "keys.title", None),
)
_ENTRY: Final = re.compile(r"K?\s*-?\s*([0-9]{3,6})")
# The beginning of a number, as far as it is read out: district and day.
_BEGUN: Final = re.compile(r"[A-Z]{2,4}-?[0-9]{2,4}(?:-?[0-9]{1,5})?-?")


@router.get("/go")
async def go(desk: Own) -> Response:
    """The palette without script; a whole number leads straight to what it names."""
    query = _query(desk)
    found = await _found(desk, query)
    if len(found) == 1 and query and found[0]["kind"] != "page" and _whole(query):
        return RedirectResponse(found[0]["href"], 303)
    return desk.render("console/go.html", query=query, found=found)


@router.get("/go/list")
async def listed(desk: Own) -> Response:
    """What the dialog shows under its field."""
    query = _query(desk)
    return desk.render("console/go_list.html", query=query, found=await _found(desk, query))


@router.get("/keys")
async def keys(desk: Own) -> Response:
    """All keys on one sheet."""
    return desk.render("console/keys.html")


def _query(desk: Desk) -> str:
    return forms.clean(desk.request.query_params.get("q", ""))[:LONGEST].strip()


def _whole(query: str) -> bool:
    if tip_numbers.exactly(query) is not None:
        return True
    return numbers.parse_ticket_no(query) is not None or _ENTRY.fullmatch(query.upper()) is not None


async def _found(desk: Desk, query: str) -> list[dict[str, str]]:
    """What this person may open: tickets, entries and work tips by number or words, then pages by name."""
    if not query:
        return _pages(desk, "")
    found = [*await _tickets(desk, query), *await _entries(desk, query), *await _tips(desk, query)]
    return [*found, *_pages(desk, query)]


def _pages(desk: Desk, query: str) -> list[dict[str, str]]:
    wanted = _folded(query)
    found = []
    for href, key, needed in (*((href, f"nav.{key}", needed) for href, key, needed in PLACES), *FURTHER):
        if needed is not None and not desk.may(needed):
            continue
        # In either language, and by its address: whoever types without an input method finds it too.
        said = [_folded(say(key, language)) for language in LANGUAGES]
        if any(wanted in words for words in (*said, href)):
            found.append({"kind": "page", "href": href, "label": desk.t(key), "more": href})
    return found


async def _tickets(desk: Desk, query: str) -> list[dict[str, str]]:
    if not desk.may(Permission.SEE_TICKETS):
        return []
    number, begun = numbers.parse_ticket_no(query), _folded(query).upper()
    if number is None and not _BEGUN.fullmatch(begun):
        return []
    wanted = Ticket.ticket_no == number if number else Ticket.ticket_no.startswith(begun, autoescape=True)
    rows = await desk.session.execute(
        select(Ticket, Unit.name)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(wanted, Unit.path.startswith(await staff.reach(desk.session, desk.person)))
        .order_by(Ticket.id.desc())
        .limit(MOST)
    )
    return [
        {
            "kind": "ticket",
            "href": f"/admin/tickets/{ticket.id}",
            "label": ticket.ticket_no,
            "more": f"{unit} · {desk.t(f'ticket.state.{ticket.state}')}",
        }
        for ticket, unit in rows
    ]


async def _entries(desk: Desk, query: str) -> list[dict[str, str]]:
    number = _ENTRY.fullmatch(_folded(query).upper())
    if not desk.may(Permission.SEE_ENTRIES) or (number is None and len(query) < SHORTEST_WORDS):
        return []
    search = Filter(state=None, search=f"K-{number[1]}") if number else Filter(search=query)
    rows, _ = await shelf.listed(desk.session, desk.person, search)
    return [
        {
            "kind": "entry",
            "href": f"/admin/entries/{entry.id}",
            "label": entry.entry_no,
            "more": version.question,
        }
        for entry, version, _ in rows[:MOST]
    ]


async def _tips(desk: Desk, query: str) -> list[dict[str, str]]:
    if not desk.may(Permission.SEE_ENTRIES) or len(query) < SHORTEST_WORDS:
        return []
    rows, _ = await tips.listed(desk.session, desk.person, search=query)
    return [
        {
            "kind": "tip",
            "href": f"/admin/tips/{tip.id}",
            "label": tip_words.number(tip) or desk.t(f"tips.state_{tip.state}"),
            "more": tip.title,
        }
        for tip in rows[:MOST]
    ]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()
