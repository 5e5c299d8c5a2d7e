"""Acts with other offices: another district, the office above, a street office; checks of the list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import elsewhere, times
from admin.pages import Desk, Number, signed_in
from admin.ticket_forms import back, form_ticket
from office import staff, units
from office.errors import Invalid, NotFound
from office.staff import Permission
from ticketing import checking, cross_area, queue, superiors
from ticketing.checking import Count, Paper

router = APIRouter(prefix="/tickets/{ticket_id}")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]


@router.post("/cross-ask")
async def ask(desk: Working, ticket_id: Number) -> Response:
    """Write down what another district is asked, with the asker's consent."""
    ticket = await form_ticket(desk, ticket_id)
    form = desk.form
    await cross_area.ask(
        desk.session, ticket, district=form.text("cross_district"), applied_at=form.text("cross_applied_at"),
        registered_at=form.text("cross_registered_at"), person=form.text("cross_person"),
        request=form.text("cross_request"), answer_by=form.day("cross_answer_by"),
        consent=form.text("cross_consent") == "1", actor=desk.person, now=desk.now,
    )  # fmt: skip
    return back(ticket_id)


@router.post("/cross-feedback")
async def feedback(desk: Working, ticket_id: Number) -> Response:
    """Write down what the other district answered."""
    ticket = await form_ticket(desk, ticket_id)
    came = desk.form.text("cross_feedback")
    await cross_area.feedback(desk.session, ticket, came, actor=desk.person, hours=desk.hours, now=desk.now)
    return back(ticket_id)


@router.get("/referral")
async def referral(desk: Reading, ticket_id: Number) -> Response:
    """The card for the receiving office, to be printed: who asks whom for what, and how to reach us."""
    ticket, unit = await queue.seen_by(desk.session, desk.person, ticket_id)
    if not ticket.cross_area:
        raise NotFound("ticket_unknown")
    asked = await elsewhere.context(desk, ticket)
    return desk.render(
        "console/referral.html",
        no=ticket.ticket_no,
        from_unit=unit.name,
        pairs=asked["cross"]["pairs"],
        receiver=await cross_area.receiving(desk.session, ticket, now=desk.now),
        district=ticket.cross_area["district"],
        printed=times.moment(desk.now, desk.frame.language),
        by=desk.person.masked_name,
    )


@router.post("/superior-ask")
async def ask_up(desk: Working, ticket_id: Number) -> Response:
    """Note the reference under which the office above was asked."""
    ticket = await form_ticket(desk, ticket_id)
    number = desk.form.text("superior_no")
    await superiors.ask_up(desk.session, ticket, number, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.post("/superior-answer")
async def answered(desk: Working, ticket_id: Number) -> Response:
    """Note what the office above answered: the basis of the answer to be proposed."""
    ticket = await form_ticket(desk, ticket_id)
    day = desk.form.day("superior_day")
    if day is None:
        raise Invalid("superior_day")
    await superiors.answered(
        desk.session, ticket, desk.form.text("superior_text"), desk.form.text("superior_reply_no"), day,
        actor=desk.person, hours=desk.hours, now=desk.now,
    )  # fmt: skip
    return back(ticket_id)


@router.post("/down")
async def down(desk: Working, ticket_id: Number) -> Response:
    """Give the ticket to a unit below, and to one of its officers where one is named."""
    ticket = await form_ticket(desk, ticket_id)
    if not desk.form.text("down_unit"):
        raise Invalid("unit_not_below")
    unit = await units.get(desk.session, desk.form.number("down_unit"))
    to = desk.form.text("down_to")
    person = await staff.get(desk.session, int(to)) if to.isdecimal() else None
    reason = desk.form.text("reason_down")
    await superiors.down(desk.session, ticket, unit, person, reason, actor=desk.person, now=desk.now)
    return back(ticket_id, "handed_down")


@router.post("/check")
async def check(desk: Working, ticket_id: Number) -> Response:
    """Write down what a check of the list saw."""
    ticket = await form_ticket(desk, ticket_id)
    form = desk.form
    seen = frozenset(Paper(name) for name in form.all("check_seen") if name in set(Paper))
    await checking.looked_at(
        desk.session, ticket, category=form.text("check_category"), online=form.text("check_online"),
        seen=seen, image_no=form.text("check_image_no"), failed=form.text("check_failed"), actor=desk.person,
        now=desk.now,
    )  # fmt: skip
    return back(ticket_id)


@router.post("/check-second")
async def check_second(desk: Working, ticket_id: Number) -> Response:
    """A second person has looked the check over."""
    ticket = await form_ticket(desk, ticket_id)
    await checking.looked_over(desk.session, ticket, actor=desk.person, now=desk.now)
    return back(ticket_id)


@router.post("/counts")
async def counts(desk: Working, ticket_id: Number) -> Response:
    """How many names were checked, removed and added."""
    ticket = await form_ticket(desk, ticket_id)
    numbers = {count: desk.form.number(f"count_{count}") for count in Count}
    await checking.counted(desk.session, ticket, numbers, actor=desk.person, now=desk.now)
    return back(ticket_id)
