"""The asker's case in a conversation: what was said of it before, and the one fact that is asked back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from html import escape

from sqlalchemy import select

from handlers.turn import Turn
from knowledge import answer as answers
from knowledge import case
from knowledge.match import Near
from knowledge.sharpening import AskBack
from knowledge.text import normalise
from ticketing import feedback
from ticketing.ledgers import Enquiry

REMEMBERED = timedelta(minutes=30)
MOST_REMEMBERED = 8
# What answers a question of ours in words is short; anything longer asks something itself.
REPLY = 14


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
