"""Everything that is not text has one polite path."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aiogram.types import (
    Animation,
    Audio,
    Contact,
    Dice,
    Document,
    Game,
    Location,
    MessageOriginUser,
    PhotoSize,
    Poll,
    PollOption,
    Sticker,
    User,
    Venue,
    Video,
    VideoNote,
    Voice,
)  # fmt: skip

from office.contacts import Contact as Known
from office.contacts import ContactState
from office.outbox import Delivery
from tests.journeys.conversation import Chat, Town
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket

LOST = "选民证丢了怎么办？"
FILE: dict[str, Any] = {"file_id": "f", "file_unique_id": "u"}
PHOTO = [PhotoSize(**FILE, width=1, height=1)]
STICKER = Sticker(**FILE, type="regular", width=1, height=1, is_animated=False, is_video=False)
PLACE = Location(latitude=0.0, longitude=0.0)
VENUE = Venue(location=PLACE, title="某处", address="某路")

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "photo": ({"photo": PHOTO}, "您发来一张图片"),
    "sticker": ({"sticker": STICKER}, "收到。您想了解什么"),
    "animation": ({"animation": Animation(**FILE, width=1, height=1, duration=1)}, "收到。您想了解什么"),
    "voice": ({"voice": Voice(**FILE, duration=18)}, "我暂时听不了语音"),
    "video_note": ({"video_note": VideoNote(**FILE, length=1, duration=1)}, "我暂时听不了语音"),
    "audio": ({"audio": Audio(**FILE, duration=1)}, "我暂时听不了语音"),
    "location": ({"location": PLACE}, "位置没有保存"),
    "venue": (
        {"venue": VENUE, "location": PLACE},
        "位置没有保存",
    ),
    "document": ({"document": Document(**FILE)}, "文件我看不了"),
    "video": ({"video": Video(**FILE, width=1, height=1, duration=1)}, "文件我看不了"),
    "unheard_of": ({"successful_payment": None}, "这种消息我看不了"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_gets_words_and_a_way_on(chat: Chat, town: Town, kind: str) -> None:
    content, words = KINDS[kind]
    out = await chat.sends(**content)
    assert words in out.text
    assert "人工咨询" in out.buttons
    assert await town.rows(Enquiry) == []


@pytest.mark.parametrize(
    "content",
    [
        {"dice": Dice(emoji="🎲", value=3)},
        {"game": Game(title="x", description="x", photo=PHOTO)},
        {
            "poll": Poll(
                id="1", question="?", options=[PollOption(persistent_id="1", text="a", voter_count=0)],
                total_voter_count=0, is_closed=False, is_anonymous=True, type="regular",
                allows_multiple_answers=False, allows_revoting=False, members_only=False,
            )
        },
        {"location": Location(latitude=0.0, longitude=0.0, live_period=60)},
    ],
)  # fmt: skip
async def test_games_and_moving_positions_are_passed_over(chat: Chat, content: dict[str, Any]) -> None:
    assert (await chat.sends(**content)).methods == []


async def test_a_contact_card_is_removed(chat: Chat, town: Town) -> None:
    sent = chat.message(contact=Contact(phone_number="0000", first_name="某某"))
    out = await chat.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert "不需要通讯录名片" in out.text
    assert await town.rows(Enquiry) == []


async def test_stickers_in_a_row_get_one_line_in_ten_minutes(chat: Chat, town: Town) -> None:
    assert (await chat.sends(sticker=STICKER)).texts
    assert (await chat.sends(sticker=STICKER)).texts == []
    town.later(minutes=11)
    assert (await chat.sends(sticker=STICKER)).texts


async def test_an_album_gets_one_reply(chat: Chat) -> None:
    first = await chat.sends(photo=PHOTO, media_group_id="a", caption=LOST)
    assert "K-0540" in first.text
    assert (await chat.sends(photo=PHOTO, media_group_id="a")).texts == []
    assert (await chat.sends(photo=PHOTO, media_group_id="b")).texts


async def test_the_words_under_a_picture_are_the_question(chat: Chat, town: Town) -> None:
    out = await chat.sends(photo=PHOTO, caption=LOST)
    assert out.texts[0] == "图片我看不了，先按您写的文字回答："
    assert "K-0540" in out.texts[1]


async def test_a_picture_without_words_in_its_caption(chat: Chat, town: Town) -> None:
    out = await chat.sends(photo=PHOTO, caption="？？？")
    assert "在的，请直接说您的问题" in out.text
    assert await town.rows(Enquiry) == []


async def test_a_forwarded_message_is_a_question(chat: Chat, town: Town) -> None:
    origin = MessageOriginUser(
        date=town.now - timedelta(days=1), sender_user=User(id=9, is_bot=False, first_name="别人")
    )
    assert "K-0540" in (await chat.says(LOST, forward_origin=origin)).text


async def test_blocked_and_unblocked(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    assert (await chat.blocks()).methods == []
    (contact,) = await town.rows(Known)
    assert contact.state is ContactState.LOST

    assert "K-0540" in (await chat.says(LOST)).text
    (contact,) = await town.rows(Known)
    assert contact.state is ContactState.ACTIVE


async def test_nothing_that_is_sent_is_kept(chat: Chat, town: Town) -> None:
    for content, _ in KINDS.values():
        town.later(minutes=11)
        await chat.sends(**content)
    assert await town.rows(Ticket) == []
    assert await town.rows(Delivery) == []
