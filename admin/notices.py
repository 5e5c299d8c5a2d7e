"""What the desk itself has told the signed-in person: a list, and the bell in the head of every page."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from admin import times
from admin.pages import Own, done
from knowledge import calendar
from office import notices
from office.hours import BEIJING
from office.notices import StaffNotice
from ticketing import settled

router = APIRouter(prefix="/notices")
SHOWN = 100
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_SHORT = re.compile(r"\d\d-\d\d \d\d:\d\d")
# A day, or a shift of it.
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)( \d\d?:\d\d–\d\d?:\d\d)?")
# Where the subject of a notice is looked at; anything else has no page of its own.
PAGES = {
    "ticket": "/admin/tickets/{}",
    "staff_binding": "/admin/bindings",
    "chat_group": "/admin/bindings",
    "duty_swap": "/admin/roster",
    "duty_shift": "/admin/handover",
    "staff": "/admin/staff/{}",
    "work_tip": "/admin/tips/{}",
}


@router.get("")
async def show(desk: Own) -> Response:
    """The person's own notices, newest first; what is new stands out until it is read or dealt with."""
    rows = await notices.listed(desk.session, desk.person.id, SHOWN)
    over = await settled.of(desk.session, rows)
    shown = [_row(desk, row, over=row.id in over) for row in rows]
    return desk.render(
        "console/notices.html",
        done=desk.request.query_params.get("done", ""),
        rows=shown,
        new=sum(row["new"] for row in shown),
    )


@router.post("/read")
async def read(desk: Own) -> Response:
    """All of them have been seen."""
    await notices.read(desk.session, desk.person.id, now=desk.now)
    return done("/admin/notices", "read")


def _row(desk: Own, row: StaffNotice, *, over: bool) -> dict[str, Any]:
    language = desk.frame.language
    facts = {name: _fact(value, language, row.at) for name, value in row.facts.items()}
    words = _words(desk, row.kind, facts)
    kind, _, number = row.subject.partition(":")
    page = PAGES.get(kind, "")
    return {
        "words": words,
        "at": times.moment(row.at, language),
        "over": over,
        "new": row.read_at is None and not over,
        "href": page.format(number) if number.isdecimal() else "",
    }


def _words(desk: Own, kind: str, facts: dict[str, Any]) -> str:
    # An older program wrote down less: then the chat's wording, which needs less, says it.
    for key in (f"notice.{kind}", f"notice.{kind}_chat"):
        try:
            return desk.t(key, **facts)
        except KeyError:
            continue
    # A notice of a kind that a newer program wrote down.
    return desk.t("notices.unknown", kind=kind)


def _fact(value: Any, language: str, told_at: datetime) -> Any:
    """A fact as the console writes it: its times and days may be kept in the short forms that chats read."""
    if not isinstance(value, str):
        return value
    try:
        if _MOMENT.fullmatch(value):
            return times.moment(datetime.fromisoformat(value), language)
        if _SHORT.fullmatch(value):
            return times.moment(_nearest(value, told_at), language)
        if found := _DAY.fullmatch(value):
            return calendar.spoken(date.fromisoformat(found[1]), language) + (found[2] or "")
    except ValueError:  # looks like a day, and is none
        return value
    return value


def _nearest(short: str, told_at: datetime) -> datetime:
    """The moment 01-04 12:00 of the year that lies nearest to when it was told."""
    year = told_at.astimezone(BEIJING).year
    found = [
        datetime.strptime(f"{near}-{short}", "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)
        for near in (year - 1, year, year + 1)
    ]
    return min(found, key=lambda at: abs(at - told_at))
