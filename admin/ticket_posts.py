"""What officers do with a ticket besides answering it: handing on, contributing, holding, telling its asker.

The forms stand on the ticket's page (`admin.ticket_acts`); one that cannot be taken shows that page again
with the reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.pages import Desk, Number, signed_in
from admin.ticket_forms import back, form_ticket
from office import staff
from office.errors import Invalid
from office.hours import BEIJING
from office.staff import Permission, Staff
from ticketing import assigning, holding, interim, joint, tickets, verdicts
from ticketing.records import UnansweredReason

router = APIRouter(prefix="/tickets")
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]


@router.post("/{ticket_id}/assign")
async def assign(desk: Working, ticket_id: Number) -> Response:
    """A leader gives the ticket to somebody."""
    ticket = await form_ticket(desk, ticket_id)
    to = await _person(desk, "assign_to")
    if to is None:
        raise Invalid("to_needed")
    group = desk.form.text("assign_group")
    await assigning.assign(desk.session, ticket, to, actor=desk.person, now=desk.now, group=group)
    return back(ticket_id, "assigned")


@router.post("/{ticket_id}/accept")
async def accept(desk: Working, ticket_id: Number) -> Response:
    """Accept what was given to oneself or one's group."""
    ticket = await form_ticket(desk, ticket_id)
    await assigning.accept(desk.session, ticket, actor=desk.person, now=desk.now)
    return back(ticket_id, "accepted")


@router.post("/{ticket_id}/transfer")
async def transfer(desk: Working, ticket_id: Number) -> Response:
    """Hand the ticket on to a group or a person."""
    ticket = await form_ticket(desk, ticket_id)
    group, reason = desk.form.text("transfer_group"), desk.form.text("transfer_reason")
    to = await _person(desk, "transfer_to")
    await assigning.transfer(
        desk.session, ticket, group=group, to=to, reason=reason, actor=desk.person, now=desk.now
    )
    return back(ticket_id, "transferred")


@router.post("/{ticket_id}/send-back")
async def send_back(desk: Working, ticket_id: Number) -> Response:
    """Send the ticket back with the rule that says whose it is."""
    ticket = await form_ticket(desk, ticket_id)
    reason, rule = desk.form.text("back_reason"), desk.form.text("back_rule")
    await assigning.send_back(desk.session, ticket, reason=reason, rule=rule, actor=desk.person, now=desk.now)
    return back(ticket_id, "returned")


@router.post("/{ticket_id}/joint")
async def ask_joint(desk: Working, ticket_id: Number) -> Response:
    """Ask somebody to contribute."""
    ticket = await form_ticket(desk, ticket_id)
    to = await _person(desk, "joint_to")
    if to is None:
        raise Invalid("to_needed")
    await joint.add(desk.session, ticket, to, actor=desk.person, now=desk.now)
    return back(ticket_id, "joint_asked")


@router.post("/{ticket_id}/contribute")
async def contribute(desk: Working, ticket_id: Number) -> Response:
    """Write one's part of a joint ticket; what others did meanwhile is no obstacle."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    text = desk.form.text("joint_text")
    await joint.contribute(desk.session, ticket, text, actor=desk.person, now=desk.now)
    return back(ticket_id, "contributed")


@router.post("/{ticket_id}/hold")
async def want_hold(desk: Working, ticket_id: Number) -> Response:
    """Ask for a hold."""
    ticket = await form_ticket(desk, ticket_id)
    why = desk.form.text("hold_why")
    if why not in tuple(UnansweredReason):
        raise Invalid("form_broken")
    until = _moment(desk.form.text("hold_until"))
    await holding.want(desk.session, ticket, UnansweredReason(why), until, actor=desk.person, now=desk.now)
    return back(ticket_id, "hold_wanted")


@router.post("/{ticket_id}/hold/grant")
async def grant_hold(desk: Working, ticket_id: Number) -> Response:
    """A leader lets the hold begin."""
    ticket = await form_ticket(desk, ticket_id)
    await holding.grant(desk.session, ticket, actor=desk.person, hours=desk.hours, now=desk.now)
    return back(ticket_id, "held")


@router.post("/{ticket_id}/hold/refuse")
async def refuse_hold(desk: Working, ticket_id: Number) -> Response:
    """A leader lets the clock run on."""
    ticket = await form_ticket(desk, ticket_id)
    await holding.refuse(desk.session, ticket, actor=desk.person, hours=desk.hours, now=desk.now)
    return back(ticket_id, "hold_refused")


@router.post("/{ticket_id}/resume")
async def resume(desk: Working, ticket_id: Number) -> Response:
    """Go on with a held ticket."""
    ticket = await form_ticket(desk, ticket_id)
    await holding.resume(desk.session, ticket, actor=desk.person, hours=desk.hours, now=desk.now)
    return back(ticket_id, "went_on")


@router.post("/{ticket_id}/extend")
async def extend(desk: Working, ticket_id: Number) -> Response:
    """A leader promises a later time, and the asker is told."""
    ticket = await form_ticket(desk, ticket_id)
    later, reason = _moment(desk.form.text("extend_to")), desk.form.text("extend_reason")
    await interim.extend(
        desk.session, ticket, later, reason, actor=desk.person, hours=desk.hours, now=desk.now
    )
    return back(ticket_id, "extended")


@router.post("/{ticket_id}/nudge")
async def nudge(desk: Working, ticket_id: Number) -> Response:
    """Remind whoever has the ticket."""
    ticket = await form_ticket(desk, ticket_id, fresh=False)
    await interim.nudge(desk.session, ticket, desk.form.text("nudge_text"), by=desk.person, now=desk.now)
    return back(ticket_id, "nudged" if ticket.assignee_id or ticket.merged_into_id else "nudged_leaders")


@router.post("/{ticket_id}/split")
async def split(desk: Working, ticket_id: Number) -> Response:
    """A leader parts a joined ticket again."""
    ticket = await form_ticket(desk, ticket_id)
    await tickets.split(desk.session, ticket, actor=desk.person.as_actor(), now=desk.now)
    return back(ticket_id, "parted")


@router.post("/{ticket_id}/unvoid")
async def unvoid(desk: Working, ticket_id: Number) -> Response:
    """A leader opens a ticket that was set aside."""
    ticket = await form_ticket(desk, ticket_id)
    await verdicts.unvoid(desk.session, ticket, actor=desk.person, hours=desk.hours, now=desk.now)
    return back(ticket_id, "unvoided")


async def _person(desk: Desk, field: str) -> Staff | None:
    return await staff.get(desk.session, desk.form.number(field)) if desk.form.text(field) else None


def _moment(text: str) -> datetime:
    """The moment that a field for day and time holds, Beijing time."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid("time_unreadable") from error
    return found.replace(tzinfo=BEIJING) if found.tzinfo is None else found
