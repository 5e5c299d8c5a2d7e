"""Going somewhere by name or number: the palette, as a page and as a dialog's list; the sheet of keys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from admin import forms
from admin.frame import PLACES
from admin.pages import Desk, signed_in
from knowledge import shelf, tip_numbers, tip_words, tips
from knowledge.shelf import Filter
from knowledge.tips import WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion
from office import staff
from office.staff import Permission
from office.units import Unit, UnitKind
from office.words import LANGUAGES, say
from ticketing import numbers, queue
from ticketing.records import Ticket

router = APIRouter()
Own = Annotated[Desk, Depends(signed_in(None))]
LONGEST: Final = 80
MOST: Final = 8
MOST_ASKING: Final = 5
MOST_ABOUT: Final = 3
EXCERPT: Final = 40
SHORTEST_WORDS: Final = 2
Found = dict[str, str]
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
    numbered = await _numbered(desk, query)
    if len(numbered) == 1 and await _whole(desk, query):
        return RedirectResponse(numbered[0]["href"], 303)
    return desk.render("console/go.html", query=query, found=await _found(desk, query, numbered))


@router.get("/go/list")
async def listed(desk: Own) -> Response:
    """What the dialog shows under its field."""
    query = _query(desk)
    found = await _found(desk, query, await _numbered(desk, query))
    return desk.render("console/go_list.html", query=query, found=found)


@router.get("/keys")
async def keys(desk: Own) -> Response:
    """All keys on one sheet."""
    return desk.render("console/keys.html")


def _query(desk: Desk) -> str:
    return forms.clean(desk.request.query_params.get("q", ""))[:LONGEST].strip()


async def _whole(desk: Desk, query: str) -> bool:
    if tip_numbers.exactly(query) is not None or _ENTRY.fullmatch(_folded(query).upper()) is not None:
        return True
    return bool(await _ticket_nos(desk, query))


async def _numbered(desk: Desk, query: str) -> list[Found]:
    """What the query names by its number, or by the beginning of one."""
    if not query:
        return []
    return [*await _tickets(desk, query), *await _entries(desk, query), *await _tips(desk, query)]


async def _found(desk: Desk, query: str, numbered: list[Found]) -> list[Found]:
    """What this person may open: by number, by name or question, then what only speaks of the words."""
    if not query:
        return _pages(desk, "")
    named = _pages(desk, query)
    said = [page for page in named if _folded(query) in _folded(page["label"])]
    asking = [*await _tickets_asking(desk, query), *await _entries_asking(desk, query)]
    titled = await _tips_titled(desk, query)
    about = [*await _entries_about(desk, query), *await _tips_about(desk, query)]
    once: dict[str, Found] = {}
    for found in (*numbered, *said, *asking, *titled, *about, *named):
        once.setdefault(found["href"], found)
    return list(once.values())


def _pages(desk: Desk, query: str) -> list[Found]:
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


async def _ticket_nos(desk: Desk, query: str) -> Sequence[str]:
    """The whole ticket numbers that the query can mean: its own, else one for each district."""
    number = numbers.parse_ticket_no(query)
    if number is not None:
        return [number]
    # Asked with every letter that is typed: words need no look at the districts.
    if not query[:1].isdecimal():
        return []
    codes = await desk.session.scalars(select(Unit.code).where(Unit.kind == UnitKind.DISTRICT))
    return numbers.complete(query, codes.all())


async def _tickets(desk: Desk, query: str) -> list[Found]:
    if not desk.may(Permission.SEE_TICKETS):
        return []
    begun = _folded(query).upper()
    whole = await _ticket_nos(desk, query)
    if not whole and not _BEGUN.fullmatch(begun):
        return []
    wanted = Ticket.ticket_no.in_(whole) if whole else Ticket.ticket_no.startswith(begun, autoescape=True)
    rows = await desk.session.execute(
        select(Ticket, Unit.name)
        .join(Unit, Unit.id == Ticket.unit_id)
        .where(wanted, Unit.path.startswith(await staff.reach(desk.session, desk.person)))
        .order_by(Ticket.id.desc())
        .limit(MOST)
    )
    return [_ticket(desk, ticket, unit) for ticket, unit in rows]


async def _tickets_asking(desk: Desk, query: str) -> list[Found]:
    if not desk.may(Permission.SEE_TICKETS) or len(query) < SHORTEST_WORDS:
        return []
    rows = await queue.asking(desk.session, desk.person, query, MOST_ASKING)
    return [_ticket(desk, ticket, unit.name, ticket.words) for ticket, unit in rows]


def _ticket(desk: Desk, ticket: Ticket, unit: str, words: str = "") -> Found:
    # By its number alone: the words of one that is confidential, or may become so, stand on no other page.
    short = " ".join(words.split())
    short = short[:EXCERPT] + ("…" if len(short) > EXCERPT else "")
    more = (short, unit, desk.t(f"ticket.state.{ticket.state}"))
    return {
        "kind": "ticket",
        "href": f"/admin/tickets/{ticket.id}",
        "label": ticket.ticket_no,
        "more": " · ".join(filter(None, more)),
    }


async def _entries(desk: Desk, query: str) -> list[Found]:
    number = _ENTRY.fullmatch(_folded(query).upper())
    if number is None or not desk.may(Permission.SEE_ENTRIES):
        return []
    wanted = Filter(state=None, search=f"K-{number[1]}")
    rows, _ = await shelf.listed(desk.session, desk.person, wanted)
    return [_entry(desk, entry, version) for entry, version, _ in rows[:MOST]]


async def _entries_asking(desk: Desk, query: str) -> list[Found]:
    if not desk.may(Permission.SEE_ENTRIES) or len(query) < SHORTEST_WORDS:
        return []
    rows = await shelf.asking(desk.session, desk.person, query, MOST_ASKING)
    return [_entry(desk, entry, version) for entry, version in rows]


async def _entries_about(desk: Desk, query: str) -> list[Found]:
    if not desk.may(Permission.SEE_ENTRIES) or len(query) < SHORTEST_WORDS:
        return []
    rows, _ = await shelf.listed(desk.session, desk.person, Filter(search=query))
    folded = _folded(query)
    further = [row for row in rows if folded not in _folded(row[1].question)]
    return [_entry(desk, entry, version) for entry, version, _ in further[:MOST_ABOUT]]


def _entry(desk: Desk, entry: Entry, version: EntryVersion) -> Found:
    state = "" if version.state is EntryState.PUBLISHED else desk.t(f"entry.state.{version.state}")
    return {
        "kind": "entry",
        "href": f"/admin/entries/{entry.id}",
        "label": entry.entry_no,
        "more": " · ".join(filter(None, (version.question, state))),
    }


async def _tips(desk: Desk, query: str) -> list[Found]:
    if tip_numbers.exactly(query) is None or not desk.may(Permission.SEE_ENTRIES):
        return []
    rows, _ = await tips.listed(desk.session, desk.person, search=query)
    return [_tip(desk, tip) for tip in rows[:MOST]]


async def _tips_titled(desk: Desk, query: str) -> list[Found]:
    if not desk.may(Permission.SEE_ENTRIES) or len(query) < SHORTEST_WORDS:
        return []
    rows = await desk.session.scalars(
        select(WorkTip)
        .join(Unit, Unit.id == WorkTip.unit_id)
        .where(await tips.visible(desk.session, desk.person))
        .where(*(WorkTip.title.icontains(word, autoescape=True) for word in query.split()))
        .order_by(WorkTip.changed_at.desc(), WorkTip.id.desc())
        .limit(MOST_ASKING)
    )
    return [_tip(desk, tip) for tip in rows]


async def _tips_about(desk: Desk, query: str) -> list[Found]:
    if not desk.may(Permission.SEE_ENTRIES) or len(query) < SHORTEST_WORDS:
        return []
    rows, _ = await tips.listed(desk.session, desk.person, search=query)
    words = _folded(query).split()
    further = [tip for tip in rows if not all(word in _folded(tip.title) for word in words)]
    return [_tip(desk, tip) for tip in further[:MOST_ABOUT]]


def _tip(desk: Desk, tip: WorkTip) -> Found:
    return {
        "kind": "tip",
        "href": f"/admin/tips/{tip.id}",
        "label": tip_words.number(tip) or desk.t(f"tips.state_{tip.state}"),
        "more": tip.title,
    }


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()
