"""Feishu's group robots: signed in the body, in seconds. Codes as of its "Custom bot usage guide"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from bot.channels.robots import Codes, RobotSession
from office.robots import Credentials

TOKEN = "100004:feishu"
CODES = Codes(
    # The second is that of an older form.
    names=("code", "StatusCode"),
    # The robot's own limit, and the gateway's.
    too_often=frozenset({11232, 99991400}),
    gone=frozenset({19001}),
    halts={19021: "signature", 19022: "network", 19024: "keyword"},
)


def sign(secret: str, seconds: int) -> str:
    """The signature: time and secret together are the key, and the message is empty."""
    key = f"{seconds}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


class FeishuSession(RobotSession):
    """Sends to Feishu's robots."""

    codes = CODES

    def signed(
        self, credentials: Credentials, body: dict[str, Any], now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """`timestamp` and `sign` in the body."""
        at = int(now.timestamp())
        return credentials.address, {"timestamp": str(at), "sign": sign(credentials.secret, at), **body}
