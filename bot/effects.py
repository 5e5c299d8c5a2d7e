"""Work tips whose time has come and whose check is out of date: checked again, aside, and brought into force.

A publication after the signature changes the base that the entries of a tip were checked against. The
questions take seconds, so they are asked with no transaction open, by one process at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from knowledge import rehearsal
from office import leases
from office.store import Store
from ticketing import tip_effect

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0
LEASE = "tip_effect"
LASTS = timedelta(minutes=10)


async def look(store: Store, clock: Callable[[], datetime]) -> bool:
    """Bring into force what only waits for a new check; always returns False (not busy)."""
    begun_at = clock()
    async with store.reading() as session:
        waiting = await tip_effect.outdated(session, now=begun_at)
    if not waiting:
        return False
    async with store.transaction() as session:
        if not await leases.begin(session, LEASE, lasts=LASTS, now=begun_at):
            return False
    try:
        for tip_id in waiting:
            await _again(store, clock, tip_id)
    finally:
        async with store.transaction() as session:
            await leases.end(session, LEASE, begun_at=begun_at, now=clock())
    return False


async def _again(store: Store, clock: Callable[[], datetime], tip_id: int) -> None:
    try:
        async with store.reading() as session:
            prepared = await tip_effect.rehearsals(session, tip_id, now=clock())
        found = [(one, await rehearsal.run(one)) for one in prepared]
        async with store.transaction() as session:
            await tip_effect.settle(session, tip_id, found, now=clock())
    except Exception:
        log.exception("the check of a work tip broke down; a reviewer has to look")
        async with store.transaction() as session:
            await tip_effect.give_up(session, tip_id, now=clock())
