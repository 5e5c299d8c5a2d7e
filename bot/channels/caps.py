"""What each channel can do: buttons, edits, how long a text may be, whether a voter's data may be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.channels import written
from bot.channels.spans import Lines
from bot.channels.written import Written
from office.contacts import Channel


@dataclass(frozen=True, slots=True)
class Caps:
    """The capabilities of one channel.

    `write` makes what is sent of lines, with its size and limit in the unit of the platform. `inline`:
    buttons that can be tapped; else they become links. `home` is the public address of the web chat, where
    somebody gets on whose button has no address of its own; empty where there is none.
    """

    channel: Channel
    write: Callable[[Lines], Written]
    inline: bool = False
    edits: bool = False
    venue: bool = False
    inbound: bool = False
    domestic: bool = True
    pii_ok: bool = False
    home: str = ""


CAPS: Mapping[Channel, Caps] = {
    caps.channel: caps
    for caps in (
        Caps(
            Channel.TELEGRAM, written.telegram, inline=True, edits=True, venue=True, inbound=True,
            domestic=False,
        ),
        Caps(Channel.WEB, written.telegram, inline=True, edits=True, venue=True, inbound=True),
        Caps(Channel.WECOM_ROBOT, written.wecom),
        Caps(Channel.DINGTALK_ROBOT, written.dingtalk),
        Caps(Channel.FEISHU_ROBOT, written.feishu),
    )
}  # fmt: skip
