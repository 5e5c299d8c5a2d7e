"""The clock of the program: the machine's own, put right by the database's, which all servers share.

Deadlines, promises and business days must not depend on which server took a question. The database is asked
once a minute; between two askings the machine's clock carries on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from office.store import Store

log = logging.getLogger(__name__)

WORTH_SAYING = timedelta(seconds=30)


class DatabaseClock:
    """Gives the present moment, aware UTC, as the database of `store` has it.

    A file on this machine has no clock of its own: with SQLite the machine's holds.
    """

    def __init__(self, store: Store, machine: Callable[[], datetime]) -> None:
        self._sqlite = store.sqlite
        self._machine = machine
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return self._machine() + self._ahead

    async def compare(self, session: AsyncSession) -> timedelta:
        """Ask the database for its time; returns by how much it is ahead of the machine's."""
        if self._sqlite:
            return self._ahead
        before = self._machine()
        theirs = await session.scalar(select(func.clock_timestamp(type_=DateTime(timezone=True))))
        after = self._machine()
        if theirs is not None:
            ahead = theirs.astimezone(UTC) - (before + (after - before) / 2)
            if abs(ahead - self._ahead) > WORTH_SAYING:
                log.warning("the clock of this machine is %s behind the database's", ahead)
            self._ahead = ahead
        return self._ahead
