"""One fact is asked back with buttons, and what was said of a case is kept in mind for half an hour."""

from __future__ import annotations

import pytest

from handlers.callbacks import Op, tap
from office import contacts
from office.contacts import Channel
from tests.journeys.conversation import Chat, Out, Town
from tests.make import an_entry
from ticketing.ledgers import Enquiry, Outcome

WHAT = "选民登记要带什么材料"
LOCAL, ELSEWHERE = "上海户口带身份证。", "外省市户口带选民资格证明。"


@pytest.fixture
async def two_cases(town: Town) -> None:
    """Two entries that differ in nothing but the household they are for."""
    async with town.store.transaction() as session:
        for no, place, short in (("K-0310", "上海户口", LOCAL), ("K-0311", "外地户口", ELSEWHERE)):
            await an_entry(
                session, town.cast, town.now, no, topic="reg_docs", short=short,
                question=f"{place}的人，选民登记要带什么材料？",
                phrasings=(f"{place}登记要带什么材料", f"{place}选民登记带什么材料", f"{place}登记材料"),
            )  # fmt: skip


def first_of(out: Out) -> str:
    """The answer, or what the first choice would answer."""
    if "1. " not in out.text:
        return LOCAL if LOCAL in out.text else ELSEWHERE
    first = out.text.split("1. ")[1].split("\n")[0]
    return {"外地户口的人": ELSEWHERE, "上海户口的人": LOCAL}.get(first.split("，")[0], first)


pytestmark = pytest.mark.usefixtures("two_cases")


async def test_the_one_fact_that_decides_is_asked_back(chat: Chat, town: Town) -> None:
    out = await chat.says(WHAT)
    lines = out.text.split("\n")
    assert lines[0] == "您的户口是？"
    assert sorted(line[3:] for line in lines[1:]) == ["外省市户口", "本市户口"]
    assert sorted(out.buttons[:2]) == ["外省市户口", "本市户口"]
    assert out.buttons[2:] == ["都不是"]

    assert ELSEWHERE in (await chat.taps("外省市户口")).text
    assert LOCAL in (await chat.taps("本市户口")).text
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.outcome is Outcome.AUTO
    assert len(enquiry.offered) == 2


@pytest.mark.parametrize(
    ("said", "answer"),
    [("外地的", ELSEWHERE), ("我是外地户口", ELSEWHERE), ("本市户口", LOCAL), ("上海的", LOCAL)],
)
async def test_it_can_be_answered_in_words(chat: Chat, town: Town, said: str, answer: str) -> None:
    await chat.says(WHAT)
    assert answer in (await chat.says(said)).text
    assert len(await town.rows(Enquiry)) == 1


async def test_it_can_be_answered_with_a_number(chat: Chat) -> None:
    second = (await chat.says(WHAT)).text.split("\n")[2]
    assert (ELSEWHERE if "外省市" in second else LOCAL) in (await chat.says("2")).text


async def test_an_answer_after_half_an_hour_is_a_question_of_its_own(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    town.later(minutes=31)
    await chat.says("外地的")
    assert len(await town.rows(Enquiry)) == 2


async def test_another_question_is_not_taken_for_an_answer(chat: Chat) -> None:
    await chat.says(WHAT)
    assert "【选民证丢了怎么办？】" in (await chat.says("选民证丢了怎么办？")).text


async def test_forged_and_stale_taps_deliver_nothing(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    (enquiry,) = await town.rows(Enquiry)
    assert (await chat.taps_data(tap(Op.PICK, enquiry.id, arg="2"))).toast == "这个选项已过期，请重新开始。"
    stranger = town.chat(5002)
    assert LOCAL not in (await stranger.taps_data(tap(Op.PICK, enquiry.id, arg="0"))).text
    assert (await town.rows(Enquiry))[0].entry_id is None


async def test_none_of_these_is_owed_an_answer(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    await chat.taps("都不是")
    assert (await town.ticket()).words == WHAT


async def test_what_was_said_before_is_not_asked_again(chat: Chat, town: Town) -> None:
    await chat.says("我是外地户口，想问问")
    town.later(minutes=5)
    assert first_of(await chat.says(WHAT)) == ELSEWHERE


async def test_what_was_tapped_before_is_not_asked_again(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    await chat.taps("外省市户口")
    town.later(minutes=5)
    assert first_of(await chat.says("登记材料要带什么")) == ELSEWHERE


async def test_after_half_an_hour_it_is_asked_again(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    await chat.taps("外省市户口")
    town.later(minutes=31)
    assert "您的户口是？" in (await chat.says(WHAT)).text


async def test_the_case_of_somebody_else_is_not_the_askers(chat: Chat, town: Town) -> None:
    await chat.says("我妈妈是外地户口，想问问")
    town.later(minutes=1)
    assert "您的户口是？" in (await chat.says(WHAT)).text


async def test_the_askers_case_is_not_that_of_somebody_else(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    await chat.taps("外省市户口")
    town.later(minutes=1)
    out = await chat.says("我妈妈登记要带什么材料")
    assert ELSEWHERE not in out.text
    assert LOCAL not in out.text


async def test_one_persons_case_is_nobody_elses(chat: Chat, town: Town) -> None:
    await chat.says(WHAT)
    await chat.taps("外省市户口")
    assert "您的户口是？" in (await town.chat(5002).says(WHAT)).text


async def test_it_is_asked_in_the_askers_language(chat: Chat, town: Town) -> None:
    await chat.says("/start")
    async with town.store.transaction() as session:
        contact = await contacts.seen(session, Channel.TELEGRAM, "5001", now=town.now)
        contact.language = "en"
    out = await chat.says(WHAT)
    assert out.text.startswith("Where is your household registration (hukou)?")
    assert sorted(out.buttons[:2]) == ["Elsewhere", "In this city"]
