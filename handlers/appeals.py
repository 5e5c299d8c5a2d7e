"""转人工·加急: an objection to the posted list goes to a person at once, while the law gives time for it."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery

from handlers import keyboards, owing
from handlers.callbacks import Op, Tap
from handlers.turn import Reply, Turn
from knowledge import calendar, elections
from knowledge.calendar import DateKind
from ticketing import ledgers, roll_cases, tickets
from ticketing.ledgers import Outcome as Ended
from ticketing.records import RollIssue, TicketKind

router = Router(name="appeals")


@router.callback_query(Tap.filter(F.op == Op.APPEAL))
async def urgent(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """A ticket of the statutory kind within the term; before and after it, what can be done instead."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    reply: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    dates, today = await elections.spans(turn.session, turn.now), calendar.today(turn.now)
    refused = roll_cases.instead(dates, today, turn.lang, phone=turn.district.phone)
    if refused is not None:
        return reply + turn.say(refused, keyboards.person_or_menu(turn.lang))
    if enquiry.ticket_id is not None:
        before = await tickets.get(turn.session, enquiry.ticket_id)
        if before.kind is TicketKind.APPEAL:
            return reply + await owing.owe(turn, enquiry)
    case = await roll_cases.open_case(
        turn.session, turn.contact, kind=TicketKind.APPEAL, issue=RollIssue.APPEAL, words=enquiry.words,
        result=None, receipt_digest=None, unit=turn.district, district=turn.district,
        channel=turn.contact.channel, actor=turn.actor, hours=turn.hours, now=turn.now,
        event_id=enquiry.event_id,
    )  # fmt: skip
    enquiry.ticket_id, enquiry.outcome, enquiry.pending_until = case.id, Ended.TICKETED, None
    if case.accepted_at != turn.now:
        return reply + owing.noted(turn, case, "appended")
    terms = [roll_cases.clock_words(case, today, turn.lang)]
    close, suits = dates[DateKind.APPEALS_CLOSE][0], dates.get(DateKind.SUITS_CLOSE)
    if suits is not None:
        days = (calendar.brief(one.last, turn.lang) for one in (close, suits[0]))
        terms.append(turn.words("appeal.terms", **dict(zip(("close", "suits"), days, strict=True))))
    return reply + owing.opened(turn, case, "ticket.appeal") + turn.say("\n".join(terms))
