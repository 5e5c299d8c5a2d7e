"""Tables from outside: read within limits whatever they hold, and written so that they come back the same."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from knowledge import lint, station_files, station_rows, workbooks
from knowledge.station_cells import LIMITS
from knowledge.station_files import FIELDS, Table, heading, read, template, to_csv, to_xlsx
from knowledge.station_rows import Around, UnitName
from office.errors import Invalid

NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
HEADINGS = ["编号", "名称", "所属街镇", "地址"]
ROW = ["12-03", "书香苑登记站", "临江街道", "书院路88弄1号"]


def separated(*rows: Iterable[Any], by: str = ",") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=by).writerows(rows)
    return text.getvalue()


def workbook(*rows: Iterable[Any], hidden_first: bool = False) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    if hidden_first:
        other = book.add_worksheet("旧的")
        other.write_row(0, 0, ["编号"])
    sheet = book.add_worksheet("站点")
    sheet.activate()
    if hidden_first:
        other.hide()
        sheet.set_first_sheet()
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(number, column, datetime(cell.year, cell.month, cell.day), day)  # noqa: DTZ001
            else:
                sheet.write(number, column, cell)
    book.close()
    return target.getvalue()


def codes(table: Table) -> list[Any]:
    return [cells["code"] for _, cells in table.rows]


def refused(content: bytes, filename: str = "stations.xlsx") -> str:
    with pytest.raises(Invalid) as error:
        read(filename, content)
    return error.value.key


# --- csv --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_scripts_and_separators_are_recognised(separator: str, encoding: str) -> None:
    table = read("a.csv", separated(HEADINGS, ROW, by=separator).encode(encoding))
    assert table.rows == (
        (2, {"code": "12-03", "name": "书香苑登记站", "unit": "临江街道", "address": "书院路88弄1号"}),
    )


def test_the_heading_may_stand_lower_and_rows_keep_their_numbers() -> None:
    content = separated(["东浦区登记站一览表"], [], HEADINGS, [], ROW, ["", "", "", ""], ROW).encode()
    assert [number for number, _ in read("a.csv", content).rows] == [5, 7]


def test_headings_in_other_words_and_columns_nobody_knows() -> None:
    table = read(
        "a.csv", separated(["站点编号 ", "【名称】", "街道", "详细地址", "颜色"], [*ROW, "红"]).encode()
    )
    assert table.headings == {"code": "站点编号", "name": "【名称】", "unit": "街道", "address": "详细地址"}
    assert table.others == {"颜色": ("红",)}


def test_apostrophes_spaces_and_marks_of_spreadsheets_are_taken_off() -> None:
    row = ["'12-03", "  '=1+1 ", "临江\u200b街道\u00a0", "书院路\r\n88弄"]
    cells = read("a.csv", separated(HEADINGS, row).encode()).rows[0][1]
    assert cells == {"code": "12-03", "name": "=1+1", "unit": "临江街道", "address": "书院路\n88弄"}


def test_what_is_no_table_is_refused_in_words() -> None:
    assert refused(b"", "a.csv") == "station_file.headings"
    assert refused(b"\x00\x01\x02\xff", "a.csv") == "station_file.unreadable"
    assert refused(separated(["编号", "名称"], ROW).encode(), "a.csv") == "station_file.headings"
    assert refused(separated(HEADINGS).encode(), "a.csv") == "station_file.empty"
    assert refused(separated([*HEADINGS, "站号"], ROW).encode(), "a.csv") == "station_file.twice"
    assert refused(b"\xd0\xcf\x11\xe0" + b"\0" * 100, "a.xls") == "station_file.kind"
    assert refused(separated(HEADINGS, ROW).encode(), "a.xlsx") == "station_file.kind"


def test_the_missing_columns_are_named() -> None:
    with pytest.raises(Invalid) as error:
        read("a.csv", separated(["编号", "名称", "颜色"], ["12-03", "书香苑", "红"]).encode())
    assert error.value.facts == {"missing": "所属街镇、地址"}


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_files, "MOST_ROWS", 3)
    assert len(read("a.csv", separated(HEADINGS, *[ROW] * 3).encode()).rows) == 3
    assert refused(separated(HEADINGS, *[ROW] * 4).encode(), "a.csv") == "station_file.rows"
    assert refused(separated(HEADINGS, *[ROW] * 40).encode(), "a.csv") == "station_file.rows"
    assert refused(workbook(HEADINGS, *[ROW] * 40)) == "station_file.rows"
    assert refused(separated(HEADINGS, [*ROW, *["x"] * 60]).encode(), "a.csv") == "station_file.columns"
    assert refused(separated(HEADINGS, ["12-03", "x" * 3000]).encode(), "a.csv") == "station_file.cell_at"
    monkeypatch.setattr(station_files, "LARGEST", 10)
    assert refused(separated(HEADINGS, ROW).encode(), "a.csv") == "station_file.large"


# --- xlsx -------------------------------------------------------------------------------------------------


def test_a_workbook_is_read_from_its_first_visible_sheet() -> None:
    table = read("a.xlsx", workbook(HEADINGS, ROW, hidden_first=True))
    assert codes(table) == ["12-03"]


def test_numbers_and_days_as_spreadsheets_keep_them() -> None:
    content = workbook(
        [*HEADINGS, "纬度", "经度", "备注"], [date(2026, 12, 3), 7, "临江街道", "书院路", 31.5, 121.0, True]
    )
    cells = read("a.xlsx", content).rows[0][1]
    assert cells == {
        "code": date(2026, 12, 3), "name": "7", "unit": "临江街道", "address": "书院路",
        "latitude": "31.5", "longitude": "121", "note": "是",
    }  # fmt: skip


def test_a_formula_gives_what_it_last_gave_and_is_not_computed() -> None:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADINGS)
    sheet.write_row(1, 0, ROW)
    sheet.write_formula(1, 1, '=WEBSERVICE("http://example.invalid/")', value="书香苑")
    book.close()
    assert read("a.xlsx", target.getvalue()).rows[0][1]["name"] == "书香苑"


def tampered(content: bytes, **parts: bytes) -> bytes:
    """The workbook with parts replaced; names with / and . written as __ and _."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            part = parts.get(info.filename.replace("/", "__").replace(".", "_"), old.read(info))
            new.writestr(info.filename, part)
    return target.getvalue()


def sheet_of(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return packed.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        (b'r="A2"', b'r="XFD1048576"', "station_file.columns"),
        (b'r="A2"', b'r="A1048576"', "station_file.rows"),
        (b'r="A2"', b'r="&#65;1048576"', "station_file.rows"),
        (b'r="A2"', b'r="here"', "station_file.unreadable"),
        (b'<row r="2"', b'<row r="1048576"', "station_file.rows"),
        (b"<sheetData>", b"<sheetData", "station_file.unreadable"),
        (
            b"<worksheet",
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet',
            "station_file.unreadable",
        ),
        (
            b"<worksheet",
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet',
            "station_file.unreadable",
        ),
    ],
)
def test_a_sheet_that_is_made_to_harm_is_refused(before: bytes, after: bytes, key: str) -> None:
    content = workbook(HEADINGS, ROW)
    sheet = sheet_of(content)
    assert before in sheet
    assert refused(tampered(content, xl__worksheets__sheet1_xml=sheet.replace(before, after, 1))) == key


def test_a_sheet_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook(HEADINGS, ROW)
    bomb = tampered(content, xl__worksheets__sheet1_xml=sheet_of(content) + b" " * 30_000_000)
    assert len(bomb) < 100_000
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 20_000_000)
    assert refused(bomb) == "station_file.unpacked"


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    content = tampered(workbook(HEADINGS, ROW), xl__worksheets__sheet1_xml=b" " * 1_000_000)
    size = (1_000_000).to_bytes(4, "little")
    assert content.count(size) == 2
    assert refused(content.replace(size, (1_000).to_bytes(4, "little"))) == "station_file.unreadable"


def test_what_is_no_workbook_is_refused() -> None:
    content = workbook(HEADINGS, ROW)
    for broken in (b"PK\x03\x04", content[:500], content[:-30]):
        assert refused(broken) == "station_file.unreadable"


# --- there and back ---------------------------------------------------------------------------------------

text = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs")), max_size=30
)
dangerous = st.builds(lambda first, rest: first + rest, st.sampled_from("=+-@'＝＋－＠"), text)
words = text | dangerous
numbers = st.builds("{:02}-{:02}".format, st.integers(1, 999), st.integers(1, 999))
hours = st.just(
    [{"from": "2026-11-25", "to": "2026-12-05", "weekdays": "1-5", "spans": ["9:00-11:30", "13:30-17:00"]}]
)
AROUND = Around([UnitName("LJ", "临江街道", ".1.2.")], ".1.", date(2026, 11, 20))


@st.composite
def stations(draw: st.DrawFn) -> dict[str, Any]:
    located = draw(st.booleans())
    return {
        "kind": draw(st.sampled_from(["registration", "polling"])),
        "code": draw(numbers),
        "name": draw(words.filter(bool)),
        "unit": "LJ",
        "neighbourhood": draw(words),
        "groups": [],
        "address": draw(words.filter(bool)),
        "near": draw(words),
        "directions": draw(words),
        "hours": draw(hours),
        "phone": draw(st.sampled_from(["", "0000-12340003", "0000-12340003 转 801"])),
        "access": draw(st.lists(st.sampled_from(["ramp", "lift", "铃"]), unique=True)),
        "note": draw(words.filter(lambda note: not lint.in_texts((note,), variables=()))),
        "latitude": round(draw(st.floats(-90, 90)), 6) if located else None,
        "longitude": round(draw(st.floats(-180, 180)), 6) if located else None,
    }


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@given(fields=stations())
def test_any_station_comes_back_as_it_was(kind: str, fields: dict[str, Any]) -> None:
    rows = [station_files.cells(fields, "临江街道")]
    content = to_csv(rows) if kind == "csv" else to_xlsx(rows, NOW)
    checked = station_rows.check(read(f"stations.{kind}", content), AROUND)
    assert not checked.bad
    assert list(checked.good) == [fields]


@given(dangerous)
def test_no_exported_text_is_a_formula(name: str) -> None:
    fields = dict.fromkeys(FIELDS, "") | {
        "kind": "registration", "groups": [], "hours": [], "access": [], "name": name,
        "latitude": None, "longitude": None,
    }  # fmt: skip
    rows = [station_files.cells(fields, "临江街道")]
    lines = list(csv.reader(io.StringIO(to_csv(rows).decode("utf-8-sig"))))
    assert lines[1][2] == f"'{name}"
    with zipfile.ZipFile(io.BytesIO(to_xlsx(rows, NOW))) as packed:
        assert b"<f>" not in packed.read("xl/worksheets/sheet1.xml")


def test_the_template_has_every_heading_and_an_example_that_is_not_taken_for_a_station() -> None:
    book = CalamineWorkbook.from_object(io.BytesIO(template(NOW)))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[0] == [heading(field) for field in FIELDS]
    assert rows[1][:4] == ["登记站", "例：12-03", "书香苑居委会登记站", "临江街道"]
    assert refused(template(NOW)) == "station_file.empty"


def test_an_export_is_the_same_every_time() -> None:
    assert template(NOW) == template(NOW)


def test_no_field_is_longer_than_a_cell_may_be() -> None:
    assert max(LIMITS.values()) <= station_files.LONGEST_CELL
