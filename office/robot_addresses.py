"""Addresses of group robots: which ones there can be at all, and what of one may be shown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from office.contacts import Channel
from office.errors import Invalid

_HEX = "[0-9A-Fa-f]"
_UUID = "-".join(f"{_HEX}{{{length}}}" for length in (8, 4, 4, 4, 12))
# As each platform hands them out, to the last character: a request goes nowhere else, whatever was typed, and
# what was copied in part is seen before anything is sent. The platforms publish host, path and parameter
# (WeCom path/91770, DingTalk "custom robot access", Feishu "Custom bot usage guide"); that WeCom and Feishu
# give a UUID and DingTalk 64 hexadecimal digits is what they hand out.
PATTERNS: Mapping[Channel, re.Pattern[str]] = {
    Channel.WECOM_ROBOT: re.compile(rf"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key={_UUID}"),
    Channel.DINGTALK_ROBOT: re.compile(rf"https://oapi\.dingtalk\.com/robot/send\?access_token={_HEX}{{64}}"),
    Channel.FEISHU_ROBOT: re.compile(rf"https://open\.feishu\.cn/open-apis/bot/v2/hook/{_UUID}"),
}
ROBOTS = tuple(PATTERNS)
# These two sign what they are sent; the third is protected by its address alone.
SIGNING = frozenset({Channel.DINGTALK_ROBOT, Channel.FEISHU_ROBOT})
_SECRET = re.compile(r"[!-~]{8,128}")
HINT = 4


def checked(channel: Channel, typed: str) -> str:
    """The bare address of a robot; raises `Invalid("robot.address.…")` for any other host, path or query."""
    pattern = PATTERNS.get(channel)
    if pattern is None:
        raise Invalid("robot.channel")
    address = typed.strip()
    if pattern.fullmatch(address) is None:
        raise Invalid(f"robot.address.{channel.value}")
    return address


def checked_secret(channel: Channel, typed: str) -> str:
    """The secret that requests are signed with; empty where the platform knows none.

    Raises `Invalid("robot.secret")`: without one anybody who learns the address could speak in our name.
    """
    if channel not in SIGNING:
        return ""
    secret = typed.strip()
    if _SECRET.fullmatch(secret) is None:
        raise Invalid("robot.secret")
    return secret


def digest(address: str) -> str:
    """What the robot's contact has in place of the address."""
    return hashlib.sha256(address.encode()).hexdigest()


def hint(address: str) -> str:
    """The last characters, by which people tell two robots apart."""
    return address[-HINT:]
