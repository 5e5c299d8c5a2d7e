"""What stands around the matter of every page: the office, the reader, the ways about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import reviews, station_hours
from knowledge.roll import lookup_reviews
from office import changes, staff, units
from office.errors import NotFound
from office.hours import beijing_day
from office.staff import Permission, Staff
from office.words import CHINESE
from ticketing import call_list, openings, queue, settled

PLACES = (
    ("/admin", "queue", Permission.SEE_TICKETS),
    ("/admin/calls", "calls", Permission.OPEN_TICKETS),
    ("/admin/call-backs", "call_backs", Permission.WORK_TICKETS),
    ("/admin/macros", "macros", Permission.WORK_TICKETS),
    ("/admin/restricted", "restricted", Permission.WORK_TICKETS),
    ("/admin/clusters", "clusters", Permission.SEE_TICKETS),
    ("/admin/exports", "exports", Permission.EXPORT_TICKETS),
    ("/admin/entries", "entries", Permission.SEE_ENTRIES),
    ("/admin/trybox", "trybox", Permission.SEE_ENTRIES),
    ("/admin/golden", "golden", Permission.SEE_ENTRIES),
    ("/admin/missed", "missed", Permission.DRAFT_ENTRIES),
    ("/admin/tips", "tips", Permission.SEE_ENTRIES),
    ("/admin/health", "health", Permission.SEE_ENTRIES),
    ("/admin/recalls", "recalls", Permission.SEE_ENTRIES),
    ("/admin/roster", "roster", Permission.SEE_ROSTER),
    ("/admin/handover", "handover", Permission.SEE_TICKETS),
    ("/admin/day-end", "day-end", Permission.SEE_TICKETS),
    ("/admin/packs", "packs", Permission.SEE_RULES),
    ("/admin/calendar", "calendar", Permission.SEE_RULES),
    ("/admin/stations", "stations", Permission.SEE_RULES),
    ("/admin/posters", "posters", Permission.SEE_RULES),
    ("/admin/hours", "hours", Permission.SEE_RULES),
    ("/admin/changes", "changes", Permission.SEE_RULES),
    ("/admin/roll", "roll", Permission.SEE_ROLL),
    ("/admin/counter", "counter", Permission.LOOK_UP),
    ("/admin/lookups", "lookups", Permission.REVIEW_LOOKUPS),
    ("/admin/staff", "staff", Permission.SEE_STAFF),
    ("/admin/groups", "groups", Permission.SEE_STAFF),
    ("/admin/bindings", "bindings", Permission.SEE_STAFF),
    ("/admin/robots", "robots", Permission.MANAGE_STAFF),
    ("/admin/units", "units", Permission.MANAGE_STAFF),
    ("/admin/audit", "audit", Permission.SEE_AUDIT),
)
# A row of sixteen does not fit a phone: these stand together under one entry and side by side on its pages.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "queue": ("queue", "calls", "call_backs", "clusters", "restricted", "macros", "exports"),
    "entries": ("entries", "missed", "tips", "trybox", "golden", "health", "recalls"),
    "duty": ("roster", "handover", "day-end"),
    "rules": ("packs", "calendar", "stations", "posters", "hours", "changes"),
    "rolls": ("roll", "counter", "lookups"),
    "people": ("staff", "groups", "bindings", "robots", "units", "audit"),
}
# Pages that live in another page's room.
OWNERS: Mapping[str, str] = {
    "": "queue",
    "tickets": "queue",
    "call-backs": "call_backs",
    "accuracy": "trybox",
    "roll-signer": "roll",
}
LANGUAGES = {"zh-CN": CHINESE, "en": "en"}
NOBODY: Mapping[str, str] = {"name": "", "phone": "", "hours": "", "address": ""}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the matter of every page; plain values, so that it outlives any session.

    `waiting`, `due`, `weeks`, `glass`, `calls` and `in_review` are counts for the menu. `alarm` names the
    words that call a reviewer to the lookups; empty while nothing is wrong there. `unread` is the bell's
    count, without what was dealt with meanwhile.
    """

    office: Mapping[str, str]
    language: str
    person: str = ""
    unit: str = ""
    permissions: frozenset[Permission] = frozenset()
    waiting: int = 0
    due: int = 0
    weeks: int = 0
    alarm: str = ""
    unread: int = 0
    glass: int = 0
    calls: int = 0
    in_review: int = 0

    @property
    def reached(self) -> Mapping[str, str]:
        """How to reach the office, in the reader's language: its hours are kept in Chinese."""
        if self.language == CHINESE:
            return self.office
        return {**self.office, "hours": station_hours.weekly(self.office.get("hours", ""), self.language)}

    @property
    def home(self) -> str:
        """The first page that this person may see."""
        return next((href for href, _, needed in PLACES if needed in self.permissions), "/admin/me")


async def office_facts(session: AsyncSession) -> Mapping[str, str]:
    """How to reach the office, for the head and foot of pages."""
    try:
        unit = await units.election_office(session)
    except NotFound:
        return NOBODY
    return {
        "name": unit.office_name,
        "phone": unit.phone,
        "hours": unit.hours_text,
        "address": unit.address,
    }


async def frame_of(
    session: AsyncSession, person: Staff, office: Mapping[str, str], *, now: datetime
) -> Frame:
    """The frame of a person's pages, with what waits for them."""
    weeks, alarm = await lookup_reviews.called(session, person, now=now)
    return Frame(
        office,
        person.language if person.language in LANGUAGES.values() else CHINESE,
        person.name,
        (await units.get(session, person.unit_id)).name,
        frozenset(permission for permission in Permission if staff.may(person, permission)),
        await changes.count_waiting(session) if staff.may(person, Permission.SEE_RULES) else 0,
        await reviews.count_due(session, person, today=beijing_day(now)),
        weeks,
        alarm,
        unread=await settled.unread(session, person.id),
        glass=await openings.count_unreviewed(session, person),
        calls=await call_list.count_due(session, person, now=now),
        in_review=await queue.count_in_review(session, person),
    )


def ways(path: str, around: Frame, t: Callable[..., str]) -> list[dict[str, Any]]:
    """The entries of the menu for this person, the one around `path` marked as the present one.

    An entry that stands for several pages has them as `tabs`, one of which is marked likewise. How many
    changes wait for a second person is told on the way to them, and so is what is due for one's own review,
    and how many weeks of lookups nobody has looked through. `counted` says in words what a `count` is of:
    beside 待办 a bare number would be read as tickets.
    """
    place = path.removeprefix("/admin").strip("/").split("/")[0]
    here = OWNERS.get(place, place) if path.startswith("/admin") else place
    counts = {"changes": around.waiting, "health": around.due, "lookups": around.weeks}
    counts["restricted"], counts["call_backs"] = around.glass, around.calls
    entries: dict[str, list[dict[str, Any]]] = {}
    for href, key, needed in PLACES:
        if needed in around.permissions:
            group = next((name for name, keys in GROUPS.items() if key in keys), key)
            entries.setdefault(group, []).append(
                {
                    "href": href,
                    "label": t(f"nav.{key}"),
                    "active": key == here,
                    "count": counts.get(key) or None,
                    "counted": t(f"nav.waits.{key}", n=counts[key]) if counts.get(key) else "",
                }
            )
    # The tab 待办 has its own numbers below it; on the way there a reviewer is told what waits for them.
    first = {"queue": around.in_review}
    return [
        {
            "href": pages[0]["href"],
            "label": t(f"nav.{group}") if len(pages) > 1 else pages[0]["label"],
            "key": group,
            "active": any(page["active"] for page in pages),
            "count": first.get(group, 0) + sum(page["count"] or 0 for page in pages) or None,
            "counted": t("list.comma").join(
                [
                    *([t("nav.waits.review", n=first[group])] if first.get(group) else []),
                    *(page["counted"] for page in pages if page["counted"]),
                ]
            ),
            "tabs": pages if len(pages) > 1 else [],
        }
        for group, pages in entries.items()
    ]
