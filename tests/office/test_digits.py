"""Folding: one spelling for every digit, dash and space, and the way back to where each stood."""

from __future__ import annotations

import pytest

from office.digits import digits, fold, fold_character


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("１３８", "138"),
        ("٣١٠", "310"),
        ("一三八", "138"),
        ("壹叁捌", "138"),
        ("〇零○", "000"),
        ("①②", "12"),
        ("—–－−", "----"),
        ("\u3000\u00a0\t", "   "),
        ("·•", ".."),
        ("1\u200b3\ufeff8", "138"),
        ("3️⃣1️⃣", "31"),
        ("ｘХχ×", "XXXX"),
        ("abc", "ABC"),
    ],
)
def test_every_spelling_folds_to_one(raw: str, folded: str) -> None:
    assert fold(raw).symbols == folded


def test_each_symbol_knows_where_it_stood_and_whether_it_was_spoken() -> None:
    found = fold("一\u200b3㍿")
    assert found.symbols[0] == "1"
    assert found.symbols[2] == "3"
    assert found.origins[:3] == [0, 2, 2]  # the seam stands where the written digit begins
    assert found.spoken[:3] == [True, False, False]
    assert len(found.symbols) == len(found.origins) == len(found.spoken)


def test_a_seam_separates_spoken_from_written_digits_only() -> None:
    assert digits(fold("周一138").symbols) == "1138"
    assert fold("周一138").symbols[1:3] == "1\x1f"
    assert "\x1f" not in fold("周一 138").symbols
    assert "\x1f" not in fold("138").symbols


def test_one_character_may_become_several_or_none() -> None:
    assert fold_character("㈠") == "(一)"
    assert fold_character("\u200b") == ""
    assert digits("a1-2 3") == "123"
