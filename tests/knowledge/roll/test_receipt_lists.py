"""The print list of receipt codes: each code beside its person, and a warning over all of it."""

from __future__ import annotations

from python_calamine import CalamineWorkbook

from knowledge.roll import receipt_lists, receipts, sources
from knowledge.roll.receipt_lists import Slip
from knowledge.roll.records import Mark
from office.words import say
from tests.knowledge.roll.rolls import KEY, MAP, built, records, row, text
from tests.voters import AYGUL, CAST, HE_JIE, LIN_YAN, OUYANG


def rows_of(path):
    book = CalamineWorkbook.from_path(path)
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def test_each_code_stands_beside_its_person(tmp_path):
    rows = [row(LIN_YAN), row(HE_JIE, status="单位登记"), row(OUYANG, unit="云外街道"), row(AYGUL)]
    source = tmp_path / "a.csv"
    source.write_text(text(rows), encoding="utf-8")
    with built(tmp_path, rows, with_receipts=True) as made:
        found = list(receipt_lists.slips(sources.look(source, MAP), MAP, made.receipts))
        kept = records(made)
    assert [(slip.row, slip.name, slip.unit, slip.group) for slip in found] == [
        (2, LIN_YAN.name, "临江街道", "12-03"),
        (5, AYGUL.name, "临江街道", "12-03"),
    ]
    for slip in found:
        code = receipts.read_code(slip.code)
        assert kept[KEY.digest.receipt(code)][1] & Mark.RECEIPT


def test_the_list_warns_and_repeats_its_heading(tmp_path):
    path = tmp_path / "slips.xlsx"
    count = receipt_lists.write(path, [Slip(2, "=林", "临江街道", "12-03", "K7M2-9QXD-4E")])
    ((warning, headings, first),) = rows_of(path)
    assert count == 1
    assert warning[0] == say("roll_slips.warning")
    assert headings == ["行号", "姓名", "单位", "小组", "回执码"]
    assert first == [2.0, "'=林", "临江街道", "12-03", "K7M2-9QXD-4E"]


def test_a_long_list_goes_on_on_another_sheet(tmp_path, monkeypatch):
    monkeypatch.setattr(receipt_lists, "A_SHEET", 2)
    path = tmp_path / "slips.xlsx"
    slips = [Slip(at, voter.name, "临江街道", "12-03", "x") for at, voter in enumerate(CAST)]
    assert receipt_lists.write(path, slips) == 4
    assert [len(sheet) for sheet in rows_of(path)] == [4, 4]


def test_an_empty_list_still_warns(tmp_path):
    path = tmp_path / "slips.xlsx"
    assert receipt_lists.write(path, []) == 0
    assert len(rows_of(path)[0]) == 2
