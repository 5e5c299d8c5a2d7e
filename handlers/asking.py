"""What happens to a question: answered, offered as a choice, or written down and owed an answer."""

from __future__ import annotations

from datetime import timedelta
from html import escape

from rapidfuzz import fuzz
from sqlalchemy import select

from handlers import keyboards, speech
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.gate import Gate, gate, in_our_field, is_question
from knowledge.match import Hit, Miss, Near, Outcome
from knowledge.text import normalise, split_questions
from knowledge.versions import Audience, EntryVersion
from office.words import say
from ticketing import ledgers, queue, tickets
from ticketing.ledgers import Enquiry
from ticketing.ledgers import Outcome as Ended
from ticketing.records import Ticket, TicketKind, UnansweredReason

FRAGMENT_SPAN = timedelta(seconds=5)
FRAGMENT = 14
SAME_QUESTION = 70
LONGEST_INPUT = 6000
ENGLISH = "en"


async def ask(turn: Turn, words: str) -> Reply:
    """Answer a message of free text; `words` are redacted."""
    stopped = gate(words)
    if stopped is not None:
        return await _stopped(turn, words, stopped)
    questions = split_questions(words)
    if len(questions) > 1:
        return await _several(turn, questions)
    joined = await _earlier_piece(turn)
    outcome = await _match(turn, words)
    if joined is not None and not isinstance(outcome, Hit):
        together = f"{joined.words}，{words}"
        outcome_together = await _match(turn, together)
        if not isinstance(outcome_together, Miss) or joined.pending_until is not None:
            joined.words, joined.pending_until = together, None
            return await _carry_out(turn, joined, outcome_together)
    enquiry = await _record(turn, words, outcome)
    return await _carry_out(turn, enquiry, outcome)


async def deliver(turn: Turn, enquiry: Enquiry, entry_id: int) -> Reply:
    """Send the answer in force of an entry; without one the question becomes a ticket."""
    found = await answers.published(turn.session, entry_id, office=turn.district, now=turn.now)
    if found is None:
        return await owe(turn, enquiry)
    await answers.given(turn.session, turn.contact, found, now=turn.now)
    enquiry.entry_id, enquiry.entry_version_id = found.entry_id, found.version_id
    enquiry.topic = (await turn.session.get_one(EntryVersion, found.version_id)).topic
    enquiry.outcome = enquiry.outcome or Ended.AUTO
    text = speech.answer(found, turn.lang, brief=turn.contact.text_size != "standard")
    reply = turn.say(text, keyboards.after_answer(turn.lang, enquiry.id))
    if not found.confirmed:
        ticket, fresh = await write_down(turn, enquiry, why=UnansweredReason.NEEDS_SUPERIOR)
        key = "unconfirmed" if fresh else "appended"
        reply += turn.say(speech.ticket_opened(ticket, turn.lang, key=key))
    return reply


async def owe(
    turn: Turn,
    enquiry: Enquiry,
    *,
    key: str = "miss",
    asked_for_person: bool = False,
    kind: TicketKind = TicketKind.ENQUIRY,
    why: UnansweredReason = UnansweredReason.NO_ENTRY,
    urgent: bool = False,
) -> Reply:
    """Open a ticket for an enquiry, or join the asker's open one, and say number, code and time."""
    ticket, fresh = await write_down(
        turn, enquiry, asked_for_person=asked_for_person, kind=kind, why=why, urgent=urgent
    )
    text = speech.ticket_opened(ticket, turn.lang, key=key if fresh else "appended")
    upcoming = turn.desk.hours.next_open(turn.now)
    if fresh and not turn.desk.hours.is_open(turn.now) and upcoming is not None:
        text += "\n" + turn.words("off_hours", next=speech.spoken_time(upcoming))
    return turn.say(text, keyboards.person_or_menu(turn.lang) if not asked_for_person else None)


async def write_down(
    turn: Turn,
    enquiry: Enquiry,
    *,
    asked_for_person: bool = False,
    kind: TicketKind = TicketKind.ENQUIRY,
    why: UnansweredReason = UnansweredReason.NO_ENTRY,
    urgent: bool = False,
) -> tuple[Ticket, bool]:
    """The ticket for an enquiry, and whether it is new; the same question of the same asker joins."""
    enquiry.pending_until = None
    if enquiry.ticket_id is not None:
        return await tickets.get(turn.session, enquiry.ticket_id), False
    if kind is TicketKind.ENQUIRY and (same := await _same_question(turn, enquiry.words)):
        await tickets.append(turn.session, same, enquiry.words, now=turn.now, event_id=enquiry.event_id)
        enquiry.ticket_id, enquiry.outcome = same.id, Ended.TICKETED
        return same, False
    ticket = await tickets.open_ticket(
        turn.session, turn.contact, enquiry.words, unit=turn.district, district=turn.district,
        channel=turn.contact.channel, actor=turn.actor, hours=turn.desk.hours, now=turn.now,
        topic=enquiry.topic, kind=kind, why=why, asked_for_person=asked_for_person,
        urgent=urgent or kind is TicketKind.REPORT, event_id=enquiry.event_id,
    )  # fmt: skip
    enquiry.ticket_id, enquiry.outcome = ticket.id, Ended.TICKETED
    return ticket, True


async def last_enquiry(turn: Turn, within: timedelta) -> Enquiry | None:
    """The contact's newest enquiry, if it is not older than `within`."""
    return await turn.session.scalar(
        select(Enquiry)
        .where(Enquiry.contact_id == turn.contact.id, Enquiry.at >= turn.now - within)
        .order_by(Enquiry.id.desc())
        .limit(1)
    )


async def _match(turn: Turn, words: str) -> Outcome:
    return await answers.find(
        turn.session, turn.desk.live, words, audience=Audience.VOTER, unit=turn.district, now=turn.now
    )


async def _record(turn: Turn, words: str, outcome: Outcome) -> Enquiry:
    best = outcome.candidates[0] if outcome.candidates else None
    return await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now,
        topic=best.topic if best and not isinstance(outcome, Miss) else "",
        offered=[c.entry_id for c in outcome.choices] if isinstance(outcome, Near) else (),
        probability=best.probability if best else None, event_id=turn.event_id,
    )  # fmt: skip


async def _carry_out(turn: Turn, enquiry: Enquiry, outcome: Outcome) -> Reply:
    if isinstance(outcome, Hit):
        return await deliver(turn, enquiry, outcome.candidates[0].entry_id)
    if isinstance(outcome, Near):
        enquiry.offered = [str(choice.entry_id) for choice in outcome.choices]
        questions = [await _standard_question(turn, choice.entry_id) for choice in outcome.choices]
        return turn.say(turn.words("near"), keyboards.choices(turn.lang, enquiry.id, questions))
    if not in_our_field(enquiry.words):
        # Stays an open enquiry, so that the button to a person still knows what was asked.
        return turn.say(turn.words("out_of_scope"), keyboards.person_or_menu(turn.lang))
    if len(enquiry.words) <= FRAGMENT and not is_question(enquiry.words):
        open_tickets = await queue.of_asker(turn.session, turn.contact, only_open=True)
        if not open_tickets:
            enquiry.pending_until = turn.now + FRAGMENT_SPAN
            return turn.say(turn.words("go_on"))
    return await owe(turn, enquiry)


async def _several(turn: Turn, questions: list[str]) -> Reply:
    reply = turn.say(turn.words("several", count=len(questions)))
    for number, question in enumerate(questions, start=1):
        outcome = await _match(turn, question)
        enquiry = await _record(turn, question, outcome)
        part = await _carry_out(turn, enquiry, outcome)
        head = f"{number}/{len(questions)} {escape(question[:60])}"
        reply += turn.say(head) + part
    return reply


async def _earlier_piece(turn: Turn) -> Enquiry | None:
    """What the same person wrote a moment ago and was not answered yet: perhaps the first half."""
    last = await last_enquiry(turn, FRAGMENT_SPAN)
    if last is None or last.outcome is not None:
        return None
    return last


async def _same_question(turn: Turn, words: str) -> Ticket | None:
    lexicon = answers.lexicon()
    asked = normalise(words, lexicon)
    for ticket in await queue.of_asker(turn.session, turn.contact, only_open=True):
        if fuzz.ratio(asked, normalise(ticket.words, lexicon)) >= SAME_QUESTION:
            return ticket
    return None


async def _standard_question(turn: Turn, entry_id: int) -> str:
    found = await answers.published(turn.session, entry_id, office=turn.district, now=turn.now)
    return found.question if found else turn.words("button.none_of_these")


async def _stopped(turn: Turn, words: str, kind: Gate) -> Reply:
    # Kept as an open enquiry in any case, so that the button to a person still knows what was asked.
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
    )
    lang = ENGLISH if kind is Gate.OTHER_LANGUAGE else turn.lang
    text = say(f"gate.{kind.value}", lang, phone=turn.district.phone, office=turn.district.office_name)
    if kind not in (Gate.DISTRESS, Gate.REPORT):
        return turn.say(text, keyboards.person_or_menu(lang))
    return turn.say(text) + await owe(
        turn, enquiry, key="ticket.person", asked_for_person=True, why=UnansweredReason.RESTRICTED,
        kind=TicketKind.REPORT if kind is Gate.REPORT else TicketKind.ENQUIRY,
        urgent=kind is Gate.DISTRESS,
    )  # fmt: skip
