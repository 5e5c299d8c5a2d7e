"""The first screen, deep links, large print, personal information, being forgotten, being left alone."""

from __future__ import annotations

import pytest
from aiogram.types import ReplyKeyboardMarkup, ReplyKeyboardRemove
from sqlalchemy import func, select

from handlers import keyboards
from knowledge import entries
from knowledge.answer import AnswerGiven
from knowledge.versions import by_number
from office.contacts import Contact, ContactState
from office.outbox import Delivery, DeliveryState
from tests.journeys.conversation import Chat, Town
from ticketing.ledgers import Enquiry
from ticketing.records import ThreadPost, TicketState

LOST = "选民证丢了怎么办？"
UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"
MENU = ["什么时候登记", "在哪里登记", "要带什么", "查是否已登记", "我的问题进度", "人工咨询"]


async def test_the_first_screen_says_who_it_is_and_what_never_to_send(chat: Chat) -> None:
    out = await chat.says("/start")
    assert out.text.startswith("您好！我是选举咨询助手")
    assert "请勿在这里发送身份证号码" in out.text
    assert out.buttons == MENU


async def test_a_stranger_who_knocks_is_greeted(town: Town) -> None:
    assert (await town.chat(777).says("你好")).text.startswith("您好！我是选举咨询助手")


@pytest.mark.parametrize("said", ["/help", "帮助", "菜单", "/menu", "／帮助", "/unheard_of"])
async def test_help(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    assert "直接打字提问就可以" in out.text
    assert "0000-12345678" in out.text


@pytest.mark.parametrize("label", ["🔁 换个问题", "🏠 主菜单"])
async def test_back_to_the_topics(chat: Chat, label: str) -> None:
    await chat.says(LOST)
    await chat.says("今天天气怎么样")
    out = await chat.taps(label)
    assert out.toast == ""
    assert out.buttons == MENU


@pytest.mark.parametrize("payload", ["k_0540", "k_0540__p07"])
async def test_a_link_to_an_entry_shows_it(chat: Chat, town: Town, payload: str) -> None:
    out = await chat.says(f"/start {payload}")
    assert "口径：K-0540" in out.text
    await chat.taps("❌ 没解决，转人工")
    assert (await town.ticket()).words == LOST


@pytest.mark.parametrize(
    "payload", ["k_9999", "k_0900", "k_", "t_", "st_12-03__p07", "tip_2026-3", "inv_x", "x" * 64, "k_0540_1"]
)
async def test_an_unknown_or_inactive_link_asks_for_the_street(chat: Chat, town: Town, payload: str) -> None:
    out = await chat.says(f"/start {payload}")
    assert out.text == "这个二维码已更新，请选择您所在的街镇。也可以直接打字提问。"
    assert out.buttons == ["临江街道", "北塘镇", "人工咨询"]
    assert await town.rows(Enquiry) == []


async def test_a_link_to_a_staff_entry_shows_nothing_of_it(chat: Chat) -> None:
    assert "表头" not in (await chat.says("/start k_0900")).text


async def test_a_link_to_a_retired_entry_shows_its_successor(chat: Chat, town: Town) -> None:
    async with town.store.transaction() as session:
        old, new = await by_number(session, "K-0540"), await by_number(session, "K-0301")
        await entries.retire(session, old, actor=town.cast.wang_fang, now=town.now, successor=new)
    assert "K-0301" in (await chat.says("/start k_0540")).text


@pytest.mark.parametrize("payload", ["", "ask", "src_poster", "ask__p07"])
async def test_links_without_a_target_greet(chat: Chat, payload: str) -> None:
    assert (await chat.says(f"/start {payload}")).text.startswith("您好！")


async def test_a_link_to_a_ticket_shows_its_progress_to_anybody_with_the_code(town: Town) -> None:
    await town.chat().says(UNKNOWN)
    ticket = await town.ticket()

    other = town.chat(777)
    out = await other.says(f"/start t_{ticket.ticket_no}_{ticket.progress_code}")
    assert "等待办理" in out.text

    wrong = await other.says(f"/start t_{ticket.ticket_no}_0000")
    assert wrong.text.startswith("没有查到")


@pytest.mark.parametrize("said", ["大字", "长辈版", "关怀版", "/big", " 大 字 "])
async def test_large_print_shows_the_phone_everywhere_and_four_lasting_buttons(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    lasting = out.messages[0].reply_markup
    assert isinstance(lasting, ReplyKeyboardMarkup)
    assert lasting.is_persistent
    assert [key.text for row in lasting.keyboard for key in row] == [
        "什么时候登记", "在哪里登记", "查是否已登记", "打电话",
    ]  # fmt: skip
    assert all("0000-12345678" in text for text in out.texts)

    answer = await chat.says(LOST)
    assert "0000-12345678" in answer.text
    assert "依据：" in answer.text
    assert "口径：K-0540 第1版" in answer.text
    assert "投票前都可以办" not in answer.text


async def test_each_lasting_button_is_understood_as_typed(chat: Chat) -> None:
    await chat.says("大字")
    for key in [key.text for row in keyboards.always_there("zh_CN").keyboard for key in row]:
        out = await chat.says(key)
        assert out.text
        assert "不敢乱答" not in out.text, key
        assert "只能解答" not in out.text, key


async def test_large_print_is_remembered_and_switched_off_by_the_same_word(chat: Chat, town: Town) -> None:
    await chat.says("大字")
    town.restart()
    assert "投票前" not in (await chat.says(LOST)).text

    off = await chat.says("大字")
    assert isinstance(off.messages[0].reply_markup, ReplyKeyboardRemove)
    assert "投票前" in (await chat.says("选民证掉了咋办")).text


@pytest.mark.parametrize("said", ["/privacy", "隐私", "个人信息说明"])
async def test_privacy(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    assert "东浦区选举委员会办公室" in out.text
    assert "删除" in out.text


async def test_forget_asks_once_and_leaves_no_words(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await chat.says(LOST)
    assert "无法恢复" in (await chat.says("删除")).text
    assert (await town.ticket()).words == UNKNOWN, "nothing happens before it is confirmed"

    out = await chat.taps("确认删除")
    assert "已删除您的信息（凭证号 F-1120-" in out.text
    assert {enquiry.words for enquiry in await town.rows(Enquiry)} == {""}
    assert UNKNOWN not in {post.text for post in await town.rows(ThreadPost)}
    assert await town.rows(AnswerGiven) == []
    ticket = await town.ticket()
    assert ticket.state is TicketState.VOID
    assert ticket.contact_id is None

    assert (await chat.says("进度")).text.startswith("您目前没有在办的问题")


async def test_forget_twice_has_one_effect(chat: Chat, town: Town) -> None:
    await chat.says("删除")
    await chat.taps("确认删除")
    assert (await chat.taps("确认删除")).toast == "已经记下了。"


async def test_forget_can_be_declined(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await chat.says("删除")
    await chat.taps("🏠 主菜单")
    assert (await town.ticket()).words == UNKNOWN


async def test_who_wishes_to_be_left_alone_collects_the_answer(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    assert "不再主动给您发消息" in (await chat.says("退订")).text
    await town.answers(await town.ticket())
    assert (await town.delivers()).texts == []
    assert [d.state for d in await town.rows(Delivery)] == [DeliveryState.PARKED]

    assert "已答复" in (await chat.says("进度")).text
    assert "有答复了" in (await town.delivers()).text


async def test_who_resumes_gets_what_waited(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await chat.says("退订")
    await town.answers(await town.ticket())
    await chat.says("恢复")
    assert "有答复了" in (await town.delivers()).text
    async with town.store.reading() as session:
        assert await session.scalar(select(func.count()).where(Contact.state == ContactState.SILENCED)) == 0


async def test_when_names_dates_with_their_tense(chat: Chat) -> None:
    out = await chat.says("/when")
    assert "11月16日（周一）至12月5日（周六）" in out.text
    assert "还剩15天" in out.text
    assert "投票" in out.text
