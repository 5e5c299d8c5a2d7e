"""按本人回执核实: an officer asks the roll again as the asker of a case did, and sees the result only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import case_facts, ticket_page
from admin.pages import Desk, Number, Refusal, signed_in
from office.errors import Conflict
from office.staff import Permission
from ticketing import queue, tickets
from ticketing.records import OPEN_STATES

router = APIRouter(prefix="/tickets")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]


@router.post("/{ticket_id}/confirm")
async def confirm(desk: Working, ticket_id: Number) -> Response:
    """What the roll says of the receipt the case was opened with: on this one response, kept nowhere.

    There is nothing to type: only the digest that lies with the ticket can be asked for. The lookup stands in
    the audit with the ticket as its subject.
    """

    async def again(later: Desk, refusal: Refusal) -> Response:
        context = await ticket_page.context(later, ticket_id, refusal)
        return later.render("console/ticket.html", status=refusal.status, **context)

    desk.on_refusal(again)
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    await tickets.may_work(desk.session, desk.person, ticket)
    if ticket.receipt_digest is None or ticket.state not in OPEN_STATES:
        raise Conflict("case.no_receipt")
    seen = await desk.services.lookups.for_case(
        desk.session, desk.person, ticket.receipt_digest, subject=f"ticket:{ticket.id}", now=desk.now
    )
    context = await ticket_page.context(desk, ticket_id)
    return desk.render("console/ticket.html", **{**context, "confirmed": case_facts.found(desk, seen)})
