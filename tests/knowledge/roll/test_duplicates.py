"""Rows that share a number: what is harmless, what is told, and what the desk must not decide."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from knowledge.roll.duplicates import SEEN, STAND, Act, doubles
from knowledge.roll.findings import FAULTS, Fault, Sort
from knowledge.roll.records import Mark
from tests.knowledge.roll.rolls import ELSEWHERE, KEY, NEAR, PLACE, built, digest, records, row, told
from tests.voters import AYGUL, HE_JIE, LIN_YAN, OUYANG, voter

ASK, REGISTERED = Mark(0), Mark.REGISTERED


def test_the_same_row_again_is_harmless(tmp_path: Path) -> None:
    with built(tmp_path, [row(LIN_YAN), row(HE_JIE), row(LIN_YAN), row(LIN_YAN)]) as made:
        assert records(made) == {digest(LIN_YAN): (PLACE, REGISTERED), digest(HE_JIE): (PLACE, REGISTERED)}
        assert not told(made)
        assert (made.counts["good"], made.counts["persons"]) == (4, 2)
        assert made.units["临江街道"].repeats == 2


@pytest.mark.parametrize(("place", "fault"), [(ELSEWHERE, Fault.ACROSS), (NEAR, Fault.WITHIN)])
def test_a_person_in_two_places_is_sent_to_the_station(
    tmp_path: Path, place: tuple[str, str, str], fault: Fault
) -> None:
    with built(tmp_path, [row(LIN_YAN), row(HE_JIE), row(LIN_YAN, unit="北塘镇", place=place)]) as made:
        assert told(made) == [(fault, 4, (2,))]
        found = next(iter(made.findings))
        assert (found.sort, found.unit, found.key) == (Sort.DOUBLE, "北塘镇", f"roll_row.{fault}")
        assert records(made)[digest(LIN_YAN)] == (PLACE, ASK)
        assert records(made)[digest(HE_JIE)] == (PLACE, REGISTERED)
        assert (made.units["临江街道"].ask_station, made.units["北塘镇"].doubles) == (1, 1)
        assert sum(unit.read for unit in made.units.values()) == made.counts["read"] == 3


def test_one_number_under_two_names_is_wrong_and_both_are_sent_to_the_station(tmp_path: Path) -> None:
    other = row(HE_JIE, number=LIN_YAN.number)
    with built(tmp_path, [row(LIN_YAN), other, row(OUYANG)]) as made:
        assert told(made) == [(Fault.NAMES, 3, (2,))]
        assert next(iter(made.findings)).sort is Sort.WRONG
        assert records(made) == {
            digest(LIN_YAN): (PLACE, ASK),
            KEY.digest.identity(HE_JIE.name, LIN_YAN.number): (PLACE, ASK),
            digest(OUYANG): (PLACE, REGISTERED),
        }
        assert made.counts["good"] == made.counts["persons"] == 3


def test_two_status_words_for_one_person_are_doubtful(tmp_path: Path) -> None:
    with built(tmp_path, [row(LIN_YAN), row(LIN_YAN, status="待核实")]) as made:
        assert told(made) == [(Fault.OTHER_STATUS, 3, (2,))]
        assert next(iter(made.findings)).sort is Sort.DOUBTFUL
        assert records(made) == {digest(LIN_YAN): (PLACE, ASK)}


def test_three_rows_and_two_names_keep_one_row_of_each_name(tmp_path: Path) -> None:
    rows = [
        row(LIN_YAN),
        row(LIN_YAN, place=ELSEWHERE),
        row(HE_JIE, number=LIN_YAN.number, place=NEAR),
        row(HE_JIE, number=LIN_YAN.number, place=NEAR),
        row(LIN_YAN),
    ]
    with built(tmp_path, rows) as made:
        assert told(made) == [(Fault.NAMES, 4, (2,)), (Fault.NAMES, 5, (2,)), (Fault.ACROSS, 3, (2,))]
        assert records(made) == {
            digest(LIN_YAN): (PLACE, ASK),
            KEY.digest.identity(HE_JIE.name, LIN_YAN.number): (NEAR, ASK),
        }
        unit = made.units["临江街道"]
        assert (unit.ask_station, unit.repeats, unit.doubles, unit.read) == (2, 1, 2, 5)


def test_both_forms_of_a_number_are_one_number(tmp_path: Path) -> None:
    person = voter(3)
    short = person.number[:6] + person.number[8:17]
    with built(tmp_path, [row(person), row(person, number=short, place=ELSEWHERE)]) as made:
        assert told(made) == [(Fault.ACROSS, 3, (2,)), (Fault.OLD_FORM, 3, ())]
        assert len(records(made)) == 1


def test_rows_that_are_refused_or_not_carried_are_nobody_s_double(tmp_path: Path) -> None:
    rows = [row(LIN_YAN, status="单位登记"), row(LIN_YAN), row(LIN_YAN, place=("第七选区", "七", ""))]
    with built(tmp_path, rows) as made:
        assert told(made) == [(Fault.GROUP, 4, ())]
        assert records(made) == {digest(LIN_YAN): (PLACE, REGISTERED)}


def test_a_double_has_no_receipt(tmp_path: Path) -> None:
    rows = [row(LIN_YAN), row(AYGUL), row(LIN_YAN, place=ELSEWHERE), row(AYGUL)]
    with built(tmp_path, rows, with_receipts=True) as made:
        codes = dict(made.receipts)
        assert sorted(codes) == [2, 3], "of each person one, though one of them must ask the station"
        found = records(made)
        assert found[KEY.digest.receipt(codes[2])] == (PLACE, Mark.RECEIPT)
        assert found[KEY.digest.receipt(codes[3])] == (PLACE, Mark.RECEIPT | REGISTERED)


def test_doubles_are_found_however_far_apart(tmp_path: Path) -> None:
    chance = random.Random(9)
    people = [voter(n) for n in range(1_500)]
    twice = chance.sample(range(1_500), 300)
    rows = [row(one) for one in people] + [row(people[n], place=ELSEWHERE) for n in twice]
    order = list(range(len(rows)))
    chance.shuffle(order)
    with built(tmp_path, [rows[at] for at in order]) as made:
        at = {position: number for number, position in enumerate(order, start=2)}
        pairs = [sorted((at[n], at[1_500 + place])) for place, n in enumerate(twice)]
        assert sorted((first, row_of) for _, row_of, (first,) in told(made)) == sorted(map(tuple, pairs))
        found = records(made)
        assert {one for one, (_, mark) in found.items() if mark == ASK} == {digest(people[n]) for n in twice}
        assert len(found) == 1_500


def seen(*rows: tuple[int, int, int]) -> np.ndarray:
    """Rows 1, 2 …, each a number, a name and a stand."""
    found = np.zeros(len(rows), SEEN)
    for at, (number, name, stand) in enumerate(rows):
        found[at] = (number, name, stand, at + 1)
    return found


def test_against_looking_at_every_pair() -> None:
    """Random rows with few numbers, names and places, against the rules said one row at a time."""
    stands = np.array([(0, 0, 0, 1), (0, 0, 0, 0), (1, 0, 0, 1), (2, 1, 0, 1)], STAND)
    chance = random.Random(11)
    for _ in range(300):
        rows = [
            (chance.randrange(4), chance.randrange(2) + 10, chance.randrange(4))
            for _ in range(chance.randrange(1, 9))
        ]
        made = doubles(seen(*rows), stands)
        faults, acts = slowly(rows, stands)
        assert (
            sorted((int(one["row"]), int(one["other"]), FAULTS[one["fault"]]) for one in made.found) == faults
        )
        assert {int(one["row"]): Act(int(one["act"])) for one in made.acts} == acts


def slowly(
    rows: list[tuple[int, int, int]], stands: np.ndarray
) -> tuple[list[tuple[int, int, Fault]], dict[int, Act]]:
    faults: list[tuple[int, int, Fault]] = []
    acts: dict[int, Act] = {}
    for number in {one for one, _, _ in rows}:
        group = [(at, name, stands[stand]) for at, (one, name, stand) in enumerate(rows, 1) if one == number]
        first, first_name, first_stand = group[0]
        told_of: dict[int, Fault] = {}
        for at, name, stand in group[1:]:
            if name != first_name:
                told_of[at] = Fault.NAMES
            elif stand["place"] != first_stand["place"]:
                same = stand["district"] == first_stand["district"]
                told_of[at] = Fault.WITHIN if same else Fault.ACROSS
            elif stand["mark"] != first_stand["mark"]:
                told_of[at] = Fault.OTHER_STATUS
        faults += [(at, first, fault) for at, fault in told_of.items()]
        names = set()
        for at, name, _ in group:
            if name not in names:
                names.add(name)
                if told_of:
                    acts[at] = Act.ASK
            else:
                acts[at] = Act.DOUBLE if at in told_of else Act.REPEAT
    return sorted(faults), acts


def test_no_rows_are_no_doubles() -> None:
    made = doubles(seen(), np.zeros(0, STAND))
    assert (len(made.acts), len(made.found)) == (0, 0)
