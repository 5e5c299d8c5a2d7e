"""The command `dates`: every day of an election by the rules of a region, as a table or as JSON."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any

from knowledge import calendar, packs
from knowledge.calendar import BadCalendar, DateKind, Dates, Election
from office.words import say

NOT_KEYS = (DateKind.REGISTRATION, DateKind.LOOKUP)


def run(pack: str, election_day: str, posted: str | None, *, as_json: bool) -> int:
    """Print the days of an election on this day, whose list was posted on `posted` if that is given.

    Returns 2 and says in one line what is wrong where the days cannot be.
    """
    if pack not in packs.names():
        return _no(f"--pack：没有规则包“{pack}” (no such pack), {' '.join(packs.names())}")
    content: dict[str, Any] = {"name": "—", "region": pack, "day": election_day}
    if posted is not None:
        content["posted"] = {DateKind.LIST_POSTED.value: posted}
    try:
        if not election_day:
            return _no("--election-day：没有填写 (missing)")
        election = Election.from_content(content)
        rules = calendar.rules(pack)
        # An election of the past is as good an example as one to come.
        for finding in calendar.contradictions(election, rules, date.min):
            if finding.blocks:
                raise BadCalendar(finding)
        dates = calendar.computed(election, rules)
    except packs.BadPack as error:
        return _no(str(error))
    except BadCalendar as error:
        return _no(say(error.key, **_named(error.facts)))
    except OverflowError:
        return _no("--election-day：超出日历范围 (out of the calendar)")
    print(json.dumps(flat(dates), ensure_ascii=False) if as_json else _table(dates))
    return 0


def flat(dates: Dates) -> dict[str, str | None]:
    """Key to day, for a term its last one; None for what the office enters."""
    found = {kind.value: dates[kind][0] for kind in DateKind if kind in dates}
    first = (DateKind.VOTING.value,)
    return {
        kind.value: (found[kind.value].first if kind.value in first else found[kind.value].last).isoformat()
        if kind.value in found
        else None
        for kind in DateKind
        if kind not in NOT_KEYS
    }


def _named(facts: dict[str, Any]) -> dict[str, Any]:
    options = {"day": "--election-day", "posted.list_posted": "--posted"}
    return {**facts, "field": options.get(facts["field"], facts["field"])}


def _table(dates: Dates) -> str:
    lines = []
    for kind in DateKind:
        if kind in NOT_KEYS:
            continue
        if kind not in dates:
            lines.append(f"{kind.value:20} {'—':14} {calendar.label(kind)}　{calendar.NOT_ANNOUNCED}")
            continue
        one = dates[kind][0]
        rule = one.rule
        counted = f"{rule.base}{one.days:+d}" if rule and one.days is not None else ""
        day = f"{'≤' if one.latest else ' '}{one.first.isoformat()}"
        lines.append(f"{kind.value:20} {day:14} {calendar.label(one)}　{counted}　{one.citation}".rstrip())
    return "\n".join(lines)


def _no(words: str) -> int:
    print(words.replace("\n", " "), file=sys.stderr)
    return 2
