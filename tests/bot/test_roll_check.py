"""What `doctor` says of the roll and its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from bot import roll_check
from knowledge.roll import keys
from knowledge.roll.records import RollState
from office.store import Store
from tests import rolls
from tests.make import Cast

Said = Callable[[], Awaitable[list[str]]]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "roll.key"


@pytest.fixture
def said(store: Store, cast: Cast, key_file: Path) -> Said:
    """The lines, each with the mark that `doctor` puts before it."""

    async def lines() -> list[str]:
        found: list[str] = []

        def line(good: bool, words: str, *, needed: bool = True) -> None:
            found.append(f"{'✓' if good else '✗' if needed else '–'} {words}")

        async with store.reading() as session:
            await roll_check.check(session, key_file, line)
        return found

    return lines


def marks(lines: list[str]) -> str:
    return "".join(line[0] for line in lines)


async def test_without_roll_and_key_nothing_has_to_be_done(said: Said):
    assert marks(await said()) == "––"


async def test_a_roll_with_its_key_is_named_with_its_day(said: Said, store: Store, tmp_path: Path):
    await rolls.install_roll(store, tmp_path)
    lines = await said()
    assert marks(lines) == "✓✓✓"
    assert "东浦区2026, 2026-11-19" in lines[0]


def take_away(path: Path) -> None:
    path.unlink()


def open_to_others(path: Path) -> None:
    path.chmod(0o640)


def break_it(path: Path) -> None:
    path.write_text("{}")


def bring_the_offline_one(path: Path) -> None:
    path.unlink()
    keys.write_offline(keys.make(rolls.ELECTION), path)


@pytest.mark.parametrize("spoil", [take_away, open_to_others, break_it, bring_the_offline_one])
async def test_a_key_that_cannot_be_used_is_a_red_line(
    said: Said, store: Store, tmp_path: Path, key_file: Path, spoil: Callable[[Path], None]
):
    key = await rolls.install_roll(store, tmp_path)
    spoil(key_file)
    lines = await said()
    assert marks(lines) == "✓✗"
    assert key.as_text() not in "".join(lines)


async def test_the_key_of_another_roll_is_a_red_line(
    said: Said, store: Store, tmp_path: Path, key_file: Path
):
    await rolls.install_roll(store, tmp_path)
    take_away(key_file)
    keys.write_service(keys.make(rolls.ELECTION).digest, key_file)
    assert marks(await said()) == "✓✓✗"


async def test_a_stop_is_told(said: Said, store: Store, tmp_path: Path, now: datetime):
    await rolls.install_roll(store, tmp_path)
    async with store.transaction() as session:
        await session.execute(update(RollState).values(stopped_at=now, stopped_why="budget"))
    assert marks(await said()) == "✓✓✓–"
