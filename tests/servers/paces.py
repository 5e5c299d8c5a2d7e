"""Looks through the books of a server double: was a window of any chat, robot or bot too full?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.servers.telegram_double import Books

FLIGHT = 0.05
"""Seconds that a request is on its way here at most; by so much two may come in nearer than they left."""
HEARD = 0.3
"""Seconds within which an answer has been read and written down."""


@dataclass(frozen=True, slots=True)
class Most:
    """At most `count` requests in any `seconds`."""

    count: int
    seconds: float

    def faster(self, times: float) -> Most:
        """The same limit on a clock that is so many times as fast."""
        return Most(self.count, self.seconds / times)

    def broken(self, moments: Iterable[float]) -> list[float]:
        """The windows that are too full, each by the seconds in which one more than allowed came in."""
        found = sorted(moments)
        spans = (late - early for early, late in zip(found, found[self.count :], strict=False))
        return [span for span in spans if span < self.seconds - FLIGHT]


# What the platforms publish: see `bot.channels.limits`, where our own pace stands, which is slower.
WHOLE_BOT = Most(30, 1)
PRIVATE = Most(1, 1)
GROUP = Most(20, 60)
WECOM = DINGTALK = Most(20, 60)
FEISHU = (Most(5, 1), Most(100, 60))


def breaches(
    books: Books, limits: Mapping[str, Sequence[Most]], *, whole: Most = WHOLE_BOT, times: float = 1
) -> list[str]:
    """What was too fast: of chats and robots by their own `limits`, and of Telegram's together.

    Every request counts, refused ones too. Who is not in `limits` is Telegram's, a group by its minus sign.
    """
    moments: dict[str, list[float]] = defaultdict(list)
    for request in books.requests:
        moments[request.chat].append(request.at)
    found = []
    for chat, taken in moments.items():
        for most in limits.get(chat, (GROUP, PRIVATE) if chat.startswith("-") else (PRIVATE,)):
            if spans := most.faster(times).broken(taken):
                found.append(f"{chat}: {most.count + 1} in {min(spans):.3f} s, {len(spans)} times")
    bots = [request.at for request in books.requests if request.chat not in limits]
    if spans := whole.faster(times).broken(bots):
        found.append(f"the bot: {whole.count + 1} in {min(spans):.3f} s, {len(spans)} times")
    return found


def hasty(books: Books, deaths: Sequence[float] = ()) -> list[str]:
    """What came to a chat before the time was over for which it had asked to be left alone.

    Whoever died within `HEARD` of being asked may not have heard of it.
    """
    found = []
    for rest in books.rests:
        if any(0 <= death - rest.at < HEARD for death in deaths):
            continue
        until = rest.at + rest.seconds
        for request in books.requests:
            if request.chat == rest.chat and rest.at + FLIGHT < request.at < until:
                found.append(f"{rest.chat}: {until - request.at:.3f} s too early")
    return found
