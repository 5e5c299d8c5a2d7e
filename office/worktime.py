"""The working time in force: what the office signed last, or the shipped table until it has signed one."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from office import changes
from office.changes import ChangeKind
from office.hours import OfficeHours, beijing_day

SUBJECT = "hours"
SHIPPED = Path(__file__).parent.parent / "data" / "hours.yaml"


@cache
def shipped() -> dict[str, Any]:
    """The content of `data/hours.yaml`, which also tells its form."""
    loaded: dict[str, Any] = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    return loaded


async def hours(session: AsyncSession, *, now: datetime) -> OfficeHours:
    """The working time that holds today."""
    change = await changes.in_force(session, ChangeKind.HOURS, SUBJECT, beijing_day(now))
    return OfficeHours.from_data(change.content if change else shipped())
