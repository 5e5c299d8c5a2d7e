"""The command menus of each kind of chat; what a command does is words away as well."""

from __future__ import annotations

from aiogram.types import BotCommand

from office.words import say

PRIVATE = (
    "start",
    "when",
    "where",
    "station",
    "status",
    "human",
    "mine",
    "big",
    "privacy",
    "forget",
    "help",
)
# A menu of one chat takes the place of everybody's, so it holds both.
STAFF = ("op", "k", "dan", "q", "duty", "swap", "template", "tip", "bind", "unbind")
GROUP = ("ask", "tip", "help")
GROUP_ADMINISTRATORS = (*GROUP, "bind", "unbind", "silent")
# Asked so that nobody else in the group sees it, where the channel knows how.
EPHEMERAL = frozenset({"ask"})


def commands(names: tuple[str, ...], lang: str, *, ephemeral: bool = False) -> list[BotCommand]:
    """The commands with their descriptions; `ephemeral` marks those that only the asker should see."""
    return [
        BotCommand(
            command=name,
            description=say(f"command.{name}", lang),
            is_ephemeral=True if ephemeral and name in EPHEMERAL else None,
        )
        for name in names
    ]
