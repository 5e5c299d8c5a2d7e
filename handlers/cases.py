"""The asker's case in a conversation: what was said of it before, and the one fact that is asked back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import escape

from sqlalchemy import select

from handlers.turn import Turn
from knowledge import answer as answers
from knowledge import case
from knowledge.gate import in_our_field, is_question
from knowledge.match import Near, Outcome
from knowledge.sharpening import AskBack
from knowledge.text import normalise
from knowledge.versions import Audience
from office import redact, units
from office.units import Unit
from ticketing import feedback
from ticketing.ledgers import Enquiry

REMEMBERED = timedelta(minutes=30)
MOST_REMEMBERED = 8
# What answers a question of ours in words is short; anything longer asks something itself.
REPLY = 14
LONGEST_MATCHED = 1500
# From this the first choice is likely enough that nobody needs to be told what our field is.
LIKELY = 0.4
# The topic of what other offices do and of other elections.
OTHER_OFFICES = frozenset({"diff_election"})


async def match(turn: Turn, words: str, facts: Mapping[str, str] = case.UNKNOWN.facts) -> Outcome:
    """What the base has for these words; `facts` were stated apart from them."""
    return await answers.find(
        turn.session, turn.desk.live, words[:LONGEST_MATCHED].replace(redact.PLACEHOLDER, " "),
        audience=Audience.VOTER, unit=await place(turn, words), now=turn.now,
        facts={**await known(turn, words[:LONGEST_MATCHED]), **facts},
    )  # fmt: skip


async def place(turn: Turn, words: str) -> Unit:
    """The unit whose own entries come before wider ones: the one that the words name, else the one this
    contact belongs to, else the whole district. Words that name two places decide nothing."""
    named = [
        unit
        for unit in await units.all_units(turn.session)
        if unit.name in words
        and unit.id != turn.district.id
        and units.contains(turn.district.path, unit.path)
    ]
    narrowest = max(named, key=lambda unit: len(unit.path), default=None)
    if narrowest is not None and all(units.contains(unit.path, narrowest.path) for unit in named):
        return narrowest
    if named or turn.contact.unit_id is None:
        return turn.district
    return await units.get(turn.session, turn.contact.unit_id)


async def known(turn: Turn, words: str) -> dict[str, str]:
    """What the same person has said of their own case in the last half hour.

    Nothing where `words` speak of somebody else, whose case may be another.
    """
    if case.of_others(normalise(words, answers.lexicon())):
        return {}
    recent = await turn.session.scalars(
        select(Enquiry)
        .where(Enquiry.contact_id == turn.contact.id, Enquiry.at >= turn.now - REMEMBERED)
        .order_by(Enquiry.id.desc())
        .limit(MOST_REMEMBERED)
    )
    facts: dict[str, str] = {}
    for enquiry in reversed(recent.all()):
        said = normalise(enquiry.words, answers.lexicon())
        if not case.of_others(said):
            facts |= case.stated(said) | case.chosen(_offered(turn, enquiry), enquiry.entry_id)
    return case.lasting(facts)


async def told(turn: Turn, last: Enquiry, words: str) -> int | None:
    """The entry that 外地的 chooses among those offered for `last`, where one fact decides between them."""
    if last.ticket_id is not None or not last.offered or len(words) > REPLY:
        return None
    entry_id = case.told(normalise(words, answers.lexicon()), _offered(turn, last))
    if entry_id is not None:
        await feedback.choice(turn.session, last, entry_id, now=turn.now)
    return entry_id


def added(last: Enquiry, words: str) -> dict[str, str]:
    """The facts that words state, and nothing else, after choices were offered for `last`."""
    if last.ticket_id is not None or last.entry_id is not None or not last.offered or len(words) > REPLY:
        return {}
    return case.lasting(case.only_states(normalise(words, answers.lexicon())))


def doubtful(words: str, outcome: Near) -> bool:
    """Whether faint choices answer words that have nothing of our field.

    A short question leaves out what it is about: 要材料吗 is one of ours if all that is like it are.
    """
    best = outcome.choices[0]
    if in_our_field(words) or best.probability >= LIKELY:
        return False
    short = len(words) <= REPLY and is_question(words) and not best.asked.foreign
    return not short or any(choice.topic in OTHER_OFFICES for choice in outcome.choices)


def offer(turn: Turn, outcome: Near, questions: Sequence[str], *, doubtful: bool) -> tuple[str, list[str]]:
    """The choices as numbered lines, and what stands on their buttons; no labels where numbers must do.

    A whole question does not fit on a button, the value of a fact does. `doubtful`: perhaps not our field.
    """
    text = turn.words("near_doubtful" if doubtful else "near")
    labels: list[str] = []
    if isinstance(outcome, AskBack) and len(questions) == len(outcome.values):
        asked = turn.words(f"case.{outcome.fact}.ask")
        text = turn.words("case.doubtful", asked=asked) if doubtful else asked
        labels = [turn.words(f"case.{outcome.fact}.{value}") for value in outcome.values]
    lines = [f"{number}. {escape(line)}" for number, line in enumerate(labels or questions, start=1)]
    return "\n".join([text, *lines]), labels


def _offered(turn: Turn, enquiry: Enquiry) -> dict[int, case.Profile]:
    index = turn.desk.live.index
    found = {int(entry_id): case.profile_of(index, int(entry_id)) for entry_id in enquiry.offered}
    return {entry_id: profile for entry_id, profile in found.items() if profile is not None}
