"""What is written while a question is open: a detail of it, or a matter of its own."""

from __future__ import annotations

import pytest

from tests.journeys.conversation import Chat, Town, number_and_code
from ticketing.records import ThreadPost

HOME = "我腿脚不变，能不能叫人上门登记呀"
RUDE = "我要投诉登记站工作人员态度恶劣"


async def test_a_complaint_is_no_detail_of_another_question(chat: Chat, town: Town) -> None:
    mine = await _owed(chat, HOME)
    town.later(minutes=1)
    out = await chat.says(RUDE)
    first, second = await town.tickets()
    assert (first.ticket_no, second.words) == (mine, RUDE)
    assert second.ticket_no in out.text
    assert "不用重复提交" not in out.text


@pytest.mark.parametrize(
    "said",
    [
        "我想在登记表上改一下名字的写法",
        "麻烦给我爸也寄一张选民证过来",
        "登记站的人态度恶劣，把我骂了一顿",
        "你们值班的人不接电话，我要投诉",
    ],
)
async def test_a_wish_of_its_own_is_none_either(chat: Chat, town: Town, said: str) -> None:
    await _owed(chat, HOME)
    town.later(minutes=1)
    await chat.says(said)
    assert [row.text for row in await town.rows(ThreadPost) if row.ticket_id == 1] == [HOME]


@pytest.mark.parametrize(
    "said",
    [
        "我想请人上门登记，就在这两天",
        "我住五楼，没有电梯",
        "希望早点答复",
        "我要的是上门，不是去登记站",
        "我不是要投诉，别误会",
    ],
)
async def test_what_repeats_or_adds_stays_with_it(chat: Chat, town: Town, said: str) -> None:
    await _owed(chat, HOME)
    town.later(minutes=1)
    out = await chat.says(said)
    ticket = await town.ticket()
    assert out.text.startswith(f"已补充到您的问题 {ticket.ticket_no}")
    assert [row.text for row in await town.rows(ThreadPost)] == [HOME, said]


async def test_what_is_added_to_a_complaint_goes_to_the_complaint(chat: Chat, town: Town) -> None:
    await chat.says(RUDE)
    town.later(minutes=1)
    await _owed(chat, HOME)
    town.later(minutes=1)
    await chat.says("我投诉的那个工作人员态度恶劣，还骂人")
    first, _ = await town.tickets()
    assert [row.text for row in await town.rows(ThreadPost) if row.ticket_id == first.id] == [
        RUDE, "我投诉的那个工作人员态度恶劣，还骂人",
    ]  # fmt: skip


async def test_a_number_says_which_question_is_added_to(chat: Chat, town: Town) -> None:
    await _owed(chat, HOME)
    town.later(minutes=1)
    await chat.says(RUDE)
    first, _ = await town.tickets()
    await chat.says(f"{first.ticket_no} 我补充一点：我住五楼")
    assert (await town.rows(ThreadPost))[-1].ticket_id == first.id


async def test_a_complaint_about_us_needs_no_word_of_our_field(chat: Chat, town: Town) -> None:
    await chat.says("你们那个客服态度太差，骂骂咧咧，气死人")
    assert (await town.ticket()).words.startswith("你们那个客服")


async def _owed(chat: Chat, words: str) -> str:
    """The number of a question that went to a person."""
    await chat.says(words)
    return number_and_code((await chat.says("人工")).text)[0]
