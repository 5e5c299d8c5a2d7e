"""A roll file becomes records of a package; bad rows are told by their row and stop no other."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.roll import building, crew, keys, package, receipt_rows, row_blocks, sources, stand_table
from knowledge.roll.columns import Status
from knowledge.roll.findings import Fault, Sort, sort_of
from knowledge.roll.identity import DIGEST_VERSION, with_check
from knowledge.roll.package import Header
from knowledge.roll.receipts import read_code
from knowledge.roll.records import Mark
from office import words
from office.errors import Invalid
from office.words import LANGUAGES
from tests.knowledge.roll.rolls import (
    ELSEWHERE,
    KEY,
    MAP,
    NEAR,
    PLACE,
    TODAY,
    built,
    digest,
    records,
    row,
    text,
    told,
)
from tests.voters import AYGUL, CAST, HE_JIE, LIN_YAN, OUYANG, REGION, TAO_MIN, voter

ROOT = Path(__file__).parent.parent.parent.parent


def many(count: int) -> list[list[str]]:
    return [row(voter(n), place=(PLACE, NEAR, ELSEWHERE)[n % 3]) for n in range(count)]


# --- rows that are right ---


def test_a_voter_becomes_a_digest_a_mark_and_a_place(tmp_path: Path) -> None:
    rows = [row(LIN_YAN), row(HE_JIE, status="待核实", place=ELSEWHERE), row(OUYANG), row(AYGUL)]
    with built(tmp_path, rows) as made:
        assert records(made) == {
            digest(LIN_YAN): (PLACE, Mark.REGISTERED),
            digest(HE_JIE): (ELSEWHERE, Mark(0)),
            digest(OUYANG): (PLACE, Mark.REGISTERED),
            digest(AYGUL): (PLACE, Mark.REGISTERED),
        }
        assert made.places == (PLACE, ELSEWHERE)
        assert not told(made)
        assert made.counts == {
            "read": 4, "good": 4, "refused": 0, "doubtful": 0, "persons": 4, "registered": 3,
            "ask_station": 1, "suppressed": 0, "canaries": 0, "receipts": 0,
        }  # fmt: skip


def test_a_package_of_it_is_taken(tmp_path: Path) -> None:
    with built(tmp_path, many(300), with_receipts=True) as made:
        header = Header(
            "0" * 32, KEY.digest.election, KEY.digest.key_id, KEY.signer, datetime(2026, 11, 20, tzinfo=UTC),
            DIGEST_VERSION, made.rows, made.places, made.counts,
        )  # fmt: skip
        package.write(tmp_path / "roll.owr", header, made.blocks(), KEY)
        assert package.check(tmp_path / "roll.owr").header.counts == made.counts
        assert sum(map(len, made.blocks())) == made.rows == 600


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"number": f"'{LIN_YAN.number}"}, LIN_YAN),
        ({"number": f'="{LIN_YAN.number}"'}, LIN_YAN),
        ({"number": f"{LIN_YAN.number}\t"}, LIN_YAN),
        ({"number": LIN_YAN.number.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})}, LIN_YAN),
        ({"name": " 林　䶮 "}, LIN_YAN),
        ({"status": " 已登记 "}, LIN_YAN),
        ({"place": ("第十二选区", "12－3", "12-03")}, LIN_YAN),
    ],
)
def test_what_spreadsheets_do_to_cells_is_taken_as_meant(
    tmp_path: Path, given: dict[str, object], meant: object
) -> None:
    with built(tmp_path, [row(LIN_YAN, **given)]) as made:  # type: ignore[arg-type]
        assert records(made) == {digest(LIN_YAN): (PLACE, Mark.REGISTERED)}
        assert not told(made)


def test_who_is_registered_elsewhere_is_only_counted(tmp_path: Path) -> None:
    rows = [
        row(LIN_YAN),
        row(HE_JIE, status="回户籍地登记"),
        row(OUYANG, status="单位登记", number="", place=("", "", "")),
        row(AYGUL, status="下落不明", unit="北塘镇"),
    ]
    with built(tmp_path, rows) as made:
        assert list(records(made)) == [digest(LIN_YAN)]
        assert not told(made)
        near, far = made.units["临江街道"], made.units["北塘镇"]
        assert (near.registered, near.left_out, near.read) == (
            1,
            {Status.HOMETOWN: 1, Status.WORKPLACE: 1},
            3,
        )
        assert (far.taken, far.left_out, far.read) == (0, {Status.UNABLE: 1}, 1)
        assert (made.counts["read"], made.counts["good"], made.counts["refused"]) == (4, 1, 0)


# --- rows that are wrong ---

WRONG = [
    ({"number": LIN_YAN.number[:17]}, Fault.SHAPE),
    ({"number": ""}, Fault.SHAPE),
    ({"number": with_check("99019919780312101")}, Fault.REGION),
    ({"number": with_check(f"{REGION}19780230101")}, Fault.BIRTH),
    ({"number": LIN_YAN.number[:17] + ("0" if LIN_YAN.number[17] != "0" else "1")}, Fault.CHECK),
    ({"number": "3.10199E+17"}, Fault.NUMERIC),
    ({"name": ""}, Fault.NAME),
    ({"name": "林䶮1"}, Fault.NAME),
    ({"name": "林\ue431"}, Fault.PRIVATE),
    ({"name": "林\U000f0001"}, Fault.PRIVATE),
    ({"name": "林?"}, Fault.PLACEHOLDER),
    ({"name": "林□"}, Fault.PLACEHOLDER),
    ({"name": "林*"}, Fault.PLACEHOLDER),
    ({"name": "林\ufffd"}, Fault.UNREADABLE),
    ({"status": "也许"}, Fault.STATUS),
    ({"status": ""}, Fault.STATUS),
    ({"unit": "云外街道"}, Fault.UNIT),
    ({"status": "单位登记", "unit": "云外街道"}, Fault.UNIT),
    ({"place": ("第十二选区", "十二之三", "12-03")}, Fault.GROUP),
    ({"place": ("第十二选区", "1203", "12-03")}, Fault.GROUP),
    ({"place": ("第十二选区", "", "12-03")}, Fault.GROUP),
    ({"place": ("", "12-03", "12-03")}, Fault.DISTRICT),
    ({"place": (LIN_YAN.number, "12-03", "12-03")}, Fault.DISTRICT),
    ({"place": ("第十二选区", "12-03", "书香苑")}, Fault.STATION),
    ({"place": ("第十二选区", "12-03", LIN_YAN.number[:15])}, Fault.DISTRICT),
]


@pytest.mark.parametrize(("spoilt", "fault"), WRONG)
def test_a_bad_row_is_told_by_its_row_and_stops_no_other(
    tmp_path: Path, spoilt: dict[str, object], fault: Fault
) -> None:
    rows = [row(HE_JIE), row(LIN_YAN, **spoilt), row(OUYANG)]  # type: ignore[arg-type]
    with built(tmp_path, rows) as made:
        assert told(made) == [(fault, 3, ())]
        assert set(records(made)) == {digest(HE_JIE), digest(OUYANG)}
        assert (made.counts["read"], made.counts["good"], made.counts["refused"]) == (3, 2, 1)
        found = next(iter(made.findings))
        assert found.sort is Sort.WRONG
        assert found.unit == ("" if fault is Fault.UNIT else "临江街道")
        assert not any(value and str(value) in repr(found) for value in (LIN_YAN.name, LIN_YAN.number[:15]))


def test_everything_that_is_wrong_with_a_row_is_told(tmp_path: Path) -> None:
    with built(tmp_path, [row(LIN_YAN, name="?", number="1", status="?", unit="?")]) as made:
        assert {found.fault for found in made.findings} == {
            Fault.PLACEHOLDER, Fault.SHAPE, Fault.STATUS, Fault.UNIT,
        }  # fmt: skip
        assert made.counts["refused"] == 1
        assert not made.places


def test_doubtful_rows_are_taken_and_told_apart(tmp_path: Path) -> None:
    old = voter(7)
    rows = [row(old, number=old.number[:6] + old.number[8:17]), row(TAO_MIN), row(LIN_YAN)]
    young = with_check(f"{REGION}20081217505")
    with built(tmp_path, [*rows, row(HE_JIE, number=young)]) as made:
        assert told(made) == [(Fault.OLD_FORM, 2, ()), (Fault.UNDER_AGE, 5, ())]
        assert {found.sort for found in made.findings} == {Sort.DOUBTFUL}
        found = records(made)
        assert found[digest(old)] == (PLACE, Mark.REGISTERED), "both forms of a number give one digest"
        assert found[digest(TAO_MIN)] == (PLACE, Mark.REGISTERED), "eighteen by election day"
        assert found[KEY.digest.identity(HE_JIE.name, young)] == (PLACE, Mark(0))
        assert made.counts["doubtful"] == 2


def test_without_an_election_day_nobody_is_too_young(tmp_path: Path) -> None:
    young = with_check(f"{REGION}20251217505")
    with built(tmp_path, [row(HE_JIE, number=young)], election_day=None) as made:
        assert not told(made)


def test_findings_come_by_sort_then_fault_then_row(tmp_path: Path) -> None:
    rows = [row(voter(n), name="?" if n % 2 else None, number="1" if n % 3 else None) for n in range(40)]
    rows += [row(voter(50)), row(voter(50), place=ELSEWHERE)]
    with built(tmp_path, rows) as made:
        order = [(list(Sort).index(f.sort), list(Fault).index(f.fault), f.row) for f in made.findings]
        assert order == sorted(order)
        assert len(made.findings) == len(order) == sum(made.findings.counts.values())
        assert list(made.findings) == list(made.findings), "they can be gone through again"


def test_every_fault_has_its_words_in_both_languages() -> None:
    for language in LANGUAGES:
        assert not {f"roll_row.{fault}" for fault in Fault} - set(words.catalogue(language))
    assert {sort_of(fault) for fault in Fault} == set(Sort)


def test_a_file_of_bad_rows_is_told_and_carries_nobody(tmp_path: Path) -> None:
    rows = [row(voter(n), number=str(n)) for n in range(2_000)]
    with built(tmp_path, rows) as made:
        assert (made.counts["refused"], made.rows, len(made.findings)) == (2_000, 0, 2_000)
        assert [found.row for found in made.findings] == list(range(2, 2_002))
        assert list(made.blocks()) == []


def test_more_places_than_a_package_can_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_table, "MOST_PLACES", 2)
    with built(tmp_path, many(9), with_receipts=True) as made:
        assert len(made.places) == 2
        assert told(made) == [(Fault.PLACES, 4, ()), (Fault.PLACES, 7, ()), (Fault.PLACES, 10, ())]
        assert (made.counts["refused"], made.counts["persons"], made.counts["receipts"]) == (3, 6, 6)
        assert made.units["临江街道"].read == 9


# --- every row in its place ---


def test_rows_are_counted_as_spreadsheets_do(tmp_path: Path) -> None:
    lines = text([row(HE_JIE), row(LIN_YAN, number="1")]).split("\r\n")
    gap = "\r\n".join([*lines[:2], "", ",,,,,,", lines[2]])
    with built(tmp_path, gap) as made:
        assert told(made) == [(Fault.SHAPE, 5, ())]
        assert made.counts["read"] == 2
    broken = row(HE_JIE, place=("第十二\n选区", "12-03", "12-03"))
    with built(tmp_path, [broken, row(LIN_YAN, number="1"), row(OUYANG)]) as made:
        assert told(made) == [(Fault.SHAPE, 3, ())]
        assert made.counts["good"] == 2


@pytest.mark.parametrize("fault", ['"第十二选区', '第十二"选区', '"第"十二选区'])
def test_a_quotation_mark_that_is_missing_loses_one_row_at_most(tmp_path: Path, fault: str) -> None:
    lines = text(many(90)).split("\r\n")
    lines[69] = lines[69].replace(lines[69].split(",")[4], fault)
    for again in (False, True):
        if again:
            lines[80] = lines[80].replace("第", '"第', 1)
        with built(tmp_path, "\r\n".join(lines)) as made:
            assert made.counts["read"] == 90
            assert made.counts["good"] >= 88
            assert {found.row for found in made.findings} <= {70, 81}
        read = list(row_blocks.numbered(sources.look(tmp_path / "roll.csv", MAP)))
        assert [number for number, _ in read] == list(range(2, 92))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_encodings_give_the_same_package(tmp_path: Path, encoding: str) -> None:
    rows = [*many(40), row(LIN_YAN, number="1")]
    with built(tmp_path, rows) as plain, built(tmp_path, text(rows).encode(encoding)) as other:
        assert records(other) == records(plain)
        assert told(other) == told(plain) == [(Fault.SHAPE, 42, ())]


@pytest.mark.parametrize("column", range(7))
def test_a_line_break_in_any_cell_leaves_one_row(column: int) -> None:
    cells = row(LIN_YAN)
    cells[column] = f"{cells[column][:1]}\n{cells[column][1:]}"
    for form in ({}, {"quoting": csv.QUOTE_ALL}):
        target = io.StringIO(newline="")
        csv.writer(target, **form).writerows([cells, row(HE_JIE)])  # type: ignore[arg-type]
        assert list(row_blocks.rows(target.getvalue(), ",", 7)) == [cells, row(HE_JIE)]


@given(
    st.lists(st.lists(st.text('ab,"\n', max_size=6), min_size=2, max_size=3), min_size=1, max_size=20),
    st.integers(1, 40),
)
def test_blocks_end_where_rows_end(rows: list[list[str]], size: int) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, quoting=csv.QUOTE_ALL).writerows(rows)
    content = target.getvalue()
    read = [
        cells
        for block in row_blocks.blocks(io.BytesIO(content.encode()), size, 10_000)
        for cells in csv.reader(io.StringIO(block.decode(), newline=""))
    ]
    assert read == rows


def test_blocks_are_bounded_whatever_stands_in_the_file() -> None:
    for content in (b'"' + b"a\n" * 5_000, b"a" * 10_000, b'a"\n' * 5_000, b"\r" * 500, b"a,b\rc,d\r" * 800):
        found = list(row_blocks.blocks(io.BytesIO(content), 256, 511))
        assert max(map(len, found)) <= 256 + 512
        assert b"".join(found) == content
        assert all(row_blocks.lined(block).endswith(b"\n") for block in found)


def test_a_row_that_runs_on_is_cut_off() -> None:
    lines = ['a,"b\n', *["c,d\n"] * 500]
    assert list(row_blocks.rows("".join(lines), ",", 2)) == [["a", "b\n"], *[["c", "d"]] * 500]
    lines = ['a,"b\n', *["x\n"] * 500]
    found = list(row_blocks.rows("".join(lines), ",", 2))
    assert found == [["a", "b\n"], *[["x"]] * 500]


# --- protected persons, canaries, receipts ---


def test_protected_persons_are_sent_to_the_station_and_counted(tmp_path: Path) -> None:
    protected = {digest(HE_JIE), digest(TAO_MIN)}
    with built(tmp_path, [row(LIN_YAN), row(HE_JIE)], suppressed=protected, with_receipts=True) as made:
        found = records(made)
        assert found[digest(HE_JIE)] == (PLACE, Mark.SUPPRESSED)
        assert digest(TAO_MIN) not in found, "who is on no roll is not put on one"
        assert sorted(mark for _, mark in found.values()) == [1, 2, 9, 10]
        assert (made.counts["suppressed"], made.counts["registered"], made.counts["ask_station"]) == (1, 1, 1)
        assert made.units["临江街道"].ask_station == 1


def test_a_canary_looks_like_the_others(tmp_path: Path) -> None:
    canaries = [bytes([n]) * 16 for n in range(5)]
    with built(tmp_path, many(9), canaries=[*canaries, digest(voter(3))]) as made:
        found = records(made)
        assert all(found[one][1] == Mark.CANARY | Mark.REGISTERED for one in canaries)
        assert found[digest(voter(3))] == (PLACE, Mark.REGISTERED), "the person comes first"
        assert (made.counts["canaries"], made.counts["persons"], made.rows) == (5, 9, 14)


def test_receipts_are_listed_by_row_and_found_in_the_package(tmp_path: Path) -> None:
    rows = [row(LIN_YAN), row(HE_JIE, status="待核实"), row(OUYANG, place=ELSEWHERE), row(LIN_YAN)]
    with built(tmp_path, rows, with_receipts=True) as made:
        listed = list(made.receipts)
        assert [number for number, _ in listed] == [2, 4]
        assert len(made.receipts) == made.counts["receipts"] == 2
        found = records(made)
        for (_, code), place in zip(listed, (PLACE, ELSEWHERE), strict=True):
            assert found[KEY.digest.receipt(read_code(code))] == (place, Mark.REGISTERED | Mark.RECEIPT)
        assert len(found) == made.rows == 5


def test_receipts_of_rows_that_come_with_numbers_are_listed_too(tmp_path: Path) -> None:
    with built(tmp_path, text(many(5)).encode("utf-16"), with_receipts=True) as made:
        found = records(made)
        assert [number for number, _ in made.receipts] == [2, 3, 4, 5, 6]
        assert all(KEY.digest.receipt(code) in found for _, code in made.receipts)


def test_a_person_keeps_the_code_in_every_build_under_one_key(tmp_path: Path) -> None:
    people = many(50)
    with (
        built(tmp_path, people, with_receipts=True) as one,
        built(tmp_path, text([row(TAO_MIN), *people[::-1]]).encode("utf-16"), with_receipts=True) as later,
    ):
        first, second = [code for _, code in one.receipts], [code for _, code in later.receipts]
        assert first == second[:0:-1]
        assert set(records(one)) < set(records(later))


def test_another_key_gives_other_codes(tmp_path: Path) -> None:
    other = keys.OfflineKey(KEY.digest, keys.make(KEY.digest.election).signing)
    with built(tmp_path, many(50), with_receipts=True) as one:
        table = sources.look(tmp_path / "roll.csv", MAP)
        with building.build(table, MAP, other, today=TODAY, with_receipts=True) as two:
            assert not {code for _, code in one.receipts} & {code for _, code in two.receipts}
            persons = {digest(voter(n)) for n in range(50)}
            assert set(records(one)) & set(records(two)) == persons


def test_two_persons_with_one_code_get_no_receipt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = receipt_rows.Codes.values
    alike = [np.frombuffer(digest(one), np.uint8) for one in (LIN_YAN, OUYANG)]

    def values(codes: receipt_rows.Codes, persons: Any) -> Any:
        found = true(codes, persons)
        for one in alike:
            found[(persons == one).all(axis=1)] = 77
        return found

    monkeypatch.setattr(receipt_rows.Codes, "values", values)
    rows = [row(LIN_YAN), row(HE_JIE), row(OUYANG, place=ELSEWHERE), row(LIN_YAN)]
    with built(tmp_path, rows, with_receipts=True) as made:
        found = records(made)
        assert KEY.digest.receipt(receipt_rows.text(77)) not in found
        assert [number for number, _ in made.receipts] == [3]
        assert (made.counts["receipts"], made.counts["registered"]) == (1, 3)
        assert made.rows == len(found) == 4
        assert found[digest(OUYANG)] == (ELSEWHERE, Mark.REGISTERED)
    # The code of one person who is in two rows is no such case.
    with built(tmp_path, [row(LIN_YAN), row(HE_JIE), row(LIN_YAN)], with_receipts=True) as made:
        assert [number for number, _ in made.receipts] == [2, 3]


# --- processes, memory, traces ---


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_WORTH_IT", 0)
    monkeypatch.setattr(row_blocks, "SIZE", 4_000)


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_processes_make_the_same_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_processes: None, way: str
) -> None:
    import multiprocessing

    monkeypatch.setattr(crew, "_context", lambda: multiprocessing.get_context(way))
    rows = [*many(400), row(LIN_YAN, number="1"), *many(20)]
    with built(tmp_path, rows, workers=1) as one, built(tmp_path, rows, workers=2) as two:
        assert records(two) == records(one)
        assert told(two) == told(one)
        assert (two.counts, two.units) == (one.counts, one.units)


def test_records_in_many_buckets_are_those_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*many(500), *many(5), row(voter(3), place=ELSEWHERE)]
    with built(tmp_path, rows) as one:
        monkeypatch.setattr(building, "bits_for", lambda size: 6)
        with built(tmp_path, rows) as parted:
            assert records(parted) == records(one)
            assert sorted(told(parted)) == sorted(told(one))
            order = [entry["digest"].tobytes() for block in parted.blocks() for entry in block]
            assert all(first < second for first, second in pairwise(order))


def test_progress_goes_up_to_the_end(tmp_path: Path, in_processes: None) -> None:
    seen: list[tuple[int, int]] = []
    content = text(many(400))
    with built(tmp_path, content, workers=1, progress=lambda *at: seen.append(at)):
        assert seen == sorted(seen)
        assert len(seen) > 5
        heading = len(content.split("\n")[0].encode()) + 1
        assert seen[-1] == (len(content.encode()) - heading,) * 2


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_nothing_is_left_beside_the_file_and_nothing_to_be_seen_meanwhile(
    tmp_path: Path, traces: Path, in_processes: None
) -> None:
    seen = []

    def look(done: int, whole: int) -> None:
        seen.append(list(traces.iterdir()))

    with built(tmp_path, many(200), workers=1, progress=look):
        assert list(traces.iterdir()) == []
    assert seen
    assert not any(seen)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["roll.csv", "temp"]


def test_a_build_that_breaks_off_leaves_nothing_and_says_nothing(
    tmp_path: Path, traces: Path, in_processes: None
) -> None:
    def stop(done: int, whole: int) -> None:
        raise Invalid("stopped")

    for workers in (1, 2):
        with pytest.raises(Invalid) as caught:
            built(tmp_path, many(200), workers=workers, progress=stop)
        assert not any(one.name in str(caught.value) for one in CAST)
        assert list(traces.iterdir()) == []


@pytest.mark.parametrize("bad", [False, True])
def test_ten_times_as_many_rows_take_no_more_memory(tmp_path: Path, bad: bool) -> None:
    """The whole program is measured, interpreter and all."""
    taken = []
    for count in (10_000, 100_000) if bad else (20_000, 200_000):
        path = tmp_path / f"{count}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text([]))
            for n in range(count):
                number = f"{REGION}{19_300_101 + n // 1_000 % 78 * 10_000 + n // 78_000 * 100}{n % 1_000:03}"
                place = ",".join(("已登记", "临江街道", *PLACE))
                file.write(f"林䶮,{n if bad else with_check(number)},{place}\r\n")
        done = subprocess.run(
            [sys.executable, "-m", "tests.knowledge.roll.rolls", str(path)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        kilobytes, rows = map(int, done.stdout.split())
        assert rows == (0 if bad else count)
        taken.append(kilobytes)
    assert taken[1] <= 1.25 * taken[0]
