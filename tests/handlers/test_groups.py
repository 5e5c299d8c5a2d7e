"""Groups: only what is addressed to us, only what anybody may read, and nothing personal."""

from __future__ import annotations

import pytest
from aiogram.types import Chat as TelegramChat
from aiogram.types import (
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberUpdated,
    MessageEntity,
    User,
)  # fmt: skip

from office import chat_groups
from office.audit import SYSTEM
from office.contacts import Contact, ContactKind, ContactState
from office.outbox import Delivery
from tests.journeys.conversation import GROUP, USERNAME, Chat, Town, blocked, moved, unreachable
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket

LOST = "选民证丢了怎么办？"


@pytest.fixture
async def group(town: Town) -> Chat:
    """A group that has heard already that nobody has bound it."""
    async with town.store.transaction() as session:
        await chat_groups.seen(session, GROUP, "业主群", actor=SYSTEM, now=town.now)
    return town.group()


async def _asker(town: Town) -> Contact:
    return next(row for row in await town.rows(Contact) if row.kind is ContactKind.PRIVATE)


def command(text: str) -> dict[str, object]:
    length = len(text.split(" ")[0])
    return {"text": text, "entities": [MessageEntity(type="bot_command", offset=0, length=length)]}


@pytest.mark.parametrize(
    "said", [f"/ask {LOST}", f"/ask@{USERNAME} {LOST}", f"@{USERNAME} {LOST}", f"{LOST}@Desk_Bot"]
)
async def test_a_question_addressed_to_us_is_answered_in_the_group(
    group: Chat, town: Town, said: str
) -> None:
    out = await group.sends(**command(said) if said.startswith("/") else {"text": said})
    assert "K-0540" in out.text
    assert out.buttons == []
    assert out.messages[0].chat_id == GROUP
    assert out.messages[0].reply_to_message_id is not None


async def test_a_reply_to_our_message_is_addressed_to_us(group: Chat, town: Town) -> None:
    ours = group.message(text="…", from_user=User(id=town.bot.id, is_bot=True, first_name="一窗"))
    assert "K-0540" in (await group.says(LOST, reply_to_message=ours)).text


@pytest.mark.parametrize("said", [LOST, "大家早", f"@{USERNAME}_other {LOST}", "人工", "进度", "删除", "1"])
async def test_talk_among_others_is_none_of_our_business(group: Chat, town: Town, said: str) -> None:
    assert (await group.says(said)).methods == []
    assert await town.rows(Enquiry) == []


async def test_edited_talk_and_pictures_are_ignored(group: Chat) -> None:
    assert (await group.edits(1, f"@{USERNAME} {LOST}")).methods == []
    assert (await group.sends(photo=[], caption=LOST)).methods == []


@pytest.mark.parametrize(
    "question",
    [
        "我的邻居该选谁",
        "应该选谁",
        "新楼盘还没有门牌号，登记表上的地址怎么填？",
        "走不动的老人能在家投票吗",
        f"{LOST}外地人怎么登记选民？",
    ],
)
async def test_what_is_personal_or_unsure_is_sent_to_private(group: Chat, town: Town, question: str) -> None:
    out = await group.says(f"@{USERNAME} {question}")
    assert out.text == "这个问题请私聊我，我单独回复您。"
    assert [key.url for key in out.keys] == [f"https://t.me/{USERNAME}?start=ask"]
    assert await town.rows(Ticket) == []


async def test_an_empty_call_is_told_how(group: Chat) -> None:
    assert "/ask" in (await group.sends(**command("/ask"))).text
    assert "/ask" in (await group.says(f"@{USERNAME}")).text
    assert "/ask" in (await group.sends(**command("/help"))).text


async def test_a_number_in_a_group_is_not_answered_but_asked_to_be_deleted(group: Chat, town: Town) -> None:
    sent = group.message(text="310104199001010012 帮忙看看")
    out = await group.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert out.text.startswith("已为您删除含身份证号码的消息，号码没有保存。")


async def test_a_button_tapped_in_a_group_shows_nothing_there(group: Chat, chat: Chat, town: Town) -> None:
    await chat.says("新楼盘还没有门牌号，登记表上的地址怎么填？")
    data = chat.shown[0][1].callback_data
    assert data is not None
    out = await group.taps_data(data)
    assert out.toast == "这个问题请私聊我，我单独回复您。"
    assert out.texts == []


async def test_other_bots_are_not_talked_to(group: Chat) -> None:
    bot = User(id=42, is_bot=True, first_name="别的助手")
    assert (await group.says(f"@{USERNAME} {LOST}", from_user=bot)).methods == []


async def test_added_to_a_group_it_says_one_line(group: Chat, town: Town) -> None:
    me = User(id=town.bot.id, is_bot=True, first_name="一窗")
    was, now = ChatMemberLeft(user=me), ChatMemberMember(user=me)

    async def changes(old: object, new: object) -> list[str]:
        event = ChatMemberUpdated(
            chat=TelegramChat(id=GROUP, type="supergroup"), date=town.now, old_chat_member=old,
            new_chat_member=new, from_user=User(id=5001, is_bot=False, first_name="张敏"),
        )  # fmt: skip
        return (await group.feed(my_chat_member=event)).texts

    assert await changes(was, now) == [
        "大家好，我解答选民登记和选举程序问题。\n请用 /ask 加您的问题，或@我提问。个人情况请私聊我。\n"
        "本群尚未登记。请管理员私聊我发送 /bind 绑定后使用。"
    ]
    assert await changes(now, was) == []
    assert (await _asker(town)).state is ContactState.ACTIVE, "the person is not lost with the group"


async def test_removed_from_a_group_the_person_stays_reachable(group: Chat, town: Town) -> None:
    town.fails(blocked)
    await group.says(f"@{USERNAME} {LOST}")
    assert (await _asker(town)).state is ContactState.ACTIVE


async def test_a_reply_to_a_group_is_not_sent_later_to_the_person(group: Chat, town: Town) -> None:
    town.fails(unreachable)
    await group.says(f"@{USERNAME} {LOST}")
    assert await town.rows(Delivery) == []


async def test_a_group_that_moved_is_answered_at_its_new_address(group: Chat, town: Town) -> None:
    town.fails(moved(-100777))
    out = await group.says(f"@{USERNAME} {LOST}")
    assert [message.chat_id for message in out.messages] == [-100777]


async def test_too_much_talk_in_a_group_is_not_commented(group: Chat) -> None:
    for _ in range(35):
        assert (await group.says("聊天")).methods == []
