"""A case that is handled offline, in the chat: told once, and whatever is added stays out of sight."""

from __future__ import annotations

from office.outbox import Delivery
from tests.journeys.conversation import Chat, Town
from tests.ticketing.confidences import MARK, SEALER, places_of, take
from ticketing import restricted
from ticketing.ledgers import Enquiry
from ticketing.records import ThreadPost
from ticketing.restricted import HIDDEN

WORDS = f"有人在登记站拿走了{MARK}，登记表怎么办呢？"


async def later(town: Town) -> list[str]:
    """What came into the restricted store after the case was taken offline."""
    ticket = (await town.tickets())[0]
    async with town.store.reading() as session:
        found = await restricted.read(session, ticket, sealer=SEALER)
    assert found is not None
    return [line.text for line in found.later]


async def offline(chat: Chat, town: Town) -> int:
    """The asker's case, taken offline; the number of the message that asked it."""
    sent = chat.message(text=WORDS)
    await chat.feed(message=sent)
    if not await town.tickets():
        await chat.taps("人工咨询")
    await take(town.store, town.cast, await town.ticket(), town.now)
    return sent.message_id


async def test_the_asker_is_told_who_will_be_in_touch(chat: Chat, town: Town) -> None:
    await offline(chat, town)
    out = await town.delivers()
    assert out.texts == [f"您的问题 {(await town.ticket()).ticket_no}：将由工作人员与您联系。"]
    assert (await town.delivers()).texts == []
    shown = (await chat.says("/mine")).text
    assert MARK not in shown


async def test_an_edit_of_the_question_goes_into_the_store(chat: Chat, town: Town) -> None:
    number = await offline(chat, town)
    await chat.edits(number, f"{WORDS}（昨天下午）")
    assert await later(town) == [f"{WORDS}（昨天下午）"]
    assert [line.text for line in await town.rows(ThreadPost)] == [HIDDEN, HIDDEN]
    assert await places_of(town.store, MARK) == set()


async def test_the_same_question_again_joins_the_case(chat: Chat, town: Town) -> None:
    await offline(chat, town)
    town.later(minutes=40)
    out = await chat.says(WORDS)
    if not out.texts or "将由工作人员与您联系" not in out.text:
        out = await chat.taps("人工咨询")
    assert f"您的问题 {(await town.ticket()).ticket_no}：将由工作人员与您联系" in out.text
    assert len(await town.tickets()) == 1
    assert await later(town) == [WORDS]
    assert await places_of(town.store, MARK) == set()


async def test_another_question_is_a_question(chat: Chat, town: Town) -> None:
    await offline(chat, town)
    assert "K-0540" in (await chat.says("选民证丢了怎么办？")).text
    assert {row.words for row in await town.rows(Enquiry)} == {HIDDEN, "选民证丢了怎么办？"}
    assert [row.kind for row in await town.rows(Delivery)] == ["offline"]
