"""Officers' acts: taking, giving back, proposing, signing, answering, setting aside."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import pytest

from knowledge import entries
from knowledge.versions import EntryLevel
from office import audit, signin, staff
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.redact import PLACEHOLDER
from office.staff import Role, Staff
from office.store import Store
from tests.make import HOURS, Cast, content
from tests.ticketing.work import (
    BASIS,
    REPLY,
    answer,
    answered,
    entry,
    everything_sent,
    messages,
    opened,
    proposed,
    read,
    taken,
)
from ticketing import queue, tickets
from ticketing.records import PostKind, Ticket, TicketKind, TicketState

S = TicketState
ID = "310104199001010012"  # made up


async def take(store: Store, ticket: Ticket, by: Staff, now: datetime, seen: int | None = None) -> None:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.take(session, found, seen=seen, actor=by, now=now)


async def sign(store: Store, ticket: Ticket, by: Staff, now: datetime, seen: int | None = None) -> None:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        wanted = found.version if seen is None else seen
        await tickets.sign(session, found, seen=wanted, actor=by, hours=HOURS, now=now)


# --- taking ---


async def test_two_officers_take_at_once_and_one_wins(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    both = (cast.li_qiang, cast.wang_fang)
    ended = await asyncio.gather(
        *(take(store, ticket, person, now, seen=1) for person in both), return_exceptions=True
    )
    (refused,) = [one for one in ended if one is not None]
    winner = both[ended.index(None)]
    assert isinstance(refused, Conflict)
    assert refused.key == "taken"
    assert refused.facts == {"who": winner.masked_name, "at": now}
    row = await read(store, ticket)
    assert (row.assignee_id, row.state, row.version) == (winner.id, S.WORKING, 2)


async def test_the_race_is_won_once_however_the_two_have_read_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    """Both hold the ticket as it was before either wrote; the second finds out only when it writes."""
    ticket = await opened(store, cast, now)
    async with store.reading() as stale:
        old = await tickets.get(stale, ticket.id)
    await take(store, ticket, cast.li_qiang, now)
    async with store.transaction() as session:
        merged = await session.merge(old, load=False)
        with pytest.raises(Conflict, match="taken"):
            await tickets.take(session, merged, actor=cast.wang_fang, now=now)


async def test_a_card_from_before_a_change_takes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.put_back(session, found, "下班", actor=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match="stale_card"):
        await take(store, ticket, cast.wang_fang, now, seen=1)
    await take(store, ticket, cast.wang_fang, now, seen=3)


@pytest.mark.parametrize("name", ["zhao_lei", "sun_jie", "zhou_ning"])
async def test_outsiders_former_officers_and_administrators_take_nothing(
    store: Store, cast: Cast, now: datetime, name: str
) -> None:
    ticket = await opened(store, cast, now, unit=cast.riverside)
    with pytest.raises(NotPermitted):
        await take(store, ticket, getattr(cast, name), now)
    assert (await read(store, ticket)).state is S.UNASSIGNED


async def test_an_officer_of_the_town_takes_what_lies_in_the_town(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now, unit=cast.north)
    await take(store, ticket, cast.zhao_lei, now)
    assert (await read(store, ticket)).first_taker_id == cast.zhao_lei.id


async def test_a_ticket_given_back_keeps_its_first_taker_and_a_reason(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Invalid, match="reason_needed"):
            await tickets.put_back(session, found, "  ", actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict, match="not_yours"):
            await tickets.put_back(session, found, "跨区", actor=cast.wang_fang, now=now)
        await tickets.put_back(session, found, f"跨区，{ID}", actor=cast.li_qiang, now=now)
    row = await read(store, ticket)
    assert (row.state, row.assignee_id, row.first_taker_id) == (S.UNASSIGNED, None, cast.li_qiang.id)
    assert row.reason == f"跨区，{PLACEHOLDER}"


async def test_a_number_at_the_edge_of_a_long_reason_is_not_cut_in_two(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.put_back(session, found, "，" * 290 + ID, actor=cast.li_qiang, now=now)
    assert ID[:8] not in (await read(store, ticket)).reason


# --- answering with an entry ---


async def test_an_answer_with_an_entry_leaves_once_for_the_asker(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    ticket = await answer(store, cast, await taken(store, cast, now), version, now)
    row = await read(store, ticket)
    assert (row.state, row.conclusion_version_id, row.conclusion_no) == (S.ANSWERED, version.id, 1)
    (message,) = await messages(store, ticket)
    assert message.contact_id == cast.zhang_min.id
    assert message.facts["text"] == REPLY
    assert message.facts["entry"] == "K-0540"
    assert message.facts["no"] == ticket.ticket_no
    with pytest.raises(Conflict):
        await answer(store, cast, ticket, version, now)
    assert len(await everything_sent(store)) == 1


async def test_only_the_holder_answers(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now)
    ticket = await taken(store, cast, now)
    for person, error in ((cast.wang_fang, Conflict), (cast.zhao_lei, NotPermitted)):
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            with pytest.raises(error):
                await tickets.answer(session, found, REPLY, version, actor=person, hours=HOURS, now=now)
    assert await messages(store, ticket) == []


@pytest.mark.parametrize(
    "changes", [{"level": EntryLevel.STATUTORY}, {"level": EntryLevel.SENSITIVE}, {"confirmed": False}]
)
async def test_what_is_not_ordinary_and_confirmed_needs_a_reviewer(
    store: Store, cast: Cast, now: datetime, changes: dict[str, object]
) -> None:
    version = await entry(store, cast, now, **changes)
    ticket = await taken(store, cast, now)
    with pytest.raises(NotPermitted, match="reviewer_needed"):
        await answer(store, cast, ticket, version, now)


@pytest.mark.parametrize(
    "changes", [{"effective_until": date(2026, 11, 19)}, {"effective_from": date(2026, 11, 21)}]
)
async def test_an_entry_that_is_not_for_today_carries_no_answer(
    store: Store, cast: Cast, now: datetime, changes: dict[str, object]
) -> None:
    version = await entry(store, cast, now, **changes)
    ticket = await taken(store, cast, now)
    with pytest.raises(Conflict, match="entry_not_in_force"):
        await answer(store, cast, ticket, version, now)


async def test_a_draft_and_a_retired_version_carry_no_answer(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now)
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        draft = await entries.draft(session, content(cast), actor=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match="entry_not_in_force"):
        await answer(store, cast, ticket, draft, now)
    async with store.transaction() as session:
        owner = await session.get_one(entries.Entry, version.entry_id)
        await entries.retire(session, owner, actor=cast.wang_fang, now=now)
        retired = await session.get_one(entries.EntryVersion, version.id)
    with pytest.raises(Conflict, match="entry_not_in_force"):
        await answer(store, cast, ticket, retired, now)


@pytest.mark.parametrize(("text", "key"), [("  ", "text_needed"), ("好" * 3501, "text_long")])
async def test_an_answer_has_words_and_an_end(
    store: Store, cast: Cast, now: datetime, text: str, key: str
) -> None:
    version = await entry(store, cast, now)
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Invalid, match=key):
            await tickets.answer(session, found, text, version, actor=cast.li_qiang, hours=HOURS, now=now)


async def test_numbers_are_taken_out_of_what_officers_write(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now)
    ticket = await taken(store, cast, now)
    text = f"您的号码 {ID} 已查到，电话 0000-12345678"
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.note(session, found, text, actor=cast.wang_fang, now=now)
        await tickets.answer(session, found, text, version, actor=cast.li_qiang, hours=HOURS, now=now)
        lines = await queue.thread(session, found)
    (message,) = await messages(store, ticket)
    for kept in (message.facts["text"], *(line.text for line in lines if line.kind is not PostKind.ASKER)):
        assert ID not in kept
        assert "0000-12345678" in kept


async def test_a_caller_without_a_contact_gets_no_message(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now, contact=None)
    assert ticket.state is S.ANSWERED
    assert await messages(store, ticket) == []


# --- proposing, signing, revising ---


async def test_a_draft_leaves_when_a_second_person_signs_it(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await proposed(store, cast, now)
    assert (ticket.state, await messages(store, ticket)) == (S.IN_REVIEW, [])
    await sign(store, ticket, cast.wang_fang, now)
    row = await read(store, ticket)
    assert (row.author_id, row.reviewer_id, row.answer_text) == (cast.li_qiang.id, cast.wang_fang.id, REPLY)
    (message,) = await messages(store, ticket)
    assert (message.facts["basis"], message.facts["entry"]) == (BASIS, "")


async def test_the_author_does_not_sign(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now, by=cast.wang_fang)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.propose(session, found, REPLY, BASIS, actor=cast.wang_fang, now=now)
    with pytest.raises(NotPermitted, match="second_person_needed"):
        await sign(store, ticket, cast.wang_fang, now)
    with pytest.raises(NotPermitted, match="not_permitted"):
        await sign(store, ticket, cast.li_qiang, now)
    assert await messages(store, ticket) == []


async def test_an_account_the_author_has_just_made_does_not_sign(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        person.roles = [Role.DUTY_OFFICER.value, Role.ADMIN.value]
        helper, _ = await signin.invite(
            session, "李强的同事", [Role.REVIEWER], cast.district, actor=person, now=now
        )
    ticket = await proposed(store, cast, now)
    with pytest.raises(NotPermitted, match="second_person_too_new"):
        await sign(store, ticket, helper, now)


async def test_what_changed_since_the_reviewer_read_it_is_not_signed(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await proposed(store, cast, now)
    with pytest.raises(Conflict, match="stale_card"):
        await sign(store, ticket, cast.wang_fang, now, seen=ticket.version - 1)


async def test_two_reviewers_sign_at_once_and_one_message_leaves(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await proposed(store, cast, now)
    ended = await asyncio.gather(
        *(sign(store, ticket, cast.wang_fang, now, seen=ticket.version) for _ in range(2)),
        return_exceptions=True,
    )
    assert [type(one) for one in ended if one is not None] == [Conflict]
    assert len(await messages(store, ticket)) == 1


async def test_a_reviewer_s_remark_gives_the_draft_back(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await proposed(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted):
            await tickets.revise(session, found, "请写明依据", actor=cast.li_qiang, now=now)
        await tickets.revise(session, found, "请写明依据", actor=cast.wang_fang, now=now)
        lines = await queue.thread(session, found)
    row = await read(store, ticket)
    assert (row.state, row.assignee_id, row.proposed_text) == (S.WORKING, cast.li_qiang.id, REPLY)
    assert (lines[-1].kind, lines[-1].text) == (PostKind.NOTE, "请写明依据")
    assert await messages(store, ticket) == []


async def test_an_entry_found_after_the_remark_leaves_nothing_of_the_draft(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await proposed(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.revise(session, found, "有现成口径", actor=cast.wang_fang, now=now)
    row = await answer(store, cast, ticket, await entry(store, cast, now), now)
    assert (row.proposed_text, row.conclusion_basis, row.reviewer_id) == ("", "", None)
    (message,) = await messages(store, ticket)
    assert (message.facts["entry"], message.facts["basis"]) == ("K-0540", "")


async def test_a_draft_needs_a_basis(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Invalid, match="basis_needed"):
            await tickets.propose(session, found, REPLY, " ", actor=cast.li_qiang, now=now)
        with pytest.raises(Invalid, match="answer_needed"):
            await tickets.propose(session, found, " ", " ", actor=cast.li_qiang, now=now)


# --- setting aside, notes ---


@pytest.mark.parametrize("kind", [TicketKind.APPEAL, TicketKind.REPORT])
async def test_appeals_and_reports_are_never_void(
    store: Store, cast: Cast, now: datetime, kind: TicketKind
) -> None:
    ticket = await opened(store, cast, now, kind=kind)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted, match="never_void"):
            await tickets.void(session, found, "误录", actor=cast.li_qiang, now=now)


async def test_void_needs_a_reason(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Invalid, match="reason_needed"):
            await tickets.void(session, found, "", actor=cast.li_qiang, now=now)
        await tickets.void(session, found, "误录", actor=cast.li_qiang, now=now)
    assert (await read(store, ticket)).state is S.VOID


async def test_a_note_reaches_no_asker_and_no_outsider_writes_one(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.note(session, found, "已请示市选举办", actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted):
            await tickets.note(session, found, "看看", actor=cast.zhao_lei, now=now)
        with pytest.raises(Invalid):
            await tickets.note(session, found, "", actor=cast.li_qiang, now=now)
    assert await messages(store, ticket) == []


async def test_each_act_leaves_one_line_in_the_audit(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await proposed(store, cast, now)
    await sign(store, ticket, cast.wang_fang, now + timedelta(minutes=5))
    async with store.reading() as session:
        lines, _ = await audit.listed(session, subject=f"ticket:{ticket.id}")
        assert [line.action for line in reversed(lines)] == [
            "ticket.open", "ticket.take", "ticket.propose", "ticket.answer",
        ]  # fmt: skip
        assert (await audit.verify(session))[1] is None
        with pytest.raises(NotFound):
            await tickets.get(session, 404)
