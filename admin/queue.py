"""The queue: which tickets wait, the most urgent first, following what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response, StreamingResponse

from admin import case_facts, queue_filter, roster, times, worktime
from admin.forms import Form
from admin.pages import Desk, Refusal, signed_in
from admin.queue_filter import VIEWS, Chosen
from office import staff, work_groups
from office.staff import Permission
from office.units import Unit
from office.wakeups import Wakeups, rang
from ticketing import bulk, clocks, queue, restricted, saved
from ticketing.bulk import Act
from ticketing.particulars import LedgerKind
from ticketing.records import OPEN_STATES, QUEUE_TOPIC, Ticket, TicketKind, TicketState

router = APIRouter()
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
S = TicketState

# Always in sight, and those that are only while they hold something.
TABS = ("open", "mine", "today", "overdue", "review", "answered", "all")
AT_TIMES = ("held", "hold_wanted", "flagged")
COUNTED = ("open", "mine", "today", "overdue", "review", *AT_TIMES)
EMPTY = ("open", "mine", "overdue", "review", "answered", "all")
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
BULK_FIELDS = ("act", "to", "group", "lead_no", "ledger", "reason", "sure")


@router.get("")
async def show(desk: Reading) -> Response:
    """The queue as a page."""
    return await page(desk)


async def page(desk: Desk, refusal: Refusal | None = None) -> Response:
    """The queue; with a refusal, again with what was chosen and typed for an act on several tickets."""
    chosen = await queue_filter.read_query(desk, desk.form.text("back") or desk.request.url.query)
    typed = desk.form if refusal else Form()
    return desk.render(
        "console/queue.html",
        status=refusal.status if refusal else 200,
        here="/admin" + chosen.query(),
        **await _view(desk, chosen),
        **await _choices(desk, chosen),
        error=refusal.words if refusal else "",
        typed={name: typed.text(name) for name in BULK_FIELDS},
        ticked=typed.all("row"),
        bulk=await _bulk(desk) if desk.may(Permission.WORK_TICKETS) else None,
        year_gaps=worktime.pressing(desk),
    )


@router.get("/queue/fragment")
async def fragment(desk: Reading) -> Response:
    """Only the list, for the page that follows it."""
    chosen = await queue_filter.read(desk, desk.request.query_params)
    return desk.render("console/queue_list.html", **await _view(desk, chosen), ticked=())


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


async def _view(desk: Desk, chosen: Chosen) -> dict[str, Any]:
    """The list and what stands around it wherever it is shown."""
    asked = desk.request.query_params
    number = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    found, total = await queue.listed(desk.session, desk.person, chosen.filter(), now=desk.now, page=number)
    holders = await staff.names(desk.session, {t.assignee_id for t, _ in found if t.assignee_id})
    query, more = chosen.query(), total > queue.MOST
    total = min(total, queue.MOST)
    return {
        "done": asked.get("done", ""),
        "view": chosen.view,
        "empty": chosen.view if chosen.view in EMPTY else "other",
        "search": chosen.search,
        "rows": [row_of(desk, ticket, where, holders) for ticket, where in found],
        "total": total,
        "more": more,
        "filtered": bool(chosen.fields),
        "elsewhere": "/admin" + chosen.query("all") if chosen.search and chosen.view != "all" else "",
        "page": number,
        "pages": max(1, -(-total // queue.PAGE)),
        "page_base": "/admin" + (f"{query}&page=" if query else "?page="),
        "fragment_url": "/admin/queue/fragment" + chosen.query(page=str(number)),
        "may_work": desk.may(Permission.WORK_TICKETS),
    }


async def _choices(desk: Desk, chosen: Chosen) -> dict[str, Any]:
    """What the page offers besides its list: tabs with their counts, own views, filters."""
    # The tabs say what there is; words that are searched for narrow the list alone.
    anything = replace(chosen, search="")
    counts = await queue.counted(
        desk.session, desk.person, {name: anything.filter(name) for name in COUNTED}, now=desk.now
    )
    groups = [(group.name, group.name) for group in await work_groups.listed(desk.session)]
    own = await saved.listed(desk.session, desk.person)
    here = chosen.query()
    shown = [name for name in VIEWS if name in TABS or name == chosen.view or counts.get(name)]
    return {
        "tabs": [
            {
                "href": "/admin" + chosen.query(name),
                "label": desk.t(f"queue.view_{name}"),
                "active": name == chosen.view,
                "count": capped(counts[name]) if name in counts else None,
            }
            for name in shown
        ],
        "saved": [
            {
                "id": one.id,
                "name": one.name,
                "label": one.name,
                "href": f"/admin{one.query}",
                "active": one.query == here,
            }
            for one in own
        ],
        "query": here,
        "chosen": chosen.fields,
        "views": [(name, desk.t(f"queue.view_{name}")) for name in VIEWS],
        "units": [("", desk.t("queue.all_units")), *((u.id, u.name) for u in chosen.within)],
        "unit_id": chosen.unit.id if chosen.unit else "",
        "groups": [("", desk.t("queue.any_group")), *groups],
        "ledgers": [("", desk.t("queue.any_ledger")), *_words(desk, "record.ledger", LedgerKind)],
        "kinds": [("", desk.t("queue.any_kind")), *_words(desk, "ticket.kind", TicketKind)],
        "may_export": desk.may(Permission.EXPORT_TICKETS),
        "on_duty": await roster.on_duty(desk),
    }


async def _bulk(desk: Desk) -> dict[str, Any]:
    """What the form for several tickets offers."""
    people = [
        person
        for person in await staff.all_staff(desk.session, await staff.reach(desk.session, desk.person))
        if staff.may(person, Permission.WORK_TICKETS)
    ]
    return {
        "acts": [(act.value, desk.t(f"bulk.act_{act.value}")) for act in Act],
        "people": [("", desk.t("bulk.nobody")), *((person.id, person.name) for person in people)],
        "ledgers": [("", desk.t("bulk.no_ledger")), *_words(desk, "record.ledger", LedgerKind)],
        "most": bulk.MOST,
    }


def _words(desk: Desk, prefix: str, kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(one.value, desk.t(f"{prefix}.{one.value}")) for one in kind]


def capped(count: int) -> str:
    """A count for a tab: exact up to 99."""
    return str(count) if count <= queue.MOST_SHOWN else f"{queue.MOST_SHOWN}+"


def row_of(desk: Desk, ticket: Ticket, unit: Unit, holders: dict[int, str]) -> dict[str, Any]:
    """A ticket as one row: what is asked, where, who holds it, how long is left."""
    words = " ".join(ticket.words.split())
    language = desk.frame.language
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "version": ticket.version,
        "value": f"{ticket.id}:{ticket.version}",
        "words": words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
        "unit": unit.name,
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "tone": TONES[ticket.state],
        "holder": staff.mask_name(holders[ticket.assignee_id]) if ticket.assignee_id in holders else "",
        "mine": ticket.assignee_id == desk.person.id,
        "urgent": ticket.priority is clocks.Priority.P1,
        "channel": desk.t(f"channel.{ticket.channel}"),
        "accepted": times.moment(ticket.accepted_at, language),
        "group": ticket.group,
        "flagged": restricted.flagged(ticket) and ticket.state in OPEN_STATES,
        "hold_wanted": ticket.hold_wanted_until is not None,
        "can_take": ticket.state in (S.UNASSIGNED, S.ASSIGNED) and desk.may(Permission.WORK_TICKETS),
        # What was handed to oneself is accepted; the ticket's page does the same for a group.
        "to_accept": ticket.state is S.ASSIGNED and ticket.assignee_id == desk.person.id,
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
