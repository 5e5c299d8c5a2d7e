"""Work groups: binding, silence, what may be said aloud, and what only the asker is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from aiogram.methods import LeaveChat, SendMessage
from aiogram.types import Chat as TelegramChat
from aiogram.types import ChatMemberAdministrator, ChatMemberLeft, ChatMemberMember, User

from office import chat_groups
from office.bindings import ChatGroup, GroupPurpose, GroupState
from tests.handlers.staff_desk import bind, bound_group, command, member_changes, registrar
from tests.journeys.conversation import GROUP, USERNAME, Chat, Out, Town, refused

IMPORT = "云平台导入名单时报错怎么处理？"
LOST = "选民证丢了怎么办？"
PERSONAL = "我选民证丢了怎么办"
UNBOUND = "本群尚未登记。请管理员私聊我发送 /bind 绑定后使用。"


def me(town: Town) -> User:
    return User(id=town.bot.id, is_bot=True, first_name="一窗")


async def the_group(town: Town) -> ChatGroup:
    (found,) = await town.rows(ChatGroup)
    return found


async def admin(town: Town) -> Chat:
    """周宁 in the group, with a bound phone."""
    await bind(town, town.cast.zhou_ning, 6003)
    await town.delivers()
    return town.group(6003)


def alone(out: Out) -> list[SendMessage]:
    return [message for message in out.messages if message.ephemeral_message_parameters is not None]


# --- binding ----------------------------------------------------------------------------------------------


async def test_an_unbound_group_hears_once_that_it_is_not_registered(town: Town) -> None:
    group = town.group()
    first = await group.says(f"@{USERNAME} {LOST}")
    assert "K-0540" in first.texts[0]
    assert first.texts[1:] == [UNBOUND]
    again = await group.says(f"@{USERNAME} {LOST}")
    assert UNBOUND not in again.texts
    assert IMPORT not in (await group.says(f"@{USERNAME} {IMPORT}")).text


async def test_an_administrator_asks_in_the_group_and_the_console_confirms(town: Town) -> None:
    group = await admin(town)
    assert "请管理员在后台" in (await group.sends(**command("/bind"))).text
    row = await the_group(town)
    assert row.state is GroupState.ASKED
    async with town.store.transaction() as session:
        await chat_groups.bind(
            session, row.id, town.cast.riverside, GroupPurpose.STAFF, actor=town.cast.zhou_ning, now=town.now
        )
    out = await town.delivers()
    assert [message.chat_id for message in out.messages if "已绑定：临江街道" in message.text] == [GROUP]
    assert (await group.sends(**command("/bind"))).text == "本群已经绑定。"
    assert (await the_group(town)).unit_id == town.cast.riverside.id


async def test_the_private_bind_lists_groups_that_wait(town: Town) -> None:
    await member_changes(town, ChatMemberLeft(user=me(town)), ChatMemberMember(user=me(town)))
    chat = await bind(town, town.cast.zhou_ning, 6003)
    out = await chat.says("/bind")
    assert "登记工作群" in out.buttons
    assert any("startgroup=bind" in (key.url or "") for key in out.keys)
    assert "已提出绑定申请" in (await chat.taps("登记工作群")).text
    assert (await the_group(town)).state is GroupState.ASKED
    assert (await chat.taps("登记工作群")).toast == "该操作已过期，请看最新内容。"


async def test_others_cannot_bind_silence_or_unbind(town: Town) -> None:
    await bound_group(town)
    await bind(town, town.cast.li_qiang, 6001)
    for chat in (town.group(), town.group(6001)):
        for said in ("/unbind", "/silent"):
            assert "没有该操作权限" in (await chat.sends(**command(said))).text
    private = town.chat(6001)
    assert "没有该操作权限" in (await private.says("/bind")).text
    row = await the_group(town)
    assert (row.state, row.silent_since) == (GroupState.BOUND, None)


async def test_silence_is_kept_until_it_is_lifted_and_what_is_due_waits(town: Town) -> None:
    group = await admin(town)
    await bound_group(town)
    await town.delivers()
    assert "不再说话" in (await group.sends(**command("/silent"))).text
    assert (await group.says(f"@{USERNAME} {LOST}")).texts == []
    assert "可以在本群说话" in (await group.sends(**command("/silent"))).text
    assert "K-0540" in (await group.says(f"@{USERNAME} {LOST}")).text


async def test_letting_a_group_go_ends_what_staff_may_read_there(town: Town) -> None:
    group = await admin(town)
    await bound_group(town)
    assert "K-0900" in (await group.says(f"@{USERNAME} {IMPORT}")).text
    assert "24小时" in (await group.sends(**command("/unbind"))).text
    assert "K-0900" not in (await group.says(f"@{USERNAME} {IMPORT}")).text
    assert (await group.sends(**command("/unbind"))).text == UNBOUND


async def test_a_group_nobody_binds_is_left_after_a_day(town: Town) -> None:
    await member_changes(town, ChatMemberLeft(user=me(town)), ChatMemberMember(user=me(town)))
    await town.clock_ticks()
    assert (await town.delivers()).methods == []
    town.later(hours=24)
    await town.clock_ticks()
    out = await town.delivers()
    assert [method.chat_id for method in out.methods if isinstance(method, LeaveChat)] == [GROUP]
    assert (await the_group(town)).state is GroupState.LOST
    await town.clock_ticks()
    assert (await town.delivers()).methods == []


async def test_a_bound_group_is_never_left(town: Town) -> None:
    await bound_group(town)
    await town.delivers()
    town.later(days=30)
    await town.clock_ticks()
    assert not [m for m in (await town.delivers()).methods if isinstance(m, LeaveChat)]


# --- questions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "who", "seen"),
    [
        (GroupPurpose.STAFF, 6004, True),
        (GroupPurpose.DESK, 6004, True),
        (GroupPurpose.OPEN, 6004, False),
        (GroupPurpose.STAFF, 5001, False),
    ],
)
async def test_entries_for_staff_are_said_in_internal_groups_to_staff_only(
    town: Town, purpose: GroupPurpose, who: int, seen: bool
) -> None:
    await bind(town, await registrar(town), 6004)
    await bound_group(town, purpose)
    out = await town.group(who).says(f"@{USERNAME} {IMPORT}")
    assert ("先核对表头" in out.text) is seen
    if seen:
        assert all(message.protect_content is True for message in out.messages)


async def test_what_anybody_may_read_is_answered_aloud_in_any_group(town: Town) -> None:
    await bound_group(town, GroupPurpose.OPEN)
    out = await town.group().sends(**command(f"/ask {LOST}"))
    assert "K-0540" in out.text
    assert out.buttons == []


async def test_a_personal_case_is_answered_in_private(town: Town, chat: Chat) -> None:
    await bound_group(town)
    out = await town.group().says(f"@{USERNAME} {PERSONAL}")
    assert out.text == "涉及个人情况，我单独回复您"
    assert [key.url for key in out.keys] == [f"https://t.me/{USERNAME}?start=ask"]
    assert [key.text for key in out.keys] == ["私聊查看"]
    assert "K-0540" in (await chat.says("/start ask")).text
    town.later(hours=1)
    assert "K-0540" not in (await chat.says("/start ask")).text


async def test_the_way_from_a_group_is_the_askers_own(town: Town) -> None:
    await bound_group(town)
    await town.group().says(f"@{USERNAME} {PERSONAL}")
    assert "K-0540" not in (await town.chat(5009).says("/start ask")).text


@pytest.mark.parametrize("ephemeral", [False, True])
async def test_only_with_the_setting_is_it_tried_to_show_it_to_the_asker_alone(
    town: Town, ephemeral: bool
) -> None:
    town.restart(ephemeral=ephemeral)
    await bound_group(town)
    out = await town.group().sends(**command(f"/ask {PERSONAL}"), ephemeral_message_id=9, message_id=0)
    assert out.texts[0] == "涉及个人情况，我单独回复您"
    assert "私聊查看" in out.buttons
    assert bool(alone(out)) is ephemeral
    for message in alone(out):
        assert message.ephemeral_message_parameters is not None
        assert message.ephemeral_message_parameters.receiver_user_id == 5001
        assert "K-0540" in message.text


async def test_an_administrator_may_show_it_any_time_others_within_fifteen_seconds(town: Town) -> None:
    town.restart(ephemeral=True)
    await bound_group(town)
    said: dict[str, Any] = command(f"/ask {PERSONAL}")
    assert not alone(await town.group().sends(**said)), "neither an ephemeral command nor an administrator"
    late = town.group()
    message = late.message(**said, ephemeral_message_id=9)
    town.later(seconds=16)
    assert not alone(await late.feed(message=message))
    rights = dict.fromkeys(
        [
            name
            for name, field in ChatMemberAdministrator.model_fields.items()
            if field.is_required() and name.startswith(("can_", "is_"))
        ],
        False,
    )
    became = ChatMemberAdministrator(user=me(town), **rights)
    await member_changes(town, ChatMemberMember(user=me(town)), became)
    assert alone(await town.group().sends(**said))


async def test_the_question_may_be_put_by_replying_to_us(town: Town) -> None:
    await bound_group(town)
    group = town.group()
    ours = group.message(text="…", from_user=me(town))
    assert "K-0540" in (await group.says(LOST, reply_to_message=ours)).text


async def test_who_writes_to_us_first_in_a_group_gets_a_way_in(town: Town) -> None:
    group = Chat(town, 5077, GROUP)
    out = await group.sends(**command("/help"))
    assert out.keys[0].url == f"https://t.me/{USERNAME}?start=ask"


async def test_a_supergroup_keeps_its_binding_and_its_row(town: Town, now: datetime) -> None:
    await bound_group(town)
    group = town.group()
    service = group.message(migrate_to_chat_id=-100777, chat=TelegramChat(id=GROUP, type="group"))
    await group.feed(message=service)
    await bind(town, await registrar(town), 6004)
    out = await Chat(town, 6004, -100777).says(f"@{USERNAME} {IMPORT}")
    assert "先核对表头" in out.text
    assert len(await town.rows(ChatGroup)) == 1


async def test_a_refused_ephemeral_answer_leaves_the_button(town: Town) -> None:
    town.restart(ephemeral=True)
    await bound_group(town)
    town.fails(None, refused("ephemeral messages are not available"))
    out = await town.group().sends(**command(f"/ask {PERSONAL}"), ephemeral_message_id=9)
    assert out.texts == ["涉及个人情况，我单独回复您"]
    assert out.buttons == ["私聊查看"]
