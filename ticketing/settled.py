"""Which notices to staff are about a matter that is over (已办结): what they asked for is done, by whomever.

A notice that only tells of something is never over, and neither is one whose matter the program cannot see:
a new roster, shifts of somebody who left, what the day's end still wants.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from knowledge.tips import TipState, WorkTip
from knowledge.versions import Entry, EntryState, EntryVersion
from office import notices
from office.bindings import BindingState, ChatGroup, GroupState, StaffBinding
from office.notices import StaffNotice
from office.robots import GroupRobot
from ticketing.handovers import Handover
from ticketing.joint import JointMember
from ticketing.particulars import Secrecy
from ticketing.records import OPEN_STATES, Ticket, TicketState
from ticketing.restricted import RestrictedOpening
from ticketing.swaps import DutySwap, SwapState

MOST: Final = 500
"""So many unread notices are looked at for the bell, which stands on every page."""
_COLUMNS: Final[Mapping[str, tuple[InstrumentedAttribute[Any], ...]]] = {
    "ticket": (
        Ticket.id, Ticket.state, Ticket.assignee_id, Ticket.assigned_at, Ticket.first_answered_at,
        Ticket.hold_wanted_until, Ticket.secrecy, Ticket.offline_owner_id,
    ),
    "work_tip": (WorkTip.id, WorkTip.state, WorkTip.submitted_at, WorkTip.in_effect_at),
    "duty_swap": (DutySwap.id, DutySwap.state),
    "handover": (Handover.id, Handover.signed_at),
    "staff_binding": (StaffBinding.id, StaffBinding.state),
    "chat_group": (ChatGroup.id, ChatGroup.state, ChatGroup.restricted_at),
}  # fmt: skip


def _answered(notice: StaffNotice, ticket: Any) -> bool:
    """Not open any more; or answered since, though it was opened again, which was told anew."""
    first = ticket.first_answered_at
    return ticket.state not in OPEN_STATES or (first is not None and first >= notice.at)


def _assigned(notice: StaffNotice, ticket: Any) -> bool:
    later = ticket.assigned_at is not None and ticket.assigned_at > notice.at
    return later or ticket.state is not TicketState.ASSIGNED or ticket.assignee_id != notice.staff_id


def _revised(notice: StaffNotice, ticket: Any) -> bool:
    handed_on = ticket.state is TicketState.IN_REVIEW or ticket.assignee_id != notice.staff_id
    return handed_on or _answered(notice, ticket)


def _in_hands(_: StaffNotice, ticket: Any) -> bool:
    return bool(ticket.state is not TicketState.UNASSIGNED)


def _offline(notice: StaffNotice, ticket: Any) -> bool:
    return bool(ticket.state is TicketState.CLOSED or ticket.offline_owner_id != notice.staff_id)


def _decided(_: StaffNotice, ticket: Any) -> bool:
    return bool(ticket.state not in OPEN_STATES or ticket.secrecy is not Secrecy.RESTRICTED)


def _tip_left(state: TipState) -> Callable[[StaffNotice, Any], bool]:
    def over(notice: StaffNotice, tip: Any) -> bool:
        again = tip.submitted_at is not None and tip.submitted_at > notice.at
        return bool(again or tip.state is not state)

    return over


def _in_effect(_: StaffNotice, tip: Any) -> bool:
    return bool(tip.in_effect_at is not None or tip.state is not TipState.RELEASED)


_OVER: Final[Mapping[str, Callable[[StaffNotice, Any], bool]]] = {
    "assigned": _assigned,
    "revised": _revised,
    "lapsed": _in_hands,
    "sent_back": _in_hands,
    "hold_wanted": lambda _, ticket: ticket.hold_wanted_until is None,
    "flagged": _decided,
    "offline_owner": _offline,
    **dict.fromkeys(
        (
            "hops_used_up", "joint", "hold_refused", "resumed", "nudged", "warn_80", "warn_100",
            "urgent_outside_duty", "recall_draft",
        ),
        _answered,
    ),
    "tip_submitted": _tip_left(TipState.IN_REVIEW),
    "tip_returned": _tip_left(TipState.DRAFT),
    "swap_asked": lambda _, swap: swap.state is not SwapState.ASKED,
    "handover_unsigned": lambda _, handover: handover.signed_at is not None,
    "binding_waiting": lambda _, binding: binding.state is not BindingState.WAITING,
    "group_asked": lambda _, group: group.state is not GroupState.ASKED,
    "group_lost": lambda _, group: group.state is GroupState.BOUND,
    "group_restricted": lambda _, group: group.restricted_at is None,
    **dict.fromkeys(
        ("tip_stale", *(f"tip_stale_{why}" for why in ("check", "rewritten", "releaser", "later", "other"))),
        _in_effect,
    ),
}  # fmt: skip


async def unread(session: AsyncSession, staff_id: int) -> int:
    """How many notices the person has not read whose matter is not over."""
    found = await notices.unread(session, staff_id)
    if not found:
        return 0
    rows = await notices.unread_of(session, staff_id, KINDS, MOST)
    return found - len(await of(session, rows))


async def of(session: AsyncSession, rows: Sequence[StaffNotice]) -> frozenset[int]:
    """The row numbers of those among these notices whose matter is over."""
    over: set[int] = set()
    for subject, columns in _COLUMNS.items():
        asked = [row for row in rows if row.kind in _OVER and _about(row, subject)]
        numbers = {_about(row, subject) for row in asked}
        if numbers:
            found = await session.execute(select(*columns).where(columns[0].in_(numbers)))
            there = {one.id: one for one in found}
            over |= {
                row.id
                for row in asked
                # What is not there any more says nothing about how it ended.
                if (one := there.get(_about(row, subject))) is not None and _OVER[row.kind](row, one)
            }
    for kind, ask in _ELSEWHERE.items():
        if asked := [row for row in rows if row.kind == kind]:
            over |= await ask(session, asked)
    return frozenset(over)


def _about(row: StaffNotice, subject: str) -> int:
    """The row number that a notice is about, or 0."""
    kind, _, number = row.subject.partition(":")
    return int(number) if kind == subject and number.isdecimal() and len(number) <= 9 else 0


def _of(rows: Iterable[StaffNotice], subject: str) -> set[int]:
    return {_about(row, subject) for row in rows}


async def _contributed(session: AsyncSession, rows: Sequence[StaffNotice]) -> set[int]:
    given = await session.execute(
        select(JointMember.ticket_id, JointMember.staff_id)
        .where(JointMember.ticket_id.in_(_of(rows, "ticket")))
        .where(JointMember.given_at.is_not(None))
    )
    done = {(ticket, person) for ticket, person in given}
    return {row.id for row in rows if (_about(row, "ticket"), row.staff_id) in done}


async def _looked_at(session: AsyncSession, rows: Sequence[StaffNotice]) -> set[int]:
    """Broken glass: over once a reviewer has looked at every such opening of the ticket."""
    opened = await session.execute(
        select(RestrictedOpening.ticket_id, RestrictedOpening.reviewed_at)
        .where(RestrictedOpening.ticket_id.in_(_of(rows, "ticket")))
        .where(RestrictedOpening.break_glass.is_(True))
    )
    found = list(opened)
    known = {ticket for ticket, _ in found} - {ticket for ticket, reviewed in found if reviewed is None}
    return {row.id for row in rows if _about(row, "ticket") in known}


async def _replaced(session: AsyncSession, rows: Sequence[StaffNotice]) -> set[int]:
    """A doubted version: over once it is no longer in force."""
    retired = await session.execute(
        select(Entry.entry_no, EntryVersion.number)
        .join(Entry, Entry.id == EntryVersion.entry_id)
        .where(Entry.entry_no.in_({str(row.facts.get("no", "")) for row in rows}))
        .where(EntryVersion.state == EntryState.RETIRED)
    )
    gone = {(entry, number) for entry, number in retired}
    return {row.id for row in rows if (row.facts.get("no"), row.facts.get("n")) in gone}


async def _running(session: AsyncSession, rows: Sequence[StaffNotice]) -> set[int]:
    robots = await session.execute(
        select(GroupRobot.group_id)
        .where(GroupRobot.group_id.in_(_of(rows, "chat_group")))
        .where(GroupRobot.stopped_at.is_(None))
    )
    working = set(robots.scalars())
    return {row.id for row in rows if _about(row, "chat_group") in working}


_ELSEWHERE: Final[
    Mapping[str, Callable[[AsyncSession, Sequence[StaffNotice]], Awaitable[set[int]]]]
] = {
    "joint": _contributed,
    "glass_broken": _looked_at,
    "entry_flagged": _replaced,
    "robot_stopped": _running,
}  # fmt: skip
KINDS: Final = frozenset({*_OVER, *_ELSEWHERE})
"""The kinds of notices whose matter can be seen to be over."""
