"""The course of the wizard: from one question to the next, to the summary, to a result or a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import InlineKeyboardMarkup
from sqlalchemy import select

from handlers import (
    asking,
    cases,
    keyboards,
    where_memory,
    where_nearby,
    where_reading,
    where_steps,
    where_words,
)
from handlers.turn import Reply, Turn
from knowledge import rules, wizard
from knowledge.eligibility import Verdict, decide, next_slot
from knowledge.gate import gate, is_question
from knowledge.packs import RulePack
from knowledge.tellings import Heard
from office.contacts import Channel
from office.words import LANGUAGES
from ticketing import ledgers
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import UnansweredReason


class RegistrationWizard(StatesGroup):
    """What is typed next answers the open question. A hint only: the buttons carry all there is to know."""

    answering = State()


async def begin(turn: Turn, state: FSMContext | None, enquiry: Enquiry | None = None) -> Reply:
    """Ask the first question that what the enquiry's words have told leaves open."""
    pack = await rules.in_force(turn.session, now=turn.now)
    if state is not None:
        # What was remembered of another case is none of this one.
        await state.set_data({})
    if enquiry is None:
        return await go_on(turn, state, pack, {}, 0, lead=turn.words("wizard.intro"))
    heard = await where_reading.heard(turn, pack, enquiry.words)
    return await go_on(
        turn, state, pack, heard.facts, enquiry.id, lead=turn.words("wizard.intro"), heard=heard
    )


async def stated(turn: Turn, words: str, state: FSMContext | None) -> Reply | None:
    """The wizard for words that tell a case and ask where; None for any others.

    A detail for a question that is in somebody's hands, or for choices just offered, stays with it.
    """
    said = words[: asking.LONGEST_MATCHED]
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = (await where_reading.heard(turn, pack, said)).facts
    if not where_steps.tells_case(pack, facts, said) or gate(said) is not None:
        return None
    if not is_question(said) and await asking.added_to(turn, said) is not None:
        return None
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    if last is not None and last.offered and last.entry_id is None and len(words) <= cases.REPLY:
        return None
    enquiry = await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
    )
    return await begin(turn, state, enquiry)


async def go_on(
    turn: Turn,
    state: FSMContext | None,
    pack: RulePack,
    facts: Mapping[str, str],
    row: int,
    *,
    lead: str = "",
    heard: Heard = where_memory.NOTHING,
) -> Reply:
    """The next question, or the summary where none is left; `row` is the enquiry it began with, or 0.

    `heard` is what the asker has just told in words.
    """
    code, minute = wizard.pack_up(pack, facts), where_steps.stamp(turn.now)
    memory = await where_memory.kept(state, pack, facts, heard)
    if state is not None:
        await state.set_state(RegistrationWizard.answering)
        held = {"code": code, "row": row, "since": turn.now.isoformat()}
        await state.set_data({**held, **memory.data()})
    first = where_steps.earlier(pack, facts) is None
    slot = next_slot(pack, facts)
    if slot is None:
        keyboard = keyboards.wizard_summary(turn.lang, row, minute, code, first=first)
        return turn.say(where_words.summary(turn, pack, facts, memory), keyboard)
    options = [
        (option.label_in(turn.lang), wizard.pack_up(pack, {**facts, slot.code: option.code}))
        for option in slot.options
    ]
    keyboard = keyboards.wizard_question(
        turn.lang, row, minute, options, here=code, first=first, wide=turn.large
    )
    return turn.say(where_words.question(turn, pack, slot, facts, lead, memory), keyboard)


async def decided(
    turn: Turn, state: FSMContext, pack: RulePack, facts: Mapping[str, str], row: int, minute: int
) -> Reply:
    """The result of a confirmed case; one that no rule decides goes to a person with all its answers."""
    verdict = decide(pack, facts)
    if verdict is None:
        return await go_on(turn, state, pack, facts, row)
    memory = await where_memory.kept(state, pack, facts)
    await state.clear()
    code = wizard.pack_up(pack, facts)
    enquiry = await _enquiry(turn, pack, facts, row, memory)
    enquiry.topic = verdict.leaf.topic
    found = where_words.result(
        pack, verdict, turn.lang, office=turn.district, said=enquiry.words,
        contacts=await rules.contacts(turn.session, turn.now), words=memory.words,
    )  # fmt: skip
    below = _below(turn, pack, verdict, facts, enquiry, minute)
    below = await where_nearby.led(turn, below, memory.home) if found.stations else where_nearby.gone(below)
    reply = turn.say(where_words.answer(turn, found), below)
    if verdict.leaf.ticket:
        reply += await asking.owe(
            turn, enquiry, key="wizard.ticket", why=UnansweredReason.NEEDS_SUPERIOR,
            **_carrying(pack, facts),
        )  # fmt: skip
    else:
        enquiry.outcome = Outcome.AUTO
    enquiry.event_id = where_steps.mark(minute, code)
    return reply


def _below(
    turn: Turn,
    pack: RulePack,
    verdict: Verdict,
    facts: Mapping[str, str],
    enquiry: Enquiry,
    minute: int,
) -> InlineKeyboardMarkup:
    besides = [
        (option.label_in(turn.lang), wizard.pack_up(pack, more))
        for option, more in where_words.besides(pack, facts)
    ]
    # Where the pages have no address from outside, only the web chat can lead to them.
    web = turn.contact.channel is Channel.WEB
    paper = urlencode({"a": wizard.pack_up(pack, facts), "print": 1})
    url = f"{'' if web else turn.desk.public_url}/where?{paper}" if web or turn.desk.public_url else ""
    return keyboards.wizard_result(
        turn.lang, enquiry.id, minute, besides=besides, print_url=url, owed=verdict.leaf.ticket
    )


async def to_person(
    turn: Turn,
    state: FSMContext,
    pack: RulePack,
    facts: Mapping[str, str],
    row: int,
    minute: int,
    words: str = "",
) -> Reply:
    """Whoever wants a person before the last question need not say again what was answered.

    `words` are what was said with it.
    """
    memory = await where_memory.kept(state, pack, facts)
    await state.clear()
    mark = where_steps.mark(minute, wizard.pack_up(pack, facts))
    enquiry = (None if words else await given(turn, mark)) or await _enquiry(turn, pack, facts, row, memory)
    enquiry.words = "，".join(filter(None, (enquiry.words, words)))
    reply = await asking.owe(
        turn, enquiry, key="ticket.person", asked_for_person=True, **_carrying(pack, facts)
    )
    enquiry.event_id = mark
    return reply


async def carried(turn: Turn, enquiry: Enquiry) -> dict[str, Any]:
    """What a ticket for this enquiry carries of the result it was given, as arguments of `asking.owe`."""
    code = where_steps.marked(enquiry.event_id)
    if not code:
        return {}
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = where_steps.facts_of(pack, code)
    return _carrying(pack, facts) if facts else {}


def _carrying(pack: RulePack, facts: Mapping[str, str]) -> dict[str, Any]:
    verdict = decide(pack, facts)
    return {"group": verdict.leaf.group if verdict else "", "wizard_facts": facts}


async def own(turn: Turn, row: int) -> Enquiry | None:
    """The asker's own enquiry; a forwarded button runs as whoever tapped it, without the other's words."""
    found = await turn.session.get(Enquiry, row) if row else None
    return found if found is not None and found.contact_id == turn.contact.id else None


async def given(turn: Turn, mark: str) -> Enquiry | None:
    """The asker's enquiry that has had this result."""
    return await turn.session.scalar(
        select(Enquiry).where(Enquiry.contact_id == turn.contact.id, Enquiry.event_id == mark).limit(1)
    )


async def before(turn: Turn) -> tuple[Enquiry, RulePack, dict[str, str]] | None:
    """The asker's last result of the last half hour, with the answers that led to it."""
    enquiry = await turn.session.scalar(
        select(Enquiry)
        .where(
            Enquiry.contact_id == turn.contact.id,
            Enquiry.at >= turn.now - 2 * where_steps.GOOD_FOR,
            Enquiry.event_id.startswith(where_steps.MARK),
        )
        .order_by(Enquiry.id.desc())
        .limit(1)
    )
    if enquiry is None or where_steps.minute_of(enquiry.event_id) < where_steps.stamp(
        turn.now - where_steps.GOOD_FOR
    ):
        return None
    pack = await rules.in_force(turn.session, now=turn.now)
    facts = where_steps.facts_of(pack, where_steps.marked(enquiry.event_id))
    return (enquiry, pack, facts) if facts else None


async def _enquiry(
    turn: Turn, pack: RulePack, facts: Mapping[str, str], row: int, memory: where_memory.Memory
) -> Enquiry:
    """The open enquiry that the wizard began with, else a new one in the same words, or in the summary's."""
    first = await own(turn, row)
    if first is not None and first.outcome is None and first.ticket_id is None:
        first.pending_until = None
        return first
    words = where_words.joined(pack, facts, turn.lang, memory.words)
    if first is not None and not _summed_up(pack, first):
        words = first.words
    return await ledgers.record(
        turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
    )


def _summed_up(pack: RulePack, enquiry: Enquiry) -> bool:
    """Whether an enquiry has no words but those of the summary before its result."""
    facts = where_steps.facts_of(pack, where_steps.marked(enquiry.event_id))
    return facts is not None and any(
        enquiry.words == where_words.joined(pack, facts, lang) for lang in LANGUAGES
    )
