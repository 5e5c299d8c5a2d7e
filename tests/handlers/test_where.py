"""The wizard 我该在哪里登记 in the conversation: questions, summary, results, and every way out of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from aiogram.fsm.storage.memory import SimpleEventIsolation
from aiogram.types import InlineKeyboardMarkup

from handlers import where_steps, where_words
from handlers.callbacks import Op, Tap, tap
from handlers.router import dispatcher
from knowledge import packs, rules, statements, wizard
from knowledge.eligibility import decide, next_slot
from knowledge.packs import Leaf
from office import changes
from office import contacts as people
from office.contacts import Channel
from tests.journeys.conversation import Chat, Out, Town, number_and_code
from tests.make import DATA
from tests.station_places import some_stations
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import ThreadPost, UnansweredReason

PACK = packs.load("shanghai")
CAI = "我户口在嘉善，老公是朱泾人，我没工作，住罗星居民区，想在这里选。"
CAI_FACTS = {
    "hukou": "elsewhere", "status": "none", "live": "apart", "cert": "no", "relax": "married_in",
}  # fmt: skip
CAI_SUMMARY = (
    "我理解的是：外省市户口，没有单位，不住在户口所在地，没有证明，和本地人结婚。对吗？\n"
    "（您没有提到证明，先按没有算。不对请直接说。）"
)
MIGRANT = ["外省市", "在职", "一般单位", "没有", "都没有"]
LOST = "选民证丢了怎么办？"


def ways() -> Iterator[tuple[list[str], Leaf]]:
    """One way by taps to each row of the table that has one: the labels, and the row."""
    found: dict[str, tuple[list[str], Leaf]] = {}
    waiting: list[tuple[dict[str, str], list[str]]] = [({}, [])]
    while waiting:
        facts, labels = waiting.pop(0)
        slot = next_slot(PACK, facts)
        if slot is not None:
            waiting += [({**facts, slot.code: o.code}, [*labels, o.label]) for o in slot.options]
            continue
        verdict = decide(PACK, facts)
        assert verdict is not None
        found.setdefault(verdict.leaf.answer, (labels, verdict.leaf))
    yield from found.values()


WAYS = list(ways())


async def walk(chat: Chat, labels: list[str], begin: str = "/where") -> Out:
    """Open the wizard and tap through; what came out last."""
    out = await chat.says(begin)
    for label in labels:
        out = await chat.taps(label)
    return out


async def signed(town: Town, row: str, content: Mapping[str, Any]) -> None:
    """The district's wording for a row, proposed by one person and signed by another."""
    async with town.store.transaction() as session:
        change = await rules.propose_row(
            session, "shanghai", row, content, basis="示例公告第1号", scope=town.cast.district,
            actor=town.cast.li_qiang, now=town.now,
        )  # fmt: skip
        await changes.sign(session, change, seen=change.version, actor=town.cast.wang_fang, now=town.now)


# --- the golden case ------------------------------------------------------------------------------


async def test_cai_is_asked_nothing_twice_and_goes_to_a_person(chat: Chat, town: Town) -> None:
    out = await chat.says(CAI)
    assert out.text == CAI_SUMMARY
    assert out.buttons == ["对", "上一步", "重新开始", "人工"]

    out = await chat.taps("对")
    answer, promised = out.texts
    assert "有的情况往届放宽过条件，本届怎么办要听区选举办的" in answer
    assert "在哪边参加由您自己决定" in answer
    assert "《上海市区和乡镇人民代表大会代表直接选举实施细则》第二十条第（十）项" in answer
    assert "具体以选举委员会公告为准" in answer
    number, code = number_and_code(promised)
    assert "最迟" in promised

    ticket = await town.ticket()
    assert (ticket.ticket_no, ticket.progress_code) == (number, code)
    assert ticket.words == CAI
    assert ticket.wizard_facts == CAI_FACTS
    assert ticket.group == "登记组"
    assert ticket.topic == "migrant_relaxed"
    assert ticket.why_unanswered is UnansweredReason.NEEDS_SUPERIOR
    (enquiry,) = await town.rows(Enquiry)
    assert (enquiry.words, enquiry.outcome, enquiry.topic) == (CAI, Outcome.TICKETED, "migrant_relaxed")


STEPS = [
    "回户籍地向选举机构开选民资格证明（可先电话联系，看能否代办、寄送）",
    "带证明和身份证到居住地登记站",
    "在居住地参选",
]


async def test_cai_with_the_districts_signed_wording(chat: Chat, town: Town) -> None:
    await signed(town, "B1", {"leaf": "A10b", "steps": STEPS, "ticket": False,
                              "basis": [{"law": "细则", "article": "20(十)"}]})  # fmt: skip
    await chat.says(CAI)
    out = await chat.taps("对")
    lines = out.text.splitlines()
    numbered = [f"{sign} {step}" for sign, step in zip("①②③", STEPS, strict=True)]
    assert [line for line in lines if line.startswith(("①", "②", "③", "④"))] == numbered
    assert "在哪边参加由您自己决定" in out.text
    assert "第二十条第（十）项" in out.text
    assert "选民资格证明" in out.text
    assert "往届" not in out.text
    assert "公告为准" not in out.text
    assert await town.tickets() == []
    (enquiry,) = await town.rows(Enquiry)
    assert (enquiry.outcome, enquiry.topic) == (Outcome.AUTO, "reg_migrant")


async def test_cai_with_a_certificate(chat: Chat, town: Town) -> None:
    await chat.says(CAI)
    await chat.says("我有选民资格证明")
    out = await chat.taps("对")
    assert "可以在上海的现居住地或者工作单位登记" in out.text
    assert "要带：① 选民资格证明 ② 身份证" in out.text
    assert await town.tickets() == []


# --- every row ------------------------------------------------------------------------------------


def test_taps_lead_to_all_rows_but_those_that_need_words() -> None:
    reached = {leaf.row for _, leaf in WAYS}
    assert {leaf.row for leaf in PACK.leaves} - reached == {"A0", "A1n", "A13"}


@pytest.mark.parametrize(("labels", "leaf"), WAYS, ids=[leaf.row for _, leaf in WAYS])
async def test_every_row_is_told_with_its_passport(
    chat: Chat, town: Town, labels: list[str], leaf: Leaf
) -> None:
    out = await walk(chat, labels)
    assert out.text.startswith("我理解的是：")
    assert out.text.endswith("。对吗？")

    out = await chat.taps("对")
    assert leaf.answer in out.texts[0]
    assert "适用：东浦区" in out.texts[0]
    assert "规则：上海市 第1版" in out.texts[0]
    assert "登记组" in out.texts[0]
    assert all(citation.long in out.texts[0] for citation in leaf.basis)
    assert ("公告为准" in out.texts[0]) == ("LOCAL" in leaf.flags)
    tickets = await town.tickets()
    assert len(tickets) == (1 if leaf.ticket else 0)
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.topic == leaf.topic
    assert enquiry.outcome is (Outcome.TICKETED if leaf.ticket else Outcome.AUTO)
    if leaf.ticket:
        assert tickets[0].words == enquiry.words == where_words.joined(PACK, tickets[0].wizard_facts, "zh_CN")
        assert "✅ 解决了" not in out.buttons
    else:
        assert out.buttons[:2] == ["✅ 解决了", "❌ 没解决，转人工"]


@pytest.mark.parametrize("labels", [["本区", "在职", "一般单位"], ["本市其他区", "在校学生"]])
async def test_an_employer_or_school_that_registers_nobody_is_said_with_one_more_tap(
    chat: Chat, town: Town, labels: list[str]
) -> None:
    await walk(chat, labels)
    out = await chat.taps("对")
    assert "单位不组织登记" in out.buttons
    out = await chat.taps("单位不组织登记")
    assert "请先和户口所在地或居住地的登记站联系" in out.texts[0]
    ticket = await town.ticket()
    assert ticket.wizard_facts["organised"] == "no"
    assert len(await town.rows(Enquiry)) == 2


async def test_what_has_no_button_is_said_in_words(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    assert "现在属于哪种" in (await chat.says("集体户口")).text
    await chat.taps("退休")
    out = await chat.taps("对")
    assert "由选举委员会研究决定" in out.texts[0]
    assert (await town.ticket()).wizard_facts == {"hukou": "other", "status": "retired"}


async def test_too_young_is_only_found_out_if_said(chat: Chat) -> None:
    await walk(chat, ["本区"])
    out = await chat.says("我是2009年5月1日出生的，在读书")
    assert "未满18周岁" in out.text
    out = await chat.taps("对")
    assert "还没满18周岁" in out.text


# --- the way through ------------------------------------------------------------------------------


async def test_one_question_a_message_with_small_keyboards(chat: Chat, town: Town) -> None:
    for labels, _ in WAYS:
        town.later(minutes=1)
        out = await chat.says("/where")
        for label in labels:
            (message,) = out.messages
            keyboard = message.reply_markup
            assert isinstance(keyboard, InlineKeyboardMarkup)
            buttons = [button for row in keyboard.inline_keyboard for button in row]
            options = [b for b in buttons if Tap.unpack(b.callback_data or "").op == Op.WIZARD]
            assert 2 <= len(options) <= 6
            assert all(len(button.text) <= 10 for button in buttons)
            assert all(len((button.callback_data or "").encode()) <= 64 for button in buttons)
            out = await chat.taps(label)


async def test_the_question_is_not_asked_where_it_changes_nothing(chat: Chat) -> None:
    out = await walk(chat, ["迁出还没落户"])
    assert out.text == "我理解的是：户口迁出还没落户。对吗？"
    out = await walk(chat, MIGRANT)
    assert out.text == "我理解的是：外省市户口，在职，没有证明。对吗？"


@pytest.mark.parametrize("said", ["/where", "在哪里", "我该在哪里登记", "在哪里登记", "where"])
async def test_the_words_that_open_it(chat: Chat, said: str) -> None:
    assert "您的户口在哪里？" in (await chat.says(said)).text


async def test_the_quick_topic_opens_it(chat: Chat) -> None:
    await chat.says("/start")
    assert "您的户口在哪里？" in (await chat.taps("在哪里登记")).text


def question(out: Out) -> str:
    return next(line for line in out.text.splitlines() if line.endswith(("？", "？</b>", "对吗？")))


async def test_back_at_every_step(chat: Chat) -> None:
    seen = [question(await chat.says("/where"))]
    for label in MIGRANT:
        before = seen[-1]
        here = question(await chat.taps(label))
        assert question(await chat.taps("上一步")) == before
        assert question(await chat.taps(label)) == here
        seen.append(here)
    for before in reversed(seen[:-1]):
        out = await chat.taps("上一步")
        assert question(out) == before
    assert "上一步" not in out.buttons


async def test_back_over_what_was_read_from_words(chat: Chat) -> None:
    await chat.says(CAI)
    for asked in ("有没有下面的情况", "选民资格证明", "现在属于哪种", "您的户口在哪里"):
        assert asked in question(await chat.taps("上一步"))


async def test_from_the_beginning(chat: Chat, town: Town) -> None:
    await chat.says(CAI)
    out = await chat.taps("重新开始")
    assert "您的户口在哪里？" in out.text
    assert "您说的" not in out.text
    for label in ["国外或港澳台", "港澳台居民", "对"]:
        await chat.taps(label)
    ticket = await town.ticket()
    assert ticket.wizard_facts == {"hukou": "abroad", "nat": "hkmt"}
    assert ticket.words == CAI
    assert len(await town.rows(Enquiry)) == 1


async def test_the_buttons_of_an_answered_question_go(chat: Chat) -> None:
    await chat.says("/where")
    assert len((await chat.taps("本区")).unbuttoned) == 1


# --- words in between -----------------------------------------------------------------------------


async def test_numbers_stand_for_options(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    for said in ["3", "１", "一", "第二个", "3"]:
        out = await chat.says(said)
    assert out.text == "我理解的是：外省市户口，在职，没有证明。对吗？"
    assert "请户口所在地的选举机构开选民资格证明" in (await chat.says("1")).text
    assert await town.tickets() == []


async def test_numbers_under_the_summary_go_back_or_begin_again(chat: Chat) -> None:
    await walk(chat, ["迁出还没落户"])
    assert "您的户口在哪里" in (await chat.says("2")).text
    await chat.taps("迁出还没落户")
    assert "您的户口在哪里" in (await chat.says("3")).text


async def test_a_number_without_an_option_is_no_answer(chat: Chat) -> None:
    await chat.says("/where")
    assert (await chat.says("9")).text == "您可以点上面的按钮，或发送“人工”。"


@pytest.mark.parametrize("yes", ["对", "对的", "是的", "好的", "没错。", "嗯嗯", "可以"])
async def test_yes_in_words(chat: Chat, yes: str) -> None:
    await walk(chat, ["迁出还没落户"])
    assert "可以在现居住地登记" in (await chat.says(yes)).text


async def test_words_for_the_buttons(chat: Chat) -> None:
    await walk(chat, ["外省市", "退休"])
    assert "现在属于哪种" in (await chat.says("上一步")).text
    assert "您的户口在哪里" in (await chat.says("重新开始")).text


async def test_an_option_by_name_and_facts_in_a_sentence(chat: Chat) -> None:
    await chat.says("/where")
    assert "现在属于哪种" in (await chat.says("外省市")).text
    out = await chat.says("我退休了，选民资格证明还没有")
    assert "有没有下面的情况" in out.text
    assert "外省市户口，退休，没有证明" in out.text


async def test_what_is_not_understood(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    assert (await chat.says("呃呃呃")).text == "您可以点上面的按钮，或发送“人工”。"
    assert "现在属于哪种" in (await chat.taps("本区")).text
    assert await town.rows(Enquiry) == []


async def test_another_question_in_between_is_answered_and_the_buttons_still_work(chat: Chat) -> None:
    await walk(chat, ["外省市"])
    assert "K-0540" in (await chat.says(LOST)).text
    assert "单位是哪一类" in (await chat.taps("在职")).text


async def test_a_station_asked_for_in_between_is_shown(chat: Chat, town: Town) -> None:
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
    await chat.says("/where")
    assert "12-03" in (await chat.says("12-03登记站在哪里")).text
    assert "现在属于哪种" in (await chat.taps("本区")).text


async def test_a_case_that_names_a_street_is_asked_about_and_no_station_guessed(
    chat: Chat, town: Town
) -> None:
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
    out = await chat.says("我户口在本区，退休了，住在临江街道，应该到哪里登记？")
    assert out.text == "我理解的是：本区户口，退休。对吗？"


async def test_the_gate_comes_first(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    assert "12356" in (await chat.says("登记不上，不想活了")).text
    assert (await town.ticket()).wizard_facts == {}


async def test_commands_in_between_are_obeyed(chat: Chat) -> None:
    await chat.says("/where")
    assert "登记" in (await chat.says("什么时候")).text
    assert "没有在办的问题" in (await chat.says("进度")).text
    assert "现在属于哪种" in (await chat.says("本区")).text
    assert "不麻烦了" in (await chat.says("算了")).text
    assert "现在属于哪种" not in (await chat.says("本区")).text


async def test_words_half_an_hour_later_answer_nothing(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    town.later(minutes=31)
    assert "现在属于哪种" not in (await chat.says("外省市")).text


# --- a person -------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [True, False])
async def test_a_person_in_between_gets_what_was_answered(chat: Chat, town: Town, typed: bool) -> None:
    await walk(chat, ["外省市", "退休"])
    out = await (chat.says("人工") if typed else chat.taps("人工"))
    assert "已为您转给值班同志" in out.text
    ticket = await town.ticket()
    assert ticket.wizard_facts == {"hukou": "elsewhere", "status": "retired"}
    assert ticket.words == "外省市户口，退休"
    assert ticket.asked_for_person
    if not typed:
        await chat.taps("人工")
        assert len(await town.tickets()) == 1


async def test_a_person_before_any_answer_is_asked_for_as_ever(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    assert "请直接说您的问题" in (await chat.taps("人工")).text
    assert await town.tickets() == []
    await chat.says("/where")
    assert "请直接说您的问题" in (await chat.says("人工")).text


async def test_not_solved_takes_the_answers_along(chat: Chat, town: Town) -> None:
    await walk(chat, [*MIGRANT, "对"])
    out = await chat.taps("❌ 没解决，转人工")
    assert "抱歉没帮上忙" in out.text
    ticket = await town.ticket()
    assert ticket.wizard_facts["relax"] == "no"
    assert ticket.group == "登记组"
    assert ticket.topic == "reg_migrant"


async def test_not_solved_in_words_too(chat: Chat, town: Town) -> None:
    await walk(chat, [*MIGRANT, "对"])
    await chat.says("没解决")
    assert (await town.ticket()).wizard_facts["hukou"] == "elsewhere"


async def test_solved(chat: Chat, town: Town) -> None:
    await walk(chat, [*MIGRANT, "对"])
    assert (await chat.taps("✅ 解决了")).toast == "谢谢您的反馈！"
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.solved is True


async def test_the_nearest_stations_are_one_tap_away(chat: Chat, town: Town) -> None:
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
    await walk(chat, [*MIGRANT, "对"])
    out = await chat.taps("📍 附近登记站")
    assert out.toast == ""
    assert "临江街道" in out.buttons


async def test_a_second_case_is_a_second_ticket(chat: Chat, town: Town) -> None:
    """Somebody asks for themselves, then for somebody at home: almost the same words, two cases."""
    await walk(chat, ["外省市", "退休", "没有", "居住证满5年", "对"])
    await walk(chat, ["外省市", "退休", "没有", "和本地人结婚", "对"])
    assert len(await town.tickets()) == 2
    await walk(chat, ["外省市", "退休", "没有", "和本地人结婚", "对"])
    assert len(await town.tickets()) == 2


async def test_what_is_added_to_a_ticket_begins_nothing_new(chat: Chat, town: Town) -> None:
    await chat.says(CAI)
    await chat.taps("对")
    town.later(minutes=1)
    out = await chat.says("补充一下，户口在嘉善，没有证明")
    assert "您的户口在哪里" not in out.text
    assert "对吗" not in out.text
    assert len(await town.tickets()) == 1


# --- old, forged, doubled, forwarded --------------------------------------------------------------


@pytest.mark.parametrize("label", ["外省市", "上一步", "对"])
async def test_a_button_of_half_an_hour_ago_has_expired(chat: Chat, town: Town, label: str) -> None:
    await walk(chat, {"外省市": [], "上一步": ["本区"], "对": ["迁出还没落户"]}[label])
    town.later(minutes=32)
    out = await chat.taps(label)
    assert out.text == "这个选项已过期，重新开始？"
    assert out.buttons == ["重新开始"]
    assert "您的户口在哪里" in (await chat.taps("重新开始")).text


async def test_an_old_button_to_a_person_still_leads_to_one(chat: Chat, town: Town) -> None:
    await walk(chat, ["外省市"])
    town.later(minutes=32)
    assert "请直接说您的问题" in (await chat.taps("人工")).text


def test_a_button_older_than_the_rules_has_expired(now: Any) -> None:
    button = Tap.unpack(tap(Op.WIZARD, 0, where_steps.stamp(now - timedelta(minutes=1)), "-" * 9))
    assert not where_steps.stale(PACK, button, now)
    tomorrow = replace(PACK, effective_from=(now + timedelta(days=1)).date())
    assert where_steps.stale(tomorrow, button, now)


@pytest.mark.parametrize("code", ["x", "-", "99999999", "zzzzzzzzzzzz", "--------------"[:12]])
async def test_a_forged_code_has_expired(chat: Chat, town: Town, code: str) -> None:
    for op in (Op.WIZARD, Op.BACK, Op.RIGHT):
        out = await chat.taps_data(tap(op, 0, where_steps.stamp(town.now), code))
        assert out.text == "这个选项已过期，重新开始？"


async def test_a_confirmation_of_half_a_case_asks_on(chat: Chat, town: Town) -> None:
    code = wizard.pack_up(PACK, {"hukou": "local"})
    out = await chat.taps_data(tap(Op.RIGHT, 0, where_steps.stamp(town.now), code))
    assert "现在属于哪种" in out.text
    assert await town.rows(Enquiry) == []


async def test_a_double_tap_asks_once_and_decides_once(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    message, button = next(s for s in chat.shown if s[1].text == "外省市")
    await chat.taps_data(button.callback_data or "", message)
    again = await chat.taps_data(button.callback_data or "", message)
    assert (again.toast, again.texts) == ("已经记下了。", [])

    for label in ["退休", "没有", "居住证满5年"]:
        await chat.taps(label)
    message, button = next(s for s in reversed(chat.shown) if s[1].text == "对")
    await chat.taps_data(button.callback_data or "", message)
    town.restart()
    again = await chat.taps_data(button.callback_data or "", message)
    assert (again.toast, again.texts) == ("已经记下了。", [])
    assert len(await town.tickets()) == len(await town.rows(Enquiry)) == 1


async def test_a_forwarded_button_runs_as_whoever_tapped_it(chat: Chat, town: Town) -> None:
    await chat.says(CAI)
    _, button = next(s for s in reversed(chat.shown) if s[1].text == "对")
    await town.chat(777).taps_data(button.callback_data or "")
    ticket = await town.ticket()
    assert CAI not in ticket.words
    assert ticket.contact_id != (await town.rows(Enquiry))[0].contact_id
    posts = await town.rows(ThreadPost)
    assert all(CAI not in post.text for post in posts)


class Forgetful(BaseStorage):
    """Remembers nothing: what a lost Redis amounts to."""

    async def set_state(self, key: StorageKey, state: StateType = None) -> None: ...

    async def get_state(self, key: StorageKey) -> str | None:
        return None

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None: ...

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return {}

    async def close(self) -> None: ...


async def test_e28_goes_on_without_memory_of_earlier_steps(chat: Chat, town: Town) -> None:
    town.dispatcher = dispatcher(town.desk, Forgetful(), SimpleEventIsolation())
    await chat.says(CAI)
    assert "有没有下面的情况" in (await chat.taps("上一步")).text
    await chat.taps("居住证满5年")
    await chat.taps("对")
    ticket = await town.ticket()
    assert ticket.wizard_facts == {**CAI_FACTS, "relax": "permit5"}
    assert ticket.words == CAI
    out = await walk(chat, [*MIGRANT, "对"])
    assert "开选民资格证明" in out.text


async def test_it_goes_on_after_a_restart(chat: Chat, town: Town) -> None:
    await chat.says("/where")
    for label in [*MIGRANT, "对"]:
        town.restart()
        out = await chat.taps(label)
    assert "开选民资格证明" in out.text


# --- beside answers, and which words open it ------------------------------------------------------


async def test_beside_an_answer_that_depends_on_who_asks(chat: Chat, town: Town) -> None:
    out = await chat.says("外地户口在哪里登记")
    assert "K-0300" in out.text
    out = await chat.taps("按我的情况查")
    assert "您的户口在哪里" not in out.text
    assert "现在属于哪种" in out.text
    for label in ["退休", "没有", "居住证满5年", "对"]:
        await chat.taps(label)
    assert (await town.ticket()).words == "外地户口在哪里登记"
    assert "按我的情况查" not in (await chat.says(LOST)).buttons


async def test_its_way_in_never_expires(chat: Chat, town: Town) -> None:
    await chat.says("外地户口在哪里登记")
    town.later(days=3)
    assert "现在属于哪种" in (await chat.taps("按我的情况查")).text


@pytest.mark.parametrize(
    "said",
    ["外地户口在哪里登记", "不是上海户口怎么登记", LOST, "我户口在嘉善", "选民证丢了，我户口在嘉善，退休了"],
)
async def test_words_that_tell_no_case_or_ask_something_else_are_answered(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    assert "对吗？" not in out.text
    assert "现在属于哪种" not in out.text


# Of the open golden questions only those that tell a case and ask where are asked about.
DIVERTED = {"reg_migrant", "reg_where_student"}


def test_golden_questions_that_are_asked_about_are_of_those_who_ask_where() -> None:
    rows = [
        json.loads(line)
        for path in sorted((DATA / "golden").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(rows) > 500
    found = {
        (row["q"], row["topic"])
        for row in rows
        if where_steps.tells_case(PACK, statements.read(PACK, row["q"], local=["东浦区"]), row["q"])
    }
    assert {topic for _, topic in found} == DIVERTED


@pytest.mark.parametrize(
    "said", ["我是台湾人，在这里工作多年，可以登记选民吗", "旅居海外的华侨回国期间可以登记吗"]
)
async def test_who_has_no_household_here_asks_what_they_may(chat: Chat, said: str) -> None:
    assert "对吗？" not in (await chat.says(said)).text


# --- other districts, print, large, English -------------------------------------------------------

WEST = {"name": "西岸区", "says": ["西岸"], "office": "西岸区选举委员会办公室", "phone": "0000-87654321",
        "hours": "工作日 9:00–17:00", "address": "西岸区示例路2号"}  # fmt: skip


async def contacts(town: Town) -> None:
    async with town.store.transaction() as session:
        change = await rules.propose_contacts(
            session, "shanghai", [WEST], basis="通讯录", scope=town.cast.district,
            actor=town.cast.li_qiang, now=town.now,
        )  # fmt: skip
        await changes.sign(session, change, seen=change.version, actor=town.cast.wang_fang, now=town.now)


async def test_a_household_in_another_district_is_its_offices_business(chat: Chat, town: Town) -> None:
    await walk(chat, ["本市其他区", "没有单位", "户口所在地"])
    out = await chat.taps("对")
    assert "请向户口所在区的选举办询问" in out.text
    await walk(chat, ["本区", "没有单位", "户口所在地"])
    assert "其他区" not in (await chat.taps("对")).text


async def test_the_other_district_is_named_where_the_words_name_it(chat: Chat, town: Town) -> None:
    await contacts(town)
    await chat.says("我户口在西岸区，退休了，住在临江街道，应该在哪里登记？")
    out = await chat.taps("对")
    assert "0000-87654321" in out.text
    assert "西岸区选举委员会办公室" in out.text


async def test_paper_needs_an_address_from_outside(chat: Chat, town: Town) -> None:
    out = await walk(chat, ["迁出还没落户", "对"])
    assert "📄 保存或打印" not in out.buttons
    town.restart(public_url="https://example.org")
    town.later(minutes=1)
    out = await walk(chat, ["迁出还没落户", "对"])
    (paper,) = [key for key in out.keys if key.text == "📄 保存或打印"]
    assert paper.url == f"https://example.org/where?a={wizard.pack_up(PACK, {'hukou': 'unsettled'})}&print=1"


async def test_large_print(chat: Chat) -> None:
    await chat.says("大字")
    out = await chat.says("/where")
    keyboard = out.messages[-1].reply_markup
    assert isinstance(keyboard, InlineKeyboardMarkup)
    assert all(len(row) == 1 for row in keyboard.inline_keyboard)
    await chat.taps("迁出还没落户")
    out = await chat.taps("对")
    assert "您的情况" not in out.text
    assert "0000-12345678" in out.text
    assert "规则：上海市 第1版" in out.text


async def test_english(chat: Chat, town: Town) -> None:
    await chat.says("/start")
    async with town.store.transaction() as session:
        contact = await people.seen(session, Channel.TELEGRAM, "5001", now=town.now)
        contact.language = "en"
    out = await walk(chat, ["Another province", "Retired", "I have none", "None of these"])
    case = "household in another province, retired, without the certificate"
    assert out.text == f"I understand: {case}. Is that right?"
    out = await chat.taps("Right")
    assert "Usually you vote at your place of household" in out.text
    assert "Bring: ① Eligibility certificate ② Identity card" in out.text
    assert not any("\u4e00" <= char <= "\u9fff" for char in out.text.split("<i>")[0])
