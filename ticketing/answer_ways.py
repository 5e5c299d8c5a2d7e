"""答复方式: by which way each asker of a ticket was answered, or is going to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum, auto
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from office.contacts import Channel
from ticketing.call_backs import CallBack, CallBackKind, CallBackState
from ticketing.particulars import AnswerMode
from ticketing.records import REMOVED, Ticket, TicketState

# Databases take only so many values in one list.
_TOGETHER: Final = 900
_BY_MOUTH: Final = (Channel.PHONE, Channel.COUNTER)


class Way(StrEnum):
    """The ways of `AnswerMode`, and what the call-back list makes of it for somebody without a chat.

    TO_CALL is on the list still, NOT_TOLD was given up.
    """

    CHAT = auto()
    PHONE = auto()
    IN_PERSON = auto()
    LETTER = auto()
    GROUP = auto()
    TO_CALL = auto()
    NOT_TOLD = auto()


_OF_CALL: Final[Mapping[CallBackState, Way]] = {
    CallBackState.DUE: Way.TO_CALL,
    CallBackState.REACHED: Way.PHONE,
    CallBackState.GIVEN_UP: Way.NOT_TOLD,
}


async def of(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, tuple[Way, ...]]:
    """The ways for each of these tickets, its own asker's first, then those of whoever was joined to it.

    A joined ticket has its own asker's only. A ticket without a way is left out.
    """
    joined: dict[int, list[Ticket]] = {}
    members = select(Ticket).where(Ticket.state == TicketState.MERGED)
    for row in await _rows(session, members, Ticket.merged_into_id, (t.id for t in tickets if t.answered_at)):
        joined.setdefault(row.merged_into_id or 0, []).append(row)
    leads = {
        lead.id: lead
        for lead in await _rows(
            session, select(Ticket), Ticket.id, (t.merged_into_id for t in tickets if t.merged_into_id)
        )
    }
    calls = await _calls(session, [*tickets, *(member for found in joined.values() for member in found)])
    found: dict[int, tuple[Way, ...]] = {}
    for ticket in tickets:
        lead = leads.get(ticket.merged_into_id or 0)
        own = _as_member(ticket, lead, calls) if lead else _own(ticket, calls)
        ways = (own, *(_as_member(member, ticket, calls) for member in joined.get(ticket.id, ())))
        if any(ways):
            found[ticket.id] = tuple(dict.fromkeys(way for way in ways if way))
    return found


def _own(ticket: Ticket, calls: Mapping[int, CallBackState]) -> Way | None:
    if ticket.answer_mode is None:
        return None
    if ticket.answer_mode is not AnswerMode.CHAT or ticket.contact_id is not None:
        return Way(ticket.answer_mode.value)
    # Kept as the chat, because that is what makes the call-back list tell whoever has none.
    if ticket.answered_at is None and ticket.words != REMOVED:
        return Way.TO_CALL if ticket.state is TicketState.IN_REVIEW else None
    if ticket.id in calls:
        return _OF_CALL[calls[ticket.id]]
    # No call and no contact: somebody who asked to be forgotten since.
    return Way.PHONE if ticket.channel in _BY_MOUTH else Way.CHAT


def _as_member(member: Ticket, lead: Ticket, calls: Mapping[int, CallBackState]) -> Way | None:
    if lead.answered_at is None or not member.conclusion_no:
        return None  # not told yet, or told by another ticket of theirs
    if member.contact_id is not None:
        return None if member.contact_id == lead.contact_id else Way.CHAT
    return _OF_CALL[calls[member.id]] if member.id in calls else None


async def _calls(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, CallBackState]:
    """How the newest call with an answer stands, for each of these whose asker has no contact."""
    answers = (
        select(CallBack.ticket_id, CallBack.state)
        .where(CallBack.kind == CallBackKind.ANSWER)
        .order_by(CallBack.id)
    )
    wanted = (ticket.id for ticket in tickets if ticket.contact_id is None)
    found: dict[int, CallBackState] = {}
    for some in _portions(wanted):
        rows = await session.execute(answers.where(CallBack.ticket_id.in_(some)))
        found |= {number: state for number, state in rows if number is not None}
    return found


async def _rows(
    session: AsyncSession,
    statement: Select[Ticket],
    column: InstrumentedAttribute[Any],
    wanted: Iterable[int | None],
) -> list[Ticket]:
    found: list[Ticket] = []
    for some in _portions(wanted):
        found += (await session.scalars(statement.where(column.in_(some)).order_by(Ticket.id))).all()
    return found


def _portions(numbers: Iterable[int | None]) -> Iterator[list[int]]:
    wanted = sorted({number for number in numbers if number is not None})
    return (wanted[first : first + _TOGETHER] for first in range(0, len(wanted), _TOGETHER))
