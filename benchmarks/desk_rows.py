"""Invented tickets by the hundred thousand, with all that hangs on each, laid into the tables directly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from office import units
from office.audit import AuditEntry, AuditHead
from office.contacts import Channel, Contact
from office.outbox import Delivery, DeliveryState
from office.outbox import Priority as DeliveryPriority
from office.staff import Role, Staff
from office.store import Base, Store
from office.units import UnitKind
from ticketing import numbers
from ticketing.clocks import Priority
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import LedgerKind
from ticketing.records import PostKind, ThreadPost, Ticket, TicketState, UnansweredReason
from ticketing.searching import TicketGram, grams

TOGETHER = 2_000
PER_DAY = 400
TOWNS = 16
OFFICERS = 40

_FIRST = "书罗望百荷稻金银青兰松柏梅竹桃李杏枫江湖海河溪泉云霞星月晨曦春秋锦绣华丰安泰和顺吉祥如意长永新盛"
_SECOND = "香星潮花塘谷桥滩山湾林园庭轩阁台洲浦泾汇港渡桐榕樟榆柳莲菊桂棠芳菲雅韵涛波澜岚峰岭岗坡石"
_ENDS = ("苑", "花园", "新村", "小区", "公寓", "家园")
_ASKED = (
    "我住{estate}，户口在外地，可以在这里登记吗？",
    "{estate}的登记站几点开门，周末有人吗？",
    "居住证刚到期，住在{estate}，还能不能参加登记？",
    "搬到{estate}一年多了，选民证还在老地方，怎么转？",
    "{estate}三号楼没有人上门，登记要自己去哪里办？",
    "父亲住在{estate}，走不动，投票能不能委托我？",
    "单位在{estate}附近，登记在单位还是在家里？",
)
_ANSWERED = (
    "可以。请带本人证件和居住证到登记站，由工作人员核对后登记。",
    "请在登记时间内到居住地的登记站办理，工作人员会告诉您需要什么材料。",
    "户口所在地登记的选民，取得选民资格证明后可以在现居住地登记，请先与原选区联系。",
    "行动不便的选民可以提出使用流动票箱，也可以按规定书面委托其他选民。",
)
_DONE = (TicketState.CLOSED,) * 7 + (TicketState.ANSWERED, TicketState.VOID)
_OPEN = (
    *(TicketState.UNASSIGNED,) * 3, *(TicketState.WORKING,) * 4,
    TicketState.ASSIGNED, TicketState.ON_HOLD, TicketState.IN_REVIEW,
)  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """What a filled desk has: its officer, some tickets, and words to search for."""

    officer: Staff
    unit_id: int
    done: list[int]
    open: list[int]
    number: str
    estate: str
    only: str


def estate(number: int) -> str:
    """An invented estate; some hundred tickets in a hundred thousand share one."""
    dice = random.Random(number)
    return dice.choice(_FIRST) + dice.choice(_SECOND) + dice.choice(_ENDS)


async def fill(store: Store, count: int, waiting: int, *, now: datetime) -> Filled:
    """Lay `count` tickets into an empty store, the last `waiting` of them open; the same each time."""
    async with store.transaction() as session:
        district = await units.add(session, UnitKind.DISTRICT, "DP", "东浦区", office_name="东浦区选举办公室")
        towns = [
            await units.add(session, UnitKind.TOWN, f"T{number}", f"第{number + 1}镇", district)
            for number in range(TOWNS)
        ]
        people = [
            Staff(
                name=f"值班员{number}", unit_id=district.id, created_at=now,
                roles=[Role.DUTY_OFFICER.value, Role.REVIEWER.value],
            )
            for number in range(OFFICERS)
        ]  # fmt: skip
        session.add_all(people)
    places = [town.id for town in towns]
    staff_ids = [person.id for person in people]
    numbered = {}
    for first in range(1, count + 1, TOGETHER):
        last = min(first + TOGETHER, count + 1)
        made = [_rows(number, count, waiting, places, staff_ids, now) for number in range(first, last)]
        async with store.transaction() as session:
            for table in (Contact, Ticket, ThreadPost, Enquiry, Delivery, AuditEntry):
                rows = [row for one in made for row in one[table]]
                if rows:
                    await session.execute(insert(cast(Table, table.__table__)), rows)
            tickets = [one[Ticket][0] for one in made]
            await _lay_pairs(await session.connection(), tickets, sqlite=store.sqlite)
            numbered.update({one[Ticket][0]["id"]: one[Ticket][0]["ticket_no"] for one in made[:1]})
    async with store.transaction() as session:
        await session.execute(update(AuditHead).values(count=3 * count))
    if not store.sqlite:
        await _counters(store)
    return Filled(
        officer=people[0], unit_id=places[3], done=list(range(1, count - waiting + 1)),
        open=list(range(count - waiting + 1, count + 1)), number=next(iter(numbered.values())),
        estate=estate(3), only=f"第{count // 3}号来电",
    )  # fmt: skip


async def _lay_pairs(connection: AsyncConnection, tickets: list[dict[str, Any]], *, sqlite: bool) -> None:
    """Six million pairs: past the layer that would look at each of them."""
    rows = sorted(
        (gram, ticket["id"])
        for ticket in tickets
        for gram in grams(ticket["words"]) | grams(ticket["answer_text"])
    )
    table = TicketGram.__tablename__
    if sqlite:
        await connection.exec_driver_sql(f"INSERT INTO {table} (gram, ticket_id) VALUES (?, ?)", rows)
        return
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.copy_records_to_table(table, records=rows, columns=("gram", "ticket_id"))


async def _counters(store: Store) -> None:
    async with store.transaction() as session:
        for table in ("ticket", "contact", "thread_post", "enquiry", "delivery"):
            highest = f"(SELECT COALESCE(MAX(id), 1) FROM {table})"
            await session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {highest})"))


def _rows(
    number: int, count: int, waiting: int, places: list[int], staff_ids: list[int], now: datetime
) -> dict[type[Base], list[dict[str, Any]]]:
    dice = random.Random(number)
    is_open = number > count - waiting
    back = (count - number) // PER_DAY
    at = now - timedelta(days=back, minutes=dice.randrange(90))
    day = at.date()
    asked = _ASKED[number % len(_ASKED)].format(estate=estate(number % 1_500)) + f"（第{number}号来电）"
    answer = "" if is_open else dice.choice(_ANSWERED)
    state = dice.choice(_OPEN if is_open else _DONE)
    holder = None if state is TicketState.UNASSIGNED else dice.choice(staff_ids)
    serial = number % PER_DAY + 1 + number // PER_DAY % 97 * PER_DAY
    ticket = {
        "id": number, "version": 2, "state": state, "ticket_no": numbers.ticket_no("DP", day, serial),
        "progress_code": "A7K2", "district_code": "DP", "serial": number, "contact_id": number,
        "channel": Channel.TELEGRAM, "unit_id": dice.choice(places), "topic": "eligibility",
        "group": "登记组",
        "words": asked, "why_unanswered": UnansweredReason.NO_ENTRY, "priority": dice.choice(list(Priority)),
        "business_day": day, "due_day": day, "promised_at": at + timedelta(hours=6),
        "due_at": at + timedelta(hours=6), "accepted_at": at, "taken_at": at if holder else None,
        "first_taker_id": holder, "assignee_id": holder, "answer_text": answer, "ledger": LedgerKind.VOTER,
        "answered_at": None if is_open else at + timedelta(hours=1),
        "closed_at": at + timedelta(days=1) if state is TicketState.CLOSED else None,
        "resume_by": now + timedelta(days=1) if state is TicketState.ON_HOLD else None,
    }  # fmt: skip
    posts = [
        {"ticket_id": number, "kind": PostKind.ASKER, "text": asked, "staff_id": None, "at": at},
        {"ticket_id": number, "kind": PostKind.ANSWER, "text": answer, "staff_id": holder, "at": at},
    ]
    delivery = {
        "contact_id": number, "kind": "answer", "facts": {"ticket": number, "conclusion": 1, "text": answer},
        "key": f"ticket:{number}:1:{number}", "subject": f"ticket:{number}", "state": DeliveryState.SENT,
        "priority": DeliveryPriority.ANSWER, "channel": Channel.TELEGRAM,
        "due_at": at, "created_at": at, "sent_at": at,
    }  # fmt: skip
    return {
        Contact: [
            {
                "id": number, "channel": Channel.TELEGRAM, "address": f"b{number}", "first_seen_at": at,
                "last_seen_at": at,
            }
        ],
        Ticket: [ticket],
        ThreadPost: posts[: 1 if is_open else 2],
        Enquiry: [
            {
                "contact_id": number, "channel": Channel.TELEGRAM, "words": asked, "topic": "eligibility",
                "outcome": Outcome.TICKETED, "offered": [], "ticket_id": number, "at": at,
                "business_day": day,
            }
        ],
        Delivery: [] if is_open else [delivery],
        AuditEntry: list(_acts(number, at, holder)),
    }  # fmt: skip


def _acts(number: int, at: datetime, holder: int | None) -> Iterator[dict[str, Any]]:
    for place, action in enumerate(("ticket.open", "ticket.take", "ticket.answer"), 1):
        yield {
            "id": 3 * (number - 1) + place, "at": at, "actor_kind": "staff", "actor_id": holder,
            "actor_name": "值班员", "channel": "console", "action": action, "subject": f"ticket:{number}",
            "facts": {}, "prev_hash": "0" * 64, "entry_hash": "0" * 64,
        }  # fmt: skip
