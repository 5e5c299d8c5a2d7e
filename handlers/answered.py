"""What an asker says of an answer that a person gave: the verdict, and what is still unclear about it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from aiogram import F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.filters import Filter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.methods import AnswerCallbackQuery, EditMessageReplyMarkup
from aiogram.types import CallbackQuery, Message

from handlers import asking, cases, mine, owing, own_matter, speech
from handlers.callbacks import Op, Tap
from handlers.plain_words import calls_off, choice, meaning, refuses, says_something, unclear
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.features import form
from knowledge.gate import Gate, gate, in_our_field, is_question
from knowledge.match import Hit
from knowledge.text import is_greeting
from office.errors import Conflict, NotFound
from ticketing import intake, queue, tickets, verdicts
from ticketing.ledgers import Outcome
from ticketing.records import OPEN_STATES, FollowUp, Ticket, TicketState

router = Router(name="answered")

SOON = asking.JUST_NOW
# After the first message only what can hardly be read without it goes on with it, and not for long.
GOES_ON = timedelta(minutes=5)
_ANSWERS = {"yes": FollowUp.SOLVED, "no": FollowUp.NOT_SOLVED, "none": FollowUp.NO_COMMENT}
_TOLD = (TicketState.ANSWERED, TicketState.CLOSED)
_NOT_SOLVED = re.compile(
    r"^\s*(?:还是|仍然|仍)?(?:还没有?|没有?|未)(?:解决|弄明白|搞懂)[^吗么？?]*[，,。.!！、\s]\S"
    r"|^\s*还没有[，,。!！、\s]+\S"
    r"|^\s*我?(?:还是|仍然|仍|还)(?:不太?|没太?|没有|[弄搞看听]不)(?:清楚|明白|懂|理解|[看听弄搞]懂)"
    r"[^吗么？?]*[，,。.!！、\s]\S"
)
_POINTS_BACK = re.compile(
    r"^\s*(?:那(?!边|里|天|位|个人)|这(?:个|样|种)|上面|刚才|[您你]们?(?:刚才)?(?:说|讲|答)的)"
)


class StillUnclear(StatesGroup):
    """The next message says what an answer has left unclear. A hint only: a lost one costs a tap."""

    waiting = State()


@router.callback_query(Tap.filter(F.op == Op.FOLLOW_UP))
async def follow_up(query: CallbackQuery, callback_data: Tap, turn: Turn, state: FSMContext) -> Reply:
    """解决了, 还没有 or 不方便评价 under an answer; the answer itself stays as it was sent."""
    try:
        ticket = await tickets.get(turn.session, callback_data.row)
    except NotFound as error:
        raise NotFound("expired_button") from error
    if ticket.contact_id != turn.contact.id:
        raise NotFound("expired_button")
    said = _ANSWERS.get(callback_data.arg)
    if said is None or int(callback_data.stamp, 36) != ticket.conclusion_no:
        toast = AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("stale_card"))
        return [toast, *turn.say(await mine.shown(turn, ticket))]
    reply = await _say_so(turn, ticket, said, state)
    if not reply:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    words = turn.words("reopened" if said is FollowUp.NOT_SOLVED else "thanks")
    first: Reply = [AnswerCallbackQuery(callback_query_id=query.id, text=words)]
    if isinstance(query.message, Message):
        first.append(EditMessageReplyMarkup(chat_id=turn.chat_id, message_id=query.message.message_id))
    return first + (reply if said is FollowUp.NOT_SOLVED else [])


async def verdict(turn: Turn, said: str, state: FSMContext) -> Reply:
    """The word on the newest answer that came from a person; nothing if there is none to be had."""
    ticket = await _answered(turn)
    if ticket is None:
        return []
    try:
        return await _say_so(turn, ticket, _ANSWERS[said], state)
    except Conflict:
        return []


async def is_newest(turn: Turn) -> bool:
    """Whether a person has answered since the base did, so that what is said is said of that answer."""
    return await _spoken_of(turn) is not None


async def _answered(turn: Turn) -> Ticket | None:
    """The asker's ticket with the newest answer of a person, also one that was joined to another's."""
    for ticket in await queue.of_asker(turn.session, turn.contact):
        lead = await queue.standing(turn.session, ticket)
        told = lead is ticket or lead.contact_id != ticket.contact_id
        if told and lead.state in _TOLD:
            return ticket
    return None


async def _spoken_of(turn: Turn) -> Ticket | None:
    """The ticket a person has answered, unless the base has answered something since."""
    ticket = await _answered(turn)
    if ticket is None:
        return None
    at = (await queue.standing(turn.session, ticket)).answered_at
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    newer = last is not None and last.outcome is Outcome.AUTO and (at is None or last.at > at)
    return None if newer else ticket


class SaysMore(Filter):
    """Passes what can only be said of the answer a person gave, with that ticket."""

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        words = (message.text or "").strip()
        if not words or words.startswith("/"):
            return False
        plainly = _NOT_SOLVED.match(words) is not None or unclear(words)
        if not plainly and not _may_go_on(words):
            return False
        ticket = await _spoken_of(turn)
        if ticket is None or not (plainly or await _right_after(turn, ticket, words)):
            return False
        return {"ticket": ticket}


@router.message(StillUnclear.waiting, F.text, ~F.text.startswith("/"))
async def explained(message: Message, turn: Turn, state: FSMContext) -> Reply:
    """What was asked for after 还没有: it stands in the ticket, whatever the base would make of it."""
    words = (message.text or "").strip()
    held = await state.get_data()
    before, since = bool(held.get("said")), str(held.get("since", ""))
    ticket = await _waiting(turn, int(held.get("ticket", 0)))
    if ticket is None or since < (turn.now - (GOES_ON if before else SOON)).isoformat():
        await state.clear()
        raise SkipHandler
    if meaning(words) == "again":
        return turn.say(turn.words("still_unclear"))
    stopped = gate(words[: asking.LONGEST_MATCHED])
    if meaning(words) == "thanks" or is_greeting(words) or stopped is Gate.ABUSE or not says_something(words):
        raise SkipHandler
    if len(words) > asking.LONGEST_INPUT:
        return turn.say(turn.words("too_long", most=asking.LONGEST_INPUT))
    other = meaning(words) is not None or stopped in (Gate.DISTRESS, Gate.REPORT)
    other = other or (own_matter.complains(words) and not own_matter.complains(ticket.words))
    if other or (before and not await _goes_on(turn, ticket, words)):
        await state.clear()
        raise SkipHandler
    await intake.append(turn.session, ticket, words, now=turn.now, event_id=turn.event_id)
    if unclear(words):
        return turn.say(turn.words("still_unclear"))
    await state.set_data({"ticket": ticket.id, "since": turn.now.isoformat(), "said": True})
    return owing.noted(turn, ticket, "appended")


@router.message(SaysMore())
async def not_solved_yet(message: Message, turn: Turn, ticket: Ticket, state: FSMContext) -> Reply:
    """还没有解决，停车费多少: the ticket is open again, and what was added stands in it."""
    words = message.text or ""
    try:
        reply = await _say_so(turn, ticket, FollowUp.NOT_SOLVED, state, said=not unclear(words))
    except Conflict:
        raise SkipHandler from None  # closed too long ago: it is a new question
    if not reply:
        raise SkipHandler
    await intake.append(turn.session, ticket, words, now=turn.now, event_id=turn.event_id)
    return reply


async def _waiting(turn: Turn, ticket_id: int) -> Ticket | None:
    """The open ticket of this number, if it is the asker's."""
    own = await queue.of_asker(turn.session, turn.contact)
    return next((one for one in own if one.id == ticket_id and one.state in OPEN_STATES), None)


def _may_go_on(words: str) -> bool:
    """Whether the words could be a question about something said before; without a look at the database."""
    if len(words) > asking.LONGEST_MATCHED or not is_question(words) or not says_something(words):
        return False
    command = meaning(words) is not None or choice(words) is not None or refuses(words) or calls_off(words)
    return not command and gate(words) is None


async def _right_after(turn: Turn, ticket: Ticket, words: str) -> bool:
    """Whether the words come soon after the answer, or after the question about it, and go on from there."""
    lead = await queue.standing(turn.session, ticket)
    if FollowUp.SOLVED in (ticket.follow_up, lead.follow_up):
        return False
    spoken = [at for at in (lead.answered_at, lead.follow_up_asked_at) if at is not None]
    return bool(spoken) and max(spoken) >= turn.now - SOON and await _goes_on(turn, ticket, words)


async def _goes_on(turn: Turn, ticket: Ticket, words: str) -> bool:
    """Whether a question takes up the ticket or its answer, or is no question of ours without them.

    What the base answers surely is a question of its own.
    """
    if not _may_go_on(words):
        return False
    lead = await queue.standing(turn.session, ticket)
    about = own_matter.takes_up(words, f"{ticket.words}。{lead.answer_text or ''}")
    elsewhere = in_our_field(words) or form(words, answers.lexicon()).foreign
    if elsewhere and not about and not _POINTS_BACK.match(words):
        return False
    return not isinstance(await cases.match(turn, words), Hit)


async def _say_so(
    turn: Turn, ticket: Ticket, word: FollowUp, state: FSMContext, *, said: bool = False
) -> Reply:
    """Take the word on an answer; who is not content is asked what is unclear, unless that is `said`."""
    changed = await verdicts.follow_up(
        turn.session,
        ticket,
        word,
        contact=turn.contact,
        actor=turn.actor,
        hours=turn.hours,
        now=turn.now,
    )
    if not changed:
        return []
    if word is not FollowUp.NOT_SOLVED:
        return turn.say(turn.words("thanks"))
    await state.set_state(StillUnclear.waiting)
    await state.set_data({"ticket": ticket.id, "since": turn.now.isoformat(), "said": said})
    text = f"{turn.words('reopened')}\n{speech.progress(ticket, turn.lang)}"
    return turn.say(text if said else f"{text}\n{turn.words('still_unclear')}")
