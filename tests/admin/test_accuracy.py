"""The accuracy report in the console: figures, tables, open faults, and silence about the sealed words."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date

import pytest

from admin import accuracy
from knowledge import golden
from knowledge import report as reports
from knowledge.replay import Case
from knowledge.versions import Audience
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, an_entry

SignedIn = Callable[[Staff], Awaitable[Browser]]
OPEN = (
    Case("选民证丢了怎么办？", "voter_card", kind="plain"),
    Case("选民证掉了咋办", "vote_day", kind="typo"),
    Case("明朝会不会落雨", "none", kind="offtopic"),
    Case("流动票箱什么时候来", "mobile_box", kind="plain"),
)
SEALED = (Case("密封：把选民证弄丢了", "voter_card", sealed=True),)


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (*OPEN, *SEALED))
    monkeypatch.setattr(accuracy, "_kept", {})


def rows(page: str, caption: str) -> list[list[str]]:
    """The cells of the table with this caption, tags aside."""
    table = page.split(f'aria-label="{caption}"')[1].split("</table>")[0]
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], re.S)
    ]


async def test_report_counts_both_halves_and_names_the_faults(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    page = (await (await signed_in(cast.li_qiang)).get("/admin/accuracy")).text
    halves = rows(page, "公开题和密封题")
    assert halves[0] == [
        "公开题 有答错", "4", "3", "1 33.3%", "0 0.0%", "1 33.3%", "1", "0 0.0%", "1 25.0%",
    ]  # fmt: skip
    assert [row[1] for row in halves] == ["4", "1", "5"]
    topics = rows(page, "各主题，最差的在前")
    assert [row[1] for row in topics] == ["1", "1", "2"]
    assert topics[0][0].endswith("有答错")
    assert "选民证" in topics[-1][0]
    assert {row[0] for row in rows(page, "各种写法，最差的在前")} == {
        "普通话", "错别字 有答错", "无关的事", "未注明",
    }  # fmt: skip
    (wrong,) = rows(page, "答错的公开题：1道")
    assert wrong[0] == "选民证掉了咋办"
    assert "直接答" in wrong[2]
    assert "K-0540 选民证丢了怎么办？ 99.0%" in wrong[2]
    assert wrong[3] == "和问法一字不差"
    (missed,) = rows(page, "没帮上的公开题：1道")
    assert missed[0] == "流动票箱什么时候来"
    assert "密封：" not in page
    assert "把选民证弄丢了" not in page
    assert "1条口径，测于11月20日（周五）10:05" in page


async def test_nothing_is_measured_twice_and_every_change_is(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
    real, made = reports.measure, []

    def watched(*given: object, **named: object) -> reports.AccuracyReport:
        made.append(store.engine.pool.checkedout())  # type: ignore[attr-defined]
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(reports, "measure", watched)
    desk = await signed_in(cast.wang_fang)
    for _ in range(2):
        assert (await desk.get("/admin/accuracy")).status_code == 200
    assert made == [0]  # and no connection was held meanwhile
    async with store.transaction() as session:
        await an_entry(session, cast, clock(), "K-0541", question="选民证遗失怎么补？")
    assert "2条口径" in (await desk.get("/admin/accuracy")).text
    async with store.transaction() as session:
        await golden.add(session, "登记证不见了", topic="none", actor=cast.wang_fang, now=clock())
    assert "值班台添的" in (await desk.get("/admin/accuracy")).text
    assert len(made) == 3
    assert len(accuracy._kept) == 1


async def test_only_what_the_whole_office_is_answered_with_today_is_measured(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock(), scope_unit_id=cast.riverside.id)
        await an_entry(session, cast, clock(), "K-0541", effective_from=date(2027, 1, 1))
        await an_entry(session, cast, clock(), "K-0901", audience=Audience.STAFF)
    page = (await (await signed_in(cast.li_qiang)).get("/admin/accuracy")).text
    assert "1条口径" in page
    assert rows(page, "公开题和密封题")[0][3] == "0 0.0%"


async def test_an_empty_base_helps_nobody_and_answers_nothing_wrong(cast: Cast, signed_in: SignedIn) -> None:
    page = (await (await signed_in(cast.li_qiang)).get("/admin/accuracy")).text
    assert rows(page, "公开题和密封题")[2][5] == "4 100.0%"
    assert rows(page, "公开题和密封题")[2][8] == "0 0.0%"
    assert "答错的公开题：0道" in page


async def test_every_share_says_of_what_and_long_lists_are_folded(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(Case(f"第{n}种不相干的话", "none", kind=f"kind{n}") for n in range(7))
    monkeypatch.setattr(golden, "shipped", lambda: (*OPEN, *many))
    page = (await (await signed_in(cast.li_qiang)).get("/admin/accuracy")).text
    head = page.split('aria-label="公开题和密封题"')[1].split("</thead>")[0]
    assert re.findall(r"<th[^>]*>([^<]+)</th>", head) == [
        "题目", "全部问题", "范围内问题", "直接答对（占范围内）", "选项里有对的（占范围内）",
        "没帮上（占范围内）", "无关问题", "无关却答了（占无关问题）", "答错合计（占全部问题）",
    ]  # fmt: skip
    assert "不超过1%" not in page
    assert "不超过2%" in page
    kinds = rows(page, "各种写法，最差的在前")
    further = rows(page, "各种写法，最差的在前 · 其余5行")
    assert (len(kinds), len(further)) == (5, 5)
    above, table = page.split('aria-label="各种写法，最差的在前 · 其余5行"')
    assert "<details><summary>其余5行</summary>" in above
    assert "</details>" in table


async def test_page_is_plain_and_its_place_in_the_menu_is_marked(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
        reader = Staff(name="钱一", unit_id=cast.riverside.id, roles=[Role.REGISTRAR], created_at=clock())
        session.add(reader)
    desk = await signed_in(reader)
    page = await desk.get("/admin/accuracy")
    assert page.status_code == 200
    assert 'href="/admin/trybox" aria-current="page"' in page.text
    identities = re.findall(r'\sid="([^"]+)"', page.text)
    assert len(identities) == len(set(identities))
    assert not re.search(r"\s(?:style|on[a-z]+)=", page.text)
    reader.language = "en"
    async with store.transaction() as session:
        await session.merge(reader)
    assert "Accuracy report" in (await desk.get("/admin/accuracy")).text
