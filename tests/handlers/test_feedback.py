"""Buttons and words under an answer teach the matcher what they say."""

from __future__ import annotations

from knowledge.lessons import Lesson, Source
from tests.journeys.conversation import Chat, Town
from ticketing.ledgers import Enquiry

LOST = "选民证丢了怎么办？"
VAGUE = "去哪里登记"


async def taught(town: Town) -> list[tuple[Source, int | None]]:
    return [(row.source, row.entry_id) for row in await town.rows(Lesson)]


async def test_solved_and_not_solved_under_an_answer(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    (enquiry,) = await town.rows(Enquiry)
    await chat.taps("✅ 解决了")
    await chat.taps("✅ 解决了")
    (found,) = await town.rows(Lesson)
    assert (found.source, found.entry_id, found.probability) == (
        Source.SOLVED, enquiry.entry_id, enquiry.probability,
    )  # fmt: skip
    assert found.probability is not None
    await chat.taps("❌ 没解决，转人工")
    assert await taught(town) == [(Source.NOT_SOLVED, enquiry.entry_id)]


async def test_solved_and_not_solved_in_words(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    await chat.says("解决了")
    town.later(minutes=1)
    await chat.says("选民证掉了咋办")
    await chat.says("没解决")
    assert [source for source, _ in await taught(town)] == [Source.SOLVED, Source.NOT_SOLVED]


async def test_a_choice_tapped_typed_or_refused(chat: Chat, town: Town) -> None:
    await chat.says(VAGUE)
    (enquiry,) = await town.rows(Enquiry)
    offered = [int(entry_id) for entry_id in enquiry.offered]
    await chat.taps("第2个")
    assert await taught(town) == [(Source.CHOICE_TAKEN, offered[1])]
    await chat.says("1")
    assert await taught(town) == [(Source.CHOICE_TAKEN, offered[0])]
    await chat.taps("都不是")
    assert await taught(town) == [(Source.CHOICES_REFUSED, entry_id) for entry_id in offered]


async def test_what_a_person_must_answer_teaches_nothing_by_itself(chat: Chat, town: Town) -> None:
    await chat.says("走不动的老人能在家投票吗")
    await chat.says("人工")
    assert await taught(town) == []
