"""Files of a ticket: laid beside it, handed out by a link that holds half an hour and asks again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from fastapi.responses import Response

from admin import uploads
from admin.pages import Desk, Number, signed_in
from admin.ticket_forms import back, form_ticket
from office.errors import NotFound
from office.staff import Permission
from ticketing import attachments
from ticketing.attachments import ENDINGS, LARGEST_WEB, Attachment

router = APIRouter()
read = partial(uploads.read, largest=LARGEST_WEB)
Token = Annotated[str, InPath(min_length=5, max_length=80)]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
Uploading = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS, read))]


@router.post("/tickets/{ticket_id}/attachments")
async def upload(desk: Uploading, ticket_id: Number) -> Response:
    """Lay a file beside a ticket; one that may show somebody's papers is quarantined."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    file = uploads.chosen(desk.form)
    await attachments.put(
        desk.session, ticket, file.name, file.data, actor=desk.person, sealer=desk.services.sealer,
        quarantined=desk.form.text("papers") == "1", now=desk.now,
    )  # fmt: skip
    return back(ticket_id)


@router.post("/tickets/{ticket_id}/attachments/{attachment_id}/release")
async def release(desk: Working, ticket_id: Number, attachment_id: Number) -> Response:
    """The assignee saw nobody's papers in it."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    row = await desk.session.get(Attachment, attachment_id)
    if row is None or row.ticket_id != ticket.id:
        raise NotFound("attachment_gone")
    await attachments.release(desk.session, row, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.get("/attachments/{token}")
async def hand_out(desk: Working, token: Token) -> Response:
    """The file behind a link of this person's own; as a download, never shown within a page."""
    machine = desk.services
    # A transaction of its own: looking at a page writes nothing, but each opening is audited.
    async with machine.store.transaction() as session:
        found = await attachments.open_(
            session, machine.secret, token, sealer=machine.sealer, actor=desk.person, now=desk.now
        )
    ending = ENDINGS[found.media_type]
    return Response(
        found.content,
        media_type=found.media_type,
        headers={
            # What it is called may say whose it is, and headers are logged: the ending is enough.
            "Content-Disposition": f'attachment; filename="file{ending}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store, private",
        },
    )
