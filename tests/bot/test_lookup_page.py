"""The secure page: the notice first, one result of three, and nothing of what was typed anywhere."""

from __future__ import annotations

import asyncio
import html
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from bot import lookup_form
from bot.app import Machine
from knowledge.roll import challenges, links
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookups import Lookups
from knowledge.roll.records import LookupAct, LookupLink, LookupResult, Mark
from office.contacts import Channel, Contact
from office.store import Base
from tests.bot.conftest import Visitor, hidden
from tests.bot.test_receiving import break_database
from tests.make import Cast, Clock
from tests.rolls import install_roll
from tests.station_places import a_station
from tests.voters import CAST, HE_JIE, LIN_YAN, RARE, TAO_MIN, Voter, voter
from ticketing.records import RollIssue, Ticket, TicketKind

Visitors = Callable[..., Visitor]
ONE_DATABASE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
LINES = {
    LookupResult.REGISTERED: (
        "查询结果：已登记",
        "选区：第一选区 小组：12-01 登记站：临江街道12-01",
        "下一步：名单公布后请再核对，以公布的名单为准。",
    ),
    LookupResult.NOT_FOUND: (
        "查询结果：未查到",
        "可能还在录入，也可能登记在单位或其他选区。",
        "下一步：请联系登记站，或点“帮我核实”。",
    ),
    LookupResult.ASK_STATION: (
        "查询结果：请到登记站核实",
        "请带身份证，由工作人员当面核对。",
        "下一步：登记站地址和时间见下。",
    ),
}


@dataclass
class Person:
    """Somebody with a browser before the secure page."""

    client: httpx.AsyncClient
    secret: bytes
    page: Any = None

    async def read(self, address: str = "/lookup") -> str:
        """Load the notice, by itself or by a link."""
        self.page = page = await self.client.get(address)
        return text(page)

    async def go_on(self, **changes: str) -> httpx.Response:
        """Press the button under the notice; the page that comes of it."""
        fields = dict(re.findall(r'name="(csrf|notice|token)" value="([^"]*)"', self.page.text))
        page = await self.client.post("/lookup/open", data=fields | changes, follow_redirects=True)
        self.page = page
        return page

    async def form(self) -> httpx.Response:
        """Come to the form anew."""
        await self.read()
        return await self.go_on()

    def answer(self) -> str:
        """The answer to the question on the form."""
        kept = self.client.cookies["one-window-lookup"].rpartition(".")[2]
        return str(lookup_form.question(self.secret, kept, hidden(self.page.text, "round")).answer)

    async def send(self, fields: dict[str, str], *, script: bool = False) -> httpx.Response:
        """Send the form that stands on the page."""
        found = {"csrf": hidden(self.page.text, "csrf"), "round": hidden(self.page.text, "round")}
        headers = {"accept": "application/json"} if script else {}
        return await self.client.post("/lookup/check", data=found | fields, headers=headers)

    async def ask(self, who: Voter, **changes: str) -> httpx.Response:
        """Ask about somebody, from the notice to the result."""
        await self.form()
        fields = {"way": "identity", "name": who.name, "number": who.number, "answer": self.answer()}
        return await self.send(fields | changes)

    async def ask_by_code(self, code: str) -> httpx.Response:
        await self.form()
        return await self.send({"way": "receipt", "code": code})

    async def help(self, result: httpx.Response, act: str, **more: str) -> httpx.Response:
        """Press a button under a result."""
        fields = {"csrf": hidden(result.text, "csrf"), "sealed": hidden(result.text, "sealed"), "act": act}
        return await self.client.post("/lookup/help", data=fields | more)


People = Callable[..., Person]


def text(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    body = page.json()["html"] if "json" in page.headers["content-type"] else page.text
    main = body.partition("<main")[2] or body
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", main))).strip()


def words(page: httpx.Response) -> list[str]:
    """The heading and the two lines of a result."""
    card = page.text.partition("lookup-result")[2].partition("</section>")[0]
    lines = re.findall(r"<(h2|p)[^>]*>(.*?)</\1>", card, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", line)).split()) for _, line in lines]


async def count(machine: Machine, table: type[Base]) -> int:
    async with machine.desk.store.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
async def people(
    machine: Machine, site: FastAPI, cast: Cast, bare: Path, visitor: Visitors
) -> Callable[..., Person]:
    """Makes people who can look up in a roll of the cast, where HE_JIE has to ask the station."""
    folder, store = bare / "data", machine.desk.store
    folder.mkdir(exist_ok=True)
    await install_roll(store, folder, marks={HE_JIE: Mark(0)})
    async with store.transaction() as session:
        await a_station(session, cast.riverside, "12-01", "书香苑居委会登记站")
    site.state.services = replace(
        site.state.services,
        lookups=Lookups(store, KeyHolder(folder / "roll.key"), secret=b"budgets", floor=0),
    )

    def make(host: str = "192.0.2.1") -> Person:
        return Person(visitor(host).client, site.state.services.secret)

    return make


@ONE_DATABASE
async def test_the_notice_comes_first(people: People) -> None:
    person = people()
    said = await person.read()
    for expected in (
        "东浦区选举委员会办公室仅为核对您的选民登记状态使用您输入的信息，核对后立即丢弃，不保存",
        "0000-12345678", "版本 1", "我知道了，继续", "到登记站", "登记回执码", "帮家人查",
    ):  # fmt: skip
        assert expected in said
    assert 'name="number"' not in person.page.text
    assert 'name="number"' in (await person.go_on()).text


@ONE_DATABASE
async def test_the_page_is_its_own_world(people: People) -> None:
    person = people()
    await person.read()
    form = await person.go_on()
    for page in (await person.client.get("/lookup"), form, await person.ask(LIN_YAN)):
        assert "no-store" in page.headers["cache-control"]
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)
    fields = re.findall(r"<input[^>]*type=\"text\"[^>]*>", form.text)
    assert len(fields) == 4
    assert all('autocomplete="off"' in field and 'spellcheck="false"' in field for field in fields)
    assert not re.search(r'<form[^>]*method="get"', form.text)


async def test_looking_at_a_link_does_not_use_it_up_and_its_button_does(
    people: People, machine: Machine, cast: Cast, now: datetime
) -> None:
    async with machine.desk.store.transaction() as session:
        token = await links.make(session, Channel.TELEGRAM, cast.zhang_min, now)
    person, thief = people(), people("192.0.2.7")
    for _ in range(3):
        assert "我知道了，继续" in await person.read(f"/lookup/{token}")
    assert (await person.go_on()).url.path == "/lookup/form"
    await thief.read(f"/lookup/{token}")
    late = await thief.go_on()
    assert late.status_code == 410
    assert "用过了" in text(late)
    assert 'name="number"' not in late.text
    # Who has read the notice goes on with one tap.
    thief.page = late
    assert (await thief.go_on()).url.path == "/lookup/form"


@ONE_DATABASE
@pytest.mark.parametrize("address", ["/lookup/x", "/lookup/" + "y" * 65, "/lookup/a.b"])
async def test_what_cannot_be_a_link_is_no_page(people: People, address: str) -> None:
    assert (await people().client.get(address)).status_code == 404


async def test_nobody_types_before_the_notice_of_today(
    people: People, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = people()
    await person.read()
    fields = {"csrf": hidden(person.page.text, "csrf"), "name": LIN_YAN.name, "number": LIN_YAN.number}
    assert "先请看一下说明" in text(await person.client.get("/lookup/form"))
    assert "先请看一下说明" in text(await person.client.post("/lookup/check", data=fields))
    assert "先请看一下说明" in text(await person.go_on(notice="0"))
    await person.form()
    monkeypatch.setattr(challenges, "notice_version", lambda: "2")
    assert "版本 2" in text(await person.client.get("/lookup/form"))
    assert "版本 2" in text(await person.send({"name": LIN_YAN.name, "number": LIN_YAN.number}))
    assert await count(machine, LookupAct) == 0
    assert words(await person.ask(LIN_YAN)) == list(LINES[LookupResult.REGISTERED])
    async with machine.desk.store.reading() as session:
        assert await session.scalar(select(LookupAct.notice)) == "2"


async def test_three_results_of_one_shape(people: People) -> None:
    person = people()
    shapes, lengths = set(), set()
    for who, result in (
        (LIN_YAN, LookupResult.REGISTERED),
        (TAO_MIN, LookupResult.NOT_FOUND),
        (HE_JIE, LookupResult.ASK_STATION),
    ):
        page = await person.ask(who)
        assert page.status_code == 200
        assert words(page) == list(LINES[result])
        assert 'href="/lookup"' in page.text.partition('id="further"')[2], "再查一次 stands under all three"
        assert page.headers["refresh"] == "300; url=/lookup/cleared"
        lengths.add(page.headers["content-length"])
        shapes.add(tuple(re.findall(r"<(h2|p|dt|button|section)\b", page.text.partition("data-lookup")[2])))
    assert len(shapes) == len(lengths) == 1


@ONE_DATABASE
async def test_a_wrong_name_and_an_unknown_number_are_the_same_page(people: People) -> None:
    strange = [
        text(await people().ask(who))
        for who in (TAO_MIN, replace(LIN_YAN, name=TAO_MIN.name), replace(TAO_MIN, name=LIN_YAN.name))
    ]
    assert len(set(strange)) == 1
    assert "未查到" in strange[0]


@ONE_DATABASE
async def test_where_to_go(people: People) -> None:
    said = text(await people().ask(LIN_YAN))
    for expected in ("您的登记站", "书香苑居委会登记站", "临江路示例弄3号", "9:00–11:30", "0000-11110003"):
        assert expected in said
    for who in (TAO_MIN, HE_JIE):
        said = text(await people().ask(who))
        for expected in ("东浦区选举委员会办公室", "东浦区示例路1号", "工作日 8:30–11:30", "0000-12345678"):
            assert expected in said


@ONE_DATABASE
@pytest.mark.parametrize(
    "spelt",
    [
        lambda number: f" {number[:6]} {number[6:14]} {number[14:]} ",
        lambda number: "".join(chr(ord(symbol) + 0xFEE0) for symbol in number),
        lambda number: number[:6] + number[8:17],
    ],
    ids=["spaces", "full width", "fifteen digits"],
)
async def test_a_number_as_people_type_it(people: People, spelt: Callable[[str], str]) -> None:
    name = f" {LIN_YAN.name[0]} {LIN_YAN.name[1:]}"
    page = await people().ask(LIN_YAN, number=spelt(LIN_YAN.number), name=name)
    assert words(page)[0] == "查询结果：已登记"


def _other_check(number: str) -> str:
    return number[:-1] + ("1" if number[-1] != "1" else "2")


SLIPS = [
    ("name", "", "请填写姓名。"),
    ("name", "林3", "请核对姓名"),
    ("number", "", "请填写身份证号码。"),
    ("number", LIN_YAN.number[:-1], "请核对号码：应为18位，最后一位可能是X。"),
    ("number", "0" * 200, "请核对号码：应为18位"),
    ("number", _other_check(LIN_YAN.number), "请核对号码：可能有一位写错"),
    ("number", "99" + LIN_YAN.number[2:], "请核对号码：开头两位不对。"),
    ("number", LIN_YAN.number[:10] + "1350" + LIN_YAN.number[14:], "请核对号码：中间的出生年月日不对。"),
    ("answer", "", "请回答这个小问题。"),
    ("answer", "99", "回答不对"),
    ("answer", "x" * 5000, "回答不对"),
]


@ONE_DATABASE
async def test_slips_are_said_beside_their_fields_and_cost_nothing(people: People, machine: Machine) -> None:
    person = people()
    await person.form()
    right = {"name": LIN_YAN.name, "number": LIN_YAN.number}
    for field, typed, said in SLIPS:
        page = await person.send(right | {"answer": person.answer()} | {field: typed})
        assert page.status_code == 422
        beside = re.search(rf'id="{field}-error"[^>]*>(.*?)</span></span>', page.text, re.DOTALL)
        assert beside is not None
        assert said in beside[1]
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page.text)
        assert page.text.count('aria-invalid="true"') == 1
        assert LIN_YAN.name not in page.text
        assert LIN_YAN.number[:-1] not in page.text
        # An answer that was right need not be given again; after a wrong one comes another question.
        assert bool(re.search(r'id="answer"[^>]*value="[^"]', page.text)) == (field != "answer")
        assert (hidden(page.text, "round") == hidden(person.page.text, "round")) == (field != "answer")
        person.page = page
    assert await count(machine, LookupAct) == 0
    assert words(await person.send(right | {"answer": person.answer()}))[0] == "查询结果：已登记"


@ONE_DATABASE
async def test_a_script_is_sent_the_part_that_changes(people: People) -> None:
    person = people()
    await person.form()
    fields = {"name": LIN_YAN.name, "number": "1", "answer": person.answer()}
    part = await person.send(fields, script=True)
    assert (part.status_code, part.json()["stage"]) == (422, "form")
    assert "请核对号码" in part.json()["html"]
    assert "<html" not in part.json()["html"]
    part = await person.send(fields | {"number": LIN_YAN.number}, script=True)
    assert part.json()["stage"] == "result"
    assert "no-store" in part.headers["cache-control"]
    assert int(part.headers["content-length"]) % 4096 == 0
    renewed = await person.client.post(
        "/lookup/open", data={"csrf": hidden(person.page.text, "csrf"), "notice": "1"},
        headers={"accept": "application/json"},
    )  # fmt: skip
    assert renewed.json()["stage"] == "form"


@ONE_DATABASE
async def test_a_receipt_code_alone_is_enough(people: People) -> None:
    person = people()
    code = LIN_YAN.receipt
    written = f"{code[:4]}-{code[4:8]}-{code[8:]}".lower()
    assert words(await person.ask_by_code(written)) == list(LINES[LookupResult.REGISTERED])
    assert words(await person.ask_by_code(HE_JIE.receipt)) == list(LINES[LookupResult.ASK_STATION])
    assert words(await person.ask_by_code(voter(5).receipt)) == list(LINES[LookupResult.NOT_FOUND])
    mistyped = (
        ("", "请填写登记回执码"),
        (_other_check(code), "回执码有误，请核对"),
        ("帮我查", "回执码有误"),
    )
    for wrong, said in mistyped:
        page = await person.ask_by_code(wrong)
        assert page.status_code == 422
        assert said in text(page)
        assert "未查到" not in text(page)
        assert code not in page.text


@ONE_DATABASE
async def test_who_asks_too_often_is_told_until_when(
    people: People, machine: Machine, cast: Cast, now: datetime
) -> None:
    person = people()
    for number in range(4):
        assert (await person.ask(voter(number))).status_code == 200
    told = set()
    assert words(await person.ask(LIN_YAN))[0] == "查询结果：已登记"
    for who in (LIN_YAN, TAO_MIN, HE_JIE):
        page = await person.ask(who)
        assert page.status_code == 429
        assert int(page.headers["retry-after"]) > 0
        assert re.search(r"11月2[01]日（周[五六]）\d\d:\d\d之后可以再查", text(page))
        assert "0000-12345678" in text(page)
        assert "到登记站" in text(page)
        told.add(text(page))
    assert len(told) == 1
    assert await count(machine, LookupAct) == 5


async def test_while_it_is_closed_there_is_no_form(
    people: People, site: FastAPI, machine: Machine, clock: Clock
) -> None:
    person = people()
    await person.form()
    fields = {"name": LIN_YAN.name, "number": LIN_YAN.number, "answer": person.answer()}
    clock.now += timedelta(days=60)
    site.state.services = replace(site.state.services, clock=clock)
    for page in (
        await person.client.get("/lookup"),
        await person.client.get("/lookup/" + "t" * 32),
        await person.client.get("/lookup/form"),
    ):
        assert "现在还不能查询" in text(page)
        assert "0000-12345678" in text(page)
        assert "到登记站" in text(page)
        assert 'name="number"' not in page.text
    assert "查询结果" not in text(await person.send(fields))
    assert await count(machine, LookupAct) == 0


async def test_a_pass_is_good_for_one_lookup(people: People, machine: Machine) -> None:
    person = people()
    await person.form()
    fields = {"name": LIN_YAN.name, "number": LIN_YAN.number, "answer": person.answer()}
    pages = await asyncio.gather(*[person.send(fields) for _ in range(3)])
    assert sorted(page.status_code for page in pages) == [200, 410, 410]
    assert (await person.send(fields)).status_code == 410
    assert await count(machine, LookupAct) == 1
    assert await count(machine, LookupLink) == 0


@ONE_DATABASE
async def test_after_ten_minutes_one_tap_goes_on(people: People, site: FastAPI, clock: Clock) -> None:
    person = people()
    site.state.services = replace(site.state.services, clock=clock)
    await person.form()
    fields = {"name": LIN_YAN.name, "number": LIN_YAN.number, "answer": person.answer()}
    clock.now += timedelta(minutes=11)
    late = await person.send(fields)
    assert late.status_code == 410
    assert LIN_YAN.number not in late.text
    assert (await person.client.get("/lookup/form")).status_code == 410
    person.page = late
    await person.go_on()
    assert person.page.url.path == "/lookup/form"
    fields["answer"] = person.answer()
    assert words(await person.send(fields))[0] == "查询结果：已登记"


@ONE_DATABASE
async def test_results_misses_and_blocks_leave_at_the_same_time(
    people: People, site: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[float] = []

    async def settle(self: Lookups, begun: float) -> None:
        settled.append(begun)

    monkeypatch.setattr(Lookups, "settle", settle)
    person = people()
    for who in (LIN_YAN, HE_JIE, TAO_MIN, voter(1), voter(2), voter(3), LIN_YAN):
        await person.ask(who)
    assert len(settled) == 7


def _fails(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(self: Lookups, session: Any, caller: Any, name: str, number: str, **more: Any) -> None:
        raise RuntimeError(f"cannot look up {name} {number} {json.dumps([name, number])}")

    monkeypatch.setattr(Lookups, "by_identity", fails)


def _lost(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    break_database(machine)


def _sound(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is broken but the form."""


@ONE_DATABASE
@pytest.mark.parametrize(
    ("breaks", "changes", "status"),
    [
        (_fails, {}, 500),
        (_lost, {}, 500),
        (_sound, {"csrf": "x"}, 403),
        (_sound, {"round": "?"}, 422),
        (_sound, {"code": "x" * 300_000}, 422),
    ],
    ids=["it fails", "no database", "foreign form", "form of nobody", "large form"],
)
async def test_whatever_goes_wrong_nothing_typed_is_shown_or_written_down(
    people: People, machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    breaks: Callable[[Machine, pytest.MonkeyPatch], None], changes: dict[str, str], status: int,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    person = people()
    await person.form()
    fields = {"name": LIN_YAN.name, "number": LIN_YAN.number, "answer": person.answer()} | changes
    breaks(machine, monkeypatch)
    for script in (False, True):
        page = await person.send(fields, script=script)
        assert page.status_code == status
        shown = html.unescape(page.text)
        written = caplog.text + "".join(str(record.args) for record in caplog.records)
        for secret in (LIN_YAN.number, LIN_YAN.name, LIN_YAN.number[6:14], json.dumps(LIN_YAN.name)[1:-1]):
            assert secret not in shown
            assert secret not in written


async def test_nothing_typed_is_kept(people: People, machine: Machine) -> None:
    person = people()
    for who in (*CAST, TAO_MIN):
        result = await person.ask(who)
    await person.help(result, "verify")
    async with machine.desk.store.reading() as session:
        kept = [
            repr(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in await session.execute(select(table))
        ]
    kept.append(repr(machine.desk.store) + repr(dict(person.client.cookies)))
    everything = "\n".join(kept)
    assert "lookup" in everything
    assert not set(RARE) & set(everything)
    for who in (*CAST, TAO_MIN):
        assert who.number not in everything
        assert who.receipt not in everything


async def test_a_result_leads_to_a_ticket_with_number_code_and_time(people: People, machine: Machine) -> None:
    person = people()
    result = await person.ask(TAO_MIN)
    pages = [text(await person.help(result, "verify")) for _ in range(2)]
    async with machine.desk.store.reading() as session:
        (ticket,) = await session.scalars(select(Ticket))
        contact = await session.get_one(Contact, ticket.contact_id)
    assert (ticket.kind, ticket.lookup_result) == (TicketKind.VERIFY, "not_found")
    assert ticket.receipt_digest is None
    assert (contact.channel, ticket.channel) == (Channel.WEB, Channel.WEB)
    for said in pages:
        for expected in (ticket.ticket_no, ticket.progress_code, "11月20日（周五）17:30", "网页咨询"):
            assert expected in said


@ONE_DATABASE
async def test_what_is_wrong_with_the_list_is_asked_first(people: People, machine: Machine) -> None:
    person = people()
    result = await person.ask_by_code(LIN_YAN.receipt)
    page = await person.help(result, "correction")
    assert "我的信息写错了" in text(page)
    assert "更正材料清单" in text(page)
    assert (await person.help(result, "correction", sure="1")).status_code == 422
    assert await count(machine, Ticket) == 0
    said = text(await person.help(result, "correction", sure="1", issue="wrong"))
    async with machine.desk.store.reading() as session:
        (ticket,) = await session.scalars(select(Ticket))
    assert (ticket.kind, ticket.roll_issue) == (TicketKind.CORRECTION, RollIssue.WRONG)
    assert ticket.lookup_result == "registered"
    assert ticket.receipt_digest is not None
    assert ticket.ticket_no in said


@ONE_DATABASE
async def test_an_appeal_has_its_term(people: People, machine: Machine, site: FastAPI, clock: Clock) -> None:
    person = people()
    site.state.services = replace(site.state.services, clock=clock)
    early = await person.help(await person.ask(TAO_MIN), "appeal", sure="1")
    assert "编号" not in text(early)
    assert "转人工" in text(early)
    clock.now = clock.now.replace(month=12, day=11)
    result = await person.ask(voter(3))
    page = await person.help(result, "appeal")
    assert "申诉材料清单" in text(page)
    assert await count(machine, Ticket) == 0
    said = text(await person.help(result, "appeal", sure="1"))
    async with machine.desk.store.reading() as session:
        (ticket,) = await session.scalars(select(Ticket))
    assert ticket.kind is TicketKind.APPEAL
    assert ticket.ticket_no in said
    assert "还剩3天" in said


async def test_who_came_from_another_channel_gets_the_answer_there(
    people: People, machine: Machine, cast: Cast, now: datetime
) -> None:
    async with machine.desk.store.transaction() as session:
        token = await links.make(session, Channel.TELEGRAM, cast.zhang_min, now)
    person = people()
    await person.read(f"/lookup/{token}")
    await person.go_on()
    result = await person.send({"name": TAO_MIN.name, "number": TAO_MIN.number, "answer": person.answer()})
    said = text(await person.help(result, "verify"))
    async with machine.desk.store.reading() as session:
        (ticket,) = await session.scalars(select(Ticket))
    assert ticket.contact_id == cast.zhang_min.id
    assert "您来的那个聊天" in said


@ONE_DATABASE
async def test_what_a_button_carries_is_of_use_to_this_browser_for_a_while(
    people: People, machine: Machine, site: FastAPI, clock: Clock
) -> None:
    site.state.services = replace(site.state.services, clock=clock)
    person, other = people(), people("192.0.2.7")
    result = await person.ask(TAO_MIN)
    assert "not_found" not in hidden(result.text, "sealed")
    theirs = await other.ask(HE_JIE)
    fields = {"csrf": hidden(theirs.text, "csrf"), "sealed": hidden(result.text, "sealed"), "act": "verify"}
    assert (await other.client.post("/lookup/help", data=fields)).status_code == 410
    assert (await person.help(result, "nothing")).status_code == 422
    clock.now += timedelta(minutes=31)
    assert (await person.help(result, "verify")).status_code == 410
    assert await count(machine, Ticket) == 0


@ONE_DATABASE
async def test_the_ways_in_and_back(people: People) -> None:
    person = people()
    for address in ("/", "/privacy"):
        assert 'href="/lookup"' in (await person.client.get(address)).text
    assert "仅为核对您的选民登记状态" in text(await person.client.get("/privacy"))
    form = await person.form()
    chosen = {"csrf": hidden(form.text, "csrf"), "next": hidden(form.text, "next"), "size": "extra"}
    back = await person.client.post("/chat/size", data=chosen)
    assert back.headers["location"] == "/lookup/form"
    assert "已清除" in text(await person.client.get("/lookup/cleared"))


@ONE_DATABASE
async def test_english(people: People) -> None:
    person = people()
    said = await person.read("/lookup?lang=en")
    assert "Please read this first" in said
    page = await person.ask(LIN_YAN)
    assert "Result: registered" in text(page)
    assert "Electoral district" in text(page)
    assert "Please check the number" in text(await person.ask(LIN_YAN, number="1"))
