"""What a reply without a conclusion may say: how it stands, and no more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from knowledge import conflicts
from knowledge.figures import SPANS, Figure, FigureKind, plain, read, weekdays
from knowledge.moods import Mood, statements
from office.hours import BEIJING, beijing_day
from ticketing.records import Ticket

_VERDICTS = (Mood.CAN, Mood.CANNOT, Mood.MUST, Mood.NEED_NOT)
# Said of our own work and to calm somebody; these decide nothing.
_HARMLESS = re.compile(
    "(?:不要|不用|不必|无需|无须)(?:着急|担心|担忧|再打|重复|客气)"
    "|(?:不能|无法|没法|没办法)(?:马上|立即|立刻|现在)?(?:答复|确定|回答|判断|给出|告诉)(?:您|你)?"
    "|可以?(?:随时)?(?:拨打|致电|来电|打电话|打)"
)
_DAYS = "一二三四五六日"
_AHEAD = re.compile("明天|明日|后天|大后天|下周|下个?月|本周内|月底")


def concludes(text: str, ticket: Ticket, phones: Sequence[str]) -> bool:
    """Whether a reply states a day, an hour, an amount, an article, a stranger's phone, or what may be done.

    The ticket's own number, the time promised for its answer and the phones that units publish are no
    conclusion. A question states nothing of what may be done, but its figures count.
    """
    words = plain(text).replace(plain(ticket.ticket_no), "")
    allowed = read("\n".join([_promise(ticket.promised_at), *(f"电话{phone}" for phone in phones)]))
    if any(
        _tells(figure) and not any(conflicts.same(figure, one) for one in allowed) for figure in read(words)
    ):
        return True
    promised = ticket.promised_at.astimezone(BEIJING)
    if weekdays(words) - {_DAYS[promised.weekday()]} or _AHEAD.search(words):
        return True
    return any(said.mood in _VERDICTS for said in statements(_HARMLESS.sub("", words)))


def _tells(figure: Figure) -> bool:
    # 一位同事 counts nobody; 一天 is a span all the same.
    return (
        not figure.weak
        or bool(figure.bound)
        or figure.kind is not FigureKind.NUMBER
        or (figure.unit in SPANS)
    )


def _promise(promised: datetime) -> str:
    day = beijing_day(promised)
    return f"{day.year}年{day.month}月{day.day}日 {promised.astimezone(BEIJING):%H:%M}"
