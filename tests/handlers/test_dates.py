"""When: dates with their tense, days that are named in a question, reminders, and objections to the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from knowledge import elections
from knowledge.calendar import BEIJING
from knowledge.reminders import Reminder
from office.changes import Change
from office.contacts import ContactState
from office.staff import Role, Staff
from office.store import Store
from tests.journeys.conversation import Chat, Out, Town
from tests.make import CALENDAR, Cast, an_entry
from ticketing.clocks import Priority
from ticketing.records import Ticket, TicketKind


def at(month: int, day: int, clock: str = "10:05") -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, month, day, hour, minute, tzinfo=BEIJING).astimezone(UTC)


async def changed(store: Store, **content: object) -> None:
    """Another calendar is in force."""
    async with store.transaction() as session:
        change = (await session.scalars(select(Change).where(Change.subject == "calendar"))).one()
        change.content = {**CALENDAR, **content}


async def strikes(town: Town) -> Out:
    """What the clock asks for is done and sent."""
    await town.clock_ticks()
    return await town.delivers()


async def wishes(store: Store) -> set[str]:
    async with store.reading() as session:
        return set((await session.scalars(select(Reminder.what))).all())


# --- when -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["/when", "什么时候", "啥辰光登记", "登记时间"])
async def test_when_shows_window_list_and_voting_with_a_bell(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    assert "居民登记：11月16日（周一）至12月5日（周六） 9:00–17:00，进行中（还剩15天）" in out.text
    assert "最迟12月9日（周三），还有19天" in out.text
    assert "12月29日（周二），还有39天" in out.text
    assert "👉 还没登记的，请在截止前去登记站。" in out.text
    assert out.buttons[0] == "🔔 通知我"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (at(11, 15, "23:59"), "未开始（还有1天）"),
        (at(11, 16, "00:00"), "进行中（还剩19天）"),
        (at(12, 4, "23:59"), "进行中（还剩1天）"),
        (at(12, 5, "00:00"), "今天截止"),
        (at(12, 5, "23:59"), "今天截止"),
        (at(12, 6, "00:00"), "已结束（错过的请马上联系登记站，名单补正公布最迟12月27日）"),
        (at(12, 28, "00:00"), "已结束（名单补正公布也已截止（12月27日），请咨询选举办）"),
    ],
)
async def test_the_tense_follows_the_day(chat: Chat, town: Town, moment: datetime, said: str) -> None:
    town.now = moment
    assert f"9:00–17:00，{said}" in (await chat.says("/when")).text


async def test_windows_that_differ_are_announced_as_different(chat: Chat, store: Store) -> None:
    units = {"audience": "单位登记", "from": "2026-11-16", "to": "2026-11-30"}
    await changed(store, windows=[units, *CALENDAR["windows"]])
    out = await chat.says("/when")
    assert "单位登记、居民登记时间不同。" in out.text
    assert out.text.index("单位登记：11月16日") < out.text.index("居民登记：11月16日")


async def test_what_has_no_date_says_so_and_a_promise_to_tell_is_kept(
    chat: Chat, store: Store, cast: Cast
) -> None:
    async with store.transaction() as session:
        await session.execute(delete(Change))
    out = await chat.says("什么时候")
    assert "登记时间尚未公布。公布后我会通知您。" in out.text
    assert not any(char.isdigit() for char in out.text.replace("0000-12345678", ""))
    assert out.buttons[0] == "🔔 通知我"
    assert await wishes(store) == {"published"}


async def test_large_print_says_one_fact_a_message(chat: Chat) -> None:
    await chat.says("大字")
    out = await chat.says("/when")
    assert len(out.messages) == 4
    assert all("0000-12345678" in text for text in out.texts)


async def test_when_in_english(chat: Chat, town: Town, store: Store, cast: Cast) -> None:
    await chat.says("/when")
    async with store.transaction() as session:
        (await session.merge(cast.zhang_min)).language = "en"
    out = await chat.says("/when")
    assert "Mon 16 Nov to Sat 5 Dec 9:00–17:00, open (15 days left)" in out.text
    assert "by Wed 9 Dec at the latest, in 19 days" in out.text


# --- a day in a question ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "day", "said"),
    [
        ("下周三还能登记吗", "11月25日（周三）", "11月25日（周三）可以登记"),
        ("月底能登记吗？", "11月30日（周一）", "11月30日（周一）可以登记"),
        ("后天去登记来得及吗", "11月22日（周日）", "11月22日（周日）可以登记"),
        ("12月5号还可以登记吗", "12月5日（周六）", "12月5日（周六）可以登记"),
        ("12月6号还可以登记吗", "12月6日（周日）", "12月6日（周日）登记已经结束"),
        ("11月15日登记", "11月15日（周日）", "11月15日（周日）还没开始登记"),
        ("12月3号可以投票吗", "12月3日（周四）", "12月3日（周四）还没到投票的时候"),
        ("12月29号能投票吗", "12月29日（周二）", "12月29日（周二）可以投票"),
        ("12月12号还能申诉吗", "12月12日（周六）", "12月12日（周六）能不能申诉，要看名单哪天公布"),
        ("12月15号还能申诉吗", "12月15日（周二）", "按最迟公布日算，12月15日（周二）申诉期已过"),
    ],
)
async def test_e25_a_named_day_is_said_absolutely_with_what_holds_on_it(
    chat: Chat, asked: str, day: str, said: str
) -> None:
    out = await chat.says(asked)
    assert f"”是{day}。" in out.text
    assert f"👉 {said}" in out.text
    assert "编号" not in out.text


UNITS = {"audience": "单位登记", "from": "2026-11-16", "to": "2026-12-05", "note": "9:00–17:00"}
RESIDENTS = {
    "audience": "居民登记", "from": "2026-11-25", "to": "2026-12-05", "note": "9:00–17:00（含双休日）",
}  # fmt: skip


@pytest.fixture
async def apart(chat: Chat, town: Town, store: Store) -> Chat:
    """A Saturday on which units register and residents do not yet."""
    await changed(store, windows=[UNITS, RESIDENTS])
    town.now = at(11, 21)
    return chat


@pytest.mark.parametrize(
    ("asked", "day"),
    [
        ("今天能登记吗", "11月21日（周六）"),
        ("明天能登记吗", "11月22日（周日）"),
        ("我没单位，今天能登记吗", "11月21日（周六）"),
        ("我是退休的，明天去登记可以吗", "11月22日（周日）"),
    ],
)
async def test_windows_that_differ_on_a_day_are_said_apart(apart: Chat, asked: str, day: str) -> None:
    out = await apart.says(asked)
    assert out.text.split("\n")[0].endswith(f"是{day}。")
    assert out.text.split("\n")[1:3] == [
        "👉 居民登记：还没开始，11月25日（周三）起 9:00–17:00（含双休日）",
        "👉 单位登记：进行中，到12月5日（周六） 9:00–17:00。双休日是否办理请先问登记站",
    ]
    assert "可以登记" not in out.text


async def test_a_workday_needs_no_word_on_weekends(apart: Chat) -> None:
    assert "双休日是否办理" not in (await apart.says("11月23号能登记吗")).text


async def test_where_all_windows_run_one_can_register(apart: Chat) -> None:
    out = await apart.says("居民12月1号能登记吗")
    assert "👉 12月1日（周二）可以登记：\n单位登记：11月16日" in out.text
    assert "\n居民登记：11月25日" in out.text


async def test_an_hour_is_held_against_the_notes_of_the_windows(apart: Chat) -> None:
    out = await apart.says("12月5号晚上8点能登记吗")
    assert "可以登记" not in out.text
    assert "👉 居民登记：进行中，到12月5日（周六） 9:00–17:00（含双休日）" in out.text
    assert "“晚上8点”办不办理，要看上面的时间" in out.text


async def test_a_day_after_a_dated_question_means_the_same_matter(apart: Chat, town: Town) -> None:
    await apart.says("12月29号能投票吗")
    assert "👉 12月6日（周日）还没到投票的时候" in (await apart.says("12月6号呢")).text
    assert "👉 12月29日（周二）可以投票" in (await apart.says("那12.29呢")).text
    town.later(minutes=31)
    assert "投票" not in (await apart.says("那周日呢")).text


@pytest.mark.parametrize("asked", ["还有几天截止", "还剩几天", "什么时候截止？"])
async def test_a_deadline_alone_is_that_of_registration(apart: Chat, asked: str) -> None:
    out = await apart.says(asked)
    assert out.text.split("\n") == [
        "<b>登记截止</b>　单位登记：12月5日（周六） 9:00–17:00，还有14天",
        "<b>登记截止</b>　居民登记：12月5日（周六） 9:00–17:00（含双休日），还有14天",
        "居民登记：还没开始，11月25日（周三）起 9:00–17:00（含双休日）",
        "👉 还没登记的，请在截止前去登记站。",
    ]


async def test_a_deadline_that_is_over_says_what_can_be_done(chat: Chat, town: Town) -> None:
    town.now = at(12, 6)
    out = await chat.says("什么时候截止")
    assert out.text == (
        "<b>登记截止</b>　居民登记：12月5日（周六） 9:00–17:00，"
        "已结束（错过的请马上联系登记站，名单补正公布最迟12月27日）"
    )
    assert "🔔 通知我" not in out.buttons


async def test_windows_that_cover_other_parts_of_the_named_days_are_said_apart(apart: Chat) -> None:
    out = await apart.says("12月9日之前可以去登记吗")
    assert "👉 单位登记：11月21日（周六）至12月5日（周六）可以办理 9:00–17:00" in out.text
    assert "👉 居民登记：11月25日（周三）至12月5日（周六）可以办理 9:00–17:00（含双休日）" in out.text


async def test_a_deadline_after_a_question_is_that_of_its_matter(apart: Chat) -> None:
    await apart.says("12月14号能申诉吗")
    assert (
        "名单公布之日起5日内；按最迟公布日算到12月14日（周一），还有23天"
        in (await apart.says("还剩几天")).text
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            "12月14号能申诉吗",
            "12月14日（周一）能不能申诉，要看名单哪天公布：名单公布之日起5日内；按最迟公布日算到12月14日（周一）",
        ),
        ("12月9号之前能申诉吗", "名单公布以前不能申诉，12月9日（周三）之前可能还没公布"),
        ("12月3号之前能登记吗", "12月3日（周四）之前可以登记"),
        ("12月9号之前能登记吗", "11月20日（周五）至12月5日（周六）可以登记"),
    ],
)
async def test_conditions_and_days_before_a_day_are_kept(chat: Chat, asked: str, said: str) -> None:
    assert f"👉 {said}" in (await chat.says(asked)).text


async def test_once_the_list_is_posted_objections_have_a_certain_end(chat: Chat, store: Store) -> None:
    await changed(store, posted={"list_posted": "2026-12-07"})
    out = await chat.says("12月12号还能申诉吗")
    assert "👉 12月12日（周六）可以申诉：最迟12月12日（周六）" in out.text


async def test_a_named_day_is_answered_while_a_question_of_the_wizard_is_open(chat: Chat) -> None:
    await chat.says("在哪里登记")
    assert "👉 12月5日（周六）可以登记" in (await chat.says("12月5号还可以登记吗")).text


async def test_what_is_said_after_asking_for_a_person_goes_to_the_person(chat: Chat) -> None:
    await chat.says("人工")
    assert "编号" in (await chat.says("12月5号还可以登记吗")).text


@pytest.mark.parametrize("asked", ["日历", "选举日程", "日程"])
async def test_the_overview_names_the_days_from_registration_to_voting(chat: Chat, asked: str) -> None:
    out = await chat.says(asked)
    for words in (
        "居民登记：11月16日",
        "最迟12月9日",
        "名单公布之日起5日内",
        "最迟12月22日",
        "12月29日（周二）",
    ):
        assert words in out.text


async def test_days_of_which_some_lie_in_the_window_name_these(chat: Chat) -> None:
    out = await chat.says("12月上旬能登记吗")
    assert "是12月1日（周二）至12月10日（周四）。" in out.text
    assert "👉 12月1日（周二）至12月5日（周六）可以登记" in out.text


async def test_a_day_in_another_question_is_left_alone(chat: Chat) -> None:
    out = await chat.says("选民证丢了怎么办，我后天要出差")
    assert "”是" not in out.text


async def test_an_answer_about_dates_tells_of_the_named_day_first(
    chat: Chat, store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(
            session, cast, now, "K-0160", topic="reg_deadline", question="登记什么时候截止？",
            phrasings=("登记到哪一天为止", "我出差回来还来得及登记吗", "登记截止日是几号"),
            short="登记时间：{{ cal.registration }}。",
        )  # fmt: skip
    out = await chat.says("我出差下周三回来还来得及登记吗")
    first, _, rest = out.text.partition("\n\n")
    assert first == (
        "“下周三”是11月25日（周三）。\n"
        "👉 11月25日（周三）可以登记：居民登记：11月16日（周一）至12月5日（周六） 9:00–17:00"
    )
    assert "K-0160" in rest


async def test_e32_a_named_day_without_a_calendar_invents_nothing(chat: Chat, store: Store) -> None:
    async with store.transaction() as session:
        await session.execute(delete(Change))
    out = await chat.says("下周三还能登记吗")
    assert "登记时间尚未公布" in out.text


# --- reminders --------------------------------------------------------------------------------------


async def test_the_bell_offers_what_to_be_told_of(chat: Chat, store: Store) -> None:
    await chat.says("/when")
    out = await chat.taps("🔔 通知我")
    assert "发送“取消提醒”可以随时取消" in out.text
    assert out.buttons == ["登记截止前一天", "名单公布", "投票日", "全部"]
    out = await chat.taps("全部")
    assert "登记截止前一天：12月4日（周五）9:00" in out.text
    assert "选民名单公布：12月9日（周三）9:00" in out.text
    assert "投票前一天傍晚：12月28日（周一）18:00" in out.text
    assert await wishes(store) == {"registration_closes", "list_posted", "voting"}
    out = await chat.taps("取消提醒")
    assert "已取消提醒" in out.text
    assert await wishes(store) == set()


@pytest.mark.parametrize("said", ["提醒我登记", "登记前提醒我", "提醒我", "通知我"])
async def test_reminders_are_chosen_in_words_too(chat: Chat, said: str) -> None:
    assert (await chat.says(said)).buttons == ["登记截止前一天", "名单公布", "投票日", "全部"]


@pytest.mark.parametrize("said", ["取消提醒", "取消通知", "不用通知了", "别通知我了", "不要提醒了"])
async def test_reminders_are_stopped_in_words(chat: Chat, store: Store, said: str) -> None:
    await chat.says("提醒我")
    await chat.taps("全部")
    assert "已取消提醒" in (await chat.says(said)).text
    assert await wishes(store) == set()


async def test_nothing_offers_to_tell_of_a_registration_that_is_over(
    chat: Chat, town: Town, store: Store
) -> None:
    town.now = at(12, 6)
    assert "🔔 通知我" not in (await chat.says("今天能登记吗")).buttons
    await chat.says("/when")
    assert (await chat.taps("🔔 通知我")).buttons == ["名单公布", "投票日", "全部"]
    assert "登记" not in (await chat.taps("全部")).text
    assert await wishes(store) == {"list_posted", "voting"}


async def test_after_voting_there_is_nothing_to_be_told_of(chat: Chat, town: Town) -> None:
    town.now = at(12, 30)
    assert "🔔 通知我" not in (await chat.says("/when")).buttons
    assert "都已经过去了" in (await chat.says("通知我")).text


async def test_what_has_passed_is_not_promised(chat: Chat, town: Town) -> None:
    town.now = at(12, 4, "10:00")
    await chat.says("/when")
    await chat.taps("🔔 通知我")
    assert "登记截止前一天：已经过了提醒的时间" in (await chat.taps("登记截止前一天")).text


async def test_asking_to_be_told_takes_an_unsubscription_back(chat: Chat, store: Store, cast: Cast) -> None:
    await chat.says("退订")
    await chat.says("提醒我")
    await chat.taps("投票日")
    async with store.reading() as session:
        assert (await session.merge(cast.zhang_min, load=True)).state is ContactState.ACTIVE


@pytest.mark.parametrize(
    ("arg", "moment", "told"),
    [
        ("登记截止前一天", at(12, 4, "9:00"), "居民登记：12月5日（周六）截止"),
        ("名单公布", at(12, 9, "9:00"), "选民名单公布：最迟12月9日（周三）"),
        ("投票日", at(12, 28, "18:00"), "投票：12月29日（周二）"),
    ],
)
async def test_a_reminder_comes_once_at_its_hour(
    chat: Chat, town: Town, arg: str, moment: datetime, told: str
) -> None:
    await chat.says("/when")
    await chat.taps("🔔 通知我")
    await chat.taps(arg)
    town.now = moment - timedelta(minutes=1)
    assert not (await strikes(town)).messages
    town.now = moment
    await town.clock_ticks()
    # Within ten minutes: nothing leaves for everybody on the stroke of the hour.
    town.now = moment + timedelta(minutes=10)
    out = await strikes(town)
    assert told in out.text
    assert "取消提醒" in out.buttons
    town.now = moment + timedelta(hours=3)
    assert not (await strikes(town)).messages


# --- objections to the list -------------------------------------------------------------------------


@pytest.fixture
async def objection(chat: Chat, town: Town, store: Store, cast: Cast, now: datetime) -> Chat:
    """An answer about the list has been given."""
    async with store.transaction() as session:
        await an_entry(
            session, cast, now, "K-0501", topic="list_fix", question="名单上没有我的名字怎么办？",
            phrasings=("榜上没有我", "名单把我漏了", "名单里找不到我的名字"),
            short="请马上联系登记站核对。",
        )  # fmt: skip
    return chat


async def test_v6_within_the_term_a_person_is_asked_urgently(
    objection: Chat, town: Town, store: Store
) -> None:
    town.now = at(12, 10)
    assert "转人工·加急" in (await objection.says("名单里找不到我的名字")).buttons
    out = await objection.taps("转人工·加急")
    assert "已加急" in out.texts[0]
    assert "最迟12月14日" in out.texts[-1]
    assert "最迟12月24日向区人民法院起诉" in out.texts[-1]
    async with store.reading() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    assert (ticket.kind, ticket.priority) == (TicketKind.APPEAL, Priority.P1)
    assert ticket.due_at == at(12, 10, "14:05")


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (at(12, 8, "23:59"), "公布后才能申诉"),
        (at(12, 15, "00:00"), "申诉期已过（12月14日）。仍可请登记站核实：最迟12月27日可以补正。"),
        (at(12, 28, "00:00"), "申诉期已过（12月14日），名单补正也已截止。请拨打 0000-12345678。"),
    ],
)
async def test_v6_outside_the_term_it_says_what_can_be_done(
    objection: Chat, town: Town, store: Store, moment: datetime, said: str
) -> None:
    town.now = moment
    await objection.says("名单里找不到我的名字")
    out = await objection.taps("转人工·加急")
    assert said in out.text
    async with store.reading() as session:
        assert (await session.scalars(select(Ticket))).all() == []


@pytest.mark.parametrize("moment", [at(12, 9, "00:00"), at(12, 14, "23:59")])
async def test_v6_the_term_is_open_on_its_first_and_its_last_minute(
    objection: Chat, town: Town, store: Store, moment: datetime
) -> None:
    town.now = moment
    await objection.says("名单里找不到我的名字")
    assert "已加急" in (await objection.taps("转人工·加急")).texts[0]


async def test_an_open_date_in_an_answer_offers_to_be_told(
    chat: Chat, store: Store, cast: Cast, now: datetime
) -> None:
    await changed(store, day=None)
    async with store.transaction() as session:
        await an_entry(
            session, cast, now, "K-0600", topic="vote_how", question="投票时怎么填选票？",
            phrasings=("选票怎么填写才有效", "选票上怎么打圈", "填选票有什么规定"),
            short="填票办法由工作人员说明。投票：{{ cal.voting }}。",
        )  # fmt: skip
    out = await chat.says("投票时怎么填选票？")
    assert "时间尚未公布" in out.text
    assert "🔔 通知我" in out.buttons


# --- a day that moves -------------------------------------------------------------------------------


async def test_a_moved_day_is_told_once_with_both_dates(
    chat: Chat, town: Town, store: Store, cast: Cast
) -> None:
    await chat.says("/when")
    await chat.taps("🔔 通知我")
    await chat.taps("投票日")
    async with store.transaction() as session:
        change = await elections.propose(
            session, {**CALENDAR, "day": "2026-12-30"}, basis="公告第2号", reason="不顺延",
            actor=cast.wang_fang, now=town.now,
        )  # fmt: skip
        signer = Staff(name="冯一", unit_id=cast.district.id, roles=[Role.REVIEWER], created_at=town.now)
        session.add(signer)
        await session.flush()
        await elections.sign(session, change, seen=change.version, actor=signer, now=town.now)
    town.later(minutes=10)
    out = await town.delivers()
    assert out.text.split("\n") == [
        "选举时间有调整：",
        "选民名单公布：原最迟12月9日（周三），现在是最迟12月10日（周四）",
        "投票：原12月29日（周二），现在是12月30日（周三）",
        "以区选举委员会公告为准。",
    ]
    assert out.buttons[0] == "取消提醒"
    assert not (await town.delivers()).messages
