"""The four outputs of a work tip in the console: word for word what goes out, and nothing of it is markup."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from bot import tip_pages
from handlers import tip_cards
from knowledge.tips import TipHead, TipSecrecy, TipType, WorkTip
from office.staff import Staff
from office.store import Store
from office.words import CHINESE
from tests.admin.conftest import Browser, Clock, console, plain
from tests.make import Cast
from tests.ticketing.tip_world import drafted, group, released, rewording
from ticketing import tip_places

SignedIn = Callable[[Staff], Awaitable[Browser]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NASTY = "<b>粗</b> & _斜_ *星* 😀 <script>alert(1)</script>"


@pytest.fixture(scope="module")
def bare_app() -> FastAPI:
    """With the public pages of tips beside the console."""
    made = console()
    made.include_router(tip_pages.router)
    return made


def part(page: str, name: str) -> str:
    """One of the four cards of the page."""
    found = re.search(rf'<section class="card" id="{name}".*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def words(markup: str) -> list[str]:
    """The lines of a piece of a page, or of a message, as they are read."""
    broken = re.sub(r"</(?:p|li|h\d|dt|dd)>|<br>", "\n", markup)
    text = html.unescape(re.sub(r"<[^>]+>", "", broken))
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"receipt_wanted": False, "basis": "", "type": TipType.PROCEDURE},
        {"title": "长" * 200, "basis": "据" * 130, "wording": "答复：" + "很长的一句" * 40},
        {"title": NASTY, "wording": f"答复：{NASTY}"},
        {"effective_from": HOUR, "effective_until": 30 * HOUR, "receipt_due": 5 * HOUR},
        {"effective_from": 60 * DAY, "effective_until": 90 * DAY + 14 * HOUR - 5 * HOUR / 60},
        {"head": TipHead.RED, "document_no": "东选办[2026]第03号", "supersedes_id": 1},
        {"wording": "答复：按月数计算。依据是上海市实施细则第二十七条。"},
    ],
    ids=["plain", "without", "long", "markup", "times", "years", "red", "cited"],
)
async def test_the_group_message_is_shown_as_the_groups_get_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, changes: dict[str, Any]
) -> None:
    """The edge that sends is not asked by the page: this test holds both to the same words."""
    now = clock()
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1001", now)
    told: dict[str, Any] = {
        name: now + value if isinstance(value, timedelta) else value for name, value in changes.items()
    }
    if "supersedes_id" in told:
        told["supersedes_id"] = (await released(store, cast, now, title=f"旧的{NASTY}")).id
    draft = await drafted(store, cast, now, **told)
    tip = await released(store, cast, now, **told)
    async with store.reading() as session:
        row = await session.get_one(WorkTip, tip.id)
        place = (await tip_places.places(session, row))[0]
        facts = tip_places.facts(row, place, counts=(0, 2), now=now) | await tip_places.before(session, row)
    sent = words(tip_cards.text(facts, CHINESE).replace("\n", "<br>"))
    below_card = tip_cards.keyboard(facts, CHINESE)
    assert below_card is not None
    keys = [button.text for line in below_card.inline_keyboard for button in line]
    desk = await signed_in(cast.wang_fang)
    shown = part((await desk.get(f"/admin/tips/{tip.id}")).text, "message")
    found = re.search(r'<div class="tip-bubble">(.*?)</div>(.*)', shown, re.DOTALL)
    assert found is not None
    bubble, below = found.groups()
    assert words(bubble) == sent
    assert words(below) == keys
    before = part((await desk.get(f"/admin/tips/{draft.id}")).text, "message")
    assert words(before)[3:] == words(shown)[3:]
    assert "2026年第" in words(before)[2]


async def test_whatever_is_written_stays_text_in_all_four(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    rows = ({"title": NASTY, "text": NASTY},)
    names = ("origin", "wording", "steps", "contact_lines", "basis")
    fields: dict[str, Any] = dict.fromkeys(names, NASTY)
    _, version = await rewording(store, cast, "K-0901", f"答复{NASTY}"[:100], clock(), checked=False)
    made = await drafted(
        store, cast, clock(), title=NASTY, attachments=rows, scope=NASTY, copied_to=NASTY,
        addressed_to=NASTY, entries=(version.id,), **fields,
    )  # fmt: skip
    desk = await signed_in(cast.li_qiang)
    for address in (f"/admin/tips/{made.id}", f"/admin/tips/{made.id}/edit", "/admin/tips"):
        page = await desk.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<b>粗" not in page.text
        assert NASTY in plain(page)


async def test_the_paper_is_shown_and_given_as_a_file(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    red = {"head": TipHead.RED, "document_no": "东选办[2026]第03号", "copied_to": "区民政局", "print_run": 40}
    rows = ({"title": "样表", "text": "第一行"}, {"title": "流程图", "text": "第二行"})
    tip = await released(store, cast, clock(), attachments=rows, **red)
    draft = await drafted(store, cast, clock())
    desk = await signed_in(cast.wang_fang)
    paper = "\n".join(words(part((await desk.get(f"/admin/tips/{tip.id}")).text, "paper")))
    for line in (
        "东浦区选举委员会办公室文件", "东选办〔2026〕3号", "各街道、各镇选举工作组：", "一、来由",
        "二、统一口径", "2026年11月20日", "抄送：区民政局", "2026年11月20日印发", "1.样表", "2.流程图",
    ):  # fmt: skip
        assert line in paper, line
    assert "未签发" not in paper
    unsigned = words(part((await desk.get(f"/admin/tips/{draft.id}")).text, "paper"))
    assert unsigned.count("未签发，不作为正式文件") == 2
    assert "选民登记工作提示" in unsigned

    file = await desk.get(f"/admin/tips/{tip.id}/paper.docx")
    assert file.headers["content-type"].endswith("wordprocessingml.document")
    assert file.headers["cache-control"] == "no-store"
    assert "filename*=UTF-8''2026%E5%B9%B4%E7%AC%AC1%E6%9C%9F" in file.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
        assert "各街道、各镇选举工作组" in packed.read("word/document.xml").decode()


async def test_the_page_and_the_changes_of_entries_are_shown_beside_them(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    _, version = await rewording(store, cast, "K-0901", "请按累计月数计算，不要求连续。", clock())
    rows = ({"title": "样表", "text": "第一行\n\n第二行"},)
    until = clock() + 9 * HOUR
    old = await released(store, cast, clock(), secrecy=TipSecrecy.PUBLIC)
    public: dict[str, Any] = {
        "secrecy": TipSecrecy.PUBLIC, "scope": "本区居民登记", "attachments": rows,
        "effective_from": clock(), "effective_until": until, "supersedes_id": old.id,
        "head": TipHead.RED, "document_no": "东选办〔2026〕3号", "steps": "",
    }  # fmt: skip
    made = await released(store, cast, clock(), entries=(version.id,), **public)
    desk = await signed_in(cast.wang_fang)
    said = (await desk.get(f"/admin/tips/{made.id}")).text
    web, changes = part(said, "web"), part(said, "changes")
    assert "签发后任何人都能打开" in web
    assert 'href="/tips/2026/2"' in web
    assert "本区居民登记" in web
    found = re.search(r"<article.*?</footer>", (await desk.get("/tips/2026/2")).text, re.DOTALL)
    own = re.search(r"<article.*?</footer>", web, re.DOTALL)
    assert found is not None
    assert own is not None
    assert words(own[0]) == words(found[0])
    assert "更正：替代工作提示第1期《关于居住证年限的提示》 看第1期" in words(own[0])
    assert "三、时限与联系人" in words(own[0])
    # One function numbers the parts: the paper beside it has the same.
    assert "三、时限与联系人" in words(part(said, "paper"))
    assert "（工作提示2026年第2期；本期替代第1期）" in words(part(said, "paper"))
    before = (await desk.get(f"/admin/tips/{old.id}")).text
    mark = "第2期《关于居住证年限的提示》自11月20日（周五）10:05起执行，请按第2期执行。"
    assert mark in part(before, "web")
    assert mark in (await desk.get("/tips/2026/1")).text
    for line in ("K-0901", "<del>", "<ins>", "按累计月数计算"):
        assert line in changes
    hidden = await released(store, cast, clock(), send_at=clock() + HOUR, secrecy=TipSecrecy.PUBLIC)
    said = (await desk.get(f"/admin/tips/{hidden.id}")).text
    assert 'href="/tips/2026/3"' not in said
    assert "没有关联口径：签发只发通知，不改口径库" in said
    async with store.reading() as session:
        assert len((await session.scalars(select(WorkTip))).all()) == 3


async def test_every_output_of_a_tip_that_is_replaced_later_says_from_when(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    old = await released(store, cast, clock(), secrecy=TipSecrecy.PUBLIC)
    begins = clock() + 72 * HOUR
    await released(
        store, cast, clock(), secrecy=TipSecrecy.PUBLIC, supersedes_id=old.id, effective_from=begins
    )
    desk = await signed_in(cast.wang_fang)

    async def shown() -> tuple[str, str, str, str]:
        page = (await desk.get(f"/admin/tips/{old.id}")).text
        chain = re.search(r'<ul class="tip-chain">.*?</ul>', page, re.DOTALL)
        assert chain is not None
        file = await desk.get(f"/admin/tips/{old.id}/paper.docx")
        with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
            names = [name for name in packed.namelist() if "header" in name]
            heads = "".join(packed.read(name).decode() for name in names)
        return *("\n".join(words(one)) for one in (part(page, "paper"), part(page, "web"), chain[0])), heads

    paper, web, chain, heads = await shown()
    for said in (paper, heads):
        assert "本期自2026年11月23日10时5分起由第2期替代" in said
    assert "自11月23日（周一）10:05起由第2期替代" in web
    assert "本期自11月23日（周一）10:05起由2026年第2期替代：" in chain
    for said in (paper, web, chain, heads):
        assert not re.search("已[由被].*?替代", said)
    clock.pass_by(72 * HOUR)
    desk = await signed_in(cast.wang_fang)
    paper, web, chain, heads = await shown()
    for said in (paper, heads):
        assert "本期已由第2期替代" in said
    assert "已被第2期替代" in web
    assert "本期已由2026年第2期替代：" in chain
