"""The restricted store: sealed, opened by few with a reason, and every opening is seen by others."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from office import audit, letter_box, notices
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.confidences import MARK, SEALER, WHY, WORDS, confidential, reviewer, take, taken_offline
from tests.ticketing.work import opened, read
from ticketing import intake, openings, restricted, tickets
from ticketing.particulars import Secrecy
from ticketing.records import PostKind, Ticket, TicketKind, UnansweredReason
from ticketing.restricted import HIDDEN, Restricted, RestrictedOpening, RestrictedText

REASON = "联系前核对情况"
URGENT = "承办人今晚联系不上，人身安全急需核实"


async def open_as(
    store: Store, ticket: Ticket, actor: Staff, now: datetime, reason: str = REASON, *, glass: bool = False
) -> Restricted:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        return await openings.open_(
            session, found, reason, sealer=SEALER, actor=actor, now=now, break_glass=glass
        )


async def acts(store: Store, ticket: Ticket) -> list[str]:
    async with store.reading() as session:
        lines, _ = await audit.listed(session, subject=f"ticket:{ticket.id}")
    return [line.action for line in lines]


async def test_who_is_on_the_list_opens_it_with_a_reason(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken_offline(store, cast, now)
    found = await open_as(store, ticket, cast.li_qiang, now)
    assert found.words == (WORDS,)
    assert found.parts[0]["why"] == WHY
    assert [line["text"] for line in found.parts[0]["thread"]] == [WORDS]
    assert (await acts(store, ticket))[0] == "restricted.open"
    async with store.reading() as session:
        ((opening, who),) = await openings.openings(session, ticket)
        assert (who.id, opening.reason, opening.break_glass) == (cast.li_qiang.id, REASON, False)


async def test_every_opening_is_a_row_and_a_line_of_its_own(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken_offline(store, cast, now)
    for _ in range(3):
        await open_as(store, ticket, cast.li_qiang, now)
    assert (await acts(store, ticket)).count("restricted.open") == 3
    async with store.reading() as session:
        assert len(await openings.openings(session, ticket)) == 3


@pytest.mark.parametrize("reason", ["", "  ", "看"])
async def test_without_a_reason_nobody_reads(store: Store, cast: Cast, now: datetime, reason: str) -> None:
    ticket = await taken_offline(store, cast, now)
    with pytest.raises(Invalid, match="restricted_reason"):
        await open_as(store, ticket, cast.li_qiang, now, reason)


async def test_role_and_list_are_both_needed(store: Store, cast: Cast, now: datetime) -> None:
    other = await reviewer(store, cast, now)
    ticket = await taken_offline(store, cast, now)
    # The leader who decided is not on the list either; 赵磊 does not reach the district.
    for actor in (cast.wang_fang, other, cast.zhao_lei, cast.sun_jie, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await open_as(store, ticket, actor, now)
    # An officer cannot break the glass.
    with pytest.raises(NotPermitted):
        await open_as(store, ticket, cast.zhao_lei, now, URGENT, glass=True)
    assert "restricted.open" not in await acts(store, ticket)


async def test_a_ticket_that_never_was_offline_has_no_text(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    with pytest.raises(NotFound):
        await open_as(store, ticket, cast.wang_fang, now, URGENT, glass=True)


async def test_broken_glass_is_told_and_reviewed_by_another(store: Store, cast: Cast, now: datetime) -> None:
    other = await reviewer(store, cast, now)
    ticket = await taken_offline(store, cast, now)
    with pytest.raises(Invalid):
        await open_as(store, ticket, cast.wang_fang, now, "急", glass=True)
    found = await open_as(store, ticket, cast.wang_fang, now, URGENT, glass=True)
    assert found.words == (WORDS,)
    assert (await acts(store, ticket))[0] == "restricted.break"
    async with store.transaction() as session:
        assert await notices.unread(session, other.id) == 1
        assert await openings.count_unreviewed(session, other) == 1
        assert await openings.count_unreviewed(session, cast.wang_fang) == 0
        ((opening, _, opener),) = await openings.unreviewed(session, other)
        assert opener.id == cast.wang_fang.id
        with pytest.raises(NotPermitted):
            await openings.review(session, opening.id, actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted):
            await openings.review(session, opening.id, actor=cast.li_qiang, now=now)
        await openings.review(session, opening.id, actor=other, now=now)
        assert (opening.reviewed_by_id, opening.reviewed_at) == (other.id, now)
        assert await openings.unreviewed(session, other) == []
        with pytest.raises(Conflict, match="restricted_reviewed"):
            await openings.review(session, opening.id, actor=other, now=now)


async def test_glass_is_not_broken_by_whoever_is_on_the_list(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await take(store, cast, await confidential(store, cast, now), now, cast.wang_fang)
    await open_as(store, ticket, cast.wang_fang, now, URGENT, glass=True)
    async with store.reading() as session:
        assert (await session.scalars(select(RestrictedOpening.break_glass))).all() == [False]


async def test_the_leader_alone_changes_the_list(store: Store, cast: Cast, now: datetime) -> None:
    other = await reviewer(store, cast, now)
    ticket = await taken_offline(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted, match="leader_needed"):
            await openings.admit(session, found, other, actor=cast.li_qiang, now=now)
        with pytest.raises(Invalid, match="offline_person"):
            await openings.admit(session, found, cast.zhao_lei, actor=cast.wang_fang, now=now)
        await openings.admit(session, found, other, actor=cast.wang_fang, now=now)
        await openings.admit(session, found, other, actor=cast.wang_fang, now=now)
        assert [one.id for one in await openings.readers(session, found)] == [cast.li_qiang.id, other.id]
        with pytest.raises(Conflict, match="offline_owner_reads"):
            await openings.dismiss(session, found, cast.li_qiang, actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted, match="leader_needed"):
            await openings.dismiss(session, found, other, actor=cast.li_qiang, now=now)
        await openings.dismiss(session, found, other, actor=cast.wang_fang, now=now)
    with pytest.raises(NotPermitted):
        await open_as(store, ticket, other, now)


async def test_what_comes_later_goes_into_the_store(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken_offline(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await intake.append(session, found, f"又想起{MARK}是周三拿走的", now=now, event_id="m1:2")
        await intake.edited(session, found, f"{MARK}是周四", now=now, event_id="m1:2")
        await tickets.note(session, found, f"已问过，{MARK}在门卫", actor=cast.li_qiang, now=now)
    found_text = await open_as(store, ticket, cast.li_qiang, now)
    assert [(line.kind, line.who) for line in found_text.later] == [
        (PostKind.ASKER.value, None), (PostKind.EDITED.value, None), (PostKind.NOTE.value, cast.li_qiang.id),
    ]  # fmt: skip
    assert found_text.later[2].text == f"已问过，{MARK}在门卫"


async def test_only_the_key_of_this_desk_opens_what_is_sealed(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken_offline(store, cast, now)
    async with store.reading() as session:
        row = await session.get_one(RestrictedText, ticket.id)
        assert MARK.encode() not in row.sealed
        with pytest.raises(Conflict, match="seal_broken"):
            await restricted.read(session, ticket, sealer=Sealer(b"another"))


def test_a_letter_opens_with_its_own_key_alone() -> None:
    key, slot = letter_box.new()
    letter = letter_box.put_in(slot, MARK)
    assert letter_box.take_out(key, letter) == MARK
    assert letter != letter_box.put_in(slot, MARK)
    for wrong, told in ((letter_box.new()[0], letter), (key, letter[:40]), (key, letter[:-4] + b"AAAA")):
        with pytest.raises(Conflict, match="seal_broken"):
            letter_box.take_out(wrong, told)


@pytest.mark.parametrize(
    ("words", "kind", "why", "flagged"),
    [
        ("选民证丢了怎么办？", TicketKind.ENQUIRY, UnansweredReason.NO_ENTRY, False),
        ("精神病人能不能投票，规定是什么", TicketKind.ENQUIRY, UnansweredReason.NO_ENTRY, False),
        ("服刑人员有选举权吗", TicketKind.ENQUIRY, UnansweredReason.NO_ENTRY, False),
        ("我儿子有精神病，单位不让他登记", TicketKind.ENQUIRY, UnansweredReason.NO_ENTRY, True),
        ("我爸爸在看守所，怎么委托投票", TicketKind.ENQUIRY, UnansweredReason.NO_ENTRY, True),
        ("有人送钱让我们选他", TicketKind.ENQUIRY, UnansweredReason.NO_ENTRY, True),
        ("名单的事", TicketKind.REPORT, UnansweredReason.NO_ENTRY, True),
        ("我撑不下去了", TicketKind.ENQUIRY, UnansweredReason.RESTRICTED, True),
    ],
)
def test_what_is_flagged_when_it_is_opened(
    words: str, kind: TicketKind, why: UnansweredReason, flagged: bool
) -> None:
    assert (restricted.by_default(kind, why, words) is Secrecy.RESTRICTED) is flagged


async def test_an_ordinary_ticket_keeps_its_lines(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        line = await restricted.append(session, found, MARK, kind=PostKind.ASKER, now=now)
        assert line == MARK
        restricted.must_be_open(found)
    gone = await read(store, await taken_offline(store, cast, now))
    with pytest.raises(Conflict, match="offline_only"):
        restricted.must_be_open(gone)
    assert gone.words == HIDDEN
