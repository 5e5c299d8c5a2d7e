"""What is typed while the wizard asks: corrections, other questions in between, and the way back in."""

from __future__ import annotations

import pytest

from tests.handlers.test_where import CAI, LOST, walk
from tests.journeys.conversation import Chat, Town
from tests.station_places import some_stations

RETIRED = ["外省市", "退休", "没有", "都没有"]


# --- corrections ----------------------------------------------------------------------------------


@pytest.mark.parametrize("no", ["不对", "错了", "不对。", "说错了", "不是的"])
async def test_what_is_wrong_is_asked_and_asked_again(chat: Chat, no: str) -> None:
    await walk(chat, RETIRED)
    out = await chat.says(no)
    assert "哪一项不对" in out.text
    assert out.buttons == ["外省市", "退休", "没有", "都没有", "重新开始", "人工"]
    assert "现在属于哪种" in (await chat.taps("退休")).text
    out = await chat.taps("没有单位")
    assert out.text == "我理解的是：外省市户口，没有单位，没有证明。对吗？"


async def test_a_slot_stated_again_under_the_summary_changes_it(chat: Chat) -> None:
    await walk(chat, RETIRED)
    assert "外省市户口，退休，有证明。对吗？" in (await chat.says("我有证明的")).text
    assert "外省市户口，退休，没有证明。对吗？" in (await chat.says("有证明，不对，没有证明")).text
    assert "外省市户口，在职" in (await chat.says("不对，我在职")).text


async def test_another_certificate_is_not_the_one_in_question(chat: Chat) -> None:
    await walk(chat, ["外省市", "退休"])
    out = await chat.says("我有居住证明")
    assert "居住证明等别的证明不算" in out.texts[0]
    assert "有没有户口所在地开的选民资格证明" in out.texts[-1]


async def test_what_nobody_said_is_shown_as_that_until_it_is_said(chat: Chat) -> None:
    assert "您没有提到证明，先按没有算" in (await chat.says(CAI)).text
    assert "您没有提到证明" not in (await chat.says("没有证明")).text


async def test_a_guess_that_was_gone_back_over_is_no_guess_any_more(chat: Chat) -> None:
    await chat.says(CAI)
    for label in ["上一步", "上一步", "没有"]:
        await chat.taps(label)
    assert "您没有提到证明" not in (await chat.taps("和本地人结婚")).text


async def test_whoever_is_none_of_the_options_keeps_their_own_words(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    assert "您说的：学校集体户" in (await chat.says("学校集体户")).text
    out = await chat.says("内退")
    assert out.text == "我理解的是：学校集体户，内退。对吗？"
    await chat.taps("对")
    assert (await town.ticket()).words == "学校集体户，内退"


async def test_the_question_with_many_options_tells_the_way_out(chat: Chat) -> None:
    out = await walk(chat, ["本区"])
    assert "不在里面，请直接打字或发送“人工”" in out.text
    assert "不在里面" not in (await chat.taps("没有单位")).text


# --- something else in between --------------------------------------------------------------------


@pytest.mark.parametrize("said", ["退出", "不说了", "算了", "不填了。"])
async def test_it_ends_with_a_word(chat: Chat, town: Town, said: str) -> None:
    await walk(chat, ["外省市"])
    assert "不麻烦了" in (await chat.says(said)).text
    assert "现在属于哪种" not in (await chat.says("退休")).text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("为什么要问这个", "户口、单位和住处决定在哪里登记"),
        ("你们电话多少", "0000-12345678"),
        ("名单什么时候公布", "名单"),
        ("下周三还能登记吗", "登记"),
        (LOST, "K-0540"),
        ("什么叫离休", ""),
        ("17岁可以登记吗", ""),
    ],
)
async def test_another_question_is_answered_and_the_open_one_repeated(
    chat: Chat, said: str, told: str
) -> None:
    await walk(chat, ["外省市"])
    out = await chat.says(said)
    assert len(out.texts) > 1
    assert told in out.texts[0]
    assert "现在属于哪种" in out.texts[-1]
    assert "没有单位" in out.buttons
    assert "外省市户口，离休" not in out.text
    out = await chat.says("退休")
    assert "有没有户口所在地开的选民资格证明" in out.text


async def test_the_summary_is_repeated_too(chat: Chat) -> None:
    await walk(chat, RETIRED)
    out = await chat.says(LOST)
    assert "K-0540" in out.texts[0]
    assert out.texts[-1].endswith("对吗？")
    assert "户口所在地" in (await chat.says("对")).text


async def test_a_person_is_asked_for_with_words(chat: Chat, town: Town) -> None:
    await walk(chat, ["本区"])
    out = await chat.says("转人工 我在两个单位上班")
    assert "编号" in out.text
    ticket = await town.ticket()
    assert ticket.asked_for_person
    assert ticket.words == "本区户口，我在两个单位上班"
    assert ticket.wizard_facts == {"hukou": "local"}


async def test_a_person_is_asked_for_with_words_before_any_answer(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    await chat.says("人工，我在两个单位上班")
    assert (await town.ticket()).words == "我在两个单位上班"


# --- after the result -----------------------------------------------------------------------------


async def test_after_a_result_one_goes_back_into_the_questions(chat: Chat, town: Town) -> None:
    await walk(chat, ["外省市", "退休", "没有", "和本地人结婚", "对"])
    town.later(minutes=20)
    assert "有没有下面的情况" in (await chat.says("上一步")).text
    await chat.taps("都没有")
    out = await chat.taps("对")
    assert "请户口所在地的选举机构开选民资格证明" in out.text
    assert "您的户口在哪里" in (await chat.says("重新开始")).text
    (ticket,) = await town.tickets()
    assert ticket.words == "外省市户口，退休，没有证明，和本地人结婚"


async def test_half_an_hour_after_a_result_they_are_words_like_others(chat: Chat, town: Town) -> None:
    await walk(chat, [*RETIRED, "对"])
    town.later(minutes=40)
    assert "您的户口在哪里" not in (await chat.says("重新开始")).text


async def test_without_a_result_they_mean_nothing(chat: Chat) -> None:
    assert "您的户口在哪里" not in (await chat.says("上一步")).text


# --- stations under the result --------------------------------------------------------------------


async def test_the_neighbourhood_that_was_named_leads_to_its_station(chat: Chat, town: Town) -> None:
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
    await chat.says("我户口在本区，没有工作，住在书香苑，不住户口地，在哪里登记？")
    await chat.taps("对")
    assert "书香苑" in (await chat.taps("📍 附近登记站")).text


async def test_who_cannot_register_is_shown_no_station(chat: Chat) -> None:
    out = await walk(chat, ["国外或港澳台", "外国籍", "对"])
    assert "不能登记" in out.text
    assert "📍 附近登记站" not in out.buttons


async def test_a_case_with_a_place_and_a_trade_is_asked_about_not_looked_up(chat: Chat, town: Town) -> None:
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
    out = await chat.says("户口在安徽，租房子住书香苑，送外卖，去哪里登记")
    assert "有没有户口所在地开的选民资格证明" in out.text


@pytest.mark.parametrize("said", ["我是农民工，在哪里登记", "农民工在哪里登记"])
async def test_a_migrant_worker_is_no_farmer(chat: Chat, said: str) -> None:
    assert "在本村或者工作单位登记" not in (await chat.says(said)).text
