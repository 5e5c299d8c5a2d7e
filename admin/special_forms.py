"""The ticket of a posted form of its page, and that page again if the form is refused."""

from __future__ import annotations

from fastapi.responses import Response

from admin import ticket_page
from admin.pages import Desk, Refusal, done
from office.errors import Conflict, Invalid
from office.staff import Staff
from ticketing import queue
from ticketing.records import Ticket


async def ticket_of(desk: Desk, ticket_id: int, *, fresh: bool = True) -> Ticket:
    """The ticket in the person's reach; with `fresh`, only if the form was made from its present version."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        context = await ticket_page.context(later, ticket_id, refusal)
        return later.render("console/ticket.html", status=refusal.status, **context)

    desk.on_refusal(again)
    ticket, _ = await queue.seen_by(desk.session, desk.person, ticket_id)
    if fresh and ticket.version != desk.form.number("version"):
        raise Conflict("stale_card")
    return ticket


def back(ticket_id: int, word: str = "kept") -> Response:
    """Go and look at the ticket again; `word` says what has just been done."""
    return done(f"/admin/tickets/{ticket_id}", word)


async def chosen(desk: Desk, field: str) -> Staff:
    """The member of staff chosen in a form; raises `Invalid("person_needed")` for nobody."""
    number = desk.form.text(field)
    person = await desk.session.get(Staff, int(number)) if number.isdecimal() else None
    if person is None:
        raise Invalid("person_needed")
    return person
