"""The organisation tree."""

from __future__ import annotations

import pytest

from office import units
from office.errors import NotFound
from office.store import Store
from office.units import UnitKind, contains, group_key, group_numbers, parse_group_no, without_group_numbers
from tests.make import Cast


async def test_a_path_leads_from_the_root_to_the_unit(store: Store, cast: Cast) -> None:
    district, riverside = cast.district, cast.riverside
    assert district.path == f".{district.id}."
    assert riverside.path == f".{district.id}.{riverside.id}."


def test_a_subtree_is_a_prefix_of_whole_numbers() -> None:
    assert contains(".1.", ".1.4.")
    assert contains(".1.4.", ".1.4.")
    assert not contains(".1.4.", ".1.")
    assert not contains(".1.4.", ".1.40.")


async def test_the_tree_is_listed_parents_first(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        await units.add(session, UnitKind.NEIGHBOURHOOD, "LJ01", "临江一居", cast.riverside)
        listed = await units.all_units(session)
    assert [unit.name for unit in listed] == ["东浦区", "临江街道", "临江一居", "北塘镇"]


async def test_the_office_of_the_district_answers(store: Store, cast: Cast) -> None:
    async with store.reading() as session:
        assert (await units.election_office(session)).name == "东浦区"
        assert await units.published_numbers(session) == ("0000-12345678",)
        with pytest.raises(NotFound):
            await units.get(session, 404)


async def test_without_a_district_there_is_no_office(store: Store) -> None:
    async with store.reading() as session:
        with pytest.raises(NotFound, match="unit_unknown"):
            await units.election_office(session)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("12-03", ["12-03"]),
        ("１２－０３", ["12-03"]),
        ("12 – 03", ["12-03"]),
        ("我是12-03组的", ["12-03"]),
        ("12选区3组", ["12-03"]),
        ("第十二选区第三小组", ["12-03"]),
        ("第101选区第一百二十组", ["101-120"]),
        ("012-003", ["012-003"]),
        ("12-3", ["12-03"]),
        ("12-3组在哪里", ["12-03"]),
        ("12-03、12-04和12-03", ["12-03", "12-04"]),
        ("st_12-03__p07", ["12-03"]),
        # Dates, times, doors, telephone and ticket numbers.
        ("2026-12-03", []),
        ("12月3日", []),
        ("9-5点开门", []),
        ("我住21-22号楼", []),
        ("9-5 都可以吗", []),
        ("0000-12345678", []),
        ("DP-1120-07-K", []),
        ("12-03-04", []),
        ("12:00-13:00", []),
        ("", []),
    ],
)
def test_group_numbers_are_recognised_anywhere(text: str, numbers: list[str]) -> None:
    assert list(group_numbers(text)) == numbers
    assert parse_group_no(text) == (numbers[0] if numbers else None)


def test_what_is_left_beside_group_numbers() -> None:
    assert without_group_numbers("书香苑 12－03组 哪里").split() == ["书香苑", "组", "哪里"]
    assert without_group_numbers("第十二选区第三小组").strip() == ""
    assert without_group_numbers("书香苑") == "书香苑"


def test_one_number_in_several_spellings() -> None:
    assert group_key("12-03") == group_key("12-3") == group_key("012-003") == (12, 3)
    for text in ("", "12", "12-", "12-03-04", "书香苑"):
        with pytest.raises(ValueError, match="invalid"):
            group_key(text)
