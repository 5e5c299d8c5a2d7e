"""The twelve invariants hold after ten thousand steps of chance, legal and illegal, on each database."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from knowledge.versions import EntryLevel
from office import audit
from office.staff import Staff
from office.store import Store
from tests.make import Cast, an_entry
from tests.ticketing import desk_world, invariants
from tests.ticketing.desk_world import ACTS, FITTING, MOST, MOVES_CLOCK, World, attempt, choose
from tests.ticketing.people import a_group, another_asker, person
from ticketing import tickets
from ticketing.records import Ticket, TicketState

S = TicketState
STEPS = 10_000
RUNS = 5
# Taking is told the version of the card; a note to colleagues and a late word do not depend on any.
WITHOUT_VERSION = ("take", "note", "late")
TOGETHER = 125
"""So many steps are one transaction: each is a savepoint of its own, and a commit costs more than a step."""


async def step(world: World, opened: dict[int, str], kept: dict[int, tuple[object, ...]]) -> None:
    """One step of chance, and the invariants that it might have broken."""
    chance = world.chance
    world.now += timedelta(minutes=chance.choice((1, 1, 2, 5, 20, 90)))
    if chance.random() < 0.02:
        # A night or a weekend goes by.
        world.now += timedelta(hours=chance.randint(6, 70))
    if len(world.tickets) < MOST and (len(world.tickets) < 3 or chance.random() < 0.05):
        ticket = await desk_world.open_ticket(world)
        opened[ticket.id], kept[ticket.id] = ticket.words.split("：")[0], invariants.kept(ticket)
        return
    if chance.random() < 0.03:
        what = chance.choice((desk_world.jobs, desk_world.leave))
        assert await attempt(world, partial(what, world), what.__name__)
        return
    number = chance.choice(world.tickets)
    ticket = await world.ticket(number)
    world.seen.add(ticket.state)
    name, by = choose(world, ticket)
    before = (
        ticket.state,
        ticket.version,
        invariants.clocks(ticket),
        ticket.statutory_due,
        ticket.conclusion_no,
    )
    if chance.random() < 0.04:
        await stale(world, ticket, name, by)
        return
    hopeless = name not in FITTING[ticket.state] or by in world.outsiders
    had_effect = await attempt(world, lambda: ACTS[name](world, ticket, by), name, hopeless=hopeless)
    ticket = await world.ticket(number)
    invariants.of_row(ticket)
    assert invariants.kept(ticket) == kept[number], "5: number, asker and channel stay"
    if not had_effect:
        assert (ticket.state, ticket.version) == before[:2], "7: a refusal changes nothing"
        return
    assert by not in world.outsiders or name in ("solved", "not_solved", "late"), f"12: {name} by an outsider"
    if name not in MOVES_CLOCK:
        assert invariants.clocks(ticket) == before[2], f"4: {name} moved the service clock"
    assert ticket.statutory_due == before[3], f"4: {name} moved a term of the law"
    if ticket.conclusion_no > before[4] and ticket.state is S.ANSWERED:
        await invariants.of_answer(world.session, ticket)


async def stale(world: World, ticket: Ticket, name: str, by: Staff) -> None:
    """7: with a version that is not the present one, nothing is written, and the row is read anew."""
    version, lines = ticket.version, await world.session.scalar(select(audit.AuditHead.count))
    if name not in WITHOUT_VERSION:
        set_committed_value(ticket, "version", version - 1)
        assert not await attempt(world, lambda: ACTS[name](world, ticket, by), name), f"7: {name} wrote"
    else:
        old = partial(tickets.take, world.session, ticket, seen=version - 1, actor=by, now=world.now)
        assert not await attempt(world, old, "take"), "7: taken by an old card"
    await world.session.refresh(ticket)
    assert ticket.version == version, "7: an old version wrote"
    assert await world.session.scalar(select(audit.AuditHead.count)) == lines, "7: an old version left a line"


async def put_in_order(store: Store) -> None:
    """Throw away what ten thousand changes left of former rows.

    Databases are searched for marks of voters after each test (`tests.security.leaks`), and some marks are
    four bytes: in enough megabytes of old timestamps they stand by chance.
    """
    if not store.sqlite:
        async with store.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in ("ticket", "audit_head", "delivery"):
                await alone.exec_driver_sql(f"VACUUM FULL {table}")


async def test_ten_thousand_steps_break_none_of_the_twelve(store: Store, cast: Cast, now) -> None:
    officers = [cast.li_qiang, cast.wang_fang]
    officers += [await person(store, cast.district, now, name) for name in ("陈静", "顾平")]
    officers.append(await person(store, cast.district, now, "何洁"))
    group = await a_group(store, now, "信息组", [], *officers[2:4])
    askers = [cast.zhang_min, *[await another_asker(store, now, f"70{n:02d}") for n in range(3)]]
    async with store.transaction() as session:
        ordinary = await an_entry(session, cast, now)
        statutory = await an_entry(
            session, cast, now, no="K-0541", level=EntryLevel.STATUTORY, question="选民证丢失还能投票吗？"
        )
    opened: dict[int, str] = {}
    kept: dict[int, tuple[object, ...]] = {}
    worlds = []
    for seed in range(RUNS):
        world = World(
            None, cast, officers, [cast.zhao_lei, cast.sun_jie], askers, ordinary, statutory, group,
            seed, random.Random(seed), now + timedelta(days=seed),
        )  # type: ignore[arg-type]  # fmt: skip
        worlds.append(world)
        for _ in range(STEPS // RUNS // TOGETHER):
            async with store.transaction() as session:
                await world.begin(session)
                for _ in range(TOGETHER):
                    await step(world, opened, kept)
                await invariants.of_leads(session)
        async with store.reading() as session:
            await invariants.everything(session, opened)
    async with store.reading() as session:
        assert (await audit.verify(session))[1] is None
    # Chance has been everywhere: each act had its effect and its refusal, each state was stood in.
    done = sum((world.done for world in worlds), Counter[str]())
    refused = sum((world.refused for world in worlds), Counter[str]())
    assert set(ACTS) - set(done) == {"answer_statutory"}, "some act never had an effect"
    assert set(ACTS) - set(refused) <= {"late"}, "some act was never refused"
    assert set().union(*(world.seen for world in worlds)) == set(TicketState)
    await put_in_order(store)
