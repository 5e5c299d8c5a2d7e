"""Whether other programs work on the same database: without Redis nothing ties them together.

Each then keeps the pace of sending, the limits of lookups and what conversations remember for itself: two
send twice as fast as the channels allow.
"""

from __future__ import annotations

import logging
import secrets

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

log = logging.getLogger(__name__)

_BEGINS = "one-window/"
_OTHERS = text(
    "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE :like AND application_name <> current_setting('application_name')"
)


def name() -> str:
    """What the connections of a program are called that sends; another one at each start."""
    return _BEGINS + secrets.token_hex(8)


class Sharing:
    """Looks who else is connected, and warns when somebody is; SQLite knows nothing of the kind."""

    def __init__(self) -> None:
        self._others = 0

    async def look(self, session: AsyncSession) -> int:
        """How many other programs are connected now; said in the log when it becomes more."""
        if session.get_bind().dialect.name != "postgresql":
            return 0
        others = await session.scalar(_OTHERS, {"like": _BEGINS + "%"}) or 0
        if others > self._others:
            log.warning(
                "%s more programs work on this database without REDIS_URL: each keeps the pace of sending"
                " and every other limit for itself",
                others,
            )
        self._others = others
        return self._others
