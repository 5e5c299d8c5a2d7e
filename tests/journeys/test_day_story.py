"""A whole day at the desk in a real browser, with the keyboard, from handover to the record on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.bot.running import Running
from tests.journeys import day_story as story
from tests.journeys import evening_story as evening
from tests.journeys.day_story import Day


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def day(browser: Browser, begun: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    """The desk has opened: everybody is at their console, and the first two calls are written down."""
    folder = tmp_path_factory.mktemp("day") / "var"
    program = Running(folder, begun)
    found = await story.morning(folder)
    async with program, httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as client:
        made = await story.comes_in(browser, program, folder, found, client)
        await story.takes_calls(made)
        yield made
        for page in (made.li, made.wang, made.admin):
            await page.context.close()
        await made.store.close()


async def test_the_desk_is_handed_over_and_answers_fourteen_at_once(day: Day) -> None:
    await story.hands_over(day)
    await story.makes_the_roster(day)
    await story.gathers(day)
    assert day.third == []


async def test_an_answer_is_mended_a_secret_kept_and_the_day_put_on_paper(day: Day) -> None:
    await evening.mends(day)
    await evening.keeps_the_secret(day)
    await evening.ends_the_day(day)
    await evening.writes_it_down(day)
    assert day.third == []
