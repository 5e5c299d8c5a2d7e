"""The files cell by cell: Word document and workbook, across and upright, as an office opens them."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm
from python_calamine import CalamineWorkbook

from office.cells import plain
from office.store import Store
from tests.make import Cast
from tests.ticketing.full import SEALER, filled
from tests.ticketing.test_record_sheet import HEADS
from tests.ticketing.work import WORDS, opened
from ticketing import exports, queue, record_sheet, record_view
from ticketing.export_rows import Form, Snapshot
from ticketing.filters import ALL_STATES, Filter


async def exported(store: Store, cast: Cast, now: datetime, form: Form) -> Snapshot:
    await filled(store, cast, now)
    await opened(store, cast, now, "第一行\n第二行")
    async with store.transaction() as session:
        found = await queue.matching(session, cast.li_qiang, Filter(states=ALL_STATES), now=now, most=100)
        sheet = await record_sheet.sheet(session, found, sealer=SEALER, notes=("条件：全部", "2 张"))
        return await exports.make(
            session, record_sheet.WHAT, sheet, form=form, filters={}, purpose="日清存档", actor=cast.li_qiang,
            now=now,
        )  # fmt: skip


async def test_the_word_document_cell_by_cell(store: Store, cast: Cast, now: datetime) -> None:
    snapshot = await exported(store, cast, now, Form.DOCX)
    paper = Document(io.BytesIO(exports.file(snapshot, Form.DOCX)))
    (section,) = paper.sections
    assert section.orientation == WD_ORIENT.LANDSCAPE
    assert [round(length / Mm(1)) for length in (section.page_width, section.page_height)] == [297, 210]
    assert [line.text for line in paper.paragraphs[:3]] == ["来电未答复记录表", "条件：全部", "2 张"]
    (table,) = paper.tables
    assert [cell.text for cell in table.rows[0].cells] == HEADS
    for row, expected in zip(table.rows[1:], snapshot.sheet.rows, strict=True):
        assert [cell.text for cell in row.cells] == list(expected)
    assert table.rows[1].cells[7].text == WORDS
    assert table.rows[2].cells[7].text == "第一行\n第二行"
    # On paper a text stays as it is: nothing calculates there.
    assert table.rows[1].cells[19].text == "=1+1"
    assert table.rows[0]._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
    assert section.header.paragraphs[0].text == snapshot.marks.line()
    assert section.header.paragraphs[0].text.endswith("用途：日清存档")
    footer = section.footer.paragraphs[0].text
    assert [word for word in ("填表：", "审核：", "带班：") if word in footer] == [
        "填表：",
        "审核：",
        "带班：",
    ]
    fields = [field.get(qn("w:instr")) for field in section.footer._element.iter(qn("w:fldSimple"))]
    assert fields == ["PAGE", "NUMPAGES"]


async def test_fonts_are_named_for_chinese_and_none_is_put_in(
    store: Store, cast: Cast, now: datetime
) -> None:
    content = exports.file(await exported(store, cast, now, Form.DOCX), Form.DOCX)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        styles = packed.read("word/styles.xml").decode()
        assert not [name for name in packed.namelist() if "fonts/" in name]
    for font in ("宋体", "黑体", "方正小标宋简体"):
        assert f'w:eastAsia="{font}"' in styles


async def test_the_workbook_cell_by_cell(store: Store, cast: Cast, now: datetime) -> None:
    snapshot = await exported(store, cast, now, Form.XLSX)
    content = exports.file(snapshot, Form.XLSX)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["来电未答复记录表"]
    rows = book.get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[:3]] == ["来电未答复记录表", "条件：全部；2 张", snapshot.marks.line()]
    assert rows[3] == HEADS
    assert [[plain(str(cell)) for cell in row] for row in rows[4:]] == [
        list(row) for row in snapshot.sheet.rows
    ]
    assert rows[4][19] == "'=1+1"
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
        names = packed.read("xl/workbook.xml").decode()
    assert 'orientation="landscape"' in sheet
    assert 'paperSize="9"' in sheet
    assert 'fitToHeight="0"' in sheet
    assert 'ySplit="4"' in sheet
    assert "来电未答复记录表!$4:$4" in names
    assert "填表：＿" in sheet


async def test_one_ticket_stands_upright_with_all_its_fields(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await filled(store, cast, now)
    async with store.transaction() as session:
        found, unit = await queue.seen_by(session, cast.li_qiang, ticket.id)
        sheet = await record_view.sheet(session, found, unit, sealer=SEALER)
        snapshot = await exports.make(
            session, record_view.WHAT, sheet, form=Form.DOCX, filters={"ticket": ticket.ticket_no},
            purpose="", actor=cast.li_qiang, now=now,
        )  # fmt: skip
    paper = Document(io.BytesIO(exports.file(snapshot, Form.DOCX)))
    assert paper.sections[0].orientation == WD_ORIENT.PORTRAIT
    told = {row.cells[0].text: row.cells[1].text for row in paper.tables[0].rows}
    assert told["项目"] == "内容"
    for label, value in {
        "编号": ticket.ticket_no, "业务日": "2026-11-20 （双休日值班）", "首接人/岗位": "吴丽/热线一号席",
        "称谓": "钱*美", "联系电话": "4321", "选民小组": "12-03", "登记站": "书香苑站", "台账": "选民咨询",
        "问题原话": WORDS, "当场答复": "已告知先到登记站", "承办人": "李强", "审核人": "王芳",
        "答复方式": "电话",
        "结论与依据": "K-0540 第1版", "问题归因": "口径不清", "入库口径号": "K-0777", "回访结果": "解决了",
    }.items():  # fmt: skip
        assert told[label] == value, label
    assert "挂起至" not in told
