"""Everything that is not text: each kind has one polite path, and nothing is lost without a word."""

from __future__ import annotations

from datetime import timedelta

from aiogram import F, Router
from aiogram.enums import ContentType
from aiogram.methods import DeleteMessage
from aiogram.types import ChatMemberUpdated, Message

from handlers import ask, keyboards, sent_files
from handlers.turn import Reply, Turn
from office import outbox
from office.contacts import ContactState
from office.store import ring_after_commit

router = Router(name="kinds")

PLAYFUL = {ContentType.STICKER, ContentType.ANIMATION}
STICKERS = timedelta(minutes=10)
ALBUM = timedelta(minutes=1)
QUIET = {ContentType.DICE, ContentType.GAME, ContentType.POLL}
SERVICE = {
    ContentType.NEW_CHAT_MEMBERS, ContentType.LEFT_CHAT_MEMBER, ContentType.PINNED_MESSAGE,
    ContentType.NEW_CHAT_TITLE, ContentType.NEW_CHAT_PHOTO, ContentType.GROUP_CHAT_CREATED,
    # We have no such app, so whatever one says is not meant for us.
    ContentType.WEB_APP_DATA,
}  # fmt: skip


NAMES = {
    ContentType.PHOTO: "kind.photo",
    ContentType.VOICE: "kind.voice",
    ContentType.VIDEO_NOTE: "kind.voice",
    ContentType.AUDIO: "kind.voice",
    ContentType.DOCUMENT: "kind.file",
    ContentType.VIDEO: "kind.file",
}


@router.message(F.contact)
async def shared_contact(message: Message, turn: Turn) -> Reply:
    """Somebody's card is somebody's personal data: removed, not kept."""
    return [
        DeleteMessage(chat_id=turn.chat_id, message_id=message.message_id),
        *turn.say(turn.words("no_contact_cards")),
    ]


@router.message(F.caption)
async def captioned(message: Message, turn: Turn) -> Reply:
    """A picture with words: the words are the question; the picture is kept if they lead to a ticket."""
    turn.first_in(f"album:{message.media_group_id}", ALBUM)
    answered = await ask.read(turn, message.caption or "")
    ticket = await sent_files.belonging_to(turn)
    if ticket is not None and (about := await sent_files.reply(turn, message, ticket)):
        return answered + about
    return turn.say(turn.words("kind.picture_words")) + answered


@router.message(F.content_type.in_(QUIET | SERVICE))
async def quiet(message: Message, turn: Turn) -> Reply:
    """Games and service notes need no reply."""
    return []


@router.message(F.content_type.in_(PLAYFUL))
async def playful(message: Message, turn: Turn) -> Reply:
    """A sticker gets a friendly line and the menu, but not each of a row of them."""
    if not turn.first_in("sticker", STICKERS):
        return []
    return turn.say(turn.words("kind.sticker"), keyboards.menu(turn.lang))


@router.message(F.location.live_period)
async def live(message: Message) -> Reply:
    """A position that goes on moving is nothing we follow."""
    return []


@router.message()
async def other(message: Message, turn: Turn) -> Reply:
    """A picture, voice or file: kept with an open ticket; else what we can do with it, and what helps."""
    first = not message.media_group_id or turn.first_in(f"album:{message.media_group_id}", ALBUM)
    if about := await sent_files.reply(turn, message, aloud=first):
        return about
    if not first:
        return []
    key = NAMES.get(ContentType(message.content_type), "kind.other")
    return turn.say(turn.words(key), keyboards.menu(turn.lang))


@router.my_chat_member()
async def membership(event: ChatMemberUpdated, turn: Turn) -> Reply:
    """Blocked: the contact is lost until it writes again. Unblocked: parked answers go out."""
    if event.new_chat_member.status in ("kicked", "left"):
        turn.contact.state = ContactState.LOST
    elif turn.contact.state is not ContactState.SILENCED:
        turn.contact.state = ContactState.ACTIVE
        await outbox.unpark(turn.session, turn.contact, now=turn.now)
        ring_after_commit(turn.session, outbox.DUE_TOPIC)
    return []
