"""The post room's hands: what is due on a channel is claimed, let through by the pacing, sent and recorded.

A channel has two lanes, one for answers and notices, one for broadcasts: neither waits for the other. In a
lane a few messages are under way at once, those of one contact one after another, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot import carrying
from bot.carrying import Carrier, Letter
from bot.pacing import MemoryPacing, Pacing
from bot.recording import Records, Result
from office import outbox
from office.contacts import Channel, Contact
from office.outbox import Delivery, Priority, Undeliverable

if TYPE_CHECKING:
    from aiogram import Bot

    from handlers.turn import Desk

BATCH = 30
AT_ONCE = 8
# A wait for the channel's own spacing is part of sending; one for a chat's lets others go before.
SPACING = 0.1
# What a private chat asks for between two messages is slept through, so that they keep their order; longer
# waits are left to the outbox.
SLEPT_THROUGH = 1.2
# When a contact's messages before these are still on their way.
BEHIND = 1.0
LANES = (outbox.URGENT, (Priority.BROADCAST,))

Claimed = tuple[Delivery, Contact]


@dataclass(slots=True)
class Lane:
    """Where `AT_ONCE` messages are under way at once; `busy` are the contacts to whom.

    At the `gate` one asks the pacing while the others stand in line: they would ask in vain.
    """

    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: set[int] = field(default_factory=set)
    chains: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Back:
    """A message goes back untried, due in so many seconds."""

    seconds: float
    why: str = ""


class PostRoom:
    """Sends what the outbox holds. One of possibly several; each claims what it sends."""

    def __init__(self, desk: Desk, bots: Mapping[Channel, Bot], pacing: Pacing | None = None) -> None:
        self._store = desk.store
        self._clock = desk.clock
        self._pacing = pacing or MemoryPacing()
        self._stopped = asyncio.Event()
        self._records = Records(desk.store, desk.clock, self.nap, self._stopped.is_set)
        self.carrier = Carrier(bots, self._pacing, self._records.hold)
        self._lanes: dict[tuple[Channel, tuple[Priority, ...]], Lane] = {}

    def open(self) -> None:
        """Begin to send, also after `close`."""
        self._stopped.clear()

    def close(self) -> None:
        """Begin nothing new: what is claimed and not on its way goes back."""
        self._stopped.set()

    async def ended(self, seconds: float) -> None:
        """Wait so long for what is on its way; the rest is interrupted and comes back by its lease."""
        chains = [chain for lane in self._lanes.values() for chain in lane.chains]
        if chains:
            _, late = await asyncio.wait(chains, timeout=seconds)
            for chain in late:
                chain.cancel()
            await asyncio.gather(*chains, return_exceptions=True)

    async def nap(self, seconds: float) -> None:
        """Sleep, but not on when the program stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    async def send_due(
        self, channel: Channel, priorities: tuple[Priority, ...] = outbox.ALL, *, linger: bool = False
    ) -> bool:
        """Send one batch of what is due on a channel; returns whether there was anything.

        `linger`: return when the last message of the batch is under way, not when it has ended, so that one
        that hangs costs a lane one of its places and no more.
        """
        if self.carrier.rests.left(channel):
            return False
        lane = self._lanes.setdefault((channel, priorities), Lane())
        async with lane.slots:
            pass  # what is claimed before a place is free would only wait out its lease
        if self._stopped.is_set():
            return False
        async with self._store.transaction() as session:
            claimed = await outbox.claim(
                session, [channel], limit=BATCH, now=self._clock(), priorities=priorities
            )
        chains: dict[int, list[Claimed]] = {}
        for delivery, contact in claimed:
            chains.setdefault(contact.id, []).append((delivery, contact))
        begun: list[asyncio.Future[None]] = []
        tasks = []
        for number, chain in chains.items():
            if number in lane.busy:
                await self._records.give_back(chain, BEHIND, "")
                continue
            under_way = asyncio.get_running_loop().create_future()
            begun.append(under_way)
            tasks.append(self._begin(lane, chain, under_way))
        try:
            await asyncio.gather(*(begun if linger else tasks))
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        return bool(claimed)

    def _begin(self, lane: Lane, chain: Sequence[Claimed], begun: asyncio.Future[None]) -> asyncio.Task[None]:
        contact_id = chain[0][1].id

        def started() -> None:
            if not begun.done():
                begun.set_result(None)

        def ended(task: asyncio.Task[None]) -> None:
            lane.busy.discard(contact_id)
            lane.chains.discard(task)
            started()

        lane.busy.add(contact_id)
        task = asyncio.get_running_loop().create_task(self._chain(lane, chain, started))
        lane.chains.add(task)
        task.add_done_callback(ended)
        return task

    async def _chain(self, lane: Lane, chain: Sequence[Claimed], started: Callable[[], None]) -> None:
        """The messages of one contact, one after another; what has to wait takes those after it along."""
        for number, (delivery, contact) in enumerate(chain):
            rest: Sequence[Claimed] = chain[number:]
            back = await self._one(lane, rest, started)
            if isinstance(back, Undeliverable):
                await self._record(delivery, contact, back)
                if back.retry_after is None:
                    continue
                rest, back = chain[number + 1 :], Back(back.retry_after, "the chat or its channel rests")
            elif back is None:
                await self._record(delivery, contact, None)
                continue
            if rest:
                await self._records.give_back(rest, back.seconds, back.why)
            return

    async def _one(
        self, lane: Lane, claimed: Sequence[Claimed], started: Callable[[], None]
    ) -> Undeliverable | Back | None:
        """Send the first message as soon as it may; returns None, or why it was not sent."""
        (delivery, contact), *behind = claimed
        letter = self.carrier.letter(delivery, contact, [row for row, _ in behind])
        if isinstance(letter, Undeliverable):
            return letter
        while True:
            async with lane.slots:
                started()
                wait = await self._let_through(lane, letter)
                if wait == 0:
                    return await self.carrier.send(letter)
            if isinstance(wait, Back):
                return wait
            if wait > SLEPT_THROUGH:
                return Back(wait)
            await self.nap(wait)

    async def _let_through(self, lane: Lane, letter: Letter) -> float | Back:
        """0 when the message may go now; else the seconds for which others go before, or why it goes back."""
        async with lane.gate:
            while True:
                if back := self._not_now(letter):
                    return back
                wait = await self._pacing.take(letter.buckets)
                if wait == 0 or wait > SPACING:
                    return wait
                await self.nap(wait)

    def _not_now(self, letter: Letter) -> Back | None:
        if self._stopped.is_set():
            return Back(0, "the worker was stopped")
        if left := self.carrier.rests.left(letter.contact.channel):
            return Back(left, "the channel rests")
        until = letter.delivery.claimed_until
        if until and self._clock() + carrying.SEND_WITHIN > until:
            # Too late to be sure. Left to its lease it would count as uncertain, which it is not.
            return Back(BEHIND)
        return None

    async def _record(self, delivery: Delivery, contact: Contact, error: Undeliverable | None) -> None:
        became = self.carrier.became.pop(delivery.id, None)
        await self._records.note(Result(delivery, contact, error, became))
