"""What was answered before is found again: near questions only, within reach, never a confidential one."""

from __future__ import annotations

from datetime import datetime

import pytest

from office.errors import NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.people import act
from tests.ticketing.work import opened
from ticketing import precedents, tickets
from ticketing.precedents import Precedent
from ticketing.records import Ticket, TicketKind, TicketState

ASKED = "新楼盘还没有门牌号，登记表上的地址怎么填？"


async def past(store: Store, cast: Cast, now: datetime, words: str, **values: object) -> Ticket:
    async def answered(session: object, row: Ticket) -> None:
        row.state, row.answer_text, row.answered_at = TicketState.ANSWERED, f"答：{words}", now
        for name, value in values.items():
            setattr(row, name, value)

    unit = values.pop("unit", cast.district)
    return await act(store, await opened(store, cast, now, words, unit=unit), answered)


async def found(store: Store, ticket: Ticket, person: Staff, words: str = ASKED) -> list[Precedent]:
    async with store.reading() as session:
        row = await tickets.get(session, ticket.id)
        return await precedents.like(session, person, row, words)


async def test_the_nearest_question_comes_first_with_its_answer(
    store: Store, cast: Cast, now: datetime
) -> None:
    near = await past(store, cast, now, "新小区没有门牌号，登记表地址怎么填")
    same = await past(store, cast, now, ASKED)
    await past(store, cast, now, "选民证丢了怎么办")
    ticket = await opened(store, cast, now)
    shown = await found(store, ticket, cast.li_qiang)
    assert [one.ticket_id for one in shown] == [same.id, near.id]
    assert (shown[0].percent, shown[0].answer, shown[0].ticket_no) == (100, f"答：{ASKED}", same.ticket_no)
    assert await found(store, ticket, cast.li_qiang, "天气怎么样") == []


async def test_only_what_was_answered_openly_within_reach(store: Store, cast: Cast, now: datetime) -> None:
    await past(store, cast, now, ASKED, unit=cast.riverside)
    await past(store, cast, now, ASKED, kind=TicketKind.REPORT)
    await past(store, cast, now, ASKED, offline_owner_id=cast.wang_fang.id)
    await past(store, cast, now, ASKED, answer_text="")
    await past(store, cast, now, ASKED, state=TicketState.WORKING)
    own = await past(store, cast, now, ASKED, unit=cast.north)
    ticket = await opened(store, cast, now, unit=cast.north)
    assert [one.ticket_id for one in await found(store, ticket, cast.zhao_lei)] == [own.id]
    with pytest.raises(NotPermitted):
        await found(store, ticket, cast.zhou_ning)


async def test_of_the_same_topic_older_ones_are_looked_at_too(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precedents, "NEWEST", 1)
    old = await past(store, cast, now, ASKED, topic="reg_how")
    await past(store, cast, now, "选民证丢了怎么办")
    ticket = await opened(store, cast, now)
    assert await found(store, ticket, cast.li_qiang) == []

    async def about(session: object, row: Ticket) -> None:
        row.topic = "reg_how"

    ticket = await act(store, ticket, about)
    assert [one.ticket_id for one in await found(store, ticket, cast.li_qiang)] == [old.id]
