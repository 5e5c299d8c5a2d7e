"""One bot per platform of group robots; each with a made-up token, by whose number they are told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.enums import ParseMode

from bot.channels import dingtalk, feishu, wecom
from bot.channels.caps import CAPS
from bot.channels.robots import RobotSession
from office.contacts import Channel
from office.seal import Sealer
from office.store import Store

PLATFORMS: Mapping[Channel, tuple[str, type[RobotSession]]] = {
    Channel.WECOM_ROBOT: (wecom.TOKEN, wecom.WeComSession),
    Channel.DINGTALK_ROBOT: (dingtalk.TOKEN, dingtalk.DingTalkSession),
    Channel.FEISHU_ROBOT: (feishu.TOKEN, feishu.FeishuSession),
}


def make_bots(
    store: Store, sealer: Sealer, clock: Callable[[], datetime], *, home: str = "", base: str = ""
) -> dict[Channel, Bot]:
    """The bots of all three platforms; `home` as in `Caps`, `base` as in `RobotSession`."""
    default = DefaultBotProperties(parse_mode=ParseMode.HTML)
    return {
        channel: Bot(
            token,
            session=kind(replace(CAPS[channel], home=home), store, sealer, clock, base=base),
            default=default,
        )
        for channel, (token, kind) in PLATFORMS.items()
    }
