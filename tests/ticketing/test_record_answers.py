"""结论与依据 in 《来电未答复记录表》: the answer each asker was given last, also once it was opened again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import act, another_asker
from tests.ticketing.test_answer_ways import CALLER, called, caller, left_phone
from tests.ticketing.test_joining import joined
from tests.ticketing.test_record_sheet import row_of, sheet_for
from tests.ticketing.work import BASIS, REPLY, answer, entry, opened, taken
from ticketing import concluding, tickets, verdicts
from ticketing.call_backs import CallResult
from ticketing.records import Ticket
from ticketing.restricted import HIDDEN

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
HOUR = timedelta(hours=1)
NEWER = "门牌号没有批下来的，先填楼盘名称和幢号。"
CITED = f"{REPLY}\n依据：K-0540 第1版"
"""The answer of `work.answer`, as the sheet has it."""


async def row(store: Store, cast: Cast, ticket: Ticket, now: datetime) -> dict[str, object]:
    return row_of(await sheet_for(store, cast.li_qiang, now), ticket)


async def reopened(store: Store, cast: Cast, ticket: Ticket, now: datetime) -> Ticket:
    async def again(session: Any, found: Ticket) -> None:
        await verdicts.reopen(session, found, actor=cast.li_qiang.as_actor(), hours=HOURS, now=now)

    return await act(store, ticket, again)


async def signed(store: Store, cast: Cast, ticket: Ticket, text: str, now: datetime) -> Ticket:
    """李强 proposes an answer that 王芳 signs."""

    async def propose(session: Any, found: Ticket) -> None:
        await tickets.propose(session, found, text, BASIS, actor=cast.li_qiang, now=now)

    async def sign(session: Any, found: Ticket) -> None:
        seen = found.version
        await tickets.sign(session, found, seen=seen, actor=cast.wang_fang, hours=HOURS, now=now)

    await act(store, ticket, propose)
    return await act(store, ticket, sign)


async def test_who_was_answered_and_then_joined_to_a_cluster_has_the_clusters_answer(
    store: Store, cast: Cast, now: datetime
) -> None:
    voter = await answer(store, cast, await taken(store, cast, now), await entry(store, cast, now), now)
    await reopened(store, cast, voter, now + HOUR)
    lead = await taken(store, cast, now, contact=await another_asker(store, now, "6001"))
    await joined(store, cast, voter, lead, now + HOUR)
    assert (await row(store, cast, voter, now))["conclusion"] == f"已重新办理，此前答复：{CITED}"
    await signed(store, cast, lead, NEWER, now + 2 * HOUR)
    told = await row(store, cast, voter, now)
    assert told["conclusion"] == f"{NEWER}\n依据：{BASIS}"
    assert told["answered"] == "2026-11-20 12:05/聊天/李强"
    assert told["reviewer"] == "王芳"
    assert told["note"] == f"并入 {lead.ticket_no}"


async def test_a_joined_callers_row_has_no_conclusion_before_the_call(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await taken(store, cast, now)
    one = await left_phone(store, await opened(store, cast, now, **CALLER))
    await joined(store, cast, one, lead, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    waiting = await row(store, cast, one, now)
    assert (waiting["conclusion"], waiting["answered"]) == ("", "电话（待回拨）")
    await called(store, cast, one, CallResult.TOLD, now)
    told = await row(store, cast, one, now)
    assert (told["conclusion"], told["answered"]) == (CITED, "2026-11-20 10:05/电话/李强")


async def test_who_was_joined_late_was_told_late(store: Store, cast: Cast, now: datetime) -> None:
    lead = await answer(store, cast, await taken(store, cast, now), await entry(store, cast, now), now)
    late = await opened(store, cast, now + HOUR, contact=await another_asker(store, now, "6002"))
    await joined(store, cast, late, lead, now + HOUR)
    async with store.transaction() as session:
        rows = [await tickets.get(session, one.id) for one in (late, lead)]
        await concluding.tell_late(session, *rows, hours=HOURS, now=now + HOUR)
    assert (await row(store, cast, late, now))["answered"] == "2026-11-20 11:05/聊天/李强"


async def test_what_was_told_by_phone_and_opened_again_stays_recognisable(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answer(store, cast, await caller(store, cast, now), await entry(store, cast, now), now)
    await called(store, cast, ticket, CallResult.TOLD, now)
    await reopened(store, cast, ticket, now + HOUR)
    again = await row(store, cast, ticket, now)
    assert again["conclusion"] == f"已重新办理，此前答复：{CITED}"
    assert again["answered"] == "2026-11-20 10:05/电话/李强（已重新办理）"

    async def propose(session: Any, found: Ticket) -> None:
        found.answer_mode = None
        await tickets.propose(session, found, NEWER, BASIS, actor=cast.li_qiang, now=now + HOUR)

    await act(store, ticket, propose)
    # The basis of a new draft is not what the old answer rested on.
    assert (await row(store, cast, ticket, now))["conclusion"] == f"已重新办理，此前答复：{REPLY}"


async def test_where_a_lead_is_opened_again_its_members_rows_say_so_too(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await taken(store, cast, now)
    other = await opened(store, cast, now, contact=await another_asker(store, now, "6003"))
    unanswered = await opened(store, cast, now, contact=await another_asker(store, now, "6004"))
    await joined(store, cast, other, lead, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)
    lead = await reopened(store, cast, lead, now + HOUR)
    for one in (lead, other):
        found = await row(store, cast, one, now)
        assert found["conclusion"] == f"已重新办理，此前答复：{CITED}"
        assert found["answered"] == "2026-11-20 10:05/聊天/李强（已重新办理）"
    await joined(store, cast, unanswered, lead, now + HOUR)
    nothing = await row(store, cast, unanswered, now)
    assert (nothing["conclusion"], nothing["answered"]) == ("", "")


async def test_a_confidential_lead_stays_hidden_in_the_rows_of_its_members(
    store: Store, cast: Cast, now: datetime
) -> None:
    lead = await taken(store, cast, now)
    other = await opened(store, cast, now, contact=await another_asker(store, now, "6005"))
    await joined(store, cast, other, lead, now)
    await answer(store, cast, lead, await entry(store, cast, now), now)

    async def away(_: Any, found: Ticket) -> None:
        found.offline_owner_id = cast.wang_fang.id

    await act(store, lead, away)
    found = str((await row(store, cast, other, now))["conclusion"])
    assert REPLY not in found
    assert HIDDEN in found
