"""One act on several tickets of the list: each its own transaction and its own result, none passed over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from office import staff
from office.errors import Conflict, DeskError, Invalid
from office.staff import Permission, Staff, must
from office.store import Store
from ticketing import assigning, queue, record_fields, tickets
from ticketing.particulars import LedgerKind
from ticketing.records import Ticket

MOST: Final = 50
"""As many as a page of the list shows."""


class Act(StrEnum):
    """What can be done with several tickets at once."""

    TAKE = auto()
    ASSIGN = auto()
    TRANSFER = auto()
    MERGE = auto()
    LEDGER = auto()
    VOID = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket that was chosen, with the version that stood on the list."""

    ticket_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done: `to_id` to assign and hand on, `lead_id` to join, `reason` if one is due."""

    act: Act
    to_id: int | None = None
    group: str = ""
    lead_id: int | None = None
    ledger: LedgerKind | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one ticket; `refusal` is None if the act was done. `no` is empty out of reach."""

    ticket_id: int
    no: str
    refusal: DeskError | None = field(default=None)


async def apply(
    store: Store, asked: Asked, rows: Sequence[Row], *, actor: Staff, now: datetime
) -> tuple[Result, ...]:
    """Do the act on each of these tickets, in their order, and say of each what became of it.

    Each is a transaction of its own: locks of several tickets at once, with the end of the audit between
    them, could wait for each other for ever. Raises `Invalid` if nothing, too much or too little was chosen
    for the act to begin at all.
    """
    chosen = list(dict.fromkeys(rows))
    if not chosen:
        raise Invalid("bulk_nothing")
    if len(chosen) > MOST:
        raise Invalid("bulk_many", most=MOST)
    _complete(asked)
    async with store.reading() as session:
        await must(session, actor, Permission.WORK_TICKETS)
    return tuple([await _one(store, asked, row, actor, now) for row in chosen])


def _complete(asked: Asked) -> None:
    missing = {
        Act.TAKE: False,
        Act.ASSIGN: asked.to_id is None,
        Act.TRANSFER: asked.to_id is None and not asked.group,
        Act.MERGE: asked.lead_id is None,
        Act.LEDGER: asked.ledger is None,
        Act.VOID: False,
    }
    if missing[asked.act]:
        raise Invalid("lead_needed" if asked.act is Act.MERGE else "bulk_incomplete")
    if asked.act in (Act.TRANSFER, Act.VOID) and not asked.reason.strip():
        raise Invalid("reason_needed")


async def _one(store: Store, asked: Asked, row: Row, actor: Staff, now: datetime) -> Result:
    no = ""
    try:
        async with store.transaction() as session:
            ticket, _ = await queue.seen_by(session, actor, row.ticket_id)
            no = ticket.ticket_no
            # Taking tells by itself who was faster.
            if asked.act is not Act.TAKE and ticket.version != row.version:
                raise Conflict("stale_card")
            await _ACTS[asked.act](session, ticket, asked, row, actor, now)
    except DeskError as refusal:
        return Result(row.ticket_id, no, refusal)
    except (StaleDataError, IntegrityError):
        return Result(row.ticket_id, no, Conflict("stale_card"))
    return Result(row.ticket_id, no)


async def _take(
    session: AsyncSession, ticket: Ticket, asked: Asked, row: Row, actor: Staff, now: datetime
) -> None:
    await tickets.take(session, ticket, seen=row.version, actor=actor, now=now)


async def _assign(
    session: AsyncSession, ticket: Ticket, asked: Asked, row: Row, actor: Staff, now: datetime
) -> None:
    to = await staff.get(session, asked.to_id or 0)
    await assigning.assign(session, ticket, to, actor=actor, now=now, group=asked.group)


async def _transfer(
    session: AsyncSession, ticket: Ticket, asked: Asked, row: Row, actor: Staff, now: datetime
) -> None:
    to = await staff.get(session, asked.to_id) if asked.to_id is not None else None
    await assigning.transfer(
        session, ticket, group=asked.group, to=to, reason=asked.reason, actor=actor, now=now
    )


async def _merge(
    session: AsyncSession, ticket: Ticket, asked: Asked, row: Row, actor: Staff, now: datetime
) -> None:
    if ticket.id == asked.lead_id:
        return  # the lead stands among the chosen ones: it stays what it is
    lead, _ = await queue.seen_by(session, actor, asked.lead_id or 0)
    await tickets.merge(session, ticket, lead, actor=actor, now=now)


async def _ledger(
    session: AsyncSession, ticket: Ticket, asked: Asked, row: Row, actor: Staff, now: datetime
) -> None:
    assert asked.ledger is not None
    await record_fields.set_ledger(session, ticket, asked.ledger, actor=actor, now=now)


async def _void(
    session: AsyncSession, ticket: Ticket, asked: Asked, row: Row, actor: Staff, now: datetime
) -> None:
    await tickets.void(session, ticket, asked.reason, actor=actor, now=now)


_ACTS: Final[Mapping[Act, Callable[[AsyncSession, Ticket, Asked, Row, Staff, datetime], Awaitable[Any]]]] = {
    Act.TAKE: _take,
    Act.ASSIGN: _assign,
    Act.TRANSFER: _transfer,
    Act.MERGE: _merge,
    Act.LEDGER: _ledger,
    Act.VOID: _void,
}
