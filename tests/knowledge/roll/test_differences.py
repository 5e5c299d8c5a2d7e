"""What a package would end is told by its counts: receipts in people's hands, what the old key held."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.roll.differences import Differences, ending


def counts(receipts: int, **changes: Any) -> dict[str, int]:
    nothing = {"new": 0, "changed": 0, "gone": 0, "same": 0, "receipts_new": 0, "receipts_gone": 0}
    return {**Differences(**(nothing | changes)).counts(), "receipts": receipts}


@pytest.mark.parametrize(
    ("receipts", "changes", "told"),
    [
        (0, {}, []),
        (100, {"receipts_new": 100}, []),
        (90, {"receipts_gone": 10}, []),
        (89, {"receipts_gone": 11}, [("receipts_gone", 11)]),
        (100, {"receipts_new": 100, "receipts_gone": 3}, [("receipts_gone", 3)]),
        (0, {"receipts_gone": 3}, [("receipts_gone", 3)]),
        (0, {"other_key": 1}, [("other_key", 0)]),
        (0, {"other_key": 1, "protected": 4, "stopped": 2},
         [("other_key", 0), ("protected", 4), ("stopped", 2)]),
    ],
)  # fmt: skip
def test_what_ends_is_told(receipts: int, changes: dict[str, int], told: list[tuple[str, int]]) -> None:
    assert ending(counts(receipts, **changes)) == told


def test_counts_kept_before_receipts_were_compared_say_nothing() -> None:
    assert ending({"persons": 4, "receipts": 4}) == []
