"""The organisation tree."""

from __future__ import annotations

import pytest

from office import units
from office.errors import NotFound
from office.store import Store
from office.units import UnitKind, contains
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
