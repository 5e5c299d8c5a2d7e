"""《来电未答复记录表》: its twenty columns, what stands in each, and what never does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from office.staff import Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.full import PHONE, SEALER, filled
from tests.ticketing.work import WORDS, opened
from ticketing import queue, record_sheet, record_view, tickets
from ticketing.export_rows import Sheet
from ticketing.filters import ALL_STATES, Filter
from ticketing.records import Ticket, TicketState
from ticketing.restricted import HIDDEN

# The printed form of the specification, in its order.
HEADS = [
    "编号", "日期时间", "接听人/岗位", "双休日值班", "渠道", "来电人（称谓/类型/电话后四位）",
    "街镇/选区/小组", "问题原话", "归类", "当场答复", "未答复原因", "承办组/人", "交办时间", "时限",
    "结论与依据", "审核人", "答复时间/方式/人", "回访", "提示期号/口径号", "备注",
]  # fmt: skip


async def sheet_for(store: Store, person: Staff, now: datetime, **wanted: object) -> Sheet:
    async with store.reading() as session:
        chosen = Filter(**{"states": ALL_STATES, **wanted})  # type: ignore[arg-type]
        found = await queue.matching(session, person, chosen, now=now, most=100)
        return await record_sheet.sheet(session, found, sealer=SEALER)


def row_of(sheet: Sheet, ticket: Ticket) -> dict[str, object]:
    (row,) = [row for row in sheet.rows if row[0] == ticket.ticket_no]
    return dict(zip((column.key for column in record_sheet.template().columns), row, strict=True))


def test_the_form_has_the_columns_of_the_paper_in_their_order() -> None:
    form = record_sheet.template()
    assert [column.head for column in form.columns] == HEADS
    assert form.title == "来电未答复记录表"
    assert form.signatures == ("填表", "审核", "带班")


async def test_every_cell_of_a_full_record(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await filled(store, cast, now)
    sheet = await sheet_for(store, cast.li_qiang, now)
    assert list(sheet.heads) == HEADS
    assert row_of(sheet, ticket) == {
        "no": ticket.ticket_no,
        "accepted": "2026-11-20 10:05",
        "taker": "吴丽/热线一号席",
        "weekend": "是",
        "channel": "电话",
        "asker": "钱*美/户籍/4321",
        "place": "临江街道/第12选区/12-03",
        "words": WORDS,
        "nature": "登记口径",
        "spot_reply": "已告知先到登记站",
        "why": "没有可靠口径",
        "handler": "登记组/李强",
        "assigned": "2026-11-20 10:05",
        "due": "2026-11-20 17:30",
        "conclusion": "请先联系发证的登记站核对，由登记站工作人员告诉您怎么办。\n依据：K-0540 第1版",
        "reviewer": "王芳",
        "answered": "2026-11-20 11:05/电话/李强",
        "follow_up": "解决了",
        "refs": "第3期/K-0777",
        "note": "=1+1",
    }
    assert not [cell for row in sheet.rows for cell in row if "钱小美" in str(cell) or PHONE in str(cell)]


async def test_an_open_record_is_empty_where_nothing_was_written(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    row = row_of(await sheet_for(store, cast.li_qiang, now), ticket)
    empty = {key for key, value in row.items() if not value}
    assert empty == {
        "taker", "asker", "nature", "spot_reply", "handler", "assigned", "conclusion", "reviewer", "answered",
        "follow_up", "refs", "note",
    }  # fmt: skip
    assert (row["weekend"], row["place"]) == ("否", "东浦区")


async def test_a_confidential_case_tells_only_that_it_is_one(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await filled(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        # Whether its texts were moved already or not: the row shows none of them.
        found.offline_owner_id = cast.wang_fang.id
    row = row_of(await sheet_for(store, cast.li_qiang, now), ticket)
    for key in ("words", "asker", "spot_reply", "conclusion"):
        assert row[key] == HIDDEN, key
    assert row["note"] == HIDDEN
    assert row["place"] == "临江街道"
    async with store.reading() as session:
        found = await tickets.get(session, ticket.id)
        sheet = await record_view.sheet(session, found, cast.riverside, sealer=SEALER)
    text = "\n".join(str(cell) for row in sheet.rows for cell in row)
    for told in (WORDS, "钱", "4321", "12-03", "已告知", "按楼栋"):
        assert told not in text


async def test_only_what_lies_in_reach_and_in_the_filter(store: Store, cast: Cast, now: datetime) -> None:
    river = await opened(store, cast, now, unit=cast.riverside)
    north = await opened(store, cast, now, unit=cast.north)

    def numbers(sheet: Sheet) -> Sequence[object]:
        return [row[0] for row in sheet.rows]

    assert numbers(await sheet_for(store, cast.li_qiang, now)) == [river.ticket_no, north.ticket_no]
    assert numbers(await sheet_for(store, cast.zhao_lei, now)) == [north.ticket_no]
    assert numbers(await sheet_for(store, cast.li_qiang, now, unit_path=cast.north.path)) == [north.ticket_no]
    assert numbers(await sheet_for(store, cast.li_qiang, now, states=(TicketState.VOID,))) == []


async def test_what_looks_like_a_personal_number_never_leaves(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    async with store.reading() as session:
        found, unit = await queue.seen_by(session, cast.li_qiang, ticket.id)
        # As if written past the redaction at the door, by an older version.
        found.note, found.spot_reply = "证件号310199199001011235", "打13800138000，不是0000-12345678"
        row = row_of(await record_sheet.sheet(session, [(found, unit)], sealer=SEALER), ticket)
    assert row["note"] == "证件号［号码已隐去］"
    assert row["spot_reply"] == "打［号码已隐去］，不是0000-12345678"


async def test_joined_and_void_tickets_say_so(store: Store, cast: Cast, now: datetime) -> None:
    lead, child, other = [await opened(store, cast, now) for _ in range(3)]
    async with store.transaction() as session:
        rows = [await tickets.get(session, one.id) for one in (child, lead, other)]
        await tickets.merge(session, rows[0], rows[1], actor=cast.li_qiang, now=now)
        await tickets.void(session, rows[2], "误录", actor=cast.li_qiang, now=now)
    sheet = await sheet_for(store, cast.li_qiang, now)
    assert row_of(sheet, child)["note"] == f"并入 {lead.ticket_no}"
    assert row_of(sheet, other)["note"] == "无效：误录"


def test_a_template_with_a_column_nobody_knows_is_refused(tmp_path: Path) -> None:
    told = yaml.safe_load(record_sheet.TEMPLATE.read_text(encoding="utf-8"))
    for columns in ([{"key": "phone", "head": "电话", "width": 9}], [told["columns"][0]] * 2, []):
        path = tmp_path / f"{len(columns)}{len(list(tmp_path.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump({**told, "columns": columns}), encoding="utf-8")
        with pytest.raises(ValueError, match="columns"):
            record_sheet.template(path)
    shorter = tmp_path / "office.yaml"
    renamed = [{**told["columns"][7], "head": "所问事项"}]
    shorter.write_text(yaml.safe_dump({**told, "columns": renamed}), encoding="utf-8")
    assert [column.head for column in record_sheet.template(shorter).columns] == ["所问事项"]
