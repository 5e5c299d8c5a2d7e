"""The cast and the things tests need, made the short way. All people and places are invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import checks, elections, entries, rehearsal
from knowledge.checks import CheckState, PublicationCheck
from knowledge.versions import Content, EntryVersion
from office import contacts, units
from office.audit import SYSTEM
from office.contacts import Channel, Contact
from office.hours import OfficeHours
from office.staff import Role, Staff
from office.units import Unit, UnitKind
from ticketing import intake
from ticketing.records import Ticket

DATA = Path(__file__).parent.parent / "data"
HOURS = OfficeHours.from_data(yaml.safe_load((DATA / "hours.yaml").read_text(encoding="utf-8")))
ELECTION_DAY = date(2026, 12, 29)
CALENDAR: dict[str, Any] = {
    "name": "示例选举",
    "level": "county",
    "region": "shanghai",
    "day": ELECTION_DAY.isoformat(),
    "windows": [
        {"audience": "居民登记", "from": "2026-11-16", "to": "2026-12-05", "note": "9:00–17:00"},
    ],
    "lookup": [{"from": "2026-11-16", "to": "2026-12-28", "note": ""}],
}


@dataclass(frozen=True)
class Cast:
    """张敏 asks, 李强 works, 王芳 reviews, 赵磊 is from elsewhere, 孙洁 left yesterday, 周宁 administers."""

    district: Unit
    riverside: Unit
    north: Unit
    zhang_min: Contact
    li_qiang: Staff
    wang_fang: Staff
    zhao_lei: Staff
    sun_jie: Staff
    zhou_ning: Staff


async def make_cast(session: AsyncSession, now: datetime) -> Cast:
    """东浦区 with 临江街道 and 北塘镇, its people, and an election day."""
    district = await units.add(
        session, UnitKind.DISTRICT, "DP", "东浦区", office_name="东浦区选举委员会办公室",
        phone="0000-12345678", address="东浦区示例路1号", hours_text="工作日 8:30–11:30、13:30–17:30",
    )  # fmt: skip
    riverside = await units.add(session, UnitKind.SUBDISTRICT, "LJ", "临江街道", district)
    north = await units.add(session, UnitKind.TOWN, "BT", "北塘镇", district)
    before = now - timedelta(days=30)

    async def person(name: str, unit: Unit, *roles: Role, **more: Any) -> Staff:
        found = Staff(
            name=name, unit_id=unit.id, roles=[role.value for role in roles], created_at=before, **more
        )
        session.add(found)
        await session.flush()
        return found

    await elections.install(session, district, CALENDAR, basis="示例数据", now=now)
    return Cast(
        district=district,
        riverside=riverside,
        north=north,
        zhang_min=await contacts.seen(session, Channel.TELEGRAM, "5001", now=now),
        li_qiang=await person("李强", district, Role.DUTY_OFFICER),
        wang_fang=await person("王芳", district, Role.REVIEWER, Role.DUTY_OFFICER),
        zhao_lei=await person("赵磊", north, Role.DUTY_OFFICER),
        sun_jie=await person("孙洁", district, Role.DUTY_OFFICER, deactivated_at=now - timedelta(days=1)),
        zhou_ning=await person("周宁", district, Role.ADMIN),
    )


async def a_ticket(
    session: AsyncSession,
    cast: Cast,
    now: datetime,
    words: str = "新楼盘还没有门牌号，登记表上的地址怎么填？",
    unit: Unit | None = None,
) -> Ticket:
    """An open ticket of 张敏's."""
    return await intake.open_ticket(
        session, cast.zhang_min, words, unit=unit or cast.district, district=cast.district,
        channel=Channel.TELEGRAM, actor=SYSTEM, hours=HOURS, now=now,
    )  # fmt: skip


def content(cast: Cast, **changes: Any) -> Content:
    """A sound entry about a lost voter card; `changes` replace fields."""
    fields: dict[str, Any] = {
        "topic": "voter_card",
        "question": "选民证丢了怎么办？",
        "phrasings": ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补"),
        "short": "请尽快联系发证的登记站核对，由登记站告诉您怎么办。",
        "basis": ({"law": "上海市区和乡镇人民代表大会代表直接选举实施细则", "article": "第二十七条"},),
        "scope_unit_id": cast.district.id,
    }
    return Content(**(fields | changes))


async def an_entry(
    session: AsyncSession, cast: Cast, now: datetime, no: str = "K-0540", **changes: Any
) -> EntryVersion:
    """A published entry."""
    return await entries.install(session, no, content(cast, **changes), now=now)


async def check(
    session: AsyncSession, version: EntryVersion, *, actor: Staff, now: datetime
) -> PublicationCheck:
    """The golden questions asked of the base with and without the version, and the result written down."""
    prepared = await rehearsal.prepare(session, version, now=now)
    return await rehearsal.record(session, prepared, rehearsal.play(prepared), actor=actor, now=now)


async def publish(session: AsyncSession, version: EntryVersion, *, actor: Staff, now: datetime) -> None:
    """Put a version in force the way the console does: checked, overridden if need be, published."""
    made = await check(session, version, actor=actor, now=now)
    if made.state is CheckState.BLOCKED:
        asker = Staff(name="冯一", unit_id=actor.unit_id, roles=[Role.REVIEWER.value], created_at=now)
        session.add(asker)
        await session.flush()
        await checks.ask_override(session, version, "试验用的口径库题目太少", actor=asker, now=now)
        await checks.override(session, version, actor=actor, now=now)
    await entries.publish(session, version, seen=version.version, actor=actor, now=now)


@dataclass
class Clock:
    """The one clock of the tests; it moves only when told to."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, span: timedelta) -> None:
        self.now += span
