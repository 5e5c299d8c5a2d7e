"""Questions brought as a table: the template goes out and comes back, anything else is refused as a whole."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import func, select

from knowledge import workbooks
from office.errors import Invalid, NotPermitted
from office.redact import PLACEHOLDER
from office.staff import Staff
from office.store import Store
from tests.make import HOURS, Cast
from ticketing import bulk_questions
from ticketing.bulk_questions import COLUMNS, MOST_ROWS, Opened, heading
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import AskerKind, LedgerKind, PlatformModule, Symptom
from ticketing.records import Ticket

IDENTITY = "31019919900101" + "1234"
HEADINGS = [heading(name) for name in COLUMNS]
ROWS = (
    ["1", "导入时提示身份证号重复，怎么办？", "登记员", "12-03", "导入", "报错", "急"],
    ["2", "居住证“累计”和“连续”满5年怎么算？", "", "", "", "", ""],
)


def filled(*rows: list[Any], now: datetime, headings: list[Any] | None = None, **more: Any) -> bytes:
    """The template as an office fills it in; `more` are single cells by their place."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": now.replace(tzinfo=None)})
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    cells = dict(enumerate([headings or HEADINGS, *rows]))
    table = {(row, column): value for row, line in cells.items() for column, value in enumerate(line)}
    table |= {(int(place[1:]) - 1, ord(place[0]) - 65): value for place, value in more.items()}
    for (row, column), value in table.items():
        if isinstance(value, date):
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
        elif value:
            sheet.write_string(row, column, value)
    book.close()
    return target.getvalue()


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as found:
        bulk_questions.read(content)
    assert IDENTITY not in str(found.value.facts)
    return found.value.key


def test_the_template_is_itself_in_the_right_layout_and_empty(now: datetime) -> None:
    first, *rows = workbooks.rows(bulk_questions.template(now), 30, 10)
    assert first == HEADINGS
    assert [row[0] for row in rows] == [str(number) for number in range(1, MOST_ROWS + 1)]
    assert refused(bulk_questions.template(now)) == "bulk_file.empty"
    assert bulk_questions.template(now) == bulk_questions.template(now)


def test_a_filled_in_template_is_read_with_its_choices(now: datetime) -> None:
    first, second = bulk_questions.read(filled(*ROWS, now=now))
    assert (first.number, first.words, first.note) == (2, ROWS[0][1], "急")
    assert (first.asker_kind, first.group_no) == (AskerKind.REGISTRAR, "12-03")
    assert (first.platform_module, first.symptom) == (PlatformModule.IMPORT, Symptom.ERROR)
    assert second.words == ROWS[1][1]
    assert second.asker_kind is None


def test_a_text_that_was_kept_from_being_calculated_comes_back_as_it_was(now: datetime) -> None:
    (row,) = bulk_questions.read(filled(["1", "'=1+1 这样填对吗", "", "", "", "", ""], now=now))
    assert row.words == "=1+1 这样填对吗"


@pytest.mark.parametrize(
    ("headings", "key"),
    [
        ([*HEADINGS, "姓名"], "layout"),
        ([HEADINGS[1], HEADINGS[0], *HEADINGS[2:]], "layout"),
        (["序", *HEADINGS[1:]], "layout"),
        ([*HEADINGS, "身份证号"], "identity"),
        ([*HEADINGS[:6], "证件号码"], "identity"),
        ([*HEADINGS, "ID No"], "identity"),
        ([*HEADINGS, *"一二三四五"], "layout"),
    ],
)
def test_another_layout_is_refused(headings: list[str], key: str, now: datetime) -> None:
    assert refused(filled(*ROWS, now=now, headings=headings)) == f"bulk_file.{key}"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"B2": f"我的号码是{IDENTITY}"}, "identity_row"),
        ({"B3": " ".join(IDENTITY)}, "identity_row"),
        ({"G2": IDENTITY}, "identity_row"),
        ({"C2": "邻居"}, "choice"),
        ({"B2": None}, "no_words"),
        ({"B2": "长" * 501}, "cell"),
        ({"D2": date(2026, 12, 3)}, "day"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken(change: dict[str, Any], key: str, now: datetime) -> None:
    assert refused(filled(*ROWS, now=now, **change)) == f"bulk_file.{key}"


def test_no_table_and_too_many_rows_are_refused(now: datetime) -> None:
    assert refused(b"PK not really") == "bulk_file.unreadable"
    assert refused(b"0" * (bulk_questions.LARGEST + 1)) == "bulk_file.large"
    many = [[str(number), "问题", "", "", "", "", ""] for number in range(MOST_ROWS + 1)]
    assert refused(filled(*many, now=now)) == "bulk_file.rows"
    assert refused(filled(*many, *[["", "问题"]] * 500, now=now)) == "bulk_file.rows"


async def bring(store: Store, cast: Cast, content: bytes, now: datetime, actor: Staff) -> list[Opened]:
    async with store.transaction() as session:
        return await bulk_questions.bring(
            session,
            bulk_questions.read(content),
            content,
            unit=cast.district,
            actor=actor,
            hours=HOURS,
            now=now,
        )


async def test_each_row_becomes_a_ticket_once(store: Store, cast: Cast, now: datetime) -> None:
    content = filled(*ROWS, ["3", "打 13800138000 找我，问一下名单", "", "", "", "", ""], now=now)
    found = await bring(store, cast, content, now, cast.li_qiang)
    again = await bring(store, cast, content, now, cast.li_qiang)
    assert [f.ticket.id for f in again] == [f.ticket.id for f in found]
    assert [f.row.number for f in found] == [2, 3, 4]
    first, second, third = (f.ticket for f in found)
    assert (first.group, first.ledger) == ("信息组", LedgerKind.PLATFORM)
    assert (second.group, second.ledger) == ("登记组", LedgerKind.VOTER)
    assert (first.platform_module, first.symptom) == (PlatformModule.IMPORT, Symptom.ERROR)
    assert first.first_taker_id == cast.li_qiang.id
    assert PLACEHOLDER in third.words
    async with store.reading() as session:
        rows = (await session.scalars(select(Enquiry))).all()
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 3
    # Twenty questions of twenty people: none repeats another, whoever brought them.
    assert [(row.outcome, row.repeat_of_id) for row in rows] == [(Outcome.TICKETED, None)] * 3
    with pytest.raises(NotPermitted):
        await bring(store, cast, content, now, cast.zhao_lei)
    with pytest.raises(NotPermitted):
        await bring(store, cast, content, now, cast.zhou_ning)
