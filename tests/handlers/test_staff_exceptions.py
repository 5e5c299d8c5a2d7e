"""What goes wrong with staff in chat and in groups: one test for each row of the list, by its number."""

from __future__ import annotations

import pytest
from aiogram.types import Chat as TelegramChat
from aiogram.types import (
    ChatMemberAdministrator,
    ChatMemberBanned,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberRestricted,
    User,
)

from handlers.callbacks import Op, tap
from office import chat_groups, chat_invites
from office.audit import AuditEntry
from office.bindings import ChatGroup, GroupState
from office.contacts import Contact, ContactKind, ContactState
from office.notices import StaffNotice
from tests.handlers.staff_desk import bind, bound_group, command, member_changes, registrar, suspend
from tests.journeys.conversation import GROUP, USERNAME, Chat, Town, moved, refused
from tests.make import a_ticket
from ticketing.records import TicketState

IMPORT = "云平台导入名单时报错怎么处理？"
PERSONAL = "我选民证丢了怎么办"
NOT_PERMITTED = "您没有该操作权限。如需开通，请联系本街镇管理员。"


def me(town: Town) -> User:
    return User(id=town.bot.id, is_bot=True, first_name="一窗")


async def acts(town: Town, beginning: str) -> list[AuditEntry]:
    return [entry for entry in await town.rows(AuditEntry) if entry.action.startswith(beginning)]


async def told(town: Town) -> list[tuple[int, str]]:
    return [(row.staff_id, row.kind) for row in await town.rows(StaffNotice)]


async def the_group(town: Town) -> ChatGroup:
    (found,) = await town.rows(ChatGroup)
    return found


def required_rights(kind: type) -> dict[str, bool]:
    return {
        name: False
        for name, field in kind.model_fields.items()  # type: ignore[attr-defined]
        if field.is_required() and name.startswith(("can_", "is_"))
    }


async def test_e07_forged_buttons_of_staff_do_nothing_and_are_written_down(town: Town, chat: Chat) -> None:
    async with town.store.transaction() as session:
        ticket = await a_ticket(session, town.cast, town.now)
    for op in (
        Op.CLAIM,
        Op.ACCEPT,
        Op.CITE,
        Op.SWAP,
        Op.COPY,
        Op.ENTRY,
        Op.PLATFORM,
        Op.BIND_GROUP,
        Op.CONFIRM,
    ):
        out = await chat.taps_data(tap(op, ticket.id, ticket.version, "1"))
        assert out.toast == NOT_PERMITTED, op
        assert out.texts == []
    assert (await town.ticket()).state is TicketState.UNASSIGNED
    officer = await bind(town, town.cast.li_qiang, 6001)
    await suspend(town, town.cast.li_qiang)
    assert (await officer.taps_data(tap(Op.CLAIM, ticket.id, ticket.version))).toast == NOT_PERMITTED
    (entry,) = await acts(town, "staff.refused")
    assert (entry.subject, entry.facts) == (f"staff:{town.cast.li_qiang.id}", {"act": "take"})


async def test_e13_a_group_that_is_gone_is_lost_and_somebody_is_told(town: Town) -> None:
    await bound_group(town)
    town.fails(refused("chat not found"))
    await town.delivers()
    await town.clock_ticks()
    assert (await the_group(town)).state is GroupState.LOST
    assert (town.cast.zhou_ning.id, "group_lost") in await told(town)
    await town.clock_ticks()
    assert [kind for _, kind in await told(town)].count("group_lost") == 1


async def test_e14_a_group_that_became_a_supergroup_is_bound_again_and_written_to_once(town: Town) -> None:
    await bound_group(town)
    town.fails(moved(-100777))
    out = await town.delivers()
    assert [message.chat_id for message in out.messages] == [-100777], "the same message, tried once more"
    group = Chat(town, 6004, -100777)
    await bind(town, await registrar(town), 6004)
    assert "先核对表头" in (await group.says(f"@{USERNAME} {IMPORT}")).text
    assert len(await town.rows(ChatGroup)) == 1


async def test_e14_the_service_message_moves_what_was_heard_of_under_both_numbers(town: Town) -> None:
    await bound_group(town)
    await Chat(town, 5001, -100777).sends(**command("/help"))
    assert len(await town.rows(ChatGroup)) == 2
    group = town.group()
    await group.feed(
        message=group.message(migrate_to_chat_id=-100777, chat=TelegramChat(id=GROUP, type="group"))
    )
    row = await the_group(town)
    assert row.state is GroupState.BOUND
    async with town.store.reading() as session:
        found = await chat_groups.group_of(session, -100777)
        assert found is not None
        assert found.row.id == row.id
        assert (await session.get_one(Contact, found.contact.id)).state is ContactState.ACTIVE
    assert await acts(town, "chat_group.moved")


async def test_e15_put_in_taken_out_and_muted_are_written_down_and_told(town: Town) -> None:
    left, member = ChatMemberLeft(user=me(town)), ChatMemberMember(user=me(town))
    out = await member_changes(town, left, member)
    assert out.text.endswith("本群尚未登记。请管理员私聊我发送 /bind 绑定后使用。")
    assert [entry.action for entry in await acts(town, "chat_group")] == ["chat_group.seen"]
    await bound_group(town)
    muted = ChatMemberRestricted(user=me(town), until_date=0, **required_rights(ChatMemberRestricted))
    assert (await member_changes(town, member, muted)).texts == []
    assert (await the_group(town)).state is GroupState.BOUND
    await member_changes(town, member, ChatMemberBanned(user=me(town), until_date=0))
    assert (await the_group(town)).state is GroupState.LOST
    kinds = [kind for person, kind in await told(town) if person == town.cast.zhou_ning.id]
    assert kinds[-2:] == ["group_restricted", "group_lost"]
    again = await member_changes(town, left, member)
    assert "本群尚未登记" in again.text, "back again, it is nobody's"
    assert (await the_group(town)).state is GroupState.SEEN


async def test_e15_made_an_administrator_is_remembered(town: Town) -> None:
    became = ChatMemberAdministrator(user=me(town), **required_rights(ChatMemberAdministrator))
    await member_changes(town, ChatMemberLeft(user=me(town)), became)
    assert (await the_group(town)).administrator


@pytest.mark.parametrize("said", ["/bind", "/unbind", "/silent"])
async def test_e16_an_anonymous_administrator_cannot_act_and_is_told_why(town: Town, said: str) -> None:
    await bind(town, town.cast.zhou_ning, 6003)
    await bound_group(town)
    before = await the_group(town)
    group = town.group(6003)
    itself = TelegramChat(id=GROUP, type="supergroup")
    out = await group.sends(**command(said), sender_chat=itself)
    assert "匿名管理员或频道身份不能办理" in out.text
    after = await the_group(town)
    assert (after.state, after.version, after.silent_since) == (before.state, before.version, None)


async def test_e16_an_anonymous_administrator_reads_nothing_that_is_for_staff(town: Town) -> None:
    await bind(town, await registrar(town), 6004)
    await bound_group(town)
    itself = TelegramChat(id=GROUP, type="supergroup")
    out = await town.group(6004).says(f"@{USERNAME} {IMPORT}", sender_chat=itself)
    assert "先核对表头" not in out.text


async def test_e17_who_never_wrote_to_us_gets_a_button_that_begins_the_private_chat(town: Town) -> None:
    await bound_group(town)
    stranger = Chat(town, 5099, GROUP)
    out = await stranger.says(f"@{USERNAME} {PERSONAL}")
    assert [key.url for key in out.keys] == [f"https://t.me/{USERNAME}?start=ask"]
    assert "K-0540" not in out.text
    assert "K-0540" in (await town.chat(5099).says("/start ask")).text


async def test_e33_a_suspended_person_acts_in_no_group_and_the_try_is_written_down(town: Town) -> None:
    await bind(town, town.cast.zhou_ning, 6003)
    administrator = await registrar(town, "钱一")
    await bind(town, administrator, 6008)
    await bound_group(town)
    await suspend(town, administrator)
    group = town.group(6008)
    for said in ("/bind", "/unbind", "/silent"):
        assert (await group.sends(**command(said))).text == NOT_PERMITTED
    assert "先核对表头" not in (await group.says(f"@{USERNAME} {IMPORT}")).text
    refused_acts = await acts(town, "staff.refused")
    assert [entry.facts["act"] for entry in refused_acts] == ["bind_group", "unbind_group", "silence_group"]
    assert {entry.subject for entry in refused_acts} == {f"staff:{administrator.id}"}
    assert (await the_group(town)).state is GroupState.BOUND


async def test_e33_suspended_in_the_middle_of_a_conversation_the_next_message_is_a_voters(
    town: Town,
) -> None:
    person = await registrar(town, "钱一")
    officer = await bind(town, person, 6008)
    await officer.says("/op")
    await officer.taps("导入")
    await suspend(town, person)
    assert (await officer.taps("报错")).toast == NOT_PERMITTED
    await officer.says("第12行报错")
    assert all(ticket.group != "信息组" for ticket in await town.tickets())


async def test_e34_a_link_used_again_or_too_late_is_refused_and_the_inviter_told(town: Town) -> None:
    async with town.store.transaction() as session:
        _, token = await chat_invites.invite(
            session, town.cast.li_qiang, actor=town.cast.zhou_ning, now=town.now
        )
    await town.chat(6001).says(f"/start inv_{token}")
    assert "已经用过了" in (await town.chat(6002).says(f"/start inv_{token}")).text
    async with town.store.transaction() as session:
        _, late = await chat_invites.invite(
            session, town.cast.wang_fang, actor=town.cast.zhou_ning, now=town.now
        )
    town.later(hours=24, minutes=1)
    await town.clock_ticks()
    assert "已过期（24小时）" in (await town.chat(6002).says(f"/start inv_{late}")).text
    kinds = [kind for person, kind in await told(town) if person == town.cast.zhou_ning.id]
    assert kinds == ["binding_waiting", "binding_reused", "binding_expired"]


async def test_e39_a_forwarded_button_runs_as_whoever_taps_it(town: Town, chat: Chat) -> None:
    officer = await bind(town, await registrar(town), 6004)
    await officer.says("/k 0540")
    send = next(b.callback_data for _, b in officer.shown if b.text == "📤 发给居民")
    assert send is not None
    assert (await chat.taps_data(send)).toast == NOT_PERMITTED
    await officer.says("外地户口 登记")
    hit = next(b.callback_data for _, b in officer.shown if b.text.startswith("K-"))
    assert hit is not None
    other = await bind(town, town.cast.li_qiang, 6001)
    assert (await other.taps_data(hit)).texts == [], "what one asked is nobody else's"
    for _, button in officer.shown:
        assert "何静" not in (button.callback_data or "") + button.text


async def test_e43_an_ephemeral_answer_that_does_not_arrive_leaves_the_way_to_the_private_chat(
    town: Town, chat: Chat
) -> None:
    town.restart(ephemeral=True)
    await bound_group(town)
    town.fails(None, refused("user is offline"))
    out = await town.group().sends(**command(f"/ask {PERSONAL}"), ephemeral_message_id=5)
    assert out.texts == ["涉及个人情况，我单独回复您"]
    assert out.buttons == ["私聊查看"]
    assert "K-0540" in (await chat.says("/start ask")).text


async def test_groups_and_people_are_apart_in_the_contacts(town: Town) -> None:
    await bound_group(town)
    await town.group().says(f"@{USERNAME} {IMPORT}")
    kinds = {row.address: row.kind for row in await town.rows(Contact)}
    assert kinds[str(GROUP)] is ContactKind.GROUP
    assert kinds["5001"] is ContactKind.PRIVATE
