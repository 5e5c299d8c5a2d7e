"""The helpdesk's group: cards of tickets, taken, passed on, joined, flagged and answered there."""

from __future__ import annotations

from typing import Any

import pytest
from aiogram.methods import CreateForumTopic, EditMessageText, SendMessage
from aiogram.types import Chat as TelegramChat
from aiogram.types import MessageEntity, User

from knowledge.tips import WorkTip
from office import work_groups
from office.bindings import ChatGroup, GroupPurpose
from tests.handlers.staff_desk import LI_QIANG, WANG_FANG, bind, bound_group
from tests.journeys.conversation import GROUP, Chat, Out, Town
from tests.make import HOURS
from tests.ticketing.work import opened, proposed
from ticketing import tickets
from ticketing.cards import TicketCard
from ticketing.particulars import Secrecy
from ticketing.records import Ticket, TicketState

BOTH_DATABASES = True

S = TicketState
WORDS = "新楼盘还没有门牌号，登记表上的地址怎么填？"


@pytest.fixture
async def officers(town: Town) -> tuple[Chat, Chat]:
    """李强 and 王芳, both with bound phones, in the helpdesk's bound group."""
    for person, number in ((town.cast.li_qiang, LI_QIANG), (town.cast.wang_fang, WANG_FANG)):
        await bind(town, person, number)
    await bound_group(town, GroupPurpose.DESK, town.cast.district)
    await town.delivers()
    return town.group(LI_QIANG), town.group(WANG_FANG)


async def asked(town: Town, words: str = WORDS, **more: Any) -> Ticket:
    town.later(minutes=1)
    return await opened(town.store, town.cast, town.now, words, **more)


async def cards_out(town: Town, *chats: Chat) -> Out:
    """The worker looks what the group has to be shown, and sends it."""
    await town.clock_ticks()
    out = await town.delivers()
    for chat in chats:
        chat.saw(out)
    return out


def about(out: Out, ticket: Ticket) -> list[str]:
    return [text for text in out.texts if ticket.ticket_no in text]


async def state(town: Town, ticket: Ticket) -> Ticket:
    async with town.store.reading() as session:
        return await session.get_one(Ticket, ticket.id)


def command(text: str) -> dict[str, Any]:
    length = len(text.split(" ")[0])
    return {"text": text, "entities": [MessageEntity(type="bot_command", offset=0, length=length)]}


async def test_new_ticket_gets_one_card(town: Town, officers: tuple[Chat, Chat]) -> None:
    ticket = await asked(town)
    out = await cards_out(town)
    (card,) = about(out, ticket)
    assert "东浦区" in card
    assert WORDS in card
    assert "等待" in card
    assert {"✋ 我来办", "📤 转组", "🔗 并入", "🕶 线下"} <= set(out.buttons)
    assert about(await cards_out(town), ticket) == []


async def test_two_tap_and_the_second_is_told_who_was_first(town: Town, officers: tuple[Chat, Chat]) -> None:
    first, second = officers
    ticket = await asked(town)
    await cards_out(town, first, second)
    won = await first.taps("✋ 我来办")
    assert won.toast
    (edited,) = [method for method in won.methods if isinstance(method, EditMessageText)]
    assert "已由 李*" in (edited.text or "")
    lost = await second.taps("✋ 我来办")
    assert "李*" in (lost.toast or "")
    row = await state(town, ticket)
    assert (row.state, row.assignee_id) == (S.WORKING, town.cast.li_qiang.id)


async def test_card_is_edited_when_its_ticket_changes_elsewhere(
    town: Town, officers: tuple[Chat, Chat]
) -> None:
    ticket = await asked(town)
    await cards_out(town)
    async with town.store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await tickets.take(session, row, actor=town.cast.wang_fang, now=town.now)
    out = await cards_out(town)
    (edited,) = [method for method in out.methods if isinstance(method, EditMessageText)]
    assert "已由 王*" in (edited.text or "")
    (card,) = await town.rows(TicketCard)
    assert (card.message_id, card.shown_version) == (edited.message_id, 2)


async def test_ticket_is_passed_to_a_group(town: Town, officers: tuple[Chat, Chat]) -> None:
    officer, _ = officers
    async with town.store.transaction() as session:
        await work_groups.install(session, now=town.now)
        group = await work_groups.named(session, "信息组")
        assert group is not None
        await work_groups.add(session, group, town.cast.wang_fang, actor=town.cast.zhou_ning, now=town.now)
    ticket = await asked(town)
    await cards_out(town, officer)
    shown = await officer.taps("📤 转组")
    assert "信息组" in shown.buttons
    assert "↩ 返回" in shown.buttons
    await officer.taps("信息组")
    row = await state(town, ticket)
    assert (row.state, row.group) == (S.ASSIGNED, "信息组")


async def test_ticket_is_joined_to_another_of_the_same_asker(town: Town, officers: tuple[Chat, Chat]) -> None:
    officer, _ = officers
    lead, ticket = await asked(town), await asked(town, "地址栏空着可以吗？")
    await cards_out(town, officer)
    await officer.taps("🔗 并入")
    await officer.taps(lead.ticket_no)
    row = await state(town, ticket)
    assert (row.state, row.merged_into_id) == (S.MERGED, lead.id)


async def test_flag_takes_the_words_off_the_group(town: Town, officers: tuple[Chat, Chat]) -> None:
    officer, _ = officers
    ticket = await asked(town)
    await cards_out(town, officer)
    out = await officer.taps("🕶 线下")
    (edited,) = [method for method in out.methods if isinstance(method, EditMessageText)]
    assert WORDS not in (edited.text or "")
    assert (await state(town, ticket)).secrecy is Secrecy.RESTRICTED


async def test_taken_from_the_queue_a_flagged_ticket_shows_no_words(
    town: Town, officers: tuple[Chat, Chat]
) -> None:
    officer, other = officers
    ticket = await asked(town)
    await cards_out(town, other)
    await other.taps("🕶 线下")
    await officer.sends(**command("/q"))
    out = await officer.taps(f"✋ {ticket.ticket_no.split('-', 2)[-1]}")
    assert ticket.ticket_no in out.text
    assert WORDS not in out.text


async def test_who_is_not_on_staff_taps_in_vain(town: Town, officers: tuple[Chat, Chat]) -> None:
    stranger = town.group(7007)
    ticket = await asked(town)
    await cards_out(town, stranger)
    for label in ("✋ 我来办", "📤 转组", "🔗 并入", "🕶 线下"):
        refused = await stranger.taps(label)
        assert "没有该操作权限" in (refused.toast or "")
    row = await state(town, ticket)
    assert (row.state, row.version) == (S.UNASSIGNED, ticket.version)


async def test_reply_to_a_card_is_sent_with_the_entry_behind_it(
    town: Town, officers: tuple[Chat, Chat]
) -> None:
    officer, _ = officers
    ticket = await asked(town, "选民证丢了怎么办？")
    await cards_out(town, officer)
    await officer.taps("✋ 我来办")
    card = officer.message(
        text=f"#{ticket.ticket_no} 东浦区", from_user=User(id=town.bot.id, is_bot=True, first_name="一窗")
    )
    offered = await officer.says("请尽快联系发证的登记站核对。", reply_to_message=card)
    cite = next(label for label in offered.buttons if "K-0540" in label)
    await officer.taps(cite)
    assert (await state(town, ticket)).state is S.ANSWERED


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("/take {no}", S.WORKING), ("/take", S.UNASSIGNED), ("/take DP-1120-99-X", S.UNASSIGNED)],
)
async def test_take_by_command(
    town: Town, officers: tuple[Chat, Chat], said: str, wanted: TicketState
) -> None:
    officer, _ = officers
    ticket = await asked(town)
    out = await officer.sends(**command(said.format(no=ticket.ticket_no)))
    assert out.text
    assert (await state(town, ticket)).state is wanted


async def test_queue_by_command_names_no_words(town: Town, officers: tuple[Chat, Chat]) -> None:
    ticket = await asked(town)
    out = await officers[0].sends(**command("/q"))
    assert ticket.ticket_no in out.text
    assert WORDS not in out.text


async def test_anonymous_administrator_is_nobody(town: Town, officers: tuple[Chat, Chat]) -> None:
    ticket = await asked(town)
    said = command(f"/take {ticket.ticket_no}")
    out = await officers[0].sends(**said, sender_chat=TelegramChat(id=GROUP, type="supergroup"))
    assert out.text
    assert (await state(town, ticket)).state is S.UNASSIGNED


async def test_group_with_topics_gets_them_before_its_cards(town: Town, officers: tuple[Chat, Chat]) -> None:
    forum = TelegramChat(id=GROUP, type="supergroup", is_forum=True)
    await officers[0].sends(**command("/q"), chat=forum)
    ticket = await asked(town)
    out = await cards_out(town)
    made = [method for method in out.methods if isinstance(method, CreateForumTopic)]
    assert [topic.name for topic in made] == ["云平台操作", "选民咨询", "政策释疑", "紧急", "值班日志"]
    (group,) = await town.rows(ChatGroup)
    assert isinstance(group.topics["voter"], int)
    (card,) = [m for m in (await cards_out(town)).messages if ticket.ticket_no in m.text]
    assert isinstance(card, SendMessage)
    assert card.message_thread_id == group.topics["voter"]


async def test_other_groups_get_no_cards(town: Town) -> None:
    await bound_group(town, GroupPurpose.STAFF, town.cast.district)
    ticket = await asked(town)
    assert about(await cards_out(town), ticket) == []


async def test_a_tip_is_begun_by_command_once_and_then_named(town: Town, officers: tuple[Chat, Chat]) -> None:
    ticket = await proposed(town.store, town.cast, town.now)
    async with town.store.transaction() as session:
        row, reviewer = await tickets.get(session, ticket.id), town.cast.wang_fang
        await tickets.sign(session, row, seen=row.version, actor=reviewer, hours=HOURS, now=town.now)
    said = command(f"/tip {ticket.ticket_no}")
    assert "起草工作提示" in (await officers[0].sends(**said)).text
    again = (await officers[1].sends(**said)).text
    assert "已经有一份还没有签发的工作提示" in again
    assert "李强" not in again
    assert "李*" in again
    assert len(await town.rows(WorkTip)) == 1
