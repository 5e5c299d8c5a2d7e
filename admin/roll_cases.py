"""按本人回执核实: an officer asks the roll again as the asker of a case did, and sees the result only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import case_facts, ticket_page
from admin.pages import Desk, Number, signed_in
from admin.ticket_forms import form_ticket
from office.errors import Conflict
from office.staff import Permission
from ticketing import tickets
from ticketing.records import OPEN_STATES

router = APIRouter(prefix="/tickets")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]


@router.post("/{ticket_id}/confirm")
async def confirm(desk: Working, ticket_id: Number) -> Response:
    """What the roll says of the receipt the case was opened with: on this one response, kept nowhere.

    There is nothing to type: only the digest that lies with the ticket can be asked for. The lookup stands in
    the audit with the ticket as its subject.
    """
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await tickets.may_work(desk.session, desk.person, ticket)
    if ticket.receipt_digest is None or ticket.state not in OPEN_STATES:
        raise Conflict("case.no_receipt")
    seen = await desk.services.lookups.for_case(
        desk.session, desk.person, ticket.receipt_digest, subject=f"ticket:{ticket.id}", now=desk.now
    )
    return await ticket_page.page(desk, ticket_id, confirmed=case_facts.found(desk, seen))
