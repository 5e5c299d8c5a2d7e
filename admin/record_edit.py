"""Filling in the record of a ticket; the form stands on the ticket's page (`admin.record`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import record
from admin.pages import Desk, Number, signed_in
from admin.ticket_forms import back, form_ticket
from office.staff import Permission
from ticketing import record_fields

router = APIRouter(prefix="/tickets")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]


@router.post("/{ticket_id}/record")
async def change(desk: Working, ticket_id: Number) -> Response:
    """Keep what was filled in; whoever comes second finds what they typed beside what is there now."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await record_fields.change(
        desk.session,
        ticket,
        record.typed(desk),
        seen=desk.form.number("version"),
        sealer=desk.services.sealer,
        actor=desk.person,
        now=desk.now,
    )
    return back(ticket_id, "record_saved")
