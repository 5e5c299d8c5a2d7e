"""Two officers in two processes, one ticket, one second: one effect, the other told who was first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from office import audit
from office.staff import Role, Staff
from office.store import Store
from tests.bot.running import FORKED
from tests.make import Cast
from tests.ticketing import racer
from tests.ticketing.people import person
from tests.ticketing.work import entry, everything_sent, opened, proposed, read, taken
from ticketing.records import Ticket, TicketState

S = TicketState
ROUNDS = 12


@asynccontextmanager
async def officers(store: Store, *people: Staff) -> AsyncIterator[list[Connection]]:
    """Each of these people in a process of their own, ready to act; what is at this end of their pipes."""
    url = store.engine.url.render_as_string(hide_password=False)
    pipes, processes = [], []
    for one in people:
        ours, theirs = FORKED.Pipe()
        processes.append(FORKED.Process(target=racer.main, args=(url, one.id, theirs)))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    for pipe in pipes:
        assert await asyncio.to_thread(pipe.recv) == "ready"
    yield pipes
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(None)
        await asyncio.to_thread(process.join, 20)
        assert process.exitcode == 0
        pipe.close()


async def at_once(pipes: list[Connection], *acts: tuple[str, Ticket]) -> list[dict[str, Any]]:
    """What each process made of its act; they begin together."""
    for pipe, (act, ticket) in zip(pipes, acts, strict=True):
        pipe.send((act, ticket.id, ticket.version))
    return [await asyncio.to_thread(pipe.recv) for pipe in pipes]


async def lines_of(store: Store, ticket: Ticket) -> list[str]:
    async with store.reading() as session:
        found, _ = await audit.listed(session, subject=f"ticket:{ticket.id}")
    return [line.action for line in reversed(found)]


async def test_one_of_two_takes_and_the_other_hears_who_was_first(
    store: Store, cast: Cast, now: datetime
) -> None:
    chen_jing = await person(store, cast.district, now)
    waiting = [await opened(store, cast, now) for _ in range(ROUNDS)]
    masked = {cast.li_qiang.id: "李*", chen_jing.id: "陈*"}
    async with officers(store, cast.li_qiang, chen_jing) as processes:
        for ticket in waiting:
            said = await at_once(processes, ("take", ticket), ("take", ticket))
            after = await read(store, ticket)
            first = masked[after.assignee_id or 0]
            assert sorted(said, key=len) == [
                {"done": "2026-11-20"}, {"refused": "taken", "who": first},
            ]  # fmt: skip
            assert after.version == ticket.version + 1
            assert await lines_of(store, ticket) == ["ticket.open", "ticket.take"]


async def test_one_answer_leaves_however_many_send_it(store: Store, cast: Cast, now: datetime) -> None:
    he_jie = await person(store, cast.district, now, "何洁", Role.REVIEWER, Role.DUTY_OFFICER)
    await entry(store, cast, now)
    mine = [await taken(store, cast, now) for _ in range(ROUNDS)]
    drafted = [await proposed(store, cast, now) for _ in range(ROUNDS)]
    async with officers(store, cast.li_qiang, cast.li_qiang) as processes:
        for ticket in mine:
            # The same officer with two windows: the answer, and the answer or the ticket sent back.
            other = "answer" if ticket.id % 2 else "send_back"
            said = await at_once(processes, ("answer", ticket), (other, ticket))
            assert sorted(len(one) for one in said) == [1, 2]
            assert (await read(store, ticket)).state in (S.ANSWERED, S.UNASSIGNED)
    async with officers(store, cast.wang_fang, he_jie) as processes:
        for ticket in drafted:
            said = await at_once(processes, ("sign", ticket), ("sign", ticket))
            assert sorted(said, key=len) == [{"done": "2026-11-20"}, {"refused": "stale_card", "who": ""}]
    sent = [message.subject for message in await everything_sent(store)]
    answered = [one for one in (*mine, *drafted) if (await read(store, one)).state is S.ANSWERED]
    assert sorted(sent) == sorted(f"ticket:{one.id}" for one in answered)
