"""What becomes of a robot's test message stands on its page: waiting, sent, failed and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from office import outbox, robots
from office.contacts import Channel
from office.outbox import Delivery, DeliveryState, Undeliverable
from office.seal import Sealer
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.servers.robots import WECOM

SignedIn = Callable[[Staff], Awaitable[Browser]]
PAGE = "/admin/robots"


@pytest.fixture(autouse=True)
def sealer(app: FastAPI) -> None:
    app.state.services = replace(app.state.services, sealer=Sealer(b"a secret of the tests"))


async def test_a_test_message_shows_what_becomes_of_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.zhou_ning)
    await desk.get(PAGE)
    typed = {
        "channel": "wecom_robot", "unit": str(cast.riverside.id), "title": "临江群",
        "address": WECOM.format("invented-0043"), "secret": "",
    }  # fmt: skip
    here = (await desk.post(PAGE, typed)).headers["location"].partition("?")[0]
    assert "还没有发过消息" in plain(await desk.get(PAGE))

    group = (await desk.get(here)).text.partition('href="/admin/bindings/groups/')[2].partition('"')[0]
    assert "还没有发过消息" in plain(await desk.get(f"/admin/bindings/groups/{group}"))
    await desk.get(here)

    async def told() -> str:
        """The line about the test, which page and fragment say alike."""
        page = plain(await desk.get(here))
        part = plain(await desk.client.get(f"{here}/progress"))
        assert "<html" not in part
        line = part.partition('data-part="test"')[2]
        assert line.partition("</p>")[0] in page
        return ("finished " if "data-finished" in part else "") + line

    async def outcome(error: Undeliverable | None = None) -> None:
        async with store.transaction() as session:
            clock.pass_by(timedelta(minutes=20))
            ((row, _),) = await outbox.claim(session, [Channel.WECOM_ROBOT], limit=1, now=clock())
            if error is None:
                await outbox.sent(session, row.id, now=clock())
            else:
                await outbox.failed(session, row.id, error, now=clock())

    assert "finished" in await told()
    assert "结果见下" in (await desk.get((await desk.post(f"{here}/test")).headers["location"])).text
    found = await told()
    assert "待发" in found
    assert "11月20日（周五）10:05提交" in found
    assert "finished" not in found
    await outcome(Undeliverable("ClientConnectorError", retry_after=30))
    found = await told()
    assert "待发" in found
    assert "多次连不上；11月20日（周五）10:25再试" in found
    await outcome()
    found = await told()
    assert "已发出" in found
    assert "11月20日（周五）10:45发到群里" in found
    assert "finished" in found
    assert "正常" in plain(await desk.get(f"/admin/bindings/groups/{group}"))
    for address in (PAGE, here):
        page = plain(await desk.get(address))
        assert "正常" in page
        assert "上次发出：11月20日（周五）10:45" in page
        assert "还没有发过消息" not in page

    clock.pass_by(timedelta(minutes=1))
    await desk.post(f"{here}/test")
    await outcome(Undeliverable("wecom_robot refuses with 93000", permanent=True))
    found = await told()
    assert "没有发出" in found
    assert "平台拒收（平台代码93000）" in found
    assert "finished" in found
    async with store.transaction() as session:
        await session.execute(update(Delivery).values(state=DeliveryState.DUE))
        contact = (await robots.listed(session, "."))[0].contact
        await robots.halt(session, contact.id, "keyword", now=clock())
    found = await told()
    assert "机器人已停止，修好后发出" in found
    assert "关键词" in found
    assert "finished" in found, "nothing happens by itself"
    async with store.transaction() as session:
        north = Staff(name="何平", unit_id=cast.north.id, roles=[Role.ADMIN.value], created_at=clock())
        session.add(north)
    other = await signed_in(north)
    assert (await other.client.get(f"{here}/progress")).status_code == 403
