"""What happens to a question: answered, offered as a choice, or written down and owed an answer."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from aiogram.methods import SendMessage
from sqlalchemy import select

from handlers import cases, dates, english_pages, keyboards, lookup_keyboards, own_matter, speech
from handlers.cases import LONGEST_MATCHED as LONGEST_MATCHED
from handlers.owing import added_to as added_to
from handlers.owing import noted, same_question
from handlers.owing import open_ticket_of as open_ticket_of
from handlers.owing import owe as owe
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.gate import WHOLE, Gate, gate, in_our_field, is_question
from knowledge.match import Hit, Miss, Near, Outcome
from knowledge.text import is_latin, split_questions
from office.words import say
from ticketing import clusters, intake, ledgers
from ticketing.ledgers import Enquiry
from ticketing.ledgers import Outcome as Ended
from ticketing.numbers import find_ticket_no
from ticketing.records import TicketKind, UnansweredReason
from ticketing.restricted import HIDDEN

FRAGMENT_SPAN = timedelta(seconds=5)
FRAGMENT = 14
JUST_NOW = timedelta(minutes=30)
# Below this even the best entry says little; a statement is then rather a detail than a new question.
FAINT = 0.3
LONGEST_INPUT = 6000
ENGLISH = "en"
# Where one registers depends on who asks: these the wizard answers case by case.
OWN_CASE = frozenset(
    {"reg_where_hukou", "reg_where_work", "reg_where_retired", "reg_where_student", "reg_migrant",
     "reg_separation", "reg_other"}
)  # fmt: skip


async def ask(turn: Turn, words: str) -> Reply:
    """Answer a message of free text; `words` are redacted."""
    stopped = gate(words[:LONGEST_MATCHED])
    if stopped in WHOLE:
        return await _stopped(turn, words, stopped)
    last = await last_enquiry(turn, JUST_NOW)
    if last is not None and (entry_id := await cases.told(turn, last, words)) is not None:
        return await deliver(turn, last, entry_id)
    if last is not None and (facts := cases.added(last, words)):
        return await _again(turn, last, f"{last.words}，{words}", await cases.match(turn, last.words, facts))
    # A message longer than what is matched is a story, however many questions stand in it.
    questions = split_questions(words) if len(words) <= LONGEST_MATCHED else []
    if len(questions) > 1:
        return await _several(turn, questions)
    if stopped is not None:
        return await _stopped(turn, words, stopped)
    if (on_day := await dates.on_day(turn, words)) is not None:
        return on_day
    outcome = await cases.match(turn, words)
    piece = await _earlier_piece(turn, words)
    if piece is not None:
        return await _joined(turn, piece, words, outcome)
    return await _alone(turn, words, outcome)


async def deliver(turn: Turn, enquiry: Enquiry, entry_id: int) -> Reply:
    """Send the answer in force of an entry; without one the question becomes a ticket."""
    enquiry.pending_until = None
    found = await answers.published(turn.session, entry_id, office=turn.district, now=turn.now)
    if found is None:
        return await owe(turn, enquiry)
    await answers.given(turn.session, turn.contact, found, now=turn.now)
    enquiry.entry_id, enquiry.entry_version_id = found.entry_id, found.version_id
    enquiry.topic = found.topic
    enquiry.outcome = enquiry.outcome or Ended.AUTO
    text = speech.answer(found, turn.lang, brief=turn.large)
    own_case = found.topic in OWN_CASE
    text = await dates.echoed(turn, enquiry.words, found.topic) + text
    buttons = keyboards.after_answer(turn.lang, enquiry.id, own_case=own_case)
    buttons = lookup_keyboards.under(dates.under(turn, found, enquiry.id, buttons), found.topic, turn.lang)
    reply = turn.say(text, buttons)
    if not found.confirmed:
        reply += await owe(turn, enquiry, key="unconfirmed", why=UnansweredReason.NEEDS_SUPERIOR)
    return reply


async def last_enquiry(turn: Turn, within: timedelta) -> Enquiry | None:
    """The contact's newest enquiry, if it is not older than `within`; none that is followed up offline."""
    return await turn.session.scalar(
        select(Enquiry)
        .where(Enquiry.contact_id == turn.contact.id, Enquiry.at >= turn.now - within)
        .where(Enquiry.words != HIDDEN)
        .order_by(Enquiry.id.desc())
        .limit(1)
    )


async def _record(turn: Turn, words: str, outcome: Outcome) -> Enquiry:
    best = outcome.candidates[0] if outcome.candidates else None
    return await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now,
        topic=best.topic if best and not isinstance(outcome, Miss) else "",
        offered=[c.entry_id for c in outcome.choices] if isinstance(outcome, Near) else (),
        probability=best.probability if best else None, event_id=turn.event_id,
    )  # fmt: skip


async def _alone(turn: Turn, words: str, outcome: Outcome) -> Reply:
    """A message for itself: a detail for an open ticket if it asks nothing and belongs there."""
    ticket = await added_to(turn, words) if _tells(words) else None
    if ticket is not None:
        named = find_ticket_no(words) == ticket.ticket_no
        faint = isinstance(outcome, Near) and outcome.candidates[0].probability < FAINT
        detail = isinstance(outcome, Miss) or (faint and ticket.accepted_at >= turn.now - JUST_NOW)
        # The very wish that is owed an answer already needs no choices.
        repeats = not isinstance(outcome, Hit) and own_matter.speaks_for_itself(words)
        if named or detail or repeats:
            await intake.append(turn.session, ticket, words, now=turn.now, event_id=turn.event_id)
            return noted(turn, ticket, "appended")
    return await _carry_out(turn, await _record(turn, words, outcome), outcome)


async def _carry_out(turn: Turn, enquiry: Enquiry, outcome: Outcome) -> Reply:
    enquiry.pending_until = None
    if isinstance(outcome, Hit):
        return await deliver(turn, enquiry, outcome.candidates[0].entry_id)
    # Faint choices are no reply to a complaint of those who work here.
    of_us = own_matter.complains_of_us(enquiry.words)
    if isinstance(outcome, Near) and not (of_us and outcome.choices[0].probability < cases.LIKELY):
        # Whoever asks again what is owed already has seen the choices.
        same = await same_question(turn, enquiry.words, TicketKind.ENQUIRY)
        return await owe(turn, enquiry) if same else await _offer(turn, enquiry, outcome)
    if not of_us and not in_our_field(enquiry.words[:LONGEST_MATCHED]):
        # Stays an open enquiry, so that the button to a person still knows what was asked.
        return turn.say(turn.words("out_of_scope"), keyboards.person_or_menu(turn.lang))
    if len(enquiry.words) <= FRAGMENT and _tells(enquiry.words):
        enquiry.pending_until = turn.now + FRAGMENT_SPAN
        return turn.say(turn.words("go_on"))
    # What a cluster's answer has cited already is told at once to whoever asks the very same.
    if (known := await clusters.answered_entry(turn.session, enquiry.words, now=turn.now)) is not None:
        return await deliver(turn, enquiry, known)
    return await owe(turn, enquiry)


async def _again(turn: Turn, last: Enquiry, words: str, outcome: Outcome) -> Reply:
    """Carry out once more what was asked, now that more is known of the case; both stay one enquiry."""
    last.words = words
    return await _carry_out(turn, last, outcome)


async def _offer(turn: Turn, enquiry: Enquiry, outcome: Near) -> Reply:
    """The choices, as far as they are in force: with none of them the question is owed an answer."""
    shown: dict[int, str] = {}
    for choice in outcome.choices:
        found = await answers.published(turn.session, choice.entry_id, office=turn.district, now=turn.now)
        if found is not None:
            shown[choice.entry_id] = found.question
    if not shown:
        return await owe(turn, enquiry)
    enquiry.offered = [str(entry_id) for entry_id in shown]
    # What is probably about something else is not owed an answer.
    doubtful = cases.doubtful(enquiry.words[:LONGEST_MATCHED], outcome)
    text, labels = cases.offer(turn, outcome, list(shown.values()), doubtful=doubtful)
    own_case = any(choice.topic in OWN_CASE for choice in outcome.choices)
    keyboard = keyboards.choices(
        turn.lang, enquiry.id, len(shown), doubtful=doubtful, labels=labels, own_case=own_case
    )
    return turn.say(text, keyboard)


async def _several(turn: Turn, questions: list[str]) -> Reply:
    reply = turn.say(turn.words("several", count=len(questions)))
    for number, question in enumerate(questions, start=1):
        stopped = gate(question)
        if stopped is not None:
            part = await _stopped(turn, question, stopped)
        else:
            outcome = await cases.match(turn, question)
            part = await _carry_out(turn, await _record(turn, question, outcome), outcome)
        head = f"{number}/{len(questions)} {escape(question[:60])}"
        reply += _headed(turn, head, part)
    return reply


def _headed(turn: Turn, head: str, part: Reply) -> Reply:
    first, *others = part
    if isinstance(first, SendMessage) and len(first.text) + len(head) < speech.LONGEST_MESSAGE:
        return [first.model_copy(update={"text": f"{head}\n{first.text}"}), *others]
    return turn.say(head) + part


async def _earlier_piece(turn: Turn, words: str) -> Enquiry | None:
    """What the same person wrote a moment ago, if it and `words` can be two halves of one question.

    Two questions are never halves of one; what was answered is only added to.
    """
    last = await last_enquiry(turn, FRAGMENT_SPAN)
    if last is None or last.outcome is Ended.TICKETED or gate(last.words) is not None:
        return None
    if not _tells(words) and (last.outcome is not None or not _tells(last.words)):
        return None
    return last


async def _joined(turn: Turn, last: Enquiry, words: str, outcome: Outcome) -> Reply:
    """Two halves of one question: read together where that says more, apart where it does not."""
    together = f"{last.words}，{words}"
    both = await cases.match(turn, together)
    if last.outcome is Ended.AUTO:
        for found, said in ((both, together), (outcome, words)):
            if isinstance(found, Hit) and found.best.entry_id != last.entry_id:
                return await deliver(turn, await _record(turn, said, found), found.best.entry_id)
        # Only a few words that fit nothing are taken as a detail: anything more may be a new question.
        if not isinstance(outcome, Miss) or len(words) > FRAGMENT:
            return await _alone(turn, words, outcome)
        last.words = together
        return turn.say(turn.words("noted_together"), keyboards.after_answer(turn.lang, last.id))
    if isinstance(outcome, Hit) and not isinstance(both, Hit):
        last.pending_until = None
        return await deliver(turn, await _record(turn, words, outcome), outcome.best.entry_id)
    last.words = together
    found = outcome if isinstance(both, Miss) else both
    last.probability = found.candidates[0].probability if found.candidates else None
    return await _carry_out(turn, last, found)


def _tells(words: str) -> bool:
    # Pinyin does not show whether it asks; taken as a question, it is never put away as a detail.
    return not is_question(words) and not is_latin(words)


async def _stopped(turn: Turn, words: str, kind: Gate) -> Reply:
    # Kept as an open enquiry in any case, so that the button to a person still knows what was asked.
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
    )
    lang = ENGLISH if kind is Gate.OTHER_LANGUAGE else turn.lang
    text = say(f"gate.{kind.value}", lang, phone=turn.district.phone, office=turn.district.office_name)
    if kind is Gate.OTHER_LANGUAGE:
        return english_pages.reply(turn, text)
    if kind not in (Gate.DISTRESS, Gate.REPORT):
        return turn.say(text, keyboards.person_or_menu(lang))
    promised = await restricted(turn, enquiry, kind)
    # A time on the clock is no comfort: whoever is in distress is told whom to call now, and nothing else.
    return turn.say(text) + (promised if kind is Gate.REPORT else [])


async def restricted(turn: Turn, enquiry: Enquiry, kind: Gate) -> Reply:
    """A report, or a person in distress: to a person at once, and only to those who may see it."""
    return await owe(
        turn, enquiry, key="ticket.person", asked_for_person=True, why=UnansweredReason.RESTRICTED,
        kind=TicketKind.REPORT if kind is Gate.REPORT else TicketKind.ENQUIRY,
        urgent=kind is Gate.DISTRESS,
    )  # fmt: skip
