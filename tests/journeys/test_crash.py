"""Killed with signal 9 between an officer's answer and the visitor's mailbox: once is once, none is lost."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from office import outbox
from office.contacts import Channel
from office.outbox import Delivery, DeliveryState
from office.staff import Staff
from office.store import Store
from tests.bot.conftest import Visitor
from tests.bot.running import Running
from tests.make import HOURS
from tests.servers import postgres
from ticketing import tickets
from ticketing.records import Ticket

ROUNDS = 5
_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Where the program keeps its data, as settings."""
    if request.param == "sqlite":
        yield {}
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"crash_{next(_numbers)}"
    yield {"DATABASE_URL": await postgres.create_database(server, name)}
    await postgres.drop_database(server, name)


async def owed(visitor: Visitor, question: str) -> None:
    """Ask, and ask for a person: whatever the base knew, there is a ticket now."""
    await visitor.ask(question)
    items = await visitor.ask("人工")
    assert any("DP-" in item["html"] for item in items)


async def answered(store: Store, number: int) -> str:
    """A draft for the newest ticket is signed by 王芳: the answer is committed together with its delivery."""
    now, text = datetime.now(UTC), f"第{number}号答复：请带房屋证明到登记站。"
    async with store.transaction() as session:
        ticket = await session.scalar(select(Ticket).order_by(Ticket.id.desc()).limit(1))
        people = {p.name: p for p in await session.scalars(select(Staff))}
        author, reviewer = people["首位管理员"], people["王芳"]
        assert ticket is not None
        await tickets.take(session, ticket, actor=author, now=now)
        await tickets.propose(session, ticket, text, "实施细则第二十七条", actor=author, now=now)
        await tickets.sign(session, ticket, seen=ticket.version, actor=reviewer, hours=HOURS, now=now)
    return text


async def mailbox(client: httpx.AsyncClient) -> str:
    items = (await client.get("/chat/mailbox", params={"after": 0})).json()["items"]
    return "\n".join(item["html"] for item in items)


async def arrived(client: httpx.AsyncClient, words: str) -> str:
    async with asyncio.timeout(60):
        while True:
            if words in (shown := await mailbox(client)):
                return shown
            await asyncio.sleep(0.05)


async def forget_leases(store: Store) -> None:
    """Spare the minute that a dead worker's claim lasts."""
    async with store.transaction() as session:
        past = datetime.now(UTC) - outbox.LEASE
        claimed = Delivery.state == DeliveryState.CLAIMED
        await session.execute(update(Delivery).where(claimed).values(claimed_until=past))


async def test_an_answer_survives_kill_9_and_comes_once(
    database: dict[str, str], tmp_path: Path, begun: Path
) -> None:
    folder = tmp_path / "var"
    dice = random.Random(20261120)
    async with Running(folder, None if database else begun, **database) as program:
        store = Store(database.get("DATABASE_URL") or f"sqlite+aiosqlite:///{folder / 'one-window.db'}")
        async with httpx.AsyncClient(base_url=program.address, trust_env=False, timeout=120) as client:
            visitor = Visitor(client)
            answers: list[str] = []
            for number in range(ROUNDS):
                await owed(visitor, f"第{number}次问：新楼盘没有门牌号，户口还没迁过来，应该怎么登记？")
                if number == ROUNDS - 1:
                    program.kill()  # then: exactly after the claim
                answers.append(await answered(store, number))
                if number == ROUNDS - 1:
                    async with store.transaction() as session:
                        claimed = await outbox.claim(session, [Channel.WEB], limit=9, now=datetime.now(UTC))
                    assert len(claimed) == 1
                else:
                    # The worker looks every two seconds, so this falls before, into or after the sending.
                    await asyncio.sleep(dice.uniform(0, 2.2))
                    program.kill()
                await forget_leases(store)
                await program.start()
                shown = await arrived(client, answers[-1])
                await asyncio.sleep(0.3)
                shown = await mailbox(client)
                assert [shown.count(answer) for answer in answers] == [1] * len(answers)
        async with store.reading() as session:
            rows = list(await session.scalars(select(Delivery).where(Delivery.kind == "answer")))
            assert len(rows) == ROUNDS
            assert {row.state for row in rows} == {DeliveryState.SENT}
        await store.close()
