"""The cluster of fourteen: who asked what about residence permits, from where and on which channel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from office import contacts, units
from office.audit import SYSTEM
from office.contacts import Channel, Contact
from office.hours import OfficeHours
from office.store import Store
from office.units import Unit, UnitKind
from tests.make import HOURS, Cast
from tests.ticketing.full import PHONE, SEALER
from tests.ticketing.work import BASIS, REPLY
from ticketing import clusters, intake, tickets
from ticketing.clusters import Cluster
from ticketing.records import Ticket

TITLE = "居住证“累计”满5年和“连续”满5年，按哪个算"
FOURTEEN = (
    "居住证“累计”满5年和“连续”满5年，按哪个算？",
    "居住证满五年是累计还是连续？",
    "居住证要连续5年吗，中间断过算不算",
    "居住证累计满5年可以登记吗",
    "居住证中断过，累计五年行不行",
    "5年居住证是连续的还是累计的",
    "办居住证累计5年多了，中间断了半年，能登记选民吗",
    "外来人员居住证5年怎么算，累计还是连续",
    "居住证断了两个月，还算连续满5年吗",
    "居住证满5年，连续还是累计啊",
    "居住证前后加起来五年，算满5年吗",
    "问一下居住证连续满五年才能登记吗",
    "居住证过期又续的，5年连续吗",
    "居住证累计年限和连续年限哪个为准",
)
OTHERS = (
    "选民证丢了怎么办",
    "投票那天我出差，能让家里人代投吗",
    "新楼盘没有门牌号登记表怎么填",
    "候选人名单什么时候公布",
)
PLACES = ("东亭街道", "西浦镇", "河湾镇", "柳林街道", "石桥镇")


async def seven_units(session: AsyncSession, cast: Cast) -> list[Unit]:
    """临江街道, 北塘镇 and five more."""
    known = {unit.name: unit for unit in await units.all_units(session)}
    made = [
        known.get(name) or await units.add(session, UnitKind.TOWN, f"X{number}", name, cast.district)
        for number, name in enumerate(PLACES)
    ]
    return [cast.riverside, cast.north, *made]


async def asked(
    session: AsyncSession,
    cast: Cast,
    now: datetime,
    words: str,
    *,
    who: str = "",
    channel: Channel = Channel.TELEGRAM,
    unit: Unit | None = None,
    hours: OfficeHours = HOURS,
    **more: object,
) -> Ticket:
    """A ticket of somebody; without `who` of a caller who left no name, but a phone."""
    contact: Contact | None = await contacts.seen(session, channel, who, now=now) if who else None
    ticket = await intake.open_ticket(
        session, contact, words, unit=unit or cast.riverside, district=cast.district, channel=channel,
        actor=SYSTEM, hours=hours, now=now, **more,
    )  # fmt: skip
    ticket.phone = None if contact else SEALER.seal(PHONE)
    return ticket


async def fourteen(store: Store, cast: Cast, now: datetime) -> list[Ticket]:
    """Fourteen askers from seven units: on Telegram and the web, by telephone and at the counter."""
    channels = (Channel.TELEGRAM, Channel.WEB, Channel.PHONE, Channel.COUNTER)
    async with store.transaction() as session:
        places = await seven_units(session, cast)
        found = []
        for number, words in enumerate(FOURTEEN):
            channel = channels[number % 4]
            spoken = channel in (Channel.PHONE, Channel.COUNTER)
            found.append(
                await asked(
                    session, cast, now, words, who="" if spoken else f"80{number:02d}", channel=channel,
                    unit=places[number % 7],
                )
            )  # fmt: skip
    return found


async def confirmed(store: Store, cast: Cast, opened: list[Ticket], now: datetime) -> Cluster:
    """李强 makes a cluster of them; the first one leads."""
    async with store.transaction() as session:
        rows = [await tickets.get(session, ticket.id) for ticket in opened]
        return await clusters.confirm(session, rows, rows[0], TITLE, actor=cast.li_qiang, now=now)


async def signed(store: Store, cast: Cast, lead: Ticket, now: datetime, hours: OfficeHours = HOURS) -> None:
    """李强 takes the lead and drafts, 王芳 signs."""
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
        await tickets.propose(session, found, REPLY, BASIS, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.sign(session, found, seen=found.version, actor=cast.wang_fang, hours=hours, now=now)
