"""Two programs on one PostgreSQL and one Redis: what one does, the other knows at once."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import select

from bot.channels.web import MailboxItem
from knowledge import entries
from knowledge.versions import Content
from office import units
from office.store import Store
from tests.bot.conftest import Visitor
from tests.bot.running import Running
from tests.journeys.test_crash import answered, owed
from tests.servers import postgres

ODD = "紫藤广场的流动登记点周末有人值守吗？"
ANSWER = "紫藤广场流动登记点周六上午有人值守。"


async def publish(store: Store) -> None:
    """As the program with number one would: in its own transaction."""
    async with store.transaction() as session:
        district = await units.election_office(session)
        content = Content(
            topic="mobile_box",
            question=ODD,
            phrasings=(
                "紫藤广场登记点周末开吗", "周末去紫藤广场能登记吗", "紫藤广场流动点星期六有人吗",
                "紫藤广场登记点几点有人", "紫藤广场周末登记",
            ),
            short=ANSWER,
            basis=({"law": "实施细则", "article": "第二十七条"},),
            scope_unit_id=district.id,
        )  # fmt: skip
        await entries.install(session, "K-9001", content, now=datetime.now(UTC))


async def test_two_programs_speak_as_one(postgres_url: str, redis_url: str, tmp_path: Path) -> None:
    address = await postgres.create_database(postgres_url, "two_programs")
    shared = {"DATABASE_URL": address, "REDIS_URL": redis_url, "SECRET_KEY": "shared by both"}
    first, second = Running(tmp_path / "one", **shared), Running(tmp_path / "two", **shared)
    store = Store(address)
    try:
        # Both at once on an empty database: one prepares it, the other waits and finds it done.
        await asyncio.gather(first.start(), second.start())
        async with (
            httpx.AsyncClient(base_url=first.address, trust_env=False, timeout=120) as here,
            httpx.AsyncClient(base_url=second.address, trust_env=False, timeout=120) as there,
        ):
            await a_publication_is_in_force_at_once(store, Visitor(there))
            await an_answer_reaches_a_stream_of_the_other(store, here, there)
        for program in (first, second):
            assert "Traceback" not in program.said()
    finally:
        first.close()
        second.close()
        await store.close()
        await postgres.drop_database(postgres_url, "two_programs")


async def a_publication_is_in_force_at_once(store: Store, visitor: Visitor) -> None:
    assert not any(ANSWER in item["html"] for item in await visitor.ask(ODD))
    await publish(store)
    async with asyncio.timeout(120):
        while not any(ANSWER in item["html"] for item in await visitor.ask(ODD)):
            pass


async def an_answer_reaches_a_stream_of_the_other(store: Store, *browsers: httpx.AsyncClient) -> None:
    """One visitor with a stream at each program: whichever worker sends, the other program hears of it."""
    visitor = Visitor(browsers[0])
    await owed(visitor, "新楼盘没有门牌号，户口还没迁过来，应该怎么登记？")
    browsers[1].cookies = browsers[0].cookies
    streams = [Listener(browser) for browser in browsers]
    following = [asyncio.create_task(stream.follow()) for stream in streams]
    try:
        async with asyncio.timeout(120):
            for stream in streams:
                await stream.until("新楼盘没有门牌号")
            text = await answered(store, 7)
            heard = [await stream.until(text) for stream in streams]
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    # All clocks are this machine's: from the line in the database to the two pages.
    written = (await written_at(store, text)).timestamp()
    assert max(moment - written for moment in heard) < 10


class Listener:
    """A page that follows its stream."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self._browser = browser
        self._lines: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    async def follow(self) -> None:
        async with self._browser.stream("GET", "/chat/stream", params={"after": 0}) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    self._lines.put_nowait((time.time(), json.loads(line[5:])["html"]))

    async def until(self, words: str) -> float:
        """When the line with these words came."""
        while True:
            moment, html = await self._lines.get()
            if words in html:
                return moment


async def written_at(store: Store, text: str) -> datetime:
    async with store.reading() as session:
        items = await session.scalars(select(MailboxItem).order_by(MailboxItem.id.desc()).limit(20))
        return next(item.at for item in items if text in item.content.get("text", ""))
