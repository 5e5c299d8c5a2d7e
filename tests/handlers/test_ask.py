"""Questions: answered, offered as a choice, owed an answer; verdicts, pieces, several at once, a person."""

from __future__ import annotations

import asyncio

import pytest

from handlers import keyboards, progress_words
from handlers.callbacks import Op, tap
from knowledge.answer import AnswerGiven
from tests.journeys.conversation import Chat, Town, number_and_code
from ticketing.clocks import Priority
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import ThreadPost, TicketKind, UnansweredReason

BOTH_DATABASES = True

LOST = "选民证丢了怎么办？"
UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"


async def test_a_hit_is_answered_with_short_answer_basis_and_passport(chat: Chat, town: Town) -> None:
    out = await chat.says(LOST)

    lines = out.text.split("\n")
    assert lines[0] == "<b>【选民证丢了怎么办？】</b>"
    assert lines[1].startswith("👉 请尽快联系发证的登记站")
    assert "依据：上海市区和乡镇人民代表大会代表直接选举实施细则第二十七条　适用：东浦区" in out.text
    assert "口径：K-0540 第1版 · 2026-11-18 · 东浦区选举委员会办公室 登记组" in out.text
    assert out.buttons == ["✅ 解决了", "❌ 没解决，转人工", "🔁 换个问题"]
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.outcome is Outcome.AUTO
    assert len(await town.rows(AnswerGiven)) == 1


async def test_what_the_short_answer_said_is_not_said_again(chat: Chat) -> None:
    out = await chat.says(LOST)

    assert out.text.count("请尽快联系发证的登记站核对") == 1
    assert "投票前都可以办" in out.text
    assert "要带：身份证" in out.text


async def test_near_offers_numbered_questions_and_a_tap_answers(chat: Chat, town: Town) -> None:
    out = await chat.says("去哪里登记")
    assert out.text.startswith("您想问的是哪一个？\n1. ")
    assert out.buttons == ["第1个", "第2个", "第3个", "按我的情况查", "都不是"]

    picked = await chat.taps("第2个")
    assert picked.toast == ""
    assert "【" in picked.text

    again = await chat.taps("第2个")
    assert again.toast == "已经记下了。"
    assert again.texts == []
    assert len(await town.rows(AnswerGiven)) == 1
    assert len(await town.rows(Enquiry)) == 1


@pytest.mark.parametrize("said", ["2", "２", "二", "第二个", "第2个", "选2"])
async def test_a_typed_number_chooses_like_a_tap(chat: Chat, said: str) -> None:
    offered = await chat.says("怎么登记")
    second = offered.text.split("\n")[2].removeprefix("2. ")

    assert second in (await chat.says(said)).text


@pytest.mark.parametrize(("said", "no"), [("本市户口", "K-0301"), ("我是外地户口", "K-0300")])
async def test_a_fact_stated_after_choices_decides(chat: Chat, town: Town, said: str, no: str) -> None:
    assert (await chat.says("去哪里登记")).buttons[:3] == ["第1个", "第2个", "第3个"]
    town.later(minutes=1)
    assert no in (await chat.says(said)).text
    assert len(await town.rows(Enquiry)) == 1


async def test_a_fact_that_decides_nothing_keeps_the_question_open(chat: Chat, town: Town) -> None:
    await chat.says("去哪里登记")
    town.later(minutes=1)
    out = await chat.says("退休了")
    assert "都不是" in out.buttons
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.words == "去哪里登记，退休了"
    assert await town.tickets() == []


async def test_a_number_that_chooses_nothing_leads_to_the_menu(chat: Chat, town: Town) -> None:
    out = await chat.says("3")
    assert out.text == "请重新选择，或直接打字提问。"

    await chat.says("怎么登记")
    town.later(minutes=31)
    assert (await chat.says("2")).text == "请重新选择，或直接打字提问。"


async def test_none_of_these_becomes_one_ticket(chat: Chat, town: Town) -> None:
    await chat.says("怎么登记")
    out = await chat.taps("都不是")
    assert "不敢乱答" in out.text
    assert (await chat.taps("都不是")).toast == "已经记下了。"
    assert (await town.ticket()).words == "怎么登记"


async def test_choices_without_a_word_of_our_field_are_offered_with_doubt(chat: Chat, town: Town) -> None:
    out = await chat.says("买彩票")
    assert out.text.startswith("我只能解答选民登记和选举程序问题。您想问的是这些吗？\n1. ")
    assert "都不是" not in out.buttons
    assert "人工咨询" in out.buttons
    assert await town.tickets() == []
    assert "【" in (await chat.taps("第1个")).text


@pytest.mark.parametrize("said", ["补办要去哪里", "怎么补办", "补办手续要去哪里排队办理啊我想知道"])
async def test_likely_or_short_questions_are_offered_choices_without_a_rebuke(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    assert out.text.startswith("您想问的是哪一个？\n1. ")
    assert "都不是" in out.buttons


@pytest.mark.parametrize(
    "said", ["都不是", "都不对", "没有我要问的", "以上都不是", "都不是我想问的。", "上面都没有"]
)
async def test_none_of_these_can_be_typed(chat: Chat, town: Town, said: str) -> None:
    await chat.says("怎么登记")
    out = await chat.says(said)
    ticket = await town.ticket()
    assert ticket.words == "怎么登记"
    assert ticket.ticket_no in out.text
    assert ticket.ticket_no in (await chat.says(said)).text
    assert len(await town.tickets()) == 1
    assert len(await town.rows(Enquiry)) == 1


async def test_none_of_these_without_choices_refuses_nothing(chat: Chat, town: Town) -> None:
    await chat.says("都不是")
    assert await town.tickets() == []


@pytest.mark.parametrize("said", ["不用了", "算了", "没事了", "不需要", "不用了，谢谢", "那算了吧"])
async def test_a_person_can_be_called_off(chat: Chat, town: Town, said: str) -> None:
    await chat.says("我要人工")
    assert (await chat.says(said)).text == "好的，不麻烦了。还有问题随时问我。"
    assert "K-0540" in (await chat.says(LOST)).text, "the next question is matched again"
    assert await town.tickets() == []


async def test_half_a_question_that_is_called_off_is_not_owed(chat: Chat, town: Town) -> None:
    await chat.says("我爸是军人")
    town.later(seconds=2)
    assert "好的，不麻烦了" in (await chat.says("算了")).text
    town.later(seconds=10)
    await town.clock_ticks()
    assert await town.tickets() == []


async def test_calling_off_what_is_with_a_person_is_told_to_that_person(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=1)
    await chat.says("不用了")
    assert [post.text for post in await town.rows(ThreadPost)] == [UNKNOWN, "不用了"]


async def test_politeness_after_human_is_no_question(chat: Chat, town: Town) -> None:
    await chat.says("人工")
    assert (await chat.says("谢谢")).text == "不客气。还有问题随时问我。"
    assert await town.tickets() == []


@pytest.mark.parametrize("said", ["开发票", "红烧肉"])
async def test_a_fragment_of_another_field_is_told_so(chat: Chat, town: Town, said: str) -> None:
    out = await chat.says(said)
    assert out.text.startswith("我只能解答选民登记和选举程序问题。\n")
    assert "人工咨询" in out.buttons


async def test_who_was_bribed_is_helped_at_once(chat: Chat, town: Town) -> None:
    await chat.says("有人给我塞200块钱让我投他,咋办")
    assert (await town.ticket()).kind is TicketKind.REPORT


async def test_a_miss_is_owed_with_number_code_and_time(chat: Chat, town: Town) -> None:
    out = await chat.says(UNKNOWN)

    ticket = await town.ticket()
    assert number_and_code(out.text) == (ticket.ticket_no, ticket.progress_code)
    assert "最迟11月20日（周五）17:30前答复您" in out.text
    assert "非值班时间" not in out.text
    assert out.buttons == ["我的问题进度", "🏠 主菜单"]
    assert ticket.words == UNKNOWN


async def test_off_hours_the_next_duty_time_and_the_phone_are_named(chat: Chat, town: Town) -> None:
    town.later(hours=10)  # Friday 20:05 in Beijing
    out = await chat.says(UNKNOWN)

    assert "现在是非值班时间。下次值班：" in out.text
    assert "急事请拨 0000-12345678" in out.text
    assert "最迟" in out.text


async def test_a_person_without_a_question_gets_the_next_message(chat: Chat, town: Town) -> None:
    out = await chat.says("人工")
    assert "请直接说您的问题" in out.text
    assert await town.tickets() == []

    town.later(minutes=1)
    out = await chat.says(LOST)
    assert "已为您转给值班同志" in out.text, "even what the base could answer goes to a person now"
    assert (await town.ticket()).asked_for_person is True


async def test_a_person_after_a_question_gets_that_question(chat: Chat, town: Town) -> None:
    await chat.says("今天天气怎么样")
    out = await chat.taps("人工咨询")

    assert out.toast == ""
    assert "已为您转给值班同志" in out.text
    assert (await town.ticket()).words == "今天天气怎么样"


async def test_a_person_long_after_an_answer_is_about_something_else(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    town.later(minutes=11)
    assert "请直接说您的问题" in (await chat.says("转人工")).text
    assert await town.tickets() == []


async def test_a_person_right_after_an_answer_is_about_that_question(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    town.later(minutes=1)
    await chat.says("转人工")
    assert (await town.ticket()).words == LOST


async def test_a_person_once_more_names_the_open_ticket(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=1)
    out = await chat.says("人工")
    assert (await town.ticket()).ticket_no in out.text

    out = await chat.says("云平台的账号找谁开")
    assert len(await town.tickets()) == 2
    assert "已为您转给值班同志" in out.text


async def test_a_greeting_while_waiting_for_the_question_keeps_waiting(chat: Chat, town: Town) -> None:
    await chat.says("人工")
    assert "请直接说您的问题" in (await chat.says("在吗")).text
    await chat.says(LOST)
    assert (await town.ticket()).words == LOST


async def test_waiting_for_a_question_ends_after_half_an_hour(chat: Chat, town: Town) -> None:
    await chat.says("人工")
    town.later(minutes=31)
    assert "K-0540" in (await chat.says(LOST)).text
    assert await town.tickets() == []


async def test_a_lost_state_costs_one_tap_and_nothing_else(chat: Chat, town: Town) -> None:
    await chat.says("人工")
    town.restart()
    out = await chat.says(LOST)
    assert "K-0540" in out.text
    assert "❌ 没解决，转人工" in out.buttons


async def test_a_report_after_human_is_restricted(chat: Chat, town: Town) -> None:
    await chat.says("人工")
    await chat.says("他给我塞了红包让我投票")
    ticket = await town.ticket()
    assert ticket.kind is TicketKind.REPORT
    assert ticket.why_unanswered is UnansweredReason.RESTRICTED


async def test_solved_takes_the_buttons_off_once(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    out = await chat.taps("✅ 解决了")
    assert out.toast == "谢谢您的反馈！"
    assert len(out.unbuttoned) == 1

    again = await chat.taps("✅ 解决了")
    assert again.toast == "已经记下了。"
    assert again.unbuttoned == []
    assert (await town.rows(Enquiry))[0].solved is True


async def test_not_solved_becomes_one_ticket(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    out = await chat.taps("❌ 没解决，转人工")
    assert "抱歉没帮上忙" in out.text
    assert (await chat.taps("❌ 没解决，转人工")).toast == "已经记下了。"
    assert (await town.ticket()).words == LOST


async def test_not_solved_of_a_question_that_is_owed_already_names_its_ticket(chat: Chat, town: Town) -> None:
    await chat.says("走不动的老人能在家投票吗")
    before = await town.ticket()
    out = await chat.taps("❌ 没解决，转人工")

    assert out.text.startswith("您的问题已经在值班同志那里了")
    assert before.ticket_no in out.text
    assert len(await town.rows(ThreadPost)) == 1


async def test_not_solved_after_a_person_answered_opens_the_ticket_again(chat: Chat, town: Town) -> None:
    await chat.says("走不动的老人能在家投票吗")
    await town.answers(await town.ticket())
    out = await chat.taps("❌ 没解决，转人工")

    assert "已重新办理，编号不变" in out.text
    assert (await town.ticket()).reopen_count == 1


async def test_verdicts_can_be_typed(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    assert (await chat.says("解决了")).text == "谢谢您的反馈！"
    assert (await town.rows(Enquiry))[0].solved is True

    town.later(minutes=1)
    await chat.says("选民证掉了咋办")
    assert "抱歉没帮上忙" in (await chat.says("没解决")).text
    assert (await town.ticket()).words == "选民证掉了咋办"


async def test_several_questions_are_taken_one_by_one(chat: Chat, town: Town) -> None:
    out = await chat.says("选民证丢了怎么办？外地人怎么登记选民？新楼盘还没有门牌号，登记表上的地址怎么填？")

    assert out.texts[0] == "我看到3个问题，先逐个回答："
    assert [text.split(" ")[0] for text in out.texts[1:]] == ["1/3", "2/3", "3/3"]
    assert "K-0540" in out.texts[1]
    assert "K-0300" in out.texts[2]
    assert (await town.ticket()).ticket_no in out.texts[3]
    assert len(await town.rows(Enquiry)) == 3


async def test_an_opinion_among_several_questions_stops_only_itself(chat: Chat, town: Town) -> None:
    out = await chat.says("应该选谁？选民证丢了怎么办？")
    assert "候选人情况以选举委员会公布为准" in out.texts[1]
    assert "K-0540" in out.texts[2]
    assert await town.tickets() == []


async def test_a_statement_and_then_the_question_are_one(chat: Chat, town: Town) -> None:
    first = await chat.says("我妈是华侨")
    assert first.text == "收到，请接着说您想问什么。"
    town.later(seconds=3)
    await chat.says("怎么登记")

    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.words == "我妈是华侨，怎么登记"
    assert enquiry.pending_until is None


async def test_a_statement_is_not_owed_apart_from_the_answered_question(chat: Chat, town: Town) -> None:
    await chat.says("我爸是军人")
    town.later(seconds=3)
    assert "K-0540" in (await chat.says(LOST)).text

    town.later(seconds=10)
    await town.clock_ticks()
    assert await town.tickets() == []


async def test_a_question_and_then_a_detail_are_one(chat: Chat, town: Town) -> None:
    offered = await chat.says("怎么登记")
    assert "都不是" in offered.buttons
    town.later(seconds=3)
    out = await chat.says("户口是外地的")

    assert "K-0300" in out.text
    assert len(await town.rows(Enquiry)) == 1


async def test_a_detail_that_changes_nothing_is_kept_with_the_answered_question(
    chat: Chat, town: Town
) -> None:
    await chat.says(LOST)
    town.later(seconds=2)
    out = await chat.says("昨天买菜的时候")
    assert out.text.startswith("收到，已和您刚才的问题放在一起")

    await chat.taps("❌ 没解决，转人工")
    assert (await town.ticket()).words == f"{LOST}，昨天买菜的时候"


async def test_two_questions_in_a_row_stay_two(chat: Chat, town: Town) -> None:
    await chat.says("怎么登记？")
    town.later(seconds=2)
    assert "K-0540" in (await chat.says(LOST)).text
    assert [enquiry.words for enquiry in await town.rows(Enquiry)] == ["怎么登记？", LOST]


async def test_half_a_message_left_alone_becomes_a_ticket(chat: Chat, town: Town) -> None:
    await chat.says("我爸是军人")
    await town.clock_ticks()
    assert await town.tickets() == []

    town.later(seconds=6)
    await town.clock_ticks()
    await town.clock_ticks()
    ticket = await town.ticket()
    out = await town.delivers()
    assert number_and_code(out.text) == (ticket.ticket_no, ticket.progress_code)
    assert out.buttons == ["我的问题进度", "🏠 主菜单"]


async def test_a_detail_later_goes_to_the_open_ticket(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=3)
    out = await chat.says("楼盘在滨江那一块，物业说门牌还没批")

    ticket = await town.ticket()
    assert out.text.startswith(f"已补充到您的问题 {ticket.ticket_no}")
    assert [post.text for post in await town.rows(ThreadPost)] == [
        UNKNOWN,
        "楼盘在滨江那一块，物业说门牌还没批",
    ]


@pytest.mark.parametrize("said", ["谢谢", "好的，谢谢！", "知道了", "ＯＫ"])
async def test_politeness_is_no_detail_and_no_question(chat: Chat, town: Town, said: str) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=1)
    assert (await chat.says(said)).text == "不客气。还有问题随时问我。"
    assert len(await town.rows(ThreadPost)) == 1
    assert len(await town.rows(Enquiry)) == 1


async def test_another_question_while_one_is_open_is_a_ticket_of_its_own(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=3)
    await chat.says("业委会的章程在哪看？")
    assert len(await town.tickets()) == 2


async def test_pinyin_is_never_put_away_as_a_detail(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    town.later(minutes=1)
    out = await chat.says("xuanminzhengdiulezenmeban")
    assert "1. 选民证丢了怎么办？" in out.text
    assert len(await town.rows(ThreadPost)) == 1


async def test_an_unconfirmed_entry_is_answered_and_owed(chat: Chat, town: Town) -> None:
    out = await chat.says("走不动的老人能在家投票吗")

    assert "K-0700" in out.texts[0]
    assert out.texts[1].startswith("这一点以区选举委员会公告为准。")
    ticket = await town.ticket()
    assert ticket.ticket_no in out.texts[1]
    assert ticket.why_unanswered is UnansweredReason.NEEDS_SUPERIOR


async def test_staff_entries_are_never_shown_to_voters(chat: Chat) -> None:
    out = await chat.says("云平台导入名单时报错怎么处理？")
    assert "K-0900" not in out.text
    assert "表头" not in out.text


async def test_distress_goes_to_a_person_at_once(chat: Chat, town: Town) -> None:
    out = await chat.says("登记不上，不想活了")
    assert "12356" in out.text
    assert (await town.ticket()).priority is Priority.P1
    town.later(minutes=1)
    await chat.says("登记不上，不想活了")
    assert len(await town.tickets()) == 1


async def test_every_quick_topic_leads_somewhere(chat: Chat, town: Town) -> None:
    await chat.says("/start")
    labels = [key.text for _, key in chat.shown]
    assert len(labels) == len(keyboards.quick_topics()) + 1 == 6
    for label in labels:
        town.later(minutes=1)
        await chat.says("/start")
        out = await chat.taps(label)
        assert out.toast == "", label
        assert out.text, label


async def test_words_for_places_and_times_work_without_a_question(chat: Chat) -> None:
    assert "您的户口在哪里？" in (await chat.says("在哪里")).text
    assert "<b>登记</b>" in (await chat.says("什么时候")).text


@pytest.mark.parametrize(
    "data",
    ["", "x", "1|hlp", "1|zzz|1|0|", "2|hlp|1|0|", "1|hlp|!!|0|", "1|hlp|zzzzzzzzzz|0|", "1|pik|1|0|99"],
)
async def test_forged_and_old_buttons_do_nothing(chat: Chat, town: Town, data: str) -> None:
    await chat.says(LOST)
    out = await chat.taps_data(data)
    assert out.toast == "这个选项已过期，请重新开始。"
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.solved is None


async def test_an_old_quick_topic_says_so(chat: Chat) -> None:
    assert (await chat.taps_data(tap(Op.ASK, arg="99"))).toast == "这个选项已过期，请重新开始。"


async def test_two_messages_at_once_are_handled_one_after_the_other(chat: Chat, town: Town) -> None:
    first, second = await asyncio.gather(chat.says("怎么登记"), chat.says("户口是外地的"))

    texts = first.texts or second.texts
    assert texts
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.entry_id is not None
    sent = [method for method in town.session.sent if getattr(method, "text", None)]
    assert "1. " in sent[0].text
    assert "K-0300" in sent[1].text


def test_codes_of_tickets_are_told_from_years() -> None:
    code, year = progress_words.read("7K2M"), progress_words.read("2026")
    assert code is not None
    assert code.meant
    assert year is not None
    assert not year.meant
    assert progress_words.read("登记时间") is None
