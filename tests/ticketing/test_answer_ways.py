"""答复方式: by which way each asker of a ticket was answered, on the ticket's page and on paper."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from office.contacts import Channel
from office.store import Store
from office.units import Unit
from tests.make import HOURS, Cast
from tests.ticketing.full import PHONE, SEALER
from tests.ticketing.people import act, another_asker
from tests.ticketing.test_joining import joined
from tests.ticketing.work import REPLY, answer, answered, entry, opened, proposed, taken
from ticketing import call_backs, call_list, queue, record_sheet, record_view, tickets, verdicts
from ticketing.call_backs import CallResult
from ticketing.particulars import AnswerMode
from ticketing.records import Ticket

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
CALLER: dict[str, Any] = {"contact": None, "channel": Channel.PHONE}


async def shown(store: Store, ticket: Ticket, unit: Unit, language: str = "zh_CN") -> str:
    """答复方式 as the ticket's page and its own printed sheet have it."""
    async with store.reading() as session:
        found = await tickets.get(session, ticket.id)
        groups = await record_view.groups(session, found, unit, sealer=SEALER, language=language)
    (line,) = [line for group in groups for line in group.lines if line.key == "answer_mode"]
    return line.value


async def printed(store: Store, cast: Cast, ticket: Ticket) -> str:
    """答复时间/方式/人 in 《来电未答复记录表》."""
    async with store.reading() as session:
        found = await queue.seen_by(session, cast.li_qiang, ticket.id)
        sheet = await record_sheet.sheet(session, [found], sealer=SEALER)
    keys = [column.key for column in record_sheet.template().columns]
    return str(sheet.rows[0][keys.index("answered")])


async def caller(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """A question of somebody who rang up and left a phone, in the hands of 李强."""
    ticket = await taken(store, cast, now, **CALLER, **more)
    return await left_phone(store, ticket)


async def left_phone(store: Store, ticket: Ticket) -> Ticket:
    async def left(_: Any, found: Ticket) -> None:
        found.phone = SEALER.seal(PHONE)

    return await act(store, ticket, left)


async def called(store: Store, cast: Cast, ticket: Ticket, result: CallResult, now: datetime) -> None:
    """李强 rings up whoever waits on the call-back list for this ticket's answer."""
    async with store.transaction() as session:
        *_, call = await call_list.of_ticket(session, [ticket.id])
        await call_backs.tried(session, call, result, "", actor=cast.li_qiang, hours=HOURS, now=now)


async def given_up(store: Store, cast: Cast, ticket: Ticket, now: datetime) -> None:
    async with store.transaction() as session:
        *_, call = await call_list.of_ticket(session, [ticket.id])
        await call_backs.give_up(session, call, actor=cast.li_qiang, now=now)


async def test_a_caller_is_answered_by_telephone_as_the_call_back_list_stands(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answer(store, cast, await caller(store, cast, now), await entry(store, cast, now), now)
    assert await shown(store, ticket, cast.district) == "电话（待回拨）"
    assert await shown(store, ticket, cast.district, "en") == "phone (call due)"
    assert await printed(store, cast, ticket) == "2026-11-20 10:05/电话（待回拨）/李强"
    await called(store, cast, ticket, CallResult.TOLD, now + timedelta(hours=1))
    assert await shown(store, ticket, cast.district) == "电话"
    assert await printed(store, cast, ticket) == "2026-11-20 10:05/电话/李强"


async def test_whom_nobody_could_reach_was_not_told(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await left_phone(store, await taken(store, cast, now, contact=None, channel=Channel.COUNTER))
    await answer(store, cast, ticket, await entry(store, cast, now), now)
    await called(store, cast, ticket, CallResult.DEAD_NUMBER, now)
    assert await shown(store, ticket, cast.district) == "电话（待回拨）"
    await given_up(store, cast, ticket, now)
    assert await shown(store, ticket, cast.district) == "电话（未能告知）"


async def test_a_proposed_answer_to_a_caller_will_go_by_telephone(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await proposed(store, cast, now, **CALLER)
    async with store.transaction() as session:
        (await tickets.get(session, ticket.id)).answer_mode = AnswerMode.CHAT
    assert await shown(store, ticket, cast.district) == "未留电话，等本人来问"
    await left_phone(store, ticket)
    assert await shown(store, ticket, cast.district) == "电话（待回拨）"
    assert await printed(store, cast, ticket) == ""


async def test_who_left_no_phone_hears_it_when_they_ask_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now, **CALLER)
    assert await printed(store, cast, ticket) == "2026-11-20 10:05/未留电话，等本人来问/李强"


async def test_what_was_opened_again_keeps_its_way_until_it_is_answered_anew(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answer(store, cast, await caller(store, cast, now), await entry(store, cast, now), now)
    await called(store, cast, ticket, CallResult.TOLD, now)

    async def reopened(session: Any, found: Ticket) -> None:
        await verdicts.reopen(session, found, actor=cast.li_qiang.as_actor(), hours=HOURS, now=now)

    await act(store, ticket, reopened)
    assert await shown(store, ticket, cast.district) == "电话"
    assert await printed(store, cast, ticket) == "2026-11-20 10:05/电话/李强（已重新办理）"


@pytest.mark.parametrize(
    ("mode", "words"),
    [(AnswerMode.PHONE, "电话"), (AnswerMode.IN_PERSON, "当面"), (AnswerMode.LETTER, "信函")],
)
async def test_what_the_officer_named_stays(
    store: Store, cast: Cast, now: datetime, mode: AnswerMode, words: str
) -> None:
    ticket = await taken(store, cast, now, contact=None, channel=Channel.COUNTER)
    version = await entry(store, cast, now)

    async def told(session: Any, found: Ticket) -> None:
        await tickets.answer(
            session, found, REPLY, version, actor=cast.li_qiang, hours=HOURS, now=now, mode=mode
        )

    await act(store, ticket, told)
    assert await shown(store, ticket, cast.district) == words


async def test_a_voter_in_the_chat_was_answered_there(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)
    assert await shown(store, ticket, cast.district) == "聊天"


async def test_who_asked_in_the_chat_and_was_forgotten_since_was_answered_there_all_the_same(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        (await tickets.get(session, ticket.id)).contact_id = None
    assert await shown(store, ticket, cast.district) == "聊天"


async def test_where_askers_are_mixed_each_row_tells_its_own_way(
    store: Store, cast: Cast, now: datetime
) -> None:
    """张敏 asks in the chat, as does somebody else; two callers with her question are joined to hers."""
    lead = await taken(store, cast, now)
    other = await opened(store, cast, now, contact=await another_asker(store, now, "6001"))
    first, second = [await left_phone(store, await opened(store, cast, now, **CALLER)) for _ in range(2)]
    for one in (other, first, second):
        await joined(store, cast, one, lead, now)
    assert await shown(store, lead, cast.district) == ""
    await answer(store, cast, lead, await entry(store, cast, now), now)
    await called(store, cast, first, CallResult.TOLD, now)
    for one, words in ((lead, "聊天"), (other, "聊天"), (first, "电话")):
        assert await shown(store, one, cast.district) == words
        assert await printed(store, cast, one) == f"2026-11-20 10:05/{words}/李强"
    assert await shown(store, second, cast.district) == "电话（待回拨）"
    assert await printed(store, cast, second) == "电话（待回拨）"


async def test_a_caller_who_leads_is_told_apart_from_the_voter_in_the_chat(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await caller(store, cast, now)
    voter = await opened(store, cast, now)
    await joined(store, cast, voter, lead, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    assert await printed(store, cast, lead) == "2026-11-20 10:05/电话（待回拨）/李强"
    assert await printed(store, cast, voter) == "2026-11-20 10:05/聊天/李强"


async def test_who_asked_twice_was_told_once_and_both_rows_say_how(
    store: Store, cast: Cast, now: datetime
) -> None:
    """张敏 was rung up for the first ticket; what she was told holds for her second one as well."""
    lead, again = await taken(store, cast, now), await opened(store, cast, now)
    await joined(store, cast, again, lead, now)
    version = await entry(store, cast, now)

    async def told(session: Any, found: Ticket) -> None:
        await tickets.answer(
            session, found, REPLY, version, actor=cast.li_qiang, hours=HOURS, now=now, mode=AnswerMode.PHONE
        )

    await act(store, lead, told)
    assert await shown(store, lead, cast.district) == "电话"
    assert await shown(store, again, cast.district) == "电话"
