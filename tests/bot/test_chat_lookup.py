"""The lookup in the web chat: no code on the page or in the mailbox, results that leave both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot import app
from bot.app import Machine
from bot.channels.web import MailboxItem, Op
from bot.settings import Settings
from knowledge.roll import receipts
from knowledge.roll.lookups import NETWORK_TRIES
from office.contacts import Channel
from office.store import Store
from tests.bot.conftest import Visitor
from tests.make import Cast, Clock
from tests.rolls import install_roll
from tests.voters import LIN_YAN, code

CODE = receipts.written(LIN_YAN.receipt)
HIDDEN = "［回执码已隐去］"
Visitors = Callable[..., Visitor]


@pytest.fixture
async def machine(store: Store, cast: Cast, clock: Clock, bare: Path) -> AsyncIterator[Machine]:
    """The program with a roll; its answers do not wait for the floor time."""
    await install_roll(store, bare)
    settings = Settings(database_url=store.url, data_dir=bare / "data", roll_key=bare / "roll.key")
    made = app.build(settings, clock)
    made.desk.lookups._floor = 0
    yield made
    await made.close()


async def lines(machine: Machine) -> list[MailboxItem]:
    async with machine.desk.store.reading() as session:
        return list((await session.scalars(select(MailboxItem).order_by(MailboxItem.id))).all())


async def works(machine: Machine) -> None:
    while await machine.worker.send_due(Channel.WEB):
        pass


@pytest.mark.parametrize(
    "said", [CODE, f"我的回执码是{LIN_YAN.receipt}，登记了吗", CODE.lower().replace("-", " ")]
)
async def test_one_s_own_line_shows_that_there_was_a_code_and_not_which(
    machine: Machine, visitor: Visitors, said: str
) -> None:
    someone = visitor()
    mine, result = await someone.ask(said)
    assert HIDDEN in mine["html"]
    assert "查询结果：已登记" in result["html"]
    page = (await someone.open()).text
    kept = repr([item.content for item in await lines(machine)])
    for shown in (page, kept):
        assert HIDDEN in shown
        assert LIN_YAN.receipt[:4] not in shown.upper().replace("-", "").replace(" ", "")


async def test_what_was_asked_for_as_a_code_is_hidden_too(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask("查登记")
    await someone.tap("用回执码查询")
    mine, mistyped = await someone.ask("ZZYAN2")
    assert HIDDEN in mine["html"]
    assert "回执码有误" in mistyped["html"]
    assert "ZZYAN2" not in repr([item.content for item in await lines(machine)])


async def test_a_result_leaves_page_and_mailbox_after_five_minutes(
    machine: Machine, visitor: Visitors, clock: Clock
) -> None:
    someone = visitor()
    _, result = await someone.ask(CODE)
    clock.pass_by(timedelta(minutes=4, seconds=59))
    await works(machine)
    assert "第一选区" in (await someone.open()).text
    clock.pass_by(timedelta(seconds=1))
    await works(machine)
    assert "第一选区" not in (await someone.open()).text
    last = (await lines(machine))[-1]
    assert (last.op, last.target) == (Op.REMOVE, result["id"])
    kept = repr([item.content for item in await lines(machine)])
    assert "第一选区" not in kept
    assert "查询结果" not in kept

    stale = await someone.client.get("/chat/mailbox", params={"after": 0})
    assert "第一选区" not in stale.text


async def test_the_link_to_the_page_is_one_of_ours_and_goes_when_it_is_over(
    machine: Machine, visitor: Visitors, clock: Clock
) -> None:
    someone = visitor()
    await someone.ask("查登记")
    *_, line = await someone.tap("打开安全查询页")
    assert 'href="/lookup/' in line["html"]
    clock.pass_by(timedelta(minutes=10))
    await works(machine)
    assert "/lookup/" not in repr([item.content for item in await lines(machine)])


async def test_fresh_cookies_do_not_make_a_fresh_network(machine: Machine, visitor: Visitors) -> None:
    symbols = receipts.ALPHABET
    for number in range(NETWORK_TRIES):
        tried = visitor("192.0.2.7")
        assert "查询结果" in (await tried.ask(code(f"ZZ{symbols[number]}AB")))[-1]["html"]
    assert "查询次数较多" in (await visitor("192.0.2.7").ask(CODE))[-1]["html"]
    assert "查询结果" in (await visitor("198.51.100.7").ask(CODE))[-1]["html"]


async def test_without_scripts_the_code_is_hidden_as_well(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    response: httpx.Response = await someone.send(CODE, script=False)
    assert response.status_code == 303
    page = (await someone.open()).text
    assert HIDDEN in page
    assert LIN_YAN.receipt not in page.replace("-", "")
