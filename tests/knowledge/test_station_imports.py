"""Stations from a file: proposed, looked at, published by a second person, undone; nothing half done."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import station_files, station_imports, stations
from knowledge.station_imports import Mode
from knowledge.station_reading import Reading
from knowledge.station_rows import Fault, in_words
from knowledge.stations import Station, StationKind, StationState
from office import changes, units
from office.audit import AuditEntry
from office.changes import Change, ChangeState
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.staff import Staff
from office.store import Store
from office.units import UnitKind
from tests.make import DATA, Cast

DEMO = DATA / "demo" / "stations.csv"
BASIS = "东浦选举办〔2026〕3号"
HEADINGS = [station_files.heading(field) for field in station_files.FIELDS]
REGISTRATION, POLLING = StationKind.REGISTRATION, StationKind.POLLING


def row(code: str = "12-03", **cells: Any) -> dict[str, Any]:
    """A sound row about 书香苑; `cells` replace, by heading."""
    return {
        "类型": "登记站", "编号": code, "名称": f"书香苑{code}登记站", "所属街镇": "临江街道",
        "居村": "书香苑居委会",
        "服务小组": code, "地址": f"书院路{int(code[-2:])}号", "附近": "书香苑",
        "开放时间": "2026-11-25至2026-12-05 每天 9:00-17:00",
        "电话": "0000-12340003", "无障碍": "无障碍坡道、一楼", "纬度": 31.0035, "经度": 121.9064,
    } | cells  # fmt: skip


def file(*rows: Mapping[str, Any], headings: Iterable[str] = HEADINGS) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(headings))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


async def reading(
    session: AsyncSession, cast: Cast, now: datetime, content: bytes, mode: Mode = Mode.ADD
) -> Reading:
    return await station_imports.read(
        session, "stations.csv", content, mode=mode, scope=cast.district, now=now
    )


async def propose(
    session: AsyncSession,
    cast: Cast,
    now: datetime,
    content: bytes,
    mode: Mode = Mode.ADD,
    actor: Staff | None = None,
    *,
    removal_meant: bool = False,
    basis: str = BASIS,
) -> Change:
    return await station_imports.propose(
        session, "stations.csv", content, mode=mode, basis=basis, actor=actor or cast.li_qiang, now=now,
        removal_meant=removal_meant,
    )  # fmt: skip


async def publish(session: AsyncSession, cast: Cast, now: datetime, change: Change) -> Change:
    await station_imports.publish(session, change, seen=change.version, actor=cast.wang_fang, now=now)
    return change


async def in_force(session: AsyncSession) -> list[list[str | float]]:
    return await station_imports.exported(session, ".")


async def everything(session: AsyncSession) -> dict[tuple[str, str], dict[str, Any]]:
    """All stations with all that they hold but row number and version."""
    rows = await session.execute(select(*(c for c in Station.__table__.c if c.name not in ("id", "version"))))
    return {(found["kind"].value, found["code"]): dict(found) for found in rows.mappings()}


async def fill(session: AsyncSession, cast: Cast, now: datetime, *rows: Mapping[str, Any]) -> Change:
    return await publish(session, cast, now, await propose(session, cast, now, file(*rows)))


def reasons(faults: Iterable[Fault]) -> set[str]:
    return {fault.reason for fault in faults if not fault.warning}


# --- the way of a file ------------------------------------------------------------------------------------


async def test_a_file_waits_for_a_second_person(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        change = await propose(session, cast, now, file(row("12-03"), row("12-04", 开放时间="待定")))
        assert await in_force(session) == []
        seen = await station_imports.preview(session, change)
        assert [found.code for found in seen.added] == ["12-03"]
        assert (seen.bad, seen.unchanged, seen.moved) == (1, 0, ())
        with pytest.raises(NotPermitted):
            await station_imports.publish(session, change, seen=change.version, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        change = await changes.get(session, change.id)
        await publish(session, cast, now, change)
    async with store.reading() as session:
        station = await stations.by_code(session, REGISTRATION, "12-03")
        assert (station.groups, station.access) == (["12-03"], ["ramp", "ground_floor"])
        assert station.hours == [
            {"from": "2026-11-25", "to": "2026-12-05", "weekdays": "1-7", "spans": ["9:00-17:00"]}
        ]
        assert (await session.get_one(StationState, 1)).revision == 1
        told = await session.scalar(select(AuditEntry).where(AuditEntry.action == "station.publish"))
        assert told is not None
        assert told.facts == {"added": 1, "changed": 0, "removed": 0}


async def test_what_changes_is_shown_field_by_field(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"), row("12-05"))
        other = row("12-04", 电话="0000-12340099", 服务小组="12-04、12-14")
        change = await propose(session, cast, now, file(row("12-03"), other, row("12-06")))
        seen = await station_imports.preview(session, change)
        assert [found.code for found in seen.added] == ["12-06"]
        assert [found.code for found in seen.removed] == []
        assert [(found.code, found.fields) for found in seen.changed] == [
            (
                "12-04",
                (("groups", ["12-04"], ["12-04", "12-14"]), ("phone", "0000-12340003", "0000-12340099")),
            )
        ]
        assert seen.unchanged == 1


async def test_replacing_removes_what_the_file_does_not_have(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"))
        before = await everything(session)
        content = file(row("12-03"), row("12-05"))
        with pytest.raises(Invalid, match=r"station_import\.removal") as refused:
            await propose(session, cast, now, content, Mode.REPLACE)
        assert refused.value.facts == {"count": 1}
        change = await propose(session, cast, now, content, Mode.REPLACE, removal_meant=True)
        assert [found.code for found in (await station_imports.preview(session, change)).removed] == ["12-04"]
        await publish(session, cast, now, change)
        assert {code for _, code in await everything(session)} == {"12-03", "12-05"}
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        assert await everything(session) == before
        assert change.state is ChangeState.UNDONE


async def test_nothing_is_removed_while_a_row_cannot_be_told_apart(
    store: Store, cast: Cast, now: datetime
) -> None:
    """Row 3 may be about 12-04, whose code somebody's spreadsheet has made a date of."""
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"))
        content = file(row("12-03", 电话="0000-12340098"), row("12-04", 编号="12月4日"))
        found = await reading(session, cast, now, content, Mode.REPLACE)
        assert [each["code"] for each in found.rows if each["after"] is None] == []
        assert "removal_held" in {fault.reason for fault in found.faults}


async def test_a_bad_row_never_removes_its_station(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"), row("12-05"))
        content = file(row("12-03"), row("12-04", 开放时间=""))
        found = await reading(session, cast, now, content, Mode.REPLACE)
        assert [each["code"] for each in found.rows] == ["12-05"]


@pytest.mark.parametrize("mode", list(Mode))
async def test_of_two_rows_with_one_code_neither_is_taken(
    store: Store, cast: Cast, now: datetime, mode: Mode
) -> None:
    """13-06 was typed as 13-07: the first of the two rows must not become 13-07."""
    async with store.transaction() as session:
        await fill(session, cast, now, row("13-06"), row("13-07"))
        mistyped = row("13-07", 名称="原来的13-06", 地址="书院路6号", 服务小组="")
        found = await reading(session, cast, now, file(mistyped, row("13-07")), mode)
        assert {(fault.row, fault.reason) for fault in found.faults if not fault.warning} == {
            (2, "code_twice"), (3, "code_twice"),
        }  # fmt: skip
        assert [each["code"] for each in found.rows if each["after"] is not None] == []
        if mode is Mode.REPLACE:
            with pytest.raises(Invalid, match=r"station_import\.removal"):
                await propose(session, cast, now, file(mistyped, row("13-07")), mode)


async def test_a_basis_has_a_length(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        with pytest.raises(Invalid, match="station_basis_long"):
            await propose(session, cast, now, file(row()), basis="据" * 2001)
        await propose(session, cast, now, file(row()), basis="据" * 2000)


async def test_stations_that_moved_on_are_not_overwritten(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        first = await fill(session, cast, now, row("12-03"))
        second = await propose(session, cast, now, file(row("12-03", 电话="0000-12340098")))
        await station_imports.undo(session, first, actor=cast.wang_fang, now=now)
        assert (await station_imports.preview(session, second)).moved == ("12-03",)
    with pytest.raises(Conflict) as refused:
        async with store.transaction() as session:
            await publish(session, cast, now, await changes.get(session, second.id))
    assert (refused.value.key, refused.value.facts) == ("stations_moved", {"codes": "12-03"})
    async with store.reading() as session:
        assert (await changes.get(session, second.id)).state is ChangeState.PROPOSED


async def test_undoing_brings_back_every_field(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"))
        before = await everything(session)
        other = row("12-03", 名称="书香苑新登记站", 备注="搬到一楼", 纬度="", 经度="", 服务小组="")
        change = await fill(session, cast, now, other, row("12-08"))
        assert await everything(session) != before
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        assert await everything(session) == before


async def test_what_the_office_has_hidden_stays_hidden(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"))
        station = await stations.by_code(session, REGISTRATION, "12-03")
        await stations.hide(session, station, "水管爆裂", seen=station.version, actor=cast.wang_fang, now=now)
    async with store.transaction() as session:
        change = await fill(session, cast, now, row("12-03", 电话="0000-12340098"))
        assert (await everything(session))["registration", "12-03"]["hidden"] is True
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        found = (await everything(session))["registration", "12-03"]
        assert (found["hidden"], found["hidden_why"], found["phone"]) == (True, "水管爆裂", "0000-12340003")


async def test_a_file_that_says_nothing_new_is_not_proposed(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"))
        with pytest.raises(Invalid, match=r"station_import\.same"):
            await propose(session, cast, now, file(row("12-03")))
        with pytest.raises(Invalid, match=r"station_import\.bad"):
            await propose(session, cast, now, file(row("12-03", 开放时间="")))


async def test_an_officer_speaks_for_their_own_unit_only(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"))
        own = row("21-01", 所属街镇="北塘镇", 居村="北塘村")
        change = await propose(
            session, cast, now, file(own, row("12-09")), Mode.REPLACE, cast.zhao_lei, removal_meant=True
        )
        seen = await station_imports.preview(session, change)
        assert [found.code for found in seen.added] == ["21-01"]
        assert seen.removed == ()  # 12-03 is not his to remove
        assert [fault.reason for fault in seen.faults if not fault.warning] == ["unit_outside"]
        with pytest.raises(NotPermitted):
            await propose(session, cast, now, file(own), actor=cast.sun_jie)


# --- the report -------------------------------------------------------------------------------------------


async def test_every_bad_row_is_named_with_its_reason(store: Store, cast: Cast, now: datetime) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        (row("12-10", 所属街镇="西岸街道"), "没有“西岸街道”这个单位。"),
        (row("12-11", 开放时间=""), "没有填开放时间。"),
        (row("12-12", 开放时间="等通知"), "开放时间没有写日期：等通知"),
        (row("12-13", 开放时间="11月25日 17:00-9:00"), "关门时间早于开门时间：11月25日 17:00-9:00"),
        (row("12-14", 服务小组="12-14、十四组"), "“十四组”不是小组编号，应像 12-03，用顿号隔开。"),
        (row("12-15", 服务小组="12-03"), "小组12-03已由第2行的站点服务。"),
        (row("12-16", 电话="问居委"), "看不懂电话：问居委"),
        (row("12-17", 纬度=121.9064, 经度=31.0035), "经度和纬度像是填反了。"),
        (row("12-18", 纬度=31.9), "位置离其他站点约100公里，请核对。"),
        (row("12-19", 纬度=""), "经度、纬度要一起填。"),
        (row("12-25"), "编号和第16行相同。"),
        (row("12-25", 服务小组=""), "编号和第15行相同。"),
        (row("12-20", 名称="书香苑12-03登记站", 地址="书院路3号"), "名称和地址与第2行相同，编号却不同。"),
        (row("12-21", 编号="站点A"), "“站点A”不是编号，应像 12-03。"),
        (row("12-22", 类型="菜场"), "“菜场”不是登记站或投票站。"),
        (row("12-23", 名称=""), "没有填。"),
        (row("12-24", 名称="长" * 81), "太长，最多80个字。"),
    ]  # fmt: skip
    rows = [row("12-03"), row("12-04"), row("12-05"), *(found for found, _ in bad)]
    async with store.reading() as session:
        found = await reading(session, cast, now, file(*rows))
    said = {fault.row: in_words(fault) for fault in found.faults if not fault.warning}
    assert said == {number: words for number, (_, words) in enumerate(bad, start=5)}
    assert found.bad == len(bad)
    assert [each["code"] for each in found.rows] == ["12-03", "12-04", "12-05"]
    columns = {fault.row: fault.column for fault in found.faults}
    assert (columns[5], columns[6], columns[9], columns[12]) == ("所属街镇", "开放时间", "服务小组", "纬度")


async def test_what_is_merely_doubtful_keeps_no_row_out(store: Store, cast: Cast, now: datetime) -> None:
    rows = [
        row("12-03", 开放时间="2026-11-10至2026-12-05 每天 9:00-17:00"),
        row("12-04", 电话="13" + "0" * 9, 纬度="", 经度=""),
        row("12-05", 类型="投票站", 开放时间="2026-12-29 7:00-18:00"),
    ]
    async with store.reading() as session:
        found = await reading(session, cast, now, file(*rows))
    assert found.bad == 0
    assert len(found.rows) == 3
    assert {(fault.row, fault.reason) for fault in found.faults} == {
        (0, "units_without"), (2, "hours_outside"), (3, "phone_mobile"), (3, "position_missing"),
    }  # fmt: skip
    assert "北塘镇" in in_words(found.faults[0])


async def test_stations_in_force_count_in_the_report(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"))
        content = file(
            row("12-08", 服务小组="12-04"), row("12-09", 名称="书香苑12-03登记站", 地址="书院路3号")
        )
        found = await reading(session, cast, now, content)
        assert {in_words(fault) for fault in found.faults if not fault.warning} == {
            "小组12-04已由现有站点 12-04 服务。",
            "名称和地址与现有站点 12-03 相同，编号却不同。",
        }
        # As a replacement of all stations the same file would be in order.
        assert (await reading(session, cast, now, content, Mode.REPLACE)).bad == 0


async def test_files_with_persons_in_them_are_refused_whole(store: Store, cast: Cast, now: datetime) -> None:
    named = [row(f"12-0{n}", 谁来="张敏李强王芳"[2 * n - 2 : 2 * n]) for n in (1, 2, 3)]
    refused = {
        "station_file.persons": [
            file(row("12-03", 联系人="某人"), headings=[*HEADINGS, "联系人"]),
            file(row("12-03", 身份证号=""), headings=[*HEADINGS, "身份证号"]),
            file(*named, headings=[*HEADINGS, "谁来"]),
        ],
        "station_file.identity": [
            file(row("12-03", 其他="110105194912310021"), headings=[*HEADINGS, "其他"])
        ],
        "station_file.identity_row": [file(row("12-03", 备注="负责人 11010519491231002１"))],
    }
    async with store.reading() as session:
        for key, contents in refused.items():
            for content in contents:
                with pytest.raises(Invalid) as error:
                    await reading(session, cast, now, content)
                assert error.value.key == key


# --- one station ------------------------------------------------------------------------------------------


def values(**changed: str) -> dict[str, str]:
    texts = {
        "kind": "登记站", "code": "12-03", "name": "书香苑12-03登记站", "unit": "临江街道",
        "neighbourhood": "书香苑居委会", "groups": "12-03", "address": "书院路3号", "near": "书香苑",
        "hours": "2026-11-25至2026-12-05 每天 9:00-17:00", "phone": "0000-12340003",
        "access": "ramp、一楼", "latitude": "31.0035", "longitude": "121.9064",
    }  # fmt: skip
    return texts | changed


async def test_one_station_is_edited_like_a_file_of_one_row(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"))
        edit: dict[str, Any] = {"instead_of": (REGISTRATION, "12-03"), "actor": cast.li_qiang, "now": now}
        clash = values(groups="12-04", code="12-04")
        found = await station_imports.check_one(session, clash, **edit)
        assert reasons(found.faults) == {"code_known", "group_known"}
        with pytest.raises(Invalid, match="station_faulty"):
            await station_imports.propose_one(session, clash, basis=BASIS, **edit)
        with pytest.raises(Invalid, match="station_same"):
            await station_imports.propose_one(session, values(), basis=BASIS, **edit)
        change = await station_imports.propose_one(
            session, values(phone="0000-7"[:6] + "654321"), basis=BASIS, **edit
        )
        await publish(session, cast, now, change)
        assert (await everything(session))["registration", "12-03"]["phone"] == "0000-7654321"


async def test_another_code_is_another_station(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"))
        before = await everything(session)
        change = await station_imports.propose_one(
            session,
            values(code="12-33"),
            instead_of=(REGISTRATION, "12-03"),
            basis=BASIS,
            actor=cast.li_qiang,
            now=now,
        )
        await publish(session, cast, now, change)
        assert [code for _, code in await everything(session)] == ["12-33"]
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        assert await everything(session) == before


async def test_a_station_is_removed_and_comes_back(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"), row("12-04"))
        before = await everything(session)
        with pytest.raises(NotFound):
            await station_imports.propose_removal(
                session, REGISTRATION, "12-03", basis=BASIS, actor=cast.zhao_lei, now=now
            )
        change = await station_imports.propose_removal(
            session, REGISTRATION, "12-03", basis=BASIS, actor=cast.li_qiang, now=now
        )
        await publish(session, cast, now, change)
        assert [code for _, code in await everything(session)] == ["12-04"]
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        assert await everything(session) == before


async def test_hiding_needs_a_reason_and_somebody_who_may_sign(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await fill(session, cast, now, row("12-03"))
        station = await stations.by_code(session, REGISTRATION, "12-03")
        seen = station.version
        with pytest.raises(Invalid, match="station_why"):
            await stations.hide(session, station, " ", seen=seen, actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted):
            await stations.hide(session, station, "停水", seen=seen, actor=cast.li_qiang, now=now)
        await stations.hide(session, station, "停水", seen=seen, actor=cast.wang_fang, now=now)
        with pytest.raises(Conflict):
            await stations.hide(session, station, "停水", seen=seen, actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted):
            await stations.show(session, station, seen=station.version, actor=cast.li_qiang, now=now)
        await stations.show(session, station, seen=station.version, actor=cast.wang_fang, now=now)
        assert (station.hidden, station.hidden_why) == (False, "")
        about = AuditEntry.action.startswith("station.")
        acts = await session.scalars(select(AuditEntry.action).where(about).order_by(AuditEntry.id))
        assert list(acts) == ["station.publish", "station.hide", "station.show"]


# --- there and back ---------------------------------------------------------------------------------------


async def demo(session: AsyncSession, cast: Cast, now: datetime) -> None:
    await units.add(session, UnitKind.SUBDISTRICT, "HX", "和兴街道", cast.district)
    await station_imports.install(session, DEMO, now=now)


async def test_the_stations_of_the_demo_are_in_order(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await demo(session, cast, now)
        found = await everything(session)
        assert len(found) == 24
        assert {kind for kind, _ in found} == {"registration", "polling"}
        with pytest.raises(Conflict):
            await station_imports.install(session, DEMO, now=now)


@pytest.mark.parametrize("mode", list(Mode))
async def test_what_is_exported_comes_back_unchanged(
    store: Store, cast: Cast, now: datetime, mode: Mode
) -> None:
    async with store.transaction() as session:
        await demo(session, cast, now)
        rows = await in_force(session)
        for content in (station_files.to_csv(rows), station_files.to_xlsx(rows, now)):
            found = await reading(session, cast, now + timedelta(days=40), content, mode)
            assert (found.rows, found.bad, found.unchanged) == ((), 0, 24)


async def test_five_thousand_rows_with_three_hundred_bad_ones(
    store: Store, cast: Cast, now: datetime, record_property: Any
) -> None:
    reasons_for = ("hours_missing", "phone_bad", "unit_unknown")
    spoilt = {
        "hours_missing": {"开放时间": ""},
        "phone_bad": {"电话": "?"},
        "unit_unknown": {"所属街镇": "某街道"},
    }
    rows, expected = [], {}
    for number in range(5_000):
        code = f"{10 + number // 100}-{number % 100:02}"
        wrong = reasons_for[number % 3] if number % 50 < 3 else ""
        if wrong:
            expected[number + 2] = wrong
        rows.append(row(code, 名称=f"第{number}登记站", 地址=f"书院路{number}号", **spoilt.get(wrong, {})))
    content = file(*rows)
    begun = time.perf_counter()
    async with store.transaction() as session:
        change = await propose(session, cast, now, content)
        proposed = time.perf_counter()
        seen = await station_imports.preview(session, change)
        assert {fault.row: fault.reason for fault in seen.faults if not fault.warning} == expected
        assert len(expected) == seen.bad == 300
        assert len(seen.added) == 4_700
        assert await everything(session) == {}
    async with store.transaction() as session:
        before = time.perf_counter()
        change = await publish(session, cast, now, await changes.get(session, change.id))
        published = time.perf_counter()
        assert len(await everything(session)) == 4_700
        undoing = time.perf_counter()
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        assert await everything(session) == {}
        undone = time.perf_counter()
    taken = {"propose": proposed - begun, "publish": published - before, "undo": undone - undoing}
    record_property("seconds", taken)
    print({name: round(seconds, 2) for name, seconds in taken.items()})
    # Row by row it would be minutes.
    assert max(taken.values()) < 30


# --- any change and its undoing ---------------------------------------------------------------------------

changed_cells = st.fixed_dictionaries(
    {},
    optional={
        "名称": st.sampled_from(["新站", "=1+1", "'x"]),
        "电话": st.sampled_from(["", "0000-12340099"]),
        "服务小组": st.just(""),
        "纬度": st.sampled_from([31.0, 31.01]),
        "备注": st.text("一二\n =", max_size=5),
    },
)
files = st.dictionaries(st.integers(1, 9).map("12-{:02}".format), changed_cells, min_size=1, max_size=6)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=files, mode=st.sampled_from(Mode))
async def test_any_change_is_undone_without_a_trace(
    store: Store, cast: Cast, now: datetime, found: dict[str, dict[str, Any]], mode: Mode
) -> None:
    async with store.transaction() as session:
        if not await everything(session):
            await fill(session, cast, now, *(row(f"12-{number:02}") for number in range(1, 6)))
        before = await everything(session)
        content = file(*(row(code, **cells) for code, cells in found.items()))
        read = await reading(session, cast, now, content, mode)
        if not read.rows:
            return
        change = await propose(session, cast, now, content, mode, removal_meant=True)
        await publish(session, cast, now, change)
        after = await everything(session)
        assert after != before
        # What the file says is what is in force, and an export says it again.
        rows = await in_force(session)
        again = await reading(session, cast, now, station_files.to_xlsx(rows, now), Mode.REPLACE)
        assert again.rows == ()
        await station_imports.undo(session, change, actor=cast.wang_fang, now=now)
        assert await everything(session) == before
