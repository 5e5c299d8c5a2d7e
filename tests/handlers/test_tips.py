"""Work tips in chat: the card, 已阅, 全文, 有疑问, and tips asked for by number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aiogram.methods import EditMessageText, SendMessage
from aiogram.types import Chat as TelegramChat
from aiogram.types import ForceReply, Message, User

from bot.channels import telegram
from knowledge.tip_receipts import Receipt, ReceiptWay
from knowledge.tips import TipSecrecy, WorkTip
from office.bindings import ChatGroup, GroupPurpose
from office.staff import Staff
from tests.handlers.staff_desk import HE_JING, bind, bound_group, command, registrar, suspend
from tests.journeys.conversation import GROUP, USERNAME, Chat, Out, Town, refused
from tests.ticketing.tip_world import released
from ticketing import tip_posts, tip_release
from ticketing.tip_posts import Shown, TipPost
from ticketing.tip_questions import count

NORTH = -1002
ZHAO_LEI, LI_QIANG, WANG_FANG = 6101, 6001, 6002


@pytest.fixture
async def he_jing(town: Town) -> Staff:
    """何静, a registrar of 临江街道 with a bound phone; 临江街道 and 北塘镇 have a group each."""
    person = await registrar(town)
    await bind(town, person, HE_JING)
    await bind(town, town.cast.zhao_lei, ZHAO_LEI)
    await bound_group(town, GroupPurpose.STAFF, town.cast.riverside)
    await bound_group(town, GroupPurpose.STAFF, town.cast.north, NORTH)
    await town.delivers()
    town.later(minutes=2)
    return person


async def sent(town: Town, **changes: Any) -> tuple[WorkTip, Out]:
    """A released tip, delivered to both groups."""
    tip = await released(town.store, town.cast, town.now, **changes)
    return tip, await town.delivers()


def in_riverside(out: Out) -> list[Any]:
    return [method for method in out.methods if getattr(method, "chat_id", None) == GROUP]


def reading(town: Town, person: int, where: int, out: Out) -> Chat:
    """This person in a group, with the card on the screen."""
    chat = Chat(town, person, where)
    chat.saw(out)
    return chat


async def edits(town: Town) -> list[str]:
    return [m.text or "" for m in in_riverside(await town.delivers()) if isinstance(m, EditMessageText)]


async def test_card_is_read_once_and_the_counter_follows(town: Town, he_jing: Staff) -> None:
    _, out = await sent(town)
    (card,) = in_riverside(out)
    assert card.text.splitlines()[:4] == [
        "📌 工作提示 2026年第1期 · 口径统一",
        "<b>关于居住证年限的提示</b>",
        "• 按累计月数计算，不要求连续。",
        "依据：上海市实施细则第二十七条",
    ]
    assert "已阅 0/2" in card.text
    assert Out([card]).buttons == ["📄 全文", "✅ 已阅", "❓ 有疑问"]
    chat = reading(town, HE_JING, GROUP, out)
    assert (await chat.taps("✅ 已阅")).toast == "已签阅：临江街道"
    assert ["已阅 1/2" in text for text in await edits(town)] == [True]
    town.later(minutes=7)
    assert (await chat.taps("✅ 已阅")).toast == "您已在 10:08 签阅"
    assert await edits(town) == []
    (receipt,) = await town.rows(Receipt)
    assert (receipt.unit_id, receipt.signer, receipt.way) == (
        town.cast.riverside.id, "何静", ReceiptWay.GROUP,
    )  # fmt: skip


async def test_only_the_unit_of_the_group_signs(town: Town, he_jing: Staff) -> None:
    await bind(town, town.cast.li_qiang, LI_QIANG)
    _, out = await sent(town)
    # Of another unit, of the office above, on no staff at all, in another unit's group.
    strangers = ((ZHAO_LEI, GROUP), (LI_QIANG, GROUP), (7007, GROUP), (HE_JING, NORTH))
    # The last: the card was forwarded to a group in which it does not hang.
    for person, where in (*strangers, (HE_JING, -77)):
        assert (await reading(town, person, where, out).taps("✅ 已阅")).toast == "仅限本群登记单位"
    private = await reading(town, HE_JING, HE_JING, out).taps("✅ 已阅")
    assert private.toast == "仅限本群登记单位"
    await suspend(town, he_jing)
    assert (await reading(town, HE_JING, GROUP, out).taps("✅ 已阅")).toast == "仅限本群登记单位"
    assert await town.rows(Receipt) == []


async def test_a_colleague_is_told_who_was_first(town: Town, he_jing: Staff) -> None:
    other = await registrar(town, "吴小兰")
    await bind(town, other, 6005)
    _, out = await sent(town)
    await reading(town, HE_JING, GROUP, out).taps("✅ 已阅")
    town.later(days=1)
    toast = (await reading(town, 6005, GROUP, out).taps("✅ 已阅")).toast
    assert toast == "临江街道已由 何* 在 11-20 10:08 签阅"


async def test_the_whole_text_comes_as_a_reply_and_not_twice(town: Town, he_jing: Staff) -> None:
    line = "{n}. 先核对<登记表>&证件_第{n}项，再与名册比对，发现不一致的由两人复核😀。"
    long = "\n".join(line.format(n=n) for n in range(1, 140))
    tip, out = await sent(town, title="<b>标题</b> & _下划线_ 😀", steps=long)
    (card,) = in_riverside(out)
    assert "&lt;b&gt;标题&lt;/b&gt; &amp; _下划线_ 😀" in card.text
    chat = reading(town, HE_JING, GROUP, out)
    told = await chat.taps("📄 全文")
    assert len(told.messages) > 1
    for message in told.messages:
        assert len(message.text) <= 4096
        assert message.reply_parameters is not None
        assert message.reply_parameters.message_id
        assert message.protect_content is True
    assert "先核对&lt;登记表&gt;&amp;证件_第139项" in told.text
    assert "工作提示2026年第1期 · 2026-11-20 · 东浦区选举委员会办公室" in told.text
    again = await chat.taps("📄 全文")
    assert again.messages == []
    assert again.toast == "全文刚发过，请看上方。"
    assert tip.secrecy is TipSecrecy.INTERNAL


async def test_topic_of_the_group_is_kept(town: Town, he_jing: Staff) -> None:
    async with town.store.transaction() as session:
        (group,) = [row for row in await town.rows(ChatGroup) if row.unit_id == town.cast.riverside.id]
        (await session.get_one(ChatGroup, group.id)).topics = {"forum": True, "tips": 77}
    tip, out = await sent(town)
    (card,) = in_riverside(out)
    assert card.message_thread_id == 77
    town.session.middleware(telegram.Softened())
    town.fails(refused("message can't be edited"))
    async with town.store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        await tip_release.withdraw(
            session, row, "依据有误", seen=row.version, actor=town.cast.wang_fang, now=town.now
        )
    said = [m for m in in_riverside(await town.delivers()) if isinstance(m, SendMessage)]
    (correction,) = said
    assert correction.message_thread_id == 77
    assert correction.text.startswith("更正：工作提示2026年第1期《关于居住证年限的提示》已撤回")
    assert "原因：依据有误" in correction.text


async def test_superseded_cards_say_so_and_lead_to_the_new_one(town: Town, he_jing: Staff) -> None:
    old, out = await sent(town)
    chat = reading(town, HE_JING, GROUP, out)
    town.later(minutes=5)
    _, told = await sent(town, title="关于居住证年限的更正", supersedes_id=old.id)
    (edit,) = [m for m in in_riverside(told) if isinstance(m, EditMessageText)]
    assert edit.text.splitlines() == [
        "⛔ 本期已由第2期替代",
        "📌 工作提示 2026年第1期 · 口径统一",
        "<b>关于居住证年限的提示</b>",
        "新的一期：关于居住证年限的更正",
    ]
    (card,) = [m for m in in_riverside(told) if isinstance(m, SendMessage)]
    assert "更正：替代工作提示第1期《关于居住证年限的提示》" in card.text.splitlines()
    late = await chat.taps("✅ 已阅")
    assert late.toast == "本期已由第2期替代，请签阅第2期。"
    chat.saw(told)
    led = await chat.taps("📄 看第2期")
    assert "关于居住证年限的更正" in led.text
    assert "更正：替代工作提示第1期《关于居住证年限的提示》" in led.text
    assert led.text.count("依据：") == 2, "the text's own, and what it does not cite"
    # The counter is an edit of the whole card: it keeps what the card says of the old one.
    chat.saw(Out([card]))
    await chat.taps("✅ 已阅")
    (counted,) = await edits(town)
    assert "更正：替代工作提示第1期《关于居住证年限的提示》" in counted
    posts = [row for row in await town.rows(TipPost) if row.tip_id == old.id]
    assert {row.shown for row in posts} == {Shown.REPLACED}


async def test_a_tip_that_is_replaced_on_a_later_day_says_from_when_wherever_it_is_read(
    town: Town, he_jing: Staff
) -> None:
    old, _ = await sent(town)
    begins = town.now + timedelta(days=3, minutes=-3)
    _, told = await sent(town, title="新口径", supersedes_id=old.id, effective_from=begins)
    (edit,) = [m for m in in_riverside(told) if isinstance(m, EditMessageText)]
    assert edit.text.startswith("⏳ 本期自11月23日（周一）10:05起由第2期替代\n")
    chat = town.group(HE_JING)
    card = (await chat.sends(**command("/tip 1"))).text
    assert card.startswith("⏳ 本期自11月23日（周一）10:05起由第2期替代\n")
    town.later(minutes=3 * 24 * 60 + 1)
    card = (await chat.sends(**command("/tip 1"))).text
    assert card.startswith("⛔ 本期已由第2期替代\n")


async def test_question_becomes_a_ticket_that_names_the_tip(town: Town, he_jing: Staff) -> None:
    tip, out = await sent(town)
    chat = reading(town, HE_JING, GROUP, out)
    (prompt,) = (await chat.taps("❓ 有疑问")).messages
    assert isinstance(prompt.reply_markup, ForceReply)
    assert "请回复本条消息，写下疑问" in prompt.text
    assert f"tg://user?id={HE_JING}" in prompt.text

    def ours(text: str) -> Message:
        return chat.message(text=text, from_user=User(id=town.bot.id, is_bot=True, first_name="一窗"))

    plain = telegram.plain_text(prompt.text)
    anonymous = await chat.says(
        "怎么算？", reply_to_message=ours(plain), sender_chat=TelegramChat(id=GROUP, type="supergroup")
    )
    assert "匿名管理员" in anonymous.text
    assert await town.tickets() == []
    asked = "补办过居住证的，补办前的月数算不算？"
    told = await chat.says(asked, reply_to_message=ours(plain))
    ticket = await town.ticket()
    assert (ticket.words, ticket.tip_id, ticket.tip_no) == (asked, tip.id, "第1期")
    assert ticket.unit_id == town.cast.riverside.id
    assert ticket.ticket_no in told.text
    assert "最迟" in told.text
    # In a group whoever reads the code could take the answer.
    assert ticket.progress_code not in told.text
    again = await chat.says(asked, reply_to_message=ours(plain))
    assert ticket.ticket_no in again.text
    gated = await chat.says("你说哪个候选人好？", reply_to_message=ours(plain))
    assert "私聊" in gated.text
    async with town.store.reading() as session:
        assert await count(session, tip) == 1
    forged = await chat.says(asked, reply_to_message=ours("❓ 请回复本条消息（工作提示2026年第9期）"))
    assert forged.text == "没有找到这一期工作提示。"


async def test_tips_are_told_by_their_number(town: Town, he_jing: Staff) -> None:
    await sent(town)
    for said in ("工作提示第1期", "第１期提示", "2026年第一期工作提示", "/tip 1", "/tip 2026-1"):
        more = command(said) if said.startswith("/") else {"text": said}
        staff = await town.chat(HE_JING).sends(**more)
        assert "二、统一口径" in staff.text
        assert "电话 0000-12345678" in staff.text
        # An internal one is as if it were not there, for everybody else.
        voter = await town.chat().sends(**more)
        assert voter.text == "没有找到这一期工作提示。"
        mention = more if said.startswith("/") else {"text": f"@{USERNAME} {said}"}
        group = await town.group(7007).sends(**mention)
        assert "• 按累计月数计算，不要求连续。" in group.text
        assert "📄 全文" in group.buttons
    assert "/tip 3" in (await town.group(7007).sends(**command("/tip 居住证"))).text


async def test_public_tips_with_their_state_for_everybody(town: Town, he_jing: Staff) -> None:
    old, _ = await sent(town, secrecy=TipSecrecy.PUBLIC)
    internal, _ = await sent(town, title="内部提示")
    assert "内部提示" not in (await town.chat().says("最新工作提示")).text
    for said in ("/tip", "/tips"):
        assert "内部提示" in (await town.chat(HE_JING).sends(**command(said))).text
        for there in (await town.chat().sends(**command(said)), await town.chat().says(said)):
            assert "最新工作提示：\n2026年第1期" in there.text
        assert "内部提示" in (await town.group(7007).sends(**command(said))).text
    assert "二、统一口径" in (await town.chat().sends(**command("/start tip_2026-1"))).text
    assert "没有找到" in (await town.chat().says("工作提示第7期")).text
    await bound_group(town, GroupPurpose.OPEN, town.cast.riverside, -1009)
    open_group = Chat(town, HE_JING, -1009)
    # In a group open to voters everybody reads along, whoever asks.
    assert "没有找到" in (await open_group.sends(**command("/tip 2"))).text
    await sent(town, supersedes_id=old.id, title="新口径")
    told = await town.chat().says("工作提示第1期")
    assert told.texts[0].startswith("⛔ 本期已由第3期替代")
    # The number of what replaced it anybody may know; its way only who may read it.
    assert told.buttons == []
    assert (await town.chat(HE_JING).says("工作提示第1期")).buttons == ["📄 看第3期"]
    assert internal.issue_no == 2


async def test_until_its_successor_goes_out_a_tip_is_shown_as_in_force(town: Town, he_jing: Staff) -> None:
    old, _ = await sent(town, secrecy=TipSecrecy.PUBLIC)
    later = town.now + timedelta(hours=1)
    await sent(town, supersedes_id=old.id, title="新口径", secrecy=TipSecrecy.PUBLIC, send_at=later)
    for chat in (town.chat(), town.chat(HE_JING), town.group(7007)):
        listed = (await chat.sends(**command("/tip"))).text
        assert "2026年第1期" in listed
        assert "新口径" not in listed
        assert "替代" not in (await chat.sends(**command("/tip 1"))).text
    assert "❓ 有疑问" in (await town.chat(HE_JING).says("工作提示第1期")).buttons
    town.later(minutes=61)
    await town.clock_ticks()
    listed = (await town.chat().sends(**command("/tip"))).text
    assert "新口径" in listed
    assert "2026年第1期" not in listed
    assert (await town.chat().says("工作提示第1期")).text.startswith("⛔ 本期已由第2期替代")


async def test_counter_is_edited_at_a_decent_rate(town: Town, he_jing: Staff) -> None:
    _, first = await sent(town)
    _, second = await sent(town, title="第二份提示")
    riverside = reading(town, HE_JING, GROUP, Out([*in_riverside(first)]))
    await riverside.taps("✅ 已阅")
    north = Chat(town, ZHAO_LEI, NORTH)
    north.saw(first)
    await north.taps("✅ 已阅")
    north.saw(second)
    await north.taps("✅ 已阅")
    assert len(await edits(town)) == 1
    async with town.store.transaction() as session:
        assert await tip_posts.recount(session, now=town.now) == 0
    town.later(seconds=31)
    async with town.store.transaction() as session:
        # One in each group, however many of its tips have changed.
        assert await tip_posts.recount(session, now=town.now) == 2
    assert len(await edits(town)) == 1
    town.later(seconds=31)
    await town.clock_ticks()
    await edits(town)
    town.later(seconds=61)
    await town.clock_ticks()
    assert await edits(town) == []
    counted = {(row.tip_id, row.group_id): row.counted for row in await town.rows(TipPost)}
    assert sorted(counted.values()) == [1, 1, 2, 2]
