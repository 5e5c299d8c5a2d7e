"""Refusals: a wording key and facts, nothing of HTTP or chat."""

from __future__ import annotations

import pytest

from office.errors import Conflict, DeskError, Invalid, NotFound, NotPermitted, TooMany
from office.words import say


@pytest.mark.parametrize("kind", [Conflict, Invalid, NotFound, NotPermitted, TooMany])
def test_a_refusal_names_its_wording_and_fills_it(kind: type[DeskError]) -> None:
    refusal = kind("password_short", least=10)
    assert isinstance(refusal, DeskError)
    assert (refusal.key, refusal.facts, str(refusal)) == ("password_short", {"least": 10}, "password_short")


@pytest.mark.parametrize(
    ("key", "facts"),
    [
        ("taken", {"who": "李*", "at": "10:02"}),
        ("stale_card", {}),
        ("rate_limited", {"until": "10:10"}),
        ("reopen_too_late", {}),
        ("merge_cycle", {}),
        ("entry_not_in_force", {}),
    ],
)
def test_refusals_of_the_rooms_have_words(key: str, facts: dict[str, str]) -> None:
    words = say(key, **facts)
    assert words
    assert "{" not in words
