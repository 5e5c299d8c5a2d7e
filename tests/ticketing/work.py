"""Short ways through the life of a ticket, for the tests of this package."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll.records import LookupResult
from knowledge.versions import EntryVersion
from office import outbox
from office.audit import Actor, ActorKind
from office.contacts import Channel, Contact
from office.outbox import Delivery
from office.staff import Staff
from office.store import Store
from tests.make import HOURS, Cast, a_ticket, an_entry
from ticketing import intake, roll_cases, tickets
from ticketing.records import RollIssue, Ticket, TicketKind, TicketState

WORDS = "新楼盘还没有门牌号，登记表上的地址怎么填？"
REPLY = "请先联系发证的登记站核对，由登记站工作人员告诉您怎么办。"
BASIS = "区选举委员会办公室第3次会议"


def asker(contact: Contact) -> Actor:
    """A contact as it acts."""
    return Actor(ActorKind.CONTACT, contact.id, "asker", contact.channel.value)


async def opened(store: Store, cast: Cast, now: datetime, words: str = WORDS, **more: Any) -> Ticket:
    """An open ticket of 张敏's; `more` replaces what `open_ticket` is told."""
    told: dict[str, Any] = {
        "unit": cast.district,
        "district": cast.district,
        "channel": Channel.TELEGRAM,
        "actor": asker(cast.zhang_min),
        "hours": HOURS,
        "now": now,
    }
    contact = more.pop("contact", cast.zhang_min)
    async with store.transaction() as session:
        return await intake.open_ticket(session, contact, words, **(told | more))


async def roll_case(
    store: Store, cast: Cast, now: datetime, kind: TicketKind = TicketKind.VERIFY, **more: Any
) -> Ticket:
    """A case about the voter list that 张敏 opens; `more` replaces what `open_case` is told."""
    told: dict[str, Any] = {
        "kind": kind,
        "issue": RollIssue.MISSING if kind is TicketKind.CORRECTION else None,
        "words": "",
        "result": LookupResult.NOT_FOUND,
        "receipt_digest": None,
        "unit": cast.district,
        "district": cast.district,
        "channel": Channel.TELEGRAM,
        "actor": asker(cast.zhang_min),
        "hours": HOURS,
        "now": now,
    }
    contact = more.pop("contact", cast.zhang_min)
    async with store.transaction() as session:
        return await roll_cases.open_case(session, contact, **(told | more))


async def taken(store: Store, cast: Cast, now: datetime, by: Staff | None = None, **more: Any) -> Ticket:
    """A ticket in the hands of 李强."""
    ticket = await opened(store, cast, now, **more)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.take(session, found, actor=by or cast.li_qiang, now=now)
    return found


async def entry(store: Store, cast: Cast, now: datetime, **changes: Any) -> EntryVersion:
    """A published entry that may carry an answer."""
    async with store.transaction() as session:
        return await an_entry(session, cast, now, **changes)


async def answer(store: Store, cast: Cast, ticket: Ticket, version: EntryVersion, now: datetime) -> Ticket:
    """李强, who holds the ticket, answers it with an entry."""
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.answer(session, found, REPLY, version, actor=cast.li_qiang, hours=HOURS, now=now)
    return found


async def answered(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """A ticket of 张敏's that 李强 has answered with an entry."""
    ticket = await taken(store, cast, now, **more)
    return await answer(store, cast, ticket, await entry(store, cast, now), now)


async def proposed(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """A ticket whose draft answer by 李强 waits for a reviewer."""
    ticket = await taken(store, cast, now, **more)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.propose(session, found, REPLY, BASIS, actor=cast.li_qiang, now=now)
    return found


async def read(store: Store, ticket: Ticket) -> Ticket:
    """The ticket as it stands in the database."""
    async with store.reading() as session:
        return await tickets.get(session, ticket.id)


async def messages(store: Store, ticket: Ticket) -> list[Delivery]:
    """What lies in the outbox about a ticket."""
    async with store.reading() as session:
        return await outbox.about(session, f"ticket:{ticket.id}")


async def everything_sent(store: Store) -> list[Delivery]:
    async with store.reading() as session:
        return list((await session.scalars(select(Delivery).order_by(Delivery.id))).all())


async def in_state(session: AsyncSession, cast: Cast, now: datetime, state: TicketState) -> Ticket:
    """A ticket set into a state the hard way, for asking what may be done from there."""
    ticket = await a_ticket(session, cast, now)
    ticket.state = state
    ticket.assignee_id = ticket.author_id = cast.li_qiang.id
    ticket.taken_at = ticket.answered_at = ticket.closed_at = now
    ticket.proposed_text, ticket.conclusion_basis = REPLY, BASIS
    ticket.kind = TicketKind.ENQUIRY
    await session.flush()
    return ticket
