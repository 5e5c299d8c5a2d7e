"""Questions that many ask: one more belongs to the cluster there is, and its asker is told so."""

from __future__ import annotations

from handlers import keyboards, speech
from handlers.turn import Reply, Turn
from ticketing import clusters, intake
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import Ticket, TicketKind


async def again(turn: Turn, enquiry: Enquiry, kind: TicketKind) -> Reply | None:
    """Append to the asker's own ticket in a cluster that still owes its answer; None for anything else."""
    if kind is not TicketKind.ENQUIRY:
        return None
    ticket = await clusters.open_member(turn.session, turn.contact, enquiry.words)
    if ticket is None:
        return None
    await intake.append(turn.session, ticket, enquiry.words, now=turn.now, event_id=enquiry.event_id)
    enquiry.ticket_id, enquiry.outcome = ticket.id, Outcome.TICKETED
    return _told(turn, ticket, "appended")


async def joined(turn: Turn, ticket: Ticket, key: str) -> Reply | None:
    """Join a new ticket to the open cluster that asks the very same; None without one."""
    if await clusters.late(turn.session, ticket, now=turn.now) is None:
        return None
    return _told(turn, ticket, key)


def _told(turn: Turn, ticket: Ticket, key: str) -> Reply:
    text = speech.ticket_opened(ticket, turn.lang, key=key) + "\n" + turn.words("merged")
    return turn.say(text, keyboards.after_ticket(turn.lang))
