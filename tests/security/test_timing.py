"""Nobody learns anything from the time an answer takes: not whether a row is there, not whose it is."""

from __future__ import annotations

import itertools
import time
from datetime import datetime
from pathlib import Path
from statistics import fmean

import pytest

from knowledge.roll.lookups import FLOOR, JITTER, Caller
from knowledge.roll.records import LookupResult, Mark
from office.errors import TooMany
from office.store import Store
from tests.lookup_desk import LookupDesk, lookup_desk
from tests.make import Cast
from tests.voters import HE_JIE, LIN_YAN, OUYANG, Voter, voter

TIMES = 1000
APART = 0.050
"""Seconds: the most that two means may differ."""
BLOCKED = "contact:blocked"
MARKS = {OUYANG: Mark.REGISTERED | Mark.SUPPRESSED}


@pytest.fixture
async def desk(
    store: Store, cast: Cast, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> LookupDesk:
    """A desk with the real floor time, where neither a person nor all together are ever too many."""
    for module, constant in (("opening", "LEAST_IN_ALL"), ("lookups", "DIGEST_TRIES")):
        monkeypatch.setattr(f"knowledge.roll.{module}.{constant}", 100 * TIMES)
    desk = await lookup_desk(store, cast, tmp_path, now, marks=MARKS, floor=FLOOR, jitter=JITTER)
    for number in range(5):
        await desk.ask(voter(1000 + number), contact=BLOCKED)
    return desk


async def test_answers_of_every_kind_take_the_same_time(desk: LookupDesk, monkeypatch: pytest.MonkeyPatch):
    """Unknown, mismatched, protected, registered and blocked, a thousand each, in turn.

    What `settle` would sleep is added up instead of slept. The means of the bare core lie close as well, so
    the floor time covers little and an edge that forgot it would not give everything away.
    """
    slept = [0.0]

    async def sleep(seconds: float) -> None:
        slept[0] += seconds

    monkeypatch.setattr("knowledge.roll.lookups.asyncio.sleep", sleep)
    mismatched = Voter(HE_JIE.name, LIN_YAN.number, "")
    unknown = [voter(2000 + number) for number in range(50)]
    kinds = {
        "unknown": (itertools.cycle(unknown), None, LookupResult.NOT_FOUND),
        "mismatched": (itertools.repeat(mismatched), None, LookupResult.NOT_FOUND),
        "protected": (itertools.repeat(OUYANG), None, LookupResult.ASK_STATION),
        "registered": (itertools.repeat(LIN_YAN), None, LookupResult.REGISTERED),
        "blocked": (itertools.cycle([LIN_YAN, *unknown]), BLOCKED, None),
    }
    core: dict[str, list[float]] = {kind: [] for kind in kinds}
    whole: dict[str, list[float]] = {kind: [] for kind in kinds}
    asked = itertools.count()
    async with desk.store.transaction() as session:
        for _ in range(TIMES):
            for kind, (voters, contact, expected) in kinds.items():
                who = next(voters)
                caller = Caller("web", contact or f"contact:{next(asked)}", "")
                begun, slept[0] = time.monotonic(), 0.0
                try:
                    found = await desk.lookups.by_identity(
                        session, caller, who.name, who.number, notice="1", now=desk.now
                    )
                    assert found.result is expected
                except TooMany:
                    assert kind == "blocked"
                core[kind].append(time.monotonic() - begun)
                await desk.lookups.settle(begun)
                whole[kind].append(time.monotonic() - begun + slept[0])
    means = {kind: fmean(times) for kind, times in whole.items()}
    assert max(means.values()) - min(means.values()) <= APART, means
    assert min(min(times) for times in whole.values()) >= FLOOR
    bare = {kind: fmean(times) for kind, times in core.items()}
    assert max(bare.values()) - min(bare.values()) <= APART, bare
