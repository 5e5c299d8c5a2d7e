"""WeCom's group robots: protected by their address alone. Codes as of path/91770 and path/90313 there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.channels.robots import MINUTE, RobotSession, Verdict, number
from office.robots import Credentials

TOKEN = "100002:wecom"
# Too often by the minute, too many at once.
TOO_OFTEN = frozenset({45009, 45033})
# The address is none, or the robot was taken out of its group.
GONE = frozenset({93000, 93008})
DISABLED = 93004


class WeComSession(RobotSession):
    """Sends to WeCom's robots."""

    def signed(
        self, credentials: Credentials, body: dict[str, Any], now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """Nothing is signed."""
        return credentials.address, body

    def judged(self, answer: Mapping[str, Any]) -> Verdict:
        """`errcode` 0 is success."""
        code = number(answer, "errcode")
        if code is None:
            return Verdict(-1)
        return Verdict(
            code,
            sent=code == 0,
            wait=MINUTE if code in TOO_OFTEN else None,
            gone=code in GONE,
            halt="disabled" if code == DISABLED else "",
        )
