"""Group robots and the settings of groups in the console: nothing of a credential comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from handlers import deliveries
from office import chat_groups, robots
from office.audit import SYSTEM
from office.bindings import ChatGroup, GroupPurpose
from office.contacts import Contact
from office.outbox import Delivery
from office.robots import GroupRobot
from office.seal import Sealer
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, plain
from tests.make import Cast
from tests.servers.robots import DINGTALK

SignedIn = Callable[[Staff], Awaitable[Browser]]
PAGE = "/admin/robots"
TOKEN, SECRET = DINGTALK.token("invented-0042"), "SECinvented0042"
SEALER = Sealer(b"a secret of the tests")


@pytest.fixture(autouse=True)
def sealer(app: FastAPI) -> None:
    app.state.services = replace(app.state.services, sealer=SEALER)


def fields(cast: Cast, **changes: str) -> dict[str, str]:
    typed = {
        "channel": "dingtalk_robot", "unit": str(cast.riverside.id), "title": "<b>临江</b>群",
        "address": DINGTALK.format(TOKEN), "secret": SECRET,
    }  # fmt: skip
    return typed | changes


async def test_a_robot_is_entered_tested_mended_changed_and_taken_out(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.zhou_ning)
    assert "还没有群机器人" in (await desk.get(PAGE)).text
    wrong = fields(cast, address=f"https://192.0.2.1/robot/send?access_token={TOKEN}")
    refused = await desk.post(PAGE, wrong)
    assert refused.status_code == 422
    assert "机器人地址不对" in refused.text
    assert "&lt;b&gt;临江" in refused.text, "what is no credential stays typed"
    assert TOKEN not in refused.text
    assert SECRET not in refused.text
    assert (await desk.post(PAGE, fields(cast, channel="telegram"))).status_code == 422
    made = await desk.post(PAGE, fields(cast))
    assert made.status_code == 303
    assert TOKEN not in made.headers["location"]
    assert (await desk.post(PAGE, fields(cast))).status_code == 409

    async with store.reading() as session:
        row = (await session.scalars(select(GroupRobot))).one()
        group = await session.get_one(ChatGroup, row.group_id)
    here = f"{PAGE}/{row.id}"
    page = await desk.get(f"{here}?done=added")
    for words in ("已登记。请发一条测试消息", "····0042", "钉钉", "还没有发过消息", "&lt;b&gt;临江"):
        assert words in page.text
    assert "还没有发过测试消息" in page.text
    assert (await desk.post(f"{here}/test")).status_code == 303
    assert (await desk.post(f"{here}/mend")).status_code == 409, "it has not stopped"
    async with store.reading() as session:
        delivery = (await session.scalars(select(Delivery))).one()
    (message,) = deliveries.methods(delivery, 1, "zh_CN")
    assert "东浦区选举委员会办公室的工作提示将发到本群（临江街道）" in message.text  # type: ignore[attr-defined]

    async with store.transaction() as session:
        await robots.halt(session, group.contact_id, "keyword", now=now)
    listed = plain(await desk.get(PAGE))
    assert "机器人已停止" in listed
    assert "请在机器人的安全设置里去掉关键词" in listed
    assert "机器人已停止" in plain(await desk.get("/admin/bindings"))
    assert "机器人已停止：平台不接受我们的设置" in plain(await desk.get("/admin/notices"))
    await desk.get(here)
    assert (await desk.post(f"{here}/mend")).headers["location"] == f"{here}?done=mended"

    page = await desk.get(f"{here}?done=mended")
    assert "留存的消息一分钟内发出" in page.text
    stale = await desk.post(here, {"unit": str(cast.riverside.id), "title": "新名", "version": "1"})
    assert stale.status_code == 409
    assert 'value="新名"' in stale.text
    await desk.get(here)
    changed = await desk.post(
        here, {"unit": str(cast.riverside.id), "title": "新名", "address": "", "secret": ""}
    )
    assert changed.status_code == 303
    page = await desk.get(here)
    assert "群机器人：新名" in page.text
    for text in (page.text, listed, (await desk.get("/admin/audit")).text):
        assert TOKEN not in text
        assert SECRET not in text
    await desk.get(here)
    assert (await desk.post(f"{here}/remove")).headers["location"] == f"{PAGE}?done=removed"
    assert (await desk.get(here)).status_code == 404


async def test_robots_of_other_units_are_not_shown_or_changed(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        north = Staff(name="何平", unit_id=cast.north.id, roles=[Role.ADMIN.value], created_at=now)
        session.add(north)
    desk = await signed_in(cast.zhou_ning)
    await desk.get(PAGE)
    here = (await desk.post(PAGE, fields(cast))).headers["location"].partition("?")[0]
    other = await signed_in(north)
    assert "临江" not in (await other.get(PAGE)).text
    assert (await other.post(PAGE, fields(cast, address=DINGTALK.format("another0001")))).status_code == 403
    assert (await other.get(here)).status_code == 403
    for act in ("", "/test", "/mend", "/remove"):
        answered = await other.post(f"{here}{act}", {**fields(cast), "version": "2"})
        assert answered.status_code == 403
    officer = await signed_in(cast.wang_fang)
    assert (await officer.get(PAGE)).status_code == 403
    assert "群机器人" not in (await officer.get("/admin")).text


async def test_topic_and_language_of_a_group_are_chosen(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        group = await chat_groups.seen(session, -1001, "工作群", actor=SYSTEM, now=now)
        row = group.row.id
    desk = await signed_in(cast.zhou_ning)
    here = f"/admin/bindings/groups/{row}"
    assert (await desk.get(here)).status_code == 404, "it is nobody's yet"
    async with store.transaction() as session:
        await chat_groups.ask(session, group, person=cast.zhou_ning, now=now)
        await chat_groups.bind(
            session, row, cast.riverside, GroupPurpose.STAFF, actor=cast.zhou_ning, now=now
        )
        found = await session.get_one(ChatGroup, row)
        found.topics = {"urgent": 7}
        bound = await chat_groups.group_of(session, -1001)
        assert bound is not None
        await chat_groups.restricted(session, bound, actor=SYSTEM, now=now)
        await chat_groups.moved(session, -1001, -1002, now=now)
    page = await desk.get("/admin/bindings")
    assert f'href="{here}"' in page.text
    assert "被限制" in page.text
    assert "已迁移" in page.text
    assert "被限制：" in (await desk.get(here)).text
    for typed, topic in (
        ("57", 57),
        ("https://t.me/c/1002/58/99", 58),
        ("https://t.me/work_group/59", 59),
        ("", None),
    ):
        await desk.get(here)
        answer = await desk.post(f"{here}/settings", {"topic": typed, "language": "en"})
        assert answer.status_code == 303, answer.text
        async with store.reading() as session:
            found = await session.get_one(ChatGroup, row)
            assert found.topics == ({"urgent": 7, "tips": topic} if topic else {"urgent": 7})
            assert (await session.get_one(Contact, found.contact_id)).language == "en"
    await desk.get(here)
    for wrong in ("0", "话题", "https://example.org/c/1/2", "99999999999"):
        refused = await desk.post(f"{here}/settings", {"topic": wrong, "language": "zh_CN"})
        assert refused.status_code == 422
        assert "话题编号不对" in refused.text
    assert (await desk.post(f"{here}/settings", {"language": "fr"})).status_code == 422
    old = {"topic": "5", "language": "en", "version": "1"}
    assert (await desk.post(f"{here}/settings", old)).status_code == 409
    officer = await signed_in(cast.li_qiang)
    assert (await officer.get(here)).status_code == 403


async def test_every_wording_exists_in_english(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        cast.zhou_ning.language = "en"
        await session.merge(cast.zhou_ning)
    desk = await signed_in(cast.zhou_ning)
    await desk.get(PAGE)
    here = (await desk.post(PAGE, fields(cast))).headers["location"].partition("?")[0]
    async with store.transaction() as session:
        group = (await session.scalars(select(ChatGroup))).one()
        await robots.halt(session, group.contact_id, "clock", now=now)
    assert "set the server’s clock right" in (await desk.get(here)).text
    assert "Robot stopped" in (await desk.get(PAGE)).text
    assert "Language in the group" in (await desk.get(f"/admin/bindings/groups/{group.id}")).text
