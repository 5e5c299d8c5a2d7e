"""Units' telephone numbers: an office's, entered by who manages its staff, never somebody's own."""

from __future__ import annotations

from datetime import datetime

import pytest

from office import audit, unit_phones, units
from office.errors import Conflict, DeskError, Invalid, NotPermitted
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.make import Cast


def test_spellings_of_one_number_are_kept_alike_and_mobile_ones_refused() -> None:
    read = {
        " 0000-20002000 ": "0000-20002000", "（0000）20002000": "0000-20002000",
        "０２１ ６２３４５６７８": "021-62345678", "021-6234 5678": "021-62345678", "62345678": "62345678",
        "12345": "12345", "400-820-0000": "400-820-0000", " ": "",
    }  # fmt: skip
    assert {typed: unit_phones.read(typed) for typed in read} == read
    for typed in ("13912345678", "139 1234 5678", "+86 139-1234-5678", "１３９１２３４５６７８"):
        with pytest.raises(Invalid, match="mobile"):
            unit_phones.read(typed)
    for typed in (
        "何静",
        "110",
        "0000-20002000 何静",
        "0000-20002000、0000-20002001",
        "1" * 40,
        "<b>62345678",
    ):
        with pytest.raises(Invalid, match="unreadable"):
            unit_phones.read(typed)


async def test_a_number_is_changed_by_who_manages_staff_there_and_written_down(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        north = Staff(name="何平", unit_id=cast.north.id, roles=[Role.ADMIN.value], created_at=now)
        session.add(north)

    async def change(unit: Unit, typed: str, who: Staff, seen: str = "") -> str:
        async with store.transaction() as session:
            row = await session.get_one(Unit, unit.id)
            return await unit_phones.change(session, row, typed, seen=seen, actor=who, now=now)

    cases: list[tuple[Unit, Staff, str, type[DeskError], str]] = [
        (cast.riverside, cast.wang_fang, "", NotPermitted, "not_permitted"),
        (cast.riverside, north, "", NotPermitted, "not_permitted"),
        (cast.riverside, cast.zhou_ning, "0000-1", Conflict, "stale_card"),
        (cast.district, cast.zhou_ning, cast.district.phone, Conflict, "unit_phone.office"),
    ]
    for unit, who, seen, kind, key in cases:
        with pytest.raises(kind) as refused:
            await change(unit, "0000-20002000", who, seen)
        assert refused.value.key == key
    assert await change(cast.riverside, "0000 20002000", cast.zhou_ning) == "0000-20002000"
    assert await change(cast.riverside, "0000-20002000", cast.zhou_ning, "0000-20002000") == "0000-20002000"
    assert await change(cast.riverside, "", cast.zhou_ning, "0000-20002000") == ""
    async with store.reading() as session:
        told, total = await audit.listed(session, action="unit.phone")
        assert total == 2
        assert told[1].facts == {"before": "", "after": "0000-20002000"}
        assert "0000-20002000" not in await units.published_numbers(session)
