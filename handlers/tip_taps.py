"""Work tips in group chats: 已阅, 全文, 有疑问 under a card, and tips asked for by number.

A tap counts for the group it is made in: a card that was forwarded elsewhere is nothing to sign there.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import Any, Final

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.filters import Command, CommandObject, Filter
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import (
    CallbackQuery,
    ForceReply,
    InlineKeyboardMarkup,
    Message,
    ReplyParameters,
    User,
)

from handlers import asking, private_answer, speech, staff_chat, tip_reading
from handlers.callbacks import Op, Tap
from handlers.owing import opened
from handlers.plain_words import says_something
from handlers.turn import Reply, Turn
from knowledge import tip_numbers, tip_receipts, tip_words, tips
from knowledge.gate import gate
from knowledge.tip_receipts import Receipt, ReceiptWay
from knowledge.tips import WorkTip
from office import chat_groups, staff, units
from office.chat_groups import Group
from office.staff import Staff
from ticketing import tip_places, tip_posts, tip_questions
from ticketing.tip_places import Place

router = Router(name="tip_taps")

_GROUP: Final = {ChatType.GROUP, ChatType.SUPERGROUP}
WHOLE_EVERY: Final = timedelta(minutes=10)
"""The whole text stands in a group already if somebody asked for it so lately."""
PROMPT: Final = "❓"


@router.callback_query(Tap.filter(F.op == Op.TIP_READ))
async def read(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """已阅: the unit's receipt, by somebody of the unit; a second tap is told of the first."""
    place, person = await _here(turn, callback_data.row), await staff_chat.staff_of(turn)
    if place is None or person is None:
        await staff_chat.refused(turn, "tip_receipt")
        return [_toast(query, turn.words("tip_receipt.outsider"))]
    tip = await turn.session.get_one(WorkTip, place.post.tip_id)
    receipt, new = await tip_receipts.acknowledge(
        turn.session, tip, place.unit, person=person, way=ReceiptWay.GROUP, now=turn.now
    )
    if not new:
        return [_toast(query, await _signed_before(turn, receipt, person, place))]
    # Whoever tapped sees it counted; the other groups follow with the next minute.
    await tip_posts.recount(turn.session, now=turn.now, group_id=place.group.id)
    return [_toast(query, turn.words("tipchat.signed", unit=place.unit.name))]


async def _signed_before(turn: Turn, receipt: Receipt, person: Staff, place: Place) -> str:
    at = tip_receipts.when(receipt, turn.now)
    if receipt.staff_id == person.id:
        return turn.words("tipchat.signed_already", time=at)
    who = staff.mask_name(receipt.signer)
    return turn.words("tipchat.signed_by", time=at, who=who, unit=place.unit.name)


@router.callback_query(Tap.filter(F.op == Op.TIP_TEXT))
async def text(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """全文, as a reply to the card; once in a while is enough for a whole group."""
    tip, group = await _readable(turn, callback_data.row)
    if tip is None:
        return [_toast(query, turn.words("tip_receipt.outsider"))]
    key = f"tip_text:{turn.chat_id}:{tip.id}"
    if turn.chat_id < 0 and not turn.sparing.first_in(key, WHOLE_EVERY, turn.now):
        return [_toast(query, turn.words("tipchat.stands_above"))]
    reply = await tip_reading.whole(turn, tip, group)
    return [_toast(query), *(_in_place(method, query) for method in reply)]


@router.callback_query(Tap.filter(F.op == Op.TIP_QUESTION))
async def question(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """有疑问: whoever tapped is asked to reply to a message, and the reply becomes the question."""
    tip, _ = await _readable(turn, callback_data.row)
    if tip is None:
        return [_toast(query, turn.words("tip_receipt.outsider"))]
    prompt = turn.words("tipchat.ask", number=tip_words.number(tip), who=_mention(query.from_user))
    asked = SendMessage(
        chat_id=turn.chat_id, text=f"{PROMPT} {prompt}",
        reply_markup=ForceReply(selective=True, input_field_placeholder=turn.words("tipchat.ask_field")),
    )  # fmt: skip
    return [_toast(query), _in_place(asked, query, reply=False)]


class AboutTip(Filter):
    """Passes a text in reply to our request for a question, with the number of the tip it names.

    The request was written by us, but comes back from outside: whether the tip may be read is asked again.
    """

    async def __call__(self, message: Message, bot: Bot) -> bool | dict[str, Any]:
        replied = message.reply_to_message
        if replied is None or replied.from_user is None or replied.from_user.id != bot.id or not message.text:
            return False
        words = replied.text or ""
        if not words.startswith(PROMPT) or message.text.startswith("/") or not tip_numbers.find(words):
            return False
        return {"about": words}


@router.message(AboutTip())
async def asked(message: Message, turn: Turn, about: str, bot: Bot) -> Reply:
    """The question becomes a ticket linked to the tip; in a group no code is said, which opens the answer."""
    if message.sender_chat is not None:
        return _replied(turn, message, turn.words("group.anonymous_act"))
    tip = await tips.numbered(turn.session, about)
    found = await _readable(turn, tip.id) if tip is not None else (None, None)
    if found[0] is None or tip is None:
        return _replied(turn, message, turn.words("tipchat.unknown"))
    words = (message.text or "").strip()
    if not says_something(words) or len(words) > asking.LONGEST_INPUT:
        key = "too_long" if words and len(words) > asking.LONGEST_INPUT else "tipchat.ask_more"
        return _replied(turn, message, turn.words(key, most=asking.LONGEST_INPUT))
    way = private_answer.way(turn, (await bot.me()).username or "") if turn.chat_id < 0 else None
    if gate(words[: asking.LONGEST_MATCHED]) is not None:
        # Nothing about people is taken up before others.
        if turn.chat_id > 0:
            return await asking.ask(turn, words)
        return _replied(turn, message, turn.words("group.private"), way)
    person, group = await staff_chat.staff_of(turn), found[1]
    home = person.unit_id if person is not None else group.row.unit_id if group else turn.district.id
    ticket = await tip_questions.ask(
        turn.session, tip, words, contact=turn.contact, unit=await units.get(turn.session, home),
        actor=turn.actor, hours=turn.hours, now=turn.now, event_id=turn.event_id,
    )  # fmt: skip
    if turn.chat_id > 0:
        return opened(turn, ticket, "ticket.person")
    promise = speech.spoken_time(ticket.promised_at, turn.lang)
    text = turn.words("tipchat.asked", number=tip_words.number(tip), no=ticket.ticket_no, promise=promise)
    return _replied(turn, message, text, way)


@router.message(F.chat.type.in_(_GROUP), Command("tip", "tips"))
async def by_command(message: Message, command: CommandObject, turn: Turn) -> Reply:
    """/tip in a group: the latest that may be read there, or one by its number."""
    group = await chat_groups.group_of(turn.session, turn.chat_id)
    if group is not None and group.silent:
        return []
    words = (command.args or "").strip()
    if not words:
        return await tip_reading.latest(turn, group)
    number = tip_reading.argument(words)
    if number is None:
        return turn.say(turn.words("tipchat.how"))
    return await tip_reading.numbered(turn, number, group)


async def named(turn: Turn, words: str, group: Group) -> Reply | None:
    """The reply to words in a group that ask for a tip; None for all others."""
    if tip_reading.list_meant(words):
        return await tip_reading.latest(turn, group)
    number = tip_reading.meant(words)
    return await tip_reading.numbered(turn, number, group) if number else None


async def _here(turn: Turn, tip_id: int) -> Place | None:
    """Where this tip hangs in the chat of the tap; None where it does not, as under a forwarded card."""
    group = await chat_groups.group_of(turn.session, turn.chat_id)
    return await tip_places.in_group(turn.session, tip_id, group.row) if group and group.bound else None


async def _readable(turn: Turn, tip_id: int) -> tuple[WorkTip | None, Group | None]:
    group = await chat_groups.group_of(turn.session, turn.chat_id) if turn.chat_id < 0 else None
    tip = await turn.session.get(WorkTip, tip_id)
    if tip is None or not await tip_reading.visible(turn, tip, group):
        return None, group
    return tip, group


def _toast(query: CallbackQuery, words: str = "") -> AnswerCallbackQuery:
    return AnswerCallbackQuery(callback_query_id=query.id, text=words[:200] or None)


def _mention(person: User) -> str:
    """Who is asked, so that the field opens for nobody else in the group."""
    return f'<a href="tg://user?id={person.id}">{escape(person.first_name[:40])}</a>'


def _in_place(method: Any, query: CallbackQuery, *, reply: bool = True) -> Any:
    """In the topic of the card, and as a reply to it."""
    card = query.message
    if not isinstance(method, SendMessage) or not isinstance(card, Message):
        return method
    more: dict[str, Any] = {}
    if card.is_topic_message:
        more["message_thread_id"] = card.message_thread_id
    if reply:
        more["reply_parameters"] = ReplyParameters(
            message_id=card.message_id, allow_sending_without_reply=True
        )
    return method.model_copy(update=more)


def _replied(turn: Turn, message: Message, words: str, buttons: InlineKeyboardMarkup | None = None) -> Reply:
    return [
        SendMessage(
            chat_id=turn.chat_id, text=words, reply_to_message_id=message.message_id, reply_markup=buttons
        )
    ]
