"""Entries change while two programs and two further processes answer: each answer is right for before or for
after, and whoever asks once a change is confirmed gets the one for after.

Two processes ask their live base 200 questions a second together; both programs are asked over HTTP besides,
as fast as two visitors at each get their answers: there a question is also a page, a redaction and a durable
record of a dozen statements. The property `rates` of the test's report says what was reached.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from bot import migrate
from knowledge import base, checks, entries, live, rehearsal
from knowledge.checks import CheckState
from knowledge.rehearsal import Rehearsal
from knowledge.replay import Comparison
from knowledge.versions import Alteration, Audience, Content, by_number, content_of, get_version
from office import units
from office.staff import Role, Staff
from office.store import Store
from tests.bot.conftest import hidden, new_id
from tests.bot.running import Running, environment
from tests.make import make_cast
from tests.servers import postgres
from tests.servers.cache import ROOT

PER_PROCESS = 100
# The machine may be busy with other tests: with less than this it was no load, and the test says nothing.
LEAST_RATE = 20
IN_FORCE_WITHIN = 1.0
# The golden questions have tests of their own; here they would only take the time of those who ask.
GOLDEN = 20

REPHRASED, WITHDRAWN, NARROWED = "K-9101", "K-9102", "K-9103"
ASKED: Mapping[str, str] = {
    REPHRASED: "蓝颜色棚子里厢填好的单子肯拿伐",
    WITHDRAWN: "紫藤广场的流动登记点周末有人值守吗？",
    NARROWED: "青石巷文化站能不能领到选民登记的宣传手册？",
}
ENTRIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    REPHRASED: (
        "旧书店门前的便民帐篷收不收选民登记表？",
        ("便民帐篷能交选民登记表吗", "旧书店门前那个帐篷收表吗", "登记表交给便民帐篷行不行"),
    ),
    WITHDRAWN: (
        ASKED[WITHDRAWN],
        ("紫藤广场登记点周末开吗", "周末去紫藤广场能登记吗", "紫藤广场流动点星期六有人吗"),
    ),
    NARROWED: (
        ASKED[NARROWED],
        ("青石巷文化站有宣传手册吗", "选民登记手册青石巷文化站发不发", "去青石巷文化站拿登记宣传册"),
    ),
}
# Enough new phrasings that every process builds its index anew aside while it answers.
NEW_PLACES = ("甲一", "乙二", "丙三", "丁四", "戊五", "己六", "庚七", "辛八")


Ready = tuple[int, Rehearsal, Comparison]
"""A version that may be published: its row, what it was checked against, and what came of it."""


@dataclass
class Moment:
    """When a change was asked for, and when it was confirmed."""

    begun: float
    confirmed: float


@dataclass(frozen=True)
class Seen:
    """One question and what came of it."""

    where: str
    began: float
    ended: float
    key: str
    answered: str
    """Number of the entry that answered alone; empty if none did."""
    shown: frozenset[str]


@dataclass
class Site:
    """Visitors of one program, asking over HTTP one after the other."""

    name: str
    address: str
    seen: list[Seen] = field(default_factory=list)

    async def until_asked(self, moments: Mapping[str, Moment]) -> None:
        """Wait until each changed entry was asked for after its change was confirmed."""
        open_yet = dict(moments)
        while open_yet:
            await asyncio.sleep(0.1)
            for one in self.seen:
                if one.key in open_yet and one.began > open_yet[one.key].confirmed:
                    del open_yet[one.key]

    async def visit(self, keys: Iterator[tuple[str, str]], stopped: asyncio.Event) -> None:
        """Ask as a new visitor each time, until told to stop."""
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=120) as client:
            while not stopped.is_set():
                key, question = next(keys)
                client.cookies.clear()
                # Each from a network of their own: the limit per network is not what is tried here.
                number = next(_visitors)
                client.headers["x-forwarded-for"] = f"198.18.{number // 250}.{number % 250 + 1}"
                page = (await client.get("/")).text
                began = time.time()
                form = {"csrf": hidden(page, "csrf"), "event_id": new_id(), "text": question}
                response = await client.post(
                    "/chat/messages", data=form, headers={"accept": "application/json"}
                )
                assert response.status_code == 200, response.text
                html = "".join(item["html"] for item in response.json()["items"])
                numbers = [no for no in (key, *ENTRIES) if no.startswith("K-") and no in html]
                answered = numbers[0] if numbers else ""
                self.seen.append(Seen(self.name, began, time.time(), key, answered, frozenset(numbers)))


_visitors = itertools.count()


async def test_each_answer_is_right_for_before_or_after(
    postgres_url: str, redis_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    address = await postgres.create_database(postgres_url, "under_load")
    shared = {
        "DATABASE_URL": address, "REDIS_URL": redis_url, "SECRET_KEY": "shared by both",
        "TRUSTED_PROXIES": "127.0.0.1", "DEMO": "false",
    }  # fmt: skip
    programs = [Running(tmp_path / name, **shared) for name in ("one", "two")]
    askers = [Asker(f"process {number}", tmp_path) for number in (1, 2)]
    store = Store(address)
    try:
        controls = await furnish(store)
        probes = await to_ask(store, controls)
        await asyncio.gather(
            *(program.start() for program in programs), *(asker.start(address, probes) for asker in askers)
        )
        rephrased = await prepare(
            store, REPHRASED, lambda was: replace(was, phrasings=(*was.phrasings, ASKED[REPHRASED]))
        )
        stopped = asyncio.Event()
        sites = [Site(f"program {number}", p.address) for number, p in enumerate(programs, 1)]
        questions = {**ASKED, **dict(itertools.islice(controls.items(), 1))}
        visits = []
        for site in sites:
            turns = itertools.cycle(questions.items())
            visits += [asyncio.create_task(site.visit(turns, stopped)) for _ in range(2)]
        try:
            for asker in askers:
                asker.go()
            moments = await change(store, rephrased)
            await asyncio.sleep(IN_FORCE_WITHIN)
            await asyncio.wait_for(asyncio.gather(*(site.until_asked(moments) for site in sites)), 90)
        finally:
            stopped.set()
            await asyncio.gather(*visits)
        seen = [one for site in sites for one in site.seen]
        for asker in askers:
            seen += await asker.stop()
        for program in programs:
            assert "Traceback" not in program.said()
    finally:
        for running in (*askers, *programs):
            running.close()
        await store.close()
        await postgres.drop_database(postgres_url, "under_load")
    rates = reached(seen)
    record_property("rates", rates)
    print(rates)
    assert sum(rates.values()) >= LEAST_RATE, rates
    judge(seen, moments, controls)


# --- what is changed ------------------------------------------------------------------------------


async def furnish(store: Store) -> dict[str, str]:
    """A part of the shipped base and the three entries that will change, in force in the whole district.

    Returns what must be answered the same all along: questions by the numbers of their entries.
    """
    await migrate.upgrade(store)
    now = datetime.now(UTC)
    async with store.transaction() as session:
        cast = await make_cast(session, now)
        shipped = list(base.read(base.FOLDER, cast.district.id))[::4]
        # So many that they are not built anew at each change, as a handful would be.
        assert sum(1 + len(content.phrasings) for _, content in shipped) > live.SMALL
        for number, content in shipped:
            await entries.install(session, number, content, now=now)
        for number, (question, phrasings) in ENTRIES.items():
            await entries.install(session, number, _content(question, phrasings, cast.district.id), now=now)
    voters = [(number, content) for number, content in shipped if content.audience is Audience.VOTER]
    return {number: content.question for number, content in voters[:: len(voters) // 5]}


async def to_ask(store: Store, controls: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What is asked from which unit."""
    async with store.reading() as session:
        paths = {unit.code: unit.path for unit in await units.all_units(session)}
    here = [(key, question, paths["DP"]) for key, question in {**ASKED, **controls}.items()]
    return [*here, *((f"elsewhere {key}", question, paths["BT"]) for key, question in ASKED.items())]


async def change(store: Store, rephrased: Ready) -> dict[str, Moment]:
    """One entry gets a phrasing, one is withdrawn, one holds in one town only; the base grows meanwhile."""
    moments = {}
    async with store.reading() as session:
        town = next(unit for unit in await units.all_units(session) if unit.code == "BT")
    moments[REPHRASED] = await _publish(store, rephrased)
    await _grow(store)
    async with store.transaction() as session:
        publisher = await _person(session, "王芳")
        begun = time.time()
        await entries.retire(
            session, await by_number(session, WITHDRAWN), actor=publisher, now=datetime.now(UTC)
        )
    moments[WITHDRAWN] = Moment(begun, time.time())
    narrowed = await prepare(store, NARROWED, lambda was: replace(was, scope_unit_id=town.id))
    moments[NARROWED] = await _publish(store, narrowed)
    return moments


async def prepare(store: Store, number: str, changed: Callable[[Content], Content]) -> Ready:
    """Draft a new version, hand it in and ask the golden questions of it, as the console does."""
    now = datetime.now(UTC)
    async with store.transaction() as session:
        author = await _person(session, "李强")
        entry = await by_number(session, number)
        assert entry.published_id is not None
        content = changed(await content_of(session, await get_version(session, entry.published_id)))
        version = await entries.draft(session, content, actor=author, now=now, entry=entry)
        altered = Alteration.EDITORIAL
        await entries.submit(session, version, actor=author, now=now, alteration=altered)
        version_id = version.id
    async with store.reading() as session:
        prepared = await rehearsal.prepare(session, await get_version(session, version_id), now=now)
    prepared = replace(prepared, cases=prepared.cases[:GOLDEN])
    return version_id, prepared, await rehearsal.run(prepared)


async def _publish(store: Store, ready: Ready) -> Moment:
    """Write the check down and publish; timed from the publication to its commit."""
    version_id, prepared, comparison = ready
    now = datetime.now(UTC)
    async with store.transaction() as session:
        publisher = await _person(session, "王芳")
        version = await get_version(session, version_id)
        check = await rehearsal.record(session, prepared, comparison, actor=publisher, now=now)
        if check.state is CheckState.BLOCKED:  # what the golden questions say is not what is tried here
            asker = Staff(name="冯一", unit_id=publisher.unit_id, roles=[Role.REVIEWER.value], created_at=now)
            session.add(asker)
            await session.flush()
            await checks.ask_override(session, version, "并发试验，题目不在此判断", actor=asker, now=now)
            await checks.override(session, version, actor=publisher, now=now)
        begun = time.time()
        await entries.publish(session, version, seen=version.version, actor=publisher, now=now)
    return Moment(begun, time.time())


async def _grow(store: Store) -> None:
    async with store.transaction() as session:
        district = await units.election_office(session)
        for number, place in enumerate(NEW_PLACES, start=9201):
            wordings = tuple(f"{place}仓库{part}在哪里领" for part in "门窗桌椅灯锁板漆绳布")
            content = _content(f"{place}仓库的钥匙在哪里领？", wordings, district.id)
            await entries.install(session, f"K-{number}", content, now=datetime.now(UTC))


def _content(question: str, phrasings: tuple[str, ...], unit_id: int) -> Content:
    return Content(
        topic="mobile_box", question=question, phrasings=phrasings, short="请以现场公告为准。",
        basis=({"law": "实施细则", "article": "第二十七条"},), scope_unit_id=unit_id,
    )  # fmt: skip


async def _person(session: Any, name: str) -> Staff:
    found: Staff = (await session.scalars(select(Staff).where(Staff.name == name))).one()
    return found


# --- who asks -------------------------------------------------------------------------------------


class Asker:
    """One of the two further processes; see `tests.journeys.asker`."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, address: str, probes: list[tuple[str, str, str]]) -> None:
        """Start it and wait until it knows the base; it does not ask yet."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.journeys.asker", cwd=ROOT, env=environment(self._folder),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"database": address, "rate": PER_PROCESS, "probes": probes}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        assert (await self._process.stdout.readline()).strip() == b"ready"

    async def stop(self) -> list[Seen]:
        """Tell it to stop; what it saw."""
        assert self._process is not None
        told, _ = await asyncio.wait_for(self._process.communicate(b"\n"), 90)
        assert self._process.returncode == 0
        seen = []
        for line in told.splitlines():
            began, ended, key, kind, numbers = json.loads(line)
            answered = numbers[0] if kind == "Hit" else ""
            seen.append(Seen(self._name, began, ended, key, answered, frozenset(numbers)))
        return seen

    def go(self) -> None:
        """Let it ask."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    def close(self) -> None:
        """End it if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


# --- what was seen --------------------------------------------------------------------------------


def reached(seen: list[Seen]) -> dict[str, float]:
    """Questions a second, by process."""
    times: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        times[one.where].append(one)
    return {
        where: round(len(ones) / (max(one.ended for one in ones) - min(one.began for one in ones)), 1)
        for where, ones in sorted(times.items())
    }


def judge(seen: list[Seen], moments: Mapping[str, Moment], controls: Mapping[str, str]) -> None:
    """Hold every answer against what was in force when it was given."""
    in_force: dict[tuple[str, str], float] = {}
    for one in seen:
        key = one.key.removeprefix("elsewhere ")
        if key in controls or (one.key != key and key == NARROWED):
            assert one.answered == key, one
            continue
        moment = moments[key]
        before = one.answered == ("" if key == REPHRASED else key)
        after = one.answered == (key if key == REPHRASED else "")
        if key != REPHRASED:
            after = after and key not in one.shown  # not even as a choice
        if one.ended < moment.begun:
            assert before, one
        elif one.began > moment.confirmed:
            assert after, (one, one.began - moment.confirmed)
        else:
            assert before or after, one
        if after and one.ended > moment.begun:
            first = in_force.get((one.where, key), one.ended)
            in_force[one.where, key] = min(first, one.ended)
    # Where each is asked several times a second; a program is only asked again when its visitor has read.
    for where in {one.where for one in seen if one.where.startswith("process")}:
        for key, moment in moments.items():
            late = in_force[where, key] - moment.confirmed
            assert late < IN_FORCE_WITHIN, f"{key} at {where}: after {late:.2f} seconds"
