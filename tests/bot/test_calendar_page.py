"""The public calendar and its feed: every milestone, events that keep their name, and nothing to load."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from sqlalchemy import delete, select

from office.changes import Change
from office.store import Store
from tests.bot.conftest import Visitor
from tests.make import CALENDAR


@pytest.fixture
def client(visitor: Callable[[], Visitor]) -> httpx.AsyncClient:
    """Somebody who comes for the first time."""
    return visitor().client


async def changed(store: Store, number: int = 2, **content: object) -> None:
    async with store.transaction() as session:
        change = (await session.scalars(select(Change))).one()
        change.content, change.number = {**CALENDAR, **content}, number


async def feed(client: httpx.AsyncClient, query: str = "", **headers: str) -> httpx.Response:
    return await client.get(f"/calendar.ics{query}", headers=headers)


def events(response: httpx.Response) -> dict[str, Any]:
    """The events by their name, read back by a parser."""
    assert response.status_code == 200
    found = Calendar.from_ical(response.content)
    return {str(event["UID"]): event for event in found.walk("VEVENT")}


def of_kind(response: httpx.Response, kind: str) -> Any:
    return next(event for uid, event in events(response).items() if uid.startswith(f"{kind}-"))


async def test_the_page_shows_every_milestone_with_tense_advice_and_basis(client: httpx.AsyncClient) -> None:
    page = (await client.get("/calendar")).text
    for words in (
        "居民登记", "11月16日（周一）至12月5日（周六） 9:00–17:00", "进行中（还剩15天）",
        "最迟12月9日（周三）", "还有19天", "细则25", "还没登记的，请在截止前去登记站。", "停止行使决定送达",
        "上海市区和乡镇人民代表大会代表直接选举实施细则", "/calendar.ics", "0000-12345678",
    ):  # fmt: skip
        assert words in page, words
    assert "<script" not in page


async def test_without_a_calendar_nothing_is_invented(client: httpx.AsyncClient, store: Store) -> None:
    async with store.transaction() as session:
        await session.execute(delete(Change))
    assert "时间尚未公布" in (await client.get("/calendar")).text
    assert events(await feed(client)) == {}


async def test_events_last_all_day_and_name_their_law(client: httpx.AsyncClient) -> None:
    response = await feed(client)
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert 'filename="calendar.ics"' in response.headers["content-disposition"]
    window = of_kind(response, "registration")
    assert (window["DTSTART"].dt, window["DTEND"].dt) == (date(2026, 11, 16), date(2026, 12, 6))
    assert not isinstance(window["DTSTART"].dt, datetime)
    assert "居民登记" in window["SUMMARY"]
    posted = of_kind(response, "list_posted")
    assert "细则25" in posted["DESCRIPTION"]
    assert "最迟" in posted["DESCRIPTION"]
    assert (posted["SEQUENCE"], posted["TRANSP"]) == (1, "TRANSPARENT")
    assert not [uid for uid in events(response) if uid.startswith(("age_line", "registration_"))]


async def test_a_moved_day_keeps_its_name_and_counts_up(client: httpx.AsyncClient, store: Store) -> None:
    before = of_kind(await feed(client), "voting")
    await changed(store, day="2026-12-30")
    after = of_kind(await feed(client), "voting")
    assert before["UID"] == after["UID"]
    assert (before["DTSTART"].dt, after["DTSTART"].dt) == (date(2026, 12, 29), date(2026, 12, 30))
    assert after["SEQUENCE"] > before["SEQUENCE"]


async def test_windows_have_names_of_their_own(client: httpx.AsyncClient, store: Store) -> None:
    units = {"audience": "单位登记", "from": "2026-11-20", "to": "2026-12-05"}
    before = set(events(await feed(client)))
    await changed(store, windows=[units, *CALENDAR["windows"]])
    after = set(events(await feed(client)))
    assert before < after
    assert len(after - before) == 1
    assert all(uid.isascii() for uid in after)


async def test_the_feed_is_the_same_until_the_calendar_changes(
    client: httpx.AsyncClient, store: Store
) -> None:
    first = await feed(client)
    tag = first.headers["etag"]
    again = await feed(client, **{"if-none-match": f'W/{tag}, "other"'})
    assert (again.status_code, again.content) == (304, b"")
    await changed(store, day="2026-12-30")
    new = await feed(client, **{"if-none-match": tag})
    assert new.status_code == 200
    assert new.headers["etag"] != tag


async def test_the_feed_in_english(client: httpx.AsyncClient) -> None:
    response = await feed(client, "?lang=en")
    assert of_kind(response, "voting")["SUMMARY"] == "Voting"


async def test_the_title_of_a_latest_day_says_so(client: httpx.AsyncClient, store: Store) -> None:
    assert of_kind(await feed(client), "list_posted")["SUMMARY"] == "最迟选民名单公布"
    assert of_kind(await feed(client, "?lang=en"), "suits_close")["SUMMARY"] == "latest: Suits close"
    await changed(store, posted={"list_posted": "2026-12-08"})
    assert of_kind(await feed(client), "list_posted")["SUMMARY"] == "选民名单公布"


async def test_lines_are_folded_as_the_format_wants(client: httpx.AsyncClient) -> None:
    lines = (await feed(client)).content.split(b"\r\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) <= 75


async def test_each_lookup_window_is_a_row_and_an_event_of_its_own(
    client: httpx.AsyncClient, store: Store
) -> None:
    spans = [{"from": "2026-11-16", "to": "2026-12-01"}, {"from": "2026-12-10", "to": "2026-12-28"}]
    await changed(store, lookup=spans)
    page = (await client.get("/calendar")).text
    assert page.count("登记情况查询") >= 2
    assert "11月16日（周一）至12月1日（周二）" in page
    assert "可以用登记回执码查自己是否已登记" in page
    found = [event for uid, event in events(await feed(client)).items() if "lookup" in uid]
    assert [event["DTEND"].dt for event in found] == [date(2026, 12, 2), date(2026, 12, 29)]
    before = set(events(await feed(client)))
    await changed(store, number=3, lookup=[spans[0], {"from": "2026-12-12", "to": "2026-12-20"}])
    assert set(events(await feed(client))) == before
