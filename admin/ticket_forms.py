"""The ticket of a posted form of its page, and that page again if the form is refused."""

from __future__ import annotations

from fastapi.responses import Response

from admin import answer_box, ticket_page
from admin.pages import Desk, Refusal, done
from office.errors import Conflict, Invalid
from office.staff import Staff
from ticketing import queue
from ticketing.intake import clean
from ticketing.records import Ticket, TicketState


async def form_ticket(desk: Desk, ticket_id: int, *, fresh: bool = True) -> Ticket:
    """The ticket in the person's reach; with `fresh`, only if the form was made from its present version."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        if refusal.key in ("stale_card", "not_yours") and await _sent_already(later, ticket_id):
            return back(ticket_id, "already_sent")
        return await ticket_page.page(later, ticket_id, refusal)

    desk.on_refusal(again)
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    if fresh and ticket.version != desk.form.number("version"):
        raise Conflict("stale_card")
    return ticket


async def _sent_already(desk: Desk, ticket_id: int) -> bool:
    """Whether this very form had its effect before: a second click, or the page sent again."""
    if "text" not in desk.form.fields:
        return False
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    if ticket.author_id != desk.person.id:
        return False
    text, _ = await answer_box.text_and_basis(desk)
    words = await clean(desk.session, text.strip())
    if ticket.state is TicketState.IN_REVIEW:
        return ticket.proposed_text == words
    return ticket.state in (TicketState.ANSWERED, TicketState.CLOSED) and ticket.answer_text == words


def back(ticket_id: int, what: str = "kept") -> Response:
    """Back to the ticket's page, which says what was done."""
    return done(f"/admin/tickets/{ticket_id}", what)


async def chosen(desk: Desk, field: str) -> Staff:
    """The member of staff chosen in a form; raises `Invalid("person_needed")` for nobody."""
    number = desk.form.text(field)
    person = await desk.session.get(Staff, int(number)) if number.isdecimal() else None
    if person is None:
        raise Invalid("person_needed")
    return person
