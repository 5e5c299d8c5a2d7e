"""How fast each channel may be sent to: the pace we keep, always below what its platform allows.

Each pace is a spacing with a tolerance (see `bot.pacing`): one message every `every` seconds, `burst` of them
at once after a rest. In any window of W seconds that is at most `burst + W / every`.

Sources, to be looked at again whenever a channel is touched:
Telegram: core.telegram.org/bots/faq, "My bot is hitting limits": about 30 messages a second over all chats,
one a second in a chat, 20 a minute in a group. What Telegram enforces is not published, so 429 rules.
WeCom: developer.work.weixin.qq.com/document/path/91770: 20 messages a minute for a robot.
DingTalk: open.dingtalk.com, custom robots: 20 messages a minute, above it about ten minutes of silence.
Feishu: open.feishu.cn, custom bots: 100 messages a minute and 5 a second; full and half hours are crowded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.pacing import Bucket
from office.contacts import Channel, Contact, ContactKind


@dataclass(frozen=True, slots=True)
class Pace:
    """One message every `every` seconds, `burst` at once after a rest."""

    every: float
    burst: int = 1


TELEGRAM_ALL = Pace(1 / 25)
# So answers find room beside any broadcast.
TELEGRAM_BROADCASTS = Pace(1 / 20)
TELEGRAM_CHAT = Pace(1.1)
TELEGRAM_GROUP = Pace(60 / 18, burst=2)
WECOM = Pace(60 / 18, burst=2)
DINGTALK = Pace(60 / 18, burst=2)
FEISHU_SECOND = Pace(1 / 4)
FEISHU_MINUTE = Pace(60 / 90, burst=10)
Paces = Mapping[Channel, tuple[Pace, ...]]

# A message may be on its way to a chat for so many seconds; meanwhile no other is sent there. Its arrival
# is what the platform counts, and when that was nobody knows before the answer.
UNDER_WAY = 15.0

# What holds for all of a channel, for its broadcasts, for each of its chats, and besides for each group. A
# group robot is a chat like any other.
ALL: Paces = {Channel.TELEGRAM: (TELEGRAM_ALL,)}
BROADCASTS: Paces = {Channel.TELEGRAM: (TELEGRAM_BROADCASTS,)}
CHAT: Paces = {
    Channel.TELEGRAM: (TELEGRAM_CHAT,),
    Channel.WECOM_ROBOT: (WECOM,),
    Channel.DINGTALK_ROBOT: (DINGTALK,),
    Channel.FEISHU_ROBOT: (FEISHU_SECOND, FEISHU_MINUTE),
}
GROUP: Paces = {Channel.TELEGRAM: (TELEGRAM_GROUP,)}


def buckets(contact: Contact, *, broadcast: bool) -> list[Bucket]:
    """What a message to this contact has to be let through by; none on the web, whose mailboxes are ours.

    Chats are named by the contact's row number: no address leaves the database.
    """
    found = whole(contact.channel)
    if broadcast:
        found += _named(BROADCASTS, contact.channel, "broadcasts")
    return found + chat(contact)


def chat(contact: Contact) -> list[Bucket]:
    """The buckets of one chat: they rest when the channel asks us to leave this chat alone."""
    found = _named(CHAT, contact.channel, f"chat:{contact.id}")
    if contact.kind is ContactKind.GROUP:
        found += _named(GROUP, contact.channel, f"group:{contact.id}")
    if found:
        found.append(Bucket(f"{contact.channel.value}:way:{contact.id}", UNDER_WAY, held=True))
    return found


def whole(channel: Channel) -> list[Bucket]:
    """The buckets of a whole channel; none where every place has limits of its own."""
    return _named(ALL, channel, "all")


def _named(table: Paces, channel: Channel, name: str) -> list[Bucket]:
    return [
        Bucket(f"{channel.value}:{name}:{number}", pace.every, pace.burst)
        for number, pace in enumerate(table.get(channel, ()))
    ]
