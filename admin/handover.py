"""交接班: what the last shift leaves, its message, the signature; and handing over oneself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import roster, times
from admin.pages import Desk, Number, Refusal, done, signed_in
from office import staff, units
from office.errors import Invalid
from office.hours import beijing_day
from office.staff import Permission
from ticketing import duty, handovers, owed
from ticketing.handovers import Handover
from ticketing.records import Ticket

router = APIRouter(prefix="/handover")
Seeing = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
DONE = ("begun", "signed", "freed")
EXCERPT = 60
MOST_TAKEN = 200
PAST = 12
PAST_OF_A_DAY = 100
# A figure leads to its tickets where the queue has a view of them.
VIEWS = {"open": "open", "overdue": "overdue"}


@router.get("")
async def show(desk: Seeing) -> Response:
    """What waits for a signature, how things stand, and the form for handing over."""
    return await _page(desk)


@router.get("/{handover_id}")
async def one(desk: Seeing, handover_id: Number) -> Response:
    """One handover: what was left, who signed, and what has changed since."""
    found = await handovers.get(desk.session, desk.person, handover_id)
    return desk.render(
        "console/handover_one.html",
        here=f"/admin/handover/{handover_id}",
        handover=await _told(desk, found, whole=True),
    )


@router.post("")
async def begin(desk: Working) -> Response:
    """Hand over: message and snapshot wait for the next one's signature."""
    desk.on_refusal(_page)
    own = await _own_shift(desk)
    await handovers.begin(desk.session, desk.person, desk.form.text("message"), shift=own, now=desk.now)
    return done("/admin/handover", "begun")


@router.post("/{handover_id}/sign")
async def sign(desk: Working, handover_id: Number) -> Response:
    """Sign; what was ticked becomes one's own, the rest of the leaver's goes into the queue."""
    desk.on_refusal(_page)
    found = await handovers.get(desk.session, desk.person, handover_id)
    ticked = desk.form.all("take")[:MOST_TAKEN]
    if not all(number.isdecimal() and len(number) < 10 for number in ticked):
        raise Invalid("form_broken")
    await handovers.sign(
        desk.session,
        found,
        seen=desk.form.number("version"),
        taker=desk.person,
        taking={int(number) for number in ticked},
        now=desk.now,
    )
    return done("/admin/handover", "signed")


@router.post("/orphans")
async def free(desk: Working) -> Response:
    """Put back into the queue what nobody present answers for."""
    desk.on_refusal(_page)
    unit = await units.get(desk.session, desk.person.unit_id)
    await handovers.free(desk.session, unit, actor=desk.person, now=desk.now)
    return done("/admin/handover", "freed")


async def _own_shift(desk: Desk) -> Any:
    """The person's shift of today that began last; None without a roster."""
    today = beijing_day(desk.now)
    mine = [
        shift for shift in await duty.of_person(desk.session, desk.person, now=desk.now) if shift.day == today
    ]
    covering = [shift for shift in mine if shift.covers(desk.now)]
    return covering[0] if covering else None


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    unit = await units.get(desk.session, desk.person.unit_id)
    waiting = await handovers.waiting(desk.session, desk.person)
    now_owed = await owed.snapshot(desk.session, unit, since=None, now=desk.now)
    asked = desk.request.query_params.get("done", "")
    alone = await owed.orphans(desk.session, unit, beside=desk.person, now=desk.now)
    holders = await staff.names(desk.session, {ticket.assignee_id for ticket in alone if ticket.assignee_id})
    own = next((row for row in waiting if row.from_id == desk.person.id), None)
    past, day = await _past(desk)
    return desk.render(
        "console/handover.html",
        status=refusal.status if refusal else 200,
        here="/admin/handover",
        error=refusal.words if refusal else "",
        done=desk.t(f"handover.done.{asked}") if asked in DONE else "",
        waiting=[await _told(desk, row) for row in waiting],
        past=[await _told(desk, row) for row in past[: PAST_OF_A_DAY if day else PAST]],
        older=past[PAST - 1].id if not day and len(past) > PAST else 0,
        day=day.isoformat() if day else "",
        earlier="before" in desk.request.query_params,
        counts=_counts(desk, now_owed["counts"]),
        on_duty=await roster.on_duty(desk),
        orphans=[
            {**_row(desk, ticket), "holder": holders.get(ticket.assignee_id or 0, "")} for ticket in alone
        ],
        message=desk.form.text("message") or (own.message if own else ""),
        own=own is not None,
        mine=[_row(desk, ticket) for ticket in await owed.held_by(desk.session, desk.person)],
        may_work=desk.may(Permission.WORK_TICKETS),
    )


async def _past(desk: Desk) -> tuple[Sequence[Handover], date | None]:
    """The signed handovers that the address asks for, one more than a page has, and the day it names."""
    asked = desk.request.query_params
    try:
        day = date.fromisoformat(asked.get("day", ""))
    except ValueError:
        day = None
    number = asked.get("before", "")
    before = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
    if day is not None:
        return await handovers.past(desk.session, desk.person, PAST_OF_A_DAY, on=day), day
    return await handovers.past(desk.session, desk.person, PAST + 1, before=before), None


async def _told(desk: Desk, row: Handover, *, whole: bool = False) -> dict[str, Any]:
    """A handover in words; `whole` with the tickets that were left and the difference since."""
    people = {number for number in (row.from_id, row.to_id) if number}
    names = await staff.names(desk.session, people)
    leaver = await staff.get(desk.session, row.from_id)
    language = desk.frame.language
    difference = row.difference
    if whole and row.signed_at and not difference:
        unit = await units.get(desk.session, row.unit_id)
        since = await owed.snapshot(desk.session, unit, since=row.made_at, now=desk.now)
        difference = owed.compared(row.snapshot, since)
    held = await owed.held_by(desk.session, leaver) if row.signed_at is None else []
    return {
        "id": row.id,
        "version": row.version,
        "who": names.get(row.from_id, ""),
        "taker": names.get(row.to_id or 0, ""),
        "message": row.message,
        "made": times.moment(row.made_at, language),
        "signed": times.moment(row.signed_at, language) if row.signed_at else "",
        "late": row.signed_at is None and desk.now - row.made_at >= handovers.SIGN_WITHIN,
        "mine": row.from_id == desk.person.id,
        "counts": _counts(desk, row.snapshot["counts"]),
        "summary": _summary(desk, row.snapshot["counts"]),
        "held": [_row(desk, ticket) for ticket in held],
        "difference": [
            {
                "label": desk.t(f"handover.since.{name}"),
                "n": len(difference[name]),
                "ids": difference[name][:50],
            }
            for name in ("finished", "left", "new", "overdue")
        ]
        if difference
        else [],
        "over": bool(row.difference),
    }


def _counts(desk: Desk, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "label": desk.t(f"handover.count.{name}"),
            "n": counts.get(name, 0),
            "href": f"/admin?view={VIEWS[name]}" if name in VIEWS else "",
        }
        for name in owed.COUNTED
    ]


def _summary(desk: Desk, counts: dict[str, int]) -> str:
    """待办 7（超时1，今日到期4）、挂起 2、新聚类 1."""
    facts = {name: counts.get(name, 0) for name in owed.COUNTED}
    return desk.t("handover.summary", **facts)


def _row(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    words = " ".join(ticket.words.split())
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "words": words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "left": times.remaining(ticket.due_at, desk.now, desk.frame.language),
        "late": desk.now > ticket.due_at,
    }
