"""What a console page shows of a case about the voter list: its issue, its legal clock, its documents."""

from __future__ import annotations

from typing import Any

from admin.pages import Desk
from knowledge import calendar, elections
from knowledge.milestones import K
from knowledge.roll.lookup import Found
from office.staff import Permission
from ticketing import roll_cases, statutory
from ticketing.records import OPEN_STATES, Ticket, TicketKind
from ticketing.statutory import Alarm

TONES = {Alarm.NONE: "info", Alarm.PRESSING: "warn", Alarm.TODAY: "danger", Alarm.OVER: "danger"}


async def of(desk: Desk, ticket: Ticket) -> dict[str, Any] | None:
    """The facts of a case for its page; None for a ticket that is none."""
    if ticket.kind not in roll_cases.TOPICS:
        return None
    language = desk.frame.language
    papers = roll_cases.documents(ticket.kind, language)
    may_ask = desk.may(Permission.WORK_TICKETS) and ticket.state in OPEN_STATES
    return {
        "about": about(desk, ticket),
        **clock(desk, ticket),
        "suits": await _suits(desk, ticket),
        "asked": desk.t(f"case.result.{ticket.lookup_result}") if ticket.lookup_result else "",
        "may_confirm": may_ask and ticket.receipt_digest is not None,
        "documents": papers,
        "prevails": roll_cases.prevails(language),
    }


def about(desk: Desk, ticket: Ticket) -> str:
    """The kind of a case and what is said to be wrong: 名单更正 · 漏登; empty for any other ticket."""
    if ticket.kind not in roll_cases.TOPICS:
        return ""
    kind = desk.t(f"ticket.kind.{ticket.kind}")
    issue = ticket.roll_issue if ticket.roll_issue in roll_cases.CORRECTED else None
    return f"{kind} · {desk.t(f'case.issue.{issue}')}" if issue else kind


def clock(desk: Desk, ticket: Ticket) -> dict[str, str]:
    """The legal term of an open case with the days left, and how loudly to say it."""
    if ticket.statutory_due is None or ticket.state not in OPEN_STATES:
        return {"clock": "", "clock_tone": ""}
    today = calendar.today(desk.now)
    return {
        "clock": roll_cases.clock_words(ticket, today, desk.frame.language),
        "clock_tone": TONES[statutory.alarm(ticket.statutory_due, today)],
    }


def found(desk: Desk, seen: Found) -> dict[str, str]:
    """What the roll says of a case, for one response: the result, and where, if registered."""
    place = [
        desk.t(f"case.place_{name}", place=value)
        for name, value in (("district", seen.district), ("group", seen.group_no), ("station", seen.station))
        if value
    ]
    return {
        "result": desk.t(f"case.result.{seen.result}"),
        "place": desk.t("list.comma").join(place),
    }


async def _suits(desk: Desk, ticket: Ticket) -> str:
    """Until when one may sue over a decision on an appeal; empty for other cases."""
    if ticket.kind is not TicketKind.APPEAL:
        return ""
    dates = await elections.spans(desk.session, desk.now)
    last = dates.get(K.SUITS_CLOSE)
    return calendar.spoken(last[0].last, desk.frame.language) if last else ""
