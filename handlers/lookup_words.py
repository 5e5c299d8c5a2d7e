"""How a result of the lookup is said: three results, one layout, never a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any

from handlers.lookup_asked import Wanted
from handlers.turn import Turn
from knowledge import calendar
from knowledge.roll import windows
from knowledge.roll.lookup import Found
from knowledge.stations import StationKind
from office.words import say


async def result(turn: Turn, found: Found) -> str:
    """The result, where or what it means, what to do next, and that it goes away: always four lines."""
    # All three take the same way, to the last look into the stations.
    await turn.desk.stations.refresh(turn.session)
    place = turn.desk.stations.index.by_code(found.station, StationKind.REGISTRATION)
    unsaid = turn.words("lookupchat.unsaid")
    facts = {
        "district": found.district or unsaid,
        "group": found.group_no or unsaid,
        "station": (f"{place.street}{place.code}" if place else found.station) or unsaid,
    }
    which = found.result.value
    return "\n".join(
        [
            f"<b>{turn.words(f'lookupchat.result.{which}')}</b>",
            turn.words(f"lookupchat.detail.{which}", **{name: escape(text) for name, text in facts.items()}),
            turn.words(f"lookupchat.next.{which}"),
            f"<i>{turn.words('lookupchat.goes_away')}</i>",
        ]
    )


def closed(turn: Turn, why: str, facts: Mapping[str, Any], lang: str = "") -> str:
    """That nothing can be looked up now, when it can, and how to find out until then.

    `why` is the wording key of `knowledge.roll.lookups`, which has fewer words for it. `lang` is
    another language than the contact's.
    """
    lang = lang or turn.lang
    first, last = facts.get("first"), facts.get("last")
    if first is None or last is None:
        said = say(f"lookupchat.{why.removeprefix('lookup.')}", lang)
    else:
        said = say("lookupchat.closed_until", lang, window=_days(first, last, lang))
    return f"{said}\n{say('lookupchat.until_then', lang, phone=turn.district.phone)}"


async def about(turn: Turn, asked: Wanted) -> str:
    """The line that answers what was asked about the lookup; empty where the ways to ask say it all."""
    if asked is Wanted.RECEIPT:
        return turn.words("lookupchat.about.receipt")
    if asked not in (Wanted.WHEN, Wanted.PHONE):
        return ""
    lines = [turn.words("lookupchat.about.phone")] if asked is Wanted.PHONE else []
    planned, _ = await windows.known(turn.session, turn.now)
    if (window := windows.current(planned, turn.now)) is not None:
        days = _days(window.first, window.last, turn.lang)
        lines.append(turn.words("lookupchat.about.when", window=days))
    return "\n".join(lines)


def _days(first: date, last: date, lang: str) -> str:
    since = calendar.brief(first, lang)
    return (
        since
        if last == first
        else say("lookupchat.window", lang, first=since, last=calendar.brief(last, lang))
    )
