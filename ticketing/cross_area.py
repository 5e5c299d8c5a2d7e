"""Requests to another district (跨区协查): what is asked of whom, with consent, and what came back."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import rules
from knowledge.rules import RegionContact
from office.errors import Conflict, Invalid
from office.hours import OfficeHours, beijing_day
from office.staff import Staff, mask_name
from ticketing import holding, restricted
from ticketing.intake import clean
from ticketing.moving import lock, may_work, must_hold, noted
from ticketing.records import Ticket, TicketKind, TicketState, UnansweredReason

LONGEST = 500
LONGEST_PLACE = 60


async def ask(
    session: AsyncSession,
    ticket: Ticket,
    *,
    district: str,
    applied_at: str,
    registered_at: str,
    person: str,
    request: str,
    answer_by: date | None,
    consent: bool,
    actor: Staff,
    now: datetime,
) -> None:
    """Write down what another district is asked; the ticket itself stays here, with whoever holds it.

    `district` is the receiving place by its name in the directory of neighbours, or as the officer names it.
    `applied_at` is 申请地, `registered_at` 户籍地. `person` is shortened as names are on pages: the card
    says who it is about only so far that the other office can ask back. Nothing is sent from here; the
    officer hands the card over. Raises `Invalid("cross_consent")` without the asker's consent,
    `Conflict("cross_asked")` while an earlier request waits.
    """
    await must_hold(session, actor, ticket)
    restricted.must_be_open(ticket)
    if not consent:
        raise Invalid("cross_consent")
    if waiting(ticket):
        raise Conflict("cross_asked")
    place = (await clean(session, district.strip()))[:LONGEST_PLACE]
    wanted = (await clean(session, request.strip()))[:LONGEST]
    if not place or not wanted:
        raise Invalid("cross_missing")
    if answer_by is not None and answer_by < beijing_day(now):
        raise Invalid("cross_day_past")
    ticket.cross_area = {
        "district": place,
        "applied_at": (await clean(session, applied_at.strip()))[:LONGEST_PLACE],
        "registered_at": (await clean(session, registered_at.strip()))[:LONGEST_PLACE],
        "person": mask_name(await clean(session, person)) if person.strip() else "",
        "request": wanted,
        "answer_by": answer_by.isoformat() if answer_by else "",
        "consent_at": now.isoformat(),
        "consent_taken_by": actor.id,
        "asked_at": now.isoformat(),
        "asked_by": actor.id,
        "feedback": "",
        "feedback_at": "",
        "before": _earlier(ticket),
    }
    if ticket.kind is TicketKind.ENQUIRY:
        ticket.kind = TicketKind.CROSS_AREA
    ticket.why_unanswered = UnansweredReason.OTHER_REGION
    await session.flush()
    await noted(session, ticket, "cross_ask", actor.as_actor(), now)


async def feedback(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    """Write down what the other district answered; that ends the waiting, and a hold that waited for it.

    Raises `Conflict("cross_not_asked")` where nothing is waited for.
    """
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    restricted.must_be_open(ticket)
    if not waiting(ticket):
        raise Conflict("cross_not_asked")
    came = (await clean(session, text.strip()))[:LONGEST]
    if not came:
        raise Invalid("text_needed")
    # A new value, or the session would not see that the old one changed inside.
    ticket.cross_area = {**ticket.cross_area, "feedback": came, "feedback_at": now.isoformat()}
    await session.flush()
    await noted(session, ticket, "cross_feedback", actor.as_actor(), now)
    if ticket.state is TicketState.ON_HOLD:
        # Written down by somebody else it goes on by itself, and whoever holds it is told.
        by = actor if ticket.assignee_id == actor.id else None
        await holding.resume(session, ticket, actor=by, hours=hours, now=now)


def waiting(ticket: Ticket) -> bool:
    """Whether another district has been asked and has not answered."""
    return bool(ticket.cross_area.get("asked_at")) and not ticket.cross_area.get("feedback_at")


async def receiving(session: AsyncSession, ticket: Ticket, *, now: datetime) -> RegionContact | None:
    """The office that is asked, from the directory of neighbours; None for one that the directory lacks."""
    wanted = ticket.cross_area.get("district", "")
    return next((row for row in await rules.contacts(session, now) if row.name == wanted), None)


def _earlier(ticket: Ticket) -> list[dict[str, str]]:
    told = ticket.cross_area
    if not told:
        return []
    kept = {name: told.get(name, "") for name in ("district", "request", "feedback", "feedback_at")}
    return [*told.get("before", []), kept]
