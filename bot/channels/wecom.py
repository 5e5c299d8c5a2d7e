"""WeCom's group robots: protected by their address alone. Codes as of path/91770 and path/90313 there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.channels.robots import Codes, RobotSession
from office.robots import Credentials

TOKEN = "100002:wecom"
CODES = Codes(
    names=("errcode",),
    # Too often by the minute, too many at once.
    too_often=frozenset({45009, 45033}),
    # The address is none, or the robot was taken out of its group.
    gone=frozenset({93000, 93008}),
    halts={93004: "disabled"},
)


class WeComSession(RobotSession):
    """Sends to WeCom's robots."""

    codes = CODES

    def signed(
        self, credentials: Credentials, body: dict[str, Any], now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """Nothing is signed."""
        return credentials.address, body
