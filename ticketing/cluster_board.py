"""Who of a cluster has been told: each member once, and the sum is the members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office.outbox import Delivery, DeliveryState
from ticketing.call_backs import TO_CALL, CallBack, CallBackKind, CallBackState
from ticketing.cluster_records import Cluster, members
from ticketing.particulars import AnswerMode
from ticketing.records import OPEN_STATES, Ticket

# Who was answered so has heard it from a person.
_BY_MOUTH = (AnswerMode.PHONE, AnswerMode.IN_PERSON, AnswerMode.LETTER)


class Place(StrEnum):
    """Where one member's answer stands: 已告知, 待取, 无法送达, 待回拨, 未到 (owed, or on its way)."""

    TOLD = auto()
    PARKED = auto()
    UNDELIVERABLE = auto()
    TO_CALL = auto()
    UNDER_WAY = auto()


_OF_DELIVERY = {
    DeliveryState.SENT: Place.TOLD,
    DeliveryState.PARKED: Place.PARKED,
    DeliveryState.FAILED: Place.UNDELIVERABLE,
}
_OF_CALL = {
    CallBackState.REACHED: Place.TOLD,
    CallBackState.DUE: Place.TO_CALL,
    CallBackState.GIVEN_UP: Place.UNDELIVERABLE,
}


@dataclass(frozen=True, slots=True)
class Told:
    """How many members stand where; the first five together are `members`."""

    told: int
    parked: int
    undeliverable: int
    to_call: int
    under_way: int
    members: int


async def board(session: AsyncSession, cluster: Cluster) -> Told:
    """The counts of a cluster's members, each in one place."""
    found = Counter((await places(session, await members(session, cluster), cluster)).values())
    return Told(
        told=found[Place.TOLD],
        parked=found[Place.PARKED],
        undeliverable=found[Place.UNDELIVERABLE],
        to_call=found[Place.TO_CALL],
        under_way=found[Place.UNDER_WAY],
        members=found.total(),
    )


async def places(session: AsyncSession, inside: Sequence[Ticket], cluster: Cluster) -> dict[int, Place]:
    """Where each of these members stands, by the ticket's row number.

    It is read from the outbox and the call-back list, never counted along: both are the truth of delivery.
    """
    lead = await session.get_one(Ticket, cluster.lead_id)
    if lead.state in OPEN_STATES or not lead.conclusion_no:
        return {ticket.id: Place.UNDER_WAY for ticket in inside}
    begins = {ticket.id: f"ticket:{ticket.id}:{lead.id}:{lead.conclusion_no}" for ticket in inside}
    keys = {f"{begins[one.id]}:{one.contact_id}": one for one in inside if one.contact_id is not None}
    sent = await session.execute(
        select(Delivery.key, Delivery.state).where(Delivery.key.in_(sorted(keys))).order_by(Delivery.id)
    )
    # Whoever asked twice was told by one of the two.
    by_contact = {keys[key].contact_id: state for key, state in sent}
    calls = await _calls(session, list(begins))
    found = {}
    for ticket in inside:
        called = calls.get(ticket.id)
        delivered = by_contact.get(ticket.contact_id) if ticket.contact_id else None
        if ticket.id == lead.id and lead.answer_mode in _BY_MOUTH:
            found[ticket.id] = Place.TOLD
        elif delivered is DeliveryState.SENT or (delivered is not None and called is None):
            found[ticket.id] = _OF_DELIVERY.get(delivered, Place.UNDER_WAY)
        elif called is not None:
            found[ticket.id] = called
        else:
            # Neither a channel nor a call: who asked to be forgotten cannot be told.
            found[ticket.id] = Place.UNDELIVERABLE if ticket.contact_id is None else Place.UNDER_WAY
    return found


async def _calls(session: AsyncSession, ticket_ids: list[int]) -> dict[int, Place]:
    rows = await session.execute(
        select(CallBack.ticket_id, CallBack.state, TO_CALL)
        .where(CallBack.ticket_id.in_(ticket_ids))
        .where(CallBack.kind.in_((CallBackKind.ANSWER, CallBackKind.UNDELIVERABLE)))
        .order_by(CallBack.id)
    )
    # Who left no phone fetches the answer with their number.
    return {
        number: Place.PARKED if state is CallBackState.DUE and not to_call else _OF_CALL[state]
        for number, state, to_call in rows
        if number is not None
    }
