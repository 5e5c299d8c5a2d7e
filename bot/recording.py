"""What has become of the messages in hand is written down: what ends at the same time, in one transaction.

A message that left and is not recorded would be sent again, so this insists a little. While one transaction
is under way the next results gather.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import placed
from office import chat_groups, outbox
from office.contacts import Channel, Contact
from office.outbox import Delivery, Undeliverable
from office.store import Store

log = logging.getLogger(__name__)

RECORD_TRIES = 5


@dataclass(slots=True, eq=False)
class Result:
    """What became of one message; `became` is what the channel gave back for it."""

    delivery: Delivery
    contact: Contact
    error: Undeliverable | None
    became: object = None
    done: bool = False


class Records:
    """Writes results down. `nap` waits so many seconds, or less if the program stops (`stopping`)."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        nap: Callable[[float], Awaitable[None]],
        stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._nap = nap
        self._stopping = stopping
        self._waiting: list[Result] = []
        self._writing = asyncio.Lock()

    async def note(self, result: Result) -> None:
        """Write a result down, with those that came meanwhile; returns when it is written or given up."""
        self._waiting.append(result)
        async with self._writing:
            if result.done:
                return
            batch, self._waiting = self._waiting, []
            try:
                await self._write(batch)
            finally:
                # Whoever was interrupted leaves the rest to the next.
                self._waiting = [one for one in batch if not one.done] + self._waiting

    async def give_back(self, claimed: Sequence[tuple[Delivery, Contact]], seconds: float, why: str) -> None:
        """Give back what was not tried, due in so many seconds; what cannot be recorded lapses."""
        rows = [delivery for delivery, _ in claimed]

        async def write(session: AsyncSession) -> None:
            due_at = self._clock() + timedelta(seconds=seconds)
            await outbox.put_back(session, rows, due_at=due_at, why=why)

        await self._insist(write, f"{len(rows)} deliveries were not given back")

    async def hold(self, claimed: Sequence[Delivery], span: timedelta) -> None:
        """Keep what one claim has taken for so long: the first, which is under way, and those behind it.

        Raises `Undeliverable` when somebody else has the first.
        """
        now, until = self._clock(), claimed[0].claimed_until
        if until is None or now + span <= until:
            return
        async with self._store.transaction() as session:
            kept = await outbox.renew(session, claimed, now=now)
        if claimed[0].id not in kept:
            raise Undeliverable("somebody else has claimed it", uncertain=True)
        for delivery in claimed:
            if delivery.id in kept:
                delivery.claimed_until = now + outbox.LEASE

    async def _write(self, batch: list[Result]) -> None:
        async def together(session: AsyncSession) -> None:
            await self._once(session, batch)

        if len(batch) > 1 and await self._insist(together, "", tries=2):
            for result in batch:
                result.done = True
            return
        # One of them may be at fault: then each for itself.
        for result in batch:

            async def alone(session: AsyncSession, one: Result = result) -> None:
                await self._once(session, [one])

            what = f"what became of delivery {result.delivery.id} could not be recorded"
            await self._insist(alone, what)
            result.done = True

    async def _once(self, session: AsyncSession, batch: Sequence[Result]) -> None:
        now = self._clock()
        missed = [(result, result.error) for result in batch if result.error is not None]
        await outbox.keep_running(session, (result.delivery for result, _ in missed))
        # In one order, as everybody locks what hangs in the groups (`ticketing.tip_posts`).
        left = sorted((one for one in batch if one.error is None), key=lambda one: one.delivery.id)
        if left:
            await outbox.sent(session, *(result.delivery.id for result in left), now=now)
        for result in left:
            await placed.note(session, result.delivery, result.became)
        for result, error in missed:
            delivery, contact = result.delivery, result.contact
            if error.moved_to is not None and contact.channel is Channel.TELEGRAM:
                await chat_groups.moved(session, int(contact.address), int(error.moved_to), now=now)
            await outbox.failed(session, delivery.id, error, now=now, claimed_until=delivery.claimed_until)

    async def _insist(
        self, write: Callable[[AsyncSession], Awaitable[None]], what: str, tries: int = RECORD_TRIES
    ) -> bool:
        for attempt in range(1, tries + 1):
            try:
                async with self._store.transaction() as session:
                    await write(session)
            except Exception:
                if attempt == tries or self._stopping():
                    if what:
                        log.exception(what)
                    return False
                await self._nap(attempt * 0.5)
            else:
                return True
        return False
