"""After an answer from a person: 还没有, what is still unclear, and a reply without a tap."""

from __future__ import annotations

import pytest

from tests.journeys.conversation import Chat, Out, Town
from ticketing.ledgers import Enquiry
from ticketing.records import FollowUp, ThreadPost, Ticket, TicketState

HOME = "我腿脚不便，能不能叫人上门登记呀"
ANSWER = "请尽快联系发证的登记站核对，由登记站告诉您上门的时间。"
ASKED = "请直接说哪一点还不清楚，我会转给值班同志。"
PRICE = "收费吗？一个钟头多少钱"
LOST = "选民证丢了怎么办？"


async def test_not_yet_asks_what_is_unclear_and_the_next_message_stands_in_the_ticket(
    chat: Chat, town: Town
) -> None:
    before = await _answered(chat, town)
    tapped = await chat.taps("❌ 还没有")
    assert tapped.text.endswith(ASKED)
    town.later(minutes=2)

    out = await chat.says(PRICE)

    after = await town.ticket()
    assert out.text.startswith(f"已补充到您的问题 {before.ticket_no}")
    assert (after.state, after.reopen_count) == (TicketState.WORKING, 1)
    assert await _lines(town) == [HOME, ANSWER, PRICE]


@pytest.mark.parametrize("said", ["还没有", "没解决"])
async def test_typed_it_asks_as_well(chat: Chat, town: Town, said: str) -> None:
    await _answered(chat, town)
    assert (await chat.says(said)).text.endswith(ASKED)
    await chat.says(PRICE)
    assert (await _lines(town))[-1] == PRICE


async def test_what_the_base_could_answer_is_not_lost_either(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    await chat.taps("❌ 还没有")
    await chat.says(LOST)
    assert (await _lines(town))[-1] == LOST


async def test_said_in_two_messages_both_stand_in_the_ticket(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    await chat.taps("❌ 还没有")
    await chat.says("收费吗？")
    town.later(minutes=1)
    await chat.says("一个钟头多少钱？")
    assert (await _lines(town))[-2:] == ["收费吗？", "一个钟头多少钱？"]
    # What the base knows is a question of its own by then.
    assert "K-0" in (await chat.says(LOST)).text


async def test_half_an_hour_later_nobody_is_taken_at_their_word_any_more(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    await chat.taps("❌ 还没有")
    town.later(minutes=31)
    assert "K-0" in (await chat.says(LOST)).text


async def test_commands_thanks_and_progress_mean_what_they_always_mean(chat: Chat, town: Town) -> None:
    before = await _answered(chat, town)
    await chat.taps("❌ 还没有")
    assert (await chat.says("谢谢")).text.startswith("不客气")
    assert (await chat.says("进度")).text.startswith(f"编号 {before.ticket_no}")
    assert (await chat.says("还没有")).text == ASKED
    await chat.says(PRICE)
    assert await _lines(town) == [HOME, ANSWER, PRICE]


async def test_a_report_is_a_matter_of_its_own_even_then(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    await chat.taps("❌ 还没有")
    await chat.says("我要投诉登记站工作人员态度恶劣")
    first, second = await town.tickets()
    assert second.words == "我要投诉登记站工作人员态度恶劣"
    assert first.words == HOME


@pytest.mark.parametrize(
    "said", ["还是不清楚，请再说说", "没看懂", "不太明白，能再解释一下吗？", "什么意思？", "我还是不懂"]
)
async def test_unclear_words_after_an_answer_open_it_again_without_a_tap(
    chat: Chat, town: Town, said: str
) -> None:
    before = await _answered(chat, town)
    town.later(minutes=5)
    out = await chat.says(said)
    after = await town.ticket()
    assert out.text.startswith("已重新办理，编号不变。")
    assert before.ticket_no in out.text
    assert out.text.endswith(ASKED)
    assert (after.state, after.follow_up) == (TicketState.WORKING, FollowUp.NOT_SOLVED)
    assert (await _lines(town))[-1] == said
    await chat.says(PRICE)
    assert (await _lines(town))[-1] == PRICE


async def test_unclear_with_the_reason_needs_no_question_back(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    out = await chat.says("还是不明白，上门的人带什么证件来？")
    assert "已重新办理" in out.text
    assert ASKED not in out.text
    assert (await _lines(town))[-1] == "还是不明白，上门的人带什么证件来？"


@pytest.mark.parametrize("said", ["一个钟头多少钱？", "那上门登记要预约多久？"])
async def test_a_reply_right_under_the_answer_goes_into_its_ticket(chat: Chat, town: Town, said: str) -> None:
    before = await _answered(chat, town)
    town.later(minutes=3)
    out = await chat.says(said)
    assert "已重新办理，编号不变。" in out.text
    assert before.ticket_no in out.text
    assert (await town.ticket()).state is TicketState.WORKING
    assert (await _lines(town))[-1] == said


@pytest.mark.parametrize(
    "said", [LOST, "新楼盘还没有门牌号，地址怎么填？", "今天天气怎么样？", "好的我明天去"]
)
async def test_another_question_is_none(chat: Chat, town: Town, said: str) -> None:
    await _answered(chat, town)
    town.later(minutes=3)
    await chat.says(said)
    assert (await town.tickets())[0].state is TicketState.ANSWERED
    assert said not in await _lines(town, first=True)


async def test_unclear_after_an_answer_of_the_base_is_said_of_that_one(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    town.later(minutes=3)
    await chat.says(LOST)
    town.later(minutes=1)
    out = await chat.says("还是不清楚，请再说说")
    first, second = await town.tickets()
    assert first.state is TicketState.ANSWERED
    assert (second.words, second.ticket_no in out.text) == (LOST, True)
    assert [row.solved for row in await town.rows(Enquiry)][-1] is False


async def test_not_yet_under_a_newer_answer_of_a_person_is_said_of_that_one(chat: Chat, town: Town) -> None:
    await chat.says(HOME)
    await chat.says("人工")
    town.later(minutes=1)
    await chat.says(LOST)
    town.later(minutes=5)
    await town.answers(await town.ticket(), ANSWER)
    await chat.says("还没有")
    assert (await town.ticket()).state is TicketState.WORKING


async def _answered(chat: Chat, town: Town) -> Ticket:
    """张敏 asked for a visit; 李强 has answered."""
    await chat.says(HOME)
    await chat.says("人工")
    town.later(minutes=20)
    await town.answers(await town.ticket(), ANSWER)
    out: Out = await town.delivers()
    chat.saw(out)
    assert "有答复了" in out.text
    return await town.ticket()


async def _lines(town: Town, *, first: bool = False) -> list[str]:
    """The lines of the thread, of the first ticket alone where there are more."""
    number = (await town.tickets())[0].id
    return [row.text for row in await town.rows(ThreadPost) if not first or row.ticket_id == number]
