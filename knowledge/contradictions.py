"""What in a calendar cannot be, and what is doubtful enough to ask for a reason; each names its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

from knowledge import lint
from knowledge.milestones import POSTINGS, Dates, Election, Finding, K, Offset, computed

ENTERED_IN_ORDER = (K.LIST_POSTED, K.NOMINEES_POSTED, K.CANDIDATES_POSTED)
TERMS = (K.APPEALS_CLOSE, K.SUITS_CLOSE, K.SUSPENSION_SERVED, K.LIST_AMENDED)
"""Last days on which something can be handed in or mended; the law says nothing of rest days moving them."""
SATURDAY = 5
FAR = timedelta(days=731)
"""Further ahead than this a day is rather a slip of the pen than an election."""


def weekend(day: date) -> bool:
    """Whether this is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY


def contradictions(
    election: Election,
    rules: Sequence[Offset],
    today: date,
    *,
    before: Election | None = None,
    rests: Callable[[date], bool] = weekend,
) -> tuple[Finding, ...]:
    """Everything wrong with a calendar, then what needs a reason; empty if there is neither.

    `before` is the calendar in force that this one replaces; `rests` tells days on which nobody works.
    """
    blocking = [
        *_windows(election),
        *_lookup(election),
        *_posted(election, rules),
        *_offsets(election, rules),
    ]
    if election.day is not None and election.day < today and (before is None or before.day != election.day):
        blocking.insert(0, Finding("day", "calendar.day_past", facts={"day": election.day.isoformat()}))
    if blocking:
        return tuple(blocking)
    dates = computed(election, rules)
    return (*_out_of_order(election, dates), *_doubts(election, dates, rules, today, before, rests))


def _windows(election: Election) -> Iterator[Finding]:
    audiences: set[str] = set()
    for number, window in enumerate(election.windows):
        where = f"windows[{number}]"
        if window.first > window.last:
            facts = {"first": window.first.isoformat(), "last": window.last.isoformat()}
            yield Finding(f"{where}.to", "calendar.reversed", facts=facts)
        elif election.day is not None and window.last >= election.day:
            facts = {"last": window.last.isoformat(), "day": election.day.isoformat()}
            yield Finding(f"{where}.to", "calendar.window_late", facts=facts)
        for problem in lint.in_texts((window.audience, window.note), variables=()):
            yield Finding(f"{where}.note", problem.key, facts=problem.facts)
        if window.audience in audiences:
            yield Finding(
                f"{where}.audience", "calendar.audience_twice", facts={"audience": window.audience or "—"}
            )
        audiences.add(window.audience)


def _lookup(election: Election) -> Iterator[Finding]:
    spans = list(enumerate(election.lookup))
    for number, span in spans:
        where, last = f"lookup[{number}]", span.last.isoformat()
        if span.first > span.last:
            yield Finding(
                f"{where}.to", "calendar.reversed", facts={"first": span.first.isoformat(), "last": last}
            )
        elif election.day is not None and span.last > election.day:
            # Whoever has voted or missed it needs no status any more, and the data are to go.
            facts = {"last": last, "day": election.day.isoformat()}
            yield Finding(f"{where}.to", "calendar.lookup_late", facts=facts)
        elif any(n < number and span.first <= one.last and one.first <= span.last for n, one in spans):
            facts = {"first": span.first.isoformat()}
            yield Finding(f"{where}.from", "calendar.lookup_overlap", facts=facts)
        for problem in lint.in_texts((span.note,), variables=()):
            yield Finding(f"{where}.note", problem.key, facts=problem.facts)


def _posted(election: Election, rules: Sequence[Offset]) -> Iterator[Finding]:
    latest = computed(_unposted(election), rules)
    opens = min((window.first for window in election.windows), default=None)
    for kind, day in election.posted.items():
        where, said = f"posted.{kind.value}", day.isoformat()
        if election.day is None:
            yield Finding(where, "calendar.posted_no_day", facts={"posted": said})
        elif day > election.day:
            facts = {"posted": said, "day": election.day.isoformat()}
            yield Finding(where, "calendar.posted_after_day", facts=facts)
        elif kind in latest and day > latest[kind][0].last:
            facts = {"posted": said, "latest": latest[kind][0].last.isoformat()}
            yield Finding(where, "calendar.posted_late", facts=facts)
        elif opens is not None and day < opens:
            facts = {"posted": said, "opens": opens.isoformat()}
            yield Finding(where, "calendar.posted_early", facts=facts)


def _unposted(election: Election) -> Election:
    return Election(election.name, election.region, election.day, offsets=election.offsets)


def _offsets(election: Election, rules: Sequence[Offset]) -> Iterator[Finding]:
    table = {rule.kind: rule for rule in rules if rule.relation == "offset"}
    for kind, own in election.offsets.items():
        rule, where = table.get(kind), f"offsets.{kind.value}"
        if rule is None:
            yield Finding(where, "calendar.unknown", facts={"said": kind.value})
        elif (own.days < 0) != (rule.days < 0) and own.days and rule.days:
            yield Finding(
                f"{where}.days", "calendar.offset_turned", facts={"days": own.days, "rule": rule.days}
            )


def _out_of_order(election: Election, dates: Dates) -> Iterator[Finding]:
    """Postings that would come in another order than the law tells, or milestones after election day."""
    days = [(kind, dates[kind][0].first) for kind in ENTERED_IN_ORDER if kind in dates]
    for (kind, day), (follower, later) in pairwise(days):
        if later < day:
            facts = {"day": later.isoformat(), "other": day.isoformat()}
            yield Finding(_place(election, follower, kind), "calendar.order", facts=facts)
    for kind in election.offsets:
        if kind in dates and election.day is not None and dates[kind][0].last > election.day:
            facts = {"posted": dates[kind][0].last.isoformat(), "day": election.day.isoformat()}
            yield Finding(f"offsets.{kind.value}.days", "calendar.posted_after_day", facts=facts)


def _place(election: Election, *kinds: K) -> str:
    for kind in kinds:
        if kind in election.posted:
            return f"posted.{kind.value}"
        if kind in election.offsets:
            return f"offsets.{kind.value}.days"
    return "day"


def _doubts(
    election: Election,
    dates: Dates,
    rules: Sequence[Offset],
    today: date,
    before: Election | None,
    rests: Callable[[date], bool],
) -> Iterator[Finding]:
    if before is not None and before.day != election.day and _list_is_out(before, rules, today):
        facts = {"old": before.day.isoformat() if before.day else "—"}
        yield Finding("day", "calendar.day_after_list", blocks=False, facts=facts)
    yield from _doubtful_day(election, dates, today, before)
    for number, window in enumerate(election.windows):
        if K.LIST_POSTED in dates and window.last >= dates[K.LIST_POSTED][0].first:
            facts = {"last": window.last.isoformat(), "posted": dates[K.LIST_POSTED][0].first.isoformat()}
            yield Finding(f"windows[{number}].to", "calendar.window_after_list", blocks=False, facts=facts)
    opens = min((window.first for window in election.windows), default=date.min)
    for number, span in enumerate(election.lookup):
        if span.first < opens:
            facts = {"first": span.first.isoformat(), "opens": opens.isoformat()}
            yield Finding(f"lookup[{number}].from", "calendar.lookup_early", blocks=False, facts=facts)
    for rule in rules:
        own = election.offsets.get(K(rule.kind)) if rule.kind in tuple(K) else None
        if own is not None and rule.kind in POSTINGS and own.days > rule.days:
            distances = {"days": own.days, "rule": rule.days}
            yield Finding(
                f"offsets.{rule.kind}.days", "calendar.offset_looser", blocks=False, facts=distances
            )
    for kind in TERMS:
        for key_date in dates.get(kind, []):
            if rests(key_date.last):
                facts = {"day": key_date.last.isoformat()}
                yield Finding(kind.value, "calendar.rest_day", blocks=False, facts=facts)


def _doubtful_day(
    election: Election, dates: Dates, today: date, before: Election | None
) -> Iterator[Finding]:
    if election.day is None:
        if before is not None and before.day is not None:
            yield Finding("day", "calendar.day_emptied", blocks=False, facts={"old": before.day.isoformat()})
        return
    facts = {"day": election.day.isoformat()}
    if election.day > today + FAR:
        yield Finding("day", "calendar.day_far", blocks=False, facts=facts)
    for posting in dates.get(K.LIST_POSTED, []):
        if posting.latest and posting.last < today <= election.day:
            facts["posted"] = posting.last.isoformat()
            yield Finding("day", "calendar.list_past", blocks=False, facts=facts)


def _list_is_out(election: Election, rules: Sequence[Offset], today: date) -> bool:
    if K.LIST_POSTED in election.posted:
        return election.posted[K.LIST_POSTED] <= today
    posting = computed(election, rules).get(K.LIST_POSTED)
    return posting is not None and posting[0].last <= today
