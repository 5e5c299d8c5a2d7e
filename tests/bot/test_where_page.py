"""The wizard as a page: links carry the answers, and nothing else does."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select

from bot.app import Machine
from knowledge import packs, wizard
from tests.bot.conftest import Visitor
from tests.handlers.test_where import WAYS
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket

Visitors = Callable[..., Visitor]
PACK = packs.load("shanghai")


def links(page: str) -> dict[str, str]:
    """The links of a page by their words."""
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {re.sub(r"<[^>]*>", "", words).strip(): html.unescape(href) for href, words in found}


async def follow(someone: Visitor, labels: list[str], begin: str = "/where") -> str:
    """Load a page and follow links; the page at the end."""
    page = (await someone.client.get(begin)).text
    for label in labels:
        response = await someone.client.get(links(page)[label])
        assert response.status_code == 200
        page = response.text
    return page


@pytest.mark.parametrize(("labels", "leaf"), WAYS, ids=[leaf.row for _, leaf in WAYS])
async def test_every_row_is_reached_by_links(visitor: Visitors, labels: list[str], leaf: packs.Leaf) -> None:
    page = await follow(visitor(), [*labels, "对，看结果"])
    text = html.unescape(page)
    for words in ("东浦区", "上海市", "第1版", "登记组", "2026-11-20", "0000-12345678", "东浦区示例路1号"):
        assert words in text
    assert all(citation.long in text for citation in leaf.basis)
    # What tells that it has been passed on is said once it has been.
    assert leaf.answer in text
    if not leaf.ticket:
        assert all(words in text for words in (*leaf.steps, *leaf.bring))
        assert ("公告为准" in text) == ("LOCAL" in leaf.flags)
    assert ('action="/chat/messages"' in page) == leaf.ticket


async def test_a_case_that_a_person_must_decide_gets_its_number_in_the_chat(
    visitor: Visitors, machine: Machine
) -> None:
    someone = visitor()
    page = await follow(someone, ["外省市", "没有单位", "没有", "和本地人结婚", "对，看结果"])
    fields = dict(re.findall(r'name="(csrf|event_id|action)" value="([^"]*)"', page))
    for _ in range(2):
        response = await someone.client.post("/chat/messages", data=fields)
        assert (response.status_code, response.headers["location"]) == (303, "/#newest")
    chat = html.unescape((await someone.open()).text)
    async with machine.desk.store.reading() as session:
        (ticket,) = await session.scalars(select(Ticket))
        (enquiry,) = await session.scalars(select(Enquiry))
    assert ticket.ticket_no in chat
    assert ticket.progress_code in chat
    assert ticket.wizard_facts == {
        "hukou": "elsewhere", "status": "none", "cert": "no", "relax": "married_in",
    }  # fmt: skip
    assert ticket.group == "登记组"
    assert ticket.words == enquiry.words == "外省市户口，没有单位，没有证明，和本地人结婚"


async def test_the_address_carries_the_answers_and_nothing_is_kept(
    visitor: Visitors, machine: Machine
) -> None:
    someone = visitor()
    page = await follow(someone, ["外省市", "在职", "一般单位", "没有", "都没有", "对，看结果"])
    assert not someone.client.cookies
    again = await visitor("192.0.2.9").client.get(links(page)["打印版"])
    assert "请户口所在地的选举机构开选民资格证明" in html.unescape(again.text)
    async with machine.desk.store.reading() as session:
        assert (await session.scalars(select(Enquiry))).all() == []


async def test_what_is_understood_is_confirmed_before_the_result(visitor: Visitors) -> None:
    page = html.unescape(await follow(visitor(), ["外省市", "在职", "一般单位", "没有", "都没有"]))
    assert "我理解的是：外省市户口，在职，没有证明。对吗？" in page
    assert "选举机构开" not in page


async def test_back_at_every_step(visitor: Visitors) -> None:
    someone, labels = visitor(), ["外省市", "在职", "一般单位", "没有", "都没有", "对，看结果"]
    pages = [await follow(someone, labels[:length]) for length in range(len(labels) + 1)]
    asked = [re.findall(r'<h2 id="question">([^<]*)</h2>', page) for page in pages]
    assert "上一步" not in links(pages[0])
    # From the result one step back is the last question: the summary is no answer.
    for place, page in enumerate(pages[1:-1], start=1):
        before = (await someone.client.get(links(page)["上一步"])).text
        assert re.findall(r'<h2 id="question">([^<]*)</h2>', before) == asked[place - 1]
        assert links(page)["重新开始"] == "/where"


async def test_an_employer_that_registers_nobody(visitor: Visitors) -> None:
    page = await follow(visitor(), ["本区", "在职", "一般单位", "对，看结果", "单位不组织登记"])
    assert "单位、学校不组织登记" in page
    assert 'action="/chat/messages"' in page


async def test_the_sheet_has_no_way_about_and_no_form(visitor: Visitors) -> None:
    facts = {"hukou": "elsewhere", "status": "none", "cert": "no", "relax": "married_in"}
    address = {"a": wizard.pack_up(PACK, facts), "print": "1"}
    page = (await visitor().client.get("/where", params=address)).text
    assert 'action="/chat/messages"' not in page
    assert "重新开始" not in page
    assert "我已" not in page
    assert "往届" in page
    assert "不是最后的答复" in page


@pytest.mark.parametrize("code", ["x", "-" * 12, "9" * 9, "０" * 9, "-------- "])
async def test_an_address_that_was_not_made_here(visitor: Visitors, code: str) -> None:
    answer = await visitor().client.get("/where", params={"a": code})
    assert answer.status_code == 410
    assert links(answer.text)["重新开始"] == "/where"
    assert (await visitor().client.get("/where", params={"a": "-" * 30})).status_code == 404


async def test_half_a_case_asks_on_whatever_else_the_address_says(visitor: Visitors) -> None:
    code = wizard.pack_up(PACK, {"hukou": "local"})
    for more in ({}, {"ok": "1"}, {"print": "1"}):
        page = await visitor().client.get("/where", params={"a": code, **more})
        assert "现在属于哪种？" in page.text


async def test_the_ways_in(visitor: Visitors) -> None:
    for address in ("/", "/entries"):
        assert links((await visitor().client.get(address)).text)["我该在哪里登记"] == "/where"


async def test_the_chat_leads_to_the_sheet(visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask("/where")
    await someone.tap("迁出还没落户")
    items = await someone.tap("对")
    sheet = links("".join(item["html"] for item in items))["📄 保存或打印"]
    assert sheet.startswith("/where?a=")
    assert "可以在现居住地登记" in (await someone.client.get(sheet)).text


async def test_english(visitor: Visitors) -> None:
    someone = visitor()
    someone.client.cookies.set("one-window-language", "en")
    page = html.unescape(await follow(someone, ["Moved out, not settled", "Right, show the result"]))
    assert "you may register where you live now" in page
    assert "Applies to" in page or "东浦区" in page
