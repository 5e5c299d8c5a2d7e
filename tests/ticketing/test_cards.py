"""What of a question may stand in a chat."""

from __future__ import annotations

from typing import Any

import pytest

from ticketing import cards
from ticketing.particulars import Secrecy
from ticketing.records import Ticket, TicketKind, TicketState


def ticket(words: str = "地址栏\n  空着可以吗？", **more: Any) -> Ticket:
    plain = {
        "kind": TicketKind.ENQUIRY, "secrecy": Secrecy.INTERNAL, "has_personal": False,
        "state": TicketState.UNASSIGNED,
    }  # fmt: skip
    return Ticket(words=words, **plain | more)


def test_beginning_of_a_question_stands_in_one_line() -> None:
    assert cards.excerpt(ticket(), 20) == "地址栏 空着可以吗？"
    assert cards.excerpt(ticket(), 5) == "地址栏 空…"


@pytest.mark.parametrize(
    "hidden",
    [
        {"kind": TicketKind.REPORT},
        {"secrecy": Secrecy.RESTRICTED},
        {"has_personal": True},
        {"state": TicketState.OFFLINE},
    ],
)
def test_what_is_confidential_or_may_be_shows_nothing(hidden: dict[str, Any]) -> None:
    assert cards.excerpt(ticket(**hidden), 20) == ""
