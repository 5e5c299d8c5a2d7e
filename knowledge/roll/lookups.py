"""Looking up, for every edge: whether it is open, who may how often, one result, one act, one time for all.

What is told is told in three results. Who is over a budget is told so, and until when, before anything is
looked up: the words and the time are the same whoever's data was typed.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import acts, circuit, identity, opening, receipts
from knowledge.roll.acts import Reason
from knowledge.roll.attempts import Attempts, Budget, MemoryAttempts, Spent, Unreachable
from knowledge.roll.circuit import Why
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookup import Found as Found
from knowledge.roll.lookup import Seen, lookup
from knowledge.roll.opening import Closed, Opening, Ready, closed
from knowledge.roll.opening import LookupClosed as LookupClosed
from knowledge.roll.records import LookupResult, Way
from office import audit
from office.errors import Invalid, TooMany
from office.hours import BEIJING, beijing_day
from office.staff import Permission, Staff, must
from office.store import Store

FLOOR: Final = 0.3
"""Seconds after which an answer leaves at the earliest; one that takes longer leaves at a multiple of it."""
JITTER: Final = 0.1
CONTACT_TRIES: Final = 5
CONTACT_SPAN: Final = timedelta(minutes=10)
NETWORK_TRIES: Final = 20
NETWORK_SPAN: Final = timedelta(hours=1)
DIGEST_TRIES: Final = 3
OFFICER_TRIES: Final = 200
CANARIES: Final = 3
"""Rows of nobody that stop all in one day: one may be a test of somebody in the office, three are a list."""
CONSOLE: Final = "console"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for budgets: opaque keys, "" where unknown; at least one of the last two is known."""

    channel: str
    contact: str
    network: str


class Lookups:
    """Lookups of one installation.

    `secret` makes keyed digests of whatever a budget is kept for. Without `store` and `keys` it is closed.
    `floor` and `jitter` are seconds. `tripped` says why the circuit has to open, until that is written down.
    """

    counter_limit: Final = OFFICER_TRIES

    def __init__(
        self,
        store: Store | None = None,
        keys: KeyHolder | None = None,
        attempts: Attempts | None = None,
        secret: bytes = b"",
        *,
        floor: float = FLOOR,
        jitter: float = JITTER,
    ) -> None:
        self.attempts = attempts or MemoryAttempts()
        self._store = store
        self._keys = keys
        self._secret = secret
        self._floor = floor
        self._jitter = jitter
        self.tripped: Why | None = None

    async def opening(self, session: AsyncSession, now: datetime) -> Opening:
        """Whether lookup is open now, for everybody alike."""
        found = await opening.ready(session, self._keys, self.attempts, now)
        return found if isinstance(found, Opening) else Opening(True)

    async def by_identity(
        self, session: AsyncSession, caller: Caller, name: str, number: str, *, notice: str, now: datetime
    ) -> Found:
        """A voter's lookup by name and number, as typed; `notice` is the version of the notice shown before.

        Raises `BadIdentity`, `LookupClosed`, `TooMany("lookup.too_many")`. A number that cannot be one costs
        no try.
        """
        if not notice:
            raise ValueError("no lookup without a notice")
        plain = identity.read_name(name), identity.read_number(number, beijing_day(now))
        ready = await self._ready(session, now)
        digest = ready.key.identity(*plain)
        found = await self._by_voter(session, caller, ready, digest, Way.IDENTITY, now)
        await acts.record(
            session, way=Way.IDENTITY, channel=caller.channel, result=found.result, notice=notice, now=now
        )  # fmt: skip
        return found

    async def by_receipt(self, session: AsyncSession, caller: Caller, code: str, *, now: datetime) -> Found:
        """A voter's lookup by the code on a receipt, as typed; a stopped code is one that never was.

        Raises `Invalid("receipt.mistyped")`, which costs no try, `LookupClosed`, `TooMany`.
        """
        plain = receipts.read_code(code)
        ready = await self._ready(session, now)
        found = await self._by_voter(session, caller, ready, ready.key.receipt(plain), Way.RECEIPT, now)
        await acts.record(session, way=Way.RECEIPT, channel=caller.channel, result=found.result, now=now)
        return found

    def receipt_digest(self, code: str) -> bytes:
        """The digest of a receipt code as a case keeps it; raises `Invalid`, `LookupClosed` without a key."""
        plain = receipts.read_code(code)
        if (key := opening.key_of(self._keys)) is None:
            raise closed(Closed.KEY)
        return key.receipt(plain)

    async def at_counter(
        self, session: AsyncSession, person: Staff, name: str, number: str, *, reason: str, now: datetime
    ) -> Found:
        """A lookup by staff who have the person and the card before them; `reason` is one of `acts.Reason`.

        Raises `NotPermitted`, `Invalid("lookup.reason_needed")`, `BadIdentity`, `LookupClosed`, `TooMany`.
        """
        await _may_at_counter(session, person, reason)
        plain = identity.read_name(name), identity.read_number(number, beijing_day(now))
        ready = await self._ready(session, now)
        digest = ready.key.identity(*plain)
        return await self._by_staff(session, person, ready, digest, Way.COUNTER, reason=reason, now=now)

    async def at_counter_by_receipt(
        self, session: AsyncSession, person: Staff, code: str, *, reason: str, now: datetime
    ) -> Found:
        """The same by the code on the receipt of the person at the counter.

        Raises what `at_counter` does, and `Invalid("receipt.mistyped")`.
        """
        await _may_at_counter(session, person, reason)
        plain = receipts.read_code(code)
        ready = await self._ready(session, now)
        digest = ready.key.receipt(plain)
        return await self._by_staff(session, person, ready, digest, Way.COUNTER, reason=reason, now=now)

    async def for_case(
        self, session: AsyncSession, person: Staff, ticket_digest: bytes, *, subject: str, now: datetime
    ) -> Found:
        """A lookup of a case by the digest of its own receipt; `subject` is the case's, as the audit has it.

        Raises `NotPermitted`, `LookupClosed`, `TooMany`.
        """
        await must(session, person, Permission.WORK_TICKETS)
        ready = await self._ready(session, now)
        return await self._by_staff(session, person, ready, ticket_digest, Way.CASE, subject=subject, now=now)

    async def reopen(self, session: AsyncSession, *, reason: str, actor: Staff, now: datetime) -> None:
        """A reviewer lets lookups go on, with the whole day's budget; see `circuit.reopen`.

        Raises `LookupClosed` too, while the budgets are out of reach.
        """
        await circuit.reopen(session, reason=reason, actor=actor, now=now)
        try:
            for kind in ("all", "canary"):
                await self.attempts.forget(self._key(kind, beijing_day(now).isoformat()))
        except Unreachable:
            raise closed(Closed.BUDGETS) from None
        self.tripped = None

    async def watch(self, session: AsyncSession, *, now: datetime) -> None:
        """Write down that the circuit opened, if the transaction that found it out did not come through."""
        if self.tripped is not None:
            await circuit.trip(session, self.tripped, now=now)
            self.tripped = None

    async def settle(self, begun: float) -> None:
        """Wait until the floor time and a little more have passed since `begun`, by the monotonic clock.

        To be called by the edge after its transaction, whatever came of it. A lookup that took longer than
        the floor leaves at the next multiple of it.
        """
        if self._floor <= 0:
            return
        due = self._floor * max(1, math.ceil((time.monotonic() - begun) / self._floor))
        due += random.uniform(0, self._jitter)
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))

    async def _ready(self, session: AsyncSession, now: datetime) -> Ready:
        found = await opening.ready(session, self._keys, self.attempts, now)
        if isinstance(found, Opening):
            raise found.refusal
        return found

    async def _by_voter(
        self, session: AsyncSession, caller: Caller, ready: Ready, digest: bytes, way: Way, now: datetime
    ) -> Found:
        if not caller.contact and not caller.network:
            raise ValueError("a lookup needs somebody whose budget it is")
        asker = self._key("contact", caller.contact) if caller.contact else ""
        # With the day, so that what is counted on two days cannot be put together.
        daily = self._key("digest", beijing_day(now).isoformat().encode() + digest)
        budgets = [Budget(daily, DIGEST_TRIES, ends=_midnight(now))]
        if caller.network:
            network = self._key("network", caller.network)
            budgets.insert(0, Budget(network, NETWORK_TRIES, NETWORK_SPAN))
        if asker:
            budgets.insert(0, Budget(asker, CONTACT_TRIES, CONTACT_SPAN))
        spent = await self._spend(session, asker, [*budgets, self._in_all(ready, now)], way, now)
        seen = await self._look(ready, digest)
        try:
            await self.attempts.heard(asker, missed=_found(seen).result is LookupResult.NOT_FOUND, now=now)
        except Unreachable:
            raise closed(Closed.BUDGETS) from None
        if seen.canary:
            # A digest that was asked for before today is no second one.
            await self._met_nobody(session, way, now, counts=spent.counts[len(budgets) - 1] == 1)
        return _found(seen)

    async def _by_staff(
        self,
        session: AsyncSession,
        person: Staff,
        ready: Ready,
        digest: bytes,
        way: Way,
        *,
        now: datetime,
        subject: str = circuit.SUBJECT,
        reason: str = "",
    ) -> Found:
        day = beijing_day(now).isoformat()
        own = Budget(self._key("staff", f"{person.id}:{day}"), OFFICER_TRIES, ends=_midnight(now))
        await self._spend(session, "", [own, self._in_all(ready, now)], way, now)
        found = _found(seen := await self._look(ready, digest))
        if seen.canary:
            await self._met_nobody(session, way, now, counts=True)
        await audit.record(
            session, f"lookup.{way.value}", subject, actor=person.as_actor(), now=now, reason=reason
        )  # fmt: skip
        await acts.record(
            session, way=way, channel=CONSOLE, result=found.result, staff_id=person.id, reason=reason, now=now
        )  # fmt: skip
        return found

    async def _spend(
        self, session: AsyncSession, asker: str, budgets: list[Budget], way: Way, now: datetime
    ) -> Spent:
        """One try of each budget, the last of which is everybody's: who uses it up opens the circuit."""
        try:
            spent = await self.attempts.spend(asker, budgets, now)
        except Unreachable:
            raise closed(Closed.BUDGETS) from None
        if spent.refused is not None and spent.refused == len(budgets) - 1:
            self.tripped = Why.BUDGET
            raise closed(Closed.STOPPED)
        if spent.refused is not None:
            raise TooMany("lookup.too_many", until=spent.until)
        if spent.counts[-1] >= budgets[-1].limit:
            self.tripped = Why.BUDGET
            await circuit.trip(session, Why.BUDGET, now=now)
        return spent

    async def _look(self, ready: Ready, digest: bytes) -> Seen:
        assert self._store is not None
        seen = await lookup(self._store, digest, key_id=ready.key.key_id)
        if seen.found is None:
            # The roll was switched, or all was stopped, since this lookup began.
            raise closed(Closed.STOPPED)
        return seen

    async def _met_nobody(self, session: AsyncSession, way: Way, now: datetime, *, counts: bool) -> None:
        await circuit.alarm(session, Why.CANARY, way=way.value, now=now)
        if not counts:
            return
        key = self._key("canary", beijing_day(now).isoformat())
        try:
            met = await self.attempts.spend("", [Budget(key, CANARIES, ends=_midnight(now))], now)
        except Unreachable:
            raise closed(Closed.BUDGETS) from None
        if met.refused is not None or met.counts[0] >= CANARIES:
            self.tripped = Why.CANARY
            await circuit.trip(session, Why.CANARY, now=now)

    def _in_all(self, ready: Ready, now: datetime) -> Budget:
        return Budget(self._key("all", beijing_day(now).isoformat()), ready.in_all, ends=_midnight(now))

    def _key(self, kind: str, what: str | bytes) -> str:
        content = what if isinstance(what, bytes) else what.encode()
        made = hmac.digest(self._secret, b"lookup:" + kind.encode() + b":" + content, "sha256")
        return f"{kind}:{made[:16].hex()}"


def _found(seen: Seen) -> Found:
    assert seen.found is not None
    return seen.found


async def _may_at_counter(session: AsyncSession, person: Staff, reason: str) -> None:
    await must(session, person, Permission.LOOK_UP)
    if reason not in tuple(Reason):
        raise Invalid("lookup.reason_needed")


def _midnight(now: datetime) -> datetime:
    """The end of the Beijing day, aware UTC."""
    following = beijing_day(now) + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=BEIJING).astimezone(UTC)
