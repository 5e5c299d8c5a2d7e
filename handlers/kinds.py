"""Everything that is not text: each kind has one polite path, and nothing is lost without a word."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.enums import ContentType
from aiogram.methods import DeleteMessage
from aiogram.types import ChatMemberUpdated, Message

from handlers import asking, keyboards
from handlers.turn import Reply, Turn
from office import outbox
from office.contacts import ContactState
from office.store import ring_after_commit

router = Router(name="kinds")

QUIET = {ContentType.DICE, ContentType.GAME, ContentType.POLL}
SERVICE = {
    ContentType.NEW_CHAT_MEMBERS, ContentType.LEFT_CHAT_MEMBER, ContentType.PINNED_MESSAGE,
    ContentType.NEW_CHAT_TITLE, ContentType.NEW_CHAT_PHOTO, ContentType.GROUP_CHAT_CREATED,
}  # fmt: skip


NAMES = {
    ContentType.PHOTO: "kind.photo",
    ContentType.STICKER: "kind.sticker",
    ContentType.ANIMATION: "kind.sticker",
    ContentType.VOICE: "kind.voice",
    ContentType.VIDEO_NOTE: "kind.voice",
    ContentType.AUDIO: "kind.voice",
    ContentType.LOCATION: "kind.location",
    ContentType.VENUE: "kind.location",
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
    """A picture with words: the words are the question, the picture is not looked at."""
    words = (message.caption or "").strip()
    return turn.say(turn.words("kind.picture_words")) + await asking.ask(turn, words)


@router.message(F.content_type.in_(QUIET | SERVICE))
async def quiet(message: Message, turn: Turn) -> Reply:
    """Games and service notes need no reply."""
    return []


@router.message()
async def other(message: Message, turn: Turn) -> Reply:
    """A picture, voice, file, sticker or place: what we can do with it, and what helps instead."""
    key = NAMES.get(ContentType(message.content_type), "kind.other")
    return turn.say(turn.words(key), keyboards.menu(turn.lang))


@router.my_chat_member()
async def membership(event: ChatMemberUpdated, turn: Turn) -> Reply:
    """Blocked: the contact is lost until it writes again. Unblocked: parked answers go out."""
    if event.chat.type != "private":
        return []
    if event.new_chat_member.status in ("kicked", "left"):
        turn.contact.state = ContactState.LOST
    elif turn.contact.state is not ContactState.SILENCED:
        turn.contact.state = ContactState.ACTIVE
        await outbox.unpark(turn.session, turn.contact, now=turn.now)
        ring_after_commit(turn.session, outbox.DUE_TOPIC)
    return []
