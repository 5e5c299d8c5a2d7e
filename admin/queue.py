"""The queue: which tickets wait, the most urgent first, following what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response, StreamingResponse

from admin import case_facts, forms, times, worktime
from admin.pages import Desk, signed_in
from office import staff, units
from office.staff import Permission
from office.units import Unit, contains
from office.wakeups import Wakeups, rang
from ticketing import clocks, queue
from ticketing.queue import Filter
from ticketing.records import OPEN_STATES, QUEUE_TOPIC, Ticket, TicketState

router = APIRouter()
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
S = TicketState

VIEWS: dict[str, Filter] = {
    "open": Filter(),
    "mine": Filter(mine=True),
    "overdue": Filter(overdue=True),
    "review": Filter(states=(S.IN_REVIEW,)),
    "answered": Filter(states=(S.ANSWERED, S.CLOSED)),
    "all": Filter(states=tuple(S)),
}
COUNTED = ("open", "mine", "overdue", "review")
TONES: dict[TicketState, str] = {
    S.UNASSIGNED: "neutral",
    S.ASSIGNED: "info",
    S.WORKING: "active",
    S.ON_HOLD: "warn",
    S.IN_REVIEW: "info",
    S.ANSWERED: "good",
    S.CLOSED: "good",
    S.OFFLINE: "warn",
    S.MERGED: "neutral",
    S.VOID: "neutral",
}
# A proxy that cuts off quiet connections sees a sign of life in time, and one that hates long ones an end.
STREAM_BEAT, STREAM_BEATS = 15.0, 20
LOOK_AGAIN_EACH = 4
EXCERPT = 90


@router.get("")
async def show(desk: Reading) -> Response:
    """The queue as a page."""
    return desk.render("console/queue.html", **await _view(desk), year_gaps=worktime.pressing(desk))


@router.get("/queue/fragment")
async def fragment(desk: Reading) -> Response:
    """Only the list, for the page that follows it."""
    return desk.render("console/queue_list.html", **await _view(desk))


@router.get("/queue/stream")
async def stream(desk: Reading) -> Response:
    """Rings when any ticket changed; it carries no content, each page fetches what its reader may see."""
    returning = "last-event-id" in desk.request.headers
    return StreamingResponse(
        rings(desk.services.store.wakeups, returning=returning),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def rings(
    wakeups: Wakeups, *, returning: bool, beat: float = STREAM_BEAT, beats: int = STREAM_BEATS
) -> AsyncIterator[str]:
    """The lines of the stream; a browser that was away is told to look at once.

    Every fourth quiet beat says `change` as well: the words about the time left grow old by themselves.
    """
    with wakeups.listening(QUEUE_TOPIC) as bell:
        yield "retry: 3000\n\n"
        number = 0
        if returning:
            yield "id: 0\nevent: change\ndata: \n\n"
        for quiet in range(1, beats + 1):
            if await rang(bell, beat) or quiet % LOOK_AGAIN_EACH == 0:
                number += 1
                yield f"id: {number}\nevent: change\ndata: \n\n"
                await asyncio.sleep(0)
            else:
                yield ": \n\n"


async def _view(desk: Desk) -> dict[str, Any]:
    asked = desk.request.query_params
    chosen = asked.get("view", "open") if asked.get("view") in VIEWS else "open"
    search = forms.clean(asked.get("q", ""))[:200]
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    reach = await staff.reach(desk.session, desk.person)
    within = [unit for unit in await units.all_units(desk.session) if contains(reach, unit.path)]
    unit = next((unit for unit in within if str(unit.id) == asked.get("unit", "")), None)
    counts: dict[str, int] = {}
    rows: list[tuple[Ticket, Unit]] = []
    for name in dict.fromkeys((*COUNTED, chosen)):
        wanted = _filter(name, unit, search)
        found, counts[name] = await queue.listed(
            desk.session, desk.person, wanted, now=desk.now, page=page if name == chosen else 1
        )
        if name == chosen:
            rows = found
    kept = {"unit": str(unit.id) if unit else "", "q": search}
    holders = await staff.names(desk.session, {t.assignee_id for t, _ in rows if t.assignee_id})
    query = _query(view=chosen, **kept)
    return {
        "done": asked.get("done", ""),
        "view": chosen,
        "tabs": [
            {
                "href": "/admin" + _query(view=name, **kept),
                "label": desk.t(f"queue.view_{name}"),
                "active": name == chosen,
                "count": counts.get(name) if name in COUNTED else None,
            }
            for name in VIEWS
        ],
        "search": search,
        "units": [("", desk.t("queue.all_units")), *((u.id, u.name) for u in within)],
        "unit_id": unit.id if unit else "",
        "rows": [row_of(desk, ticket, where, holders) for ticket, where in rows],
        "total": counts[chosen],
        "filtered": bool(search or unit),
        "page": page,
        "pages": max(1, -(-counts[chosen] // queue.PAGE)),
        "page_base": "/admin" + (f"{query}&page=" if query else "?page="),
        "fragment_url": "/admin/queue/fragment" + _query(view=chosen, page=str(page), **kept),
    }


def _filter(name: str, unit: Unit | None, search: str) -> Filter:
    plain = VIEWS[name]
    return Filter(
        states=plain.states,
        mine=plain.mine,
        overdue=plain.overdue,
        unit_path=unit.path if unit else "",
        search=search,
    )


def _query(**fields: str) -> str:
    kept = {name: value for name, value in fields.items() if value and (name, value) != ("view", "open")}
    return f"?{urlencode(kept)}" if kept else ""


def row_of(desk: Desk, ticket: Ticket, unit: Unit, holders: dict[int, str]) -> dict[str, Any]:
    """A ticket as one row: what is asked, where, who holds it, how long is left."""
    words = " ".join(ticket.words.split())
    language = desk.frame.language
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "version": ticket.version,
        "words": words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
        "unit": unit.name,
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "tone": TONES[ticket.state],
        "holder": staff.mask_name(holders[ticket.assignee_id]) if ticket.assignee_id in holders else "",
        "mine": ticket.assignee_id == desk.person.id,
        "urgent": ticket.priority is clocks.Priority.P1,
        "channel": desk.t(f"channel.{ticket.channel}"),
        "accepted": times.moment(ticket.accepted_at, language),
        "can_take": ticket.state in (S.UNASSIGNED, S.ASSIGNED) and desk.may(Permission.WORK_TICKETS),
        "about": case_facts.about(desk, ticket),
        **case_facts.clock(desk, ticket),
        **time_left(desk, ticket),
    }


def time_left(desk: Desk, ticket: Ticket) -> dict[str, str]:
    """What remains of an open ticket's time, in words, and how loudly to say it."""
    if ticket.state not in OPEN_STATES:
        return {"left": "", "left_tone": ""}
    level = clocks.warning_level(ticket.accepted_at, ticket.due_at, desk.now, desk.hours)
    tones = {0: "", 80: "warn", 100: "danger"}
    tone = "danger" if desk.now >= ticket.due_at else tones[min(level, 80)]
    return {"left": times.remaining(ticket.due_at, desk.now, desk.frame.language), "left_tone": tone}
