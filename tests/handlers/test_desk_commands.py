"""Staff's tickets, the queue, duty and swaps in a private chat, and answering by citing an entry."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiogram.types import User

from handlers.callbacks import Op, tap
from office.hours import beijing_day
from office.shifts import DutyShift, ShiftName
from office.staff import Staff
from tests.handlers.staff_desk import bind, registrar
from tests.journeys.conversation import Chat, Out, Town
from tests.make import a_ticket
from ticketing import assigning, drafts, duty, offline, tickets
from ticketing.records import Ticket, TicketState
from ticketing.swaps import DutySwap, SwapState

WORDS = "选民证丢了，发证的登记站又搬走了，怎么补？"


@pytest.fixture
async def officer(town: Town) -> Chat:
    """李强's phone."""
    return await bind(town, town.cast.li_qiang, 6001)


async def opened(town: Town, words: str = WORDS, **more: object) -> Ticket:
    async with town.store.transaction() as session:
        return await a_ticket(session, town.cast, town.now, words, **more)  # type: ignore[arg-type]


async def assigned(town: Town, ticket: Ticket, person: Staff) -> None:
    async with town.store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await assigning.assign(session, row, person, actor=town.cast.wang_fang, now=town.now)


async def taken(town: Town, ticket: Ticket, person: Staff) -> None:
    async with town.store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await tickets.take(session, row, actor=person, now=town.now)


async def the(town: Town, ticket: Ticket) -> Ticket:
    async with town.store.reading() as session:
        return await tickets.get(session, ticket.id)


async def test_my_tickets_are_counted_and_the_time_left_is_said_in_words(officer: Chat, town: Town) -> None:
    one, two = await opened(town), await opened(town, "第二个问题怎么办？")
    await assigned(town, one, town.cast.li_qiang)
    await taken(town, two, town.cast.li_qiang)
    out = await officer.says("/dan")
    assert out.text.startswith("待签收 1 · 办理中 1 · 已答复未确认 0")
    assert one.ticket_no in out.text
    assert "待签收 · 还剩" in out.text
    assert out.buttons == [f"签收 {one.ticket_no.split('-', 2)[-1]}"]
    assert WORDS not in out.text, "no words of askers in a list"
    town.later(days=30)
    assert "已超时" in (await officer.says("我的工单")).text


async def test_accepting_in_chat_begins_the_work(officer: Chat, town: Town) -> None:
    ticket = await opened(town)
    await assigned(town, ticket, town.cast.li_qiang)
    await officer.says("/dan")
    out = await officer.taps(f"签收 {ticket.ticket_no.split('-', 2)[-1]}")
    assert out.toast == "已由您办理"
    assert WORDS in out.text
    found = await the(town, ticket)
    assert (found.state, found.assignee_id) == (TicketState.WORKING, town.cast.li_qiang.id)
    again = await officer.taps(f"签收 {ticket.ticket_no.split('-', 2)[-1]}")
    assert again.toast == "该操作已过期，请看最新内容。"


async def test_the_queue_shows_what_nobody_holds_and_the_first_one_takes_it(
    officer: Chat, town: Town
) -> None:
    ticket = await opened(town)
    other = await bind(town, town.cast.wang_fang, 6002)
    label = f"✋ {ticket.ticket_no.split('-', 2)[-1]}"
    assert label in (await officer.says("/q")).buttons
    await other.says("待办")
    await officer.taps(label)
    assert (await the(town, ticket)).assignee_id == town.cast.li_qiang.id
    assert (await other.taps(label)).toast == "该操作已过期，请看最新内容。"
    assert (await officer.says("/q")).text == "现在没有待办工单。"


async def test_who_is_faster_is_named(officer: Chat, town: Town) -> None:
    ticket = await opened(town)
    await taken(town, ticket, town.cast.wang_fang)
    found = await the(town, ticket)
    out = await officer.taps_data(tap(Op.CLAIM, ticket.id, found.version))
    assert "王*" in (out.toast or "")


async def test_tickets_out_of_reach_are_not_there(town: Town) -> None:
    elsewhere = await bind(town, town.cast.zhao_lei, 6007)
    ticket = await opened(town)
    assert "没有待办" in (await elsewhere.says("/q")).text
    out = await elsewhere.taps_data(tap(Op.CLAIM, ticket.id, ticket.version))
    assert out.toast == "这个选项已过期，请重新开始。"
    assert (await the(town, ticket)).state is TicketState.UNASSIGNED


async def test_a_registrar_sees_what_they_asked_and_no_queue(town: Town) -> None:
    chat = await bind(town, await registrar(town), 6004)
    await chat.says("/op")
    await chat.taps("导入")
    await chat.taps("卡住")
    await chat.says("点了没反应")
    assert (await chat.says("/dan")).text.startswith("待签收 1 · 办理中 0 · 已答复未确认 0")
    assert (await chat.says("/q")).text == "您没有该操作权限。如需开通，请联系本街镇管理员。"
    ticket = await town.ticket()
    out = await chat.taps_data(tap(Op.CLAIM, ticket.id, ticket.version))
    assert out.toast == "您没有该操作权限。如需开通，请联系本街镇管理员。"


async def test_what_may_hold_somebodys_data_stays_in_the_console(officer: Chat, town: Town) -> None:
    ticket = await opened(town, "我的电话13800138000打不通，怎么登记？")
    assert ticket.has_personal
    await officer.says("/q")
    out = await officer.taps(f"✋ {ticket.ticket_no.split('-', 2)[-1]}")
    assert "请在后台查看" in out.text
    assert "打不通" not in out.text


async def test_words_of_a_flagged_ticket_stay_in_the_console(officer: Chat, town: Town) -> None:
    ticket = await opened(town)
    async with town.store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await offline.flag(session, row, actor=town.cast.wang_fang, now=town.now)
    await officer.says("/q")
    out = await officer.taps(f"✋ {ticket.ticket_no.split('-', 2)[-1]}")
    assert "请在后台查看" in out.text
    assert WORDS not in out.text


# --- duty -------------------------------------------------------------------------------------------------


async def shift(
    town: Town, officer: Staff, name: ShiftName, opens: str, closes: str, *, days: int = 0, **more: object
) -> DutyShift:
    async with town.store.transaction() as session:
        found = DutyShift(
            unit_id=town.cast.district.id, day=beijing_day(town.now) + timedelta(days=days), name=name,
            opens=opens, closes=closes, officer_id=officer.id, **more,
        )  # fmt: skip
        session.add(found)
        await session.flush()
    return found


async def test_who_is_on_now_and_who_comes_next(officer: Chat, town: Town) -> None:
    assert (await officer.says("/duty")).text == "还没有值班表。"
    await shift(
        town, town.cast.li_qiang, ShiftName.MORNING, "08:30", "11:30", leader_id=town.cast.wang_fang.id,
        phone="0000-11112222",
    )  # fmt: skip
    await shift(town, town.cast.wang_fang, ShiftName.AFTERNOON, "13:30", "17:30")
    out = await officer.says("值班")
    assert out.text == (
        "现在值班：\n11月20日 08:30–11:30 李强　带班 王芳　0000-11112222\n下一班：\n11月20日 13:30–17:30 王芳"
    )
    town.later(hours=3)
    assert "现在没有人值班" in (await officer.says("/duty")).text


async def test_who_has_signed_out_is_not_on_duty_any_more(officer: Chat, town: Town) -> None:
    row = await shift(town, town.cast.li_qiang, ShiftName.WHOLE_DAY, "08:30", "17:30")
    await shift(town, town.cast.wang_fang, ShiftName.MORNING, "08:30", "11:30", days=3)
    for act in (duty.sign_in, duty.sign_out):
        async with town.store.transaction() as session:
            await act(session, await duty.get(session, row.id), actor=town.cast.li_qiang, now=town.now)
    said = (await officer.says("/duty")).text
    assert "现在没有人值班" in said
    assert "李强" not in said


async def test_both_sides_of_a_swap_say_so_with_a_button(officer: Chat, town: Town) -> None:
    other = await bind(town, town.cast.wang_fang, 6002)
    await town.delivers()
    await shift(town, town.cast.li_qiang, ShiftName.WHOLE_DAY, "08:30", "17:30", days=3)
    assert (await officer.says("换班")).buttons == ["11/23 08:30–17:30"]
    out = await officer.taps("11/23 08:30–17:30")
    assert "王*" in out.buttons
    assert "对方同意后生效" in (await officer.taps("王*")).text
    other.saw(await town.delivers())
    assert "已同意换班" in (await other.taps("同意")).text
    (found,) = await town.rows(DutyShift)
    assert found.officer_id == town.cast.wang_fang.id
    assert (await town.rows(DutySwap))[0].state is SwapState.AGREED
    assert "同意" not in [key.text for key in (await town.delivers()).keys]
    assert (await other.taps("不同意")).toast


async def test_a_colleague_may_decline_and_nobody_else_may_decide(officer: Chat, town: Town) -> None:
    other = await bind(town, town.cast.wang_fang, 6002)
    third = await bind(town, town.cast.zhao_lei, 6007)
    await town.delivers()
    await shift(town, town.cast.li_qiang, ShiftName.WHOLE_DAY, "08:30", "17:30", days=3)
    await officer.says("/swap")
    await officer.taps("11/23 08:30–17:30")
    await officer.taps("王*")
    swap = (await town.rows(DutySwap))[0]
    for chat in (officer, third):
        out = await chat.taps_data(tap(Op.SWAP, swap.id, arg="y"))
        assert out.toast
        assert (await town.rows(DutySwap))[0].state is SwapState.ASKED
    other.saw(await town.delivers())
    assert "不同意" in (await other.taps("不同意")).text
    assert (await town.rows(DutySwap))[0].state is SwapState.DECLINED


@pytest.mark.parametrize("arg", ["", "s", "tzz", "t", "q", "y"])
async def test_forged_swaps_change_nothing(officer: Chat, town: Town, arg: str) -> None:
    await shift(town, town.cast.wang_fang, ShiftName.WHOLE_DAY, "08:30", "17:30", days=3)
    out = await officer.taps_data(f"1|swp|1|0|{arg}")
    assert out.toast
    assert await town.rows(DutySwap) == []


async def test_without_a_shift_there_is_nothing_to_swap(officer: Chat) -> None:
    assert (await officer.says("/swap")).text == "您没有可以换的班。"


# --- answering --------------------------------------------------------------------------------------------


def about(chat: Chat, town: Town, text: str) -> object:
    """Our message that is replied to."""
    return chat.message(text=text, from_user=User(id=town.bot.id, is_bot=True, first_name="一窗"))


async def replies(chat: Chat, town: Town, ticket: Ticket, text: str) -> Out:
    return await chat.says(text, reply_to_message=about(chat, town, f"{ticket.ticket_no} 东浦区"))


async def test_a_reply_is_no_answer_until_an_entry_stands_behind_it(officer: Chat, town: Town) -> None:
    ticket = await opened(town)
    await taken(town, ticket, town.cast.li_qiang)
    out = await replies(officer, town, ticket, "请带身份证，到现在的登记站核对补办。")
    assert out.text.startswith("答复要引用口径才能发出")
    assert "引用 K-0540 发送" in out.buttons
    assert (await the(town, ticket)).state is TicketState.WORKING
    async with town.store.reading() as session:
        assert await drafts.of(session, ticket, town.cast.li_qiang) == "请带身份证，到现在的登记站核对补办。"
    out = await officer.taps("引用 K-0540 发送")
    assert "已答复" in out.text
    found = await the(town, ticket)
    assert (found.state, found.answer_text) == (TicketState.ANSWERED, "请带身份证，到现在的登记站核对补办。")
    asker = await town.delivers()
    assert "请带身份证" in asker.text
    assert (await officer.taps("引用 K-0540 发送")).toast == "该操作已过期，请看最新内容。"


async def test_what_differs_from_the_entry_is_not_sent_but_kept(officer: Chat, town: Town) -> None:
    ticket = await opened(town)
    await taken(town, ticket, town.cast.li_qiang)
    await replies(officer, town, ticket, "不能联系登记站，15日后到区选举办补办。")
    out = await officer.taps("引用 K-0540 发送")
    assert "没有发出" in out.text + (out.toast or "")
    assert (await the(town, ticket)).state is TicketState.WORKING


async def test_only_the_one_who_holds_a_ticket_answers_it(officer: Chat, town: Town, chat: Chat) -> None:
    ticket = await opened(town)
    await taken(town, ticket, town.cast.wang_fang)
    assert "不在您手里" in (await replies(officer, town, ticket, "请到登记站补办。")).text
    found = await the(town, ticket)
    elsewhere = await bind(town, town.cast.zhao_lei, 6007)
    assert "K-" not in "".join((await replies(elsewhere, town, ticket, "请到登记站补办。")).buttons)
    forged = tap(Op.CITE, ticket.id, found.version, "1")
    assert (await chat.taps_data(forged)).toast == "您没有该操作权限。如需开通，请联系本街镇管理员。"
    assert (await elsewhere.taps_data(forged)).toast == "这个选项已过期，请重新开始。"
    assert (await the(town, ticket)).state is TicketState.WORKING


async def test_entries_for_staff_bear_out_no_answer_to_a_voter(officer: Chat, town: Town) -> None:
    ticket = await opened(town, "云平台导入名单时报错怎么处理？")
    await taken(town, ticket, town.cast.li_qiang)
    out = await replies(officer, town, ticket, "请先核对表头，再重新导入。")
    assert "引用 K-0900 发送" not in out.buttons
