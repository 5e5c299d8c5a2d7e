"""Fields of the record in words: moments, choices, masked names and numbers, texts without numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from knowledge.versions import topics
from office import redact
from office.errors import Conflict
from office.hours import BEIJING
from office.seal import Sealer
from office.staff import mask_name
from office.words import CHINESE, say
from ticketing import call_backs
from ticketing.record_refs import Refs
from ticketing.records import Ticket, TicketState
from ticketing.restricted import HIDDEN

# Where a choice has words of its own already.
_ELSEWHERE = {
    "kind": "ticket.kind",
    "channel": "channel",
    "why_unanswered": "ticket.why",
    "priority": "ticket.priority",
    "follow_up": "ticket.follow_up",
    "state": "ticket.state",
    "closed_by": "closed_by",
    "roll_issue": "case.issue",
}
UNREADABLE = "—"


def choice(name: str, value: StrEnum | None, language: str = CHINESE) -> str:
    """The words of a choice of the field `name`; empty for none."""
    if value is None:
        return ""
    return say(f"{_ELSEWHERE.get(name, f'record.{name}')}.{value.value}", language)


def way(ticket: Ticket, refs: Refs, language: str = CHINESE) -> str:
    """How the asker of a ticket was answered, or is going to be."""
    found = refs.given.get(ticket.id)
    return choice("answer_mode", found.way, language) if found else ""


def given_by(ticket: Ticket, refs: Refs) -> Ticket:
    """The ticket that holds the answer this ticket's asker was told last: its lead, or itself."""
    found = refs.given.get(ticket.id)
    return found.by if found and found.by else ticket


def answerer(ticket: Ticket, refs: Refs) -> str:
    """Who gave the answer that the asker was told last; empty while nothing was told."""
    found = refs.given.get(ticket.id)
    return refs.name(found.by.answered_by_id or found.by.author_id) if found and found.by else ""


def answered_at(ticket: Ticket, refs: Refs, language: str = CHINESE) -> str:
    """When the asker was told last, marked where the question was opened again since."""
    found = refs.given.get(ticket.id)
    if found is None or found.by is None:
        return ""
    return say("record.again", language, told=moment(found.at)) if found.before else moment(found.at)


def moment(at: datetime | None) -> str:
    """2026-11-20 10:05, Beijing time; empty for none."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}" if at else ""


def day(on: date | None) -> str:
    """2026-11-20; empty for none."""
    return on.isoformat() if on else ""


def yes(value: bool, language: str = CHINESE) -> str:
    """是 or 否."""
    return say("record.yes" if value else "record.no", language)


def joined(parts: Iterable[str], by: str = "/") -> str:
    """The parts that say something, with a sign between them."""
    return by.join(part for part in parts if part)


def hidden(ticket: Ticket) -> bool:
    """Whether the ticket is or was handled offline: then nothing of its content leaves the desk."""
    return ticket.state is TicketState.OFFLINE or ticket.offline_owner_id is not None


def said(ticket: Ticket, text: str, refs: Refs) -> str:
    """A free text of a ticket for paper: （线下办理） for a confidential one, and no number of anybody's."""
    if hidden(ticket):
        return HIDDEN
    return redact.text(text, published=refs.published).text if text else ""


def asker_name(ticket: Ticket, sealer: Sealer) -> str:
    """How the asker called themselves, shortened; empty for nobody, a dash if the seal cannot be opened."""
    name = opened(sealer, ticket.asker_name)
    return mask_name(name) if name not in ("", UNREADABLE) else name


def masked_phone(ticket: Ticket, sealer: Sealer) -> str:
    """The asker's number as pages show it, 138****5678."""
    phone = opened(sealer, ticket.phone)
    return phone if phone == UNREADABLE else call_backs.masked_phone(phone)


def last_digits(ticket: Ticket, sealer: Sealer) -> str:
    """The last four digits of the asker's number, all that stands on paper (security, masking)."""
    phone = opened(sealer, ticket.phone)
    digits = [symbol for symbol in phone if symbol.isdecimal()]
    return "".join(digits[-4:]) if len(digits) >= 7 else ""


def opened(sealer: Sealer, sealed: bytes | None) -> str:
    """What is under a seal; a dash if the secret it was sealed with has gone."""
    try:
        return sealer.open(sealed)
    except Conflict:
        return UNREADABLE


def topic(name: str) -> str:
    """The meaning of a topic in words; the name itself if the list knows it no more."""
    found = topics().get(name)
    return found.meaning if found else name


def conclusion(ticket: Ticket, refs: Refs, language: str = CHINESE) -> str:
    """What the conclusion rests on: an entry with its version, or the basis that a reviewer signed."""
    cited = refs.versions.get(ticket.conclusion_version_id or 0)
    if cited:
        return say("record.cited", language, no=cited[0], number=cited[1])
    return said(ticket, ticket.conclusion_basis, refs)
