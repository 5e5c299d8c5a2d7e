"""What nobody asked for: moving positions, cards, data of strange apps, polls and other news of the channel.

E40 and E41 of the journeys. Each is passed over, and nothing of it stays.
"""

from __future__ import annotations

from typing import Any

import pytest
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.types import (
    Chat as TelegramChat,
)
from aiogram.types import (
    ChatJoinRequest,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberUpdated,
    Contact,
    InlineQuery,
    Location,
    MessageReactionUpdated,
    Poll,
    PollAnswer,
    PollOption,
    User,
    WebAppData,
)

from office import chat_groups
from office.audit import SYSTEM
from office.outbox import Delivery
from office.store import Base
from tests.journeys.conversation import GROUP, Chat, Town
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket

MOVING = Location(latitude=31.234567, longitude=121.456789, live_period=900)
CARD = Contact(phone_number="+8600000004040", first_name="某某", user_id=404040, vcard="BEGIN:VCARD 某某")
STRANGE = WebAppData(data='{"action":"answer","ticket":1}', button_text="人工")
TRACES = ("31.2345", "121.4567", "0000004040", "404040", "VCARD")
STRANGER = User(id=404040, is_bot=False, first_name="某某")


@pytest.fixture
async def group(town: Town) -> Chat:
    """A group that has heard already that nobody has bound it."""
    async with town.store.transaction() as session:
        await chat_groups.seen(session, GROUP, "业主群", actor=SYSTEM, now=town.now)
    return town.group()


async def kept(town: Town) -> str:
    """All that is in the database, and what the conversations remember."""
    async with town.store.reading() as session:
        rows = [
            tuple(row)
            for table in Base.metadata.sorted_tables
            for row in await session.execute(table.select())
        ]
    storage = town.dispatcher.storage
    assert isinstance(storage, MemoryStorage)
    # aiogram has a place for everybody whose state was looked at.
    return repr((rows, [held for held in storage.storage.values() if held.data or held.state]))


async def nothing_stays(town: Town) -> None:
    found = await kept(town)
    assert [trace for trace in TRACES if trace in found] == []


@pytest.mark.parametrize("before", ["", "登记站", "人工", "进度"])
async def test_a_moving_position_is_not_followed_whatever_was_asked_before(
    chat: Chat, town: Town, before: str
) -> None:
    """E40. Neither its beginning, nor where it moves to, nor its end; a question goes on as it was."""
    if before:
        assert (await chat.says(before)).texts
    moved = MOVING.model_copy(update={"latitude": 31.234599, "heading": 90})
    ended = MOVING.model_copy(update={"live_period": None})
    number = 900
    assert (await chat.sends(message_id=number, location=MOVING)).methods == []
    for place in (moved, ended):
        edit = chat.message(message_id=number, location=place, edit_date=1)
        assert (await chat.feed(edited_message=edit)).methods == []
    assert await town.rows(Ticket) == []
    assert await town.rows(Enquiry) == []
    await nothing_stays(town)


@pytest.mark.parametrize("before", ["", "登记站", "人工", "进度"])
async def test_a_card_is_taken_away_and_is_nobody_s_answer(chat: Chat, town: Town, before: str) -> None:
    """E40."""
    if before:
        assert (await chat.says(before)).texts
    sent = chat.message(contact=CARD)
    out = await chat.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert "不需要通讯录名片" in out.text
    edit = chat.message(message_id=sent.message_id, contact=CARD, edit_date=1)
    assert (await chat.feed(edited_message=edit)).texts == []
    assert await town.rows(Ticket) == []
    assert await town.rows(Delivery) == []
    await nothing_stays(town)


@pytest.mark.parametrize("before", ["", "登记站", "人工"])
async def test_data_of_an_app_that_is_not_ours_does_nothing(chat: Chat, town: Town, before: str) -> None:
    """E40. We offer none, so none is believed; the words on its button are nobody's words."""
    if before:
        assert (await chat.says(before)).texts
    assert (await chat.sends(web_app_data=STRANGE)).methods == []
    assert await town.rows(Ticket) == []
    assert await town.rows(Enquiry) == []


async def test_a_group_gets_no_word_about_any_of_them(group: Chat, town: Town) -> None:
    """E40."""
    for content in ({"location": MOVING}, {"contact": CARD}, {"web_app_data": STRANGE}):
        assert (await group.sends(**content)).methods == []
    await nothing_stays(town)


POLL = Poll(
    id="1", question="?", options=[PollOption(persistent_id="1", text="a", voter_count=1)],
    total_voter_count=1, is_closed=True, is_anonymous=False, type="regular", allows_multiple_answers=False,
    allows_revoting=False, members_only=False,
)  # fmt: skip
PLACE = TelegramChat(id=GROUP, type="supergroup")
WHEN = 1_795_000_000
NEWS: dict[str, Any] = {
    "poll_answer": PollAnswer(
        poll_id="1", option_ids=[0], user=STRANGER, option_persistent_ids=["1"]
    ),
    "poll_answer of a chat": PollAnswer(
        poll_id="1", option_ids=[0], voter_chat=PLACE, option_persistent_ids=["1"]
    ),
    "poll": POLL,
    "inline_query": InlineQuery(id="1", from_user=STRANGER, query="选民证丢了怎么办？", offset=""),
    "chat_join_request": ChatJoinRequest(chat=PLACE, from_user=STRANGER, user_chat_id=404040, date=WHEN),
    "chat_member": ChatMemberUpdated(
        chat=PLACE, from_user=STRANGER, date=WHEN, old_chat_member=ChatMemberLeft(user=STRANGER),
        new_chat_member=ChatMemberMember(user=STRANGER),
    ),
    "message_reaction": MessageReactionUpdated(
        chat=PLACE, message_id=1, user=STRANGER, date=WHEN, old_reaction=[], new_reaction=[]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NEWS)
async def test_answers_to_polls_and_other_news_come_from_nobody(town: Town, chat: Chat, kind: str) -> None:
    """E41. Who answers a poll is no asker and no member of anything: no word, and no contact either."""
    before = await kept(town)
    assert (await chat.feed(**{kind.split()[0]: NEWS[kind]})).methods == []
    assert await kept(town) == before
