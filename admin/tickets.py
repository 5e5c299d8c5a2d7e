"""One ticket: its page and what may be done with it. Each form carries the version it was made from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from admin import answer_box, ticket_page
from admin.pages import Desk, Number, done, signed_in
from admin.ticket_forms import back, form_ticket
from knowledge.versions import Entry
from office.errors import Invalid, NotFound
from office.staff import Permission
from ticketing import drafts, promote, queue, tickets, verdicts
from ticketing.records import ClosedBy

router = APIRouter(prefix="/tickets")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
Reviewing = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]


@router.get("/{ticket_id}")
async def show(desk: Reading, ticket_id: Number) -> Response:
    """The ticket, for whoever's reach it lies in."""
    return await ticket_page.page(desk, ticket_id)


@router.post("/{ticket_id}/take")
async def take(desk: Working, ticket_id: Number) -> Response:
    """Take the ticket; whoever comes second is told who was first."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    seen = desk.form.number("version")
    await tickets.take(desk.session, ticket, seen=seen, actor=desk.person, now=desk.now)
    return back(ticket_id, "taken")


@router.post("/{ticket_id}/put-back")
async def put_back(desk: Working, ticket_id: Number) -> Response:
    """Give the ticket back to the queue, with a reason."""
    ticket = await form_ticket(desk, ticket_id)
    reason = desk.form.text("reason_put_back")
    await tickets.put_back(desk.session, ticket, reason, actor=desk.person, now=desk.now)
    return done("/admin", "put_back")


@router.post("/{ticket_id}/looking")
async def looking(desk: Reading, ticket_id: Number) -> Response:
    """Note that the person has the ticket open; tells who else does, and who of them is writing."""
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    others = await drafts.look(desk.session, ticket, actor=desk.person, now=desk.now)
    told: dict[str, object] = {"others": others}
    if writing := await drafts.writing(desk.session, ticket, desk.person, now=desk.now):
        told["writing"] = writing
    # The page was made from this version: a script says at once that it is old.
    if desk.form.text("version") and desk.form.number("version") != ticket.version:
        told["changed"] = desk.t("presence.changed")
    return JSONResponse(told)


@router.post("/{ticket_id}/sign")
async def sign(desk: Reviewing, ticket_id: Number) -> Response:
    """Sign the proposed answer; it leaves for the asker."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    seen, hours = desk.form.number("version"), desk.hours
    await tickets.sign(desk.session, ticket, seen=seen, actor=desk.person, hours=hours, now=desk.now)
    return back(ticket_id, answer_box.sent_how(ticket))


@router.post("/{ticket_id}/revise")
async def revise(desk: Reviewing, ticket_id: Number) -> Response:
    """Give the proposed answer back to its author with a remark."""
    ticket = await form_ticket(desk, ticket_id)
    remark = desk.form.text("remark")
    await tickets.revise(desk.session, ticket, remark, actor=desk.person, now=desk.now)
    return back(ticket_id, "revised")


@router.post("/{ticket_id}/note")
async def note(desk: Working, ticket_id: Number) -> Response:
    """Leave a line for colleagues."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await tickets.note(desk.session, ticket, desk.form.text("note"), actor=desk.person, now=desk.now)
    return back(ticket_id, "noted")


@router.post("/{ticket_id}/close")
async def close(desk: Working, ticket_id: Number) -> Response:
    """Close an answered ticket, with a reason."""
    ticket = await form_ticket(desk, ticket_id)
    actor, reason = desk.person.as_actor(), desk.form.text("reason_close")
    await verdicts.close(desk.session, ticket, by=ClosedBy.OFFICER, actor=actor, now=desk.now, reason=reason)
    return back(ticket_id, "closed")


@router.post("/{ticket_id}/reopen")
async def reopen(desk: Working, ticket_id: Number) -> Response:
    """Open an answered ticket again, same number."""
    ticket = await form_ticket(desk, ticket_id)
    hours = desk.hours
    await verdicts.reopen(desk.session, ticket, actor=desk.person.as_actor(), hours=hours, now=desk.now)
    return back(ticket_id, "reopened")


@router.post("/{ticket_id}/merge")
async def merge(desk: Working, ticket_id: Number) -> Response:
    """Join the ticket to another open one of the same asker."""
    ticket = await form_ticket(desk, ticket_id)
    if not desk.form.text("lead"):
        raise Invalid("lead_needed")
    lead, _ = await queue.seen_by(desk.session, desk.person, desk.form.number("lead"))
    await tickets.merge(desk.session, ticket, lead, actor=desk.person, now=desk.now)
    return back(lead.id, "merged")


@router.post("/{ticket_id}/void")
async def void(desk: Working, ticket_id: Number) -> Response:
    """Set the ticket aside as no question for this office, with a reason."""
    ticket = await form_ticket(desk, ticket_id)
    reason = desk.form.text("reason_void")
    await tickets.void(desk.session, ticket, reason, actor=desk.person, now=desk.now)
    return back(ticket_id, "voided")


@router.post("/{ticket_id}/phrasing/{entry_id}")
async def to_phrasing(desk: Drafting, ticket_id: Number, entry_id: Number) -> Response:
    """Add the ticket's words to the ways to ask for an entry and go on in its editor."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    entry = await desk.session.get(Entry, entry_id)
    if entry is None:
        raise NotFound("entry_unknown")
    await promote.to_phrasing(desk.session, ticket, entry, actor=desk.person, now=desk.now)
    return done(f"/admin/entries/{entry.id}/edit", "phrasing_added")


@router.post("/{ticket_id}/promote")
async def to_entry(desk: Drafting, ticket_id: Number) -> Response:
    """Begin an entry from the ticket and go on in its editor, or go to the one that it became before."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    entry_id, new = await promote.begin_entry(desk.session, ticket, actor=desk.person, now=desk.now)
    if new:
        return done(f"/admin/entries/{entry_id}/edit", "promoted")
    return done(f"/admin/entries/{entry_id}", "promoted_before")
