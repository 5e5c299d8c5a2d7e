"""Rule packs in the console: read, tried with a case, worded otherwise; the neighbouring offices."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from knowledge import rules
from office import changes
from office.changes import ChangeKind
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast

PACK = "/admin/packs/shanghai"
B1 = f"{PACK}/B1"
A12 = f"{PACK}/A12"
STEPS = [
    "回户籍地向选举机构开选民资格证明（可先电话联系，看能否代办、寄送）",
    "带证明和身份证到居住地登记站",
    "在居住地参选",
]
CASE = {"slot_hukou": "elsewhere", "slot_status": "none", "slot_live": "apart", "slot_cert": "no"}
SPOKEN = "我户口在嘉善，老公是朱泾人，我没工作，住罗星居民区，想在这里选。"


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def wording(**more: Any) -> dict[str, Any]:
    """The district's wording for B1, as 李强 fills the form in."""
    return {
        "leaf": "A10b", "answer": "在哪里参选由您自己决定，先开选民资格证明。", "answer_en": "",
        "steps": "\n".join(STEPS), "steps_en": "", "bring": "身份证\n往届还核验承诺书、结婚证",
        "bring_en": "", "basis": "细则20(十)", "ticket": "0", "paper": "区选举委员会第3次会议",
        "effective_from": "", "effective_until": "", "review_on": "2027-03-01", "then": "propose",
    } | more  # fmt: skip


async def propose(browser: Browser, **more: Any) -> Any:
    await browser.get(B1)
    return await browser.post(B1, wording(**more))


async def in_force(signed_in: Callable[..., Any], cast: Cast, **more: Any) -> str:
    """Proposed by 李强, signed by 王芳; the address of the change."""
    taken = await propose(await signed_in(cast.li_qiang), **more)
    assert taken.status_code == 303, text(taken.text)
    address: str = taken.headers["location"].split("?")[0]
    wang_fang = await signed_in(cast.wang_fang)
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    return address


async def test_all_packs_are_listed_with_the_one_in_force(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.zhou_ning)
    shown = (await browser.get("/admin/packs")).text
    for pack in ("shanghai", "beijing", "zhejiang"):
        assert f'href="/admin/packs/{pack}"' in shown
    assert text(shown).count("正在使用") == 1
    assert f'href="{B1}"' in shown  # waits for the district's wording
    assert f'href="{PACK}/A3b"' not in shown


async def test_a_pack_shows_each_row_with_its_condition_in_words(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    words = text((await browser.get(PACK)).text)
    assert "细则20(十)" in words
    assert "待区里写明" in words
    assert "其他所有情况" in words
    assert "您的户口在哪里？" in words
    assert (await browser.get("/admin/packs/atlantis")).status_code == 404
    assert (await browser.get(f"{PACK}/Z9")).status_code == 404


async def test_the_english_page_speaks_english(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(PACK)
    await browser.post("/admin/settings", {"lang": "en", "next": PACK})
    words = text((await browser.get(PACK)).text)
    assert "Where is your household" in words or "household" in words
    assert "every other case" in words


# ---- trying a case ----


async def tried(browser: Browser, **fields: str) -> Any:
    await browser.get(PACK)
    return await browser.post(f"{PACK}/try", fields)


async def test_a_case_shows_its_row_and_the_way_to_it(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    found = await tried(browser, **CASE, slot_relax="married_in")
    words = text(found.text)
    assert found.status_code == 200
    assert "往届放宽过条件" in words
    path = words.split("依次看了")[1].split("全部")[0]
    assert path.index("A0") < path.index("A12") < path.index("B1")
    assert "符合" in path
    assert "没有这一问" in path  # the kind of citizenship is no question for a household in another province
    chosen = found.text.split('name="slot_relax"')[1].split("</select>")[0]
    assert 'value="married_in" selected' in chosen


async def test_an_undecided_case_tells_the_next_question(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    words = text((await tried(browser, slot_hukou="elsewhere")).text)
    assert "还不能确定" in words
    assert "接下来会问" in words
    assert "还不知道" in words


async def test_words_fill_the_slots_they_state_and_a_choice_wins(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    found = await tried(browser, words=SPOKEN, slot_cert="no")
    assert found.status_code == 200
    assert "从原话里读出" in text(found.text)
    assert SPOKEN in found.text
    assert "往届放宽过条件" in text(found.text)
    with_certificate = await tried(browser, words=SPOKEN, slot_cert="yes")
    assert "可以在上海的现居住地或者工作单位登记" in text(with_certificate.text)


async def test_a_case_leaves_nothing_behind(store: Store, cast: Cast, signed_in: Callable[..., Any]) -> None:
    """Neither in the database nor in an address; numbers are taken out before anything is shown again."""
    browser = await signed_in(cast.li_qiang)
    found = await tried(browser, words="我户口在外省，身份证 110105194912310021，电话 13800138000")
    assert "110105194912310021" not in found.text
    assert "13800138000" not in found.text
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0


async def test_an_option_that_does_not_exist_is_refused_in_words(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    refused = await tried(browser, words="我住临江街道", slot_hukou="moon")
    assert refused.status_code == 422
    assert "我住临江街道" in refused.text


# ---- the district's wording ----


async def test_the_districts_wording_is_proposed_signed_and_answers(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    """A wife from another province: by the shipped row a person answers, by the district's the steps do."""
    browser = await signed_in(cast.li_qiang)
    looked = await propose(browser, then="look")
    assert looked.status_code == 200
    assert "B1" in text(looked.text)
    assert STEPS[0] in looked.text
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0

    address = await in_force(signed_in, cast)
    found = await tried(browser, **CASE, slot_relax="married_in")
    words = text(found.text)
    assert all(step in words for step in STEPS)
    assert "在哪里参选由您自己决定" in words
    assert "直接回答" in words.split("结果")[1].split("依次看了")[0]
    # Beside what holds now, the page of the pack keeps the shipped text in sight.
    shown = text((await browser.get(PACK)).text)
    assert "本区口径第1版" in shown
    assert "往届放宽过条件" in shown
    listed = (await browser.get("/admin/packs")).text
    assert f'href="{B1}"' not in listed
    assert address in listed  # its day of review
    async with store.reading() as session:
        pack = await rules.in_force(session, now=clock(), pack_id="shanghai")
        assert pack.rows("B1")[0].code == "A10b"
        change = await changes.in_force(session, ChangeKind.RULES, "shanghai:B1", date(2026, 11, 20))
        assert change is not None
        # Only what differs from the files is written down.
        assert set(change.content) == {"leaf", "answer", "steps", "ticket"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("answer", "12月5日前登记就行。", "12月5日"),
        ("steps", "先开证明\n在选区住满6个月才有选举权", "居住期限"),
        ("basis", "没有的法12", "没有的法"),
        ("paper", "  ", "依据"),
        ("effective_until", "2026-99-01", "2026-99-01"),
    ],
)
async def test_what_may_not_be_told_is_refused_and_nothing_typed_is_lost(
    store: Store, cast: Cast, signed_in: Callable[..., Any], field: str, value: str, said: str
) -> None:
    browser = await signed_in(cast.li_qiang)
    refused = await propose(browser, **{field: value})
    assert refused.status_code == 422
    assert said in text(refused.text)
    for kept in (value.splitlines()[0], "区选举委员会第3次会议" if field != "paper" else STEPS[0]):
        assert kept in refused.text
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0


async def test_all_findings_of_the_lint_are_shown_at_once(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    refused = await propose(browser, answer="12月5日前登记。", steps="12月6日再来\n带 {{ cal.moon }}")
    findings = text(refused.text).split("检查")[-1]
    assert "12月5日" in findings
    assert "12月6日" in findings
    assert "cal.moon" in findings


async def test_a_second_proposal_waits_for_the_first(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    assert (await propose(browser)).status_code == 303
    again = await propose(browser, answer="另一种说法。")
    assert again.status_code == 409
    assert "另一种说法。" in again.text
    assert "有一份变更待签" in text((await browser.get(B1)).text)


async def test_a_passing_wording_gives_way_to_the_files(
    cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    await in_force(signed_in, cast, effective_from="2026-11-20", effective_until="2026-11-20")
    browser = await signed_in(cast.li_qiang)
    assert "本区口径第1版" in text((await browser.get(B1)).text)
    clock.now = clock.now.replace(day=21)
    assert "本区口径第1版" not in text((await browser.get(B1)).text)


async def test_who_may_not_draft_sees_no_form(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.zhou_ning)
    shown = await browser.get(B1)
    assert shown.status_code == 200
    assert "<textarea" not in shown.text
    assert (await browser.post(B1, wording())).status_code == 403
    town = await signed_in(cast.zhao_lei)
    assert (await propose(town)).status_code == 403


# ---- neighbouring offices ----

CONTACTS = f"{PACK}/contacts"
WEST = {"name": "西岸区", "says": "西岸、西岸区", "office": "西岸区选举办", "phone": "0000-87654321",
        "hours": "工作日 9:00–17:00", "address": "西岸区示例路2号"}  # fmt: skip


def table(*rows: dict[str, str], **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {f"contact_{name}": [*(row[name] for row in rows), ""] for name in WEST}
    return fields | {"paper": "联络员会议", "review_on": "", "then": "propose"} | more


async def test_neighbours_are_entered_as_a_table_and_signed(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(CONTACTS)
    taken = await browser.post(CONTACTS, table(WEST))
    assert taken.status_code == 303, text(taken.text)
    address = taken.headers["location"].split("?")[0]
    assert "0000-87654321" in (await browser.get(address)).text
    wang_fang = await signed_in(cast.wang_fang)
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    async with store.reading() as session:
        (west,) = await rules.contacts(session, clock(), "shanghai")
        assert west.says == ("西岸", "西岸区")
    assert 'value="西岸、西岸区"' in (await browser.get(CONTACTS)).text


async def test_a_line_that_is_not_whole_is_named(cast: Cast, signed_in: Callable[..., Any]) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(CONTACTS)
    refused = await browser.post(
        CONTACTS, table(WEST, WEST | {"name": "南岸区", "says": "南岸", "phone": ""})
    )
    assert refused.status_code == 422
    assert "电话第2行" in text(refused.text)
    assert 'id="contact_phone_2-error"' in refused.text
    assert "南岸区" in refused.text
    more = await browser.post(CONTACTS, table(WEST, then="row"))
    assert more.status_code == 200
    assert more.text.count('name="contact_name"') == 3


# ---- the two languages, and the mark of what the district words ----


def form_of(page: str) -> dict[str, str]:
    """The texts of the form as the page shows them, untouched."""
    found = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return {name: html.unescape(value).removeprefix("\n") for name, value in found}


async def test_english_left_alone_stays_as_shipped_unless_the_chinese_changes(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    shown = form_of((await browser.get(A12)).text)
    assert shown["answer_en"]
    left = {**shown, "leaf": "A12", "paper": "区选举委员会第3次会议"}
    bring = await browser.post(A12, {**left, "bring": "护照", "then": "look"})
    assert "只改了中文：翻译以前，英文读者看到的是中文" in text(bring.text)
    both = await browser.post(A12, {**left, "bring": "护照", "bring_en": "Passport", "then": "look"})
    assert "只改了中文：翻译以前" not in text(both.text)
    taken = await browser.post(A12, {**left, "bring": "护照", "bring_en": "Passport", "then": "propose"})
    assert taken.status_code == 303
    async with store.reading() as session:
        number = taken.headers["location"].split("?")[0].rsplit("/", 1)[1]
        change = await changes.get(session, int(number))
        assert set(change.content) == {"bring", "bring_en"}


async def test_another_proposal_keeps_what_the_district_worded_before(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    own = {"answer": "先开选民资格证明。", "answer_en": "First fetch a voter certificate."}
    await in_force(signed_in, cast, leaf="B1", steps="", bring="", **own)
    browser = await signed_in(cast.li_qiang)
    shown = form_of((await browser.get(B1)).text) | {"leaf": "B1", "paper": "区选举委员会第4次会议"}
    assert shown["answer_en"] == own["answer_en"]

    async def next_content(**more: str) -> dict[str, Any]:
        taken = await browser.post(B1, {**shown, **more, "then": "propose"})
        assert taken.status_code == 303, text(taken.text)
        address = taken.headers["location"].split("?")[0]
        async with store.reading() as session:
            content = (await changes.get(session, int(address.rsplit("/", 1)[1]))).content
        await browser.get(address)
        assert (await browser.post(f"{address}/drop")).status_code == 303
        await browser.get(B1)
        return content

    kept = await next_content(bring="身份证")
    assert own.items() <= kept.items()
    # Their English said what the Chinese no longer says.
    changed = await next_content(answer="不用再开证明。")
    assert changed["answer"] == "不用再开证明。"
    assert "answer_en" not in changed


async def test_what_the_district_is_to_word_reads_as_what_the_row_does_until_then(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    browser = await signed_in(cast.li_qiang)
    assert "LOCAL · 以公告为准" in text((await browser.get(A12)).text)
    assert "LOCAL · 转人工" in text((await browser.get(f"{PACK}/XH")).text)
