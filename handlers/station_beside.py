"""Questions in which stations only come along: a place named beside an ordinary question, and stations asked
for without a place. Both are answered like any question, and nothing of it is lost."""

from __future__ import annotations

import re

from aiogram.fsm.context import FSMContext

from handlers import asking, cases, station_replies, where_course
from handlers.plain_words import meaning
from handlers.station_asked import Asked, asked
from handlers.turn import Reply, Turn
from knowledge.gate import gate, in_our_field
from knowledge.match import Hit, Miss
from knowledge.station_index import Found, Several, StationIndex, find
from knowledge.stations import StationKind
from knowledge.text import split_questions
from ticketing import ledgers

LONGEST = 80
# 我住书香苑，选民证丢了: what introduces a place, and the marks behind it.
_PIECES = re.compile(r"[，,。；;！!、\s]+")
_LEAD = r"(?:我|阿拉|我们|我家|本人)?(?:家)?(?:现在|目前)?(?:就|是)?(?:住在?|在|是)?"
_STATION = r"(?:居委会?)?(?:(?:选民)?登记[站点处]|投票[站点所])?(?:里|那边|那里)?的?(?:工作人员|人)?"


def asks_in_general(turn: Turn, words: str, index: StationIndex) -> Asked | None:
    """A question for stations or their hours that names no place; None for any other."""
    question = asked(words)
    if question is None or question.left or not (question.named or question.hours):
        return None
    return question if any(place.kind is question.kind for place in index.places) else None


async def in_general(turn: Turn, words: str, question: Asked) -> Reply:
    """The answer of the base with the way to the stations under it."""
    assert question.kind is not None
    return station_replies.with_stations(turn, await asking.ask(turn, words), question.kind)


async def beside_place(turn: Turn, words: str, index: StationIndex, state: FSMContext) -> Reply | None:
    """The reply to a question beside which a known place is named, read without the place.

    None where the words are read as well with it, are a detail of an open ticket, or ask nothing of ours.
    """
    if len(words) > LONGEST or meaning(words) is not None or gate(words) is not None:
        return None
    rest = without_place(index, words)
    if not rest or not in_our_field(rest) or len(split_questions(rest)) > 1 or gate(rest) is not None:
        return None
    if await asking.open_ticket_of(turn) is not None:
        return None
    if (begun := await where_course.stated(turn, words, state)) is not None:
        return begun
    whole, alone = await cases.match(turn, words), await cases.match(turn, rest)
    if isinstance(whole, Hit) or (isinstance(alone, Miss) and not isinstance(whole, Miss)):
        return None
    if isinstance(alone, Miss):
        enquiry = await ledgers.record(
            turn.session, turn.contact, words, outcome=None, now=turn.now, event_id=turn.event_id
        )
        return await asking.owe(turn, enquiry)
    reply = await asking.ask(turn, rest)
    last = await asking.last_enquiry(turn, asking.JUST_NOW)
    if last is not None and last.words == rest:
        last.words = words
    return reply


def names_place(index: StationIndex, words: str) -> bool:
    """Whether the words are a known place and nothing else; two stations may serve estates of one name."""
    if any(isinstance(find(index, words, kind), Found) for kind in StationKind):
        return True
    scores = [score for _, score in index.by_words(words)]
    return bool(scores) and isinstance(find(index, words), Several) and all(score >= 1 for score in scores)


def without_place(index: StationIndex, words: str) -> str:
    """What a message asks beside the place that it begins with; empty where it names none or nothing more."""
    pieces = [piece for piece in _PIECES.split(words) if piece]
    if len(pieces) > 1 and names_place(index, pieces[0]):
        return words[words.index(pieces[0]) + len(pieces[0]) :].strip(" ，,。；;！!、")
    lead = re.match(_LEAD, words)
    start = lead.end() if lead else 0
    for end in range(min(len(words) - 2, start + 12), start + 1, -1):
        if names_place(index, words[start:end]):
            named = re.match(_STATION, words[end:])
            return words[end + (named.end() if named else 0) :].strip(" ，,。；;！!、")
    return ""
