"""A place of another district: whom to ask there, and handing the question over where the asker wishes it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from aiogram import F, Router
from aiogram.filters import Filter, StateFilter
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from handlers import asking, keyboards
from handlers.callbacks import Op, Tap, tap
from handlers.plain_words import meaning
from handlers.station_talk import StationTalk
from handlers.turn import Reply, Turn
from knowledge import rules
from knowledge.gate import gate
from knowledge.rules import RegionContact
from knowledge.text import split_questions
from ticketing import ledgers
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import TicketKind, UnansweredReason

router = Router(name="neighbours")

LONGEST = 80
TOPIC = "contact"
PHONE, HAND_OVER = "phone", "hand"
# What decides where one registers is for the wizard to ask, whatever district it lies in.
_CASE = re.compile(
    r"户口|户籍|单位|公司|工作|上班|退休|离休|学校|学生|读书|上学|大学|集体户|迁|搬|动迁|以前|原来|原先|曾经"
)
_OWN = r"(?:我(?:们)?(?:家|小区|一家|现在|目前|人|本人|自己|就|这边|这里)*|本人|阿拉|住|家(?:就)?)"
_IN = "(?:都|一直|目前|现在|也|就)?(?:住|在|是|属于|归|住在|位于)+(?:隔壁|旁边|邻近|对面)?的?"
_BEFORE = re.compile(f"{_OWN}{_IN}$|^(?:现在|目前|人)?住在?(?:隔壁|旁边)?的?$")
# Somebody else's station, whoever asks for it: 西岸区的登记站在哪里, 西岸区滨江路在哪登记.
_STATION = re.compile(
    r"登记[站点处]|投票[站点所]|(?:哪|什么地方|啥地方).{0,4}(?:登记|投票)|(?:登记|投票).{0,4}(?:哪|什么地方|啥地方)"
)
_ASKING = re.compile(r"^(?:请问|想问(?:一下)?|问一下|您好|你好|那)?[,，]?$")
_BORDER = re.compile(r"交界|边界|分界|边上|边缘|接壤|两区|两个区|跨区|哪个区|哪一个区|归哪|属于哪|还是")
# 张江区, but not 小区, 选区, 哪个区: words that end so and name no district.
_DISTRICT = re.compile(
    r"(?P<name>[\u4e00-\u9fff]{2,3}区)(?=$|[^\u4e00-\u9fff]|的|这|那|居|人|选|登|怎|应|该|要|能|可|想|请|去|哪|在)"
)
_NO_DISTRICT = re.compile(
    r"(?:小|社|学|选|城|郊|地|校|园|辖|街|片|老|山|新|厂|本|外|别的|其他|其它|哪个|那个|这个|隔壁|旁边|同|一个|两个|住宅|"
    r"开发|示范|自贸|功能|保税|行政|生活|投票|登记|居民|市|县|我们|你们|咱们|大|内|景|库|军|营)区$"
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A place of another district that somebody calls their own. `contact` is its office, where we know it;
    at the border of two districts it is for people to find out which one."""

    name: str
    contact: RegionContact | None
    border: bool = False


def elsewhere(words: str, contacts: Sequence[RegionContact], own: str) -> Elsewhere | None:
    """The other district in which the words place their asker; `own` is the name of ours.

    None for words that name it otherwise: as the place of a household, of work, of an earlier time.
    """
    text = unicodedata.normalize("NFKC", words).strip()
    if not text or len(text) > LONGEST or _CASE.search(text):
        return None
    ours = own.removesuffix("区") in text
    for contact in contacts:
        for said in sorted((contact.name, *_spoken(contact)), key=len, reverse=True):
            at = text.find(said)
            if at < 0:
                continue
            if _BORDER.search(text):
                return Elsewhere(contact.name, contact, border=True)
            named = said == contact.name and _ASKING.search(text[:at]) and _STATION.search(text)
            meant = (named or _BEFORE.search(text[:at])) and not ours
            return Elsewhere(contact.name, contact) if meant else None
    return None if ours else _unheard_of(text)


def _spoken(contact: RegionContact) -> tuple[str, ...]:
    return tuple(said for said in contact.says if not said.rstrip("-").isdigit())


def _unheard_of(text: str) -> Elsewhere | None:
    for found in _DISTRICT.finditer(text):
        for name in (found["name"], found["name"][1:]):
            at = found.end("name") - len(name)
            named = len(name) > 2 and "哪" not in name and not _NO_DISTRICT.search(name)
            if named and _BEFORE.search(text[:at]):
                return Elsewhere(name, None)
    return None


class NamesAnotherDistrict(Filter):
    """Passes words that place their asker in another district."""

    async def __call__(self, message: Message, turn: Turn) -> bool | dict[str, Any]:
        words = (message.text or "").strip()
        if meaning(words) is not None or len(words) > LONGEST or len(split_questions(words)) > 1:
            return False
        found = elsewhere(words, await rules.contacts(turn.session, turn.now), turn.district.name)
        return {"found": found} if found is not None and gate(words) is None else False


@router.message(StateFilter(None, StationTalk.going), F.text, ~F.text.startswith("/"), NamesAnotherDistrict())
async def placed_elsewhere(message: Message, turn: Turn, found: Elsewhere) -> Reply:
    """Another district's business: its office, and the offer to hand the question over."""
    enquiry = await ledgers.record(
        turn.session, turn.contact, message.text or "", outcome=None, now=turn.now, topic=TOPIC,
        event_id=turn.event_id,
    )  # fmt: skip
    if found.border:
        said = turn.words("neighbour.border", place=escape(found.name), district=turn.district.name)
        return turn.say(said) + await _hand_over(turn, enquiry, "neighbour.border_ticket")
    return _referred(turn, found, enquiry)


async def of_code(turn: Turn, code: str) -> Reply:
    """What is said to a code of another district: its office. Nothing for a code that nobody claims.

    A contact claims group numbers by the beginning that stands among its words: `31-` for 31-02.
    """
    for contact in await rules.contacts(turn.session, turn.now):
        if any(said.endswith("-") and code.startswith(said) for said in contact.says):
            return turn.say(_office(turn, Elsewhere(contact.name, contact)), keyboards.menu(turn.lang))
    return []


@router.callback_query(Tap.filter(F.op == Op.REFER))
async def referred(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """只要电话, or 转过去: the only way in which a question leaves for another office."""
    enquiry = await ledgers.of_contact(turn.session, callback_data.row, turn.contact)
    if callback_data.arg not in (PHONE, HAND_OVER):
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    if enquiry.ticket_id is not None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("already_noted"))]
    done: Reply = [AnswerCallbackQuery(callback_query_id=query.id)]
    if callback_data.arg == HAND_OVER:
        return done + await _hand_over(turn, enquiry, "neighbour.handed")
    enquiry.outcome = Outcome.AUTO
    contacts = await rules.contacts(turn.session, turn.now)
    found = elsewhere(enquiry.words, contacts, turn.district.name)
    if found is None:
        return [AnswerCallbackQuery(callback_query_id=query.id, text=turn.words("expired_button"))]
    known = found.contact.phone if found.contact else ""
    key = "neighbour.phone" if known else "neighbour.no_phone"
    said = turn.words(key, place=escape(found.name), number=escape(known or turn.district.phone))
    return done + turn.say(said, keyboards.person_or_menu(turn.lang))


def _referred(turn: Turn, found: Elsewhere, enquiry: Enquiry) -> Reply:
    text = f"{_office(turn, found)}\n{turn.words('neighbour.ask')}"
    return turn.say(text, _offer(turn, enquiry))


def _office(turn: Turn, found: Elsewhere) -> str:
    place, district = escape(found.name), turn.district.name
    contact = found.contact
    if contact is None or not contact.phone:
        return turn.words("neighbour.unknown", place=place, district=district)
    lines = [
        turn.words("neighbour.not_ours", place=place, district=district),
        turn.words(
            "neighbour.office", office=escape(contact.office or contact.name), number=escape(contact.phone)
        ),
    ]
    if contact.hours:
        lines.append(turn.words("neighbour.hours", hours=escape(contact.hours)))
    if contact.address:
        lines.append(turn.words("neighbour.address", address=escape(contact.address)))
    return "\n".join(lines)


def _offer(turn: Turn, enquiry: Enquiry) -> InlineKeyboardMarkup:
    phone = keyboards.button(turn.words("neighbour.only_phone"), tap(Op.REFER, enquiry.id, arg=PHONE))
    hand = keyboards.button(turn.words("neighbour.hand_over"), tap(Op.REFER, enquiry.id, arg=HAND_OVER))
    return keyboards.rows([phone, hand])


async def _hand_over(turn: Turn, enquiry: Enquiry, key: str) -> Reply:
    return await asking.owe(
        turn, enquiry, key=key, kind=TicketKind.CROSS_AREA, why=UnansweredReason.OTHER_REGION
    )
