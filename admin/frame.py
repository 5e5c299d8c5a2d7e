"""What stands around the matter of every page: the office, the reader, the ways about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from office import units
from office.errors import NotFound
from office.staff import Permission

PLACES = (
    ("/admin", "queue", Permission.SEE_TICKETS),
    ("/admin/entries", "entries", Permission.SEE_ENTRIES),
    ("/admin/trybox", "trybox", Permission.SEE_ENTRIES),
    ("/admin/golden", "golden", Permission.SEE_ENTRIES),
    ("/admin/staff", "staff", Permission.SEE_STAFF),
    ("/admin/audit", "audit", Permission.SEE_AUDIT),
)
# A page whose picture has another name.
ICONS: Mapping[str, str] = {"golden": "good"}
NOBODY: Mapping[str, str] = {"name": "", "phone": "", "hours": "", "address": ""}


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the matter of every page; plain values, so that it outlives any session."""

    office: Mapping[str, str]
    language: str
    person: str = ""
    unit: str = ""
    permissions: frozenset[Permission] = frozenset()

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


def ways(path: str, around: Frame, t: Callable[..., str]) -> list[dict[str, Any]]:
    """The pages this person may go to; the one at `path` is marked as the present one."""
    place = path.removeprefix("/admin").strip("/").split("/")[0]
    owners = {"": "queue", "tickets": "queue", "accuracy": "trybox"}
    here = owners.get(place, place) if path.startswith("/admin") else place
    return [
        {"href": href, "label": t(f"nav.{key}"), "key": ICONS.get(key, key), "active": key == here}
        for href, key, needed in PLACES
        if needed in around.permissions
    ]
