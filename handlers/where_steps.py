"""The wizard's steps as values: what a button carries, whether it is still good, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from handlers.callbacks import Tap
from knowledge import wizard
from knowledge.calendar import begins
from knowledge.eligibility import next_slot
from knowledge.packs import RulePack, Slot
from knowledge.statements import states_case

GOOD_FOR = timedelta(minutes=30)
# Clocks of two machines may differ a little.
AHEAD = timedelta(minutes=2)
_MINUTE = 60
# Written into an enquiry, this tells which result it is about; a message's own name begins otherwise.
_RESULT = "wiz"
MARK = f"{_RESULT}:"


def stamp(now: datetime) -> int:
    """The minute that buttons carry."""
    return int(now.timestamp()) // _MINUTE


def stale(pack: RulePack, tapped: Tap, now: datetime) -> bool:
    """Whether a button is older than half an hour, or older than the rules in force."""
    minute = int(tapped.stamp, 36)
    too_old = minute < stamp(now - GOOD_FOR) or minute > stamp(now + AHEAD)
    return too_old or minute < stamp(begins(pack.effective_from))


def facts_of(pack: RulePack, code: str) -> dict[str, str] | None:
    """The answers in a button or an address; None where it was not made from this pack."""
    try:
        return wizard.unpack(pack, code)
    except ValueError:
        return None


def tells_case(pack: RulePack, facts: Mapping[str, str], words: str) -> bool:
    """Whether words, in which `facts` were read, are better asked about than matched.

    Whoever lives abroad, or has no household here, asks what they may rather than where: entries answer that.
    """
    at = pack.household
    return facts.get(at.slot) != at.abroad and states_case(facts, words, household=at.slot)


def earlier(pack: RulePack, facts: Mapping[str, str]) -> dict[str, str] | None:
    """The answers without the last one, so that its question is open again; None at the first question.

    Answers that were read from the asker's own words are gone back over like the others.
    """
    codes = [slot.code for slot in pack.slots]
    place = _place(codes, next_slot(pack, facts))
    left = dict(facts)
    for code in reversed(codes[:place]):
        if left.pop(code, None) is None:
            continue
        # An answer that made no difference has no question that would be asked again.
        if _place(codes, next_slot(pack, left)) < place:
            return left
    return None


def _place(codes: list[str], slot: Slot | None) -> int:
    return len(codes) if slot is None else codes.index(slot.code)


def mark(minute: int, code: str) -> str:
    """What an enquiry keeps of the result it was given."""
    return f"{_RESULT}:{minute}:{code}"


def marked(event_id: str) -> str:
    """The answers an enquiry keeps of its result, packed; empty where it had none."""
    name, _, rest = event_id.partition(":")
    return rest.partition(":")[2] if name == _RESULT else ""


def minute_of(event_id: str) -> int:
    """The minute of the result an enquiry keeps; 0 where it had none."""
    name, _, rest = event_id.partition(":")
    minute = rest.partition(":")[0]
    return int(minute) if name == _RESULT and minute.isdigit() else 0
