"""The call-back list: once for each cause, tries by persons, nothing personal left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, outbox
from office.contacts import Channel
from office.errors import Conflict, NotFound, NotPermitted
from office.hours import OfficeHours
from office.outbox import Delivery, DeliveryState, Undeliverable
from office.seal import Sealer
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import act
from tests.ticketing.work import REPLY, answered, opened
from ticketing import call_backs, call_list, record_fields, tickets
from ticketing.call_backs import (
    AGAIN_AFTER,
    FEWEST_TRIES,
    KEPT,
    CallBack,
    CallBackKind,
    CallBackState,
    CallResult,
)
from ticketing.records import Ticket

SEALER = Sealer(b"secret of the tests")
PHONE, NAME = "13800138001", "张小敏"
MINUTE = timedelta(minutes=1)


async def caller(store: Store, cast: Cast, now: datetime, **more: Any) -> Ticket:
    """A ticket of somebody who left name and number."""
    ticket = await opened(store, cast, now, **more)

    async def left(session: AsyncSession, row: Ticket) -> None:
        row.asker_name, row.phone = SEALER.seal(NAME), SEALER.seal(PHONE)

    return await act(store, ticket, left)


async def on_list(store: Store, cast: Cast, now: datetime, **more: Any) -> CallBack:
    ticket = await caller(store, cast, now, **more)
    async with store.transaction() as session:
        call = await call_backs.put(
            session,
            key=f"ticket:{ticket.id}:1",
            kind=CallBackKind.ANSWER,
            ticket=ticket,
            point=REPLY,
            now=now,
        )
    assert call is not None
    return call


async def doing(
    store: Store, call: CallBack, do: Callable[[AsyncSession, CallBack], Awaitable[Any]]
) -> CallBack:
    async with store.transaction() as session:
        await do(session, await session.get_one(CallBack, call.id))
    async with store.reading() as session:
        return await session.get_one(CallBack, call.id)


async def tried(store: Store, cast: Cast, call: CallBack, result: CallResult, at: datetime) -> CallBack:
    return await doing(
        store,
        call,
        lambda s, c: call_backs.tried(s, c, result, "", actor=cast.li_qiang, hours=HOURS, now=at),
    )


async def test_the_same_cause_lays_somebody_on_the_list_once(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await caller(store, cast, now)

    async def lay() -> bool:
        async with store.transaction() as session:
            call = await call_backs.put(
                session, key="k", kind=CallBackKind.ANSWER, ticket=ticket, point=REPLY, now=now
            )
            return call is not None

    assert sorted(await asyncio.gather(lay(), lay())) == [False, True]
    async with store.reading() as session:
        ((call, unit),), total = await call_list.listed(session, cast.li_qiang)
        assert (total, unit.id, call.point, call.state) == (1, ticket.unit_id, REPLY, CallBackState.DUE)
        assert (SEALER.open(call.asker_name), SEALER.open(call.phone)) == (NAME, PHONE)
        assert await call_list.count_due(session, cast.li_qiang, now=now) == 1
        assert await call_list.count_due(session, cast.zhou_ning, now=now) == 0


async def test_a_call_without_a_ticket_names_its_unit(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        call = await call_backs.put(
            session, key="recall:3:5", kind=CallBackKind.CORRECTION, recall_id=3, unit_id=cast.north.id,
            point="更正", now=now, due_at=now + MINUTE,
        )  # fmt: skip
        assert call is not None
        assert (call.unit_id, call.recall_id, call.phone) == (cast.north.id, 3, None)
        with pytest.raises(ValueError, match="unit"):
            await call_backs.put(session, key="x", kind=CallBackKind.PROMISED, point="", now=now)


async def test_reach_decides_who_sees_and_calls(store: Store, cast: Cast, now: datetime) -> None:
    call = await on_list(store, cast, now, unit=cast.riverside)
    async with store.transaction() as session:
        assert (await call_list.listed(session, cast.zhao_lei))[1] == 0
        with pytest.raises(NotFound):
            await call_list.seen_by(session, cast.zhao_lei, call.id)
        row = await session.get_one(CallBack, call.id)
        with pytest.raises(NotPermitted):
            await call_backs.opened(session, row, SEALER, actor=cast.zhao_lei, now=now)
        with pytest.raises(NotPermitted):
            await call_backs.tried(
                session, row, CallResult.TOLD, "", actor=cast.zhao_lei, hours=HOURS, now=now
            )
        with pytest.raises(NotPermitted):
            await call_list.listed(session, cast.zhou_ning)


async def test_that_a_number_was_opened_is_audited_without_the_number(
    store: Store, cast: Cast, now: datetime
) -> None:
    call = await on_list(store, cast, now)
    async with store.transaction() as session:
        row = await session.get_one(CallBack, call.id)
        found = await call_backs.opened(session, row, SEALER, actor=cast.li_qiang, now=now)
        assert found == (NAME, PHONE)
        acts, _ = await audit.listed(session, subject=f"call_back:{call.id}")
        assert [(line.action, line.facts) for line in acts] == [("call_back.open", {"kind": "answer"})]
    done = await tried(store, cast, call, CallResult.TOLD, now)
    async with store.transaction() as session:
        row = await session.get_one(CallBack, done.id)
        with pytest.raises(Conflict, match="call_done"):
            await call_backs.opened(session, row, SEALER, actor=cast.li_qiang, now=now)


async def test_who_was_told_is_done_and_who_was_not_is_due_again(
    store: Store, cast: Cast, now: datetime
) -> None:
    call = await on_list(store, cast, now)
    for number, result in enumerate((CallResult.NO_ANSWER, CallResult.CALL_AGAIN), start=1):
        at = now + number * MINUTE
        call = await tried(store, cast, call, result, at)
        assert (call.state, call.tries) == (CallBackState.DUE, number)
        assert call.due_at == HOURS.add_duty(at, AGAIN_AFTER)
    async with store.reading() as session:
        assert await call_list.count_due(session, cast.li_qiang, now=now + 3 * MINUTE) == 0
    call = await tried(store, cast, call, CallResult.TOLD, now + 5 * MINUTE)
    assert (call.state, call.tries, call.done_by_id) == (CallBackState.REACHED, 3, cast.li_qiang.id)
    with pytest.raises(Conflict, match="call_done"):
        await tried(store, cast, call, CallResult.TOLD, now)
    async with store.reading() as session:
        assert [one.result for one in await call_list.tries_of(session, [call.id])] == [
            CallResult.NO_ANSWER, CallResult.CALL_AGAIN, CallResult.TOLD,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("tried_at", "due_at"),
    [
        ("2026-11-22 02:04", "2026-11-23 10:30"),  # a Sunday without duty: in the morning of Monday
        ("2026-11-20 10:30", "2026-11-20 14:30"),  # nobody is there at lunch
        ("2026-11-20 15:30", "2026-11-23 08:30"),  # used up when the office closes: the next opening
        ("2026-11-20 17:00", "2026-11-23 10:00"),
        ("2026-10-10 16:30", "2026-10-12 09:30"),  # a make-up Saturday is a workday
    ],
)
async def test_the_next_try_falls_two_hours_later_into_duty_hours(
    store: Store, cast: Cast, now: datetime, tried_at: str, due_at: str
) -> None:
    at, due = (datetime.fromisoformat(f"{one}+08:00") for one in (tried_at, due_at))
    call = await tried(store, cast, await on_list(store, cast, now), CallResult.NO_ANSWER, at)
    assert call.due_at == due


async def test_without_any_duty_ahead_the_try_is_written_down_all_the_same(
    store: Store, cast: Cast, now: datetime
) -> None:
    call, closed = await on_list(store, cast, now), OfficeHours({})
    call = await doing(
        store,
        call,
        lambda s, c: call_backs.tried(
            s, c, CallResult.NO_ANSWER, "", actor=cast.li_qiang, hours=closed, now=now
        ),
    )
    assert (call.tries, call.due_at) == (1, now + AGAIN_AFTER)


async def test_two_officers_do_not_call_for_one_thing(store: Store, cast: Cast, now: datetime) -> None:
    call = await on_list(store, cast, now)

    async def call_now() -> str:
        try:
            await doing(
                store,
                call,
                lambda s, c: call_backs.tried(
                    s,
                    c,
                    CallResult.NO_ANSWER,
                    "",
                    actor=cast.li_qiang,
                    hours=HOURS,
                    now=now,
                    seen=call.version,
                ),
            )
        except Conflict as error:
            return error.key
        return "written"

    assert sorted(await asyncio.gather(call_now(), call_now())) == ["stale_card", "written"]


@pytest.mark.parametrize("results", [[CallResult.NO_ANSWER] * FEWEST_TRIES, [CallResult.DEAD_NUMBER]])
async def test_only_after_enough_tries_a_person_gives_up(
    store: Store, cast: Cast, now: datetime, results: list[CallResult]
) -> None:
    call = await on_list(store, cast, now)

    async def give_up() -> CallBack:
        return await doing(store, call, lambda s, c: call_backs.give_up(s, c, actor=cast.li_qiang, now=now))

    with pytest.raises(Conflict, match="call_too_early"):
        await give_up()
    for result in results:
        await tried(store, cast, call, result, now)
    assert (await give_up()).state is CallBackState.GIVEN_UP


async def failed(store: Store, ticket: Ticket, now: datetime) -> None:
    async with store.transaction() as session:
        for row in await outbox.about(session, f"ticket:{ticket.id}"):
            row.state, row.claimed_until = DeliveryState.CLAIMED, now + MINUTE
            await session.flush()
            await outbox.failed(session, row.id, Undeliverable("blocked", permanent=True), now=now)


@pytest.mark.parametrize("known", [True, False])
async def test_what_could_not_be_delivered_is_called_where_a_number_is_known(
    store: Store, cast: Cast, now: datetime, known: bool
) -> None:
    ticket = await answered(store, cast, now)
    if known:

        async def left(session: AsyncSession, row: Ticket) -> None:
            row.phone = SEALER.seal(PHONE)

        await act(store, ticket, left)
    await failed(store, ticket, now)
    counts = []
    for _ in range(2):
        async with store.transaction() as session:
            counts.append(await call_backs.undeliverable(session, now=now + MINUTE))
    assert counts == [int(known), 0]
    async with store.reading() as session:
        calls = await call_list.of_ticket(session, [ticket.id])
        assert [(call.kind, call.point) for call in calls] == [(CallBackKind.UNDELIVERABLE, REPLY)] * known


async def test_what_was_forgotten_is_never_called(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await answered(store, cast, now)

    async def left(session: AsyncSession, row: Ticket) -> None:
        row.phone = SEALER.seal(PHONE)

    await act(store, ticket, left)
    await failed(store, ticket, now)
    async with store.transaction() as session:
        for row in (await session.scalars(select(Delivery))).all():
            row.facts = {}
        await session.flush()
        assert await call_backs.undeliverable(session, now=now) == 0


async def test_a_number_goes_with_its_call_and_the_words_later(
    store: Store, cast: Cast, now: datetime
) -> None:
    due, over = await on_list(store, cast, now), await on_list(store, cast, now)
    await doing(
        store,
        over,
        lambda s, c: call_backs.tried(
            s, c, CallResult.TOLD, "找她儿子 13800138002", actor=cast.li_qiang, hours=HOURS, now=now
        ),
    )
    async with store.transaction() as session:
        await call_backs.forget_old(session, now=now + MINUTE)
    async with store.reading() as session:
        kept, gone = await session.get_one(CallBack, due.id), await session.get_one(CallBack, over.id)
        assert (SEALER.open(kept.phone), gone.phone, gone.asker_name, gone.point) == (
            PHONE,
            None,
            None,
            REPLY,
        )
        (line,) = await call_list.tries_of(session, [over.id])
        assert "13800138002" not in line.note
        assert line.note.startswith("找她儿子")
    async with store.transaction() as session:
        await call_backs.forget_old(session, now=now + KEPT + MINUTE)
    async with store.reading() as session:
        gone = await session.get_one(CallBack, over.id)
        (line,) = await call_list.tries_of(session, [over.id])
        assert (gone.point, line.note) == ("", "")


async def no_phone(store: Store, cast: Cast, now: datetime) -> CallBack:
    """An answer for somebody who rang up and left neither name nor phone."""
    ticket = await answered(store, cast, now, contact=None, channel=Channel.PHONE)
    async with store.reading() as session:
        (call,) = await call_list.of_ticket(session, [ticket.id])
    return call


async def test_who_left_no_phone_is_not_to_be_called_and_hears_it_when_they_ask(
    store: Store, cast: Cast, now: datetime
) -> None:
    call = await no_phone(store, cast, now)
    async with store.reading() as session:
        assert (await call_list.listed(session, cast.li_qiang))[1] == 0
        assert (await call_list.listed(session, cast.li_qiang, to_ask=True))[1] == 1
        assert await call_list.count_due(session, cast.li_qiang, now=now) == 0
    for result in (CallResult.NO_ANSWER, CallResult.DEAD_NUMBER, CallResult.CALL_AGAIN):
        with pytest.raises(Conflict, match="call_no_phone"):
            await tried(store, cast, call, result, now)
    with pytest.raises(Conflict, match="call_no_phone"):
        await doing(store, call, lambda s, c: call_backs.opened(s, c, SEALER, actor=cast.li_qiang, now=now))
    done = await tried(store, cast, call, CallResult.TOLD, now)
    assert done.state is CallBackState.REACHED


async def test_a_phone_found_out_later_puts_them_among_those_to_be_called(
    store: Store, cast: Cast, now: datetime
) -> None:
    call = await no_phone(store, cast, now)
    async with store.transaction() as session:
        ticket = await tickets.get(session, call.ticket_id or 0)
        seen = ticket.version
        await record_fields.change(
            session, ticket, {"phone": PHONE}, seen=seen, sealer=SEALER, actor=cast.li_qiang, now=now
        )
    async with store.reading() as session:
        ((found, _),), _total = await call_list.listed(session, cast.li_qiang)
        assert SEALER.open(found.phone) == PHONE
        assert (await call_list.listed(session, cast.li_qiang, to_ask=True))[1] == 0
