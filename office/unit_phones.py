"""The telephone number of a unit's office, which anybody may be told: entered by who manages its staff."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, staff, units
from office.errors import Conflict, Invalid
from office.staff import Permission, Staff
from office.units import Unit

LONGEST: Final = 20
_WIDE: Final = str.maketrans("０１２３４５６７８９－—–（）　", "0123456789---() ")
_BRACKETS: Final = re.compile(r"\((0[0-9]{2,3})\)-?")
# An office's number: with or without its area code, a short one such as 12345, or one of 400 and 800.
_OFFICE: Final = re.compile(r"(?:0[0-9]{2,3}-)?[1-9][0-9]{4,7}|[48]00-?[0-9]{3}-?[0-9]{4}", re.ASCII)
_MOBILE: Final = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}", re.ASCII)


async def change(
    session: AsyncSession, unit: Unit, typed: str, *, seen: str, actor: Staff, now: datetime
) -> str:
    """Set, change or clear the number of a unit's office; returns it as it is kept.

    What units publish is redacted nowhere (`units.published_numbers`), so somebody's own mobile number is
    refused. `seen` is the number that the page showed. Raises `NotPermitted` without `MANAGE_STAFF` over the
    unit, `Conflict` with `stale_card`, and `unit_phone.office` for the number of the election office, which
    stands on every page and in answers; `Invalid` with `unit_phone.mobile` or `unit_phone.unreadable`.
    """
    await staff.must(session, actor, Permission.MANAGE_STAFF, unit.path)
    if unit.id == (await units.election_office(session)).id:
        raise Conflict("unit_phone.office")
    number = read(typed)
    await session.refresh(unit, with_for_update=True)
    if unit.phone != seen:
        raise Conflict("stale_card")
    if unit.phone == number:
        return number
    before, unit.phone = unit.phone, number
    await session.flush()
    await audit.record(
        session, "unit.phone", f"unit:{unit.id}", actor=actor.as_actor(), now=now,
        before=before, after=number,
    )  # fmt: skip
    return number


def read(typed: str) -> str:
    """A number as it is kept: `0000-12345678`; empty for nothing. Raises `Invalid` as `change` does."""
    text = _BRACKETS.sub(r"\1-", typed.translate(_WIDE))
    bare = re.sub(r"[\s-]", "", text)
    if not bare:
        return ""
    if _MOBILE.fullmatch(bare):
        raise Invalid("unit_phone.mobile")
    number = re.sub(r"\s+", "-", re.sub(r"\s*-\s*", "-", text.strip()))
    if not _OFFICE.fullmatch(number):
        joined = re.fullmatch(r"(0[0-9]{2,3}-)([0-9]{3,4})-([0-9]{4})", number)
        number = f"{joined[1]}{joined[2]}{joined[3]}" if joined else number
    if len(number) > LONGEST or not _OFFICE.fullmatch(number):
        raise Invalid("unit_phone.unreadable")
    return number
