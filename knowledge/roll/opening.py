"""Whether lookup is open: a window of the calendar, a roll in force, its key, no stop, and budgets in reach.

Where one of these is missing lookup is closed for everybody. It never says 未查到 for want of a part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import windows
from knowledge.roll.attempts import Attempts, Unreachable
from knowledge.roll.identity import DigestKey
from knowledge.roll.keys import BadKey, KeyHolder
from knowledge.roll.records import RollImport, RollState
from office.errors import DeskError
from office.hours import beijing_day

SHARE: Final = 0.02
"""Of the persons on the roll may be looked up in one Beijing day, by everybody together."""
LEAST_IN_ALL: Final = 200
"""A share of a small roll would be used up by one street that asks on the same evening."""


class Closed(StrEnum):
    """Why nobody can look up now. Voters are told of the calendar only; the rest is for staff."""

    NOT_PLANNED = auto()
    NOT_NOW = auto()
    NO_ROLL = auto()
    KEY = auto()
    OTHER_ROLL = auto()
    STOPPED = auto()
    BUDGETS = auto()


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether lookup is open. If not, `why` is a wording key with its `facts`, and `cause` is for staff.

    `facts` of "lookup.closed_until" are the `first` and the `last` day of the next window.
    """

    open: bool
    why: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    cause: Closed | None = None

    @property
    def refusal(self) -> LookupClosed:
        """What is raised where somebody looks up all the same."""
        return LookupClosed(self)


class LookupClosed(DeskError):
    """Nobody can look up now, whoever asks and about whomever."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening.why, **opening.facts)
        self.cause = opening.cause


@dataclass(frozen=True, slots=True)
class Ready:
    """What an open lookup works with: the key, and how many lookups the whole roll allows in a day."""

    key: DigestKey
    in_all: int


def closed(cause: Closed) -> LookupClosed:
    """For whoever finds it closed on the way: nothing is said of the cause."""
    return shut(cause).refusal


def shut(cause: Closed, key: str = "lookup.closed_now", **facts: Any) -> Opening:
    """A closed one, with other words than that it is out of service where there are any."""
    return Opening(False, key, facts, cause)


def key_of(keys: KeyHolder | None) -> DigestKey | None:
    """The key, None while it is missing, broken or readable by others; its file is looked at each time."""
    try:
        return keys.key() if keys else None
    except BadKey:
        return None


async def ready(
    session: AsyncSession, keys: KeyHolder | None, attempts: Attempts, now: datetime
) -> Ready | Opening:
    """What to look up with now, or why it is closed; the calendar speaks first: voters can plan by it."""
    planned, election_day = await windows.known(session, now)
    if windows.current(planned, now) is None:
        following = windows.coming(planned, now)
        if following is None:
            return shut(Closed.NOT_PLANNED, "lookup.closed")
        return shut(Closed.NOT_NOW, "lookup.closed_until", first=following.first, last=following.last)
    asked = (
        select(RollState.stopped_at, RollImport)
        .outerjoin(RollImport, RollImport.id == RollState.current_id)
        .where(RollState.id == 1)
    )
    stopped_at, roll = (await session.execute(asked)).one()
    if roll is None:
        return shut(Closed.NO_ROLL)
    key = key_of(keys)
    if key is None or key.key_id != roll.key_id:
        return shut(Closed.KEY)
    if key.election != roll.election:
        return shut(Closed.OTHER_ROLL)
    if election_day is not None and beijing_day(roll.made_at) < election_day - windows.OLDEST_ROLL:
        return shut(Closed.OTHER_ROLL)
    if stopped_at is not None:
        return shut(Closed.STOPPED)
    try:
        await attempts.reach()
    except Unreachable:
        return shut(Closed.BUDGETS)
    persons = int(roll.counts.get("persons") or roll.rows)
    return Ready(key, max(LEAST_IN_ALL, int(persons * SHARE)))
