"""The answer that each ticket's asker was given last: whose conclusion it is, when and which way it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from office.contacts import Channel
from office.delivery import Delivery
from ticketing.call_backs import CallBack, CallBackKind, CallBackState
from ticketing.particulars import AnswerMode
from ticketing.records import REMOVED, PostKind, ThreadPost, Ticket, TicketState

# Databases take only so many values in one list.
_TOGETHER: Final = 900
_BY_MOUTH: Final = (Channel.PHONE, Channel.COUNTER)
_Value = TypeVar("_Value", int, str)


class Way(StrEnum):
    """The ways of `AnswerMode`, and what the call-back list makes of it for somebody without a chat.

    TO_CALL is on the list still, TO_ASK left no phone and is told when they ask again, NOT_TOLD was given up.
    """

    CHAT = auto()
    PHONE = auto()
    IN_PERSON = auto()
    LETTER = auto()
    GROUP = auto()
    TO_CALL = auto()
    TO_ASK = auto()
    NOT_TOLD = auto()


_NOT_YET: Final = frozenset({Way.TO_CALL, Way.TO_ASK, Way.NOT_TOLD})


@dataclass(frozen=True, slots=True)
class Given:
    """What one asker was told last.

    `by` is the ticket whose conclusion it is, the lead's for a joined one; None while nothing was told, and
    then `way` is how it is going to be. `before` says that the question was opened again since; `way` is not
    known any more where a new draft has named another one.
    """

    way: Way | None
    by: Ticket | None = None
    at: datetime | None = None
    before: bool = False

    @property
    def based(self) -> bool:
        """Whether the basis written on the ticket is this answer's, and not that of a later draft."""
        return self.by is not None and not (self.before and _drafted_anew(self.by))


@dataclass(frozen=True, slots=True)
class _Call:
    """How the newest call with an answer stands."""

    way: Way
    laid_at: datetime


async def of(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, Given]:
    """What the asker of each of these tickets was told last, by row number; who heard nothing is left out."""
    found = await _tickets(session, (ticket.merged_into_id for ticket in tickets))
    leads = {t.id: found[t.merged_into_id] for t in tickets if _joined(t) and t.merged_into_id in found}
    calls = await _calls(session, tickets)
    sent = await _sent(session, tickets, leads)
    posted = await _posted(session, [*tickets, *leads.values()])
    given: dict[int, Given] = {}
    for ticket in tickets:
        lead = leads.get(ticket.id)
        one = _of_joined(ticket, lead, calls, sent, posted) if lead else _of_own(ticket, calls, posted)
        if one is not None:
            given[ticket.id] = one
    return given


def _joined(ticket: Ticket) -> bool:
    return ticket.state is TicketState.MERGED


def _of_own(ticket: Ticket, calls: Mapping[int, _Call], posted: Mapping[int, datetime]) -> Given | None:
    if ticket.answered_at is not None:
        return Given(_own_way(ticket, calls), ticket, ticket.answered_at)
    if _answered_before(ticket):
        way = None if _drafted_anew(ticket) else _own_way(ticket, calls)
        return Given(way, ticket, posted.get(ticket.id), before=True)
    if ticket.answer_mode is None:
        return None
    by_chat = ticket.answer_mode is AnswerMode.CHAT and ticket.contact_id is None
    if not by_chat or ticket.words == REMOVED:
        return Given(_own_way(ticket, calls))
    # Kept as the chat, because that is what makes the call-back list tell whoever has none.
    if ticket.state is not TicketState.IN_REVIEW:
        return None
    return Given(Way.TO_CALL if ticket.phone is not None else Way.TO_ASK)


def _of_joined(
    ticket: Ticket,
    lead: Ticket,
    calls: Mapping[int, _Call],
    sent: Mapping[int, datetime],
    posted: Mapping[int, datetime],
) -> Given | None:
    """A joined ticket's: the lead's answer once its own asker was told, else what it was answered before."""
    if lead.answered_at is not None:
        way, at = _joined_way(ticket, lead, calls), _laid_at(ticket, calls, sent)
        if way in _NOT_YET:
            return Given(way)
        return Given(way, lead, at or lead.answered_at) if way else None
    if _answered_before(ticket):
        return _of_own(ticket, calls, posted)
    way, at = _joined_way(ticket, lead, calls), _laid_at(ticket, calls, sent)
    # Whoever was joined after the reopening has not heard the former answer, but the lead's own asker has.
    heard = at is not None or (ticket.contact_id is not None and ticket.contact_id == lead.contact_id)
    if not _answered_before(lead) or not heard or way is None or way in _NOT_YET:
        return None
    return Given(way, lead, at or posted.get(lead.id), before=True)


def _own_way(ticket: Ticket, calls: Mapping[int, _Call]) -> Way | None:
    if ticket.answer_mode is None:
        return None
    if ticket.answer_mode is not AnswerMode.CHAT or ticket.contact_id is not None:
        return Way(ticket.answer_mode.value)
    if ticket.id in calls:
        return calls[ticket.id].way
    # No call and no contact: somebody who asked to be forgotten since.
    return Way.PHONE if ticket.channel in _BY_MOUTH else Way.CHAT


def _joined_way(ticket: Ticket, lead: Ticket, calls: Mapping[int, _Call]) -> Way | None:
    if ticket.contact_id is None:
        return calls[ticket.id].way if ticket.id in calls and ticket.conclusion_no else None
    # Who asked twice was told by the other ticket of theirs.
    return _own_way(lead, calls) if ticket.contact_id == lead.contact_id else Way.CHAT


def _laid_at(ticket: Ticket, calls: Mapping[int, _Call], sent: Mapping[int, datetime]) -> datetime | None:
    """When the answer was sent to this asker: whoever was joined late heard it later than the others."""
    if ticket.id in calls:
        return calls[ticket.id].laid_at
    return sent.get(ticket.id)


def _answered_before(ticket: Ticket) -> bool:
    # Not read from the text: a wish to be forgotten leaves words of its own in it, answered or not.
    return ticket.answered_at is None and ticket.first_answered_at is not None


def _drafted_anew(ticket: Ticket) -> bool:
    return ticket.proposed_text not in ("", ticket.answer_text)


async def _calls(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, _Call]:
    """The newest call with an answer, for each of these whose asker has no contact."""
    answers = (
        select(CallBack.ticket_id, CallBack.state, CallBack.phone.is_(None), CallBack.created_at)
        .where(CallBack.kind == CallBackKind.ANSWER)
        .order_by(CallBack.id)
    )
    found: dict[int, _Call] = {}
    for some in _portions(ticket.id for ticket in tickets if ticket.contact_id is None):
        rows = await session.execute(answers.where(CallBack.ticket_id.in_(some)))
        for number, state, phoneless, at in rows:
            due = Way.TO_ASK if phoneless else Way.TO_CALL
            way = {CallBackState.REACHED: Way.PHONE, CallBackState.GIVEN_UP: Way.NOT_TOLD}.get(state, due)
            if number is not None:
                found[number] = _Call(way, at)
    return found


async def _sent(
    session: AsyncSession, tickets: Sequence[Ticket], leads: Mapping[int, Ticket]
) -> dict[int, datetime]:
    """When the lead's answer was laid out for each joined ticket whose asker has a contact."""
    keys = {
        f"ticket:{t.id}:{leads[t.id].id}:{leads[t.id].conclusion_no}:{t.contact_id}": t.id
        for t in tickets
        if t.id in leads
    }
    found: dict[int, datetime] = {}
    for some in _portions(keys):
        rows = await session.execute(select(Delivery.key, Delivery.created_at).where(Delivery.key.in_(some)))
        found |= {keys[key]: at for key, at in rows}
    return found


async def _posted(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, datetime]:
    """When those that were opened again had been answered last; the ticket itself forgets it by then."""
    found: dict[int, datetime] = {}
    answers = select(ThreadPost.ticket_id, func.max(ThreadPost.at)).where(ThreadPost.kind == PostKind.ANSWER)
    for some in _portions(ticket.id for ticket in tickets if _answered_before(ticket)):
        rows = await session.execute(
            answers.where(ThreadPost.ticket_id.in_(some)).group_by(ThreadPost.ticket_id)
        )
        found |= {row[0]: row[1] for row in rows}
    return found


async def _tickets(session: AsyncSession, wanted: Iterable[int | None]) -> dict[int | None, Ticket]:
    found: dict[int | None, Ticket] = {}
    for some in _portions(number for number in wanted if number is not None):
        found |= {row.id: row for row in await session.scalars(select(Ticket).where(Ticket.id.in_(some)))}
    return found


def _portions(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    wanted = sorted(set(values))
    return (wanted[first : first + _TOGETHER] for first in range(0, len(wanted), _TOGETHER))
