"""DingTalk's group robots: signed in the address, in milliseconds. Codes as of its "custom robot access"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from bot.channels.robots import MINUTE, Codes, RobotSession, Verdict, words
from office.robots import Credentials

TOKEN = "100003:dingtalk"
REFUSED = 310000
CODES = Codes(
    names=("errcode",),
    # More than twenty in a minute: the robot is silenced for about ten minutes.
    too_often=frozenset({130101, 302033, 410100}),
    wait=10 * MINUTE,
    # The token is none, the robot was taken out, the group was dissolved.
    gone=frozenset({300001, 300005, 400013, 400101, 400106}),
    halts={400102: "disabled", REFUSED: "signature"},
)
# What the refusal of our set-up says; anything else in it is about the signature.
REASONS = (("keyword", "keyword"), ("whitelist", "network"))


def sign(secret: str, milliseconds: int) -> str:
    """The signature before it is put into an address: the secret is the key and stands in the message too."""
    message = f"{milliseconds}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


class DingTalkSession(RobotSession):
    """Sends to DingTalk's robots."""

    codes = CODES

    def signed(
        self, credentials: Credentials, body: dict[str, Any], now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """`timestamp` and `sign` in the query, behind the bare address."""
        at = int(now.timestamp() * 1000)
        signature = quote_plus(sign(credentials.secret, at))
        return f"{credentials.address}&timestamp={at}&sign={signature}", body

    def judged(self, answer: Mapping[str, Any]) -> Verdict:
        """Which part of our set-up is refused stands in words only."""
        verdict = super().judged(answer)
        if verdict.code != REFUSED:
            return verdict
        said = words(answer, "errmsg")
        why = next((why for part, why in REASONS if part in said), verdict.halt)
        return replace(verdict, halt=why)
