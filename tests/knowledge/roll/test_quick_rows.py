"""Many rows at a time give what one row at a time gives, whatever stands in them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.roll.columns import Field
from knowledge.roll.digests import Digester
from knowledge.roll.duplicates import Mixer
from knowledge.roll.findings import FAULTS, Fault
from knowledge.roll.identity import DigestKey, born, read_name, with_check
from knowledge.roll.quick_rows import births
from knowledge.roll.receipts import read_code
from knowledge.roll.row_check import FIELDS, RowCheck, Stand, picked
from knowledge.roll.row_work import Checked, Job, Worker
from tests.knowledge.roll.rolls import ELECTION, HEADING, KEY, MAP, PLACE, TODAY, row
from tests.voters import CAST, RARE, REGION, voter

AT = {
    Field.NAME: 0, Field.NUMBER: 1, Field.STATUS: 2, Field.UNIT: 3, Field.DISTRICT: 4, Field.GROUP: 5,
    Field.STATION: 6,
}  # fmt: skip
JOB = Job(Path(), MAP, AT, "utf-8", ",", KEY.digest, TODAY, ELECTION, 2, bytes(range(64)), None, frozenset())
WORKER = Worker(JOB)
REFERENCE = RowCheck(MAP, TODAY, ELECTION)

Seen = dict[int, tuple[bytes, Stand] | tuple[Fault, ...]]


def one_by_one(rows: Iterable[Sequence[str]]) -> Seen:
    """What the reference says of each row: its digest and stand, or what is wrong with it."""
    found: Seen = {}
    for number, cells in enumerate(rows):
        checked = REFERENCE.row(picked(cells, AT))
        if checked is None or checked.stand.left_out:
            continue
        if checked.wrong:
            found[number] = tuple(sorted(checked.wrong))
        else:
            found[number] = KEY.digest.identity(checked.name, checked.number), checked.stand
    return found


def at_once(checked: Checked) -> Seen:
    """The same of a block."""
    found: Seen = {
        int(kept["row"]): (kept["digest"].tobytes(), checked.stands[kept["stand"]]) for kept in checked.kept
    }
    for number, _, _, fault in checked.found.tolist():
        if number not in found or isinstance(found[number][0], Fault):
            found[number] = tuple(sorted((*found.get(number, ()), FAULTS[fault])))  # type: ignore[arg-type]
    return found


def taken(found: Seen) -> list[int]:
    """Which rows were."""
    return sorted(number for number, one in found.items() if isinstance(one[0], bytes))


def block(rows: Iterable[Sequence[str]], **form: object) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, **form).writerows(rows)  # type: ignore[arg-type]
    return target.getvalue().encode()


def numbers(chance: random.Random) -> str:
    """A number, right or wrong in some way."""
    day = date(1905, 1, 1) + timedelta(chance.randrange(44_700))
    right = with_check(f"{REGION}{day:%Y%m%d}{chance.randrange(1000):03}")
    place = chance.randrange(18)
    match chance.randrange(12):
        case 0:
            return right[:6] + right[8:17]
        case 1:
            return right.lower()
        case 2:
            return right.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
        case 3:
            return right[:place] + str(chance.randrange(10)) + right[place + 1 :]
        case 4:
            return right[:17] + chance.choice("0123456789X")
        case 5:
            return right[:place] + chance.choice("x*٣ab \x1e:/") + right[place + 1 :]
        case 6:
            return with_check(f"{chance.randrange(100):02}0199{day:%Y%m%d}001")
        case 7:
            return with_check(f"{REGION}{chance.randrange(10**8):08}001")
        case 8:
            return chance.choice(("'", " ", "\t", "")) + right + chance.choice((" ", "\u3000", "\t", "0", ""))
        case _:
            return right


def names(chance: random.Random) -> str:
    """A name of one of the scripts and shapes that rolls have, or none."""
    plain = "".join(chr(chance.randrange(0x4E00, 0xA000)) for _ in range(chance.randrange(1, 5)))
    edge = chance.choice("一鿿\u3400䶿\u4dff\ua000豈㐀〇")
    rare = chance.choice(RARE)
    return chance.choice(
        (plain, plain, plain, plain + rare, f"{plain}·{rare}", f"{plain}•{rare}",
         plain + edge, f"{plain} {rare}", f"Lin{rare}", plain + "é", plain + "?", plain + "\ue123", "",
         plain * 6, plain + "1")
    )  # fmt: skip


def test_ten_thousand_numbers_give_the_same_digests_and_the_same_faults() -> None:
    chance = random.Random(2026)
    rows = [row(voter(n), name=names(chance), number=numbers(chance)) for n in range(10_000)]
    content = block(rows)
    assert b'"' not in content, "all of them are read the quick way first"
    expected = one_by_one(rows)
    assert at_once(WORKER.content(content)) == expected
    assert 2_000 < len(taken(expected)) < 8_000, "many of both"


def test_every_wrong_position_is_found_at_once_too() -> None:
    rows = [
        row(one, number=one.number[:place] + digit + one.number[place + 1 :])
        for one in map(voter, range(20))
        for place in range(18)
        for digit in "0123456789X"
    ]
    expected = one_by_one(rows)
    assert at_once(WORKER.content(block(rows))) == expected
    assert len(taken(expected)) == 20 * 18, "the digit that was there already"


@pytest.mark.parametrize(
    "form", [{"quoting": csv.QUOTE_ALL}, {"lineterminator": "\n"}, {"lineterminator": "\r\n"}]
)
def test_quotation_marks_and_line_ends_change_nothing(form: dict[str, object]) -> None:
    chance = random.Random(3)
    rows = [row(voter(n), name=names(chance), number=numbers(chance)) for n in range(600)]
    rows[7][4] = "第十二\n选区"
    rows[8][0] = f"{rows[8][0]}\x1f"
    assert at_once(WORKER.content(block(rows, **form))) == one_by_one(rows)


def test_other_encodings_and_delimiters_change_nothing() -> None:
    chance = random.Random(4)
    rows = [row(voter(n), number=numbers(chance)) for n in range(600)]
    content = block(rows, delimiter="\t").decode()
    worker = Worker(replace(JOB, encoding="gb18030", delimiter="\t"))
    assert at_once(worker.content(content.encode("gb18030"))) == one_by_one(rows)


def test_rows_that_come_with_their_numbers_are_the_same_rows() -> None:
    chance = random.Random(5)
    rows = [row(voter(n), name=names(chance), number=numbers(chance)) for n in range(600)]
    rows[5][4] = "第十二\n选区"
    rows[6][2] = "\ud800"
    checked = WORKER.rows([(10 + 2 * number, cells) for number, cells in enumerate(rows)])
    assert at_once(checked) == {10 + 2 * number: one for number, one in one_by_one(rows).items()}


CELLS = st.one_of(
    st.sampled_from(
        [*(cell for one in CAST for cell in row(one)), *row(CAST[0], status="单位登记"), "", "合计"]
    ),
    st.text(max_size=8),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELLS, max_size=9), max_size=12))
def test_whatever_stands_in_the_cells_both_ways_say_the_same(rows: list[list[str]]) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, escapechar="\\").writerows(rows)
    content = target.getvalue().encode("utf-8", "replace")
    if not content or b'"' in content or b"\r" in content.replace(b"\r\n", b""):
        return
    read = list(csv.reader(io.StringIO(content.decode(), newline="")))
    if any(
        len(cells) != text.count(",") + 1
        for cells, text in zip(read, content.decode().split("\r\n"), strict=False)
    ):
        return
    assert at_once(WORKER.content(content)) == one_by_one(read)


def test_lines_with_more_or_fewer_cells_are_read_too() -> None:
    more = [*row(CAST[0]), "备注", "备注"]
    fewer = row(CAST[1])[:6]
    rows = [more, row(CAST[2]), row(CAST[3]), fewer, [], ["合计", "4"], [""] * 7, row(voter(9))]
    found = at_once(WORKER.content(block(rows)))
    assert found == one_by_one(rows)
    assert taken(found) == [0, 1, 2, 3, 7]
    assert found[5] == (Fault.SHAPE, Fault.STATUS, Fault.UNIT)


def test_bytes_that_are_no_text_make_their_row_wrong_and_no_other() -> None:
    content = block([row(CAST[0]), row(CAST[1]), row(CAST[2])]).replace(CAST[1].name.encode(), b"\xff\xfe")
    found = at_once(WORKER.content(content))
    assert found[1] == (Fault.UNREADABLE,)
    assert taken(found) == [0, 2]


def test_the_table_of_births_is_the_rule_of_births() -> None:
    for today in (TODAY, date(2024, 2, 29)):
        table, first = births(today, 99_999_999)
        days = [
            year + month + day
            for year in range(0, len(table), 170_000)
            for month in range(0, 1400, 100)
            for day in range(33)
        ]
        late = range(len(table) - 10_000, len(table), 7)
        for offset in (*days, *late):
            assert table[offset] == (born(str(first * 10_000 + offset), today) is not None)


def test_who_is_not_of_age_on_election_day_is_not_read_the_quick_way() -> None:
    table, first = births(TODAY, 20081216)
    assert table[20081216 - first * 10_000]
    assert not table[20081217 - first * 10_000]


def test_the_common_characters_are_names_as_they_are() -> None:
    assert [read_name(chr(code)) for code in range(0x4E00, 0xA000)] == [
        chr(code) for code in range(0x4E00, 0xA000)
    ]


@pytest.mark.parametrize("secret", [b"", b"k" * 32, b"k" * 64, b"k" * 65])
def test_digests_of_many_are_those_of_one(secret: bytes) -> None:
    key = DigestKey("东浦区2026", secret)
    found = Digester(key, "identity").all(f"{one.name}\x1f{one.number}".encode() for one in CAST)
    assert [one.tobytes() for one in found] == [key.identity(one.name, one.number) for one in CAST]
    assert Digester(key, "identity").all([]).shape == (0, 16)


def test_numbers_are_compared_as_other_numbers() -> None:
    numbers = np.arange(10**16, 10**16 + 5_000, dtype=np.uint64)
    mixed = Mixer(bytes(range(64))).mixed(numbers)
    assert len(np.unique(mixed)) == len(numbers)
    assert not set(mixed.tolist()) & set(numbers.tolist())
    assert not (mixed == Mixer(bytes(64)).mixed(numbers)).any()


def test_receipts_are_those_of_the_registered_and_the_protected() -> None:
    rows = [row(CAST[0]), row(CAST[1], status="待核实"), row(CAST[2], number="1"), row(CAST[3])]
    hidden = KEY.digest.identity(CAST[3].name, CAST[3].number)
    worker = Worker(replace(JOB, codes=bytes(32), suppressed=frozenset({hidden})))
    kept = worker.content(block(rows)).kept
    marks = sorted((int(one["row"]), int(one["mark"])) for one in kept)
    assert marks == [(0, 1), (0, 1 | 8), (1, 0), (3, 2), (3, 2 | 8)]


def test_fields_and_heading_agree() -> None:
    assert [FIELDS.index(name) for name in AT] == sorted(FIELDS.index(name) for name in AT)
    assert len(HEADING) == len(AT)
    assert PLACE[1] == "12-03"
    assert read_code(CAST[0].receipt) == CAST[0].receipt
