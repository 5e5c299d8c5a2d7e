"""Fifty lookups a second while a roll is carried in: none fails, and each is of the old roll or the new one.

A minute with a million rows takes `python3 -m benchmarks.roll_load`; this is the same with fewer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import roll_load
from benchmarks.roll_apply import Office
from benchmarks.roll_load import NOBODY, PER_SECOND, Answer, Run, Switch
from knowledge.roll import imports
from knowledge.roll.lookup import Found
from office.store import Store

ROWS = 60_000
SECONDS = 4.0


async def test_no_lookup_fails_and_no_answer_is_mixed(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
):
    monkeypatch.setattr(imports, "BATCH", 5_000)
    office = Office(store, tmp_path)
    await office.open()
    found = await roll_load.run(office, ROWS, SECONDS, least=2)
    figures = found.report()
    record_property("figures", figures)
    print(figures)
    assert found.errors == []
    assert found.mixed == []
    assert len(found.answers) >= PER_SECOND * SECONDS
    # Of the old roll and of the new one, with those that only one of them has.
    for roll in (0, 1):
        says = [one.person.says[roll] for one in found.answers if one.found == one.person.says[roll]]
        assert NOBODY in says
        assert len(says) >= PER_SECOND / 5


def test_an_answer_of_both_rolls_would_be_seen():
    """The judge itself: what is half of one roll and half of the other is neither's."""
    _, people = roll_load.two_rolls(70)
    person = next(one for one in people if NOBODY not in one.says)
    old, new = person.says
    mixed = replace(old, station=new.station)
    run = Run(switches=[Switch(0, 0.0, 0.0), Switch(1, 1.0, 2.0)])

    def told(found: Found, due: float, ended: float) -> bool:
        run.answers = [Answer(person, due, ended, found)]
        return run.mixed == []

    assert told(old, 0.1, 0.2)
    assert told(old, 0.9, 1.5)
    assert told(new, 0.9, 1.5)
    assert told(new, 2.1, 2.2)
    assert not told(mixed, 0.9, 1.5)
    assert not told(new, 0.1, 0.2)
    assert not told(old, 2.1, 2.2)
    assert not told(NOBODY, 0.9, 1.5)
