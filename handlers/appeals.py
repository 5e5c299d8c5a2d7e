"""转人工·加急: an objection to the posted list goes to a person at once, while the law gives time for it."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery

from handlers import asking, keyboards
from handlers.callbacks import Op, Tap
from handlers.turn import Reply, Turn
from knowledge import calendar, elections
from knowledge.calendar import DateKind, Dates, Tense
from ticketing import ledgers
from ticketing.records import TicketKind, UnansweredReason

router = Router(name="appeals")

GROUP = "登记组"


@router.callback_query(Tap.filter(F.op == Op.APPEAL))
async def urgent(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """A ticket of the statutory kind within the term; before and after it, what can be done instead."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    dates = await elections.spans(turn.session, turn.now)
    if (refused := instead(turn, dates)) is not None:
        return reply + turn.say(refused, keyboards.person_or_menu(turn.lang))
    owed = await asking.owe(
        turn, enquiry, key="ticket.appeal", asked_for_person=True, kind=TicketKind.APPEAL,
        why=UnansweredReason.NEEDS_DATA, urgent=True, group=GROUP,
    )  # fmt: skip
    close, suits = dates[DateKind.APPEALS_CLOSE][0], dates.get(DateKind.SUITS_CLOSE)
    if suits is None:
        return reply + owed
    terms = turn.words(
        "appeal.terms",
        close=calendar.brief(close.last, turn.lang),
        suits=calendar.brief(suits[0].last, turn.lang),
    )
    return reply + owed + turn.say(terms)


def instead(turn: Turn, dates: Dates) -> str | None:
    """What is said where the term is not open; None while it is."""
    today = calendar.today(turn.now)
    if DateKind.APPEALS_CLOSE not in dates:
        return turn.words("appeal.unknown")
    appeals, posted = dates[DateKind.APPEALS_CLOSE][0], dates[DateKind.LIST_POSTED][0]
    match calendar.tense_of(appeals, today):
        case Tense.BEFORE:
            return turn.words("appeal.not_yet", posted=calendar.worded(posted, today, turn.lang))
        case Tense.OVER:
            close = calendar.brief(appeals.last, turn.lang)
            mended = appeals.remedy
            if mended is None or mended.last < today:
                return turn.words("appeal.all_over", close=close)
            amended = calendar.brief(mended.last, turn.lang)
            if calendar.label(mended) != calendar.label(mended.kind):
                # A region where only some may still be added says whom it means.
                what = calendar.label(mended, turn.lang)
                return turn.words("appeal.over_but", close=close, what=what, amended=amended)
            return turn.words("appeal.over", close=close, amended=amended)
    return None
