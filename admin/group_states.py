"""How a group's health is shown: one word and one shape for each thing that ails it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from admin.pages import Desk
from office.group_health import DEAD, Health


def states(desk: Desk, health: Iterable[Health]) -> list[dict[str, Any]]:
    """Words and tones of the states, in their order; empty for a sound group."""
    return [
        {
            "words": desk.t(f"group_health.{one.value}"),
            "tone": "danger" if one in DEAD else "warn" if one is Health.SILENT else "info",
        }
        for one in health
    ]
