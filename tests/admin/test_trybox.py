"""The try-box: what it shows, what it keeps to itself, and two versions of the base side by side."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from admin import tried
from knowledge import entries, variants
from knowledge.lexicon import Lexicon
from knowledge.live import LiveBase
from knowledge.model import SHIPPED
from knowledge.sharpening import AskBack
from knowledge.versions import Alteration, Entry, EntryVersion, by_number
from office.audit import AuditEntry
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, an_entry, content, publish
from ticketing.ledgers import Enquiry
from ticketing.records import Ticket

SignedIn = Callable[[Staff], Awaitable[Browser]]
CARD = "选民证丢了怎么办？"
WEEKEND: dict[str, Any] = {
    "topic": "contact",
    "question": "登记站礼拜天开不开门？",
    "short": "周末也开门，时间以公告为准。",
    "phrasings": ("周日登记站上班吗", "星期天能去登记站吗", "登记站周末开门吗"),
}


async def count(store: Store, table: Any) -> int:
    async with store.reading() as session:
        return (await session.scalar(select(func.count()).select_from(table))) or 0


async def ask(desk: Browser, words: str, **fields: str) -> httpx.Response:
    await desk.get("/admin/trybox")
    return await desk.post("/admin/trybox", {"question": words, **fields})


async def published(store: Store, cast: Cast, clock: Clock, no: str = "K-0540", **more: Any) -> EntryVersion:
    async with store.transaction() as session:
        return await an_entry(session, cast, clock(), no, **more)


async def drafted(store: Store, cast: Cast, clock: Clock, no: str = "", **more: Any) -> EntryVersion:
    async with store.transaction() as session:
        entry = await by_number(session, no) if no else None
        return await entries.draft(
            session, content(cast, **more), actor=cast.li_qiang, now=clock(), entry=entry
        )


def came_up(page: httpx.Response) -> set[str]:
    """The numbers of the entries that the page lists as candidates."""
    return set(re.findall(r'<a href="/admin/entries/\d+"><span class="code">(K-\d+)</span>', page.text))


def bare(page: str) -> str:
    """The text of a page, tags and line breaks aside."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def test_answer_with_thresholds_reasons_and_what_each_channel_shows(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock, steps=("带身份证", "到登记站"), documents=("本人身份证",))
    page = await ask(await signed_in(cast.li_qiang), CARD)
    assert page.status_code == 200
    text = bare(page.text)
    assert "直接答" in text
    assert "99.0%" in text
    assert "和问法一字不差" in text
    assert "最像的问法：选民证丢了怎么办？" in text
    assert re.search(r"把握不低于[\d.]+%、又比第二条至少高[\d.]+%就直接答；不低于[\d.]+%给选项", text)
    assert "东浦区" in text
    assert "放行" in text
    plain = page.text.split('class="words-said">')[-1].split("</p>")[0].split("<br>")
    assert plain[:2] == ["【选民证丢了怎么办？】", "👉 请尽快联系发证的登记站核对，由登记站告诉您怎么办。"]
    assert plain[3:6] == ["1. 带身份证", "2. 到登记站", "要带：本人身份证"]
    assert plain[7].startswith("依据：上海市区和乡镇人民代表大会代表直接选举实施细则第二十七条")
    assert plain[7].endswith("适用：东浦区")
    assert plain[8].startswith("口径：K-0540 第1版 · 2026-11-20")
    assert 'class="passport"' in page.text


async def test_nothing_that_is_asked_is_kept_and_no_number_is_shown(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    before = [await count(store, table) for table in (Enquiry, Ticket, AuditEntry)]
    page = await ask(await signed_in(cast.li_qiang), "13912345678 这个号的选民证不见了，怎么补")
    assert "13912345678" not in page.text
    assert "［号码已隐去］" in page.text
    assert "号码已隐去，系统看到的" in page.text
    assert [await count(store, table) for table in (Enquiry, Ticket, AuditEntry)] == before
    assert str(page.request.url) == "http://desk.test/admin/trybox"
    refused = await ask(await signed_in(cast.li_qiang), "13912345678 选民证不见了", day="2026-13-01")
    assert refused.status_code == 422
    assert "13912345678" not in refused.text


async def test_miss_is_told_apart_from_what_is_not_our_matter(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    ours = await ask(desk, "选区是怎么划分的")
    assert "写下来，转给值班同志" in ours.text
    other = await ask(desk, "明天会下雨要不要带洋伞")
    assert "不是我们的事" in other.text
    assert "我只能解答选民登记和选举程序问题" in other.text
    assert "写下来，转给值班同志" not in other.text


async def test_gate_is_told_with_its_fixed_words_and_the_matching_below_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    page = bare((await ask(desk, "你觉得哪个候选人更好？")).text)
    assert "评论候选人或他人" in page
    assert "候选人情况以选举委员会公布为准" in page
    assert "下面是假如不拦下" in page
    page = bare((await ask(desk, "我不想活了。选民证丢了怎么办？还有登记站在哪里？")).text)
    assert "整条消息先被拦下：情绪危急" in page
    assert "12356" in page
    assert "1/2" not in page
    assert "只是打招呼" in (await ask(desk, "在吗")).text


async def test_several_questions_are_answered_one_by_one(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    await published(store, cast, clock, "K-0901", **WEEKEND)
    page = (await ask(await signed_in(cast.li_qiang), "选民证丢了怎么办？登记站周末开门吗？")).text
    assert "拆成2个问题" in page
    assert "1/2" in page
    first, second = page.split('aria-labelledby="asked-2"')
    assert "K-0540" in first.split('aria-labelledby="asked-1"')[1].split("最像的问法")[0]
    assert "K-0901" in second.split("最像的问法")[0]
    identities = re.findall(r'\sid="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    assert not re.search(r"\s(?:style|on[a-z]+)=", page)


async def test_staff_entries_for_staff_and_a_unit_for_those_it_holds_for(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock, audience="staff", scope_unit_id=cast.riverside.id)
    desk = await signed_in(cast.li_qiang)
    assert not came_up(await ask(desk, CARD))
    assert not came_up(await ask(desk, CARD, audience="staff"))
    place = {"audience": "staff", "unit_id": str(cast.riverside.id)}
    shown = await ask(desk, CARD, **place)
    assert came_up(shown) == {"K-0540"}
    assert f'<option value="{cast.riverside.id}" selected>' in shown.text
    assert "临江街道" in bare(shown.text)


async def test_day_decides_what_is_in_force(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock, effective_from=date(2026, 12, 1))
    desk = await signed_in(cast.li_qiang)
    assert not came_up(await ask(desk, CARD))
    assert came_up(await ask(desk, CARD, day="2026-12-01")) == {"K-0540"}


async def test_only_units_in_reach_may_be_asked_from(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    desk = await signed_in(cast.zhao_lei)
    form = (await desk.get("/admin/trybox")).text
    assert "北塘镇" in form
    assert "临江街道" not in form
    assert (await ask(desk, CARD, unit_id=str(cast.riverside.id))).status_code == 422
    assert came_up(await ask(desk, CARD, unit_id=str(cast.north.id))) == {"K-0540"}
    for fields in ({"unit_id": "x"}, {"audience": "everybody"}, {"unit_id": "999999"}):
        assert (await ask(desk, CARD, **fields)).status_code == 422, fields
    assert "请先写一个问题" in (await ask(desk, "  ")).text


async def test_draft_is_put_in_and_the_change_is_marked(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock, "K-0901", **WEEKEND)
    version = await drafted(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    form = (await desk.get("/admin/trybox")).text
    assert f'<option value="{version.id}">换上 K-' in form
    page = (await ask(desk, CARD, version_id=str(version.id))).text
    assert "两边不一样" in page
    now, then = page.split(">现行</h3>")[1].split("<h3>换上")[:2]
    assert "请尽快联系发证的登记站" not in now
    assert "请尽快联系发证的登记站" in then
    assert "现行没有" in then
    assert "现行没有" not in page.split("<h3>换上")[0]
    assert f'<option value="{version.id}" selected>' in page
    assert "两边给对方看的一样" in (await ask(desk, "登记站周末开门吗", version_id=str(version.id))).text
    assert "K-2001" not in came_up(await ask(desk, CARD))


async def test_an_earlier_version_says_the_same_in_other_words(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    clock.pass_by(timedelta(days=1))
    later = await drafted(store, cast, clock, "K-0540", short="请带身份证到发证的登记站补办。")
    async with store.transaction() as session:
        version = await session.get_one(EntryVersion, later.id)
        altered = Alteration.EDITORIAL
        await entries.submit(session, version, actor=cast.li_qiang, now=clock(), alteration=altered)
        await publish(session, version, actor=cast.wang_fang, now=clock())
    desk = await signed_in(cast.li_qiang)
    page = (await ask(desk, CARD, entry_no="k-0540", number="1")).text
    assert "答的是同一条口径，文字会变" in page
    assert "<del>" in page
    assert "<ins>" in page
    assert "换上 K-0540 第1版（" in page
    for number in ("2", ""):  # without a number: the version in force
        same = (await ask(desk, CARD, entry_no="K-0540", number=number)).text
        assert "两边给对方看的一样" in same
        assert "换上 K-0540 第2版（" in same


async def test_version_that_is_not_there_or_out_of_reach_is_refused_in_words(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await published(store, cast, clock, scope_unit_id=cast.riverside.id)
    desk, stranger = await signed_in(cast.li_qiang), await signed_in(cast.zhao_lei)
    for fields, told in (
        ({"entry_no": "k-9999", "number": "1"}, "没有K-9999这条口径"),
        ({"entry_no": "K-9999", "number": ""}, "没有K-9999这条口径"),
        ({"entry_no": "K-0540", "number": "7"}, "K-0540没有“第7版”"),
        ({"entry_no": "K-0540", "number": "²"}, "K-0540没有“第²版”"),
        ({"entry_no": "", "number": "2"}, "没有写口径号"),
        ({"version_id": "999999"}, "选的这个版本已经没有了"),
    ):
        refused = await ask(desk, CARD, **fields)
        assert refused.status_code == 422, fields
        assert told in refused.text
        assert "选民证丢了怎么办" in refused.text
    foreign = await ask(stranger, CARD, entry_no="K-0540")
    assert "没有K-0540这条口径，或不在您的范围内" in foreign.text
    assert (await ask(desk, CARD, entry_no="K-0540", number="1")).status_code == 200
    assert (await ask(stranger, CARD, entry_no="K-0540", number="1")).status_code == 422
    assert (await ask(stranger, CARD, version_id=str(version.id))).status_code == 422


async def test_no_connection_waits_while_an_index_is_built(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(store, cast, clock)
    real, seen = variants.build, []

    async def watched(variant: variants.Variant) -> variants.TriedBase:
        seen.append(store.engine.pool.checkedout())  # type: ignore[attr-defined]
        return await real(variant)

    monkeypatch.setattr(variants, "build", watched)
    version = await drafted(store, cast, clock, **WEEKEND)
    await ask(await signed_in(cast.li_qiang), CARD, version_id=str(version.id))
    assert seen == [0]


async def test_indexes_are_kept_and_only_the_last_few(
    store: Store, cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "_kept", {})
    version = await published(store, cast, clock)
    async with store.reading() as session:
        model = SHIPPED
        made = await variants.gather(session, version, model)
        first = await variants.build(made)
        assert (await variants.build(made)).index is first.index
        for number in range(variants.KEPT):
            other = await variants.gather(session, version, model)
            named = tuple(replace(s, question=f"第{number}种问法怎么说") for s in other.sources)
            await variants.build(variants.Variant(named, other.terms, model))
        assert len(variants._kept) == variants.KEPT
        assert (await variants.build(made)).index is not first.index
        await first.refresh(session)
        assert len(first.index) == 1


async def test_registrar_may_try_and_an_account_without_entries_may_not(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, browsing: Callable[..., Browser]
) -> None:
    async with store.transaction() as session:
        person = Staff(name="钱一", unit_id=cast.riverside.id, roles=[Role.REGISTRAR], created_at=clock())
        session.add(person)
    page = await (await signed_in(person)).get("/admin/trybox")
    assert page.status_code == 200
    assert 'href="/admin/trybox" aria-current="page"' in page.text
    assert (await browsing().get("/admin/trybox", headers={"accept": "text/html"})).status_code in (303, 401)


def test_words_that_were_read_as_others_are_named() -> None:
    words = {"外地": "外省市", "咋办": "怎么办", "那个": "", "本市": "本市"}
    known = Lexicon.from_data({"groups": [{"words": words}]})
    said = tried.said_and_meant("外地人，那个咋办？本市", known)
    assert said == [("外地", "外省市"), ("那个", ""), ("咋办", "怎么办")]
    assert tried._with_said("外省市", said) == "外地＝外省市"
    assert tried._with_said("外省市人怎么办", said) == "外省市人怎么办（外地＝外省市，咋办＝怎么办）"
    assert tried._with_said("户口", said) == "户口"


async def test_replaced_words_stand_beside_the_reasons(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await published(store, cast, clock)
    page = bare((await ask(await signed_in(cast.li_qiang), "选民证搞丢了咋办啊我退休了")).text)
    assert "咋办 → 怎么办" in page
    assert "对上：" in page
    assert re.search(r"多出：\S*退休", page)


async def test_an_entry_without_a_version_in_force_wants_a_number(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    version = await drafted(store, cast, clock)
    async with store.reading() as session:
        number = (await session.get_one(Entry, version.entry_id)).entry_no
    desk = await signed_in(cast.li_qiang)
    assert f"{number}没有现行的版本" in (await ask(desk, CARD, entry_no=number)).text
    assert (await ask(desk, CARD, entry_no=number, number="1")).status_code == 200


class Plain:
    """Words as their keys and facts."""

    def t(self, key: str, **facts: str) -> str:
        return f"{key}{'/'.join(facts.values())}"


def told(*reasons: str, opposed: tuple[str, str] | None = None) -> list[str]:
    return tried.reasons(Plain(), reasons, [("外地", "外省市")], opposed)  # type: ignore[arg-type]


def test_a_reason_of_another_kind_is_shown_as_it_is() -> None:
    assert told("情况相反", "一致：外省市、户口", "别的") == [
        "trybox.reason_opposite", "trybox.reason_same外地＝外省市list.comma户口", "别的",
    ]  # fmt: skip


def test_fragments_that_are_no_words_are_left_out_of_the_reasons() -> None:
    assert told("缺少：了没有、没有单位在、我", "多出：没、吗") == ["trybox.reason_lacking没有单位"]
    assert told("一致：要带什、么材料") == ["trybox.reason_same要带list.comma材料"]
    assert told("多出：证丢了怎么、户口所在、单位有") == [
        "trybox.reason_extra证丢了list.comma户口所在list.comma单位有"
    ]
    assert told("一致：丢了") == ["trybox.reason_same丢了"]


def test_opposite_cases_are_told_by_their_two_facts() -> None:
    known = Lexicon.from_data({"opposites": [{"classes": [["本市"], ["外省市", "外地"]]}]})
    assert tried.opposing("外地户口带什么", "本市户口带什么", known) == ("外地", "本市")
    assert tried.opposing("外地户口带什么", "外省市户口带什么", known) is None
    assert tried.opposing("户口带什么", "本市户口带什么", known) is None
    assert told("情况相反", opposed=("外地", "本市")) == ["trybox.reason_opposite_facts外地/本市"]


async def test_one_fact_is_asked_back_as_in_the_conversation_and_the_stage_of_the_day_counts(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(store, cast, clock)
    await published(store, cast, clock, "K-0901", **WEEKEND)
    real, cases = LiveBase.rank, []

    def asks_back(live: LiveBase, question: str, *given: Any) -> Any:
        cases.append(given[-1])
        both = [real(live, words, *given).candidates[0] for words in (CARD, WEEKEND["question"])]
        return AskBack(tuple(both), tuple(both), "hukou", ("local", "elsewhere"))

    monkeypatch.setattr(LiveBase, "rank", asks_back)
    desk = await signed_in(cast.li_qiang)
    page = (await ask(desk, "选民登记带什么")).text
    assert "您的户口是？<br>1. 本市户口<br>2. 外省市户口" in page
    assert came_up(await ask(desk, "选民登记带什么", day="2026-12-29")) == {"K-0540", "K-0901"}
    assert cases[0].stage != cases[-1].stage
    assert all(found.stage for found in cases)
