"""Failures around a turn: a reply that does not leave, a database that is away, a handler that breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiogram.types import Update
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from handlers.replies import EXCUSE_EVERY
from knowledge.answer import LiveBase
from office.contacts import Contact, ContactState, InboundEvent
from office.outbox import Delivery
from office.store import Store
from tests.journeys.conversation import Chat, Town, blocked, busy, refused, unreachable
from ticketing.ledgers import Enquiry

LOST = "选民证丢了怎么办？"
UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"


@pytest.mark.parametrize("failure", [unreachable, busy(5)])
async def test_a_reply_that_cannot_leave_is_sent_later_with_its_buttons(
    chat: Chat, town: Town, failure: Any
) -> None:
    town.fails(failure)
    assert (await chat.says(LOST)).methods == []
    (delivery,) = await town.rows(Delivery)
    assert delivery.kind == "reply"

    out = await town.delivers()
    assert "K-0540" in out.text
    assert out.buttons == ["✅ 解决了", "❌ 没解决，转人工", "🔁 换个问题"]
    assert (await town.delivers()).methods == []


async def test_only_what_did_not_leave_is_sent_later(chat: Chat, town: Town) -> None:
    town.fails(None, unreachable)
    out = await chat.says("选民证丢了怎么办？外地人怎么登记选民？")
    assert len(out.texts) == 1
    later = await town.delivers()
    assert [text[:3] for text in later.texts] == ["1/2", "2/2"]


async def test_a_notice_sent_later_is_not_read_as_markup(chat: Chat, town: Town) -> None:
    town.fails(None, unreachable)
    await chat.says("310104199001010012")
    assert "已为您删除含身份证号码的消息" in (await town.delivers()).text


async def test_who_has_blocked_us_is_lost_and_not_written_to(chat: Chat, town: Town) -> None:
    town.fails(blocked)
    assert (await chat.says("选民证丢了怎么办？外地人怎么登记选民？")).methods == []
    (contact,) = await town.rows(Contact)
    assert contact.state is ContactState.LOST
    assert await town.rows(Delivery) == []
    assert len(await town.rows(Enquiry)) == 2


async def test_a_refused_method_does_not_stop_the_next(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    town.fails(refused("query is too old"), refused("message is not modified"))
    assert "抱歉没帮上忙" in (await chat.taps("❌ 没解决，转人工")).text


async def test_a_message_that_cannot_be_deleted_is_still_answered(chat: Chat, town: Town) -> None:
    town.fails(refused("message can't be deleted"))
    assert "号码没有保存" in (await chat.says("310104199001010012")).text


class Broken(LiveBase):
    """A base that fails in the middle of the work."""

    async def refresh(self, session: Any) -> None:
        await session.execute(text("UPDATE contact SET language = 'en'"))
        raise RuntimeError("out of order")


async def test_a_handler_that_breaks_says_so_and_leaves_nothing_half_written(chat: Chat, town: Town) -> None:
    town.restart(live=Broken())
    out = await chat.says(LOST)
    assert out.text == "刚才没有处理成功，请再发一次，或拨打 0000-12345678。"
    assert await town.rows(Enquiry) == []
    assert await town.rows(InboundEvent) == []
    assert (await town.rows(Contact))[0].language == "zh_CN"

    town.restart(live=LiveBase())
    assert "K-0540" in (await chat.says(LOST)).text


async def test_a_tap_that_breaks_is_answered(chat: Chat, town: Town) -> None:
    await chat.says("/start")
    town.restart(live=Broken())
    assert (await chat.taps("要带什么")).toast == "刚才没有处理成功，请再发一次，或拨打 0000-12345678。"


async def test_a_statement_that_the_database_refuses_is_not_an_outage(chat: Chat, town: Town) -> None:
    class Refused(LiveBase):
        async def refresh(self, session: Any) -> None:
            await session.execute(text("INSERT INTO budget (key) VALUES (NULL)"))

    town.restart(live=Refused())
    assert "刚才没有处理成功" in (await chat.says(LOST)).text


class Wire:
    """The store as the desk sees it, which can be led to a database that is not there."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


async def test_without_a_database_the_phone_is_named_once_and_the_update_comes_again(
    chat: Chat, town: Town, tmp_path: Path
) -> None:
    away = (
        Store(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'store.db'}")
        if town.store.sqlite
        else Store("postgresql+asyncpg://nobody@127.0.0.1:9/nothing")
    )
    wire = Wire(town.store)
    town.restart(store=wire)
    await chat.says(LOST)
    sent = town.session.sent
    before = len(sent)
    update = Update(update_id=990, message=chat.message(text=UNKNOWN))

    wire.store = away
    for _ in range(3):
        with pytest.raises((SQLAlchemyError, OSError)):
            await town.feed(update)
    assert [getattr(method, "text", "") for method in sent[before:]] == ["系统正在维护，请拨 0000-12345678。"]

    town.later(seconds=EXCUSE_EVERY.total_seconds())
    with pytest.raises((SQLAlchemyError, OSError)):
        await town.feed(update)
    assert len(sent) == before + 2

    wire.store = town.store
    assert "不敢乱答" in (await town.feed(update)).text
    assert len(await town.tickets()) == 1
    await away.close()


async def test_without_a_database_from_the_start_the_words_do_without_the_phone(
    chat: Chat, town: Town, tmp_path: Path
) -> None:
    away = Store(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    town.restart(store=away)
    with pytest.raises(SQLAlchemyError):
        await chat.says(LOST)
    assert [getattr(method, "text", "") for method in town.session.sent] == ["系统正在维护，请稍后再试。"]
    await away.close()


async def test_a_reply_that_can_neither_leave_nor_be_kept_stops_nothing(
    chat: Chat, town: Town, tmp_path: Path
) -> None:
    away = Store(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    wire = Wire(town.store)
    town.restart(store=wire)

    def cut(method: Any) -> Exception:
        wire.store = away
        return unreachable(method)

    for failure in (cut, blocked):
        town.fails(failure)
        assert (await chat.says(LOST)).methods == []
        wire.store = town.store
    await away.close()
    assert await town.rows(Delivery) == []
