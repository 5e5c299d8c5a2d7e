"""The menu: few entries that fit a phone, pages that belong together side by side, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from admin.frame import GROUPS, PLACES, Frame, ways
from office.staff import GRANTS, Permission, Role, Staff
from office.store import Store
from office.words import say
from tests.admin.conftest import Clock
from tests.make import Cast
from tests.ticketing import work
from ticketing import tickets

MOST_ON_A_PHONE = 6


def seen(path: str, *permissions: Permission, **more: Any) -> list[dict[str, Any]]:
    around = Frame({}, "zh_CN", permissions=frozenset(permissions or Permission), **more)
    return ways(path, around, lambda key, **_: ", " if key == "list.comma" else key)


def test_whoever_may_see_everything_has_six_entries_at_most() -> None:
    assert len(seen("/admin")) <= MOST_ON_A_PHONE


def test_every_page_of_a_group_is_a_page() -> None:
    keys = [key for _, key, _ in PLACES]
    assert len(keys) == len(set(keys))
    assert all(key in keys for group in GROUPS.values() for key in group)


@pytest.mark.parametrize(("href", "key"), [(href, key) for href, key, _ in PLACES])
def test_each_page_is_marked_in_the_menu_and_among_its_neighbours(href: str, key: str) -> None:
    for path in (href, f"{href}/7/edit") if href != "/admin" else (href, "/admin/tickets/7"):
        (entry,) = [entry for entry in seen(path) if entry["active"]]
        tabs = [tab["href"] for tab in entry["tabs"] if tab["active"]]
        assert tabs == [href] or (entry["href"] == href and not entry["tabs"])
        assert entry["key"] == next((name for name, keys in GROUPS.items() if key in keys), key)


def test_an_entry_leads_to_the_first_page_that_may_be_seen() -> None:
    (only,) = seen("/admin/calendar", Permission.SEE_RULES)
    assert only["href"] == "/admin/packs"
    assert len(only["tabs"]) == len(GROUPS["rules"])
    (single,) = seen("/admin/audit", Permission.SEE_AUDIT)
    assert (single["tabs"], single["label"]) == ([], "nav.audit")


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_first_page(role: Role) -> None:
    assert Frame({}, "zh_CN", permissions=GRANTS[role]).home in [href for href, _, _ in PLACES]


def test_a_number_says_what_it_counts() -> None:
    """待办 is a page of tickets: 3 beside it that are not tickets of it would be read as tickets."""
    waits = {"calls": 2, "glass": 1, "in_review": 1}
    entry = next(entry for entry in seen("/admin", **waits) if entry["key"] == "queue")
    assert entry["count"] == 4
    assert entry["counted"] == "nav.waits.review, nav.waits.call_backs, nav.waits.restricted"
    tabs = {tab["href"]: (tab["count"], tab["counted"]) for tab in entry["tabs"]}
    assert tabs["/admin/call-backs"] == (2, "nav.waits.call_backs")
    assert tabs["/admin/restricted"] == (1, "nav.waits.restricted")
    assert tabs["/admin"] == (None, "")


def test_every_number_of_the_menu_has_words() -> None:
    around = Frame(
        {}, "zh_CN", permissions=frozenset(Permission), waiting=1, due=2, weeks=3, glass=4, calls=5
    )
    words = {
        entry["key"]: entry["counted"]
        for entry in ways("/admin", around, lambda key, **facts: say(key, "zh_CN", **facts))
    }
    assert words["queue"] == "待回拨5、线下查看待复核4"
    assert words["rules"] == "变更待签1"
    assert words["entries"] == "口径待复审2"
    assert words["rolls"] == "查询待复核3周"


def test_what_waits_is_counted_on_the_way_there() -> None:
    entry = next(entry for entry in seen("/admin", waiting=3) if entry["key"] == "rules")
    assert entry["count"] == 3
    assert [tab["count"] for tab in entry["tabs"] if tab["href"] == "/admin/changes"] == [3]
    quiet = next(entry for entry in seen("/admin") if entry["key"] == "rules")
    assert quiet["count"] is None


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_a_reviewer_sees_on_every_page_that_an_answer_waits(
    store: Store, cast: Cast, clock: Clock, signed_in: Callable[[Staff], Any]
) -> None:
    """李强 hands an answer in; 王芳 may sign it, and what she wrote herself is for somebody else."""
    await work.proposed(store, cast, clock())
    wang = await signed_in(cast.wang_fang)
    for path in ("/admin/me", "/admin/macros"):
        assert '<small class="counted">待审核1</small>' in (await wang.get(path)).text
    assert "待审核1" not in (await (await signed_in(cast.li_qiang)).get("/admin/me")).text
    own = await work.proposed(store, cast, clock())
    async with store.transaction() as session:
        (await tickets.get(session, own.id)).author_id = cast.wang_fang.id
    assert '<small class="counted">待审核1</small>' in (await wang.get("/admin/me")).text
