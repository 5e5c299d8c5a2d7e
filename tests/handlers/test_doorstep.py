"""At the doorstep: a few words, three hits with numbers, the whole text to copy or pass on."""

from __future__ import annotations

import pytest
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Op, tap
from handlers.doorstep import LONGEST_COPY, copied
from knowledge.versions import by_number
from tests.handlers.staff_desk import bind, registrar
from tests.journeys.conversation import Chat, Out, Town
from ticketing.ledgers import Enquiry, Outcome


@pytest.fixture
async def officer(town: Town) -> Chat:
    """何静's phone: a registrar of 临江街道."""
    return await bind(town, await registrar(town), 6004)


def copy_texts(out: Out) -> list[str]:
    return [
        button.copy_text.text
        for message in out.messages
        if isinstance(message.reply_markup, InlineKeyboardMarkup)
        for row in message.reply_markup.inline_keyboard
        for button in row
        if button.copy_text is not None
    ]


async def test_a_few_words_give_compact_hits_with_entry_numbers(officer: Chat, town: Town) -> None:
    out = await officer.says("外地户口 登记")
    assert "K-0300" in out.buttons
    assert 1 <= sum(button.startswith("K-") for button in out.buttons) <= 3
    assert "1. <b>K-0300</b>" in out.text
    assert "口径：" not in out.text, "compact: the passport comes with the whole text"
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.outcome is None
    assert enquiry.unit_id == town.cast.riverside.id


async def test_a_tap_shows_the_whole_text_to_copy_and_to_pass_on(officer: Chat, town: Town) -> None:
    await officer.says("外地户口 登记")
    out = await officer.taps("K-0300")
    assert "K-0300" in out.text
    assert "1. 先开证明。" in out.text
    assert copy_texts(out) == ["在现居住地登记，要有户口所在地开的选民资格证明。"]
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.outcome is Outcome.AUTO
    sent = await officer.taps("📤 发给居民")
    assert sent.toast == "下面这条可以直接转发"
    (plain,) = sent.messages
    assert "在现居住地登记" in plain.text
    assert plain.reply_markup is None
    assert plain.protect_content is not True


async def test_entries_for_staff_are_shown_to_staff_and_never_passed_on(officer: Chat, town: Town) -> None:
    out = await officer.says("/k 0900")
    assert "内部口径" in out.text
    assert "先核对表头" in out.text
    assert "📤 发给居民" not in out.buttons
    assert all(method.protect_content is True for method in out.methods if isinstance(method, SendMessage))
    shown = await officer.says("/k 0540")
    assert "📤 发给居民" in shown.buttons
    refused = await officer.taps_data(tap(Op.COPY, await _row(town, "K-0900")))
    assert refused.toast == "这条是内部口径，不能发给居民。"
    assert refused.texts == []
    assert "K-0540" in shown.text


async def _row(town: Town, entry_no: str) -> int:
    async with town.store.reading() as session:
        return (await by_number(session, entry_no)).id


async def test_voters_never_see_what_is_for_staff(chat: Chat, officer: Chat, town: Town) -> None:
    for said in ("/k 0900", "云平台导入名单时报错怎么处理？", "导入失败怎么办", "/start k_0900"):
        assert "先核对表头" not in (await chat.says(said)).text
    await officer.says("名单导不进去 表头")
    data = next(b.callback_data for _, b in officer.shown if b.callback_data)
    out = await chat.taps_data(data)
    assert "先核对表头" not in out.text
    assert out.toast == "您没有该操作权限。如需开通，请联系本街镇管理员。"


async def test_the_link_to_an_entry_opens_it_whole_for_staff(officer: Chat) -> None:
    assert "先核对表头" in (await officer.says("/start k_0900")).text
    assert "没有在用的口径 K-9999" in (await officer.says("/start k_9999__p07")).text


@pytest.mark.parametrize("said", ["/k", "/k  "])
async def test_k_alone_says_how(officer: Chat, said: str) -> None:
    assert "/k 0231" in (await officer.says(said)).text


@pytest.mark.parametrize("said", ["/k 外地户口 登记", "/k K-0300", "/k k0300"])
async def test_k_takes_words_and_numbers(officer: Chat, said: str) -> None:
    assert "K-0300" in (await officer.says(said)).text


async def test_a_hit_of_somebody_else_and_one_that_is_not_there_expire(officer: Chat, town: Town) -> None:
    await officer.says("外地户口 登记")
    data = next(b.callback_data for _, b in officer.shown if b.text.startswith("K-"))
    assert data is not None
    other = await bind(town, town.cast.li_qiang, 6001)
    assert (await other.taps_data(data)).toast == "这个选项已过期，请重新开始。"
    assert (await officer.taps_data(data[:-1] + "9")).toast == "这个选项已过期，请重新开始。"


@pytest.mark.parametrize("said", ["谢谢", "在吗", "1", "？", "进度", "人工", "我不想活了"])
async def test_other_words_of_staff_go_their_usual_way(officer: Chat, said: str) -> None:
    out = await officer.says(said)
    assert not any(button.startswith("K-") for button in out.buttons)
    assert out.texts


async def test_what_is_asked_after_human_goes_to_a_person_though_staff_ask(officer: Chat, town: Town) -> None:
    await officer.says("人工")
    await officer.says("外地户口 登记")
    assert len(await town.tickets()) == 1


async def test_nothing_found_leads_to_a_person(officer: Chat) -> None:
    out = await officer.says("钢琴考级报名")
    assert "人工咨询" in out.buttons or any(button.startswith("K-") for button in out.buttons)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("短。", "短。"),
        ("字" * 256, "字" * 256),
        ("字" * 300, "字" * 255 + "…"),
        ("句" * 99 + "。" + "子" * 100 + "。" + "长" * 99 + "。", "句" * 99 + "。" + "子" * 100 + "。"),
    ],
)
def test_a_copy_button_holds_whole_sentences_of_at_most_256_characters(text: str, kept: str) -> None:
    assert copied(text) == kept
    assert len(copied(text)) <= LONGEST_COPY
