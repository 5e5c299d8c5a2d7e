"""Whoever is in another time zone is told which time is meant; everybody else is spared it."""

from __future__ import annotations

import re
from typing import Any

from aiogram.methods import SendMessage
from aiogram.methods.base import TelegramMethod

from handlers.turn import Turn

_AWAY = re.compile(
    r"国外|海外|境外|外国|出国|留学|时差|时区|北京时间|当地时间"
    r"|(?:在|飞|去了?)(?:美国|加拿大|英国|德国|法国|意大利|西班牙|俄罗斯|日本|韩国|澳大利亚|澳洲|新西兰|新加坡|泰国|迪拜)"
    r"|(?:在|飞|去了?)(?:欧洲|非洲|北美|南美|纽约|洛杉矶|伦敦|巴黎|东京|悉尼|多伦多|温哥华)"
    r"|abroad|overseas|time ?zone|jet ?lag",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\d{1,2}月\d{1,2}日|\d{1,2}:\d{2}|\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
)


def away(words: str) -> bool:
    """Whether the words speak of another country or of time zones."""
    return _AWAY.search(words) is not None


def named(turn: Turn, reply: list[TelegramMethod[Any]]) -> list[TelegramMethod[Any]]:
    """The reply to somebody away: where it names a time, with the zone in which that counts."""
    timed = [
        place for place, one in enumerate(reply) if isinstance(one, SendMessage) and _TIME.search(one.text)
    ]
    if not timed:
        return reply
    last = reply[timed[-1]]
    assert isinstance(last, SendMessage)
    said = last.model_copy(update={"text": f"{last.text}\n{turn.words('zone.beijing')}"})
    return [*reply[: timed[-1]], said, *reply[timed[-1] + 1 :]]
