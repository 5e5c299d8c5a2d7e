"""What is typed while the wizard asks: answers, corrections, and questions of another kind in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiogram.fsm.context import FSMContext
from aiogram.types import InlineKeyboardMarkup, Message

from handlers import asking, cases, dates, keyboards, stations, where_course, where_reading, where_steps
from handlers.callbacks import Op, tap
from handlers.plain_words import calls_off, choice
from handlers.turn import Reply, Turn
from knowledge import said_dates, wizard
from knowledge.eligibility import applying, next_slot
from knowledge.gate import is_question
from knowledge.match import Hit
from knowledge.pack_parts import OTHER, UNSURE
from knowledge.packs import RulePack
from ticketing import ledgers


@dataclass(frozen=True, slots=True)
class Step:
    """How far the questions have come: the rules, the answers so far, the enquiry it began with or 0."""

    state: FSMContext
    pack: RulePack
    facts: Mapping[str, str]
    row: int

    async def on(self, turn: Turn, facts: Mapping[str, str]) -> Reply:
        """The question, or the summary, that follows from `facts`."""
        return await where_course.go_on(turn, self.state, self.pack, facts, self.row)


async def told(message: Message, turn: Turn, step: Step) -> Reply:
    """The reply to words that are no command. Whatever else is asked, the open question is repeated."""
    words, slot = (message.text or "").strip(), next_slot(step.pack, step.facts)
    if where_reading.ends(words):
        return await _ended(turn, step)
    number = choice(words) if slot is None else None
    if where_reading.goes_back(words) or number == 2:
        return await step.on(turn, where_steps.earlier(step.pack, step.facts) or {})
    if where_reading.starts_again(words) or number == 3:
        return await step.on(turn, {})
    if where_reading.finds_wrong(words) and applying(step.pack, step.facts):
        return which_is_wrong(turn, step)
    if where_reading.asks_why(words):
        return turn.say(turn.words("wizard.why")) + await step.on(turn, step.facts)
    heard = await where_reading.answered(turn, step.pack, slot.code if slot else "", words)
    if heard.facts:
        facts = {**step.facts, **heard.facts}
        return await where_course.go_on(turn, step.state, step.pack, facts, step.row, heard=heard)
    if calls_off(words):
        return await _ended(turn, step)
    if (aside := await _aside(message, turn, words)) is not None:
        return aside + await step.on(turn, step.facts)
    if is_question(words):
        return turn.say(turn.words("wizard.aside")) + await step.on(turn, step.facts)
    if where_reading.speaks_of_paper(words):
        return turn.say(turn.words("wizard.other_paper")) + await step.on(turn, step.facts)
    return turn.say(turn.words("wizard.hint"))


async def _ended(turn: Turn, step: Step) -> Reply:
    await step.state.clear()
    return turn.say(turn.words("wizard.ended"), keyboards.menu(turn.lang))


def which_is_wrong(turn: Turn, step: Step) -> Reply:
    """Every answer that counts as a button, which leads back to its question; all others stay."""
    minute = where_steps.stamp(turn.now)
    lines = []
    for code in applying(step.pack, step.facts):
        left = {slot: option for slot, option in step.facts.items() if slot != code}
        data = tap(Op.WIZARD, step.row, minute, wizard.pack_up(step.pack, left))
        lines.append([keyboards.button(_label(turn, step, code), data)])
    over = keyboards.wizard_over(turn.lang, step.row).inline_keyboard
    person = tap(Op.HUMAN, step.row, minute, wizard.pack_up(step.pack, step.facts))
    ways = [*over[0], keyboards.button(turn.words("wizard.button.person"), person)]
    return turn.say(turn.words("wizard.which_wrong"), InlineKeyboardMarkup(inline_keyboard=[*lines, ways]))


def _label(turn: Turn, step: Step, code: str) -> str:
    slot = step.pack.slot(code)
    option = slot.option(step.facts[code]) if slot is not None else None
    if option is not None:
        return option.label_in(turn.lang)
    key = {OTHER: "wizard.button.other", UNSURE: "wizard.button.unsure"}[step.facts[code]]
    return turn.words(key)


async def _aside(message: Message, turn: Turn, words: str) -> Reply | None:
    """The answer to another question than the wizard's; None where there is none at once."""
    if where_reading.asks_phone(words):
        return turn.say(turn.words("call", hours=turn.district.hours_text))
    if (on_day := await dates.on_day(turn, words)) is not None:
        return on_day
    station = await stations.AsksForStation()(message, turn)
    if isinstance(station, dict):
        recognised: stations.Recognised = station["recognised"]
        shown: Reply = await stations.question(message, turn, recognised)
        return shown
    if not is_question(words):
        return None
    found = await cases.match(turn, words)
    if isinstance(found, Hit):
        enquiry = await ledgers.record(
            turn.session, turn.contact, words, outcome=None, now=turn.now, topic=found.best.topic,
            probability=found.best.probability, event_id=turn.event_id,
        )  # fmt: skip
        return await asking.deliver(turn, enquiry, found.best.entry_id)
    by_date = where_reading.asks_when(words) and said_dates.about(words) is not None
    return await dates.reply(turn) if by_date else None
