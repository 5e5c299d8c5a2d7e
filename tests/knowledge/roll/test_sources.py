"""Files of registration platforms: every encoding and separator is read, everything else gets one refusal."""

import io
import random
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import date

import pytest
import xlsxwriter

from knowledge.roll import columns, sheet_child, sources
from knowledge.roll.columns import Field
from knowledge.roll.sources import Kind
from office import words
from office.errors import Invalid
from tests.voters import AYGUL, CAST, OUYANG

MAP = columns.load("riverside")
TOP = ["序号", "姓名", "公民身份号码", "登记状态", "所属街镇", "选区名称", "选民小组", "登记站编号"]
ROWS = [
    [str(n), one.name, one.number, "已登记", "临江街道", "第12选区", "12-03", "12-03"]
    for n, one in enumerate(CAST, start=1)
]


def text(rows, delimiter=","):
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def workbook(path, rows=(TOP, *ROWS), formats=None, after=None):
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(at, column, cell, book.add_format({"num_format": "yyyy-mm-dd"}))
                elif isinstance(cell, float):
                    sheet.write_number(at, column, cell)
                else:
                    sheet.write_string(at, column, cell)
        if after:
            after(book, sheet)
    return path


def file(tmp_path, content, name="roll.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def refused(path, used=MAP):
    """The key and the words of the refusal, which must exist in both languages and fit on one line."""
    with pytest.raises(Invalid) as found:
        for _ in sources.look(path, used).rows():
            pass
    for language in words.LANGUAGES:
        said = words.say(found.value.key, language, **found.value.facts)
        assert "\n" not in said
        assert "{" not in said
    return found.value.key, found.value.facts


def voters_of(table):
    at = table.columns
    return [(row, cells[at[Field.NAME]], cells[at[Field.NUMBER]]) for row, cells in table.rows()]


CAST_IN_ROWS = [(row, one.name, one.number) for row, one in enumerate(CAST, start=2)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_texts_of_every_encoding_and_separator_are_read(tmp_path, encoding, delimiter):
    table = sources.look(file(tmp_path, text([TOP, *ROWS], delimiter).encode(encoding)), MAP)
    assert voters_of(table) == CAST_IN_ROWS
    assert voters_of(table) == CAST_IN_ROWS, "a second time"
    assert (table.delimiter, table.first_row) == (delimiter, 2)
    cut = encoding.startswith("utf-8") or (encoding == "gb18030" and delimiter != "|")
    assert table.kind is (Kind.BYTES if cut else Kind.ROWS)


def test_rows_may_be_cut_out_of_the_bytes_from_the_offset_on(tmp_path):
    for encoding in ("utf-8-sig", "gb18030"):
        content = text([["东浦区选民名册"], [], TOP, *ROWS]).encode(encoding)
        table = sources.look(file(tmp_path, content), MAP)
        first = content[table.offset :].split(b"\r\n")[0].decode(table.encoding)
        assert first.split(",") == ROWS[0]
        assert table.first_row == 4
        assert [row for row, *_ in voters_of(table)] == [4, 5, 6, 7]


def test_a_workbook_is_read_with_the_rows_it_has(tmp_path):
    path = workbook(tmp_path / "roll.xlsx", [["东浦区选民名册"], [], TOP, ROWS[0], [], ROWS[1]])
    table = sources.look(path, MAP)
    expected = [(4, CAST[0].name, CAST[0].number), (6, CAST[1].name, CAST[1].number)]
    assert table.kind is Kind.ROWS
    assert voters_of(table) == expected
    assert voters_of(table) == expected, "a second time"


def test_a_second_sheet_is_not_read_and_named(tmp_path):
    path = workbook(tmp_path / "roll.xlsx", after=lambda book, _: book.add_worksheet("说明"))
    assert sources.look(path, MAP).others == ("说明",)


def test_what_keeps_spreadsheets_from_guessing_is_taken_off():
    for cell in (f"'{OUYANG.number}", f'="{OUYANG.number}"', f"\t{OUYANG.number} ", OUYANG.number):
        assert sources.clean(cell) == OUYANG.number


def test_rows_in_quotation_marks_count_as_one(tmp_path):
    rows = [[*ROWS[0][:-1], '"12\n-03"'], ROWS[1]]
    table = sources.look(file(tmp_path, text([TOP, *rows]).encode()), MAP)
    assert [row for row, *_ in voters_of(table)] == [2, 3]


def test_one_byte_that_is_no_character_spoils_one_row(tmp_path):
    content = text([TOP, *ROWS, *ROWS]).encode()
    broken = content.replace(AYGUL.name.encode(), b"\xff" + AYGUL.name.encode(), 1)
    found = voters_of(sources.look(file(tmp_path, broken), MAP))
    assert len(found) == 8
    assert [row for row, name, _ in found if "\ufffd" in name] == [5]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
        ("\ufeff".encode("utf-16"), "empty"),
        (text([TOP]).encode(), "no_rows"),
        (text([TOP[:-2], *ROWS]).encode(), "headings"),
        (b"hello, world\nhow, are you\n", "headings"),
        (text([[*TOP, "身份证号"], *ROWS]).encode(), "twice"),
        (b"\x00\x01\x02\xff" * 5000, "unreadable"),
        (b"%PDF-1.7\n\x93\x8c\xff\x01\x02\n", "unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), "old"),
        (b"\xd0\xcf\x11\xe0" + bytes(900) + "EncryptedPackage".encode("utf-16-le"), "locked"),
        (b"PK\x03\x04" + bytes(range(256)) * 30, "unreadable"),
        (("甲" * 300_000).encode(), "line"),
        (text([[*TOP, *(f"列{n}" for n in range(10_000))], *ROWS]).encode(), "columns"),
        (text([TOP, *ROWS, ['"', *ROWS[0][1:]], *ROWS * 400]).encode(), "quote"),
        (text([TOP, *ROWS, *ROWS * 20, ["x" * 200_000]]).encode(), "line"),
        (text([TOP, *([*row[:2], "3.10199E+17", *row[3:]] for row in ROWS)]).encode(), "numeric"),
        (text([TOP, *([*row[:6], "12月3日", row[7]] for row in ROWS)]).encode(), "dates"),
    ],
)  # fmt: skip
def test_what_is_no_roll_gets_one_refusal(tmp_path, content, key):
    assert refused(file(tmp_path, content))[0] == f"roll_file.{key}"


def test_a_refusal_names_the_columns_and_the_row(tmp_path):
    _, facts = refused(file(tmp_path, text([TOP[:-2], *ROWS]).encode()))
    assert facts["missing"] == "选民小组"
    _, facts = refused(file(tmp_path, text([TOP, *ROWS, ['"', *ROWS[0][1:]], *ROWS * 400]).encode()))
    assert facts["row"] == 6


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    assert refused(tmp_path / "none.csv")[0] == "roll_file.missing"
    assert refused(tmp_path)[0] == "roll_file.missing"


def test_other_columns_are_those_of_another_platform(tmp_path):
    key, facts = refused(file(tmp_path, text([TOP, *ROWS]).encode()), columns.load("cornerstone"))
    assert key == "roll_file.headings"
    assert "SFZH" in facts["missing"]


# --- workbooks that are made to harm, or by accident ------------------------------------------------------


def test_numbers_that_lost_their_digits_are_refused_with_their_row(tmp_path):
    rows = [[*row[:2], float(row[2][:17] + "1"), *row[3:]] for row in ROWS]
    assert refused(workbook(tmp_path / "roll.xlsx", [TOP, *rows])) == ("roll_file.numeric", {"row": 2})


def test_one_number_that_lost_its_digits_spoils_one_row(tmp_path):
    rows = [*ROWS, [*ROWS[0][:2], float(ROWS[0][2][:17] + "1"), *ROWS[0][3:]]]
    found = voters_of(sources.look(workbook(tmp_path / "roll.xlsx", [TOP, *rows]), MAP))
    assert sources.SCIENTIFIC.fullmatch(found[-1][2])
    assert len(found) == 5


def test_groups_that_turned_into_dates_are_refused_with_their_row(tmp_path):
    rows = [[*row[:6], date(2026, 12, 3), row[7]] for row in ROWS]
    assert refused(workbook(tmp_path / "roll.xlsx", [TOP, *rows])) == ("roll_file.dates", {"row": 2})
    rows = [[*row[:6], 46359.0, row[7]] for row in ROWS]
    assert refused(workbook(tmp_path / "serial.xlsx", [TOP, *rows])) == ("roll_file.dates", {"row": 2})


def test_formulas_and_merged_cells_are_refused_with_their_row(tmp_path):
    path = workbook(tmp_path / "a.xlsx", after=lambda _, sheet: sheet.write_formula("C4", "=A1&A2"))
    assert refused(path) == ("roll_file.formula", {"row": 4})
    path = workbook(tmp_path / "b.xlsx", after=lambda _, sheet: sheet.merge_range("E3:E4", "临江街道"))
    assert refused(path) == ("roll_file.merged", {"row": 3})


def test_a_merged_title_above_the_heading_is_no_fault(tmp_path):
    path = workbook(
        tmp_path / "a.xlsx", [[], TOP, *ROWS], after=lambda _, sheet: sheet.merge_range("A1:H1", "东浦区名册")
    )
    assert len(voters_of(sources.look(path, MAP))) == 4


def test_ten_thousand_columns_are_refused(tmp_path):
    wide = [*TOP, *(f"列{n}" for n in range(10_000))]
    assert refused(workbook(tmp_path / "a.xlsx", [wide, *ROWS]))[0] == "roll_file.columns"


def repacked(path, **parts):
    """The workbook with parts of the archive replaced: name to what makes the new content of the old one."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            change = parts.get(info.filename.rpartition("/")[2].partition(".")[0], lambda part: part)
            new.writestr(info.filename, change(old.read(info)))
    path.write_bytes(content.getvalue())
    return path


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    limits = replace(sheet_child.LIMITS, unpacked=50_000_000)
    monkeypatch.setattr(sheet_child, "LIMITS", limits)
    path = workbook(tmp_path / "a.xlsx")
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename != "xl/sharedStrings.xml":
                new.writestr(info.filename, old.read(info))
        with new.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            for _ in range(limits.unpacked // (1 << 24) + 1):
                part.write(bytes(1 << 24))
    (said,) = sheet_child.said(io.BytesIO(content.getvalue()))
    assert said == {"refused": "roll_file.unpacked", "facts": {"limit": 50}}
    assert words.say(said["refused"], **said["facts"])


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path):
    path = repacked(workbook(tmp_path / "a.xlsx"), sheet1=lambda part: part + b" " * 100_000)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo("xl/worksheets/sheet1.xml").file_size
    at = content.find(size.to_bytes(4, "little"))
    while at >= 0:
        content[at : at + 4] = (2000).to_bytes(4, "little")
        at = content.find(size.to_bytes(4, "little"))
    path.write_bytes(bytes(content))
    assert refused(path)[0] == "roll_file.unreadable"


def test_entities_are_refused(tmp_path):
    def declared(part):
        head, _, rest = part.partition(b"\n")
        return head + b'\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + rest

    assert refused(repacked(workbook(tmp_path / "a.xlsx"), sheet1=declared))[0] == "roll_file.unreadable"


def test_a_cell_so_far_out_that_the_table_fills_the_memory_is_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", after=lambda _, sheet: sheet.write_string(1_048_575, 150, "x"))
    assert refused(path)[0] == "roll_file.too_much"


def test_a_process_that_meets_its_limit_is_a_refusal(tmp_path, monkeypatch):
    monkeypatch.setattr("knowledge.roll.sheets._CHILD", ("-c", "import sys; sys.stdout.write('{\"oth')"))
    assert refused(workbook(tmp_path / "a.xlsx"))[0] == "roll_file.too_much"


def test_the_process_ends_with_whoever_asked(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [TOP, *ROWS * 2000])
    table = sources.look(path, MAP)
    rows = table.rows()
    assert next(rows)[0] == 2
    rows.close()


# --- rubbish ----------------------------------------------------------------------------------------------


def test_random_bytes_and_mutated_files_are_read_or_refused_within_bounds(tmp_path):
    chance = random.Random(20261120)
    sound = text([TOP, *ROWS * 50])
    bases = [sound.encode(), sound.encode("gb18030"), sound.encode("utf-16")]
    refusals = []
    tracemalloc.start()
    for n in range(300):
        content = bytearray(chance.choice(bases) if n % 3 else chance.randbytes(chance.randrange(1, 5000)))
        for _ in range(chance.randrange(1, 30)):
            at = chance.randrange(len(content))
            content[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        try:
            for row, cells in sources.look(file(tmp_path, bytes(content)), MAP).rows():
                assert row >= 2
                assert all(isinstance(cell, str) for cell in cells)
        except Invalid as error:
            refusals.append(error)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50_000_000
    assert 100 < len(refusals) < 300
    assert all(words.say(error.key, **error.facts) for error in refusals)


def test_mutated_workbooks_are_read_or_refused(tmp_path):
    chance = random.Random(7)
    sound = workbook(tmp_path / "sound.xlsx").read_bytes()
    for n in range(400):
        content = bytearray(sound)
        for _ in range(chance.randrange(1, 12)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        # In this process: what is tried is the reading, not the start of another one.
        for line in sheet_child.said(io.BytesIO(bytes(content[: chance.randrange(20, 4 * len(content))]))):
            assert isinstance(line, dict | list), n
            if isinstance(line, dict) and "refused" in line:
                assert words.say(line["refused"], **line["facts"])
