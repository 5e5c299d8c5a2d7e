"""Progress by number and code, and what the asker says about an answer."""

from __future__ import annotations

import pytest

from handlers.callbacks import Op, tap
from office.contacts import Contact, ContactState
from tests.journeys.conversation import Chat, Out, Town, number_and_code
from ticketing import tickets
from ticketing.records import FollowUp, ThreadPost, Ticket, TicketState

BOTH_DATABASES = True

UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"
NUMBER_TOO = "还要编号才能查。请把编号和查询码一起发来，例如：进度 DP-1120-07-K 7K2M"


async def test_progress_without_questions(chat: Chat) -> None:
    assert (await chat.says("进度")).text == "您目前没有在办的问题。请直接打字提问。"


@pytest.mark.parametrize("said", ["进度", "/mine", "我的问题", "查进度", "进度怎么样了", "怎么还没答复"])
async def test_progress_of_ones_own_questions(chat: Chat, town: Town, said: str) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=1)
    out = await chat.says(said)
    ticket = await town.ticket()
    assert out.text == (
        f"编号 {ticket.ticket_no}（查询码 {ticket.progress_code}）：等待办理。\n“{UNKNOWN}”\n"
        "最迟11月20日（周五）17:30前答复。"
    )


async def test_progress_by_its_button(chat: Chat) -> None:
    await chat.says(UNKNOWN)
    assert "等待办理" in (await chat.taps("我的问题进度")).text


@pytest.mark.parametrize(
    "form",
    [
        "进度 {key}",
        "进度：{key}",
        "查进度{key}",
        "进度 {no}",
        "{no}",
        "进度 {no} {key}",
        "{low} {key}",
        "{key}",
        "查 {key}",
        "查{key}",
        "请帮我查一下 {key}",
        "查询码：{key}",
        "查询码{key}的那个问题答复了吗？",
        "我打过电话，编号{no}，查询码{key}，答复了吗",
        "您的问题需要进一步核实，编号 {no}，查询码 {key}。",
    ],
)
async def test_progress_in_ones_own_chat_needs_either(chat: Chat, town: Town, form: str) -> None:
    await chat.says(UNKNOWN)
    ticket = await town.ticket()
    said = form.format(no=ticket.ticket_no, key=ticket.progress_code, low=ticket.ticket_no.lower())
    out = await chat.says(said)
    assert out.text.startswith(f"编号 {ticket.ticket_no}")


async def test_progress_from_another_contact_needs_both(town: Town) -> None:
    await town.chat().says(UNKNOWN)
    ticket = await town.ticket()
    other = town.chat(777)

    assert (await other.says(f"进度 {ticket.progress_code}")).text == NUMBER_TOO
    assert (await other.says(f"进度 {ticket.ticket_no}")).text.startswith("没有查到")
    out = await other.says(f"进度 {ticket.ticket_no} {ticket.progress_code}")
    assert "等待办理" in out.text


@pytest.mark.parametrize(
    "form",
    [
        "我打过电话，编号{no}，查询码{key}，答复了吗",
        "您的问题需要进一步核实，编号 {no}，查询码 {key}。",
        "您的问题需要进一步核实，最迟11月21日（周六）12:00前答复。编号 {no}，查询码 {key}。",
        "2026年问的，{key}，{no}",
        "{joined}{key}查一下",
    ],
)
async def test_number_and_code_are_found_anywhere_in_a_sentence(town: Town, form: str) -> None:
    await town.chat().says(UNKNOWN)
    ticket = await _with_code(town, "6Y8A")
    said = form.format(no=ticket.ticket_no, key="6Y8A", joined=ticket.ticket_no.replace("-", "") + " ")
    assert "等待办理" in (await town.chat(777).says(said)).text


@pytest.mark.parametrize("said", ["6Y8A", "查 6y8a", "CRFZ", "查询码CRFZ", "查一下crfz"])
async def test_a_code_of_somebody_elses_alone_asks_for_the_number(town: Town, said: str) -> None:
    other = town.chat(777)
    for _ in range(6):
        assert (await other.says(said)).text == NUMBER_TOO


async def test_a_number_alone_is_no_try(town: Town) -> None:
    await town.chat().says(UNKNOWN)
    ticket = await town.ticket()
    other = town.chat(777)
    for _ in range(6):
        assert (await other.says(f"进度 {ticket.ticket_no}")).text.startswith("没有查到")
    assert "等待办理" in (await other.says(f"{ticket.ticket_no} {ticket.progress_code}")).text


@pytest.mark.parametrize("said", ["2026", "shei", "查wifi"])
async def test_four_signs_that_nobody_takes_for_a_code(chat: Chat, said: str) -> None:
    assert (await chat.says(said)).text != NUMBER_TOO


async def test_a_code_beside_an_open_question_is_no_detail_of_it(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await _with_code(town, "CRFZ")
    town.later(minutes=1)
    await chat.says("业委会的章程在哪看？")
    out = await chat.says("查 CRFZ")
    assert out.text.startswith("编号")
    assert UNKNOWN in out.text
    assert len(await town.rows(ThreadPost)) == 2


async def test_after_five_wrong_tries_the_right_code_does_not_help(town: Town) -> None:
    await town.chat().says(UNKNOWN)
    ticket = await town.ticket()
    wrong = "0000" if ticket.progress_code != "0000" else "1111"
    other = town.chat(777)

    for _ in range(5):
        assert (await other.says(f"进度 {ticket.ticket_no} {wrong}")).text.startswith("没有查到")
    out = await other.says(f"进度 {ticket.ticket_no} {ticket.progress_code}")
    assert out.text == "次数较多，请于11月20日（周五）10:10后再试。"

    town.later(minutes=10)
    assert "等待办理" in (await other.says(f"进度 {ticket.ticket_no} {ticket.progress_code}")).text


async def test_progress_shows_the_answer_and_no_promise_any_more(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await town.answers(await town.ticket(), "请尽快联系发证的登记站。")
    out = await chat.says("进度")
    assert "已答复" in out.text
    assert "答复：请尽快联系发证的登记站。" in out.text
    assert "最迟" not in out.text


async def test_open_questions_stand_first(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=1)
    await chat.says("业委会的章程在哪看？")
    await town.answers((await town.tickets())[1])
    out = await chat.says("进度")
    assert out.text.index(UNKNOWN) < out.text.index("业委会")


async def test_solved_after_an_answer_closes_once(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    out = await chat.taps("✅ 解决了")
    assert out.toast == "谢谢您的反馈！"
    assert len(out.unbuttoned) == 1
    assert (await town.ticket()).state is TicketState.CLOSED
    assert (await chat.taps("✅ 解决了")).toast == "已经记下了。"


async def test_not_yet_reopens_once_with_the_same_number(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    before = await town.ticket()
    out = await chat.taps("❌ 还没有")
    assert out.toast == "已重新办理，编号不变。"
    assert before.ticket_no in out.text
    assert (await chat.taps("❌ 还没有")).toast == "已经记下了。"
    after = await town.ticket()
    assert (after.ticket_no, after.reopen_count) == (before.ticket_no, 1)


async def test_asked_a_day_later_no_comment_is_an_answer_too(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    town.later(days=4)
    await town.clock_ticks()
    asked = await town.delivers()
    chat.saw(asked)
    assert "解决了吗？" in asked.text
    assert asked.buttons == ["✅ 解决了", "❌ 还没有", "不方便评价"]

    assert (await chat.taps("不方便评价")).toast == "谢谢您的反馈！"
    assert (await town.ticket()).follow_up is FollowUp.NO_COMMENT


async def test_an_answer_reopened_and_answered_again_has_new_buttons(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    old = chat.shown[-2]
    await chat.taps("❌ 还没有")
    await town.answers(await town.ticket(), "已核实，请联系发证的登记站核对。")
    chat.saw(await town.delivers())

    assert old[1].callback_data is not None
    stale = await chat.taps_data(old[1].callback_data)
    assert stale.toast == "该操作已过期，请看最新内容。"
    assert "已核实" in stale.text
    assert (await town.ticket()).state is TicketState.ANSWERED


async def test_a_week_after_closing_a_new_question_is_asked_for(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    await chat.taps("✅ 解决了")
    town.later(days=8)
    assert (await chat.taps("❌ 还没有")).toast == "办结已超过七天，请重新提问。"


@pytest.mark.parametrize(("said", "state"), [("解决了", TicketState.CLOSED), ("还没有", TicketState.WORKING)])
async def test_the_verdict_can_be_typed(chat: Chat, town: Town, said: str, state: TicketState) -> None:
    await _answered(chat, town)
    town.later(hours=1)
    await chat.says(said)
    assert (await town.ticket()).state is state


async def test_nobody_else_can_give_the_verdict(chat: Chat, town: Town) -> None:
    await _answered(chat, town)
    ticket = await town.ticket()
    for stamp in (ticket.conclusion_no, 7):
        out = await town.chat(777).taps_data(tap(Op.FOLLOW_UP, ticket.id, stamp, "yes"))
        assert out.toast == "这个选项已过期，请重新开始。"
        assert out.texts == []
    assert (await chat.taps_data(tap(Op.FOLLOW_UP, 999, 1, "yes"))).toast == "这个选项已过期，请重新开始。"
    assert (await town.ticket()).state is TicketState.ANSWERED


async def test_an_answer_that_cannot_arrive_is_collected_by_number_and_code(chat: Chat, town: Town) -> None:
    opened = await chat.says(UNKNOWN)
    number, code = number_and_code(opened.text)
    await chat.blocks()
    assert (await town.rows(Contact))[0].state is ContactState.LOST
    await town.answers(await town.ticket(), "请联系发证的登记站。")

    out = await town.chat(777).says(f"{number} {code}")
    assert "答复：请联系发证的登记站。" in out.text


async def _with_code(town: Town, code: str) -> Ticket:
    """The only ticket, with this progress code."""
    async with town.store.transaction() as session:
        ticket = await tickets.get(session, (await town.ticket()).id)
        ticket.progress_code = code
    return await town.ticket()


async def _answered(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=20)
    await town.answers(await town.ticket())
    out = await town.delivers()
    chat.saw(out)
    assert "有答复了" in out.text
    assert UNKNOWN in out.text
    assert out.buttons == ["✅ 解决了", "❌ 还没有"]


async def test_who_was_joined_to_another_ticket_has_a_word_on_the_answer_too(chat: Chat, town: Town) -> None:
    neighbour, out = await _joined_and_answered(chat, town)
    neighbour.saw(out)
    town.later(days=3)  # the day after is a Saturday without duty
    await town.clock_ticks()
    asked = await town.delivers()
    neighbour.saw(asked)
    assert len([row for row in asked.texts if "解决了吗？" in row]) == 2
    assert "不方便评价" in asked.buttons
    tapped = await neighbour.taps("❌ 还没有")
    assert tapped.toast == "已重新办理，编号不变。"
    lead, member = await town.tickets()
    assert (lead.state, member.state, member.merged_into_id) == (
        TicketState.ANSWERED, TicketState.UNASSIGNED, None,
    )  # fmt: skip
    assert (member.follow_up, member.reopen_count) == (FollowUp.NOT_SOLVED, 1)
    assert member.priority.value < lead.priority.value
    await town.clock_ticks()
    assert not [row for row in (await town.delivers()).texts if "解决了吗？" in row]


@pytest.mark.parametrize(("said", "kept"), [("解决了", FollowUp.SOLVED), ("还没有", FollowUp.NOT_SOLVED)])
async def test_a_joined_asker_can_type_the_verdict(chat: Chat, town: Town, said: str, kept: FollowUp) -> None:
    neighbour, _ = await _joined_and_answered(chat, town)
    town.later(hours=1)
    await neighbour.says(said)
    lead, member = await town.tickets()
    assert (lead.state, lead.follow_up) == (TicketState.ANSWERED, None)
    assert member.follow_up is kept
    assert member.state is (TicketState.MERGED if kept is FollowUp.SOLVED else TicketState.UNASSIGNED)


async def _joined_and_answered(chat: Chat, town: Town) -> tuple[Chat, Out]:
    """Two askers of one question; 李强 has joined the second ticket to the first and answered once."""
    await chat.says(UNKNOWN)
    neighbour = town.chat(777)
    await neighbour.says("新小区还没有门牌号，登记表地址怎么填呢？")
    lead, member = await town.tickets()
    async with town.store.transaction() as session:
        one, other = await tickets.get(session, lead.id), await tickets.get(session, member.id)
        await tickets.take(session, one, actor=town.cast.li_qiang, now=town.now)
        await tickets.join(session, other, one, cluster_id=1, actor=town.cast.li_qiang, now=town.now)
    await town.answers(lead)
    return neighbour, await town.delivers()


async def test_not_solved_with_more_after_it_opens_the_ticket_with_these_words(
    town: Town, chat: Chat
) -> None:
    await chat.says("新楼盘还没有门牌号，登记表上的地址怎么填？")
    await town.answers(await town.ticket())
    out = await chat.says("还没有解决，停车费多少？")
    assert "已重新办理，编号不变。" in out.text
    ticket = await town.ticket()
    assert ticket.state is TicketState.WORKING
    lines = [line.text for line in await town.rows(ThreadPost)]
    assert lines[-1] == "还没有解决，停车费多少？"


async def test_the_same_words_without_an_answer_are_a_question(town: Town, chat: Chat) -> None:
    await chat.says("还没有解决，停车费多少？")
    assert "已重新办理" not in (await chat.says("还没有，停车费多少？")).text
