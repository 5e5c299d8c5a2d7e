"""How a result of the lookup is said: three results, one layout, never a reason."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from handlers.turn import Turn
from knowledge import calendar
from knowledge.roll.lookup import Found
from knowledge.stations import StationKind


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


def closed(turn: Turn, why: str, facts: Mapping[str, Any]) -> str:
    """That nothing can be looked up now, when it can, and how to find out until then.

    `why` is the wording key of `knowledge.roll.lookups`, which has fewer words for it.
    """
    first, last = facts.get("first"), facts.get("last")
    if first is None or last is None:
        said = turn.words(f"lookupchat.{why.removeprefix('lookup.')}")
    else:
        window = calendar.brief(first, turn.lang)
        if last != first:
            window = turn.words("lookupchat.window", first=window, last=calendar.brief(last, turn.lang))
        said = turn.words("lookupchat.closed_until", window=window)
    return f"{said}\n{turn.words('lookupchat.until_then')}"
