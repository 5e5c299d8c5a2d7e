"""From an answered ticket to a draft entry."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from knowledge import entries, tip_links, tip_moves
from knowledge.versions import EntryState, EntryVersion, content_of, get_version
from office import staff
from office.errors import Conflict, NotPermitted
from office.staff import Role
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.work import BASIS, REPLY, WORDS, answered, opened, proposed, read, taken
from ticketing import ledgers, promote, tickets
from ticketing.records import Ticket


async def signed(store: Store, cast: Cast, now: datetime, **more: object) -> Ticket:
    ticket = await proposed(store, cast, now, **more)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.sign(session, found, seen=found.version, actor=cast.wang_fang, hours=HOURS, now=now)
    return found


async def promoted(store: Store, ticket: Ticket, cast: Cast, now: datetime) -> EntryVersion:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        return await promote.to_entry(session, found, actor=cast.li_qiang, now=now)


async def test_question_answer_and_basis_are_filled_in(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await signed(store, cast, now, topic="reg_how")
    async with store.transaction() as session:
        enquiry = await ledgers.record(
            session, cast.zhang_min, "我家门牌还没装，选民登记怎么弄", outcome=None, now=now
        )
        enquiry.ticket_id = ticket.id
    version = await promoted(store, ticket, cast, now)
    async with store.reading() as session:
        content = await content_of(session, version)
    assert (version.state, version.author_id, version.ticket_id) == (
        EntryState.DRAFT, cast.li_qiang.id, ticket.id,
    )  # fmt: skip
    assert content.question == WORDS
    assert "我家门牌还没装，选民登记怎么弄" in content.phrasings
    assert (content.short, content.topic) == (REPLY, "reg_how")
    assert content.basis == ({"law": BASIS, "article": ""},)
    assert content.scope_unit_id == cast.district.id
    assert (await read(store, ticket)).entry_created_id == version.entry_id


async def test_the_basis_of_a_cited_entry_goes_over(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    version = await promoted(store, ticket, cast, now)
    assert version.basis[0]["article"] == "第二十七条"


async def test_a_draft_made_from_a_ticket_still_waits_for_its_editor_and_a_second_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await promoted(store, await signed(store, cast, now, topic="reg_how"), cast, now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        assert [p.key for p in entries.problems(await content_of(session, found)) if p.blocks] == [
            "lint_phrasings"
        ]


async def test_a_ticket_becomes_an_entry_once_even_for_two_editors_at_the_same_moment(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await signed(store, cast, now)
    ended = await asyncio.gather(
        *(promoted(store, ticket, cast, now) for _ in range(2)), return_exceptions=True
    )
    (refused,) = [one for one in ended if isinstance(one, Exception)]
    assert isinstance(refused, Conflict)
    assert refused.key == "already_promoted"


async def test_an_open_ticket_has_nothing_to_teach_yet(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    with pytest.raises(Conflict, match="stale_card"):
        await promoted(store, ticket, cast, now)


async def test_whoever_cannot_see_the_ticket_promotes_nothing(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await signed(store, cast, now)
    for person in (cast.zhao_lei, cast.sun_jie):
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            with pytest.raises(NotPermitted):
                await promote.to_entry(session, found, actor=person, now=now)
    assert (await read(store, ticket)).entry_created_id is None


async def test_a_street_officer_drafts_for_the_street(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        officer = await staff.get(session, cast.li_qiang.id)
        officer.unit_id = cast.riverside.id
    ticket = await signed(store, cast, now, unit=cast.riverside)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        actor = await staff.get(session, cast.li_qiang.id)
        version = await promote.to_entry(session, found, actor=actor, now=now)
    assert version.scope_unit_id == cast.riverside.id


async def test_an_answered_ticket_becomes_a_tip_with_every_part_filled_in(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await signed(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        tip = await promote.to_tip(session, found, actor=cast.li_qiang, now=now)
    assert tip.title == "关于若干问题的提示（待填写）"
    assert tip.origin == f"11月20日收到咨询，问的是：{WORDS}"
    assert ticket.ticket_no not in "".join(tip_moves.texts(tip))
    assert tip.wording == f"问题：{WORDS}\n答复：{REPLY}\n依据：{BASIS}"
    assert "0000-12345678" in tip.contact_lines
    assert tip.sources == {"tickets": [ticket.id], "entries": []}


async def test_a_tip_that_cites_an_entry_takes_its_steps(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        tip = await promote.to_tip(session, found, actor=cast.li_qiang, now=now)
    assert tip.sources["entries"] == ["K-0540"]
    assert "第二十七条" in tip.basis


async def test_a_tip_takes_along_the_entry_that_its_drafter_began_and_nobody_elses(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await signed(store, cast, now)
    version = await promoted(store, ticket, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        wang = await staff.get(session, cast.wang_fang.id)
        wang.roles = [*wang.roles, Role.EDITOR.value]
        for actor, wanted in ((cast.li_qiang, [version.id]), (wang, [])):
            tip = await promote.to_tip(session, found, actor=actor, now=now)
            assert [one.id for _, one, _ in await tip_links.linked(session, tip)] == wanted


async def test_a_tip_needs_an_answer_and_reach(store: Store, cast: Cast, now: datetime) -> None:
    waiting = await taken(store, cast, now)
    done = await signed(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, waiting.id)
        with pytest.raises(Conflict, match="stale_card"):
            await promote.to_tip(session, found, actor=cast.li_qiang, now=now)
        found = await tickets.get(session, done.id)
        with pytest.raises(NotPermitted):
            await promote.to_tip(session, found, actor=cast.zhao_lei, now=now)


async def test_the_words_of_those_who_were_joined_become_ways_to_ask(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await taken(store, cast, now)
    other = await opened(store, cast, now, "没有门牌号的新房，登记地址写什么")
    async with store.transaction() as session:
        rows = [await tickets.get(session, ticket.id) for ticket in (other, lead)]
        await tickets.merge(session, rows[0], rows[1], actor=cast.li_qiang, now=now)
        await tickets.propose(session, rows[1], REPLY, BASIS, actor=cast.li_qiang, now=now)
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.sign(session, found, seen=found.version, actor=cast.wang_fang, hours=HOURS, now=now)
        version = await promote.to_entry(session, found, actor=cast.li_qiang, now=now)
        assert "没有门牌号的新房，登记地址写什么" in (await content_of(session, version)).phrasings
