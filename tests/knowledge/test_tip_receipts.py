"""Receipts of work tips: once a unit, by its own people, the first counts however many tap at once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from knowledge import tip_receipts
from knowledge.tip_receipts import Receipt, ReceiptWay
from knowledge.tips import WorkTip
from office import audit
from office.errors import Conflict, DeskError, Invalid, NotFound, NotPermitted
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.make import Cast
from tests.ticketing.people import person
from tests.ticketing.tip_world import drafted, released
from ticketing import tip_release

TAPS = 50


async def tapped(
    store: Store, tip: WorkTip, unit: Unit, who: Staff | None, now: datetime, **more: object
) -> tuple[Receipt, bool]:
    """One tap in a transaction of its own."""
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        told = {"way": ReceiptWay.GROUP, "now": now} | more
        return await tip_receipts.acknowledge(session, row, unit, person=who, **told)  # type: ignore[arg-type]


async def test_fifty_taps_of_one_unit_at_once_count_once(store: Store, cast: Cast, now: datetime) -> None:
    tip = await released(store, cast, now)
    people = [await person(store, cast.riverside, now, f"何{n}", Role.REGISTRAR) for n in range(5)]
    taps = (tapped(store, tip, cast.riverside, people[n % 5], now) for n in range(TAPS))
    found = await asyncio.gather(*taps)
    assert sum(new for _, new in found) == 1
    assert len({receipt.id for receipt, _ in found}) == 1
    async with store.reading() as session:
        assert await tip_receipts.counts(session, tip) == (1, 2)
        told, total = await audit.listed(session, action="work_tip.acknowledge")
        assert total == 1
        assert told[0].facts == {"unit": cast.riverside.id, "way": "group"}
        assert [unit.name for unit in await tip_receipts.silent(session, tip)] == ["北塘镇"]


async def test_who_may_sign_and_for_which_tip(store: Store, cast: Cast, now: datetime) -> None:
    hour = timedelta(hours=1)
    tip = await released(store, cast, now)
    he = await person(store, cast.riverside, now, "何静", Role.REGISTRAR)
    draft = await drafted(store, cast, now)
    early = await released(store, cast, now, send_at=now + hour)
    cases: list[tuple[WorkTip, Unit, Staff | None, type[DeskError], str]] = [
        (tip, cast.riverside, cast.zhao_lei, NotPermitted, "tip_receipt.outsider"),
        (tip, cast.riverside, cast.li_qiang, NotPermitted, "tip_receipt.outsider"),
        (tip, cast.riverside, None, NotPermitted, "tip_receipt.outsider"),
        (tip, cast.district, cast.li_qiang, NotFound, "tip_receipt.not_addressed"),
        (draft, cast.riverside, he, Conflict, "tip_receipt.early"),
        (early, cast.riverside, he, Conflict, "tip_receipt.early"),
    ]
    for which, unit, who, kind, key in cases:
        with pytest.raises(kind) as refused:
            await tapped(store, which, unit, who, now)
        assert refused.value.key == key
    # What is said on the telephone is written down by whoever works on tickets there.
    call = {"way": ReceiptWay.PHONE, "recorded_by": cast.li_qiang}
    with pytest.raises(Invalid):
        await tapped(store, tip, cast.north, None, now, **call)
    with pytest.raises(NotPermitted):
        await tapped(store, tip, cast.riverside, None, now, way=ReceiptWay.PHONE, recorded_by=cast.zhao_lei)
    for signer in ("陈书记 13912345678", "陈书记310101199001011237", "陈书记 62345678"):
        with pytest.raises(Invalid, match="signer_number"):
            await tapped(store, tip, cast.north, None, now, signer=signer, **call)
    told, new = await tapped(store, tip, cast.north, None, now, signer=" 陈书记 ", **call)
    assert new
    assert (told.signer, told.staff_id, told.recorded_by_id) == ("陈书记", None, cast.li_qiang.id)
    assert tip_receipts.when(told, now + hour) == "10:05"
    assert tip_receipts.when(told, now + 24 * hour) == "11-20 10:05"
    first, _ = await tapped(store, tip, cast.riverside, he, now)
    async with store.reading() as session:
        board = await tip_receipts.board(session, [tip, draft])
    assert [unit.name for unit in board.units] == ["临江街道", "北塘镇"]
    found = board.cell(cast.riverside, tip)
    assert found is not None
    assert found.id == first.id
    assert board.cell(cast.riverside, draft) is None
    assert not board.owed(cast.district, tip)


async def test_what_fell_is_not_signed_unless_its_successor_is_secret_still(
    store: Store, cast: Cast, now: datetime
) -> None:
    he = await person(store, cast.riverside, now, "何静", Role.REGISTRAR)
    old = await released(store, cast, now)
    later = now + timedelta(hours=2)
    await released(store, cast, now, supersedes_id=old.id, send_at=later)
    _, new = await tapped(store, old, cast.riverside, he, now)
    assert new
    with pytest.raises(Conflict) as refused:
        await tapped(store, old, cast.north, cast.zhao_lei, later)
    assert (refused.value.key, refused.value.facts) == ("tip_receipt.superseded", {"no": 2})
    gone = await released(store, cast, now)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, gone.id)
        await tip_release.withdraw(session, row, "有误", seen=row.version, actor=cast.wang_fang, now=now)
    with pytest.raises(Conflict, match="withdrawn"):
        await tapped(store, gone, cast.riverside, he, now)


async def test_a_telephone_receipt_is_taken_back_by_who_wrote_it_down_or_a_reviewer(
    store: Store, cast: Cast, now: datetime
) -> None:
    tip = await released(store, cast, now)
    he = await person(store, cast.riverside, now, "何静", Role.REGISTRAR)
    other = await person(store, cast.district, now, "韩梅", Role.DUTY_OFFICER)
    call = {"way": ReceiptWay.PHONE, "recorded_by": cast.li_qiang}
    with pytest.raises(Invalid) as refused:
        await tapped(store, tip, cast.north, None, now, signer="书" * 41, **call)
    assert (refused.value.key, refused.value.facts) == ("tip_receipt.signer_long", {"most": 40})

    async def back(unit: Unit, who: Staff, seen: str, why: str = "记错单位，电话 13912345678") -> None:
        async with store.transaction() as session:
            row = await session.get_one(WorkTip, tip.id)
            await tip_receipts.take_back(session, row, unit, why, seen=seen, actor=who, now=now)

    first, _ = await tapped(store, tip, cast.north, None, now, signer="书" * 40, **call)
    own, _ = await tapped(store, tip, cast.riverside, he, now)
    stamp = tip_receipts.stamp(first)
    cases: list[tuple[Unit, Staff, str, str, type[DeskError], str]] = [
        (cast.north, other, stamp, "错了", NotPermitted, "tip_receipt.not_yours"),
        (cast.north, cast.zhou_ning, stamp, "错了", NotPermitted, "not_permitted"),
        (cast.north, cast.li_qiang, stamp, "  ", Invalid, "reason_needed"),
        (cast.north, cast.li_qiang, stamp, "长" * 301, Invalid, "tip_long"),
        (cast.north, cast.li_qiang, "1.1", "错了", Conflict, "stale_card"),
        (cast.riverside, cast.wang_fang, tip_receipts.stamp(own), "错了", Conflict, "tip_receipt.own_hand"),
        (cast.district, cast.wang_fang, stamp, "错了", Conflict, "stale_card"),
    ]
    for unit, who, seen, why, kind, key in cases:
        with pytest.raises(kind) as refused:
            await back(unit, who, seen, why)
        assert refused.value.key == key
    await back(cast.north, cast.li_qiang, stamp)
    with pytest.raises(Conflict, match="stale_card"):
        await back(cast.north, cast.li_qiang, stamp)
    async with store.reading() as session:
        assert await tip_receipts.counts(session, tip) == (1, 2)
        assert [unit.name for unit in await tip_receipts.silent(session, tip)] == ["北塘镇"]
        (line,) = await tip_receipts.taken_back(session, tip)
        assert (line.actor_id, line.facts["unit"], line.facts["recorded_by"]) == (
            cast.li_qiang.id, cast.north.id, cast.li_qiang.id,
        )  # fmt: skip
        assert line.facts["why"].startswith("记错单位")
        assert "13912345678" not in line.facts["why"]
        assert "书" not in str(line.facts)
        assert (await audit.listed(session, action="work_tip.acknowledge"))[1] == 2
    # What was wrong may be right tomorrow; and a reviewer takes back what somebody else wrote down.
    second, new = await tapped(store, tip, cast.north, None, now + timedelta(hours=1), signer="吴兰", **call)
    assert new
    await back(cast.north, cast.wang_fang, tip_receipts.stamp(second))
