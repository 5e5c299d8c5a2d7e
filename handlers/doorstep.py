"""At the doorstep: a few words of staff give three hits, a tap the whole answer, ready to be passed on.

Staff see what is written for them as well; a resident is never handed any of that.
"""

from __future__ import annotations

import re
from html import escape

from aiogram import F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup, Message

from handlers import keyboards, platform, speech, staff_chat
from handlers.callbacks import Op, Tap, tap
from handlers.cases import LONGEST_MATCHED, known
from handlers.staff_chat import OnStaff
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge import calendar, shelf
from knowledge.answer import Answer
from knowledge.match import Hit, Outcome
from knowledge.versions import Audience, Entry, EntryVersion, by_number
from office import redact, units
from office.errors import NotFound
from office.staff import Staff
from ticketing import ledgers
from ticketing.ledgers import Enquiry
from ticketing.ledgers import Outcome as Ended

router = Router(name="doorstep")

HITS = 3
# Below this an entry has next to nothing of what was said.
FAINT = 0.02
# The limit of a copy button: what does not fit is cut at a sentence.
LONGEST_COPY = 256
COMPACT = 44
_NUMBER = re.compile(r"[Kk]?-?([0-9]{4,6})")
_SENTENCE_END = re.compile(r"(?<=[。！？；!?;])")


@router.message(Command("k"))
async def by_command(message: Message, command: CommandObject, turn: Turn) -> Reply:
    """`/k` with words or with an entry's number."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "entries")
    words = (command.args or "").strip()
    if not words:
        return turn.say(turn.words("doorstep.how"))
    if (number := _NUMBER.fullmatch(words)) is not None:
        return await _numbered(turn, f"K-{number[1]}")
    return await search(turn, person, words)


@router.message(
    CommandStart(), F.text.regexp(r"/start(?:@\w+)?\s+k_[0-9]{4,6}(?:__[0-9a-z]{1,8})?"), OnStaff()
)
async def by_link(message: Message, command: CommandObject, turn: Turn, person: Staff) -> Reply:
    """The link to an entry, followed by somebody who may read those for staff too."""
    return await _numbered(turn, f"K-{(command.args or '').partition('__')[0].removeprefix('k_')}")


async def search(turn: Turn, person: Staff, words: str) -> Reply:
    """Three compact hits with their numbers; an error of the platform leads on to its own questions."""
    words = words.strip()[:LONGEST_MATCHED]
    outcome = await matched(turn, person, words)
    found = [hit for hit in outcome.candidates[: HITS * 2] if hit.probability >= FAINT]
    shown = [answer for hit in found if (answer := await _published(turn, hit.entry_id)) is not None][:HITS]
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id,
        topic=shown[0].topic if shown else "", offered=[answer.entry_id for answer in shown],
        probability=found[0].probability if found else None,
    )  # fmt: skip
    enquiry.unit_id = person.unit_id
    if platform.about(words) or (shown and platform.is_topic(shown[0].topic)):
        if isinstance(outcome, Hit) and shown and platform.is_topic(shown[0].topic):
            return await show(turn, shown[0], enquiry, platform.not_solved(turn, enquiry))
        if not shown:
            return platform.modules(turn, enquiry)
    if not shown:
        return turn.say(turn.words("doorstep.nothing"), keyboards.person_or_menu(turn.lang))
    return turn.say(_lines(turn, shown), _choices(turn, shown, enquiry, platform.about(words)))


async def matched(turn: Turn, person: Staff, words: str) -> Outcome:
    """What the whole base has for these words, seen from the person's own unit."""
    return await answers.find(
        turn.session, turn.desk.live, words.replace(redact.PLACEHOLDER, " "), audience=Audience.STAFF,
        unit=await units.get(turn.session, person.unit_id), now=turn.now, facts=await known(turn, words),
    )  # fmt: skip


def _lines(turn: Turn, shown: list[Answer]) -> str:
    lines = [turn.words("doorstep.hits")]
    for number, found in enumerate(shown, start=1):
        short = found.short.replace("\n", " ")
        short = short if len(short) <= COMPACT else short[: COMPACT - 1] + "…"
        lines.append(f"{number}. <b>{found.entry_no}</b> {escape(found.question)}\n   👉 {escape(short)}")
    return "\n".join(lines)


def _choices(turn: Turn, shown: list[Answer], enquiry: Enquiry, on_platform: bool) -> InlineKeyboardMarkup:
    hits = [
        keyboards.button(found.entry_no, tap(Op.ENTRY, enquiry.id, arg=str(number)))
        for number, found in enumerate(shown)
    ]
    other = keyboards.button(turn.words("menu.human"), tap(Op.HUMAN))
    if on_platform:
        other = keyboards.button(turn.words("platform.button.none"), tap(Op.PLATFORM, enquiry.id))
    return keyboards.rows(hits, [other])


@router.callback_query(Tap.filter(F.op == Op.ENTRY))
async def opened(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """One of the hits, whole."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "entries")
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if not 0 <= callback_data.number < len(enquiry.offered):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    found = await _published(turn, int(enquiry.offered[callback_data.number]))
    if found is None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    return [AnswerCallbackQuery(callback_query_id=query.id), *await show(turn, found, enquiry)]


async def show(turn: Turn, found: Answer, enquiry: Enquiry | None, *more: InlineKeyboardButton) -> Reply:
    """An answer in full for staff: copy it, pass it on, or say that it did not help."""
    if enquiry is not None:
        enquiry.entry_id, enquiry.entry_version_id = found.entry_id, found.version_id
        enquiry.topic, enquiry.outcome = found.topic, enquiry.outcome or Ended.AUTO
        await answers.given(turn.session, turn.contact, found, now=turn.now)
    public = await is_public(turn, found)
    copy = InlineKeyboardButton(
        text=turn.words("doorstep.button.copy"), copy_text=CopyTextButton(text=copied(found.short))
    )
    first = [copy]
    if public:
        first.append(keyboards.button(turn.words("doorstep.button.send"), tap(Op.COPY, found.entry_id)))
    text = speech.answer(found, turn.lang)
    if not public:
        text = f"<b>{turn.words('doorstep.internal')}</b>\n{text}"
    reply = turn.say(text, keyboards.rows(first, list(more)) if more else keyboards.rows(first))
    return reply if public else [kept_here(method) for method in reply]


def kept_here(method: object) -> SendMessage:
    """The message, protected: what is written for staff is not forwarded by a slip of the finger."""
    assert isinstance(method, SendMessage)
    return method.model_copy(update={"protect_content": True})


def copied(text: str) -> str:
    """As many whole sentences as a copy button holds, at most 256 characters."""
    if len(text) <= LONGEST_COPY:
        return text
    kept = ""
    for sentence in _SENTENCE_END.split(text):
        if len(kept) + len(sentence) > LONGEST_COPY:
            break
        kept += sentence
    return kept or text[: LONGEST_COPY - 1] + "…"


@router.callback_query(Tap.filter(F.op == Op.COPY))
async def for_resident(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """The answer as a plain message to forward; an entry for staff never leaves this way."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "entries")
    found = await _published(turn, callback_data.row)
    if found is None or not await is_public(turn, found):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("doorstep.not_public"))]
    toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("doorstep.forward"))
    return [toast, *turn.say(speech.answer(found, turn.lang))]


async def is_public(turn: Turn, found: Answer) -> bool:
    """Whether anybody may read this answer: written for voters, and confirmed."""
    version = await turn.session.get_one(EntryVersion, found.version_id)
    if version.audience is not Audience.VOTER or not found.confirmed:
        return False
    entry = await turn.session.get_one(Entry, found.entry_id)
    return await shelf.is_public(turn.session, entry, today=calendar.today(turn.now))


async def _numbered(turn: Turn, entry_no: str) -> Reply:
    try:
        entry = await by_number(turn.session, entry_no)
    except NotFound:
        return turn.say(turn.words("doorstep.no_number", no=entry_no))
    found = await _published(turn, entry.id)
    if found is None:
        return turn.say(turn.words("doorstep.no_number", no=entry_no))
    return await show(turn, found, None)


async def _published(turn: Turn, entry_id: int) -> Answer | None:
    return await answers.published(turn.session, entry_id, office=turn.district, now=turn.now)
