"""The first filling: one's own district is taken as it is written, or refused with its wrong place."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from bot import demo
from knowledge import base, elections
from knowledge.calendar import DateKind
from office.store import Store

UNITS = "units:\n  - {code: DP, kind: district, name: 东浦区}\n"


@pytest.fixture(autouse=True)
def few_entries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The base takes its time to load, and is not what these tests are about."""
    monkeypatch.setattr(base, "FOLDER", tmp_path / "entries")


async def load(store: Store, folder: Path, now: datetime, election: str) -> None:
    (folder / "district.yaml").write_text(UNITS + f"election: {election}\n", encoding="utf-8")
    await demo.load(store, folder / "district.yaml", now=now)


async def test_the_election_of_the_file_is_in_force(store: Store, tmp_path: Path, now: datetime) -> None:
    await load(
        store, tmp_path, now,
        "{unit: DP, name: 示例选举, day: 2026-12-29, "
        "registration: [{audience: 居民, from: 2026-11-25, to: 2026-12-05, note: 9:00–17:00}]}",
    )  # fmt: skip
    async with store.reading() as session:
        found = await elections.spans(session, now)
    assert found[DateKind.LIST_POSTED][0].first == date(2026, 12, 9)
    assert found[DateKind.REGISTRATION][0].note == "9:00–17:00"


@pytest.mark.parametrize(
    ("election", "place"),
    [
        ("{unit: XX, name: 示例选举}", "election.unit"),
        ("{unit: DP, name: 示例选举, day: soon}", "day"),
        (
            "{unit: DP, name: 示例选举, registration: [{from: 2026-12-05, to: 2026-12-01}]}",
            "windows[0].to",
        ),
    ],
)
async def test_an_election_that_cannot_be_is_refused_with_its_place(
    store: Store, tmp_path: Path, now: datetime, election: str, place: str
) -> None:
    with pytest.raises(demo.BadFile, match=place.replace("[", "\\[").replace("]", "\\]")):
        await load(store, tmp_path, now, election)
    assert await demo.empty(store)
