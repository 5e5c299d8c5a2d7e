"""Every day that follows from what the office entered, by the rules of the region.

Nothing here knows a date or an article: days counted from others are rows of the region's pack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from knowledge.election import ENTERED as ENTERED
from knowledge.election import MOST_VOTING_DAYS as MOST_VOTING_DAYS
from knowledge.election import POSTINGS as POSTINGS
from knowledge.election import WINDOWS as WINDOWS
from knowledge.election import BadCalendar as BadCalendar
from knowledge.election import DateKind as DateKind
from knowledge.election import Election as Election
from knowledge.election import Finding as Finding
from knowledge.election import K as K
from knowledge.election import Level as Level
from knowledge.election import Window as Window
from knowledge.pack_parts import Offset as Offset

OPEN_WITH = {K.APPEALS_CLOSE: K.LIST_POSTED, K.SUITS_CLOSE: K.LIST_POSTED, K.LIST_AMENDED: K.LIST_POSTED}
"""Terms that begin with another day: nobody can object to a list before it is posted."""
REMEDIED = (K.REGISTRATION, K.REGISTRATION_CLOSES, K.LIST_POSTED, K.APPEALS_CLOSE)
"""Whoever missed one of these can still be put on the list until it is amended for the last time."""


@dataclass(frozen=True, slots=True)
class KeyDate:
    """One milestone: entered, posted, or computed by `rule` with its `citation`.

    `first` and `last` are Beijing days, both included. `latest`: the law says at the latest. `opens` is the
    day with which a term begins. `remedy` is the term within which it can be made good. `days` is the
    distance in force from the rule's base, `basis` the paper of a district that counts otherwise.
    `unposted`: counted from a posting whose actual day nobody has entered yet.
    """

    kind: DateKind
    first: date
    last: date
    latest: bool = False
    audience: str = ""
    note: str = ""
    citation: str = ""
    rule: Offset | None = None
    days: int | None = None
    basis: str = ""
    opens: date | None = None
    remedy: KeyDate | None = None
    unposted: bool = False


Dates = dict[DateKind, list[KeyDate]]


def age_line(day: date) -> date:
    """Latest birth date of a person aged 18 on election day, that day included.

    Same month and day eighteen years earlier (细则第十九条); who was born on the 29th of February of such a
    year counts from the 28th when the earlier year has no 29th.
    """
    try:
        return day.replace(year=day.year - 18)
    except ValueError:
        return date(day.year - 18, 2, 28)


def computed(election: Election, rules: Sequence[Offset]) -> Dates:
    """All key dates of an election: what was entered, then what follows from it.

    An actual posting wins over the computed day, and what is counted from it follows it. Kinds that cannot
    be known yet are missing.
    """
    found = _entered(election)
    if election.day is not None:
        line = age_line(election.day)
        found[K.AGE_LINE] = [KeyDate(K.AGE_LINE, line, line)]
    table = {DateKind(rule.kind): rule for rule in rules}
    waiting = [rule for kind, rule in table.items() if rule.relation == "offset" and kind not in found]
    while ready := [rule for rule in waiting if rule.base in found]:
        for rule in ready:
            found[DateKind(rule.kind)] = [_counted(rule, election, found)]
        waiting = [rule for rule in waiting if rule not in ready]
    amended = _finished(found[K.LIST_AMENDED][0], table, found) if K.LIST_AMENDED in found else None
    return {
        kind: [_finished(one, table, found, amended) for one in found[kind]]
        for kind in DateKind
        if kind in found
    }


def _entered(election: Election) -> Dates:
    found: Dates = {}
    for window in sorted(election.windows, key=lambda window: (window.first, window.last)):
        for kind, first, last in (
            (K.REGISTRATION, window.first, window.last),
            (K.REGISTRATION_OPENS, window.first, window.first),
            (K.REGISTRATION_CLOSES, window.last, window.last),
        ):
            made = KeyDate(kind, first, last, audience=window.audience, note=window.note)
            found.setdefault(kind, []).append(made)
    for span in sorted(election.lookup, key=lambda span: span.first):
        found.setdefault(K.LOOKUP, []).append(KeyDate(K.LOOKUP, span.first, span.last, note=span.note))
    for kind, day in election.posted.items():
        found[kind] = [KeyDate(kind, day, day)]
    if election.day is not None:
        found[K.DAY] = [KeyDate(K.DAY, election.day, election.day)]
        last = election.day + timedelta(days=election.voting_days - 1)
        found[K.VOTING] = [KeyDate(K.VOTING, election.day, last)]
    return found


def _counted(rule: Offset, election: Election, found: Dates) -> KeyDate:
    kind = DateKind(rule.kind)
    own = election.offsets.get(kind)
    days = own.days if own else rule.days
    base = found[DateKind(rule.base)][0]
    at = base.first + timedelta(days=days)
    # What is counted from a latest day is itself known no better.
    latest = rule.latest or base.latest
    unposted = base.latest and base.kind in POSTINGS
    basis = own.basis if own else ""
    return KeyDate(kind, at, at, latest=latest, days=days, basis=basis, unposted=unposted)


def _finished(
    one: KeyDate, table: Mapping[DateKind, Offset], found: Dates, amended: KeyDate | None = None
) -> KeyDate:
    rule = table.get(one.kind)
    # A window rests on what its first day rests on.
    cited = table.get(K.REGISTRATION_OPENS) if one.kind is K.REGISTRATION else rule
    opening = found.get(OPEN_WITH[one.kind]) if one.kind in OPEN_WITH else None
    return replace(
        one,
        rule=rule,
        citation=cited.citation if cited else "",
        opens=min(opening[0].first, one.last) if opening else None,
        remedy=amended if one.kind in REMEDIED else None,
    )
