"""The web chat as a browser meets it: once is once, refusals are clear, nothing is lost without scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot.app import Machine
from bot.channels import web
from bot.channels.web import MailboxItem
from bot.webchat import PER_MINUTE
from handlers import asking
from office.contacts import Channel, Contact
from tests.bot.conftest import Visitor, hidden, new_id
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket

KNOWN = "选民证丢了怎么办？"
UNKNOWN = "新楼盘没有门牌号，户口还没迁过来，应该怎么登记？"
PHONE = "0000-12345678"
Visitors = Callable[..., Visitor]


async def count(machine: Machine, table: type) -> int:
    async with machine.desk.store.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_looking_leaves_nothing_behind(machine: Machine, visitor: Visitors) -> None:
    response = await visitor().open()
    assert response.status_code == 200
    assert PHONE in response.text
    cookie = response.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert await count(machine, MailboxItem) == 0
    async with machine.desk.store.reading() as session:
        assert await session.scalar(select(Contact.id).where(Contact.channel == Channel.WEB)) is None


async def test_the_first_message_makes_a_contact_and_is_answered(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    mine, answer = await someone.ask(KNOWN)
    assert (mine["seq"], mine["op"], answer["seq"], answer["op"]) == (1, "append", 2, "append")
    assert KNOWN in mine["html"]
    assert "请尽快联系发证的登记站核对" in answer["html"]
    assert "K-0540" in answer["html"]
    async with machine.desk.store.reading() as session:
        contact = (await session.scalars(select(Contact).where(Contact.channel == Channel.WEB))).one()
    cookie = someone.client.cookies["one-window-visitor"]
    assert len(cookie) >= 22
    assert cookie not in contact.address


async def test_the_same_event_again_changes_nothing(machine: Machine, visitor: Visitors) -> None:
    someone, event_id = visitor(), new_id()
    first = await someone.send(UNKNOWN, event_id=event_id)
    second = await someone.send(UNKNOWN, event_id=event_id)
    numbers = [[(i["seq"], i["op"], i["id"]) for i in r.json()["items"]] for r in (first, second)]
    assert numbers[0] == numbers[1]
    assert await count(machine, Enquiry) == await count(machine, Ticket) == 1


async def test_the_same_event_twice_at_once_has_one_effect(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.open()
    event_id = new_id()
    responses = await asyncio.gather(*(someone.send(UNKNOWN, event_id=event_id) for _ in range(4)))
    assert [response.status_code for response in responses] == [200] * 4
    assert await count(machine, Ticket) == await count(machine, Enquiry) == 1
    # Whoever comes second waits for the first, so both pages show the answer.
    assert {len(response.json()["items"]) for response in responses} == {2}


async def test_buttons_lead_to_a_ticket_and_a_second_tap_to_nothing_more(
    machine: Machine, visitor: Visitors
) -> None:
    someone = visitor()
    await someone.ask(KNOWN)
    items = await someone.tap("没解决")
    assert [item["op"] for item in items][:1] == ["replace"]
    assert any("DP-" in item["html"] for item in items)
    assert await count(machine, Ticket) == 1
    await someone.tap("没解决")
    assert await count(machine, Ticket) == 1


async def test_another_visitor_s_button_does_nothing(machine: Machine, visitor: Visitors) -> None:
    someone, other = visitor(), visitor()
    await someone.ask(KNOWN)
    await other.ask(KNOWN)
    other.seen = someone.seen
    items = await other.tap("没解决")
    assert [item["op"] for item in items] == ["toast"]
    assert await count(machine, Ticket) == 0


@pytest.mark.parametrize("action", ["1|pik|zzzzzzzzzz|0|9", "1|xxx", "x" * 300, "1|nos|-5|0|", "\N{SNOWMAN}"])
async def test_a_made_up_button_is_refused_softly(machine: Machine, visitor: Visitors, action: str) -> None:
    someone = visitor()
    await someone.ask(KNOWN)
    response = await someone.send(action=action, message_id="99999999999999")
    assert response.status_code == 200
    assert await count(machine, Ticket) == 0


@pytest.mark.parametrize("text", ["", "   \n\t ", "\u3000"])
async def test_a_blank_message_is_refused(machine: Machine, visitor: Visitors, text: str) -> None:
    response = await visitor().send(text)
    assert response.status_code == 422
    assert response.json()["error"]
    assert await count(machine, MailboxItem) == 0


@pytest.mark.parametrize("text", ["   ", "\u3000\n"])
async def test_without_scripts_a_blank_message_is_refused_on_the_page_itself(
    visitor: Visitors, text: str
) -> None:
    someone = visitor()
    await someone.ask(KNOWN)
    page = await someone.send(text, script=False)
    assert page.status_code == 422
    for words in ("请写下您的问题。", KNOWN, 'id="text"'):
        assert words in page.text
    assert "event_id：" not in page.text
    assert "</textarea>" in page.text
    english = await someone.client.post("/language", data={"csrf": someone.csrf, "lang": "en"})
    assert english.status_code == 303
    assert "Please write your question." in (await someone.send(text, script=False)).text


async def test_a_message_that_is_too_long_is_refused_and_shown_again(
    machine: Machine, visitor: Visitors
) -> None:
    someone, text = visitor(), "很长" * (asking.LONGEST_INPUT // 2 + 1)
    response = await someone.send(text)
    assert response.status_code == 422
    assert str(asking.LONGEST_INPUT) in response.json()["error"]
    page = await someone.send(text, script=False)
    assert page.status_code == 422
    assert text in page.text
    assert str(asking.LONGEST_INPUT) in page.text
    assert await count(machine, MailboxItem) == 0


async def test_numbers_are_gone_before_anything_is_kept(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask("我的身份证是 11010519491231002X，能不能帮我查登记？")
    async with machine.desk.store.reading() as session:
        kept = [item.content for item in await session.scalars(select(MailboxItem))]
        words = list(await session.scalars(select(Enquiry.words)))
    assert "11010519491231002" not in json.dumps([kept, words], ensure_ascii=False)


@pytest.mark.parametrize(
    ("headers", "csrf"),
    [
        ({}, "wrong"),
        ({}, ""),
        ({"sec-fetch-site": "cross-site"}, None),
        ({"sec-fetch-site": "same-site"}, None),
        ({"origin": "https://evil.example"}, None),
    ],
)
async def test_a_foreign_form_changes_nothing(
    machine: Machine, visitor: Visitors, headers: dict[str, str], csrf: str | None
) -> None:
    someone = visitor()
    await someone.open()
    token = someone.csrf if csrf is None else csrf
    for address in ("/chat/messages", "/chat/end", "/chat/size", "/language"):
        data = {"csrf": token, "event_id": new_id(), "text": UNKNOWN, "size": "large", "lang": "en"}
        response = await someone.client.post(address, data=data, headers=headers)
        assert response.status_code == 403
    kept = {name for name in someone.client.cookies if name != "one-window-form"}
    assert kept == {"one-window-visitor"}
    assert await count(machine, MailboxItem) == 0


async def test_a_form_of_another_visitor_is_foreign(machine: Machine, visitor: Visitors) -> None:
    someone, other = visitor(), visitor()
    await someone.open()
    await other.open()
    other.csrf = someone.csrf
    assert (await other.send(UNKNOWN)).status_code == 403


async def test_a_huge_body_is_refused_without_being_read(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.open()
    sent = 0

    async def body():  # type: ignore[no-untyped-def]
        nonlocal sent
        yield f"csrf={someone.csrf}&event_id={new_id()}&text=".encode()
        for _ in range(30):
            sent += 1
            yield b"a" * 1024 * 1024

    response = await someone.client.post(
        "/chat/messages",
        content=body(),
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
    )
    assert response.status_code == 422
    assert response.json()["error"]
    assert await count(machine, MailboxItem) == 0


async def test_files_are_refused_clearly(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.open()
    response = await someone.client.post(
        "/chat/messages",
        data={"csrf": someone.csrf, "event_id": new_id(), "text": UNKNOWN},
        files={"photo": ("证.jpg", b"\xff\xd8\xff", "image/jpeg")},
        headers={"accept": "application/json"},
    )
    assert response.status_code == 422
    assert response.json()["error"]


@pytest.mark.parametrize("event_id", ["short", "x" * 65, "../../etc/passwd", "with space 1234"])
async def test_an_event_needs_a_proper_name(visitor: Visitors, event_id: str) -> None:
    assert (await visitor().send(UNKNOWN, event_id=event_id)).status_code == 422


async def test_too_many_messages_are_held_back_and_say_until_when(
    machine: Machine, visitor: Visitors
) -> None:
    someone = visitor()
    await someone.ask("你好")
    responses = [await someone.send("你好") for _ in range(PER_MINUTE)]
    assert [r.status_code for r in responses] == [200] * (PER_MINUTE - 1) + [429]
    assert 1 <= int(responses[-1].headers["retry-after"]) <= 60
    assert (await visitor("192.0.2.99").send("你好")).status_code == 200


async def test_without_scripts_a_form_leads_back_to_the_page(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    response = await someone.send(KNOWN, script=False)
    assert (response.status_code, response.headers["location"]) == (303, "/#newest")
    page = await someone.open()
    assert KNOWN in page.text
    assert "请尽快联系发证的登记站核对" in page.text
    fields = {name: hidden(page.text, name) for name in ("csrf", "action", "message_id")}
    tapped = await someone.client.post("/chat/messages", data={**fields, "event_id": new_id()})
    assert tapped.status_code == 303


def led_to(page: str) -> str:
    """What the message reads that stands behind the place where the page opens."""
    return page.split('id="newest"')[1].split("</article>")[0]


async def test_the_page_opens_at_the_beginning_of_what_came_last(
    machine: Machine, visitor: Visitors, now: datetime
) -> None:
    someone = visitor()
    assert 'id="newest"' not in (await someone.open()).text
    await someone.ask(UNKNOWN)
    await someone.ask(KNOWN)
    assert "请尽快联系发证的登记站核对" in led_to((await someone.open()).text)
    await someone.tap("没解决")
    page = (await someone.open()).text
    assert "DP-" in led_to(page)
    assert page.count('id="newest"') == 1
    async with machine.desk.store.transaction() as session:
        contact = (await session.scalars(select(Contact).where(Contact.channel == Channel.WEB))).one()
        later = now + timedelta(minutes=1)
        for text in ("答复到了。", "这次解决了吗？"):
            await web.write(session, contact.id, web.Op.APPEND, {"text": text}, now=later)
    assert "答复到了。" in led_to((await someone.open()).text)


async def test_who_asks_in_english_is_led_to_pages_in_english(visitor: Visitors) -> None:
    someone = visitor()
    (_, told) = await someone.ask("Where do I register?")
    assert PHONE in told["html"]
    for page, words in (
        ("/where", "Where do I register"), ("/calendar", "Election calendar"), ("/stations", "Stations"),
    ):  # fmt: skip
        assert f'href="{page}?lang=en"' in told["html"]
        opened = await visitor().client.get(f"{page}?lang=en")
        assert '<html lang="en"' in opened.text
        assert f"<h1>{words}</h1>" in opened.text


async def test_the_mailbox_gives_what_came_after(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    assert (await someone.client.get("/chat/mailbox")).json() == {"items": []}
    await someone.ask(KNOWN)
    numbers = []
    for after in (0, 1, 2, 2**31 - 1):
        response = await someone.client.get("/chat/mailbox", params={"after": after})
        numbers.append([item["seq"] for item in response.json()["items"]])
    assert numbers == [[1, 2], [2], [], []]
    assert (await visitor().client.get("/chat/mailbox")).json() == {"items": []}
    assert (await someone.client.get("/chat/mailbox?after=-1")).status_code == 404


async def test_the_page_shows_what_the_stream_would_have(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask(KNOWN)
    await someone.tap("没解决")
    page = await someone.open()
    last = hidden(page.text, "csrf") and page.text.split('data-last="')[1].split('"')[0]
    assert int(last) == max(item["seq"] for item in someone.seen)
    assert page.text.count("<article") == len({i["id"] for i in someone.seen if i["op"] != "toast"})


async def test_ending_clears_the_computer_and_keeps_what_is_owed(machine: Machine, visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask(UNKNOWN)
    response = await someone.client.post("/chat/end", data={"csrf": someone.csrf})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "one-window-visitor" not in someone.client.cookies
    assert await count(machine, MailboxItem) == 0
    assert await count(machine, Ticket) == 1
    assert UNKNOWN not in (await someone.open()).text


async def test_the_stream_needs_a_visitor(visitor: Visitors) -> None:
    assert (await visitor().client.get("/chat/stream")).status_code == 204


async def test_what_is_typed_and_what_is_answered_cannot_carry_markup(visitor: Visitors) -> None:
    someone = visitor()
    payload = "<script>alert(1)</script><img src=x onerror=alert(2)> 选民证丢了怎么办"
    items = await someone.ask(payload)
    page = await someone.open()
    for html in [*(item["html"] for item in items), page.text]:
        assert "<img src=x" not in html
        assert "<script>alert" not in html


async def test_english_around_the_answers(machine: Machine, visitor: Visitors, now: datetime) -> None:
    someone = visitor()
    await someone.open()
    response = await someone.client.post("/language", data={"csrf": someone.csrf, "lang": "en"})
    assert response.status_code == 303
    assert '<html lang="en"' in (await someone.open()).text
    await someone.ask(KNOWN)
    async with machine.desk.store.reading() as session:
        contact = (await session.scalars(select(Contact).where(Contact.channel == Channel.WEB))).one()
    assert (contact.language, contact.last_seen_at) == ("en", now)


async def test_an_empty_mailbox_is_kept_apart_after_thirty_days(
    machine: Machine, visitor: Visitors, now: datetime
) -> None:
    await visitor().ask(KNOWN)
    async with machine.desk.store.transaction() as session:
        await web.forget_old(session, now=now + timedelta(days=31))
    assert await count(machine, MailboxItem) == 0


async def test_who_is_forgotten_starts_afresh_and_the_page_goes_on(
    machine: Machine, visitor: Visitors
) -> None:
    someone = visitor()
    await someone.ask(KNOWN)
    async with machine.desk.store.transaction() as session:
        contact = (await session.scalars(select(Contact).where(Contact.channel == Channel.WEB))).one()
        contact.first_seen_at -= timedelta(hours=1)
    await someone.ask("删除")
    (told,) = [item for item in await someone.tap("确认删除") if item["op"] == "append"]
    assert "凭证号" in told["html"]
    page = await someone.open()
    assert page.text.count("<article") == 1
    # Numbers go on, so a page that stayed open shows what comes next.
    answered = await someone.ask(KNOWN)
    assert min(item["seq"] for item in answered) > told["seq"]
    assert await count(machine, Contact) == 3


async def test_large_print_asked_for_in_words_shows_on_the_page(visitor: Visitors) -> None:
    someone = visitor()
    await someone.ask("大字")
    assert 'data-text-size="large"' in (await someone.open()).text
