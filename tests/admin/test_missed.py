"""The missed-question desk in the console: four keys as plain forms, the replay first, and undoing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import func, select

from knowledge import golden
from knowledge.versions import EntryState, EntryVersion
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.questions import OPEN, SEALED
from tests.ticketing.misses import desk as on_desk
from tests.ticketing.misses import golden_questions, miss, no_540, of_row
from ticketing.ledgers import Enquiry
from ticketing.records import TicketState

SignedIn = Callable[[Staff], Awaitable[Browser]]


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (*OPEN, *SEALED))


async def one(store: Store, cast: Cast, clock: Clock, words: str = "证件弄丢了咋整") -> Enquiry:
    return await miss(store, cast, clock(), words, who=words[:6])


async def pressed(desk: Browser, act: str, *rows: Enquiry, **fields: str) -> tuple[int, str, str]:
    """Press a key on the page that is shown; status, way on, and page."""
    chosen = {"enquiries": [str(row.id) for row in rows], "act": act, "back": "/admin/missed", **fields}
    address = "/admin/missed/preview" if act == "preview" else "/admin/missed/decide"
    answer = await desk.post(address, chosen)
    return answer.status_code, answer.headers.get("location", ""), answer.text


async def versions(store: Store) -> int:
    async with store.reading() as session:
        return await session.scalar(select(func.count()).select_from(EntryVersion)) or 0


async def test_each_row_shows_words_candidates_with_reasons_unit_and_date(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await no_540(store, cast, clock())
    await one(store, cast, clock, "我的选民证找不到丢了咋办")
    page = await (await signed_in(cast.li_qiang)).get("/admin/missed")
    for words in ("我的选民证找不到丢了咋办", "K-0540", "%", "对上：", "东浦区", "未命中", "1人，1条"):
        assert words in page.text
    for key in "1234":
        assert f'aria-keyshortcuts="{key}"' in page.text
    assert 'formaction="/admin/missed/preview"' in page.text


async def test_reasons_are_said_in_the_language_of_the_page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await no_540(store, cast, clock())
    await one(store, cast, clock, "我的选民证找不到丢了咋办")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    await desk.post("/admin/settings", {"lang": "en", "next": "/admin/missed"})
    page = (await desk.get("/admin/missed")).text
    assert "Agrees: " in page
    for words in ("一致：", "多出：", "缺少："):
        assert words not in page
    assert "askers: 1, questions: 1" in page


async def test_key_1_shows_what_changes_before_anything_is_saved(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await no_540(store, cast, clock(), phrasings=("选民证遗失到哪里补", "选民证毁坏了", "选民证不见"))
    rows = [await one(store, cast, clock, "选民证掉了咋办"), await one(store, cast, clock)]
    before = await versions(store)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    status, _, page = await pressed(desk, "preview", *rows, entry_no="K-0540")
    assert status == 200
    assert "新增2条问法" in page
    assert "证件弄丢了咋整" in page
    assert "哪些答复会变" in page
    assert "保存为草稿" in page
    assert await versions(store) == before
    assert len(await on_desk(store, cast.li_qiang, clock())) > 0
    desk.shown = page
    fields = {"entry_no": "K-0540", "revision": desk.hidden("revision")}
    status, way, _ = await pressed(desk, "phrasing", *rows, **fields)
    assert status == 303
    assert await versions(store) == before + 1
    told = await desk.get(way)
    assert "已写进草稿" in told.text
    assert "去送审" in told.text
    assert "今天处理的" in told.text


async def test_key_1_is_not_saved_on_a_base_that_has_changed_since(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await no_540(store, cast, clock())
    row = await one(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    status, _, _ = await pressed(desk, "phrasing", row, entry_no="K-0540", revision="0")
    assert status == 409
    status, _, _ = await pressed(desk, "phrasing", row, entry_no="K-0540")
    assert status == 422


async def test_key_2_answers_and_tells_how_many(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await no_540(store, cast, clock())
    row = await one(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    status, way, _ = await pressed(desk, "pointed", row, other_no="k-0540")
    assert (status, way) == (303, "/admin/missed?answered=1&left=0&done=pointed")
    assert "已答复1人" in (await desk.get(way)).text
    assert (await of_row(store, row)).state is TicketState.ANSWERED


async def test_key_3_goes_on_in_the_editor(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    row = await one(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    status, way, _ = await pressed(desk, "entry", row)
    assert (status, way) == (303, "/admin/entries/1/edit?done=promoted")
    assert "证件弄丢了咋整" in (await desk.get(way)).text


async def test_key_4_wants_its_type_and_is_undone(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    row = await one(store, cast, clock, "小区车位怎么摇号")
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    status, _, page = await pressed(desk, "off_topic", row)
    assert (status, "请选为什么与本系统无关" in page) == (422, True)
    status, way, _ = await pressed(desk, "off_topic", row, off_topic="other_office")
    assert status == 303
    page = (await desk.get(way)).text
    assert "都处理完了" in page
    assert "其他政务" in page
    assert await golden_questions(store) == [("小区车位怎么摇号", "other_office")]
    batch = page.partition("/admin/missed/undo/")[2].partition('"')[0]
    back = await desk.post(f"/admin/missed/undo/{batch}")
    assert back.headers["location"] == "/admin/missed?done=undone"
    assert "小区车位怎么摇号" in (await desk.get("/admin/missed")).text
    again = await desk.post(f"/admin/missed/undo/{batch}")
    assert again.status_code == 404


async def test_a_refusal_keeps_what_was_typed_in_the_group(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    row = await one(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/missed")
    status, _, page = await pressed(desk, "pointed", row, other_no="K-9999")
    assert status == 404
    assert 'value="K-9999"' in page
    status, _, page = await pressed(desk, "pointed", row)
    assert (status, "请选一条口径" in page) == (422, True)
    status, _, page = await pressed(desk, "preview", entry_no="K-0540")
    assert status in (404, 422)


async def test_a_filter_shows_one_kind_and_the_way_back_stays(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    await one(store, cast, clock)
    row = await miss(store, cast, clock(), "小区车位怎么摇号", who="9", solved=False)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get("/admin/missed?kind=not_solved")
    assert "小区车位怎么摇号" in page.text
    assert "证件弄丢了咋整" not in page.text
    _, way, _ = await pressed(desk, "off_topic", row, off_topic="near", back="/admin/missed?kind=not_solved")
    assert way == "/admin/missed?kind=not_solved&done=off_topic"
    _, way, _ = await pressed(desk, "off_topic", row, off_topic="near", back="https://elsewhere.test/")
    assert not way.startswith("https")


async def test_only_who_drafts_sees_the_desk_and_only_their_own_units(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    row = await one(store, cast, clock)
    north = await signed_in(cast.zhao_lei)
    assert "证件弄丢了咋整" not in (await north.get("/admin/missed")).text
    status, _, _ = await pressed(north, "entry", row)
    assert status == 409
    admin = await signed_in(cast.zhou_ning)
    assert (await admin.get("/admin/missed")).status_code == 403
    async with store.reading() as session:
        found = select(func.count()).select_from(EntryVersion).where(EntryVersion.state == EntryState.DRAFT)
        assert await session.scalar(found) == 0
