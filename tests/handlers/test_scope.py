"""The narrowest scope wins: a town's own entry answers those whose unit is known, and tells its scope."""

from __future__ import annotations

import pytest

from office.contacts import Contact
from office.units import Unit
from tests.journeys.conversation import Chat, Town
from tests.make import an_entry

LOST = ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补", "选民证不见了", "补办选民证")


@pytest.fixture
async def own_entries(town: Town) -> None:
    """临江街道 answers the question about lost voter cards in its own words."""
    async with town.store.transaction() as session:
        await an_entry(
            session, town.cast, town.now, "K-0541", phrasings=LOST, scope_unit_id=town.cast.riverside.id,
            short="请到临江街道服务大厅三号窗口办。",
        )  # fmt: skip


async def belongs(town: Town, chat: Chat, unit: Unit) -> None:
    """This contact is known to be of the unit."""
    await chat.says("/start")
    async with town.store.transaction() as session:
        for contact in await town.rows(Contact):
            (await session.merge(contact)).unit_id = unit.id


@pytest.mark.usefixtures("own_entries")
async def test_who_belongs_to_a_street_gets_the_street_s_answer_and_its_scope(chat: Chat, town: Town) -> None:
    await belongs(town, chat, town.cast.riverside)
    out = await chat.says("选民证丢了怎么办？")
    assert "三号窗口" in out.text
    assert "适用：临江街道" in out.text
    assert "口径：K-0541" in out.text


@pytest.mark.usefixtures("own_entries")
async def test_everybody_else_gets_the_district_s(chat: Chat, town: Town) -> None:
    for unit in (None, town.cast.north):
        if unit is not None:
            await belongs(town, chat, unit)
        out = await chat.says("选民证丢了怎么办？")
        assert "三号窗口" not in out.text
        assert "适用：东浦区" in out.text


@pytest.mark.usefixtures("own_entries")
@pytest.mark.parametrize(
    ("said", "scope"),
    [
        ("我住临江街道，选民证丢了怎么办", "临江街道"),
        ("临江街道选民证丢了怎么办", "临江街道"),
        ("我住北塘镇，选民证丢了怎么办", "东浦区"),
        ("我从临江街道搬到北塘镇，选民证丢了怎么办", "东浦区"),
    ],
)
async def test_the_place_that_the_words_name_decides(chat: Chat, said: str, scope: str) -> None:
    out = await chat.says(said)
    assert out.text.count("选民证丢了怎么办") == 1
    assert f"适用：{scope}" in (out if "适用" in out.text else await chat.taps("第1个")).text


@pytest.mark.usefixtures("own_entries")
async def test_a_named_place_comes_before_the_one_belonged_to(chat: Chat, town: Town) -> None:
    await belongs(town, chat, town.cast.riverside)
    out = await chat.says("北塘镇的人选民证丢了怎么办")
    assert "适用：东浦区" in (out if "适用" in out.text else await chat.taps("第1个")).text
