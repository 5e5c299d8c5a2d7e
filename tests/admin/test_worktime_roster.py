"""A duty shift entered for a day of a published roster: the pages that compare say that it has no effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from office import changes, worktime
from office.store import Store
from office.timetable import Span
from office.timetable_files import shipped
from tests.admin.conftest import Clock
from tests.admin.test_worktime import editing, signed, words
from tests.make import Cast
from tests.ticketing.shifts import shift

SATURDAY, SUNDAY = date(2026, 11, 21), date(2026, 11, 22)
NO_EFFECT = "这里写的值班时间在值班表修改以前不起作用"
ROSTERED = f"2026-11-21 周六：已发布的值班表（9:00–11:30、13:30–16:00）说了算，{NO_EFFECT}。"


async def a_roster(store: Store, cast: Cast) -> None:
    """李强 in the morning of the Saturday, 王芳 in its afternoon."""
    await shift(store, cast, SATURDAY, "09:00-11:30")
    await shift(store, cast, SATURDAY, "13:30-16:00", cast.wang_fang)


async def test_whoever_enters_a_shift_and_whoever_signs_it_read_that_the_roster_holds(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    await a_roster(store, cast)
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    fields = await editing(li_qiang) | {"shifts": "2026-11-21 8:00-20:00\n2026-11-22 9:00-12:00"}
    looked = words((await li_qiang.post("/admin/hours/edit", fields | {"then": "preview"})).text)
    assert ROSTERED in looked
    assert "2026-11-22 周日：已发布" not in looked

    sent = await li_qiang.post("/admin/hours/edit", fields | {"basis": "值班通知", "then": "propose"})
    address = sent.headers["location"].partition("?")[0]
    number = address.rsplit("/", 1)[1]
    for page in (address, f"/admin/hours/changes/{number}"):
        told = words((await wang_fang.get(page)).text)
        assert ROSTERED in told, page

    # Nothing else has changed: the roster still holds, and beside it the day that it does not name.
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    async with store.reading() as session:
        hours = await worktime.hours(session, now=clock())
    assert [str(span) for span in hours.spans_on(SATURDAY)] == ["9:00–11:30", "13:30–16:00"]
    assert [str(span) for span in hours.spans_on(SUNDAY)] == ["9:00–12:00"]


async def test_a_shift_taken_back_on_such_a_day_changes_nothing_either(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    await signed(store, cast, clock(), replace(shipped(), shifts={SATURDAY: (Span.parse("8:00-20:00"),)}))
    await a_roster(store, cast)
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser) | {"shifts": "", "then": "preview"}
    assert ROSTERED in words((await browser.post("/admin/hours/edit", fields)).text)


async def test_without_a_roster_or_without_a_change_of_its_days_nothing_is_said(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser) | {"shifts": "2026-11-21 8:00-20:00", "then": "preview"}
    assert NO_EFFECT not in words((await browser.post("/admin/hours/edit", fields)).text)
    await a_roster(store, cast)
    fields |= {"shifts": "2026-11-22 9:00-12:00"}
    assert NO_EFFECT not in words((await browser.post("/admin/hours/edit", fields)).text)


async def test_a_street_s_own_roster_gives_the_office_no_hours_and_is_not_named(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    await shift(store, cast, SATURDAY, "09:00-11:30", unit=cast.riverside)
    browser = await signed_in(cast.li_qiang)
    fields = await editing(browser) | {"shifts": "2026-11-21 8:00-20:00", "then": "preview"}
    assert NO_EFFECT not in words((await browser.post("/admin/hours/edit", fields)).text)


async def test_a_change_that_was_undone_is_not_said_to_be_without_effect(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    table = replace(shipped(), shifts={SATURDAY: (Span.parse("8:00-20:00"),)})
    number = await signed(store, cast, clock(), table)
    await a_roster(store, cast)
    browser = await signed_in(cast.wang_fang)
    address = f"/admin/hours/changes/{number}"
    assert NO_EFFECT in words((await browser.get(address)).text)
    async with store.transaction() as session:
        found = await changes.get(session, number)
        await changes.undo(session, found, actor=cast.wang_fang, now=clock())
    assert NO_EFFECT not in words((await browser.get(address)).text)
