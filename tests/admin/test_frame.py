"""The menu: few entries that fit a phone, pages that belong together side by side, and what waits."""

from __future__ import annotations

from typing import Any

import pytest

from admin.frame import GROUPS, PLACES, Frame, ways
from office.staff import GRANTS, Permission, Role

MOST_ON_A_PHONE = 6


def seen(path: str, *permissions: Permission, **more: Any) -> list[dict[str, Any]]:
    around = Frame({}, "zh_CN", permissions=frozenset(permissions or Permission), **more)
    return ways(path, around, lambda key, **_: key)


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


def test_what_waits_is_counted_on_the_way_there() -> None:
    entry = next(entry for entry in seen("/admin", waiting=3) if entry["key"] == "rules")
    assert entry["count"] == 3
    assert [tab["count"] for tab in entry["tabs"] if tab["href"] == "/admin/changes"] == [3]
    quiet = next(entry for entry in seen("/admin") if entry["key"] == "rules")
    assert quiet["count"] is None
