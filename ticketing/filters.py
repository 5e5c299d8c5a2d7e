"""What part of the tickets is asked for, as conditions that the database can answer from its indexes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from office.staff import Staff, reach
from office.units import Unit, contains
from ticketing import clocks
from ticketing.call_backs import TO_CALL, CallBack, CallBackState
from ticketing.day_end import Disposition
from ticketing.particulars import LedgerKind, Secrecy
from ticketing.records import OPEN_STATES, Ticket, TicketKind, TicketState

ALL_STATES: Final = tuple(TicketState)
DONE_STATES: Final = tuple(state for state in TicketState if state not in OPEN_STATES)


@dataclass(frozen=True, slots=True)
class Filter:
    """What part of the queue is asked for; each field narrows it.

    `unit_path` is a subtree, `search` words or a number, `first_day` and `last_day` business days.
    `due_today` is what today's day-clear (日清) still owes, `undisposed` what has no disposition for today,
    `hold_wanted` waits for a leader's word on a hold, `flagged` for one on 线下, `call_back` for a call.
    """

    states: Collection[TicketState] = OPEN_STATES
    mine: bool = False
    unit_path: str = ""
    search: str = ""
    overdue: bool = False
    due_today: bool = False
    undisposed: bool = False
    hold_wanted: bool = False
    flagged: bool = False
    call_back: bool = False
    group: str = ""
    ledger: LedgerKind | None = None
    kind: TicketKind | None = None
    cluster_id: int | None = None
    tip_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    @property
    def open_states(self) -> tuple[TicketState, ...]:
        """Those of the states in which an answer is still owed; some filters mean these alone."""
        return tuple(state for state in OPEN_STATES if state in self.states)

    @property
    def done_states(self) -> tuple[TicketState, ...]:
        """The other ones; none where only what is open can be meant."""
        only_open = self.overdue or self.due_today or self.undisposed or self.hold_wanted or self.flagged
        return () if only_open else tuple(state for state in DONE_STATES if state in self.states)


async def units_within(session: AsyncSession, person: Staff, unit_path: str = "") -> Sequence[int] | None:
    """Row numbers of the units in somebody's reach and under `unit_path`; None where that is every unit.

    Asked for once and then compared by number: a join with the tree would make each count look at every
    ticket.
    """
    own = await reach(session, person)
    rows = (await session.execute(select(Unit.id, Unit.path))).all()
    found = [number for number, path in rows if contains(own, path) and contains(unit_path, path)]
    return None if len(found) == len(rows) else found


def conditions(
    wanted: Filter, person: Staff, within: Sequence[int] | None, *, now: datetime
) -> list[ColumnElement[bool]]:
    """All conditions of a filter but states and search."""
    today = clocks.business_day(now)
    found: list[ColumnElement[bool]] = []
    if within is not None:
        found.append(Ticket.unit_id.in_(within))
    if wanted.mine:
        found.append(Ticket.assignee_id == person.id)
    if wanted.overdue:
        found.append(Ticket.due_at < now)
    if wanted.due_today:
        found.append(Ticket.due_day <= today)
    if wanted.undisposed:
        found.append(
            ~exists().where(Disposition.ticket_id == Ticket.id, Disposition.day == today).correlate(Ticket)
        )
    if wanted.hold_wanted:
        found.append(Ticket.hold_wanted_until.is_not(None))
    if wanted.flagged:
        found.append(Ticket.secrecy == Secrecy.RESTRICTED)
    if wanted.call_back:
        waiting = select(CallBack.ticket_id).where(CallBack.state == CallBackState.DUE, TO_CALL)
        found.append(Ticket.id.in_(waiting))
    same: tuple[tuple[Any, Any], ...] = (
        (Ticket.group, wanted.group),
        (Ticket.ledger, wanted.ledger),
        (Ticket.kind, wanted.kind),
        (Ticket.cluster_id, wanted.cluster_id),
        (Ticket.tip_id, wanted.tip_id),
    )
    found += [column == value for column, value in same if value]
    if wanted.first_day:
        found.append(Ticket.business_day >= wanted.first_day)
    if wanted.last_day:
        found.append(Ticket.business_day <= wanted.last_day)
    return found
