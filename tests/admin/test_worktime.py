"""The pages of the working time: seen, proposed, signed by a second person, and counted by at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from office import changes, timetable, worktime
from office.changes import ChangeState
from office.hours import BEIJING, moment
from office.store import Store
from office.timetable import Timetable
from office.timetable_files import SHIPPED, shipped, written
from tests.admin.conftest import Browser, Clock
from tests.journeys.conversation import fill_town, open_town
from tests.make import Cast
from ticketing.records import Ticket

SATURDAY = date(2026, 11, 21)


def words(text: str) -> str:
    """The page as it is read: without tags, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def typed(page: str) -> dict[str, str]:
    """The fields of the form on the page, as a browser would send them."""
    form = page[page.index('action="/admin/hours/edit"') :]
    found = {
        name: unescape(value)
        for name, value in re.findall(
            r'<input class="input"[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form
        )
    }
    for name, inside in re.findall(
        r'<select class="input" name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        found[name] = re.findall(r'<option value="([^"]*)" selected', inside)[0]
    for name, text in re.findall(
        r'<textarea class="input"[^>]*? name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL
    ):
        found[name] = unescape(text)
    return found


async def editing(browser: Browser) -> dict[str, str]:
    """Open the form and give back what stands in it."""
    return typed((await browser.get("/admin/hours/edit")).text)


async def signed(store: Store, cast: Cast, now: datetime, table: Timetable, seen: int = 0) -> int:
    async with store.transaction() as session:
        change = await worktime.propose(session, table, basis="依据", seen=seen, actor=cast.li_qiang, now=now)
        await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
        return change.id


# --- looking ---


async def test_the_page_tells_week_holidays_source_and_the_days_ahead(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    shown = words((await browser.get("/admin/hours")).text)
    assert "现在上班，到11:30" in shown
    assert "现在用的是随程序提供的示例表" in shown
    assert shipped().years[2026].source in shown
    assert "10月1日至10月7日 国庆节 放假 不上班" in shown
    assert "10月10日 周六 国庆节调休上班 调休上班 同平日" in shown
    assert "11月20日 周五 今天 8:30–11:30 13:30–17:30" in shown
    assert "2027年没有放假调休表" in shown
    page = (await browser.get("/admin/hours")).text
    assert len(re.findall(r'<li class="day[ "]', page)) == 21
    assert page.count('aria-current="date"') == 1


async def test_a_signed_table_that_is_still_the_sample_is_warned_of(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    browser = await signed_in(cast.li_qiang)
    table = shipped()
    first = await signed(store, cast, clock(), replace(table, shifts={SATURDAY: ()}))
    shown = words((await browser.get("/admin/hours")).text)
    assert "2026年的表还是示例数据" in shown
    assert "2026" in words((await browser.get("/admin/health?view=gaps")).text).split("示例数据的年份")[1]
    real = {year: replace(given, source="国办发明电〔2025〕0号") for year, given in table.years.items()}
    await signed(store, cast, clock(), replace(table, years=real), seen=first)
    assert "还是示例数据" not in words((await browser.get("/admin/hours")).text)


async def test_any_week_can_be_looked_at(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    shown = words((await browser.get("/admin/hours?from=2026-09-28")).text)
    assert "10月1日 周四 不上班 国庆节（放假）" in shown
    assert "10月10日 周六 8:30–11:30 13:30–17:30 国庆节调休上班" in shown
    later = words((await browser.get("/admin/hours?from=2026-12-28")).text)
    assert "1月1日 周五 8:30–11:30 13:30–17:30 当年无放假表，按平日算" in later
    for odd in ("?from=soon", "?from=9999-12-30", "?from=0001-01-01", "?from=2026-02-30"):
        assert (await browser.get("/admin/hours" + odd)).status_code == 200


async def test_off_duty_the_page_says_when_somebody_is_there_again(
    cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    browser = await signed_in(cast.li_qiang)
    clock.now = moment(date(2026, 9, 30), timedelta(hours=18))
    assert "现在不上班，10月8日（周四）08:30上班" in words((await browser.get("/admin/hours")).text)


async def test_who_may_only_read_gets_no_controls(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.zhou_ning)
    page = (await browser.get("/admin/hours")).text
    assert "/admin/hours/edit" not in page
    assert "/admin/hours/import" not in page
    assert (await browser.get("/admin/hours/edit")).status_code == 403
    assert (await browser.post("/admin/hours/edit", {"then": "propose"})).status_code == 403


# --- years without a table ---


async def test_the_first_page_warns_in_the_last_quarter(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock, now: datetime
) -> None:
    browser = await signed_in(cast.li_qiang)
    assert "2027年没有放假调休表" in words((await browser.get("/admin")).text)
    clock.now = moment(date(2026, 9, 30), timedelta(hours=10))
    assert "放假调休表" not in words((await browser.get("/admin")).text)
    clock.now = now
    days = timetable.read(shipped().content() | {"years": {2026: {"source": "甲"}, 2027: {"source": "乙"}}})
    await signed(store, cast, now, days)
    assert "放假调休表" not in words((await browser.get("/admin")).text)


async def test_the_first_page_warns_when_a_promise_already_lies_in_such_a_year(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    """An office that closes for the rest of the year promises for the next one, whatever month it is."""
    clock.now = moment(date(2026, 9, 1), timedelta(hours=20))
    browser = await signed_in(cast.li_qiang)
    assert "放假调休表" not in words((await browser.get("/admin")).text)
    closed = {"from": "2026-09-02", "to": "2026-12-31", "kind": "rest", "name": "停办"}
    table = timetable.read(shipped().content() | {"years": {2026: {"source": "甲", "days": [closed]}}})
    await signed(store, cast, clock.now, table)
    assert "2027年没有放假调休表" in words((await browser.get("/admin")).text)


# --- the form ---


async def test_the_form_shows_what_holds_and_sends_it_back_the_same(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser)
    assert fields["week_monday"] == "8:30-11:30 13:30-17:30"
    assert (fields["row_2026_0_from"], fields["row_2026_0_to"]) == ("2026-10-01", "2026-10-07")
    assert fields["row_2026_1_kind"] == "make_up"
    again = await browser.post("/admin/hours/edit", fields | {"then": "preview"})
    assert "和现行的一样，没有要改的" in words(again.text)
    refused = await browser.post("/admin/hours/edit", fields | {"then": "propose", "basis": "依据"})
    assert refused.status_code == 422
    assert "和现行的工作时间一样" in words(refused.text)


async def test_more_rows_and_years_come_without_losing_anything(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser) | {"shifts": "周六 <b>", "week_sunday": "不会写"}
    longer = typed((await browser.post("/admin/hours/edit", fields | {"then": "more_2026"})).text)
    assert {name: longer[name] for name in fields} == fields
    assert "row_2026_7_from" in longer
    wider = typed((await browser.post("/admin/hours/edit", fields | {"then": "year_2027"})).text)
    assert wider["source_2027"] == ""
    assert wider["shifts"] == "周六 <b>"
    odd = await browser.post("/admin/hours/edit", fields | {"then": "year_99999"})
    assert odd.status_code == 422  # looked at, since nobody can wish for such a year


async def test_every_faulty_line_is_named_and_what_was_typed_stays(
    cast: Cast, signed_in: Callable[..., Any], store: Store
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser)
    fields |= {
        "week_monday": "9-11",
        "source_2026": "",
        "row_2026_1_from": "2026-10-03",
        "row_2026_3_from": "2026-10-20",
        "shifts": "2026-11-28 9:00-12:00\n2026-11-31 9:00-12:00\n2026-11-29\n2026-11-28 13:00-15:00",
        "basis": "办发〔2026〕3号",
        "then": "propose",
    }
    refused = await browser.post("/admin/hours/edit", fields)
    shown = words(refused.text)
    assert refused.status_code == 422
    for told in (
        "周一：时间读不懂：“9-11”。",
        "2026年：缺依据",
        "2026年第2行：2026-10-03已经写过",
        "2026年第4行：缺名称",  # the third row is blank
        "值班安排第2行：“2026-11-31”不是日期",
        "值班安排第3行：2026-11-29没有写时间",
        "值班安排第4行：2026-11-28已经写过",
    ):
        assert told in shown, told
    assert 'href="#row_2026_3_from"' in refused.text
    assert re.search(r'id="week_monday"[^>]*aria-invalid="true"', refused.text)
    kept = typed(refused.text)
    assert {name: kept[name] for name in fields if name != "then"} == {
        name: value for name, value in fields.items() if name != "then"
    }
    async with store.reading() as session:
        assert await worktime.history(session) == []


async def test_a_look_shows_the_change_day_by_day_and_proposes_nothing(
    cast: Cast, signed_in: Callable[..., Any], store: Store
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser)
    fields |= {
        "shifts": "2026-11-21：9:00 - 12:00、13:30至16:00\n2026-11-23 无",
        "week_friday": "8:30-11:30 13:30-17:00",
        "row_2026_2_from": "2026-12-29",
        "row_2026_2_kind": "work",
        "row_2026_2_name": "选举日",
        "row_2026_2_spans": "0:00-24:00",
        "then": "preview",
    }
    shown = words((await browser.post("/admin/hours/edit", fields)).text)
    assert "周五 8:30–11:30、13:30–17:30 8:30–11:30、13:30–17:00" in shown
    assert "2026-11-21 周六 不上班 9:00–12:00、13:30–16:00 值班" in shown
    assert "2026-11-23 周一 8:30–11:30、13:30–17:30 不上班 值班" in shown
    assert "2026-12-29 周二 8:30–11:30、13:30–17:30 0:00–24:00 选举日（另定时间）" in shown
    assert "逐日变化，今天起共3天" in shown
    async with store.reading() as session:
        assert await worktime.history(session) == []


# --- proposed, signed, counted by ---


async def test_a_second_person_signs_and_the_next_question_is_promised_by_the_new_hours(
    cast: Cast, signed_in: Callable[..., Any], store: Store, clock: Clock
) -> None:
    """Friday 16:50: without duty on Saturday Monday noon is promised, with it Saturday noon."""
    clock.now = moment(date(2026, 11, 20), timedelta(hours=16, minutes=50))
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    async with store.transaction() as session:
        await fill_town(session, cast, clock.now)
    town = open_town(store, cast, clock.now)

    async def promised(asker: int) -> datetime:
        await town.chat(asker).says("新楼盘还没有门牌号，登记表上的地址怎么填？")
        async with store.reading() as session:
            ticket = (await session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(1))).one()
        return ticket.promised_at.astimezone(BEIJING)

    assert await promised(5001) == datetime(2026, 11, 23, 12, tzinfo=BEIJING)
    fields = await editing(li_qiang) | {
        "shifts": "2026-11-21 9:00-12:00 13:30-16:00",
        "basis": "值班表第3号",
        "then": "propose",
    }
    sent = await li_qiang.post("/admin/hours/edit", fields)
    assert sent.status_code == 303
    address = sent.headers["location"].partition("?")[0]
    assert await promised(5002) == datetime(2026, 11, 23, 12, tzinfo=BEIJING)

    # Whoever signs sees the days it is about.
    number = address.rsplit("/", 1)[1]
    compared = words((await wang_fang.get(f"/admin/hours/changes/{number}")).text)
    assert "2026-11-21 周六 不上班 9:00–12:00、13:30–16:00 值班" in compared
    assert "有一份修改待签发" in words((await wang_fang.get("/admin/hours")).text)
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    assert await promised(5003) == datetime(2026, 11, 21, 12, tzinfo=BEIJING)

    # The table of the console's own pages has changed with it, and is undone as fast.
    assert "2026-11-21 周六" in words((await wang_fang.get("/admin/hours")).text)
    await wang_fang.get(address)
    await wang_fang.post(f"{address}/undo", {"sure": "1"})
    assert await promised(5004) == datetime(2026, 11, 23, 12, tzinfo=BEIJING)


async def test_a_change_signed_meanwhile_is_not_written_over(
    cast: Cast, signed_in: Callable[..., Any], store: Store, now: datetime
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser)
    roster = {SATURDAY: shipped().weekly[0]}
    await signed(store, cast, now, replace(shipped(), shifts=roster))
    fields |= {"week_friday": "9:00-12:00", "basis": "依据", "then": "propose"}
    refused = await browser.post("/admin/hours/edit", fields)
    assert refused.status_code == 409
    assert "工作时间已签发过新的修改" in words(refused.text)
    assert typed(refused.text)["week_friday"] == "9:00-12:00"


async def test_while_one_waits_no_other_is_proposed(
    cast: Cast, signed_in: Callable[..., Any], store: Store
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser) | {"week_friday": "9:00-12:00", "basis": "依据", "then": "propose"}
    assert (await browser.post("/admin/hours/edit", fields)).status_code == 303
    second = await browser.post("/admin/hours/edit", fields | {"week_friday": "10:00-12:00"})
    assert second.status_code == 409
    assert "已有一份待签的变更" in words(second.text)
    async with store.reading() as session:
        assert [change.state for change in await worktime.history(session)] == [ChangeState.PROPOSED]


async def test_a_change_of_another_kind_has_no_page_here(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    assert (await browser.get("/admin/hours/changes/77")).status_code == 404


# --- as a file ---


async def test_the_file_comes_out_and_goes_in_unchanged(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    exported = await browser.get("/admin/hours/export")
    assert exported.content == SHIPPED.read_bytes()
    assert exported.headers["content-disposition"].startswith('attachment; filename="hours.yaml"; filename*=')
    await browser.get("/admin/hours")
    file = {"file": ("hours.yaml", exported.content, "application/yaml")}
    taken = await browser.post("/admin/hours/import", files=file)
    assert taken.status_code == 200
    assert "已打开“hours.yaml”" in words(taken.text)
    assert "和现行的一样" in words(taken.text)
    # The form that shows the file proposes the same timetable that the file holds.
    changed = written(replace(shipped(), shifts={SATURDAY: shipped().weekly[0]}))
    file = {"file": ("hours.yaml", changed.encode(), "application/yaml")}
    taken = await browser.post("/admin/hours/import", files=file)
    assert "2026-11-21 周六 不上班 8:30–11:30、13:30–17:30 值班" in words(taken.text)
    browser.shown = taken.text
    sent = await browser.post("/admin/hours/edit", typed(taken.text) | {"basis": "依据", "then": "propose"})
    assert sent.status_code == 303


async def test_a_faulty_file_is_refused_line_by_line(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get("/admin/hours")
    text = SHIPPED.read_text(encoding="utf-8").replace("make_up, name", "make-up, name")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "make-up," in row)
    refused = await browser.post(
        "/admin/hours/import", files={"file": ("a.yaml", text.encode(), "text/yaml")}
    )
    assert refused.status_code == 422
    assert f"第{line}行：2026年第2行：“make-up”不是放假、调休上班或另定时间" in words(refused.text)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_every_page_has_words_in_either_language(
    cast: Cast, signed_in: Callable[..., Any], store: Store, language: str, now: datetime
) -> None:
    async with store.transaction() as session:
        person = await session.merge(cast.li_qiang)
        person.language = language
    number = await signed(store, cast, now, replace(shipped(), shifts={SATURDAY: ()}))
    browser = await signed_in(cast.li_qiang)
    for address in ("/admin/hours", "/admin/hours/edit", f"/admin/hours/changes/{number}"):
        shown = words((await browser.get(address)).text)
        assert ("Working time" in shown or "working time" in shown) is (language == "en"), address
