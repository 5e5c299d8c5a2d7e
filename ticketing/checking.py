"""What a check of the voter list saw (疑点核对) and what it changed: ticks and numbers, never the papers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum, auto

from sqlalchemy.ext.asyncio import AsyncSession

from office.errors import Invalid
from office.staff import Staff, second_person
from ticketing import restricted
from ticketing.intake import clean
from ticketing.moving import lock, may_work, must_hold, noted
from ticketing.records import Ticket

LONGEST = 200
MOST = 100_000


class Paper(StrEnum):
    """Papers that were looked at: 承诺书, 结婚证, 居住证."""

    PLEDGE = auto()
    MARRIAGE = auto()
    RESIDENCE = auto()


class Count(StrEnum):
    """What became of names: 核查, 移除, 补录."""

    CHECKED = auto()
    REMOVED = auto()
    ADDED = auto()


async def looked_at(
    session: AsyncSession,
    ticket: Ticket,
    *,
    category: str,
    online: str,
    seen: frozenset[Paper],
    image_no: str,
    failed: str,
    actor: Staff,
    now: datetime,
) -> None:
    """Write down a check: 类别, 线上结果, which papers were seen, 影像编号, 不通过原因; checked by `actor`.

    An empty `failed` means that it passed. A later entry takes the place of the earlier one and needs to be
    checked over anew.
    """
    await must_hold(session, actor, ticket)
    restricted.must_be_open(ticket)
    told = {"category": category, "online": online, "image_no": image_no, "failed": failed}
    kept = {name: (await clean(session, " ".join(text.split())))[:LONGEST] for name, text in told.items()}
    if not kept["category"] or not kept["online"]:
        raise Invalid("check_missing")
    ticket.materials = {
        **kept,
        "seen": sorted(paper.value for paper in seen),
        "checked_by": actor.id,
        "checked_at": now.isoformat(),
        "second_by": None,
        "second_at": "",
    }
    await session.flush()
    await noted(session, ticket, "check", actor.as_actor(), now, passed=not kept["failed"])


async def looked_over(session: AsyncSession, ticket: Ticket, *, actor: Staff, now: datetime) -> None:
    """A second person has looked the check over (复核人); raises `NotPermitted` for the one who made it."""
    await may_work(session, actor, ticket)
    await lock(session, ticket)
    restricted.must_be_open(ticket)
    if not ticket.materials:
        raise Invalid("check_missing")
    await second_person(session, actor, ticket.materials["checked_by"], now=now)
    ticket.materials = {**ticket.materials, "second_by": actor.id, "second_at": now.isoformat()}
    await session.flush()
    await noted(session, ticket, "check_second", actor.as_actor(), now)


async def counted(
    session: AsyncSession, ticket: Ticket, counts: Mapping[Count, int], *, actor: Staff, now: datetime
) -> None:
    """How many names were checked, removed and added: these feed the totals of the unit.

    Raises `Invalid("counts_balance")` where more were changed than checked, or a number is out of bounds.
    """
    await must_hold(session, actor, ticket)
    numbers = {count: counts.get(count, 0) for count in Count}
    changed = numbers[Count.REMOVED] + numbers[Count.ADDED]
    if min(numbers.values()) < 0 or max(numbers.values()) > MOST or changed > numbers[Count.CHECKED]:
        raise Invalid("counts_balance")
    ticket.roll_counts = {count.value: number for count, number in numbers.items()}
    await session.flush()
    await noted(session, ticket, "count", actor.as_actor(), now, **ticket.roll_counts)
