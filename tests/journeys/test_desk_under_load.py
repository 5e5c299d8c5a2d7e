"""Many officers at once on one pool of tickets: each act has its one effect, who comes second is told."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from knowledge.versions import EntryLevel, EntryState, EntryVersion
from office import audit, contacts, signin, units
from office.audit import SYSTEM, AuditEntry
from office.contacts import Channel
from office.outbox import Delivery
from office.staff import Role, Staff
from office.store import Store
from tests.bot.running import Running
from tests.make import HOURS
from tests.servers import postgres
from ticketing import intake
from ticketing.records import Ticket

# SQLite has one writer at a time and no queue for the others: it is for the small office.
OFFICERS = {"sqlite": 40, "postgres": 40}
TICKETS, HOT = 120, 30
SECONDS = 8.0
ANSWER = "请带居民身份证到登记站办理。"
# What each form writes into the chain; a second click on what is done already is no act.
LINES = {
    "take": "ticket.take",
    "note": "ticket.note",
    "put-back": "ticket.send_back",
    "answer": "ticket.answer",
    "propose": "ticket.propose",
    "sign": "ticket.answer",
    "close": "ticket.close",
    "reopen": "ticket.reopen",
}
WORDS = {
    "note": {"note": "已联系"},
    "put-back": {"reason_put_back": "转给同事"},
    "answer": {"text": ANSWER},
    "propose": {"text": ANSWER, "basis": "第3次会议", "version_id": ""},
    "close": {"reason_close": "已当面说明"},
}
_CARD = re.compile(r'/tickets/([0-9]+)/take">.*?name="version" value="([0-9]+)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Act:
    """One form that an officer sent: what it was made from, and what came back."""

    officer: int
    ticket: int
    what: str
    version: int
    status: int
    location: str
    said: str

    @property
    def done(self) -> bool:
        """Whether it had its effect."""
        return self.status == 303 and "already_sent" not in self.location


@dataclass
class Officer:
    """A member of staff with a console of their own."""

    person: Staff
    client: httpx.AsyncClient
    dice: random.Random
    reviews: bool
    acts: list[Act] = field(default_factory=list)
    pages: Counter[int] = field(default_factory=Counter)

    async def looks(self, path: str) -> str:
        """A page of the console."""
        shown = await self.client.get(f"/admin{path}")
        self.pages[shown.status_code] += 1
        return shown.text

    async def sends(
        self, ticket: int, what: str, version: int, page: str, *, script: bool = True, **more: str
    ) -> Act:
        """Send a form about the ticket as it stood at this version; the page gives its token.

        A script is told of a refusal in a line, a person without one on the ticket's page made anew.
        """
        fields = {"csrf": _hidden(page, "csrf"), "version": str(version), **WORDS.get(what, {}), **more}
        headers = {"accept": "application/json"} if script else {}
        sent = await self.client.post(f"/admin/tickets/{ticket}/{what}", data=fields, headers=headers)
        said = " ".join(re.findall(r"已由 .{1,6} 于 [0-9:]+ 认领", sent.text))
        location = sent.headers.get("location", "")
        act = Act(self.person.id, ticket, what, version, sent.status_code, location, said)
        self.acts.append(act)
        return act

    async def works(self, pool: list[int], cited: int, until: float) -> None:
        """Take from the list, answer or hand in or give back, sign what others wrote, and leave notes."""
        while time.monotonic() < until:
            if self.reviews:
                await self.signs(until)
            queue = await self.looks("")
            cards = [(int(one), int(version)) for one, version in _CARD.findall(queue)]
            for ticket, version in self.dice.sample(cards[:HOT], min(2, len(cards[:HOT]))):
                # Whoever reads before they take leaves a colleague the time to be first.
                await asyncio.sleep(self.dice.uniform(0, 0.1))
                if time.monotonic() > until:
                    return
                if (await self.sends(ticket, "take", version, queue)).done:
                    await self.deals_with(ticket, cited)
            await self.sends(self.dice.choice(pool), "note", 1, queue)

    async def deals_with(self, ticket: int, cited: int) -> None:
        """What becomes of a ticket one has taken; impatient fingers press twice."""
        page = await self.looks(f"/tickets/{ticket}")
        version, seen = int(_hidden(page, "version")), {"seen_post": _hidden(page, "seen_post")}
        what = self.dice.choice(("answer", "answer", "answer", "propose", "propose", "put-back"))
        if what == "answer":
            seen |= {"version_id": str(cited)}
        both = await asyncio.gather(
            *(
                self.sends(ticket, what, version, page, script=False, **seen)
                for _ in range(self.dice.choice((1, 2)))
            )
        )
        if what == "answer" and any(act.done for act in both):
            page = await self.looks(f"/tickets/{ticket}")
            closed = await self.sends(ticket, "close", int(_hidden(page, "version")), page)
            if closed.done and self.dice.random() < 0.5:
                page = await self.looks(f"/tickets/{ticket}")
                await self.sends(ticket, "reopen", int(_hidden(page, "version")), page)

    async def signs(self, until: float) -> None:
        """Sign what waits for a reviewer; several look at the same list."""
        waiting = await self.looks("?view=review")
        found = list(dict.fromkeys(re.findall(r'href="/admin/tickets/([0-9]+)"', waiting)))
        for ticket in self.dice.sample(found, min(2, len(found))):
            page = await self.looks(f"/tickets/{ticket}")
            if f"/tickets/{ticket}/sign" in page and time.monotonic() < until:
                await self.sends(int(ticket), "sign", int(_hidden(page, "version")), page)


def _hidden(page: str, name: str) -> str:
    """The first hidden field of this name; nothing if a colleague's act has taken its form away."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else "0"


@dataclass(frozen=True, slots=True)
class Desk:
    """The programs on one database, and how many officers work there at once."""

    store: Store
    programs: list[Running]
    officers: int


async def prepared(store: Store, how_many: int) -> tuple[list[tuple[Staff, str]], list[int], int]:
    """People who are signed in, the pool of tickets, and an entry that may be cited."""
    now, people, pool = datetime.now(UTC), list[tuple[Staff, str]](), list[int]()
    async with store.transaction() as session:
        district = await units.election_office(session)
        for number in range(how_many):
            roles = [Role.DUTY_OFFICER, *([Role.REVIEWER] if number % 4 == 0 else [])]
            # The surname tells them apart on a page, where only it is shown.
            name = f"{chr(0x4E00 + number)}强"
            person = Staff(
                name=name, unit_id=district.id, roles=[role.value for role in roles], created_at=now
            )
            session.add(person)
            await session.flush()
            people.append((person, await signin._sign_in(session, person, device="load", now=now)))
        for number in range(TICKETS):
            contact = await contacts.seen(session, Channel.WEB, f"load-{number}", now=now)
            ticket = await intake.open_ticket(
                session, contact, f"第{number}位：搬家以后在哪里登记？", unit=district, district=district,
                channel=Channel.WEB, actor=SYSTEM, hours=HOURS, now=now,
            )  # fmt: skip
            pool.append(ticket.id)
        cited = await session.scalar(
            select(EntryVersion.id)
            .where(EntryVersion.state == EntryState.PUBLISHED, EntryVersion.level == EntryLevel.ORDINARY)
            .where(EntryVersion.confirmed, EntryVersion.effective_from.is_(None))
            .limit(1)
        )
    assert cited
    return people, pool, cited


@pytest.fixture(params=["sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path, begun: Path) -> AsyncIterator[Desk]:
    """One program on SQLite; two on one PostgreSQL that tell each other by one Redis."""
    if request.param == "sqlite":
        async with Running(tmp_path / "var", begun) as program:
            store = Store(f"sqlite+aiosqlite:///{tmp_path / 'var' / 'one-window.db'}")
            yield Desk(store, [program], OFFICERS["sqlite"])
            await store.close()
        return
    server: str = request.getfixturevalue("postgres_url")
    address = await postgres.create_database(server, "desk_load")
    shared = {
        "DATABASE_URL": address, "REDIS_URL": request.getfixturevalue("redis_url"), "SECRET_KEY": "of both",
    }  # fmt: skip
    programs = [Running(tmp_path / name, **shared) for name in ("one", "two")]
    store = Store(address)
    try:
        await asyncio.gather(*(program.start() for program in programs))
        yield Desk(store, programs, OFFICERS["postgres"])
    finally:
        for program in programs:
            program.close()
        await store.close()
        await postgres.drop_database(server, "desk_load")


async def test_officers_at_once_lose_nothing_and_answer_nobody_twice(desk: Desk) -> None:
    store, programs = desk.store, desk.programs
    people, pool, cited = await prepared(store, desk.officers)
    async with AsyncExitStack() as stack:
        officers = []
        for number, (person, token) in enumerate(people):
            client = httpx.AsyncClient(
                base_url=programs[number % len(programs)].address, trust_env=False, timeout=60,
                cookies={"one-window-desk": token},
            )  # fmt: skip
            await stack.enter_async_context(client)
            officers.append(Officer(person, client, random.Random(20261120 + number), number % 4 == 0))
        await they_race(officers, pool[-1])
        until = time.monotonic() + SECONDS
        await asyncio.gather(*(officer.works(pool, cited, until) for officer in officers))
    acts = [act for officer in officers for act in officer.acts]
    figures = Counter(f"{act.what} {'done' if act.done else act.status}" for act in acts)
    print(dict(sorted(figures.items())))
    for program in programs:
        assert "Traceback" not in program.said(), program.said()[-4000:]
    assert sum((officer.pages for officer in officers), Counter[int]()).keys() == {200}
    assert {act.status for act in acts} <= {303, 409}, figures
    await nothing_is_lost(store, acts, pool)
    await nobody_is_told_twice(store, pool)


async def they_race(officers: list[Officer], ticket: int) -> None:
    """All take one ticket in the same moment: one has it, the others are told who."""
    pages = await asyncio.gather(*(officer.looks("/keys") for officer in officers))
    acts = await asyncio.gather(
        *(one.sends(ticket, "take", 1, page, script=False) for one, page in zip(officers, pages, strict=True))
    )
    (first,) = [act for act in acts if act.done]
    name = next(officer.person.masked_name for officer in officers if officer.person.id == first.officer)
    for act in acts:
        assert act is first or (act.status == 409 and act.said.startswith(f"已由 {name} 于")), act


async def nothing_is_lost(store: Store, acts: list[Act], pool: list[int]) -> None:
    """Every act that was confirmed has its line, no version carried two, and the chain holds."""
    async with store.reading() as session:
        _, fault = await audit.verify(session)
        assert fault is None
        subjects = [f"ticket:{number}" for number in pool]
        lines = list(
            await session.scalars(
                select(AuditEntry).where(AuditEntry.subject.in_(subjects)).order_by(AuditEntry.id)
            )
        )
        tickets = {ticket.id: ticket for ticket in await session.scalars(select(Ticket))}
    done = Counter((f"ticket:{act.ticket}", LINES[act.what], act.officer) for act in acts if act.done)
    written = Counter(
        (line.subject, line.action, line.actor_id)
        for line in lines
        if line.actor_kind == "staff" and line.action in LINES.values()
    )
    assert done == written, (done - written, written - done)
    # Each page that changed a state was made from a version of its own.
    moves = Counter((act.ticket, act.version) for act in acts if act.done and act.what != "note")
    assert max(moves.values()) == 1
    steps: dict[str, list[list[int]]] = {subject: [] for subject in subjects}
    states: dict[str, str] = {}
    for line in lines:
        if "from" in line.facts:
            assert line.facts["from"] == states.get(line.subject, line.facts["from"])
            states[line.subject] = line.facts["to"]
            steps[line.subject].append(line.facts["version"])
    for subject, found in steps.items():
        flat = [number for pair in found for number in pair]
        ticket = tickets[int(subject.partition(":")[2])]
        assert all(before < after for before, after in found), (subject, found)
        assert flat == sorted(flat), (subject, found)
        assert ticket.state.value == states.get(subject, ticket.state.value)
        assert ticket.version >= max(flat, default=1)


async def nobody_is_told_twice(store: Store, pool: list[int]) -> None:
    """As many answers as conclusions, each its own; each ticket's asker is the only one told."""
    async with store.reading() as session:
        tickets = [ticket for ticket in await session.scalars(select(Ticket)) if ticket.id in set(pool)]
        letters = list(await session.scalars(select(Delivery).where(Delivery.kind == "answer")))
    told = Counter((letter.subject, letter.contact_id, letter.facts["conclusion"]) for letter in letters)
    assert told == Counter(
        (f"ticket:{ticket.id}", ticket.contact_id, number + 1)
        for ticket in tickets
        for number in range(ticket.conclusion_no)
    )
