"""A work tip on its way, for the tests: drafted by 李强, handed in, signed by 王芳."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries, tip_drafts, tip_moves
from knowledge.tips import Tip, WorkTip
from knowledge.versions import Alteration, Entry, EntryVersion
from office import contacts
from office.bindings import ChatGroup, GroupPurpose, GroupState
from office.contacts import Channel, ContactKind
from office.staff import Staff
from office.store import Store
from office.units import Unit
from tests import make
from tests.make import HOURS, Cast
from ticketing import tip_release

TIP = Tip(
    "关于居住证年限的提示",
    origin="11月18日至20日，共收到相似咨询14件。",
    wording="问题：居住证满五年怎么算？\n答复：按累计月数计算，不要求连续。\n依据：实施细则",
    steps="1. 先看证\n2. 再查表",
    contact_lines="联系：区选举办，电话 0000-12345678",
    basis="上海市实施细则第二十七条",
    addressed_to="各街道、各镇选举工作组",
)


def tip(cast: Cast, **changes: Any) -> Tip:
    """A sound tip to both units; `changes` replace fields."""
    return replace(TIP, **({"targets": (cast.riverside.id, cast.north.id)} | changes))


async def drafted(
    store: Store, cast: Cast, now: datetime, actor: Staff | None = None, **changes: Any
) -> WorkTip:
    """A draft of the district's; `changes` replace what it says, and `sources`."""
    sources = changes.pop("sources", {})
    async with store.transaction() as session:
        return await tip_drafts.draft(
            session, tip(cast, **changes), unit=cast.district, sources=sources,
            actor=actor or cast.li_qiang, now=now,
        )  # fmt: skip


async def submitted(store: Store, cast: Cast, now: datetime, **changes: Any) -> WorkTip:
    """A draft that was handed in."""
    made = await drafted(store, cast, now, **changes)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_moves.submit(session, row, seen=row.version, actor=cast.li_qiang, now=now)
    return row


async def signed(
    store: Store, cast: Cast, made: WorkTip, now: datetime, actor: Staff | None = None, **more: Any
) -> WorkTip:
    """The tip released, by 王芳 unless somebody else tries."""
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        seen = more.pop("seen", row.version)
        await tip_release.release(
            session, row, seen=seen, actor=actor or cast.wang_fang, hours=HOURS, now=now, **more
        )
    return row


async def released(store: Store, cast: Cast, now: datetime, **changes: Any) -> WorkTip:
    """A tip with a number."""
    return await signed(store, cast, await submitted(store, cast, now, **changes), now)


async def read(store: Store, made: WorkTip) -> WorkTip:
    """The tip as it stands in the database."""
    async with store.reading() as session:
        return await session.get_one(WorkTip, made.id)


async def group(
    session: AsyncSession, unit: Unit, address: str, now: datetime, channel: Channel = Channel.TELEGRAM,
    **more: Any,
) -> ChatGroup:  # fmt: skip
    """A bound group of a unit's staff; `more` replaces its columns."""
    contact = await contacts.seen(session, channel, address, kind=ContactKind.GROUP, now=now)
    columns = {"state": GroupState.BOUND, "purpose": GroupPurpose.STAFF, "bound_at": now, "asked_at": now}
    row = ChatGroup(contact_id=contact.id, unit_id=unit.id, title=unit.name, **(columns | more))
    session.add(row)
    await session.flush()
    return row


async def rewording(
    store: Store, cast: Cast, entry_no: str, short: str, now: datetime, *, checked: bool = True
) -> tuple[EntryVersion, EntryVersion]:
    """A published entry and its next version in review, checked by 王芳: (in force, to come)."""
    async with store.transaction() as session:
        old = await make.an_entry(session, cast, now, no=entry_no, question=f"{entry_no}怎么办？")
        entry = await session.get_one(Entry, old.entry_id)
        wanted = make.content(cast, question=f"{entry_no}怎么办？", short=short)
        new = await entries.draft(session, wanted, actor=cast.li_qiang, now=now, entry=entry)
        await entries.submit(session, new, actor=cast.li_qiang, now=now, alteration=Alteration.SUBSTANTIVE)
    if checked:
        await check(store, cast, new, now)
    return old, new


async def check(store: Store, cast: Cast, version: EntryVersion, now: datetime) -> None:
    """The check of a version as the base is now."""
    async with store.transaction() as session:
        row = await session.get_one(EntryVersion, version.id)
        await make.check(session, row, actor=cast.wang_fang, now=now)
