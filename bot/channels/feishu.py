"""Feishu's group robots: signed in the body, in seconds. Codes as of its "Custom bot usage guide"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.channels.robots import MINUTE, RobotSession, Verdict, number
from office.robots import Credentials

TOKEN = "100004:feishu"
# The robot's own limit, and the gateway's.
TOO_OFTEN = frozenset({11232, 99991400})
GONE = frozenset({19001})
REFUSED = {19021: "signature", 19022: "network", 19024: "keyword"}


def sign(secret: str, seconds: int) -> str:
    """The signature: time and secret together are the key, and the message is empty."""
    key = f"{seconds}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


class FeishuSession(RobotSession):
    """Sends to Feishu's robots."""

    def signed(
        self, credentials: Credentials, body: dict[str, Any], now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """`timestamp` and `sign` in the body."""
        at = int(now.timestamp())
        return credentials.address, {"timestamp": str(at), "sign": sign(credentials.secret, at), **body}

    def judged(self, answer: Mapping[str, Any]) -> Verdict:
        """`code` 0 is success; an older form of it is called `StatusCode`."""
        code = number(answer, "code")
        if code is None:
            code = number(answer, "StatusCode")
        if code is None:
            return Verdict(-1)
        return Verdict(
            code,
            sent=code == 0,
            wait=MINUTE if code in TOO_OFTEN else None,
            gone=code in GONE,
            halt=REFUSED.get(code, ""),
        )
