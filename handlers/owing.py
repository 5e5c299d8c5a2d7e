"""What is owed an answer: a question becomes a ticket, or joins the asker's open one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from handlers import gathered, keyboards, own_matter, speech
from handlers.cases import LONGEST_MATCHED
from handlers.turn import Reply, Turn
from knowledge import answer as answers
from knowledge.text import normalise
from office.errors import Conflict
from ticketing import intake, numbers, queue, restricted, tickets, verdicts
from ticketing.ledgers import Enquiry
from ticketing.ledgers import Outcome as Ended
from ticketing.records import FollowUp, Ticket, TicketKind, TicketState, UnansweredReason

SAME_QUESTION = 70


async def owe(
    turn: Turn,
    enquiry: Enquiry,
    *,
    key: str = "miss",
    asked_for_person: bool = False,
    kind: TicketKind = TicketKind.ENQUIRY,
    why: UnansweredReason = UnansweredReason.NO_ENTRY,
    urgent: bool = False,
    group: str = "",
    wizard_facts: Mapping[str, str] = intake.NO_FACTS,
) -> Reply:
    """Open a ticket for an enquiry, or join the asker's open one, and say number, code and time.

    `group` is who is to answer, and `wizard_facts` are the answers given step by step, where there are such.
    """
    enquiry.pending_until = None
    if enquiry.ticket_id is not None:
        return await _owed_already(turn, await tickets.get(turn.session, enquiry.ticket_id))
    if same := await same_question(turn, enquiry.words, kind, wizard_facts):
        await intake.append(turn.session, same, enquiry.words, now=turn.now, event_id=enquiry.event_id)
        # What was told step by step before is not lost by asking again without it.
        same.group, same.wizard_facts = group or same.group, dict(wizard_facts) or same.wizard_facts
        enquiry.ticket_id, enquiry.outcome = same.id, Ended.TICKETED
        if same.state is TicketState.OFFLINE:
            enquiry.words, same.wizard_facts = restricted.HIDDEN, {}
        return noted(turn, same, "appended")
    if appended := await gathered.again(turn, enquiry, kind):
        return appended
    ticket = await intake.open_ticket(
        turn.session, turn.contact, enquiry.words, unit=turn.district, district=turn.district,
        channel=turn.contact.channel, actor=turn.actor, hours=turn.hours, now=turn.now,
        topic=enquiry.topic, kind=kind, why=why, asked_for_person=asked_for_person,
        urgent=urgent or kind is TicketKind.REPORT, event_id=enquiry.event_id,
        group=group, wizard_facts=wizard_facts,
    )  # fmt: skip
    enquiry.ticket_id, enquiry.outcome = ticket.id, Ended.TICKETED
    return await gathered.joined(turn, ticket, key) or opened(turn, ticket, key)


def opened(turn: Turn, ticket: Ticket, key: str) -> Reply:
    """Number, code and promised time of a new ticket; outside office hours, when the office opens."""
    text = speech.ticket_opened(ticket, turn.lang, key=key)
    upcoming = turn.hours.next_open(turn.now)
    if not turn.hours.is_open(turn.now) and upcoming is not None:
        text += "\n" + turn.words("off_hours", next=speech.spoken_time(upcoming, turn.lang))
    return turn.say(text, keyboards.after_ticket(turn.lang))


async def _owed_already(turn: Turn, ticket: Ticket) -> Reply:
    """The question is in somebody's hands; one that was answered before is opened again."""
    ticket = await queue.standing(turn.session, ticket)
    if ticket.state in (TicketState.ANSWERED, TicketState.CLOSED):
        await verdicts.follow_up(
            turn.session,
            ticket,
            FollowUp.NOT_SOLVED,
            contact=turn.contact,
            actor=turn.actor,
            hours=turn.hours,
            now=turn.now,
        )
        return turn.say(f"{turn.words('reopened')}\n{speech.progress(ticket, turn.lang)}")
    return noted(turn, ticket, "ticket.already")


def noted(turn: Turn, ticket: Ticket, key: str) -> Reply:
    """Number, code and promised time of a ticket there is already; of a confidential case who will call."""
    if ticket.state is TicketState.OFFLINE:
        return turn.say(turn.words("offline", no=ticket.ticket_no))
    return turn.say(speech.ticket_opened(ticket, turn.lang, key=key), keyboards.after_ticket(turn.lang))


async def open_ticket_of(turn: Turn) -> Ticket | None:
    """The asker's newest open ticket."""
    found = await queue.of_asker(turn.session, turn.contact, only_open=True)
    return found[0] if found else await _offline(turn)


async def added_to(turn: Turn, words: str) -> Ticket | None:
    """The asker's open ticket that a statement repeats or adds to; None where it is another matter.

    A detail belongs to the newest, or to the one whose number it names; a complaint or a wish that needs no
    earlier question to be read only to one about the same, and a complaint to no question.
    """
    own = await queue.of_asker(turn.session, turn.contact, only_open=True)
    number = numbers.find_ticket_no(words)
    named = next((ticket for ticket in own if ticket.ticket_no == number), None)
    if named is not None or not own_matter.speaks_for_itself(words):
        return named or await open_ticket_of(turn)
    for ticket in own:
        reported = ticket.kind is TicketKind.REPORT and own_matter.complains(words)
        if reported or own_matter.belongs(words, ticket.words):
            return ticket
    said = await _said_offline(turn)
    return await _offline(turn) if any(own_matter.belongs(words, before) for before in said) else None


async def _offline(turn: Turn) -> Ticket | None:
    # What somebody adds while their case is followed up offline belongs to it, and out of sight.
    own = await queue.of_asker(turn.session, turn.contact)
    return next((ticket for ticket in own if ticket.state is TicketState.OFFLINE), None)


async def same_question(
    turn: Turn, words: str, kind: TicketKind, wizard_facts: Mapping[str, str] = intake.NO_FACTS
) -> Ticket | None:
    """The asker's open ticket about almost the same words, of the same kind and the same case."""
    lexicon = answers.lexicon()
    asked = normalise(words[:LONGEST_MATCHED], lexicon)
    for ticket in await queue.of_asker(turn.session, turn.contact, only_open=True):
        before = normalise(ticket.words[:LONGEST_MATCHED], lexicon)
        # Two cases in almost the same words are two questions: one's own, and that of somebody at home.
        if wizard_facts and ticket.wizard_facts and dict(wizard_facts) != ticket.wizard_facts:
            continue
        if ticket.kind is kind and fuzz.ratio(asked, before) >= SAME_QUESTION:
            return ticket
    return await _same_offline(turn, asked)


async def _same_offline(turn: Turn, asked: str) -> Ticket | None:
    """The asker's case that is handled offline, asked about again."""
    lexicon = answers.lexicon()
    known = [normalise(words[:LONGEST_MATCHED], lexicon) for words in await _said_offline(turn)]
    same = any(fuzz.ratio(asked, before) >= SAME_QUESTION for before in known)
    return await _offline(turn) if same else None


async def _said_offline(turn: Turn) -> Sequence[str]:
    """What the asker has said of a case that is handled offline: compared in memory, never shown."""
    ticket = await _offline(turn)
    try:
        found = await restricted.read(turn.session, ticket, sealer=turn.desk.sealer) if ticket else None
    except Conflict:
        # With another key than it was sealed with nobody can compare: it is a question of its own then.
        return ()
    return found.words if found else ()
