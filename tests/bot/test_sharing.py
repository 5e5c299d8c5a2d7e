"""Several programs on one database without Redis: said aloud."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from bot import app, sharing
from bot.settings import Settings
from bot.sharing import Sharing
from office.store import Store
from tests.make import Cast, Clock


async def test_a_second_program_on_the_database_is_told_of_at_its_first_look_and_once(
    store: Store, cast: Cast, clock: Clock, bare: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = app.build(Settings(database_url=store.url, data_dir=bare / "data"), clock=clock)
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        await made.worker.do_timed()  # alone: the tests' own connections are no program
    assert "REDIS_URL" not in caplog.text

    other = Store(store.url, name=sharing.name())
    try:
        async with other.reading() as session:
            found = await Sharing().look(session)
        for _ in range(2):
            clock.pass_by(timedelta(minutes=1))
            await made.worker.do_timed()
        expected = 0 if store.sqlite else 1
        assert (found, caplog.text.count("REDIS_URL")) == (expected, 2 * expected)
    finally:
        await other.close()
        await made.close()
