"""The sample: the same voters for a seed, sound ones first, a known share of each fault behind them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from knowledge.roll import columns, identity, receipts, sample
from knowledge.roll.columns import CARRIED, Field, Status
from knowledge.roll.row_check import PLACE_FIELDS
from knowledge.roll.sample import Fault
from tests.voters import RARE

TODAY = date(2026, 11, 20)
ROWS = list(sample.voters(4000))


def test_the_same_voters_come_for_a_seed_whatever_their_number():
    assert list(sample.voters(500)) == ROWS[:500]
    assert [row.number for row in sample.voters(500, 7)] != [row.number for row in ROWS[:500]]


def test_the_first_ones_are_sound_and_can_be_looked_up():
    for row in ROWS[: sample.SOUND]:
        assert row.fault is None
        assert row.status in CARRIED
        assert identity.read_number(row.number, TODAY) == row.number
        assert identity.read_name(row.name) == row.name
        assert receipts.read_code(row.receipt) == row.receipt
    assert {row.status for row in ROWS[:3]} == {Status.REGISTERED, Status.ASK_STATION}


def test_nobody_bears_their_numbers_and_they_are_of_age():
    assert all(row.number.startswith(sample.REGION) for row in ROWS)
    years = [int(row.number[6:10]) for row in ROWS if row.fault is None]
    assert min(years) < 1950
    assert max(years) == 2008


def test_numbers_and_codes_come_once():
    sound = [row.number for row in ROWS if row.fault is None]
    assert len(set(sound)) == len(sound)
    assert len({row.receipt for row in ROWS}) == len(ROWS)


def test_names_are_of_every_kind_and_none_of_the_casts():
    names = "".join(row.name for row in ROWS)
    assert "·" in names
    assert "欧阳" in names
    assert any(ord(letter) > 0xFFFF for letter in names)
    assert not set(names) & set(RARE)


def test_each_fault_has_its_share():
    found = Counter(row.fault for row in ROWS)
    assert set(found) == {None, *Fault}
    assert found.total() - found[None] == (len(ROWS) - sample.SOUND) // sample.ONE_IN
    assert max(found[fault] for fault in Fault) - min(found[fault] for fault in Fault) <= 1


def test_doubles_stand_elsewhere_than_the_first():
    by_number = {row.number: row for row in ROWS if row.fault is None}
    for row in ROWS:
        first = by_number.get(row.number)
        if row.fault is Fault.TWICE:
            assert (row.place.district, row.name) == (first.place.district, first.name)
            assert row.place != first.place
        elif row.fault is Fault.TWICE_ACROSS:
            assert row.place.district != first.place.district
        elif row.fault is Fault.OTHER_NAME:
            assert row.name != first.name


@pytest.mark.parametrize("name", ["riverside", "cornerstone"])
def test_a_row_is_written_as_the_platform_writes_it(name):
    used = columns.load(name)
    for row in ROWS[:50]:
        cells = sample.cells(row, used)
        assert set(cells) == set(used.headings)
        assert used.status(cells[Field.STATUS]) is row.status
        place = used.place(*(cells.get(field, "") for field in PLACE_FIELDS[1:]))
        assert place == row.place


def test_a_map_with_other_units_gets_places_of_its_own():
    own = columns.read(
        (columns.FOLDER / "riverside.yaml").read_text(encoding="utf-8").replace("临江街道", "云外街道")
        .replace("和兴街道", "云中街道").replace("北塘镇", "云上镇"), "own.yaml",
    )  # fmt: skip
    assert {place.unit for place in sample.places_of(own)} == {"云外街道", "云中街道", "云上镇"}
