"""The report: what is wrong by row numbers, what to do, whether the tables add up, and nobody's name."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime

import pytest
from python_calamine import CalamineWorkbook

from knowledge.roll import balance, reports
from knowledge.roll.balance import Totals
from knowledge.roll.columns import BadPack
from knowledge.roll.findings import Fault
from knowledge.roll.reports import About
from office.words import LANGUAGES, say
from tests.knowledge.roll.rolls import ELSEWHERE, MAP, NEAR, built, row
from tests.voters import AYGUL, CAST, HE_JIE, LIN_YAN, OUYANG, RARE, TAO_MIN

NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
ABOUT = About("=roll.csv", MAP.name, "0" * 32, NOW)
REPORTED = {"hometown": 2052, "workplace": 4067, "unable": 28}
ROWS = [
    row(LIN_YAN),
    row(LIN_YAN, place=ELSEWHERE),
    row(HE_JIE, number=HE_JIE.number[:17] + "?"),
    row(OUYANG, unit="云外街道"),
    row(AYGUL, status="单位登记"),
    row(TAO_MIN),
    row(TAO_MIN, place=NEAR),
]


def written(tmp_path, rows=ROWS, about=ABOUT):
    """The sheets of the report as lists of rows, by name."""
    path = tmp_path / "report.xlsx"
    with built(tmp_path, rows) as made:
        reports.write(made, path, about)
        lines = reports.summary(made, about)
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}, lines, path


def test_each_sort_has_its_sheet(tmp_path):
    sheets, _, _ = written(tmp_path)
    assert list(sheets) == ["汇总", "错登", "重登", "存疑", "平衡表"]
    assert sheets["错登"][0] == ["行号", "相关行号", "单位", "问题", "怎么办"]
    wrong = {(int(row), what) for row, _, _, what, _ in sheets["错登"][1:]}
    assert wrong == {(4, say("roll_row.shape")), (5, say("roll_row.unit"))}
    assert {say("roll_row.across"), say("roll_row.within")} == {line[3] for line in sheets["重登"][1:]}
    assert all(line[4] for name in ("错登", "重登") for line in sheets[name][1:])


def test_nobody_is_named(tmp_path):
    _, lines, path = written(tmp_path)
    with zipfile.ZipFile(path) as packed:
        content = "".join(packed.read(name).decode() for name in packed.namelist()) + "\n".join(lines)
    for voter in (*CAST, TAO_MIN):
        assert voter.number not in content
        assert voter.number[6:] not in content
    assert not set(content) & set(RARE)


def test_what_a_spreadsheet_would_calculate_is_a_text(tmp_path):
    sheets, _, _ = written(tmp_path)
    assert ["文件", "'=roll.csv"] in [line[:2] for line in sheets["汇总"]]


def test_without_totals_the_sums_of_the_file_are_shown(tmp_path):
    sheets, lines, _ = written(tmp_path)
    whole = next(line for line in sheets["平衡表"] if line[0] == "合计")
    adults, registered, missing = (int(cell) for cell in whole[1:4])
    assert adults == registered + missing
    assert whole[-1] == "平"
    assert say("roll_report.compare") in lines


def test_totals_are_compared_with_the_file(tmp_path):
    totals = [Totals("临江街道", 3, 2, 1, {"workplace": 1}, 3)]
    sheets, lines, _ = written(tmp_path, about=About("a.csv", MAP.name, "", NOW, totals, "totals.yaml"))
    verdict = sheets["平衡表"][1][-1]
    assert "不可能：投票 3 多于已登记 2" in verdict
    assert "与文件不符" in verdict
    assert any("totals.yaml" in line for line in lines)


def test_a_file_without_faults_has_empty_sheets(tmp_path):
    sheets, _, _ = written(tmp_path, [row(voter) for voter in CAST])
    assert [sheets[name][1][0] for name in ("错登", "重登", "存疑")] == ["没有"] * 3


def test_a_mistake_made_many_times_is_cut_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "MOST_ROWS", 3)
    sheets, _, _ = written(tmp_path, [row(LIN_YAN), *[row(OUYANG, unit="云外街道")] * 5])
    assert len(sheets["错登"]) == 5
    assert "2" in sheets["错登"][-1][0]


def test_every_fault_has_words_and_something_to_do():
    for fault in Fault:
        for language in LANGUAGES:
            assert say(f"roll_row.{fault}", language)
            assert say(f"roll_todo.{fault}", language)


# --- the two tables ---------------------------------------------------------------------------------------


def test_tables_that_add_up():
    assert not Totals("临江街道", 33613, 27466, 6147, REPORTED).faults()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (Totals("", 33613, 27466, 6146, {"hometown": 6146}), "roll_balance.sum"),
        (Totals("", 33613, 27466, 6147, REPORTED | {"unable": 27}), "roll_balance.reasons"),
        (Totals("", 33613, 27466, 6147, REPORTED, 28419), "roll_balance.votes"),
    ],
)
def test_tables_that_do_not(line, key):
    (fault,) = line.faults()
    assert fault.key == key
    for language in LANGUAGES:
        assert "{" not in say(fault.key, language, **fault.facts)


def test_a_file_of_totals_is_read(tmp_path):
    path = tmp_path / "totals.yaml"
    path.write_text(
        "- {unit: LJ, adults: 33613, registered: 27466, not_registered: 6147,\n"
        "   reasons: {hometown: 2052, workplace: 4067, unable: 28}, votes: 27000}\n",
        encoding="utf-8",
    )
    assert balance.read(path, MAP) == [Totals("临江街道", 33613, 27466, 6147, REPORTED, 27000)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("- {unit: 云外街道, adults: 1, registered: 1, not_registered: 0, reasons: {}}", "roll_balance.unit"),
        ("- {unit: LJ, adults: 一, registered: 1, not_registered: 0, reasons: {}}", "roll_balance.amount"),
        ("- {unit: LJ, adults: -1, registered: 1, not_registered: 0, reasons: {}}", "roll_balance.amount"),
        (
            "- {unit: LJ, adults: 1, registered: 1, not_registered: 0, reasons: {moon: 1}}",
            "pack_field_unknown",
        ),
        ("- {unit: LJ, adults: 1}", "pack_field_missing"),
    ],
)
def test_a_faulty_file_of_totals_is_refused_with_its_line(tmp_path, text, key):
    path = tmp_path / "totals.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadPack) as refused:
        balance.read(path, MAP)
    assert (refused.value.key, refused.value.line) == (key, 1)
