"""What is typed and not yet sent, and who else is looking."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from office.errors import Conflict, NotFound, NotPermitted
from office.redact import PLACEHOLDER
from office.store import Store
from tests.make import Cast
from tests.ticketing.work import entry, opened, taken
from ticketing import drafts, tickets
from ticketing.drafts import LOOKING_LASTS


async def test_everybody_has_a_draft_of_their_own(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        await drafts.save(session, ticket, "请先到登记站", actor=cast.li_qiang, now=now)
        await drafts.save(session, ticket, "先问市里", actor=cast.wang_fang, now=now)
        await drafts.save(session, ticket, "请先到登记站核对", actor=cast.li_qiang, now=now)
    async with store.reading() as session:
        assert await drafts.of(session, ticket, cast.li_qiang) == "请先到登记站核对"
        assert await drafts.of(session, ticket, cast.wang_fang) == "先问市里"
        assert await drafts.of(session, ticket, cast.zhao_lei) == ""


async def test_a_draft_survives_that_the_ticket_is_given_away(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        await drafts.save(session, ticket, "请先到登记站", actor=cast.li_qiang, now=now)
        found = await tickets.get(session, ticket.id)
        await tickets.put_back(session, found, "下班", actor=cast.li_qiang, now=now)
        await tickets.take(session, found, actor=cast.wang_fang, now=now)
        assert await drafts.of(session, ticket, cast.li_qiang) == "请先到登记站"


async def test_an_emptied_box_removes_the_draft_and_numbers_never_enter(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        await drafts.save(session, ticket, "号码310104199001010012", actor=cast.li_qiang, now=now)
        assert await drafts.of(session, ticket, cast.li_qiang) == f"号码{PLACEHOLDER}"
        await drafts.save(session, ticket, " \n", actor=cast.li_qiang, now=now)
        assert await drafts.of(session, ticket, cast.li_qiang) == ""


async def test_two_windows_of_one_officer_do_not_trip_over_each_other(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)

    async def window(text: str) -> None:
        async with store.transaction() as session:
            await drafts.save(session, ticket, text, actor=cast.li_qiang, now=now)
            await drafts.look(session, ticket, actor=cast.li_qiang, now=now)

    await asyncio.gather(*(window(text) for text in "甲乙丙丁"))
    async with store.reading() as session:
        assert await drafts.of(session, ticket, cast.li_qiang) in "甲乙丙丁"


async def test_an_outsider_types_nothing_into_our_ticket(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, unit=cast.riverside)
    async with store.transaction() as session:
        with pytest.raises(NotPermitted):
            await drafts.save(session, ticket, "看看", actor=cast.zhao_lei, now=now)


async def test_one_sees_who_else_is_looking_by_masked_name(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        assert await drafts.look(session, ticket, actor=cast.li_qiang, now=now) == []
        assert await drafts.look(session, ticket, actor=cast.wang_fang, now=now) == ["李*"]
        assert await drafts.look(session, ticket, actor=cast.li_qiang, now=now) == ["王*"]
        later = now + LOOKING_LASTS
        assert await drafts.look(session, ticket, actor=cast.li_qiang, now=later) == []
        await drafts.look(session, ticket, actor=cast.wang_fang, now=later + timedelta(seconds=1))
        assert await drafts.look(session, ticket, actor=cast.li_qiang, now=later) == ["王*"]


async def test_a_draft_keeps_its_basis_and_what_it_cites(store: Store, cast: Cast, now: datetime) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now)
    async with store.transaction() as session:
        await drafts.save(
            session,
            ticket,
            "请先到登记站",
            actor=cast.li_qiang,
            now=now,
            basis=" 细则 ",
            version_id=version.id,
        )
        kept = await drafts.own(session, ticket, cast.li_qiang)
        assert kept is not None
        assert (kept.text, kept.basis, kept.version_id, kept.who) == (
            "请先到登记站",
            "细则",
            version.id,
            "李*",
        )
        await drafts.save(session, ticket, "改了", actor=cast.li_qiang, now=now)
        kept = await drafts.own(session, ticket, cast.li_qiang)
        assert kept is not None
        assert (kept.text, kept.basis, kept.version_id) == ("改了", "", None)


async def test_the_next_holder_sees_a_colleagues_draft_and_takes_it_over(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now)
    async with store.transaction() as session:
        await drafts.save(
            session, ticket, "请先到登记站", actor=cast.li_qiang, now=now, basis="细则", version_id=version.id
        )
        found = await tickets.get(session, ticket.id)
        await tickets.put_back(session, found, "下班", actor=cast.li_qiang, now=now)
        await tickets.take(session, found, actor=cast.wang_fang, now=now)
        assert [one.who for one in await drafts.others(session, ticket, cast.wang_fang)] == ["李*"]
        assert await drafts.others(session, ticket, cast.li_qiang) == []
        await drafts.save(session, ticket, "您好", actor=cast.wang_fang, now=now)
        theirs = cast.li_qiang.id
        await drafts.take_over(session, ticket, theirs, actor=cast.wang_fang, now=now)
        mine = await drafts.own(session, ticket, cast.wang_fang)
        assert mine is not None
        assert (mine.text, mine.basis, mine.version_id) == ("您好\n\n请先到登记站", "细则", version.id)
        assert await drafts.of(session, ticket, cast.li_qiang) == "请先到登记站"
        with pytest.raises(NotFound, match="draft_gone"):
            await drafts.take_over(session, ticket, cast.sun_jie.id, actor=cast.wang_fang, now=now)
        with pytest.raises(NotFound, match="draft_gone"):
            await drafts.take_over(session, ticket, cast.wang_fang.id, actor=cast.wang_fang, now=now)


async def test_an_outsider_reads_no_drafts(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now, unit=cast.riverside)
    async with store.transaction() as session:
        await drafts.save(session, ticket, "请先到登记站", actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted):
            await drafts.others(session, ticket, cast.zhao_lei)
        with pytest.raises(NotPermitted):
            await drafts.take_over(session, ticket, cast.li_qiang.id, actor=cast.zhao_lei, now=now)


async def test_one_sees_who_is_writing(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        await drafts.save(session, ticket, "请先到登记站", actor=cast.wang_fang, now=now)
        assert await drafts.writing(session, ticket, cast.li_qiang, now=now) == ["王*"]
        assert await drafts.writing(session, ticket, cast.wang_fang, now=now) == []
        assert await drafts.writing(session, ticket, cast.li_qiang, now=now + LOOKING_LASTS) == []


async def test_what_waits_for_a_reviewer_comes_back_as_its_authors_draft(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await drafts.save(session, found, "第一稿", actor=cast.li_qiang, now=now)
        await tickets.propose(
            session, found, "请先到登记站。", "区选举办意见", version, actor=cast.li_qiang, now=now
        )
        with pytest.raises(Conflict, match="stale_card"):
            await drafts.save(session, found, "另一个答复", actor=cast.li_qiang, now=now)
        await tickets.revise(session, found, "请写明依据", actor=cast.wang_fang, now=now)
        own = await drafts.own(session, found, cast.li_qiang)
        assert own is not None
        assert (own.text, own.basis, own.version_id) == ("请先到登记站。", "区选举办意见", version.id)
        # A window from before the return is known by its version.
        with pytest.raises(Conflict, match="stale_card"):
            await drafts.must_be_current(session, found, found.version - 1)
        await drafts.must_be_current(session, found, found.version)
